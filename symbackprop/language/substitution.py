"""Names of indices in trees replaced by other expressions, and the index arithmetic that this leaves put in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from symbackprop.calculus.indices import choose_name
from symbackprop.language.spelling import number_tree
from symbackprop.language.tree import Access, Binder, Chain, Expression, Name, Negate, Node, Number, Reduce, walk


def substitute_names(
    node: Expression, values: Mapping[str, Expression], scope: frozenset[str] = frozenset()
) -> Expression:
    """The expression with names of indices replaced; an inner binder gives way where it would capture or hide one of
    `scope`.
    """
    return _expression(_substitute(node, dict(values), scope))


def _expression(node: Node) -> Expression:
    if not isinstance(node, Expression):
        raise TypeError(f"{type(node).__name__} is no expression")
    return node


def _substitute(node: Node, values: dict[str, Expression], scope: frozenset[str]) -> Node:
    if isinstance(node, Name):
        return values.get(node.name, node)
    if isinstance(node, Reduce):
        inner = {k: v for k, v in values.items() if k not in {b.name for b in node.binders}}
        incoming = {n.name for v in inner.values() for n, _ in walk(v) if isinstance(n, Name)}
        binders: list[Binder] = []
        for binder in node.binders:
            name = choose_name(binder.name, incoming | scope | {b.name for b in binders})
            if name != binder.name:
                inner[binder.name] = Name(name)
            binders.append(replace(binder, name=name))
        inside = scope | {b.name for b in binders}
        return Reduce(node.operation, tuple(binders), substitute_names(node.body, inner, inside))
    if isinstance(node, Access):
        return Access(node.name, tuple(_place(i, values, scope) for i in node.indices))
    changed: dict[str, Any] = {}
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        if isinstance(value, Node):
            changed[name] = _substitute(value, values, scope)
        elif isinstance(value, tuple) and value and isinstance(value[0], Node):
            changed[name] = tuple(_substitute(v, values, scope) for v in value)
    return replace(node, **changed) if changed else node


def _place(index: Expression | Binder, values: dict[str, Expression], scope: frozenset[str]) -> Expression:
    """What stands in the brackets of a read; its arithmetic is put in order where it changed."""
    placed = _expression(_substitute(index, values, scope))
    return placed if placed == index else tidy_form(placed)


def tidy_form(tree: Expression) -> Expression:
    """Integer arithmetic with equal parts collected, what is added before what is subtracted, the number last.

    >>> one = Number(Fraction(1), "1")
    >>> tidy_form(Chain((Chain((Name("t"), one), ("+",)), one), ("-",)))
    Name(name='t')
    """
    parts: dict[Expression, int] = {}
    constant = _collect(tree, 1, parts)
    left = [(c, part) for part, c in parts.items() if c > 0] + [(c, part) for part, c in parts.items() if c < 0]
    signed = [(c > 0, _times(abs(c), part)) for c, part in left]
    if constant or not signed:
        first = constant > 0 and not any(plus for plus, _ in signed)  # 3-p
        signed.insert(0 if first else len(signed), (constant >= 0, number_tree(Fraction(abs(constant)))))
    if not signed[0][0]:
        signed.insert(0, (True, number_tree(Fraction(0))))
    if len(signed) == 1:
        return signed[0][1]
    return Chain(tuple(part for _, part in signed), tuple("+" if plus else "-" for plus, _ in signed[1:]))


def _times(factor: int, part: Expression) -> Expression:
    return part if factor == 1 else Chain((number_tree(Fraction(factor)), part), ("*",))


def _collect(tree: Expression, factor: int, parts: dict[Expression, int]) -> int:
    """Add `factor` times a tree to the parts; what it adds to the number is returned."""
    if isinstance(tree, Number) and tree.value.denominator == 1:
        return factor * tree.value.numerator
    if isinstance(tree, Negate):
        return _collect(tree.operand, -factor, parts)
    if isinstance(tree, Chain) and tree.operators[0] in ("+", "-"):
        signs = (1, *(1 if operator == "+" else -1 for operator in tree.operators))
        return sum(_collect(o, factor * sign, parts) for sign, o in zip(signs, tree.operands, strict=True))
    if isinstance(tree, Chain) and set(tree.operators) <= {"*", "//", "%"}:
        return _collect_product(tree, factor, parts)
    parts[tree] = parts.get(tree, 0) + factor
    return 0


def _collect_product(tree: Chain, factor: int, parts: dict[Expression, int]) -> int:
    """The same for a product, a floor quotient or a remainder."""
    first, last = tree.operands[0], tree.operands[-1]
    if len(tree.operands) > 2:
        first = Chain(tree.operands[:-1], tree.operators[:-1])
    operator = tree.operators[-1]
    if operator == "*":
        for number, other in ((first, last), (last, first)):
            if (value := _integer(number)) is not None:
                return _collect(other, factor * value, parts)
    first, last = tidy_form(first), tidy_form(last)
    value, divisor = _integer(first), _integer(last)
    if operator != "*" and divisor:
        if value is not None:
            return factor * (value // divisor if operator == "//" else value % divisor)
        if divisor == 1:
            return _collect(first, factor, parts) if operator == "//" else 0
    tidy = Chain((first, last), (operator,))
    if isinstance(first, Chain) and first.operators[0] in ("*", "//", "%"):
        tidy = Chain((*first.operands, last), (*first.operators, operator))
    parts[tidy] = parts.get(tidy, 0) + factor
    return 0


def _integer(tree: Expression) -> int | None:
    return tree.value.numerator if isinstance(tree, Number) and tree.value.denominator == 1 else None
