"""Rational points of assumed equations that no name can be solved for, such as those of a circle or a sphere.

All names but one are drawn among numbers that stand in Pythagorean triples, and the last one is a rational root of what
the equation then says of it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from fractions import Fraction

import sympy as sp

from symbackprop.proof.facts import Fact
from symbackprop.proof.numbers import real_symbol
from symbackprop.proof.substitution import substitute

_HANDY = tuple(
    sign * Fraction(p, q) for p, q in ((0, 1), (1, 1), (3, 5), (4, 5), (5, 13), (12, 13), (1, 2), (2, 1), (1, 3))
    for sign in (1, -1)
)  # fmt: skip
_LARGEST_DEGREE, _ROUNDS = 8, 2


def list_curves(facts: Iterable[Fact], values: Iterable[tuple[sp.Symbol, sp.Expr]]) -> tuple[sp.Expr, ...]:
    """The polynomials that equations among the facts set to 0, once what is known is put into them."""
    known = dict(values)
    left = (substitute(fact.expression, known) for fact in facts if fact.relation == "=")
    return tuple(curve for curve in dict.fromkeys(left) if curve.free_symbols and curve.is_polynomial())


def move_onto(curves: Sequence[sp.Expr], point: dict[str, Fraction], generator: random.Random) -> bool:
    """Whether a point was moved to where all polynomials are 0, which not every try does.

    >>> x, y = sp.symbols("x y", real=True)
    >>> point = {"x": Fraction(0), "y": Fraction(0)}
    >>> any(move_onto([x**2 + y**2 - 1], point, random.Random(k)) for k in range(9))
    True
    >>> point["x"] ** 2 + point["y"] ** 2
    Fraction(1, 1)
    """
    names = sorted({symbol.name for curve in curves for symbol in curve.free_symbols})
    point.update({name: generator.choice(_HANDY) for name in names})
    for _ in range(_ROUNDS):
        for curve in generator.sample(list(curves), len(curves)):
            _solve(curve, point, generator)
    return all(_at(curve, point) == 0 for curve in curves)


def _solve(curve: sp.Expr, point: dict[str, Fraction], generator: random.Random) -> None:
    """Give one name of a polynomial a value that makes it 0, if one of them has a rational one."""
    if _at(curve, point) == 0:
        return
    names = sorted(symbol.name for symbol in curve.free_symbols)
    for name in generator.sample(names, len(names)):
        symbol = real_symbol(name)
        line = sp.Poly(_at(curve, {other: value for other, value in point.items() if other != name}), symbol)
        if 0 < line.degree() <= _LARGEST_DEGREE:
            roots = sorted(sp.roots(line, filter="Q"), key=abs)
            if roots:
                root = generator.choice(roots)
                point[name] = Fraction(int(root.p), int(root.q))
                return


def _at(curve: sp.Expr, point: dict[str, Fraction]) -> sp.Expr:
    """A polynomial with values for some of its names."""
    values = {s: sp.Rational(point[s.name].numerator, point[s.name].denominator) for s in curve.free_symbols
              if s.name in point}  # fmt: skip
    return curve.xreplace(values)
