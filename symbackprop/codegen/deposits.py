"""Sums of which one part is 0 but for one entry along an axis: that entry is added to the rest where it stands.

Behind cross-entropy with class numbers, p[n,i] - where(i == y[n], 1, 0) differs from p in one entry of each row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from symbackprop.calculus.definitions import slot_symbol
from symbackprop.codegen.records import (
    Floor,
    Label,
    Lookup,
    Map,
    Match,
    Modulo,
    Part,
    Plan,
    Position,
    Record,
    Select,
    Use,
    uses_of,
)


@dataclass(frozen=True, slots=True)
class Deposit:
    """A map that adds `value` at `position` along the axis `axis` of `base`.

    `selected` is the value that the plan has for what is added.
    """

    base: Use
    value: Use | sympy.Expr
    axis: int
    position: Position
    selected: int


def find_deposits(plan: Plan) -> Mapping[int, Deposit]:
    """The maps of a plan that are deposits, by their numbers."""
    everything = (*plan.forward, *plan.backward)
    reads = Counter(use.value for number in everything for use in uses_of(plan.values[number].record))
    reads.update(output.use.value for output in (plan.result, *plan.gradients))
    found: dict[int, Deposit] = {}
    for number in everything:
        record = plan.values[number].record
        if isinstance(record, Map) and len(record.uses) == 2:
            deposit = _read_deposit(plan, record, len(plan.values[number].axes), reads)
            if deposit is not None:
                found[number] = deposit
    return found


def find_replaced(plan: Plan, deposits: Mapping[int, Deposit]) -> frozenset[int]:
    """What deposits make needless: what they would read, and the conditions that nothing else reads."""
    selected = {deposit.selected for deposit in deposits.values()}
    found: set[int] = set(selected)
    readers: dict[int, set[int]] = {}
    for number in (*plan.forward, *plan.backward):
        for use in uses_of(plan.values[number].record):
            readers.setdefault(use.value, set()).add(number)
    for number in selected:
        chosen = _read_choice(plan.values[number].record)
        if chosen is not None and readers[chosen[0].value] <= selected:
            found.add(chosen[0].value)
    return frozenset(found)


def _read_deposit(plan: Plan, record: Map, rank: int, reads: Mapping[int, int]) -> Deposit | None:
    if record.body != slot_symbol(0) + slot_symbol(1):  # what is taken away is added with a number below zero
        return None
    for use, base in zip(record.uses, reversed(record.uses), strict=True):
        chosen = _read_choice(plan.values[use.value].record)
        if chosen is None or reads[use.value] > 1 or set(base.labels) != set(range(rank)):
            continue
        mask, value = chosen
        match = plan.values[mask.value].record
        if not isinstance(match, Match):
            continue
        labels = {k: use.labels[label] for k, label in enumerate(mask.labels)}
        if isinstance(value, Use):
            value = Use(value.value, tuple(use.labels[label] for label in value.labels))
        place = _solve(_rename(match.position, labels), frozenset(value.labels if isinstance(value, Use) else ()))
        if place is not None:
            return Deposit(base, value, *place, use.value)
    return None


def _read_choice(record: Record) -> tuple[Use, Use | sympy.Expr] | None:
    """The condition of a value that is 0 where that does not hold, and what it is elsewhere."""
    if isinstance(record, Select):
        return record.mask, record.value
    if not isinstance(record, Map) or not isinstance(record.body, sympy.Piecewise):
        return None
    (value, condition), (other, _) = record.body.args
    if other != 0 or condition != slot_symbol(0):
        return None
    if value.is_Symbol:
        return record.uses[0], record.uses[1]
    return (record.uses[0], value) if value.is_number else None


def _solve(position: Position, taken: frozenset[int]) -> tuple[int, Position] | None:
    """A label, none of those taken, that a position holds once, and where it stands if the position is 0."""
    for part, coefficient in position.parts:
        others = tuple((p, -c * coefficient) for p, c in position.parts if p != part)
        free = isinstance(part, Label) and part.start == 1 and part.number not in taken
        if not free or not isinstance(part, Label) or coefficient not in (1, -1):
            continue
        rest = Position(others, position.offset * -coefficient)
        if _reads_integers(rest) and part.number not in _labels(rest):
            return part.number, rest
    return None


def _rename(position: Position, labels: Mapping[int, int]) -> Position:
    """The position with other numbers of its labels."""

    def rename(part: Part) -> Part:
        if isinstance(part, Label):
            return Label(labels[part.number], part.size, part.start)
        if isinstance(part, Lookup):
            return Lookup(part.value, tuple(_rename(p, labels) for p in part.positions))
        return type(part)(_rename(part.position, labels), _rename(part.divisor, labels))

    return Position(tuple((rename(part), coefficient) for part, coefficient in position.parts), position.offset)


def _reads_integers(position: Position) -> bool:
    return any(isinstance(part, Lookup) for part, _ in position.parts)


def _labels(position: Position) -> frozenset[int]:
    found: set[int] = set()
    for part, _ in position.parts:
        if isinstance(part, Label):
            found.add(part.number)
        elif isinstance(part, Lookup):
            found |= {label for p in part.positions for label in _labels(p)}
        elif isinstance(part, Floor | Modulo):
            found |= _labels(part.position) | _labels(part.divisor)
    return frozenset(found)
