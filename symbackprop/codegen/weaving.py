"""Which values are written by turns into an array of several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.codegen.records import Map, Plan, Select, Weave, is_boolean, uses_of


@dataclass(frozen=True, slots=True)
class Thread:
    """The use of a weave that a value is, whose entries are written where they stand in the end."""

    weave: int
    place: int


def find_threads(plan: Plan) -> Mapping[int, Thread]:
    """The values that are written into weaves: those that nothing else reads."""
    numbers = (*plan.forward, *plan.backward)
    reads = Counter(use.value for number in numbers for use in uses_of(plan.values[number].record))
    reads.update(output.use.value for output in (plan.result, *plan.gradients))
    forward, found = set(plan.forward), dict[int, Thread]()
    for number in numbers:
        record = plan.values[number].record
        if not isinstance(record, Weave):
            continue
        for place, use in enumerate(record.uses):
            made = plan.values[use.value].record
            floats = isinstance(made, Select | Weave) or (isinstance(made, Map) and not is_boolean(made.body))
            if floats and reads[use.value] == 1 and (use.value in forward) == (number in forward):
                found[use.value] = Thread(number, place)
    return found
