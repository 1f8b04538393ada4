"""Rational points at which two sides are compared by balls: the source of witnesses, and the guard of every proof."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import sympy as sp
from flint import ctx, fmpq

from symbackprop.proof.budget import Budget
from symbackprop.proof.curves import list_curves, move_onto
from symbackprop.proof.evaluation import (
    PRECISIONS,
    ImpreciseValueError,
    Point,
    UndefinedValueError,
    Value,
    enclose,
    evaluate,
    satisfies,
)
from symbackprop.proof.facts import Fact
from symbackprop.proof.problems import Problem
from symbackprop.proof.verdict import Witness

Outcome = Literal["different", "agreeing", "left only", "right only", "neither", "unclear"]

# Magnitudes from which numerators are drawn, and their denominators: small ones first, for witnesses that people like.
_SCALES = ((4, 1), (6, 2), (5, 3), (7, 8), (15, 16), (9, 4), (40, 3), (63, 64), (12, 1), (3, 16))

_FOR_NUMBERS = (4096, 16384)
"""More bits for two numbers, which are compared but once."""

_STEPS_OF_A_POINT = 20
"""What a point counts for beside products: both sides are evaluated there."""

SeenPoint = tuple[tuple[str, Fraction], ...]
"""A point as a value: names in their order, with their numbers."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What comparing two sides at some points has shown."""

    witness: Witness | None
    agreeing: frozenset[SeenPoint] = frozenset()


def sample_points(
    problem: Problem,
    facts: Sequence[Fact],
    substitution: Sequence[tuple[sp.Symbol, sp.Expr]],
    seed: int,
    tries: int,
) -> Iterator[Point]:
    """Points that satisfy the facts; substituted names take the value of their expression, if it is rational."""
    generator = random.Random(seed)
    curves = list_curves(facts, substitution)
    fixed = {symbol.name for symbol, _ in substitution}
    signs = _signs_of_names(facts)
    for number in range(tries):
        point: dict[str, Fraction] = {}
        for name in problem.names:
            if name not in fixed:
                value = _draw(generator, _SCALES[number % len(_SCALES)], name in problem.integer_names)
                point[name] = signs[name] * abs(value) if name in signs else value
        if curves and not move_onto(curves, point, generator):
            continue
        try:
            point |= {symbol.name: _rational_value(value, point) for symbol, value in substitution}
            if not substitution and not curves:
                _repair(generator, problem, facts, point)
            if _integral(problem, point) and all(_satisfies(fact, point) for fact in facts):
                yield point
        except (UndefinedValueError, ImpreciseValueError):
            continue


def _rational_value(expression: sp.Expr, point: Point) -> Fraction:
    """The value of an expression that is rational at a point."""
    value = evaluate(expression, point)
    if not isinstance(value, fmpq):
        raise ImpreciseValueError("the value is not rational")
    return Fraction(int(value.p), int(value.q))


def _repair(generator: random.Random, problem: Problem, facts: Sequence[Fact], point: dict[str, Fraction]) -> None:
    """Move a point towards the facts that it violates, one name at a time, as if they were linear.

    A cell such as x > 1000 would otherwise never be met. Whether the point satisfies the facts is checked afterwards.
    """
    for _ in range(3):
        violated = [fact for fact in facts if fact.relation in (">", ">=") and not _satisfies(fact, point)]
        if not violated:
            return
        expression = violated[0].expression
        names = sorted(symbol.name for symbol in expression.free_symbols)
        if not names:
            return
        name = generator.choice(names)
        value = _rational_value(expression, point)
        slope = _rational_value(expression, {**point, name: point[name] + 1}) - value
        if not slope:
            continue
        beyond = abs(_draw(generator, generator.choice(_SCALES), name in problem.integer_names))
        point[name] += -value / slope + (beyond if slope > 0 else -beyond)


