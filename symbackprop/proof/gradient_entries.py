"""The gradient of an input, entry by entry: as it should be, and as a backward returned it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import sympy as sp

from symbackprop.proof.inner_arrays import entry_symbol
from symbackprop.proof.plain_signs import holds_plainly
from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_needs import list_needs
from symbackprop.proof.tracing import Shapes, Trace


@dataclass(frozen=True, slots=True)
class Gradients:
    """The gradient of one input as it should be and as it was returned, entry by entry in row-major order."""

    name: str
    shape: tuple[int, ...]
    truth: tuple[sp.Expr, ...]
    claims: tuple[sp.Expr, ...]

    @classmethod
    def of(cls, trace: Trace, name: str, truth: tuple[sp.Expr, ...]) -> Gradients:
        """Both in full, from a run and the derivatives of what it computed."""
        shape, claims = trace.gradients[name]
        return cls(name, shape, tuple(map(trace.cuts.expand, truth)), tuple(map(trace.cuts.expand, claims)))

    def pairs(self) -> list[tuple[sp.Expr, sp.Expr]]:
        """The derivative and what was returned, entry by entry."""
        return list(zip(self.truth, self.claims, strict=True))

    def number_of(self, place: tuple[int, ...]) -> int:
        """Where an entry stands in row-major order, counted from 0."""
        return int(np.ravel_multi_index(place, self.shape)) if self.shape else 0


def true_gradients(trace: Trace, shapes: Shapes, deadline: float) -> dict[str, tuple[sp.Expr, ...]]:
    """The derivatives of <upstream, output> by the entries of each input, upstream held fixed."""
    symbols = {name: [entry_symbol(name, place) for place in np.ndindex(*shape)] for name, shape in shapes.items()}
    every = [symbol for each in symbols.values() for symbol in each]
    made = trace.cuts.gradient(trace.output, trace.upstream, every, check_time=lambda: _check_time(deadline))
    return {name: tuple(made[symbol] for symbol in each) for name, each in symbols.items()}


def domain_of(trace: Trace) -> tuple[sp.Basic, ...]:
    """What forward needs to have a value."""
    needs = map(trace.cuts.expand_fact, list_needs(trace.needs[""]))
    return tuple(fact.formula for fact in needs if not holds_plainly(fact))


def _check_time(deadline: float) -> None:
    if time.process_time() > deadline:
        raise TracingStoppedError("the time allowed ran out")
