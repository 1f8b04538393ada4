r"""Equations of whole matrices that show a second reading of a part: \det(e^A), and |x| = \sqrt{x^\top x}."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from symbackprop.language import tree as t
from symbackprop.language.matrix_grammar import Operation, Run, walk_matrix
from symbackprop.language.matrix_shapes import SCALAR
from symbackprop.notation.reading.doubts import doubtful_size
from symbackprop.notation.reading.matrix_formulas import MatrixReader
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.syntax import Group, Syntax, walk_syntax
from symbackprop.notation.reading.vocabulary import Vocabulary

OF_MATRICES = ("exp", "log", "sqrt")
"""Functions that texts take of whole square matrices too."""
OF_WHOLES = ("tr", "det", "logdet", "inv")
"""Beside these a square matrix is one thing, and no table of numbers."""


def check_equation(
    sides: Sequence[t.Expression], syntax: Sequence[Syntax], vocabulary: Vocabulary, letters: frozenset[str]
) -> None:
    """AmbiguousFormulaError where the other parts of an equation of matrices speak for a second reading of one.

    Beside a trace, a determinant or an inverse, or another one, the exponential of a square matrix may be that of the
    matrix, and bars around a vector are its length where another side is a number.
    """
    reader = MatrixReader(vocabulary, letters)
    nodes = [node for side in sides for node, _ in walk_matrix(side)]
    parts = [node for node in nodes if isinstance(node, Operation)]
    beside = any(_is_of_matrix(a) and _is_of_matrix(b) for a, b in _list_products(nodes))
    for part in parts if beside or any(map(_is_of_whole, parts)) else ():
        shape = reader.shape(part.operands[0]) if _is_of_matrix(part) else SCALAR
        if shape != SCALAR and shape[0] == shape[1]:
            readings = (f"the {part.name} of the matrix", f"the {part.name} of each entry")
            raise ambiguous(part.line, part.column, f"`{part.name}` of a square matrix", readings,
                            f"define the latter in the program, as in E[i,j] = {part.name}(A[i,j])")  # fmt: skip
    if len({reader.shape(side) == SCALAR for side in sides}) > 1:
        for node in (node for side in syntax for node in walk_syntax(side) if isinstance(node, Group)):
            if node.opened == "|" and len(node.parts) == 1 and reader.shape(reader.read(node.parts[0])) != SCALAR:
                raise doubtful_size(node)


def _is_of_matrix(part: t.Node) -> bool:
    """Whether it is a function that texts take of whole square matrices too."""
    return isinstance(part, Operation) and part.name in OF_MATRICES and not part.primed


def _list_products(nodes: Sequence[t.Node]) -> Iterator[tuple[t.Node, t.Node]]:
    """What stands side by side in products of matrices."""
    for node in nodes:
        if not isinstance(node, Run):
            continue
        for sign, (before, behind) in zip(node.signs, pairwise(node.operands), strict=True):
            if sign.symbol == "*":
                yield before, behind


def _is_of_whole(part: Operation) -> bool:
    """Whether a matrix is taken as a whole; to divide rows by their sums, diag(...)^{-1}, is no such thing."""
    inner = part.operands[0]
    return part.name in OF_WHOLES and not (isinstance(inner, Operation) and inner.name == "diag")
