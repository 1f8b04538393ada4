"""Sums in another form for proofs: counted by other indices, or written out.

Two sums may differ in what their bound indices count: sum(r, w[r]*y[k-r+1]) is sum(p, w[k-p+1]*y[p]).

An index may be counted by any tensor that reads it and is 0 outside of its axis. Where the range of the index is that
of such an axis, it is counted by the first of these tensors instead, so that sums that are equal in this way become the
same.
"""

from __future__ import annotations

import itertools
import math

from symbackprop.calculus.atoms import Atom, IndexMap, Kind, Monomial, Number, Poly, is_steady, make_monomial
from symbackprop.calculus.combinations import add, constant, subtract
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.rewriting import Algebra, Rewrite

PASSES = 3
MOST_LEFT_OUT = 3
MOST_TERMS = 64
"""A sum of more terms than this is not written out."""


def unroll(algebra: Algebra, poly: Poly) -> Poly:
    """The polynomial with its sums over few numbers written out."""

    def replace(atom: Atom, exponent: Number) -> Poly | None:
        if not _is_short(atom):
            return None
        ranges = [range(i.start, i.start + (i.size.integer or 0)) for i in atom.bound]
        parts = []
        for point in itertools.product(*ranges):
            values: IndexMap = {i: Affine.of(k) for i, k in zip(atom.bound, point, strict=True)}
            parts.append(unroll(algebra, algebra.rename(atom.body, values)))
        return algebra.raise_to(add(*parts), exponent)

    return algebra.rewrite(poly, Rewrite(replace)) if _has_short_sum(poly) else poly


def _is_short(atom: Atom) -> bool:
    """Whether an atom is a sum over few numbers."""
    return atom.kind is Kind.SUM and 0 < math.prod(i.size.integer or 0 for i in atom.bound) <= MOST_TERMS


def _has_short_sum(poly: Poly) -> bool:
    return any(_is_short(a) or _has_short_sum(a.body) for m in poly for a, _ in m)


def reindex(algebra: Algebra, poly: Poly) -> Poly:
    """The polynomial with the indices of its sums counted in one way."""

    def replace(atom: Atom, exponent: Number) -> Poly | None:
        if atom.kind is not Kind.SUM:
            return None
        for _ in range(PASSES * len(atom.bound)):
            changed = _recount(algebra, atom)
            if changed is None:
                break
            value = algebra.sum_over({changed[0]: 1}, changed[1])
            again = next((a for m in value for a, _ in m), atom)
            if value != {((again, 1),): 1} or again.kind is not Kind.SUM:
                return algebra.raise_to(value, exponent)
            atom = again
        return algebra.raise_to(algebra.single(atom), exponent)

    return algebra.rewrite(poly, Rewrite(replace))


def _recount(algebra: Algebra, atom: Atom) -> tuple[Monomial, tuple[Index, ...]] | None:
    """The body of a sum with one index counted by another tensor, and the bound indices of that; None if none is."""
    body, *others = atom.body
    if others or not all(is_steady(a, e) for a, e in body):
        return None
    for index in atom.bound:
        places = [
            (len(size.terms) + abs(size.constant), a.name, axis, str(rest), start, size, form)
            for a, e in body
            if a.kind is Kind.TENSOR and e > 0
            for axis, (form, (start, size)) in enumerate(zip(a.at, a.spans, strict=True))
            if (rest := _offset(form, index)) is not None
        ]
        own = [p for p in places if p[-1].index == index and (p[4], p[5]) == (index.start, index.size)]
        first = min(places, key=lambda p: p[:4], default=None)
        if first is None or not own or first[-1].index == index:
            continue
        *_, start, size, form = first
        fresh = algebra.table.fresh(Index(index.name, size, start))
        sign = form.coefficient(index)
        value = (Affine.of(fresh) - form) * sign + Affine.of(index)
        renamed = algebra.rename({body: 1}, {index: value})
        ((monomial, coefficient),) = renamed.items() if len(renamed) == 1 else (((), 0),)
        if coefficient == 1 and all(is_steady(a, e) for a, e in monomial):
            return make_monomial(monomial), tuple(fresh if i == index else i for i in atom.bound)
    return None


def complement(algebra: Algebra, poly: Poly) -> Poly:
    """The polynomial with a range that leaves out a few entries at one end of an index written as 1 less those entries.

    With t in 1..T, [1 <= t + 1 <= T] is 1 - [t = T].
    """

    def replace(atom: Atom, exponent: Number) -> Poly | None:
        if atom.kind is not Kind.RANGE or not atom.at[0].terms:
            return None
        index = atom.at[0].terms[0][0]
        if not isinstance(index, Index) or _offset(atom.at[0], index) is None:
            return None
        form, (first, last) = atom.at[0], (Affine.of(int(atom.name)), atom.at[1] + Affine.of(int(atom.name) - 1))
        sign = form.terms[0][1]
        ends = [(end - form) * sign + Affine.of(index) for end in (first, last)]
        low, high = ends if sign > 0 else reversed(ends)
        below, above = (low - Affine.of(index.start)).integer, (index.last - high).integer
        if below is None or above is None or max(below, above) > MOST_LEFT_OUT or min(below, above) > 0:
            return None
        left_out = [Affine.of(index.start + k) for k in range(below)]
        left_out += [index.last - Affine.of(k) for k in range(above)]
        return subtract(constant(1), add(*(algebra.delta(Affine.of(index) - place) for place in left_out)))

    return algebra.rewrite(poly, Rewrite(replace))


def _offset(form: Affine, index: Index) -> Affine | None:
    """The form without an index that stands in it once with the coefficient 1 or -1, else None."""
    coefficient = form.coefficient(index)
    if coefficient not in (1, -1) or form.indices.count(index) > 1:
        return None
    return form - Affine.of(index) * coefficient
