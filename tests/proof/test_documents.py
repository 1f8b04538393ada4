"""Documents with LaTeX: what is given, what is claimed, in which names, and where the first mistake stands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.errors import RangeError
from symbackprop.proof.judges import JudgedDocument, judge_document
from symbackprop.report.judgements import first_wrong_lines

Judge = Callable[[str], JudgedDocument]

NEURON = """\
```symbackprop
input x, y
param w, b
```
<!-- sb: given -->
$$
\\hat{y} = \\sigma(wx + b)
$$
The loss is $l = (\\hat{y} - y)^2$. <!-- sb: given -->
"""


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Judges a text as a document."""

    def judged(text: str) -> JudgedDocument:
        path = tmp_path / "a.md"
        path.write_text(text, encoding="utf-8")
        return judge_document(path)

    return judged


def test_given_formulas_are_definitions_and_claims_are_judged(judge: Judge) -> None:
    """A block of several equations is a claim each, and each verdict echoes the formula as it was understood."""
    text = NEURON + (
        "<!-- sb: claim -->\n$$\n\\frac{\\partial l}{\\partial \\hat{y}} = 2(\\hat{y} - y), \\quad\n"
        "\\frac{\\partial l}{\\partial w} = 2(\\hat{y} - y)\\hat{y}(1 - \\hat{y})x\n$$\n"
    )
    document = judge(text)

    assert document.errors == ()
    assert [(c.line, c.text, c.verdict.status) for c in document.claims] == [
        (12, "d l / d yhat = 2*(yhat - y)", "proved"),
        (13, "d l / d w = 2*(yhat - y)*yhat*(1 - yhat)*x", "proved"),
    ]
    assert document.claims[0].source == r"\frac{\partial l}{\partial\hat{y}} = 2(\hat{y}-y)"


def test_the_first_wrong_line_of_a_derivation_is_named(judge: Judge) -> None:
    """Each line is judged against the line before it; what follows the mistake may follow from it."""
    document = judge(
        NEURON
        + "<!-- sb: claim -->\n$$\n\\frac{\\partial l}{\\partial w} &= 2(\\hat{y} - y)\\hat{y}(1 - \\hat{y})x \\\\\n"
        "&= 2(\\hat{y} - y)\\hat{y}(1 + \\hat{y})x \\\\\n&= 2x\\hat{y}(1 + \\hat{y})(\\hat{y} - y)\n$$\n"
    )

    assert [(c.line, c.verdict.status) for c in document.claims] == [(12, "proved"), (13, "refuted"), (14, "proved")]
    assert first_wrong_lines(document) == (13,)


def test_a_block_that_is_expected_to_be_wrong_passes_if_a_line_is(judge: Judge) -> None:
    """`expect refuted` asks for a mistake, not for nothing but mistakes; without one it fails."""
    block = "<!-- sb: claim expect refuted -->\n$$\n(w + b)^2 &= w^2 + 2wb + b^2 \\\\\n&= w^2 + {} + b^2\n$$\n"
    wrong = judge(NEURON + block.format("wb"))
    right = judge(NEURON + block.format("2bw"))

    assert [(c.verdict.status, c.as_expected) for c in wrong.claims] == [("proved", True), ("refuted", True)]
    assert [(c.verdict.status, c.as_expected) for c in right.claims] == [("proved", False), ("proved", False)]


def test_names_hold_from_their_place_on(judge: Judge) -> None:
    """A later declaration goes before an earlier one, and a name that stands for itself loses its declaration."""
    document = judge(
        "```symbackprop\nparam u, v, x\n```\n<!-- sb: names x = u -->\n$x^2 = x \\cdot x$ <!-- sb: claim -->\n\n"
        "<!-- sb: names x = v -->\n$2x = x + x$ <!-- sb: claim -->\n\n<!-- sb: names x = x -->\n"
        "$3x = x + 2x$ <!-- sb: claim -->\n"
    )

    assert [c.text for c in document.claims] == ["u^2 = u*u", "2*v = v + v", "3*x = x + 2*x"]


