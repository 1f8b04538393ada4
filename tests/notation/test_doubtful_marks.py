r"""What looks like one thing and may be another: marks and powers, differentials, the letter i; old ways to write."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.errors import FormulaError, LimitError, SymBackpropError, UnsupportedError
from symbackprop.notation.reading import (
    AmbiguousFormulaError,
    UnknownCommandError,
    make_vocabulary,
    read_block,
    read_formula,
    read_head,
    read_matrix_formula,
    read_syntax,
)

READ = [
    # marks in brackets, and powers that have none
    ("x^{(l+1)}", "x_sup_l_plus_1"),
    ("W^{[L-1]}", "W_sup_L_minus_1"),
    (r"x^{(t)} + x^{(\text{new})} + w^{(2)}", "x_sup_t + x_sup_new + w2"),
    ("x^n + x^{n-1} + x^k", "x^n + x^(n - 1) + x^k"),
    (r"1 - \beta_1^t", "1 - beta_1^t"),
    (r"\sum_{i=1}^n |x_i|^p", "sum(i:n, abs(x[i])^p)"),
    (r"\sum_{i=1}^n 2^i", "sum(i:n, 2^i)"),
    (r"\sum_{i=1}^n (1+r)^i x_i", "sum(i:n, (1 + r)^i*x[i])"),
    ("x_i^p + x_i^2", "x_i^p + x_i^2"),
    (r"(\delta_j)^l + (z)^L", "delta_j^l + z^L"),
    (r"x_{\text{new}}^n", "x_new^n"),
    # d and D as names
    ("ad - bc", "a*d - b*c"),
    ("ax + by + cx + dy", "a*x + b*y + c*x + d*y"),
    (r"\sum_d d x_d", "sum(d, d*x[d])"),
    (r"d \cdot x + D_x y", "d*x + D_x*y"),
    (r"\frac{D}{N} + \frac{d^n}{n} + \frac{\delta}{\delta + 1}", "D/N + d^n/n + delta/(delta + 1)"),
    (r"\frac{d}{dx}\sin(x) + x", "cos(x) + x"),
    (r"\frac{d}{dx}(\log x + x)", "1 + 1/x"),
    # the letter i as an index
    (r"\sum_i e^{-i} x_i", "sum(i, exp(-i)*x[i])"),
    ("e^{x_i}", "exp(x_i)"),
    # derivatives of exponentials
    (r"\frac{d^2}{dx^2} e^{ax}", "a^2*exp(a*x)"),
    (r"\frac{\partial^2}{\partial x^2} e^{2x}", "4*exp(2*x)"),
    # numbers in place of two indices
    (r"\sum_{i=1}^{2}\sum_{j=1}^{2} x_{ij}", "(x_11 + x_12) + (x_21 + x_22)"),
    (r"\sum_{i=1}^{2}\sum_{j=1}^{2} x_{i,j}", "(x_1_1 + x_1_2) + (x_2_1 + x_2_2)"),
    # fractions without braces above
    (r"x^\frac12 y", "x^(1/2)*y"),
    (r"x^\frac{a}{b}", "x^(a/b)"),
    # a comma between conditions
    (r"\mathbb{1}\{x>0, y>0\}", "where(x > 0 and y > 0, 1, 0)"),
    (r"\mathbb{1}_{x>0, y>0}", "where(x > 0 and y > 0, 1, 0)"),
    # powers before brackets
    ("e^{-x}(1+x)", "exp(-x)*(1 + x)"),
    ("e^{-x}(x)", "exp(-x)*x"),
    ("x^2(x+1)", "x^2*(x + 1)"),
    (r"x^x(\ln x+1)", "x^x*(log(x) + 1)"),
    ("x_1^2(x_1+1)", "x_1^2*(x_1 + 1)"),
    (r"2\pi(x+1)", "2*pi*(x + 1)"),
    ("(1+x)^2(x+1) + 2^x(x+1)", "(1 + x)^2*(x + 1) + 2^x*(x + 1)"),
    # labels that explain
    (r"\underbrace{a-y}_{=\delta} \tag{2.1}", "a - y"),
    (r"\underbrace{a-y}_{\le 1}", "a - y"),
    # cases as an array behind a brace
    (r"\left\{\begin{array}{ll} x & x>0 \\ 0 & x\le 0\end{array}\right.", "where(x > 0, x, 0)"),
    (
        r"1 + \left\lbrace \begin{array}{l@{\;}l} x, & \text{if } x>0, \\ 0, & \text{otherwise.}\end{array} \right .",
        "1 + where(x > 0, x, 0)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("latex", "text"), READ)
def test_what_has_one_reading_is_read(latex: str, text: str) -> None:
    """Powers, products and marks that nobody reads in another way."""
    (statement,) = read_block(latex)

    assert sb.latex_formula(latex).understood() == text
    assert read_formula(statement.sides[0], make_vocabulary()) == sb.latex_formula(latex).tree()


def test_a_brace_before_an_array_ends_where_no_bracket_closes() -> None:
    """What stands behind cases in a block is a statement of its own."""
    block = read_block(
        r"a &= \left\{\begin{array}{ll} z & z > 0 \\ 0 & z \le 0 \end{array}\right., \quad b = c \\ d &= e, \quad f = g"
    )

    assert [len(statement.sides) for statement in block] == [2, 2, 2, 2]


REFUSED = [
    (r"x^{(1/2)}", AmbiguousFormulaError, "write x^{1 / 2} for the power"),
    (r"x^{(-1)}", AmbiguousFormulaError, "a layer or a sample"),
    (r"x^{(a+b)}", AmbiguousFormulaError, "a layer or a sample"),
    (r"x^{(2x)}", AmbiguousFormulaError, "a layer or a sample"),
    (r"x^{(ab)}", AmbiguousFormulaError, "a layer or a sample"),
    (r"a^{(1)^2}", AmbiguousFormulaError, "(1) as a layer"),
    (r"a^{[1]T}", AmbiguousFormulaError, "[1] as a layer"),
    (r"a^{[1](i)}", AmbiguousFormulaError, "[1] as a layer"),
    (r"a^{\{t\}}", AmbiguousFormulaError, "a sample or a batch"),
    (r"x \star y", FormulaError, r"`\star` by itself"),
    (r"x \top y", FormulaError, r"`\top` by itself"),
    (r"\delta_j^l", AmbiguousFormulaError, r"write (\delta_{j})^{l} for the power, ^{(l)} for the mark"),
    (r"\delta^{l+1}", AmbiguousFormulaError, "^{(l+1)} for the mark"),
    ("z^L", AmbiguousFormulaError, "write (z)^{L} for the power"),
    (r"w_{jk}^l", AmbiguousFormulaError, "a layer, a sample or a step"),
    (r"h_j^{t-1}", AmbiguousFormulaError, "a layer, a sample or a step"),
    (r"\frac{\delta}{\delta x} x^2", AmbiguousFormulaError, r"\cdot behind each \delta"),
    (r"\frac{\Delta}{\Delta x} x^2", AmbiguousFormulaError, r"\cdot behind each \Delta"),
    (r"\frac{\delta^2}{\delta x^2} x^2", AmbiguousFormulaError, "a derivative"),
    (r"\frac{D}{Dx} x^2", AmbiguousFormulaError, r"\cdot behind each D"),
    (r"\frac{d^n}{dx^n} x^4", AmbiguousFormulaError, "with a number for its order"),
    (r"\frac{\mathrm{d}^n f}{\mathrm{d}x^n}", AmbiguousFormulaError, "with a number for its order"),
    (r"\frac{d^2}{(dx)^2} x^4", AmbiguousFormulaError, "a derivative"),
    (r"\frac{d}{dx}\log x + x", AmbiguousFormulaError, "bracket what is derived"),
    (r"x\,dx", AmbiguousFormulaError, r"the differential of x"),
    (r"\mathrm{d}x", AmbiguousFormulaError, r"the differential of x"),
    (r"b c \mathrm{d}x", AmbiguousFormulaError, r"the differential of x"),
    (r"D_x x^2", AmbiguousFormulaError, "the derivative of x^{2} by x"),
    (r"e^{i\pi}", AmbiguousFormulaError, "the imaginary unit"),
    (r"\exp(-i x)", AmbiguousFormulaError, "the imaginary unit"),
    ("i^2", AmbiguousFormulaError, "the imaginary unit"),
    (r"\frac{d^2}{dx^2} f", UnsupportedError, "higher derivative of a name"),
    (r"\sum_{i=1}^{12}\sum_{j=1}^{2} x_{ij}", AmbiguousFormulaError, "put commas between the indices"),
    (r"\sum_{i=1}^{2} x_{2i}", AmbiguousFormulaError, "the number beside i"),
    (r"x^\frac123", AmbiguousFormulaError, "put braces around"),
    (r"I(x>0, y)", AmbiguousFormulaError, "the function I"),
    ("e", AmbiguousFormulaError, "`Euler's number` or as `e, a name`"),
    (r"e^2", AmbiguousFormulaError, "a power of Euler's number"),
    ("e(x)", AmbiguousFormulaError, "the function e"),
    (r"\pi(x)", AmbiguousFormulaError, r"the function \pi"),
    ("f(x+1)", AmbiguousFormulaError, "the function f"),
    ("f^2(x+1)", AmbiguousFormulaError, "the function f^{2}"),
    ("f^{(2)}(x+1) + f", AmbiguousFormulaError, "the function f^{(2)}"),
    ("x^2(x)", AmbiguousFormulaError, "the function x^{2}"),
    (r"\left\{\begin{array}{ll} x & x>0 \\ 0 & x\le 0\end{array}\right\}", FormulaError, r"`\right.` behind it"),
    (r"\left\{\begin{array}{ll} x & x>0 \\ 0 & x\le 0\end{array}", FormulaError, r"`\right.` behind it"),
    (r"\left\{\begin{array}{ll} x & x>0 \\ 0 & x < 0\end{array}\right.", FormulaError, "what is left"),
    (r"\left\{ x \right.", FormulaError, "expected a bracket"),
    (r"\underbrace{-p_i p_j}_{i \ne j}", FormulaError, "conditions stand in cases"),
    (r"\underbrace{-p_i p_j}_{i = j}", FormulaError, "conditions stand in cases"),
    (r"-p_i p_j \tag{$i\ne j$}", FormulaError, "conditions stand in cases"),
    (r"-p_i p_j \tag{$i = j$}", FormulaError, "conditions stand in cases"),
    (r"x \bullet y", UnknownCommandError, r"\bullet"),
]  # fmt: skip


@pytest.mark.parametrize(("latex", "kind", "said"), REFUSED)
def test_what_has_two_readings_is_refused(latex: str, kind: type[SymBackpropError], said: str) -> None:
    """The error says what was seen, and is no other one."""
    with pytest.raises(kind) as caught:
        sb.latex_formula(latex).understood()

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("latex", "names", "text"),
    [
        (r"x\,dx", {"d": "d"}, "x*d*x"),
        (r"D_x x^2", {"D_x": "D_x"}, "D_x*x^2"),
        (r"z^L + x_j^l", {"L": "L", "l": "l"}, "z^L + x_j^l"),
        (r"e^{i\pi} + i^2", {"i": "i"}, "exp(i*pi) + i^2"),
        (r"x^{(a+b)}", {"x^{(a+b)}": "y"}, "y"),
    ],
)
def test_declared_names_have_one_reading(latex: str, names: dict[str, str], text: str) -> None:
    """What a reader is told of a name settles what it is."""
    assert sb.latex_formula(latex, names).understood() == text


def test_the_order_of_a_delta_is_no_quotient_over_a_program() -> None:
    """In a program too, the sign of a derivative that some write is neither a name nor an adjoint."""
    program = sb.parse("input x, y\nparam w\nz = w*x\na = sigmoid(z)\nloss = (a - y)^2/2").core
    vocabulary = make_vocabulary(program)
    (statement,) = read_block(r"\frac{\delta}{\delta w} L = \frac{1}{w} L")
    with pytest.raises(AmbiguousFormulaError, match="a quotient of products"):
        read_head(statement.sides[0], vocabulary)


@pytest.mark.parametrize("latex", [r"a^{\{t\}}", "a^{(1)^2}", "a^{(t)^2}"])
def test_marks_above_names_of_a_program_are_no_powers(latex: str) -> None:
    """A batch, and a layer with a power behind it, are no powers of a scalar; a power has no brackets."""
    vocabulary = make_vocabulary(sb.parse("input x, t\nparam w\na = w*x\nloss = a^2*t").core)
    for read in (read_formula, read_matrix_formula):
        with pytest.raises(AmbiguousFormulaError, match="a power"):
            read(read_syntax(latex), vocabulary)


def test_a_power_of_the_loss_is_no_layer() -> None:
    """Nielsen's a^L is the last layer, and L the loss as well."""
    vocabulary = make_vocabulary(sb.parse("input x\nparam w\na = w*x\nloss = a^2").core)
    (statement,) = read_block("a^L = a")
    with pytest.raises(AmbiguousFormulaError, match="a power of the loss"):
        read_formula(statement.sides[0], vocabulary)


