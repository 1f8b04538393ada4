"""Parts of formulas: what a formula is made of, and formulas made of parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

from symbackprop.functions import FUNCTION_BY_NAME
from symbackprop.language import tree as t
from symbackprop.language.spelling import number_tree


def multiply(left: t.Expression, right: t.Expression) -> t.Expression:
    """left * right."""
    return t.Chain((left, right), ("*",))


def divide(left: t.Expression, right: t.Expression) -> t.Expression:
    """left / right."""
    return t.Chain((left, right), ("/",))


def add_term(left: t.Expression, right: t.Expression) -> t.Expression:
    """left + right."""
    if isinstance(right, t.Negate):
        return t.Chain((left, right.operand), ("-",))
    return t.Chain((left, right), ("+",))


def without(node: t.Chain, k: int) -> t.Expression:
    """A chain with one operand less."""
    if len(node.operands) == 2:
        operator = node.operators[0]
        if k:
            return node.operands[0]
        if operator == "-":
            return t.Negate(node.operands[1])
        return divide(number_tree(Fraction(1)), node.operands[1]) if operator == "/" else node.operands[1]
    if k:
        return t.Chain((*node.operands[:k], *node.operands[k + 1 :]), (*node.operators[: k - 1], *node.operators[k:]))
    first = node.operators[0]
    rest, operators = node.operands[1:], node.operators[1:]
    if first in "-/":
        unit = number_tree(Fraction(0 if first == "-" else 1))
        return t.Chain((unit, *rest), node.operators)
    return t.Chain(rest, operators)


def bracket(node: t.Node, text: str) -> str:
    """A text as a divisor."""
    return f"({text})" if isinstance(node, t.Chain | t.Negate) else text


def tensors_of(node: t.Node) -> list[str]:
    """The tensors that are read in a formula, outside of brackets."""
    found: dict[str, None] = {}
    waiting = [node]
    while waiting:
        current = waiting.pop(0)
        if isinstance(current, t.Access | t.Name):
            found[current.name] = None
        else:
            waiting += [c for c in t.children(current) if not isinstance(c, t.Binder)]
    return list(found)


def read_instead(node: t.Expression, name: str, other: str) -> t.Expression:
    """The formula with one tensor read in place of another."""
    return _read_by(node, {name: other})


def exchange_names(node: t.Expression, first: str, second: str) -> t.Expression:
    """The formula with two tensors read in each other's place."""
    return _read_by(node, {first: second, second: first})


def _read_by(node: t.Expression, names: Mapping[str, str]) -> t.Expression:
    def change(part: t.Node) -> t.Node:
        if isinstance(part, t.Access | t.Name) and part.name in names:
            return replace(part, name=names[part.name])
        return part if isinstance(part, t.Access) else t.map_children(part, change)

    changed = change(node)
    assert isinstance(changed, t.Expression)
    return changed


def exchange_letters(node: t.Node, letters: Mapping[str, str]) -> t.Node:
    """The formula or condition with letters exchanged; nothing changes where one of them is bound inside."""
    bound = {b.name for part, _ in t.walk(node) if isinstance(part, t.Reduce) for b in part.binders}
    if bound & {*letters, *letters.values()}:
        return node

    def change(part: t.Node) -> t.Node:
        if isinstance(part, t.Name) and part.name in letters:
            return replace(part, name=letters[part.name])
        return t.map_children(part, change)

    return change(node)


def letters_of(node: t.Node, known: frozenset[str]) -> frozenset[str]:
    """The free letters of a formula, in which the names of tensors, sizes and constants are known."""

    def free(part: t.Node) -> frozenset[str]:
        if isinstance(part, t.Name):
            return frozenset() if part.name in known or part.name == "pi" else frozenset({part.name})
        inner = frozenset().union(*map(free, t.children(part)))
        return inner - {b.name for b in part.binders} if isinstance(part, t.Reduce) else inner

    return free(node)


def list_parts(tree: t.Expression) -> tuple[t.Expression, ...]:
    """Every formula in a formula but numbers, and but what stands in brackets."""
    found: dict[t.Expression, None] = {}
    waiting: list[t.Node] = [tree]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, t.Expression) and not isinstance(node, t.Number):
            found[node] = None
        if not isinstance(node, t.Access | t.Binder):
            waiting += t.children(node)
    return tuple(found)


