"""Atoms, monomials and polynomials: what the normal form of index expressions is made of.

A polynomial maps monomials to rational coefficients; a monomial is a product of atoms with rational exponents,
negative ones allowed. An atom is whatever is treated as an independent generator: a tensor at its indices, a size, an
exponential, a sum over one monomial, a power of a polynomial, a condition as 0 or 1. Two atoms that are equal as
functions but differ as atoms cost completeness only: a difference that is the zero polynomial is zero.

Atoms are interned by a key that writes them out completely, so that equal atoms are the same object. The skeleton of
an atom is its key without the names of indices: patterns that match have equal skeletons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from typing import Any

from symbackprop.calculus.indices import Affine, Entry, Index, covers, parts_of
from symbackprop.calculus.indices import Atom as IntegerAtom


class Kind(IntEnum):
    """The kinds of atoms, in the order that leading monomials follow: what should be eliminated first stands last."""

    PRIME = 0
    """A prime number; its exponent is a proper fraction."""
    SIZE = 1
    """The size of an axis as a number."""
    SUM = 2
    """The sum of one monomial over bound indices."""
    MEAN = 3
    """The same divided by the sizes; for printing only."""
    POWER = 4
    """A primitive polynomial of two terms or more; the power is the exponent."""
    FUNCTION = 5
    """A function by name, of a polynomial."""
    MASK = 6
    """1 where a polynomial is positive (name ">") or zero (name "="), else 0."""
    INDEX = 7
    """An index as a number."""
    EXP = 8
    """The exponential of one monomial; the coefficient is the exponent."""
    TENSOR = 9
    """A tensor at index forms."""
    DELTA = 10
    """1 where an index form is zero, else 0: a Kronecker delta."""
    CONSTANT = 11
    """A scalar that is given, or pi."""
    RANGE = 12
    """1 where an index form is one of `name`, ..., `name` + size - 1, else 0."""


Number = int | Fraction
Monomial = tuple[tuple["Atom", Number], ...]
Poly = dict[Monomial, Number]
IndexMap = dict[Any, Affine]
"""Index forms for indices and for the names of sizes."""

ACTIVE = frozenset({Kind.PRIME, Kind.POWER, Kind.MASK, Kind.DELTA, Kind.RANGE})
CELLS = frozenset({Kind.MASK, Kind.DELTA, Kind.RANGE})
"""What is 0 or 1."""
GUARDS = frozenset({Kind.DELTA, Kind.RANGE})
"""What a term holds as a guard."""
SUMS = frozenset({Kind.SUM, Kind.MEAN})


@dataclass(frozen=True, slots=True, eq=False)
class Atom:
    """One generator; made by `AtomTable.intern` only. Equality is identity."""

    kind: Kind
    name: str
    at: tuple[Affine, ...]
    spans: tuple[tuple[int, Affine], ...]
    """The first position and the number of positions of each axis of a tensor; a read outside of them is 0."""
    bound: tuple[Index, ...]
    body: Poly
    key: str
    skeleton: str
    free: frozenset[Index]
    names: frozenset[str]
    height: int
    positive: bool
    open: bool
    """Whether it reads a tensor, at any depth, where that may be outside of its range."""
    steady: bool
    """Whether it has a value there too, the read being 0."""
    active: bool
    place: str
    """Sorts the factors of a monomial."""
    order: tuple[int, str, str]
    """Compares atoms in leading monomials."""

    def vanishes_outside(self, guard: Atom) -> bool:
        """Whether it is 0 where a range does not hold: a tensor that is read there, or a sum of its multiples."""
        if self.kind is Kind.SUM:
            return all(any(e > 0 and a.vanishes_outside(guard) for a, e in m) for m in self.body)
        form, size = guard.at
        start = int(guard.name)
        return any(f == form and covers(form, start, size, *s) for f, s in zip(self.at, self.spans, strict=False))

    def includes(self, other: Atom) -> bool:
        """Whether a range holds wherever another range of the same form does."""
        if self.kind is not Kind.RANGE or other.kind is not Kind.RANGE or self.at[0] != other.at[0]:
            return False
        same = self.at == other.at and self.name == other.name
        return not same and covers(self.at[0], int(self.name), self.at[1], int(other.name), other.at[1])

    def __repr__(self) -> str:
        return self.key


def monomial_key(monomial: Monomial) -> str:
    """A monomial written out."""
    return "*".join(a.key if e == 1 else f"{a.key}^{e}" for a, e in monomial)


def poly_key(poly: Poly) -> str:
    """A polynomial written out, whatever the order of its terms."""
    return "+".join(sorted(f"{c}.{monomial_key(m)}" for m, c in poly.items()))


def _poly_skeleton(poly: Poly) -> str:
    return "+".join(sorted(f"{c}." + "*".join(sorted(f"{a.skeleton}^{e}" for a, e in m)) for m, c in poly.items()))


@lru_cache(maxsize=65536)
def form_texts(form: Affine) -> tuple[str, str]:
    """An index form written out with the ranges of its indices, and the same without their names.

    >>> form_texts(Affine.of(Index("i", Affine.of("N"))))
    ('i|N', '|N')
    """
    parts = [(*_atom_texts(a), c) for a, c in form.terms]
    if form.index is not None:
        return parts[0][0], parts[0][1]
    named = "+".join(f"{c}*{n}" for n, _, c in parts)
    bare = "+".join(sorted(f"{c}*{s}" for _, s, c in parts))
    return f"{named}+{form.constant}", f"{bare}+{form.constant}"


def _atom_texts(part: IntegerAtom) -> tuple[str, str]:
    """Both texts of what an index form is made of."""
    if isinstance(part, Index):
        bare = f"|{part.size}" if part.start == 1 else f"|{part.start}:{part.size}"
        return part.name + bare, bare
    if isinstance(part, str):
        return part, part
    inner = [form_texts(form) for form in parts_of(part)]
    name = part.tensor if isinstance(part, Entry) else type(part).__name__
    return f"{name}({','.join(i[0] for i in inner)})", f"{name}({','.join(i[1] for i in inner)})"


def describe(atom: Atom, label: Callable[[Index], str | None]) -> str:
    """An atom written out with some indices called otherwise; None keeps a name.

    >>> i = Index("i", Affine.of("N"))
    >>> describe(AtomTable().tensor("x", (Affine.of(i),)), lambda index: "*")
    'x[*|N]'
    """
    if not any(label(i) is not None for i in atom.free):
        return atom.key
    if atom.kind in (Kind.TENSOR, Kind.DELTA, Kind.RANGE, Kind.INDEX):
        changed: IndexMap = {i: Affine.of(i.renamed(new)) for i in atom.free if (new := label(i)) is not None}
        return f"{atom.name}[{','.join(form_texts(f.substitute(changed))[0] for f in atom.at)}]"
    inner = "+".join(sorted(f"{c}." + describe_monomial(m, label) for m, c in atom.body.items()))
    return f"{atom.kind.name}{atom.name}<{','.join(form_texts(Affine.of(b))[0] for b in atom.bound)}>({inner})"


def describe_monomial(monomial: Monomial, label: Callable[[Index], str | None]) -> str:
    """A monomial written out with some indices called otherwise."""
    return "*".join(sorted(f"{describe(a, label)}^{e}" for a, e in monomial))


def _open_spans(at: tuple[Affine, ...], spans: tuple[tuple[int, Affine], ...]) -> str:
    """The spans of a tensor written out where what is read may lie outside of them, else nothing."""
    for form, (start, size) in zip(at, spans, strict=False):
        index = form.index
        if index is None or index.start != start or index.size != size:
            return "@" + ",".join(f"{s}:{n}" for s, n in spans)
    return ""


BOUNDED = frozenset({"exp", "tanh", "sin", "cos", "erf"})


def _is_steady(kind: Kind, name: str, body: Poly) -> bool:
    """Whether an atom has a value wherever the tensors below it do, a read outside of its range being 0."""
    smooth = kind in (Kind.EXP, Kind.MASK, Kind.SUM, Kind.MEAN) or name in BOUNDED
    return all(not a.open or (smooth and is_steady(a, e)) for m in body for a, e in m)


def is_steady(atom: Atom, exponent: Number) -> bool:
    """Whether a power of an atom has a value where reads are outside of their ranges."""
    return not atom.open or (atom.steady and exponent > 0)


@dataclass(slots=True)
class AtomTable:
    """The atoms made so far. Names in `positive` stand for tensors whose entries are known to be positive.

    The table only grows: polynomials of one table can be compared as long as it lives.
    """

    positive: frozenset[str] = frozenset()
    constants: frozenset[str] = frozenset()
    """The scalars that are given; they lead."""
    _atoms: dict[str, Atom] = field(default_factory=dict, repr=False)
    _labels: int = 0

    def fresh(self, index: Index) -> Index:
        """A new index of the same range."""
        self._labels += 1
        return index.renamed(f"~{self._labels}")

    def tensor(self, name: str, at: tuple[Affine, ...] = (), spans: tuple[tuple[int, Affine], ...] = ()) -> Atom:
        """The atom of a tensor at index forms."""
        kind = Kind.CONSTANT if name in self.constants and not at else Kind.TENSOR
        return self.intern(kind, name, at, spans=spans)

    def intern(
        self,
        kind: Kind,
        name: str = "",
        at: tuple[Affine, ...] = (),
        bound: tuple[Index, ...] = (),
        body: Poly | None = None,
        spans: tuple[tuple[int, Affine], ...] = (),
    ) -> Atom:
        """The one atom of this kind with these parts."""
        body = {} if body is None else body
        outside = _open_spans(at, spans)
        if body or kind in (Kind.EXP, Kind.SUM):
            heads = [form_texts(Affine.of(b)) for b in bound]
            key = f"{kind.name}{name}<{','.join(h[0] for h in heads)}>({poly_key(body)})"
        else:
            heads = [form_texts(f) for f in at]
            key = f"{name}[{','.join(h[0] for h in heads)}]{outside}" if at else name
        found = self._atoms.get(key)
        if found is not None:
            return found
        if body or kind in (Kind.EXP, Kind.SUM):
            skeleton = f"{kind.name}{name}<{','.join(h[1] for h in heads)}>({_poly_skeleton(body)})"
        else:
            skeleton = f"{name}[{','.join(h[1] for h in heads)}]{outside}" if at else name
        inner = [a for m in body for a, _ in m]
        names = frozenset().union(*(a.names for a in inner))
        if kind in (Kind.TENSOR, Kind.CONSTANT) and name != "pi":
            names |= {name}
        free = frozenset(chain((i for form in at for i in form.indices), *(a.free for a in inner))) - frozenset(bound)
        atom = Atom(
            kind,
            name,
            at,
            spans,
            bound,
            body,
            key,
            skeleton,
            free,
            names,
            max((a.height for a in inner), default=0) + (kind in SUMS),
            self._is_positive(kind, name, at, body),
            outside != "" or any(a.open for a in inner),
            _is_steady(kind, name, body),
            kind in ACTIVE,
            f"{skeleton} {key}",
            (int(kind), skeleton, key),
        )
        self._atoms[key] = atom
        return atom

    def _is_positive(self, kind: Kind, name: str, at: tuple[Affine, ...], body: Poly) -> bool:
        """Whether the atom is known to be positive wherever it is defined; a read outside its range is 0."""
        if kind in (Kind.PRIME, Kind.SIZE, Kind.EXP):
            return True
        indices = [form.index for form in at]
        if kind is Kind.INDEX:
            return indices[0] is not None and indices[0].start > 0
        if kind in (Kind.TENSOR, Kind.CONSTANT):
            return (name in self.positive and None not in indices) or name == "pi"
        if kind in (Kind.SUM, Kind.MEAN, Kind.POWER):
            return is_positive(body)
        return False


def is_nonnegative(poly: Poly) -> bool:
    """Whether every term is known to be at least zero."""
    return all(c > 0 and all(a.positive or e % 2 == 0 for a, e in m) for m, c in poly.items())


def is_positive(poly: Poly) -> bool:
    """Whether every term is known to be at least zero and one of them positive."""
    return is_nonnegative(poly) and any(all(a.positive for a, _ in m) for m in poly)


def atoms_of(poly: Poly) -> list[Atom]:
    """The atoms in the monomials of a polynomial, in a fixed order."""
    return sorted({a for m in poly for a, _ in m}, key=lambda a: a.place)


def names_of(poly: Poly) -> frozenset[str]:
    """The names of the tensors that a polynomial reads, at any depth."""
    return frozenset().union(*(a.names for m in poly for a, _ in m))


def plain_number(number: Number) -> Number:
    """A fraction that is an integer as one."""
    return int(number) if number.denominator == 1 else number


def make_monomial(factors: Iterable[tuple[Atom, Number]]) -> Monomial:
    """The factors in their fixed order; those of exponent zero go."""
    return tuple(sorted(((a, e) for a, e in factors if e), key=lambda f: f[0].place))


def order_of(monomial: Monomial) -> list[tuple[tuple[int, str, str], Number]]:
    """What monomials are compared by: lexicographic, the atoms of the highest kinds first."""
    return sorted(((a.order, e) for a, e in monomial), reverse=True)
