"""Assumptions that are not linear, that contradict each other, and what is special at sizes that are not tried."""

from collections.abc import Callable
from pathlib import Path

import pytest

import symbackprop as sb

Judge = Callable[[str], list[sb.Verdict]]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """The verdicts of the claims of a document with one program."""
    path = tmp_path / "claims.md"

    def read(text: str) -> list[sb.Verdict]:
        path.write_text(f"```symbackprop\n{text}\n```\n", encoding="utf-8")
        return [verdict for _, verdict in sb.check_document(path)]

    return read


def statuses(verdicts: list[sb.Verdict]) -> list[str]:
    """What became of each claim."""
    return [verdict.status for verdict in verdicts]


UNIT_LENGTH = """
param w[D]
input x[D]
assume sum(d, w[d]^2) = 1
s = sum(d, w[d]*x[d])
loss = s/sqrt(sum(d, w[d]^2))
"""
"""The gradient of a quotient on the sphere, which is right only there."""

ASSUMED = {
    "a square": "input a, b\nassume a^2 = 1\nloss = a*b\nclaim a^2 = 1\n",
    "a product": "input a, b\nassume a*b = 1\nloss = a*b\nclaim a = 1/b\n",
    "a product that another equation makes linear": "input a, b\nassume a*b = 6\nassume a = 2\nloss = a*b\nclaim b = 3",
    "an exponential": "input x\nassume exp(x) = 2\nloss = x^2\nclaim exp(x) = 2\n",
    "a circle": "input x, y\nassume x^2 + y^2 = 1\nloss = x*y\nclaim x^2 = 1 - y^2\n",
    "a unit vector": UNIT_LENGTH + "claim sum(d, w[d]^2) = 1\nclaim d loss / d w[d] = x[d] - s*w[d]\n",
    "orthogonal columns": (
        "param Q[K,K]\nassume sum(k, Q[k,i]*Q[k,j]) = where(i == j, 1, 0)\nloss = sum(i, j, Q[i,j])\n"
        "claim sum(k, Q[k,i]*Q[k,j]) = where(i == j, 1, 0)\n"
    ),
    "a distribution": (
        "input p[K]\nassume p[k] > 0\nassume sum(k, p[k]) = 1\nloss = p[1]\nclaim where(p[k] < 1, 1, 0) = 1\n"
    ),
}


@pytest.mark.parametrize("name", ASSUMED)
def test_what_is_assumed_is_proved(name: str, judge: Judge) -> None:
    """Whether or not it can be solved for one of its entries."""
    assert set(statuses(judge(ASSUMED[name]))) == {"proved"}


def test_what_an_assumption_does_not_say_is_refuted(judge: Judge) -> None:
    """At a point that satisfies it."""
    verdicts = judge("input a, b\nassume a*b = 1\nloss = a*b\nclaim a = b\nclaim a^2 = 2\n")

    for verdict in verdicts:
        assert verdict.refuted
        point = dict(verdict.witness.point)
        assert point["a"] * point.get("b", 1 / point["a"]) == 1


def test_nothing_is_concluded_from_a_contradiction(judge: Judge) -> None:
    """Neither a right claim nor a wrong one."""
    twice = "input x, y\nassume x = 1\nassume x = 2\nloss = x^2*y\nclaim d loss / d y = 1\nclaim d loss / d y = 7"
    verdicts = judge(twice)
    verdicts += judge("input p\nassume p = 1\nassume p < 0\nloss = p^2\nclaim p = 5")

    assert {verdict.status for verdict in verdicts} == {"undecided"}
    assert all("nothing satisfies all assumptions" in verdict.reason for verdict in verdicts)


def test_sums_that_no_sizes_allow_are_named(judge: Judge) -> None:
    """Rows and columns can sum to one only in a square."""
    (verdict,) = judge(
        "input y[N,K]\nassume sum(k, y[n,k]) = 1\nassume sum(n, y[n,k]) = 1\nloss = sum(n, k, y[n,k])\n"
        "claim sum(n, y[n,k]) = 1"
    )

    assert "nothing satisfies all assumptions at N=2, K=3" in verdict.reason


@pytest.mark.parametrize("number", (3, 7, 12))
def test_what_is_special_at_one_size_is_found(number: int, judge: Judge) -> None:
    """A size that a claim writes is tried."""
    (verdict,) = judge(
        f"input x[N]\nloss = sum(i, x[i]^2)\nclaim d loss / d x[i] = 2*x[i]*(1 + where(N == {number}, 1, 0))"
    )

    assert verdict.refuted


def test_sizes_beyond_those_that_are_tried_are_undecided(judge: Judge) -> None:
    """A proof at small sizes says nothing of a hundred."""
    text = "input x[N]\nloss = sum(i, x[i]^2)\n"
    verdicts = judge(text + "claim where(N < 100, x[i], 0) = x[i]\nclaim where(N < 9, x[i], 0) = x[i]")

    assert [verdict.status for verdict in verdicts] == ["undecided", "refuted"]
    assert "100" in verdicts[0].reason


