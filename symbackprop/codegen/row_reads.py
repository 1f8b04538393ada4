"""What a value of a plan reads entry by entry, seen through views: of which array, and at which place of each axis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.calculus.indices import Affine, Index, compare_range
from symbackprop.codegen.kernels import whole_label
from symbackprop.codegen.records import (
    Inside,
    Label,
    Lookup,
    Match,
    Position,
    Record,
    Spread,
    Use,
    Value,
    Window,
    uses_of,
)


@dataclass(frozen=True, slots=True)
class Place:
    """offset + the sum of coefficient * number of a label, both counted from 0."""

    parts: tuple[tuple[int, int], ...]
    offset: Affine = Affine()

    @property
    def label(self) -> int | None:
        """The label that stands alone, or None."""
        return self.parts[0][0] if self.offset == Affine() and [c for _, c in self.parts] == [1] else None


@dataclass(frozen=True, slots=True)
class Read:
    """The entry of a value at a place of each of its axes."""

    value: int
    places: tuple[Place, ...]

    @property
    def labels(self) -> tuple[int, ...] | None:
        """The labels along which the axes run as they are, or None."""
        found = tuple(place.label for place in self.places)
        return None if None in found else tuple(label for label in found if label is not None)

    @property
    def carried(self) -> frozenset[int]:
        """The labels on which it depends."""
        return frozenset(label for place in self.places for label, _ in place.parts)

    def rename(self, labels: Sequence[int]) -> Read:
        """The same with other labels."""
        places = (Place(tuple((labels[k], c) for k, c in p.parts), p.offset) for p in self.places)
        return Read(self.value, tuple(places))


def find_reads(values: Sequence[Value], record: Record, conditions: Mapping[int, int]) -> tuple[Read, ...]:
    """What a function or a sum of entries reads, in order; `conditions` are read instead of their indicators."""
    uses = tuple(_find_lookups(values, record)) if isinstance(record, Match | Inside) else uses_of(record)
    reads = (Read(use.value, tuple(Place(((label, 1),)) for label in use.labels)) for use in uses)
    return tuple(_look_through(values, read, conditions) for read in reads)


def has_plain_lookups(values: Sequence[Value], record: Match | Inside) -> bool:
    """Whether a condition reads integers entry by entry, of arrays."""
    position = record.position
    return all(isinstance(part, Label | Lookup) for part, _ in position.parts) and all(
        0 < len(set(use.labels)) == len(values[use.value].axes) for use in _find_lookups(values, record)
    )


def _find_lookups(values: Sequence[Value], record: Match | Inside) -> Iterator[Use]:
    """The integers that a condition reads, with those of their axes that run along a label as it is."""
    for part, _ in record.position.parts:
        if isinstance(part, Lookup):
            axes = values[part.value].axes
            labels = (whole_label(p, size) for p, size in zip(part.positions, axes, strict=True))
            yield Use(part.value, tuple(label for label in labels if label is not None))


def _look_through(values: Sequence[Value], read: Read, conditions: Mapping[int, int]) -> Read:
    """The entry that a view shows."""
    while True:
        number = conditions.get(read.value, read.value)
        record = values[number].record
        if isinstance(record, Spread):
            read = Read(record.use.value, tuple(read.places[label] for label in record.use.labels))
        elif isinstance(record, Window) and all(
            compare_range(_as_form(position), size, 1)
            for position, size in zip(record.positions, values[record.value].axes, strict=True)
        ):
            read = Read(record.value, tuple(_compose(position, read.places) for position in record.positions))
        else:
            return Read(number, read.places)


def _as_form(position: Position) -> Affine:
    form = position.offset
    for part, coefficient in position.parts:
        assert isinstance(part, Label)
        form += Affine.of(Index(f"{part.number}#", part.size, part.start)) * coefficient
    return form


def _compose(position: Position, places: Sequence[Place]) -> Place:
    """The place of a position, counted from 0, whose labels are at these places."""
    offset = position.offset - Affine.of(1)
    parts: list[tuple[int, int]] = []
    for part, coefficient in position.parts:
        assert isinstance(part, Label)
        place = places[part.number]
        offset += (place.offset + Affine.of(part.start)) * coefficient
        parts += [(label, own * coefficient) for label, own in place.parts]
    return Place(tuple(parts), offset)
