"""An epoch of training as one call of compiled JAX: the batches are scanned, and parameters stay inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from symbackprop.training.epochs import Arrays, LossAndGradients, stack_batches
from symbackprop.training.equations import GRADIENT, STEP, THETA, Kind, split_stages
from symbackprop.training.rules import Array, Memory, Optimizer


class ScannedSteps:
    """The steps of all batches of one length in one call, which JAX compiles once for each length.

    `evaluate` is a loss that JAX can trace. The results are those of `SingleSteps` up to rounding.
    """

    def __init__(self, evaluate: LossAndGradients, optimizer: Optimizer) -> None:
        self.evaluate, self.optimizer = evaluate, optimizer
        self._run = jax.jit(self._scan)

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
            double = any(array.dtype == np.float64 for array in params.values())
            with jax.enable_x64(double):
                moved, state, losses = self._run(params, memory, float(done), batches, dict(fixed))
                found = np.asarray(losses)
            done += len(found)
            for name, array in params.items():
                array[...] = moved[name]
            for symbol, tensors in memory.items():
                for name, array in tensors.items():
                    array[...] = state[symbol][name]
            yield from map(float, found)

    def _scan(self, params: Any, memory: Any, done: Any, batches: Any, fixed: Any) -> Any:
        """The parameters and the state after all batches, and the loss of each."""

        def step(carried: Any, batch: Any) -> Any:
            params, memory, number = carried
            loss, gradients = self.evaluate(params, **batch, **fixed)
            params, memory = update(self.optimizer, params, gradients, memory, number)
            return (params, memory, number + 1), loss

        (params, memory, _), losses = jax.lax.scan(step, (params, memory, done + 1), batches)
        return params, memory, losses


def update(
    optimizer: Optimizer, params: Mapping[str, Any], gradients: Mapping[str, Any], memory: Mapping[str, Any], step: Any
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The parameters and the state after a step of a rule, whose equations are those that run on NumPy.

    >>> from symbackprop.training.optimizers import SGD
    >>> update(SGD(0.5), {"w": jnp.float32(1)}, {"w": jnp.float32(1)}, {}, 1)[0]["w"].item()
    0.5
    """
    shared: dict[str, Any] = {name: float(value) for name, value in optimizer.constants.items()}
    shared[STEP.name] = step
    entries: dict[str, dict[str, Any]] = {
        name: {
            **{slot: tensors[name] for slot, tensors in memory.items()},
            THETA.name: theta,
            GRADIENT.name: gradients[name],
        }
        for name, theta in params.items()
    }
    for kind, stage in split_stages(optimizer.rule, "jax", "jax"):
        for assignment in stage:
            if kind is Kind.TOTAL:
                shared[assignment.target] = sum(jnp.sum(assignment.formula(shared, own)) for own in entries.values())
            elif kind is Kind.SHARED:
                shared[assignment.target] = assignment.formula(shared, {})
            else:
                for name, own in entries.items():
                    value = assignment.formula(shared, own)
                    own[assignment.target] = jnp.asarray(value, dtype=params[name].dtype)
    moved = {name: own[THETA.name] for name, own in entries.items()}
    return moved, {slot: {name: entries[name][slot] for name in tensors} for slot, tensors in memory.items()}