def test_a_function_that_a_document_gives_is_written_out_and_differentiated(judge: Judge) -> None:
    """f(x) = x^2 + x: its values, its derivative at a point, and its value as a tensor."""
    document = judge(
        "```symbackprop\nparam t, u\n```\n<!-- sb: names x = t -->\n$f(x) = x^2 + x$ <!-- sb: given -->\n\n"
        "$f(u + 1) = u^2 + 3u + 2$ <!-- sb: claim -->\n\n$f'(x) = 2x + 1$ <!-- sb: claim -->\n\n"
        "$\\frac{df}{dx} = 2x + 1$ <!-- sb: claim -->\n\n$f'(u) = 2u$ <!-- sb: claim expect refuted -->\n"
    )

    assert document.errors == ()
    assert [c.as_expected for c in document.claims] == [True] * 4
    assert document.claims[1].text == "f'(t) = 2*t + 1"


def test_higher_derivatives_of_a_given_function_are_derived(judge: Judge) -> None:
    """The second and the third one of f(x) = x^3, in both ways of writing primes; none of several arguments."""
    document = judge(
        "```symbackprop\nparam x, y\n```\n$f(x) = x^3$ <!-- sb: given -->\n\n$g(x, y) = x y$ "
        "<!-- sb: given -->\n\n"
        "$f''(x) = 6x$ <!-- sb: claim -->\n\n$f^{\\prime\\prime}(2y) = 12y$ <!-- sb: claim -->\n\n"
        "$f'''(x) = 6$ <!-- sb: claim -->\n\n$f''(x) = 3x^2$ <!-- sb: claim expect refuted -->\n\n"
        "$g''(x, y) = 0$ <!-- sb: claim -->\n"
    )

    assert [c.as_expected for c in document.claims] == [True] * 4
    assert document.claims[0].text == "f''(x) = 6*x"
    assert [str(e) for e in document.errors] == [
        "line 16, column 2: found `g''` of 2 arguments, expected a function of one"
    ]


def test_an_update_claims_the_equalities_behind_its_new_value(judge: Judge) -> None:
    """What w becomes is no equation; of two forms of it they are."""
    document = judge(
        "```symbackprop\nparam w\n```\n$w_{new} = w - 2w = -w$ <!-- sb: claim -->\n\n"
        "$w \\leftarrow w - 2w$ <!-- sb: claim -->\n"
    )

    assert [(c.text, c.verdict.status) for c in document.claims] == [("w - 2*w = -w", "proved")]
    assert [str(e) for e in document.errors][0].startswith("line 6, column 2: found an update")


def test_matrices_are_judged_and_shapes_that_do_not_fit_refute(judge: Judge) -> None:
    """A claim about whole tensors; where shapes do not fit, the verdict says so."""
    fence = (
        "```symbackprop\ninput X[N,D], y[N]\nparam w[D]\ne[n] = sum(d, X[n,d]*w[d]) - y[n]\n"
        "loss = sum(n, e[n]^2)/2\n```\n"
    )
    right = judge(fence + "$\\nabla_w L = X^\\top (Xw - y)$ <!-- sb: claim -->")
    wrong = judge(fence + "$\\nabla_w L = X (Xw - y)$ <!-- sb: claim expect refuted -->")

    assert [c.verdict.proved for c in right.claims] == [True]
    assert [c.verdict.for_all_sizes for c in right.claims] == [True]
    assert wrong.errors == ()
    assert [c.as_expected for c in wrong.claims] == [True]
    assert wrong.claims[0].verdict.diagnosis.startswith("the shapes do not fit: ")
    row = judge(fence + "$\\nabla_w L = (Xw - y)^\\top X$ <!-- sb: claim -->").claims[0].verdict.diagnosis
    assert "found a row [1, D], expected [D], the shape of the left side; transpose it" in row


@pytest.mark.parametrize(
    "claim",
    [
        r"y_1 = \sum_{r=1}^{R} w_r x_r + b",
        r"\frac{\partial y_1}{\partial w_r} = x_r",
        r"w_1 x_1 + w_2 x_2 = \sum_{i=1}^2 w_i x_i",
        r"\sum_{i=1}^{H} w_i = \sum_{i=1}^{H} w_i",
    ],
)
def test_an_index_over_two_sizes_refutes_nothing(judge: Judge, claim: str) -> None:
    """It is meant for some of the values, which may make the formula true: an error that names both places."""
    fence = (
        "```symbackprop\ninput x[H]\nparam w[R], b\ny[p:H-R+1] = sum(r, w[r]*x[p+r-1]) + b\n"
        "loss = sum(p, y[p]^2)/2\n```\n"
    )
    found = judge(f"{fence}${claim}$ <!-- sb: claim -->")

    assert found.claims == ()
    assert [type(error) for error in found.errors] == [RangeError]
    assert "H" in str(found.errors[0])
    assert "R" in str(found.errors[0])


