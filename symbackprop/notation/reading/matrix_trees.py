"""Trees of matrix expressions, as the reader of LaTeX puts them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from symbackprop.language import tree as t
from symbackprop.language.matrix_grammar import Operation, Run, Sign
from symbackprop.language.matrix_shapes import SCALAR, Shape
from symbackprop.language.wording import fail
from symbackprop.notation.reading.ones import has_ones
from symbackprop.notation.reading.syntax import Syntax, write_syntax


def whole_of(value: t.Expression, node: Syntax) -> t.Expression:
    """A whole tensor, or the adjoint of one."""
    place = {"line": node.line, "column": node.column}
    match value:
        case t.Apply("adj", arguments):
            return Operation("adj", arguments, False, **place)
        case t.Access():
            raise fail(node, f"an entry, `{write_syntax(node)}`, among whole matrices", "whole tensors")
    return replace(value, **place)


def sign_at(symbol: str, node: t.Node) -> Sign:
    """An operator that stands where a node does."""
    return Sign(symbol, line=node.line, column=node.column)


def run_of(operands: tuple[t.Expression, ...], signs: tuple[str, ...], node: t.Node) -> Run:
    """Operands in a row; a product in front is opened, because products are read from the left."""
    first = operands[0]
    if isinstance(first, Run) and first.signs[0].symbol not in ("+", "-", "//"):
        opened, before = first.operands, first.signs
    else:
        opened, before = (first,), ()
    marks = tuple(sign_at(sign, operand) for sign, operand in zip(signs, operands[1:], strict=True))
    return Run((*opened, *operands[1:]), (*before, *marks), line=node.line, column=node.column)


def without_adjoints(tree: t.Expression, shape_of: Callable[[t.Expression], Shape]) -> t.Expression:
    """The tree with what has the shapes of derivatives in place of these: a tensor for the adjoint of it, and the
    product of a column and a row for the derivative of a vector by another."""
    match tree:
        case Operation("adj", (inner,)):
            return inner
        case Operation("adj", (of, by)):
            if shape_of(of) == SCALAR:
                return by
            above = without_adjoints(of, shape_of)
            return above if shape_of(by) == SCALAR else run_of((above, Operation("'", (by,))), ("*",), tree)
        case Operation(_, operands) | Run(operands, _):
            return replace(tree, operands=tuple(without_adjoints(operand, shape_of) for operand in operands))
    return tree


def join_inner_products(
    factors: Sequence[t.Expression], shape_of: Callable[[t.Expression], Shape]
) -> Sequence[t.Expression]:
    """Factors in which x^T x behind a matrix is the number that it is, since A x^T alone is no product."""
    made: list[t.Expression] = []
    for factor in factors:
        row = shape_of(made[-1]) if len(made) > 1 and not has_ones(made[-1]) else SCALAR
        known = row[0] is None and row[1] is not None and not has_ones(factor) and not has_ones(made[-2])
        if known and shape_of(made[-2])[1] is not None and shape_of(factor) == (row[1], None):
            made[-1] = Run((made[-1], factor), (sign_at("*", factor),), line=made[-1].line, column=made[-1].column)
        else:
            made.append(factor)
    return made
