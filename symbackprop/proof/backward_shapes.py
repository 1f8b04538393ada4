"""Verdicts on a hand-written backward: at the shapes given, and at other ones that the code accepts."""

from __future__ import annotations

import time
from dataclasses import replace

from symbackprop.errors import ArgumentError
from symbackprop.proof.backward import judge_at
from symbackprop.proof.backward_findings import Findings, conclude
from symbackprop.proof.exploration import first_trace
from symbackprop.proof.float_runs import list_float_changes
from symbackprop.proof.guarded_calls import CodeStoppedError
from symbackprop.proof.path_signs import Reading
from symbackprop.proof.shapes import (
    finer_shapes,
    has_refitted_data,
    list_outgrown,
    other_shapes,
    smaller_shapes,
    write_shapes,
)
from symbackprop.proof.stops import FormulaTooLongError, TracingStoppedError
from symbackprop.proof.tracing import Shapes, Subject, list_changes
from symbackprop.proof.verdict import Verdict
from symbackprop.proof.wording import join_words

_ADVICE = "; give smaller shapes, which decide the same code sooner"
_TO_TELL = 0.25  # of the time that there is for other shapes, to find out which sizes may differ
_MOST_CELLS = (32, 12)  # at the shapes given, and at the other ones


def judge_backward(subject: Subject, seconds: float = 10.0) -> Verdict:
    """Whether a backward returns the derivatives of its forward, within `seconds` for each choice of shapes."""
    deadline = time.process_time() + seconds
    try:
        here = judge_at(subject, seconds, _MOST_CELLS[0])
    except (CodeStoppedError, TracingStoppedError) as error:
        stopped = _at_shapes(Verdict("undecided", reason=str(error)), subject.shapes)
        if time.process_time() <= deadline and not isinstance(error, FormulaTooLongError):
            return stopped
        found = _ask_smaller(subject, stopped, seconds)
        return replace(found, reason=f"{error}{_ADVICE}") if found.undecided else found
    if here.failed is not None:
        failed = _at_shapes(here.failed, subject.shapes)
        return failed if here.diagnosed else _ask_smaller(subject, failed, seconds)
    try:
        there, shapes, refusals = _judge_elsewhere(subject, seconds)
        changes = (here.last and list_float_changes(subject, here.last)) or _list_changes(subject, seconds)
    except (CodeStoppedError, TracingStoppedError) as error:
        return _at_shapes(Verdict("undecided", reason=str(error)), subject.shapes)
    if there is not None and there.failed is not None:
        held = f"At the shapes {write_shapes(subject.shapes)}, which were given, each entry is proved."
        return _at_shapes(replace(there.failed, notes=(held, *there.failed.notes)), shapes)
    return conclude(subject, here, shapes, there, refusals, changes)


def _list_changes(subject: Subject, seconds: float) -> list[str] | None:
    try:
        return list_changes(subject, time.process_time() + seconds)
    except CodeStoppedError as error:
        return None if error.traced else ["what is returned"]
    except TracingStoppedError:
        return None


def _at_shapes(verdict: Verdict, shapes: Shapes) -> Verdict:
    return replace(verdict, for_all_sizes=False, scope=f"the shapes {write_shapes(shapes)}")


def _ask_smaller(subject: Subject, verdict: Verdict, seconds: float) -> Verdict:
    """What smaller shapes say of a mistake that was not named at those given, or of code that took too long there."""
    deadline = time.process_time() + seconds
    proved = ""
    for other in smaller_shapes(subject):
        try:
            found = judge_at(other, (deadline - time.process_time()) / 2, _MOST_CELLS[1])
        except (CodeStoppedError, TracingStoppedError, ArgumentError):
            continue
        if has_refitted_data(subject, other) or list_outgrown(subject.shapes, other.shapes, found.arrays):
            continue
        failed, shapes = found.failed, write_shapes(other.shapes)
        if failed is None:
            proved = proved or f"At the smaller shapes {shapes} each entry is proved."
        elif not failed.refuted or failed.witness is None:  # such as a shape that only goes with others
            continue
        elif verdict.undecided:
            at = f"At the shapes {write_shapes(subject.shapes)}, which were given"
            open_ones = f"{at}, nothing was decided: {verdict.reason}."
            return _at_shapes(replace(failed, notes=(open_ones, *failed.notes)), other.shapes)
        elif found.diagnosed:
            return replace(verdict, notes=(*verdict.notes, f"At the shapes {shapes} {failed.diagnosis}."))
    return replace(verdict, notes=(*verdict.notes, proved)) if verdict.undecided and proved else verdict


