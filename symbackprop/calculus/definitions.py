"""Definitions: target[indices] = a sum of terms, each a sum over bound indices of a scalar expression.

A term holds a reduction-free SymPy expression over the slot symbols s0, s1, ..., which carry no assumptions, and
beside it what each slot reads. Slots are numbered in reading order, so that printers can order by them. A slot that
reads outside the range of its tensor is 0. Guards are equations between index forms and ranges of them; a guard that
does not hold drops the term, as a Kronecker delta would. The base and the step of a recurrence are terms of one
definition, which their guards tell apart.

A sum inside a larger formula, or a function of the catalogue applied inside one, is a definition of its own, whose
tensor has the role HIDDEN. A user's definition keeps the neutral tree that it came from for printing (`tree`, opaque
here); an adjoint has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import sympy

from symbackprop.calculus.guards import (
    Guard,
    Within,
    choose_contraction,
    choose_window,
    is_implied,
    known_entries,
    narrow_index,
    ranges_of,
)
from symbackprop.calculus.indices import (
    Affine,
    Forms,
    Index,
    choose_name,
)
from symbackprop.calculus.tensors import Count, Read, Slot, Tensor, slot_indices


@lru_cache(maxsize=1024)
def slot_symbol(number: int) -> sympy.Symbol:
    """The symbol that stands for slot `number` in a body.

    >>> slot_symbol(0)
    s0
    """
    return sympy.Symbol(f"s{number}")


def slot_number(symbol: sympy.Symbol) -> int:
    """The number of a slot symbol."""
    return int(symbol.name[1:])


@dataclass(frozen=True, slots=True)
class Term:
    """The sum over `bound` of `body`, where every guard holds.

    Build it with `make_term`, which contracts guards, merges equal slots and drops unused ones.
    """

    bound: tuple[Index, ...]
    body: sympy.Expr
    slots: tuple[Slot, ...]
    guards: tuple[Guard, ...] = ()

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
class Call:
    """A function of a whole square matrix, by its name in the table of axioms.

    `inverse` holds the inverse of the operand where the derivative reads that.
    """

    axiom: str
    operand: Tensor
    inverse: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """tensor[indices] = the sum of `terms`; without terms it is zero.

    With `argmax` the tensor is an integer one: the value of the bound index of this number, which is the only one of
    the only term, at which the body is largest first. With `call` it is a function of a whole matrix, and its only
    term says what that reads.
    """

    tensor: Tensor
    indices: tuple[Index, ...]
    terms: tuple[Term, ...]
    domain: tuple[Condition, ...] = ()
    tree: object = field(default=None, compare=False)
    line: int | None = field(default=None, compare=False)
    argmax: int | None = None
    base_tree: object = field(default=None, compare=False)
    call: Call | None = None

    @property
    def is_sum(self) -> bool:
        """Whether its value is the sum of its terms."""
        return self.argmax is None and self.call is None

    def reads(self) -> tuple[tuple[int, int, Read], ...]:
        """Every read as (term number, slot number, read), in reading order."""
        return tuple((t, k, r) for t, term in enumerate(self.terms) for k, r in term.reads())

    def uses(self) -> tuple[str, ...]:
        """The names of the tensors that it is made of, integer ones included, in reading order."""
        names: dict[str, None] = {}
        for term in self.terms:
            for slot in term.slots:
                if isinstance(slot, Read):
                    names[slot.tensor.name] = None
                for form in (slot.value,) if isinstance(slot, Count) else slot.at:
                    names.update((e.tensor, None) for e in form.entries)
            for guard in term.guards:
                names.update((e.tensor, None) for e in guard.form.entries)
        return tuple(names)


@lru_cache(maxsize=16384)
def renumber(body: sympy.Expr, mapping: tuple[int, ...]) -> sympy.Expr:
    """The body with slot k renamed to slot mapping[k] wherever that is not -1."""
    replacement = {slot_symbol(k): slot_symbol(n) for k, n in enumerate(mapping) if n not in (k, -1)}
    return body.xreplace(replacement) if replacement else body


@lru_cache(maxsize=16384)
def used_slots(body: sympy.Expr) -> frozenset[int]:
    """The numbers of the slots that a body reads."""
    return frozenset(slot_number(s) for s in body.free_symbols)


def substitute_slot(slot: Slot, values: Forms) -> Slot:
    """The slot with its index forms substituted."""
    if isinstance(slot, Count):
        return Count(slot.value.substitute(values))
    return Read(slot.tensor, tuple(form.substitute(values) for form in slot.at))


def make_term(
    bound: Iterable[Index],
    body: sympy.Expr,
    slots: Iterable[Slot],
    guards: Iterable[Guard] = (),
) -> Term | None:
    """A term in its plainest form, or None where it is zero.

    A guard that fixes a bound index is contracted, and the range of the index guarded unless it is kept by itself; one
    that leaves it few places has it count those; an entry of an integer tensor that a guard says to be a free index is
    read as that; equal slots become one; slots that the body does not read are dropped and the others renumbered in
    their order; a bound index that nothing reads gives its size.
    """
    bound_left, slot_list = list(bound), list(slots)
    kept: list[Guard] = []
    pending = list(guards)
    while pending:
        decided = [(g, g.decide()) for g in pending]
        if any(value is False for _, value in decided):
            return None
        pending = [g for g, value in decided if value is None]
        chosen = choose_contraction(pending, bound_left) or choose_window(pending, bound_left, pending)
        if chosen is None:
            kept = pending
            break
        guard, index, value, more = chosen
        pending.remove(guard)
        place = bound_left.index(index)
        bound_left[place : place + 1] = [i for i in value.indices if i.name == index.name]
        values: dict[Any, Affine] = {index: value}
        slot_list = [substitute_slot(s, values) for s in slot_list]
        pending = [g.substitute(values) for g in pending] + more
    kept = [g for g in dict.fromkeys(kept) if not is_implied(g, kept)]
    for guard in [g for g in kept if isinstance(g, Within) and g.form.index in bound_left]:
        smaller = narrow_index(guard)
        if smaller is None or guard.form.index is None:
            continue
        bound_left[bound_left.index(guard.form.index)] = smaller
        values = {guard.form.index: Affine.of(smaller)}
        slot_list = [substitute_slot(s, values) for s in slot_list]
        kept = [g.substitute(values) for g in kept if g != guard]
    body = _drop_outside(body, slot_list)
    known = known_entries(kept)
    if known:
        slot_list = [substitute_slot(s, known) for s in slot_list]
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
    return Term(tuple(bound_left), body, final, tuple(sorted(kept, key=str)))


def _drop_outside(body: sympy.Expr, slots: Sequence[Slot]) -> sympy.Expr:
    """The body with 0 for what is read outside of its tensor, wherever it then has a value."""
    outside = {slot_symbol(k): sympy.Integer(0) for k, slot in enumerate(slots) if _is_outside(slot)}
    value = body.xreplace(outside) if outside else body
    return body if value.has(sympy.zoo, sympy.nan, sympy.oo) else value


def _is_outside(slot: Slot) -> bool:
    """Whether a tensor is never read inside its range."""
    if isinstance(slot, Count):
        return False
    if all(form.index is not None for form in slot.at):
        return False  # the range of an index alone has entries of the axis
    return any(guard.decide() is False for guard in ranges_of(slot.at, slot.tensor.spans))


def rename_indices(definition: Definition, names: tuple[str, ...]) -> Definition:
    """The same definition with its free indices called `names`; bound ones give way where they clash."""
    free = tuple(i.renamed(n) for n, i in zip(names, definition.indices, strict=True))
    outer: dict[Any, Affine] = {o: Affine.of(n) for o, n in zip(definition.indices, free, strict=True)}
    terms = []
    for term in definition.terms:
        taken = set(names)
        values = dict(outer)
        for index in term.bound:
            new = index.renamed(choose_name(index.name, taken))
            taken.add(new.name)
            values[index] = Affine.of(new)
        terms.append(_renamed(term, values))
    return replace(definition, indices=free, terms=tuple(terms), domain=_renamed_domain(definition, outer))


def _renamed(term: Term, values: Forms) -> Term:
    """A term with its indices called otherwise."""
    bound = [values[i].index if i in values else i for i in term.bound]
    slots = tuple(substitute_slot(s, values) for s in term.slots)
    guards = sorted((g.substitute(values) for g in term.guards), key=str)
    return Term(tuple(i for i in bound if i is not None), term.body, slots, tuple(guards))


def _renamed_domain(definition: Definition, values: Forms) -> tuple[Condition, ...]:
    return tuple(
        Condition(c.kind, c.body, tuple(substitute_slot(s, values) for s in c.slots)) for c in definition.domain
    )


def rename_terms(terms: Iterable[Term], values: Forms, taken: Sequence[str]) -> tuple[Term, ...]:
    """Terms with index forms put in for free indices; bound ones give way to the names `taken`."""
    made = []
    for term in terms:
        used, here = set(taken), dict(values)
        for index in term.bound:
            new = index.renamed(choose_name(index.name, used))
            used.add(new.name)
            here[index] = Affine.of(new)
        made.append(_renamed(term, here))
    return tuple(made)


def canonical(definition: Definition) -> Definition:
    """The definition with indices named by position: equal for definitions that differ in the names of indices only."""
    free = tuple(f"#{k}" for k in range(len(definition.indices)))
    renamed = rename_indices(definition, free)
    terms = []
    for term in renamed.terms:
        values: dict[Any, Affine] = {i: Affine.of(i.renamed(f"#{len(free) + k}")) for k, i in enumerate(term.bound)}
        terms.append(_renamed(term, values))
    return replace(renamed, terms=tuple(terms), tree=None, line=None, base_tree=None)


def at_entries(definition: Definition, indices: tuple[Index, ...]) -> tuple[Term, ...]:
    """The terms of a definition where its indices are others, which may have smaller ranges.

    A guard that these ranges decide is gone: so the base and the step of a recurrence are told apart.
    """
    values: dict[Any, Affine] = {o: Affine.of(n) for o, n in zip(definition.indices, indices, strict=True)}
    return substitute_terms(definition.terms, values)


def split_ranges(definition: Definition) -> tuple[Definition, ...]:
    """The definition, and what it is on the ranges of single indices that its terms tell apart."""
    ranges = {
        (form_index, Index(form_index.name, guard.size, guard.start))
        for term in definition.terms
        for guard in term.guards
        if isinstance(guard, Within) and (form_index := guard.form.index) in definition.indices
    }
    parts = [definition]
    for index, narrow in sorted(ranges, key=str):
        indices = tuple(narrow if i == index else i for i in definition.indices)
        parts.append(replace(definition, indices=indices, terms=at_entries(definition, indices)))
    return tuple(parts)


def substitute_terms(terms: Iterable[Term], values: Forms) -> tuple[Term, ...]:
    """Terms with index forms put in for free indices, which must not contain letters that the terms bind."""
    made = (
        make_term(
            t.bound, t.body, [substitute_slot(s, values) for s in t.slots], [g.substitute(values) for g in t.guards]
        )
        for t in terms
    )
    return tuple(t for t in made if t is not None)
