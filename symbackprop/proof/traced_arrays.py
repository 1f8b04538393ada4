"""Arrays of traced numbers: NumPy's own arrays of objects, so that views, masks and updates in place are NumPy's.

They differ from plain arrays of objects: functions such as exp reach each entry, float types are understood as
"a number", what an array says of its type is what one of floats says, and raw memory is not read.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import FunctionType
from typing import Any

import numpy as np
import sympy as sp

from symbackprop.proof.path_signs import NO_TRACE, Reading, TracingStoppedError
from symbackprop.proof.traced_needs import join_needs
from symbackprop.proof.traced_operations import FINITE, FUNCTIONS, NATIVE, NEUTRAL, OPERATIONS, TRUTH
from symbackprop.proof.traced_selections import Selection
from symbackprop.proof.traced_truths import TRUTH_OPERATIONS, Truth, choose, is_truth
from symbackprop.proof.traced_values import Path, Traced, Unwritten, is_infinite


class TracedPath(Path):
    """A path whose numbers live in arrays."""

    def __init__(
        self, point: Mapping[str, Fraction], draw: Callable[[str], Fraction], deadline: float, reading: Reading
    ) -> None:
        super().__init__(point, draw, deadline, reading)
        self.upstreams: list[tuple[Any, tuple[sp.Expr, ...]]] = []  # as they were made

    def truth(self, expression: sp.Expr) -> Any:
        """A truth value, open unless it is known."""
        return bool(expression) if expression.is_Integer else Truth(self, expression)

    def apply_ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        """An elementwise function, or its reduction, on arrays of objects."""
        self.check_time()
        if ufunc is np.divmod and method == "__call__":
            return tuple(self.apply_ufunc(each, method, inputs, options) for each in (np.floor_divide, np.remainder))
        name = ufunc.__name__
        options = {key: value for key, value in options.items() if key not in ("subok", "order")}
        casting = options.pop("casting", "same_kind")
        if not self.is_exact_type(options.get("dtype")):
            options.pop("dtype", None)
        out = options.pop("out", None)
        targets = tuple(out) if isinstance(out, tuple) else () if out is None else (out,)
        if any(isinstance(target, np.ndarray) and kind_of(target) == "f" for target in targets):
            raise TracingStoppedError("a traced number is written into an array of plain floats")
        if any(isinstance(each, TruthArray) for each in targets) and name not in TRUTH_OPERATIONS:
            raise TracingStoppedError(f"np.{name} writes numbers into truth values")
        at = method == "at"
        raw = [self._raw(value, keep=at and place in (0, 1)) for place, value in enumerate(inputs)]
        if method in ("reduce", "accumulate") and name == "add" and isinstance(inputs[0], TruthArray):
            raw[0] = _NUMBERS(raw[0])
        if "where" in options:
            options["where"] = np.asarray(self._plain(options["where"]), dtype=bool)
        operation = self._operation(name)
        if method == "__call__" and operation is not None:
            return self._each(np.frompyfunc(operation, ufunc.nin, 1), name, raw, options, targets, casting)
        if name not in NATIVE and operation is None and not name.endswith(" (vectorized)"):
            module = "np" if hasattr(np, name) else "scipy.special"
            raise TracingStoppedError(f"{module}.{name} has no trace; {NO_TRACE}")
        if name not in NATIVE and operation is not None:
            ufunc = np.frompyfunc(operation, ufunc.nin, 1)
        if method == "reduce" and "where" in options:
            raw[0] = self._without(ufunc, raw[0], options.pop("where"))
        plain = method == "reduce" and any(options.get("initial") is each for each in (None, np._NoValue))
        if plain and name in ("maximum", "fmax") and (self.reading.maxima_free or self.reading.comparisons_open):
            return self._largest(raw[0], options, out)
        for target in targets:
            self._check_cast(name, target, casting)
        if targets:
            options["out"] = tuple(self._plain(target) for target in targets)
        result = getattr(ufunc, method)(*raw, **options)
        if targets:
            return targets[0] if len(targets) == 1 else targets
        return self.settle(result)

    def _each(
        self, function: np.ufunc, name: str, raw: list[Any], options: dict[str, Any], targets: Any, casting: str
    ) -> Any:
        """A function of the entries; all are computed before one is written, as NumPy does where memory overlaps."""
        where = options.pop("where", None)
        result = function(*raw, **options) if where is None else self._chosen(function, raw, where)
        if targets:
            if name not in FINITE:
                self._check_cast(name, targets[0], casting)
            np.copyto(self._plain(targets[0]), result, where=True if where is None else where, casting="unsafe")
            return targets[0]
        if name in FINITE:
            return self.settle(np.asarray(result, dtype=bool)) if np.ndim(result) else bool(result)
        return self.settle(result)

    def _chosen(self, function: np.ufunc, raw: list[Any], where: Any) -> Any:
        """The function where a mask is true; elsewhere nothing is written."""
        made = np.empty(np.broadcast_shapes(where.shape, *(np.shape(each) for each in raw)), dtype=object)
        made[...] = Unwritten(self)
        operands = [np.broadcast_to(each, made.shape) for each in raw]
        mask = np.broadcast_to(where, made.shape)
        for place in np.ndindex(*made.shape):
            if mask[place]:
                made[place] = function(*(each[place] for each in operands))
        return made

    def _largest(self, values: Any, options: Mapping[str, Any], out: Any) -> Any:
        """The maximum over some axes, none of its entries asked whether it is the one."""
        axis = options.get("axis", 0)
        chosen = range(values.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = sorted(each % values.ndim for each in chosen)
        kept = [k for k in range(values.ndim) if k not in axes]
        rows = values.transpose(*kept, *axes).reshape([values.shape[k] for k in kept] + [-1])
        made = np.empty(rows.shape[:-1], dtype=object)
        for place in np.ndindex(*made.shape):
            made[place] = self._largest_of(list(map(self.constant, rows[place])))
        return self.deliver(np.expand_dims(made, tuple(axes)) if options.get("keepdims") else made, out)

    def _largest_of(self, entries: list[Traced]) -> Traced:
        """The largest of some numbers: free or open, unless they are plain ones."""
        finite = [each for each in entries if each.expression != -sp.oo]
        if len(finite) < 2 or all(each.expression.is_number for each in finite) or any(map(_is_unknown, finite)):
            return functools.reduce(lambda a, b: a if a >= b else b, entries)
        needs = functools.reduce(join_needs, (each.needs for each in finite))
        if not self.reading.maxima_free:
            chosen = self.largest([each.expression for each in finite])
            return functools.reduce(OPERATIONS["maximum"], finite) if chosen is None else Traced(self, chosen, needs)
        self.maxima_met = True
        return Traced(self, self.cuts.largest(each.expression for each in finite), needs)

    def _without(self, ufunc: np.ufunc, values: Any, where: Any) -> Any:
        """The operand of a reduction with what changes nothing in the place of entries that do not count."""
        neutral = NEUTRAL.get(ufunc.__name__)
        if neutral is None:
            raise TracingStoppedError(f"np.{ufunc.__name__}.reduce with where= has no trace")
        return np.where(where, values, self.boxed(Traced(self, neutral)))

    @staticmethod
    def _check_cast(name: str, target: Any, casting: str) -> None:
        """Floats go into integers only where the code says so."""
        exact = isinstance(target, np.ndarray) and kind_of(target) in "biu" and name not in TRUTH
        if exact and casting != "unsafe":
            raise TracingStoppedError(
                f"NumPy raises UFuncTypeError for this line: np.{name} gives floats, which do not go into an array of "
                f"{target.dtype}"
            )

    def deliver(self, value: Any, out: Any) -> Any:
        """A result, in the array that it is asked to go to, if any."""
        if out is None:
            return self.settle(value)
        self._plain(out)[...] = value
        return out

    def _operation(self, name: str) -> Callable[..., Any] | None:
        """What a function does to the entries, if NumPy cannot do it on objects."""
        if name in FINITE:
            finite = FINITE[name]
            return lambda a: finite if not is_infinite(self.constant(a).expression) else name == "isinf"
        if name in FUNCTIONS:
            function = FUNCTIONS[name]
            return lambda a: self.constant(a).apply(function)
        if name in OPERATIONS:
            operation = OPERATIONS[name]
            return lambda *a: operation(*map(self.constant, a))
        if self.reading.comparisons_open:
            return TRUTH_OPERATIONS.get(name)
        return None

    def function(self, name: str, value: Any) -> Any:
        """A function of one number by its NumPy name."""
        return self.constant(value).apply(FUNCTIONS[name])

    @staticmethod
    def _plain(value: Any) -> Any:
        return np.ndarray.view(value, np.ndarray) if isinstance(value, InnerArray | TracedMask) else value

    def _raw(self, value: Any, keep: bool = False) -> Any:
        """An operand as a plain array, floats made exact."""
        if isinstance(value, list | tuple) and not keep:
            value = np.asarray(value)
        if isinstance(value, Traced | float | np.floating):
            return self.boxed(self.constant(value))
        if isinstance(value, np.ndarray) and kind_of(value) == "f":
            if keep:
                raise TracingStoppedError("a traced number is written into an array of plain floats")
            return self.exact(value)
        return self._plain(value)

    @staticmethod
    def boxed(value: Traced) -> np.ndarray[Any, Any]:
        """A traced number as an array without axes."""
        made = np.empty((), dtype=object)
        made[()] = value
        return made

    def exact(self, value: np.ndarray[Any, Any]) -> Any:
        """Plain numbers as traced ones, in a plain array."""
        made = np.empty(value.shape, dtype=object)
        for place in np.ndindex(*value.shape):
            made[place] = self.constant(value[place])
        return made

    def settle(self, value: Any) -> Any:
        """A result of NumPy as the traced code goes on with it: floats exact, arrays of objects traced."""
        if isinstance(value, np.ndarray):
            if isinstance(value, TracedArray):
                return value if value.ndim else value.item()
            if value.dtype.kind == "f":
                value = self.exact(value)
            if value.dtype.kind == "b" and value.ndim:
                mask = value.view(TracedMask)
                mask.path = self
                return mask
            if value.dtype.kind != "O":
                return value
            if value.ndim == 0:
                return value.item()
            if self.reading.comparisons_open and value.size and all(map(is_truth, value.flat)):
                if not any(isinstance(each, Truth) for each in value.flat):
                    return self.settle(value.astype(bool))
                traced: Any = value.view(TruthArray)
            else:
                traced = value.view(TracedArray)
            traced.path = self
            return traced
        if isinstance(value, np.floating):
            return self.constant(value)
        if type(value) in (list, tuple):
            return type(value)(self.settle(each) for each in value)
        return value

    def filled(self, shape: Any, value: Any) -> Any:
        """A new array of one number."""
        made = np.empty(shape, dtype=object)
        made[...] = self._raw(value)
        if made.ndim:
            return self.settle(made)
        array = made.view(TracedArray)
        array.path = self
        return array

    def variables(self, name: str, shape: tuple[int, ...]) -> Any:
        """An array of variables name[0,1], or one variable."""
        made = np.empty(shape, dtype=object)
        for place in np.ndindex(*shape):
            made[place] = self.symbol(entry_name(name, place))
        return self.settle(made)


def _is_unknown(value: Traced) -> bool:
    return isinstance(value, Unwritten) or is_infinite(value.expression)


class InnerArray(np.ndarray[Any, Any]):
    """An array of objects that are traced numbers, as NumPy's own functions are handed it."""

    path: TracedPath | None = None

    def __array_finalize__(self, source: Any) -> None:
        """Views and copies belong to the path of their source."""
        self.path = getattr(source, "path", None)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's functions reach each entry."""
        return find_path((*inputs, options.get("out", ()))).apply_ufunc(ufunc, method, inputs, options)

    def astype(self, dtype: Any, *_: Any, copy: Any = True, **__: Any) -> Any:
        """A copy where a float type is asked for; true where it is not zero for bool; cut to integers for int."""
        if not self._path.is_exact_type(dtype):
            return self.copy() if copy else self
        return np.asarray(self).astype(dtype)

    # NumPy's own read the type of an entry, which is no float.
    def mean(self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **options: Any) -> Any:
        """The sum over the number of entries."""
        total, count = self._count(axis, keepdims, options.get("where", True))
        return self._path.deliver(total / count, out)

    def var(
        self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False, **options: Any
    ) -> Any:
        """The mean square of what is left without the mean."""
        where = options.get("where", True)
        middle = options.get("mean")
        left = self._path.settle(self) - (self.mean(axis, keepdims=True, where=where) if middle is None else middle)
        total, count = (left * left)._count(axis, keepdims, where)
        return self._path.deliver(total / (count - options.get("correction", ddof)), out)

    def std(self, *args: Any, out: Any = None, **options: Any) -> Any:
        """The root of the variance."""
        return self._path.deliver(np.sqrt(self.var(*args, **options)), out)

    def _count(self, axis: Any, keepdims: Any, where: Any) -> tuple[Any, Any]:
        """The sum of the entries that a mask keeps, and their number."""
        count = np.sum(np.broadcast_to(where, self.shape), axis=axis, keepdims=keepdims)
        kept = self if where is True else np.where(where, np.asarray(self), self._path.boxed(self._path.zero))
        return np.sum(self._path.settle(kept), axis=axis, keepdims=keepdims), count

    @property
    def _path(self) -> TracedPath:
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
        return self._path.settle(made)

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
        if isinstance(value, TruthArray | Truth) and not isinstance(self, TruthArray):
            value = _NUMBERS(np.ndarray.view(value, np.ndarray) if isinstance(value, TruthArray) else value)
        if isinstance(key, TruthArray) and np.ndim(value) == 0 and key.shape == self.shape[: key.ndim]:
            plain = np.ndarray.view(self, np.ndarray)
            mask = np.ndarray.view(key, np.ndarray).reshape(key.shape + (1,) * (self.ndim - key.ndim))
            plain[...] = CHOOSE(mask, self._path.boxed(value), plain)
            return
        super().__setitem__(told(key), value)

    def view(self, *kinds: Any, **named: Any) -> Any:
        """The same memory, which holds no bytes of floats."""
        for kind in (*kinds, *named.values()):
            if not (isinstance(kind, type) and issubclass(kind, np.ndarray)) and np.dtype(kind) != np.float64:
                raise TracingStoppedError(f"view({kind!r}) reads raw memory, which is not traced")
        return super().view()

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise TracingStoppedError("raw memory is read, which is not traced: a symbol has no bytes")

    tobytes = tostring = tofile = dump = dumps = byteswap = getfield = setfield = __reduce__ = __reduce_ex__ = _refuse
    data = ctypes = __array_interface__ = __array_struct__ = property(_refuse)