def _judge_apart(given: Shapes, other: Subject, seconds: float) -> tuple[Subject, Findings]:
    """What is found with as many sizes told apart as the code accepts, or as they are where that decides nothing."""
    start = time.process_time()
    finest = other
    if any(True for _ in finer_shapes(given, other)):
        first_trace(other, start + seconds, Reading())  # its error, where the code accepts none of them
        finest = _tell_apart(given, other, start + seconds, start + _TO_TELL * seconds)
    if finest is not other:
        try:
            found = judge_at(finest, seconds, _MOST_CELLS[1])
            fits = not list_outgrown(given, finest.shapes, found.arrays)
            if found.failed is None or (found.failed.witness is not None and fits):
                return finest, found
        except (CodeStoppedError, TracingStoppedError, ArgumentError):
            pass
    return other, judge_at(other, seconds, _MOST_CELLS[1])


def _tell_apart(given: Shapes, other: Subject, deadline: float, patience: float) -> Subject:
    """Shapes that the code accepts, with as many sizes told apart as it accepts; tried until `patience`."""
    for finer in finer_shapes(given, other):
        if time.process_time() > patience:
            break
        try:
            first_trace(finer, deadline, Reading())
        except (CodeStoppedError, TracingStoppedError, ArgumentError):
            continue
        return _tell_apart(given, finer, deadline, patience)
    return other


def _judge_elsewhere(subject: Subject, seconds: float) -> tuple[Findings | None, Shapes, list[str]]:
    """The findings at the first other shapes that the code accepts, and what it said to those that it does not."""
    refusals: list[str] = []
    for other in other_shapes(subject):
        deadline = time.process_time() + seconds
        try:
            other, found = _judge_apart(subject.shapes, other, seconds)
        except (CodeStoppedError, ArgumentError) as error:
            if time.process_time() > deadline:
                refusals.append(f"At the shapes {write_shapes(other.shapes)} nothing was decided: {error}")
                break
            refusals.append(f"At the shapes {write_shapes(other.shapes)}: {error}")
            continue
        except TracingStoppedError as error:
            refusals.append(f"At the shapes {write_shapes(other.shapes)} nothing was decided: {error}")
            break
        if found.failed is not None and found.failed.undecided:
            refusals.append(f"At the shapes {write_shapes(other.shapes)} nothing was decided: {found.failed.reason}")
            break
        if found.failed is not None and found.failed.refuted and found.failed.witness is None:
            refusals.append(f"At the shapes {write_shapes(other.shapes)} it does not hold: {found.failed.diagnosis}")
            continue
        if found.failed is not None and has_refitted_data(subject, other):
            refusals.append(
                f"At the shapes {write_shapes(other.shapes)}, with data repeated to fit them, it does not hold: "
                f"{found.failed.diagnosis}; pass data of such shapes to see whether it is to hold there"
            )
            break
        if found.failed is not None and (held := list_outgrown(subject.shapes, other.shapes, found.arrays)):
            refusals.append(
                f"At the shapes {write_shapes(other.shapes)}, which {join_words(held)} may not go with, "
                f"it does not hold: {found.failed.diagnosis}"
            )
            break
        return found, other.shapes, refusals
    return None, subject.shapes, refusals
