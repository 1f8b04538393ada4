"""Ranges of reads as guards: which a formula needs where hidden parts are put back, and which it keeps by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symbackprop.calculus.definitions import slot_symbol
from symbackprop.calculus.guards import Guard, Within, ranges_of
from symbackprop.calculus.indices import Affine, is_nonnegative
from symbackprop.calculus.tensors import Read, Slot


def outside_guards(read: Read) -> list[Within]:
    """The guards that a read is inside its tensor, those left out that hold by themselves."""
    return [guard for guard in ranges_of(read.at, read.tensor.spans) if guard.decide() is not True]


def kept_guards(body: sympy.Basic, reads: Mapping[sympy.Basic, Read]) -> frozenset[Within]:
    """The ranges outside which a body is 0, since what it is a multiple of is."""
    if isinstance(body, sympy.Symbol):
        return frozenset(outside_guards(reads[body])) if body in reads else frozenset()
    if isinstance(body, sympy.Mul):
        return frozenset[Within]().union(*(kept_guards(a, reads) for a in body.args))
    if isinstance(body, sympy.Add):
        return frozenset[Within].intersection(*(kept_guards(a, reads) for a in body.args))
    if isinstance(body, sympy.Pow) and body.exp.is_positive:
        return kept_guards(body.base, reads)
    return frozenset()


def vanishes_outside(body: sympy.Expr, slots: Sequence[Slot], guard: Within) -> bool:
    """Whether a body is 0 where a guard does not hold, since what it reads is."""
    zero = {
        slot_symbol(k): sympy.Integer(0)
        for k, s in enumerate(slots)
        if isinstance(s, Read) and guard in outside_guards(s)
    }
    return bool(zero) and body.xreplace(zero) == 0


def implies_guard(known: Guard, guard: Within) -> bool:
    """Whether one guard asks for a range of the same form that lies in that of another."""
    if not isinstance(known, Within) or known.form != guard.form or known.start < guard.start:
        return False
    return is_nonnegative(guard.size - known.size + Affine.of(guard.start - known.start))
