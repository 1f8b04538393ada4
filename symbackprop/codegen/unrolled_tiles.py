"""Maxima over short tiles, and what their adjoints put into tiles, place by place.

The maximum over a tile of two is that of the entries at its first places and of those at its second, two arrays. Its
adjoint gives each place what came from above where that place holds the first of the largest, so that what is computed
for a place has as many entries as there are tiles, and is written where it belongs.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbackprop.calculus.definitions import slot_symbol
from symbackprop.calculus.indices import Affine, is_nonnegative
from symbackprop.codegen.forms import Larger, Positive
from symbackprop.codegen.kernels import whole_label
from symbackprop.codegen.rebuilding import PlanRebuilder
from symbackprop.codegen.records import (
    First,
    Label,
    Lookup,
    Map,
    Match,
    Peak,
    Plan,
    Position,
    Record,
    Scatter,
    Select,
    Spread,
    Use,
    Value,
    Weave,
    Window,
    is_indicator,
)
from symbackprop.codegen.tilings import find_tiling

LONGEST = 4
"""The number of places in a tile up to which each is computed on its own."""
ONE, OTHER = slot_symbol(0), slot_symbol(1)


def unroll_tiles(plan: Plan) -> Plan:
    """The plan with the places of short tiles on their own where a maximum over them decides."""
    return _Rebuilder(plan).rebuild()


class _Rebuilder(PlanRebuilder):
    """Takes values apart along short axes; `parts` are those that are known by value and axis."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.parts: dict[tuple[int, int], tuple[int, ...] | None] = {}
        self.choices: set[int] = set()
        """The values that a choice of the first of the largest has a part in."""
        self.largest: dict[int, tuple[Use, Use]] = {}
        """For whether an entry is the first of the largest: that entry, and the largest, along the same axes."""

    def replace(self, record: Record, axes: Sequence[Affine]) -> int | None:
        """What stands for a maximum over the places of tiles, or for tiles side by side."""
        if isinstance(record, Peak):
            return self._unroll_maximum(record, axes)
        tiling = find_tiling(record)
        if tiling is None or not isinstance(record, Scatter):
            return None
        use = record.use
        parts = self._split(use.value, use.labels.index(tiling.place))
        tiles = dict(zip(use.labels, self.values[use.value].axes, strict=True))[tiling.tile]
        if parts is None or not self.choices & set(parts) or not is_nonnegative(tiling.begin):
            return None
        if not is_nonnegative(record.size - tiling.begin - tiles * len(parts)):
            return None
        labels = tuple(len(axes) if label == tiling.tile else label for label in use.labels if label != tiling.place)
        uses = tuple(self._see_through(Use(part, labels)) for part in parts)
        return self._mark(self.make(Weave(uses, tiling.begin, record.size), axes), parts)

    def _unroll_maximum(self, record: Peak, axes: Sequence[Affine]) -> int | None:
        """The larger of the entries at each place of a tile."""
        use = record.use
        reduced = [axis for axis, label in enumerate(use.labels) if label >= len(axes)]
        if len(reduced) != 1 or not self._is_place(use.value, reduced[0]):
            return None
        parts = self._split(use.value, reduced[0])
        if parts is None:
            return None
        labels = tuple(label for label in use.labels if label < len(axes))
        largest = Use(parts[0], labels)
        for part in parts[1:]:
            made = self.make(Map(Larger(ONE, OTHER), (largest, Use(part, labels)), False), axes)
            largest = Use(made, tuple(range(len(axes))))
        return largest.value if len(parts) > 1 else None

    def _is_place(self, number: int, axis: int) -> bool:
        """Whether an axis is one of several along which a window moves along another."""
        record = self.values[number].record
        if isinstance(record, Window):
            return any(
                len(position.parts) > 1 and any(isinstance(p, Label) and p.number == axis for p, _ in position.parts)
                for position in record.positions
            )
        if isinstance(record, Map):
            return any(axis in use.labels and self._is_place(use.value, use.labels.index(axis)) for use in record.uses)
        return isinstance(record, Spread) and axis in record.use.labels and self._is_place(
            record.use.value, record.use.labels.index(axis)
        )

    def _split(self, number: int, axis: int) -> tuple[int, ...] | None:
        """The values at the places along a short axis, without it; None where they are not told apart."""
        if (number, axis) not in self.parts:
            count = self.values[number].axes[axis].integer
            made = None
            if count is not None and count <= LONGEST:
                found = [self._take(number, axis, place) for place in range(count)]
                made = tuple(part for part in found if part is not None)
            self.parts[number, axis] = made if made and len(made) == count else None
        return self.parts[number, axis]

    def _take(self, number: int, axis: int, place: int) -> int | None:
        """The value at one place, counted from 0, along an axis."""
        value = self.values[number]
        record, axes = value.record, value.axes[:axis] + value.axes[axis + 1 :]
        match record:
            case Spread():
                uses = self._take_uses((record.use,), axis, place)
                return None if uses is None else self._mark(self.make(Spread(uses[0]), axes), [uses[0].value])
            case Map():
                uses = self._take_uses(record.uses, axis, place)
                if uses is None:
                    return None
                made = self.make(Map(record.body, uses, record.quiet), axes)
                known = self.largest.get(number)
                taken = self._take_uses(known, axis, place) if known else None
                if taken is not None:
                    self.largest[made] = taken[0], taken[1]
                return self._mark(made, [u.value for u in uses])
            case Select():
                uses = self._take_uses((record.mask, record.value), axis, place)
                if uses is None:
                    return None
                made = self.make(self._share_condition(self._narrow(Select(*uses), axes), axes), axes)
                return self._mark(made, [u.value for u in uses])
            case Weave():
                if axis == 0:
                    return None
                uses = self._take_uses(record.uses, axis, place)
                if uses is None:
                    return None
                through = tuple(map(self._see_through, uses))
                return self._mark(self.make(Weave(through, record.begin, record.size), axes), [u.value for u in uses])
            case Match():
                return self._take_match(record, axis, place, axes)
            case Window():
                positions = tuple(_fix(position, axis, place) for position in record.positions)
                return self.make(Window(record.value, positions), axes)
            case Scatter():
                return None
            case _:
                return self._take_entry(number, axis, place, axes)

    def _take_entry(self, number: int, axis: int, place: int, axes: Sequence[Affine]) -> int:
        """A value at one place as a view."""
        sizes = self.values[number].axes
        whole = [Position(((Label(k - (k > axis), size, 1), 1),), Affine()) for k, size in enumerate(sizes)]
        positions = (*whole[:axis], Position((), Affine.of(place + 1)), *whole[axis + 1 :])
        return self.make(Window(number, positions), axes)

    def _take_uses(self, uses: Sequence[Use], axis: int, place: int) -> tuple[Use, ...] | None:
        """Operands at one place along a label of the result, without it."""
        taken = []
        for use in uses:
            number, labels = use.value, use.labels
            if axis in labels:
                parts = self._split(number, labels.index(axis))
                if parts is None:
                    return None
                number, labels = parts[place], tuple(label for label in labels if label != axis)
            taken.append(Use(number, tuple(label - (label > axis) for label in labels)))
        return tuple(taken)

    def _take_match(self, record: Match, axis: int, place: int, axes: Sequence[Affine]) -> int | None:
        """Whether the first of the largest stands at a place, or a condition on it at a place along another axis."""
        parts = record.position.parts
        if len(parts) != 2 or record.position.offset != Affine():
            return None
        lookups = [(part, step) for part, step in parts if isinstance(part, Lookup)]
        labels = [(part, step) for part, step in parts if isinstance(part, Label)]
        if len(lookups) != 1 or len(labels) != 1 or lookups[0][1] != -labels[0][1] or labels[0][0].start != 1:
            return None
        (lookup, step), (label, _) = lookups[0], labels[0]
        own = self.values[lookup.value].axes
        found = [whole_label(p, size) for p, size in zip(lookup.positions, own, strict=True)]
        kept = [each for each in found if each is not None]
        if len(kept) != len(found) or len(set(kept)) != len(kept) or label.number in kept:
            return None
        if label.number == axis:
            use = Use(lookup.value, tuple(each - (each > axis) for each in kept))
            return self._compare(self._see_through(use), place, axes)
        (taken,) = self._take_uses((Use(lookup.value, tuple(kept)),), axis, place) or (None,)
        if taken is None:
            return None
        sizes = self.values[taken.value].axes
        positions = tuple(
            Position(((Label(each, size, 1), 1),), Affine()) for each, size in zip(taken.labels, sizes, strict=True)
        )
        there = Label(label.number - (label.number > axis), label.size, 1)
        position = Position(((Lookup(taken.value, positions), step), (there, -step)), Affine())
        return self.make(Match(position), axes)

    def _compare(self, use: Use, place: int, axes: Sequence[Affine]) -> int | None:
        """Whether what integers find the first of the largest of has it at a place."""
        first = self.values[use.value].record
        if not isinstance(first, First):
            return None
        reduced = len(self.values[use.value].axes)
        parts = self._split(first.use.value, first.use.labels.index(reduced))
        if parts is None:
            return None
        labels = tuple(use.labels[label] for label in first.use.labels if label != reduced)
        entries = [Use(part, labels) for part in parts]
        whole: int | None = None
        for k, other in enumerate(entries):
            if k == place:
                continue
            pair = (entries[place], other) if k < place else (other, entries[place])
            number = self.make(Map(ONE > OTHER, pair, False), axes)
            every = tuple(range(len(axes)))
            if k > place:
                number = self.make(Map(sympy.Not(ONE), (Use(number, every),), False), axes)
            uses = () if whole is None else (Use(whole, every), Use(number, every))
            whole = number if whole is None else self.make(Map(sympy.And(ONE, OTHER), uses, False), axes)
        if whole is None:
            return None
        own = self.values[use.value].axes
        inside = tuple(label for label in first.use.labels if label != reduced)
        largest: Use | None = Use(parts[0], inside)
        for part in parts[1:]:
            if largest is not None:
                made = self.made.get(Value(Map(Larger(ONE, OTHER), (largest, Use(part, inside)), False), own))
                largest = None if made is None else Use(made, tuple(range(len(own))))
        if largest is not None:
            self.largest[whole] = entries[place], _along(largest, use)
        return self._mark(whole, [], True)

    def _narrow(self, select: Select, axes: Sequence[Affine]) -> Select:
        """A choice of a product with a condition as a choice by both."""
        product = self.values[select.value.value].record
        if not isinstance(product, Map) or product.body != ONE * OTHER:
            return select
        for use, other in (product.uses, product.uses[::-1]):
            condition = self._find_condition(use)
            if condition is not None:
                along = select.value.labels
                moved = Use(condition.value, tuple(along[label] for label in condition.labels))
                out = tuple(sorted({*moved.labels, *select.mask.labels}))
                uses = tuple(Use(u.value, tuple(out.index(x) for x in u.labels)) for u in (select.mask, moved))
                both = self.make(Map(sympy.And(ONE, OTHER), uses, False), [axes[label] for label in out])
                return Select(Use(both, out), Use(other.value, tuple(along[label] for label in other.labels)))
        return select

    def _share_condition(self, select: Select, axes: Sequence[Affine]) -> Select:
        """A choice of the largest where that is above 0: what is above 0 there is the largest itself, which is looked
        at once for all places.
        """
        conditions = self._conjuncts(select.mask)
        facts = [(_along(one, use), _along(other, use)) for use in conditions
                 for one, other in [self.largest.get(use.value, (None, None))] if one and other]
        for use in conditions:
            record = self.values[use.value].record
            if not isinstance(record, Map) or record.body != (ONE > 0):
                continue
            read = _along(record.uses[0], use)
            largest = next((total for entry, total in facts if self._is_positive_part(entry, read)), None)
            rest = [each for each in conditions if each != use]
            if largest is None or not rest:
                continue
            while above := next((total for entry, total in facts if entry == largest), None):
                largest = above
            sign = self.make(Map(ONE > 0, (Use(largest.value, tuple(range(len(largest.labels)))),), False),
                             [axes[label] for label in largest.labels])
            value = self.make(Select(Use(sign, largest.labels), select.value), axes)
            return Select(self._join(rest, axes), Use(value, tuple(range(len(axes)))))
        return select

    def _conjuncts(self, mask: Use) -> list[Use]:
        """The conditions that all hold where a mask does."""
        record = self.values[mask.value].record
        if isinstance(record, Map) and record.body == sympy.And(ONE, OTHER) and mask.value not in self.largest:
            return [each for use in record.uses for each in self._conjuncts(_along(use, mask))]
        return [mask]

    def _join(self, conditions: Sequence[Use], axes: Sequence[Affine]) -> Use:
        """The condition that all of several hold."""
        whole, *others = conditions
        for other in others:
            out = tuple(sorted({*whole.labels, *other.labels}))
            uses = tuple(Use(u.value, tuple(out.index(label) for label in u.labels)) for u in (whole, other))
            whole = Use(self.make(Map(sympy.And(ONE, OTHER), uses, False), [axes[label] for label in out]), out)
        return whole

    def _is_positive_part(self, use: Use, other: Use) -> bool:
        """Whether an entry is another where that is above 0, and else 0."""
        views = [self.values[each.value].record for each in (use, other)]
        if use.labels != other.labels or not all(isinstance(view, Window) for view in views):
            return False
        shown, below = views
        assert isinstance(shown, Window)
        assert isinstance(below, Window)
        ends = [self._see_through(Use(v.value, tuple(range(len(v.positions))))) for v in (shown, below)]
        record = self.values[ends[0].value].record
        if shown.positions != below.positions or not isinstance(record, Map):
            return False
        return record.body == Positive(ONE) and _along(record.uses[0], ends[0]) == ends[1]

    def _find_condition(self, use: Use) -> Use | None:
        """The condition of which an operand is the indicator."""
        record = self.values[use.value].record
        if isinstance(record, Map) and is_indicator(record.body) and record.body.args[0][1] == ONE:
            (condition,) = record.uses
            return Use(condition.value, tuple(use.labels[label] for label in condition.labels))
        return None

    def _see_through(self, use: Use) -> Use:
        """What a view shows that repeats nothing."""
        record = self.values[use.value].record
        while isinstance(record, Spread) and len(record.use.labels) == len(use.labels):
            use = Use(record.use.value, tuple(use.labels[label] for label in record.use.labels))
            record = self.values[use.value].record
        return use

    def _mark(self, number: int, read: Sequence[int], chosen: bool = False) -> int:
        """Note that a choice has a part in a value, if it has in what the value reads."""
        if chosen or self.choices & set(read):
            self.choices.add(number)
        return number


def _along(use: Use, outer: Use) -> Use:
    """An operand of a value by the labels that the value itself is used along."""
    return Use(use.value, tuple(outer.labels[label] for label in use.labels))


def _fix(position: Position, label: int, place: int) -> Position:
    """The position at a place, counted from 0, along a label, those that follow it counted down."""
    parts, offset = [], position.offset
    for part, step in position.parts:
        assert isinstance(part, Label)
        if part.number == label:
            offset += Affine.of((part.start + place) * step)
        else:
            parts.append((Label(part.number - (part.number > label), part.size, part.start), step))
    return Position(tuple(parts), offset)
