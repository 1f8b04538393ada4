"""What a hand-written gradient has of the paths of the chain rule: some of them only, or one with another factor.

An entry of a gradient is the sum of what comes along all paths from the output. Where it is wrong in a part of them, it
is A + k*P: P comes along those, A along the others, and k is found in numbers and proved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from math import isclose, isfinite

import sympy as sp

from symbackprop.proof.backward_repairs import WrongEntry, is_same_in_short, list_factors, name_result, number_of
from symbackprop.proof.wording import join_words, say

_MOST_USES = 10
_MOST_PARTS = 40
_MOST_TRIED = 8
_LARGEST_NUMBER = 64

Step = tuple[sp.Symbol | None, sp.Symbol]
"""From a result, or from the outputs where it is None, to what it reads directly."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the paths: what they are called, and what an entry is along the others."""

    words: str
    others: sp.Expr


def list_path_repairs(entry: WrongEntry) -> Iterator[str]:
    """What the entry has wrong in a part of its paths, in the order in which it is said."""
    yield from _some_uses(entry)
    yield from _other_factors(entry)
    yield from _other_roots(entry)


def _along(entry: WrongEntry, fixed: frozenset[sp.Symbol], left_out: frozenset[Step]) -> sp.Expr:
    """The derivative without some paths."""
    trace = entry.trace
    made = trace.cuts.gradient(trace.output, trace.upstream, [entry.symbol], fixed, left_out=left_out)
    return trace.cuts.expand(made[entry.symbol])


def _is_same(entry: WrongEntry, expression: sp.Expr) -> bool:
    """Whether it is proved to be what was returned: whatever the named results are, else for what they are."""
    return is_same_in_short(entry, expression, entry.right) or entry.same(expression, entry.right)


def _names(entry: WrongEntry) -> list[sp.Symbol]:
    """The named results that the output is made of, in the order of their making."""
    return entry.trace.cuts.list_names(sp.Add(*entry.trace.output))


def _some_uses(entry: WrongEntry) -> Iterator[str]:
    """An input that is read in several places, of which some are not counted."""
    cuts = entry.trace.cuts
    uses: list[Step] = [(name, entry.symbol) for name in _names(entry) if entry.symbol in cuts.read_by(name)]
    if any(entry.symbol in each.free_symbols for each in entry.trace.output):
        uses.append((None, entry.symbol))
    if not 2 <= len(uses) <= _MOST_USES:
        return
    whole, claimed = number_of(entry, entry.left), number_of(entry, entry.right)
    if whole is None or claimed is None:
        return
    parts: list[float] = []
    for use in uses:
        others = number_of(entry, _along(entry, frozenset(), frozenset({use})))
        if others is None:
            return
        parts.append(whole - others)
    tried = 0
    for count in range(1, len(uses)):
        for missing in combinations(range(len(uses)), count):
            if not isclose(sum(parts[k] for k in range(len(uses)) if k not in missing), claimed, rel_tol=1e-9):
                continue
            tried += 1
            if tried > _MOST_TRIED:
                return
            if _is_same(entry, _along(entry, frozenset(), frozenset(uses[k] for k in missing))):
                places = join_words([_place(entry, uses[k][0]) for k in missing])
                counted = f"{len(uses) - count} of the {len(uses)} uses"
                yield f"{entry.title} counts {counted}: it leaves out that in {places}"


def _place(entry: WrongEntry, name: sp.Symbol | None) -> str:
    return "the output itself" if name is None else name_result(entry.trace.cuts.expand(name))


def _other_factors(entry: WrongEntry) -> Iterator[str]:
    """A part of the paths with a factor too many, or without one."""
    tried = 0
    claimed = number_of(entry, entry.right)
    whole = number_of(entry, entry.left)
    if claimed is None or whole is None:
        return
    known = _list_factors(entry)
    for part in _list_parts(entry):
        others = number_of(entry, part.others)
        if others is None or isclose(whole, others, rel_tol=1e-9):
            continue
        ratio = (claimed - others) / (whole - others)
        if not isfinite(ratio):
            continue
        for words, factor in _factors(entry, ratio, known):
            tried += 1
            if tried > _MOST_TRIED:
                return
            if _is_same(entry, part.others + factor * (entry.left - part.others)):
                yield f"{entry.title} {words}{part.words}{_ask(entry, factor)}"


