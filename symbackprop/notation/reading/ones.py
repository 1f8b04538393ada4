r"""Vectors of ones, \mathbf{1}, and identity matrices, I, which are as large as what they stand beside asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import EllipsisType

from symbackprop.calculus.indices import Affine
from symbackprop.errors import FormulaError
from symbackprop.functions import FUNCTION_BY_NAME
from symbackprop.language import tree as t
from symbackprop.language.matrix_grammar import Operation, Run, Sign
from symbackprop.language.matrix_shapes import SCALAR, Shape
from symbackprop.language.phrasing import affine_tree
from symbackprop.language.wording import fail
from symbackprop.notation.reading.syntax import Syntax

ONES, TURNED = t.Name("1"), Operation("'", (t.Name("1"),))
"""A column and a row of ones whose length is not known yet."""
IDENTITY = t.Name("1I")
"""The identity matrix whose size is not known yet."""
Partial = tuple[Affine | EllipsisType | None, Affine | EllipsisType | None]


def has_ones(tree: t.Expression) -> bool:
    return any(node in (ONES, IDENTITY) for node in _leaves(tree))


def _leaves(tree: t.Expression) -> Iterator[t.Expression]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.operands if isinstance(node, Operation | Run) else ()


def is_scalar(tree: t.Expression, shape_of: Callable[[t.Expression], Shape]) -> bool:
    """Whether a tree is a number; vectors of ones are none, however long they are."""
    return not has_ones(tree) and shape_of(tree) == SCALAR


def shape_with_ones(tree: t.Expression, shape_of: Callable[[t.Expression], Shape]) -> Partial:
    """The sizes that a tree says of itself where vectors of ones stand in it; `...` where it does not say one."""
    match tree:
        case t.Name("1"):
            return ..., None
        case Operation("'", (t.Name("1"),)):
            return None, ...
        case t.Name("1I"):
            return ..., ...
        case _ if not has_ones(tree):
            return shape_of(tree)
        case Operation("neg", (operand,)):
            return shape_with_ones(operand, shape_of)
        case Run(operands, signs) if all(sign.symbol == "*" for sign in signs):
            parts = [shape_with_ones(operand, shape_of) for operand in operands]
            parts = [part for part in parts if part != SCALAR]
            return parts[0][0], parts[-1][1]
        case Run(operands, signs) if all(sign.symbol in "+-" for sign in signs):
            return join_shapes([shape_with_ones(operand, shape_of) for operand in operands])
        case Operation(name, operands) if name in FUNCTION_BY_NAME:
            return join_shapes([shape_with_ones(operand, shape_of) for operand in operands])
    return ..., ...


def join_shapes(shapes: Sequence[Partial]) -> Partial:
    """What shapes of operands of one shape say together; a scalar says nothing."""
    told = [shape for shape in shapes if shape != SCALAR]
    rows, columns = (next((shape[k] for shape in told if shape[k] is not ...), ...) for k in (0, 1))
    return rows, columns


def with_ones(tree: t.Expression, shape: Shape, node: Syntax) -> t.Expression:
    """Ones in front are as long as the shape has rows, those behind as it has columns."""
    rows, columns = shape
    match tree:
        case t.Name("1") if rows is not None:
            return Operation("ones", (size_of(rows),), line=node.line, column=node.column)
        case Operation("'", (t.Name("1"),)) if columns is not None:
            ones = Operation("ones", (size_of(columns),), line=node.line, column=node.column)
            return Operation("'", (ones,), line=node.line, column=node.column)
        case t.Name("1I") if rows is not None and rows == columns:
            return Operation("eye", (size_of(rows),), line=node.line, column=node.column)
        case Operation("neg", (operand,)):
            return replace(tree, operands=(with_ones(operand, shape, node),))
        case Operation(name, operands) if name in FUNCTION_BY_NAME:
            return replace(tree, operands=tuple(with_ones(o, shape, node) if has_ones(o) else o for o in operands))
        case Run(operands, signs) if not any(
            s.symbol not in "+-*" and has_ones(o) for s, o in zip(signs, operands[1:], strict=True)
        ):
            return replace(tree, operands=tuple(with_ones(o, shape, node) if has_ones(o) else o for o in operands))
    raise unsized(tree, node)


def unsized(tree: t.Expression, node: Syntax) -> FormulaError:
    """The error for ones, or an identity, that nothing gives a size."""
    if IDENTITY in _leaves(tree):
        return fail(node, "an identity matrix I of unknown size", "I_{N}")
    return fail(node, r"a vector \mathbf{1} of unknown length", r"\mathbf{1}_{N}")


def size_of(size: Affine) -> t.Expression:
    """A size as a matrix expression."""

    def turned(node: t.Expression) -> t.Expression:
        if isinstance(node, t.Chain):
            operands = tuple(map(turned, node.operands))
            return Run(operands, tuple(Sign(operator) for operator in node.operators))
        return node

    return turned(affine_tree(size))
