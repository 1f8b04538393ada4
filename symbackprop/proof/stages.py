"""Where a hand-written backward first goes wrong: forward binds results to names, z, h, P; backward dz, dh, dP."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from linecache import getline
from pathlib import Path as FilePath

import sympy as sp

from symbackprop.errors import ArgumentError
from symbackprop.proof.budget import Budget
from symbackprop.proof.equality import decide, find_witness
from symbackprop.proof.gradient_entries import domain_of
from symbackprop.proof.guarded_calls import CodeStoppedError
from symbackprop.proof.path_signs import FreeMaximumError, PointRejectedError, TracingStoppedError
from symbackprop.proof.stage_watch import Place, Result, StageWatch
from symbackprop.proof.tracing import Subject, Trace
from symbackprop.proof.wording import join_words

_NAMES = "d{}", "d_{}", "grad_{}", "{}_grad", "g_{}", "g{}", "delta_{}", "{}_bar", "bar_{}"
_SECONDS, _SECONDS_FOR_ONE = 5.0, 1.0
_MOST_VALUES = 12
_Entries = tuple[sp.Expr, ...]


@dataclass(frozen=True, slots=True)
class _Stage:
    """A result of forward, the derivatives by its entries, and what backward held under the name of those."""

    name: str
    result: Result
    truth: _Entries
    values: dict[_Entries, Place]


def list_wrong_stages(subject: Subject, trace: Trace) -> Iterator[str]:
    """What is said of the first result of backward that is no derivative; nothing where that cannot be told."""
    deadline = time.process_time() + _SECONDS
    watch = StageWatch.of(subject)
    try:
        again = watch.run(subject, trace, deadline)
    except (CodeStoppedError, TracingStoppedError, PointRejectedError, FreeMaximumError, ArgumentError):
        return
    right: list[_Stage] = []
    for stage in _list_stages(watch, again):
        found = [_compare(again, stage.truth, entries, deadline) for entries in stage.values]
        if True in found:
            right.append(stage)
            continue
        if None not in found and len(found) <= _MOST_VALUES:
            yield _say(stage, right) + _take_the_diagonal(again, stage, right, deadline)
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


def _compare(trace: Trace, truth: _Entries, entries: _Entries, deadline: float) -> bool | None:
    """Whether each entry is proved; False where one differs at a point, None where neither is known."""
    pairs = [(left, right) for left, right in zip(truth, entries, strict=True) if left != right]
    full = [(trace.cuts.expand(left), trace.cuts.expand(right)) for left, right in pairs]
    domain = domain_of(trace)
    for left, right in full:
        if find_witness(left, right, (), domain, budget=_what_is_left(deadline)) is not None:
            return False
    for named, sides in zip(pairs, full, strict=True):
        either = (decide(*each, domain, claim="", budget=_what_is_left(deadline)) for each in (named, sides))
        if not any(verdict.proved for verdict in either):
            return None
    return True


def _what_is_left(deadline: float) -> Budget:
    return Budget(max(min(deadline - time.process_time(), _SECONDS_FOR_ONE), 0.01))


def _say(stage: _Stage, right: Sequence[_Stage]) -> str:
    file, line = next(iter(stage.values.values()))
    code = getline(file, line).strip()  # of what was never in a file there is none
    where = f"{FilePath(file).name}:{line}" + (f": `{code}`" if code else "")
    others = ""
    if right:
        others = f", while {join_words([e.name for e in right])} {'is' if len(right) == 1 else 'are'} right"
    text = f"The first result of backward that is wrong is {stage.name}, made in {where}"
    return f"{text}: it is not the derivative by {stage.result.name}{others}."


def _take_the_diagonal(trace: Trace, stage: _Stage, right: Sequence[_Stage], deadline: float) -> str:
    """Whether each entry moves the entry in its place alone of a later result, whose derivatives are right."""
    for later in right:
        if later.result.array.shape != stage.result.array.shape:
            continue
        entries = zip(later.result.definitions, later.truth, stage.result.symbols, strict=True)
        diagonal = tuple(trace.cuts.gradient((made,), (weight,), (own,))[own] for made, weight, own in entries)
        if any(_compare(trace, diagonal, each, deadline) for each in stage.values):
            names = f"{later.result.name} by {stage.result.name}"
            return f" It takes the diagonal of the Jacobian of {names} in place of the Jacobian."
    return ""
