"""Where a hand-written backward first goes wrong: forward binds results to names, z, h, P; backward dz, dh, dP."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from linecache import getline
from pathlib import Path as FilePath

import sympy as sp

from symbackprop.errors import ArgumentError
from symbackprop.proof.guarded_calls import CodeStoppedError
from symbackprop.proof.stage_mends import mend
from symbackprop.proof.stage_proofs import Entries, compare
from symbackprop.proof.stage_watch import Place, Result, StageWatch
from symbackprop.proof.stops import FreeMaximumError, PointRejectedError, TracingStoppedError
from symbackprop.proof.tracing import Subject, Trace
from symbackprop.proof.wording import join_words

_NAMES = "d{}", "d_{}", "grad_{}", "{}_grad", "g_{}", "g{}", "delta_{}", "{}_bar", "bar_{}"
_SECONDS = 5.0
_MOST_VALUES = 12


@dataclass(frozen=True, slots=True)
class _Stage:
    """A result of forward, the derivatives by its entries, and what backward held under the name of those."""

    name: str
    result: Result
    truth: Entries
    values: dict[Entries, Place]


def list_wrong_stages(subject: Subject, trace: Trace) -> Iterator[str]:
    """What is said of the first result of backward that is no derivative; nothing where that cannot be told.

    One is passed over if a gradient that is not wrong reads it, or no wrong one does; and one is said only if the
    derivative in its place puts a gradient right. What counts is what a name is worth in the end.
    """
    deadline = time.process_time() + _SECONDS
    watch = StageWatch.of(subject)
    right: list[_Stage] = []
    try:
        again = watch.run(subject, trace, deadline)
        for stage in _list_stages(watch, again):
            found = [compare(again, stage.truth, entries, deadline) for entries in stage.values]
            if found[-1]:
                right.append(stage)
                continue
            if None in found or len(found) > _MOST_VALUES:
                return
            mended = mend(subject, trace, stage.name, stage.result.name, deadline)
            if True in found and mended.place is None:
                return  # it is spoilt later, or its name serves something else
            if mended.place is not None:
                yield _say(stage, mended.place, right) + _take_the_diagonal(again, stage, right, deadline)
            if mended.is_needed:
                return
    except (CodeStoppedError, TracingStoppedError, PointRejectedError, FreeMaximumError, ArgumentError):
        return


def _list_stages(watch: StageWatch, trace: Trace) -> Iterator[_Stage]:
    """In the order in which backward came to hold them."""
    kept = [made for made in watch.results.values() if made is not None and made.is_kept]
    results = {pattern.format(made.name): made for made in kept for pattern in _NAMES}
    upstream = {symbol for weight in trace.upstream for symbol in weight.free_symbols}
    for name, held in watch.held.items():
        result = results.get(name)
        if result is None or result.array.shape != held.shape:
            continue
        # What does not read the upstream gradient is a slope, or an array that waits to be filled.
        arrived = {e for e in held.values if any(trace.cuts.expand(each).free_symbols & upstream for each in e)}
        values = {entries: place for entries, place in held.values.items() if entries in arrived}
        if values:
            made = trace.cuts.gradient(trace.output, trace.upstream, result.symbols)
            yield _Stage(name, result, tuple(made[symbol] for symbol in result.symbols), values)


def _say(stage: _Stage, place: Place, right: Sequence[_Stage]) -> str:
    file, line = place
    code = getline(file, line).strip()  # of what was never in a file there is none
    where = f"{FilePath(file).name}:{line}" + (f": `{code}`" if code else "")
    others = ""
    if right:
        others = f", while {join_words([e.name for e in right])} {'is' if len(right) == 1 else 'are'} right"
    text = f"The first result of backward that is wrong is {stage.name}, made in {where}"
    return f"{text}: it is not the derivative by {stage.result.name}{others}."


def _take_the_diagonal(trace: Trace, stage: _Stage, right: Sequence[_Stage], deadline: float) -> str:
    """Whether each entry moves the entry in its place alone of a later result, whose derivatives are right, where the
    whole Jacobian has more and gives the derivative.
    """
    own = stage.result.symbols
    for later in right:
        if later.result.array.shape != stage.result.array.shape:
            continue
        rows = [trace.cuts.gradient((made,), (sp.S.One,), own) for made in later.result.definitions]
        beside = [row[symbol] for k, row in enumerate(rows) for j, symbol in enumerate(own) if j != k]
        if compare(trace, tuple(beside), (sp.S.Zero,) * len(beside), deadline) is not False:
            continue
        diagonal = tuple(weight * row[symbol] for weight, row, symbol in zip(later.truth, rows, own, strict=True))
        whole = trace.cuts.gradient(later.result.definitions, later.truth, own)
        if not compare(trace, stage.truth, tuple(whole[symbol] for symbol in own), deadline):
            continue
        if any(compare(trace, diagonal, each, deadline) for each in stage.values):
            names = f"{later.result.name} by {stage.result.name}"
            return f" It takes the diagonal of the Jacobian of {names} in place of the Jacobian."
    return ""
