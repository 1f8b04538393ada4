r"""Kronecker deltas in matrix notation: diagonal matrices, identities, Kronecker products where there are more axes.

The derivative of a vector by a vector is a matrix, and a delta in it makes a part of it diagonal: p_i([i = j] - p_j) is
diag(p) - p p^T. A matrix, differentiated or differentiated by, becomes its columns put under each other, vec, and a
product of a part of the rows and a part of the columns a Kronecker product: [i = j] sum_n V_nk V_nl is V^T V (x) I.
Where rows go with columns the commutation matrix K turns one vec into the other: K_{N,M} vec(A) = vec(A^T), A being
N by M. What a sum over samples holds together is a sum of Kronecker products.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from symbackprop.language.substitution import substitute_names
from symbackprop.language.tree import Expression, Name, Reduce
from symbackprop.notation.writing.addends import Part, distribute
from symbackprop.notation.writing.conditions import is_zero
from symbackprop.notation.writing.contraction import NoMatrixForm, free_names
from symbackprop.notation.writing.index_latex import split_product
from symbackprop.notation.writing.matrices import ATOM, HADAMARD, PRODUCT, Matrix, diagonal, symmetric
from symbackprop.notation.writing.matrix_latex import MatrixWriter
from symbackprop.notation.writing.names import small_symbol
from symbackprop.notation.writing.pieces import bracket


@dataclass(frozen=True, slots=True)
class Split:
    """One way to part the axes: those of the left and of the right factor, and what is multiplied from the right."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    behind: str = ""
    transposed: bool = False
    """Whether the left factor is a row."""


def write_structured(
    writer: MatrixWriter, tree: Expression, shape: Sequence[str], sizes: Sequence[str], outer: int = 2
) -> str | None:
    """A formula with two to four free indices, whose sizes are `sizes`, by what its deltas say; None where that is no
    matrix. The first `outer` indices are those of what is differentiated.
    """
    if is_zero(tree):
        return "0"
    for every in (False, True):
        try:
            return _write(writer, distribute(tree, every), tuple(shape), sizes, outer)
        except NoMatrixForm:
            continue
    return None


def _write(writer: MatrixWriter, parts: list[Part], shape: tuple[str, ...], sizes: Sequence[str], outer: int) -> str:
    if len(shape) == 2:
        named = dict(zip(shape, sizes, strict=True))
        pieces = [_write_block(writer, part, shape, named).at(HADAMARD) for part in parts]
    elif len(shape) in (3, 4):
        pieces = [_write_product(writer, part, shape, sizes, outer) for part in parts]
    else:
        raise NoMatrixForm("more than four axes have no matrix form")
    text = ""
    for part, piece in zip(parts, pieces, strict=True):
        sign = " - " if part.sign < 0 else " + "
        text += (sign if text else sign.strip().removeprefix("+")) + piece
    return text or "0"


def _write_block(writer: MatrixWriter, part: Part, shape: tuple[str, ...], sizes: dict[str, str]) -> Matrix:
    """One addend of a matrix or a vector, its sign left out."""
    if not part.deltas:
        return writer.product(part.above, part.below, 1, shape)
    if len(shape) != 2 or [set(pair) for pair in part.deltas] != [set(shape)]:
        raise NoMatrixForm("a delta of other indices has no matrix form")
    row, column = shape
    above, below = _on_diagonal(part, {column: Name(row)})
    if any(free_names(f, frozenset({row})) for f in (*above, *below)):
        return diagonal(writer.product(above, below, 1, (row,)))
    identity = symmetric(f"I_{{{sizes[row]}}}")
    scale = writer.product(above, below, 1, ()) if above or below else None
    number = "1" if scale is None else scale.at(ATOM if r"\top" in scale.text else PRODUCT)
    return identity if number == "1" else Matrix(f"{number} {identity.text}", PRODUCT)


def _on_diagonal(part: Part, names: dict[str, Expression]) -> tuple[list[Expression], list[Expression]]:
    """The factors and the divisors of an addend with indices that its deltas say to be others called as those."""
    return [substitute_names(f, names) for f in part.above], [substitute_names(f, names) for f in part.below]


def _write_product(writer: MatrixWriter, part: Part, shape: tuple[str, ...], sizes: Sequence[str], outer: int) -> str:
    """One addend of a derivative with matrices: what its columns carry (x) what its rows carry."""
    named = dict(zip(shape, sizes, strict=True))
    if len(shape) == 4 and {frozenset(pair) for pair in part.deltas} == {frozenset(shape[::2]), frozenset(shape[1::2])}:
        above, below = _on_diagonal(part, {shape[2]: Name(shape[0]), shape[3]: Name(shape[1])})
        if any(free_names(f, frozenset(shape)) for f in (*above, *below)):
            inner = writer.product(above, below, 1, shape[:2])
            return rf"\operatorname{{diag}}(\operatorname{{vec}}{bracket(inner.text)})"
    for split in _splits(shape, sizes, outer):
        try:
            return _write_split(writer, part, split, named)
        except NoMatrixForm:
            continue
    raise NoMatrixForm("a factor that rows and columns share is no Kronecker product")


