"""Tensors that are 0 except where some of their axes agree, and what they hold there.

A term with the guard i = j between two free indices is a Kronecker delta times a *core* that needs i alone. A
definition is split into parts, the terms that have the same deltas; its readers read the cores, so that a delta goes
through sums up to the result. Of the Hessian of |R - U V'|^2 by U what is left is 2 V'V, where the rows agree.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import sympy

from symbackprop.calculus.definitions import Definition, Term, make_term, slot_symbol, substitute_slot
from symbackprop.calculus.guards import Equal, Guard, Within
from symbackprop.calculus.indices import Affine, Forms, Index, choose_name
from symbackprop.calculus.recurrences import find_cycles
from symbackprop.calculus.tensors import Read, Role, Slot, slot_indices, tensor_over

Pairs = tuple[tuple[int, int], ...]
MAX_TERMS = 64
"""Terms of one definition beyond which it reads the tensors as they are."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a tensor with these indices holds where its axes agree by `pairs`: the entries of `core`, over `axes` of it.

    In each pair the first axis stands for both; where the core does not depend on it, it is not among `axes`.
    """

    indices: tuple[Index, ...]
    pairs: Pairs
    axes: tuple[int, ...]
    core: Definition


@dataclass(frozen=True, slots=True)
class Split:
    """Definitions with the same values, and the parts of those of them that are sums of parts."""

    definitions: tuple[Definition, ...]
    parts: dict[str, tuple[Part, ...]]


def find_pair(guard: Guard) -> tuple[Index, Index] | None:
    """The two indices of one range that a guard says to be equal.

    >>> i, j = Index("i", Affine.of("N")), Index("j", Affine.of("N"))
    >>> [index.name for index in find_pair(Equal(Affine.of(i) - Affine.of(j)))]
    ['i', 'j']
    """
    if not isinstance(guard, Equal) or guard.form.constant or len(guard.form.terms) != 2:
        return None
    (first, c), (second, d) = guard.form.terms
    if not isinstance(first, Index) or not isinstance(second, Index) or abs(c) != 1 or c != -d:
        return None
    return (first, second) if first.same_range(second) else None


def choose_pairs(guards: Sequence[Guard], carried: Collection[Index]) -> dict[Guard, tuple[Index, Index]]:
    """The guards by which what carries some indices stands on a diagonal: each with its indices, the second one new,
    also to the guards that are left.
    """
    found: dict[Guard, tuple[Index, Index]] = {}
    firsts, seconds = set(carried), set[Index]()
    for guard in guards:
        pair = find_pair(guard)
        if pair is None:
            continue
        for first, second in (pair, pair[::-1]):
            if second not in firsts | seconds and first not in seconds:
                found[guard] = (first, second)
                firsts.add(first)
                seconds.add(second)
                break
    left = [guard for guard in guards if guard not in found]
    while True:
        read = {index for guard in left for index in guard.form.indices}
        late = [guard for guard, (_, second) in found.items() if second in read]
        if not late:
            return found
        left += late
        found = {guard: pair for guard, pair in found.items() if guard not in late}


def split_diagonals(definitions: Sequence[Definition], taken: Collection[str] = ()) -> Split:
    """The definitions with a core for each part, which stands before what it is a part of; names avoid `taken`.

    Definitions that read themselves, step by step, stay as they are.
    """
    splitter = _Splitter({*taken, *(d.tensor.name for d in definitions)})
    cyclic = find_cycles(definitions)
    for definition in definitions:
        if definition.tensor.name in cyclic or not definition.is_sum:
            splitter.made.append(definition)
        else:
            splitter.split(definition)
    return Split(tuple(splitter.made), splitter.parts)


class _Splitter:
    """Splits definitions in order and remembers the parts."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken
        self.made: list[Definition] = []
        self.parts: dict[str, tuple[Part, ...]] = {}

    def split(self, definition: Definition) -> None:
        """Add a definition, after the cores of its parts if some of its terms have deltas."""
        terms = self._read_cores(definition.terms)
        groups: dict[Pairs, list[Term]] = {}
        for term in terms:
            pairs, core = _contract(term, definition.indices)
            if core is not None:
                groups.setdefault(pairs, []).append(core)
        if not any(groups):
            self.made.append(replace(definition, terms=terms))
            return
        parts = [self._make_part(definition, pairs, group) for pairs, group in groups.items()]
        self.parts[definition.tensor.name] = tuple(parts)
        places = [Affine.of(i) for i in definition.indices]
        whole = [make_term((), slot_symbol(0), *_read_part(part, places)) for part in parts]
        self.made.append(replace(definition, terms=tuple(t for t in whole if t is not None)))

    def _make_part(self, definition: Definition, pairs: Pairs, terms: Sequence[Term]) -> Part:
        """The part of terms from which the deltas are taken off."""
        carried = {i for t in terms for s in t.slots for i in slot_indices(s)}
        carried |= {i for t in terms for g in t.guards for i in g.form.indices}
        dropped = {b for _, b in pairs} | {a for a, _ in pairs if definition.indices[a] not in carried}
        axes = tuple(k for k in range(len(definition.indices)) if k not in dropped)
        name = choose_name(f"{definition.tensor.name}_part", self.taken)
        self.taken.add(name)
        indices = tuple(definition.indices[k] for k in axes)
        core = Definition(tensor_over(name, indices, Role.HIDDEN), indices, tuple(terms), line=definition.line)
        self.made.append(core)
        return Part(definition.indices, pairs, axes, core)

    def _read_cores(self, terms: Sequence[Term]) -> tuple[Term, ...]:
        """The terms with the parts in place of the tensors that have some, where they are linear in these."""
        waiting, done = list(terms), []
        while waiting:
            term = waiting.pop(0)
            more = self._read_core(term)
            if more is None:
                done.append(term)
            elif len(waiting) + len(done) + len(more) > MAX_TERMS:
                return tuple(terms)
            else:
                waiting[:0] = more
        return tuple(done)

    def _read_core(self, term: Term) -> list[Term] | None:
        """One term as several, in which one read is of the parts; None where there is nothing to replace."""
        for k, slot in enumerate(term.slots):
            if not isinstance(slot, Read) or slot.tensor.name not in self.parts:
                continue
            factor = _factor_of(term.body, k)
            if factor is None:
                continue
            rest = term.body.xreplace({slot_symbol(k): sympy.Integer(0)})
            found = [make_term(term.bound, rest, term.slots, term.guards)]
            for part in self.parts[slot.tensor.name]:
                read, guards = _read_part(part, slot.at)
                slots: list[Slot] = [*term.slots]
                slots[k : k + 1] = read
                found.append(make_term(term.bound, factor * slot_symbol(k), slots, (*term.guards, *guards)))
            return [t for t in found if t is not None]
        return None


