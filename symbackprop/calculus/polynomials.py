"""Arithmetic of polynomials over atoms, with the local rules applied to every product as it is built.

Each rule is an identity wherever both sides are defined:
- masks and deltas are idempotent, and a delta makes two indices one;
- a range goes where a tensor is read that is 0 outside of it, if all else has a value there;
- a power with an exponent of at least one is multiplied out;
- L * B^e with e < 0, where c*L is the leading term of the base B = c*L + rest, becomes (B^(e+1) - rest * B^e) / c, so
  that e^z/(1+e^z) is 1 - 1/(1+e^z), and sqrt(v)^2 is v;
- L * [B = 0] becomes -rest/c * [B = 0].
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from fractions import Fraction

from symbackprop.calculus.atoms import (
    CELLS,
    Atom,
    AtomTable,
    IndexMap,
    Kind,
    Monomial,
    Number,
    Poly,
    atoms_of,
    is_steady,
    make_monomial,
    order_of,
    plain_number,
    poly_key,
)
from symbackprop.calculus.budget import Budget
from symbackprop.calculus.combinations import add, constant, scale
from symbackprop.calculus.factoring import factor_polynomial, prime_factors
from symbackprop.calculus.guards import Equal, Guard
from symbackprop.calculus.indices import Affine, Entry, Index, compare_range, covers
from symbackprop.calculus.relations import FewValues, Relation
from symbackprop.calculus.vanishing import Vanishing

FACTOR_TERMS, FACTOR_DEGREE, FACTOR_ATOMS = 60, 24, 16


class NoNormalFormError(Exception):
    """The expression divides by zero wherever it is evaluated."""


@dataclass(slots=True)
class Polynomials(ABC):
    """Polynomials over the atoms of one table; what is known of them is used in every product."""

    table: AtomTable = field(default_factory=AtomTable)
    budget: Budget = field(default_factory=Budget)
    vanishing: tuple[Vanishing, ...] = ()
    relations: tuple[Relation, ...] = ()
    values: tuple[FewValues, ...] = ()
    used: set[str] = field(default_factory=set)
    """The sources of the rules that have applied."""
    _leads: dict[Atom, tuple[Monomial, Number]] = field(default_factory=dict, repr=False)
    _lines: dict[Atom, tuple[str, Number]] = field(default_factory=dict, repr=False)
    _factored: dict[str, list[tuple[Poly, int]]] = field(default_factory=dict, repr=False)

    @abstractmethod
    def rename(self, poly: Poly, values: IndexMap) -> Poly:
        """The polynomial with indices, or the names of sizes, substituted."""

    def generator(self, atom: Atom, exponent: Number = 1) -> Poly:
        """The polynomial that is a power of one atom."""
        return self.product(1, {atom: exponent})

    def single(self, atom: Atom) -> Poly:
        """The polynomial that is one atom."""
        return {((atom, 1),): 1}

    def count(self, form: Affine) -> Poly:
        """An index form as a number."""
        parts = [constant(form.constant)]
        for part, coefficient in form.terms:
            kind, name, at = (Kind.SIZE, part, ()) if isinstance(part, str) else (Kind.INDEX, "#", (Affine.of(part),))
            parts.append({((self.table.intern(kind, name, at), 1),): coefficient})
        return add(*parts)

    def delta(self, form: Affine) -> Poly:
        """1 where the form is zero."""
        if form.integer is not None or compare_range(form, Affine.of(1), 0) is False:
            return constant(int(form.integer == 0))
        if form.terms[0][1] < 0:
            form = form * -1
        return self.single(self.table.intern(Kind.DELTA, "delta", (form,)))

    def within(self, form: Affine, size: Affine, start: int) -> Poly:
        """1 where start <= form < start + size."""
        known = compare_range(form, size, start)
        if known is not None:
            return constant(int(known))
        return self.single(self.table.intern(Kind.RANGE, str(start), (form, size)))

    def guard(self, guard: Guard) -> Poly:
        """1 where a guard holds."""
        if isinstance(guard, Equal):
            return self.delta(guard.form)
        return self.within(guard.form, guard.size, guard.start)

    def multiply(self, left: Poly, right: Poly) -> Poly:
        """The product of two polynomials."""
        if len(left) == 1 and () in left:
            return scale(right, left[()])
        if len(right) == 1 and () in right:
            return scale(left, right[()])
        parts = []
        for m1, c1 in left.items():
            for m2, c2 in right.items():
                factors = dict(m1)
                for atom, exponent in m2:
                    factors[atom] = factors.get(atom, 0) + exponent
                parts.append(self.product(c1 * c2, factors))
        return add(*parts)

    def product(self, coefficient: Number, factors: dict[Atom, Number]) -> Poly:
        """coefficient * the product of atoms to their exponents."""
        self.budget.spend()
        factors = {a: plain_number(e) for a, e in factors.items() if e}
        if not coefficient:
            return {}
        for atom in [a for a in factors if a.active]:
            reduced = self._reduce(coefficient, factors, atom)
            if reduced is not None:
                return reduced
        for relation in self.relations:
            found = relation.find(factors)
            if found is not None:
                self.used.add(relation.source)
                return self.spread(coefficient, found[0], self.rename(relation.value, found[1]))
        return {make_monomial(factors.items()): coefficient}

    def _reduce(self, coefficient: Number, factors: dict[Atom, Number], atom: Atom) -> Poly | None:
        """The product by the first local rule that applies to `atom` in it, or None."""
        exponent = factors[atom]
        if atom.kind is Kind.PRIME:
            whole = math.floor(exponent)
            if not whole:
                return None
            return self.product(coefficient * Fraction(int(atom.name)) ** whole, {**factors, atom: exponent - whole})
        if atom.kind in CELLS and exponent != 1:
            return self.product(coefficient, {**factors, atom: 1})
        if atom.kind is Kind.RANGE:
            if any(other is not atom and atom.includes(other) for other in factors):
                return self.product(coefficient, {a: e for a, e in factors.items() if a is not atom})
            dropped = any(e > 0 and other.vanishes_outside(atom) for other, e in factors.items())
            if dropped and all(is_steady(a, e) for a, e in factors.items()):
                return self.product(coefficient, {a: e for a, e in factors.items() if a is not atom})
            return None
        if atom.kind is Kind.DELTA:
            merged = self._merge_indices(coefficient, factors, atom)
            return self._merge_entry(coefficient, factors, atom) if merged is None else merged
        if atom.kind is Kind.MASK:
            return self._reduce_mask(coefficient, factors, atom)
        if exponent >= 1:
            whole = math.floor(exponent)
            rest = self.product(coefficient, {**factors, atom: exponent - whole})
            return self.multiply(self.power(atom.body, whole), rest)
        return self._reduce_power(coefficient, factors, atom) if exponent < 0 else None

    def _merge_indices(self, coefficient: Number, factors: dict[Atom, Number], atom: Atom) -> Poly | None:
        """The product with the second index of a delta called as the first, or an index as the value that it has."""
        parts = atom.at[0].terms
        lone = [(part, c) for part, c in parts if not isinstance(part, str)]
        if len(lone) == 1 and isinstance(lone[0][0], Index) and lone[0][1] in (1, -1):
            index, sign = lone[0]
            if not any(index in other.free for other in factors if other is not atom):
                return None
            rest = {make_monomial((a, e) for a, e in factors.items() if a is not atom): coefficient}
            changed = self.rename(rest, {index: Affine.of(index) - atom.at[0] * sign})
            return self.multiply(self.single(atom), changed)
        if len(parts) != 2 or atom.at[0].constant or {parts[0][1], parts[1][1]} != {1, -1}:
            return None
        first, second = parts[0][0], parts[1][0]
        if not isinstance(first, Index) or not isinstance(second, Index):
            return None
        if not first.same_range(second):  # the one of the smaller range stays
            pairs = ((first, second), (second, first))
            found = [(a, b) for a, b in pairs if covers(Affine.of(b), b.start, b.size, a.start, a.size)]
            if not found:
                return None
            first, second = found[0]
        if not any(second in other.free for other in factors if other is not atom):
            return None
        rest = {make_monomial((a, e) for a, e in factors.items() if a is not atom): coefficient}
        return self.multiply(self.single(atom), self.rename(rest, {second: Affine.of(first)}))

    def _merge_entry(self, coefficient: Number, factors: dict[Atom, Number], atom: Atom) -> Poly | None:
        """The product with an entry of an integer tensor called as what a delta says it is."""
        (form,) = atom.at
        entry = next((a for a, c in form.terms if isinstance(a, Entry) and c in (1, -1)), None)
        if entry is None or form.entries.count(entry) > 1:
            return None
        sign = form.coefficient(entry)
        values: IndexMap = {entry: (Affine.of(entry) * sign - form) * sign}
        rest = {make_monomial((a, e) for a, e in factors.items() if a is not atom): coefficient}
        changed = self.rename(rest, values)
        return None if changed == rest else self.multiply(self.single(atom), changed)

    def _reduce_mask(self, coefficient: Number, factors: dict[Atom, Number], atom: Atom) -> Poly | None:
        """[L > 1] * [L > 0] is [L > 1], [L > 0] * [L = 0] is 0; under [B = 0] the leading monomial of B is -rest."""
        line, threshold = self._line(atom)
        for other in factors:
            if other.kind is not Kind.MASK or other is atom or self._line(other)[0] != line:
                continue
            beyond = self._line(other)[1]
            # What is equal to a value is above all that are less, and above or equal to no other.
            if atom.name == "=" and (other.name == "=" or threshold <= beyond):
                return {}
            if atom.name == "=" or (other.name == ">" and threshold > beyond):
                return self.product(coefficient, {a: e for a, e in factors.items() if a is not other})
        if atom.name == ">":
            return self._vanish(coefficient, factors, atom)
        lead, leading = self._lead(atom)
        if not lead or any(e <= 0 or factors.get(a, 0) < e for a, e in lead):
            return None
        less = {**factors}
        for a, e in lead:
            less[a] -= e
        return self.spread(-coefficient / Fraction(leading), less, {m: c for m, c in atom.body.items() if m != lead})

    def _line(self, atom: Atom) -> tuple[str, Number]:
        """What a mask compares, with the leading coefficient 1 and without its number, and that number."""
        if atom not in self._lines:
            _, leading = self._lead(atom)
            rest: Poly = {m: Fraction(c) / leading for m, c in atom.body.items() if m}
            key = poly_key(rest) if leading > 0 else atom.key
            self._lines[atom] = (key, -Fraction(atom.body.get((), 0)) / leading)
        return self._lines[atom]

    def _vanish(self, coefficient: Number, factors: dict[Atom, Number], mask: Atom) -> Poly | None:
        """The product with a mask written by the tensor beside it that vanishes by itself."""
        for atom, exponent in factors.items():
            known = next((v for v in self.vanishing if v.tensor == atom.name), None)
            if known is None or atom.kind is not Kind.TENSOR or exponent < 0:
                continue
            values: IndexMap = dict(zip(known.indices, atom.at, strict=True))
            if self.rename(self.single(known.mask), values) != self.single(mask):
                continue
            self.used |= known.sources
            rest = {make_monomial((a, e) for a, e in factors.items() if a is not mask): coefficient}
            return self.multiply(self.rename(known.value, values), rest)
        return None

    def _reduce_power(self, coefficient: Number, factors: dict[Atom, Number], atom: Atom) -> Poly | None:
        """Reduction by the base of a power with a negative exponent."""
        lead, leading = self._lead(atom)
        if lead and all(e > 0 and factors.get(a, 0) >= e for a, e in lead):
            less = {**factors}
            for a, e in lead:
                less[a] -= e
            return self._lower(coefficient / Fraction(leading), less, atom, lead)
        one = atom.body.get(())
        if one is None or not all(a.kind is Kind.EXP and e > 0 for m in atom.body for a, e in m):
            return None
        inside = {a for m in atom.body for a, _ in m}
        if any(e < 0 and a in inside for a, e in factors.items()):
            return self._lower(coefficient / Fraction(one), factors, atom, ())
        return None

    def _lower(self, coefficient: Number, factors: dict[Atom, Number], atom: Atom, term: Monomial) -> Poly:
        """factors * (B^(e+1) - rest * B^e) where B is the base of `atom` and rest is B without one term."""
        raised = self.product(coefficient, {**factors, atom: factors[atom] + 1})
        rest = {m: c for m, c in atom.body.items() if m != term}
        return add(raised, self.spread(-coefficient, factors, rest))

    def spread(self, coefficient: Number, factors: dict[Atom, Number], poly: Poly) -> Poly:
        """coefficient * factors * poly, term by term, so that no rule sees the factors alone."""
        parts = []
        for monomial, c in poly.items():
            joined = dict(factors)
            for atom, exponent in monomial:
                joined[atom] = joined.get(atom, 0) + exponent
            parts.append(self.product(coefficient * c, joined))
        return add(*parts)

    def _lead(self, atom: Atom) -> tuple[Monomial, Number]:
        """The leading monomial of the body of an atom, and its coefficient."""
        if atom not in self._leads:
            self._leads[atom] = max(atom.body.items(), key=lambda term: order_of(term[0]))
        return self._leads[atom]

    def lead_atoms(self, atom: Atom) -> list[Atom]:
        """The atoms of the leading monomial of a base."""
        return [a for a, _ in self._lead(atom)[0]]

    def content(self, poly: Poly, whole: bool) -> tuple[Number, dict[Atom, Number], Poly]:
        """(number, common atoms, primitive rest); unless `whole`, for a fractional power: only positive ones leave."""
        values = [Fraction(c) for c in poly.values()]
        number = Fraction(math.gcd(*(v.numerator for v in values)), math.lcm(*(v.denominator for v in values)))
        monomials = [dict(m) for m in poly]
        common = {}
        for atom in atoms_of(poly):
            lowest = min(m.get(atom, 0) for m in monomials)
            if lowest and (whole or atom.positive) and atom.kind not in CELLS:
                common[atom] = lowest
        if whole and poly[max(poly, key=order_of)] < 0:
            number = -number
        rest = {
            make_monomial((a, e - common.get(a, 0)) for a, e in _padded(m, common)): plain_number(Fraction(c) / number)
            for m, c in poly.items()
        }
        if not any(a.kind is Kind.POWER and e < 0 for a, e in common.items()):
            return plain_number(number), common, rest
        # A common denominator leaves its base to powers that have to be multiplied out.
        raised = add(*(self.product(c, dict(m)) for m, c in rest.items()))
        if raised == rest or not raised:
            return plain_number(number), common, rest
        more, others, rest = self.content(raised, whole)
        for atom, e in others.items():
            common[atom] = common.get(atom, 0) + e
        return plain_number(Fraction(number) * more), common, rest

    def power(self, poly: Poly, exponent: Number) -> Poly:
        """A polynomial to a rational power."""
        exponent = plain_number(exponent)
        if exponent == 1:
            return poly
        whole = isinstance(exponent, int)
        if whole and exponent >= 0:
            result = constant(1)
            for _ in range(int(exponent)):
                result = self.multiply(result, poly)
            return result
        if not poly:
            raise NoNormalFormError("zero to a power that is not a positive integer")
        number, common, rest = self.content(poly, whole)
        factors: dict[Atom, Number] = {a: e * exponent for a, e in common.items()}
        value: Number = 1
        if whole:
            value = Fraction(number) ** int(exponent)
        else:
            for part, sign in ((Fraction(number).numerator, 1), (Fraction(number).denominator, -1)):
                for prime, multiplicity in prime_factors(part):
                    atom = self.table.intern(Kind.PRIME, str(prime))
                    factors[atom] = factors.get(atom, 0) + sign * multiplicity * exponent
        if rest == {(): 1}:
            return self.product(value, factors)
        found = self.factors(rest) if whole else [(rest, 1)]
        for factor, multiplicity in found:
            # A name is not negative where its root is defined; of x^2 and x*y that does not follow.
            lone = next(iter(factor)) if len(factor) == 1 else ()
            if len(lone) == 1 and lone[0][1] == 1 and factor[lone] == 1:
                atom = lone[0][0]
            else:
                atom = self.table.intern(Kind.POWER, "", (), (), factor)
            factors[atom] = factors.get(atom, 0) + multiplicity * exponent
        return self.product(value, factors)

    def factors(self, poly: Poly) -> list[tuple[Poly, int]]:
        """The irreducible factors of a primitive polynomial with their multiplicities; itself where it is too large."""
        if any(e < 0 for m in poly for _, e in m):
            return [(poly, 1)]
        generators = atoms_of(poly)
        roots = {a: math.lcm(*(Fraction(dict(m).get(a, 0)).denominator for m in poly)) for a in generators}
        degree = max((sum(int(e * roots[a]) for a, e in m) for m in poly), default=0)
        if len(poly) > FACTOR_TERMS or degree > FACTOR_DEGREE or len(generators) > FACTOR_ATOMS or len(poly) < 2:
            return [(poly, 1)]
        key = poly_key(poly)
        if key not in self._factored:
            self._factored[key] = factor_polynomial(poly, roots)
        return self._factored[key]


def _padded(monomial: Monomial, common: dict[Atom, Number]) -> list[tuple[Atom, Number]]:
    """The factors of a monomial, and the common atoms that it lacks with exponent zero."""
    present = {a for a, _ in monomial}
    return [*monomial, *((a, 0) for a in common if a not in present)]
