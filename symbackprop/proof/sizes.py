"""Sizes at which two sides are compared: small and distinct, then in other orders, equal, and beyond every number."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod

import sympy

from symbackprop.calculus.definitions import Definition, Term, slot_symbol
from symbackprop.calculus.indices import Affine, Atom, parts_of
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Role
from symbackprop.errors import UnsaidShapeError

WIDEST = 12
"""Numbers up to this are looked beyond for a refutation at larger sizes."""
MOST_SIZES = 12
"""Among so many sizes that fit two are chosen, where the first choice leaves an axis empty."""
LARGEST_ADDED = 14
"""A claim about an entry further out is not tried in numbers."""
MOST_POINTS = 20_000
"""Sizes whose product is larger are not tried."""
MOST_PAIRED = 5
"""Among so many sizes each two are made equal."""


def choose_sizes(program: Program, least: Sequence[Affine] = ()) -> tuple[dict[str, int], ...]:
    """Two sets of small distinct sizes; one empty set where all sizes are numbers.

    Each form in `least` is at least 0 at them; where that takes large sizes, there are none.

    >>> choose_sizes(Program((), ()))
    ({},)
    """
    names = program.size_names
    if not names:
        return ({},)
    added = _added(least)
    if max(added.values(), default=0) > LARGEST_ADDED:
        return ()
    rising = {name: 2 + k % 4 + added.get(name, 0) for k, name in enumerate(names)}
    falling = {name: 2 + (len(names) - k) % 4 + added.get(name, 0) for k, name in enumerate(names)}
    chosen = (rising, falling) if rising != falling else (rising, {name: n + 1 for name, n in rising.items()})
    if all(fits(program, sizes, least) for sizes in chosen):
        return chosen
    ranges = ([n + added.get(name, 0) for n in (3, 4, 2, 5, 6, 7, 1)] for name in names)
    every = (dict(zip(names, numbers, strict=True)) for numbers in itertools.product(*ranges))
    found = list(itertools.islice((sizes for sizes in every if fits(program, sizes, least)), MOST_SIZES))
    if not found:
        raise UnsaidShapeError("No sizes up to 7 leave every axis and every range of integer data with an entry.")
    return (found[len(found) // 2], found[-1])


def _added(least: Iterable[Affine]) -> dict[str, int]:
    """How much larger than 2 each size must be at least."""
    found: dict[str, int] = {}
    for form in least:
        for name, coefficient in form.terms:
            if isinstance(name, str) and coefficient > 0:
                found[name] = max(found.get(name, 0), -form.constant // coefficient - 2)
    return found


def fits(program: Program, sizes: Mapping[str, int], least: Sequence[Affine] = ()) -> bool:
    """Whether every axis has an entry, and every entry of integer data a value, and no form in `least` is below 0."""
    values: dict[Atom, int] = dict(sizes.items())
    ranges = (t.range for t in program.leaves if t.range is not None)
    axes = (axis for t in program.tensors().values() for axis in t.axes)
    exist = all(size.evaluate(values) >= 1 for size in (*axes, *ranges))
    return exist and all(form.evaluate(values) >= 0 for form in least if values.keys() >= set(form.names))


def write_sizes(sizes: Mapping[str, int]) -> str:
    """Sizes as "N=2, D=3"."""
    return ", ".join(f"{name}={value}" for name, value in sizes.items())


def wide_sizes(
    program: Program, left: Definition, right: Definition, least: Sequence[Affine] = ()
) -> Iterator[dict[str, int]]:
    """Sizes beyond those that are chosen: in other orders, equal ones, then beyond every number that two sides write,
    up to a limit, and those that sizes are compared with, one size at a time, at last all at once.
    """
    names = program.size_names
    hidden = (d for d in program.definitions if d.tensor.role is Role.HIDDEN)
    numbers = {1}.union(*(_written_numbers(d) for d in (left, right)), *map(_indexed_numbers, hidden))
    written = (left, right, *program.definitions)
    compared = compared_numbers(written)
    if compared or any(map(_has_conditions, written)):
        compared |= {1}  # where the first and the last entry are one
    wide = min(max(numbers), WIDEST) + 3
    large = (wide, *(n for n in sorted(compared) if n not in (0, 2) and n <= WIDEST))
    found = list(_other_orders(names, max(_added(least).values(), default=0)))
    for name in names:
        for number in large if len(names) > 1 else (wide, wide + 1, *large):
            found.append({other: number if other == name else 2 + k % 2 for k, other in enumerate(names)})
    found.append(dict.fromkeys(names, wide))
    for k, sizes in enumerate(found):
        if names and sizes not in found[:k] and prod(sizes.values()) <= MOST_POINTS and fits(program, sizes, least):
            yield sizes


def _other_orders(names: Sequence[str], added: int) -> Iterator[dict[str, int]]:
    """Small sizes of which one is far smaller or larger than the others, and with two, or all, of them equal.

    Names are equal by chance in a claim for all sizes, and what a sum reaches beyond depends on which is larger.
    """
    if len(names) < 2:
        return
    yield dict.fromkeys(names, 3 + added)
    for name in names:
        for least, most in ((2, 4), (4, 2)):
            yield {other: added + (least if other == name else most) for other in names}
    if 2 < len(names) <= MOST_PAIRED:
        for pair in itertools.combinations(names, 2):
            rest = itertools.count(2)
            yield {name: added + (3 if name in pair else next(n for n in rest if n != 3)) for name in names}


def _written_numbers(definition: Definition) -> set[int]:
    """The whole numbers that a definition writes."""
    bodies = {int(abs(n)) for term in definition.terms for n in term.body.atoms(sympy.Integer)}
    return bodies | _indexed_numbers(definition)


def _indexed_numbers(definition: Definition) -> set[int]:
    """The whole numbers in the indices and conditions of a definition."""
    numbers: set[int] = set()
    for term in definition.terms:
        forms = [f for s in term.slots for f in ((s.value,) if isinstance(s, Count) else s.at)]
        for form in (*forms, *(g.form for g in term.guards)):
            numbers |= {abs(form.constant), *(abs(c) for _, c in form.terms)}
            numbers |= {abs(inner.constant) for atom in form.walk() for inner in parts_of(atom)}
    return numbers


def compared_numbers(written: Iterable[Definition]) -> set[int]:
    """The whole numbers with which definitions compare sizes, indices and integer data."""
    found: set[int] = set()
    for term in (term for definition in written for term in definition.terms):
        counts = _counts(term)
        for condition in term.body.atoms(sympy.core.relational.Relational):
            if condition.free_symbols & counts:
                found |= {int(abs(n)) for n in condition.atoms(sympy.Integer)}
        forms = [guard.form for guard in term.guards]
        found |= {abs(f.constant) for f in forms if f.entries or any(isinstance(atom, str) for atom, _ in f.terms)}
    return found


def _counts(term: Term) -> set[sympy.Symbol]:
    """The slots of a term that are indices, sizes or integer data as numbers."""
    return {slot_symbol(k) for k, slot in enumerate(term.slots) if isinstance(slot, Count)}


def _has_conditions(written: Definition) -> bool:
    """Whether a definition depends on how indices, sizes or integer data compare."""
    return any(
        term.guards or any(c.free_symbols & _counts(term) for c in term.body.atoms(sympy.core.relational.Relational))
        for term in written.terms
    )