def _factor_of(body: sympy.Expr, slot: int) -> sympy.Expr | None:
    """What a body that is linear in a slot multiplies it by; None where it is not linear."""
    symbol = slot_symbol(slot)
    if any(symbol in where.free_symbols for where in body.atoms(sympy.Piecewise)):
        return None
    factor = sympy.diff(body, symbol)
    return None if symbol in factor.free_symbols else factor


def _read_part(part: Part, at: Sequence[Affine]) -> tuple[list[Slot], list[Guard]]:
    """The core of a part where its tensor is read, and what must hold for that not to be 0."""
    guards: list[Guard] = [Equal(at[a] - at[b]) for a, b in part.pairs]
    for axis in {a: None for a, _ in part.pairs if a not in part.axes}:
        inside = Within(at[axis], part.indices[axis].size, part.indices[axis].start)
        guards += [] if inside.decide() else [inside]
    return [Read(part.core.tensor, tuple(at[k] for k in part.axes))], guards


def _contract(term: Term, free: Sequence[Index]) -> tuple[Pairs, Term | None]:
    """The pairs of free indices that the guards of a term make equal, and the term without these guards."""
    standing = {i: i for i in free}
    rest = []
    for guard in term.guards:
        pair = find_pair(guard)
        if pair is None or any(i not in standing for i in pair):
            rest.append(guard)
            continue
        first, second = sorted((standing[i] for i in pair), key=free.index)
        standing = {i: first if j == second else j for i, j in standing.items()}
    moved = {i: j for i, j in standing.items() if i != j}
    if not moved:
        return (), term
    values: Forms = {i: Affine.of(j) for i, j in moved.items()}
    slots = [substitute_slot(s, values) for s in term.slots]
    core = make_term(term.bound, term.body, slots, [g.substitute(values) for g in rest])
    return tuple((free.index(j), free.index(i)) for i, j in moved.items()), core
