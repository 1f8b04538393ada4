"""Weighted sums of a matrix with itself, which BLAS computes as symmetric products in half the time.

The sum over n of w[n]*X[n,i]*X[n,j] is A'A for A = sqrt(w)*X where the weights are never negative, and a product of an
array with its own transpose is what NumPy gives to the symmetric routine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbackprop.calculus.definitions import slot_symbol, used_slots
from symbackprop.calculus.indices import Index
from symbackprop.codegen.forms import Larger, LogOnePlus, Positive
from symbackprop.codegen.records import Constant, Count, Map, Position, Record, Value, reach


@dataclass(frozen=True, slots=True)
class WeightedSquare:
    """A product of two sides that carry one free index each, of weights, and of what no bound index is in."""

    left: sympy.Expr
    right: sympy.Expr
    weight: sympy.Expr
    outside: sympy.Expr


def find_square(
    product: sympy.Expr, carried: Sequence[Collection[Index]], bound: Collection[Index]
) -> WeightedSquare | None:
    """A product as a weighted square as far as the indices tell; slot k carries `carried[k]`."""
    groups: dict[frozenset[Index], list[sympy.Expr]] = {}
    for factor in sympy.Mul.make_args(product):
        labels = frozenset(i for k in used_slots(factor) for i in carried[k])
        groups.setdefault(labels if labels & frozenset(bound) else frozenset(), []).append(factor)
    outside = groups.pop(frozenset(), [])
    if len(bound) != 1 or len(groups) != 3:
        return None
    first, second, weight = sorted(groups, key=len, reverse=True)
    if weight != frozenset(bound) or len(first) != 2 or len(second) != 2:
        return None
    left, right, between = (sympy.Mul(*groups[labels]) for labels in (first, second, weight))
    return WeightedSquare(left, right, between, sympy.Mul(*outside))


def is_never_negative(values: Sequence[Value], number: int) -> bool:
    """Whether the entries of a value are 0 or more whatever the data are, as far as its formula tells."""
    signs: dict[int, sympy.Expr] = {}
    for k in sorted(reach(tuple(values), (number,))):
        signs[k] = _sign(values[k].record, k, signs)
    return bool(signs[number].is_nonnegative)


def _sign(record: Record, number: int, signs: Mapping[int, sympy.Expr]) -> sympy.Expr:
    """A symbol, or a number, with what is known of the sign of a value; `signs` are those of what it is made of."""
    real, positive, nonnegative = (
        sympy.Symbol(f"v{number}", **known) for known in ({"real": True}, {"positive": True}, {"nonnegative": True})
    )
    if isinstance(record, Constant):
        return record.number
    if isinstance(record, Count):
        return positive if _is_size(record.position) else real
    if not isinstance(record, Map) or not isinstance(record.body, sympy.Expr):
        return real
    body = record.body
    if isinstance(body, sympy.exp):
        return positive
    if isinstance(body, Positive):
        return nonnegative
    if isinstance(body, Larger | LogOnePlus):
        return nonnegative if any(signs[use.value].is_nonnegative for use in record.uses) else real
    if body.has(sympy.Function):
        return real
    found = body.xreplace({slot_symbol(k): signs[use.value] for k, use in enumerate(record.uses)})
    return positive if found.is_positive else nonnegative if found.is_nonnegative else real


def _is_size(position: Position) -> bool:
    """Whether a position is a sum of sizes, which are 1 or more, that takes nothing away."""
    amounts = [*(coefficient for _, coefficient in position.offset.terms), position.offset.constant]
    return not position.parts and min(amounts) >= 0 < max(amounts)
