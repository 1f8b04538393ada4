"""What generated JAX code calls beside JAX; a standalone module gets a copy of the source."""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import erf as erf

from symbackprop.codegen.binding import BindingError
from symbackprop.codegen.functions import CompiledFunction

Function = CompiledFunction
HIGHEST = {4: 87, 8: 708}


def exponent(u):  # type: ignore[no-untyped-def]
    """A number, or the largest exponent where it is larger."""
    return jnp.minimum(u, HIGHEST[u.dtype.itemsize])


def gather(array, *indices):  # type: ignore[no-untyped-def]
    """The array read at indices that count from 1; 0 where one of them is outside its axis."""
    inside = True
    for size, index in zip(array.shape, indices, strict=True):
        inside = inside & (index >= 1) & (index <= size)
    clipped = tuple(jnp.clip(index, 1, size) - 1 for size, index in zip(array.shape, indices, strict=True))
    return jnp.where(inside, array[clipped], 0)


def take(array, *places):  # type: ignore[no-untyped-def]
    """The array at places that count from 1, None keeping an axis; zeros where a place is outside its axis."""
    inside: Any = True
    at: list[Any] = []
    for size, place in zip(array.shape, places, strict=True):
        if place is None:
            at.append(slice(None))
            continue
        inside = inside & (place >= 1) & (place <= size)
        at.append(jnp.clip(place, 1, size) - 1)
    return jnp.where(inside, array[tuple(at)], 0)


def scatter(size, index, values):  # type: ignore[no-untyped-def]
    """The sums of the values into `size` entries that `index` counts from 1; what is outside is left out."""
    index = jnp.broadcast_to(jnp.asarray(index), values.shape[: jnp.ndim(index)])
    result = jnp.zeros((size, *values.shape[index.ndim :]), dtype=values.dtype)
    place = jnp.where((index >= 1) & (index <= size), index - 1, size)  # a negative place would count from the end
    return result.at[place].add(values, mode="drop")


def place(value, labels, pairs, shape):  # type: ignore[no-untyped-def]
    """The value where axes agree in pairs, and 0 elsewhere; its own axes stand at `labels`."""
    moved = jnp.transpose(jnp.asarray(value), sorted(range(len(labels)), key=lambda k: labels[k]))
    result = jnp.broadcast_to(moved[tuple(slice(None) if k in labels else None for k in range(len(shape)))], shape)
    for first, second in pairs:
        steps = [jnp.arange(n).reshape([-1 if k == axis else 1 for k in range(len(shape))])
                 for axis, n in ((first, shape[first]), (second, shape[second]))]  # fmt: skip
        result = jnp.where(steps[0] == steps[1], result, 0)
    return result


def matrix_inverse(matrix):  # type: ignore[no-untyped-def]
    """The inverse of a square matrix; nan where there is none."""
    inverse = jnp.linalg.inv(matrix)
    return jnp.where(jnp.isfinite(inverse).all(), inverse, jnp.nan)


def log_determinant(matrix):  # type: ignore[no-untyped-def]
    """The logarithm of the absolute value of a determinant."""
    return jnp.linalg.slogdet(matrix)[1]


@cache
def compiled(forward, backward, sizes):  # type: ignore[no-untyped-def]
    """Both passes as one function of arrays that JAX compiles, once for each choice of sizes."""

    def run(*arrays):  # type: ignore[no-untyped-def]
        value, saved = forward(*arrays, *sizes)
        return value, backward(*saved)

    return jax.jit(run)


class Library:
    """How code runs, and how arrays are made of what a caller gives and looked at."""

    @staticmethod
    def scope(dtype: Any) -> Any:
        """Where arrays have the precision of dtype, which JAX does not allow elsewhere unless it is told to."""
        return jax.enable_x64(jnp.dtype(dtype) == jnp.float64)

    @staticmethod
    def dtype(name: str) -> Any:
        """The dtype of a name."""
        return getattr(jnp, name)

    @staticmethod
    def run(forward: Any, backward: Any, arrays: Any, sizes: Any, targets: Any = None) -> tuple[Any, Any]:
        """The value and the gradients, compiled."""
        value, gradients = compiled(forward, backward, sizes)(*arrays)
        return value, gradients

    @staticmethod
    def shapes(arrays: Any, integer: Any, dtype: Any, sizes: Any) -> Any:
        """The shapes of arrays that need no cast, and the sizes given as numbers; None where one needs a cast."""
        for array, whole in zip(arrays, integer, strict=True):
            plain = isinstance(array, jax.Array) and not isinstance(array, jax.core.Tracer)
            if not plain or whole or array.dtype != dtype:
                return None
        return (*(array.shape for array in arrays), *sizes) if all(type(size) is int for size in sizes) else None

    @staticmethod
    def release(saved: Any) -> None:
        """Nothing is shared between calls."""

    @staticmethod
    def named(out: Any, names: Any) -> Any:
        """No arrays of the caller are written into on the way."""
        return None

    @staticmethod
    def cast(name: str, value: Any, dtype: Any) -> Any:
        """The value as an array of dtype."""
        try:
            array = jnp.asarray(value)
        except (TypeError, ValueError) as error:
            raise BindingError("data", f"{name} is not an array of numbers: {error}") from error
        if array.dtype.kind not in "biuf":
            raise BindingError("data", f"{name} has entries of type {array.dtype}; expected real numbers.")
        return array if dtype is None else array.astype(dtype)

    @staticmethod
    def kind(array: Any) -> str:
        """What the entries are."""
        return str(array.dtype)

    @staticmethod
    def is_integer(array: Any) -> bool:
        """Whether the entries are integers."""
        return bool(array.dtype.kind in "iu")

    @staticmethod
    def find_outside(array: Any, largest: int) -> Any:
        """An entry that is not from 1 to `largest`, or None; what is being traced has no entries yet."""
        if isinstance(array, jax.core.Tracer):
            return None
        wrong = array[(array < 1) | (array > largest)]
        return wrong.ravel()[0] if wrong.size else None

    @staticmethod
    def fits(target: Any, array: Any) -> bool:
        """Whether an array could be written into another."""
        return hasattr(target, "dtype") and target.shape == array.shape and target.dtype == array.dtype

    @staticmethod
    def describe(array: Any) -> str:
        """An array by its type and shape, for a message."""
        return f"{array.dtype} of shape {array.shape}" if hasattr(array, "dtype") else type(array).__name__

    @staticmethod
    def copy_into(target: Any, array: Any) -> None:
        """There is no writing into an array of JAX."""
        raise BindingError("out", "Arrays of JAX cannot be written into; leave out= away.")
