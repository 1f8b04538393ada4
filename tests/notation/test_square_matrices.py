r"""Powers in claims, of a square matrix or of an entry, and functions that may be of either."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.errors import FormulaError
from symbackprop.language import write_tree
from symbackprop.notation.reading import AmbiguousFormulaError, make_vocabulary, read_any_claim, read_block
from symbackprop.notation.reading.statements import MatrixClaim

PROGRAM = """
input x[N], X[N,D]
param A[N,N], B[N,N], W[D,D], s
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
    (r"\sum_n s^n x_n = \sum_n x_n s^n", "sum(n, s^n*x[n]) = sum(n, x[n]*s^n)"),
    (r"x^{-1}_i = \frac{1}{x_i}", "x[i]^(-1) = 1/x[i]"),
]


@pytest.mark.parametrize(("latex", "understood"), READ)
def test_what_is_no_power_of_a_square_matrix_is_read(latex: str, understood: str) -> None:
    """Matrices that are not square have neither inverse nor power, and brackets say what is meant."""
    assert read(latex) == understood


def test_the_inverse_of_an_entry_needs_no_program() -> None:
    """Where all names are numbers there is no matrix."""
    assert sb.verify(sb.latex_formula(r"a^{-1}_{ij}"), "1/a_ij").proved


FUNCTIONS = [r"\det(e^A) = e^{\mathrm{tr}(A)}", r"\mathrm{tr}(\log A) = \log \det A", r"\sqrt{A} = \sqrt{B} A^{-1}",
             r"\sqrt{A} \sqrt{A} = A", r"\exp(2A) = \exp(A) \exp(A)"]  # fmt: skip


@pytest.mark.parametrize("latex", FUNCTIONS)
def test_functions_of_square_matrices_are_asked_about(latex: str) -> None:
    """Beside a determinant, a trace or an inverse they may be those of the matrix."""
    with pytest.raises(AmbiguousFormulaError, match=r"of a square matrix.* each entry"):
        read(latex)


def test_a_power_of_a_function_of_a_square_matrix_is_asked_about() -> None:
    """Of each entry, or a product of matrices; behind the name of the function it is clear."""
    with pytest.raises(AmbiguousFormulaError, match="of what is taken of each entry"):
        read(r"\tanh(A)^2 = B")
    read(r"\tanh^2(A) = B")


LENGTHS = [r"|x| = \sqrt{x^\top x}", r"x^\top x = |x| \odot |x|", r"\frac{x}{|x|} = x"]


@pytest.mark.parametrize("latex", LENGTHS)
def test_bars_around_a_vector_are_asked_about(latex: str) -> None:
    """Where the other side is a number they are its length, and below a fraction they may be."""
    with pytest.raises(AmbiguousFormulaError, match="its length"):
        read(latex)


@pytest.mark.parametrize("latex", ["A/B = A", r"x / v = x \odot v^{\odot -1}", "A = 1/B"])
def test_a_slash_before_a_matrix_is_asked_about(latex: str) -> None:
    """It is the quotient of each entry, or a product with an inverse."""
    with pytest.raises(AmbiguousFormulaError, match="an inverse"):
        read(latex)


ENTRYWISE = [
    (r"\exp(A) \odot \exp(B) = \exp(A + B)", "exp(A).*exp(B) = exp(A+B)"),
    (r"A = \operatorname{diag}(\exp(B) \mathbf{1})^{-1} \exp(B)", "A = inv(diag(sum(exp(B),2)))*exp(B)"),
    (r"\exp(A) v = \sqrt{B} x", "exp(A)*v = sqrt(B)*x"),
    (r"x \odot x = |x| \odot |x|", "x.*x = abs(x).*abs(x)"),
    (r"\frac{A}{B} = A \oslash B", "A./B = A./B"),
    (r"x^\top v A = A x^\top v", "x'*v*A = A*(x'*v)"),
    (r"X^\top A x^\top v = X^\top A v^\top x", "X'*A*(x'*v) = X'*A*(v'*x)"),
]


