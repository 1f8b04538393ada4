"""Which axis of an array lies first in memory: that of the steps, where a loop reads a slice at each step.

A slice of an array that lies otherwise has its rows far from each other; where their distance is a power of two,
reading it took nine times as long as reading a slice that lies together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symbackprop.codegen.records import Given, Loop, Map, Plan, Select, Take, uses_of


def find_leading(plan: Plan) -> Mapping[int, int]:
    """The axes of values of a plan that are to lie first, also those of what the values are computed from entry by
    entry.
    """
    found: dict[int, int] = {}
    for value in plan.values:
        if isinstance(value.record, Loop):
            for number, axis in _read_by_step(value.record):
                found.setdefault(number, axis)
    for number in range(len(plan.values) - 1, -1, -1):
        record = plan.values[number].record
        if number not in found or not isinstance(record, Map | Select):
            continue
        for use in uses_of(record):
            if len(use.labels) == len(plan.values[number].axes) and found[number] in use.labels:
                found.setdefault(use.value, use.labels.index(found[number]))
    return found


def _read_by_step(loop: Loop) -> Iterator[tuple[int, int]]:
    """Values outside of a loop with the axis along which its steps go."""
    for segment in loop.segments:
        for value in segment.body:
            record = value.record
            if not isinstance(record, Take):
                continue
            source = segment.body[record.value].record
            if not isinstance(source, Given) or not source.name.startswith("#"):
                continue
            for axis, place in enumerate(record.places):
                if place is not None and loop.step in dict(place.offset.terms):
                    yield int(source.name[1:]), axis
