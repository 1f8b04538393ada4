"""Expressions put in place of slots, where conditions come to hold other choices: they are unfolded, never simplified.

SymPy simplifies such a condition as logic when a Piecewise is made of it, which takes minutes where choices are nested.
It brings every comparison to a form of its own, and turns some between two sums, such as y - x > x - z, round for ever.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy
from sympy.core.relational import Relational


def put_in(body: sympy.Expr, values: Mapping[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
    """The body with expressions in the place of its symbols.

    >>> s, x = sympy.symbols("s x", real=True)
    >>> positive = sympy.Piecewise((s, s > 0), (0, True))
    >>> put_in(positive, {s: positive.xreplace({s: x})}).args[0].cond
    x > 0
    """
    choices = body.atoms(sympy.Piecewise)
    conditions = {s for choice in choices for branch in choice.args for s in branch.cond.free_symbols}
    if not any(symbol in conditions and not value.is_Atom for symbol, value in values.items()):
        return body.xreplace(dict(values))
    found: sympy.Expr = _put_in(body, values)
    return found


def _put_in(node: sympy.Basic, values: Mapping[sympy.Symbol, sympy.Expr]) -> sympy.Basic:
    if node in values:
        return values[node]
    if not node.args:
        return node
    if isinstance(node, sympy.Piecewise):
        pairs = (tuple(_put_in(part, values) for part in branch.args) for branch in node.args)
        return sympy.Piecewise(*((value, settle(unfold(condition))) for value, condition in pairs))
    arguments = [_put_in(argument, values) for argument in node.args]
    return node.func(*arguments)


def unfold(condition: sympy.Basic) -> sympy.Basic:
    """A condition without choices between values: in each branch it is that of the value there."""
    if isinstance(condition, sympy.And | sympy.Or | sympy.Not):
        return condition.func(*map(unfold, condition.args))
    if not isinstance(condition, Relational) or not condition.has(sympy.Piecewise):
        return condition
    choice = next(node for node in sympy.preorder_traversal(condition) if isinstance(node, sympy.Piecewise))
    found, before = [], sympy.true
    for value, chosen in choice.args:
        inside = unfold(condition.xreplace({choice: value}))
        found.append(sympy.And(before, chosen, inside))
        before = sympy.And(before, sympy.Not(chosen))
    return sympy.Or(*found)


def settle(condition: sympy.Basic) -> sympy.Basic:
    """A condition in which no comparison has differences on both sides, whatever its names are.

    >>> x, y, z = sympy.symbols("x y z")
    >>> settle(y - x > x - z)
    -2*x + y + z > 0
    """
    if isinstance(condition, sympy.And | sympy.Or | sympy.Not):
        return condition.func(*map(settle, condition.args))
    if not isinstance(condition, Relational):
        return condition
    sums = [_sums_in(side) for side in condition.args]
    negative = any(part.as_coeff_Mul()[0].is_negative for parts in sums for part in parts)
    return condition.func(condition.lhs - condition.rhs, 0) if all(sums) and negative else condition


def _sums_in(side: sympy.Basic) -> list[sympy.Expr]:
    """The numbers before sums in a product, and what they are sums of: a sign can be drawn into it."""
    factors = [factor.as_base_exp()[0] for factor in sympy.Mul.make_args(side)]
    parts = [part for factor in factors if factor.is_Add for part in factor.args]
    return [side, *parts] if parts else []