def _draw(generator: random.Random, scale: tuple[int, int], integral: bool) -> Fraction:
    largest, denominator = scale
    magnitude = generator.randint(1, largest)
    return Fraction(magnitude * generator.choice((-1, 1)), 1 if integral else denominator)


def _integral(problem: Problem, point: Point) -> bool:
    return all(point[name].denominator == 1 for name in problem.integer_names)


def _signs_of_names(facts: Sequence[Fact]) -> dict[str, int]:
    """The sign of each name that a fact states outright."""
    signs = {}
    for fact in facts:
        if fact.relation in (">", ">="):
            sign, symbol = (1, fact.expression) if fact.expression.is_Symbol else (-1, -fact.expression)
            if symbol.is_Symbol:
                signs[symbol.name] = sign
    return signs


def _satisfies(fact: Fact, point: Point) -> bool:
    return satisfies([(fact.expression, fact.relation)], point, 64)


def compare_at(
    problem: Problem, point: Point, precisions: Sequence[int] = PRECISIONS
) -> tuple[Outcome, Witness | None]:
    """Compare both sides at a point, with more and more bits as long as the balls overlap."""
    outcome: Outcome = "unclear"
    for precision in precisions:
        values: list[Value | None] = []
        for side in (problem.left, problem.right):
            try:
                values.append(evaluate(side, point, precision))
            except UndefinedValueError:
                values.append(None)
            except ImpreciseValueError:
                break
        if len(values) < 2:
            continue
        left, right = values
        if left is None or right is None:
            if left is None and right is None:
                return "neither", None
            return ("right only" if left is None else "left only"), None
        with ctx.workprec(precision):  # in which a rational becomes a ball
            different = bool(left < right or left > right)
        if different:
            try:
                return "different", _witness(point, left, right)
            except ImpreciseValueError:
                return "unclear", None
        outcome = "agreeing"
        if isinstance(left, fmpq) and isinstance(right, fmpq):
            break
    return outcome, None


def has_values(problem: Problem, point: Point) -> bool:
    """Whether both sides, as they were written, certainly have a value at a point."""
    conditions = [(fact.expression, fact.relation) for fact in problem.domain]
    for precision in PRECISIONS:
        try:
            return satisfies(conditions, point, precision)
        except UndefinedValueError:
            return False
        except ImpreciseValueError:
            continue
    return False


def _witness(point: Point, left: Value, right: Value) -> Witness:
    """The witness, with as many digits as it takes to keep the intervals apart."""
    for digits in (12, 25, 60, 150, 400, 1200, 5000):
        first, second = enclose(left, digits), enclose(right, digits)
        if first.upper < second.lower or second.upper < first.lower:
            return Witness(tuple(sorted(point.items())), first, second)
    raise ImpreciseValueError("the values are too close to be written apart")


def search(
    problem: Problem,
    budget: Budget,
    facts: Sequence[Fact] = (),
    substitution: Sequence[tuple[sp.Symbol, sp.Expr]] = (),
    *,
    wanted: int = 6,
    tries: int = 48,
    seed: int = 0,
) -> Evidence:
    """Compare at up to `wanted` points where both sides are defined; stop at the first difference in the domain."""
    agreeing: set[SeenPoint] = set()
    met: set[SeenPoint] = set()
    for point in sample_points(problem, facts, substitution, seed, tries):
        budget.count_step(_STEPS_OF_A_POINT)
        seen = tuple(sorted(point.items()))
        if seen in met:
            continue
        met.add(seen)
        # All bits at the first points, for differences as small as 1e-30; few at the others.
        precisions = PRECISIONS if len(agreeing) < 2 else PRECISIONS[:1]
        outcome, witness = compare_at(problem, point, precisions if problem.names else (*PRECISIONS, *_FOR_NUMBERS))
        if witness is not None and has_values(problem, point):
            return Evidence(witness, frozenset(agreeing))
        if outcome == "agreeing":
            agreeing.add(seen)
        if len(agreeing) == wanted or (not problem.names and agreeing):
            break
    return Evidence(None, frozenset(agreeing))
