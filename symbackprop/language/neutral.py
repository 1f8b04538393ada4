"""Numbers that change nothing, left where a setting was filled into a formula."""

from __future__ import annotations

from symbackprop.language.tree import AnyNode, Chain, Expression, Node, Number, Power, map_children

NEUTRAL = {"+": 0, "-": 0, "*": 1, "/": 1}


def drop_neutral(node: AnyNode) -> AnyNode:
    """A statement or expression in which x stands for 1*x, x/1, x + 0, x^1 and the like.

    >>> from symbackprop.language.reader import read_expression
    >>> from symbackprop.language.writer import write_tree
    >>> write_tree(drop_neutral(read_expression("1*abs(r) - 1^2/2 + 0 + u^1/1")))
    'abs(r) - 1^2/2 + u'
    >>> write_tree(drop_neutral(read_expression("0 - x + 1/y + (1 + i - 0)//1")))
    '0 - x + 1/y + (1 + i)//1'
    """
    changed = _drop(node)
    assert isinstance(changed, type(node)) or isinstance(node, Expression)
    return changed  # type: ignore[return-value]


def _drop(node: Node) -> Node:
    changed = map_children(node, _drop)
    if isinstance(changed, Power) and _is_number(changed.exponent, 1):
        return changed.base
    return _shorten(changed) if isinstance(changed, Chain) else changed


def _shorten(chain: Chain) -> Expression:
    """A chain without its neutral parts; one that begins with such a part keeps it before a - or a /."""
    first, *rest = chain.operands
    pairs = zip(chain.operators, rest, strict=True)
    kept = [(sign, part) for sign, part in pairs if not (sign in NEUTRAL and _is_number(part, NEUTRAL[sign]))]
    while kept and kept[0][0] in "+*" and _is_number(first, NEUTRAL[kept[0][0]]):
        first, kept = kept[0][1], kept[1:]
    if not kept:
        return first
    return Chain((first, *(part for _, part in kept)), tuple(sign for sign, _ in kept))


def _is_number(node: Node, value: int) -> bool:
    return isinstance(node, Number) and node.value == value
