r"""Which scalar a document derives by L and \delta, and what its own functions are taken of."""

from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.errors import FormulaError

NEURON = """```symbackprop
input x, y
param w, b
z = w*x + b
a = sigmoid(z)
J = (a - y)^2/2
```
"""
SAMPLES = """```symbackprop
input x[N], y[N]
param w
z[n] = w*x[n]
J = sum(n, (z[n] - y[n])^2)/2
```
"""
BESIDE = SAMPLES.replace("/2\n", "/2\nbias = mean(n, z[n])\n")
ONE = "```symbackprop\nparam u, v\nloss = u^2\n```\n"
BOTH = "```symbackprop\nparam u, v\nloss = u^2 + v\n```\n"
GIVEN = "$g(z) = \\frac{1}{1+e^{-z}}$ <!-- sb: given -->\n"
MEAN = "$\\bar z = \\frac1N \\sum_n z_n$ <!-- sb: given -->\n"
TWO = "```symbackprop\nparam x, w\n```\n$k(x, w) = x w^2$ <!-- sb: given -->\n"
SINGLE = "```symbackprop\nparam x, w\n```\n$f(w) = w^2$ <!-- sb: given -->\n"
ORDER = "```symbackprop\nparam y, x, a\n```\n$g(x, y) = x^2 + x y$ <!-- sb: given -->\n"
CUBE = "$q(x) = x^3$ <!-- sb: given -->\n"


def judge(document: str, claim: str, path: Path) -> list[sb.Verdict]:
    """The verdicts on a claim at the end of a document."""
    file = path / "a.md"
    file.write_text(f"{document}\n<!-- sb: claim -->\n$${claim}$$\n", encoding="utf-8")
    return [verdict for _, verdict in sb.check_document(file)]


RIGHT = [
    (NEURON + GIVEN, r"\delta = (a-y) a (1-a)", r"\delta = a (1-a)"),
    (NEURON + GIVEN, r"\frac{\partial L}{\partial w} = (a-y) a (1-a) x", r"\frac{\partial L}{\partial w} = a (1-a) x"),
    (NEURON + GIVEN, r"g(b) = \frac{1}{1+e^{-b}}", r"g(b) = \frac{1}{1+e^{-z}}"),
    (NEURON + GIVEN, "g'(z) = a (1-a)", "g'(b) = a (1-a)"),
    (SAMPLES + MEAN, r"\delta_n = z_n - y_n", r"\delta_n = \frac1N"),
    (SAMPLES + MEAN, r"\frac{\partial L}{\partial w} = \sum_n \delta_n x_n",
     r"\frac{\partial L}{\partial w} = \frac1N \sum_n x_n"),
    (BOTH, "2 L(u, v) = 2 u^2 + 2 v", "2 L(u, v) = u^2 + v"),
    (TWO, "k(w, x) = w x^2", "k(w, x) = x w^2"),
    (TWO, "k(x, w) = x w^2", "k(x, w) = w x^2"),
    (TWO, r"\frac{\partial k(w, x)}{\partial w} = x^2", r"\frac{\partial k(w, x)}{\partial w} = 2xw"),
    (TWO, r"\frac{\partial k(x, w)}{\partial w} = 2xw", r"\frac{\partial k(x, w)}{\partial w} = x^2"),
    (TWO, r"\nabla_w k(w, x) = x^2", r"\nabla_w k(w, x) = 2xw"),
    (TWO, r"\frac{\partial^2 k(w, x)}{\partial w^2} = 0", r"\frac{\partial^2 k(w, x)}{\partial w^2} = 2x"),
    (TWO, r"\frac{\partial^2 k(x, w)}{\partial w^2} = 2x", r"\frac{\partial^2 k(x, w)}{\partial w^2} = 0"),
    (TWO, r"\frac{\partial k(w, w)}{\partial w} = 3 w^2", r"\frac{\partial k(w, w)}{\partial w} = 2 w^2"),
    (SINGLE, "f(x) = x^2", "f(x) = w^2"),
    (SINGLE, r"\frac{df(x)}{dx} = 2x", r"\frac{df(x)}{dx} = 0"),
    (SINGLE, "f(x) = f(-x)", "f(x) = -f(-x)"),
    (SINGLE, r"\left(\frac{d f(x)}{dx}\right)^2 = 4x^2", r"\left(\frac{d f(x)}{dx}\right)^2 = 0"),
    (ORDER + CUBE, r"\nabla g = \begin{pmatrix} 2x + y \\ x \end{pmatrix}",
     r"\nabla g = \begin{pmatrix} x \\ 2x + y \end{pmatrix}"),
    (ORDER + CUBE, r"\nabla g(x, y) = \begin{pmatrix} 2x + y \\ x \end{pmatrix}",
     r"\nabla g(x, y) = \begin{pmatrix} x \\ 2x + y \end{pmatrix}"),
    (ORDER + CUBE, r"\nabla^2 g = \begin{pmatrix} 2 & 1 \\ 1 & 0 \end{pmatrix}",
     r"\nabla^2 g = \begin{pmatrix} 0 & 1 \\ 1 & 2 \end{pmatrix}"),
]  # fmt: skip
REFUSED = [
    (BESIDE, r"\frac{\partial L}{\partial w} = \frac1N \sum_n x_n", "`J` or as `bias, its last scalar`"),
    (BESIDE, r"\delta_n = \frac1N", r"unknown name `\\delta_\{n\}`"),
    (ONE, "L(u + v) = (u + v)^2", "the loss at other values"),
    (ONE, "L(v) = v^2", "the loss at other values"),
    (ONE, r"\frac{\partial L(v)}{\partial v} = 0", "L"),
    (ORDER + CUBE, r"\nabla g(y, x) = \begin{pmatrix} 2x + y \\ x \end{pmatrix}", "the gradient"),
    (SAMPLES, "x_{-1} = 0", "an entry of x"),
]


@pytest.mark.parametrize(("document", "right", "wrong"), RIGHT)
def test_functions_keep_their_arguments_and_the_loss_is_that_of_the_program(
    document: str, right: str, wrong: str, tmp_path: Path
) -> None:
    """What is given beside a fence is no loss, and a function is taken of what stands in its brackets, in its order."""
    assert all(verdict.proved for verdict in judge(document, right, tmp_path))
    assert any(verdict.refuted for verdict in judge(document, wrong, tmp_path))


@pytest.mark.parametrize(("document", "claim", "found"), REFUSED)
def test_what_may_be_another_loss_is_an_error(document: str, claim: str, found: str, tmp_path: Path) -> None:
    """Two scalars may be meant by L, it may depend on something else than stands behind it, or no entry is there."""
    with pytest.raises(FormulaError, match=found):
        judge(document, claim, tmp_path)
