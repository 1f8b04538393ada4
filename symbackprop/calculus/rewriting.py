"""Functions and conditions of polynomials, and the one traversal that renames, inlines and rewrites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from symbackprop.calculus.atoms import (
    CELLS,
    SUMS,
    Atom,
    IndexMap,
    Kind,
    Monomial,
    Number,
    Poly,
    atoms_of,
    form_texts,
    is_positive,
    order_of,
)
from symbackprop.calculus.combinations import add, constant, scale, subtract
from symbackprop.calculus.indices import Affine, Entry, Index, bounds, compare_range, is_nonnegative
from symbackprop.calculus.relations import FewValues, Relation, power_of, value_at
from symbackprop.calculus.sums import Recorded, SumRule, Sums
from symbackprop.calculus.vanishing import Vanishing

MOST_STEPS = 2
"""So far from its base a comparison of whole numbers is written by it and by the numbers between."""

Replace = Callable[[Atom, Number], Poly | None]


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What to put for atoms: `replace` gets an atom and its exponent, and answers None to leave them.

    Atoms that read none of `names` are passed over; None means that every atom is built again.
    """

    replace: Replace
    names: frozenset[str] | None = None

    def touches(self, atom: Atom) -> bool:
        """Whether the atom has to be looked at."""
        return self.names is None or not self.names.isdisjoint(atom.names)


