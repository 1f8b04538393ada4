"""Signs that an expression shows as it is written: sums of squares, exponentials and positive numbers."""

from __future__ import annotations

import sympy as sp

from symbackprop.proof.facts import Fact


def holds_plainly(fact: Fact) -> bool:
    """Whether a condition can be seen to hold wherever its expression has a value.

    >>> x = sp.Symbol("x", real=True)
    >>> [holds_plainly(Fact(each, ">")) for each in (x**2 + 1, x**2, x + 1)]
    [True, False, False]
    """
    sign = _plain_sign(fact.expression)
    return (sign == ">" and fact.relation != "=") or (sign == ">=" and fact.relation == ">=")


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
