"""What a comparison gives where it is left open: a truth value that is 0 or 1 in formulas, told once the code asks.

Whatever reads a plain truth value out of one, an `if`, NumPy's own C code or an index, asks; so nothing that depends on
which way a comparison goes escapes notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from symbackprop.proof.plain_signs import holds_plainly
from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_needs import join_needs, list_needs
from symbackprop.proof.traced_rounding import is_infinite
from symbackprop.proof.traced_values import Path, Traced
from symbackprop.proof.unwritten import Unwritten


class Truth(Traced):
    """A truth value that is open, with the operations of NumPy's."""

    __slots__ = ()

    def __bool__(self) -> bool:
        """Which way it is on the path; that is recorded."""
        return bool(self.path.tell(self.expression))

    def __int__(self) -> int:
        return int(bool(self))

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of truth values."""
        return np.dtype(np.bool_)

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        """Itself, or 0 or 1; as an integer it is told."""
        kind = np.dtype(dtype)
        return self if kind == np.bool_ else kind.type(bool(self)) if kind.kind in "iu" else self.number()

    def sum(self, *_: Any, **__: Any) -> Traced:
        """0 or 1."""
        return self.number()

    mean = sum

    def number(self) -> Traced:
        """0 or 1."""
        return Traced(self.path, self.expression)

    def __invert__(self) -> Any:
        return self.path.truth(1 - self.expression)

    def __and__(self, other: Any) -> Any:
        return self._join(other, lambda a, b: a * b)

    def __or__(self, other: Any) -> Any:
        return self._join(other, lambda a, b: a + b - a * b)

    def __xor__(self, other: Any) -> Any:
        return self._join(other, lambda a, b: a + b - 2 * a * b)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def _join(self, other: Any, operation: Callable[[sp.Expr, sp.Expr], sp.Expr]) -> Any:
        if not is_truth(other):
            return NotImplemented
        return self.path.truth(_multilinear(operation(self.expression, self.path.read(other))))

    def __add__(self, other: Any) -> Any:
        return super().__add__(_not_a_truth(other))

    def __radd__(self, other: Any) -> Any:
        return super().__radd__(_not_a_truth(other))

    def __sub__(self, other: Any) -> Any:
        return super().__sub__(_not_a_truth(other))

    def __rsub__(self, other: Any) -> Any:
        return super().__rsub__(_not_a_truth(other))

    def __mul__(self, other: Any) -> Any:
        return self & other if is_truth(other) else super().__mul__(_not_small(other))

    __rmul__ = __mul__

    def __neg__(self) -> Traced:
        raise TracingStoppedError("a truth value is negated as if it were a number")


def _not_a_truth(value: Any) -> Any:
    """The value, unless it is a truth value too: of two of them NumPy makes something else than of numbers."""
    if is_truth(value):
        raise TracingStoppedError("two truth values are added or subtracted")
    return _not_small(value)


def _not_small(value: Any) -> Any:
    """The value, unless it is an integer of a small type, in which NumPy would go on and overflow."""
    if isinstance(value, np.integer) and value.dtype != np.int64:
        raise TracingStoppedError("small integers meet truth values that are open")
    return value


def _multilinear(expression: sp.Expr) -> sp.Expr:
    """A polynomial in symbols that are 0 or 1, without squares."""
    expanded = sp.expand(expression)
    return expanded.replace(lambda e: e.is_Pow and e.base.is_Symbol, lambda e: e.base)


def is_truth(value: Any) -> bool:
    """Whether it is a truth value, open or not."""
    return isinstance(value, Truth | bool | np.bool_)


def as_truth(value: Any) -> Any:
    """A value as a truth value: of a number, whether it is not 0."""
    return value if is_truth(value) else value != 0


def choose(condition: Any, first: Any, second: Any) -> Any:
    """The first where a truth value holds, the second elsewhere; told where one may have no value."""
    truth = as_truth(condition)
    if not isinstance(truth, Truth):
        return first if truth else second
    path = truth.path
    if is_truth(first) and is_truth(second):
        a, b = path.read(first), path.read(second)
        return path.truth(_multilinear(truth.expression * a + (1 - truth.expression) * b))
    one, other = path.constant(first), path.constant(second)
    if not (_may_stay(path, one) and _may_stay(path, other)):
        return first if truth else second
    if one.expression == other.expression:
        return Traced(path, one.expression, join_needs(one.needs, other.needs))
    return truth.number() * one + (1 - truth.number()) * other


def _may_stay(path: Path, value: Traced) -> bool:
    """Whether a number may be computed with where it is not chosen."""
    if isinstance(value, Unwritten) or is_infinite(value.expression):
        return False
    return value.needs is None or all(holds_plainly(path.cuts.expand_fact(fact)) for fact in list_needs([value.needs]))


def _logical(operation: Callable[..., Any]) -> Callable[..., Any]:
    """An operation of truth values on whatever stands for them."""
    return lambda *values: operation(*map(as_truth, values))


def _not(value: Any) -> Any:
    if not is_truth(value):
        raise TracingStoppedError("integers that open comparisons choose are turned round bit by bit")
    return ~value if isinstance(value, Truth) else not value


_AND, _OR, _XOR = (lambda a, b: a & b), (lambda a, b: a | b), (lambda a, b: a ^ b)

TRUTH_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "less": lambda a, b: a < b, "less_equal": lambda a, b: a <= b, "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b, "equal": lambda a, b: a == b, "not_equal": lambda a, b: a != b,
    "logical_and": _logical(_AND), "logical_or": _logical(_OR), "logical_xor": _logical(_XOR),
    "logical_not": _logical(_not), "bitwise_and": _AND, "bitwise_or": _OR, "bitwise_xor": _XOR, "invert": _not,
}  # fmt: skip