def _list_parts(entry: WrongEntry) -> Iterator[_Part]:
    """What comes through a result; what a result gets of those that were made before some point."""
    cuts, count = entry.trace.cuts, 0
    names = _names(entry)
    for name in names:
        full = cuts.expand(name)
        if entry.symbol in full.free_symbols and count < _MOST_PARTS:
            count += 1
            yield _Part(f"what comes through {name_result(full)}", _along(entry, frozenset({name}), frozenset()))
    for name in names:
        sources = [s for s in cuts.read_by(name) if s != entry.symbol]
        sources = [s for s in sources if entry.symbol in cuts.expand(s).free_symbols]
        for size in range(1, len(sources)):
            if count >= _MOST_PARTS:
                return
            count += 1
            older = sources[:size]
            texts = join_words([name_result(cuts.expand(s)) for s in older])
            others = _along(entry, frozenset(), frozenset((name, s) for s in older))
            yield _Part(f"what {name_result(cuts.expand(name))} gets from {texts}", others)


def _list_factors(entry: WrongEntry) -> list[tuple[str, sp.Expr, float]]:
    """What a part may lack, in words, with its value: what is short, and what is made of a named result."""
    found = [(say(factor), factor, value) for factor, value in list_factors(entry)]
    for name in _names(entry)[-_MOST_PARTS:]:
        full = entry.trace.cuts.expand(name)
        text = name_result(full)
        made = ((text, full), (f"1 - {text}", 1 - full), (f"1 - {text}^2", 1 - full**2))
        for words, factor in made if text.endswith("(...)") else ():
            value = number_of(entry, factor)
            if value:
                found.append((words, factor, value))
    return found


def _factors(entry: WrongEntry, ratio: float, known: list[tuple[str, sp.Expr, float]]) -> Iterator[tuple[str, sp.Expr]]:
    """What a part is multiplied by, in words and as it is."""
    number = Fraction(ratio).limit_denominator(_LARGEST_NUMBER)
    if abs(number.numerator) <= _LARGEST_NUMBER and isclose(number, ratio, rel_tol=1e-9, abs_tol=1e-12) and number != 1:
        yield _say_number(number), sp.Rational(number.numerator, number.denominator)
        return
    for words, factor, value in known:
        if isclose(ratio * value, 1, rel_tol=1e-9):
            yield f"lacks the factor {words} in ", 1 / factor
        if isclose(ratio, value, rel_tol=1e-9):
            yield f"has the extra factor {words} in ", factor


def _say_number(number: Fraction) -> str:
    """A number that a part has too much of, or too little."""
    if number == 0:
        return "leaves out "
    if number == -1:
        return "has the wrong sign in "
    if number.numerator == 1:
        return f"lacks the factor {number.denominator} in "
    if number > 0:
        return f"has the extra factor {number} in "
    return f"has the wrong sign and the extra factor {-number} in "


def _other_roots(entry: WrongEntry) -> Iterator[str]:
    """A root of another number in place of one that forward computes, such as a variance with N - 1 in place of N."""
    cuts = entry.trace.cuts
    short = cuts.shorten(entry.right)
    claimed, true = (
        {n: full for n in cuts.list_names(side) if _is_root(full := cuts.expand(n))}
        for side in (short, cuts.shorten(entry.left))
    )
    number = number_of(entry, entry.left)
    for one in [n for n in claimed if n not in true][:_MOST_TRIED]:
        for other in list(true)[:_MOST_TRIED]:
            right = cuts.expand(short.xreplace({one: other}))
            value = number_of(entry, right)
            if number is None or value is None or not isclose(value, number, rel_tol=1e-9):
                continue
            if _is_same(replace(entry, right=right), entry.left):
                why = _compare_roots(entry, claimed[one], true[other])
                yield f"{entry.title} has another sqrt(...) than forward{why}"


def _is_root(full: sp.Expr) -> bool:
    return isinstance(full, sp.Pow) and full.exp == sp.Rational(1, 2)


def _compare_roots(entry: WrongEntry, claimed: sp.Expr, true: sp.Expr) -> str:
    """Whether one radicand is the other divided by a neighbouring length, up to a number that is added."""
    sizes = {size for shape, _ in entry.trace.gradients.values() for size in shape}
    for size in sorted(sizes - {1, 2}):
        for wrong, right in ((size - 1, size), (size, size - 1)):
            if sp.expand(wrong * claimed.base - right * true.base).is_number:
                return f": what is summed in it is divided by {wrong} in place of {right}, as with another ddof"
    return ""


def _ask(entry: WrongEntry, factor: sp.Expr) -> str:
    """Where two lengths that differ by 1 may have been taken for each other, a question."""
    if not factor.is_Rational or abs(factor.p - factor.q) != 1 or min(factor.p, factor.q) < 2:
        return ""
    if max(factor.p, factor.q) not in {size for shape, _ in entry.trace.gradients.values() for size in shape}:
        return ""
    return f": is {factor.q} divided by in place of {factor.p}, one of them the length of an axis, as N and N - 1?"
