"""Written-out matrices in LaTeX, against SymPy's matrices and its diff; what has no reading, or two, is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import sympy as sp

import symbackprop as sb
from symbackprop.errors import FormulaError, LimitError, ShapeError
from symbackprop.notation.reading import AmbiguousFormulaError, Grid, grids

a, b, c, d, u, v, w, x, y, z = sp.symbols("a b c d u v w x y z", real=True)
SQUARE, COLUMN = sp.Matrix([[a, b], [c, d]]), sp.Matrix([x, y])
LEFT, RIGHT = sp.Matrix([x, y, z]), sp.Matrix([u, v, w])
THREE = sp.Matrix([[a, b, 1], [c, d, x], [y, 2, z]])


def tex(matrix: sp.Matrix, environment: str = "pmatrix") -> str:
    """A matrix as people write it, with SymPy's LaTeX of its entries."""
    rows = r" \\ ".join(" & ".join(map(sp.latex, matrix.row(i))) for i in range(matrix.rows))
    return rf"\begin{{{environment}}} {rows} \end{{{environment}}}"


PRODUCTS = [
    (tex(SQUARE) + tex(COLUMN), SQUARE * COLUMN),
    (tex(SQUARE, "bmatrix") + r"^{\top}" + tex(SQUARE, "bmatrix"), SQUARE.T * SQUARE),
    (tex(SQUARE) + "^2", SQUARE**2),
    (tex(SQUARE) + "^{-1}", SQUARE.inv()),
    (tex(THREE) + "^{-1}", THREE.inv()),
    (r"\frac{1}{2}" + tex(SQUARE) + "- 3" + tex(SQUARE.T), SQUARE / 2 - 3 * SQUARE.T),
    ("-" + tex(SQUARE) + r"\odot" + tex(SQUARE), -SQUARE.multiply_elementwise(SQUARE)),
    (tex(SQUARE) + r"\otimes" + tex(COLUMN.T), sp.kronecker_product(SQUARE, COLUMN.T)),
    (tex(LEFT) + r"\times" + tex(RIGHT), LEFT.cross(RIGHT)),
    (tex(COLUMN) + tex(COLUMN.T), COLUMN * COLUMN.T),
    (r"\left[\begin{array}{cc} a & b \\ c & d \end{array}\right]" + tex(COLUMN), SQUARE * COLUMN),
    (r"\left(\begin{matrix} a & b \\ c & d \end{matrix}\right) I_2", SQUARE),
]  # fmt: skip


@pytest.mark.parametrize(("latex", "value"), PRODUCTS)
def test_products_have_the_entries_of_sympy(latex: str, value: sp.Matrix) -> None:
    """Each entry is proved, and a change in one entry is refuted at its place."""
    claimed = sb.latex_formula(latex)
    wrong = sp.Matrix(value)
    wrong[value.rows - 1, 0] += 1

    assert sb.verify(claimed, sb.latex_formula(tex(value))).proved
    verdict = sb.verify(claimed, sb.latex_formula(tex(wrong)))
    assert verdict.refuted
    assert f"entry [{value.rows}, 1]" in str(verdict)


@pytest.mark.parametrize(
    ("latex", "value"),
    [
        (tex(SQUARE, "vmatrix"), SQUARE.det()),
        (tex(THREE, "vmatrix"), THREE.det()),
        (r"\det" + tex(SQUARE), SQUARE.det()),
        (r"\det\left(" + tex(SQUARE) + tex(SQUARE) + r"\right)", SQUARE.det() ** 2),
        (r"\left|" + tex(SQUARE, "matrix") + r"\right|", SQUARE.det()),
        (r"\operatorname{tr}" + tex(THREE), THREE.trace()),
        (tex(COLUMN) + r"^\top" + tex(sp.Matrix([u, v])), u * x + v * y),
        (tex(COLUMN) + r"\cdot" + tex(sp.Matrix([u, v])), u * x + v * y),
        (r"\left\lVert" + tex(COLUMN) + r"\right\rVert^2", x**2 + y**2),
        (r"\lVert" + tex(SQUARE) + r"\rVert_F^2", a**2 + b**2 + c**2 + d**2),
    ],
)
def test_numbers_of_matrices_are_those_of_sympy(latex: str, value: sp.Expr) -> None:
    """Determinants, traces and lengths are numbers like others."""
    assert sb.verify(sb.latex_formula(latex), value).proved
    assert sb.verify(sb.latex_formula(latex), value + x).refuted


