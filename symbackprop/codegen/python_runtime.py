"""What straight-line Python code runs on: nested lists of floats, and floats that become infinite instead of raising.

A standalone module gets a copy of the source; nothing here needs a library.
"""

from __future__ import annotations

import math
import types
from typing import Any

from symbackprop.codegen.binding import BindingError, bind, measure


def matrix_inverse(entries: Any) -> Any:
    """The inverse of a square matrix, both row by row without brackets; nan where there is none."""
    size = math.isqrt(len(entries))
    rows = [[*entries[k * size : (k + 1) * size], *(float(k == j) for j in range(size))] for k in range(size)]
    if eliminate(rows, size) == 0:
        return [math.nan] * len(entries)
    for k in reversed(range(size)):
        rows[k] = [entry / rows[k][k] for entry in rows[k]]
        for other in range(k):
            rows[other] = [a - rows[other][k] * b for a, b in zip(rows[other], rows[k], strict=True)]
    return [entry for row in rows for entry in row[size:]]


def determinant(entries: Any) -> Any:
    """The determinant of a square matrix, row by row without brackets."""
    size = math.isqrt(len(entries))
    return eliminate([list(entries[k * size : (k + 1) * size]) for k in range(size)], size)


def log_determinant(entries: Any) -> Any:
    """The logarithm of the absolute value of a determinant."""
    return math.log(abs(determinant(entries)))


def eliminate(rows: Any, size: Any) -> Any:
    """Make rows upper triangular by the largest pivots, and give the determinant of their first columns."""
    result = 1.0
    for k in range(size):
        best = max(range(k, size), key=lambda row: abs(rows[row][k]))
        if rows[best][k] == 0:
            return 0.0
        if best != k:
            rows[k], rows[best] = rows[best], rows[k]
            result = -result
        result = result * rows[k][k]
        for other in range(k + 1, size):
            factor = rows[other][k] / rows[k][k]
            rows[other] = [a - factor * b for a, b in zip(rows[other], rows[k], strict=True)]
    return result


class Careful(float):
    """A float whose operations give infinity or nan where those of Python raise an error."""

    def __add__(self, other: Any) -> Any:
        return Careful(float(self) + other)

    def __radd__(self, other: Any) -> Any:
        return Careful(other + float(self))

    def __sub__(self, other: Any) -> Any:
        return Careful(float(self) - other)

    def __rsub__(self, other: Any) -> Any:
        return Careful(other - float(self))

    def __mul__(self, other: Any) -> Any:
        return Careful(float(self) * other)

    def __rmul__(self, other: Any) -> Any:
        return Careful(other * float(self))

    def __truediv__(self, other: Any) -> Any:
        return Careful(divide(float(self), float(other)))

    def __rtruediv__(self, other: Any) -> Any:
        return Careful(divide(float(other), float(self)))

    def __pow__(self, other: Any, modulus: None = None) -> Any:
        return call("pow", self, other)

    def __neg__(self) -> Any:
        return Careful(-float(self))

    def __abs__(self) -> Any:
        return Careful(abs(float(self)))


def divide(above: Any, below: Any) -> Any:
    """A quotient, infinite or nan where the divisor is 0."""
    if below:
        return above / below
    return math.nan if above == 0 or above != above else math.copysign(math.inf, above) * math.copysign(1.0, below)


def call(name: Any, *arguments: Any) -> Any:
    """A function of `math`, infinite where its value is too large or it has a pole, and nan where it has no value."""
    u = float(arguments[0])
    odd = name == "sinh" or (name == "pow" and arguments[1] % 2 == 1)
    endless = math.copysign(math.inf, u) if odd else math.inf
    try:
        return Careful(getattr(math, name)(*map(float, arguments)))
    except OverflowError:
        return Careful(endless)
    except ValueError:
        if name == "pow" and u == 0:
            return Careful(endless)
        poles = {("log", 0.0): -1, ("log1p", -1.0): -1, ("atanh", -1.0): -1, ("atanh", 1.0): 1}
        return Careful(poles[name, u] * math.inf if (name, u) in poles else math.nan)


class CarefulMath:
    """Python's `math` on such floats."""

    nan, inf = math.nan, math.inf

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: call(name, *arguments)


