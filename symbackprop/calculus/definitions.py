"""Definitions: target[indices] = a sum of terms, each a sum over bound indices of a scalar expression.

A term holds a reduction-free SymPy expression over the slot symbols s0, s1, ..., which carry no assumptions, and
beside it what each slot reads. Slots are numbered in reading order, so that printers can order by them. Guards are
equations between index forms; a guard that does not hold drops the term, as a Kronecker delta would.

A sum inside a larger formula, or a function of the catalogue applied inside one, is a definition of its own, whose
tensor has the role HIDDEN. A user's definition keeps the neutral tree that it came from for printing (`tree`, opaque
here); an adjoint has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import sympy

from symbackprop.calculus.indices import Affine, Atom, Index, choose_name
from symbackprop.calculus.tensors import Count, Read, Slot, Tensor, slot_indices


@lru_cache(maxsize=1024)
def slot_symbol(number: int) -> sympy.Symbol:
    """The symbol that stands for slot `number` in a body.

    >>> slot_symbol(0)
    s0
    """
    return sympy.Symbol(f"s{number}")


def slot_number(symbol: sympy.Basic) -> int:
    """The number of a slot symbol."""
    return int(str(symbol)[1:])


@dataclass(frozen=True, slots=True)
class Equal:
    """The guard that an index form is 0: the Kronecker delta of the two sides of an index equation."""

    form: Affine


@dataclass(frozen=True, slots=True)
class Term:
    """The sum over `bound` of `body`, where every guard holds.

    Build it with `make_term`, which contracts guards, merges equal slots and drops unused ones.
    """

    bound: tuple[Index, ...]
    body: sympy.Expr
    slots: tuple[Slot, ...]
    guards: tuple[Equal, ...] = ()

    def reads(self) -> tuple[tuple[int, Read], ...]:
        """The slots that read tensors, with their numbers."""
        return tuple((k, s) for k, s in enumerate(self.slots) if isinstance(s, Read))


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for a definition to have a value: `body` over `slots` is "nonzero", "positive" or
    "nonnegative".
    """

    kind: str
    body: sympy.Expr
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """tensor[indices] = the sum of `terms`; without terms it is zero."""

    tensor: Tensor
    indices: tuple[Index, ...]
    terms: tuple[Term, ...]
    domain: tuple[Condition, ...] = ()
    tree: object = field(default=None, compare=False)
    line: int | None = field(default=None, compare=False)

    def reads(self) -> tuple[tuple[int, int, Read], ...]:
        """Every read as (term number, slot number, read), in reading order."""
        return tuple((t, k, r) for t, term in enumerate(self.terms) for k, r in term.reads())


@lru_cache(maxsize=16384)
def renumber(body: sympy.Expr, mapping: tuple[int, ...]) -> sympy.Expr:
    """The body with slot k renamed to slot mapping[k] wherever that is not -1."""
    replacement = {slot_symbol(k): slot_symbol(n) for k, n in enumerate(mapping) if n not in (k, -1)}
    return body.xreplace(replacement) if replacement else body


@lru_cache(maxsize=16384)
def used_slots(body: sympy.Expr) -> frozenset[int]:
    """The numbers of the slots that a body reads."""
    return frozenset(slot_number(s) for s in body.free_symbols)


def substitute_slot(slot: Slot, values: Mapping[Atom, Affine]) -> Slot:
    """The slot with its index forms substituted."""
    if isinstance(slot, Count):
        return Count(slot.value.substitute(values))
    return Read(slot.tensor, tuple(form.substitute(values) for form in slot.at))


