"""Sums that depend on a free index only through a quotient: they are the same for all indices that it rounds together.

Behind a pool of width two, the adjoint of the layer before reads the sum of a convolution at (h+1)//2. That sum is
computed once for each value of the quotient and read there, a quarter as often on an image, and as a matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symbackprop.calculus.definitions import Term, substitute_slot, used_slots
from symbackprop.calculus.indices import Affine, Index, Quotient, bounds
from symbackprop.calculus.tensors import Count, Slot, slot_indices


@dataclass(frozen=True, slots=True)
class SharedSum:
    """The sum of a term over a new index in place of a quotient; `rest` are the factors outside of that sum."""

    term: Term
    index: Index
    quotient: Affine
    rest: Term


def find_shared(term: Term, free: Sequence[Index]) -> SharedSum | None:
    """The sum that a term shares between the values of a free index, if it has one."""
    factors = sympy.Mul.make_args(term.body)
    summed = [f for f in factors if any(i in term.bound for k in used_slots(f) for i in slot_indices(term.slots[k]))]
    if not summed:
        return None
    used = sorted(set().union(*map(used_slots, summed)))
    guards = tuple(g for g in term.guards if any(i in term.bound for i in g.form.indices))
    forms = [form for k in used for form in _forms(term.slots[k])] + [g.form for g in guards]
    for index in free:
        quotients = {atom for form in forms for atom in form.walk() if _divides(atom, index)}
        if len(quotients) != 1:
            continue
        quotient = Affine.of(quotients.pop())
        low, high = bounds(quotient)
        if low is None or low.integer is None or high is None:
            continue
        shared = Index(f"{index.name}/", high - low + Affine.of(1), low.integer)
        values = {quotient.terms[0][0]: Affine.of(shared)}
        if any(index in form.substitute(values).indices for form in forms):
            continue
        outside = tuple(g for g in term.guards if g not in guards)
        inside = Term(
            term.bound,
            sympy.Mul(*summed),
            tuple(substitute_slot(s, values) if k in used else Count(Affine.of(1)) for k, s in enumerate(term.slots)),
            tuple(g.substitute(values) for g in guards),
        )
        rest = Term((), sympy.Mul(*(f for f in factors if f not in summed)), term.slots, outside)
        return SharedSum(inside, shared, quotient, rest)
    return None


def _forms(slot: Slot) -> tuple[Affine, ...]:
    return (slot.value,) if isinstance(slot, Count) else slot.at


def _divides(atom: object, index: Index) -> bool:
    """Whether an atom is the quotient of a form in one index alone by a number."""
    if not isinstance(atom, Quotient) or (atom.divisor.integer or 0) < 2:
        return False
    return set(atom.form.indices) == {index} and not atom.form.entries
