"""All paths at once: a hand-written backward with its comparisons left open.

An entry of a gradient that depends on a few of many comparisons is proved for each combination of those few. So the
paths, of which there are as many as combinations of all comparisons, need not be run one by one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import sympy as sp

from symbackprop.errors import ArgumentError
from symbackprop.proof.backward_findings import Findings
from symbackprop.proof.budget import Budget
from symbackprop.proof.choices import Alternative, Choice
from symbackprop.proof.cuts import PREFIX
from symbackprop.proof.equality import decide
from symbackprop.proof.exploration import trace_paths
from symbackprop.proof.factors import may_expand
from symbackprop.proof.facts import Fact
from symbackprop.proof.float_range import is_no_path
from symbackprop.proof.gradient_entries import true_gradients
from symbackprop.proof.guarded_calls import CodeStoppedError
from symbackprop.proof.open_needs import holds_openly
from symbackprop.proof.path_signs import Reading
from symbackprop.proof.plain_signs import holds_plainly
from symbackprop.proof.problems import read_conditions
from symbackprop.proof.stops import FreeMaximumError, TracingStoppedError
from symbackprop.proof.traced_needs import list_needs
from symbackprop.proof.tracing import Subject, Trace

_MOST_CASES = 128
_SECONDS = 5.0
"""What one equation may take."""


class NotProvedError(Exception):
    """The comparisons cannot be left open; `facts` is where an equation does not hold, as far as that is known."""

    def __init__(self, facts: tuple[Fact, ...] = ()) -> None:
        self.facts = facts
        super().__init__()


@dataclass(frozen=True, slots=True)
class OpenProof:
    """What was proved with open comparisons: where the sample points are, beside ties, and what more it needs."""

    seen: tuple[Fact, ...]
    hypotheses: Mapping[str, sp.Basic | None]


def prove_openly(subject: Subject, deadline: float, most: int, reading: Reading, found: Findings) -> OpenProof:
    """A proof for all paths, with what was proved on some; NotProvedError where there is none."""
    own = replace(found, hypotheses={}, seen=set(), unvisited=[], admitted=set())
    seen: dict[Fact, None] = {}
    try:
        for trace in trace_paths(subject, deadline, most, replace(reading, comparisons_open=True)):
            if not isinstance(trace, Trace) or not trace.choices or 2 ** len(trace.conditions) > most:
                raise NotProvedError
            _OnePath(trace, own, deadline).prove(subject)
            seen.update(dict.fromkeys((*trace.conditions, *trace.choices.facts())))
    except (CodeStoppedError, TracingStoppedError, FreeMaximumError, ArgumentError) as error:
        raise NotProvedError from error
    if any(PREFIX in text for text in own.hypotheses):
        raise NotProvedError
    return OpenProof(tuple(seen), own.hypotheses)


@dataclass(slots=True)
class _OnePath:
    """One path through what was not left open, and what was proved so far."""

    trace: Trace
    found: Findings
    deadline: float
    cases: int = 0  # of the equation that is proved

    def prove(self, subject: Subject) -> None:
        """A proof of each entry."""
        trace = self.trace
        if trace.unwritten or any(trace.gradients[name][0] != shape for name, shape in subject.shapes.items()):
            raise NotProvedError
        truth = true_gradients(trace, subject.shapes, self.deadline)
        self._admit(map(trace.cuts.expand_fact, list_needs(trace.needs[""])))
        for name in subject.shapes:
            self._admit(map(trace.cuts.expand_fact, list_needs(trace.needs[name])))
            for left, right in zip(truth[name], trace.gradients[name][1], strict=True):
                self._admit(trace.cuts.domain((left, right)))
                self.cases = 0
                if left != right and not self._holds_in_short(left, right):
                    self._prove_cases(trace.cuts.expand(left), trace.cuts.expand(right), ())

    def _admit(self, conditions: Iterable[Fact]) -> None:
        """Note conditions; those on what is open have to hold in each case by themselves."""
        for fact in conditions:
            if not self.trace.choices.among((fact.expression,)):
                self.found.admit(self.trace, (fact,))
            elif not holds_openly(fact, self.trace.choices, self.trace.conditions):
                raise NotProvedError

    def _alternatives(self, choice: Choice, known: tuple[Fact, ...]) -> Iterator[Alternative]:
        """The alternatives that may be taken where some facts hold; NotProvedError once they are too many."""
        for alternative in choice.alternatives:
            if not is_no_path((*self.trace.conditions, *known, *alternative.facts)):
                self.cases += 1
                if self.cases > _MOST_CASES:
                    raise NotProvedError
                yield alternative

    def _holds_in_short(self, left: sp.Expr, right: sp.Expr) -> bool:
        """Whether an equation is proved whatever its names and what is open are worth."""
        found, cuts = self.found, self.trace.cuts
        for eliminated in (found.eliminated, not found.eliminated):
            alike = found.outlines.of((left, right, *(cuts.equations((left, right)) if eliminated else ())))
            if alike in found.alike:
                return True
            pair = cuts.eliminate((left, right)) if eliminated else (left, right)
            verdict = decide(*pair, claim="", budget=self._budget())
            if verdict.proved and len(verdict.formulas) == len(verdict.hypotheses):
                found.alike.add(alike)
                return True
        return False

    def _prove_cases(self, left: sp.Expr, right: sp.Expr, known: tuple[Fact, ...]) -> None:
        """A proof of an equation in full, case by case of what it reads; what is equal already is split no further."""
        if left == right or (left, right) in self.found.proved:
            return
        choices = self.trace.choices.among((left, right))
        if not choices:
            self._prove_case(left, right, known)
        elif not may_expand(left - right) or sp.expand(left - right) != 0:
            for alternative in self._alternatives(choices[0], known):
                self._prove_cases(alternative.tell(left), alternative.tell(right), (*known, *alternative.facts))

    def _prove_case(self, left: sp.Expr, right: sp.Expr, known: tuple[Fact, ...]) -> None:
        """A proof where some facts hold, without more hypotheses than were admitted."""
        verdict = decide(left, right, claim="", budget=self._budget())
        if not verdict.proved:
            differs = verdict.refuted  # smooth sides that differ somewhere do so nearly everywhere
            verdict = decide(left, right, [fact.formula for fact in known], claim="", budget=self._budget())
            if not verdict.proved:
                raise NotProvedError(known if differs or verdict.refuted else ())
        needed = [fact for formula in verdict.formulas for fact in read_conditions(formula)]
        if not all(fact in known or fact in self.found.admitted or holds_plainly(fact) for fact in needed):
            raise NotProvedError

    def _budget(self) -> Budget:
        limit = min(self.deadline - time.process_time(), _SECONDS)
        if limit <= 0:
            raise NotProvedError
        return Budget(limit)
