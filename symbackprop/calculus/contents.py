"""What the terms of a polynomial have in common."""

from __future__ import annotations

import math
from fractions import Fraction

from symbackprop.calculus.atoms import Atom, Number, Poly, atoms_of, make_monomial


def common_exponents(poly: Poly) -> tuple[dict[Atom, Number], dict[Atom, Number]]:
    """(the least exponent of each atom over all terms, the same of the atoms that stand on one side in every term)."""
    monomials = [dict(m) for m in poly]
    lowest: dict[Atom, Number] = {}
    shared: dict[Atom, Number] = {}
    for atom in atoms_of(poly):
        exponents = [m.get(atom, 0) for m in monomials]
        least, most = min(exponents), max(exponents)
        if least:
            lowest[atom] = least
        if least > 0 or most < 0:
            shared[atom] = least if least > 0 else most
    return lowest, shared


def divide_by(poly: Poly, factors: dict[Atom, Number]) -> Poly:
    """The polynomial divided by atoms, powers left as they stand."""
    divided: Poly = {}
    for monomial, c in poly.items():
        exponents = dict(monomial)
        for atom, e in factors.items():
            exponents[atom] = exponents.get(atom, 0) - e
        divided[make_monomial(exponents.items())] = c
    return divided


def number_content(poly: Poly) -> Number:
    """The greatest number that divides all coefficients."""
    values = [Fraction(c) for c in poly.values()]
    return Fraction(math.gcd(*(v.numerator for v in values)), math.lcm(*(v.denominator for v in values)))
