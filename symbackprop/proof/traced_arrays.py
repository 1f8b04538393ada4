"""Arrays of traced numbers: NumPy's own arrays of objects, so that views, masks and updates in place are NumPy's.

They differ from plain arrays of objects: functions such as exp reach each entry, float types are understood as
"a number", what an array says of its type is what one of floats says, and raw memory is not read.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import FunctionType
from typing import Any

import numpy as np
import sympy as sp

from symbackprop.proof.path_signs import TracingStoppedError
from symbackprop.proof.traced_selections import Selection
from symbackprop.proof.traced_truths import Truth, choose, is_truth
from symbackprop.proof.traced_values import Path, Traced


class ArrayPath(Path):
    """A path whose numbers live in arrays, as the arrays know it."""

    upstreams: list[tuple[Any, tuple[sp.Expr, ...]]]  # as they were made

    @abstractmethod
    def variables(self, name: str, shape: tuple[int, ...]) -> Any:
        """An array of variables name[0,1], or one variable."""

    @abstractmethod
    def settle(self, value: Any) -> Any:
        """A result of NumPy as the traced code goes on with it: floats exact, arrays of objects traced."""

    @abstractmethod
    def deliver(self, value: Any, out: Any) -> Any:
        """A result, in the array that it is asked to go to, if any."""

    @abstractmethod
    def exact(self, value: np.ndarray[Any, Any]) -> Any:
        """Plain numbers as traced ones, in a plain array."""

    @abstractmethod
    def keep_types(self, made: Any, function: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        """What a function made of some arguments, as integers or truth values where NumPy has such."""

    @abstractmethod
    def hold_integers(self, values: Any) -> Any:
        """Integers that open comparisons choose, in an array."""

    def casts(self, array: InnerArray, dtype: Any) -> bool:
        """Whether an array of floats is made one of another type of floats, which copies it."""
        if dtype is None:
            return False
        known = array.precision if self._other_types else np.dtype(np.float64)
        if known is None:
            raise TracingStoppedError("the code mixes types of numbers, and whether a cast copies is not traced")
        return bool(np.dtype(dtype) != known)

    @staticmethod
    def boxed(value: Traced) -> np.ndarray[Any, Any]:
        """A traced number as an array without axes."""
        made = np.empty((), dtype=object)
        made[()] = value
        return made


class InnerArray(np.ndarray[Any, Any]):
    """An array of objects that are traced numbers, as NumPy's own functions are handed it."""

    __array_priority__ = 1.0  # so that methods of plain arrays give such arrays too
    path: ArrayPath | None = None
    precision: np.dtype[Any] | None = None
    """The type of floats that the code made of it, where it did."""

    def __array_finalize__(self, source: Any) -> None:
        """Views and copies belong to the path of their source, and have its type."""
        self.path, self.precision = getattr(source, "path", None), getattr(source, "precision", None)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's functions reach each entry."""
        return find_path((*inputs, options.get("out", ()))).apply_ufunc(ufunc, method, inputs, options)

    def astype(self, dtype: Any, order: Any = "K", *_: Any, copy: Any = True, **__: Any) -> Any:
        """A copy where a float type is asked for; true where it is not zero for bool; cut to integers for int."""
        copies = copy or self._path.casts(self, dtype)
        if self._path.is_exact_type(dtype):
            return np.asarray(self).astype(dtype)
        made = self.copy(order) if copies else self
        made.precision = np.dtype(dtype)
        return made

    # NumPy's own read the type of an entry, which is no float.
    def mean(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **options: Any) -> Any:
        """The sum over the number of entries."""
        self._refuse_integers(dtype)
        total, count = self._count(axis, keepdims, options.get("where", True))
        return self._path.deliver(total / count, out)

    def var(
        self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False, **options: Any
    ) -> Any:
        """The mean square of what is left without the mean."""
        self._refuse_integers(dtype)
        where = options.get("where", True)
        middle = options.get("mean")
        left = self._path.settle(self) - (self.mean(axis, keepdims=True, where=where) if middle is None else middle)
        total, count = (left * left)._count(axis, keepdims, where)
        return self._path.deliver(total / (count - options.get("correction", ddof)), out)

    def std(self, *args: Any, out: Any = None, **options: Any) -> Any:
        """The root of the variance."""
        return self._path.deliver(np.sqrt(self.var(*args, **options)), out)

    def _refuse_integers(self, dtype: Any) -> None:
        if self._path.is_exact_type(dtype):
            raise TracingStoppedError("a mean is to be computed in integers, which is not traced")

    def _count(self, axis: Any, keepdims: Any, where: Any) -> tuple[Any, Any]:
        """The sum of the entries that a mask keeps, and their number."""
        count = np.sum(np.broadcast_to(where, self.shape), axis=axis, keepdims=keepdims)
        kept = self if where is True else np.where(where, np.asarray(self), self._path.boxed(self._path.zero))
        return np.sum(self._path.settle(kept), axis=axis, keepdims=keepdims), count

    @property
    def _path(self) -> ArrayPath:
        return self.path if self.path is not None else find_path(self.flat)


