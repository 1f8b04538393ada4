"""What a result of backward has to do with the gradients: which read it, and whether the derivative puts one right."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from symbackprop.proof.gradient_entries import true_gradients
from symbackprop.proof.stage_proofs import Entries, compare
from symbackprop.proof.stage_watch import Place, StageWatch
from symbackprop.proof.tracing import Subject, Trace


@dataclass(frozen=True, slots=True)
class Mend:
    """What becomes of the gradients with the derivative in the place of a result.

    `is_needed`: whether a wrong gradient reads the result and no other gradient does. `place`: where the result was
    made that puts a gradient right.
    """

    is_needed: bool
    place: Place | None = None


def mend(subject: Subject, trace: Trace, name: str, of: str, deadline: float) -> Mend:
    """What it does to put the derivatives by the result `of` of forward in the place of `name` in backward."""
    watch = StageWatch.of(subject, name)
    again = watch.run(subject, trace, deadline)
    followed, result = watch.followed, watch.results.get(of)
    if followed is None or followed.is_lost or result is None or not result.is_kept:
        return Mend(True)
    every = {symbol for _, symbols in followed.made for symbol in symbols}
    truths = true_gradients(again, subject.shapes, deadline)
    claims = {each: again.gradients[each][1] for each in truths}
    reading = {each for each in truths if any(every.intersection(again.cuts.list_names(e)) for e in claims[each])}
    wrong = {each for each in reading if compare(again, truths[each], claims[each], deadline) is False}
    if not wrong or wrong != reading:
        return Mend(False)
    made = again.cuts.gradient(again.output, again.upstream, result.symbols)
    derivatives = tuple(made[symbol] for symbol in result.symbols)
    for place, symbols in followed.made:
        if len(symbols) != len(derivatives):
            continue
        values: dict[sp.Symbol, sp.Expr] = dict(zip(symbols, derivatives, strict=True))
        for each in wrong:
            put: Entries = tuple(again.cuts.put(values, claim) for claim in claims[each])
            if compare(again, truths[each], put, deadline):
                return Mend(True, place)
    return Mend(True)