@dataclass(slots=True)
class Algebra(Sums):
    """The whole algebra of index expressions."""

    _renamed: dict[tuple[Atom, tuple[tuple[str, Affine], ...]], Recorded] = field(default_factory=dict, repr=False)

    def know(self, rules: tuple[SumRule, ...], vanishing: tuple[Vanishing, ...] = ()) -> None:
        """Know these sums, and where these tensors vanish, from now on; forget what was built under other rules."""
        if rules != self.rules or vanishing != self.vanishing:
            self.rules, self.vanishing = rules, vanishing
            self._renamed.clear()

    def exponential(self, poly: Poly) -> Poly:
        """exp of a polynomial: a product of exponentials of monomials."""
        return self.over_cells(poly, self._exponential)

    def _exponential(self, poly: Poly) -> Poly:
        result = constant(1)
        for monomial, coefficient in poly.items():
            if len(monomial) == 1 and monomial[0][1] == 1 and monomial[0][0].name == "log":
                factor = self.power(monomial[0][0].body, coefficient)
            else:
                factor = self.generator(self.table.intern(Kind.EXP, "", (), (), {monomial: 1}), coefficient)
            result = self.multiply(result, factor)
        return result

    def logarithm(self, poly: Poly) -> Poly:
        """log of a polynomial; positive factors become terms of their own."""
        return self.over_cells(poly, self._logarithm)

    def _logarithm(self, poly: Poly) -> Poly:
        if not poly:
            return self.function("log", poly)
        number, common, rest = self.content(poly, False)
        if len(rest) == 1 and rest != {(): 1}:
            return self.function("log", poly)
        parts = [
            scale(dict(a.body) if a.kind is Kind.EXP else self.function("log", self.generator(a)), e)
            for a, e in common.items()
        ]
        if number != 1:
            parts.append(self.function("log", constant(number)))
        if rest != {(): 1}:
            parts.append(self.function("log", rest))
        return add(*parts)

    def tangent(self, poly: Poly) -> Poly:
        """tanh(u) = 1 - 2/(1 + e^(2u))."""
        return self.over_cells(poly, self._tangent)

    def _tangent(self, poly: Poly) -> Poly:
        base = add(constant(1), self._exponential(scale(poly, 2)))
        return add(constant(1), scale(self.power(base, -1), -2))

    def function(self, name: str, poly: Poly) -> Poly:
        """A function that nothing is known of."""
        return self.single(self.table.intern(Kind.FUNCTION, name, (), (), poly or {(): 0}))

    def raise_to(self, poly: Poly, exponent: Number) -> Poly:
        """A power, condition by condition where the base has conditions."""
        if isinstance(exponent, int) and exponent >= 0:
            return self.power(poly, exponent)
        known = self._by_values(poly, lambda number: power_of(number, exponent))
        if known is not None:
            return known
        return self.over_cells(poly, lambda base: self.power(base, exponent))

    def assume(self, relations: tuple[Relation, ...], values: tuple[FewValues, ...]) -> None:
        """Know these equations from now on; forget what was built without them."""
        self.relations, self.values = relations, values
        self._renamed.clear()

    # Conditions

    def positive_mask(self, poly: Poly) -> Poly:
        """1 where the polynomial is positive, else 0."""
        return self.over_cells(poly, lambda p: self._mask(p, ">"))

    def zero_mask(self, poly: Poly) -> Poly:
        """1 where the polynomial is zero, else 0."""
        return self.over_cells(poly, lambda p: self._mask(p, "="))

    def _mask(self, poly: Poly, relation: str) -> Poly:
        """[p > 0] or [p = 0] through the masks of the primitive part of p with a positive leading coefficient."""
        if not poly:
            return constant(int(relation == "="))
        known = self._by_values(poly, lambda number: Fraction(number > 0 if relation == ">" else number == 0))
        if known is not None:
            return known
        if is_positive(poly):
            return constant(int(relation == ">"))
        if is_positive(scale(poly, -1)):
            return {}
        _, _, primitive = self.content(poly, False)
        flipped = primitive[max(primitive, key=order_of)] < 0
        if flipped:
            primitive = scale(primitive, -1)
        form = self._index_form(primitive)
        zero = self.single(self.table.intern(Kind.MASK, "=", (), (), primitive)) if form is None else self.delta(form)
        if relation == "=":
            return zero
        if form is not None:  # of whole numbers p < 0 is what p + 1 > 0 is not
            above = self._whole_above(form + Affine.of(int(flipped)), add(primitive, constant(int(flipped))))
            return subtract(constant(1), above) if flipped else above
        above = self.single(self.table.intern(Kind.MASK, ">", (), (), primitive))
        return subtract(constant(1), add(above, zero)) if flipped else above

    def _whole_above(self, form: Affine, poly: Poly) -> Poly:
        """[p > 0] of whole numbers: what their ranges decide, else without a small number in p.

        [i - j + 1 > 0] is [i - j > 0] or [i = j], and of an index i from 1 on [i > 1] is all but [i = 1].
        """
        low, high = bounds(form)
        if low is not None and is_nonnegative(low - Affine.of(1)):
            return constant(1)
        if high is not None and is_nonnegative(high * -1):
            return {}
        shift, base = form.constant, form - Affine.of(form.constant)
        if not shift or abs(shift) > MOST_STEPS:
            return self.single(self.table.intern(Kind.MASK, ">", (), (), poly))
        whole = self._whole_above(base, add(poly, constant(-shift)))
        equal = (self.delta(base + Affine.of(k)) for k in (range(shift) if shift > 0 else range(shift, 0)))
        return add(whole, *equal) if shift > 0 else subtract(whole, add(*equal))

    def _by_values(self, poly: Poly, function: Callable[[Fraction], Fraction | None]) -> Poly | None:
        """A function of a polynomial in a tensor with few values, where it has a rational value at each of them."""
        for known in self.values:
            atom = known.is_about(poly)
            results = [] if atom is None else [function(value_at(poly, number)) for number in known.numbers]
            if atom is not None and None not in results:
                self.used.add(known.source)
                return known.interpolate(atom, [r for r in results if r is not None])
        return None

    def _index_form(self, poly: Poly) -> Affine | None:
        """The index form that a polynomial is, or None."""
        form = Affine.of(0)
        for monomial, c in poly.items():
            if Fraction(c).denominator != 1:
                return None
            if not monomial:
                form = form + Affine.of(int(c))
                continue
            atom, exponent = monomial[0]
            if len(monomial) > 1 or exponent != 1 or atom.kind not in (Kind.INDEX, Kind.SIZE):
                return None
            form = form + (atom.at[0] if atom.at else Affine.of(atom.name)) * int(c)
        return form if form.terms else None

    def over_cells(self, poly: Poly, apply: Callable[[Poly], Poly]) -> Poly:
        """A function of m*u + (1-m)*v, where m is a mask or a delta, is m*f(u) + (1-m)*f(v)."""
        mask = next((a for a in atoms_of(poly) if a.kind in CELLS), None)
        if mask is None:
            return apply(poly)
        inside, outside = self.split_cells(poly, mask)
        chosen = self.single(mask)
        left = self.multiply(chosen, self.over_cells(inside, apply))
        right = self.multiply(subtract(constant(1), chosen), self.over_cells(outside, apply))
        return add(left, right)

    def split_cells(self, poly: Poly, mask: Atom) -> tuple[Poly, Poly]:
        """(the polynomial where the mask is 1, where it is 0), without the masks that this decides."""
        inside: list[Poly] = []
        outside: list[Poly] = []
        for monomial, c in poly.items():
            rest = tuple(f for f in monomial if f[0] is not mask)
            inside += self._decide(rest, c, mask, True)
            if len(rest) == len(monomial):
                outside += self._decide(rest, c, mask, False)
        return add(*inside), add(*outside)

    def _decide(self, monomial: Monomial, coefficient: Number, mask: Atom, holds: bool) -> list[Poly]:
        """The monomial where a mask is 1 or 0, without other masks that are 1 there; nothing where one of them is 0."""
        found = [self._follows(atom, mask, holds) for atom, _ in monomial]
        if False in found:
            return []
        return [{tuple(f for f, known in zip(monomial, found, strict=True) if not known): coefficient}]

    def _follows(self, other: Atom, mask: Atom, holds: bool) -> bool | None:
        """Whether one mask is 1 where another is 1 or 0, as [u > 0] is where [u > 6] is; None where that is open."""
        if mask.kind is not Kind.MASK or other.kind is not Kind.MASK or self._line(other)[0] != self._line(mask)[0]:
            return None
        beyond, threshold = self._line(other)[1], self._line(mask)[1]
        if mask.name == "=":
            return (other.name == ">" and beyond < threshold) if holds else None
        if holds:
            return other.name == ">" if beyond <= threshold else None
        return False if beyond > threshold or (beyond == threshold and other.name == ">") else None

    # The traversal

    def rename(self, poly: Poly, values: IndexMap) -> Poly:
        """The polynomial with indices, or the names of sizes, substituted."""
        return self.transform(poly, values, None)

    def rewrite(self, poly: Poly, rewrite: Rewrite) -> Poly:
        """The polynomial with atoms replaced."""
        return self.transform(poly, {}, rewrite)

    def inline(
        self,
        poly: Poly,
        definitions: dict[str, tuple[tuple[Index, ...], Poly]],
        plain: frozenset[str] = frozenset(),
    ) -> Poly:
        """The polynomial with every read of these tensors replaced by its definition; of those in `plain` only reads at
        indices alone.
        """
        if not definitions:
            return poly

        def replace(atom: Atom, exponent: Number) -> Poly | None:
            if atom.body or atom.name not in definitions:
                return None
            if atom.name in plain and any(form.index is None for form in atom.at):
                return None
            indices, value = definitions[atom.name]
            result = self.raise_to(self.rename(value, dict(zip(indices, atom.at, strict=True))), exponent)
            for index, form in zip(indices, atom.at, strict=True):  # outside its range a tensor is 0
                result = self.multiply(result, self.within(form, index.size, index.start))
            return result

        return self.rewrite(poly, Rewrite(replace, frozenset(definitions)))

    def rebuild(self, poly: Poly, names: frozenset[str] | None = None) -> Poly:
        """The polynomial built again where it reads one of `names`, so that the rules of now apply inside it."""
        return self.rewrite(poly, Rewrite(lambda atom, exponent: None, names))

    def transform(self, poly: Poly, values: IndexMap, rewrite: Rewrite | None) -> Poly:
        """Substitute indices and replace atoms, at any depth."""
        sizes = any(isinstance(v, str) for v in values)
        parts: list[Poly] = []
        for monomial, coefficient in poly.items():
            kept: dict[Atom, Number] = {}
            changed: list[Poly] = []
            for atom, exponent in monomial:
                looked_at = rewrite is not None and rewrite.touches(atom)
                if not looked_at and not sizes and not any(_reaches(i, atom) for i in values):
                    kept[atom] = exponent
                else:
                    changed.append(self._transform_atom(atom, exponent, values, rewrite))
            if not changed:
                parts.append({monomial: coefficient})
                continue
            result: Poly = {tuple(kept.items()): coefficient}
            for part in changed:
                result = self.multiply(result, part)
            parts.append(result)
        return add(*parts)

    def _transform_atom(self, atom: Atom, exponent: Number, values: IndexMap, rewrite: Rewrite | None) -> Poly:
        if rewrite is not None:
            # Indices first: bound labels of what is put in must not meet the label of a sum around the atom.
            unit = -1 if atom.kind is Kind.POWER else 1  # a base to the power 1 is multiplied out
            ((monomial, coefficient), *others) = self.rename({((atom, unit),): 1}, values).items() or [((), 0)]
            if not others and coefficient == 1 and len(monomial) == 1 and monomial[0][1] == unit:
                replaced = rewrite.replace(monomial[0][0], exponent)
                if replaced is not None:
                    return replaced
            return self._build(atom, exponent, values, rewrite)
        mine = [(form_texts(Affine.of(i))[0], v) for i, v in values.items() if _reaches(i, atom)]
        key = (atom, tuple(sorted(mine, key=_first)))
        if key not in self._renamed:
            self._renamed[key] = self.record(lambda: self._build(atom, 1, values, None))
        return self.raise_to(self.recall(self._renamed[key]), exponent)

    def _build(self, atom: Atom, exponent: Number, values: IndexMap, rewrite: Rewrite | None) -> Poly:
        """The atom to a power, made again from its changed parts."""
        if atom.kind is Kind.SIZE:
            return self.raise_to(self.count(Affine.of(atom.name).substitute(values)), exponent)
        if not atom.body and atom.kind is not Kind.EXP:
            at = tuple(form.substitute(values) for form in atom.at)
            if atom.kind is Kind.DELTA:
                return self.delta(at[0])
            if atom.kind is Kind.RANGE:
                return self.within(at[0], at[1], int(atom.name))
            if atom.kind is Kind.INDEX:
                return self.raise_to(self.count(at[0]), exponent)
            if any(compare_range(f, size, start) is False for f, (start, size) in zip(at, atom.spans, strict=False)):
                return self.raise_to({}, exponent)  # outside its range a tensor is 0
            return {((self.table.intern(atom.kind, atom.name, at, spans=atom.spans), exponent),): 1}
        if atom.kind in SUMS:
            fresh = {i: self.table.fresh(Index(i.name, i.size.substitute(values), i.start)) for i in atom.bound}
            inner: IndexMap = dict(values)
            inner.update((i, Affine.of(f)) for i, f in fresh.items())
            total = self.sum_over(self.transform(atom.body, inner, rewrite), fresh.values())
            if atom.kind is Kind.MEAN:
                for index in fresh.values():
                    total = self.multiply(total, self.power(self.count(index.size), -1))
            return self.raise_to(total, exponent)
        body = self.transform(atom.body, values, rewrite)
        if atom.kind is Kind.POWER:
            return self.raise_to(body, exponent)
        if atom.kind is Kind.EXP:
            return self.exponential(scale(body, exponent))
        if atom.kind is Kind.MASK:
            return self.positive_mask(body) if atom.name == ">" else self.zero_mask(body)
        return self.raise_to(self.apply_function(atom.name, body), exponent)

    def apply_function(self, name: str, body: Poly) -> Poly:
        """A function by its name."""
        if name == "exp":
            return self.exponential(body)
        if name == "log":
            return self.logarithm(body)
        if name == "tanh":
            return self.tangent(body)
        return self.over_cells(body, lambda p: self.function(name, p))


def _reaches(part: Index | Entry | str, atom: Atom) -> bool:
    """Whether an index, an entry of an integer tensor or a size can stand in an atom."""
    if isinstance(part, Index):
        return part in atom.free
    return isinstance(part, str) or all(i in atom.free for form in part.at for i in form.indices)


def _first(item: tuple[str, Affine]) -> str:
    return item[0]
