"""What generated NumPy code calls beside NumPy; a standalone module gets a copy of the source."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any

import numpy as np

from symbackprop.codegen.binding import BindingError
from symbackprop.codegen.functions import CompiledFunction

Function = CompiledFunction
INTEGERS = {4: np.int32, 8: np.int64}
HIGHEST = {4: 87, 8: 708}
AS_IT_IS = nullcontext()
SHARED = 4
LARGE = 2**15


class Workspace:
    """The arrays that one call writes into, for each pass in the order in which it takes them."""

    def __init__(self, forward: Any, backward: Any, free: Any) -> None:
        self.forward, self.backward, self.free = forward, backward, free

    def give_back(self) -> None:
        """Let another call have the arrays."""
        self.free.append(self)


class Workspaces:
    """Makes the arrays of calls, and keeps them for further calls with the same sizes, the last few choices of these.

    An array is never lent to two calls at a time, so that threads may call at once.
    """

    def __init__(self, make):  # type: ignore[no-untyped-def]
        self.make, self.free = make, {}

    def lend(self, *sizes):  # type: ignore[no-untyped-def]
        """Arrays that nobody writes into."""
        free = self.free.get(sizes)
        if free is None:
            for oldest in list(self.free)[: 1 - SHARED]:
                self.free.pop(oldest, None)
            free = self.free.setdefault(sizes, [])
        try:
            return free.pop()
        except IndexError:
            forward, backward = self.make(*sizes)
            return Workspace(forward, backward, free)


def keep(mask, value, out):  # type: ignore[no-untyped-def]
    """Write the value where the mask holds and 0 elsewhere, also where the value is infinite there.

    The bits of the value are taken: that is as fast as a product, which would make infinity not a number.
    """
    bits = out.view(INTEGERS[out.itemsize])
    taken = np.negative(np.asarray(mask).view(np.int8))
    np.bitwise_and(np.asarray(value, out.dtype).view(bits.dtype), taken, out=bits)


def choose(mask, value, other, out):  # type: ignore[no-untyped-def]
    """Write the value where the mask holds and the other one elsewhere, by their bits."""
    bits = out.view(INTEGERS[out.itemsize])
    taken = np.negative(np.asarray(mask).view(np.int8))
    first, second = (np.asarray(each, out.dtype).view(bits.dtype) for each in (value, other))
    np.bitwise_xor(np.bitwise_and(np.bitwise_xor(first, second), taken), second, out=bits)


def add_at(base, axis, place, value, out):  # type: ignore[no-untyped-def]
    """Write the base with the value added at one place along an axis, counted from 1; outside of it nothing is."""
    if out is not base:
        np.copyto(out, base)
    shape = (*out.shape[:axis], 1, *out.shape[axis + 1 :])
    place = np.broadcast_to(place, shape)
    inside = (place >= 1) & (place <= out.shape[axis])
    at = list(np.nonzero(inside))
    at[axis] = place[inside] - 1
    out[tuple(at)] += np.broadcast_to(value, shape)[inside]


def gather(array, *indices):  # type: ignore[no-untyped-def]
    """The array read at indices that count from 1; 0 where one of them is outside its axis."""
    rank = max(np.ndim(index) for index in indices)
    vectors = [np.reshape(index, (1,) * (rank - np.ndim(index)) + np.shape(index)) for index in indices]
    along = [[k for k, size in enumerate(vector.shape) if size != 1] for vector in vectors]
    if rank > 1 and all(len(axes) <= 1 for axes in along):  # a single index is as fast as it stands
        labels = [axes[0] if axes else -1 for axes in along]
        return gather_by_axes(array, vectors, labels, rank)  # type: ignore[no-untyped-call]
    inside = True
    for size, index in zip(array.shape, indices, strict=True):
        inside = inside & (index >= 1) & (index <= size)
    if np.all(inside):
        return array[tuple(np.subtract(index, 1) for index in indices)]
    clipped = tuple(np.clip(index, 1, size) - 1 for size, index in zip(array.shape, indices, strict=True))
    return np.where(inside, array[clipped], array.dtype.type(0))


def gather_by_axes(array, vectors, labels, rank):  # type: ignore[no-untyped-def]
    """The array read at vectors of indices, that of axis k along axis labels[k] of the result, or at one place: -1."""
    for label in dict.fromkeys(labels):
        axes = [axis for axis, own in enumerate(labels) if own == label]
        first, sizes = axes[0], [array.shape[axis] for axis in axes]
        steps = [vectors[axis].ravel() - 1 for axis in axes]
        inside = np.logical_and.reduce([(step >= 0) & (step < size) for step, size in zip(steps, sizes, strict=True)])
        place = np.ravel_multi_index(
            [np.clip(step, 0, size - 1) for step, size in zip(steps, sizes, strict=True)], sizes
        )
        if len(axes) > 1:  # several axes along one label become one
            array = np.moveaxis(array, axes, range(first, first + len(axes)))
            array = array.reshape(*array.shape[:first], -1, *array.shape[first + len(axes) :])
            vectors = [vector for axis, vector in enumerate(vectors) if axis not in axes[1:]]
            labels = [own for axis, own in enumerate(labels) if axis not in axes[1:]]
        if place.size != array.shape[first] or (place != np.arange(place.size)).any() or not inside.all():
            array = array.take(place, first)
            if not inside.all():
                array[(slice(None),) * first + (~inside,)] = 0
    order = sorted(range(len(labels)), key=lambda axis: labels[axis])
    array = array.transpose(order)
    shape = [1] * rank
    for axis, size in zip(order, array.shape, strict=True):
        if labels[axis] >= 0:
            shape[labels[axis]] = size
    return array.reshape(shape)


def first_of_few(array, axis, out):  # type: ignore[no-untyped-def]
    """Write where the largest entry stands first along a short axis, counted from 1; what is not a number is the
    largest.
    """
    slices = np.moveaxis(array, axis, 0)
    best, out[...] = slices[0], 1
    for number, entries in enumerate(slices[1:], 2):
        larger = (entries > best) | (entries != entries)
        np.maximum(out, np.multiply(larger, np.int8(number)), out=out)
        if number < len(slices):
            best = np.maximum(best, entries)


def small(integers):  # type: ignore[no-untyped-def]
    """The integers in one byte each if they fit, as comparing them with bytes is fast then."""
    fits = integers.size and -128 <= integers.min() and integers.max() < 128
    return integers.astype(np.int8) if fits else integers


def largest_of_few(array, axis, out):  # type: ignore[no-untyped-def]
    """Write the largest entries along a short axis."""
    slices = np.moveaxis(array, axis, 0)
    np.maximum(slices[0], slices[1] if len(slices) > 1 else slices[0], out=out)
    for entries in slices[2:]:
        np.maximum(out, entries, out=out)


def take(array, *places):  # type: ignore[no-untyped-def]
    """The array at places that count from 1, None keeping an axis; zeros where a place is outside its axis."""
    inside = all(p is None or 1 <= p <= size for p, size in zip(places, array.shape, strict=True))
    at = tuple(slice(None) if p is None else int(p) - 1 if inside else 0 for p in places)
    return array[at] if inside else np.zeros_like(array[at])


def scatter(size, index, values):  # type: ignore[no-untyped-def]
    """The sums of the values into `size` entries that `index` counts from 1; what is outside is left out."""
    index = np.broadcast_to(index, values.shape[: np.ndim(index)])
    result = np.zeros((size, *values.shape[index.ndim :]), dtype=values.dtype)
    inside = (index >= 1) & (index <= size)
    np.add.at(result, index[inside] - 1, values[inside])
    return result


def place(value, labels, pairs, shape):  # type: ignore[no-untyped-def]
    """The value where axes agree in pairs, and 0 elsewhere; its own axes stand at `labels`."""
    result = np.zeros(shape, dtype=value.dtype)
    strides = list(result.strides)
    for first, second in pairs:
        strides[first] += strides[second]
    kept = [k for k in range(len(shape)) if k not in {second for _, second in pairs}]
    view = np.ndarray([shape[k] for k in kept], result.dtype, result, 0, [strides[k] for k in kept])
    moved = np.transpose(value, sorted(range(len(labels)), key=lambda k: labels[k]))
    view[...] = moved[tuple(slice(None) if k in labels else None for k in kept)]
    return result


def exponent(u):  # type: ignore[no-untyped-def]
    """A number, or the largest exponent where it is larger."""
    return np.minimum(u, HIGHEST[u.itemsize])


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
        return AS_IT_IS

    @staticmethod
    def dtype(name: str) -> Any:
        """The dtype of a name."""
        return getattr(np, name)

    @staticmethod
    def run(forward: Any, backward: Any, arrays: Any, sizes: Any, targets: Any = None) -> tuple[Any, Any]:
        """The value and the gradients, those in the arrays `targets` that are written there."""
        value, saved = forward(*arrays, *sizes)
        return value, backward(*saved, targets)

    @staticmethod
    def shapes(arrays: Any, integer: Any, dtype: Any, sizes: Any) -> Any:
        """The shapes of arrays that need no cast, and the sizes given as numbers; None where one needs a cast."""
        kind, found = np.dtype(dtype), []
        for array, whole in zip(arrays, integer, strict=True):
            if type(array) is not np.ndarray:
                return None
            if array.dtype is not kind and not (whole and array.dtype.kind in "iu"):
                return None
            found.append(array.shape)
        if sizes and any(type(size) is not int for size in sizes):
            return None
        return (*found, *sizes)

    @staticmethod
    def release(saved: Any) -> None:
        """Let another call have the arrays of a forward pass that no backward pass follows."""
        work, *_ = saved
        work.give_back()

    @staticmethod
    def named(out: Any, names: Any) -> Any:
        """The arrays of the caller by name, if there are just these."""
        if not hasattr(out, "keys") or len(out) != len(names):
            return None
        try:
            return [out[name] for name in names]
        except KeyError:
            return None

    @staticmethod
    def can_write(targets: Any, models: Any, given: Any) -> bool:
        """Whether gradients may be written into arrays on the way: each is as what it is the gradient by, its model,
        and overlaps no other array.
        """
        for array, model in zip(targets, models, strict=True):
            fits = type(array) is np.ndarray and array.shape == model.shape and array.dtype == model.dtype
            if not fits or not array.flags.carray:
                return False
        everything = [*given, *targets]
        if any(array.base is not None for array in everything):  # views, which may show the same memory
            if any(array.nbytes < LARGE for array in targets):  # looking for it takes longer than copying
                return False
            pairs = ((a, b) for k, a in enumerate(targets) for b in everything[: len(given) + k])
            return not any(np.may_share_memory(a, b) for a, b in pairs)
        return len(set(map(id, everything))) == len(everything)

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
    def fits(target: Any, array: Any) -> bool:
        """Whether an array can be written into another."""
        return isinstance(target, np.ndarray) and target.shape == array.shape and target.dtype == array.dtype

    @staticmethod
    def describe(array: Any) -> str:
        """An array by its type and shape, for a message."""
        known = isinstance(array, np.ndarray)
        return f"{array.dtype} of shape {array.shape}" if known else type(array).__name__

    @staticmethod
    def copy_into(target: Any, array: Any) -> None:
        """Write an array into another."""
        np.copyto(target, array)
