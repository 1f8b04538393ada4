"""Finding an atom as an instance of a pattern atom: which indices make the two equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symbackprop.calculus.atoms import Atom, IndexMap, Monomial, Number
from symbackprop.calculus.indices import Affine, Index, compare_range


def match(pattern: Atom, atom: Atom) -> IndexMap | None:
    """The values of the free indices of `pattern` that make it `atom`, or None.

    Indices of the pattern stand for index forms that never leave their range; a bound one only for a bound one.

    >>> from symbackprop.calculus.atoms import AtomTable
    >>> i, j, table = Index("i", Affine.of("N")), Index("j", Affine.of("N")), AtomTable()
    >>> found = match(table.tensor("x", (Affine.of(i),)), table.tensor("x", (Affine.of(j),)))
    >>> str(found[i])
    'j'
    """
    if pattern.skeleton != atom.skeleton:
        return None
    return next(_match_atom(pattern, atom, {}), None)


def _match_atom(pattern: Atom, atom: Atom, values: IndexMap) -> Iterator[IndexMap]:
    """Every extension of `values` by which the pattern is the atom."""
    if pattern.skeleton != atom.skeleton or len(pattern.at) != len(atom.at) or len(pattern.bound) != len(atom.bound):
        return
    extended = dict(values)
    for left, right in zip(pattern.at, atom.at, strict=True):
        if not _match_form(left, right, extended):
            return
    if not pattern.body:
        yield extended
        return
    outer = {i: v for i, v in extended.items() if i not in pattern.bound}
    summed = {Affine.of(i) for i in atom.bound}
    for found in _match_poly(list(pattern.body.items()), list(atom.body.items()), outer):
        own = {found[i] for i in pattern.bound if i in found}
        rest = {i: v for i, v in found.items() if i not in pattern.bound}
        if own == summed and not any(i in atom.bound for v in rest.values() for i in v.indices):
            yield {**rest, **{i: v for i, v in values.items() if i in pattern.bound}}


def _match_form(pattern: Affine, form: Affine, values: IndexMap) -> bool:
    """Extend the values so that two index forms agree, if they can."""
    index = pattern.index
    if index is None:
        known: IndexMap = {i: values[i] for i in pattern.indices if i in values}
        rest = pattern.substitute(known)
        if len(known) == len(pattern.indices):
            return rest == form
        unknown = [(a, c) for a, c in rest.terms if isinstance(a, Index) and a not in values]
        if len(known) + 1 < len(pattern.indices) or len(unknown) != 1 or unknown[0][1] not in (1, -1):
            return False
        (index, coefficient) = unknown[0]  # the only one that is not known yet is what the forms leave for it
        return _match_form(Affine.of(index), (form - rest) * coefficient + Affine.of(index), values)
    if index in values:
        return values[index] == form
    if not compare_range(form, index.size, index.start):
        return False
    values[index] = form
    return True


def _match_poly(
    pattern: list[tuple[Monomial, Number]], terms: list[tuple[Monomial, Number]], values: IndexMap
) -> Iterator[IndexMap]:
    """Match terms with equal coefficients, whatever their order."""
    if not pattern:
        yield values
        return
    (monomial, coefficient), rest = pattern[0], pattern[1:]
    for k, (other, c) in enumerate(terms):
        if c != coefficient or len(other) != len(monomial):
            continue
        for found in _match_monomial(list(monomial), list(other), values):
            yield from _match_poly(rest, terms[:k] + terms[k + 1 :], found)


def _match_monomial(
    pattern: list[tuple[Atom, Number]], factors: list[tuple[Atom, Number]], values: IndexMap
) -> Iterator[IndexMap]:
    """Match factors with equal exponents, whatever their order."""
    if not pattern:
        yield values
        return
    (atom, exponent), rest = pattern[0], pattern[1:]
    for k, (other, e) in enumerate(factors):
        if e == exponent and other.skeleton == atom.skeleton:
            for found in _match_atom(atom, other, values):
                yield from _match_monomial(rest, factors[:k] + factors[k + 1 :], found)


def occurs(atom: Atom, monomial: Monomial) -> bool:
    """Whether an atom that differs from `atom` by indices at most stands in a monomial, at any depth."""
    return any(_contains(other, atom.skeleton) for other, _ in monomial)


def _contains(atom: Atom, skeleton: str) -> bool:
    return atom.skeleton == skeleton or any(_contains(a, skeleton) for m in atom.body for a, _ in m)


def match_factors(pattern: Monomial, factors: Mapping[Atom, Number]) -> Iterator[tuple[IndexMap, tuple[Atom, ...]]]:
    """Ways in which a monomial divides a product: values of its free indices, and the factors that its atoms become.

    >>> from symbackprop.calculus.atoms import AtomTable
    >>> i, j, table = Index("i", Affine.of("N")), Index("j", Affine.of("N")), AtomTable()
    >>> x, y = (table.tensor("x", (Affine.of(index),)) for index in (i, j))
    >>> [atoms for _, atoms in match_factors(((x, 2),), {y: 3})], list(match_factors(((x, 2),), {y: 1}))
    ([(x[j|N],)], [])
    """
    yield from _match_part(list(pattern), list(factors.items()), {})


def _match_part(
    pattern: list[tuple[Atom, Number]], factors: list[tuple[Atom, Number]], values: IndexMap
) -> Iterator[tuple[IndexMap, tuple[Atom, ...]]]:
    """Match factors with exponents that are large enough, whatever their order."""
    if not pattern:
        yield values, ()
        return
    (atom, exponent), rest = pattern[0], pattern[1:]
    for k, (other, e) in enumerate(factors):
        if e >= exponent and other.skeleton == atom.skeleton:
            for found in _match_atom(atom, other, values):
                for last, atoms in _match_part(rest, factors[:k] + factors[k + 1 :], found):
                    yield last, (other, *atoms)
