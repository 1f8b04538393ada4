"""Upper bounds on how large a formula gets, by ball arithmetic on ever smaller pieces."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from heapq import heappop, heappush

import sympy as sp
from flint import arb, fmpq

from symbackprop.errors import UnsupportedError
from symbackprop.proof.evaluation import enclose, evaluate_over
from symbackprop.proof.verdict import Interval

PRECISION = 256
MOST_PIECES = 1_000
CLOSE = Fraction(101, 100)
"""A bound that a value comes as near to as this is good enough."""

Span = tuple[Fraction, Fraction]


def bound_magnitude(
    expression: sp.Expr, spans: Mapping[str, Span] | None = None, cut: tuple[str, int, int] | None = None
) -> Fraction | None:
    """An upper bound on |expression| where each name is in its span, or None where none was found.

    `cut` names one more variable with its ends; that span is cut into pieces until the bound is close.

    >>> x = sp.Symbol("x")
    >>> bound_magnitude(sp.pi - 3, {}) < Fraction(15, 100)
    True
    >>> 1 <= bound_magnitude(sp.sin(x) * x, {}, ("x", -1, 2)) * Fraction(55, 100) <= Fraction(102, 100)
    True
    """
    known = {name: _ball(*span) for name, span in (spans or {}).items()}
    if cut is None:
        return _largest(expression, known)
    name, low, high = cut
    pieces: list[tuple[Fraction, Fraction, Fraction]] = []  # less the bound, so that the largest comes first
    seen = Fraction(0)
    waiting = [(Fraction(low), Fraction(high))]
    for _ in range(MOST_PIECES):
        for start, end in waiting:
            upper = _largest(expression, {**known, name: _ball(start, end)})
            heappush(pieces, (Fraction(-(10**30)) if upper is None else -upper, start, end))
        bound, start, end = heappop(pieces)
        middle = (start + end) / 2
        seen = max(seen, _least(expression, {**known, name: _ball(middle, middle)}))
        if -bound <= seen * CLOSE:
            heappush(pieces, (bound, start, end))
            break
        waiting = [(start, middle), (middle, end)]
    else:
        return None
    return -pieces[0][0]


def write_bound(bound: Fraction) -> str:
    """A bound to two figures, rounded up.

    >>> write_bound(Fraction(12345, 10**9)), write_bound(Fraction(2, 1))
    ('1.3e-05', '2')
    """
    exponent = 0
    while bound * 10**exponent < 10 and exponent < 400:
        exponent += 1
    figures = Fraction(-(-bound * 10**exponent // 1), 10**exponent)
    return f"{float(figures):.1e}" if figures < Fraction(1, 1000) else f"{float(figures):.2g}"


def _ball(low: Fraction, high: Fraction) -> arb:
    """A ball that contains both ends."""
    low_end, high_end = (arb(fmpq(end.numerator, end.denominator)) for end in (low, high))
    return low_end.union(high_end)


def _enclose_over(expression: sp.Expr, balls: Mapping[str, arb]) -> Interval | None:
    """An interval with every value over some balls, or None where none was found."""
    try:
        return enclose(evaluate_over(expression, balls, PRECISION))
    except (ArithmeticError, UnsupportedError):
        return None


def _largest(expression: sp.Expr, balls: Mapping[str, arb]) -> Fraction | None:
    """An upper bound on |expression| over some balls."""
    span = _enclose_over(expression, balls)
    return None if span is None else max(abs(span.lower), abs(span.upper))


def _least(expression: sp.Expr, balls: Mapping[str, arb]) -> Fraction:
    """A number that |expression| certainly reaches somewhere on some balls."""
    span = _enclose_over(expression, balls)
    if span is None or span.lower <= 0 <= span.upper:
        return Fraction(0)
    return min(abs(span.lower), abs(span.upper))
