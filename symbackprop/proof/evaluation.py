"""Rigorous evaluation of SymPy expressions at rational points, in ball arithmetic.

A value stays an exact rational as long as the operations are rational, so that conditions such as x <= 0 are decided
exactly; exp, log, roots and their like give a ball that certainly contains the value. A point where an expression has
no real value is told apart from one where the precision does not suffice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import log10

import sympy as sp
from flint import arb, ctx, fmpq
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import Boolean, BooleanAtom

from symbackprop.errors import UnsupportedError
from symbackprop.proof.numbers import name_of, read_float
from symbackprop.proof.verdict import Interval

Value = fmpq | arb
Point = Mapping[str, Fraction]

PRECISIONS = (64, 256, 1024)

# Rational powers larger than this (in bits) are rounded to a ball: an exact 0.8^100000 would only cost time.
_LARGEST_EXACT_BITS = 20_000

_BALL_FUNCTIONS: Mapping[type[sp.Basic], Callable[[arb], arb]] = {
    sp.exp: arb.exp, sp.log: arb.log, sp.erf: arb.erf, sp.erfc: arb.erfc,
    sp.sin: arb.sin, sp.cos: arb.cos, sp.tan: arb.tan, sp.cot: arb.cot, sp.sec: arb.sec, sp.csc: arb.csc,
    sp.asin: arb.asin, sp.acos: arb.acos, sp.atan: arb.atan,
    sp.sinh: arb.sinh, sp.cosh: arb.cosh, sp.tanh: arb.tanh, sp.coth: arb.coth, sp.sech: arb.sech, sp.csch: arb.csch,
    sp.asinh: arb.asinh, sp.acosh: arb.acosh, sp.atanh: arb.atanh,
}  # fmt: skip

_LARGEST_EXACT_EXPONENT = 100_000

# Of a higher degree a root is taken by exp and log.
_LARGEST_ROOT = 1_000

# exp(exp(exp 40)) would keep arb busy for ever; beyond 2^60 only functions that grow slowly are evaluated.
_LARGEST_ARGUMENT = 2**60
_SLOW_GROWING = (sp.log, sp.atan, sp.asinh)

EVALUATED_FUNCTIONS: tuple[type[sp.Basic], ...] = (
    *_BALL_FUNCTIONS, sp.Abs, sp.Max, sp.Min, sp.sign, sp.Heaviside, sp.Piecewise,
)  # fmt: skip


class UndefinedValueError(ArithmeticError):
    """The expression has no real value at this point; this is certain."""


class ImpreciseValueError(ArithmeticError):
    """The balls are too wide to say, at this precision."""


def evaluate(expression: sp.Expr, point: Point, precision: int = 64) -> Value:
    """The value of `expression` at `point` (name to rational), as a rational or a ball of `precision` bits.

    >>> import sympy as sp
    >>> x = sp.Symbol("x")
    >>> evaluate(x / (1 + x**2), {"x": Fraction(1, 2)})
    2/5
    >>> evaluate(sp.exp(x), {"x": Fraction(0)})
    1.00000000000000
    """
    with ctx.workprec(precision):
        return _Evaluation(point).value(expression)


def evaluate_in_turn(
    definitions: Mapping[sp.Symbol, sp.Expr], expressions: Sequence[sp.Expr], point: Point, precision: int = 64
) -> list[Value | None]:
    """The values of expressions that read named results, each defined by the point and those before it.

    What has no value, or none that is known, is None.

    >>> import sympy as sp
    >>> x, square = sp.symbols("x square")
    >>> evaluate_in_turn({square: x**2}, [square + x, 1 / (square - 4)], {"x": Fraction(2)})
    [6, None]
    """
    with ctx.workprec(precision):
        at = _Evaluation(point)
        for symbol, definition in definitions.items():
            at.define(symbol.name, definition)
        return [at.value_or_none(expression) for expression in expressions]


def evaluate_over(expression: sp.Expr, balls: Mapping[str, arb], precision: int = 64) -> Value:
    """A ball that contains every value of `expression` where each name has a value in its ball."""
    with ctx.workprec(precision):
        return _Evaluation(balls).value(expression)


def holds(condition: sp.Basic, point: Point, precision: int = 256) -> bool:
    """Whether a condition holds at a point; undefined and imprecise values raise."""
    with ctx.workprec(precision):
        return _Evaluation(point).truth(condition)


def satisfies(conditions: Sequence[tuple[sp.Expr, str]], point: Point, precision: int) -> bool:
    """Whether `expression R 0` holds at a point for each of several expressions, R being one of >, >=, =, !=.

    Undefined and imprecise values raise.
    """
    with ctx.workprec(precision):
        at = _Evaluation(point)  # in which equal parts of the expressions are evaluated once
        signs = ((sign_of_value(at.value(expression)), relation) for expression, relation in conditions)
        return all({">": s > 0, ">=": s >= 0, "=": s == 0, "!=": s != 0}[relation] for s, relation in signs)


def enclose(value: Value, digits: int = 12) -> Interval:
    """A value as an interval with decimal ends, rounded outward to `digits` significant digits.

    Raises ImpreciseValueError for a ball that would take too many digits.
    """
    if isinstance(value, fmpq):
        exact = Fraction(int(value.p), int(value.q))
        return Interval(exact, exact)
    with ctx.workprec(64 + 4 * digits):  # in which the ends are rounded
        lower, upper = _exact(value.lower()), _exact(value.upper())
    if lower == upper:
        return Interval(lower, upper)
    size = max(abs(lower), abs(upper))
    bits = size.denominator.bit_length() - size.numerator.bit_length()
    step = Fraction(10) ** -(digits + round(bits * log10(2)))
    return Interval(lower // step * step, -(-upper // step) * step)


def _exact(end: arb) -> Fraction:
    """An exact ball as the dyadic rational that it is."""
    mantissa, exponent = (int(part) for part in end.man_exp())
    if abs(exponent) > _LARGEST_EXACT_EXPONENT:
        raise ImpreciseValueError("the value is too large or too small to be written out")
    return Fraction(mantissa) * Fraction(2) ** exponent


class _Evaluation:
    """One evaluation at one point; equal subexpressions are evaluated once."""

    def __init__(self, point: Point | Mapping[str, arb]) -> None:
        self._values: dict[str, Value] = {
            name: fmpq(value.numerator, value.denominator) if isinstance(value, Fraction) else value
            for name, value in point.items()
        }
        self._memo: dict[sp.Basic, Value] = {}

    def define(self, name: str, expression: sp.Expr) -> None:
        """Let a name stand for a value, if there is one."""
        value = self.value_or_none(expression)
        if value is not None:
            self._values[name] = value

    def value_or_none(self, expression: sp.Expr) -> Value | None:
        """The value, if there is one and it is known."""
        try:
            return self.value(expression)
        except (ArithmeticError, UnsupportedError, KeyError):
            return None

    def value(self, expression: sp.Basic) -> Value:
        known = self._memo.get(expression)
        if known is None:
            known = self._memo[expression] = self._compute(expression)
        return known

    def truth(self, condition: sp.Basic) -> bool:
        if isinstance(condition, BooleanAtom):
            return bool(condition)
        if isinstance(condition, sp.And):
            return all(self.truth(part) for part in condition.args)
        if isinstance(condition, sp.Or):
            return any(self.truth(part) for part in condition.args)
        if isinstance(condition, sp.Not):
            return not self.truth(condition.args[0])
        if isinstance(condition, sp.ITE):
            return self.truth(condition.args[1] if self.truth(condition.args[0]) else condition.args[2])
        if isinstance(condition, Relational):
            sign = sign_of_value(self.value(condition.lhs) - self.value(condition.rhs))
            return relation_holds(condition, sign)
        raise UnsupportedError(f"the condition {condition} cannot be evaluated; write it with <, <=, ==, and, or, not")

    def _compute(self, expression: sp.Basic) -> Value:
        if isinstance(expression, sp.Rational):
            return fmpq(int(expression.p), int(expression.q))
        if isinstance(expression, sp.Symbol | sp.Indexed):
            return self._values[name_of(expression)]
        if isinstance(expression, sp.Float):
            rational = read_float(expression)
            return fmpq(rational.numerator, rational.denominator)
        if expression is sp.pi:
            return arb.pi()
        if expression is sp.E:
            return arb(1).exp()
        if expression in (sp.zoo, sp.nan):
            raise UndefinedValueError("a division by zero")
        if isinstance(expression, sp.Add):
            total: Value = fmpq(0)
            for term in expression.args:
                total = total + self.value(term)
            return _finite(total)
        if isinstance(expression, sp.Mul):
            product: Value = fmpq(1)
            for factor in expression.args:
                product = product * self.value(factor)
            return _finite(product)
        if isinstance(expression, sp.Pow):
            return self._power(expression)
        if isinstance(expression, sp.Piecewise):
            return self._piece(expression)
        return self._apply(expression)

    def _apply(self, expression: sp.Basic) -> Value:
        function = expression.func
        arguments = [self.value(argument) for argument in expression.args]
        if function in _BALL_FUNCTIONS:
            argument = _ball(arguments[0])
            if _outside_domain(function, argument):
                raise UndefinedValueError(f"{function.__name__} of {argument}")
            if function not in _SLOW_GROWING and not abs(argument) < _LARGEST_ARGUMENT:
                raise ImpreciseValueError("the argument is too large for a ball of its exponential")
            return _finite(_BALL_FUNCTIONS[function](argument))
        if function is sp.Abs:
            return arguments[0] if sign_of_value(arguments[0]) >= 0 else -arguments[0]
        if function in (sp.Max, sp.Min):
            best = arguments[0]
            for other in arguments[1:]:
                if (sign_of_value(other - best) > 0) == (function is sp.Max):
                    best = other
            return best
        if function in (sp.sign, sp.Heaviside):
            sign = sign_of_value(arguments[0])
            if function is sp.sign:
                return fmpq(sign)
            return fmpq(1) if sign > 0 else fmpq(0) if sign < 0 else arguments[1]
        raise UnsupportedError(f"{function.__name__} cannot be evaluated; write it in exp, log, sqrt, sin, cos, erf")

    def _piece(self, expression: sp.Basic) -> Value:
        for pair in expression.args:
            assert isinstance(pair, ExprCondPair)
            if self.truth(pair.cond):
                return self.value(pair.expr)
        raise UndefinedValueError("no branch applies")

    def _power(self, expression: sp.Basic) -> Value:
        base, exponent = self.value(expression.args[0]), expression.args[1]
        if isinstance(exponent, sp.Integer):
            return _integer_power(base, int(exponent))
        if isinstance(exponent, sp.Float):
            rational = read_float(exponent)
            exponent = sp.Rational(rational.numerator, rational.denominator)
        if isinstance(exponent, sp.Integer):
            return _integer_power(base, int(exponent))
        sign = sign_of_value(base)
        if sign < 0:
            raise UndefinedValueError(f"a real power of the negative number {base}")
        if sign == 0:
            if isinstance(exponent, sp.Rational) and exponent.p > 0:
                return fmpq(0)
            raise UndefinedValueError("zero to a power that is not a positive number")
        if isinstance(exponent, sp.Rational):
            if exponent.q == 2:
                return _finite(_ball(base).sqrt() ** int(exponent.p))
            if max(abs(exponent.p), exponent.q) <= _LARGEST_ROOT:
                return _finite(_ball(base).root(int(exponent.q)) ** int(exponent.p))
        logarithm = _ball(base).log() * _ball(self.value(exponent))
        if not abs(logarithm) < _LARGEST_ARGUMENT:
            raise ImpreciseValueError("the power is too large for a ball")
        return _finite(logarithm.exp())


def _outside_domain(function: type[sp.Basic], argument: arb) -> bool:
    """Whether a function of a real argument certainly has no real value."""
    if function is sp.log:
        return bool(argument < 0) or _is_zero(argument)
    if function in (sp.asin, sp.acos):
        return bool(abs(argument) > 1)
    if function is sp.atanh:
        return bool(abs(argument) > 1) or _is_zero(abs(argument) - 1)
    if function in (sp.cot, sp.csc, sp.coth, sp.csch):
        return _is_zero(argument)
    return function is sp.acosh and bool(argument < 1)


def _ball(value: Value) -> arb:
    """The value as a ball."""
    return value if isinstance(value, arb) else arb(value)


def _is_zero(value: Value) -> bool:
    """Whether the value is certainly 0."""
    return bool(value == 0)


def _finite(value: Value) -> Value:
    """The value, if its ball is finite."""
    if isinstance(value, arb) and not value.is_finite():
        raise ImpreciseValueError("the ball is not finite")
    return value


def _integer_power(base: Value, exponent: int) -> Value:
    """base^exponent for a whole exponent, exact where that stays small."""
    if exponent < 0 and _is_zero(base):
        raise UndefinedValueError("division by zero")
    if isinstance(base, fmpq):
        if abs(exponent) * base.height_bits() <= _LARGEST_EXACT_BITS:
            return base**exponent
        base = arb(base)
    return _finite(base**exponent)


def sign_of_value(value: Value) -> int:
    """-1, 0 or 1; a ball that contains 0 without being 0 is imprecise."""
    if value > 0:
        return 1
    if value < 0:
        return -1
    if value == 0:
        return 0
    raise ImpreciseValueError("the sign cannot be told")


def relation_holds(relation: Boolean, sign: int) -> bool:
    """Whether `left R right` holds, given the sign of left - right.

    >>> import sympy as sp
    >>> relation_holds(sp.Symbol("x") <= 1, 0)
    True
    """
    if isinstance(relation, sp.Gt):
        return sign > 0
    if isinstance(relation, sp.Ge):
        return sign >= 0
    if isinstance(relation, sp.Lt):
        return sign < 0
    if isinstance(relation, sp.Le):
        return sign <= 0
    if isinstance(relation, sp.Eq):
        return sign == 0
    if isinstance(relation, sp.Ne):
        return sign != 0
    raise UnsupportedError(f"the relation {relation} is not one of <, <=, >, >=, ==, !=")