def test_several_choices_of_integer_data_are_tried(judge: Judge) -> None:
    """The last class is a class too."""
    text = "input x[N,K]\nindex t[N] in K\nloss = sum(n, x[n,t[n]])\n"

    assert statuses(judge(text + "claim where(t[n] < K, 1, 0) = 1\nclaim where(t[n] > 1, 1, 0) = 1")) == ["refuted"] * 2
    assert statuses(judge(text + "claim where(t[n] <= K, 1, 0) = 1")) == ["proved"]


def test_integer_data_meet() -> None:
    """A claim that is wrong where two words of a pair are the same."""
    pairs = sb.parse("index t[N] in K, r[N] in K\nparam E[K]\nloss = sum(n, E[t[n]]*E[r[n]])")
    wrong = "sum(n, where(t[n] == k or r[n] == k, E[t[n]]*E[r[n]]/E[k], 0))"
    right = "sum(n, where(t[n] == k, E[r[n]], 0)) + sum(n, where(r[n] == k, E[t[n]], 0))"

    assert sb.verify_gradient(pairs, "E[k]", wrong).refuted
    assert sb.verify_gradient(pairs, "E[k]", right).proved


MATRICES = "param A[K,K], B[K,K], s\nloss = s*sum(i, j, A[i,j]*B[i,j])\n"


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        ("det(A) = sum(i, j, A[i,j])", "refuted"),
        ("logdet(A) = sum(i, j, A[i,j])", "refuted"),
        ("inv(A)[i,j] = A[i,j]", "refuted"),
        ("d loss / d s = det(A)", "refuted"),
        (r"\det(AB) = \det(A)\det(B)", "proved"),
        ("(AB)^{-1} = B^{-1}A^{-1}", "proved"),
        ("(AB)^{-1} = A^{-1}B^{-1}", "refuted"),
    ],
)
def test_functions_of_whole_matrices_as_sides(claim: str, status: str, judge: Judge) -> None:
    """A side that is nothing but a determinant or an inverse is that, not what it reads."""
    in_latex = f"```\n\n${claim}$ <!-- sb: claim -->\n\n```symbackprop"
    written = in_latex if "B" in claim else f"claim {claim}"

    assert statuses(judge(f"{MATRICES}{written}")) == [status]


def test_a_range_that_is_no_size_is_an_error(judge: Judge) -> None:
    """An index is no size."""
    with pytest.raises(sb.FormulaError, match="found the range i of j, expected a size: K"):
        judge(f"{MATRICES}claim d loss / d A[i,k] = sum(j:i, B[j,k])")


def test_many_kinks_inside_each_other_are_refused() -> None:
    """Their pieces multiply, and no bound of time reaches the making of a formula."""
    nested = "x"
    for name in "abcde":
        nested = f"maximum({nested}, {name})"
    with pytest.raises(sb.LimitError, match="found 5 functions with kinks inside each other, expected at most 3"):
        sb.verify(nested, nested)


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        (r"\sum_{i=1}^{N-1} x_i = \sum_{i=1}^N x_i - x_N", "proved"),
        (r"\sum_{i=1}^{N-1} (x_{i+1} - x_i) = x_N - x_1", "proved"),
        (r"\sum_{i=1}^{N-1} x_i = \sum_{i=1}^N x_i - x_1", "refuted"),
        (r"\sum_{i=1}^{N-2} (x_{i+1} - x_i) = x_N - x_1", "refuted"),
    ],
)
def test_sums_that_end_before_their_axis(claim: str, status: str, judge: Judge) -> None:
    """Are sums over a part of the axis, not shapes that do not fit."""
    text = f"input x[N]\nloss = sum(i, x[i]^2)\n```\n\n${claim}$ <!-- sb: claim -->\n\n```symbackprop"

    assert statuses(judge(text)) == [status]


SIZES = "param x[N], E[K]\nindex t[N] in K\nloss = sum(i, x[i]^2) + sum(n, E[t[n]])\n"


@pytest.mark.parametrize(
    "claim",
    [
        "where(N == 1, 0, 1) = 1",
        "where(N > 1, 1, 0) = 1",
        "where(t[n] == 5, 1, 0) = 0",
    ],
)
def test_sizes_and_data_at_which_a_condition_turns_are_tried(claim: str, judge: Judge) -> None:
    """One entry only, and the class that a claim names."""
    assert statuses(judge(f"{SIZES}claim {claim}")) == ["refuted"]


def test_a_range_that_may_be_below_zero_is_said(judge: Judge) -> None:
    """The sum over none is 0, not a negative number; one less than a size is none below."""
    first, second, third = judge(
        f"{SIZES}claim sum(i:N-5, 1) = N-5\nclaim sum(i:N-1, 1) = N-1\nclaim mean(i:N-2, 1) = 1"
    )

    assert str(first) == "Proved for all sizes, where N - 5 >= 0."
    assert str(second) == "Proved for all sizes."
    assert "N - 2 >= 1" in third.hypotheses