class TruthArray(TracedArray):
    """Truth values that are open, as the person's code holds them; a mask of plain ones is made where one is needed."""

    @property
    def dtype(self) -> Any:
        """That of truth values."""
        return np.dtype(np.bool_)

    def astype(self, dtype: Any, *_: Any, copy: Any = True, **__: Any) -> Any:
        """Itself for bool, else 0 and 1: numbers, of whatever type."""
        if np.dtype(float if dtype is None else dtype) == np.bool_:
            return self.copy() if copy else self
        return self._path.settle(_NUMBERS(np.ndarray.view(self, np.ndarray)))

    def __setitem__(self, key: Any, value: Any) -> None:
        """Entries changed to other truth values."""
        if not (isinstance(value, TruthArray) or is_truth(value) or np.asarray(value).dtype.kind == "b"):
            raise TracingStoppedError("numbers are written into truth values")
        super().__setitem__(key, value)

    @property
    def told(self) -> Any:
        """The mask on this path, which is recorded."""
        return np.ndarray.view(self, np.ndarray).astype(bool)

    def _no_bytes(self) -> Any:
        raise TracingStoppedError("the bytes of truth values are not traced")

    itemsize = nbytes = strides = property(_no_bytes)


def told(key: Any) -> Any:
    """An index with plain truth values in the place of open ones."""
    if isinstance(key, TruthArray):
        return key.told
    if isinstance(key, Truth):
        return bool(key)
    return tuple(map(told, key)) if type(key) is tuple else key