def make_term(
    bound: Iterable[Index],
    body: sympy.Expr,
    slots: Iterable[Slot],
    guards: Iterable[Equal] = (),
) -> Term | None:
    """A term in its plainest form, or None where it is zero.

    A guard that fixes a bound index of coefficient 1 or -1 is contracted; equal slots become one; slots that the body
    does not read are dropped and the others renumbered in their order; a bound index that nothing reads gives its size.
    """
    pending, kept = list(guards), []
    bound_left, slot_list = list(bound), list(slots)
    while pending:
        guard = pending.pop(0)
        if guard.form.integer is not None:
            if guard.form.integer:
                return None
            continue
        solved = _solve_guard(guard.form, bound_left)
        if solved is None:
            kept.append(guard)
            continue
        index, value = solved
        bound_left.remove(index)
        values: dict[Atom, Affine] = {index: value}
        slot_list = [substitute_slot(s, values) for s in slot_list]
        pending = [Equal(g.form.substitute(values)) for g in pending + kept]
        kept = []
    used = used_slots(body)
    position: dict[Slot, int] = {}
    mapping = []
    for k, slot in enumerate(slot_list):
        mapping.append(position.setdefault(slot, len(position)) if k in used else -1)
    body = renumber(body, tuple(mapping))
    final = tuple(position)
    alive = {i for s in final for i in slot_indices(s)} | {i for g in kept for i in g.form.indices}
    for index in [i for i in bound_left if i not in alive]:
        bound_left.remove(index)
        if Count(index.size) not in position and index.size.integer is None:
            position[Count(index.size)] = len(position)
        size = index.size.integer
        body = body * (slot_symbol(position[Count(index.size)]) if size is None else sympy.Integer(size))
        final = tuple(position)
    if body == 0:
        return None
    if used_slots(body) != frozenset(range(len(final))):  # merging slots let some cancel
        return make_term(bound_left, body, final, kept)
    return Term(tuple(bound_left), body, final, tuple(sorted(set(kept), key=lambda g: str(g.form))))


def _solve_guard(form: Affine, bound: list[Index]) -> tuple[Index, Affine] | None:
    """The bound index that the equation form = 0 fixes, with its value, where it stays in range by itself."""
    for atom, coefficient in form.terms:
        if isinstance(atom, Index) and atom in bound and coefficient in (1, -1):
            value = (Affine.of(atom) * coefficient - form) * coefficient
            other = value.index
            if other is not None and other.size == atom.size:
                return atom, value
            constant, size = value.integer, atom.size.integer
            if constant is not None and constant >= 1 and (constant == 1 or (size is not None and constant <= size)):
                return atom, value
    return None


def rename_indices(definition: Definition, names: tuple[str, ...]) -> Definition:
    """The same definition with its free indices called `names`; bound ones give way where they clash."""
    free = tuple(Index(n, i.size) for n, i in zip(names, definition.indices, strict=True))
    terms = []
    for term in definition.terms:
        taken = set(names)
        values: dict[Atom, Affine] = {o: Affine.of(n) for o, n in zip(definition.indices, free, strict=True)}
        bound = []
        for index in term.bound:
            new = Index(choose_name(index.name, taken), index.size)
            taken.add(new.name)
            bound.append(new)
            values[index] = Affine.of(new)
        slots = tuple(substitute_slot(s, values) for s in term.slots)
        guards = tuple(Equal(g.form.substitute(values)) for g in term.guards)
        terms.append(Term(tuple(bound), term.body, slots, guards))
    values = {o: Affine.of(n) for o, n in zip(definition.indices, free, strict=True)}
    domain = tuple(
        Condition(c.kind, c.body, tuple(substitute_slot(s, values) for s in c.slots)) for c in definition.domain
    )
    return Definition(definition.tensor, free, tuple(terms), domain, definition.tree, definition.line)


def canonical(definition: Definition) -> Definition:
    """The definition with indices named by position: equal for definitions that differ in the names of indices only."""
    free = tuple(f"#{k}" for k in range(len(definition.indices)))
    renamed = rename_indices(definition, free)
    terms = []
    for term in renamed.terms:
        values: dict[Atom, Affine] = {
            i: Affine.of(Index(f"#{len(free) + k}", i.size)) for k, i in enumerate(term.bound)
        }
        bound = tuple(v.terms[0][0] for v in values.values())
        terms.append(
            Term(
                tuple(i for i in bound if isinstance(i, Index)),
                term.body,
                tuple(substitute_slot(s, values) for s in term.slots),
                tuple(sorted((Equal(g.form.substitute(values)) for g in term.guards), key=lambda g: str(g.form))),
            )
        )
    return Definition(renamed.tensor, renamed.indices, tuple(terms), renamed.domain)
