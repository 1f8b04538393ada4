"""Arrays of traced numbers as NumPy's own functions are handed them, masks of truth values, and the path of either."""

from __future__ import annotations

import functools
import itertools
import operator
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_values import Path, Traced

UNORDERED = "NumPy leaves open in which order np.partition puts the entries of a part"


class ArrayPath(Path):
    """A path whose numbers live in arrays, as the arrays know it."""

    upstreams: list[tuple[Any, tuple[sp.Expr, ...]]]  # as they were made
    handles_errors: bool = False  # whether the code has handlers
    unordered: bool = False  # whether entries stand in an order that NumPy leaves open
    arrivals: dict[str, Any]  # the upstream gradients by their names, with the outputs that they arrive at

    @abstractmethod
    def name_arrival(self, name: str, output: Any) -> str:
        """What the upstream gradient of an output is called: the name, or one like it that nothing else has."""

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
        known = array.precision if self.mixes_types else np.dtype(np.float64)
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

    # NumPy goes on to the next row where a comparison raises, and its places would be an array that says to be traced.
    def argmax(self, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        """Where the first of the largest entries stands."""
        return self._mark_best(axis, operator.gt).argmax(axis, out, keepdims=keepdims)

    def argmin(self, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        """Where the first of the least entries stands."""
        return self._mark_best(axis, operator.lt).argmax(axis, out, keepdims=keepdims)

    def argsort(self, *args: Any, **options: Any) -> Any:
        """The places of the entries in rising order, which are integers."""
        return np.asarray(self).argsort(*args, **options)

    def argpartition(self, kth: Any, axis: Any = -1, *args: Any, **options: Any) -> Any:
        """The places of the entries that are below and above some; within a part NumPy leaves their order open."""
        if self._path.reading.parts_sorted:
            return self.argsort(axis)
        places = np.asarray(self).argpartition(kth, axis, *args, **options)
        if _turn_parts(np.moveaxis(places, -1 if axis is None else axis, -1), kth):
            self._path.unordered = True
            self._path.notes[f"{UNORDERED}; here their places fall."] = None
        return places

    def partition(self, kth: Any, axis: Any = -1, *args: Any, **options: Any) -> None:
        """The entries in the order of these places."""
        plain = np.ndarray.view(self, np.ndarray)
        plain[...] = np.take_along_axis(plain, self.argpartition(kth, axis, *args, **options), axis)

    def _mark_best(self, axis: Any, beats: Callable[[Any, Any], Any]) -> np.ndarray[Any, Any]:
        """True in the place of the first entry along an axis that each one before it is beaten by, and none behind."""
        plain = np.asarray(self)
        marks = np.zeros(plain.shape, bool)
        one, other = (
            (plain.ravel(), marks.reshape(-1))
            if axis is None
            else (np.moveaxis(each, axis, -1) for each in (plain, marks))
        )
        for row in np.ndindex(*one.shape[:-1]) if plain.size else ():
            entries = one[row]
            best = functools.reduce(lambda a, b: b if beats(entries[b], entries[a]) else a, range(len(entries)))
            other[row][best] = True
        return marks

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


def _turn_parts(places: np.ndarray[Any, Any], kth: Any) -> bool:
    """Let the places of each part fall, an order that NumPy's own seldom is; whether a part has several places."""
    count = places.shape[-1]
    pivots = sorted({int(each) % count for each in np.ravel(kth)})
    parts = [slice(before + 1, after) for before, after in itertools.pairwise((-1, *pivots, count))]
    for part in parts:
        places[..., part] = -np.sort(-places[..., part], axis=-1)
    return any(part.stop - part.start > 1 for part in parts)


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
