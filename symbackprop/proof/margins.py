"""What a claim reads beyond the end of an axis, where a program reads 0: no claim is wrong because of that 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan

from symbackprop.calculus.definitions import Definition, Term, used_slots
from symbackprop.calculus.evaluation import Evaluation, number_of
from symbackprop.calculus.expansion import Entry, points_of
from symbackprop.calculus.indices import Index, Values
from symbackprop.calculus.tensors import Count, Role, Slot, slot_indices

Point = tuple[tuple[Index, ...], tuple[int, ...]]
"""Bound indices with their values; addends that share them are one addend, which a claim may write as a difference."""
ELSEWHERE = 0.40625
"""What is read beyond an end to see whether it matters; no value that is drawn is this one."""


class BeyondEndError(Exception):
    """Two sides are told apart by nothing but what a claim reads beyond an end."""


class NoEntryError(Exception):
    """What is asked for depends on an entry that there is not."""


@dataclass(frozen=True, slots=True)
class Margin:
    """A program in numbers, and the definitions that a claim writes itself, by their names."""

    numbers: Evaluation
    hidden: Mapping[str, Definition]

    @staticmethod
    def make(numbers: Evaluation, written: tuple[Definition, ...]) -> Margin:
        """The margin of a claim; of what takes a maximum or a whole matrix the entries are read as a program does."""
        sums = {d.tensor.name: d for d in written if d.is_sum and d.argmax is None and d.tensor.role is Role.HIDDEN}
        return Margin(numbers, sums)

    def value(self, definition: Definition, entry: Entry) -> float:
        """A sum without the addends that read beyond an end; NoEntryError where all of it does."""
        values = self.numbers.start(dict(zip(definition.indices, entry, strict=True)))
        found: dict[Point, float] = {}
        absent: set[Point] = set()
        for term in definition.terms:
            for point in points_of(term.bound, values):
                here: Values = {**values, **dict(zip(term.bound, point, strict=True))}
                if self.numbers.holds(term.guards, here):
                    place = (term.bound, point)
                    value = self._body(term, here)
                    found[place] = found.get(place, 0.0) + (value or 0.0)
                    absent |= {place} if value is None else set()
        return sum(value for place, value in found.items() if place not in absent)

    def _body(self, term: Term, values: Values) -> float | None:
        """The body of a term at one point, or None where what its bound indices read does not exist."""
        slots: dict[int, float] = {}
        missing: list[int] = []
        for k in sorted(used_slots(term.body)):
            found = self._slot(term.slots[k], values)
            slots[k] = 0.0 if found is None else found
            missing += [k] if found is None else []
        value = number_of(term, slots)
        if not missing:
            return value
        other = number_of(term, {k: ELSEWHERE if k in missing else number for k, number in slots.items()})
        if value == other or (isnan(value) and isnan(other)):  # as in a branch that is not taken
            return value
        if any(i in term.bound for k in missing for i in slot_indices(term.slots[k])):
            return None
        raise NoEntryError

    def _slot(self, slot: Slot, values: Values) -> float | None:
        """What a slot reads, or None where there is no such entry."""
        if isinstance(slot, Count):
            return self.numbers.slot(slot, values)
        entry = self.numbers.place_of(slot, values)
        if entry is None or slot.tensor.name not in self.hidden:
            return None if entry is None else self.numbers.entry(slot.tensor.name, entry)
        try:
            return self.value(self.hidden[slot.tensor.name], entry)
        except NoEntryError:
            return None
