"""Statements with other names: of tensors, of sizes and of indices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbackprop.language.spelling import number_tree
from symbackprop.language.substitution import tidy_form
from symbackprop.language.tree import (
    Access,
    AnyNode,
    Binder,
    Chain,
    Declaration,
    Expression,
    Name,
    Node,
    Number,
    map_children,
)


def rename(node: AnyNode, names: Mapping[str, Expression]) -> AnyNode:
    """A statement or expression with names replaced, and the arithmetic of sizes and places put in order.

    The name of a tensor or of an index becomes a name, that of a size any expression.

    >>> from symbackprop.language.reader import read_expression
    >>> from symbackprop.language.writer import write_tree
    >>> read = read_expression("sum(i, x[i]*w[i+1-1])")
    >>> write_tree(rename(read, {"x": Name("a1"), "i": Name("j")}))
    'sum(j, a1[j]*w[j])'
    """
    changed = _rename(node, names)
    assert isinstance(changed, type(node)) or isinstance(node, Name)
    return changed  # type: ignore[return-value]


def _rename(node: Node, names: Mapping[str, Expression]) -> Node:
    if isinstance(node, Name):
        return names.get(node.name, node)
    changed = map_children(node, lambda child: _rename(child, names))
    if isinstance(changed, Access | Binder | Declaration):
        other = names.get(changed.name)
        changed = replace(changed, name=other.name) if isinstance(other, Name) else changed
    if isinstance(changed, Access):
        return replace(changed, indices=tuple(i if isinstance(i, Binder) else tidy_form(i) for i in changed.indices))
    if isinstance(changed, Binder) and changed.range is not None:
        return replace(changed, range=tidy_form(changed.range))
    if isinstance(changed, Declaration):
        size = None if changed.range is None else tidy_form(changed.range)
        return replace(changed, axes=tuple(map(tidy_form, changed.axes)), range=size)
    return _join_numbers(changed) if isinstance(changed, Chain) and changed != node else changed


def _join_numbers(product: Chain) -> Expression:
    """A product that begins with two integers, `3*4*c`, with one in their place."""
    match product:
        case Chain((Number(a), Number(b), *rest), ("*", *operators)) if a.denominator == b.denominator == 1:
            number = number_tree(a * b)
            return _join_numbers(Chain((number, *rest), tuple(operators))) if rest else number
    return product
