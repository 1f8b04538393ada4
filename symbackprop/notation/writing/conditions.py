r"""Conditions on indices, set below a sum or as a bracket: \sum_{u=1}^{t}, \sum_{n : tok_n = v}, [j \le i]."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symbackprop.calculus.tensors import Tensor
from symbackprop.language.phrasing import affine_tree
from symbackprop.language.tree import (
    OPPOSITE,
    Access,
    And,
    Binder,
    Chain,
    Compare,
    Condition,
    Expression,
    Name,
    Negate,
    Node,
    Not,
    Number,
    Or,
    Reduce,
    Where,
    children,
    join_conditions,
    walk,
)  # fmt: skip

RELATIONS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne", "=": "="}
ONE = Number(Fraction(1), "1")
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def is_index_condition(condition: Condition, tensors: Mapping[str, Tensor]) -> bool:
    """Whether a condition speaks of indices, sizes and integer data only, and of no real number."""
    if isinstance(condition, And | Or):
        return all(is_index_condition(c, tensors) for c in condition.operands)
    if isinstance(condition, Not):
        return is_index_condition(condition.operand, tensors)
    return isinstance(condition, Compare) and all(_is_integer(s, tensors) for s in (condition.left, condition.right))


def _is_integer(tree: Node, tensors: Mapping[str, Tensor]) -> bool:
    match tree:
        case Number():
            return True
        case Name(name) | Access(name=name):
            return name not in tensors or tensors[name].range is not None
        case Chain(operands, operators):
            return "/" not in operators and all(_is_integer(o, tensors) for o in operands)
        case Negate(operand):
            return _is_integer(operand, tensors)
        case Reduce(operation="argmax"):
            return True
    return False


def split_condition(condition: Condition) -> list[Condition]:
    """The parts of a condition that all have to hold."""
    return [p for c in condition.operands for p in split_condition(c)] if isinstance(condition, And) else [condition]


def take_conditions(tree: Expression, tensors: Mapping[str, Tensor]) -> tuple[list[Condition], Expression]:
    """The conditions on indices under which a `where` or a product with one is not 0, and what it is there."""
    if isinstance(tree, Where) and is_zero(tree.then) and is_index_condition(tree.condition, tensors):
        tree = Where(negate(tree.condition), tree.otherwise, tree.then)
    if isinstance(tree, Where) and is_zero(tree.otherwise):
        parts = split_condition(tree.condition)
        own = [c for c in parts if is_index_condition(c, tensors)]
        others = [c for c in parts if c not in own]
        if not own:
            return [], tree
        more, inner = take_conditions(tree.then, tensors)
        return own + more, replace(tree, condition=join_conditions(others), then=inner) if others else inner
    if not isinstance(tree, Chain) or set(tree.operators) - {"*", "/"}:
        return [], tree
    found: list[Condition] = []
    kept: list[tuple[str, Expression]] = []
    for operator, operand in zip(("*", *tree.operators), tree.operands, strict=True):
        own, inner = take_conditions(operand, tensors) if operator == "*" else ([], operand)
        found += own
        if not own or inner != ONE:
            kept.append((operator, inner))
    if not found:
        return [], tree
    if not kept or kept[0][0] != "*":
        kept.insert(0, ("*", ONE))
    if len(kept) == 1:
        return found, kept[0][1]
    return found, Chain(tuple(inner for _, inner in kept), tuple(operator for operator, _ in kept[1:]))


def is_zero(tree: Expression) -> bool:
    """Whether a tree is the literal 0."""
    return isinstance(tree, Number) and tree.value == 0


def negate(condition: Condition) -> Condition:
    """The opposite of a condition."""
    if isinstance(condition, Compare) and condition.operator in OPPOSITE:
        return replace(condition, operator=OPPOSITE[condition.operator])
    return condition.operand if isinstance(condition, Not) else Not(condition)


def find_range(index: Binder | str, body: Node, tensors: Mapping[str, Tensor]) -> Expression | None:
    """The size that an index runs to: the one written, else that of an axis on which it stands alone."""
    if isinstance(index, Binder) and index.range is not None:
        return index.range
    name = index.name if isinstance(index, Binder) else index
    for node, _ in walk(body):
        if isinstance(node, Access) and node.name in tensors:
            for place, axis in zip(node.indices, tensors[node.name].axes, strict=False):
                if place == Name(name):
                    return affine_tree(axis)
    return None


def mentions(tree: Node, name: str) -> bool:
    """Whether a name stands free in a tree."""
    if isinstance(tree, Name):
        return tree.name == name
    if isinstance(tree, Reduce) and any(b.name == name for b in tree.binders):
        return False
    return any(mentions(child, name) for child in children(tree))


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one sum, from the greatest of `low` to the least of `high`, and the conditions that are no limit.

    Without `high` nothing says how far the index runs.
    """

    low: tuple[Expression, ...]
    high: tuple[Expression, ...]
    conditions: tuple[Condition, ...]


