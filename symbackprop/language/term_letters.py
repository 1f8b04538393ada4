"""Terms with other letters: their free indices at index forms, their bound ones counted from 1."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.calculus.definitions import Term, substitute_slot
from symbackprop.calculus.indices import Affine, Atom, Index, choose_name


def place_term(term: Term, indices: Sequence[Index], at: Sequence[Affine], scope: frozenset[str]) -> Term:
    """The term with its free indices at index forms; bound ones give way to what is in scope."""
    values: dict[Atom, Affine] = dict(zip(indices, at, strict=True))
    taken, bound = set(scope), []
    for index in term.bound:
        new = index.renamed(choose_name(index.name, taken))
        taken.add(new.name)
        bound.append(new)
        values[index] = Affine.of(new)
    return Term(
        tuple(bound),
        term.body,
        tuple(substitute_slot(s, values) for s in term.slots),
        tuple(g.substitute(values) for g in term.guards),
    )


def count_from_one(term: Term) -> Term:
    """The term with its bound indices counted from 1."""
    values: dict[Atom, Affine] = {
        i: Affine.of(Index(i.name, i.size)) + Affine.of(i.start - 1) for i in term.bound if i.start != 1
    }
    if not values:
        return term
    slots = tuple(substitute_slot(s, values) for s in term.slots)
    guards = tuple(g.substitute(values) for g in term.guards)
    return Term(tuple(Index(i.name, i.size) for i in term.bound), term.body, slots, guards)
