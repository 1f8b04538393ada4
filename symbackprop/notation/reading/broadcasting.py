r"""A vector beside a matrix, as the bias in X W^\top + b is, stands for a matrix that repeats it.

Which axis it lies along is told by the sizes alone; where both would do, the formula has two readings.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.language import tree as t
from symbackprop.language.matrix_grammar import Operation
from symbackprop.language.matrix_shapes import SCALAR, Shape
from symbackprop.notation.reading.matrix_trees import run_of
from symbackprop.notation.reading.ones import size_of
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.syntax import Syntax, write_syntax


def repeat_vectors(parts: Sequence[t.Expression], shapes: Sequence[Shape], node: Syntax) -> list[t.Expression]:
    """The operands of a sum or of a product of entries, vectors repeated along the other axis of the matrices.

    What fits nowhere is left, for the error of its shape.
    """
    matrix = next((shape for shape in shapes if None not in shape), None)
    if matrix is None:
        return list(parts)
    return [_repeated(part, shape, matrix, node) for part, shape in zip(parts, shapes, strict=True)]


def _repeated(part: t.Expression, shape: Shape, matrix: Shape, node: Syntax) -> t.Expression:
    """A vector as the matrix that it stands for; other operands as they are."""
    if shape == SCALAR or None not in shape:
        return part
    (rows, columns), (length, width) = matrix, shape
    place = {"line": part.line, "column": part.column}
    if length == rows == columns:
        raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`, a vector beside a square matrix",
                        ("the vector in every row", "the vector in every column"),
                        r"write \mathbf{1} b^\top or b \mathbf{1}^\top")  # fmt: skip
    assert rows is not None
    assert columns is not None
    ones_above = Operation("ones", (size_of(rows),), False, **place)
    if width == columns:
        return run_of((ones_above, part), ("*",), part)
    if length == columns:
        return run_of((ones_above, Operation("'", (part,), False, **place)), ("*",), part)
    if length == rows:
        beside = Operation("'", (Operation("ones", (size_of(columns),), False, **place),), False, **place)
        return run_of((part, beside), ("*",), part)
    return part