def _splits(shape: tuple[str, ...], sizes: Sequence[str], outer: int) -> list[Split]:
    if len(shape) == 4:
        a, b, c, d = shape
        return [Split((b, d), (a, c)), Split((b, c), (a, d), _commutation(sizes[2], sizes[3]))]
    a, b, c = shape
    if outer == 1:  # a vector by a matrix
        return [Split((c,), (a, b), "", True), Split((b,), (a, c), _commutation(sizes[1], sizes[2]), True)]
    return [Split((b, c), (a,)), Split((b,), (a, c))]


def _commutation(rows: str, columns: str) -> str:
    return rf" \mathbf{{K}}_{{{rows},{columns}}}"


def commutations(text: str) -> tuple[tuple[str, str, str], ...]:
    """What the commutation matrices in a text do: a left side, a right side, and what is said behind them."""
    found = dict.fromkeys(re.findall(r"\\mathbf\{K\}_\{([^}]*),([^}]*)\}", text))
    return tuple(
        (
            rf"\mathbf{{K}}_{{{rows},{columns}}} \operatorname{{vec}}(\cdot)",
            r"\operatorname{vec}(\cdot^{\top})",
            rf"\quad\text{{(the commutation matrix of ${rows} \times {columns}$)}}",
        )
        for rows, columns in found
    )


def _write_split(writer: MatrixWriter, part: Part, split: Split, sizes: dict[str, str]) -> str:
    """An addend as left (x) right, if no factor is carried by both; one sum over it may stand before."""
    every = frozenset(sizes)
    shared = [f for f in part.above if free_names(f, every) & {*split.left} and free_names(f, every) & {*split.right}]
    if shared and len(shared) == 1 and isinstance(shared[0], Reduce):
        return _write_sum(writer, part, shared[0], split, sizes)
    groups = {False: Part(), True: Part()}
    for pair in part.deltas:
        if not (set(pair) <= {*split.left} or set(pair) <= {*split.right}):
            raise NoMatrixForm("a delta across the factors has no matrix form")
        side = set(pair) <= {*split.left}
        groups[side] = groups[side].times(Part(deltas=(pair,)))
    for inverse, factors in ((False, part.above), (True, part.below)):
        for factor in factors:
            carried = free_names(factor, every)
            if carried & {*split.left} and carried & {*split.right}:
                raise NoMatrixForm("a factor that rows and columns share is no Kronecker product")
            made = Part(below=(factor,)) if inverse else Part(above=(factor,))
            side = not carried & {*split.right}
            groups[side] = groups[side].times(made)
    left = _write_block(writer, groups[True], split.left, sizes)
    right = _write_block(writer, groups[False], split.right, sizes)
    if split.behind and all(piece.text.startswith("I_") for piece in (left, right)):
        return split.behind.strip()
    if split.transposed:
        left = left.transposed()
    product = rf"{left.at(PRODUCT)} \otimes {right.at(PRODUCT)}"
    return f"({product}){split.behind}" if split.behind else product


def _write_sum(writer: MatrixWriter, part: Part, tree: Reduce, split: Split, sizes: dict[str, str]) -> str:
    """A sum over samples of Kronecker products, the samples being rows or columns of matrices."""
    if len(tree.binders) != 1 or tree.operation not in ("sum", "mean") or writer.fixed:
        raise NoMatrixForm("a sum over several indices of Kronecker products has no matrix form")
    index = tree.binders[0].name
    size = writer.ranges.get(index, "")
    sign, above, below = split_product(tree.body)
    if sign < 0 or not size:
        raise NoMatrixForm("a sum of this form has no matrix form")
    rest = tuple(f for f in part.above if f is not tree)
    outside = [f for f in (*rest, *part.below) if not free_names(f, frozenset(sizes))]
    inner = Part(1, part.deltas, (*(f for f in rest if f not in outside), *above), tuple(below))
    divisors = tuple(f for f in part.below if f in outside)
    if len(divisors) != len(part.below):
        raise NoMatrixForm("a divisor before a sum of Kronecker products has no matrix form")
    before = writer.product([f for f in rest if f in outside], divisors, 1, ()).text
    if tree.operation == "mean":
        before = rf"\frac{{1}}{{{small_symbol(size)}}} {'' if before == '1' else before}".strip()
    fixed = replace(writer, fixed=frozenset({index}))
    product = _write_split(fixed, inner, split, sizes)
    letter = small_symbol(index)
    text = rf"\sum_{{{letter}=1}}^{{{small_symbol(size)}}} {product}"
    return text if before == "1" else f"{before} {text}"


def vectorised(numerator: str, first: str, second: str) -> str:
    r"""What a second derivative with four axes is called, that by vec(U) and vec(V).

    >>> print(vectorised("L", "U", "V"))
    \frac{\partial^{2} L}{\partial \operatorname{vec}(U) \, \partial \operatorname{vec}(V)^{\top}}
    """
    below = rf"\partial \operatorname{{vec}}({first}) \, \partial \operatorname{{vec}}({second})^{{\top}}"
    return rf"\frac{{\partial^{{2}} {numerator}}}{{{below}}}"
