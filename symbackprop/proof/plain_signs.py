"""Signs that an expression shows as it is written: sums of squares, exponentials and positive numbers."""

from __future__ import annotations

import sympy as sp

from symbackprop.calculus.costs import is_longer
from symbackprop.proof.factors import may_expand
from symbackprop.proof.facts import Fact

_LONGEST = 100  # operations of a condition that is brought over one bar


def holds_plainly(fact: Fact) -> bool:
    """Whether a condition can be seen to hold wherever its expression has a value.

    >>> x = sp.Symbol("x", real=True)
    >>> [holds_plainly(Fact(each, ">")) for each in (x**2 + 1, x**2, x + 1)]
    [True, False, False]
    """
    sign = _plain_sign(fact.expression)
    return (sign == ">" and fact.relation != "=") or (sign == ">=" and fact.relation == ">=")


def plain_parts(fact: Fact) -> tuple[Fact, ...]:
    """What a condition asks for, without what can be seen to hold: a quotient is not 0 where no factor above is.

    >>> x, y = sp.symbols("x y", real=True)
    >>> [each.text for each in plain_parts(Fact(x * sp.exp(y) / (y**2 + 1), "!="))]
    ['x != 0']
    """
    if holds_plainly(fact):
        return ()
    if is_longer(fact.expression, _LONGEST):
        return (fact,)
    if fact.relation != "!=":
        above, below = sp.fraction(sp.together(fact.expression))
        seen = _plain_sign(below) == ">" and may_expand(above) and holds_plainly(Fact(sp.expand(above), fact.relation))
        return () if seen else (fact,)
    found: dict[Fact, None] = {}
    for factor in sp.Mul.make_args(sp.factor_terms(sp.fraction(sp.together(fact.expression))[0])):
        base = factor.base if isinstance(factor, sp.Pow) and factor.exp.is_positive else factor
        turned = -base if base.as_coeff_Add()[1].could_extract_minus_sign() else base
        if not any(_plain_sign(each) == ">" for each in (turned, -turned)) and not turned.is_number:
            found[Fact(turned, "!=")] = None
    return tuple(found)


def fails_plainly(fact: Fact) -> bool:
    """Whether a condition with > can be seen to hold nowhere: -sqrt(x) > 0."""
    return fact.relation == ">" and _plain_sign(-fact.expression) != ""


def _plain_sign(expression: sp.Expr) -> str:
    """`>` or `>=` where that is plain, else nothing."""
    if expression.is_number and expression.is_real:
        return ">" if expression > 0 else ">=" if expression == 0 else ""
    if isinstance(expression, sp.exp):
        return ">"
    if isinstance(expression, sp.Pow) and expression.exp.is_Rational:
        sign = _plain_sign(expression.base)
        if expression.exp.q != 1:
            return sign if sign == ">" or expression.exp < 0 else ">="  # a real root is never negative
        if expression.exp < 0:
            return sign or (">" if expression.exp.is_even else "")
        return sign or (">=" if expression.exp.is_even else "")
    if not isinstance(expression, sp.Add | sp.Mul):
        return ""
    signs = [_plain_sign(argument) for argument in expression.args]
    if not all(signs):
        return ""
    strict = any if isinstance(expression, sp.Add) else all
    return ">" if strict(sign == ">" for sign in signs) else ">="
