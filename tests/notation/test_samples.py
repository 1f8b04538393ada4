r"""Samples in brackets above, x^{(n)}_d: the first index of x[N,D], the last one of x[D,N]."""

import re
from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.errors import FormulaError

COLUMNS = """input x[D,N], y[N]
param w[D]
a[n] = sum(d, w[d]*x[d,n])
loss = sum(n, (a[n] - y[n])^2)/2
"""
ROWS = COLUMNS.replace("x[D,N]", "x[N,D]").replace("x[d,n]", "x[n,d]")
SQUARE = "input x[D,D]\nparam w[D]\na[n] = sum(d, w[d]*x[d,n])\n"


def check(program: str, claim: str, path: Path, names: str = "") -> tuple[str, sb.Verdict]:
    """The claim as it was read, and the verdict."""
    mark = f"<!-- sb: names {names} -->\n" if names else ""
    file = path / "a.md"
    file.write_text(f"~~~symbackprop\n{program}~~~\n{mark}<!-- sb: claim -->\n$${claim}$$\n", encoding="utf-8")
    ((judged, verdict),) = sb.check_document(file)
    return judged.text, verdict


CLAIMS = [
    (r"\frac{\partial L}{\partial w_d} = \sum_n (a^{(n)} - y^{(n)}) x_d^{(n)}",
     "d loss / d w[d] = sum(n, (a[n] - y[n])*x[d,n])"),
    (r"\frac{\partial L}{\partial w_j} = \sum_{i=1}^N (a^{(i)} - y^{(i)}) x_j^{(i)}",
     "d loss / d w[j] = sum(i:N, (a[i] - y[i])*x[j,i])"),
    (r"\frac{\partial L}{\partial x_d^{(n)}} = (a^{(n)} - y^{(n)}) w_d", "d loss / d x[d,n] = (a[n] - y[n])*w[d]"),
    (r"a^{(n)} = w^\top x^{(n)}", "a[n] = sum(d, w[d]*x[d,n])"),
    (r"\sum_{n=1}^N x_1^{(n)} = \sum_{i=1}^N x_1^{(i)}", "sum(n:N, x[1,n]) = sum(i:N, x[1,i])"),
    (r"\sum_d (x_d^{(n)})^2 = \lVert x^{(n)} \rVert^2", "sum(d, x[d,n]^2) = sum(k, x[k,n]^2)"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "read"), CLAIMS)
def test_samples_in_columns(claim: str, read: str, tmp_path: Path) -> None:
    """The ranges of the indices, and their names, tell on which axis samples lie."""
    text, verdict = check(COLUMNS, claim, tmp_path)

    assert text == read
    assert verdict.proved


@pytest.mark.parametrize(("claim", "read"), CLAIMS)
def test_samples_in_rows(claim: str, read: str, tmp_path: Path) -> None:
    """The same formulas where samples are rows."""
    text, verdict = check(ROWS, claim, tmp_path)

    assert text == re.sub(r"x\[(\w),(\w)\]", r"x[\2,\1]", read)
    assert verdict.proved


def test_of_a_square_matrix_both_are_possible(tmp_path: Path) -> None:
    """Where both axes have one size nothing tells, and what the name stands for can be declared."""
    claim = r"a^{(n)} = \sum_d w_d x_d^{(n)}"
    with pytest.raises(FormulaError, match=r"`x\[n,d\]` or as `x\[d,n\]`; write all indices below.*or declare"):
        check(SQUARE, claim, tmp_path)
    assert check(SQUARE, r"a^{(n)} = \sum_d w_d x_{d,n}", tmp_path)[1].proved
    assert check(SQUARE, claim, tmp_path, "x_d^{(n)} = x[d,n]")[1].proved


def test_a_formula_of_a_program_is_read_alike() -> None:
    """What is verified in Python takes the ranges of its head."""
    program = sb.parse(COLUMNS)
    claim = sb.latex_formula(r"\sum_n (a^{(n)} - y^{(n)}) x_d^{(n)}")
    verdict = sb.verify_gradient(program, "w[d]", claim)

    assert verdict.proved
    assert verdict.notes == ("The claim was read as sum(n, (a[n] - y[n])*x[d,n]).",)


@pytest.mark.parametrize("program", [ROWS, COLUMNS])
@pytest.mark.parametrize(
    "claim",
    [
        r"a^{(i)} = \sum_j w_j x_i^{(j)}",
        r"\frac{\partial L}{\partial w_j} = \sum_{i=1}^N (a^{(i)} - y^{(i)}) x_i^{(j)}",
        r"\sum_{j=1}^D w_j x_i^{(j)} = \sum_{d=1}^D w_d x_i^{(d)}",
    ],
)
def test_a_feature_is_no_sample(program: str, claim: str, tmp_path: Path) -> None:
    """What stands above is not taken for what stands below, though the ranges would fit: a parameter has no entries of
    its own for each sample.
    """
    with pytest.raises(FormulaError, match=r"index \w runs over"):
        check(program, claim, tmp_path)


def test_two_kinds_of_samples(tmp_path: Path) -> None:
    """Where all of them are rows they may run over two sizes."""
    program = "input x[N,D], y[M,D]\nparam c\nk[n,m] = c*sum(d, x[n,d]*y[m,d])\nloss = sum(n, m, k[n,m])\n"
    text, verdict = check(program, r"k_{ij} = c \sum_d x^{(i)}_d y^{(j)}_d", tmp_path)

    assert text == "k[i,j] = c*sum(d, x[i,d]*y[j,d])"
    assert verdict.proved
