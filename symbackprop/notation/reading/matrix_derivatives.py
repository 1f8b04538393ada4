"""Derivatives of formulas of whole matrices by whole tensors, as trees: adj(norm2(X*w - y)^2, w)."""

from __future__ import annotations

from collections.abc import Callable, Set

from symbackprop.errors import UnsupportedError
from symbackprop.language import tree as t
from symbackprop.language.matrix_grammar import Operation, walk_matrix
from symbackprop.language.matrix_shapes import SCALAR, Shape, axes_left
from symbackprop.language.matrix_text import write_matrix_tree
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree
from symbackprop.notation.reading.syntax import Syntax, write_syntax
from symbackprop.notation.reading.vocabulary import Vocabulary


def derive_tree(
    value: t.Expression, by: t.Name | t.Access, shape: Shape, vocabulary: Vocabulary, node: Syntax
) -> t.Expression:
    """The derivative of a formula of some shape by a whole tensor or a part of one; its own axes go first."""
    if not depends(value, {by.name}, vocabulary):
        raise fail(node, f"the derivative by {write_tree(by)} of {write_matrix_tree(value)}, which does not depend on "
                   "it", "a formula that does")  # fmt: skip
    rows, columns = shape
    if rows is None and columns is not None:
        raise fail(node, f"the derivative of the row {write_matrix_tree(value)}", "that of a column", "turn it")
    axes = sum(size is not None for size in shape) + len(axes_left(by, vocabulary.tensors[by.name].axes))
    if axes > 2:
        raise fail(node, f"`{write_syntax(node)}`, a derivative with {axes} axes", "at most two", "claim an entry")
    return Operation("adj", (value, by), False, line=node.line, column=node.column)


def depends(value: t.Expression, names: Set[str], vocabulary: Vocabulary) -> bool:
    """Whether a formula may depend on one of some tensors: it reads it, or what is defined, or a derivative."""
    nodes = [node for node, _ in walk_matrix(value)]
    reads = {node.name for node in nodes if isinstance(node, t.Name | t.Access)}
    derived = any(isinstance(node, Operation) and node.name == "adj" for node in nodes)
    tensors = vocabulary.tensors
    return derived or bool(reads & names) or any(n in tensors and not tensors[n].is_leaf for n in reads)


def check_jacobians(tree: t.Expression, shape_of: Callable[[t.Expression], Shape]) -> None:
    """UnsupportedError for a derivative of a vector by a vector among others: its layout is a matter of convention."""
    for node, _ in walk_matrix(tree):
        if node is tree or not isinstance(node, Operation) or node.name != "adj" or len(node.operands) < 2:
            continue
        if SCALAR not in map(shape_of, node.operands):
            raise UnsupportedError(
                f"line {node.line}, column {node.column}: {write_matrix_tree(node)}, the derivative of a vector by a "
                "vector, is read alone on a side, not inside a formula; claim an entry, or define it."
            )
