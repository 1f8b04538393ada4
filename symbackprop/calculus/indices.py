"""Indices, sizes and integer forms of them.

A size is a positive integer, a name, or an integer form of names. An index runs over its range, from 1 to its size
unless it starts elsewhere. What stands in the brackets of a read is an integer form of indices, sizes and entries of
integer tensors: affine in atoms, which may be floor quotients and remainders of such forms. All are `Affine`, so that
substitution, comparison and solving are written once.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Point = tuple[str, tuple[int, ...]]
"""An entry of an integer tensor: its name and where."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index with its range start..start+size-1. Two indices of one definition are the same if their names are."""

    name: str
    size: Affine
    start: int = 1

    def __str__(self) -> str:
        return self.name

    def renamed(self, name: str) -> Index:
        """An index of the same range."""
        return Index(name, self.size, self.start)

    @property
    def last(self) -> Affine:
        """The greatest value."""
        return self.size + Affine((), self.start - 1)

    def same_range(self, other: Index) -> bool:
        """Whether two indices take the same values."""
        return self.start == other.start and self.size == other.size


@dataclass(frozen=True, slots=True)
class Quotient:
    """The floor of form / divisor, the divisor being positive; made by `floor_divide`."""

    form: Affine
    divisor: Affine

    def __str__(self) -> str:
        return f"{_bracket(self.form)}//{_bracket(self.divisor)}"


