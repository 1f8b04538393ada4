"""Which definitions step along an axis, in which direction, and what they read beyond its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.indices import Affine
from symbackprop.calculus.recurrences import arrange, read_recurrence


@dataclass(frozen=True, slots=True)
class Steps:
    """For each tensor of a recurrence the axis and the direction, and for those that are read one step away without a
    base the axis and the place at which they are 0.
    """

    directions: Mapping[str, tuple[int, int]]
    ends: Mapping[str, tuple[tuple[int, Affine], ...]]


def find_steps(definitions: Sequence[Definition]) -> Steps:
    """The recurrences among definitions."""
    directions: dict[str, tuple[int, int]] = {}
    ends: dict[str, tuple[tuple[int, Affine], ...]] = {}
    own = {d.tensor.name: d for d in definitions}
    for group in arrange(tuple(own.values())):
        if len(group) == 1 and group[0].tensor.name not in group[0].uses():
            continue
        recurrence = read_recurrence(group)
        if recurrence is None:
            continue
        axes = dict(recurrence.axes)
        directions |= {name: (axis, recurrence.direction) for name, axis in axes.items()}
        for definition in group:
            for _, _, read in definition.reads():
                tensor = read.tensor
                if tensor.name not in axes:
                    continue
                axis = axes[tensor.name]
                if read.at[axis].index is None and tensor.marks[axis] != -recurrence.direction:
                    last = tensor.axes[axis] + Affine.of(1)
                    ends[tensor.name] = ((axis, Affine.of(0) if recurrence.direction == 1 else last),)
    return Steps(directions, ends)