def find_limits(binder: Binder, body: Node, conditions: Sequence[Condition], tensors: Mapping[str, Tensor]) -> Limits:
    """The limits of a sum over an index of `body` where conditions hold."""
    size = find_range(binder, body, tensors)
    low, high = list[Expression](), list[Expression]()
    left = list[Condition]()
    for condition in conditions:
        bound = _read_bound(condition, binder.name)
        if bound is None or size is None:
            left.append(condition)
        else:
            (high if bound[0] == "<=" else low).append(bound[1])
    if not any(map(_is_positive, low)):
        low.insert(0, ONE)
    if size is not None and not any(_is_at_most(h, size, body, tensors) for h in high):
        high.append(size)
    return Limits(tuple(low), tuple(high), tuple(left))


def _read_bound(condition: Condition, name: str) -> tuple[str, Expression] | None:
    """What an index alone is compared with: ("<=", end) or (">=", end)."""
    if not isinstance(condition, Compare):
        return None
    sides = ((condition.left, condition.operator, condition.right),
             (condition.right, MIRRORED[condition.operator], condition.left))  # fmt: skip
    for own, operator, other in sides:
        if own == Name(name) and operator in ("<=", ">=") and not mentions(other, name):
            return operator, other
    return None


def _is_positive(tree: Expression) -> bool:
    """Whether an integer form is at least 1: an index or a size, to which something may be added."""
    if isinstance(tree, Number):
        return tree.value >= 1
    if isinstance(tree, Chain) and set(tree.operators) == {"+"}:
        return all(_is_positive(o) for o in tree.operands)
    return isinstance(tree, Name)


def _is_at_most(tree: Expression, size: Expression, body: Node, tensors: Mapping[str, Tensor]) -> bool:
    """Whether a form is at most a size: an index of that size or the size itself, from which something may be taken."""
    if isinstance(tree, Chain) and set(tree.operators) == {"-"}:
        first, *others = tree.operands
        return all(_is_positive(o) for o in others) and _is_at_most(first, size, body, tensors)
    return tree == size or (isinstance(tree, Name) and find_range(tree.name, body, tensors) == size)


def write_conditions(
    conditions: Sequence[Condition], write: Callable[[Expression], str], joined: str = r" \text{ and } "
) -> str:
    """Conditions in LaTeX, `a <= b and b <= c` as a chain."""
    return joined.join(write_parts(conditions, write))


def write_parts(conditions: Sequence[Condition], write: Callable[[Expression], str]) -> list[str]:
    """Each condition in LaTeX, `a <= b and b <= c` as one."""
    parts: list[str] = []
    left = list(conditions)
    while left:
        first = left.pop(0)
        if isinstance(first, Compare) and first.operator in ("<", "<="):
            other = next((c for c in left if isinstance(c, Compare) and c.left == first.right), None)
            if other is not None and other.operator in ("<", "<="):
                left.remove(other)
                end = f"{RELATIONS[other.operator]} {write(other.right)}"
                parts.append(f"{_write_condition(first, write)} {end}")
                continue
            first = _strict(first)
        parts.append(_write_condition(first, write))
    return parts


def _strict(condition: Compare) -> Compare:
    """`t < T` for `t + 1 <= T`."""
    left = condition.left
    if (
        condition.operator != "<="
        or not isinstance(left, Chain)
        or (left.operators, left.operands[-1]) != (("+",), ONE)
    ):
        return condition
    return Compare("<", left.operands[0], condition.right)


def _write_condition(condition: Condition, write: Callable[[Expression], str]) -> str:
    match condition:
        case Compare(operator, left, right):
            return f"{write(left)} {RELATIONS[operator]} {write(right)}"
        case And():
            return write_conditions(split_condition(condition), write)
        case Or(operands):
            parts = [f"({write_conditions([c], write)})" if isinstance(c, And) else write_conditions([c], write)
                     for c in operands]  # fmt: skip
            return r" \text{ or } ".join(parts)
        case Not(operand):
            return rf"\text{{not }} ({_write_condition(operand, write)})"
    raise TypeError(f"{type(condition).__name__} is no condition")
