"""Integer forms: sizes, and what stands in the brackets of a read."""

from __future__ import annotations

from collections.abc import Callable

from symbackprop.calculus.indices import Affine, floor_divide, remainder
from symbackprop.errors import UnsaidShapeError
from symbackprop.language.tree import Chain, Expression, Name, Negate, Number
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree


def read_form(tree: Expression, read_leaf: Callable[[Expression], Affine], what: str) -> Affine:
    """The integer form that a tree is, its leaves read by `read_leaf`; `what` names it in errors."""
    if isinstance(tree, Number):
        if tree.value.denominator != 1:
            raise fail(tree, f"the number {write_tree(tree)} in {what}", "an integer")
        return Affine.of(int(tree.value))
    if isinstance(tree, Negate):
        return read_form(tree.operand, read_leaf, what) * -1
    if not isinstance(tree, Chain):
        return read_leaf(tree)
    total = read_form(tree.operands[0], read_leaf, what)
    for operator, operand in zip(tree.operators, tree.operands[1:], strict=True):
        total = _join(total, operator, read_form(operand, read_leaf, what), tree, what)
    return total


def _join(left: Affine, operator: str, right: Affine, tree: Expression, what: str) -> Affine:
    if operator in "+-":
        return left + right if operator == "+" else left - right
    if operator == "*":
        if right.integer is not None:
            return left * right.integer
        if left.integer is not None:
            return right * left.integer
        raise fail(tree, f"`{write_tree(tree)}` in {what}", "integer factors only, such as 2*i")
    if operator == "/":
        raise fail(tree, f"`/` in {what}", "`//`, the quotient rounded down")
    if right.indices or right.entries or (right.integer is not None and right.integer < 1):
        raise fail(tree, f"`{operator} {right}` in {what}", "a positive integer or a size to divide by")
    return floor_divide(left, right) if operator == "//" else remainder(left, right)


def read_size(tree: Expression) -> Affine:
    """The integer form of a size: `N`, `3`, `2*D`, `T+1`, `(H-R)//2+1`.

    >>> print(read_size(Chain((Name("D"), Name("E")), ("+",))))
    D+E
    """
    form = read_form(tree, _size_leaf, f"the size `{write_tree(tree)}`")
    if form.integer is not None and form.integer < 1:
        raise fail(tree, f"the size {form}", "a size of at least 1", kind=UnsaidShapeError)
    return form


def _size_leaf(tree: Expression) -> Affine:
    if isinstance(tree, Name) and tree.name != "pi":
        return Affine.of(tree.name)
    raise fail(tree, f"`{write_tree(tree)}` in a size", "an integer, a name or an integer form of them, such as 2*D+1")
