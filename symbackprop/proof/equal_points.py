"""Branches that code takes where two numbers are equal: it is run at such a point, and judged apart.

An entry that does not occur in the equation moves along it, so its derivative there is that of the branch which forward
takes. Across an equation that forward asks for, that is a convention: what is returned is compared with the derivative
of the same branch, and a difference is told, not refuted, unless forward has that derivative on both sides as well.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import sympy as sp
from flint import fmpq

from symbackprop.errors import ArgumentError
from symbackprop.proof.budget import Budget
from symbackprop.proof.equality import decide
from symbackprop.proof.evaluation import ImpreciseValueError, UndefinedValueError, evaluate
from symbackprop.proof.facts import Fact, solve_zero
from symbackprop.proof.gradient_entries import true_gradients
from symbackprop.proof.guarded_calls import CodeStoppedError
from symbackprop.proof.inner_arrays import entry_name
from symbackprop.proof.path_signs import Reading
from symbackprop.proof.plain_signs import holds_plainly
from symbackprop.proof.stops import FreeMaximumError, PointRejectedError, TracingStoppedError
from symbackprop.proof.traced_needs import list_needs
from symbackprop.proof.tracing import Subject, Trace, run
from symbackprop.proof.verdict import Verdict

_SEEDS = 4
_SECONDS = 5.0
_BESIDE = (Fraction(1, 64), Fraction(-1, 64))


@dataclass(frozen=True, slots=True)
class EqualPoint:
    """What was found where an equation holds: the verdict on the first entry that is wrong along it; the entries that
    are in another way than the branch across it; and whether nothing was left undecided.
    """

    wrong: Verdict | None
    others: tuple[str, ...]
    judged: bool


@dataclass(frozen=True, slots=True)
class _Surface:
    """A run where an equation holds, and what a name is worth there."""

    equation: Fact
    trace: Trace
    values: dict[sp.Basic, sp.Expr]

    def on(self, expression: sp.Expr) -> sp.Expr:
        """An expression where the equation holds."""
        return expression.xreplace(self.values)

    def facts(self) -> list[Fact]:
        """What else holds on the path there, and what forward needs."""
        needs = map(self.trace.cuts.expand_fact, list_needs(self.trace.needs[""]))
        found = [fact for fact in (*self.trace.conditions, *needs) if fact.relation != "="]
        return [Fact(self.on(fact.expression), fact.relation) for fact in found]


def judge_where_equal(subject: Subject, unequal: Fact, deadline: float, reading: Reading) -> EqualPoint:
    """What a backward returns where two numbers are equal that were not so in any run."""
    try:
        surface = next(_surfaces(subject, unequal, deadline, reading), None)
        if surface is None:
            return EqualPoint(None, (), judged=False)
        return _judge_on(subject, surface, deadline)
    except (CodeStoppedError, TracingStoppedError, FreeMaximumError, ArgumentError):
        return EqualPoint(None, (), judged=False)


def _surfaces(subject: Subject, unequal: Fact, deadline: float, reading: Reading) -> Iterator[_Surface]:
    """Runs at points at which the code finds the numbers equal."""
    equation = replace(unequal, relation="=")
    for symbol, value in solve_zero(unequal.expression) or ():
        for seed in range(_SEEDS):
            try:
                point = dict(run(subject, {}, deadline, seed, reading).point)
                number = evaluate(value, point)
                if not isinstance(number, fmpq):
                    break
                point[symbol.name] = Fraction(int(number.p), int(number.q))
                trace = run(subject, point, deadline, seed, replace(reading, equal=unequal.expression))
            except (PointRejectedError, UndefinedValueError, ImpreciseValueError, KeyError):
                continue
            if equation in trace.conditions:
                plain = value.xreplace({each: sp.Symbol(each.name) for each in value.free_symbols})
                yield _Surface(equation, trace, {sp.Symbol(symbol.name): plain, symbol: value})


def _judge_on(subject: Subject, surface: _Surface, deadline: float) -> EqualPoint:
    """The entries, one after the other, up to the first that is wrong along the equation."""
    trace, equation = surface.trace, surface.equation
    branches = equation in trace.asked_by_forward  # what only backward asks is no branch of what is differentiated
    across = {symbol.name for symbol in equation.expression.free_symbols} if branches else set()
    truth = true_gradients(trace, subject.shapes, deadline)
    beside = _truths_beside(subject, surface, deadline) if across else ()
    others: list[str] = []
    judged = True
    if any(fact.expression.is_number and not _holds(fact) for fact in surface.facts()):
        return EqualPoint(None, (), judged=False)  # forward has no value there
    for name, shape in subject.shapes.items():
        if trace.gradients[name][0] != shape:
            return EqualPoint(None, (), judged=False)
        rows = zip(np.ndindex(*shape), truth[name], trace.gradients[name][1], strict=True)
        for k, (place, left, right) in enumerate(rows):
            entry = entry_name(name, place)
            verdict = _compare(surface, left, right, f"the gradient of {entry}", deadline)
            if verdict.refuted and (trace.maxima_free or trace.unordered):
                judged = False
            elif verdict.refuted and entry in across and not (
                beside and all(_compare(surface, left, side[name][k], "", deadline).proved for side in beside)
            ):
                others.append(entry)
            elif verdict.refuted:
                text = f"the gradient of {entry} is right beside {equation.text}, not where that holds"
                why = f"{text}: is that branch wrong or missing in backward?"
                return EqualPoint(replace(verdict, diagnosis=why, scope="", notes=trace.notes), (), judged=True)
            elif not verdict.proved:
                judged = False
    return EqualPoint(None, tuple(others), judged)


def _truths_beside(
    subject: Subject, surface: _Surface, deadline: float
) -> tuple[Mapping[str, tuple[sp.Expr, ...]], ...]:
    """The derivatives of what forward computes on both sides of an equation; none where they are not to be had."""
    trace, name = surface.trace, next(iter(surface.values)).name
    found = []
    for step in _BESIDE:
        try:
            point = {**trace.point, name: trace.point[name] + step}
            side = run(subject, point, deadline, 0, replace(trace.reading, equal=None))
            truth = true_gradients(side, subject.shapes, deadline)
        except (PointRejectedError, CodeStoppedError, TracingStoppedError, FreeMaximumError, ArgumentError):
            return ()
        found.append({each: tuple(map(side.cuts.expand, entries)) for each, entries in truth.items()})
    return tuple(found)


def _compare(surface: _Surface, left: sp.Expr, right: sp.Expr, title: str, deadline: float) -> Verdict:
    """The verdict on two sides where the equation holds."""
    first, second = (surface.on(surface.trace.cuts.expand(side)) for side in (left, right))
    if first == second:
        return Verdict("proved")
    limit = min(deadline - time.process_time(), _SECONDS)
    if limit <= 0 or any(side.has(sp.nan, sp.zoo, sp.oo) for side in (first, second)):
        return Verdict("undecided", reason="nothing is known there")
    verdict = decide(first, second, claim=title, budget=Budget(limit))
    if verdict.proved:
        return verdict
    facts = [fact for fact in surface.facts() if fact.expression.free_symbols and not holds_plainly(fact)]
    return decide(first, second, [fact.formula for fact in facts], claim=title, budget=Budget(limit))


def _holds(fact: Fact) -> bool:
    """Whether a condition on a number certainly holds."""
    sign = fact.expression.is_positive, fact.expression.is_negative, fact.expression.is_zero
    return bool(sign[0] or {">": False, ">=": sign[2], "!=": sign[1]}[fact.relation])
