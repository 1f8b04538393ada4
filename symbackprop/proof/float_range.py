"""How far numbers go: no input and no upstream value is beyond the largest float, so no path is taken only there."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Mapping
from fractions import Fraction

import sympy as sp

from symbackprop.proof.facts import Fact, contradict
from symbackprop.proof.numbers import read_float

_LARGEST = read_float(sp.Float(sys.float_info.max))
"""As it is read where code has it: no float is beyond that."""
_LARGEST_NUMBER = sp.Rational(_LARGEST.numerator, _LARGEST.denominator)
_FAR = sp.Integer(10) ** 150


def is_no_path(facts: Iterable[Fact]) -> bool:
    """Whether facts contradict each other for whatever floats hold. True is certain, as for `contradict`.

    >>> x = sp.Symbol("x")
    >>> is_no_path([Fact(x - 10**300, ">")]), is_no_path([Fact(x - 10**309, ">")])
    (False, True)
    """
    facts = tuple(facts)
    limits = limits_of(facts)
    return contradict(facts) or (bool(limits) and contradict((*facts, *limits)))


def limits_of(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """What holds of each name in facts with numbers so large, or so small, that it may matter."""
    names = {symbol for fact in facts if _reads_far(fact.expression) for symbol in fact.expression.free_symbols}
    return tuple(Fact(_LARGEST_NUMBER + sign * name, ">=") for name in sorted(names, key=str) for sign in (1, -1))


def is_held(point: Mapping[str, Fraction]) -> bool:
    """Whether no entry of a point is beyond the largest float."""
    return all(abs(value) <= _LARGEST for value in point.values())


@functools.lru_cache(maxsize=2048)
def _reads_far(expression: sp.Expr) -> bool:
    numbers = [abs(term.as_coeff_Mul()[0]) for term in sp.Add.make_args(expression)]
    return any(number >= _FAR or 0 < number * _FAR <= 1 for number in numbers)
