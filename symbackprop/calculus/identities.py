"""What definitions say about each other: rules that put names back, and identities of sums that follow.

t = e is solved for each atom of e that carries all indices of t, occurs once and has a monomial beside it: x becomes
s*xhat + mu, exp(z) becomes p*A, 1/(1+exp(z)) becomes 1 - a. No rule brings a new denominator. One definition rewritten
by the rules of another can leave an equation in one sum: sum(k, p) = 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.calculus.atoms import (
    CELLS,
    Atom,
    IndexMap,
    Kind,
    Monomial,
    Number,
    Poly,
    atoms_of,
    make_monomial,
    names_of,
)
from symbackprop.calculus.combinations import add, constant, scale, subtract
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.indices import Affine
from symbackprop.calculus.matching import match, occurs
from symbackprop.calculus.rewriting import Algebra, Replace, Rewrite
from symbackprop.calculus.sums import SumRule
from symbackprop.calculus.tensors import Role
from symbackprop.calculus.vanishing import Vanishing

FIXED = frozenset({Kind.SIZE, Kind.PRIME, Kind.DELTA, Kind.RANGE, Kind.INDEX, Kind.CONSTANT})
PASSES = 2


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """pattern^exponent = value, by the definition of `source`."""

    pattern: Atom
    exponent: Number
    value: Poly
    source: str

    @property
    def needs(self) -> frozenset[str]:
        """The tensors without which the rule cannot apply."""
        return self.pattern.names

    @property
    def brings(self) -> frozenset[str]:
        """The tensors that it can bring in."""
        return names_of(self.value)


def orient(algebra: Algebra, definition: Definition, value: Poly) -> tuple[Rule, ...]:
    """The rules that a definition gives, its right side being `value`."""
    name = definition.tensor.name
    at = tuple(Affine.of(i) for i in definition.indices)
    target = algebra.single(algebra.table.tensor(name, at, definition.tensor.spans))
    relations = [subtract(target, value)]
    named = definition.tensor.role is not Role.HIDDEN
    if named and any(a.kind is Kind.FUNCTION and a.name == "log" for m in value for a, _ in m):
        relations.append(subtract(algebra.exponential(target), algebra.exponential(value)))
    rules = []
    free = frozenset(definition.indices)
    for relation in relations:
        for atom in atoms_of(relation):
            if atom.names == {name} or not free <= atom.free or atom.kind in FIXED:
                continue
            solved = solve(algebra, relation, atom)
            if solved is not None and (atom.kind is not Kind.SUM or solved[0] == 1):
                rules.append(Rule(atom, solved[0], solved[1], name))
    return tuple(rules)


def solve(algebra: Algebra, relation: Poly, atom: Atom) -> tuple[Number, Poly] | None:
    """(k, value) with atom^k = value by relation = 0, without denominators that the relation does not have."""
    hits = {m: c for m, c in relation.items() if any(a is atom for a, _ in m)}
    exponents = {dict(m)[atom] for m in hits}
    found = _split_cells(algebra, {tuple(f for f in m if f[0] is not atom): c for m, c in hits.items()})
    if found is None or len(exponents) > 1:
        return None
    coefficient, cofactor, cells = found
    exponent = exponents.pop()
    rest = {m: c for m, c in relation.items() if m not in hits}
    if occurs(atom, cofactor) or any(occurs(atom, m) for m in rest):
        return None
    value = _divide(algebra, rest, cofactor, coefficient)
    if cells != constant(1):  # only where the cells hold; elsewhere the atom stays as it is
        value = add(value, algebra.multiply(subtract(constant(1), cells), algebra.generator(atom, exponent)))
    divisors = {a for m in relation for a, e in m if e < 0}
    if any(e < 0 and not a.positive and a not in divisors for m in value for a, e in m):
        return None
    return exponent, value


def _split_cells(algebra: Algebra, poly: Poly) -> tuple[Number, Monomial, Poly] | None:
    """(c, m, q) with poly = c * m * q, where q is 0 or 1 everywhere and m one monomial; None where it is not so."""
    rests = {tuple(f for f in m if f[0].kind not in CELLS) for m in poly}
    if len(rests) != 1:
        return None
    cells: Poly = {tuple(f for f in m if f[0].kind in CELLS): c for m, c in poly.items()}
    coefficient = cells.get((), next(iter(cells.values())))
    cells = scale(cells, 1 / Fraction(coefficient))
    return (coefficient, rests.pop(), cells) if algebra.multiply(cells, cells) == cells else None


def find_vanishing(
    algebra: Algebra, definitions: Iterable[tuple[Definition, Poly]], finite: frozenset[str]
) -> tuple[Vanishing, ...]:
    """Where definitions are 0 because of a condition in all their terms, or because of a factor that is."""
    found: dict[str, Vanishing] = {}
    for definition, value in definitions:
        name, free = definition.tensor.name, frozenset(definition.indices)
        known = _vanishing_factor(algebra, value, found)
        cells, sources = (known[0], known[1] | {name}) if known else (_common_cells(algebra, value), frozenset({name}))
        if cells is None or not all(a.free <= free for m in cells for a, _ in m):
            continue
        masks = [a for a in atoms_of(cells) if a.kind is Kind.MASK]
        lead = max(masks, key=lambda a: a.order, default=None)  # the greatest, so that no two rules undo each other
        if lead is None or sum(any(a is lead for a, _ in m) for m in cells) > 1:
            continue
        coefficient = cells.get(((lead, 1),), 0)
        if abs(coefficient) == 1:  # cells * t = t, solved for the mask
            others = {m: c for m, c in cells.items() if m != ((lead, 1),)}
            rest = scale(subtract(constant(1), others), coefficient)
            found[name] = Vanishing(name, definition.indices, lead, rest, sources, finite)
    return tuple(found.values())


def _common_cells(algebra: Algebra, value: Poly) -> Poly | None:
    """The condition that all terms of a polynomial have, as 0 or 1."""
    groups: dict[Monomial, Poly] = {}
    for monomial, c in value.items():
        rest = tuple(f for f in monomial if f[0].kind not in CELLS)
        groups.setdefault(rest, {})[monomial] = c
    split = [_split_cells(algebra, group) for group in groups.values()]
    conditions = [s[2] for s in split if s is not None]
    same = len(conditions) == len(split) > 0 and all(c == conditions[0] for c in conditions)
    return conditions[0] if same and conditions[0] != constant(1) else None


def _vanishing_factor(algebra: Algebra, value: Poly, known: dict[str, Vanishing]) -> tuple[Poly, frozenset[str]] | None:
    """The condition of a tensor that is a factor of every term, with what that rests on."""
    shared = set.intersection(*({a for a, e in m if e > 0} for m in value)) if value else set()
    for atom in sorted(shared, key=lambda a: a.place):
        fact = known.get(atom.name) if atom.kind is Kind.TENSOR else None
        if fact is not None:
            values: IndexMap = dict(zip(fact.indices, atom.at, strict=True))
            mask = algebra.rename(algebra.single(fact.mask), values)
            # m * t = v * t says that (1 - m + v) * t = t.
            return add(constant(1), scale(mask, -1), algebra.rename(fact.value, values)), fact.sources
    return None


def _divide(algebra: Algebra, poly: Poly, monomial: Monomial, coefficient: Number) -> Poly:
    """-poly / (coefficient * monomial)."""
    inverse = algebra.product(-1 / Fraction(coefficient), {a: -e for a, e in monomial})
    return algebra.multiply(poly, inverse)


def apply_rule(algebra: Algebra, poly: Poly, rule: Rule) -> Poly:
    """The polynomial with the pattern of a rule replaced wherever it stands."""
    if not rule.needs <= names_of(poly):
        return poly
    for _ in range(PASSES):
        before = poly
        if rule.pattern.kind is Kind.SUM:
            outer = algebra.rules
            algebra.know((*outer, SumRule(rule.pattern, rule.value, rule.source)), algebra.vanishing)
            poly = algebra.rebuild(poly, rule.needs)
            algebra.know(outer, algebra.vanishing)
        else:
            poly = algebra.rewrite(poly, Rewrite(_replacing(algebra, rule), rule.needs))
        if poly == before:
            break
    return poly


def _replacing(algebra: Algebra, rule: Rule) -> Replace:
    """A rule as what to put for atoms."""

    def replace(atom: Atom, exponent: Number) -> Poly | None:
        values = match(rule.pattern, atom) if atom.kind is rule.pattern.kind else None
        times = Fraction(exponent) / Fraction(rule.exponent)
        if values is None or (times.denominator != 1 and not (atom.positive and len(rule.value) == 1)):
            return None
        return algebra.raise_to(algebra.rename(rule.value, values), times)

    return replace


Attempts = dict[tuple[str, tuple[Rule, ...]], tuple[SumRule | None, int]]
"""What rules make of the definition of a tensor, an equation for one sum or nothing, and the products that it took."""


def find_identities(
    algebra: Algebra, definitions: Iterable[tuple[Definition, Poly]], rules: tuple[Rule, ...], made: Attempts
) -> tuple[tuple[SumRule, frozenset[str]], ...]:
    """Equations for one sum that follow from definitions and rules, each with the definitions that it rests on.

    `made` keeps what was tried; it holds as long as the algebra knows the same.
    """
    pairs = list(definitions)
    whole = tuple(r for r in rules if r.pattern.kind in (Kind.EXP, Kind.POWER))
    attempts: list[tuple[Rule, ...]] = [(r,) for r in rules if r.pattern.kind is not Kind.SUM]
    attempts += [whole] if len(whole) > 1 else []
    known = {a for _, value in pairs for m in value for a, _ in m}
    found: dict[Atom, tuple[SumRule, frozenset[str]]] = {}
    for attempt in attempts:
        for definition, value in pairs:
            name = definition.tensor.name
            if not any(r.needs <= names_of(value) | {name} for r in attempt):
                continue
            if (name, attempt) in made:
                identity, products = made[name, attempt]
                algebra.budget.spend(products)  # what a search may do does not depend on those before it
            else:
                spent = algebra.budget.spent
                identity = _try(algebra, definition, value, attempt)
                made[name, attempt] = identity, algebra.budget.spent - spent
            if identity is not None and identity.pattern not in known and identity.pattern not in found:
                found[identity.pattern] = (identity, frozenset({name, *(r.source for r in attempt)}))
    return tuple(found.values())


def _try(algebra: Algebra, definition: Definition, value: Poly, rules: tuple[Rule, ...]) -> SumRule | None:
    """The equation for one sum that a definition becomes by rules, if it does."""
    at = tuple(Affine.of(i) for i in definition.indices)
    before = subtract(algebra.single(algebra.table.tensor(definition.tensor.name, at, definition.tensor.spans)), value)
    relation = before
    for rule in rules:
        relation = apply_rule(algebra, relation, rule)
    return None if relation == before else _identity(algebra, relation)


def _identity(algebra: Algebra, relation: Poly) -> SumRule | None:
    """An equation of at most two terms that is linear in its only sum, solved for that sum."""
    sums = [a for a in atoms_of(relation) if a.kind is Kind.SUM]
    if len(sums) != 1 or len(relation) > 2:
        return None
    (atom,) = sums
    hits = [m for m in relation if any(a is atom for a, _ in m)]
    if len(hits) != 1 or dict(hits[0])[atom] != 1:
        return None
    cofactor = make_monomial(f for f in hits[0] if f[0] is not atom)
    rest = {m: c for m, c in relation.items() if m != hits[0]}
    value = _divide(algebra, rest, cofactor, relation[hits[0]])
    if len(value) > 1 or any(occurs(atom, m) for m in value) or occurs(atom, cofactor):
        return None
    if not all(a.free <= atom.free for m in value for a, _ in m):
        return None
    return SumRule(atom, value, "")
