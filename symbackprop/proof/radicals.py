"""Square roots of A + B r, with a root r inside: sums of simpler roots where A^2 - B^2 r^2 is a square."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp
from flint import fmpq, fmpq_mpoly

from symbackprop.proof.rational import Quotient, QuotientField
from symbackprop.proof.signs import SignTable


@dataclass(frozen=True, slots=True)
class Denested:
    """sqrt(first) + sqrt(second), or their difference where `sign` is -1; both are not negative."""

    first: Quotient
    second: Quotient
    sign: int


def denest(field: QuotientField, signs: SignTable, base: Quotient, roots: list[int]) -> Denested | None:
    """sqrt(base) by simpler roots; `roots` are the generators that are square roots. None where none was found.

    With d^2 = A^2 - B^2 and A not negative, sqrt(A + B) is sqrt((A + d)/2) + sqrt((A - d)/2) for B >= 0, and for
    B <= 0 and d >= 0 their difference: both sides are not negative and their squares are the same.
    """
    for root in reversed(roots):
        if base.numerator.degrees()[root] != 1 or base.denominator.degrees()[root]:
            continue
        parts: tuple[dict[tuple[int, ...], fmpq], ...] = ({}, {})
        for exponents, coefficient in base.numerator.to_dict().items():
            parts[int(exponents[root])][exponents] = coefficient
        plain, with_root = (field.quotient(field.polynomial(part), base.denominator) for part in parts)
        sign = signs.of_quotient(with_root)
        if signs.of_quotient(plain) not in ("+", "+0") or sign not in ("+", "+0", "-", "-0"):
            continue
        minus = field.constant(sp.S.NegativeOne)
        square = field.add(field.power(plain, 2), field.multiply(minus, field.power(with_root, 2)))
        distance = _root_of_square(field, square)
        if distance is None:
            continue
        if sign[0] == "-":
            direction = signs.of_quotient(distance)
            if direction not in ("+", "+0", "-", "-0"):
                continue
            distance = field.multiply(minus, distance) if direction[0] == "-" else distance
        half = field.constant(sp.Rational(1, 2))
        return Denested(
            field.multiply(half, field.add(plain, distance)),
            field.multiply(half, field.add(plain, field.multiply(minus, distance))),
            -1 if sign[0] == "-" else 1,
        )
    return None


def _root_of_square(field: QuotientField, square: Quotient) -> Quotient | None:
    """A quotient whose square is the given one, of either sign; None if that is no square."""
    parts = [_root_of_polynomial(field, polynomial) for polynomial in (square.numerator, square.denominator)]
    upper, lower = parts
    return None if upper is None or lower is None else field.quotient(upper, lower)


def _root_of_polynomial(field: QuotientField, polynomial: fmpq_mpoly) -> fmpq_mpoly | None:
    if not polynomial:
        return polynomial
    constant, factors = field.factor(polynomial)
    number = sp.sqrt(sp.Rational(int(constant.p), int(constant.q)))
    if not number.is_Rational or any(multiplicity % 2 for _, multiplicity in factors):
        return None
    root = field.context.constant(fmpq(int(number.p), int(number.q)))
    for factor, multiplicity in factors:
        root *= factor ** (multiplicity // 2)
    return root