def test_inverses_say_where_they_exist() -> None:
    """The determinant must not be 0, and the verdict says so."""
    verdict = sb.verify(sb.latex_formula(tex(SQUARE) + "^{-1}"), sb.latex_formula(tex(SQUARE.inv())))

    assert "a*d != b*c" in verdict.hypotheses


REFUSED = [
    (tex(COLUMN) + r"\otimes" + tex(COLUMN), AmbiguousFormulaError, "outer product.*Kronecker"),
    (tex(SQUARE) + r"\times" + tex(SQUARE), AmbiguousFormulaError, "entry by entry"),
    (tex(SQUARE) + r"\oplus" + tex(SQUARE), FormulaError, "direct sum"),
    (r"\exp" + tex(SQUARE), FormulaError, "each entry, or of the matrix"),
    (r"\left|" + tex(SQUARE) + r"\right|", AmbiguousFormulaError, "determinant.*absolute"),
    (tex(SQUARE, "Vmatrix"), AmbiguousFormulaError, "Frobenius.*spectral"),
    (tex(SQUARE) + "+ 1", FormulaError, "a number added to a matrix"),
    (tex(COLUMN) + tex(COLUMN), ShapeError, "2 x 1"),
    (tex(sp.Matrix([[a, b]]), "vmatrix"), ShapeError, "square"),
    (r"\begin{pmatrix} a & b \\ c \end{pmatrix}", FormulaError, "rows of 2 and 1 entries"),
    (r"\begin{pmatrix} a & \cdots \\ c & d \end{pmatrix}", FormulaError, "every entry of a matrix"),
    (r"\begin{pmatrix} a & \\ c & d \end{pmatrix}", FormulaError, "expected a formula"),
    (r"\begin{array}{c|c} a & b \end{array}", FormulaError, r"c\|c"),
    (r"\begin{Bmatrix} a \end{Bmatrix}", FormulaError, "Bmatrix"),
    (r"\begin{pmatrix} a & b \end{bmatrix}", FormulaError, r"end\{pmatrix\}"),
    (tex(sp.eye(6), "vmatrix"), LimitError, "more than 5"),
    (r"\otimes".join([tex(SQUARE)] * 8), LimitError, "more than 5000 entries"),
    (tex(THREE) * 12, LimitError, "more than 5000 parts"),
    (tex(sp.ones(4, 4)) + "^8" + tex(sp.ones(4, 4)) + "^8", LimitError, "more than 5000 parts"),
    (r"\frac{1}{" + tex(SQUARE) + "}", FormulaError, r"\^\{-1\}"),
    (r"\sin" + tex(SQUARE) + r"\odot" + tex(SQUARE) + r"\cdot" + tex(SQUARE), FormulaError, ""),
    (r"\begin{pmatrix}" + tex(SQUARE) + r"\end{pmatrix}", FormulaError, "as an entry of a matrix"),
]


@pytest.mark.parametrize(("latex", "error", "said"), REFUSED)
def test_what_has_no_certain_meaning_is_an_error(latex: str, error: type[Exception], said: str) -> None:
    """The message names what was seen."""
    with pytest.raises(error, match=f"(?s){said}"):
        sb.verify(sb.latex_formula(latex), sb.latex_formula(tex(SQUARE)))


def test_sides_of_two_shapes_are_not_compared() -> None:
    """A column is no row, and a number no matrix."""
    with pytest.raises(ShapeError, match="2 x 1 and a matrix of 1 x 2"):
        sb.verify(sb.latex_formula(tex(COLUMN)), sb.latex_formula(tex(COLUMN.T)))
    with pytest.raises(FormulaError, match="a number on the other"):
        sb.verify(sb.latex_formula(tex(COLUMN)), "x")


