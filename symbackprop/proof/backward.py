"""Verdicts on a hand-written backward at one choice of shapes: each entry of each gradient, path cell by path cell.

The truth is SymPy's derivative of <upstream, output>, where the output is what the person's forward computes on traced
numbers. Nothing is known of what the code is meant to compute.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np
import sympy as sp

from symbackprop.errors import UnsupportedError
from symbackprop.proof.backward_diagnosis import diagnose_entry, diagnose_shape
from symbackprop.proof.backward_findings import Findings, list_equalities, shorten
from symbackprop.proof.budget import Budget
from symbackprop.proof.cuts import PREFIX
from symbackprop.proof.equal_points import judge_where_equal
from symbackprop.proof.equality import decide, find_witness
from symbackprop.proof.exploration import Unvisited, trace_paths, traces_near
from symbackprop.proof.facts import Fact
from symbackprop.proof.float_range import limits_of
from symbackprop.proof.float_runs import say_on_floats
from symbackprop.proof.gradient_entries import Gradients, true_gradients
from symbackprop.proof.guarded_calls import CodeStoppedError, OutsideError
from symbackprop.proof.inner_arrays import UNORDERED, entry_name
from symbackprop.proof.nearby_points import may_hold
from symbackprop.proof.open_paths import NotProvedError, prove_openly
from symbackprop.proof.other_runs import OtherRuns
from symbackprop.proof.path_signs import Reading
from symbackprop.proof.plain_signs import holds_plainly
from symbackprop.proof.problems import read_conditions, read_problem
from symbackprop.proof.sampling import compare_at
from symbackprop.proof.stages import list_wrong_stages
from symbackprop.proof.stops import FreeMaximumError, PointRejectedError, TracingStoppedError
from symbackprop.proof.tidying import is_nowhere
from symbackprop.proof.traced_needs import Needs, list_needs
from symbackprop.proof.tracing import Subject, Trace, run
from symbackprop.proof.verdict import Verdict, Witness
from symbackprop.proof.wording import join_words

_MOST_CHECKED = 8
"""Paths that are run beside a proof for all of them."""
_MOST_EQUALITIES = 6
_MOST_SAID = 4
_STEPS_TO_DIAGNOSE = 20_000
_EXACT, _FREE = Reading(), Reading(maxima_free=True)
_SIDES = "Left is the derivative of what forward computes, right is what backward returned."


@dataclass(frozen=True, slots=True)
class _Path:
    """A trace with what forward needs to have a value, what of that is certainly never so, and what is not so at the
    sample point; `claimed` is what the entry that is judged needs, as it was returned.
    """

    trace: Trace
    needs: tuple[Fact, ...]
    impossible: Fact | None
    violated: Fact | None
    claimed: Needs | None = None

    @staticmethod
    def make(trace: Trace) -> _Path:
        needs = tuple(map(trace.cuts.expand_fact, list_needs(trace.needs[""])))
        return _Path(trace, needs, _find_impossible(trace, needs), _find_violated(trace, needs))

    def list_claimed(self) -> tuple[Fact, ...]:
        """What the entry that is judged needs to have a value."""
        return tuple(map(self.trace.cuts.expand_fact, list_needs([self.claimed])))

    def domain(self, sides: Iterable[sp.Expr]) -> list[sp.Basic]:
        """What forward, and the entry, need of the names in two sides, as relations."""
        names: set[sp.Basic] = set().union(*(side.free_symbols for side in sides))
        needs = tuple(dict.fromkeys((*self.needs, *self.list_claimed())))
        return [fact.formula for fact in _related(needs, names) if not holds_plainly(fact)]


def _find_impossible(trace: Trace, needs: Iterable[Fact]) -> Fact | None:
    """What of the needs is so nowhere on a path, if anything."""
    return next((n for n in needs if not holds_plainly(n) and is_nowhere((*trace.conditions, n))), None)


def _find_violated(trace: Trace, needs: Iterable[Fact]) -> Fact | None:
    """What of the needs is not so at the sample point, if anything."""
    return next((n for n in needs if not holds_plainly(n) and not may_hold(n, trace.point)), None)


def judge_at(subject: Subject, seconds: float, most: int) -> Findings:
    """The findings at one choice of shapes: with free maxima where that suffices, else path cell by path cell.

    Where the code masks by numbers such as -1e9, and nothing was decided or what differs is beneath all floats, they
    are read as what they mean.
    """
    deadline = time.process_time() + seconds
    found = _judge_freely(subject, deadline, most, _FREE)
    if found is None:
        found = _judge_paths(subject, deadline, most, _EXACT)
    if found.failed is None or not found.masks or not (found.failed.undecided or _is_beneath_floats(found.failed)):
        return found
    try:
        meant = _judge_freely(subject, deadline, most, replace(_FREE, masks_infinite=True))
        if meant is None:
            meant = _judge_paths(subject, deadline, most, replace(_EXACT, masks_infinite=True))
    except (CodeStoppedError, TracingStoppedError):
        return found
    if meant.failed is not None:
        return found
    numbers = " and ".join(f"{float(number):g}" for number in found.masks)
    meant.hypotheses[f"{numbers} counts as minus infinity"] = None
    meant.notes[f"Nothing is proved for {numbers} as it stands: its exp is 0 in floats, not in exact numbers."] = None
    return meant


def _is_beneath_floats(verdict: Verdict) -> bool:
    """Whether what refutes is a difference that floats cannot hold."""
    return verdict.witness is not None and verdict.witness.is_underflow


def _judge_freely(subject: Subject, deadline: float, most: int, reading: Reading) -> Findings | None:
    """The findings with maxima of which nothing is known, or None where they do not suffice."""
    try:
        found = _judge_paths(subject, deadline, most, reading)
    except FreeMaximumError:
        return None
    return None if any(PREFIX in text for text in found.hypotheses) else found


def _judge_paths(subject: Subject, deadline: float, most: int, reading: Reading) -> Findings:
    """The findings on one path after the other, up to the first on which something is not proved.

    Where there may be more paths than are run, a proof for all of them is looked for; it is held against some runs.
    """
    found = Findings()
    for trace in trace_paths(subject, deadline, most, reading):
        if isinstance(trace, Unvisited):
            found.unvisited.append(trace)
            continue
        if isinstance(trace, OutsideError):
            found.seen.update(trace.conditions)
            found.notes[f"Nothing is judged where forward raises: {trace}."] = None
            continue
        found.masks.update(dict.fromkeys(trace.masks))
        found.arrays.update(trace.arrays)
        try:
            failed = _judge_cell(subject, trace, found, deadline)
        except TracingStoppedError as error:
            if not found.cells:
                raise
            found.unvisited.append(Unvisited(trace.conditions, trace.point))
            found.notes[f"Stopped after {found.cells} path cells: {error}."] = None
            continue
        if failed is None and not found.cells and 2 ** len(trace.conditions) > most:
            failed = _judge_openly(subject, trace, found, deadline, most)
        if failed is not None:
            found.failed = failed
            return found
        found.cells, found.last = found.cells + 1, trace
        found.notes.update(dict.fromkeys(trace.notes))
        if found.open and found.cells >= _MOST_CHECKED:
            break
        if not found.open:
            found.seen.update(trace.conditions)
    for fact in list_equalities(found)[:_MOST_EQUALITIES]:
        if found.failed is None and time.process_time() < deadline:
            found.equal[fact] = judge_where_equal(subject, fact, deadline, reading)
            wrong = found.equal[fact].wrong
            found.failed = None if wrong is None else replace(wrong, notes=(_SIDES, *wrong.notes))
    return found


def _judge_openly(subject: Subject, first: Trace, found: Findings, deadline: float, most: int) -> Verdict | None:
    """Note a proof for all paths, if there is one; the verdict where a path is found on which an equation fails."""
    now = time.process_time()
    try:
        proof = prove_openly(subject, (now + deadline) / 2, most, first.reading, found)
    except NotProvedError as error:
        traces = traces_near(subject, first.point, error.facts, deadline, first.reading) if error.facts else iter(())
        try:
            return next((_judge_cell(subject, trace, found, deadline) for trace in traces), None)
        except (TracingStoppedError, FreeMaximumError):
            return None
    found.open = True
    found.seen.update(proof.seen)
    found.hypotheses.update(proof.hypotheses)
    return None


def _judge_cell(subject: Subject, trace: Trace, found: Findings, deadline: float) -> Verdict | None:
    """What is wrong on one path, or nothing where each entry of each gradient is proved there."""
    path = _Path.make(trace)
    if path.impossible is not None:
        reason = f"no value was computed: the code needs {path.impossible.text}"
        return Verdict("undecided", reason=_join(reason, trace), notes=trace.notes)
    if reason := say_on_floats(subject, trace):
        return Verdict("undecided", reason=_join(reason, trace), notes=trace.notes)
    truth = true_gradients(trace, subject.shapes, deadline)
    for name, shape in subject.shapes.items():
        if trace.gradients[name][0] != shape:
            _distrust(trace)
            full = tuple(map(trace.cuts.expand, truth[name]))
            return Verdict("refuted", diagnosis=_join(diagnose_shape(name, shape, trace, full), trace))
    if trace.unwritten:
        text = f"backward returns {trace.unwritten[0]}"
        return Verdict("refuted", diagnosis=_join(text, trace), notes=trace.notes)
    found.admit(trace, path.needs)
    stuck: Verdict | None = None
    for name, shape in subject.shapes.items():
        claims, needs = trace.gradients[name][1], trace.needs[name]
        found.admit(trace, map(trace.cuts.expand_fact, list_needs(needs)))
        for place, left, right, claimed in zip(np.ndindex(*shape), truth[name], claims, needs, strict=True):
            own_path = replace(path, claimed=claimed)
            if stuck is not None and not _may_refute(own_path, left, right, deadline):
                continue
            verdict = _judge_entry(own_path, found, left, right, f"gradient of {entry_name(name, place)}", deadline)
            if verdict is None:
                continue
            _distrust(trace)
            if verdict.refuted and trace.unordered and not _is_wrong_sorted(subject, trace, deadline):
                reason = f"the gradient of {entry_name(name, place)} is right for some orders only, and {UNORDERED}"
                return Verdict("undecided", reason=_join(reason, trace))
            if verdict.refuted:
                others = OtherRuns(subject, trace, deadline)
                own, *inputs = (Gradients.of(trace, n, truth[n]) for n in (name, *(n for n in truth if n != name)))
                diagnosis = diagnose_entry(others, own, inputs, place, verdict.diagnosis)
                found.diagnosed = bool(diagnosis)
                plain = f"the gradient of {entry_name(name, place)} is not the derivative (left) that the forward has"
                notes = (_SIDES, *list_wrong_stages(subject, trace), *_say_path(trace), *trace.notes)
                return replace(verdict, diagnosis=_join(diagnosis or plain, trace), scope="", notes=notes)
            if stuck is None:
                stuck = replace(verdict, reason=f"the gradient of {entry_name(name, place)}: {verdict.reason}")
    if stuck is None or path.violated is None:
        return stuck
    reason = f"no point was found at which forward has a value; it needs {shorten(path.violated)}"
    return replace(stuck, reason=_join(reason, trace))


def _is_wrong_sorted(subject: Subject, trace: Trace, deadline: float) -> bool:
    """Whether the code is refuted as well where np.partition sorts, as it often does."""
    try:
        other = run(subject, trace.point, deadline, 0, replace(trace.reading, parts_sorted=True))
        path, truth = _Path.make(other), true_gradients(other, subject.shapes, deadline)
    except (CodeStoppedError, TracingStoppedError, PointRejectedError):
        return False
    pairs = (pair for name in truth for pair in zip(truth[name], other.gradients[name][1], strict=True))
    return any(_may_refute(path, left, right, deadline) for left, right in pairs)


def _say_path(trace: Trace) -> Iterator[str]:
    """Where the path of a trace is taken."""
    texts = [shorten(fact) for fact in trace.conditions[:_MOST_SAID]]
    if texts:
        more = len(trace.conditions) - len(texts)
        rest = [f"{more} more condition{'s hold' if more > 1 else ' holds'}"] if more else []
        yield f"This is so on the path where {join_words([*texts, *rest])}."


def _distrust(trace: Trace) -> None:
    """What fails with free maxima may hold for the true ones."""
    if trace.maxima_free:
        raise FreeMaximumError("an equation does not hold whatever the maxima are")


def _judge_entry(
    path: _Path, found: Findings, left: sp.Expr, right: sp.Expr, title: str, deadline: float
) -> Verdict | None:
    """Nothing where the entry is proved; else the verdict that it is not.

    Names of intermediate results are kept where that suffices, as an equation is shorter in them; only the sides in
    full refute.
    """
    trace, cuts = path.trace, path.trace.cuts
    limit = min(deadline - time.process_time(), 5.0)
    if limit <= 0:
        raise TracingStoppedError("the time allowed ran out")
    if left == right:
        found.admit(trace, cuts.domain((left, right)))
        return None
    for eliminated in (found.eliminated, not found.eliminated):
        alike = found.outlines.of((left, right, *(cuts.equations((left, right)) if eliminated else ())))
        if alike not in found.alike:
            pair = cuts.eliminate((left, right)) if eliminated else (left, right)
            verdict = decide(*pair, claim="", budget=Budget(limit))
            if not verdict.proved or len(verdict.formulas) != len(verdict.hypotheses):
                continue
            found.alike.add(alike)
        found.eliminated = eliminated
        found.admit(trace, cuts.domain((left, right)))
        return None
    return _judge_in_full(path, found, cuts.expand(left), cuts.expand(right), title, deadline)


def _may_refute(path: _Path, left: sp.Expr, right: sp.Expr, deadline: float) -> bool:
    """Whether an entry is seen to differ: nothing else is of use once another entry is not proved."""
    limit = deadline - time.process_time()
    if left == right or limit <= 0:
        return False
    sides = path.trace.cuts.expand(left), path.trace.cuts.expand(right)
    domain = path.domain(sides)
    return _differ_at(path, *sides) is not None or find_witness(*sides, (), domain, budget=Budget(limit)) is not None


def _judge_in_full(
    path: _Path, found: Findings, left: sp.Expr, right: sp.Expr, title: str, deadline: float
) -> Verdict | None:
    """The same with all names put back."""
    if left == right or (left, right) in found.proved:
        return None
    trace = path.trace
    limit = max(min(deadline - time.process_time(), 5.0), 0.1)
    impossible = _find_impossible(trace, path.list_claimed())
    if impossible is not None:
        reason = f"it has no value there, as it needs {impossible.text}"
        return Verdict("undecided", reason=reason, notes=(*_say_path(trace), *trace.notes))
    witness = _differ_at(path, left, right)
    if witness is None:
        verdict = decide(left, right, claim=title, budget=Budget(limit))
        if verdict.proved:
            found.proved.add((left, right))
            found.hypotheses.update(_worth_saying(verdict))
            return None
    related = _related(trace.conditions, left.free_symbols | right.free_symbols)
    conditions = [*related, *limits_of(related)]
    on_path, domain = [fact.formula for fact in conditions], path.domain((left, right))
    steps = None if witness is None else _STEPS_TO_DIAGNOSE
    verdict = decide(left, right, on_path, domain, claim=title, budget=Budget(limit, most_steps=steps))
    if verdict.proved and witness is None:
        known = {fact.text for fact in conditions}
        found.hypotheses.update((text, f) for text, f in _worth_saying(verdict).items() if text not in known)
        return None
    if witness is not None and not verdict.refuted:
        verdict = Verdict("refuted", witness=witness, left=left, right=right)
    if verdict.refuted and trace.rounding and verdict.witness is not None and verdict.witness.is_within(trace.rounding):
        reason = f"the values differ by no more than floats are rounded; {verdict.witness}"
        return Verdict("undecided", reason=reason, notes=trace.notes)
    return verdict


def _worth_saying(verdict: Verdict) -> dict[str, sp.Basic | None]:
    """The hypotheses with their formulas, without those that plainly hold, such as x^2 + 1/100000 > 0."""
    every = dict(zip_longest(verdict.hypotheses, verdict.formulas))
    return {
        text: formula
        for text, formula in every.items()
        if formula is None or not all(map(holds_plainly, read_conditions(formula)))
    }


def _differ_at(path: _Path, left: sp.Expr, right: sp.Expr) -> Witness | None:
    """The sample point of the path as a witness, if the values there certainly differ and both have one."""
    if path.violated is not None or _find_violated(path.trace, path.list_claimed()) is not None:
        return None
    try:
        problem = read_problem(left, right)
        point = {name: path.trace.point[name] for name in problem.names}
        return compare_at(problem, point)[1]
    except (UnsupportedError, KeyError, RecursionError):
        return None


def _related(conditions: tuple[Fact, ...], symbols: set[sp.Basic]) -> list[Fact]:
    """The conditions that share names with what is compared, directly or by others.

    The rest speaks of other names, and the sample point of the path satisfies it: a witness stays on the path.
    """
    names = {str(symbol) for symbol in symbols}
    chosen: list[Fact] = []
    waiting = list(conditions)
    while True:
        linked = [fact for fact in waiting if names & {s.name for s in fact.expression.free_symbols}]
        if not linked:
            return chosen
        chosen += linked
        waiting = [fact for fact in waiting if fact not in linked]
        names |= {s.name for fact in linked for s in fact.expression.free_symbols}


def _join(diagnosis: str, trace: Trace) -> str:
    """The diagnosis, and what was seen of memory that is shared or changed."""
    return "; ".join(filter(None, (diagnosis, *trace.remarks)))
