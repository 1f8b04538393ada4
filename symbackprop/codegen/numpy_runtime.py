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
    """The error function, which NumPy does not have, by the rational approximations of fdlibm's s_erf.c (Sun
    Microsystems, 1993): one around 0, one around 1, and two for the tail 1 - exp(-u^2 - 9/16 + r(1/u^2))/u.
    """
    u = np.asarray(u)
    if u.size < 50:  # the approximations take as long for one entry
        return np.vectorize(math.erf, otypes=[u.dtype])(u)
    far = np.minimum(np.abs(u), 6).ravel()  # where it rounds to 1
    value = far + 0  # what is nan stays
    for begin, end, above, below in (
        (0, 0.84375,
         (1.28379167095512558561e-01, -3.25042107247001499370e-01, -2.84817495755985104766e-02,
          -5.77027029648944159157e-03, -2.37630166566501626084e-05),
         (1, 3.97917223959155352819e-01, 6.50222499887672944485e-02, 5.08130628187576562776e-03,
          1.32494738004321644526e-04, -3.96022827877536812320e-06)),
        (0.84375, 1.25,
         (-2.36211856075265944077e-03, 4.14856118683748331666e-01, -3.72207876035701323847e-01,
          3.18346619901161753674e-01, -1.10894694282396677476e-01, 3.54783043256182359371e-02,
          -2.16637559486879084300e-03),
         (1, 1.06420880400844228286e-01, 5.40397917702171048937e-01, 7.18286544141962662868e-02,
          1.26171219808761642112e-01, 1.36370839120290507362e-02, 1.19844998467991074170e-02)),
        (1.25, 1 / 0.35,
         (-9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e01,
          -6.23753324503260060396e01, -1.62396669462573470355e02, -1.84605092906711035994e02,
          -8.12874355063065934246e01, -9.81432934416914548592e00),
         (1, 1.96512716674392571292e01, 1.37657754143519042600e02, 4.34565877475229228821e02,
          6.45387271733267880336e02, 4.29008140027567833386e02, 1.08635005541779435134e02,
          6.57024977031928170135e00, -6.04244152148580987438e-02)),
        (1 / 0.35, 7,
         (-9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e01,
          -1.60636384855821916062e02, -6.37566443368389627722e02, -1.02509513161107724954e03,
          -4.83519191608651397019e02),
         (1, 3.03380607434824582924e01, 3.25792512996573918826e02, 1.53672958608443695994e03,
          3.19985821950859553908e03, 2.55305040643316442583e03, 4.74528541206955367215e02,
          -2.24409524465858183362e01)),
    ):  # fmt: skip
        places = np.flatnonzero((far >= begin) & (far < end))
        if not places.size:
            continue
        v = far[places]
        w = v * v if begin == 0 else v - 1 if end == 1.25 else 1 / (v * v)
        ratio = horner(above, w) / horner(below, w)
        if begin == 0:
            value[places] = v + v * ratio
        elif end == 1.25:
            value[places] = 8.45062911510467529297e-01 + ratio
        else:
            value[places] = 1 - np.exp(ratio - v * v - 0.5625) / v
    return np.copysign(value.reshape(u.shape), u)


def horner(coefficients: Any, w: Any) -> Any:
    """The polynomial with these coefficients, that of the lowest power first."""
    total = w * coefficients[-1]
    for coefficient in reversed(coefficients[1:-1]):
        total += coefficient
        total *= w
    return total + coefficients[0]


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
