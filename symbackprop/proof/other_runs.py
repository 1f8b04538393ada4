"""What other runs of the same code say of a gradient that is wrong.

Other shapes tell the length of an axis from a number; another branch shows whose derivative was returned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import sympy as sp

from symbackprop.errors import ArgumentError
from symbackprop.proof.exploration import branches_of, first_trace, trace_below
from symbackprop.proof.facts import Fact
from symbackprop.proof.gradient_entries import Gradients, true_gradients
from symbackprop.proof.guarded_calls import CodeStoppedError
from symbackprop.proof.shapes import other_shapes
from symbackprop.proof.stops import FreeMaximumError, TracingStoppedError
from symbackprop.proof.tracing import Subject, Trace

_MOST_BRANCHES = 3
_MOST_SHAPES = 12


@dataclass(frozen=True, slots=True)
class OtherRuns:
    """The code that was judged, the run in which a gradient was found wrong, and until when others may be made."""

    subject: Subject
    trace: Trace
    deadline: float

    def at_other_shapes(self, name: str) -> Iterator[tuple[Trace, Gradients]]:
        """Runs at other shapes, and the gradient of an input there; nothing where the code accepts none."""
        for other in islice(other_shapes(self.subject), _MOST_SHAPES):
            try:
                trace = first_trace(other, self.deadline, self.trace.reading)
                truth = true_gradients(trace, other.shapes, self.deadline)[name]
            except (CodeStoppedError, ArgumentError):
                continue
            except TracingStoppedError:
                return
            if trace.gradients[name][0] == other.shapes[name]:
                yield trace, Gradients.of(trace, name, truth)

    def with_maxima_free(self) -> Trace | None:
        """A run in which nothing is known of maxima, if there are such and the code does not compare them."""
        try:
            trace = first_trace(self.subject, self.deadline, replace(self.trace.reading, maxima_free=True))
        except (CodeStoppedError, ArgumentError, TracingStoppedError, FreeMaximumError):
            return None
        return trace if trace.maxima_free else None

    def in_other_branches(
        self, name: str, number: int, symbol: sp.Symbol
    ) -> Iterator[tuple[tuple[Fact, ...], tuple[sp.Expr, sp.Expr]]]:
        """What else holds where a condition on an entry is the other way round, and there the derivative by it and what
        was returned.

        Conditions that came last are turned first, as those before them stay as they are.
        """
        asked = [branch for branch in branches_of(self.trace, 0) if _reads(branch.conditions[-1], symbol)]
        for branch in asked[: -_MOST_BRANCHES - 1 : -1]:
            try:
                trace = trace_below(self.subject, branch, self.deadline, self.trace.reading)
                if trace is None:
                    continue
                truth = true_gradients(trace, self.subject.shapes, self.deadline)[name]
            except (CodeStoppedError, ArgumentError, TracingStoppedError):
                return
            if trace.gradients[name][0] != self.subject.shapes[name]:
                continue
            changed = [fact for fact in trace.conditions if _reads(fact, symbol) and fact not in self.trace.conditions]
            yield tuple(changed), Gradients.of(trace, name, truth).pairs()[number]


def _reads(fact: Fact, symbol: sp.Symbol) -> bool:
    return any(each.name == symbol.name for each in fact.expression.free_symbols)
