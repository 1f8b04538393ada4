"""Arrays of traced numbers: NumPy's own arrays of objects, so that views, masks and updates in place are NumPy's.

Only two things differ from a plain array of objects: functions such as exp reach each entry, and float types are
understood as "a number".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from symbackprop.proof.path_signs import TracingStoppedError
from symbackprop.proof.traced_values import Path, Traced

_FUNCTIONS: Mapping[str, Callable[[sp.Expr], sp.Expr]] = {
    "exp": sp.exp, "log": sp.log, "sqrt": sp.sqrt, "tanh": sp.tanh, "sinh": sp.sinh, "cosh": sp.cosh,
    "sin": sp.sin, "cos": sp.cos, "tan": sp.tan, "arctan": sp.atan, "arcsin": sp.asin, "arccos": sp.acos,
    "arctanh": sp.atanh, "arcsinh": sp.asinh, "arccosh": sp.acosh, "erf": sp.erf, "erfc": sp.erfc,
    "log1p": lambda e: sp.log(1 + e), "expm1": lambda e: sp.exp(e) - 1, "exp2": lambda e: 2**e,
    "log2": lambda e: sp.log(e) / sp.log(2), "log10": lambda e: sp.log(e) / sp.log(10),
    "square": lambda e: e**2, "reciprocal": lambda e: 1 / e,
    "expit": lambda e: 1 / (1 + sp.exp(-e)), "logit": lambda e: sp.log(e / (1 - e)),
}  # fmt: skip


def _larger(a: Traced, b: Traced) -> Traced:
    return a if a >= b else b


def _smaller(a: Traced, b: Traced) -> Traced:
    return a if a <= b else b


def _sign(a: Traced) -> Traced:
    return a.path.constant(a.path.sign(a.expression))


def _step(a: Traced, middle: Traced) -> Traced:
    sign = a.path.sign(a.expression)
    return middle if sign == 0 else a.path.constant((sign + 1) // 2)


def _log_add(a: Traced, b: Traced) -> Traced:
    return (a.apply(sp.exp) + b.apply(sp.exp)).apply(sp.log)  # type: ignore[no-any-return]


_OPERATIONS: Mapping[str, Callable[..., Traced]] = {
    "sign": _sign, "absolute": abs, "fabs": abs, "conjugate": lambda a: a, "positive": lambda a: a,
    "maximum": _larger, "fmax": _larger, "minimum": _smaller, "fmin": _smaller,
    "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b, "power": lambda a, b: a**b, "float_power": lambda a, b: a**b,
    "negative": lambda a: -a, "heaviside": _step, "logaddexp": _log_add,
    "floor": Traced.floor, "ceil": Traced.ceil, "trunc": Traced.trunc, "rint": Traced.rint,
    "floor_divide": lambda a, b: a // b, "remainder": lambda a, b: a % b, "fmod": lambda a, b: a - b * (a / b).trunc(),
    "hypot": lambda a, b: (a * a + b * b).apply(sp.sqrt),
}  # fmt: skip

_FINITE: Mapping[str, bool] = {"isfinite": True, "isnan": False, "isinf": False}


class TracedPath(Path):
    """A path whose numbers live in arrays."""

    def __init__(self, point: Mapping[str, Fraction], draw: Callable[[str], Fraction], deadline: float) -> None:
        super().__init__(point, draw, deadline)
        self.upstreams: list[tuple[Any, tuple[sp.Expr, ...]]] = []  # as they were made

    def apply_ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        """An elementwise function, or its reduction, on arrays of objects."""
        self.check_time()
        options = {key: value for key, value in options.items() if key not in ("casting", "subok", "order")}
        if not is_exact_type(options.get("dtype")):
            options.pop("dtype", None)
        out = options.pop("out", None)
        targets = tuple(out) if isinstance(out, tuple) else () if out is None else (out,)
        if any(isinstance(target, np.ndarray) and target.dtype.kind == "f" for target in targets):
            raise TracingStoppedError("a traced number is written into an array of plain floats")
        at = method == "at"
        raw = [self._raw(value, keep=at and place in (0, 1)) for place, value in enumerate(inputs)]
        operation = self._operation(ufunc.__name__) if method == "__call__" else None
        if operation is not None:
            result = np.frompyfunc(operation, ufunc.nin, 1)(*raw, **options)
            if ufunc.__name__ in _FINITE:
                return self.settle(np.asarray(result, dtype=bool)) if np.ndim(result) else bool(result)
            if targets:
                # All entries are computed before one is written, as NumPy does where memory overlaps.
                self._plain(targets[0])[...] = result
                return targets[0]
            return self.settle(result)
        if targets:
            options["out"] = tuple(self._plain(target) for target in targets)
        result = getattr(ufunc, method)(*raw, **options)
        if targets:
            return targets[0] if len(targets) == 1 else targets
        return self.settle(result)

    def _operation(self, name: str) -> Callable[..., Any] | None:
        """What a function does to the entries, if NumPy cannot do it on objects."""
        if name in _FINITE:
            finite = _FINITE[name]
            return lambda a: finite if not self.constant(a).expression.is_infinite else name == "isinf"
        if name in _FUNCTIONS:
            function = _FUNCTIONS[name]
            return lambda a: self.constant(a).apply(function)
        if name in _OPERATIONS:
            operation = _OPERATIONS[name]
            return lambda *a: operation(*map(self.constant, a))
        return None

    def function(self, name: str, value: Any) -> Any:
        """A function of one number by its NumPy name."""
        return self.constant(value).apply(_FUNCTIONS[name])

    @staticmethod
    def _plain(value: Any) -> Any:
        return value.view(np.ndarray) if isinstance(value, TracedArray | TracedMask) else value

    def _raw(self, value: Any, keep: bool = False) -> Any:
        """An operand as a plain array, floats made exact."""
        if isinstance(value, list | tuple) and not keep:
            value = np.asarray(value)
        if isinstance(value, Traced | float | np.floating):
            boxed = np.empty((), dtype=object)
            boxed[()] = self.constant(value)
            return boxed
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            if keep:
                raise TracingStoppedError("a traced number is written into an array of plain floats")
            return self.exact(value)
        return self._plain(value)

    def exact(self, value: np.ndarray[Any, Any]) -> Any:
        """Plain numbers as traced ones, in a plain array."""
        made = np.empty(value.shape, dtype=object)
        for place in np.ndindex(*value.shape):
            made[place] = self.constant(value[place])
        return made

    def settle(self, value: Any) -> Any:
        """A result of NumPy as the traced code goes on with it: floats exact, arrays of objects traced."""
        if isinstance(value, np.ndarray):
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


class TracedArray(np.ndarray[Any, Any]):
    """An array of objects that are traced numbers."""

    path: TracedPath | None = None

    def __array_finalize__(self, source: Any) -> None:
        """Views and copies belong to the path of their source."""
        self.path = getattr(source, "path", None)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's functions reach each entry."""
        return find_path((*inputs, options.get("out", ()))).apply_ufunc(ufunc, method, inputs, options)

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        """A copy where a float type is asked for; true where it is not zero for bool; cut to integers for int."""
        if not is_exact_type(dtype):
            return self.copy()
        return np.asarray(self).astype(dtype)


