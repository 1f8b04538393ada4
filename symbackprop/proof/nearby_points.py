"""Rational points that satisfy conditions, found by moving one that satisfies most of them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import isfinite

import sympy as sp
from flint import fmpq

from symbackprop.proof.evaluation import ImpreciseValueError, UndefinedValueError, Value, evaluate, sign_of_value
from symbackprop.proof.facts import Fact
from symbackprop.proof.float_range import is_held

_ATTEMPTS = 6
_FINER = 6
"""So many more attempts are made with steps that are smaller each time, for what is narrow."""
_CLOSER = (1, 2, 4, 6, 9, 13)
"""The decimal places by which entries are brought closer to zero, or to each other."""
_VERY_CLOSE = (2, 6, 10, 50)
"""The decimal places by which one entry is brought close to a pole, if floats lie there; log(1e-50) is -115."""
_FAR = (16, 128, 1024)
_MOVES = 30
_DENOMINATOR = 64


def points_near(
    point: Mapping[str, Fraction], facts: Sequence[Fact], deadline: float
) -> Iterator[Mapping[str, Fraction]]:
    """Points that satisfy the facts, each reached by moving one name at a time past the boundary of a violated one.

    None is beyond the largest float, and there are no more of them once the deadline has passed.

    >>> import math
    >>> import sympy as sp
    >>> x, y = sp.symbols("x y", real=True)
    >>> found = next(points_near({"x": Fraction(0), "y": Fraction(1)}, [Fact(x - y, ">"), Fact(y, ">")], math.inf))
    >>> found["x"] > found["y"] > 0
    True
    """
    yield from _those_with(facts, _special(point), deadline)
    for seed in range(_ATTEMPTS + _FINER):
        generator = random.Random(seed)
        fineness = 10 ** max(0, seed - _ATTEMPTS + 1)
        moved = {name: -value for name, value in point.items()} if seed % 4 == 3 else dict(point)  # beyond a pole
        try:
            for _ in range(_MOVES):
                if time.process_time() > deadline:
                    return
                violated = [fact for fact in facts if not _satisfies(fact, moved)]
                if not violated:
                    if is_held(moved):
                        yield moved
                    break
                _move(moved, generator.choice(violated), generator, fineness)
        except (UndefinedValueError, ImpreciseValueError):
            continue
    yield from _those_with(facts, _far_away(point), deadline)
    yield from _those_with(facts, _at_poles(point, facts), deadline)


def _those_with(
    facts: Sequence[Fact], points: Iterator[Mapping[str, Fraction]], deadline: float
) -> Iterator[Mapping[str, Fraction]]:
    """The points that satisfy the facts."""
    for point in points:
        if time.process_time() > deadline:
            return
        try:
            if all(_satisfies(fact, point) for fact in facts):
                yield point
        except (UndefinedValueError, ImpreciseValueError):
            continue


def _far_away(point: Mapping[str, Fraction]) -> Iterator[Mapping[str, Fraction]]:
    """Points of which all entries are large, where the moves of one after the other would be many."""
    for shift in _FAR:
        yield {name: value + shift for name, value in point.items()}
        yield {name: value - shift for name, value in point.items()}


def _at_poles(point: Mapping[str, Fraction], facts: Sequence[Fact]) -> Iterator[Mapping[str, Fraction]]:
    """Points of which one entry is close to where a logarithm or a quotient of a violated fact has no value."""
    for part in dict.fromkeys(p for fact in facts if not may_hold(fact, point) for p in _poles(fact.expression)):
        for name in sorted(symbol.name for symbol in part.free_symbols):
            value, ahead = (evaluate(part, {**point, name: point[name] + step}) for step in (0, 1))
            if isinstance(value, fmpq) and isinstance(ahead, fmpq) and value != ahead:
                root = point[name] - _exactly(value) / (_exactly(ahead) - _exactly(value))
                for places, side in product(_VERY_CLOSE, (1, -1)):
                    close = root + side * Fraction(1, 10**places)
                    if Fraction(float(close)) != Fraction(float(root)):
                        yield {**point, name: close}


def _poles(expression: sp.Expr) -> Iterator[sp.Expr]:
    """What is 0 where a part of an expression has no value."""
    for node in sp.preorder_traversal(expression):
        if isinstance(node, sp.log):
            yield node.args[0]
        elif isinstance(node, sp.Pow) and node.exp.is_negative:
            yield node.base


def _special(point: Mapping[str, Fraction]) -> Iterator[Mapping[str, Fraction]]:
    """Points near zero, where norms are small, and points of nearly equal entries, where variances are."""
    base = max(point.values(), default=Fraction(0))
    for places in _CLOSER:
        yield {name: value / 10**places for name, value in point.items()}
        yield {name: base + value / 10**places for name, value in point.items()}


def may_hold(fact: Fact, point: Mapping[str, Fraction]) -> bool:
    """Whether a fact is not certainly wrong at a point.

    >>> import sympy as sp
    >>> may_hold(Fact(sp.Symbol("x", real=True), ">"), {"x": Fraction(-1)})
    False
    """
    try:
        return _satisfies(fact, point)
    except UndefinedValueError:
        return False
    except (ImpreciseValueError, KeyError):
        return True


def _satisfies(fact: Fact, point: Mapping[str, Fraction]) -> bool:
    sign = sign_of_value(evaluate(fact.expression, point))
    return {">": sign > 0, ">=": sign >= 0, "=": sign == 0, "!=": sign != 0}[fact.relation]


def _move(point: dict[str, Fraction], fact: Fact, generator: random.Random, fineness: int) -> None:
    """Change one name as if the condition were linear in it, and go a little further, the less the finer; where it is
    not, a step at most doubles what is large.
    """
    denominator = _DENOMINATOR * fineness
    name = generator.choice(sorted(symbol.name for symbol in fact.expression.free_symbols))
    ahead = Fraction(1, fineness)
    value = _short(evaluate(fact.expression, point), denominator**2)
    slope, further = (
        (_short(evaluate(fact.expression, {**point, name: point[name] + step}), denominator**2) - value) / step
        for step in (ahead, 2 * ahead)
    )
    if slope:
        beyond = Fraction(generator.randint(1, 24), 8 * fineness)
        step = -value / slope + (beyond if slope > 0 else -beyond)
        if further != slope:
            farthest = max(Fraction(2), abs(point[name]))  # where a curve is flat its tangent leads far away
            step = max(-farthest, min(farthest, step))
        point[name] = (point[name] + step).limit_denominator(denominator)


def _exactly(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def _short(value: Value, denominator: int) -> Fraction:
    """A value as a fraction that is near enough to move by; ImpreciseValueError beyond what floats hold."""
    if isinstance(value, fmpq):
        return _exactly(value)
    number = float(value.mid())
    if not isfinite(number):
        raise ImpreciseValueError("a value is too large to move by")
    return Fraction(number).limit_denominator(denominator)
