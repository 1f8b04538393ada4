"""Scripts that say two things are errors that name both, and how to write either."""

from __future__ import annotations

from pathlib import Path

import pytest

import symbackprop as sb
from tests.oracles.latex_claims import judge

SQUARE = """
param A[N,N], B[N,N], W[K,D], x[D]
loss = sum(k, (sum(d, W[k,d]*x[d]))^2)
"""
NUMBERED = """
param x[D], x2[D], W[D,D], W2[D,D], w, w1
f = sum(i, x[i]*x2[i])
"""


@pytest.mark.parametrize(
    ("program", "latex", "advice"),
    [
        (SQUARE, r"A^\top_{ij} = A_{ij}", r"(A^{\top})_{ij}"),
        (SQUARE, r"A^\top_{ij} = A_{ji}", r"(A^{\top})_{ij}"),
        (SQUARE, r"A_{ij}^\top = A_{ij}", r"(A^{\top})_{ij}"),
        (SQUARE, r"A^T_{ij} = A_{ij}", r"(A^{T})_{ij}"),
        (SQUARE, r"A^{-\top}_{ij} = 1 / A_{ij}", r"(A^{-\top})_{ij}"),
        (SQUARE, r"\frac{\partial L}{\partial x_d} = 2 \sum_k W^\top_{kd} (W x)_k", r"(W^{\top})_{kd}"),
        (SQUARE, r"\frac{\partial}{\partial A_{ij}} \operatorname{tr}(A B) = B^\top_{ij}", r"(B^{\top})_{ij}"),
        (SQUARE, r"(A B)^\top_{ij} = (A B)_{ij}", r"((AB)^{\top})_{ij}"),
        (SQUARE, r"(A B)^{-1}_{ij} = 1 / (A B)_{ij}", r"((AB)^{-1})_{ij}"),
        (SQUARE, r"(A B)_{ij}^{-1} = 1 / (A B)_{ij}", r"((AB)^{-1})_{ij}"),
        (SQUARE, r"(A + B)^2_{ij} = (A_{ij} + B_{ij})^2", r"((A+B)_{ij})^{2}"),
        (SQUARE, r"A'_{ij} = A_{ij}", r"(A^\top)_{ij}"),
        (NUMBERED, r"\frac{\partial f}{\partial x_i} = x_{2i}", r"x_{2,i}"),
        (NUMBERED, r"\frac{\partial f}{\partial x_i} = x^2_i", r"x^{(2)}_{i}"),
        (NUMBERED, r"W^2 = W W", r"W^{(2)}"),
        (NUMBERED, r"w^1 = w", r"w^{(1)}"),
    ],
)
def test_two_readings_are_an_error(tmp_path: Path, program: str, latex: str, advice: str) -> None:
    """The error names both and says how to write one."""
    with pytest.raises(sb.FormulaError, match="can be read as") as caught:
        judge(tmp_path, program, latex)
    assert advice in str(caught.value)


@pytest.mark.parametrize(
    ("program", "latex", "status"),
    [
        (SQUARE, r"(A^\top)_{ij} = A_{ji}", "proved"),
        (SQUARE, r"(A^\top)_{ij} = A_{ij}", "refuted"),
        (SQUARE, r"((A B)^\top)_{ij} = (B^\top A^\top)_{ij}", "proved"),
        (SQUARE, r"\frac{\partial L}{\partial x_d} = 2 \sum_k (W^\top)_{dk} (W x)_k", "proved"),
        (SQUARE, r"(W x)_k^2 = (W x)_k (W x)_k", "proved"),
        (SQUARE, r"(A B)_{ij}^2 = (A B)_{ij} (A B)_{ij}", "proved"),
        (SQUARE, r"A_{ij}^2 = A_{ij} A_{ij}", "proved"),
        (NUMBERED, r"\frac{\partial f}{\partial x_i} = x_{2,i}", "proved"),
        (NUMBERED, r"\frac{\partial f}{\partial x_i} = x^{(2)}_i", "proved"),
        (NUMBERED, r"\sum_i x_i^2 = \sum_i x_i x_i", "proved"),
        (NUMBERED, r"w^2 = w w", "proved"),
    ],
)
def test_what_says_one_thing_is_read(tmp_path: Path, program: str, latex: str, status: str) -> None:
    """Brackets, commas and the order of the scripts decide."""
    (verdict,) = judge(tmp_path, program, latex)
    assert verdict.status == status, str(verdict)


@pytest.mark.parametrize("never", [r"i > D", r"i \ge D + 1", r"i > 2D", r"i \ne i", r"i < D, i > D", r"i \ge D, i < D"])
def test_a_restriction_that_never_holds_is_an_error(tmp_path: Path, never: str) -> None:
    """It would prove anything."""
    with pytest.raises(sb.FormulaError, match="which never holds"):
        judge(tmp_path, NUMBERED, rf"\frac{{\partial f}}{{\partial x_i}} = 5, \quad {never}")


def test_a_given_function_applies_others(tmp_path: Path) -> None:
    """Those that were given above it, derived by the chain rule."""
    path = tmp_path / "functions.md"
    path.write_text(
        "```symbackprop\nparam u\n```\n<!-- sb: given -->\n$$g(w) = w^3$$\n<!-- sb: given -->\n$$m(t) = g(g(t)) + 1$$\n"
        "<!-- sb: claim -->\n$$m(u) = u^9 + 1$$\n<!-- sb: claim -->\n$$m'(u) = 9 u^8$$\n"
        "<!-- sb: claim -->\n$$m(u) = u^6 + 1$$\n",
        encoding="utf-8",
    )
    assert [verdict.status for _, verdict in sb.check_document(path)] == ["proved", "proved", "refuted"]


def test_a_number_of_many_digits_is_told_with_its_place(tmp_path: Path) -> None:
    """And the rest of the document is judged."""
    with pytest.raises(sb.LimitError, match="line 6, column 7: found the number 111"):
        judge(tmp_path, NUMBERED, f"w = {'1' * 5000}")
