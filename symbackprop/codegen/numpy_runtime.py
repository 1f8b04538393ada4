"""What generated NumPy code calls beside NumPy; a standalone module gets a copy of the source."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any

import numpy as np

from symbackprop.codegen.binding import BindingError
from symbackprop.codegen.functions import CompiledFunction

Function = CompiledFunction


def gather(array, *indices):  # type: ignore[no-untyped-def]
    """The array read at indices that count from 1; 0 where one of them is outside its axis."""
    inside = True
    for size, index in zip(array.shape, indices, strict=True):
        inside = inside & (index >= 1) & (index <= size)
    clipped = tuple(np.clip(index, 1, size) - 1 for size, index in zip(array.shape, indices, strict=True))
    return np.where(inside, array[clipped], 0)


def take(array, *places):  # type: ignore[no-untyped-def]
    """The array at places that count from 1, None keeping an axis; zeros where a place is outside its axis."""
    inside = all(p is None or 1 <= p <= size for p, size in zip(places, array.shape, strict=True))
    at = tuple(slice(None) if p is None else int(p) - 1 if inside else 0 for p in places)
    return array[at] if inside else np.zeros_like(array[at])


def window(array, *places):  # type: ignore[no-untyped-def]
    """A view of the array with zeros around it.

    A place is (begin, ((label, step, count), ...)) for an axis of the array: from there, axis `label` of the result
    takes `count` steps along it.
    """
    begins, sizes, pads, shape, strides = [], [], [], {}, {}
    for axis, (size, (begin, steps)) in enumerate(zip(array.shape, places, strict=True)):
        before = max(0, -begin - sum(min(0, step * (count - 1)) for _, step, count in steps))
        last = begin + sum(max(0, step * (count - 1)) for _, step, count in steps)
        begins.append(begin + before)
        pads.append(slice(before, before + size))
        sizes.append(before + max(size, last + 1))
        for label, step, count in steps:
            shape[label], strides[label] = count, (axis, step)
    if tuple(sizes) != array.shape:
        padded = np.zeros(sizes, dtype=array.dtype)
        padded[tuple(pads)] = array
        array = padded
    start = array[tuple(slice(begin, None) for begin in begins)]
    labels = range(len(shape))
    moved = [array.strides[strides[label][0]] * strides[label][1] for label in labels]
    return np.lib.stride_tricks.as_strided(start, [shape[label] for label in labels], moved, writeable=False)


def scatter(size, index, values):  # type: ignore[no-untyped-def]
    """The sums of the values into `size` entries that `index` counts from 1; what is outside is left out."""
    index = np.broadcast_to(index, values.shape[: np.ndim(index)])
    result = np.zeros((size, *values.shape[index.ndim :]), dtype=values.dtype)
    inside = (index >= 1) & (index <= size)
    np.add.at(result, index[inside] - 1, values[inside])
    return result


def fold(size, place, values):  # type: ignore[no-untyped-def]
    """The sums of the values into `size` entries at even steps; what is outside is left out.

    `place` is (begin, ((label, step, count), ...)), counted from 0: a step of each of the first axes of the values.
    """
    begin, steps = place
    result = np.zeros((size, *values.shape[len(steps) :]), dtype=values.dtype)
    long, stride, count = max(steps, key=lambda each: each[2])
    others = [each for each in steps if each[0] != long]
    values = np.moveaxis(values, [label for label, _, _ in others], range(len(others)))
    for at in np.ndindex(*(n for _, _, n in others)):
        first = begin + sum(k * step for k, (_, step, _) in zip(at, others, strict=True))
        places = first + stride * np.arange(count)
        inside = np.flatnonzero((places >= 0) & (places < size))
        if inside.size:
            low, high = inside[0], inside[-1]
            ends = sorted((places[low], places[high]))
            part = values[at][low : high + 1]
            result[ends[0] : ends[1] + 1 : abs(stride)] += part if stride > 0 else part[::-1]
    return result


def place(value, labels, pairs, shape):  # type: ignore[no-untyped-def]
    """The value where axes agree in pairs, and 0 elsewhere; its own axes stand at `labels`."""
    result = np.zeros(shape, dtype=value.dtype)
    strides = list(result.strides)
    for first, second in pairs:
        strides[first] += strides[second]
    kept = [k for k in range(len(shape)) if k not in {second for _, second in pairs}]
    view = np.lib.stride_tricks.as_strided(result, [shape[k] for k in kept], [strides[k] for k in kept])
    moved = np.transpose(value, sorted(range(len(labels)), key=lambda k: labels[k]))
    view[...] = moved[tuple(slice(None) if k in labels else None for k in kept)]
    return result


def matrix_inverse(matrix):  # type: ignore[no-untyped-def]
    """The inverse of a square matrix; nan where there is none."""
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.nan)


def log_determinant(matrix):  # type: ignore[no-untyped-def]
    """The logarithm of the absolute value of a determinant."""
    return np.linalg.slogdet(matrix)[1]


def erf(u):  # type: ignore[no-untyped-def]
    """The error function, which NumPy does not have."""
    u = np.asarray(u)
    return np.vectorize(math.erf, otypes=[u.dtype])(u)


class Library:
    """How code runs, and how arrays are made of what a caller gives and looked at."""

    @staticmethod
    def scope(dtype: Any) -> Any:
        """Where arrays have the precision of dtype."""
        return nullcontext()

    @staticmethod
    def dtype(name: str) -> Any:
        """The dtype of a name."""
        return getattr(np, name)

    @staticmethod
    def run(forward: Any, backward: Any, arrays: Any, sizes: Any) -> tuple[Any, Any]:
        """The value and the gradients."""
        value, saved = forward(*arrays, *sizes)
        return value, backward(*saved)

    @staticmethod
    def cast(name: str, value: Any, dtype: Any) -> Any:
        """The value as an array of dtype; an array that is one already is not copied."""
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise BindingError("data", f"{name} is not an array of numbers: {error}") from error
        if array.dtype.kind not in "biuf":
            raise BindingError("data", f"{name} has entries of type {array.dtype}; expected real numbers.")
        return array if dtype is None else array.astype(dtype, copy=False)

    @staticmethod
    def kind(array: Any) -> str:
        """What the entries are."""
        return str(array.dtype)

    @staticmethod
    def is_integer(array: Any) -> bool:
        """Whether the entries are integers."""
        return array.dtype.kind in "iu"

    @staticmethod
    def find_outside(array: Any, largest: int) -> Any:
        """An entry that is not from 1 to `largest`, or None."""
        wrong = array[(array < 1) | (array > largest)]
        return wrong.flat[0] if wrong.size else None

    @staticmethod
    def describe(array: Any) -> str:
        """An array by its type and shape, for a message."""
        known = isinstance(array, np.ndarray)
        return f"{array.dtype} of shape {array.shape}" if known else type(array).__name__

    @staticmethod
    def copy_into(target: Any, array: Any) -> None:
        """Write an array into another."""
        np.copyto(target, array)
