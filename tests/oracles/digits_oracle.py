"""Values of SymPy expressions by mpmath at a chosen number of digits: what the verdicts of proof/ are judged against.

Nothing of the package is read here: the recursion, the branches of Piecewise and the domains are this file's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import sympy as sp
from mpmath import mp, mpf
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanAtom

LARGEST_ARGUMENT = 10**15  # of exp and its like: mpmath still writes the result
LARGEST_TERM = 10**7  # of a sum that may cancel without a word
COMPARISONS: dict[type[sp.Basic], Callable[[int], bool]] = {
    sp.Gt: lambda sign: sign > 0, sp.Ge: lambda sign: sign >= 0, sp.Lt: lambda sign: sign < 0,
    sp.Le: lambda sign: sign <= 0, sp.Eq: lambda sign: sign == 0, sp.Ne: lambda sign: sign != 0,
}  # fmt: skip
FUNCTIONS: dict[type[sp.Basic], Callable[[mpf], mpf]] = {
    sp.exp: mp.exp, sp.erf: mp.erf, sp.erfc: mp.erfc, sp.sin: mp.sin, sp.cos: mp.cos, sp.tan: mp.tan, sp.atan: mp.atan,
    sp.sinh: mp.sinh, sp.cosh: mp.cosh, sp.tanh: mp.tanh, sp.sech: mp.sech, sp.asinh: mp.asinh,
}  # fmt: skip


class NoValueError(ArithmeticError):
    """The expression has no real value at the point."""


class UnclearError(ArithmeticError):
    """The point leads to numbers that are too large, or too small to tell from zero."""


def value_at(expression: sp.Expr, point: Mapping[str, Fraction], digits: int) -> mpf:
    """The value at a rational point, computed with so many digits."""
    with mp.workdps(digits):
        return +_Evaluation(point, digits).value(expression)


class _Evaluation:
    def __init__(self, point: Mapping[str, Fraction], digits: int) -> None:
        self._point = {name: mpf(value.numerator) / value.denominator for name, value in point.items()}
        self._zero = mpf(10) ** -(digits - 15)
        self._memo: dict[sp.Basic, mpf] = {}

    def value(self, node: sp.Basic) -> mpf:
        if node not in self._memo:
            self._memo[node] = self._compute(node)
        return self._memo[node]

    def _sign(self, first: mpf, second: mpf) -> int:
        """The sign of first - second; what differs by rounding only is equal."""
        if abs(first - second) <= self._zero * max(1, abs(first), abs(second)):
            return 0
        return 1 if first > second else -1

    def _truth(self, condition: sp.Basic) -> bool:
        if isinstance(condition, BooleanAtom):
            return bool(condition)
        if isinstance(condition, Relational):
            return COMPARISONS[condition.func](self._sign(self.value(condition.lhs), self.value(condition.rhs)))
        if isinstance(condition, sp.ITE):
            return self._truth(condition.args[1] if self._truth(condition.args[0]) else condition.args[2])
        if isinstance(condition, sp.Not):
            return not self._truth(condition.args[0])
        if isinstance(condition, sp.And):
            return all(self._truth(part) for part in condition.args)
        if isinstance(condition, sp.Or):
            return any(self._truth(part) for part in condition.args)
        raise TypeError(f"a condition of another kind: {condition}")

    def _compute(self, node: sp.Basic) -> mpf:
        if isinstance(node, sp.Rational):
            return mpf(int(node.p)) / int(node.q)
        if isinstance(node, sp.Symbol):
            return self._point[node.name]
        if node is sp.pi:
            return +mp.pi
        if node is sp.E:
            return mp.exp(1)
        if isinstance(node, sp.Piecewise):
            for value, condition in node.args:
                if self._truth(condition):
                    return self.value(value)
            raise NoValueError(node)
        arguments = [self.value(argument) for argument in node.args]
        if isinstance(node, sp.Add):
            return self._sum(node, arguments)
        if isinstance(node, sp.Mul):
            return mp.fprod(arguments)
        if isinstance(node, sp.Pow):
            return self._power(node, *arguments)
        if isinstance(node, sp.log):
            if abs(arguments[0]) <= self._zero:
                raise UnclearError(node)
            if arguments[0] < 0:
                raise NoValueError(node)
            return mp.log(arguments[0])
        if isinstance(node, sp.Max | sp.Min):
            return max(arguments) if isinstance(node, sp.Max) else min(arguments)
        if isinstance(node, sp.Abs):
            return abs(arguments[0])
        if isinstance(node, sp.sign):
            return mpf(self._sign(arguments[0], mpf(0)))
        if abs(arguments[0]) > LARGEST_ARGUMENT:
            return self._beyond(node, arguments[0])
        return FUNCTIONS[node.func](arguments[0])

    def _sum(self, node: sp.Basic, terms: list[mpf]) -> mpf:
        """A sum, unless large terms cancel so far that no digit of it is right."""
        total, largest = mp.fsum(terms), max(abs(term) for term in terms)
        if largest > LARGEST_TERM and abs(total) <= self._zero * largest:
            raise UnclearError(node)
        return total

    def _beyond(self, node: sp.Basic, argument: mpf) -> mpf:
        """A function of a large argument, as far as it is bounded."""
        if isinstance(node, sp.erf | sp.tanh):  # 1 but for digits far beyond any that are looked at
            return mp.sign(argument)
        if isinstance(node, sp.atan | sp.asinh) or (isinstance(node, sp.sin | sp.cos) and abs(argument) < 10**40):
            return FUNCTIONS[node.func](argument)
        raise UnclearError(node)

    def _power(self, node: sp.Basic, base: mpf, exponent: mpf) -> mpf:
        written = node.args[1]
        if isinstance(written, sp.Integer):
            if written < 0 and self._sign(base, mpf(0)) == 0 and abs(base) <= self._zero:
                raise NoValueError(node)
            return base ** int(written)
        if abs(base) <= self._zero and isinstance(written, sp.Rational) and written > 0:
            return mpf(0)
        if abs(base) <= self._zero and (base <= 0 or exponent <= 0):
            raise UnclearError(node)
        if base < 0:
            raise NoValueError(node)
        if abs(exponent * mp.log(base)) > LARGEST_ARGUMENT:
            raise UnclearError(node)
        return base**exponent
