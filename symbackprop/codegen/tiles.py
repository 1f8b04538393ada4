"""Terms that read a free index rounded down: they are put in terms of the tile, the quotient, and of the place in it.

Behind a pool of width two, the adjoint of the layer before reads at (h+1)//2. With h = 2*p + r - 1 for the tile p and
the place r = 0, 1 in it, what depends on the tile alone is computed once for each tile, and nothing is looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import sympy

from symbackprop.calculus.definitions import Term, slot_symbol, substitute_slot
from symbackprop.calculus.guards import Within
from symbackprop.calculus.indices import Affine, Atom, Forms, Index, Quotient, Remainder, bounds
from symbackprop.calculus.tensors import Count, Read
from symbackprop.codegen.folds import Fold


def find_tiles(term: Term, free: Sequence[Index]) -> Fold | None:
    """A term in terms of the tiles of a free index, that index, and its value by the tile and the place."""
    for index in free:
        quotients = {quotient for form in _all_forms(term) for quotient in _quotients_of(form, index)}
        if len(quotients) != 1:
            continue
        (quotient,) = quotients
        tile = _range_over(quotient, term, f"{index.name}/")
        if tile is None:
            continue
        values: Forms = {quotient: Affine.of(tile)}
        slots = tuple(substitute_slot(slot, values) for slot in term.slots)
        guards = tuple(guard.substitute(values) for guard in term.guards)
        within = replace(term, slots=slots, guards=tuple(g for g in guards if g.decide() is not True))
        if not any(_is_rounded(atom, index) for form in _all_forms(within) for atom in form.walk()):
            size = quotient.divisor
            place = Affine.of(Index(f"{index.name}%", size)) - Affine.of(1)
            return within, index, Affine.of(tile) * _number(size) + place - quotient.form + Affine.of(index)
    return None


def _range_over(quotient: Quotient, term: Term, name: str) -> Index | None:
    """An index over the values of a quotient, those for which the term is 0 left out where they are known."""
    low, high = bounds(Affine.of(quotient))
    if low is None or low.integer is None or high is None:
        return None
    for form, start, size in _find_ranges(term):
        offset = (form - Affine.of(quotient)).integer
        if offset is None or size.integer is None or high.integer is None:
            continue
        first = max(low.integer, start - offset)
        last = min(high.integer, start + size.integer - 1 - offset)
        if first <= last:
            low, high = Affine.of(first), Affine.of(last)
    return Index(name, high - low + Affine.of(1), _number(low))


def _find_ranges(term: Term) -> Iterator[tuple[Affine, int, Affine]]:
    """Forms with the start and the size of a range outside of which a term is 0: by its guards, and by the axes of what
    it is multiplied by.
    """
    for guard in term.guards:
        if isinstance(guard, Within):
            yield guard.form, guard.start, guard.size
    factors = sympy.Mul.make_args(term.body)
    for k, slot in enumerate(term.slots):
        if isinstance(slot, Read) and slot_symbol(k) in factors:
            for form, (start, size) in zip(slot.at, slot.tensor.spans, strict=True):
                yield form, start, size


def _all_forms(term: Term) -> list[Affine]:
    slots = [form for slot in term.slots for form in ((slot.value,) if isinstance(slot, Count) else slot.at)]
    return [*slots, *(guard.form for guard in term.guards)]


def _number(form: Affine) -> int:
    assert form.integer is not None
    return form.integer


def _quotients_of(form: Affine, index: Index) -> Iterator[Quotient]:
    """The quotients of an index, more or less a number, by a number."""
    for atom in form.walk():
        if isinstance(atom, Quotient) and (atom.divisor.integer or 0) >= 2:
            if (atom.form - Affine.of(index)).integer is not None:
                yield atom


def _is_rounded(atom: Atom, index: Index) -> bool:
    """Whether an atom is a quotient or a remainder that depends on an index."""
    return isinstance(atom, Quotient | Remainder) and index in atom.form.indices
