"""Sums that add to few places: a term that is not 0 only where an index stands in a short window of another.

The adjoint of what reads x[2*p+r-2] sums over all p for every place of x, though only the windows that hold that place
count. Put in terms of the place r in the window, the same term is added to the place 2*p+r-2: as many additions as
there are entries of windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import sympy

from symbackprop.calculus.definitions import Term, slot_symbol
from symbackprop.calculus.guards import Equal, Guard, Within
from symbackprop.calculus.indices import Affine, Entry, Index, compare_range
from symbackprop.calculus.tensors import Read

Fold = tuple[Term, Index, Affine]
"""A term with a new free index, the free index that it replaces, and the value of that in bound indices and the new."""


def find_fold(term: Term, free: Sequence[Index]) -> Fold | None:
    """A fold of a term that is summed over, by a window that is at most half as long as what is free."""
    for index in free:
        for fold in (*_by_reads(term, index), *_by_guards(term, index)):
            return fold
    return None


def _by_reads(term: Term, index: Index) -> Iterator[Fold]:
    """Windows that are axes of tensors by which the whole term is multiplied: outside of them it is 0."""
    factors = sympy.Mul.make_args(term.body)
    for k, slot in enumerate(term.slots):
        if not isinstance(slot, Read) or slot_symbol(k) not in factors:
            continue
        for form, (start, size) in zip(slot.at, slot.tensor.spans, strict=True):
            window = Index(f"{index.name}@", size, start)
            value = _solve(form, Affine.of(window), index, term)
            if value is not None and _is_short(window, index):
                yield term, index, value


def _by_guards(term: Term, index: Index) -> Iterator[Fold]:
    """Windows that are guards, and ranges of integer tensors that a guard compares an index with."""
    for guard in term.guards:
        others = tuple(g for g in term.guards if g != guard)
        if isinstance(guard, Within):
            window = Index(f"{index.name}@", guard.size, guard.start)
            value = _solve(guard.form, Affine.of(window), index, term)
            if value is not None and _is_short(window, index):
                yield replace(term, guards=others), index, value
        elif isinstance(guard, Equal):
            for entry, coefficient in guard.form.terms:
                if not isinstance(entry, Entry) or index in Affine.of(entry).indices or not _is_inside(entry):
                    continue
                window = Index(f"{index.name}@", entry.size)
                rest = guard.form - Affine.of(entry) * coefficient
                value = _solve(rest, Affine.of(window) * -coefficient, index, term)
                if value is not None and _is_short(window, index):
                    same: Guard = Equal(Affine.of(window) - Affine.of(entry))
                    yield replace(term, guards=(*others, same)), index, value


def _solve(form: Affine, target: Affine, index: Index, term: Term) -> Affine | None:
    """The value of an index for which a form is the target, where the rest of it is bound indices, at least one."""
    atoms = dict(form.terms)
    coefficient = atoms.pop(index, 0)
    if coefficient not in (1, -1) or not atoms or not set(atoms) <= set(term.bound):
        return None
    return (target - form + Affine.of(index) * coefficient) * coefficient


def _is_short(window: Index, index: Index) -> bool:
    """Whether a window is known to be at most half as long as an index runs."""
    if window.size.integer is None:
        return False
    return index.size.integer is None or 2 * window.size.integer <= index.size.integer


def _is_inside(entry: Entry) -> bool:
    """Whether an entry of an integer tensor is never outside of it, where it would be 0."""
    return all(
        compare_range(form, size, start) is True for form, (start, size) in zip(entry.at, entry.spans, strict=True)
    )
