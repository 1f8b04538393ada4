"""Whole numbers made of traced ones: floors, remainders, and what Python's own functions ask for."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy as sp


class Rounded:
    """What a number is cut to, by its path, on which each step is recorded."""

    __slots__ = ()

    def __floordiv__(self: Any, other: Any) -> Any:
        quotient = self / other
        return NotImplemented if quotient is NotImplemented else quotient.floor()

    def __rfloordiv__(self: Any, other: Any) -> Any:
        quotient = self.__rtruediv__(other)
        return quotient if quotient is NotImplemented else quotient.floor()

    def __mod__(self: Any, other: Any) -> Any:
        whole = self.__floordiv__(other)
        return whole if whole is NotImplemented else self - other * whole

    def __rmod__(self: Any, other: Any) -> Any:
        whole = self.__rfloordiv__(other)
        return whole if whole is NotImplemented else other - self * whole

    def __divmod__(self: Any, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self: Any, other: Any) -> Any:
        return other // self, other % self

    def floor(self: Any) -> Any:
        """The largest integer that is not above it, as a number."""
        return self if is_infinite(self.expression) else self.path.constant(self.path.floor(self.expression))

    def ceil(self: Any) -> Any:
        """The least integer that is not below it, as a number."""
        return -(-self).floor()

    def trunc(self: Any) -> Any:
        """Its part before the point, as a number."""
        return self.floor() if self.path.sign(self.expression) >= 0 else self.ceil()

    def rint(self: Any) -> Any:
        """The nearest integer, as a number; of two the even one."""
        told = self.path.tell(self.path.cuts.expand(self.expression))
        if told.is_Rational:
            return self.path.constant(round(Fraction(told.p, told.q)))
        return (self + Fraction(1, 2)).floor()

    def round(self: Any, decimals: int = 0) -> Any:
        """The nearest number with so many decimals."""
        return self.rint() if decimals == 0 else (self * 10**decimals).rint() / 10**decimals

    def __floor__(self: Any) -> int:
        return int(self.floor())

    def __ceil__(self: Any) -> int:
        return int(self.ceil())

    def __trunc__(self: Any) -> int:
        return int(self.trunc())

    def __round__(self: Any, digits: int | None = None) -> Any:
        return int(self.rint()) if digits is None else self.round(digits)


def is_infinite(expression: sp.Expr) -> bool:
    """Whether it is an infinity; beside one only signs count, so none hides in a longer expression."""
    return bool(expression == sp.oo or expression == -sp.oo)
