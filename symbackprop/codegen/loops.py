"""Recurrences as loops: what a step does beside reading other steps is done for all steps at once, outside the loop.

The steps fall into segments, at the first steps of the definitions in the circle, so that a base case and the rule
behind it are loops of their own and nothing is asked at every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy

from symbackprop.calculus.definitions import Definition, Term, slot_symbol, substitute_slot, used_slots
from symbackprop.calculus.guards import Equal, Guard, Within
from symbackprop.calculus.indices import Affine, Forms, Index, compare_range, is_nonnegative
from symbackprop.calculus.recurrences import Recurrence, read_recurrence
from symbackprop.calculus.tensors import Read, Slot
from symbackprop.codegen.bodies import Operand
from symbackprop.codegen.plan import PlanBuilder
from symbackprop.codegen.records import (
    Constant,
    Contract,
    Given,
    Loop,
    Map,
    Peak,
    Pick,
    Position,
    Record,
    Segment,
    Select,
    Spread,
    State,
    Take,
    Use,
    reach,
    uses_of,
)
from symbackprop.errors import UnsupportedError

LARGEST_SPLIT = 3
"""The number of segments up to which the steps are split."""


def add_loop(builder: PlanBuilder, group: Sequence[Definition]) -> None:
    """Compute tensors that read each other one step back."""
    found = read_recurrence(group)
    names = ", ".join(d.tensor.name for d in group)
    if found is None or any(not d.is_sum for d in group):
        raise UnsupportedError(f"There is no code for the circle of definitions {names}.")
    axes = dict(found.axes)
    first = _widest([d.indices[axes[d.tensor.name]] for d in found.definitions])
    if first is None:
        raise UnsupportedError(f"There is no code for {names}: no range of steps holds all others.")
    segments = tuple(_write_segment(builder, found, axes, step) for step in _split(found, axes, first))
    states = []
    for definition in found.definitions:
        axis = axes[definition.tensor.name]
        states.append(State(definition.tensor.shape, axis, definition.indices[axis].start))
    number = builder.make(Loop(f"{first.name}@", found.direction, tuple(states), segments), ()).value
    for k, definition in enumerate(found.definitions):
        builder.name_value(
            definition.tensor.name, builder.make(Pick(number, k), definition.indices), definition.indices
        )


def _split(found: Recurrence, axes: dict[str, int], first: Index) -> list[Index]:
    """The steps in the order in which they are taken, as indices over a segment each."""
    begins = {d.indices[axes[d.tensor.name]].start for d in found.definitions}
    starts = sorted(begins | _ends_of_reads(found, axes, first))
    if len(starts) > LARGEST_SPLIT:
        starts = [first.start]
    ends = [*starts[1:], None]
    segments = []
    for start, end in zip(starts, ends, strict=True):
        size = first.size - Affine.of(start - first.start) if end is None else Affine.of(end - start)
        segments.append(Index(f"{first.name}@", size, start))
    return segments if found.direction > 0 else segments[::-1]


def _ends_of_reads(found: Recurrence, axes: dict[str, int], first: Index) -> set[int]:
    """Where the steps begin, or for falling ones end, behind those that read before the first step of a tensor."""
    outside = 0
    for definition in found.definitions:
        own = definition.indices[axes[definition.tensor.name]]
        for slot in (slot for term in definition.terms for slot in term.slots if isinstance(slot, Read)):
            if slot.tensor.name not in axes:
                continue
            axis = axes[slot.tensor.name]
            start, size = slot.tensor.spans[axis]
            begin, ahead = Affine.of(start), (slot.at[axis] - Affine.of(own)).integer
            if found.direction > 0:
                late = begin - Affine.of(first.start) - Affine.of(ahead or 0)
            else:
                late = Affine.of(first.start) + first.size + Affine.of(ahead or 0) - begin - size
            outside = max(outside, late.integer or 0)
    place = outside if found.direction > 0 else (first.size.integer or 0) - outside
    whole = outside and (first.size.integer is None or outside < first.size.integer)
    return {first.start + place} if whole and place > 0 else set()


def _write_segment(builder: PlanBuilder, found: Recurrence, axes: dict[str, int], step: Index) -> Segment:
    """What each step of a segment computes."""
    inner = LoopBuilder(builder, step, {d.tensor.name: (d, axes[d.tensor.name]) for d in found.definitions})
    results: list[Use | None] = []
    for definition in found.definitions:
        axis = axes[definition.tensor.name]
        own = definition.indices[axis]
        inside = Within(Affine.of(step), own.size, own.start)
        if inside.decide() is False:
            results.append(None)
            continue
        rest = definition.indices[:axis] + definition.indices[axis + 1 :]
        inner.preferred = rest
        operand = inner.total(_at_step(definition.terms, own, step, inner.present), True)
        if inside.decide() is None:
            operand = inner.select([Within(inner.present, own.size, own.start)], operand)
        inner.name_value(f"{definition.tensor.name}@", operand, rest)
        results.append(Use(operand.value, tuple(rest.index(i) for i in operand.indices)))
    values = tuple(inner.values)
    needed = reach(values, tuple(use.value for use in results if use is not None))
    given = [values[n].record for n in sorted(needed)]
    outer = [int(r.name[1:]) for r in given if isinstance(r, Given) and r.name.startswith("#")]
    return Segment(step.start, step.size, tuple(dict.fromkeys(outer)), tuple(results), values)


def _at_step(terms: Sequence[Term], own: Index, step: Index, present: Affine) -> list[Term]:
    """The terms at one step, without those that no step of the segment has and without guards that all steps meet.

    What every step of the segment reads outside of its tensor is 0.
    """
    found = []
    for term in terms:
        decided = [(guard, _decide(guard.substitute({own: Affine.of(step)}))) for guard in term.guards]
        if any(holds is False for _, holds in decided):
            continue
        values: Forms = {own: present}
        guards = tuple(guard.substitute(values) for guard, holds in decided if holds is None)
        body = _leave_outside(term, {own: Affine.of(step)})
        if body != 0:
            found.append(Term(term.bound, body, tuple(substitute_slot(s, values) for s in term.slots), guards))
    return found


def _decide(guard: Guard) -> bool | None:
    """Whether a guard holds always or never; an equation does if its form has one value alone."""
    return compare_range(guard.form, Affine.of(1), 0) if isinstance(guard, Equal) else guard.decide()


def _leave_outside(term: Term, steps: Forms) -> sympy.Expr:
    """The body of a term with 0 for what is read outside of its tensor at all steps, unless it then has no value."""
    zeros = {}
    for k in used_slots(term.body):
        slot = term.slots[k]
        if isinstance(slot, Read) and any(
            Within(form.substitute(steps), size, start).decide() is False
            for form, (start, size) in zip(slot.at, slot.tensor.spans, strict=True)
        ):
            zeros[slot_symbol(k)] = sympy.Integer(0)
    body = term.body.xreplace(zeros) if zeros else term.body
    return term.body if body.has(sympy.zoo, sympy.nan, sympy.oo) else body


def _widest(indices: Sequence[Index]) -> Index | None:
    """The index whose range holds those of all others."""
    for wide in indices:
        if all(wide.start <= i.start and is_nonnegative(wide.last - i.last) for i in indices):
            return wide
    return None


class LoopBuilder(PlanBuilder):
    """Builds the body of a segment of a loop; what reads none of its tensors is built outside, for all its steps."""

    def __init__(self, outside: PlanBuilder, step: Index, states: dict[str, tuple[Definition, int]]) -> None:
        super().__init__()
        self.outside, self.step, self.states = outside, step, states
        self.present = Affine.of(step.name)
        self.reads_views = False  # the zeros around a view would be made at every step
        self.lifted: dict[int, tuple[int, tuple[int | None, ...]]] = {}
        """The values that are slices of values outside: which, and which axis each of its axes is here."""

    def read(self, slot: Slot) -> Operand:
        """The operand that a slot reads."""
        values: Forms = {self.step.name: Affine.of(self.step)}
        if not isinstance(slot, Read) or slot.tensor.name not in self.states:
            return self._lower(self.outside.read(substitute_slot(slot, values)))
        name, at, spans = slot.tensor.name, slot.at, slot.tensor.spans
        axis = self.states[name][1]
        if at[axis] == self.present and f"{name}@" in self.aliases:
            return self.read_at(f"{name}@", at[:axis] + at[axis + 1 :], spans[:axis] + spans[axis + 1 :])
        return self.read_at(name, at, spans)

    def mask(self, guard: Guard) -> Operand:
        """Whether a guard holds, found for all steps at once."""
        return self._lower(self.outside.mask(guard.substitute({self.step.name: Affine.of(self.step)})))

    def find_alias(self, name: str) -> tuple[Operand, tuple[Index, ...]]:
        """What stands for a tensor, with the indices of its axes; what is outside is given."""
        if name in self.states and name not in self.aliases:
            spans = self.states[name][0].tensor.spans
            indices = tuple(Index(f"#{k}", size, start) for k, (start, size) in enumerate(spans))
            place = list(self.states).index(name)
            self.aliases[name] = (super().make(Given(f"@{place}"), indices), indices)
        elif name not in self.aliases:
            operand, indices = self.outside.find_alias(name)
            self.aliases[name] = (self._lower(operand), indices)
        return self.aliases[name]

    def make(self, record: Record, indices: tuple[Index, ...]) -> Operand:
        """The value of a record, outside the loop where its operands are from there."""
        outer = self._lift(record, indices)
        return super().make(record, indices) if outer is None else self._lower(self.outside.make(*outer))

    def find(self, record: Record, indices: tuple[Index, ...]) -> Operand | None:
        """The value of a record if it exists."""
        outer = self._lift(record, indices)
        if outer is None:
            return super().find(record, indices)
        found = self.outside.find(*outer)
        return None if found is None else self._lower(found)

    def number(self, operand: Operand) -> sympy.Expr | None:
        """The number that an operand is, or None."""
        return self.outside.number(self._raised(operand)) if self.is_early(operand) else super().number(operand)

    def is_condition(self, operand: Operand) -> bool:
        """Whether an operand says where something holds."""
        early = self.is_early(operand)
        return self.outside.is_condition(self._raised(operand)) if early else super().is_condition(operand)

    def is_early(self, operand: Operand) -> bool:
        """Whether an operand is known before the loop."""
        return operand.value in self.lifted

    def _raised(self, operand: Operand) -> Operand:
        return Operand(self.lifted[operand.value][0], ())

    def _lower(self, operand: Operand) -> Operand:
        """A value from outside as a step reads it."""
        given = super().make(Given(f"#{operand.value}"), operand.indices)
        if self.step not in operand.indices:
            self.lifted[given.value] = operand.value, tuple(range(len(operand.indices)))
            return given
        axis = operand.indices.index(self.step)
        place = Position((), self.present - Affine.of(self.step.start - 1))
        rest = operand.indices[:axis] + operand.indices[axis + 1 :]
        taken = super().make(Take(given.value, tuple(place if i == self.step else None for i in operand.indices)), rest)
        numbers = [None if k == axis else k - (k > axis) for k in range(len(operand.indices))]
        self.lifted[taken.value] = operand.value, tuple(numbers)
        return taken

    def _lift(self, record: Record, indices: tuple[Index, ...]) -> tuple[Record, tuple[Index, ...]] | None:
        """The record of all steps and its indices, if all that it reads is known before the loop."""
        if isinstance(record, Constant):
            return record, indices
        reads = uses_of(record)
        if not isinstance(record, Map | Contract | Select | Spread | Peak) or any(
            u.value not in self.lifted for u in reads
        ):
            return None
        many = any(None in self.lifted[u.value][1] for u in reads)
        uses = []
        for use in reads:
            value, axes = self.lifted[use.value]
            uses.append(Use(value, tuple(0 if axis is None else use.labels[axis] + many for axis in axes)))
        return replace_uses(record, tuple(uses)), ((self.step, *indices) if many else indices)


def replace_uses(record: Map | Contract | Select | Spread | Peak, uses: tuple[Use, ...]) -> Record:
    """The record with other operands."""
    if isinstance(record, Map | Contract):
        return replace(record, uses=uses)
    if isinstance(record, Select):
        return Select(*uses)
    return replace(record, use=uses[0])
