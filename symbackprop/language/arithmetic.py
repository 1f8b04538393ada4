"""Arithmetic of trees: sums and products as one would write them, with signs in front and without zeros and ones."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symbackprop.language import tree as t

ZERO, ONE = t.Number(Fraction(0)), t.Number(Fraction(1))


def indicator(condition: t.Condition, node: t.Node) -> t.Where:
    """1 where a condition holds and 0 elsewhere, at the place of a node.

    >>> indicator(t.Compare("==", t.Name("i"), t.Name("j")), t.Name("i")).otherwise.value
    Fraction(0, 1)
    """
    return t.Where(condition, ONE, ZERO, line=node.line, column=node.column)


def multiply(factors: Sequence[tuple[str, t.Expression]]) -> t.Expression:
    """A product of factors with `*` or `/` before each; ones are left out and signs stand in front.

    >>> multiply([("*", ONE), ("*", t.Name("a")), ("/", t.Name("N"))]).operators
    ('/',)
    """
    operands: list[t.Expression] = []
    operators: list[str] = []
    negative = False
    for operator, factor in factors:
        if isinstance(factor, t.Negate):
            negative, factor = not negative, factor.operand
        parts: list[tuple[str, t.Expression]] = [(operator, factor)]
        if operator == "*" and isinstance(factor, t.Chain) and factor.operators[0] in "*/":
            parts = list(zip(("*", *factor.operators), factor.operands, strict=True))
        for sign, part in parts:
            if part == ONE:
                continue
            if sign == "/" and not operands:
                operands, operators = [ONE], ["*"]
            operands.append(part)
            operators.append(sign)
    if not operands:
        operands, operators = [ONE], ["*"]
    value = operands[0]
    if len(operands) > 1:
        value = t.Chain(tuple(operands), tuple(operators[1:]), line=value.line, column=value.column)
    return t.Negate(value, line=value.line, column=value.column) if negative else value


def add(addends: Sequence[tuple[str, t.Expression]]) -> t.Expression:
    """A sum of addends with `+` or `-` before each; sums in it are taken apart.

    >>> add([("-", t.Name("a")), ("-", t.Negate(t.Name("b")))]).operators
    ('+',)
    """
    operands: list[t.Expression] = []
    signs: list[str] = []
    for sign, addend in addends:
        parts: list[tuple[str, t.Expression]] = [("+", addend)]
        if isinstance(addend, t.Chain) and addend.operators[0] in "+-":
            parts = list(zip(("+", *addend.operators), addend.operands, strict=True))
        for inner, part in parts:
            negative = (sign == "-") != (inner == "-")
            if isinstance(part, t.Negate):
                negative, part = not negative, part.operand
            if part == ZERO:
                continue
            operands.append(part)
            signs.append("-" if negative else "+")
    if not operands:
        return ZERO
    first = operands[0]
    if signs[0] == "-":
        first = t.Negate(first, line=first.line, column=first.column)
    if len(operands) == 1:
        return first
    return t.Chain((first, *operands[1:]), tuple(signs[1:]), line=first.line, column=first.column)
