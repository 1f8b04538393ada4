r"""A vector beside a matrix, as the bias in X W^\top + b is, stands for a matrix that repeats it.

Which axis it lies along is told by the sizes alone; where both would do, the formula has two readings. So has a number
beside a product of matrices, where some write A + c for A + c I.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from symbackprop.language import tree as t
from symbackprop.language.matrix_grammar import Operation, Run
from symbackprop.language.matrix_shapes import SCALAR, Shape, write_shape
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


def check_numbers(
    parts: Sequence[t.Expression], shape_of: Callable[[t.Expression], Shape], written: Sequence[Syntax], node: Syntax
) -> None:
    """AmbiguousFormulaError where a number is added to what is a matrix as a whole, such as a product of two.

    Beside a matrix of entries, as in 1 - A \\odot A, a number is one for every entry; so is a name beside a product
    that is not square, to which no multiple of I can be added.
    """
    shapes = [shape_of(part) for part in parts]
    matrix = next((s for s, p in zip(shapes, parts, strict=True) if None not in s and _is_whole(p, shape_of)), None)
    for part, shape, said in zip(parts, shapes, written, strict=True):
        if matrix is None or shape != SCALAR or (isinstance(part, t.Number) and not part.value):
            continue
        square = matrix[0] == matrix[1]
        if not square and isinstance(part, t.Number | t.Name):
            continue
        shown = write_syntax(said)
        readings = (f"{shown} in every entry", f"{shown} I" if square else "a matrix of that shape, mistyped")
        identity = f"{shown} I, or " if square else ""
        raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`, where {shown} is a scalar beside a matrix "
                        f"{write_shape(matrix)}", readings,
                        rf"write {identity}{shown} \mathbf{{1}} \mathbf{{1}}^\top")  # fmt: skip


def check_shifted(
    parts: Sequence[t.Expression],
    shape_of: Callable[[t.Expression], Shape],
    node: Syntax,
    plain: tuple[type[t.Expression], ...] = (),
) -> None:
    """AmbiguousFormulaError where a square matrix with a number added to it is taken as a whole, in a product or in an
    inverse: A + s may be A + s I there. What is `plain` stands in every entry, as 1 does in (1 - A) B.
    """
    for part in parts:
        shape = shape_of(part) if isinstance(part, Run) and part.signs[0].symbol in ("+", "-") else SCALAR
        if not isinstance(part, Run) or None in shape or shape[0] != shape[1]:
            continue
        scalars = [each for each in part.operands if shape_of(each) == SCALAR and not isinstance(each, plain)]
        if any(each != t.Number(Fraction(0)) for each in scalars):
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`, where a scalar stands beside a square "
                            "matrix", ("the scalar in every entry", "a multiple of I"),
                            r"write I, or \mathbf{1} \mathbf{1}^\top, behind it")  # fmt: skip


def _is_whole(part: t.Expression, shape_of: Callable[[t.Expression], Shape]) -> bool:
    """Whether a matrix is a product of matrices, a diagonal one, an inverse, a power, or a multiple or sum of such."""
    match part:
        case Operation("diag" | "inv" | "eye"):
            return True
        case Operation("^", (base, _)):
            return shape_of(base) != SCALAR
        case Operation("neg" | "'", (inner,)):
            return _is_whole(inner, shape_of)
        case Run(operands, signs) if any(sign.symbol in (".*", "./") for sign in signs):
            return False
        case Run(operands, signs):
            wholes = [operand for operand in operands if shape_of(operand) != SCALAR]
            product = signs[0].symbol not in ("+", "-") and len(wholes) > 1
            return product or any(_is_whole(each, shape_of) for each in wholes)
    return False