@pytest.mark.parametrize(("latex", "understood"), ENTRYWISE)
def test_what_has_one_meaning_is_read(latex: str, understood: str) -> None:
    """Functions of each entry where nothing speaks for the matrix, and the number x^T v behind a matrix."""
    assert read(latex).replace(" ", "") == understood.replace(" ", "")


def test_ones_behind_a_number_are_a_vector() -> None:
    """x^T t 1 is a number times a vector of ones, and no sum of a row."""
    (statement,) = read_block(r"\frac{\partial L}{\partial a} = x^\top t \mathbf{1}")
    program = sb.parse(
        "input x[N], t[N]\nparam a[M]\nh[n,m] = a[m]*x[n]\nloss = sum(n, m, h[n,m]*t[n])",
    )
    claim = read_any_claim(statement, make_vocabulary(program.core))

    assert isinstance(claim, MatrixClaim)
    assert claim.texts[0].replace(" ", "") == "dloss/da=x'*t*ones(M)"


NUMBERED = "input x[D], y\nparam w[D], w1, w2[D]\nz = sum(d, w[d]*x[d]) + w1 + sum(d, w2[d]*x[d]^2)\nloss = (z - y)^2/2"


@pytest.mark.parametrize("below", ["1", "2"])
def test_a_number_below_a_name_is_part_of_it_or_an_index(below: str) -> None:
    """With w and w1 in one program w_1 is either, also where something is derived by it."""
    (statement,) = read_block(rf"\frac{{\partial L}}{{\partial w_{below}}} = (z - y) x_{below}")
    with pytest.raises(AmbiguousFormulaError, match=rf"`w{below}` or as `w\[{below}\]`"):
        read_any_claim(statement, make_vocabulary(sb.parse(NUMBERED).core))


RIDGE = sb.parse("""
input x[N,D], y[N]
param w[D]
const c
z[n] = sum(d, x[n,d]*w[d])
loss = sum(n, (z[n] - y[n])^2)/2 + c/2*sum(d, w[d]^2)
""").core


@pytest.mark.parametrize(
    ("latex", "understood"),
    [
        (r"\nabla^2_w L = X^\top X + c I", "d adj(w) / d w = x'*x + c*eye(D)"),
        (r"\nabla^2_w L = X^\top X + c \mathbf{I}", "d adj(w) / d w = x'*x + c*eye(D)"),
        (r"\nabla_w L = (X^\top X + c I) w - X^\top y", "d loss / d w = (x'*x + c*eye(D))*w - x'*y"),
        (r"\nabla^2_w L = I", "d adj(w) / d w = eye(D)"),
    ],
)
def test_an_identity_is_as_large_as_what_it_stands_beside(latex: str, understood: str) -> None:
    """I is the identity where nothing else is called that."""
    (statement,) = read_block(latex)
    claim = read_any_claim(statement, make_vocabulary(RIDGE))

    assert isinstance(claim, MatrixClaim)
    assert claim.texts[0] == understood


@pytest.mark.parametrize("latex", [r"\nabla_w L = I w", r"\nabla_w L = (2 I - I) w", r"\nabla_w L = X I w"])
def test_an_identity_of_unknown_size_is_an_error(latex: str) -> None:
    """In a product it may be of another size."""
    (statement,) = read_block(latex)
    with pytest.raises(FormulaError, match="I of unknown size, expected I_{N}"):
        read_any_claim(statement, make_vocabulary(RIDGE))


def test_a_name_is_no_identity() -> None:
    """A matrix that a program calls I is that matrix."""
    (statement,) = read_block(r"\nabla_I L = I")
    program = sb.parse("param I[N,N]\nloss = sum(i, j, I[i,j]^2)/2")
    claim = read_any_claim(statement, make_vocabulary(program.core))

    assert isinstance(claim, MatrixClaim)
    assert claim.texts[0] == "d loss / d I = I"
