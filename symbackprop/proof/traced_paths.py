"""The numbers and arrays of one run: what NumPy's functions make of traced numbers, and how they are settled."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from typing import Any, NoReturn

import numpy as np
import sympy as sp

from symbackprop.proof.float_draws import are_apart
from symbackprop.proof.inner_arrays import ArrayPath, InnerArray, TracedMask, entry_name
from symbackprop.proof.open_types import hold_integers, keep_types
from symbackprop.proof.path_signs import NO_TRACE, Reading
from symbackprop.proof.rebinding import Ownership
from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_arrays import NUMBERS, OpenArray, TracedArray, TruthArray, kind_of
from symbackprop.proof.traced_functions import FUNCTIONS
from symbackprop.proof.traced_needs import join_needs, list_needs
from symbackprop.proof.traced_operations import FINITE, NATIVE, NEUTRAL, OPERATIONS, TRUTH
from symbackprop.proof.traced_rounding import is_infinite
from symbackprop.proof.traced_truths import TRUTH_OPERATIONS, Truth, as_truth, is_truth
from symbackprop.proof.traced_values import PythonFloat, Traced
from symbackprop.proof.unwritten import Unwritten


class TracedPath(ArrayPath):
    """A path whose numbers live in arrays."""

    def __init__(
        self,
        point: Mapping[str, Fraction],
        draw: Callable[[str], Fraction],
        deadline: float,
        reading: Reading,
        ownership: Ownership,
        inputs: Collection[str],
    ) -> None:
        super().__init__(point, draw, deadline, reading)
        self.upstreams, self.arrivals = [], {}
        self.refused: list[BaseException] = []  # what NumPy and the math module would have raised
        self._ownership, self._inputs = ownership, inputs

    def name_arrival(self, name: str, output: Any) -> str:
        """What the upstream gradient of an output is called: the name, or one like it that nothing else has."""
        taken = name in self._inputs or self.arrivals.setdefault(name, output) != output
        return self.name_arrival(f"{name}_", output) if taken else name

    def refuse(self, error: Exception) -> NoReturn:
        """Raise what a library raises of such numbers."""
        self.refused.append(error)
        raise error

    def note_overflow(self, name: str) -> None:
        """Say that a result beyond the largest float, of which the code may ask, was not judged."""
        line = self._ownership.say_line()
        self.notes[f"Overflow was not judged: {name} is answered for real numbers in {line}."] = None

    def truth(self, expression: sp.Expr) -> Any:
        """A truth value, open unless it is known."""
        return bool(expression) if expression.is_Integer else Truth(self, expression)

    def note_tie(self, first: Traced, second: Traced, holds: bool) -> None:
        """Say so where floats may tell apart what is equal: it was computed in two ways."""
        if self.reading.equal is None and are_apart(first.floats, second.floats):
            taken = f"so it was taken as {'true' if holds else 'false'}; floats may round them apart"
            line = self._ownership.say_line()
            self.notes[f"The sides of a comparison in {line} are equal for all real numbers, {taken}."] = None

    def apply_ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        """An elementwise function, or its reduction, on arrays of objects."""
        self.check_time()
        if ufunc is np.divmod and method == "__call__":
            return tuple(self.apply_ufunc(each, method, inputs, options) for each in (np.floor_divide, np.remainder))
        name, given = ufunc.__name__, {key: value for key, value in options.items() if key != "out"}
        options = {key: value for key, value in options.items() if key not in ("subok", "order")}
        casting = options.pop("casting", "same_kind")
        if not self.is_exact_type(options.get("dtype")):
            options.pop("dtype", None)
        elif name not in TRUTH:
            raise TracingStoppedError(f"np.{name} is to give integers of floats, which is not traced")
        out = options.pop("out", None)
        targets = tuple(out) if isinstance(out, tuple) else () if out is None else (out,)
        if any(isinstance(target, np.ndarray) and kind_of(target) == "f" for target in targets):
            raise TracingStoppedError("a traced number is written into an array of plain floats")
        if name in _LOGICAL and not self.reading.comparisons_open:
            truths = [np.asarray(TRUTHS(self._raw(value)), dtype=bool) for value in inputs]
            made = getattr(ufunc, method)(*truths, **{**options, "out": tuple(map(self._plain, targets)) or None})
            return targets[0] if targets else self.settle(made)
        at = method == "at"
        for target in (*targets, *(inputs[:1] if at else ())):
            self._check_open(target, name)
        raw = [self._raw(value, keep=at and place in (0, 1)) for place, value in enumerate(inputs)]
        if self.reading.comparisons_open and method in ("reduce", "accumulate") and name == "add":
            raw[0] = NUMBERS(raw[0])
        if "where" in options:
            options["where"] = np.asarray(self._plain(options["where"]), dtype=bool)
        operation, function = self._operation(name), getattr(ufunc, method)
        if method == "__call__" and operation is not None:
            made = self._each(np.frompyfunc(operation, ufunc.nin, 1), name, raw, options, targets, casting)
            return made if targets else self._typed(made, function, inputs, given)
        if name not in NATIVE and operation is None and not name.endswith(" (vectorized)"):
            module = "np" if hasattr(np, name) else "scipy.special"
            raise TracingStoppedError(f"{module}.{name} has no trace; {NO_TRACE}")
        if name not in NATIVE and operation is not None:
            ufunc = np.frompyfunc(operation, ufunc.nin, 1)
        if method == "reduce" and "where" in options:
            raw[0] = self._without(ufunc, raw[0], options.pop("where"))
        if method == "reduce" and name in ("maximum", "minimum", "fmax", "fmin") and not np.size(raw[0]):
            raw[0] = np.zeros(np.shape(raw[0]))  # NumPy's own error, or its empty result
        plain = method == "reduce" and any(options.get("initial") is each for each in (None, np._NoValue))
        if plain and name in _EXTREMES and (self.reading.maxima_free or self.reading.comparisons_open):
            made = self._extremes(raw[0], _EXTREMES[name], options, out)
            return made if targets else self._typed(made, function, inputs, given)
        for target in targets:
            self._check_cast(name, target, casting)
        if targets:
            options["out"] = tuple(self._plain(target) for target in targets)
        if name in _PRODUCTS and self.reading.comparisons_open:
            raw = list(map(NUMBERS, raw))
        if method == "reduceat":
            result = _reduce_parts(ufunc, *raw, **options)
        else:
            result = _multiply(*raw, **options) if ufunc is np.matmul else getattr(ufunc, method)(*raw, **options)
        if targets:
            return targets[0] if len(targets) == 1 else targets
        return self._typed(self.settle(result), function, inputs, given)

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

    def _extremes(self, values: Any, turn: Callable[[Any], Any], options: Mapping[str, Any], out: Any) -> Any:
        """The maximum over some axes, or the minimum where signs turn, no entry asked whether it is the one."""
        axis = options.get("axis", 0)
        chosen = range(values.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = sorted(each % values.ndim for each in chosen)
        kept = [k for k in range(values.ndim) if k not in axes]
        rows = values.transpose(*kept, *axes).reshape([values.shape[k] for k in kept] + [-1])
        made = np.empty(rows.shape[:-1], dtype=object)
        for place in np.ndindex(*made.shape):
            made[place] = turn(self._largest_of([turn(self.constant(each)) for each in rows[place]]))
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
        self._check_open(out, "sum")
        self._plain(out)[...] = value
        return out

    def _operation(self, name: str) -> Callable[..., Any] | None:
        """What a function does to the entries, if NumPy cannot do it on objects."""
        if name in FINITE:
            return lambda a: self._is_finite(name, self.constant(a))
        if name in FUNCTIONS:
            function = FUNCTIONS[name]
            return lambda a: self.constant(a).apply(function)
        if name in OPERATIONS:
            operation = OPERATIONS[name]
            return lambda *a: operation(*map(self.constant, a))
        if self.reading.comparisons_open:
            return TRUTH_OPERATIONS.get(name)
        return None

    def _is_finite(self, name: str, value: Traced) -> bool:
        """What isfinite, isnan or isinf says of a number; roots and logarithms of negative numbers are none."""
        if isinstance(value, Unwritten) or is_infinite(value.expression):
            return (name == "isinf") == is_infinite(value.expression)
        for fact in list_needs((value.needs,)):
            if fact.relation in (">", ">=") and self.sign(fact.expression) < 0:
                return name == "isnan"
        value.note_compared()
        if not value.expression.is_number:
            self.note_overflow(f"np.{name}")
        return FINITE[name]

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

    def exact(self, value: np.ndarray[Any, Any]) -> Any:
        """Plain numbers as traced ones, in a plain array."""
        made = np.empty_like(value, dtype=object, subok=False)
        for place in np.ndindex(*value.shape):
            made[place] = self.constant(value[place])
        return made

    def settle(self, value: Any) -> Any:
        """A result of NumPy as the traced code goes on with it: floats exact, arrays of objects traced."""
        if isinstance(value, np.ndarray):
            if isinstance(value, TracedArray):
                return value if value.ndim else value[()]
            if value.dtype.kind == "f":
                return self._settle_floats(value)
            if value.dtype.kind == "b" and value.ndim:
                mask = value.view(TracedMask)
                mask.path = self
                return mask
            if value.dtype.kind != "O":
                return value
            if value.ndim == 0 and not (isinstance(value, InnerArray) and value.base is not None):
                return value[()]  # else it shows one entry of another array, which may be written to
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

    def _settle_floats(self, value: np.ndarray[Any, Any]) -> Any:
        """Plain floats as traced numbers: what may only be read stays so, and entries that share memory share it."""
        shown = tuple(slice(None) if stride else slice(1) for stride in value.strides)
        made = self.settle(np.broadcast_to(self.exact(value[shown]), value.shape))
        if value.ndim:
            made.flags.writeable = value.flags.writeable
        return made

    def _typed(self, made: Any, function: Any, inputs: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        """The result, of the type of floats that its operands have if all is known of them, or of integers."""
        if isinstance(made, InnerArray):
            kinds = [each.precision if isinstance(each, InnerArray) else None for each in inputs if not _is_weak(each)]
            known = [kind for kind in kinds if kind is not None]  # np.dtype(float) == None holds
            made.precision = np.result_type(*(known or (np.float64,))) if len(known) == len(kinds) else None
        return self.keep_types(made, function, inputs, options)

    def keep_types(self, made: Any, function: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        """What a function made of some arguments, as integers or truth values where NumPy has such."""
        return keep_types(self, made, function, args, options)

    def hold_integers(self, values: Any) -> Any:
        """Integers that open comparisons choose, in an array."""
        return hold_integers(self, values)

    @staticmethod
    def _check_open(target: Any, name: str) -> None:
        """Nothing but truth values goes into truth values that are open, and nothing at all into open integers."""
        if isinstance(target, OpenArray) and not (isinstance(target, TruthArray) and name in TRUTH_OPERATIONS):
            raise TracingStoppedError(f"np.{name} writes into what open comparisons choose")

    def fill(self, made: np.ndarray[Any, Any], value: Any, precision: Any = None) -> Any:
        """The array, each entry one number, or that of another array; of a type of floats, if one is known."""
        made[...] = self._raw(value)
        array = made.view(TracedArray)
        array.path, array.precision = self, None if precision is None else np.dtype(precision)
        return array

    def variables(self, name: str, shape: tuple[int, ...]) -> Any:
        """An array of variables name[0,1], or one variable."""
        made = np.empty(shape, dtype=object)
        for place in np.ndindex(*shape):
            made[place] = self.symbol(entry_name(name, place))
        made = self.settle(made)
        if made.ndim:
            made.precision = np.dtype(np.float64)
        return made


_LOGICAL = frozenset(("logical_and", "logical_or", "logical_xor", "logical_not"))
_EXTREMES: Mapping[str, Callable[[Any], Any]] = {
    "maximum": operator.pos,
    "fmax": operator.pos,
    "minimum": operator.neg,
    "fmin": operator.neg,
}
_PRODUCTS = frozenset(("matmul", "matvec", "vecmat", "vecdot"))
TRUTHS = np.frompyfunc(as_truth, 1, 1)


def _multiply(first: Any, second: Any, **options: Any) -> Any:
    """A product of arrays of objects: sums of products, as NumPy's own frees objects twice where one raises."""
    axes = options.pop("axes", None)
    if axes is not None or options.get("axis") is not None or options.get("where") is not None:
        raise TracingStoppedError("np.matmul along other axes is not traced")
    one, other = np.asarray(first, dtype=object), np.asarray(second, dtype=object)
    shape = np.matmul(np.zeros(one.shape), np.zeros(other.shape)).shape  # or NumPy's own error
    one, other = (one[None] if one.ndim == 1 else one), (other[:, None] if other.ndim == 1 else other)
    made = np.add.reduce(one[..., None] * other[..., None, :, :], axis=-2)
    made = np.asarray(made, dtype=object).reshape(shape)
    for target in options.get("out", ()):
        target[...] = made
    return made if shape else made[()]


def _reduce_parts(ufunc: np.ufunc, array: Any, indices: Any, axis: Any = 0, **options: Any) -> Any:
    """What `reduceat` gives, part by part, as NumPy's own goes on to the next part where an object raises."""
    made = np.empty(np.add.reduceat(np.zeros(np.shape(array)), indices, axis).shape, object)  # or NumPy's own error
    starts = list(map(int, np.asarray(indices)))
    rows, parts = np.moveaxis(array, axis, 0), np.moveaxis(made, axis, 0)
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(rows)], strict=True)):
        parts[number] = ufunc.reduce(rows[start : max(end, start + 1)])
    for target in options.get("out", ()):
        target[...] = made
    return made


def _is_weak(value: Any) -> bool:
    """Whether an operand takes no part in the type of a result: a number of Python, or truth values."""
    if isinstance(value, TruthArray | Truth) or type(value) in (bool, int, float, PythonFloat):
        return True
    return isinstance(value, np.ndarray) and kind_of(value) == "b"


def _is_unknown(value: Traced) -> bool:
    return isinstance(value, Unwritten) or is_infinite(value.expression)
