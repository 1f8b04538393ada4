r"""How far a sign reaches: an accent over a power, a derivative before factors, a slash before a sum."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.errors import FormulaError, SymBackpropError
from symbackprop.notation.reading import AmbiguousFormulaError, make_vocabulary, read_block, read_claims, read_formula

ROW = "input x[N]\nmu = mean(i, x[i])\nv = mean(i, (x[i] - mu)^2)\n"


def claimed(latex: str, program: str, names: dict[str, str] | None = None) -> None:
    """Read what an equation claims of a program."""
    (statement,) = read_block(latex)
    read_claims(statement, make_vocabulary(sb.parse(program).core, names))


def refusal(latex: str) -> str:
    """What is said of a formula of numbers."""
    with pytest.raises(SymBackpropError) as caught:
        sb.latex_formula(latex).understood()
    return str(caught.value)


@pytest.mark.parametrize(
    "latex",
    [
        r"\overline{x^2}",
        r"\overline{x^{-1}}",
        r"\overline{{x^2}}",
        r"\dot{x^2}",
        r"\hat{x^2}",
        r"\overline{x_i^2}",
        r"\widehat{\mathbf{x}^n}",
        r"\overline{\hat{x}^2}",
        r"\bar{x^\top}",
        r"\overline{x^{\odot 2}}",
    ],
)
def test_an_accent_over_a_power_is_none_of_a_name(latex: str) -> None:
    """The mean of squares is not the square of a mean."""
    assert f"{latex[: latex.index('{')]}` over something else than one symbol" in refusal(latex)
    with pytest.raises(FormulaError, match="over something else than one symbol"):
        claimed(rf"v = {latex} - \bar{{x}}^2", ROW, {r"\bar{x}": "mu"})


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\bar{x}^2", "xbar^2"),
        (r"\hat y_i", "yhat_i"),
        (r"\hat{y_i}", "yhat_i"),
        (r"\hat{y}^{(2)}", "yhat2"),
        (r"\hat{y^{(2)}}", "yhat2"),
        (r"\hat{y^{[i]}}", "yhat_sup_i"),
        (r"\overline{x_i}^2", "xbar_i^2"),
        (r"\mathbf{x^2}", "x^2"),
    ],
)
def test_an_accent_over_a_name_with_its_marks_is_read(latex: str, text: str) -> None:
    """Indices and layers belong to the name, inside the accent or behind it."""
    assert sb.latex_formula(latex).understood() == text


SIGNS = (r"\frac{\partial}{\partial x}", r"\partial_x", r"\partial_{x}", r"\nabla_x")


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize(
    ("behind", "said"),
    [
        ("x e^{x}", "a derivative of `x e^{x}`"),
        ("x^2/x", "a derivative of `x^{2} / x`"),
        (r"x \cdot e^{x}", "the derivative of all of it"),
        ("x^2+3x", "before another addend"),
        ("x x + 3x", "before another addend"),
        (r"\log x + x", "before another addend"),
    ],
)
def test_a_derivative_before_several_factors_has_two_readings(sign: str, behind: str, said: str) -> None:
    """However its sign is written; a program changes nothing."""
    assert said in refusal(f"{sign} {behind}")
    assert "derivative" in refusal(f"2 {sign} {behind}")
    program = "param x\nf = x*exp(x)"
    with pytest.raises(AmbiguousFormulaError, match="bracket what is derived"):
        claimed(f"{sign} {behind} = e^{{x}}", program)
    with pytest.raises(AmbiguousFormulaError, match="bracket what is derived"):
        claimed(f"f = {sign} {behind}", program)


@pytest.mark.parametrize("sign", SIGNS)
def test_a_derivative_of_one_thing_is_read(sign: str) -> None:
    """A power, brackets, a function of one argument, and numbers before them."""
    read = {
        "x^2": "2*x",
        "(x e^{x})": "exp(x)*(1 + x)",
        r"\sin(x) + x": "cos(x) + x",
        "(3x + x^2)": "3 + 2*x",
    }
    for behind, text in read.items():
        assert sb.latex_formula(f"{sign} {behind}").understood() == text


@pytest.mark.parametrize("sign", [r"\nabla_A", r"\frac{\partial}{\partial A}"])
def test_entries_stand_behind_the_gradient_of_a_number(sign: str) -> None:
    r"""\nabla_a C \odot S'(z) has one reading, because a loss has no entries; \cdot has two."""
    program = "input y[N,K]\nparam Z[N,K]\nA[n,k] = sigmoid(Z[n,k])\nloss = sum(n, k, (A[n,k] - y[n,k])^2)"
    claimed(rf"\frac{{\partial L}}{{\partial Z}} = {sign} C \odot \sigma'(Z)", program)
    with pytest.raises(AmbiguousFormulaError, match="bracket what is derived"):
        claimed(rf"\frac{{\partial L}}{{\partial Z}} = {sign} L \cdot \sigma'(Z)", program)


@pytest.mark.parametrize(
    "latex",
    [
        r"e^{z}/\sum_j e^{z_j} (1-q)",
        r"e^{z} / \sum_j e^{z_j} \cdot c",
        r"e^{z} / \sum_j e^{z_j} / c",
        r"1/\sum_i w_i \sum_i w_i x_i",
        r"a/\sum_{i=1}^2 x_i b",
        r"a/\prod_{i=1}^2 x_i b",
        r"a/\sum_i \sum_j x_{ij} b",
        r"a/\sum_i \log x_i \cdot b",
        r"a/\sum_i \exp(x_i) b",
        r"a/\log \sum_i x_i b",
        r"a/\max_i x_i \sum_j y_j",
        r"a \div \sum_i x_i b",
        r"(b/\sum_i x_i c) d",
    ],
)
def test_factors_behind_a_quotient_by_a_sum_have_two_readings(latex: str) -> None:
    """As behind every other quotient, a sum being no reason to swallow what follows."""
    assert "a quotient times what follows" in refusal(latex)


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"e^{z}/\sum_j e^{z_j}", "exp(z)/sum(j, exp(z[j]))"),
        (r"1/\sum_i \sum_j x_{i,j}", "1/sum(i, sum(j, x[i,j]))"),
        (r"1/\sum_i \exp(x_i)", "1/sum(i, exp(x[i]))"),
        (r"1/\sum_i \log \sigma(x_i)", "1/sum(i, log(sigmoid(x[i])))"),
        (r"1/\sum_i (w_i x_i)", "1/sum(i, w[i]*x[i])"),
        (r"1/m \sum_i w_i x_i", "1/m*sum(i, w[i]*x[i])"),
        (r"\frac{a}{\sum_i x_i} b", "(a/sum(i, x[i]))*b"),
        (r"1/\max(a, b)", "1/maximum(a, b)"),
        (r"1/\max_i x_i", "1/max(i, x[i])"),
    ],
)
def test_a_quotient_by_a_sum_of_one_factor_is_read(latex: str, text: str) -> None:
    """The sum ends with its factor, and nothing stands behind it."""
    assert sb.latex_formula(latex).understood() == text


def test_a_softmax_in_a_program_is_no_product() -> None:
    """What was proved of a wrong reading is an error now."""
    program = "param z[N], c\nq[k] = exp(z[k])/sum(j, exp(z[j]))"
    claimed(r"q_k = e^{z_k}/\sum_j e^{z_j}", program)
    (statement,) = read_block(r"e^{z_k}/\sum_j e^{z_j} (1-q_k)")
    with pytest.raises(AmbiguousFormulaError, match="a quotient by all that follows"):
        read_formula(statement.sides[0], make_vocabulary(sb.parse(program).core))
