"""Which paths of a person's code are run: branch by branch, the corners of all branches first."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from fractions import Fraction
from heapq import heappop, heappush

from symbackprop.proof.corners import corners_of
from symbackprop.proof.facts import Fact
from symbackprop.proof.float_range import is_no_path
from symbackprop.proof.guarded_calls import CodeStoppedError, OutsideError
from symbackprop.proof.nearby_points import points_near
from symbackprop.proof.path_signs import Reading
from symbackprop.proof.plain_signs import fails_plainly
from symbackprop.proof.stops import PointRejectedError, TracingStoppedError
from symbackprop.proof.tracing import Subject, Trace, at_some_point, run

_FEW_CONDITIONS = 4


@dataclass(frozen=True, slots=True)
class Unvisited:
    """A branch that no sample point reached: its last condition, after those that lead to it; a point near it; and
    whether points were looked for.
    """

    conditions: tuple[Fact, ...]
    near: Mapping[str, Fraction]
    sought: bool = False


def trace_paths(
    subject: Subject, deadline: float, most: int, reading: Reading
) -> Iterator[Trace | Unvisited | OutsideError]:
    """The runs of a subject on one path after the other, new branches first, and the branches that were not reached.

    Where forward raises by a statement of its own, what it raised stands for the run.

    Corners come first: code may ask whether any, or all, of many entries are positive. What is still waiting when the
    bound or the time is met is handed out as unvisited; branches that no run has taken yet may use as many runs again.
    """
    first = first_trace(subject, deadline, reading)
    yield first
    seen = set(first.conditions)
    waiting = branches_of(first, 0)
    count = 1
    for corner, taken in _trace_corners(subject, first, waiting, deadline):
        waiting.remove(taken)
        count += 1
        yield corner
        seen.update(corner.conditions)
        waiting += branches_of(corner, len(taken.conditions))
    most = max(most, count + most // 2)  # corners leave some runs to what branches have together
    queue = _Queue()
    queue.add(waiting)
    while (branch := queue.take(seen)) is not None:
        allowed = most if branch.conditions[-1] in seen else 2 * most
        if count >= allowed or time.process_time() >= deadline:
            yield branch
            continue
        if is_no_path(branch.conditions):
            continue
        try:
            trace = run_below(subject, branch, deadline, reading)
        except (CodeStoppedError, TracingStoppedError):
            if time.process_time() < deadline:
                raise
            yield branch  # a run that the time ended is no visit
            continue
        if trace is None:
            yield replace(branch, sought=time.process_time() < deadline)
            continue
        count += 1
        yield trace
        seen.update(trace.conditions)
        queue.add(branches_of(trace, len(branch.conditions)))


@dataclass(slots=True)
class _Queue:
    """Branches that wait, and how many there were; each is looked at once for whether its last condition is new."""

    unread: deque[tuple[int, Unvisited]] = field(default_factory=deque)
    known: list[tuple[int, Unvisited]] = field(default_factory=list)
    count: int = 0

    def add(self, branches: Iterable[Unvisited]) -> None:
        """More branches, behind those that are there."""
        for branch in branches:
            self.unread.append((self.count, branch))
            self.count += 1

    def take(self, seen: Set[Fact]) -> Unvisited | None:
        """The first of those whose last condition was not seen yet; else the first of all."""
        while self.unread:
            number, branch = self.unread.popleft()
            if branch.conditions[-1] not in seen:
                return branch
            heappush(self.known, (number, branch))
        return heappop(self.known)[1] if self.known else None


def _trace_corners(
    subject: Subject, first: Trace, waiting: list[Unvisited], deadline: float
) -> Iterator[tuple[Trace, Unvisited]]:
    """The runs at corners, each with the branch that it takes."""
    if len(first.conditions) <= _FEW_CONDITIONS:
        return
    for point in corners_of(first.point, subject.shapes, first.conditions):
        if time.process_time() >= deadline:
            return
        try:
            trace = run(subject, point, deadline, 0, first.reading)
        except (PointRejectedError, OutsideError):
            continue
        except (CodeStoppedError, TracingStoppedError):
            if time.process_time() < deadline:
                raise
            return
        found = next((b for b in waiting if trace.conditions[: len(b.conditions)] == b.conditions), None)
        if found is not None:
            yield trace, found


def branches_of(trace: Trace | OutsideError, start: int) -> list[Unvisited]:
    """The paths that part from this one, at its conditions from `start` on; an equality is no region."""
    conditions = trace.conditions
    others = [Fact(-fact.expression, ">") for fact in conditions]
    return [
        Unvisited((*conditions[:k], others[k]), trace.point)
        for k in range(start, len(conditions))
        if conditions[k].relation == ">" and not fails_plainly(others[k])
    ]


def first_trace(subject: Subject, deadline: float, reading: Reading) -> Trace:
    return at_some_point(lambda seed: run(subject, {}, deadline, seed, reading))


def trace_below(subject: Subject, branch: Unvisited, deadline: float, reading: Reading) -> Trace | None:
    """A run that takes a branch, or None where no point of it was found, or forward raises there."""
    found = run_below(subject, branch, deadline, reading)
    return found if isinstance(found, Trace) else None


def run_below(subject: Subject, branch: Unvisited, deadline: float, reading: Reading) -> Trace | OutsideError | None:
    """A run that takes a branch, whether it returns or forward raises; None where no point of it was found."""
    prefix = branch.conditions
    runs = _runs_near(subject, branch.near, prefix, deadline, reading)
    return next((found for found in runs if found.conditions[: len(prefix)] == prefix), None)


def traces_near(
    subject: Subject, near: Mapping[str, Fraction], facts: Sequence[Fact], deadline: float, reading: Reading
) -> Iterator[Trace]:
    """Runs at points at which facts hold."""
    runs = _runs_near(subject, near, facts, deadline, reading)
    return (found for found in runs if isinstance(found, Trace))


def _runs_near(
    subject: Subject, near: Mapping[str, Fraction], facts: Sequence[Fact], deadline: float, reading: Reading
) -> Iterator[Trace | OutsideError]:
    """Runs at points at which facts hold, whether they return or forward raises."""
    for seed, point in enumerate(points_near(near, facts, deadline)):
        try:
            yield run(subject, point, deadline, seed, reading)
        except PointRejectedError:
            continue
        except OutsideError as error:
            yield error
