"""Functions of a whole square matrix: what has no scalar forward formula, and so needs a rule that is not SymPy's.

The inverse Y of A is defined implicitly by A*Y = I. The chain rule applied to that, and solved for dY, is the first
axiom; those of the determinant and of the logarithm of its absolute value are Jacobi's formula. This table holds every
rule for derivatives beside SymPy's own of scalars. A solution of A*v = b is inv(A)*b, and needs no rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan

import flint
import sympy

from symbackprop.calculus.definitions import Call, Definition, Term, slot_symbol
from symbackprop.calculus.indices import Affine, Index, choose_name
from symbackprop.calculus.tensors import Read, Tensor

COOKBOOK = "Petersen and Pedersen, The Matrix Cookbook, 15 November 2012"


@dataclass(frozen=True, slots=True)
class Axiom:
    """The differential of a function of a square matrix A, by the differential dA, with its source."""

    name: str
    axes: int
    differential: str
    source: str


AXIOMS = {
    axiom.name: axiom
    for axiom in (
        Axiom("inv", 2, "d inv(A) = -inv(A)*dA*inv(A)", f"{COOKBOOK}, equation 40"),
        Axiom("det", 0, "d det(A) = det(A)*tr(inv(A)*dA)", f"{COOKBOOK}, equation 42"),
        Axiom("logdet", 0, "d logdet(A) = tr(inv(A)*dA)", f"{COOKBOOK}, equations 43 and 57"),
    )
}


def call_matrix(
    axiom: str, tensor: Tensor, indices: tuple[Index, ...], operand: Tensor, inverse: Tensor | None
) -> Definition:
    """The definition tensor[indices] = axiom(operand); `inverse` is the inverse of the operand for a determinant.

    >>> from symbackprop.calculus.tensors import Role
    >>> A = Tensor("A", (Affine.of("N"),) * 2, Role.PARAM)
    >>> call_matrix("det", Tensor("d", (), Role.DEFINED), (), A, None).call.axiom
    'det'
    """
    bound = _rows_and_columns(operand, indices)
    term = Term(bound, slot_symbol(0), (Read(operand, tuple(map(Affine.of, bound))),))
    return Definition(tensor, indices, (term,), call=Call(axiom, operand, inverse))


def linearize(definition: Definition) -> Definition:
    """The differential of a matrix function as one term that is linear in its last slot, which reads the operand.

    The sum of that term is no value of anything; its derivative by the last slot is the derivative of the function.
    """
    call = definition.call
    if call is None:
        return definition
    bound = _rows_and_columns(call.operand, definition.indices)
    row, column = map(Affine.of, bound)
    own = tuple(map(Affine.of, definition.indices))
    reads: list[Read] = []
    sign = 1
    if call.axiom == "inv":
        sign = -1
        reads = [Read(definition.tensor, (own[0], row)), Read(definition.tensor, (column, own[1]))]
    elif call.inverse is not None:
        reads = [Read(definition.tensor, own)] if call.axiom == "det" else []
        reads.append(Read(call.inverse, (column, row)))
    reads.append(Read(call.operand, (row, column)))
    body = sympy.Mul(sign, *(slot_symbol(k) for k in range(len(reads))))
    return replace(definition, terms=(Term(bound, body, tuple(reads)),), call=None)


Dependency = tuple[Definition, int, int, Read]


def dependencies(definition: Definition) -> tuple[Dependency, ...]:
    """The reads that a definition is differentiated by: (definition, term, slot, read).

    For a matrix function the definition is its differential, and the read is that of the operand.
    """
    if definition.call is None:
        return tuple((definition, term, slot, read) for term, slot, read in definition.reads())
    linear = linearize(definition)
    slot, read = linear.terms[0].reads()[-1]
    return ((linear, 0, slot, read),)


def matrix_function(axiom: str, matrix: sympy.Matrix) -> sympy.Matrix:
    """A function of a matrix of expressions, as a matrix, which is 1 by 1 for a determinant; nothing is multiplied out.

    >>> x = sympy.Symbol("x")
    >>> matrix_function("det", sympy.Matrix([[x, 1], [1, x + 1]]))
    Matrix([[x*(x + 1) - 1]])
    """
    every = tuple(range(matrix.rows))
    minors: dict[tuple[tuple[int, ...], tuple[int, ...]], sympy.Expr] = {}
    determinant = _minor(matrix, every, every, minors)
    if axiom != "inv":
        return sympy.Matrix([[determinant if axiom == "det" else sympy.log(determinant**2) / 2]])
    without = [tuple(k for k in every if k != left) for left in every]
    return sympy.Matrix(
        [[(-1) ** (i + j) * _minor(matrix, without[j], without[i], minors) / determinant for j in every] for i in every]
    )


def _minor(
    matrix: sympy.Matrix,
    rows: tuple[int, ...],
    columns: tuple[int, ...],
    known: dict[tuple[tuple[int, ...], tuple[int, ...]], sympy.Expr],
) -> sympy.Expr:
    """The determinant of some rows and columns, expanded along the first row; `known` are those made before."""
    if not rows:
        return sympy.S.One
    if (rows, columns) not in known:
        known[rows, columns] = sympy.Add(
            *(
                (-1) ** place
                * matrix[rows[0], column]
                * _minor(matrix, rows[1:], (*columns[:place], *columns[place + 1 :]), known)
                for place, column in enumerate(columns)
            )
        )
    return known[rows, columns]


def matrix_number(axiom: str, rows: Sequence[Sequence[float]]) -> list[list[float]]:
    """The same for numbers, which are taken to be exact; nan where it has no value.

    >>> matrix_number("inv", [[2.0, 0.0], [1.0, 4.0]])
    [[0.5, 0.0], [-0.125, 0.25]]
    >>> matrix_number("inv", [[1.0, 1.0], [1.0, 1.0]])
    [[nan, nan], [nan, nan]]
    """
    empty = [[nan] * len(rows) for _ in rows] if axiom == "inv" else [[nan]]
    try:
        matrix = flint.fmpq_mat([[flint.fmpq(*x.as_integer_ratio()) for x in row] for row in rows])
        if axiom == "inv":
            return [[_float(x) for x in row] for row in matrix.inv().tolist()]
    except (OverflowError, ValueError, ZeroDivisionError):
        return empty
    determinant = matrix.det()
    if axiom == "det":
        return [[_float(determinant)]]
    return [[float(flint.arb(abs(determinant)).log().mid())]] if determinant != 0 else empty


def _float(number: flint.fmpq) -> float:
    return int(number.p) / int(number.q)


def _rows_and_columns(operand: Tensor, taken: Sequence[Index]) -> tuple[Index, ...]:
    names: list[str] = []
    for wanted in "kl":
        names.append(choose_name(wanted, {i.name for i in taken} | set(names)))
    return operand.indices(names)