def run_forward(forward: Any, arrays: Any) -> Any:
    """The value, and what the backward pass needs; what is not finite is infinite or nan."""
    try:
        return forward(*arrays)
    except (ArithmeticError, ValueError):
        value, saved = be_careful(forward)(*(map_entries(Careful, array) for array in arrays))
        return map_entries(float, value), tuple(map(plain, saved))


def run_backward(backward: Any, saved: Any) -> Any:
    """The gradients in order; what is not finite is infinite or nan."""
    try:
        return backward(*saved)
    except (ArithmeticError, ValueError):
        return tuple(plain(g) for g in be_careful(backward)(*(map_entries(Careful, v) for v in saved)))


def plain(number: Any) -> Any:
    """Floats of Python's own in place of careful ones, in lists too."""
    return map_entries(float, number)


def be_careful(function: Any) -> Any:
    """A function of generated code on floats that become infinite."""
    return types.FunctionType(function.__code__, {**function.__globals__, "math": CarefulMath()})


def map_entries(function: Any, nested: Any) -> Any:
    """Nested lists with a function applied to every float; integers stay."""
    if isinstance(nested, list):
        return [map_entries(function, row) for row in nested]
    return function(nested) if isinstance(nested, float) else nested


def read_arrays(layout: Any, params: Any, data: Any) -> Any:
    """The arguments of a call as nested lists, in order; BindingError says what does not fit."""
    arrays, _ = bind(layout, params, data, float, Library)
    return [array.nested for array in arrays.values()]


def shapes_of(layout: Any) -> Any:
    """The shape of every array of a layout whose axes are numbers."""
    tensors = {**layout["params"], **layout["data"]}
    return {name: tuple(measure(axis, {}) for axis in axes) for name, axes in tensors.items()}


class Entries:
    """Numbers as nested lists, with their shape; `kind` says what they are."""

    def __init__(self, nested: Any, shape: tuple[int, ...], kind: str) -> None:
        self.nested, self.shape, self.kind = nested, shape, kind
        self.ndim = len(shape)


class Library:
    """How arguments are made of what a caller gives and looked at."""

    @staticmethod
    def cast(name: str, value: Any, dtype: Any) -> Any:
        """The value as nested lists, of floats unless dtype is None."""
        nested = value.tolist() if hasattr(value, "tolist") else value
        shape: list[int] = []
        entries = [nested]
        while entries and isinstance(entries[0], (list, tuple)):
            lengths = {len(row) if isinstance(row, (list, tuple)) else -1 for row in entries}
            if len(lengths) > 1:
                raise BindingError("data", f"{name} is not an array of numbers: its rows have different lengths.")
            shape += lengths
            entries = [entry for row in entries for entry in row]
        for entry in entries:
            if not (hasattr(entry, "__float__") or hasattr(entry, "__index__")) or isinstance(entry, str):
                kind = type(entry).__name__
                raise BindingError("data", f"{name} has entries of type {kind}; expected real numbers.")
        whole = all(hasattr(entry, "__index__") and not isinstance(entry, bool) for entry in entries)
        kinds = sorted({type(entry).__name__ for entry in entries})
        convert = float if dtype is not None else (lambda entry: entry.__index__()) if whole else (lambda entry: entry)
        kind = "integer" if whole else " and ".join(kinds)
        try:
            made = [convert(entry) for entry in entries]
        except (OverflowError, TypeError) as error:
            raise BindingError("data", f"{name} is not an array of numbers: {error}") from error
        return Entries(nest(iter(made), tuple(shape)), tuple(shape), kind)

    @staticmethod
    def kind(array: Any) -> str:
        """What the entries are."""
        return str(array.kind)

    @staticmethod
    def is_integer(array: Any) -> bool:
        """Whether the entries are integers."""
        return bool(array.kind == "integer")

    @staticmethod
    def find_outside(array: Any, largest: int) -> Any:
        """An entry that is not from 1 to `largest`, or None."""
        return next((entry for entry in flatten(array.nested) if not 1 <= entry <= largest), None)


def nest(entries: Any, shape: Any) -> Any:
    """The next entries of an iterator as nested lists of a shape; a scalar is itself."""
    if not shape:
        return next(entries)
    return [nest(entries, shape[1:]) for _ in range(shape[0])]


def flatten(nested: Any) -> Any:
    """The entries of nested lists in row-major order."""
    return [entry for row in nested for entry in flatten(row)] if isinstance(nested, (list, tuple)) else [nested]