@dataclass(frozen=True, slots=True)
class Remainder:
    """form - divisor * floor(form / divisor), the divisor being positive; made by `remainder`."""

    form: Affine
    divisor: Affine

    def __str__(self) -> str:
        return f"{_bracket(self.form)}%{_bracket(self.divisor)}"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of an integer tensor whose values are 1..size.

    `spans` are the first position and the number of positions of each axis; outside of them the entry is 0.
    """

    tensor: str
    at: tuple[Affine, ...]
    size: Affine
    spans: tuple[tuple[int, Affine], ...]

    def __str__(self) -> str:
        return f"{self.tensor}[{','.join(map(str, self.at))}]" if self.at else self.tensor


Atom = Index | str | Quotient | Remainder | Entry
Values = Mapping[Any, int]
"""Integers for indices, names of sizes, and entries of integer tensors as `Point`."""
Forms = Mapping[Any, "Affine"]
"""Integer forms for atoms."""


def _order(term: tuple[Atom, int]) -> tuple[int, str]:
    atom = term[0]
    if isinstance(atom, Index):
        return (0, atom.name)
    return (2, atom) if isinstance(atom, str) else (1, str(atom))


@dataclass(frozen=True, slots=True)
class Affine:
    """constant + sum of coefficient * atom.

    >>> print(Affine.of("N") - Affine.of(1))
    N-1
    """

    terms: tuple[tuple[Atom, int], ...] = ()
    constant: int = 0

    @staticmethod
    def of(value: Affine | Atom | int) -> Affine:
        """The affine form of one atom or integer."""
        if isinstance(value, Affine):
            return value
        if isinstance(value, int):
            return Affine((), value)
        return Affine(((value, 1),), 0)

    @staticmethod
    def build(parts: Iterable[tuple[Atom, int]], constant: int) -> Affine:
        """Collect equal atoms, drop those of coefficient 0 and put the rest in order."""
        collected: dict[Atom, int] = {}
        for atom, coefficient in parts:
            collected[atom] = collected.get(atom, 0) + coefficient
        return Affine(tuple(sorted(((a, c) for a, c in collected.items() if c), key=_order)), constant)

    def __add__(self, other: Affine) -> Affine:
        if not other.terms:
            return Affine(self.terms, self.constant + other.constant) if other.constant else self
        return Affine.build((*self.terms, *other.terms), self.constant + other.constant)

    def __sub__(self, other: Affine) -> Affine:
        return self + other * -1

    def __mul__(self, factor: int) -> Affine:
        return Affine(tuple((a, c * factor) for a, c in self.terms) if factor else (), self.constant * factor)

    def substitute(self, values: Forms) -> Affine:
        """Replace atoms by integer forms, all at once, at any depth."""
        changed = [_substitute_atom(atom, values) for atom, _ in self.terms]
        if not any(value is not None for value in changed):
            return self
        if len(self.terms) == 1 and self.terms[0][1] == 1 and not self.constant and changed[0] is not None:
            return changed[0]
        parts: list[tuple[Atom, int]] = []
        constant = self.constant
        for (atom, coefficient), value in zip(self.terms, changed, strict=True):
            if value is None:
                parts.append((atom, coefficient))
                continue
            parts += [(a, c * coefficient) for a, c in value.terms]
            constant += value.constant * coefficient
        return Affine.build(parts, constant)

    def evaluate(self, values: Values) -> int:
        """The integer that the form has where every atom has a value; entries of integer tensors are looked up as
        `Point`, and one that is not there is outside its tensor and 0.

        >>> (Affine.of("N") + Affine.of(2)).evaluate({"N": 3})
        5
        """
        return self.constant + sum(c * _evaluate_atom(a, values) for a, c in self.terms)

    def coefficient(self, atom: Atom) -> int:
        """The number that an atom is multiplied by, 0 where it stands in other atoms only."""
        return next((c for a, c in self.terms if a == atom), 0)

    @property
    def index(self) -> Index | None:
        """The index that the form is, alone and unshifted; None for any other form."""
        if self.constant == 0 and len(self.terms) == 1:
            atom, coefficient = self.terms[0]
            if coefficient == 1 and isinstance(atom, Index):
                return atom
        return None

    @property
    def indices(self) -> tuple[Index, ...]:
        """The indices in the form, at any depth."""
        return tuple(a for a in self.walk() if isinstance(a, Index))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of sizes in the form, at any depth."""
        return tuple(a for a in self.walk() if isinstance(a, str))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries of integer tensors in the form, at any depth."""
        return tuple(a for a in self.walk() if isinstance(a, Entry))

    def walk(self) -> Iterator[Atom]:
        """Every atom, at any depth, in order."""
        for atom, _ in self.terms:
            yield atom
            for form in parts_of(atom):
                yield from form.walk()

    @property
    def integer(self) -> int | None:
        """The value of a form without atoms."""
        return None if self.terms else self.constant

    def __str__(self) -> str:
        text = ""
        for atom, coefficient in self.terms:
            sign = "-" if coefficient < 0 else "+" if text else ""
            factor = "" if abs(coefficient) == 1 else f"{abs(coefficient)}*"
            alone = not factor or isinstance(atom, Index | str | Entry)
            text += sign + factor + (str(atom) if alone else f"({atom})")
        if self.constant or not text:
            text += f"{'+' if text and self.constant > 0 else ''}{self.constant}"
        return text


def parts_of(atom: Atom) -> tuple[Affine, ...]:
    """The forms inside an atom (the range of an index or of an entry is not one)."""
    if isinstance(atom, Quotient | Remainder):
        return (atom.form, atom.divisor)
    return atom.at if isinstance(atom, Entry) else ()


def _bracket(form: Affine) -> str:
    plain = len(form.terms) + bool(form.constant) <= 1 and all(
        c == 1 and isinstance(a, Index | str | Entry) for a, c in form.terms
    )
    return str(form) if plain and form.constant >= 0 else f"({form})"


def _substitute_atom(atom: Atom, values: Forms) -> Affine | None:
    """The value of an atom, None where nothing in it changes."""
    if atom in values:
        return values[atom]
    if isinstance(atom, Index | str):
        return None
    old = parts_of(atom)
    new = tuple(form.substitute(values) for form in old)
    if new == old:
        return None
    if isinstance(atom, Entry):
        return Affine.of(Entry(atom.tensor, new, atom.size, atom.spans))
    return floor_divide(*new) if isinstance(atom, Quotient) else remainder(*new)


def _evaluate_atom(atom: Atom, values: Values) -> int:
    if isinstance(atom, Index | str):
        return values[atom]
    if isinstance(atom, Entry):
        return values.get((atom.tensor, tuple(form.evaluate(values) for form in atom.at)), 0)
    form, divisor = (part.evaluate(values) for part in parts_of(atom))
    return form // divisor if isinstance(atom, Quotient) else form % divisor


def floor_divide(form: Affine, divisor: Affine) -> Affine:
    """The floor of form / divisor in its plainest form.

    >>> n = Affine.of("N")
    >>> print(floor_divide(n * 4 + Affine.of(3), Affine.of(2)), floor_divide(n + Affine.of(1), Affine.of(2)))
    2*N+1 (N+1)//2
    """
    whole, rest = _split(form, divisor)
    turns = _turns(rest, divisor)
    if turns is None:
        return whole + Affine.of(Quotient(rest, divisor))
    return whole + Affine.of(turns) if turns else whole


def remainder(form: Affine, divisor: Affine) -> Affine:
    """form - divisor * floor(form / divisor) in its plainest form.

    >>> i = Affine.of(Index("i", Affine.of("N")))
    >>> print(remainder(i * 5 + Affine.of(7), Affine.of(2)))
    (i+1)%2
    """
    _, rest = _split(form, divisor)
    turns = _turns(rest, divisor)
    if turns is None:
        return Affine.of(Remainder(rest, divisor))
    return rest - divisor * turns if turns else rest


def _split(form: Affine, divisor: Affine) -> tuple[Affine, Affine]:
    """(q, r) with form = divisor * q + r and no multiple of the divisor left in r that can be told."""
    number = divisor.integer
    if number is None:
        if form == divisor:
            return Affine.of(1), Affine()
        return Affine(), form
    whole = Affine(tuple((a, c // number) for a, c in form.terms if c // number), form.constant // number)
    return whole, form - whole * number


def _turns(form: Affine, divisor: Affine) -> int | None:
    """The floor of form / divisor where it is the same number whatever the atoms are."""
    if compare_range(form, divisor, 0) is True:
        return 0
    number = divisor.integer
    if number is None:
        return None
    low, high = (None if end is None else end.integer for end in bounds(form))
    return low // number if low is not None and high is not None and low // number == high // number else None


def bounds(form: Affine) -> tuple[Affine | None, Affine | None]:
    """The least and the greatest value of a form over its indices and entries, as forms in sizes; None if unknown."""
    for atom, coefficient in form.terms:  # k*f - k*m*(f//m) is k times what f leaves when divided by m
        step = atom.divisor.integer if isinstance(atom, Quotient) and (atom.form.indices or atom.form.entries) else None
        if isinstance(atom, Quotient) and step and coefficient % step == 0:
            times = -coefficient // step
            if set((atom.form * times).terms) <= set(form.terms):
                return _add_remainder(bounds(form - atom.form * times - Affine.of(atom) * coefficient), times, step)
    low: Affine | None = Affine((), form.constant)
    high: Affine | None = Affine((), form.constant)
    for atom, coefficient in form.terms:
        first, last = _atom_bounds(atom)
        if coefficient < 0:
            first, last = last, first
        low = low + first * coefficient if low is not None and first is not None else None
        high = high + last * coefficient if high is not None and last is not None else None
    return low, high


def _add_remainder(
    ends: tuple[Affine | None, Affine | None], times: int, step: int
) -> tuple[Affine | None, Affine | None]:
    """The bounds of a form to which `times` a number of 0..step-1 is added."""
    first, last = sorted((0, times * (step - 1)))
    low, high = ends
    return None if low is None else low + Affine.of(first), None if high is None else high + Affine.of(last)


def _atom_bounds(atom: Atom) -> tuple[Affine | None, Affine | None]:
    if isinstance(atom, str):
        return Affine.of(atom), Affine.of(atom)
    if isinstance(atom, Index):
        return Affine.of(atom.start), atom.last
    if isinstance(atom, Entry):
        inside = all(compare_range(form, size, start) for form, (start, size) in zip(atom.at, atom.spans, strict=True))
        return Affine.of(int(inside)), atom.size
    if isinstance(atom, Remainder):
        return Affine.of(0), atom.divisor - Affine.of(1)
    low, high = bounds(atom.form)
    if not atom.form.indices and not atom.form.entries:
        return Affine.of(atom), Affine.of(atom)
    number = atom.divisor.integer
    ends = [None if end is None or number is None else floor_divide(end, atom.divisor) for end in (low, high)]
    return ends[0], ends[1]


def is_nonnegative(form: Affine) -> bool:
    """Whether a form in sizes is at least 0 for all sizes of at least 1, as far as its coefficients tell."""
    if any(c < 0 or not isinstance(a, str) for a, c in form.terms):
        return False
    return form.constant + sum(c for _, c in form.terms) >= 0


def compare_range(form: Affine, size: Affine, start: int) -> bool | None:
    """Whether start <= form < start + size: always, never, or None where it depends or cannot be told.

    >>> i = Affine.of(Index("i", Affine.of("N")))
    >>> compare_range(i, Affine.of("N"), 1), compare_range(i - Affine.of(1), Affine.of("N"), 1)
    (True, None)
    """
    index = form.index
    if index is not None and index.start == start and index.size == size:
        return True  # the common case: an index alone over its own range
    low, high = bounds(form)
    first, last = Affine.of(start), size + Affine.of(start - 1)
    if low is not None and high is not None and is_nonnegative(low - first) and is_nonnegative(last - high):
        return True
    below = high is not None and is_nonnegative(first - high - Affine.of(1))
    above = low is not None and is_nonnegative(low - last - Affine.of(1))
    return False if below or above else None


def covers(form: Affine, start: int, size: Affine, inner_start: int, inner_size: Affine) -> bool:
    """Whether every value of a form that lies in the inner range lies in the range start..start+size-1 too."""
    low, high = bounds(form)
    last, inner_last = size + Affine.of(start - 1), inner_size + Affine.of(inner_start - 1)
    below = inner_start >= start or (low is not None and is_nonnegative(low - Affine.of(start)))
    above = is_nonnegative(last - inner_last) or (high is not None and is_nonnegative(last - high))
    return below and above


def choose_name(wanted: str, used: Container[str]) -> str:
    """`wanted`, or the next letter that nobody has used, or `wanted` with a number.

    >>> choose_name("i", {"i", "j"})
    'k'
    """
    if wanted not in used:
        return wanted
    if len(wanted) == 1 and wanted.isalpha():
        start = ord(wanted)
        for step in range(1, 26):
            base = ord("a") if wanted.islower() else ord("A")
            letter = chr(base + (start - base + step) % 26)
            if letter not in used and letter not in "loe":
                return letter
    number = 2
    while f"{wanted}{number}" in used:
        number += 1
    return f"{wanted}{number}"
