r"""Kronecker deltas in matrix notation: diagonal matrices, identities, Kronecker products where there are four axes.

The derivative of a vector by a vector is a matrix, and a delta in it makes a part of it diagonal: p_i([i = j] - p_j) is
diag(p) - p p^T. The derivative of a matrix by a matrix becomes one of their columns put under each other, vec, and a
product of a part of the rows and a part of the columns a Kronecker product: [i = j] sum_n V_nk V_nl is V^T V (x) I.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symbackprop.language.substitution import substitute_names
from symbackprop.language.tree import Chain, Compare, Expression, Name, Negate, Number, Reduce, Where
from symbackprop.notation.writing.conditions import is_zero
from symbackprop.notation.writing.contraction import NoMatrixForm, free_names
from symbackprop.notation.writing.index_latex import split_product
from symbackprop.notation.writing.matrices import HADAMARD
from symbackprop.notation.writing.matrix_latex import MatrixWriter

ONE = Number(Fraction(1), "1")


@dataclass(frozen=True, slots=True)
class Part:
    """One addend: a sign, pairs of indices that have to be equal, factors and divisors."""

    sign: int = 1
    deltas: tuple[tuple[str, str], ...] = ()
    above: tuple[Expression, ...] = ()
    below: tuple[Expression, ...] = ()

    def times(self, other: Part) -> Part:
        """The product of two addends."""
        deltas = tuple(dict.fromkeys((*self.deltas, *other.deltas)))
        return Part(self.sign * other.sign, deltas, self.above + other.above, self.below + other.below)


def write_structured(writer: MatrixWriter, tree: Expression, shape: Sequence[str], sizes: Sequence[str]) -> str | None:
    """A formula with two or four free indices, whose sizes are `sizes`, by what its deltas say; None where that is no
    matrix.
    """
    parts = _distribute(tree, len(shape) == 4)
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


def _distribute(tree: Expression, every: bool) -> list[Part]:
    """The addends of a formula; unless `every` product is multiplied out, only where that sets deltas free."""
    if not every and not _has_delta(tree):
        if not isinstance(tree, Chain | Negate) or (isinstance(tree, Chain) and tree.operators[0] in "+-"):
            return [Part(above=(tree,))]
        sign, over, under = split_product(tree)
        return [Part(sign, (), tuple(over), tuple(under))]
    match tree:
        case Negate(operand):
            return [replace(p, sign=-p.sign) for p in _distribute(operand, every)]
        case Chain(operands, operators) if operators[0] in "+-":
            signed = zip(operands, ("+", *operators), strict=True)
            return [
                replace(p, sign=p.sign if operator == "+" else -p.sign)
                for operand, operator in signed
                for p in _distribute(operand, every)
            ]
        case Chain(operands, operators):
            below = tuple(o for o, operator in zip(operands[1:], operators, strict=True) if operator == "/")
            above = [o for o, operator in zip(operands, ("*", *operators), strict=True) if operator == "*"]
            found = [Part(below=below)]
            for factor in above:
                found = [a.times(b) for a, b in itertools.product(found, _distribute(factor, every))]
            return found
        case Where(Compare("==", Name(left), Name(right)), then, otherwise) if is_zero(otherwise):
            return [Part(deltas=((left, right),)).times(p) for p in _distribute(then, every)]
        case Reduce(operation, _, body) if operation in ("sum", "mean"):
            return [_outside(tree, p) for p in _distribute(body, every)]
    return [Part(above=(tree,))]


def _outside(tree: Reduce, part: Part) -> Part:
    """A sum over one addend, with its sign and the deltas that its indices do not carry before it."""
    bound = {b.name for b in tree.binders}
    if any(bound & set(pair) for pair in part.deltas):
        return Part(above=(tree,))
    return Part(part.sign, part.deltas, (replace(tree, body=_tree(part.above, part.below)),))


def _tree(above: Sequence[Expression], below: Sequence[Expression]) -> Expression:
    operands = (*above, *below) if above else (ONE, *below)
    if len(operands) == 1:
        return operands[0]
    return Chain(operands, ("*",) * (len(operands) - 1 - len(below)) + ("/",) * len(below))


def _has_delta(tree: Expression) -> bool:
    match tree:
        case Where(Compare("==", Name(), Name())):
            return True
        case Reduce(body=body):
            return _has_delta(body)
        case Chain(operands=operands):
            return any(map(_has_delta, operands))
        case Negate(operand):
            return _has_delta(operand)
    return False


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