def test_the_shape_of_a_row_is_said_as_it_is_written(judge: Judge) -> None:
    """The left side is the row, and the right side the column."""
    fence = "```symbackprop\ninput X[N,D]\nparam w[D]\nloss = sum(n, d, X[n,d]*w[d])\n```\n"
    (claim,) = judge(fence + r"$\frac{\partial L}{\partial w^\top} = X^\top \mathbf{1}$ <!-- sb: claim -->").claims

    assert claim.verdict.refuted
    assert "found [D], expected a row [1, D], the shape of the left side" in claim.verdict.diagnosis


@pytest.mark.parametrize("side", [r"\frac{1}{D} \sum_i z_n", r"\sum_{k=1}^{N-N} z_n", "z + q"])
def test_what_says_too_little_of_its_sizes_is_not_refuted(judge: Judge, side: str) -> None:
    """A range that nothing says may be the right one, and a tensor of three axes is no matrix."""
    fence = ("```symbackprop\ninput x[N,D], q[T,N,D]\nparam W[D]\nz[n] = sum(d, W[d]*x[n,d])\n"
             "loss = sum(n, z[n]^2)/2\n```\n")  # fmt: skip
    below = "z" if side == "z + q" else "z_n"
    document = judge(fence + rf"$\frac{{\partial L}}{{\partial {below}}} = {side}$ <!-- sb: claim -->")

    assert document.claims == ()
    assert [type(error).__name__ for error in document.errors] == ["UnsaidShapeError"]


def test_a_product_that_may_be_meant_entry_by_entry_is_no_mistake(judge: Judge) -> None:
    """sigma' = sigma (1 - sigma) of a vector is true entry by entry, so that it is not refuted but not understood."""
    fence = "```symbackprop\nparam z[N]\np[n] = sigmoid(z[n])\nloss = sum(n, p[n]^2)\n```\n"
    document = judge(fence + "$\\sigma'(z) = \\sigma(z)(1 - \\sigma(z))$ <!-- sb: claim -->")
    entries = judge(fence + "$\\sigma'(z) = \\sigma(z) \\odot (1 - \\sigma(z))$ <!-- sb: claim -->")

    assert document.claims == ()
    assert [type(error).__name__ for error in document.errors] == ["EntrywiseError"]
    assert "\\odot" in str(document.errors[0])
    assert [c.verdict.proved for c in entries.claims] == [True]


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        (r"\frac{\partial L}{\partial z_n} \approx 0", "it has an entry for every index"),
        (r"\sum_n z_n \approx 0", "it depends on z"),
        (r"N \approx 0", "it depends on sizes"),
    ],
)
def test_what_is_no_number_does_not_round(judge: Judge, formula: str, why: str) -> None:
    """An approximation is about one number, and the error says why the left side is none."""
    fence = "```symbackprop\nparam z[N]\nloss = sum(n, z[n]^2)\n```\n"
    document = judge(f"{fence}<!-- sb: claim -->\n$$ {formula} $$\n")

    assert document.claims == ()
    assert str(document.errors[0]).startswith("line 6, column 4: found ")
    assert f"expected a number that rounds to 0: {why}; write =" in str(document.errors[0])


def test_several_marks_of_one_kind_on_a_line_are_one(judge: Judge) -> None:
    """A mark before each of two formulas of a line says of both what one mark says."""
    mark = "<!-- sb: claim -->"
    document = judge(f"```symbackprop\nparam w\n```\n{mark} $w + w = 2w$ and {mark} $w w = w^2$\n")

    assert [c.verdict.status for c in document.claims] == ["proved", "proved"]


