"""What the other entries of wrong gradients say of one: what would put them right, or whether the same would.

A factor that puts one entry right by chance, as only one term is left of a sum there, does so at no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain, islice
from math import isclose, isfinite

import numpy as np
import sympy as sp

from symbackprop.proof.backward_paths import list_path_repairs
from symbackprop.proof.backward_repairs import (
    Same,
    WrongEntry,
    is_same_in_short,
    list_coefficient_repairs,
    list_entry_repairs,
    number_of,
)
from symbackprop.proof.budget import Budget
from symbackprop.proof.gradient_entries import Gradients
from symbackprop.proof.inner_arrays import entry_name, entry_symbol
from symbackprop.proof.tracing import Trace
from symbackprop.proof.wording import spell

_MOST_OTHERS = 3
_MOST_INPUTS = 6
_LARGEST_SQUARE = 1024
_FACTOR = " factor "


def wrong_entry(
    trace: Trace, gradients: Gradients, place: tuple[int, ...], same: Same, budget: Budget
) -> WrongEntry:
    """An entry of a gradient as its repairs are looked for."""
    every = tuple(gradients.pairs())
    title = f"the gradient of {entry_name(gradients.name, place)}"
    symbol = entry_symbol(gradients.name, place)
    return WrongEntry(trace, symbol, *every[gradients.number_of(place)], title, same, budget, every)


def list_in_other_entries(
    trace: Trace, gradients: Gradients, inputs: Sequence[Gradients], first: WrongEntry
) -> Iterator[str]:
    """What other entries have wrong, the last first: fewest paths lead to what is read last. Then those of the other
    inputs, as what is wrong in one layer is plainer there than in those before it.
    """
    for entry in islice(_list_wrong(trace, gradients, first), _MOST_OTHERS):
        yield from list_path_repairs(entry)
    for other in inputs[:_MOST_INPUTS]:
        yield from _by_a_number(trace, other, first)
    shapes = {name: shape for name, (shape, _) in trace.gradients.items()}
    for other in inputs[:_MOST_INPUTS]:
        for entry in islice(_list_wrong(trace, other, first), 1):
            plain = chain(list_entry_repairs(entry, shapes), list_coefficient_repairs(entry))
            repairs = chain(plain, list_path_repairs(entry))
            yield from (text for text in repairs if is_said_elsewhere(text, trace, other, entry))


def _by_a_number(trace: Trace, gradients: Gradients, first: WrongEntry) -> Iterator[str]:
    """A whole gradient with a number too many, or without it: a short one or its root."""
    entry = next(_list_wrong(trace, gradients, first), None)
    numbers = (number_of(entry, entry.left), number_of(entry, entry.right)) if entry is not None else (None, None)
    if not numbers[0] or not numbers[1]:
        return
    ratio = numbers[1] / numbers[0]
    square = ratio * ratio
    if not isfinite(square):
        return
    short = Fraction(square).limit_denominator(_LARGEST_SQUARE)
    if not isclose(short, square, rel_tol=1e-9) or short.numerator > _LARGEST_SQUARE:
        return
    factor = sp.sqrt(sp.Rational(short.numerator, short.denominator)) * (1 if numbers[0] * numbers[1] > 0 else -1)
    if all(is_same_in_short(first, factor * truth, claim) for truth, claim in gradients.pairs()):
        has = "has the extra factor" if abs(factor) > 1 else "lacks the factor"
        sign = "has the wrong sign" if factor < 0 else ""
        size = "" if abs(factor) == 1 else f"{has} {spell(max(abs(factor), 1 / abs(factor)))}"
        yield f"the gradient of {gradients.name} {' and '.join(filter(None, (sign, size)))}"


def is_said_elsewhere(text: str, trace: Trace, gradients: Gradients, entry: WrongEntry) -> bool:
    """Whether a factor with names of entries puts another wrong entry right too, in its own names."""
    _, _, factor = text.partition(_FACTOR)
    if not any(f"{name}[" in factor for name in trace.gradients):
        return True
    shapes = {name: shape for name, (shape, _) in trace.gradients.items()}
    for other in islice(_list_wrong(trace, gradients, entry), 1):
        repairs = chain(list_entry_repairs(other, shapes), list_coefficient_repairs(other))
        return any(_outline(each) == _outline(text) for each in repairs)
    return True


def _outline(text: str) -> str:
    return re.sub(r"\d+", "#", text)


def _list_wrong(trace: Trace, gradients: Gradients, but: WrongEntry) -> Iterator[WrongEntry]:
    """The entries but one whose values differ at the point of the path and are not 0, the last first."""
    for place in reversed(list(np.ndindex(*gradients.shape))):
        entry = wrong_entry(trace, gradients, place, but.same, but.budget)
        if entry.symbol == but.symbol or 0 in (entry.left, entry.right):
            continue
        numbers = number_of(entry, entry.left), number_of(entry, entry.right)
        if None not in numbers and not isclose(*numbers, rel_tol=1e-9, abs_tol=1e-12):  # type: ignore[arg-type]
            yield entry
