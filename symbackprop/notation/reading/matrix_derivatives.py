"""Derivatives of formulas of whole matrices by whole tensors, as trees: adj(norm2(X*w - y)^2, w)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symbackprop.errors import UnsupportedError
from symbackprop.language import tree as t
from symbackprop.language.matrix_grammar import Operation, walk_matrix
from symbackprop.language.matrix_shapes import SCALAR, Shape, axes_left
from symbackprop.language.matrix_text import write_matrix_tree
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree
from symbackprop.notation.reading.points import depends
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.syntax import Scripts, Symbol, Syntax, write_syntax
from symbackprop.notation.reading.vocabulary import Vocabulary

Variable = tuple[t.Name | t.Access, bool]
"""By what a formula is derived, and whether that is written with the sign of a transpose."""
ShapeOf = Callable[[t.Expression], Shape]


def derive_tree(
    value: t.Expression, by: tuple[Variable, ...], shape_of: ShapeOf, vocabulary: Vocabulary, node: Syntax
) -> t.Expression:
    r"""The derivative of a formula by one or two whole tensors, or parts of them; its own axes go first.

    By w^\top it is the transpose of that by w, but for a vector, whose Jacobian has one layout. A second derivative has
    the rows of what is not turned: \partial^2 f / (\partial w \, \partial u^\top).
    """
    (first, turned), *others = by
    if not others:
        made = _derive(value, first, shape_of, vocabulary, node)
        return Operation("'", (made,)) if turned and shape_of(value) == SCALAR and shape_of(made) != SCALAR else made
    ((second, again),) = others
    if SCALAR in (shape_of(first), shape_of(second)):
        scalar, other = by if shape_of(first) == SCALAR else by[::-1]
        return derive_tree(_derive(value, scalar[0], shape_of, vocabulary, node), (other,), shape_of, vocabulary, node)
    if turned and not again:
        first, second = second, first
    made = _derive(_derive(value, first, shape_of, vocabulary, node), second, shape_of, vocabulary, node)
    if first != second and turned == again:
        readings = (f"rows of {write_tree(first)}", f"rows of {write_tree(second)}")
        raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", readings,
                        rf"write \partial {write_tree(first)} \, \partial {write_tree(second)}^\top")  # fmt: skip
    return made


def _derive(
    value: t.Expression, by: t.Name | t.Access, shape_of: ShapeOf, vocabulary: Vocabulary, node: Syntax
) -> t.Expression:
    if not depends(value, {by.name}, vocabulary):
        raise fail(node, f"the derivative by {write_tree(by)} of {write_matrix_tree(value)}, which does not depend on "
                   "it", "a formula that does")  # fmt: skip
    rows, columns = shape = shape_of(value)
    if rows is None and columns is not None:
        raise fail(node, f"the derivative of the row {write_matrix_tree(value)}", "that of a column", "turn it")
    axes = sum(size is not None for size in shape) + len(axes_left(by, vocabulary.tensors[by.name].axes))
    if axes > 2:
        raise fail(node, f"`{write_syntax(node)}`, a derivative with {axes} axes", "at most two", "claim an entry")
    hessian = isinstance(value, Operation) and value.name == "adj" and value.operands[-1] == by
    if SCALAR not in (shape, shape_of(by)) and not hessian:
        check_layout(node)
    return Operation("adj", (value, by), False, line=node.line, column=node.column)


def check_layout(sign: Syntax) -> None:
    r"""AmbiguousFormulaError for \nabla of a vector by a vector, which is a Jacobian or its transpose."""
    if isinstance(sign, Scripts) and sign.base == Symbol(r"\nabla"):
        raise ambiguous(sign.line, sign.column, f"`{write_syntax(sign)}` of a vector",
                        ("the Jacobian, with the rows of the vector", "its transpose"),
                        r"write \frac{\partial z}{\partial x} for the Jacobian")  # fmt: skip


def check_factors(parts: Sequence[t.Expression], shape_of: ShapeOf) -> None:
    """UnsupportedError for a derivative of a vector by a vector in a product: its layout is a matter of convention."""
    for part in parts if len(parts) > 1 else ():
        for node, _ in walk_matrix(part):
            _check_jacobian(node, shape_of)


def check_jacobians(tree: t.Expression, shape_of: ShapeOf) -> None:
    """The same for one anywhere but alone on a side."""
    for node, _ in walk_matrix(tree):
        if node is not tree:
            _check_jacobian(node, shape_of)


def _check_jacobian(node: t.Node, shape_of: ShapeOf) -> None:
    if isinstance(node, Operation) and node.name == "adj" and len(node.operands) == 2:
        if SCALAR not in map(shape_of, node.operands):
            raise UnsupportedError(
                f"line {node.line}, column {node.column}: {write_matrix_tree(node)}, the derivative of a vector by a "
                "vector, is read alone on a side, not inside a formula; claim an entry, or define it."
            )
