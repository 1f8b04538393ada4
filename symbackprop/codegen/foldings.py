"""Sums into places at even steps, of one axis after another, as one sum into places of several axes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from symbackprop.calculus.indices import Affine
from symbackprop.codegen.records import Label, Plan, Scatter, Use, all_even, uses_of
from symbackprop.codegen.tilings import find_tiling


@dataclass(frozen=True, slots=True)
class Course:
    """How one axis of a result is gone along: from `begin`, counted from 0, by steps along labels of what is read, each
    with how long the step is and how many there are.
    """

    axis: int
    begin: Affine
    steps: tuple[tuple[int, int, Affine], ...]


@dataclass(frozen=True, slots=True)
class Folding:
    """A sum of the entries of `use` into places along `courses`; its labels are those of the result, or of steps.

    `inside` are the values that it makes needless.
    """

    use: Use
    courses: tuple[Course, ...]
    inside: tuple[int, ...] = ()


def find_foldings(plan: Plan, named: Collection[int]) -> Mapping[int, Folding]:
    """The foldings of a plan by their numbers, those that are a part of another left out; `named` stay on their own."""
    numbers = (*plan.forward, *plan.backward)
    reads = Counter(use.value for number in numbers for use in uses_of(plan.values[number].record))
    reads.update(output.use.value for output in (plan.result, *plan.gradients))
    found: dict[int, Folding] = {}
    for number in numbers:
        record, rank = plan.values[number].record, len(plan.values[number].axes)
        if not isinstance(record, Scatter) or not _is_even(record) or find_tiling(record) is not None:
            continue
        folding = _read(record, rank)
        inner = found.get(record.use.value)
        alone = reads[record.use.value] == 1 and record.use.value not in named
        same = (number in plan.forward) == (record.use.value in plan.forward)
        if inner is not None and alone and same:
            joined = _join(folding, inner, record.use, rank)
            if joined is not None:
                folding = joined
                del found[record.use.value]
        found[number] = folding
    return found


def _is_even(record: Scatter) -> bool:
    """Whether entries are put at even steps along every label that is summed over."""
    over = sum(label >= len(record.use.labels) - len(record.position.parts) + 1 for label in record.use.labels)
    return all_even([record.position]) and len(record.position.parts) == over


def _read(record: Scatter, rank: int) -> Folding:
    """A scatter as a folding."""
    begin, steps = record.position.offset - Affine.of(1), []
    over = sorted(label for label in record.use.labels if label >= rank)
    for part, step in record.position.parts:
        assert isinstance(part, Label)
        begin += Affine.of(part.start) * step
        steps.append((over[part.number], step, part.size))
    return Folding(record.use, (Course(0, begin, tuple(steps)),))


def _join(outer: Folding, inner: Folding, use: Use, rank: int) -> Folding | None:
    """The folding of a folding, unless the outer one sums over an axis that the inner one makes."""
    if any(use.labels[course.axis] >= rank for course in inner.courses):
        return None
    count = len(use.labels)
    first = max((*use.labels, *outer.use.labels)) + 1

    def rename(label: int) -> int:
        return use.labels[label] if label < count else first + label - count

    courses = [
        Course(use.labels[c.axis], c.begin, tuple((rename(label), step, size) for label, step, size in c.steps))
        for c in inner.courses
    ]
    labels = tuple(rename(label) for label in inner.use.labels)
    return Folding(Use(inner.use.value, labels), (*outer.courses, *courses), (*inner.inside, use.value))