def _number_of(value: Any) -> Any:
    return value.number() if isinstance(value, Truth) else int(value) if isinstance(value, bool | np.bool_) else value


_NUMBERS = np.frompyfunc(_number_of, 1, 1)
CHOOSE = np.frompyfunc(choose, 3, 1)


def inner(value: Any) -> Any:
    """Arguments as NumPy's own functions are handed them."""
    if isinstance(value, TracedArray):
        return np.ndarray.view(value, InnerArray)
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

    path: TracedPath | None = None

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


def find_path(values: Any) -> TracedPath:
    """The path that some operands belong to."""
    for value in values:
        if isinstance(value, InnerArray | TracedMask) and value.path is not None:
            return value.path
        if isinstance(value, Traced) and isinstance(value.path, TracedPath):
            return value.path
        if isinstance(value, list | tuple):
            try:
                return find_path(value)
            except TracingStoppedError:
                continue
        if isinstance(value, np.ndarray) and value.dtype.kind == "O":
            for entry in value.flat:
                if isinstance(entry, Traced) and isinstance(entry.path, TracedPath):
                    return entry.path
    raise TracingStoppedError("nothing traced takes part")


def entry_name(name: str, place: tuple[int, ...]) -> str:
    """The name of an entry, counted from 0 as in the code."""
    return f"{name}[{','.join(map(str, place))}]" if place else name


def entry_symbol(name: str, place: tuple[int, ...]) -> sp.Symbol:
    """The symbol that an entry of an input or of the upstream gradient is traced as."""
    return sp.Symbol(entry_name(name, place))