@pytest.mark.parametrize(
    "tail, message",
    [
        ("$w = \\foo$ <!-- sb: claim -->", "line 10, column 6: "),
        ("$w + b$ <!-- sb: claim -->", "line 10, column 2: found an expression"),
        ("$w < b$ <!-- sb: claim -->", "line 10, column 2: found a relation"),
        ("<!-- sb: names \\hat y -->", "line 10: "),
        ("<!-- sb: names S = nothing -->\n$S = w$ <!-- sb: claim -->", "line 11: "),
        ("$g(w) = w + x$ <!-- sb: given -->", "line 10, column 2: found a definition with brackets"),
        (r"$g(u) = u^2, \quad u < 1$ <!-- sb: given -->", "line 10, column 2: found a definition with brackets"),
        ("<!-- sb: names \\foo y = w -->", "line 10: found the unknown command"),
        ("$\\frac{d^2}{dw^2} b = 0$ <!-- sb: claim -->", "line 10, column 2: found the derivative by w of b"),
        ("<!-- sb: clam -->", "line 10: found the mark 'clam'"),
    ],
)
def test_what_cannot_be_understood_is_named_with_its_line(judge: Judge, tail: str, message: str) -> None:
    """Every error has the line of the file, and hides no other claim where it can."""
    document = judge(NEURON + tail)

    assert [str(error)[: len(message)] for error in document.errors] == [message]


@pytest.mark.parametrize(("right", "statuses"), [("z + 1 = wx + 1", ["refuted", "proved"]), ("z - z + wx", ["proved"])])
def test_what_is_computed_takes_no_step(judge: Judge, right: str, statuses: list[str]) -> None:
    """z = z + 1 is the next value of a parameter, and false of what a program computes."""
    program = "```symbackprop\ninput x\nparam w\nz = w*x\nloss = z^2\n```\n"
    document = judge(program + f"$z = {right}$ <!-- sb: claim -->\n\n$w = w - 1 = w - 2 + 1$ <!-- sb: claim -->\n")

    assert [claim.verdict.status for claim in document.claims] == [*statuses, "proved"]


def test_one_unreadable_formula_hides_no_other(judge: Judge) -> None:
    """The others are judged, and check_document raises for the first error."""
    document = judge(NEURON + "$w = \\foo$ <!-- sb: claim -->\n\n$w + w = 2w$ <!-- sb: claim -->\n")

    assert len(document.errors) == 1
    assert [c.verdict.status for c in document.claims] == ["proved"]
    with pytest.raises(sb.SymBackpropError):
        sb.check_document(document.path)


def test_formulas_without_a_mark_are_listed(judge: Judge) -> None:
    """What is not judged is said to be not judged."""
    document = judge("Let $a = b$ and\n\n$$\nc\n= d\n$$\n")

    assert [(each.line, each.source) for each in document.unjudged] == [(1, "a = b"), (3, "c = d")]
    assert document.claims == ()


def test_fences_and_formulas_are_one_program_in_order(judge: Judge) -> None:
    """A fence reads what a formula above it gives, and a claim what stands below it."""
    document = judge(
        "```symbackprop\nparam w\n```\n$u = w^2$ <!-- sb: given -->\n\n$v = u^2$ <!-- sb: claim -->\n\n"
        "```symbackprop\nv = u*u\nclaim d v / d w = 4*w^3\n```\n"
    )

    assert [(c.line, c.text, c.verdict.status) for c in document.claims] == [
        (6, "v = u^2", "proved"),
        (10, "d v / d w = 4*w^3", "proved"),
    ]


def test_adjoints_are_called_as_claims_call_them(judge: Judge) -> None:
    """What is missing and what is derived say adj(z), a name that a document can use."""
    program = "input x, y\nparam w\nz = w*x\na = sigmoid(z)\nloss = (y - a)^2/2\n"
    claim = r"\frac{\partial^2 L}{\partial w^2} = x^2 a^2 (1 - a)^2"
    document = judge(f"```symbackprop\n{program}```\n<!-- sb: claim -->\n$${claim}$$\n")
    (judged,) = document.claims

    assert judged.verdict.diagnosis == "the path from z through adj(z) is missing from the claim"
    assert "adj(a)" in judged.derived
    assert "_bar" not in judged.derived
