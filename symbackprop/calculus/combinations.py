"""Linear combinations of monomials: multiples, sums and differences of polynomials, which no rule can simplify."""

from __future__ import annotations

from symbackprop.calculus.atoms import Number, Poly


def constant(value: Number) -> Poly:
    """The polynomial that is a number."""
    return {(): value} if value else {}


def scale(poly: Poly, factor: Number) -> Poly:
    """A polynomial times a number."""
    if factor == 1:
        return poly
    return {m: c * factor for m, c in poly.items()} if factor else {}


def add(*polys: Poly) -> Poly:
    """The sum of polynomials."""
    total: Poly = {}
    for poly in polys:
        for monomial, coefficient in poly.items():
            value = total.get(monomial, 0) + coefficient
            if value:
                total[monomial] = value
            else:
                total.pop(monomial, None)
    return total


def subtract(left: Poly, right: Poly) -> Poly:
    """left - right."""
    return add(left, scale(right, -1))
