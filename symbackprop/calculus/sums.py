"""Sums over indices as atoms: every sum is taken apart as far as it goes, and what is left is named canonically.

A sum atom holds one monomial, or more where a condition in it turned round when its indices got their labels. Deltas
are contracted, inner sums flattened, factors without a bound index moved out, unrelated factors split into a product of
sums, and bound indices relabelled so that sums that differ in labels only are the same atom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations, groupby, islice, permutations, product

from symbackprop.calculus.atoms import (
    SUMS,
    Atom,
    IndexMap,
    Kind,
    Monomial,
    Number,
    Poly,
    describe,
    describe_monomial,
    make_monomial,
)
from symbackprop.calculus.combinations import add, scale
from symbackprop.calculus.guards import Equal, Guard, Within, choose_window, ranges_of, solve_index
from symbackprop.calculus.indices import Affine, Index, covers
from symbackprop.calculus.matching import match
from symbackprop.calculus.polynomials import Polynomials

LABELLINGS = 720


@dataclass(frozen=True, slots=True, eq=False)
class SumRule:
    """A sum that is known: `pattern`, a sum atom with free indices, is `value`. `source` says from where."""

    pattern: Atom
    value: Poly
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """A polynomial with the sources of the rules that it rests on."""

    value: Poly
    used: frozenset[str]


@dataclass(slots=True)
class Sums(Polynomials):
    """Polynomials with sums; `rules` are tried on every sum as it is made."""

    rules: tuple[SumRule, ...] = ()

    def record(self, build: Callable[[], Poly]) -> Recorded:
        """What is built, with the sources of the rules that apply in it: for results that are kept."""
        before, self.used = self.used, set()
        try:
            value = build()
            return Recorded(value, frozenset(self.used))
        finally:
            self.used |= before

    def recall(self, kept: Recorded) -> Poly:
        """A result that was kept; the rules that it rests on count as applied."""
        self.used |= kept.used
        return kept.value

    def sum_over(self, poly: Poly, bound: Iterable[Index]) -> Poly:
        """The sum of a polynomial over indices."""
        indices = tuple(bound)
        if not indices:
            return poly
        return add(*(scale(self._sum_monomial(m, indices), c) for m, c in poly.items()))

    def _sum_monomial(self, monomial: Monomial, bound: tuple[Index, ...]) -> Poly:
        """The sum of one monomial."""
        for shorten in (self._contract, self._narrow, self._open):
            if (shortened := shorten(monomial, bound)) is not None:
                return shortened
        inner, bound, outside = self._flatten(monomial, bound)
        merged = self.product(1, dict(inner))
        if merged != {make_monomial(inner.items()): 1}:
            return self.multiply({make_monomial(outside.items()): 1}, self.sum_over(merged, bound))
        recognised = self._unnest(inner, bound)
        if recognised is not None:
            return self.multiply({make_monomial(outside.items()): 1}, recognised)
        result: Poly = {make_monomial(outside.items()): 1}
        for indices, factors in _components(inner, bound):
            part = self._component(factors, indices) if factors else self.count(indices[0].size)
            result = self.multiply(result, part)
        return result

    def _contract(self, monomial: Monomial, bound: tuple[Index, ...]) -> Poly | None:
        """The sum with a bound index that a delta fixes replaced by its value."""
        for atom, _ in monomial:
            if atom.kind is not Kind.DELTA:
                continue
            parts = [p for p, _ in reversed(atom.at[0].terms) if isinstance(p, Index) and p in bound]
            solved = [(part, *found) for part in parts if (found := solve_index(atom.at[0], part)) is not None]
            for part, value, guards in sorted(solved, key=lambda s: len(s[2]) > 1):  # those that divide come last
                fixed = self._fix(monomial, atom, {part: value}, guards)
                return self.sum_over(fixed, [i for i in bound if i != part])
        return None

    def _fix(self, monomial: Monomial, condition: Atom, values: IndexMap, guards: Iterable[Guard]) -> Poly:
        """The monomial with values of indices and the guards that they need in place of a factor that gives them."""
        rest = make_monomial((a, e) for a, e in monomial if a is not condition)
        fixed = self.rename({rest: 1}, values)
        for guard in guards:
            fixed = self.multiply(self.guard(guard), fixed)
        return fixed

    def _narrow(self, monomial: Monomial, bound: tuple[Index, ...]) -> Poly | None:
        """The sum with the range of a bound index made that of a factor that asks for a part of it."""
        for atom, _ in monomial:
            index = atom.at[0].index if atom.kind is Kind.RANGE else None
            if index is None or index not in bound:
                continue
            start, size = int(atom.name), atom.at[1]
            if covers(Affine.of(index), index.start, index.size, start, size):
                fresh = self.table.fresh(Index(index.name, size, start))
                inner = self._fix(monomial, atom, {index: Affine.of(fresh)}, ())
                return self.sum_over(inner, [fresh if i == index else i for i in bound])
        return None

    def _open(self, monomial: Monomial, bound: tuple[Index, ...]) -> Poly | None:
        """The sum with a bound index counted anew that a factor lets be at few places only."""
        conditions = [atom for atom, _ in monomial if atom.kind in (Kind.DELTA, Kind.RANGE)]
        known = [g for atom, exponent in monomial for g in _implied(atom, exponent)] if conditions else []
        for atom in conditions:
            guards = [Equal(atom.at[0])] if atom.kind is Kind.DELTA else _implied(atom, 1)
            chosen = choose_window(guards, [i for i in bound if i in atom.free], known)
            if chosen is None:
                continue
            _, index, value, more = chosen
            counted = {i: self.table.fresh(i) for i in value.indices if i.name == index.name}
            labels = {i: Affine.of(fresh) for i, fresh in counted.items()}
            needed = [guard.substitute(labels) for guard in more]
            fixed = self._fix(monomial, atom, {index: value.substitute(labels)}, needed)
            return self.sum_over(fixed, [*(i for i in bound if i != index), *counted.values()])
        return None

    def _flatten(
        self, monomial: Monomial, bound: tuple[Index, ...]
    ) -> tuple[dict[Atom, Number], tuple[Index, ...], dict[Atom, Number]]:
        """(factors that depend on a bound index, all bound indices, factors that do not), inner sums opened."""
        summed = set(bound)
        every = list(bound)
        inner: dict[Atom, Number] = {}
        outside: dict[Atom, Number] = {}
        for atom, exponent in monomial:
            if not atom.free & summed:
                outside[atom] = exponent
            elif atom.kind is Kind.SUM and exponent > 0 and isinstance(exponent, int):
                for _ in range(exponent):
                    fresh: IndexMap = {i: Affine.of(self.table.fresh(i)) for i in atom.bound}
                    opened, *others = self.rename(atom.body, fresh).items()
                    if others or opened[1] != 1:  # a condition in it has turned round: it stays closed
                        inner[atom] = inner.get(atom, 0) + 1
                        continue
                    every += [i for form in fresh.values() for i in form.indices]
                    for a, e in opened[0]:
                        inner[a] = inner.get(a, 0) + e
            else:
                inner[atom] = inner.get(atom, 0) + exponent
        return {a: e for a, e in inner.items() if e}, tuple(every), outside

    def _component(self, factors: dict[Atom, Number], indices: tuple[Index, ...]) -> Poly:
        """A sum that does not split, with canonical labels: the least text over all labellings that can give it."""
        height = 1 + max(a.height for a in factors)
        # A label of a sum around this one may be as high where a definition was put in below it.
        outer = [i.name for a in factors for i in a.free if i.name.startswith("#") and i not in indices]
        height = max([height, *(1 + int(name[1:].partition("_")[0]) for name in outer)])
        monomial = make_monomial(factors.items())
        colours = _colours(monomial, indices)
        ordered = sorted(indices, key=colours.__getitem__)
        groups = [list(g) for _, g in groupby(ordered, key=colours.__getitem__)]
        best: tuple[str, dict[Index, str]] | None = None
        for choice in islice(product(*(permutations(g) for g in groups)), LABELLINGS):
            labels = {i: f"#{height}_{k}" for k, i in enumerate(chain(*choice))}
            text = describe_monomial(monomial, labels.get) if len(indices) > 1 else ""
            if best is None or text < best[0]:
                best = (text, labels)
        assert best is not None
        values: IndexMap = {i: Affine.of(i.renamed(label)) for i, label in best[1].items()}
        renamed = self.rename({monomial: 1}, values)
        names = tuple(i.renamed(label) for i, label in best[1].items())
        return self.apply_rules(self.table.intern(Kind.SUM, "", (), names, renamed))

    def apply_rules(self, atom: Atom) -> Poly:
        """The value of a sum atom by the first rule that knows it, else itself."""
        for rule in self.rules:
            values = match(rule.pattern, atom)
            if values is not None:
                self.used.add(rule.source)
                return self.rename(rule.value, values)
        return self.single(atom)

    def _unnest(self, factors: dict[Atom, Number], bound: tuple[Index, ...]) -> Poly | None:
        """The sum with an inner sum recognised again: one that cancels, reduces, or that a rule knows."""
        wanted = {a.skeleton for atom, e in factors.items() for a in self._wanted(atom, e)}
        known = [rule.pattern.names for rule in self.rules]
        if len(bound) < 2 or not (wanted or known):
            return None
        for size in range(1, min(3, len(bound))):
            for chosen in combinations(sorted(bound, key=lambda i: i.name), size):
                result = self._take_inner(factors, bound, chosen, wanted, known)
                if result is not None:
                    return result
        return None

    def _take_inner(
        self,
        factors: dict[Atom, Number],
        bound: tuple[Index, ...],
        chosen: tuple[Index, ...],
        wanted: set[str],
        known: list[frozenset[str]],
    ) -> Poly | None:
        """The sum with the sum over `chosen` taken first, if that sum is wanted and makes a difference."""
        subset = set(chosen)
        inner = {a: e for a, e in factors.items() if a.free & subset}
        if any(a.kind is Kind.SUM and e > 0 and isinstance(e, int) for a, e in inner.items()):
            return None
        if not subset <= frozenset().union(*(a.free for a in inner)):
            return None
        if not wanted:
            names = frozenset().union(*(a.names for a in inner))
            if not any(k <= names for k in known):
                return None
        rest = {a: e for a, e in factors.items() if a not in inner}
        got = self._sum_monomial(make_monomial(inner.items()), chosen)
        has_sum = any(a.kind is Kind.SUM for m in got for a, _ in m)
        if has_sum and not any(len(m) == 1 and m[0][0].skeleton in wanted for m in got):
            return None
        new = self.multiply(got, {make_monomial(rest.items()): 1})
        joined = dict(rest)
        for m in got:
            for a, e in m:
                joined[a] = joined.get(a, 0) + e
        same = new == {make_monomial(joined.items()): 1}
        if same and has_sum and not any(a in rest for m in got for a, _ in m):
            return None
        return self.sum_over(new, [i for i in bound if i not in subset])

    def _wanted(self, atom: Atom, exponent: Number) -> list[Atom]:
        """The sums that could cancel against a factor."""
        if atom.kind is Kind.SUM:
            return [atom]
        if atom.kind is Kind.POWER and exponent < 0:
            return [a for a in self.lead_atoms(atom) if a.kind in SUMS]
        return []


def _implied(atom: Atom, exponent: Number) -> list[Within]:
    """What holds where a factor is not 0."""
    if atom.kind is Kind.RANGE:
        return [Within(atom.at[0], atom.at[1], int(atom.name))]
    if atom.kind is Kind.TENSOR and exponent > 0:
        return ranges_of(atom.at, atom.spans)
    return []


def _components(
    factors: dict[Atom, Number], bound: tuple[Index, ...]
) -> Iterator[tuple[tuple[Index, ...], dict[Atom, Number]]]:
    """Connected components of the bound indices, two being joined by a factor that has both."""
    left = list(bound)
    while left:
        component = [left.pop(0)]
        while True:
            reached = frozenset().union(*(a.free for a in factors if a.free & set(component)))
            more = [i for i in left if i in reached]
            if not more:
                break
            component += more
            left = [i for i in left if i not in more]
        yield tuple(component), {a: e for a, e in factors.items() if a.free & set(component)}


def _colours(monomial: Monomial, indices: tuple[Index, ...]) -> dict[Index, tuple[str, ...]]:
    """How each index stands in the monomial while the others cannot be told apart."""
    colours: dict[Index, tuple[str, ...]] = {}
    for index in indices:
        marks = {i: "@" if i == index else "?" for i in indices}
        if len(indices) == 1:
            colours[index] = ()
            continue
        texts = sorted(f"{describe(a, marks.get)}^{e}" for a, e in monomial if index in a.free)
        colours[index] = (str(index.size), str(index.start), *texts)
    return colours
