r"""Vectors in formulas with indices: w^\top x_n is the sum over the index that both lack."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.errors import FormulaError
from symbackprop.language import write_tree
from symbackprop.notation.reading import make_vocabulary, read_block, read_claim

PROGRAM = sb.parse("""
input x[N,D], y[N], Q[D,D]
param w[D], W[K,D]
s[n] = sum(d, w[d]*x[n,d])
z[n,k] = sum(d, W[k,d]*x[n,d])
loss = sum(n, exp(s[n]) - y[n]*s[n]) + sum(n, k, z[n,k]) + sum(i, j, Q[i,j])
""")
DOT = "sum(d, w[d]*x[n,d])"


def _claim(latex: str) -> str:
    (statement,) = read_block(latex)
    return write_tree(read_claim(statement, make_vocabulary(PROGRAM.core))).removeprefix("claim ")


@pytest.mark.parametrize(
    ("latex", "understood"),
    [
        (r"s_n = w^\top x_n", f"s[n] = {DOT}"),
        (r"s_n = \mathbf{w}^T \mathbf{x}_n", f"s[n] = {DOT}"),
        (r"s_n = w \cdot x_n", f"s[n] = {DOT}"),
        (r"s_n = \langle w, x_n \rangle", f"s[n] = {DOT}"),
        (r"s_n = x_n^\top w", "s[n] = sum(d, x[n,d]*w[d])"),
        (r"s_n = w^\top x^{(n)}", f"s[n] = {DOT}"),
        (r"z_{nk} = W_k^\top x_n", "z[n,k] = sum(d, W[k,d]*x[n,d])"),
        (r"y_n s_n = y_n w^\top x_n", f"y[n]*s[n] = y[n]*{DOT}"),
        (r"s_n s_m = w^\top x_n \cdot w^\top x_m", f"s[n]*s[m] = {DOT}*sum(d, w[d]*x[m,d])"),
        (r"\sum_d x_{nd} w_d = w^\top x_n", "sum(d, x[n,d]*w[d]) = sum(k, w[k]*x[n,k])"),
        (
            r"\frac{\partial L}{\partial w_d} = \sum_n (e^{w^\top x_n} - y_n) x_{nd}",
            "d loss / d w[d] = sum(n, (exp(sum(k, w[k]*x[n,k])) - y[n])*x[n,d])",
        ),
    ],
)
def test_two_vectors_of_one_length_have_an_inner_product(latex: str, understood: str) -> None:
    """Its index is a letter that stands nowhere else in the formula."""
    assert understood == _claim(latex)


@pytest.mark.parametrize(
    "latex",
    [
        r"s_n = w^\top y",
        r"s_n = w x_n",
        r"s_n = w^\top X",
        r"s_n = w^\top x_{nd}",
        r"s_n = w^\top",
        r"s_n = w \cdot y_n",
        r"s_i = Q_i^\top Q_j",
        r"s_n = \langle w, y \rangle",
    ],
)
def test_what_is_no_inner_product_is_refused(latex: str) -> None:
    """Vectors of two lengths, whole matrices, and a row or a column of a square one."""
    with pytest.raises(FormulaError):
        _claim(latex)


@pytest.mark.parametrize(
    ("latex", "understood"),
    [
        (r"\sum_n s_n = \lVert x_n - W_k \rVert^2", "sum(n, s[n]) = sum(d, (x[n,d] - W[k,d])^2)"),
        (r"s_n = \lVert x_n - \frac{W_k}{y_n} \rVert_2", "s[n] = sqrt(sum(d, (x[n,d] - W[k,d]/y[n])^2))"),
        (r"s_n = \| 2 w \|_1 x_{n1}", "s[n] = sum(d, abs(2*w[d]))*x[n,1]"),
        (r"\sum_d w_d^2 + y_n = \lVert w \rVert^2 + y_n", "sum(d, w[d]^2) + y[n] = sum(k, w[k]^2) + y[n]"),
    ],
)
def test_the_norm_of_a_vector_is_a_sum_over_its_index(latex: str, understood: str) -> None:
    """Of sums and multiples of vectors of one length."""
    assert understood == _claim(latex)


@pytest.mark.parametrize(
    "latex",
    [
        r"s_n = \lVert x_n - y_n \rVert^2",
        r"s_n = \lVert x_n - 1 \rVert^2",
        r"s_n = \lVert w - y \rVert",
        r"s_n = \lVert x_n W_k \rVert^2",
        r"s_n = \lVert y_n / w \rVert",
        r"s_i = \lVert Q_i \rVert^2",
        r"s_n = \lVert x_n \rVert_3",
        r"s_n = \lVert \exp(x_n) \rVert",
        r"s_n = \lVert X \rVert_2 y_n",
    ],
)
def test_what_is_no_sum_of_vectors_has_no_norm(latex: str) -> None:
    """Numbers beside vectors, vectors of two lengths, and matrices."""
    with pytest.raises(FormulaError):
        _claim(latex)
