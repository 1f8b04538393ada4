"""Guards: equations between index forms and ranges of them, which a term holds beside its body.

A guard that does not hold drops the term, as a Kronecker delta would.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symbackprop.calculus.indices import (
    Affine,
    Atom,
    Entry,
    Forms,
    Index,
    Quotient,
    Values,
    bounds,
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


def ranges_of(at: Iterable[Affine], spans: Iterable[tuple[int, Affine]]) -> list[Within]:
    """The guards that a read is inside its tensor, one for each axis."""
    return [Within(form, size, start) for form, (start, size) in zip(at, spans, strict=True)]


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
    coefficient = form.coefficient(index)
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


def choose_window(
    guards: Sequence[Guard], bound: Sequence[Index], known: Sequence[Guard]
) -> tuple[Guard, Index, Affine, list[Guard]] | None:
    """The first guard that lets a bound index be at few places only: (guard, index, its value, what must hold besides).

    `known` are guards that hold wherever this matters. An index of the same name in the value counts the places.
    """
    for guard in guards if bound else ():
        for index in bound:
            opened = open_window(guard, index, known)
            if opened is not None:
                return guard, index, *opened
    return None


def open_window(guard: Guard, index: Index, known: Sequence[Guard] = ()) -> tuple[Affine, list[Guard]] | None:
    """The value of a bound index that a guard lets be at few places only, and what must hold besides; None if it does
    not, or if places between them are out. Where it is at several places, an index of its name counts them.

    Of 1 <= l - 2*p + 2 <= 2 follows p = (l+1)//2, of 1 <= l - p + 1 <= 3 that p is l - p' + 1 for a p' of 1 to 3.
    """
    found = _range_of(guard, index, known)
    width = None if found is None else found.size.integer
    if found is None or width is None or found.form.indices.count(index) != 1:
        return None
    coefficient = found.form.coefficient(index)
    step = abs(coefficient)
    if not step or (width > step and width % step):
        return None
    places = max(width // step, 1)
    if index.size.integer is not None and index.size.integer <= places:
        return None
    rest = found.form - Affine.of(index) * coefficient
    counted = Index(index.name, Affine.of(places)) if places > 1 else None
    shift = Affine() if counted is None else Affine.of(counted) - Affine.of(1)
    if coefficient < 0:
        value = floor_divide(rest - Affine.of(found.start), Affine.of(step)) - shift
    else:
        value = floor_divide(Affine.of(found.start + step - 1) - rest, Affine.of(step)) + shift
    more: list[Guard] = [guard.substitute({index: value})] if isinstance(guard, Equal) or width < step else []
    return value, [g for g in (*more, Within(value, index.size, index.start)) if g.decide() is not True]


def _range_of(guard: Guard, index: Index, known: Sequence[Guard]) -> Within | None:
    """The range that a guard gives to a multiple of an index: its own, or that of what an equation holds besides."""
    if isinstance(guard, Within):
        return guard
    inside = [(a, c) for a, c in guard.form.terms if a != index and index in Affine.of(a).indices]
    if len(inside) != 1:
        return None
    atom, factor = inside[0]
    rest = guard.form - Affine.of(atom) * factor
    if isinstance(atom, Quotient) and index not in rest.indices:
        step = atom.divisor.integer
        return Within(atom.form + rest * (factor * step), Affine.of(step), 0) if step and abs(factor) == 1 else None
    low, high = bounds(Affine.of(atom) * factor)
    if isinstance(atom, Entry) and _is_inside(atom, known):
        low, high = (Affine.of(factor), atom.size * factor)[:: 1 if factor > 0 else -1]
    if low is None or high is None or high.integer is None:
        return None
    return Within(rest, high - low + Affine.of(1), -high.integer)


def _is_inside(entry: Entry, known: Sequence[Guard]) -> bool:
    """Whether an entry of an integer tensor is read inside its range where the guards hold."""
    return all(guard.decide() or guard in known for guard in ranges_of(entry.at, entry.spans))


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
            coefficient = guard.form.coefficient(entry)
            if coefficient in (1, -1):
                known.setdefault(entry, (Affine.of(entry) * coefficient - guard.form) * coefficient)
    return known
