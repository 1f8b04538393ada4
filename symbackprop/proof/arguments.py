"""Comparisons of increasing functions are comparisons of their arguments: exp(x) > 1 is x > 0."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

# Increasing functions that are zero at zero.
_THROUGH_ZERO = (sp.tanh, sp.erf, sp.atan, sp.sinh, sp.asinh, sp.asin, sp.atanh)

_INVERSES: dict[type[sp.Basic], Callable[[sp.Expr], sp.Expr]] = {sp.exp: sp.log, sp.log: sp.exp}


def argument_of_sign(difference: sp.Expr) -> sp.Expr | None:
    """A simpler expression with the sign of `difference` wherever that has a value; None if none is known.

    >>> import sympy as sp
    >>> x, y = sp.symbols("x y", real=True)
    >>> argument_of_sign(sp.exp(x) - 1), argument_of_sign(2 * sp.tanh(x)), argument_of_sign(sp.log(y) - sp.log(x))
    (x, x, -x + y)
    >>> argument_of_sign(2 * sp.sqrt(x) - 6)
    x - 9
    """
    terms = sp.Add.make_args(difference)
    if len(terms) == 1:
        number, function = difference.as_coeff_Mul()
        if isinstance(function, _THROUGH_ZERO):
            return sp.sign(number) * function.args[0]
        if isinstance(function, sp.log):
            return sp.sign(number) * (function.args[0] - 1)
        return None
    if len(terms) != 2:
        return None
    (first, function), (second, other) = (term.as_coeff_Mul() for term in terms)
    if function is sp.S.One:
        (first, function), (second, other) = (second, other), (first, function)
    # first * f(a) + second * f(b) has the sign of first * (f(a) - level).
    level = -second * other / first
    if isinstance(function, sp.Pow) and function.exp == sp.S.Half and level.is_Rational:
        return None if level < 0 else sp.sign(first) * (function.base - level**2)
    inverse = _INVERSES.get(function.func)
    if inverse is None:
        return None
    if level.is_Rational:
        if function.func is sp.exp and level <= 0:
            return None
        return sp.sign(first) * (function.args[0] - inverse(level))
    if level.func is function.func:
        return sp.sign(first) * (function.args[0] - level.args[0])
    return None
