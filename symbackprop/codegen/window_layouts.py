"""Where the axes of what windows are taken of lie in memory, so that copies of the windows have long runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbackprop.calculus.indices import Affine, is_nonnegative
from symbackprop.codegen.records import Contract, Label, Part, Plan, Position, Use, Window


@dataclass(frozen=True, slots=True)
class Resting:
    """The axes of an array that windows move along, and the array's axes in an order in which those that they do not
    move along, and that the product of the window does not sum over, lie last.
    """

    moved: frozenset[int]
    order: tuple[int, ...]


def find_resting(plan: Plan) -> Mapping[int, Resting]:
    """The arrays of which matrix products read windows that overlap, as a convolution does.

    Images lie best with their batch last: then a window moves by whole runs of it.
    """
    found: dict[int, Resting] = {}
    for number in (*plan.forward, *plan.backward):
        record, rank = plan.values[number].record, len(plan.values[number].axes)
        if not isinstance(record, Contract) or len(record.uses) != 2:
            continue
        for use, other in (record.uses, record.uses[::-1]):
            window = plan.values[use.value].record
            if isinstance(window, Window) and any(map(_is_read_again, window.positions)):
                resting = _find_axes(window, use, other, rank)
                if resting is not None:
                    found.setdefault(window.value, resting)
    return found


def _find_axes(window: Window, use: Use, other: Use, rank: int) -> Resting | None:
    """The axes of what a window is taken of, if it rests along one that it shares with the product alone."""
    moved = [axis for axis, position in enumerate(window.positions) if len(position.parts) > 1]
    last = []
    for axis, position in enumerate(window.positions):
        labels = [use.labels[part.number] for part, _ in position.parts if isinstance(part, Label)]
        if len(labels) == 1 and labels[0] < rank and labels[0] not in other.labels:
            last.append(axis)
    first = [axis for axis in range(len(window.positions)) if axis not in (*moved, *last)]
    return Resting(frozenset(moved), (*first, *moved, *last)) if last else None


def _is_read_again(position: Position) -> bool:
    """Whether windows that move along an axis overlap: by steps that are shorter than they are wide."""
    widths = [(abs(dict(position.parts)[label]), label.size.integer) for label in reversed(sort_steps(position.parts))]
    return any(
        count is None or wider < step * count for (step, count), (wider, _) in zip(widths, widths[1:], strict=False)
    )


def is_inside(window: Window, axes: Sequence[Affine]) -> bool:
    """Whether a window is known to stay inside of what it is taken of, whose axes have these sizes."""
    for position, size in zip(window.positions, axes, strict=True):
        first = last = position.offset
        for part, step in position.parts:
            assert isinstance(part, Label)
            ends = Affine.of(part.start) * step, (Affine.of(part.start - 1) + part.size) * step
            first, last = first + ends[step < 0], last + ends[step > 0]
        if not (is_nonnegative(first - Affine.of(1)) and is_nonnegative(size - last)):
            return False
    return True


def is_split(window: Window, axes: Sequence[Affine]) -> bool:
    """Whether a window reads all that it is taken of, whose axes have these sizes, in order: by axes that are several
    where that has one, the last of them by single steps and each before by what follows it.
    """
    for position, size in zip(window.positions, axes, strict=True):
        steps, begin, count = dict(position.parts), position.offset - Affine.of(1), Affine.of(1)
        for label in reversed(sort_steps(position.parts)):
            if Affine.of(steps[label]) != count:
                return False
            begin += Affine.of(label.start * steps[label])
            if label.size.integer is None and count != Affine.of(1):
                return False
            count = label.size if label.size.integer is None else count * label.size.integer
        if count != size or begin != Affine():
            return False
    return True


def sort_steps(parts: Sequence[tuple[Part, int]]) -> list[Label]:
    """The labels by which a window moves along an axis, as its entries lie best: long steps first, and of equal ones
    the short way.
    """
    labels = [(part, abs(step)) for part, step in parts if isinstance(part, Label)]
    labels.sort(key=lambda each: (-each[1], each[0].size.integer is None, each[0].size.integer or 0))
    return [part for part, _ in labels]
