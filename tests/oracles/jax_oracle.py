"""Programs differentiated by JAX in float64.

JAX traces the derivative once a program; NumPy evaluates what was traced (jaxpr_numpy.py), and a test holds that to
what XLA computes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import MappingProxyType

import jax
import jax.extend
import jax.numpy as jnp
import numpy as np
from index_ranges import SizedProgram
from jax_forward import Forward
from jax_functions import Array
from jaxpr_numpy import evaluate

Leaves = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Result:
    """The value of a tensor, its derivatives, and the least distance of any comparison of values from a tie."""

    value: np.ndarray
    derivatives: dict[str, np.ndarray]
    margin: float


@dataclass(frozen=True)
class Change:
    """How a value and its derivatives change along a direction of the leaves."""

    value: np.ndarray
    derivatives: dict[str, np.ndarray]


@dataclass(frozen=True)
class Differentiator:
    """JAX's derivatives of the tensor `of`: the axes of `of`, then those of the leaf.

    They are traced when they are first needed, for the integer data given. With `noise` each call rounds otherwise.
    """

    program: SizedProgram
    of: str
    wrt: tuple[str, ...]
    integers: Leaves
    noise: np.random.Generator | None = None

    def noisy(self, seed: int) -> Differentiator:
        """The same with noise in what is rounded."""
        made = replace(self, noise=np.random.default_rng(seed))
        known = {name: value for name, value in vars(self).items() if name in ("first_order", "second_order")}
        vars(made).update(known)
        return made

    def __call__(self, leaves: Leaves) -> Result:
        """The value and its derivatives."""
        run = partial(evaluate, self.first_order, noise=self.noise)
        return self._collect([run([*self._arrays(leaves), *cotangent]) for cotangent in self._cotangents()])

    def along(self, leaves: Leaves, directions: Leaves) -> Change:
        """The change of the value and of its derivatives along a direction for each leaf of `wrt`."""
        moved = [np.asarray(directions[name], np.float64) for name in self.wrt]
        run = partial(evaluate, self.second_order, noise=self.noise)
        found = self._collect([run([*self._arrays(leaves), *moved, *c]) for c in self._cotangents()])
        return Change(found.value, found.derivatives)

    def twice(self, leaves: Leaves, first: str, second: str) -> np.ndarray:
        """The second derivatives by `first` and then by `second`, whose axes come last."""
        still = {name: np.zeros(self.program.shapes[name]) for name in self.wrt}
        shape = self.program.shapes[second]
        columns = [self.along(leaves, {**still, second: one}).derivatives[first] for one in _unit_arrays(shape)]
        return np.stack(columns, -1).reshape((*columns[0].shape, *shape))

    def compiled(self, leaves: Leaves) -> Result:
        """The same as a call, computed by XLA."""
        made = jax.jit(self._differentiate)
        return self._collect([list(map(np.asarray, made(*self._arrays(leaves), *c))) for c in self._cotangents()])

    @cached_property
    def first_order(self) -> jax.extend.core.ClosedJaxpr:
        """The traced value, margin and derivatives."""
        return jax.make_jaxpr(self._differentiate)(*self._examples(), *self._cotangents()[0])

    @cached_property
    def second_order(self) -> jax.extend.core.ClosedJaxpr:
        """The traced changes of the same, with zero for that of the margin."""
        count = len(self.wrt)

        def change(*arguments: Array) -> Sequence[Array]:
            rest = self._names()[count:]
            arrays, moved = arguments[: count + len(rest)], arguments[count + len(rest) : 2 * count + len(rest)]
            still, cotangent = arrays[count:], arguments[2 * count + len(rest) :]
            _, made = jax.jvp(lambda *moving: self._differentiate(*moving, *still, *cotangent), arrays[:count], moved)
            return made

        examples = self._examples()
        return jax.make_jaxpr(change)(*examples, *examples[:count], *self._cotangents()[0])

    def _differentiate(self, *arguments: Array) -> tuple[Array, ...]:
        """The value, the margin, and the derivatives of the value or of its product with a cotangent."""
        names, count = self._names(), len(self.wrt)
        still = dict(zip(names[count:], arguments[count : len(names)], strict=True))

        def forward(*moving: Array) -> tuple[Array, tuple[Array, Array]]:
            run = Forward(self.program, {**still, **dict(zip(self.wrt, moving, strict=True)), **self.integers})
            value = run.run()[self.of]
            margin = jnp.min(jnp.stack(run.margins)) if run.margins else jnp.asarray(jnp.inf)
            weighted = jnp.sum(value * arguments[-1]) if self.program.shapes[self.of] else value
            return weighted, (value, margin)

        derivatives, (value, margin) = jax.grad(forward, tuple(range(count)), has_aux=True)(*arguments[:count])
        return (value, margin, *derivatives)

    def _names(self) -> tuple[str, ...]:
        """The leaves of real numbers, those of `wrt` first."""
        kinds = self.program.kinds
        return (*self.wrt, *(name for name in kinds if kinds[name] != "index" and name not in self.wrt))

    def _arrays(self, leaves: Leaves) -> list[np.ndarray]:
        return [np.asarray(leaves[name], np.float64) for name in self._names()]

    def _examples(self) -> list[np.ndarray]:
        return [np.zeros(self.program.shapes[name]) for name in self._names()]

    def _cotangents(self) -> list[tuple[np.ndarray, ...]]:
        """For a tensor an array for each entry, 1 there and 0 elsewhere; for a scalar nothing, once."""
        shape = self.program.shapes[self.of]
        return [(one,) for one in _unit_arrays(shape)] if shape else [()]

    def _collect(self, runs: Sequence[Sequence[np.ndarray]]) -> Result:
        value, margin, *_ = runs[0]
        shape = self.program.shapes[self.of]
        derivatives = {
            name: np.stack([run[2 + k] for run in runs]).reshape((*shape, *self.program.shapes[name]))
            for k, name in enumerate(self.wrt)
        }
        # The change of a margin, which nothing asks for, has the type that JAX gives to no change.
        return Result(np.asarray(value), derivatives, float(np.asarray(margin, np.float64)))


def _unit_arrays(shape: Sequence[int]) -> list[np.ndarray]:
    """For each entry of a shape, the array that is 1 there and 0 elsewhere."""
    size = math.prod(shape)
    return [one.reshape(shape) for one in np.eye(size)]


def make_differentiator(
    program: SizedProgram, of: str, wrt: Sequence[str], integers: Leaves = MappingProxyType({})
) -> Differentiator:
    """The derivatives of `of` by the leaves `wrt`, for given integer data."""
    return Differentiator(program, of, tuple(wrt), integers)
