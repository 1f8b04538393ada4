"""Where an expression has a real value: the conditions that its denominators, roots and logarithms impose."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbackprop.proof.facts import Fact
from symbackprop.proof.normal_form import NormalForm

_SUFFICIENT = {">": ("+",), ">=": ("+", "+0"), "!=": ("+", "-", "!")}
_IMPOSSIBLE = {">": ("-", "-0"), ">=": ("-",), "!=": ()}


def conditions_of(*expressions: sp.Expr) -> tuple[Fact, ...]:
    """The conditions under which every part of smooth expressions has a value, innermost first.

    >>> import sympy as sp
    >>> x = sp.Symbol("x", real=True)
    >>> [fact.text for fact in conditions_of(sp.log(x) / (x - 1))]
    ['x != 1', 'x > 0']
    """
    conditions: dict[Fact, None] = {}
    seen: set[sp.Basic] = set()
    for expression in expressions:
        for node in _parts(expression, seen):
            conditions.update(dict.fromkeys(_conditions_at(node)))
    return tuple(conditions)


def _parts(node: sp.Basic, seen: set[sp.Basic]) -> Iterator[sp.Basic]:
    """What an expression is made of, innermost first, each part once; names and numbers have no conditions."""
    if not node.args or node in seen:
        return
    seen.add(node)
    for argument in node.args:
        yield from _parts(argument, seen)
    yield node


def _conditions_at(node: sp.Basic) -> Iterator[Fact]:
    if isinstance(node, sp.Pow):
        base, exponent = node.args
        if base.is_Number and base.is_positive:
            return
        if isinstance(exponent, sp.Integer):
            if exponent < 0:
                yield Fact(base, "!=")
        elif isinstance(exponent, sp.Rational) and exponent > 0:
            yield Fact(base, ">=")
        else:
            yield Fact(base, ">")
    elif isinstance(node, sp.log):
        yield Fact(node.args[0], ">")
    elif isinstance(node, sp.tan | sp.sec):
        yield Fact(sp.cos(node.args[0]), "!=")
    elif isinstance(node, sp.cot | sp.csc):
        yield Fact(sp.sin(node.args[0]), "!=")
    elif isinstance(node, sp.coth | sp.csch):
        yield Fact(node.args[0], "!=")
    elif isinstance(node, sp.asin | sp.acos):
        yield Fact(1 - node.args[0] ** 2, ">=")
    elif isinstance(node, sp.atanh):
        yield Fact(1 - node.args[0] ** 2, ">")
    elif isinstance(node, sp.acosh):
        yield Fact(node.args[0] - 1, ">=")


def learn_conditions(form: NormalForm, conditions: tuple[Fact, ...], label: int) -> list[Fact]:
    """Those conditions that do not follow from what the form knows; it knows them afterwards."""
    open_conditions = []
    for fact in conditions:
        sign = form.signs.of_quotient(form.convert(fact.expression))
        if sign not in _SUFFICIENT[fact.relation]:
            if fact.relation == ">" and sign == "+0":
                fact = Fact(fact.expression, "!=")  # a square fails to be positive only where it is zero
            if sign in _IMPOSSIBLE[fact.relation]:
                raise ArithmeticError(f"{fact.text} holds nowhere")
            open_conditions.append(fact)
            form.learn(fact, label)
    return open_conditions
