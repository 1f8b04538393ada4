r"""Signs of extremes, ends of sums that are letters, and errors that say how to write what was meant."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.errors import SymBackpropError
from symbackprop.language import write_tree
from symbackprop.notation.reading import MatrixClaim, make_vocabulary, read_any_claim, read_block
from symbackprop.proof.claims import judge_claim

STEPS = "input u[T]\nparam a\nh[t] = a*h[t-1] + u[t]\nloss = h[T]^2/2\n"
FROM_BASE = "input u[T]\nparam a, h0\nh[0] = h0\nh[t] = a*h[t-1] + u[t]\nloss = h[T]^2/2\n"


def judged(latex: str, program: str) -> list[str]:
    """How a claim was understood, and its status."""
    core = sb.parse(program).core
    (statement,) = read_block(latex)
    claim = read_any_claim(statement, make_vocabulary(core))
    assert not isinstance(claim, MatrixClaim)
    return [write_tree(claim).removeprefix("claim "), *(link.verdict.status for link in judge_claim(core, claim))]


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\arg\max_j z_j", "argmax(j, z[j])"),
        (r"\arg \max\limits_{j} z_j", "argmax(j, z[j])"),
        (r"\operatorname*{arg\,max}_j z_j", "argmax(j, z[j])"),
        (r"\arg\min_j z_j", "argmax(j, -z[j])"),
        (r"\operatorname*{argmin}_j (z_j - c)^2", "argmax(j, -(z[j] - c)^2)"),
    ],
)
def test_the_place_of_an_extreme_is_read(latex: str, text: str) -> None:
    """In two signs or in one; the least is the greatest of what is negative."""
    assert sb.latex_formula(latex).understood() == text


@pytest.mark.parametrize(
    ("latex", "said"),
    [
        (r"\arg z_j", r"`\arg` by itself, expected \arg\max_{i}"),
        (r"\arg\max(a, b)", r"`\arg` by itself"),
        (r"\arg\max_j z_j w_j", r"`\arg\max_{j}` before several factors"),
        ("a，b", "found the full-width comma '，', expected a formula; write `,`"),
        ("a；", "found the full-width semicolon '；'"),
        ("a。", "found the ideographic full stop '。', expected a formula; write `.`"),
        ("（a+b）", "found the full-width left parenthesis '（'"),
        ("a＝b", "found the full-width equals sign '＝', expected a formula; write `=`"),
    ],
)
def test_errors_say_what_was_seen_and_how_to_write_it(latex: str, said: str) -> None:
    """By its name where a sign of print looks like one of LaTeX."""
    with pytest.raises(SymBackpropError) as caught:
        sb.latex_formula(latex).understood()

    assert said in str(caught.value)


@pytest.mark.parametrize("program", [STEPS, FROM_BASE])
def test_an_index_runs_as_far_as_the_letter_above_its_sum(program: str) -> None:
    """It stands alone on no axis, but its bounds are written."""
    slope = r"\frac{\partial h_t}{\partial a} = "
    text = "d h[t] / d a = sum(k:T, where(k <= t, a^(t - k)*h[k-1], 0))"
    assert judged(slope + r"\sum_{k=1}^{t} a^{t-k} h_{k-1}", program) == [text, "proved"]
    assert judged(slope + r"\sum_{k=1}^{t} a^{t-k-1} h_{k-1}", program)[1] == "refuted"
    assert judged(slope + r"\sum_{k=1}^{t-1} a^{t-k} h_{k-1}", program)[1] == "refuted"
    twice = r"\sum_{t=1}^{T} \sum_{k=1}^{t} a^{t-k} h_{k-1} = \sum_{t=1}^{T} \frac{\partial h_t}{\partial a}"
    assert judged(twice, program)[1] == "proved"


def test_a_sum_whose_addends_do_not_read_its_index_counts_them() -> None:
    """The bounds say how many there are."""
    program = "param z[N]\nc[n] = n*z[n]\n"
    assert judged(r"c_n = \sum_{m=1}^{n} z_n", program)[1] == "proved"
    assert judged(r"z_n = \sum_{m=1}^{n} z_n", program)[1] == "refuted"


def test_a_last_entry_below_a_derivative_is_that_of_a_sum_over_entries() -> None:
    """Both say the same."""
    assert judged(r"\frac{\partial L}{\partial h_T} = h_T", STEPS)[1] == "proved"
    assert judged(r"\frac{\partial L}{\partial h_T} = 2h_T", STEPS)[1] == "refuted"
    assert judged(r"\sum_i [i = T] \frac{\partial L}{\partial h_i} = h_T", STEPS)[1] == "proved"
    assert judged(r"\sum_i [i = T] \frac{\partial L}{\partial h_i} = 2h_T", STEPS)[1] == "refuted"


@pytest.mark.parametrize("sign", [r"\frac{\partial}{\partial x}", r"\partial_x"])
def test_a_derivative_of_a_derivative_is_one_of_second_order(sign: str) -> None:
    """Both ways to write it are read."""
    program = "param x, y\nf = x^2*y^3\n"
    assert judged(rf"{sign} \frac{{\partial f}}{{\partial y}} = 6xy^2", program)[1] == "proved"
    assert judged(rf"{sign} \frac{{\partial f}}{{\partial y}} = 3x^2y^2", program)[1] == "refuted"
    assert judged(r"\frac{\partial^2 f}{\partial x \partial y} = 6xy^2", program)[1] == "proved"
