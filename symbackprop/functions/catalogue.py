"""The catalogue of scalar functions, and what follows from their definitions.

Every kinked function is defined by `where`, the choice between formulas that a condition decides. The derivative of
`where(c, a, b)` is `where(c, a', b')`, so the value of a derivative at a kink follows from the definition.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

import sympy

from symbackprop.functions.activations import ACTIVATIONS
from symbackprop.functions.elementary import ELEMENTARY

FUNCTIONS = (*ACTIVATIONS, *ELEMENTARY)
FUNCTION_BY_NAME = MappingProxyType({function.name: function for function in FUNCTIONS})


def expand_applications(expression: sympy.Expr) -> sympy.Expr:
    """The expression with every application of a catalogue function replaced by its definition.

    >>> expand_applications(FUNCTION_BY_NAME["silu"].formula(sympy.Symbol("u")))
    u/(1 + exp(-u))
    """
    found = applications(expression)
    while found:
        expression = expression.xreplace({a: FUNCTION_BY_NAME[a.func.__name__].formula(*a.args) for a in found})
        found = applications(expression)
    return expression


def applications(expression: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """The applications of catalogue functions in an expression that stand in no other one."""
    if isinstance(expression, sympy.core.function.AppliedUndef):
        return (expression,) if expression.func.__name__ in FUNCTION_BY_NAME else ()
    return tuple(dict.fromkeys(a for argument in expression.args for a in applications(argument)))


@cache
def derivative(name: str, place: int, count: int) -> tuple[tuple[sympy.Symbol, ...], sympy.Expr]:
    """The symbols of `count` arguments, and the derivative of a function by the one at `place`.

    >>> derivative("tanh", 0, 1)
    ((u0,), 1 - tanh(u0)**2)
    """
    symbols = tuple(sympy.Symbol(f"u{k}") for k in range(count))
    formula = expand_applications(FUNCTION_BY_NAME[name].formula(*symbols))
    return symbols, sympy.diff(formula, symbols[place])
