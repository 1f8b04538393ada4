"""The verdict on a pair of formulas against values at 60 digits and more."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp
from digits_oracle import NoValueError, UnclearError, value_at
from mpmath import mp, mpf
from pair_generator import Pair

from symbackprop.proof import Verdict, decide
from symbackprop.proof.budget import Budget

POINTS = 6
TRIES = 40
DIGITS = 60


@dataclass(frozen=True)
class Judgement:
    """What was decided of a pair, whether its sides differ at 60 digits, and what is wrong with the verdict."""

    seed: int
    status: str
    truth: str  # "different", "equal" (made by identities, no point differs) or "alike" (mutated, no point differs)
    fault: str = ""
    reason: str = ""


def draw_point(draw: random.Random, names: list[str]) -> dict[str, Fraction]:
    """A point that lies on no kink or pole but by chance; u is positive."""
    scale = draw.choice((1, 1, 3, 10))
    point = {name: Fraction(draw.randint(-997 * scale, 997 * scale), 499) for name in names}
    return {name: abs(value) + Fraction(1, 499) if name == "u" else value for name, value in point.items()}


def sides_at(left: sp.Expr, right: sp.Expr, point: Mapping[str, Fraction], digits: int) -> tuple[mpf | None, ...]:
    """Both values, None for what is not defined."""
    values: list[mpf | None] = []
    for side in (left, right):
        try:
            values.append(value_at(side, point, digits))
        except NoValueError:
            values.append(None)
    return tuple(values)


def differ_at(left: sp.Expr, right: sp.Expr, point: Mapping[str, Fraction], digits: int = DIGITS) -> str:
    """Whether both sides are "different", "alike", defined on "one side", "neither" or "unclear" at a point."""
    try:
        first, second = sides_at(left, right, point, digits), sides_at(left, right, point, 2 * digits)
    except UnclearError:
        return "unclear"
    if None in first or None in second:
        if first.count(None) != second.count(None):
            return "unclear"
        return "one side" if first.count(None) == 1 else "neither"
    with mp.workdps(2 * digits):
        scale = 1 + abs(second[0]) + abs(second[1])
        gap = abs(second[0] - second[1])
        steady = max(abs(a - b) for a, b in zip(first, second, strict=True)) < gap / 1000
        if gap < scale * mpf(10) ** (15 - digits) or gap < scale * mpf(10) ** (20 - 2 * digits):
            return "alike"
        return "different" if steady else "unclear"


def find_truth(pair: Pair) -> tuple[str, bool]:
    """The truth of a pair as random points show it, and whether some point has a value on one side only."""
    draw = random.Random(pair.seed ^ 0x5EED)
    names = sorted({str(symbol) for symbol in pair.left.free_symbols | pair.right.free_symbols})
    found = 0
    lopsided = False
    for _ in range(TRIES if names else 1):
        outcome = differ_at(pair.left, pair.right, draw_point(draw, names))
        if outcome == "different":
            return "different", lopsided
        lopsided |= outcome == "one side"
        found += outcome == "alike"
        if found == POINTS:
            break
    return "equal" if pair.made_equal else "alike", lopsided


def confirm_witness(pair: Pair, verdict: Verdict) -> str:
    """What is wrong with the witness of a refutation, or nothing."""
    if verdict.witness is None:
        return "refuted without a witness"
    point = dict(verdict.witness.point)
    for digits in (DIGITS, 300, 1000):
        outcome = differ_at(pair.left, pair.right, point, digits)
        if outcome == "different":
            return ""
    return f"refuted at a point where the sides are {outcome!r}"


def judge_pair(pair: Pair, seconds: float = 3.0) -> Judgement:
    """Decide a pair and hold the verdict against the values."""
    try:
        verdict = decide(pair.left, pair.right, budget=Budget(seconds))
    except Exception as error:
        return Judgement(pair.seed, "crashed", find_truth(pair)[0], fault=f"{type(error).__name__}: {error}")
    return judge_verdict(pair, verdict)


def judge_verdict(pair: Pair, verdict: Verdict) -> Judgement:
    """Hold a verdict on a pair against the values."""
    truth, lopsided = find_truth(pair)
    fault = ""
    if verdict.proved and truth == "different":
        fault = "proved, but the sides differ"
    elif verdict.proved and lopsided:
        fault = "proved, but somewhere only one side has a value"
    elif verdict.refuted:
        fault = confirm_witness(pair, verdict)
        truth = truth if fault else "different"
    return Judgement(pair.seed, verdict.status, truth, fault, verdict.reason)
