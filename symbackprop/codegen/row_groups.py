"""Values of a plan that one loop over rows makes: functions of entries, and sums and maxima along the axis of a row.

A group has labels, one of which is its *inner* one, along the row. Each of its values has all of the labels, or all but
the inner one, or is a sum over rows, one for all or for each place along a row, which is known when the loop has ended.
No layer is known here: what reads what, and along which axes, decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.calculus.indices import Affine
from symbackprop.codegen.inlining import find_indicators
from symbackprop.codegen.records import (
    Contract,
    Inside,
    Map,
    Match,
    Peak,
    Plan,
    Record,
    Select,
    Spread,
    Value,
    Window,
    uses_of,
)
from symbackprop.codegen.row_bodies import can_write, is_slow
from symbackprop.codegen.row_reads import Read, find_reads, has_plain_lookups

LARGEST = 64
"""The number of values up to which one loop makes them: compiling takes as long as the loop is."""
LEAST = 6
"""The number of values from which a loop over a single axis pays."""


@dataclass(frozen=True, slots=True)
class RowGroup:
    """The values `members`, in order; `labels` are those of the group for each label of a member's record.

    `inner` is None where nothing asks for one. `outputs` are the members that anything else reads.
    """

    members: tuple[int, ...]
    labels: Mapping[int, tuple[int, ...]]
    sizes: tuple[Affine, ...]
    inner: int | None
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """The groups of a plan, what is read elsewhere than in its own pass, and the conditions that are read instead of
    indicators.
    """

    groups: tuple[RowGroup, ...]
    kept: frozenset[int]
    conditions: Mapping[int, int]

    @property
    def members(self) -> frozenset[int]:
        """The values that are in groups."""
        return frozenset(number for group in self.groups for number in group.members)


def find_groups(plan: Plan, barred: Collection[int]) -> Grouping:
    """The groups of a plan; `barred` are in none."""
    conditions = find_indicators(plan)
    barred = {*barred, *conditions}
    kept = frozenset(output.use.value for output in (plan.result, *plan.gradients))
    last = find_rows(plan.values, plan.backward, kept, barred, conditions)
    members = {n for group in last for n in group.members}
    kept |= {value for _, value in find_pairs(plan.values, plan.backward, kept, members, conditions)}
    first = find_rows(plan.values, plan.forward, kept, barred, conditions)
    return Grouping((*first, *last), kept, conditions)


def keep_apart(plan: Plan, barred: Collection[int]) -> Grouping:
    """No groups."""
    return Grouping((), frozenset(range(len(plan.values))), {})


def find_rows(
    values: Sequence[Value],
    numbers: Sequence[int],
    kept: Collection[int],
    barred: Collection[int],
    conditions: Mapping[int, int],
) -> tuple[RowGroup, ...]:
    """The groups among the values `numbers`, in order.

    `kept` are read elsewhere, `barred` are in no group, and `conditions` stand for the indicators that are read.
    """
    return _Finder(values, numbers, barred, conditions).find(kept)


def schedule(values: Sequence[Value], numbers: Sequence[int], grouping: Grouping) -> Iterator[int | RowGroup]:
    """Values that are in no group, and groups, each after what it reads; without views that nothing reads."""
    group_of = {member: group for group in grouping.groups for member in group.members}
    before: dict[int, list[int]] = {}
    for reader, value in find_pairs(values, numbers, grouping.kept, group_of, grouping.conditions):
        before.setdefault(reader, []).append(value)
    live, done = {value for read in before.values() for value in read} | set(grouping.kept), set[int]()

    def visit(number: int) -> Iterator[int | RowGroup]:
        if number in done or number not in stage:
            return
        group = group_of.get(number)
        own = (number,) if group is None else group.members
        done.update(own)
        for value in (value for member in own for value in before.get(member, ())):
            yield from visit(value)
        yield number if group is None else group

    stage = {n for n in numbers if n in live or not _is_view(values[n].record)}
    for number in numbers:
        yield from visit(number)


def find_pairs(
    values: Sequence[Value],
    numbers: Sequence[int],
    kept: Collection[int],
    members: Collection[int],
    conditions: Mapping[int, int],
) -> Iterator[tuple[int, int]]:
    """Readers and what they read, except views that nothing reads; members of groups read through views."""
    live = set(kept)
    for number in reversed(numbers):
        unread = number not in live and number not in members and _is_view(values[number].record)
        if unread or number in conditions:  # an indicator is never made
            continue
        for before in find_before(values, number, number in members, conditions):
            live.add(before)
            yield number, before


def _is_view(record: Record) -> bool:
    return isinstance(record, Spread | Window)


def find_before(
    values: Sequence[Value], number: int, is_member: bool, conditions: Mapping[int, int]
) -> Iterator[int]:
    """What a value reads, through views if it is the member of a group."""
    record = values[number].record
    if is_member:
        yield from (read.value for read in find_reads(values, record, conditions))
    else:
        yield from (conditions.get(use.value, use.value) for use in uses_of(record))


@dataclass
class _Draft:
    """A group that grows; `inner` is None until something asks for one."""

    labels: dict[int, tuple[int, ...]]
    sizes: tuple[Affine, ...]
    inner: int | None
    wished: int | None = None
    """The label along which a sum or a maximum runs if entries lie along it, or else the only one that it keeps."""


class _Finder:
    """Merges values into groups, each with what it reads, and with what reads the same."""

    def __init__(
        self, values: Sequence[Value], numbers: Sequence[int], barred: Collection[int], conditions: Mapping[int, int]
    ) -> None:
        self.values, self.numbers, self.conditions = values, numbers, conditions
        self.stage, self.barred = set(numbers), barred
        self.draft_of: dict[int, _Draft] = {}
        self.reads: dict[int, tuple[Read, ...]] = {}
        self.whole: dict[int, int] = {}
        self.above: dict[int, int] = {}
        """The values that are made with one, and those that have to be made before it, as bits."""
        self.streams: dict[object, list[tuple[int, tuple[int, ...]]]] = {}

    def find(self, kept: Collection[int]) -> tuple[RowGroup, ...]:
        """The groups, given what is read elsewhere."""
        for number in self.numbers:
            alone = None if number in self.barred else self._start(number)
            if alone is not None:
                self.draft_of[number] = alone
            self._see(number)
            if alone is None:
                continue
            for other, relate in list(self._neighbours(number)):
                if self.draft_of[other] is not self.draft_of[number]:
                    self._merge(self.draft_of[other], self.draft_of[number], relate())
        drafts = [draft for draft in {id(d): d for d in self.draft_of.values()}.values() if self._pays(draft)]
        group_of = {number: draft for draft in drafts for number in draft.labels}
        pairs = list(find_pairs(self.values, self.numbers, kept, group_of, self.conditions))
        found = []
        for draft in drafts:
            read = {value for reader, value in pairs if group_of.get(reader) is not draft} | set(kept)
            members = tuple(n for n in self.numbers if n in draft.labels)
            outputs = tuple(n for n in members if n in read)
            found.append(RowGroup(members, draft.labels, draft.sizes, draft.inner, outputs))
        return tuple(found)

    def _start(self, number: int) -> _Draft | None:
        """The group of a value alone, or None."""
        value = self.values[number]
        record, rank = value.record, len(value.axes)
        sizes = dict(enumerate(value.axes))
        if isinstance(record, Contract | Peak):
            for use in uses_of(record):
                sizes.update(zip(use.labels, self.values[use.value].axes, strict=True))
        labels = tuple(range(len(sizes)))
        draft = _Draft({number: labels}, tuple(sizes[k] for k in labels), None)
        match record:
            case Map():
                return draft if can_write(record.body) else None
            case Select():
                return draft
            case Match() | Inside():
                return draft if has_plain_lookups(self.values, record) else None
            case Contract() | Peak():
                uses = uses_of(record)
                if any(set(use.labels) != set(uses[0].labels) for use in uses) or len(labels) == rank:
                    return None
                along = len(labels) == rank + 1 and any(use.labels[-1] == rank for use in uses)
                draft.wished = rank if along else 0 if rank == 1 else None
                if isinstance(record, Peak):
                    draft.inner = draft.wished
                    return draft if along else None
                return draft
            case _:
                return None

    def _neighbours(self, number: int) -> Iterator[tuple[int, _Pairs]]:
        """Members of groups that a value reads, and those that read the same, with how labels correspond."""
        full = len(self.draft_of[number].labels[number])
        reads = self._reads(number)
        for read in reads:
            if read.value in self.draft_of and read.labels is not None:
                yield read.value, _Pairs(self, read.value, tuple(range(len(read.places))), number, read.labels)
        for read in reads:
            labels = tuple(label for place in read.places for label, _ in place.parts)
            if read.value in self.draft_of or len(set(labels)) < max(full, 2, len(labels)):
                continue
            shape = read.value, tuple((tuple(c for _, c in place.parts), place.offset) for place in read.places)
            for other, others in self.streams.setdefault(shape, []):
                yield other, _Pairs(self, other, others, number, labels)
            self.streams[shape].append((number, labels))

    def _reads(self, number: int) -> tuple[Read, ...]:
        """What a value reads."""
        if number not in self.reads:
            self.reads[number] = find_reads(self.values, self.values[number].record, self.conditions)
        return self.reads[number]

    def _merge(self, one: _Draft, two: _Draft, pairs: Sequence[tuple[int, int]]) -> None:
        """Make two groups one if one loop can make both; `pairs` are labels of one and of the other."""
        if len(one.sizes) < len(two.sizes):
            one, two, pairs = two, one, [(b, a) for a, b in pairs]
        place = {b: a for a, b in pairs}
        if len(set(pairs)) != len(place) or len(set(place.values())) != len(place):
            return
        free = [a for a in range(len(one.sizes)) if a not in place.values()]
        rest = [b for b in range(len(two.sizes)) if b not in place]
        inner = one.inner
        if two.inner is not None and two.inner in place:
            inner = place[two.inner] if inner is None else inner
            if inner != place[two.inner]:
                return
        if free or rest:
            if len(free) != 1 or len(rest) > 1 or inner not in (None, free[0]) or two.inner not in (None, *rest):
                return
            inner = free[0]
            place |= dict.fromkeys(rest, inner)
        if inner is None:
            wished = two.wished if one.wished is None else None
            inner = one.wished if wished is None else place[wished]
        if any(one.sizes[a] != two.sizes[b] for b, a in place.items()):
            return
        moved = {number: tuple(place[label] for label in labels) for number, labels in two.labels.items()}
        draft = _Draft(one.labels | moved, one.sizes, inner)
        if len(draft.labels) <= LARGEST and self._is_sound(draft) and not self._is_circular(draft.labels):
            self._join(draft)

    def _is_sound(self, draft: _Draft) -> bool:
        """Whether one loop can make the values of a group."""
        everything = set(range(len(draft.sizes)))
        ends = {read.labels[-1] for read in self._arrays(draft) if read.labels}
        if ends and draft.inner is not None and draft.inner not in ends:  # no array lies along the row
            return False
        late = {n for n in draft.labels if self._is_late(draft, n)}
        for number, labels in draft.labels.items():
            value = self.values[number]
            own = set(labels[: len(value.axes)])
            if isinstance(value.record, Peak) and number in late:
                return False
            if number not in late and own != everything and own != everything - {draft.inner}:
                return False
            if number in late and own not in (set(), {draft.inner}):
                return False
            if isinstance(value.record, Map) and is_slow(value.record.body) and own == everything:
                return False
            for read in self._reads(number):
                if read.value not in draft.labels:
                    continue
                made = draft.labels[read.value][: len(read.places)]
                if read.value in late or read.labels is None or tuple(labels[k] for k in read.labels) != made:
                    return False
        return True

    def _arrays(self, draft: _Draft) -> Iterator[Read]:
        """What the members of a group read that has all of its labels and is made elsewhere."""
        for number, labels in draft.labels.items():
            for read in (read.rename(labels) for read in self._reads(number) if read.value not in draft.labels):
                if len(read.carried) == len(draft.sizes):
                    yield read

    def _is_late(self, draft: _Draft, number: int) -> bool:
        """Whether a value is known only when all rows are done."""
        labels, rank = draft.labels[number], len(self.values[number].axes)
        return len(labels) > rank and set(labels[rank:]) != {draft.inner}

    def _is_circular(self, members: Collection[int]) -> bool:
        """Whether a value outside of a group stands between its members."""
        own = self._mask(members)
        outside = {before for n in members for before in self._before(n) if before not in members}
        return any(self.above[before] & own for before in outside)

    def _mask(self, numbers: Collection[int]) -> int:
        """A set of values as bits."""
        return sum(1 << n for n in numbers)

    def _see(self, number: int) -> None:
        """Note what stands above a value: what it reads, and what that reads, a group whole."""
        self.whole[number], self.above[number] = 1 << number, 0
        for before in self._before(number):
            self.above[number] |= self.whole[before] | self.above[before]

    def _join(self, draft: _Draft) -> None:
        """Make a group of values that are in others, and note what stands above it and above what reads it."""
        self.draft_of.update(dict.fromkeys(draft.labels, draft))
        own, above = self._mask(draft.labels), 0
        for number in draft.labels:
            above |= self.above[number]
        above &= ~own
        for number in draft.labels:
            self.whole[number], self.above[number] = own, above
        for number, known in self.above.items():
            if known & own:
                self.above[number] = known | own | above

    def _before(self, number: int) -> Iterator[int]:
        """What a value reads of the same pass."""
        for before in find_before(self.values, number, number in self.draft_of, self.conditions):
            if before in self.stage:
                yield before

    def _pays(self, draft: _Draft) -> bool:
        """Whether a loop of its own is worth its call."""
        return bool(draft.sizes) and len(draft.labels) >= (2 if len(draft.sizes) > 1 else LEAST)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """How the labels of the group of one value correspond to those of another's, when it is asked."""

    finder: _Finder
    one: int
    labels: tuple[int, ...]
    other: int
    others: tuple[int, ...]

    def __call__(self) -> list[tuple[int, int]]:
        first = self.finder.draft_of[self.one].labels[self.one]
        second = self.finder.draft_of[self.other].labels[self.other]
        return list(dict.fromkeys((first[a], second[b]) for a, b in zip(self.labels, self.others, strict=True)))
