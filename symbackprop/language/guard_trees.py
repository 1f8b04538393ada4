"""Guards of the engine as conditions that a person would write: `1 <= k-r+1 and k-r+1 <= P`, `tok[n] == v`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symbackprop.calculus.guards import Guard, Within
from symbackprop.calculus.indices import Affine, bounds, is_nonnegative
from symbackprop.language.tree import Compare, Condition, Expression, join_conditions


def guard_tree(guards: Sequence[Guard], spell: Callable[[Affine], Expression]) -> Condition:
    """Guards as a condition, joined by `and`; `spell` writes an integer form.

    An end of a range that the indices keep by themselves is left out.
    """
    conditions: list[Condition] = []
    for guard in guards:
        if isinstance(guard, Within):
            conditions += _range_trees(guard, spell)
        else:
            positive, negative = _sides(guard.form)
            left, right = sorted((positive, negative), key=lambda side: (not side.indices, str(side)))
            conditions.append(Compare("==", spell(left), spell(right)))
    return join_conditions(conditions)


def _range_trees(guard: Within, spell: Callable[[Affine], Expression]) -> list[Condition]:
    """The ends of a range that need saying: `1 <= i-p+1`, `i-p+1 <= P`.

    What is one index and a number keeps the number on the other side of the lower end, `2 <= t`; a form that would
    start with a minus sign is written with that part on the other side.
    """
    form, (low, high) = guard.form, bounds(guard.form)
    first, last = Affine.of(guard.start), guard.size + Affine.of(guard.start - 1)
    shift = Affine.of(form.constant) if len(form.terms) == 1 else Affine()
    found: list[Condition] = []
    if low is None or not is_nonnegative(low - first):
        found.append(_compare(first - shift, form - shift, spell))
    if high is None or not is_nonnegative(last - high):
        found.append(_compare(form, last, spell))
    return found


def _compare(left: Affine, right: Affine, spell: Callable[[Affine], Expression]) -> Condition:
    """left <= right, with no side that starts with a minus sign."""
    if _starts_negative(left) or _starts_negative(right):
        right, left = _sides(right - left)
    return Compare("<=", spell(left), spell(right))


def _starts_negative(form: Affine) -> bool:
    return bool(form.terms) and all(c < 0 for _, c in form.terms)


def _sides(form: Affine) -> tuple[Affine, Affine]:
    """A form as the difference of two without minus signs."""
    positive = Affine(tuple((a, c) for a, c in form.terms if c > 0), max(form.constant, 0))
    return positive, positive - form
