"""Programs at given sizes: which sizes are tried, values that satisfy the assumptions, and entries that differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite, nan
from zlib import crc32

import sympy

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.evaluation import Evaluation
from symbackprop.calculus.expansion import Entry, Expansion, entries_of, entry_symbol, points_of
from symbackprop.calculus.indices import Atom, Index, Point
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role
from symbackprop.proof.budget import Budget
from symbackprop.proof.conditions import Domain
from symbackprop.proof.equality import decide, find_witness
from symbackprop.proof.margins import Margin, NoEntryError
from symbackprop.proof.sizes import fits, write_sizes
from symbackprop.proof.verdict import Verdict, Witness

DIAGNOSIS_STEPS, DIAGNOSIS_SECONDS = 40_000, 16.0
"""What a diagnosis may take; the seconds are a guard, far beyond what the steps take."""
SCALES = ((0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (1.0, 4.0))
"""Values between 1/4 and 7/4, less the first, times the second: positive, then of both signs, negative, and large."""
SHUFFLES = range(1, 13)
"""Other orders of the values, in each of which another entry may be the largest."""
CHOICES = ("mixed", "first", "last")
"""The integer data that is tried at each choice of sizes."""


ValueOf = Callable[[str, Entry], float]
"""A value for every entry of what is given."""


@dataclass(frozen=True, slots=True)
class Place:
    """A program at given sizes: assumed equations solved for entries of the data; those that are not solved, and
    assumed inequalities, as relations.

    Outside of the `domain` nothing is refuted.
    """

    program: Program
    sizes: Mapping[str, int]
    data: Mapping[Point, int]
    solved: Mapping[sympy.Symbol, sympy.Expr]
    relations: tuple[sympy.Basic, ...]
    domain: Domain = Domain()

    @staticmethod
    def make(program: Program, sizes: Mapping[str, int], domain: Domain | None = None, data: str = "mixed") -> Place:
        """Write the assumptions of a program out at given sizes and integer data, one of CHOICES."""
        integers = _sample_integers(program, sizes, data)
        expansion = Expansion(program, sizes, data=integers)
        equations: list[sympy.Expr] = []
        relations: list[sympy.Basic] = []
        kinds = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "!=": sympy.Ne}
        for assumption in program.assumptions:
            for entry in list_entries(assumption.indices, sizes):
                values = expansion.start(dict(zip(assumption.indices, entry, strict=True)))
                left, right = (
                    sympy.Add(*(expansion.term(t, values) for t in side))
                    for side in (assumption.left, assumption.right)
                )
                if assumption.relation == "=":
                    equations.append(left - right)
                else:
                    relations.append(kinds[assumption.relation](left, right))
        solved, left_over = _solve(equations)
        relations = [relation.xreplace(solved) for relation in relations]
        relations += [sympy.Eq(equation, 0) for equation in left_over]
        kept = tuple(relation for relation in relations if relation != sympy.true)
        return Place(program, sizes, integers, solved, kept, domain or Domain())

    @property
    def is_impossible(self) -> bool:
        """Whether nothing satisfies the assumptions, as far as that shows in solving them."""
        return sympy.false in self.relations

    @property
    def draws(self) -> bool:
        """Whether the values that are drawn satisfy the assumed equations."""
        return not any(isinstance(relation, sympy.Eq) for relation in self.relations)

    @property
    def where(self) -> str:
        """The sizes and the integer data as "N=2, D=3, tok[1]=2"."""
        return write_sizes({**self.sizes, **{str(entry_symbol(*point)): value for point, value in self.data.items()}})

    def decide(
        self,
        left: Definition,
        right: Definition,
        entry: Entry,
        keep: frozenset[str],
        budget: Budget | None = None,
        claim: str = "claim",
    ) -> Verdict:
        """The verdict on one entry, the names in `keep` being symbols; no diagnosis without a word for a `claim`.

        Relations of nothing that the entry depends on are left aside: a proof needs none of them, and each of them may
        have several solutions. A point that refutes must be one for all of them.
        """
        domain = () if keep else self._write_domain()
        sides = self._sides(left, right, entry, keep)
        near = _list_connected(self.relations, (*sides, *domain))
        verdict = decide(*sides, near, domain, claim=claim, budget=budget)
        if not verdict.refuted or len(near) == len(self.relations):
            return verdict
        witness = find_witness(*sides, self.relations, domain, budget=budget)
        if witness is None:
            return Verdict("undecided", reason="no point was found that satisfies all assumptions")
        return replace(verdict, witness=witness)

    def _write_domain(self) -> tuple[sympy.Basic, ...]:
        """The domain in what is given; sizes and integer data that it alone reads are the smallest."""
        part = self.domain.program
        sizes = {name: self.sizes.get(name, 2) for name in part.size_names}
        if not self.domain.conditions or not fits(part, sizes):
            return ()
        data = {**_sample_integers(part, sizes), **self.data}
        written = self.domain.write(sizes, data)
        return tuple(each.xreplace(dict(self.solved)).replace(sympy.ITE, _choose) for each in written)

    def _sides(
        self, left: Definition, right: Definition, entry: Entry, keep: frozenset[str]
    ) -> tuple[sympy.Expr, sympy.Expr]:
        """One entry of both sides, written out."""
        expansion = Expansion(self.program, self.sizes, keep, self.data)
        made = []
        for definition in (left, right):
            values = expansion.start(dict(zip(definition.indices, entry, strict=True)))
            side = sympy.Add(*(expansion.term(t, values) for t in definition.terms)).xreplace(dict(self.solved))
            made.append(side.replace(sympy.ITE, _choose))
        return made[0], made[1]

    def refute(self, left: Definition, right: Definition, plain: Definition | None) -> Verdict | None:
        """A refutation: the first entry whose sides differ at one point, confirmed rigorously; `plain` is diagnosed."""
        entry = self.differing_entry(left, right) if self.draws else None
        if entry is None:
            return None
        sides = self._sides(left, right, entry, frozenset())
        witness = find_witness(*sides, self.relations, self._write_domain())
        if witness is None:
            return None
        return self.refutation(entry, witness, "" if plain is None else self._diagnose(plain, right, entry))

    def refute_first(
        self, left: Definition, right: Definition, find: Callable[..., Witness | None], most_entries: int
    ) -> Verdict | None:
        """A refutation of one of the first entries, by a point that is found for its sides, relations and domain."""
        for entry in list_entries(left.indices, self.sizes)[:most_entries]:
            witness = find(*self._sides(left, right, entry, frozenset()), self.relations, self._write_domain())
            if witness is not None and not self.is_beyond(left, right, entry):
                return self.refutation(entry, witness, "")
        return None

    def refutation(self, entry: Entry, witness: Witness | None, diagnosis: str) -> Verdict:
        """The verdict that one entry is refuted here."""
        where = f"the entry [{','.join(map(str, entry))}]" if entry else ""
        scope = " at ".join(part for part in (where, self.where) if part)
        return Verdict("refuted", scope=scope, for_all_sizes=False, witness=witness, diagnosis=diagnosis)

    def _diagnose(self, plain: Definition, right: Definition, entry: Entry) -> str:
        """What the right side lacks, in the shortest words that any choice of kept names gives.

        Kept are all names of the program, then fewer and fewer from its end, so that a claim about one definition is
        compared in the names below it.
        """
        read = {r.tensor.name for side in (plain, right) for _, _, r in side.reads()}
        names = [d.tensor.name for d in self.program.definitions if d.tensor.role is Role.DEFINED]
        needed = [n for n in names if any(n in _ancestors(self.program, name) for name in read)]
        budget = Budget(DIAGNOSIS_SECONDS, most_steps=DIAGNOSIS_STEPS)
        found: list[str] = []
        for count in range(len(needed), -1, -1):
            if budget.is_spent:
                break
            found.append(self.decide(plain, right, entry, frozenset(needed[:count]), budget).diagnosis)
        return min((text for text in found if text), key=len, default="")

    def differing_entry(self, left: Definition, right: Definition) -> Entry | None:
        """The first entry whose two sides are far apart in floating point, at positive values, else at any."""
        definitions = (*self.program.definitions, left, right)
        # Where something is told apart by values, one choice of them may not show all there is.
        kinks = any(term.body.has(sympy.Piecewise) for d in definitions for term in d.terms)
        draws = [partial(self.value_of, shift=shift, scale=scale) for shift, scale in (SCALES if kinks else SCALES[:1])]
        if any(d.argmax is not None for d in definitions):
            draws += [partial(self.value_of, shift=1, shuffle=number) for number in SHUFFLES]
        return next((entry for draw in draws if (entry := self._differing_at(left, right, draw)) is not None), None)

    def _differing_at(self, left: Definition, right: Definition, value_of: ValueOf) -> Entry | None:
        """The same at one choice of values."""
        numbers = Evaluation(self.program, self.sizes, value_of, self.data)
        for entry in list_entries(left.indices, self.sizes):
            sides = [_value(numbers, side, entry) for side in (left, right)]
            if _differ(*sides) and (not self.domain.written or self._differs_inside(numbers, left, right, entry)):
                return entry
        return None

    def _differs_inside(self, numbers: Evaluation, left: Definition, right: Definition, entry: Entry) -> bool:
        """Whether sides differ also where nothing that a claim reads beyond an end is taken for 0."""
        margin = Margin.make(numbers, self.domain.written)
        written = self.domain.written
        try:
            sides = [
                margin.value(side, entry) if side in written else _value(numbers, side, entry) for side in (left, right)
            ]
        except NoEntryError:
            return False
        return _differ(*sides)

    def is_beyond(self, left: Definition, right: Definition, entry: Entry) -> bool:
        """Whether an entry depends on what a claim reads beyond an end."""
        written = self.domain.written
        for shift, scale in SCALES if written else ():
            value_of = partial(self.value_of, shift=shift, scale=scale)
            numbers = Evaluation(self.program, self.sizes, value_of, self.data)
            margin = Margin.make(numbers, written)
            try:
                for side in (side for side in (left, right) if side in written):
                    if _differ(margin.value(side, entry), _value(numbers, side, entry)):
                        return True
            except NoEntryError:
                return True
        return False

    def needs_zeros(self, left: Definition, right: Definition, entry: Entry) -> bool:
        """Whether sides that are equal are so by the 0 that a claim reads beyond an end: they differ without it.

        An entry of several that depends on it as a whole, as at the last step, is what a program computes there.
        """
        written = self.domain.written
        for shift, scale in SCALES:
            numbers = Evaluation(self.program, self.sizes, partial(self.value_of, shift=shift, scale=scale), self.data)
            margin = Margin.make(numbers, written)
            try:
                sides = [margin.value(d, entry) if d in written else _value(numbers, d, entry) for d in (left, right)]
            except NoEntryError:
                return not entry
            if _differ(*sides):
                return True
        return False

    def value_of(self, name: str, entry: Entry, shift: float = 0, scale: float = 1, shuffle: int = 0) -> float:
        """A value for an entry of what is given, such that the assumed equations that are solved hold."""
        symbol = entry_symbol(name, entry)
        if symbol not in self.solved:
            return (_sample(str(symbol), shuffle) - shift) * scale
        value = self.solved[symbol]
        drawn = {s: sympy.Float((_sample(str(s), shuffle) - shift) * scale) for s in value.free_symbols}
        try:
            return float(value.xreplace(drawn))
        except TypeError:  # it has no real value there, or a condition in it has none
            return nan


def _list_connected(relations: Sequence[sympy.Basic], sides: Sequence[sympy.Basic]) -> tuple[sympy.Basic, ...]:
    """The relations that speak of the symbols of some expressions, or of what those are related to."""
    reached = {symbol for side in sides for symbol in side.free_symbols}
    while True:
        near = tuple(relation for relation in relations if relation.free_symbols & reached)
        more = {symbol for relation in near for symbol in relation.free_symbols} - reached
        if not more:
            return near
        reached |= more


def _value(numbers: Evaluation, definition: Definition, entry: Entry) -> float:
    """An entry of a side in numbers."""
    values = numbers.start(dict(zip(definition.indices, entry, strict=True)))
    return sum((numbers.term(t, values) for t in definition.terms), 0.0)


def _differ(left: float, right: float) -> bool:
    """Whether two values are far apart; what has no value, or none that a float can hold, differs from nothing."""
    finite = isfinite(left) and isfinite(right)
    return finite and abs(left - right) > 1e-9 * max(1.0, abs(left), abs(right))


def _choose(condition: sympy.Basic, then: sympy.Basic, otherwise: sympy.Basic) -> sympy.Basic:
    """A choice between conditions, as a condition."""
    return sympy.Or(sympy.And(condition, then), sympy.And(sympy.Not(condition), otherwise))


def _solve(equations: Sequence[sympy.Expr]) -> tuple[dict[sympy.Symbol, sympy.Expr], list[sympy.Expr]]:
    """Entries by others such that expressions are 0, and the expressions for which that was not found."""
    solved: dict[sympy.Symbol, sympy.Expr] = {}
    left = list(equations)
    found = True
    while found:  # a solution may make another equation linear
        found, waiting = False, left
        left = []
        for equation in waiting:
            known = sympy.expand(equation.xreplace(solved))
            if known == 0:
                continue
            if _solve_linear(known, solved):
                found = True
            else:
                left.append(known)
    return solved, left


def _solve_linear(equation: sympy.Expr, solved: dict[sympy.Symbol, sympy.Expr]) -> bool:
    """Solve equation = 0 for the last entry that it is linear in, with a number before it, if it is in any."""
    for symbol in sorted(equation.free_symbols, key=str, reverse=True):
        coefficient = sympy.diff(equation, symbol)
        if coefficient.is_number and coefficient != 0:
            value = sympy.expand(symbol - equation / coefficient)
            if value.has(symbol):  # in the condition of a branch
                continue
            for known in solved:
                solved[known] = solved[known].xreplace({symbol: value})
            solved[symbol] = value
            return True
    return False


def _ancestors(program: Program, name: str) -> frozenset[str]:
    """A tensor with everything that it is made of."""
    part = program.reaching(name)
    return frozenset({name, *(d.tensor.name for d in part.definitions)})


def _sample(name: str, shuffle: int = 0) -> float:
    """A value between 1/4 and 7/4 that the name of an entry decides."""
    mixed = crc32(f"{name}{shuffle}".encode()) if shuffle else sum((k + 1) * ord(c) for k, c in enumerate(name)) * 37
    return (8 + mixed % 49) / 32


def _sample_integers(program: Program, sizes: Mapping[str, int], data: str = "mixed") -> dict[Point, int]:
    """Integer data in their ranges: rising in steps of one, two, ... from tensor to tensor, or the first or the last
    numbers throughout, where all are equal.
    """
    values: dict[Atom, int] = dict(sizes.items())
    ranged = [(tensor, tensor.range) for tensor in program.leaves if tensor.range is not None]
    found: dict[Point, int] = {}
    for number, (tensor, numbers) in enumerate(ranged):
        last = numbers.evaluate(values)
        for place, entry in enumerate(entries_of(tensor, sizes)):
            mixed = 1 + (place * (number + 1) + number) % last
            found[tensor.name, entry] = {"mixed": mixed, "first": 1, "last": last}[data]
    return found


def list_entries(indices: Sequence[Index], sizes: Mapping[str, int]) -> list[Entry]:
    """Every tuple of values of some indices, in row-major order."""
    values: dict[Atom, int] = dict(sizes.items())
    return list(points_of(indices, values))
