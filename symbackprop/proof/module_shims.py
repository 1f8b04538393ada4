"""What the traced code sees in the place of modules: functions whose results are exact, and what it must not use."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import numpy as np
import sympy as sp
from numpy.lib.stride_tricks import as_strided

from symbackprop.proof.inner_arrays import InnerArray
from symbackprop.proof.path_signs import NO_TRACE
from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_arrays import inner, kind_of
from symbackprop.proof.traced_constants import NotConstantError, as_floats
from symbackprop.proof.traced_needs import list_needs
from symbackprop.proof.traced_paths import TracedPath
from symbackprop.proof.traced_selections import Selection
from symbackprop.proof.traced_values import PlainNumberError, Traced

_MATH_FUNCTIONS = {
    "exp": "exp", "log1p": "log1p", "expm1": "expm1", "sqrt": "sqrt", "tanh": "tanh", "sinh": "sinh", "cosh": "cosh",
    "sin": "sin", "cos": "cos", "tan": "tan", "erf": "erf", "erfc": "erfc", "atan": "arctan", "log2": "log2",
    "log10": "log10",
}  # fmt: skip
_OVERFLOWING = frozenset(("exp", "expm1", "sinh", "cosh", "pow"))
_AS_STRIDED = "np.lib.stride_tricks.as_strided", "reads raw memory, which is not traced; sliding_window_view is"
_EXACT_ON_INTEGERS = ("exp", "log", "sqrt", "divide", "tanh", "log1p", "expm1", "log2", "log10", "erf")


class TracedUfunc:
    """One of NumPy's elementwise functions, exact where plain numbers are given."""

    def __init__(self, path: TracedPath, ufunc: np.ufunc) -> None:
        self._path, self._ufunc = path, ufunc

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        name, count = self._ufunc.__name__, self._ufunc.nin
        if any(isinstance(each, Selection) for each in inputs):
            return self._ufunc(*inputs, **options)
        operands = [v if isinstance(v, np.ndarray | Traced) else np.asarray(v) for v in inputs[:count]]
        kinds = {kind_of(v) if isinstance(v, np.ndarray) else "O" for v in operands}
        if not kinds & {"O", "f"} and name not in _EXACT_ON_INTEGERS:
            return self._ufunc(*inputs, **options)
        if len(inputs) > count:
            options["out"] = inputs[count]
            inputs = inputs[:count]
        if not kinds & {"O", "f"}:
            inputs = tuple(np.asarray(v).astype(object) for v in inputs)
        return self._path.apply_ufunc(self._ufunc, "__call__", inputs, options)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._ufunc, name)
        if not callable(method):
            return method
        return lambda *inputs, **options: self._path.settle(method(*inputs, **options))


class Forbidden:
    """Something that traced code must not use, such as raw memory."""

    def __init__(self, name: str, reason: str) -> None:
        self._name, self._reason = name, reason

    def __getattr__(self, name: str) -> Any:
        raise TracingStoppedError(f"{self._name}.{name} {self._reason}")

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise TracingStoppedError(f"{self._name} {self._reason}")


class NamespaceShim:
    """A module whose functions give exact, traced results."""

    def __init__(self, path: TracedPath, module: ModuleType) -> None:
        self._path, self._module = path, module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        if isinstance(found, np.ufunc):
            return TracedUfunc(self._path, found)
        if found is as_strided:
            return Forbidden(*_AS_STRIDED)
        if isinstance(found, float) and math.isfinite(found):
            return self._path.constant(found)
        if isinstance(found, ModuleType) and found.__name__.startswith("numpy."):
            return NamespaceShim(self._path, found)
        if isinstance(found, type | ModuleType) or not callable(found):
            return found
        return self.wrap(found)

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function without float types, its floats made exact."""
        if function is as_strided:
            return Forbidden(*_AS_STRIDED)
        if function.__module__.startswith("numpy.ma"):
            return self.ma  # type: ignore[no-any-return]

        def call(*args: Any, **options: Any) -> Any:
            given = dict(options)
            if "dtype" in options and not self._path.is_exact_type(options["dtype"]):
                asked = options.pop("dtype")
                if asked is not None and not is_traced((args, options)):
                    options["dtype"] = np.float64  # of plain numbers, which become exact ones
            try:
                made = self._path.settle(function(*inner(args), **inner(options)))
                return self._path.keep_types(made, function, args, given)
            except (TypeError, PlainNumberError, AttributeError) as error:
                if not is_traced((args, options)):
                    raise
                try:
                    known, named = as_floats((args, options))
                except NotConstantError:
                    name = f"{'math' if self._module is math else 'np'}.{function.__name__}"
                    raise TracingStoppedError(f"{name} has no trace; {NO_TRACE}") from error
                return self._path.settle(function(*known, **named))

        return call


def is_traced(value: Any) -> bool:
    """Whether traced numbers take part."""
    if isinstance(value, list | tuple):
        return any(map(is_traced, value))
    if isinstance(value, dict):
        return any(map(is_traced, value.values()))
    return isinstance(value, InnerArray | Traced)


def check_silent(name: str, wanted: Iterable[Any]) -> None:
    """Raise where what floats do beyond their range is to be an error."""
    if any(each in ("raise", "call", "error") for each in wanted):
        raise TracingStoppedError(f"{name} makes errors of what floats do beyond their range, which is not traced")


class WarningsShim(NamespaceShim):
    """The `warnings` module: what floats warn of may be silent, and no error."""

    def __init__(self, path: TracedPath) -> None:
        super().__init__(path, warnings)

    def simplefilter(self, action: str, *args: Any, **options: Any) -> None:
        """A filter for all warnings."""
        check_silent("warnings.simplefilter", (action,))
        warnings.simplefilter(action, *args, **options)  # type: ignore[arg-type]

    def filterwarnings(self, action: str, *args: Any, **options: Any) -> None:
        """A filter for some warnings."""
        check_silent("warnings.filterwarnings", (action,))
        warnings.filterwarnings(action, *args, **options)  # type: ignore[arg-type]


class MathShim(NamespaceShim):
    """The `math` module, exact and on traced numbers."""

    def __init__(self, path: TracedPath) -> None:
        super().__init__(path, math)
        self.pi, self.e = Traced(path, sp.pi), Traced(path, sp.E)

    def __getattr__(self, name: str) -> Any:
        if name in _MATH_FUNCTIONS:
            return lambda value: self._raising(name, self._path.function(_MATH_FUNCTIONS[name], value))
        return super().__getattr__(name)

    def _raising(self, name: str, made: Traced) -> Any:
        """A result as a float of Python; where NumPy would have NaN the code gets an error, which it may handle."""
        path = self._path
        if path.handles_errors:
            for fact in list_needs((made.needs,)):
                if fact.relation in (">", ">=") and path.sign(fact.expression) < 0:
                    path.refuse(ValueError("math domain error"))
            if name in _OVERFLOWING:
                path.note_overflow(f"math.{name}")
        path.compared.append(made.needs)
        return made.item()

    def pow(self, a: Any, b: Any) -> Any:
        """One number to the power of another."""
        return self._raising("pow", self._path.constant(a) ** b)

    def fabs(self, value: Any) -> Any:
        """The absolute value."""
        return abs(self._path.constant(value)).item()

    def log(self, value: Any, base: Any = None) -> Any:
        """The logarithm, to any base."""
        made = self._path.function("log", value)
        return self._raising("log", made if base is None else made / self._path.function("log", base))