def test_cases_and_sums_of_matrices_are_taken_by_entries() -> None:
    """A choice between matrices is a choice for each entry, and so is a sum."""
    first, second = tex(sp.Matrix([x, 0])), tex(sp.Matrix([0, x]))
    cases = rf"\begin{{cases}} {first} & x > 0 \\ {second} & \text{{otherwise}} \end{{cases}}"
    picked = sb.latex_formula(r"\begin{pmatrix} \max(x, 0) \\ \min(x, 0) \end{pmatrix}")
    total = sb.latex_formula(r"\sum_{i=1}^{3} \begin{pmatrix} x_i \\ i \end{pmatrix}")

    assert sb.verify(sb.latex_formula(cases), picked).proved
    assert sb.verify(total, sb.latex_formula(r"(x_1 + x_2 + x_3, 6)^\top")).proved


FIT = sb.parse("input X[2,3]\nparam w[3]\nr[n] = sum(d, X[n,d]*w[d])\nloss = sum(n, r[n]^2)")


@pytest.mark.parametrize(
    ("wrt", "of", "right", "wrong"),
    [
        ("w", "loss", r"2 X^\top \begin{pmatrix} r_1 \\ r_2 \end{pmatrix}",
         r"2 X^\top \begin{pmatrix} r_2 \\ r_1 \end{pmatrix}"),
        ("w", "loss", r"\begin{pmatrix} 2 r_1 X_{11} + 2 r_2 X_{21} \\ 2 r_1 X_{12} + 2 r_2 X_{22} \\ "
         r"2 r_1 X_{13} + 2 r_2 X_{23} \end{pmatrix}", r"\begin{pmatrix} r_1 \\ r_2 \\ r_1 \end{pmatrix}"),
        ("w", "r", r"\begin{bmatrix} X_{11} & X_{12} & X_{13} \\ X_{21} & X_{22} & X_{23} \end{bmatrix}",
         r"\begin{bmatrix} X_{11} & X_{12} & X_{13} \\ X_{11} & X_{12} & X_{13} \end{bmatrix}"),
        ("X", "loss", r"2 \begin{pmatrix} r_1 \\ r_2 \end{pmatrix} w^\top",
         r"\begin{pmatrix} r_1 \\ r_2 \end{pmatrix} w^\top"),
    ],
)  # fmt: skip
def test_gradients_by_tensors_of_known_size_are_matrices(wrt: str, of: str, right: str, wrong: str) -> None:
    """The gradient has the shape of its variable, and a Jacobian a row for each entry of what is derived."""
    assert sb.verify_gradient(FIT, wrt, sb.latex_formula(right), of).proved
    assert sb.verify_gradient(FIT, wrt, sb.latex_formula(wrong), of).refuted


