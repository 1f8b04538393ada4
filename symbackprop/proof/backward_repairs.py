"""What would put an entry of a hand-written gradient right: each repair is proved before it is said.

Candidates come from what the traced code computes: its named results, its inputs and its numbers. They are tried in
numbers at the point of the path first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement
from math import isclose, isfinite, prod

import numpy as np
import sympy as sp
from flint import fmpq

from symbackprop.calculus.costs import is_longer
from symbackprop.errors import UnsupportedError
from symbackprop.language.reader import read_expression
from symbackprop.proof.budget import Budget
from symbackprop.proof.evaluation import evaluate
from symbackprop.proof.inner_arrays import entry_symbol
from symbackprop.proof.rounded_constants import constant_value, find_constant, say_rounded
from symbackprop.proof.tracing import Trace
from symbackprop.proof.wording import say, spell

MOST_PARTS = 16
"""Named results and inputs that are put in each other's places."""
MOST_TRIED = 8
"""Candidates that are tried by proof, of each kind."""
LONGEST = 12
"""Operations of a part that is named; a longer one helps nobody."""
_STEPS_OF_A_NUMBER = 20
MULTIPLES = (Fraction(1), Fraction(2), Fraction(1, 2), Fraction(4), Fraction(1, 4))

Same = Callable[[sp.Expr, sp.Expr], bool]


@dataclass(frozen=True, slots=True)
class WrongEntry:
    """An entry of a gradient: its symbol, the derivative as it is and as it was returned, and what is proved equal.

    `every` has both for all entries of the gradient; what is tried in numbers counts in the `budget`.
    """

    trace: Trace
    symbol: sp.Symbol
    left: sp.Expr
    right: sp.Expr
    title: str
    same: Same
    budget: Budget
    every: tuple[tuple[sp.Expr, sp.Expr], ...] = ()


