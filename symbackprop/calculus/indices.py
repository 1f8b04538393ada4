"""Indices, sizes and integer-affine forms of them.

A size is a positive integer, a name, or an integer-affine form of names. An index runs from 1 to its size. What stands
in the brackets of a read is an affine form of indices and sizes. All three are `Affine`, so that substitution,
comparison and solving are written once.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Index:
    """An index with its range 1..size. Two indices of one definition are the same if their names are."""

    name: str
    size: Affine

    def __str__(self) -> str:
        return self.name


Atom = Index | str


def _order(term: tuple[Atom, int]) -> tuple[bool, str]:
    atom = term[0]
    return (isinstance(atom, str), atom if isinstance(atom, str) else atom.name)


@dataclass(frozen=True, slots=True)
class Affine:
    """constant + sum of coefficient * atom, the atoms being indices or the names of sizes.

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
        return Affine.build((*self.terms, *other.terms), self.constant + other.constant)

    def __sub__(self, other: Affine) -> Affine:
        return self + other * -1

    def __mul__(self, factor: int) -> Affine:
        return Affine(tuple((a, c * factor) for a, c in self.terms) if factor else (), self.constant * factor)

    def substitute(self, values: Mapping[Atom, Affine]) -> Affine:
        """Replace atoms by affine forms, all at once."""
        if not any(atom in values for atom, _ in self.terms):
            return self
        if len(self.terms) == 1 and self.terms[0][1] == 1 and not self.constant:
            return values[self.terms[0][0]]
        parts: list[tuple[Atom, int]] = []
        constant = self.constant
        for atom, coefficient in self.terms:
            value = values.get(atom, Affine.of(atom))
            parts += [(a, c * coefficient) for a, c in value.terms]
            constant += value.constant * coefficient
        return Affine.build(parts, constant)

    def evaluate(self, values: Mapping[Atom, int]) -> int:
        """The integer that the form has where every atom has a value.

        >>> (Affine.of("N") + Affine.of(2)).evaluate({"N": 3})
        5
        """
        return self.constant + sum(c * values[a] for a, c in self.terms)

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
        """The indices in the form."""
        return tuple(a for a, _ in self.terms if isinstance(a, Index))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of sizes in the form."""
        return tuple(a for a, _ in self.terms if isinstance(a, str))

    @property
    def integer(self) -> int | None:
        """The value of a form without atoms."""
        return None if self.terms else self.constant

    def __str__(self) -> str:
        text = ""
        for atom, coefficient in self.terms:
            sign = "-" if coefficient < 0 else "+" if text else ""
            text += sign + ("" if abs(coefficient) == 1 else f"{abs(coefficient)}*") + str(atom)
        if self.constant or not text:
            text += f"{'+' if text and self.constant > 0 else ''}{self.constant}"
        return text


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