class TracedArray(InnerArray):
    """An array of traced numbers as the person's code holds it: it says of itself what an array of floats says."""

    @property
    def dtype(self) -> Any:
        """That of floats."""
        return self._path.float_type()

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        """NumPy's functions see the objects."""
        made = super().__array_function__(function, (), inner(args), inner(options))
        return self._path.keep_types(self._path.settle(made), function, args, options)

    def __getitem__(self, key: Any) -> Any:
        """Entries; those that an open mask selects stay as open as the mask."""
        if isinstance(key, TruthArray) and key.shape == self.shape[: key.ndim]:
            return Selection(self, key)
        return super().__getitem__(told(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        """Entries changed; a mask that one number goes to, or what it has selected, chooses entry by entry."""
        if isinstance(value, Selection):
            if isinstance(key, TruthArray) and value.has_mask(key) and key.shape == self.shape[: key.ndim]:
                value.put_into(np.ndarray.view(self, np.ndarray))
                return
            value = value.told()
        value = self._as_entries(value)
        if isinstance(key, TruthArray) and np.ndim(value) == 0 and key.shape == self.shape[: key.ndim]:
            plain = np.ndarray.view(self, np.ndarray)
            mask = np.ndarray.view(key, np.ndarray).reshape(key.shape + (1,) * (self.ndim - key.ndim))
            plain[...] = CHOOSE(mask, self._path.boxed(value), plain)
            return
        super().__setitem__(told(key), value)

    def _inner(self) -> InnerArray:
        """The same memory, as NumPy's own functions are handed it."""
        return np.ndarray.view(self, InnerArray)

    def _as_entries(self, value: Any) -> Any:
        """What is written, as numbers of this array's type, whatever type they had."""
        if isinstance(value, TruthArray | Truth):
            return NUMBERS(np.ndarray.view(value, np.ndarray) if isinstance(value, TruthArray) else value)
        if isinstance(value, Traced | InnerArray):
            return value
        plain = np.asarray(value)
        return NUMBERS(self._path.exact(plain)) if plain.dtype.kind in "biufO" else value

    @property
    def flat(self) -> Any:
        """Its entries in a row, to be read and written like those of the array."""
        return _Flat(self)

    @flat.setter
    def flat(self, value: Any) -> None:
        self.flat[:] = value

    def fill(self, value: Any) -> None:
        """Every entry changed to one number."""
        self[...] = value

    def view(self, *kinds: Any, **named: Any) -> Any:
        """The same memory, which holds no bytes of floats."""
        for kind in (*kinds, *named.values()):
            if not (isinstance(kind, type) and issubclass(kind, np.ndarray)) and np.dtype(kind) != np.float64:
                raise TracingStoppedError(f"view({kind!r}) reads raw memory, which is not traced")
        return super().view()

    def item(self, *place: Any) -> Any:
        """An entry as a float of Python."""
        return _as_float(super().item(*place))

    def tolist(self) -> Any:
        """The entries as floats of Python, in lists."""
        return _as_float(super().tolist())

    def conj(self) -> Any:
        """Itself: it is real."""
        return self

    conjugate = conj

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise TracingStoppedError("raw memory is read, which is not traced: a symbol has no bytes")

    tobytes = tostring = tofile = dump = dumps = byteswap = getfield = setfield = __reduce__ = __reduce_ex__ = _refuse
    data = ctypes = __array_interface__ = __array_struct__ = property(_refuse)


class _Flat:
    """The entries of an array in row-major order."""

    def __init__(self, array: TracedArray) -> None:
        self._array, self._plain = array, np.ndarray.view(array, np.ndarray).flat

    def __getitem__(self, key: Any) -> Any:
        return self._array._path.settle(self._plain[told(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._plain[told(key)] = self._array._as_entries(value)

    def __iter__(self) -> Any:
        return iter(self._plain)

    def __len__(self) -> int:
        return len(self._plain)

    def __array__(self, *_: Any, **__: Any) -> Any:
        return np.asarray(self._plain)


def _through(name: str) -> Any:
    """The method of an array that NumPy's function of that name is: its types are known."""
    function = getattr(np, name)
    return lambda self, *args, **options: function(self, *args, **options)


class OpenArray(TracedArray):
    """Integers or truth values that are open: objects to NumPy, which holds them as neither."""

    def _inner(self) -> InnerArray:
        """Only to be read: NumPy's functions would write whatever they are given, and as it is."""
        made = super()._inner()
        made.flags.writeable = False
        return made

    def _refuse_writing(self, *_: Any, **__: Any) -> Any:
        raise TracingStoppedError("a method writes into what open comparisons choose")

    put = sort = partition = resize = _refuse_writing

    def setflags(self, write: Any = None, align: Any = None, uic: Any = None) -> None:
        """What may only be read stays so."""
        if write:
            self._refuse_writing()
        super().setflags(write=write, align=align, uic=uic)

    choose, compress, cumprod, cumsum, diagonal, dot, prod, repeat, round, take, trace = map(_through, (
        "choose", "compress", "cumprod", "cumsum", "diagonal", "dot", "prod", "repeat", "round", "take", "trace",
    ))  # fmt: skip


class TruthArray(OpenArray):
    """Truth values that are open, as the person's code holds them; a mask of plain ones is made where one is needed."""

    @property
    def dtype(self) -> Any:
        """That of truth values."""
        return np.dtype(np.bool_)

    def astype(self, dtype: Any, *_: Any, copy: Any = True, **__: Any) -> Any:
        """Itself for bool, else 0 and 1: numbers, or integers; those of small types, which overflow, are told."""
        kind = np.dtype(float if dtype is None else dtype)
        if kind == np.bool_:
            return self.copy() if copy else self
        if kind.kind in "iu" and kind != np.int64:
            return self.told.astype(kind)
        if kind.kind in "iu":
            return self._path.hold_integers(self)
        return self._path.settle(NUMBERS(np.ndarray.view(self, np.ndarray)))

    def _as_entries(self, value: Any) -> Any:
        """Other truth values, and nothing else."""
        if not self.flags.writeable:
            raise TracingStoppedError("a function of NumPy shows open truth values, which are written into")
        if not (isinstance(value, TruthArray) or is_truth(value) or np.asarray(value).dtype.kind == "b"):
            raise TracingStoppedError("numbers are written into truth values")
        return value

    @property
    def told(self) -> Any:
        """The mask on this path, which is recorded."""
        return np.ndarray.view(self, np.ndarray).astype(bool)

    def _no_bytes(self) -> Any:
        raise TracingStoppedError("the bytes of truth values are not traced")

    itemsize = nbytes = strides = property(_no_bytes)


class OpenIntegers(OpenArray):
    """Integers that open truth values choose; nothing is written into them, as NumPy would cut it."""

    @property
    def dtype(self) -> Any:
        """That of integers."""
        return np.dtype(np.int64)

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        """A copy, of numbers where a float type is asked for."""
        kind = np.dtype(float if dtype is None else dtype)
        if kind.kind in "biu" and kind != np.int64:
            raise TracingStoppedError(f"integers that open comparisons choose are cast to {kind}")
        return self._path.hold_integers(self) if kind.kind in "iu" else self._path.settle(np.array(self))

    def _refuse_numbers(self, *_: Any, **__: Any) -> Any:
        raise TracingStoppedError("integers that open comparisons choose are made integers of Python")

    item = tolist = _refuse_numbers

    def _as_entries(self, value: Any) -> Any:
        """Nothing: NumPy would cut it."""
        raise TracingStoppedError("something is written into integers that open comparisons choose")


def told(key: Any) -> Any:
    """An index with plain truth values in the place of open ones."""
    if isinstance(key, TruthArray):
        return key.told
    if isinstance(key, Truth):
        return bool(key)
    return tuple(map(told, key)) if type(key) is tuple else key


def _number_of(value: Any) -> Any:
    return value.number() if isinstance(value, Truth) else int(value) if isinstance(value, bool | np.bool_) else value


NUMBERS = np.frompyfunc(_number_of, 1, 1)
CHOOSE = np.frompyfunc(choose, 3, 1)


def _as_float(value: Any) -> Any:
    """An entry, or lists of them, as NumPy hands them to Python."""
    if type(value) is list:
        return [_as_float(each) for each in value]
    return value.item() if type(value) is Traced else value


def inner(value: Any) -> Any:
    """Arguments as NumPy's own functions are handed them."""
    if isinstance(value, TracedArray):
        return value._inner()
    if type(value) in (list, tuple):
        return type(value)(map(inner, value))
    if type(value) is dict:
        return {key: inner(each) for key, each in value.items()}
    if isinstance(value, FunctionType):
        return lambda *args, **options: inner(value(*map(outer, args), **options))
    return value


def outer(value: Any) -> Any:
    """The other way: what NumPy hands to a function of the person."""
    return value._path.settle(value) if isinstance(value, InnerArray) else value


def kind_of(value: np.ndarray[Any, Any]) -> str:
    """The kind of what an array holds, whatever it says of itself."""
    return "O" if isinstance(value, InnerArray) else value.dtype.kind


class TracedMask(np.ndarray[Any, Any]):
    """Truth values that comparisons gave; as numbers they become traced ones, which updates in place may fill."""

    path: ArrayPath | None = None

    def __array_finalize__(self, source: Any) -> None:
        """Views and copies belong to the path of their source."""
        self.path = getattr(source, "path", None)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's own functions; floats that come out are made exact."""
        path = find_path((*inputs, options.get("out", ())))
        if any(isinstance(each, InnerArray | Traced) for each in (*inputs, *options.get("out", ()))):
            return path.apply_ufunc(ufunc, method, inputs, options)
        plain = [np.asarray(each) if isinstance(each, TracedMask) else each for each in inputs]
        if "out" in options:
            options["out"] = tuple(np.asarray(each) for each in options["out"])
        return path.settle(getattr(ufunc, method)(*plain, **options))

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        """Traced numbers where a float type is asked for."""
        if self.path is None or self.path.is_exact_type(dtype):
            return np.asarray(self).astype(dtype)
        return self.path.settle(self.path.exact(np.asarray(self)))


def find_path(values: Any) -> ArrayPath:
    """The path that some operands belong to."""
    for value in values:
        if isinstance(value, InnerArray | TracedMask) and value.path is not None:
            return value.path
        if isinstance(value, Traced) and isinstance(value.path, ArrayPath):
            return value.path
        if isinstance(value, list | tuple):
            try:
                return find_path(value)
            except TracingStoppedError:
                continue
        if isinstance(value, np.ndarray) and value.dtype.kind == "O":
            for entry in value.flat:
                if isinstance(entry, Traced) and isinstance(entry.path, ArrayPath):
                    return entry.path
    raise TracingStoppedError("nothing traced takes part")


def entry_name(name: str, place: tuple[int, ...]) -> str:
    """The name of an entry, counted from 0 as in the code."""
    return f"{name}[{','.join(map(str, place))}]" if place else name


def entry_symbol(name: str, place: tuple[int, ...]) -> sp.Symbol:
    """The symbol that an entry of an input or of the upstream gradient is traced as."""
    return sp.Symbol(entry_name(name, place))
