r"""Square matrices in claims: powers that may be of the matrix or of an entry, and functions that may be of either."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.language import write_tree
from symbackprop.notation.reading import AmbiguousFormulaError, make_vocabulary, read_any_claim, read_block
from symbackprop.notation.reading.statements import MatrixClaim

PROGRAM = """
input x[N], X[N,D]
param A[N,N], B[N,N], W[D,D]
v[i] = sum(j, A[i,j]*x[j])
loss = logdet(A) + sum(i, v[i])
"""


def read(latex: str) -> str:
    """The claim that an equation makes, as it is understood."""
    (statement,) = read_block(latex)
    claim = read_any_claim(statement, make_vocabulary(sb.parse(PROGRAM).core))
    return claim.texts[0] if isinstance(claim, MatrixClaim) else write_tree(claim).removeprefix("claim ")


INVERSES = [
    r"A^{-1}_{ij} = 1/A_{ij}",
    r"\frac{\partial L}{\partial A_{ij}} = A_{ji}^{-1}",
    r"\sum_k A^{-1}_{i,k} A_{kj} = \delta_{ij}",
]
POWERS = [r"A^2_{ij} = \sum_k A_{ik}A_{kj}", r"A^{1/2}_{12} = 0", r"\sum_i A^3_{ii} = 0"]


@pytest.mark.parametrize("latex", INVERSES)
def test_an_inverse_with_indices_is_asked_about(latex: str) -> None:
    """In texts on Gaussians it is the entry of the inverse; both ways of saying what is meant are shown."""
    with pytest.raises(AmbiguousFormulaError) as error:
        read(latex)

    assert "an entry of the inverse of A" in str(error.value)
    assert "write (A^{-1})_{" in str(error.value)
    assert "1 / A_{" in str(error.value)


@pytest.mark.parametrize("latex", POWERS)
def test_a_power_with_indices_behind_it_is_asked_about(latex: str) -> None:
    """It is an entry of the power of the matrix, or the power of an entry."""
    with pytest.raises(AmbiguousFormulaError, match="an entry of the power A"):
        read(latex)


READ = [
    (r"(A^{-1})_{ij} = (A_{ij})^{-1}", "inv(A)[i,j] = A[i,j]^(-1)"),
    (r"\sum_{ij} A_{ij}^2 = \sum_{i,j} (A_{ij})^2", "sum(i, j, A[i,j]^2) = sum(i, j, A[i,j]^2)"),
    (r"\sum_n \sum_d X^2_{nd} = \sum_n \sum_d X_{nd}^2", "sum(n, sum(d, X[n,d]^2)) = sum(n, sum(d, X[n,d]^2))"),
    (r"x^{-1}_i = \frac{1}{x_i}", "x[i]^(-1) = 1/x[i]"),
]


@pytest.mark.parametrize(("latex", "understood"), READ)
def test_what_is_no_power_of_a_square_matrix_is_read(latex: str, understood: str) -> None:
    """Matrices that are not square have neither inverse nor power, and brackets say what is meant."""
    assert read(latex) == understood


def test_the_inverse_of_an_entry_needs_no_program() -> None:
    """Where all names are numbers there is no matrix."""
    assert sb.verify(sb.latex_formula(r"a^{-1}_{ij}"), "1/a_ij").proved
