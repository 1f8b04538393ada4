"""Whether what backward held is a derivative, entry by entry, within the time that is left."""

from __future__ import annotations

import time

import sympy as sp

from symbackprop.proof.budget import Budget
from symbackprop.proof.equality import decide, find_witness
from symbackprop.proof.gradient_entries import domain_of
from symbackprop.proof.tracing import Trace

_SECONDS_FOR_ONE = 1.0

Entries = tuple[sp.Expr, ...]


def compare(trace: Trace, truth: Entries, entries: Entries, deadline: float) -> bool | None:
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
