"""What the traced code sees in the place of `numpy`.

What allocates floats allocates traced numbers; everything else is NumPy's own, on arrays of objects.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp

from symbackprop.proof.module_shims import Forbidden, NamespaceShim, check_silent, is_traced
from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_arrays import CHOOSE, NUMBERS, OpenArray, TracedArray, TruthArray
from symbackprop.proof.traced_linalg import LinalgShim
from symbackprop.proof.traced_paths import TracedPath
from symbackprop.proof.traced_random import numpy_random
from symbackprop.proof.traced_truths import Truth, is_truth
from symbackprop.proof.traced_types import TracedNdarray
from symbackprop.proof.traced_values import Traced
from symbackprop.proof.unwritten import Unwritten

_EMPTY_INTEGERS = "np.empty of integers is not traced, as it holds whatever was there; np.zeros of them is"



class Joined:
    """`np.c_` or `np.r_`: arrays as columns side by side, or one behind the other."""

    def __init__(self, path: TracedPath, columns: bool) -> None:
        self._path, self._columns = path, columns

    def __getitem__(self, parts: Any) -> Any:
        """The arrays joined."""
        listed = parts if isinstance(parts, tuple) else (parts,)
        if not is_traced(list(listed)):
            return self._path.settle(np.c_[parts] if self._columns else np.r_[parts])
        if any(isinstance(part, str | slice) for part in listed):
            raise TracingStoppedError("np.c_ and np.r_ of ranges beside traced arrays are not traced; concatenate them")
        made = [np.atleast_1d(self._path.exact(np.asarray(part))) for part in listed]
        if self._columns:
            made = [each.reshape(-1, 1) if each.ndim == 1 else each for each in made]
        joined = self._path.settle(np.concatenate(made, axis=-1 if self._columns else 0))
        return self._path.keep_types(joined, (np.c_ if self._columns else np.r_).__getitem__, (parts,), {})





class NumpyShim(NamespaceShim):
    """The part of `numpy` that allocates floats, and the rest by its name."""

    def __init__(self, path: TracedPath) -> None:
        super().__init__(path, np)
        self.pi = path.constant(0) + Traced(path, sp.pi)
        self.e = Traced(path, sp.E)
        self.linalg = LinalgShim(path)
        self.random = numpy_random(path)
        self.load = self.save = self.loadtxt = self.savetxt = self.savez = self.genfromtxt = self.fromfile = Forbidden(
            "np.load and its like", "read or write files"
        )
        self.frombuffer = Forbidden("np.frombuffer", "reads raw memory, which is not traced")
        self.vectorize = Forbidden(
            "np.vectorize", "has no trace, as the first result decides on the type of all; write the loop"
        )
        self.ndarray = TracedNdarray
        self.matrix = self.asmatrix = self.bmat = Forbidden(
            "np.matrix", "multiplies matrices by *, which is not traced; arrays and @ are"
        )
        self.ma = Forbidden("np.ma", "keeps masks beside its arrays, which is not traced; np.where and masks are")
        self.c_, self.r_ = Joined(path, columns=True), Joined(path, columns=False)

    def full(self, shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", **_: Any) -> Any:
        """A new array of one number or broadcast numbers."""
        if self._path.is_exact_type(dtype) or (dtype is None and np.asarray(fill_value).dtype.kind in "biu"):
            return np.full(shape, fill_value, dtype, order)
        made = self._path.fill(np.empty(shape, object, order), fill_value, dtype)
        return made if dtype is not None else self._path.keep_types(made, np.full, (shape, fill_value), {})

    def zeros(self, shape: Any, dtype: Any = None, order: Any = "C", **_: Any) -> Any:
        """Zeros."""
        return self.full(shape, 0 if self._path.is_exact_type(dtype) else self._path.zero, dtype or float, order)

    def empty(self, shape: Any, dtype: Any = None, order: Any = "C", **_: Any) -> Any:
        """Entries that nothing was written to."""
        if self._path.is_exact_type(dtype):
            raise TracingStoppedError(_EMPTY_INTEGERS)
        return self.full(shape, Unwritten(self._path), dtype or float, order)

    def ones(self, shape: Any, dtype: Any = None, order: Any = "C", **_: Any) -> Any:
        """Ones."""
        return self.full(shape, 1 if self._path.is_exact_type(dtype) else self._path.one, dtype or float, order)

    def _like(
        self, value: Any, other: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None
    ) -> Any:
        known = isinstance(other, OpenArray)
        plain = np.zeros(other.shape, other.dtype) if known else np.asarray(other)
        exact = self._path.is_exact_type(dtype) or (dtype is None and plain.dtype.kind in "biu")
        kind: Any = (plain.dtype if dtype is None else dtype) if exact else object
        made = np.empty_like(plain, kind, order, False, shape)
        if exact:
            if isinstance(value, Unwritten):
                raise TracingStoppedError(_EMPTY_INTEGERS)
            made[...] = value.expression if isinstance(value, Traced) else value
            return made
        return self._path.fill(made, value, getattr(other, "precision", None) if dtype is None else dtype)

    def zeros_like(self, other: Any, *args: Any, **options: Any) -> Any:
        """Zeros in the shape of another array, and in its layout."""
        return self._like(self._path.zero, other, *args, **options)

    def empty_like(self, other: Any, *args: Any, **options: Any) -> Any:
        """Entries that nothing was written to, in the shape of another array."""
        return self._like(Unwritten(self._path), other, *args, **options)

    def ones_like(self, other: Any, *args: Any, **options: Any) -> Any:
        """Ones in the shape of another array."""
        return self._like(self._path.one, other, *args, **options)

    def full_like(self, other: Any, fill_value: Any, *args: Any, **options: Any) -> Any:
        """One number in the shape of another array."""
        return self._like(fill_value, other, *args, **options)

    def eye(self, *args: Any, dtype: Any = None, **options: Any) -> Any:
        """The identity matrix."""
        made = np.eye(*args, **options)
        return made.astype(dtype) if self._path.is_exact_type(dtype) else self._path.settle(made)

    identity = eye

    def array(
        self, value: Any, dtype: Any = None, copy: Any = True, order: Any = "K", ndmin: int = 0, **_: Any
    ) -> Any:
        """A new array; the same one where no copy is asked for, and none needed for another type or layout."""
        if isinstance(value, OpenArray):
            return value.astype(value.dtype if dtype is None else dtype, copy=copy is True)
        traced = isinstance(value, TracedArray)
        casts = traced and self._path.casts(value, dtype)
        if self._path.is_exact_type(dtype):
            return np.array(value, dtype)
        if traced and copy is not True and not casts:
            made = np.array(value, copy=None, order=order, subok=True)
            return value if np.shares_memory(made, value) else self._path.settle(made)
        made = np.array(value, ndmin=ndmin, order=order)
        wants_floats = dtype is not None and made.dtype.kind in "biu"
        precision = dtype if dtype is not None else value.precision if traced else None
        kept = self._keep(self._path.exact(made) if wants_floats else made, precision)
        return kept if dtype is not None else self._path.keep_types(kept, np.array, (value,), {"ndmin": ndmin})

    def asarray(self, value: Any, dtype: Any = None, order: Any = "K", **_: Any) -> Any:
        """The same array, where it is one of that type and layout."""
        return self.array(value, dtype, None, order)

    asanyarray = asarray

    def ascontiguousarray(self, value: Any, dtype: Any = None, **_: Any) -> Any:
        """The same array, where its entries lie in a row."""
        return self.array(value, dtype, None, "C")

    def copy(self, value: Any, **_: Any) -> Any:
        """A copy."""
        return self.array(value)

    def _keep(self, made: Any, precision: Any) -> Any:
        """The array, as one even if it has no axes."""
        exact = made.dtype.kind in "biuSU"
        if made.dtype.kind == "O" and any(isinstance(each, Truth) for each in made.flat):
            return self._path.settle(made if all(map(is_truth, made.flat)) else NUMBERS(made))
        return made if exact else self._path.fill(np.empty_like(made, dtype=object), made, precision)

    def where(self, condition: Any, *choices: Any) -> Any:
        """One or the other, entry by entry; or the places where a mask holds."""
        if len(choices) == 2 and isinstance(condition, TruthArray | Truth):
            raw = [self._path.exact(np.asarray(each)) if not is_traced(each) else each for each in choices]
            plain = [np.asarray(each, dtype=object) for each in (condition, *raw)]
            return self._path.keep_types(self._path.settle(CHOOSE(*plain)), np.where, (condition, *choices), {})
        return self.wrap(np.where)(condition, *choices)

    def einsum(self, *operands: Any, out: Any = None, dtype: Any = None, optimize: Any = False, **_: Any) -> Any:
        """Einstein sums; objects are never handed to BLAS, and truth values alone stay such, unless a type is named."""
        plain = [np.asarray(o) if isinstance(o, np.ndarray | Traced) else o for o in operands]
        arrays = [o for o in plain if isinstance(o, np.ndarray)]
        if self._path.is_exact_type(dtype) or (dtype is None and all(o.dtype.kind in "biu" for o in arrays)):
            return self._path.deliver(np.einsum(*plain, dtype=dtype, optimize=optimize), out)
        if dtype is not None and len(arrays) == 1 and np.shares_memory(np.einsum(*plain), arrays[0]):
            raise TracingStoppedError("np.einsum shows integers that a type of floats was asked for")
        exact = [self._path.exact(o) if isinstance(o, np.ndarray) and o.dtype.kind in "fbiu" else o for o in plain]
        made = self._path.deliver(np.einsum(*exact, optimize=optimize), out)
        return self._path.keep_types(made, np.einsum, operands, {"dtype": dtype}) if out is None else made

    def bincount(self, x: Any, weights: Any = None, minlength: int = 0) -> Any:
        """How often each integer occurs, or the sum of the weights that stand where it does."""
        if weights is None:
            return np.bincount(x, minlength=minlength)
        places = np.asarray(x)
        made = self.zeros(len(np.bincount(places, minlength=minlength)))
        np.add.at(made, places, self.asarray(weights, dtype=float))
        return made

    def isclose(self, *_: Any, **__: Any) -> Any:
        """Not traced: it compares to a tolerance."""
        raise TracingStoppedError("np.isclose and np.allclose compare to a tolerance")

    allclose = isclose

    def mean(self, a: Any, *args: Any, **options: Any) -> Any:
        """The mean of exact numbers."""
        return self._moment("mean", a, args, options)

    def var(self, a: Any, *args: Any, **options: Any) -> Any:
        """The variance of exact numbers."""
        return self._moment("var", a, args, options)

    def std(self, a: Any, *args: Any, **options: Any) -> Any:
        """The standard deviation of exact numbers."""
        return self._moment("std", a, args, options)

    nanmean, nanvar, nanstd = mean, var, std  # what is traced is no NaN

    def _moment(self, name: str, a: Any, args: Any, options: Any) -> Any:
        made = np.asarray(a)
        values = self._path.settle(made if made.ndim and made.dtype.kind == "O" else self._path.exact(made).reshape(-1))
        if not made.ndim:
            args, options = (), {}
        elif made.dtype.kind != "O":
            values = values.reshape(made.shape)
        return getattr(values, name)(*args, **options)

    def isscalar(self, element: Any) -> bool:
        """Whether it is one number."""
        return isinstance(element, Traced) or np.isscalar(element)

    def result_type(self, *operands: Any) -> Any:
        """The type that an operation on some operands gives."""
        return np.result_type(*(each.dtype if is_traced(each) else each for each in operands))

    def can_cast(self, given: Any, *args: Any, **options: Any) -> bool:
        """Whether one type goes into another."""
        return np.can_cast(given.dtype if is_traced(given) else given, *args, **options)


    def errstate(self, **options: Any) -> Any:
        """What floats do in silence, they do so here; errors in place of NaN and infinities are not traced."""
        check_silent("np.errstate", options.values())
        return np.errstate(**options)

    def seterr(self, *args: Any, **options: Any) -> Any:
        """The same, to the end of the process, which tracing leaves as it is."""
        check_silent("np.seterr", (*args, *options.values()))
        return np.geterr()
