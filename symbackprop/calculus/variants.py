"""Other ways to write a polynomial down, by atoms that the normal form itself never makes."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.calculus.atoms import Kind, Poly, atoms_of, make_monomial
from symbackprop.calculus.combinations import add, constant, scale
from symbackprop.calculus.rewriting import Algebra


def with_means(algebra: Algebra, poly: Poly) -> Poly | None:
    """Sums as the sizes times the mean."""
    if not any(a.kind is Kind.SUM and e == 1 for m in poly for a, e in m):
        return None
    parts = []
    for monomial, c in poly.items():
        factors = dict(monomial)
        sizes: Poly = {(): c}
        for atom, e in monomial:
            if atom.kind is Kind.SUM and e == 1:
                del factors[atom]
                factors[algebra.table.intern(Kind.MEAN, "", (), atom.bound, atom.body)] = 1
                for index in atom.bound:
                    sizes = algebra.multiply(sizes, algebra.count(index.size))
        parts.append(algebra.multiply(sizes, {make_monomial(factors.items()): 1}))
    return add(*parts)


def with_logistic(algebra: Algebra, poly: Poly) -> Poly | None:
    """1/(c + d*e^u) as (1 - d/(d + c*e^-u))/c, so that 1 - 1/(1 + e^u) is written 1/(1 + e^-u)."""
    for atom in atoms_of(poly):
        exponentials = [m for m in atom.body if m]
        if atom.kind is not Kind.POWER or len(atom.body) != 2 or len(exponentials) != 1:
            continue
        ((inner, exponent), *more) = exponentials[0]
        if more or inner.kind is not Kind.EXP or any(dict(m).get(atom, -1) != -1 for m in poly):
            continue
        alone, beside = atom.body[()], atom.body[exponentials[0]]
        turned = algebra.table.intern(Kind.POWER, "", (), (), {(): beside, ((inner, -exponent),): alone})
        value = add(constant(1), {((turned, -1),): -beside})
        parts = []
        for monomial, c in poly.items():
            rest: Poly = {tuple(f for f in monomial if f[0] is not atom): c}
            if len(monomial) > len(next(iter(rest))):
                rest = algebra.multiply(scale(rest, 1 / Fraction(alone)), value)
            parts.append(rest)
        return add(*parts)
    return None


def with_tangent(algebra: Algebra, poly: Poly) -> Poly | None:
    """1/(1 + e^2u) as (1 - tanh u)/2, so that 4/(1 + e^2u) - 4/(1 + e^2u)^2 is written 1 - tanh(u)^2."""
    changed = False
    for atom in [a for a in atoms_of(poly) if a.kind is Kind.POWER and len(a.body) == 2 and a.body.get(()) == 1]:
        ((monomial, c),) = (item for item in atom.body.items() if item[0])
        if c != 1 or len(monomial) != 1 or monomial[0][0].kind is not Kind.EXP or monomial[0][1] % 2:
            continue
        ((exponential, k),) = monomial
        argument = scale(exponential.body, Fraction(k, 2))
        half = Fraction(1, 2)
        value = add(constant(half), scale(algebra.function("tanh", argument), -half))
        parts = []
        for m, number in poly.items():
            e = dict(m).get(atom, 0)
            if isinstance(e, int) and e < 0:
                rest: Poly = {tuple(f for f in m if f[0] is not atom): number}
                parts.append(algebra.multiply(rest, algebra.power(value, -e)))
                changed = True
            else:
                parts.append({m: number})
        poly = add(*parts)
    return poly if changed else None
