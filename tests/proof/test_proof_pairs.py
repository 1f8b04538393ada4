"""Pairs of hand-written gradients whose equality is known: all are decided, and rightly."""

from __future__ import annotations

import statistics
import time

import pytest
import sympy as sp
from equality_battery import DIFFERENT, EQUAL
from sympy import Rational

from symbackprop.proof import Verdict, decide


@pytest.mark.parametrize("name", EQUAL)
def test_equal_pair_is_proved(name: str) -> None:
    """A right hand derivation is proved, in both directions."""
    left, right = EQUAL[name]

    assert decide(left, right).proved
    assert decide(right, left).proved


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_pair_is_refuted_by_a_point_that_mpmath_confirms(name: str) -> None:
    """A wrong hand derivation is refuted, and SymPy's own evaluation at the witness gives values in the intervals."""
    left, right = DIFFERENT[name]
    verdict = decide(left, right)

    assert verdict.refuted
    assert_confirmed(left, right, verdict)


def assert_confirmed(left: sp.Expr, right: sp.Expr, verdict: Verdict) -> None:
    """Evaluate both sides at the witness with mpmath and compare with the intervals."""
    witness = verdict.witness
    assert witness is not None
    names = {str(symbol): symbol for symbol in (left - right).free_symbols | left.free_symbols | right.free_symbols}
    point = {names[name]: Rational(value.numerator, value.denominator) for name, value in witness.point}
    assert witness.left.upper < witness.right.lower or witness.right.upper < witness.left.lower
    for side, interval in ((left, witness.left), (right, witness.right)):
        value = sp.N(side.subs(point), 60)
        slack = Rational(1, 10**40)
        assert Rational(interval.lower.numerator, interval.lower.denominator) - slack <= value
        assert value <= Rational(interval.upper.numerator, interval.upper.denominator) + slack


def test_there_are_enough_pairs() -> None:
    """The tables hold at least sixty equal and forty different pairs."""
    assert len(EQUAL) >= 60
    assert len(DIFFERENT) >= 40


def test_median_time_is_milliseconds() -> None:
    """Deciding takes about ten milliseconds; five times that is allowed on a busy machine."""
    seconds = []
    for left, right in [*EQUAL.values(), *DIFFERENT.values()]:
        start = time.perf_counter()
        decide(left, right)
        seconds.append(time.perf_counter() - start)

    assert statistics.median(seconds) < 0.05
