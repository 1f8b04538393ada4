"""Polynomial conditions on one variable, decided exactly: its line is cut at the real roots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import sympy as sp

LARGEST_DEGREE = 24


def is_empty(conditions: Sequence[tuple[sp.Poly, str]]) -> bool:
    """Whether no real number satisfies all conditions `polynomial R 0`, with R one of >, >=, =, !=.

    >>> import sympy as sp
    >>> x = sp.Symbol("x")
    >>> is_empty([(sp.Poly(x**2 - 2, x), "="), (sp.Poly(x - 1, x), ">")])
    False
    >>> is_empty([(sp.Poly(x**2 - 2, x), "="), (sp.Poly(x - 2, x), ">")])
    True
    """
    product = sp.prod(polynomial for polynomial, _ in conditions if not polynomial.is_ground)
    if product == 1:
        signs: Iterator[list[int]] = iter([[_sign(polynomial, sp.S.Zero) for polynomial, _ in conditions]])
    elif product.degree() > LARGEST_DEGREE:
        return False
    else:
        signs = _signs_along([polynomial for polynomial, _ in conditions], product.sqf_part())
    relations = [relation for _, relation in conditions]
    return not any(all(map(_holds, found, relations)) for found in signs)


def _holds(sign: int, relation: str) -> bool:
    return {">": sign > 0, ">=": sign >= 0, "=": sign == 0, "!=": sign != 0}[relation]


def _sign(polynomial: sp.Poly, place: sp.Rational) -> int:
    return int(sp.sign(polynomial(place)))


def _signs_along(polynomials: list[sp.Poly], product: sp.Poly) -> Iterator[list[int]]:
    """The signs of all polynomials at every root of their product and between the roots."""
    roots = _isolate(product)
    if not roots:
        yield [_sign(polynomial, sp.S.Zero) for polynomial in polynomials]
        return
    yield [_sign(polynomial, roots[0][0] - 1) for polynomial in polynomials]
    yield [_sign(polynomial, roots[-1][1] + 1) for polynomial in polynomials]
    factors = [factor for factor, _ in product.factor_list()[1]]
    for number, (lower, upper) in enumerate(roots):
        middle = (lower + upper) / 2
        at_root = next(factor for factor in factors if _has_root(factor, lower, upper))
        yield [0 if not polynomial.rem(at_root) else _sign(polynomial, middle) for polynomial in polynomials]
        if number:
            between = (roots[number - 1][1] + lower) / 2
            yield [_sign(polynomial, between) for polynomial in polynomials]


def _isolate(product: sp.Poly) -> list[tuple[sp.Rational, sp.Rational]]:
    """Closed intervals with one root each, in order, that do not touch: an end of one may be the root of the next."""
    width = sp.Rational(1, 1000)
    while True:
        roots = [interval for interval, _ in product.intervals(eps=width)]
        if all(first[1] < second[0] for first, second in pairwise(roots)):
            return roots
        width /= 16


def _has_root(factor: sp.Poly, lower: sp.Rational, upper: sp.Rational) -> bool:
    """Whether the one root of the product in an interval is a root of this factor."""
    return bool(factor.count_roots(lower, upper))
