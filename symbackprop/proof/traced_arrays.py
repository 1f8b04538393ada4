"""Arrays of traced numbers: NumPy's own arrays of objects, so that views, masks and updates in place are NumPy's.

They differ from plain arrays of objects: functions such as exp reach each entry, float types are understood as
"a number", what an array says of its type is what one of floats says, and raw memory is not read.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np

from symbackprop.proof.inner_arrays import InnerArray
from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_selections import Selection
from symbackprop.proof.traced_truths import Truth, choose, is_truth
from symbackprop.proof.traced_types import TracedNdarray
from symbackprop.proof.traced_values import Traced


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
            array = kind is TracedNdarray or (isinstance(kind, type) and issubclass(kind, np.ndarray))
            if not array and np.dtype(kind) != np.float64:
                raise TracingStoppedError(f"view({np.dtype(kind)}) reads raw memory, which is not traced")
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
