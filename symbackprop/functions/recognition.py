"""Recognising the functions of the catalogue in an expression by their definitions."""

from __future__ import annotations

import itertools
from functools import cache

import sympy

from symbackprop.functions.catalogue import FUNCTIONS, expand_applications

ARGUMENT = sympy.Symbol("u")
MOST_ARGUMENTS = 4


@cache
def list_shapes() -> tuple[tuple[str, sympy.Expr], ...]:
    """The definitions of the smooth functions of one argument that are made of others, the largest first.

    A product such as u*sigmoid(u) is left out: its factors mix with those around it.
    """
    found = []
    for function in FUNCTIONS:
        if function.arity != 1 or function.inline:
            continue
        shape = expand_applications(function.formula(ARGUMENT))
        if shape.args != (ARGUMENT,) and shape.has(sympy.exp) and not shape.has(sympy.Piecewise) and not shape.is_Mul:
            found.append((function.name, shape))
    return tuple(sorted(found, key=lambda pair: -int(sympy.count_ops(pair[1]))))


def recognise(expression: sympy.Expr) -> tuple[str, sympy.Expr] | None:
    """The name and the argument of the catalogue function that an expression spells out, or None.

    >>> z = sympy.Symbol("z")
    >>> recognise(1 / (1 + sympy.exp(-2 * z)))
    ('sigmoid', 2*z)
    """
    for name, shape in list_shapes():
        argument = _match(shape, expression, None)
        if argument is not None:
            return name, argument
    return None


def _match(shape: sympy.Basic, expression: sympy.Basic, argument: sympy.Expr | None) -> sympy.Expr | None:
    """What u has to be for `shape` to be `expression`, given what it is already; None where it cannot be."""
    if not shape.has(ARGUMENT):
        return argument if shape == expression else None
    factor, rest = shape.as_coeff_Mul() if isinstance(shape, sympy.Expr) else (sympy.S.One, shape)
    if rest == ARGUMENT and isinstance(expression, sympy.Expr):
        found = expression / factor
        return found if argument in (None, found) else None
    if shape.func is not expression.func or len(shape.args) != len(expression.args):
        return None
    if not isinstance(shape, sympy.Add | sympy.Mul):
        return _match_all(shape.args, expression.args, argument)
    if len(shape.args) > MOST_ARGUMENTS:
        return None
    for order in itertools.permutations(expression.args):
        found = _match_all(shape.args, order, argument)
        if found is not None:
            return found
    return None


def _match_all(
    shapes: tuple[sympy.Basic, ...], expressions: tuple[sympy.Basic, ...], argument: sympy.Expr | None
) -> sympy.Expr | None:
    for shape, expression in zip(shapes, expressions, strict=True):
        found = _match(shape, expression, argument)
        if found is None and shape.has(ARGUMENT):
            return None
        if not shape.has(ARGUMENT) and shape != expression:
            return None
        argument = found
    return argument
