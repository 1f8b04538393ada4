r"""Derivatives of written formulas, such as \nabla_w \lVert Xw - y \rVert^2, and sums over samples."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from latex_claims import judge

from symbackprop.errors import SymBackpropError

SOFTMAX = """
input y[N,K]
param z[N,K]
p[n,k] = exp(z[n,k])/sum(j, exp(z[n,j]))
loss = -sum(n, k, y[n,k]*log(p[n,k]))/N
assume sum(k, y[n,k]) = 1
"""
MATRICES = """
input a[D], b[D], A[D,D], C[N,D], y[N]
param x[D], X[D,D], s
z[i] = sum(j, A[i,j]*x[j])
loss = sum(i, x[i]*z[i]) + sum(i, j, X[i,j]^2) + s
"""
SAMPLES = """
input x[N,D], y[N], Y[N,K]
param w[D], W[K,D], b[K]
p[n] = sigmoid(sum(d, x[n,d]*w[d]))
r[n,k] = sum(d, W[k,d]*x[n,d]) + b[k] - Y[n,k]
loss = -sum(n, y[n]*log(p[n]) + (1 - y[n])*log(1 - p[n]))/N + sum(n, k, r[n,k]^2)/2
"""
READ = [
    # By an entry.
    (SOFTMAX, r"\frac{\partial}{\partial z_{nk}} \log\sum_j e^{z_{nj}} = p_{nk}", ("= p", "= -p")),
    (SOFTMAX, r"\frac{\partial \log \sum_j e^{z_{nj}}}{\partial z_{nk}} = p_{nk}", ("= p", "= y")),
    (SOFTMAX, r"\frac{\partial}{\partial z_{nk}} \log\sum_k e^{z_{nk}} = p_{nk}", ("= p", "= 2 p")),
    (SOFTMAX, r"\frac{\partial}{\partial z_{mk}} \log\sum_j e^{z_{nj}} = \delta_{mn} p_{nk}", (r"\delta_{mn}", "")),
    (SOFTMAX, r"\frac{\partial}{\partial z_{nk}} \Big(-\sum_j y_{nj} \log p_{nj}\Big) = p_{nk} - y_{nk}", ("p", "y")),
    (SOFTMAX, r"\frac{\partial}{\partial z_{nk}} y_{nk} \log p_{nk} = y_{nk} (1 - p_{nk})", ("1 - p", "1 + p")),
    (SOFTMAX, r"\partial_{z_{nk}} \frac{e^{z_{ni}}}{\sum_j e^{z_{nj}}} = p_{ni}(\delta_{ik} - p_{nk})",
     (r"\delta_{ik}", "1")),
    (SOFTMAX, r"\frac{\partial^2}{\partial z_{ni} \partial z_{nk}} \log\sum_j e^{z_{nj}} = "
     r"p_{ni} (\delta_{ik} - p_{nk})",
     (r"\delta_{ik}", "1")),
    (SOFTMAX, r"\frac{\partial L}{\partial z_{nk}} = \frac1N \frac{\partial}{\partial z_{nk}} \Big("
     r"\log\sum_j e^{z_{nj}} - z_{nk}\Big) + \frac1N (1 - y_{nk})", ("(1 - y", "(2 - y")),
    (SOFTMAX, r"\frac{\partial}{\partial z_{nk}} \sum_{i \ne k} z_{ni} p_{nk} = "
     r"p_{nk} (1 - p_{nk}) \sum_{i \ne k} z_{ni}", ("1 - p", "1 + p")),
    # By a whole tensor.
    (MATRICES, r"\nabla_x a^\top x = a", ("= a", "= b")),
    (MATRICES, r"\frac{\partial}{\partial x} (x^\top A x) = (A + A^\top) x", (r"A + A^\top", "2 A")),
    (MATRICES, r"\nabla_x x^\top A x = (A + A^\top) x", (r"A + A^\top", "2 A")),
    (MATRICES, r"\frac{\partial x^\top z}{\partial x} = (A + A^\top) x", (r"A + A^\top", "A")),
    (MATRICES, r"\frac{\partial}{\partial x} (Cx - y)^\top (Cx - y) = 2 C^\top (Cx - y)", ("= 2", "=")),
    (MATRICES, r"\nabla_x \tfrac12 \lVert Cx - y \rVert_2^2 = C^\top (Cx - y)", ("Cx - y)", "Cx + y)")),
    (MATRICES, r"\frac{\partial}{\partial X} \operatorname{tr}(A X) = A^\top", (r"= A^\top", "= A")),
    (MATRICES, r"\frac{\partial a^\top X b}{\partial X} = a b^\top", (r"a b^\top", r"b a^\top")),
    (MATRICES, r"\frac{\partial}{\partial X} \log\det X = X^{-\top}", (r"-\top", "-1")),
    (MATRICES, r"\nabla_X \lVert X \rVert_F^2 = 2 X", ("2 X", "X")),
    (MATRICES, r"\frac{\partial (Ax)}{\partial x} = A", ("= A", r"= A^\top")),
    (MATRICES, r"\frac{\partial^2}{\partial x \, \partial x^\top} x^\top A x = A + A^\top", (r"+ A^\top", "+ A")),
    (MATRICES, r"\nabla^2_x (x^\top A x) = A + A^\top", (r"+ A^\top", "+ A")),
    (MATRICES, r"\frac{\partial}{\partial s} \lVert s x - a \rVert^2 = 2 x^\top (s x - a)", ("2 x", "x")),
    (MATRICES, r"\frac{\partial}{\partial x} \sigma(a^\top x) = \sigma(a^\top x) (1 - \sigma(a^\top x)) a",
     (r"(1 - \sigma(a^\top x))", "")),
    (MATRICES, r"\frac{\partial}{\partial X^\top} \operatorname{tr}(A X) = A", ("= A", r"= A^\top")),
    (MATRICES, r"\frac{\partial a^\top x}{\partial x^\top} = a^\top", (r"= a^\top", r"= b^\top")),
    (MATRICES, r"\frac{\partial (Cx)}{\partial x^\top} = C", ("= C", "= 2 C")),
    (MATRICES, r"\frac{\partial^2}{\partial x^\top \, \partial b} x^\top A b = A^\top", (r"A^\top", "A")),
    (MATRICES, r"\frac{\partial^2}{\partial x \, \partial b^\top} x^\top A b = A", ("= A", r"= A^\top")),
    # Sums over samples.
    (SAMPLES, r"\nabla_w L = \frac1N \sum_n (p_n - y_n) x_n", (r"\frac1N ", "")),
    (SAMPLES, r"\nabla_w L = \frac1N \sum_{i=1}^N (\sigma(w^\top x^{(i)}) - y^{(i)}) x^{(i)}", (r"\sigma", r"\tanh")),
    (SAMPLES, r"\nabla_w^2 L = \frac1N \sum_{n=1}^N p_n (1 - p_n) x_n x_n^\top", ("(1 - p_n)", "")),
    (SAMPLES, r"\nabla_w^2 L = \frac1N \sum_i p_i (1 - p_i) x^{(i)} x^{(i)\top}", ("(1 - p_i)", "")),
    (SAMPLES, r"\nabla_w \sum_{n=1}^N (w^\top x_n - y_n)^2 = 2 \sum_{n=1}^N (w^\top x_n - y_n) x_n", ("= 2", "=")),
    (SAMPLES, r"\frac{\partial L}{\partial W} = \sum_n r_n x_n^\top", ("r_n", "2 r_n")),
    (SAMPLES, r"\nabla_W L = \sum_n \frac{\partial L}{\partial r_n} x_n^\top", (r"x_n^\top", r"x_n^\top \cdot 2")),
    (SAMPLES, r"\frac{\partial L}{\partial b} = \sum_{n=1}^N \frac{\partial L}{\partial r_n}", (r"\sum", r"2 \sum")),
    (SAMPLES, r"\frac{\partial L}{\partial b} = \sum_n r_n = \sum_n (W x_n + b - Y_n)", ("+ b", "")),
    (SAMPLES, r"\nabla_w \frac1N \sum_n (w^\top x_n - y_n)^2 = \frac2N \sum_n (w^\top x_n - y_n) x_n", ("2N", "1N")),
    (SAMPLES, r"\frac{\partial}{\partial W} \sum_i \lVert W x_i \rVert^2 = 2 W x^\top x", ("= 2", "=")),
    (SAMPLES, r"\nabla_b \log \sum_k e^{b_k} = \frac{1}{\sum_k e^{b_k}} \exp(b)", (r"\exp(b)", r"b")),
]  # fmt: skip
RECURRENT = """
input x[T,D]
param W[H,D], U[H,H], b[H]
h[0,i] = 0
h[t,i] = tanh(sum(d, W[i,d]*x[t,d]) + sum(j, U[i,j]*h[t-1,j]) + b[i])
loss = sum(i, h[T,i]^2)
"""
LAYERS = """
input x[N,D], y[N,K]
param W1[H,D], b1[H], W2[K,H], b2[K]
z1[n,h] = sum(d, W1[h,d]*x[n,d]) + b1[h]
a1[n,h] = relu(z1[n,h])
z2[n,k] = sum(h, W2[k,h]*a1[n,h]) + b2[k]
l[n] = sum(k, (z2[n,k] - y[n,k])^2)/2
loss = sum(n, l[n])/N
"""
CLASSES = """
input y[N,K]
param z[N,K]
s[n,k] = exp(z[n,k])
p[n,k] = s[n,k]/sum(j, s[n,j])
ell[n] = -sum(k, y[n,k]*log(p[n,k]))
loss = sum(n, ell[n])/N
assume sum(k, y[n,k]) = 1
"""
MARKED = "```\n<!-- sb: names d = adj -->\n```symbackprop\n"
VECTORS = [
    # For all n.
    (LAYERS, r"z^{(1)}_n = W^{(1)} x_n + b^{(1)}, \quad n \ge 2", ("= W", "= 2 W")),
    (CLASSES, r"\nabla_{z_n} \ell_n = p_n - y_n", ("p_n", "2 p_n")),
    (CLASSES, r"\frac{\partial L}{\partial \ell_n} = \frac1N", ("1N", "2N")),
    (CLASSES, r"\nabla^2_{z_n} \ell_n = \operatorname{diag}(p_n) - p_n p_n^\top", ("- p", "+ p")),
    (CLASSES, r"\frac{\partial^2 \ell_n}{\partial z_n \partial z_n^\top} = \operatorname{diag}(p_n) - p_n p_n^\top",
     ("- p", "+ p")),
    (CLASSES, r"\frac{\partial^2 \ell_n}{\partial z_{ni} \partial z_{nj}} = p_{ni} (\delta_{ij} - p_{nj})",
     (r"\delta_{ij}", "1")),
    (CLASSES, r"\nabla_{z_n}^2 L = \frac1N (\operatorname{diag}(p_n) - p_n p_n^\top)", ("1N", "2N")),
    (CLASSES, r"\frac{\partial^2 L}{\partial z_{nk}^2} = \frac1N p_{nk} (1 - p_{nk})", ("1N", "2N")),
    (SAMPLES, r"\nabla_w (w^\top x_n)^2 + \nabla_w \lVert w \rVert^2 = 2 x_n x_n^\top w + 2 w", ("+ 2 w", "+ w")),
    (SAMPLES, r"\nabla_w \lVert w \rVert^2 - 2 \nabla_w \lVert w \rVert^2 = -2 w", ("= -2", "= 2")),
    (LAYERS, r"z^{(1)}_n = W^{(1)} x_n + b^{(1)}", ("x_n", "y_n")),
    (LAYERS, r"z^{(1)}_n = W^{(1)} x_n + b^{(1)}, \quad n = 1, \dots, N", ("= W", "= 2 W")),
    (LAYERS, r"\delta^{(2)}_n = \frac1N (z^{(2)}_n - y_n)", (r"\frac1N", "")),
    (LAYERS, r"\frac{\partial L}{\partial z^{(2)}_n} = \frac1N (z_n^{(2)} - y_n)", ("- y_n", "+ y_n")),
    (LAYERS, r"\delta^{(1)}_n = (W^{(2)})^\top \delta^{(2)}_n \odot \mathbb{1}[z^{(1)}_n > 0]", ("[z", "[-z")),
    (LAYERS, r"\delta^{(1)}_n = W^{(2)\top} \delta^{(2)}_n \odot \mathbb{1}[a^{(1)}_n > 0]", (r"[a", r"[-a")),
    (LAYERS, r"\nabla_{W^{(2)}} l_n = (z^{(2)}_n - y_n) a_n^{(1)\top}", ("- y_n", "")),
    (LAYERS, r"\frac{\partial l_n}{\partial b^{(2)}} = z^{(2)}_n - y_n", ("- y_n", "")),
    (LAYERS, r"\nabla_{W_2} L = \frac1N (Z_2 - Y)^\top A_1", ("1N", "2N")),
    (SAMPLES, r"\nabla_w (w^\top x_n - y_n)^2 = 2 (w^\top x_n - y_n) x_n", ("= 2", "=")),
    (SAMPLES, r"\nabla_w^2 \log(1 + \exp(w^\top x_i)) = p_i (1 - p_i) x_i x_i^\top", ("(1 - p_i)", "")),
    (SAMPLES, r"\frac{\partial}{\partial w} \sigma(w^\top x_n) = p_n (1 - p_n) x_n", ("(1 - p_n)", "")),
    (SAMPLES, r"\frac{\partial}{\partial x_n} \lVert W x_n \rVert^2 = 2 W^\top W x_n", ("= 2", "=")),
    (RECURRENT, r"h_t = \tanh(W x_t + U h_{t-1} + b)", ("t-1", "t")),
    (RECURRENT, r"\frac{\partial L}{\partial U} = \sum_t \big(\frac{\partial L}{\partial h_t} \odot "
     r"(1 - h_t \odot h_t)\big) h_{t-1}^\top", ("{t-1}", "t")),
    (RECURRENT, r"\frac{\partial L}{\partial W} = \sum_{t=1}^T \big(\frac{\partial L}{\partial h_t} \odot "
     r"(1 - h_t \odot h_t)\big) x_t^\top", ("1 - h_t", "2 - h_t")),
    # An inner product with an adjoint, among entries.
    (LAYERS, r"\sum_n \delta^{(2)\top}_n z^{(2)}_n = \sum_n \sum_k \delta^{(2)}_{nk} z^{(2)}_{nk}", ("= ", "= 2 ")),
    # dW, where d is declared.
    (LAYERS + MARKED, r"dZ^{[2]} = \frac1N (Z^{[2]} - Y)", ("- Y", "+ Y")),
    (LAYERS + MARKED, r"dW^{[2]} = dZ^{[2]\top} A^{[1]}", ("= d", "= 2 d")),
    (LAYERS + MARKED, r"db_2 = dZ_2^\top \mathbf{1}", (r"dZ_2", r"Z_2")),
    (LAYERS + MARKED, r"dz^{[1]}_n = W^{[2]\top} dz^{[2]}_n \odot \mathbb{1}[z^{[1]}_n > 0]", ("= W", "= 2 W")),
    (LAYERS + MARKED, r"\frac{dL}{dW_2} = dW_2", ("= d", "= 2 d")),
    (LAYERS + MARKED, r"\frac{dL}{db^{[2]}_k} = \sum_n \frac{dL}{dz^{[2]}_{nk}}", ("= ", "= 2 ")),
    (LAYERS + MARKED, r"dL/dW^{[2]} = dZ^{[2]\top} A^{[1]}", ("= d", "= 2 d")),
    (LAYERS + MARKED, r"\frac{d}{dW_2} L = (Z_2 - Y)^\top A_1 / N", ("- Y", "+ Y")),
    (LAYERS + MARKED, r"\frac{\partial L}{\partial W_2^\top} = dW_2^\top", ("= d", "= 2 d")),
    (LAYERS, r"\frac{\partial L}{\partial z_{2,n}^\top} = \frac1N (z_{2,n} - y_n)^\top", ("1N", "2N")),
    (LAYERS + MARKED, r"dz^{[2]}_{nk} = \frac1N (z^{[2]}_{nk} - y_{nk})", ("1N", "2N")),
]  # fmt: skip
REFUSED = [
    (LAYERS, r"z^{(1)}_n = W^{(1)} x_n + b^{(1)}, \quad k \ge 2", "k is none"),
    (LAYERS + MARKED, r"dL = 1", "the unknown name `d`"),
    (LAYERS + MARKED, r"dN = 1", "the unknown name `d`"),
    (RECURRENT, r"\frac{\partial}{\partial W^T} \lVert W \rVert_F^2 = 2 W^\top", "the power T"),
    (LAYERS, r"dW_2 = dZ_2^\top A_1", "declare <!-- sb: names d = adj -->"),
    (LAYERS, r"z^{(1)}_h = W^{(1)} x_h + b^{(1)}", "a row"),
    (LAYERS, r"z^{(1)}_n = W^{(1)} x_m + b^{(1)}", "`x_{m}` among whole matrices"),
    (LAYERS, r"\delta^{(1)}_n = \sum_n W^{(2)\top} \delta^{(2)}_n", "free on the first side"),
    (SOFTMAX, r"\frac{\partial}{\partial z_{nk}} z_{nk} p_{nk} = 0", "the derivative of its first factor"),
    (SOFTMAX, r"\frac{\partial}{\partial z_{nk}} y_{nk}^2 = 0", "which does not depend on it"),
    (SOFTMAX, r"\frac{\partial}{\partial z_{nk}} z_{n,k+1} z_{nk} = 0", "its first factor"),
    (SOFTMAX, r"\frac{\partial}{\partial z_{nk}} (z_{n,k+1} z_{nk}) = 0", "letters alone as indices"),
    (MATRICES, r"\frac{\partial}{\partial X} X b = 0", "its first factor"),
    (MATRICES, r"\frac{\partial}{\partial X} (X b) = 0", "3 axes"),
    (MATRICES, r"\nabla_x x^\top a s = 0", "its first factor"),
    (MATRICES, r"\nabla_x x^\top a \cdot s = 0", "its first factor"),
    (MATRICES, r"\nabla_x L = \sum_d C_d", "a row"),
    (MATRICES, r"\frac{\partial^2}{\partial x \, \partial b} x^\top A b = A", "`rows of x` or as `rows of b`"),
    (MATRICES, r"\nabla_x (C x) = C^\top", "the Jacobian, with the rows of the vector"),
    (MATRICES, r"\nabla_x z = A", "the Jacobian, with the rows of the vector"),
    (MATRICES, r"\frac{\partial}{\partial s} \log\det (A + s) = 1", "a multiple of I"),
    (MATRICES, r"\frac{\partial}{\partial s} x^\top (A + s) x = 1", "a multiple of I"),
    (MATRICES, r"\frac{\partial L}{\partial x} = \frac{\partial L}{\partial z} \frac{\partial z}{\partial x}", "alone"),
    (MATRICES, r"\frac{\partial}{\partial D} D^2 = 2 D", "one by a scalar or an entry"),
    (MATRICES, r"\nabla_x a^\top b = 0", "which does not depend on it"),
    (MATRICES, r"\frac{\partial}{\partial x} (x^\top A) = A", "of the row x'"),
    (MATRICES, r"\frac{\partial L}{\partial x} = \frac{\partial z}{\partial x} a", "read alone on a side"),
    (MATRICES, r"\nabla_x (x_i A) = A", "3 axes"),
    (SAMPLES, r"\nabla_w L = \frac1N \sum_{n=1}^{N+1} (p_n - y_n) x_n", "does not end on its axis"),
    (SAMPLES, r"\nabla_w L = \frac1N \sum_{n=1}^D (p_n - y_n) x_n", "does not end on its axis"),
    (SAMPLES, r"\nabla_w L = \frac1N \sum_n (p - y)^\top x", "no such index"),
    (SAMPLES, r"\nabla_w p_n = \sum_n x_n", "stands free on the first side"),
    (SAMPLES, r"\nabla_w L = \sum_n p_n \sum_n x_n", "bound by a sum around it"),
    (SAMPLES, r"\nabla_w L = \sum_b x_b", "b is a tensor"),
    (SAMPLES, r"\frac{\partial L}{\partial b} = \sum_n r_n - r_n", "among whole matrices"),
    (SAMPLES, r"\frac{\partial L}{\partial b} = \sum_i r_i W_i^\top w", "runs over"),
]


@pytest.mark.parametrize(("program", "latex", "mistake"), READ + VECTORS)
def test_they_are_proved_and_their_mistakes_refuted(
    program: str, latex: str, mistake: tuple[str, str], tmp_path: Path
) -> None:
    """What is right is proved for all sizes; with one change on the right it is refuted."""
    for verdict in judge(tmp_path, program, latex):
        assert verdict.proved, verdict
        assert verdict.for_all_sizes
    head, right = re.split(r"=(?!1)", latex, maxsplit=1)
    changed = f"{head}{f'={right}'.replace(mistake[0], mistake[1], 1)}"
    assert changed != latex
    assert any(verdict.refuted for verdict in judge(tmp_path, program, changed))


@pytest.mark.parametrize(("program", "latex", "said"), REFUSED)
def test_what_is_not_read_is_said(program: str, latex: str, said: str, tmp_path: Path) -> None:
    """What has two readings, or has no form in matrices, is an error that says what was seen."""
    with pytest.raises(SymBackpropError) as caught:
        judge(tmp_path, program, latex)
    assert said in str(caught.value)


def test_what_is_derived_is_named_in_a_diagnosis(tmp_path: Path) -> None:
    """A diagnosis that speaks of the formula says which it is."""
    (verdict,) = judge(tmp_path, SOFTMAX, r"\frac{\partial}{\partial z_{nk}} \frac{e^{z_{ni}}}{\sum_j e^{z_{nj}}} = "
                       r"p_{ni}(1 - p_{ni})")  # fmt: skip
    assert verdict.diagnosis.startswith("the claim holds where")
    assert verdict.diagnosis.endswith("of f by z, where f[n,i] = exp(z[n,i])/sum(j, exp(z[n,j]))")


def test_a_transposed_jacobian_is_said_to_be_one(tmp_path: Path) -> None:
    """With i and j swapped everywhere it is right."""
    for head in (r"\frac{\partial z_i}{\partial x_j} = A_{ji}", r"\frac{\partial z}{\partial x} = A^\top"):
        (verdict,) = judge(tmp_path, MATRICES, head)
        assert verdict.refuted
        assert "swapped: it is the transpose" in verdict.diagnosis


def test_samples_are_no_diagonal(tmp_path: Path) -> None:
    """A claim that holds for two equal samples is said to, and not called the diagonal of a Jacobian; nor is a second
    derivative that is right of a symmetric matrix.
    """
    claim = r"\nabla_w ((w^\top x_n) (w^\top x_m)) = (w^\top x_n) x_n + (w^\top x_m) x_m"
    (verdict,) = judge(tmp_path, SAMPLES, claim)
    assert verdict.diagnosis == "the claim holds where m = n, not in general"
    (verdict,) = judge(tmp_path, MATRICES, r"\nabla_x^2 x^\top A x = 2 A")
    assert verdict.diagnosis.startswith("the claim holds if A[")


def test_the_diagonal_of_a_jacobian_reads_one_index(tmp_path: Path) -> None:
    """A full matrix that is right on its diagonal alone is not called one."""
    program = "\ninput W[D,D]\nparam y[D]\nz[i] = sum(j, W[i,j]*y[j])\nh[i] = tanh(z[i])\nloss = sum(i, h[i])\n"
    (full,) = judge(tmp_path, program, r"\frac{\partial h_i}{\partial y_j} = W_{ij} (1 - h_j^2)")
    (lone,) = judge(tmp_path, program, r"\frac{\partial h_i}{\partial y_j} = W_{ii} (1 - h_i^2)")

    assert full.diagnosis == "the claim holds where j = i, not in general"
    assert "it is the diagonal of the Jacobian of h by y" in lone.diagnosis


def test_an_equation_of_vectors_holds_for_the_steps_that_it_names(tmp_path: Path) -> None:
    """Elsewhere both sides are put to 0; it is proved at given sizes."""
    claim = (r"\frac{\partial L}{\partial h_t} = U^\top \big(\frac{\partial L}{\partial h_{t+1}} \odot "
             r"(1 - h_{t+1} \odot h_{t+1})\big), \quad t < T")  # fmt: skip
    (right,) = judge(tmp_path, RECURRENT, claim)
    (wrong,) = judge(tmp_path, RECURRENT, claim.replace("1 - h", "2 - h"))
    (last,) = judge(tmp_path, RECURRENT, claim.replace(r", \quad t < T", ""))

    assert right.proved
    assert wrong.refuted
    assert last.refuted


def test_the_entry_of_a_row_is_named_as_that_of_its_matrix(tmp_path: Path) -> None:
    """Row 1, column 2, whether the entry is claimed or the row."""
    program = "\nparam W[3,2]\nloss = sum(k, d, where(k == 1 and d == 2, W[k,d]^2, W[k,d]))\n"
    for latex in (r"\frac{\partial L}{\partial W_{kd}} = 1", r"\frac{\partial L}{\partial W_k} = \mathbf{1}"):
        (verdict,) = judge(tmp_path, program, latex)
        assert verdict.scope == "the entry [1,2]"


def test_a_factor_with_a_sign_is_no_wrong_sign(tmp_path: Path) -> None:
    """1 - tanh^2 is positive everywhere, and so is the quotient of truth and claim."""
    (verdict,) = judge(tmp_path, "\nparam x\nt = tanh(x)\n", r"\frac{\partial^2 t}{\partial x^2} = -2t")

    assert verdict.refuted
    assert verdict.diagnosis == "the claim lacks the factor 1 - tanh(x)^2"
