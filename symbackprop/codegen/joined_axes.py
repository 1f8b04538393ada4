"""Reads that go through several axes in their order as through one, as flattening does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symbackprop.calculus.indices import Affine
from symbackprop.codegen.kernels import whole_label
from symbackprop.codegen.records import Gather, Label, Lookup, Modulo, Position

LARGEST = 10**6
"""The number of places up to which they are worked out to see whether they are in order."""


def find_joined_axes(gather: Gather, axes: Sequence[Affine]) -> tuple[tuple[int, ...], ...] | None:
    """For each label of what is read, the axes of these sizes that it goes through in order as through one; None if one
    does not, or an axis goes with no label.

    >>> from symbackprop.codegen.records import Floor
    >>> index, size = Label(0, Affine.of(6), 1), Affine.of(3)
    >>> before = Position(((index, 1),), Affine.of(-1))
    >>> row = Position(((Floor(before, Position((), size)), 1),), Affine.of(1))
    >>> column = Position(((Modulo(before, Position((), size)), 1),), Affine.of(1))
    >>> find_joined_axes(Gather(0, (row, column)), (Affine.of(2), size))
    ((0, 1),)
    """
    groups: dict[int, list[int]] = {}
    for axis, position in enumerate(gather.positions):
        labels = _labels(position)
        if len(labels) != 1:
            return None
        groups.setdefault(labels.pop(), []).append(axis)
    for label, group in groups.items():
        if group != list(range(group[0], group[0] + len(group))):
            return None
        positions, sizes = [gather.positions[axis] for axis in group], [axes[axis] for axis in group]
        whole = len(group) == 1 and whole_label(positions[0], sizes[0]) == label
        if not whole and not _is_in_order(positions, sizes):
            return None
    return tuple(tuple(groups[label]) for label in sorted(groups))


def _is_in_order(positions: Sequence[Position], sizes: Sequence[Affine]) -> bool:
    """Whether places along a label are all those of axes, the last axis first."""
    shape = tuple(size.integer or 0 for size in sizes)
    count = int(np.prod(shape))
    label = next(label for position in positions for label in _parts(position))
    if not 0 < count <= LARGEST or label.size.integer != count:
        return False
    steps = np.arange(label.start, label.start + count)
    places = [_evaluate(position, steps) for position in positions]
    wanted = np.unravel_index(np.arange(count), shape)
    return all(found is not None and np.array_equal(found, own + 1) for found, own in zip(places, wanted, strict=True))


def _evaluate(position: Position, steps: np.ndarray) -> np.ndarray | None:
    """The places of a position at the steps of its label; None where a size is no number."""
    total = position.offset.integer
    if total is None:
        return None
    places = np.full_like(steps, total)
    for part, coefficient in position.parts:
        if isinstance(part, Label):
            places = places + coefficient * steps
            continue
        assert not isinstance(part, Lookup)
        inner, divisor = _evaluate(part.position, steps), _evaluate(part.divisor, steps)
        if inner is None or divisor is None or not divisor.all():
            return None
        places = places + coefficient * (inner % divisor if isinstance(part, Modulo) else inner // divisor)
    return places


def _parts(position: Position) -> list[Label]:
    """The labels in a position, as often as they stand there."""
    found: list[Label] = []
    for part, _ in position.parts:
        if isinstance(part, Label):
            found.append(part)
        elif not isinstance(part, Lookup):
            found += [*_parts(part.position), *_parts(part.divisor)]
    return found


def _labels(position: Position) -> set[int]:
    """The labels that a position depends on; none where it reads integers."""
    if _reads_integers(position):
        return set()
    return {label.number for label in _parts(position)}


def _reads_integers(position: Position) -> bool:
    return any(
        isinstance(part, Lookup)
        or (not isinstance(part, Label) and (_reads_integers(part.position) or _reads_integers(part.divisor)))
        for part, _ in position.parts
    )