def list_factors(tree: t.Node) -> tuple[t.Expression, ...]:
    """What is multiplied or divided by anywhere in a formula; two factors as one, too."""
    found: dict[t.Expression, None] = {}
    for node, _ in t.walk(tree):
        if isinstance(node, t.Chain) and node.operators[0] in "*/":
            plain = [o for o, op in zip(node.operands, ("*", *node.operators), strict=True) if op == "*"]
            found.update(dict.fromkeys(plain))
            if len(plain) > 2:
                found.update(dict.fromkeys(t.Chain(pair, ("*",)) for pair in combinations(plain, 2)))
            divisors = [o for o, op in zip(node.operands, ("*", *node.operators), strict=True) if op == "/"]
            found.update(dict.fromkeys(divisors))
    return tuple(f for f in found if not isinstance(f, t.Number))


def list_masks(tree: t.Node) -> tuple[t.Expression, ...]:
    """The regions that the choices of a formula tell apart, each as 1 inside and 0 outside."""
    found: dict[t.Expression, None] = {}
    one, zero = number_tree(Fraction(1)), number_tree(Fraction(0))
    for node, _ in t.walk(tree):
        if isinstance(node, t.Where):
            for region in _regions(node):
                found[t.Where(region[0] if len(region) == 1 else t.And(region), one, zero)] = None
    return tuple(found)


def _regions(node: t.Expression, before: tuple[t.Condition, ...] = ()) -> Iterator[tuple[t.Condition, ...]]:
    """The conditions under which each branch of a choice is taken, the choices in its branches included."""
    if not isinstance(node, t.Where):
        yield before
        return
    yield from _regions(node.then, (*before, node.condition))
    yield from _regions(node.otherwise, (*before, opposite(node.condition)))


def opposite(condition: t.Condition) -> t.Condition:
    """The condition that holds just where another one does not."""
    match condition:
        case t.Compare(operator=operator):
            return replace(condition, operator=t.OPPOSITE[operator])
        case t.Not(operand=inner):
            return inner
        case t.And(operands=operands):
            return t.Or(tuple(map(opposite, operands)))
        case t.Or(operands=operands):
            return t.And(tuple(map(opposite, operands)))
    return t.Not(condition)


def list_terms(tree: t.Node) -> tuple[t.Expression, ...]:
    """The terms of the sums in a formula, with their signs, and those of a factor with what stands around it."""
    found: dict[t.Expression, None] = {}
    for node, _ in t.walk(tree):
        found.update(dict.fromkeys(_addends(node)))
    if isinstance(tree, t.Chain) and tree.operators[0] in "*/":
        for k, operand in enumerate(tree.operands):
            for part in _addends(operand):
                inner = part.operand if isinstance(part, t.Negate) else part
                whole = replace(tree, operands=(*tree.operands[:k], inner, *tree.operands[k + 1 :]))
                found[t.Negate(whole) if isinstance(part, t.Negate) else whole] = None
    return tuple(found)


def _addends(node: t.Node) -> list[t.Expression]:
    """The operands of a sum, negated where they are subtracted."""
    if not isinstance(node, t.Chain) or node.operators[0] not in "+-":
        return []
    return [o if op == "+" else t.Negate(o) for o, op in zip(node.operands, ("+", *node.operators), strict=True)]


def sum_over(tree: t.Expression, letter: str, operation: str = "sum") -> t.Expression:
    """The sum, or the mean, of a formula over a letter that is free in it."""
    return t.Reduce(operation, (t.Binder(letter),), tree)


def is_number(tree: t.Expression) -> bool:
    """Whether a formula is a literal, or the negative of one."""
    return isinstance(tree.operand if isinstance(tree, t.Negate) else tree, t.Number)


def list_functions(tree: t.Node) -> tuple[str, ...]:
    """The functions of one argument that a formula applies, adjoints aside."""
    found = (node for node, _ in t.walk(tree) if isinstance(node, t.Apply) and len(node.arguments) == 1)
    return tuple(dict.fromkeys(node.function for node in found if node.function in FUNCTION_BY_NAME))
