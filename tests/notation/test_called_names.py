r"""Names of a program with brackets behind them: what looks like a function of a formula is not taken for a product."""

from __future__ import annotations

from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.language.reader import read_expression
from symbackprop.notation.reading import AmbiguousFormulaError
from symbackprop.notation.writing.index_latex import IndexWriter
from symbackprop.notation.writing.names import choose_names
from tests.oracles.latex_claims import judge

COMPUTED = """
input x
param w, b, phi
z = w*x + b
f = z^2
loss = f*phi
"""
DEVIATION = """
param mu[D], sigma[D], V[K,D]
input eps[D], x[K]
z[d] = mu[d] + sigma[d]*eps[d]
xhat[k] = sigmoid(sum(d, V[k,d]*z[d]))
loss = sum(k, (xhat[k] - x[k])^2)
"""
ONE = """
input x
param w, sigma
p = sigmoid(w*x)
loss = (p - x)^2/(2*sigma^2)
"""
GATES = """
input c, x
param w
f = sigmoid(w*x)
loss = f*c
"""
CLASSES = """
input y[C]
param z[C]
loss = -sum(c, y[c]*z[c])
"""


@pytest.mark.parametrize(
    ("program", "latex", "name"),
    [
        (COMPUTED, "f(2x) = 2xf", "f"),
        (COMPUTED, "z(w + 1) = zw + z", "z"),
        (COMPUTED, "f(wx + b) = (wx + b) f", "f"),
        (COMPUTED, r"\frac{f(x + 1) - f(x - 1)}{2} = f", "f"),
        (COMPUTED, r"\phi(wx + b) = \phi z", r"\phi"),
        (DEVIATION, r"\hat x_k = \sigma(\sum_d V_{kd} z_d)", r"\sigma"),
        (DEVIATION, r"\hat x_k = \sigma\left(\sum_{d=1}^D V_{kd} z_d\right)", r"\sigma"),
        (DEVIATION, r"\hat x = \sigma(V z)", r"\sigma"),
        (ONE, r"p = \sigma(wx)", r"\sigma"),
        (ONE, r"\sigma(2wx) = 2 \sigma(wx)", r"\sigma"),
        (ONE, r"\sigma^2(wx + 1) = \sigma^2", r"\sigma^{2}"),
    ],
)
def test_a_name_before_a_formula_may_be_a_function(program: str, latex: str, name: str, tmp_path: Path) -> None:
    """Both readings are told, whichever of them is right."""
    with pytest.raises(AmbiguousFormulaError) as raised:
        judge(tmp_path, program, latex)

    assert f"the function {name} of" in str(raised.value)
    assert rf"declare {name} as a function, or write \cdot" in str(raised.value)


@pytest.mark.parametrize(
    ("program", "latex"),
    [
        (COMPUTED, r"z(\phi + 1) = z\phi + z"),
        (COMPUTED, "f(1 - f) = f - f^2"),
        (COMPUTED, "x(w + 1) = wx + x"),
        (COMPUTED, r"f \cdot (2x) = 2xf"),
        (GATES, r"\frac{\partial f}{\partial w} = f(1 - f)x"),
        (GATES, r"\frac{\partial L}{\partial w} = cf(1 - f)x"),
        (DEVIATION, r"\frac{\partial L}{\partial z_d} = \sum_k 2(\hat x_k - x_k) \hat x_k (1 - \hat x_k) V_{kd}"),
        (DEVIATION, r"\sigma_d(\epsilon_d + 1) = \sigma_d\epsilon_d + \sigma_d"),
        (ONE, r"\sigma(1 - \sigma) = \sigma - \sigma^2"),
    ],
)
def test_products_stay_products(program: str, latex: str, tmp_path: Path) -> None:
    """With itself in the brackets, of letters that name no functions, of entries, and with a sign between."""
    (verdict,) = judge(tmp_path, program, latex)

    assert verdict.proved


