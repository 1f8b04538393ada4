"""Assumed equations, as they are written, made rules for products and for sums."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.calculus.atoms import GUARDS, Atom, Kind, Number, Poly, atoms_of, order_of
from symbackprop.calculus.combinations import add, scale
from symbackprop.calculus.relations import FewValues, Relation, real_roots, value_at
from symbackprop.calculus.rewriting import Algebra
from symbackprop.calculus.sums import SumRule


@dataclass(frozen=True, slots=True)
class Equations:
    """What assumed equations say: of products, of sums, and of entries that have some numbers only."""

    products: tuple[Relation, ...] = ()
    sums: tuple[SumRule, ...] = ()
    values: tuple[FewValues, ...] = ()

    @staticmethod
    def read(algebra: Algebra, gaps: Sequence[tuple[Poly, str]]) -> Equations:
        """The rules of polynomials that are 0 for all values of their free indices, each with its source.

        A polynomial whose leading monomial does not have all of its indices gives none.
        """
        products: list[Relation] = []
        sums: list[SumRule] = []
        values: list[FewValues] = []
        for gap, source in gaps:
            gap = _clear(algebra, gap)
            known = _find_values(algebra, gap, source)
            if known is not None:
                if not known.numbers:  # nothing satisfies it
                    continue
                values.append(known)
                gap = _product_of_roots(algebra, known)
            lead = max(gap, key=order_of, default=())
            value = scale({m: c for m, c in gap.items() if m != lead}, Fraction(-1) / Fraction(gap.get(lead, 1)))
            free = frozenset().union(*(a.free for a, _ in lead))
            plain = all(e > 0 and a.kind not in GUARDS for a, e in lead)
            if not lead or not plain or not all(a.free <= free for m in value for a, _ in m):
                continue
            if len(lead) == 1 and lead[0][0].kind is Kind.SUM and lead[0][1] == 1:
                sums.append(SumRule(lead[0][0], value, source))
            else:
                products.append(Relation(lead, value, source))
        return Equations(tuple(products), tuple(sums), tuple(values))


def _clear(algebra: Algebra, poly: Poly) -> Poly:
    """A polynomial times what its terms are divided by."""
    lowest: dict[Atom, Number] = {}
    for monomial in poly:
        for atom, exponent in monomial:
            lowest[atom] = min(lowest.get(atom, 0), math.floor(exponent))
    raised = []
    for monomial, c in poly.items():
        factors = dict(monomial)
        for atom, exponent in lowest.items():
            factors[atom] = factors.get(atom, 0) - exponent
        raised.append(algebra.product(c, factors))
    return add(*raised)


def _find_values(algebra: Algebra, gap: Poly, source: str) -> FewValues | None:
    """The numbers that a tensor may have, where an equation reads that tensor alone, in conditions too."""
    bodies = [gap, *(atom.body for atom in atoms_of(gap) if atom.kind is Kind.MASK)]
    inner = [atom for body in bodies for atom in atoms_of(body) if body is not gap or atom.kind is not Kind.MASK]
    tensors = set(inner)
    whole = all(isinstance(e, int) and e > 0 for body in bodies for m in body for _, e in m)
    if len(tensors) != 1 or inner[0].kind not in (Kind.TENSOR, Kind.CONSTANT) or not whole:
        return None
    found: set[Fraction] = set()
    for branch in _branches(algebra, gap):
        roots = real_roots(branch)
        if roots is None:
            return None
        found.update(roots)
    numbers = tuple(sorted(root for root in found if value_at(gap, root) == 0))
    return FewValues(inner[0], numbers, source)


def _branches(algebra: Algebra, poly: Poly) -> list[Poly]:
    """The polynomial with each of its conditions taken to hold, and not to hold."""
    mask = next((atom for atom in atoms_of(poly) if atom.kind is Kind.MASK), None)
    if mask is None:
        return [poly]
    return [branch for part in algebra.split_cells(poly, mask) for branch in _branches(algebra, part)]


def _product_of_roots(algebra: Algebra, known: FewValues) -> Poly:
    """The polynomial whose roots the numbers are."""
    product: Poly = {(): 1}
    for number in known.numbers:
        linear = add({((known.atom, 1),): 1}, {(): -number} if number else {})
        product = algebra.multiply(product, linear)
    return product