def list_entry_repairs(entry: WrongEntry, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[str]:
    """What the entry lacks, in the order in which it is said."""
    yield from _rounded(entry)
    yield from _without_path(entry)
    yield from _assuming(entry, shapes)
    yield from _parts_of(entry)


def list_coefficient_repairs(entry: WrongEntry) -> Iterator[str]:
    """The same for what comes from one entry of the output alone."""
    weights = [w for w in entry.trace.upstream if w.is_Symbol and entry.left.has(w)]
    for weight in weights if len(weights) > 1 else ():
        left, right = sp.diff(entry.left, weight), sp.diff(entry.right, weight)
        if right == 0 or left == 0 or left.has(weight) or right.has(weight) or entry.same(left, right):
            continue
        title = f"in what comes from {weight}, {entry.title}"
        yield from _parts_of(WrongEntry(entry.trace, entry.symbol, left, right, title, entry.same, entry.budget))


def _tried(entry: WrongEntry, candidates: Iterator[tuple[str, sp.Expr, sp.Expr]]) -> Iterator[str]:
    """The words of the candidates (words, left, right) that are proved, of the first few that agree in numbers."""
    tried = 0
    known = {side: number_of(entry, side) for side in (entry.left, entry.right)}
    for words, left, right in candidates:
        numbers = [known[side] if side in known else number_of(entry, side) for side in (left, right)]
        if None in numbers or not isclose(*numbers, rel_tol=1e-9, abs_tol=1e-12):  # type: ignore[arg-type]
            continue
        tried += 1
        if tried > MOST_TRIED:
            return
        if is_same_in_short(entry, left, right) or entry.same(left, right):
            yield words


def is_same_in_short(entry: WrongEntry, left: sp.Expr, right: sp.Expr) -> bool:
    """Whether two formulas are proved equal whatever the named results are, of which they are short."""
    cuts = entry.trace.cuts
    return entry.same(*cuts.eliminate((cuts.shorten(left), cuts.shorten(right))))


def number_of(entry: WrongEntry, expression: sp.Expr, names: Mapping[str, Fraction] | None = None) -> float | None:
    """The value at the point of the path, with values for named results; None too where no steps are left, or where no
    float holds it.
    """
    if not entry.budget.has_steps:
        return None
    entry.budget.steps += _STEPS_OF_A_NUMBER
    try:
        value = evaluate(expression, entry.trace.point if names is None else {**entry.trace.point, **names})
        number = int(value.p) / int(value.q) if isinstance(value, fmpq) else float(value)
    except (ArithmeticError, UnsupportedError, KeyError):
        return None
    return number if isfinite(number) else None


def _rounded(entry: WrongEntry) -> Iterator[str]:
    """A decimal in place of a constant."""
    for number in sorted(entry.right.atoms(sp.Rational) - entry.left.atoms(sp.Rational)):
        for multiple in MULTIPLES:
            decimal = Fraction(int(abs(number.p)), int(number.q)) / multiple
            text = find_constant(decimal) if decimal.denominator > 1 else None
            if text is None:
                continue
            exact = read_expression(text)
            words = say_rounded(decimal, exact)
            factor = sp.sign(number) * sp.Rational(multiple.numerator, multiple.denominator)
            right = entry.right.xreplace({number: factor * constant_value(exact)})
            if words and entry.same(entry.left, right):  # a number at one point would not tell them apart
                yield f"{entry.title} has {words}"


def _without_path(entry: WrongEntry) -> Iterator[str]:
    """The derivative with a named result taken for constant."""

    def candidates() -> Iterator[tuple[str, sp.Expr, sp.Expr]]:
        cuts = entry.trace.cuts
        names = cuts.list_names(sp.Add(*(w * o for w, o in zip(entry.trace.upstream, entry.trace.output, strict=True))))
        for name in names:
            full = cuts.expand(name)
            if entry.symbol not in full.free_symbols:
                continue
            made = cuts.gradient(entry.trace.output, entry.trace.upstream, [entry.symbol], frozenset({name}))
            words = f"{entry.title} leaves out the path through {name_result(full)}"
            yield words, cuts.expand(made[entry.symbol]), entry.right

    yield from _tried(entry, candidates())


def name_result(result: sp.Expr) -> str:
    """A result as it was computed; of a long one only what was done last."""
    if not is_longer(result, LONGEST):
        return spell(result)
    if isinstance(result, sp.Pow):
        if isinstance(1 / result, sp.Add) and any(isinstance(term, sp.exp) for term in (1 / result - 1,)):
            return "sigmoid(...)"
        root = "sqrt(...)" if abs(result.exp) == sp.Rational(1, 2) else "(...)"
        return f"1/{root}" if result.exp.is_negative else root
    return f"{result.func.__name__}(...)"


def _assuming(entry: WrongEntry, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[str]:
    """An input that sums to 1 along an axis, or a matrix that is symmetric."""

    def candidates() -> Iterator[tuple[str, dict[sp.Expr, sp.Expr]]]:
        for name, shape in shapes.items():
            for axis, size in enumerate(shape):
                if size == 1:  # that it sums to 1 would fix it
                    continue
                sums: dict[sp.Expr, sp.Expr] = {}
                for place in np.ndindex(*shape):
                    if place[axis] == size - 1:
                        others = [(*place[:axis], k, *place[axis + 1 :]) for k in range(size - 1)]
                        sums[entry_symbol(name, place)] = 1 - sp.Add(*(entry_symbol(name, other) for other in others))
                along = f" along axis {axis}" if len(shape) > 1 else ""
                yield f"{entry.title} is right if {name} sums to 1{along}, which nothing ensures", sums
            if len(shape) == 2 and shape[0] == shape[1] and shape[0] > 1:
                places = [(i, j) for i, j in np.ndindex(*shape) if i > j]
                mirrored: dict[sp.Expr, sp.Expr] = {entry_symbol(name, p): entry_symbol(name, p[::-1]) for p in places}
                yield f"{entry.title} is right if {name} is symmetric, which nothing ensures", mirrored

    read = entry.left.free_symbols | entry.right.free_symbols
    for words, values in candidates():
        if not read & values.keys() or not _may_be_equal(entry, values):
            continue
        pairs = ((left.xreplace(values), right.xreplace(values)) for left, right in entry.every)
        if all(entry.same(*pair) for pair in pairs):
            yield words


def _may_be_equal(entry: WrongEntry, values: Mapping[sp.Expr, sp.Expr]) -> bool:
    """Whether both sides agree in numbers at the point of the path with other values for some inputs."""
    numbers = ((str(symbol), number_of(entry, value)) for symbol, value in values.items())
    moved = {name: Fraction(number) for name, number in numbers if number is not None}
    left, right = (number_of(entry, side, moved) for side in (entry.left, entry.right))
    return left is None or right is None or isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)


def _parts_of(entry: WrongEntry) -> Iterator[str]:
    """One part in place of another, or a factor too many or too few."""
    yield from _tried(entry, _replaced(entry))
    yield from _tried(entry, _exchanged(entry))
    yield from _tried(entry, _multiplied(entry))


def _parts(entry: WrongEntry, *expressions: sp.Expr) -> list[sp.Symbol]:
    """The inputs and the named results that some expressions read, short ones only."""
    cuts = entry.trace.cuts
    found: dict[sp.Symbol, None] = {}
    for expression in expressions:
        short = cuts.shorten(expression)
        plain = sorted(short.free_symbols, key=str)
        found.update(dict.fromkeys(s for s in (*plain, *cuts.list_names(short)) if s not in entry.trace.upstream))
    return [s for s in found if not is_longer(cuts.expand(s), LONGEST)][:MOST_PARTS]


def _replaced(entry: WrongEntry) -> Iterator[tuple[str, sp.Expr, sp.Expr]]:
    """What has the value of the derivative once a part of what was returned is another one."""
    cuts = entry.trace.cuts
    short = cuts.shorten(entry.right)
    truth = number_of(entry, entry.left)
    others = _parts(entry, entry.left)
    names = _values(entry, short, others)
    for one in _parts(entry, entry.right):
        for other in others if short.has(one) else ():
            value = number_of(entry, short.xreplace({one: other}), names) if one != other else None
            if truth is not None and value is not None and isclose(truth, value, rel_tol=1e-9, abs_tol=1e-12):
                words = f"{entry.title} has {say(cuts.expand(one))} in place of {say(cuts.expand(other))}"
                yield words, entry.left, cuts.expand(short.xreplace({one: other}))


def _exchanged(entry: WrongEntry) -> Iterator[tuple[str, sp.Expr, sp.Expr]]:
    """One part as a factor in place of another, where the part stands in other factors as well."""
    cuts = entry.trace.cuts
    truth, claimed = number_of(entry, entry.left), number_of(entry, entry.right)
    if not truth or not claimed:
        return
    claims, truths = (map(cuts.expand, _parts(entry, side)) for side in (entry.right, entry.left))
    others = [(other, number_of(entry, other)) for other in truths]
    for one in claims:
        value = number_of(entry, one)
        for other, number in others:
            if value and number and value != number and isclose(claimed * number, truth * value, rel_tol=1e-9):
                words = f"{entry.title} has the factor {say(one)} in place of {say(other)}"
                yield words, entry.left * one, entry.right * other


def _values(entry: WrongEntry, short: sp.Expr, parts: Iterable[sp.Symbol]) -> dict[str, Fraction]:
    """The values of the named results that an expression reads, and of some more."""
    cuts = entry.trace.cuts
    found = {}
    for name in dict.fromkeys((*sorted(short.free_symbols, key=str), *parts)):
        value = number_of(entry, cuts.expand(name))
        if value is not None and isfinite(value):
            found[name.name] = Fraction(value)
    return found


def list_factors(entry: WrongEntry) -> list[tuple[sp.Expr, float]]:
    """What a derivative may lack as a factor, with its value at the point of the path."""
    known: list[tuple[sp.Expr, float]] = []
    for symbol in _parts(entry, entry.left, entry.right):
        part = entry.trace.cuts.expand(symbol)
        for factor in (part, 1 - part, 1 + part, 1 - part**2):
            value = number_of(entry, factor)
            if value:
                known.append((factor, value))
    return known


def _multiplied(entry: WrongEntry) -> Iterator[tuple[str, sp.Expr, sp.Expr]]:
    """The entry times a part, or two, or divided by them."""
    truth, claimed = number_of(entry, entry.left), number_of(entry, entry.right)
    if not truth or not claimed:
        return
    known = list_factors(entry)
    for count in (1, 2):
        for chosen in combinations_with_replacement(known, count):
            value = prod(number for _, number in chosen)
            if count > 1 and isclose(value, 1, rel_tol=1e-9):
                continue  # e^z and e^{-z} take each other away
            factor = sp.Mul(*(part for part, _ in chosen))
            for sign in (1, -1):
                wrong = "has the wrong sign and " if sign < 0 else ""
                if isclose(sign * claimed * value, truth, rel_tol=1e-9):
                    words = f"{entry.title} {wrong}lacks the factor {say(factor)}"
                    yield words, entry.left, sign * entry.right * factor
                if isclose(sign * truth * value, claimed, rel_tol=1e-9):
                    words = f"{entry.title} {wrong}has the extra factor {say(factor)}"
                    yield words, sign * entry.left * factor, entry.right