def test_a_declared_function_is_one(tmp_path: Path) -> None:
    """Beside a tensor of its name."""
    path = tmp_path / "a.md"
    path.write_text(
        f"```symbackprop{ONE}```\n<!-- sb: names \\sigma = sigmoid -->\n<!-- sb: claim -->\n$$p = \\sigma(wx)$$\n",
        encoding="utf-8",
    )
    ((_, verdict),) = sb.check_document(path)

    assert verdict.proved


@pytest.mark.parametrize(
    "latex", [r"C = -\sum_{c=1}^C y_c z_c", r"-\sum_c y_c z_c = C", r"\mathcal{C} = -\sum_c y_c z_c"]
)
def test_a_side_that_is_a_size_and_may_be_the_loss(latex: str, tmp_path: Path) -> None:
    """C counts the classes, and is the cost in textbooks."""
    with pytest.raises(AmbiguousFormulaError, match="the loss"):
        judge(tmp_path, CLASSES, latex)


@pytest.mark.parametrize(
    "latex",
    [
        r"L = -\sum_{c=1}^C y_c z_c",
        r"\mathrm{loss} = -\sum_{c=1}^C y_c z_c",
        r"\frac{L}{C} = -\frac{1}{C} \sum_c y_c z_c",
    ],
)
def test_a_size_in_bounds_is_a_size(latex: str, tmp_path: Path) -> None:
    """Beside the loss by another name."""
    (verdict,) = judge(tmp_path, CLASSES, latex)

    assert verdict.proved


PRODUCTS = """
input X[N,D], w[D], I[N,M], R[N,M]
param b[N], U[N,K], V[M,K]
S[n,m] = I[n,m]*(R[n,m] - sum(k, U[n,k]*V[m,k]))
loss = sum(n, b[n]*sum(d, X[n,d]^2*w[d])) + sum(n, m, S[n,m]^2)/2
"""


@pytest.mark.parametrize(
    ("loose", "bracketed"),
    [
        (r"\frac{\partial L}{\partial b} = X \odot X w", r"\frac{\partial L}{\partial b} = (X \odot X) w"),
        (
            r"\frac{\partial L}{\partial U} = -I \odot I \odot (R - U V^\top) V",
            r"\frac{\partial L}{\partial U} = -(I \odot I \odot (R - U V^\top)) V",
        ),
    ],
)
def test_products_of_entries_beside_products_of_matrices(loose: str, bracketed: str, tmp_path: Path) -> None:
    """Where only those of entries first fit the shapes it is an error; with brackets it is proved."""
    with pytest.raises(AmbiguousFormulaError, match="bracket what is meant"):
        judge(tmp_path, PRODUCTS, loose)
    (verdict,) = judge(tmp_path, PRODUCTS, bracketed)

    assert verdict.proved


def test_products_of_matrices_come_first_where_they_fit(tmp_path: Path) -> None:
    """As in the equations of backpropagation."""
    (verdict,) = judge(tmp_path, PRODUCTS, r"b \odot X w = X w \odot b")

    assert verdict.proved


@pytest.mark.parametrize(
    ("formula", "printed"),
    [
        ("p*(x - mu)", r"p \cdot (x - \mu)"),
        ("p*(1 - p)", "p(1 - p)"),
        ("N*(x - mu)", r"N(x - \mu)"),
        ("mu*(1 + x)", r"\mu(1 + x)"),
        ("phi*(1 + x)", r"\varphi \cdot (1 + x)"),
    ],
)
def test_what_the_writer_prints_is_no_function(formula: str, printed: str) -> None:
    """A dot stands between a name and brackets that could be its argument."""
    program = sb.parse("input x\nparam mu, phi\np = exp(-(x - mu)^2/2)\nloss = p").core
    writer = IndexWriter(choose_names(program.tensors(), ()))

    assert writer.write(read_expression(formula)) == printed
