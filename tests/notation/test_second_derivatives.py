r"""Second derivatives and Jacobians as left sides: \nabla^2 L, \frac{\partial^2 L}{...}, \frac{\partial(f, g)}{...}."""

from __future__ import annotations

from pathlib import Path

import pytest
from latex_claims import judge

import symbackprop as sb

SCALARS = """
input x, y
param w, b
z = w*x + b
a = sigmoid(z)
loss = z^2/2 + w*b^2
"""
VECTORS = """
input x[2], c[2]
param w[2], v[2]
z = sum(i, w[i]*x[i])
loss = z^2/2 + sum(i, w[i]*v[i]^2*c[i])
"""
MIXED = """
input X[N,D], g[K]
param w[D], c, W[K,D], u[D]
e[n] = sum(d, X[n,d]*w[d]) + c
q = c*sum(i, d, g[i]*W[i,d]*u[d])
loss = sum(n, e[n]^2)/2 + q
"""
THREE = """
param b[3]
J = sum(i, b[i])^3/6
loss = J + sum(i, b[i]^4)
"""
ROW_BY_COLUMN = (r"\mathbf{1}^\top X", r"X^\top \mathbf{1}")
READ = [
    (SCALARS, r"\nabla^2 L = \begin{pmatrix} x^2 & x + 2b \\ x + 2b & 1 + 2w \end{pmatrix}", ("1 + 2w", "1 + w")),
    (SCALARS, r"\frac{\partial^2 L}{\partial w\,\partial b} = x + 2b", ("2b", "b")),
    (SCALARS, r"\frac{\partial^2 L}{\partial b^2} = 1 + 2w", ("2w", "2b")),
    # Of what is not the loss, of third order, and inside a formula.
    (SCALARS, r"\nabla^2 z = \begin{pmatrix} 0 & 0 \\ 0 & 0 \end{pmatrix}", ("0 & 0", "0 & 1")),
    (SCALARS, r"\frac{\partial^2 a}{\partial w^2} = a (1-a) (1-2a) x^2", ("2a", "a")),
    (SCALARS, r"\frac{\partial^3 L}{\partial w \partial b^2} = 2", ("= 2", "= 1")),
    (SCALARS, r"\frac{\partial L}{\partial w} = z x + \frac{b^2}{x^2} \frac{\partial^2 L}{\partial w^2}", ("z x", "z")),
    (SCALARS, r"\frac{\partial(z, a)}{\partial(w, b)} = \begin{pmatrix} x & 1 \\ a(1-a)x & a(1-a) \end{pmatrix}",
     ("x & 1", "1 & x")),
    (VECTORS, r"\nabla_w^2 L = \begin{pmatrix} x_1^2 & x_1 x_2 \\ x_1 x_2 & x_2^2 \end{pmatrix}", ("x_1^2", "x_1")),
    (VECTORS, r"\nabla_w^2 L = x x^\top", (r"x x", r"2 x x")),
    (VECTORS, r"\frac{\partial^2 L}{\partial w_1 \partial w_2} = x_1 x_2", ("= x_1", "= x_2")),
    (VECTORS, r"\frac{\partial^2 L}{\partial w_i \partial v_j} = 2 v_i c_i \delta_{ij}", (r"\delta_{ij}", "")),
    (VECTORS, r"\frac{\partial^2 L}{\partial w\,\partial v^\top} = \operatorname{diag}(2 v \odot c)", ("2 v", "v")),
    # Off the diagonal alone.
    (THREE, r"\frac{\partial^2 L}{\partial b_i \partial b_j} = b_1 + b_2 + b_3, \quad i \ne j", ("b_1 +", "2 b_1 +")),
    (THREE, r"\frac{\partial^2 J}{\partial b_i \partial b_j} = b_1 + b_2 + b_3, \quad i \ne j", ("b_1 +", "2 b_1 +")),
    # By a scalar and a transpose, in either order: that of the derivative by the tensor.
    (MIXED, r"\frac{\partial^2 L}{\partial c\,\partial w^\top} = \mathbf{1}^\top X", ROW_BY_COLUMN),
    (MIXED, r"\frac{\partial^2 L}{\partial w^\top\,\partial c} = \mathbf{1}^\top X", ROW_BY_COLUMN),
    (MIXED, r"\frac{\partial^2 L}{\partial w\,\partial c} = X^\top \mathbf{1}", ROW_BY_COLUMN[::-1]),
    (MIXED, r"\frac{\partial^2 L}{\partial c\,\partial W^\top} = u g^\top", (r"u g^\top", r"g u^\top")),
    (MIXED, r"\frac{\partial^2 q}{\partial W^\top\,\partial c} = u g^\top", (r"u g^\top", r"g u^\top")),
]  # fmt: skip
REFUSED = [
    (SCALARS, r"\frac{\partial(z, a)}{\partial(w, b)} = x", "a matrix of 2 x 2"),
    (SCALARS, r"\frac{\partial(z+1, a)}{\partial(w, b)} = \begin{pmatrix} x & 1 \\ 1 & 1 \end{pmatrix}",
     "a formula in"),
    (VECTORS, r"\frac{\partial(z, w)}{\partial(x_1, x_2)} = \begin{pmatrix} 1 & 1 \\ 1 & 1 \end{pmatrix}",
     "which has axes"),
    (VECTORS, r"\nabla^2 L = x x^\top", "scalars to derive by"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "latex", "mistake"), READ)
def test_they_are_proved_and_their_mistakes_refuted(
    program: str, latex: str, mistake: tuple[str, str], tmp_path: Path
) -> None:
    """Each is the derivative of the first derivative, entry by entry or as a whole."""
    right, wrong = mistake
    assert right in latex

    assert {"proved"} == {verdict.status for verdict in judge(tmp_path, program, latex)}
    assert "refuted" in {verdict.status for verdict in judge(tmp_path, program, latex.replace(right, wrong, 1))}


@pytest.mark.parametrize(("program", "latex", "said"), REFUSED)
def test_what_is_no_second_derivative_of_the_loss_is_an_error(
    program: str, latex: str, said: str, tmp_path: Path
) -> None:
    """It says what was seen."""
    with pytest.raises(sb.SymBackpropError) as caught:
        judge(tmp_path, program, latex)

    assert said in str(caught.value)


def test_a_side_of_another_shape_is_refuted_as_such(tmp_path: Path) -> None:
    """The Hessian is a matrix."""
    (verdict,) = judge(tmp_path, VECTORS, r"\nabla_w^2 L = x^\top x")

    assert verdict.refuted
    assert "a scalar" in str(verdict)
