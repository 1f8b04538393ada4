r"""Kronecker deltas in matrix notation: diagonal matrices, identities, Kronecker products where there are four axes.

The derivative of a vector by a vector is a matrix, and a delta in it makes a part of it diagonal: p_i([i = j] - p_j) is
diag(p) - p p^T. The derivative of a matrix by a matrix becomes one of their columns put under each other, vec, and a
product of a part of the rows and a part of the columns a Kronecker product: [i = j] sum_n V_nk V_nl is V^T V (x) I.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.language.phrasing import substitute_names
from symbackprop.language.tree import Expression, Name
from symbackprop.notation.writing.addends import Part, distribute
from symbackprop.notation.writing.contraction import NoMatrixForm, free_names
from symbackprop.notation.writing.matrices import HADAMARD
from symbackprop.notation.writing.matrix_latex import MatrixWriter


def write_structured(writer: MatrixWriter, tree: Expression, shape: Sequence[str], sizes: Sequence[str]) -> str | None:
    """A formula with two or four free indices, whose sizes are `sizes`, by what its deltas say; None where that is no
    matrix.
    """
    parts = distribute(tree, len(shape) == 4)
    try:
        if len(shape) == 2:
            pieces = [_write_block(writer, part, (shape[0], shape[1]), sizes[0]) for part in parts]
        elif len(shape) == 4:
            pieces = [_write_product(writer, part, tuple(shape), sizes) for part in parts]
        else:
            return None
    except NoMatrixForm:
        return None
    text = ""
    for part, piece in zip(parts, pieces, strict=True):
        sign = " - " if part.sign < 0 else " + "
        text += (sign if text else sign.strip().removeprefix("+")) + piece
    return text or "0"


def _write_block(writer: MatrixWriter, part: Part, shape: tuple[str, str], size: str) -> str:
    """One addend of a matrix, its sign left out."""
    row, column = shape
    if not part.deltas:
        return writer.product(part.above, part.below, 1, shape).at(HADAMARD)
    if [set(pair) for pair in part.deltas] != [{row, column}]:
        raise NoMatrixForm("a delta of other indices has no matrix form")
    names = {column: Name(row)}
    above = [substitute_names(f, names) for f in part.above]
    below = [substitute_names(f, names) for f in part.below]
    if not any(free_names(f, frozenset({row})) for f in (*above, *below)):
        number = writer.product(above, below, 1, ()).text if above or below else "1"
        return f"I_{{{size}}}" if number == "1" else f"{number} I_{{{size}}}"
    return rf"\operatorname{{diag}}({writer.product(above, below, 1, (row,)).text})"


def _write_product(writer: MatrixWriter, part: Part, shape: tuple[str, ...], sizes: Sequence[str]) -> str:
    """One addend of the derivative of a matrix by a matrix: what its columns carry (x) what its rows carry."""
    rows, columns = {shape[0], shape[2]}, {shape[1], shape[3]}
    groups: dict[bool, Part] = {False: Part(), True: Part()}
    for pair in part.deltas:
        if set(pair) not in (rows, columns):
            raise NoMatrixForm("a delta of a row and a column has no matrix form")
        groups[set(pair) == columns] = groups[set(pair) == columns].times(Part(deltas=(pair,)))
    for inverse, factors in ((False, part.above), (True, part.below)):
        for factor in factors:
            carried = free_names(factor, frozenset(shape))
            if carried & rows and carried & columns:
                raise NoMatrixForm("a factor that rows and columns share is no Kronecker product")
            made = Part(below=(factor,)) if inverse else Part(above=(factor,))
            groups[not carried & rows] = groups[not carried & rows].times(made)
    left = _write_block(writer, groups[True], (shape[1], shape[3]), sizes[1])
    right = _write_block(writer, groups[False], (shape[0], shape[2]), sizes[0])
    return rf"{_bracket(left)} \otimes {_bracket(right)}"


def _bracket(text: str) -> str:
    return rf"({text})" if any(sign in text for sign in (" + ", " - ", r"\odot")) else text


def vectorised(numerator: str, first: str, second: str | None) -> str:
    r"""What a derivative with four axes is called: the second derivative by vec(W), or the derivative of vec(A).

    >>> print(vectorised("L", "U", "V"))
    \frac{\partial^{2} L}{\partial \operatorname{vec}(U) \, \partial \operatorname{vec}(V)^{\top}}
    """
    if second is None:
        return (
            rf"\frac{{\partial \operatorname{{vec}}({numerator})}}{{\partial \operatorname{{vec}}({first})^{{\top}}}}"
        )
    below = rf"\partial \operatorname{{vec}}({first}) \, \partial \operatorname{{vec}}({second})^{{\top}}"
    return rf"\frac{{\partial^{{2}} {numerator}}}{{{below}}}"
