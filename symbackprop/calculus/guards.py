"""Guards: equations between index forms and ranges of them, which a term holds beside its body.

A guard that does not hold drops the term, as a Kronecker delta would.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symbackprop.calculus.indices import (
    Affine,
    Atom,
    Forms,
    Index,
    Values,
    compare_range,
    floor_divide,
    is_nonnegative,
    remainder,
)


@dataclass(frozen=True, slots=True)
class Equal:
    """The guard that an index form is 0: the Kronecker delta of the two sides of an index equation."""

    form: Affine

    def substitute(self, values: Forms) -> Equal:
        """The guard with index forms put in."""
        return Equal(self.form.substitute(values))

    def holds(self, values: Values) -> bool:
        """Whether it holds where everything has a value."""
        return self.form.evaluate(values) == 0

    def decide(self) -> bool | None:
        """Whether it holds always or never, as far as the ranges of indices tell."""
        if self.form.integer is not None:
            return self.form.integer == 0
        return False if compare_range(self.form, Affine.of(1), 0) is False else None

    def __str__(self) -> str:
        return f"{self.form} = 0"


@dataclass(frozen=True, slots=True)
class Within:
    """The guard that an index form is one of start, ..., start + size - 1."""

    form: Affine
    size: Affine
    start: int = 1

    def substitute(self, values: Forms) -> Within:
        """The guard with index forms put in."""
        return Within(self.form.substitute(values), self.size.substitute(values), self.start)

    def holds(self, values: Values) -> bool:
        """Whether it holds where everything has a value."""
        return self.start <= self.form.evaluate(values) < self.start + self.size.evaluate(values)

    def decide(self) -> bool | None:
        """Whether it holds always or never, as far as the ranges of indices tell."""
        return compare_range(self.form, self.size, self.start)

    def __str__(self) -> str:
        return f"{self.start} <= {self.form} < {self.size + Affine.of(self.start)}"


Guard = Equal | Within


def choose_contraction(
    guards: Sequence[Guard], bound: Sequence[Index]
) -> tuple[Guard, Index, Affine, list[Guard]] | None:
    """The equation to solve next: (guard, bound index, its value, what must hold besides).

    First one whose value is in range by itself, then one in which an index has the coefficient 1 or -1, then any.
    """
    best: tuple[int, Guard, Index, Affine, list[Guard]] | None = None
    for guard in guards if bound else ():
        if not isinstance(guard, Equal):
            continue
        for index in bound:
            solved = solve_index(guard.form, index)
            if solved is None:
                continue
            value, more = solved
            rank = 0 if not more else 1 if len(more) == 1 else 2
            if best is None or rank < best[0]:
                best = (rank, guard, index, value, more)
            if rank == 0:
                return best[1:]
    return best[1:] if best is not None else None


def solve_index(form: Affine, index: Index) -> tuple[Affine, list[Guard]] | None:
    """The value of an index that the equation form = 0 gives, with the guards that it needs; None if it gives none."""
    coefficient = next((c for atom, c in form.terms if atom == index), 0)
    if not coefficient or form.indices.count(index) > 1:
        return None
    rest = Affine.of(index) * coefficient - form
    if coefficient < 0:
        rest = rest * -1
    more: list[Guard] = []
    divisor = Affine.of(abs(coefficient))
    value = floor_divide(rest, divisor)
    if abs(coefficient) > 1:
        more.append(Equal(remainder(rest, divisor)))
    inside = Within(value, index.size, index.start)
    if inside.decide() is not True:
        more.append(inside)
    return value, more


def narrow_index(guard: Within) -> Index | None:
    """The index that a guard bounds, with the range of the guard, where that lies in its own."""
    index = guard.form.index
    if index is None or guard.start < index.start:
        return None
    spare = index.last - guard.size - Affine.of(guard.start - 1)
    return Index(index.name, guard.size, guard.start) if is_nonnegative(spare) else None


def is_implied(guard: Guard, others: Sequence[Guard]) -> bool:
    """Whether another guard asks for a smaller range of the same form."""
    return isinstance(guard, Within) and any(
        isinstance(other, Within)
        and other != guard
        and other.form == guard.form
        and other.start >= guard.start
        and is_nonnegative(guard.size - other.size + Affine.of(guard.start - other.start))
        for other in others
    )


def known_entries(guards: Iterable[Guard]) -> dict[Atom, Affine]:
    """The entries of integer tensors that a guard says to be an index form."""
    known: dict[Atom, Affine] = {}
    for guard in guards:
        if isinstance(guard, Equal) and len(guard.form.entries) == 1:
            entry = guard.form.entries[0]
            coefficient = next((c for atom, c in guard.form.terms if atom == entry), 0)
            if coefficient in (1, -1):
                known.setdefault(entry, (Affine.of(entry) * coefficient - guard.form) * coefficient)
    return known
