r"""Vectors of ones, \mathbf{1}, which are as long as what they stand beside asks for."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.calculus.indices import Affine
from symbackprop.language import tree as t
from symbackprop.language.matrix_grammar import Operation, Run, Sign
from symbackprop.language.matrix_shapes import Shape
from symbackprop.language.phrasing import affine_tree
from symbackprop.language.wording import fail
from symbackprop.notation.reading.syntax import Syntax

ONES, TURNED = t.Name("1"), Operation("'", (t.Name("1"),))
"""A column and a row of ones whose length is not known yet."""


def has_ones(tree: t.Expression) -> bool:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if node == ONES:
            return True
        waiting += node.operands if isinstance(node, Operation | Run) else ()
    return False


def with_ones(tree: t.Expression, shape: Shape, node: Syntax) -> t.Expression:
    """Ones in front are as long as the shape has rows, those behind as it has columns."""
    rows, columns = shape
    match tree:
        case t.Name("1") if rows is not None:
            return Operation("ones", (size_of(rows),), line=node.line, column=node.column)
        case Operation("'", (t.Name("1"),)) if columns is not None:
            ones = Operation("ones", (size_of(columns),), line=node.line, column=node.column)
            return Operation("'", (ones,), line=node.line, column=node.column)
        case Operation("neg", (operand,)):
            return replace(tree, operands=(with_ones(operand, shape, node),))
        case Run(operands, signs) if not any(
            s.symbol not in "+-*" and has_ones(o) for s, o in zip(signs, operands[1:], strict=True)
        ):
            return replace(tree, operands=tuple(with_ones(o, shape, node) if has_ones(o) else o for o in operands))
    raise fail(node, r"a vector \mathbf{1} of unknown length", r"\mathbf{1}_{N}")


def size_of(size: Affine) -> t.Expression:
    """A size as a matrix expression."""

    def turned(node: t.Expression) -> t.Expression:
        if isinstance(node, t.Chain):
            operands = tuple(map(turned, node.operands))
            return Run(operands, tuple(Sign(operator) for operator in node.operators))
        return node

    return turned(affine_tree(size))