def test_rows_are_no_gradients_and_sizes_must_be_numbers() -> None:
    """Neither is guessed at."""
    symbolic = sb.parse("param w[D]\nloss = sum(d, w[d]^2)")
    with pytest.raises(FormulaError, match="column"):
        sb.verify_gradient(FIT, "w", sb.latex_formula(r"\begin{pmatrix} 1 & 2 & 3 \end{pmatrix}"))
    with pytest.raises(FormulaError, match=r"w\[D\].*sizes in numbers"):
        sb.verify_gradient(symbolic, "w", sb.latex_formula(r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"))


def test_determinants_of_matrices_by_name() -> None:
    """\\det in a formula with indices is the determinant of a whole matrix, against the published derivative."""
    program = sb.parse("param A[N,N], w[D]\nloss = logdet(A) + sum(d, w[d]^2)*det(A)")

    right = sb.latex_formula(r"(A^{-1})_{ji} (1 + \det(A) \sum_d w_d^2)")
    assert sb.verify_gradient(program, "A[i,j]", right).proved
    assert sb.verify_gradient(program, "A[i,j]", sb.latex_formula(r"(A^{-1})_{ji} (1 + \det A)")).refuted
    assert sb.verify_gradient(program, "w[d]", sb.latex_formula(r"2 w_d \det A")).proved
    for doubtful in (r"2 w_d \det(w)", r"2 w_d \det A^2", r"\det A w_d"):
        with pytest.raises(FormulaError):
            sb.verify_gradient(program, "w[d]", sb.latex_formula(doubtful))


DOCUMENT = r"""
```symbackprop
param x, y
f = x^2 + x*y + y^2
g = x*y
```
<!-- sb: claim -->
$$\nabla f = \begin{pmatrix} 2x + y \\ x + 2y \end{pmatrix}
= \begin{pmatrix} 2 & 1 \\ 1 & 2 \end{pmatrix} \begin{pmatrix} x \\ y \end{pmatrix}$$

<!-- sb: claim expect refuted -->
$$\nabla f = \begin{pmatrix} 2x + y \\ x - 2y \end{pmatrix}$$

<!-- sb: claim -->
$$\nabla f = (2x + y, x + 2y)^\top$$

<!-- sb: claim -->
$$\begin{pmatrix} \frac{\partial f}{\partial x} & \frac{\partial f}{\partial y} \\
\frac{\partial g}{\partial x} & \frac{\partial g}{\partial y} \end{pmatrix}
= \begin{pmatrix} 2x + y & x + 2y \\ y & x \end{pmatrix}$$

<!-- sb: claim -->
$$\begin{aligned} f &= \begin{pmatrix} x & y \end{pmatrix} \begin{pmatrix} 1 & 1/2 \\ 1/2 & 1 \end{pmatrix}
\begin{pmatrix} x \\ y \end{pmatrix} \\ \det \begin{bmatrix} x & y \\ y & x \end{bmatrix} &= x^2 - y^2 \end{aligned}$$

<!-- sb: claim expect refuted -->
$$\nabla f = \begin{pmatrix} 2x + y \\ x + 2y \\ 0 \end{pmatrix}$$
"""


def test_documents_claim_each_entry(tmp_path: Path) -> None:
    """A gradient as a column, a chain of matrices and a Jacobian: a claim for each entry, with its place."""
    path = tmp_path / "matrices.md"
    path.write_text(DOCUMENT)
    judged = sb.check_document(path)

    assert all(claim.as_expected for claim, _ in judged)
    assert 4 + 2 + 2 + 4 + 2 + 1 == len(judged)
    refuted = next(claim for claim, verdict in judged if verdict.refuted)
    assert "d f / d y = x - 2*y" == refuted.text
    assert r"\text{entry } 2" in refuted.source


@pytest.mark.parametrize(
    "claim",
    [
        r"\nabla f = \begin{pmatrix} 2x + y & x + 2y \end{pmatrix}",
        r"\nabla f = 3x",
        r"\frac{\partial f}{\partial x} = \begin{pmatrix} 2x + y \\ x + 2y \end{pmatrix}",
        r"\nabla^2 f = 3x",
        r"\nabla q = \begin{pmatrix} 2x + y \\ x + 2y \end{pmatrix}",
    ],
)
def test_documents_refuse_what_they_cannot_place(claim: str, tmp_path: Path) -> None:
    """A row for a gradient, a number for a column, or for a matrix."""
    path = tmp_path / "matrices.md"
    program = "```symbackprop\nparam x, y\nf = x^2 + x*y + y^2\ng = x*y\n```\n"
    path.write_text(f"{program}<!-- sb: claim -->\n$${claim}$$\n")
    with pytest.raises(FormulaError):
        sb.check_document(path)


def test_a_swapped_index_of_the_product_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison with SymPy fails where the reader multiplies by the transpose."""
    product = grids.product

    def turned(left: Grid, right: Grid) -> Grid:
        return product(grids.transpose(left), right)

    monkeypatch.setattr(grids, "product", turned)
    with pytest.raises(AssertionError):
        test_products_have_the_entries_of_sympy(*PRODUCTS[0])
