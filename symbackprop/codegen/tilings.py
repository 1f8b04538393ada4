"""Scatters that put tiles side by side, which adds nothing up."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.calculus.indices import Affine
from symbackprop.codegen.records import Label, Record, Scatter


@dataclass(frozen=True, slots=True)
class Tiling:
    """The labels of a tile and of the place in it, where the first tile begins, counted from 0, and whether the tiles
    fill the axis.
    """

    tile: int
    place: int
    begin: Affine
    exact: bool


def find_tiling(record: Record) -> Tiling | None:
    """A scatter as tiles side by side, or None.

    >>> from symbackprop.codegen.records import Position, Use
    >>> parts = (Label(0, Affine.of("P"), 1), 2), (Label(1, Affine.of(2), 1), 1)
    >>> position = Position(parts, Affine.of(-2))
    >>> find_tiling(Scatter(Use(0, (1, 2)), position, Affine.of("P") * 2))
    Tiling(tile=1, place=2, begin=Affine(terms=(), constant=0), exact=True)
    """
    if not isinstance(record, Scatter) or len(record.position.parts) != 2:
        return None
    (first, step), (second, other) = record.position.parts
    if step == 1:
        first, step, second, other = second, other, first, step
    if not (isinstance(first, Label) and isinstance(second, Label)) or other != 1 or second.size.integer != step:
        return None
    over = sorted(label for label in record.use.labels if label not in range(len(record.use.labels) - 1))
    begin = record.position.offset - Affine.of(1) + Affine.of(first.start * step + second.start)
    exact = begin == Affine() and first.size * step == record.size
    return Tiling(over[first.number], over[second.number], begin, exact)


def is_joined(record: Record) -> bool:
    """Whether a record is tiles that fill its axis."""
    tiling = find_tiling(record)
    return tiling is not None and tiling.exact
