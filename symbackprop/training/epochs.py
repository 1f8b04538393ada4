"""An epoch of training: a step for each batch, called one by one or all in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from symbackprop.training.rules import Array, Memory, Optimizer

LossAndGradients = Callable[..., tuple[Any, Mapping[str, npt.ArrayLike]]]
Arrays = Mapping[str, npt.NDArray[Any]]


class Epochs(Protocol):
    """Makes the steps of an epoch, and yields the loss of each batch before the step that it leads to.

    `order` are the samples in their order, `size` of them a batch (the last holds what is left), and `done` the steps
    made before. `params` and `memory` are written in place; `fixed` is the same for every batch.
    """

    def __call__(
        self,
        params: dict[str, Array],
        memory: Memory,
        done: int,
        arrays: Arrays,
        fixed: Arrays,
        order: npt.NDArray[np.integer],
        size: int,
    ) -> Iterator[float]: ...


@dataclass(frozen=True, slots=True)
class SingleSteps:
    """A call of the loss and a call of the update rule for each batch."""

    evaluate: LossAndGradients
    optimizer: Optimizer

    def __call__(
        self,
        params: dict[str, Array],
        memory: Memory,
        done: int,
        arrays: Arrays,
        fixed: Arrays,
        order: npt.NDArray[np.integer],
        size: int,
    ) -> Iterator[float]:
        """Make the steps."""
        for number, first in enumerate(range(0, len(order), size), 1):
            rows = order[first : first + size]
            batch = {name: array[rows] for name, array in arrays.items()}
            loss, gradients = self.evaluate(params, **batch, **fixed)
            yield float(loss)
            # A parameter that overflows is reported by the loop, with its name.
            with np.errstate(over="ignore", invalid="ignore"):
                self.optimizer.update(params, gradients, memory, done + number)


@dataclass(frozen=True, slots=True)
class Descents:
    """Plain gradient descent over all batches of one length in one call.

    `compile_for` makes the function of a number of samples, which has `descend`; each number is compiled once.
    """

    compile_for: Callable[[int], Any]
    rate: float
    functions: dict[int, Any] = field(default_factory=dict, repr=False)

    def __call__(
        self,
        params: dict[str, Array],
        memory: Memory,
        done: int,
        arrays: Arrays,
        fixed: Arrays,
        order: npt.NDArray[np.integer],
        size: int,
    ) -> Iterator[float]:
        """Make the steps."""
        for batches in stack_batches(arrays, order, size):
            count, length = next(iter(batches.values())).shape[:2]
            if length not in self.functions:
                self.functions[length] = self.compile_for(length)
            losses, moved = self.functions[length].descend(params, self.rate, count, **batches, **fixed)
            for name, array in params.items():
                array[...] = moved[name]
            yield from map(float, losses)


def stack_batches(arrays: Arrays, order: npt.NDArray[np.integer], size: int) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """Arrays [batch, sample, ...]: those of all whole batches, then that of what is left.

    >>> [b["x"].tolist() for b in stack_batches({"x": np.arange(5)}, np.array([4, 3, 2, 1, 0]), 2)]
    [[[4, 3], [2, 1]], [[0]]]
    """
    whole = len(order) // size * size
    for rows, length in ((order[:whole], size), (order[whole:], len(order) - whole)):
        if len(rows):
            yield {name: array[rows].reshape(-1, length, *array.shape[1:]) for name, array in arrays.items()}
