"""What traced numbers need to have a value: denominators, roots and logarithms on the way to them.

Formulas lose some of it, as x*x/x is x. So each number carries its own: a tree that operations join in one step, and
that is read once, when a verdict says where it holds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import sympy as sp

from symbackprop.proof.domains import conditions_of
from symbackprop.proof.facts import Fact
from symbackprop.proof.stops import TracingStoppedError

_PROBE = sp.Symbol("probe")


@dataclass(frozen=True, slots=True, eq=False)
class Needs:
    """Conditions of an operation, and the needs of its operands."""

    facts: tuple[Fact, ...]
    parts: tuple[Needs, ...] = ()


def join_needs(first: Needs | None, second: Needs | None) -> Needs | None:
    """The needs of both."""
    if first is None or first is second:
        return second
    return first if second is None else Needs((), (first, second))


def list_needs(all_needs: Iterable[Needs | None]) -> tuple[Fact, ...]:
    """All conditions, each once, those of the operands first."""
    found: dict[Fact, None] = {}
    seen: set[int] = set()
    for whole in all_needs:
        order: list[Needs] = []
        waiting = [whole] if whole is not None else []
        while waiting:
            needs = waiting.pop()
            if id(needs) not in seen:
                seen.add(id(needs))
                order.append(needs)
                waiting += needs.parts
        for needs in reversed(order):
            found.update(dict.fromkeys(needs.facts))
    return tuple(found)


def needs_of_quotient(_: sp.Expr, denominator: sp.Expr) -> Needs | None:
    """What a division needs."""
    return None if denominator.is_number else Needs((Fact(denominator, "!="),))


def needs_of_power(base: sp.Expr, exponent: sp.Expr) -> Needs | None:
    """What a power needs."""
    if base.is_number:
        return None
    return _at(base, _of_probe_to_the(exponent) if exponent.is_number else (Fact(_PROBE, ">"),))


def needs_of_function(function: Callable[[sp.Expr], sp.Expr], argument: sp.Expr) -> Needs | None:
    """What a function of one number needs: what its formula does, before anything cancels."""
    return None if argument.is_number else _at(argument, _of_probe(function))


@functools.lru_cache(maxsize=128)
def _of_probe(function: Callable[[sp.Expr], sp.Expr]) -> tuple[Fact, ...]:
    return conditions_of(function(_PROBE))


@functools.lru_cache(maxsize=128)
def _of_probe_to_the(exponent: sp.Expr) -> tuple[Fact, ...]:
    return conditions_of(_PROBE**exponent)


def _at(argument: sp.Expr, facts: tuple[Fact, ...]) -> Needs | None:
    return Needs(tuple(fact.substitute({_PROBE: argument}) for fact in facts)) if facts else None


def valued(expression: sp.Expr) -> sp.Expr:
    """The expression, unless something was divided by an exact zero or left the real numbers."""
    lost = expression in (sp.nan, sp.zoo) or sp.zoo in expression.args
    if lost or (expression.is_number and expression.has(sp.nan, sp.zoo, sp.I)):
        raise TracingStoppedError("a division by zero, or a root or logarithm that is not real, was computed")
    return expression