class TracedMask(np.ndarray[Any, Any]):
    """Truth values that comparisons gave; as numbers they become traced ones, which updates in place may fill."""

    path: TracedPath | None = None

    def __array_finalize__(self, source: Any) -> None:
        """Views and copies belong to the path of their source."""
        self.path = getattr(source, "path", None)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's own functions; floats that come out are made exact."""
        path = find_path((*inputs, options.get("out", ())))
        if any(isinstance(each, TracedArray | Traced) for each in (*inputs, *options.get("out", ()))):
            return path.apply_ufunc(ufunc, method, inputs, options)
        plain = [np.asarray(each) if isinstance(each, TracedMask) else each for each in inputs]
        if "out" in options:
            options["out"] = tuple(np.asarray(each) for each in options["out"])
        return path.settle(getattr(ufunc, method)(*plain, **options))

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        """Traced numbers where a float type is asked for."""
        if is_exact_type(dtype) or self.path is None:
            return np.asarray(self).astype(dtype)
        return self.path.settle(self.path.exact(np.asarray(self)))


def find_path(values: Any) -> TracedPath:
    """The path that some operands belong to."""
    for value in values:
        if isinstance(value, TracedArray | TracedMask) and value.path is not None:
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


def is_exact_type(dtype: Any) -> bool:
    """Whether a dtype asks for integers or booleans; float types and none are a number, whatever its precision."""
    return dtype is not None and np.dtype(dtype).kind in "biu"
