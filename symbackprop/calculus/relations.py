"""Assumed equations as rules for products: y^2 is y where y*(1 - y) = 0 is assumed, and x^2 is 1 - y^2 on a circle.

A rule replaces the leading monomial of left - right by the rest of it, so what it makes of a polynomial differs from it
by a multiple of left - right. Where an equation lets an entry have some numbers only, any condition on it, and any root
of it, is a polynomial in it: the one that has the right values at those numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

import sympy

from symbackprop.calculus.atoms import Atom, IndexMap, Kind, Monomial, Number, Poly, atoms_of
from symbackprop.calculus.matching import match, match_factors

MOST_VALUES = 8
"""The largest degree of an equation whose solutions are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """`lead`, a monomial with free indices, is `value`. `source` says from where."""

    lead: Monomial
    value: Poly
    source: str

    def find(self, factors: Mapping[Atom, Number]) -> tuple[dict[Atom, Number], IndexMap] | None:
        """What is left of a product without the monomial, and the indices that make it a part of the product."""
        for values, atoms in match_factors(self.lead, factors):
            left = dict(factors)
            for atom, (_, exponent) in zip(atoms, self.lead, strict=True):
                left[atom] -= exponent
            return left, values
        return None


@dataclass(frozen=True, slots=True, eq=False)
class FewValues:
    """`atom`, a tensor with free indices, has one of some numbers, wherever it is read in its range."""

    atom: Atom
    numbers: tuple[Fraction, ...]
    source: str

    def is_about(self, poly: Poly) -> Atom | None:
        """The tensor of which alone a polynomial is made, if these are its values."""
        atoms = atoms_of(poly)
        whole = all(isinstance(e, int) and e > 0 for m in poly for _, e in m)
        return atoms[0] if len(atoms) == 1 and whole and match(self.atom, atoms[0]) is not None else None

    def interpolate(self, atom: Atom, results: Iterable[Fraction]) -> Poly:
        """The polynomial in an instance of the tensor that has these results at the numbers."""
        x = sympy.Symbol("x")
        points = [(_rational(n), _rational(r)) for n, r in zip(self.numbers, results, strict=True)]
        made = sympy.Poly(sympy.interpolate(points, x), x)
        return {((atom, power),) if power else (): _plain(c) for (power,), c in made.terms() if c}


def value_at(poly: Poly, number: Fraction) -> Fraction:
    """The value of a polynomial in one tensor, and in conditions on it, where that is a number.

    >>> from symbackprop.calculus.atoms import AtomTable
    >>> value_at({((AtomTable().tensor("y"), 2),): 1, (): -1}, Fraction(3))
    Fraction(8, 1)
    """
    total = Fraction(0)
    for monomial, coefficient in poly.items():
        part = Fraction(coefficient)
        for atom, exponent in monomial:
            if atom.kind is Kind.MASK:
                inner = value_at(atom.body, number)
                part *= inner > 0 if atom.name == ">" else inner == 0
            else:
                part *= number ** int(exponent)
        total += part
    return total


def real_roots(poly: Poly) -> tuple[Fraction, ...] | None:
    """The real roots of a polynomial in one atom, where all of them are rational.

    >>> from symbackprop.calculus.atoms import AtomTable
    >>> y = AtomTable().tensor("y")
    >>> real_roots({((y, 2),): 1, ((y, 1),): -1}), real_roots({((y, 2),): 1, (): -2})
    ((Fraction(0, 1), Fraction(1, 1)), None)
    """
    x = sympy.Symbol("x")
    powers = {(int(m[0][1]) if m else 0,): _rational(Fraction(c)) for m, c in poly.items()}
    whole = sympy.Poly.from_dict(powers, x)
    if not 0 <= whole.degree() <= MOST_VALUES:
        return None
    roots = []
    for factor, _ in whole.factor_list()[1]:
        if factor.degree() == 1:
            slope, constant = factor.all_coeffs()
            roots.append(_plain(-constant / slope))
        elif factor.count_roots():
            return None
    return tuple(sorted(map(Fraction, roots)))


def power_of(number: Fraction, exponent: Number) -> Fraction | None:
    """A number to a whole or half power, where that has a rational value.

    >>> power_of(Fraction(4, 9), Fraction(1, 2)), power_of(Fraction(2), Fraction(1, 2)), power_of(Fraction(0), -1)
    (Fraction(2, 3), None, None)
    """
    power = Fraction(exponent)
    if power.denominator == 1 and (number or power > 0):
        return number ** int(power)
    if power.denominator != 2 or number < 0 or (not number and power < 0):
        return None
    above, below = isqrt(number.numerator), isqrt(number.denominator)
    exact = above * above == number.numerator and below * below == number.denominator
    return Fraction(above, below) ** int(2 * power) if exact else None


def _rational(number: Fraction) -> sympy.Rational:
    return sympy.Rational(number.numerator, number.denominator)


def _plain(number: sympy.Rational) -> Number:
    return int(number.p) if number.q == 1 else Fraction(int(number.p), int(number.q))