@pytest.mark.parametrize(
    ("left", "right", "proved"),
    [
        (r"\frac{d}{dx}\left(-(1+x)e^{-x}\right)", "xe^{-x}", True),
        (r"e^{-x}(1+x) - x e^{-x}", "e^{-x}", True),
        (r"e^{-x}(1+x) - x e^{-x}", "e^{-x}(1-x)", False),
        (r"\sum_{i=1}^{2}\sum_{j=1}^{2} x_{ij}", "x_{11}+x_{12}+x_{21}+x_{22}", True),
        (r"\sum_{i=1}^{2}\sum_{j=1}^{2} x_{ij}", "x_{11}+2x_{12}+x_{22}", False),
        (r"\left\{\begin{array}{ll} x & x>0 \\ -x & x\le 0\end{array}\right.", "|x|", True),
        (r"\left\{\begin{array}{ll} x & x>0 \\ 0 & x\le 0\end{array}\right.", "|x|", False),
        (r"\frac{d^2}{dx^2} e^{ax}", "a^2e^{ax}", True),
        (r"\frac{d^2}{dx^2} e^{ax}", "ae^{ax}", False),
        (r"x^\frac12", r"\sqrt{x}", True),
        (r"x^\frac12", r"\frac{x}{2}", False),
    ],
)
def test_what_is_read_is_judged(left: str, right: str, proved: bool) -> None:
    """The right claim is proved, and the wrong one is refuted."""
    assert sb.verify(sb.latex_formula(left), sb.latex_formula(right)).status == ("proved" if proved else "refuted")


@pytest.mark.parametrize(
    "text",
    ["(" * 190 + "x" + ")" * 190, r"\frac{1}{(1+" * 99 + "x" + ")}" * 99, "x^{" * 150 + "x" + "}" * 150],
)
def test_deep_formulas_are_read(text: str) -> None:
    """Formulas within the limit are read, however many calls that needs."""
    assert sb.latex_formula(text).understood().endswith(("x", ")"))


@pytest.mark.parametrize(
    "text", ["(" * 300 + "x" + ")" * 300, "(" * 5000 + "x" + ")" * 5000, "x^{" * 201 + "x" + "}" * 201]
)
def test_formulas_that_are_too_deep_are_refused(text: str) -> None:
    """Deeper ones are an error that says the limit."""
    with pytest.raises(LimitError, match="nested deeper than 200"):
        sb.latex_formula(text)
