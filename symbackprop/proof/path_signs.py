"""The signs that decide what traced code does: exact at one rational point, and recorded.

A run of the code follows one path, and the recorded conditions say for which inputs the path is taken.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp

from symbackprop.proof.arguments import argument_of_sign
from symbackprop.proof.budget import Budget
from symbackprop.proof.choices import Choice, Choices
from symbackprop.proof.cuts import Cuts
from symbackprop.proof.equality import decide
from symbackprop.proof.evaluation import (
    PRECISIONS,
    ImpreciseValueError,
    UndefinedValueError,
    evaluate,
    sign_of_value,
)
from symbackprop.proof.facts import Fact
from symbackprop.proof.problems import realise
from symbackprop.proof.stops import FreeMaximumError, PointRejectedError, TracingStoppedError

_MOST_STEPS = 1_000
_MOST_OPEN = 3
"""Comparisons left open that one more comparison may depend on."""
_STEPS, _SECONDS, _FEW_SECONDS = 50_000, 20.0, 0.1  # to tell that a comparison is a tie; the seconds are a guard


NO_TRACE = "write it out with arithmetic, exp, log, where and sums"
"""What to do about a function that has no trace."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a run reads what the code computes with.

    `maxima_free`: `x.max(...)` is a number of which nothing is known, nor how it moves with x. What is proved so holds
    for each value of it, the true one among them, whichever entry is the largest.
    `masks_infinite`: a number that no float survives in `exp`, such as -1e9, is minus infinity, as a mask means it.
    `comparisons_open`: what a comparison gives is a number of which nothing is known, until the code asks for it. What
    is proved so holds whichever way the comparison goes.
    `parts_sorted`: where NumPy leaves the order of entries open, as in np.partition, they rise; else their places fall.
    `equal`: a difference of real numbers that is 0 at the point, where the code asks whether it is.
    """

    maxima_free: bool = False
    masks_infinite: bool = False
    comparisons_open: bool = False
    parts_sorted: bool = False
    equal: sp.Expr | None = None


class PathSigns:
    """The point that decides the comparisons of one run, and what was compared on the way."""

    def __init__(self, point: Mapping[str, Fraction], deadline: float, reading: Reading) -> None:
        self.reading = reading
        self.maxima_compared = False
        self.point = dict(point)
        self.conditions: list[Fact] = []
        self.cuts = Cuts()
        self.choices = Choices()
        self._deadline = deadline
        self._known: dict[tuple[sp.Expr, str], int] = {}

    def check_time(self) -> None:
        """Raise once the time is spent."""
        if time.process_time() > self._deadline:
            raise TracingStoppedError("the time allowed ran out while the code was traced")

    def sign(self, difference: sp.Expr, *, equality: bool = False) -> int:
        """The sign of an expression on this path; recorded unless it is a number or known."""
        self.check_time()
        difference = self.cuts.expand(difference)
        if self.cuts.reads_free(difference):
            self.maxima_compared = True  # whatever the code does with the error
            raise FreeMaximumError("a maximum is compared")
        difference = self.tell(difference)
        if difference.is_number:
            if difference.is_infinite:
                return 1 if difference.is_positive else -1
            return self._evaluate_sign(difference)
        turned = bool(difference.could_extract_minus_sign())
        canonical = -difference if turned else difference
        sign = self._known.get((canonical, "sign"))
        if sign is None and equality:
            sign = self._known.get((canonical, "equality"))
        if sign is None:
            if equality and self.reading.equal is not None and realise(canonical) == self.reading.equal:
                sign = 0
                self.conditions.append(Fact(self.reading.equal, "="))
            else:
                sign = self._evaluate_sign(canonical)
            self._known[canonical, "equality" if equality else "sign"] = sign
            if sign:
                real = realise(canonical)
                relation: Any = "!=" if equality else ">"
                self.conditions.append(Fact(real if sign > 0 or equality else -real, relation))
        return -sign if turned else sign

    def tell(self, expression: sp.Expr) -> sp.Expr:
        """A full expression with what it reads of open comparisons as that is on this path, which is recorded."""
        values: dict[sp.Symbol, sp.Expr] = {}
        for choice in self.choices.among((expression,)):
            alternative = choice.alternatives[choice.taken]
            values |= alternative.values
            for positive in alternative.positive:
                self.sign(positive)
        return expression.xreplace(values) if values else expression

    def compare(self, difference: sp.Expr, holds: Callable[[int], bool]) -> sp.Expr:
        """Whether what is said of the sign of a difference holds: 0, 1, or open where the path leaves that."""
        self.check_time()
        difference = self.cuts.expand(difference)
        if len(self.choices.among((difference,))) > _MOST_OPEN:
            difference = self.tell(difference)
        return self._compare_openly(difference, holds, {})

    def _compare_openly(self, difference: sp.Expr, holds: Callable[[int], bool], taken: dict[Choice, int]) -> sp.Expr:
        """The comparison, gone through alternative by alternative of what the difference reads."""
        open_choices = self.choices.among((difference,))
        if open_choices:
            choice = open_choices[0]
            return sp.Add(
                *(
                    each.indicator * self._compare_openly(difference.xreplace(each.values), holds, {**taken, choice: k})
                    for k, each in enumerate(choice.alternatives)
                )
            )
        equality = holds(1) == holds(-1)
        if equality and self.choices.has_compared(difference):
            return sp.Integer(holds(1))
        if equality or difference.is_number or self.cuts.reads_free(difference):
            return sp.Integer(holds(self.sign(difference, equality=equality)))
        inner = argument_of_sign(difference)
        if inner is not None:  # a comparison of increasing functions is one of what they are taken of
            return self._compare_openly(inner, holds, taken)
        turned = bool(difference.could_extract_minus_sign())
        canonical = -difference if turned else difference
        known = self._known.get((canonical, "sign"))
        sign = self._evaluate_sign(canonical) if known is None else known
        if known is not None or sign == 0:
            return sp.Integer(holds(-sign if turned else sign))
        choice = self.choices.of_sign(canonical, sign)
        above, below = (sp.Integer(holds(-each if turned else each)) for each in (1, -1))
        if choice in taken:
            return (above, below)[taken[choice]]
        return above * choice.alternatives[0].indicator + below * choice.alternatives[1].indicator

    def largest(self, numbers: Sequence[sp.Expr]) -> sp.Expr | None:
        """The largest of some numbers, which of them is left open; None where they depend on what is open already."""
        full: dict[sp.Expr, sp.Expr] = {}
        for each in numbers:
            expanded = self.cuts.expand(each)
            if self.choices.among((expanded,)):
                return None
            if not any(self._evaluate_sign(expanded - other) == 0 for other in full):  # else it is the same number
                full[expanded] = each
        if len(full) < 2:
            return None
        best = functools.reduce(lambda one, other: other if self._evaluate_sign(other - one) > 0 else one, full)
        choice = self.choices.of_largest(tuple(full), list(full).index(best))
        pairs = zip(full.values(), choice.alternatives, strict=True)
        return sp.Add(*(number * alternative.indicator for number, alternative in pairs))

    def is_positive_here(self, expression: sp.Expr) -> bool:
        """Whether an expression is positive at the sample point, which makes no path of its own."""
        return self._evaluate_sign(self.tell(self.cuts.expand(expression))) > 0

    def floor(self, expression: sp.Expr) -> int:
        """The largest integer that is not above an expression on this path.

        It is counted to from 0, so that the conditions of neighbouring paths begin alike.
        """
        step = 1 if self.sign(expression) >= 0 else -1
        for whole in range(0, step * _MOST_STEPS, step):
            if step > 0 and self.sign(expression - whole - 1) < 0:
                return whole
            if step < 0 and self.sign(expression - whole + 1) >= 0:
                return whole - 1
        raise TracingStoppedError(f"a number beyond {_MOST_STEPS} is cut to an integer")

    def _evaluate_sign(self, expression: sp.Expr) -> int:
        sign: int | None = None
        for precision in PRECISIONS:
            try:
                sign = sign_of_value(evaluate(expression, self.point, precision))
                break
            except ImpreciseValueError:
                continue
            except UndefinedValueError as error:
                raise PointRejectedError("something compared has no value at the sample point") from error
        if not sign and not expression.is_number:
            seconds = max(min(self._deadline - time.process_time(), _SECONDS), _FEW_SECONDS)
            if decide(expression, sp.S.Zero, claim="", budget=Budget(seconds, most_steps=_STEPS)).proved:
                return 0
            raise PointRejectedError("a comparison is a tie at the sample point")
        if sign is None:
            raise TracingStoppedError("the sign of a number could not be told")
        return sign
