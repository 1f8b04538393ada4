"""Random pairs, rewritten or mutated, against mpmath at 60 digits: no verdict may be contradicted.

`python tests/oracles/pairs_hunt.py --pairs 20000` judges more of them.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from pair_check import differ_at, judge_pair, judge_verdict
from pair_generator import Pair, generate_pair

from symbackprop.proof import Interval, Verdict, Witness, decide

PAIRS = 500
BATCH = 50
X, Y = sp.symbols("x y")


@pytest.mark.parametrize("start", range(0, PAIRS, BATCH))
def test_no_verdict_on_random_pairs_is_contradicted(start: int) -> None:
    """No false verdict and no crash, hardly a different pair undecided, and most equal pairs proved."""
    judged = [judge_pair(generate_pair(seed)) for seed in range(start, start + BATCH)]
    assert [each for each in judged if each.fault] == []
    different = [each.status for each in judged if each.truth == "different"]
    equal = [each.status for each in judged if each.truth == "equal"]
    assert different.count("undecided") <= 1
    assert equal.count("proved") >= 0.8 * len(equal)
    assert len(different) >= 20
    assert len(equal) >= 5


@pytest.mark.parametrize(
    ("left", "right", "made_equal", "fault"),
    [
        (sp.tanh(X), sp.tanh(X) + sp.Rational(1, 10**20), False, "proved, but the sides differ"),
        (sp.log(X**2), 2 * sp.log(X), False, "proved, but somewhere only one side has a value"),
        (sp.Max(X, Y), (X + Y + sp.Abs(X - Y)) / 2, True, ""),
    ],
)
def test_a_planted_false_proof_is_caught(left: sp.Expr, right: sp.Expr, made_equal: bool, fault: str) -> None:
    """The oracle holds a proof against values that differ and against domains that differ."""
    assert judge_verdict(Pair(0, left, right, made_equal), Verdict("proved")).fault == fault


def test_a_planted_false_refutation_is_caught() -> None:
    """The oracle evaluates the witness itself."""
    one, two = Interval(Fraction(1), Fraction(1)), Interval(Fraction(2), Fraction(2))
    pair = Pair(0, sp.sin(2 * X), 2 * sp.sin(X) * sp.cos(X), True)
    wrong = Verdict("refuted", witness=Witness((("x", Fraction(1, 3)),), one, two))
    assert "alike" in judge_verdict(pair, wrong).fault
    assert judge_verdict(Pair(0, X, X**2, False), decide(X, X**2)).fault == ""


def test_the_oracle_tells_small_differences_from_rounding() -> None:
    """Sixty digits see a difference of 1e-30 and none in what cancels."""
    point = {"x": Fraction(7, 3)}
    tiny = sp.Rational(1, 10**30)
    assert differ_at(sp.exp(X), sp.exp(X) + tiny, point) == "different"
    assert differ_at(sp.exp(X) - sp.exp(X / 2) ** 2 + 1, sp.S.One, point) == "alike"
    assert differ_at(sp.log(X), sp.log(-X), point) == "one side"
