"""Whether two definitions of one tensor are equal: for all sizes by the normal form, else written out at small ones.

A claim is first refuted if it can be: both sides are written out at small distinct sizes and evaluated at a rational
point. A proof may keep names of the program as symbols, since what holds for any value of `a1` holds for the value
that it has; a refutation may not, and is made in what is given alone.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isnan

import sympy

from symbackprop.calculus.definitions import Definition, Term
from symbackprop.calculus.evaluation import Evaluation
from symbackprop.calculus.expansion import Entry, Expansion, entries_of, entry_symbol, points_of
from symbackprop.calculus.indices import Atom, Index, Point, parts_of
from symbackprop.calculus.inductions import equal_with_recurrences
from symbackprop.calculus.inverses import open_products, share_functions
from symbackprop.calculus.normal_forms import NormalForms
from symbackprop.calculus.programs import Assumption, Program
from symbackprop.calculus.sharing import find_twins, read_twins
from symbackprop.calculus.symmetry import assumed_symmetric, find_symmetric, symmetrize
from symbackprop.calculus.tensors import Count, Role, Tensor
from symbackprop.errors import UnsaidShapeError
from symbackprop.language.phrasing import hidden_definitions, phrase_terms
from symbackprop.language.writer import write_tree
from symbackprop.proof.conditions import Domain, find_domain
from symbackprop.proof.equality import decide, find_witness
from symbackprop.proof.lemmas import apply_lemmas
from symbackprop.proof.verdict import Verdict, Witness

DIAGNOSIS_SECONDS = 1.6
MOST_ENTRIES = 64
"""At given sizes no more entries than this are compared; beyond, the claim is undecided there."""
SCALES = ((0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (1.0, 4.0))
"""Values between 1/4 and 7/4, less the first, times the second: positive, then of both signs, negative, and large."""
WIDE_SECONDS = 3.0
WIDEST = 12
"""Numbers up to this are looked beyond for a refutation at larger sizes."""
MOST_SIZES = 12
"""Among so many sizes that fit two are chosen, where the first choice leaves an axis empty."""


def prove_terms_equal(program: Program, left: Sequence[Term], right: Sequence[Term]) -> Verdict:
    """Whether two scalars, sums of terms in the tensors of a program, are equal."""
    scalar = Tensor("value", (), Role.DEFINED)
    return compare(program, Definition(scalar, (), tuple(left)), Definition(scalar, (), tuple(right)))


def compare(
    program: Program,
    left: Definition,
    right: Definition,
    plain: Definition | None = None,
    diagnosed: bool = True,
    domain: Domain | None = None,
) -> Verdict:
    """Whether two definitions of a tensor in the same letters are equal, for all sizes where that can be decided.

    `plain` is the left side in the names of the program; what a wrong right side lacks is then said in them, at the
    entry where the sides differ. Unless `diagnosed`, that is left to the caller. Outside of the `domain`, which is that
    of the two sides if none is given, no point refutes.
    """
    domain = find_domain(program, (left, right)) if domain is None else domain
    sides = (left, right) if plain is None else (left, right, plain)
    whole, program = program, program.concerning(sides)
    places = tuple(Place.make(program, sizes, domain) for sizes in choose_sizes(program))
    for place in places:
        refuted = place.refute(left, right, (plain or left) if diagnosed else None)
        if refuted is not None:
            return refuted
    # Helper lines that no side reads may be lemmas.
    assumptions = prove_for_all(whole, left, right)
    if assumptions is not None:
        scope = "all sizes" if program.size_names else "all values"
        hypotheses = tuple(write_assumption(a, program) for a in assumptions)
        return Verdict("proved", scope=scope, hypotheses=hypotheses)
    # Before anything is called proved at small sizes: what is special about them may be a number that is written.
    until = time.process_time() + WIDE_SECONDS
    for sizes in wide_sizes(program, left, right):
        refuted = Place.make(program, sizes, domain).refute(left, right, None) if time.process_time() < until else None
        if refuted is not None:
            return refuted
    return _prove_at(places, left, right)


def wide_sizes(program: Program, left: Definition, right: Definition) -> Iterator[dict[str, int]]:
    """Sizes beyond every number that two sides write, up to a limit, one size at a time."""
    numbers = {1}
    for term in (*left.terms, *right.terms):
        numbers |= {int(abs(n)) for n in term.body.atoms(sympy.Integer)}
        forms = [f for s in term.slots for f in ((s.value,) if isinstance(s, Count) else s.at)]
        for form in (*forms, *(g.form for g in term.guards)):
            numbers |= {abs(form.constant), *(abs(c) for _, c in form.terms)}
            numbers |= {abs(inner.constant) for atom in form.walk() for inner in parts_of(atom)}
    wide = min(max(numbers), WIDEST) + 3
    for name in program.size_names:
        sizes = {other: wide if other == name else 2 + k % 2 for k, other in enumerate(program.size_names)}
        if _fits(program, sizes):
            yield sizes


def prove_for_all(
    program: Program, left: Definition, right: Definition, products: int = 200_000, seconds: float | None = None
) -> tuple[Assumption, ...] | None:
    """The assumptions under which the normal form shows two definitions to be equal, or None.

    `products` bounds the work of each attempt, `seconds` its time.
    """
    opened = open_products(program)
    twins = find_twins(opened)
    shared = replace(opened, definitions=tuple(read_twins(d, twins) for d in opened.definitions))
    sides = read_twins(left, twins), read_twins(right, twins)
    lemmas = apply_lemmas(shared, sides, _Numbers(shared))
    shared, sides = lemmas.program, (lemmas.sides[0], lemmas.sides[1])
    forms = NormalForms(shared, program.assumptions, products, seconds)
    equality = forms.equal(*sides) or equal_with_recurrences(forms, *sides)
    if equality is not None:
        return tuple(dict.fromkeys((*lemmas.assumptions, *equality.assumptions)))
    assumed = assumed_symmetric(program)
    if not assumed and not any(d.call for d in shared.definitions):
        return None
    mirrored = _symmetrize_all(shared, assumed)
    forms = NormalForms(mirrored, program.assumptions, products, seconds)
    symmetric = find_symmetric(mirrored, assumed, lambda one, other: forms.equal(one, other) is not None)
    joined = share_functions(mirrored, lambda one, other: forms.equal(one, other) is not None)
    joined = _symmetrize_all(joined, {name: known for name, known in symmetric.items() if name not in assumed})
    forms = NormalForms(joined, program.assumptions, products, seconds)
    equality = forms.equal(*(symmetrize(side, symmetric) for side in sides))
    if equality is None:
        return None
    reached = shared.sources(r.tensor.name for side in sides for _, _, r in side.reads())
    used = (a for name, known in symmetric.items() if name in reached for a in known)
    return tuple(dict.fromkeys((*lemmas.assumptions, *equality.assumptions, *used)))


@dataclass(slots=True)
class _Numbers:
    """The first entries of tensors in numbers, at sizes that fit."""

    program: Program
    numbers: Evaluation | None = None

    def __call__(self, tensor: Tensor) -> float:
        if self.numbers is None:
            place = Place.make(self.program, choose_sizes(self.program)[0])
            self.numbers = Evaluation(self.program, place.sizes, place.value_of, place.data)
        return self.numbers.entry(tensor.name, tuple(start for start, _ in tensor.spans))


def _symmetrize_all(program: Program, names: Mapping[str, object]) -> Program:
    return replace(program, definitions=tuple(symmetrize(d, names) for d in program.definitions))


def choose_sizes(program: Program) -> tuple[dict[str, int], ...]:
    """Two sets of small distinct sizes; one empty set where all sizes are numbers.

    >>> choose_sizes(Program((), ()))
    ({},)
    """
    names = program.size_names
    if not names:
        return ({},)
    rising = {name: 2 + k % 4 for k, name in enumerate(names)}
    falling = {name: 2 + (len(names) - k) % 4 for k, name in enumerate(names)}
    chosen = (rising, falling) if rising != falling else (rising, {name: n + 1 for name, n in rising.items()})
    if all(_fits(program, sizes) for sizes in chosen):
        return chosen
    every = (dict(zip(names, v, strict=True)) for v in itertools.product((3, 4, 2, 5, 6, 7, 1), repeat=len(names)))
    found = list(itertools.islice((sizes for sizes in every if _fits(program, sizes)), MOST_SIZES))
    if not found:
        raise UnsaidShapeError("No sizes up to 7 leave every axis and every range of integer data with an entry.")
    return (found[len(found) // 2], found[-1])


def _fits(program: Program, sizes: Mapping[str, int]) -> bool:
    """Whether every axis has an entry, and every entry of integer data a value."""
    values: dict[Atom, int] = dict(sizes.items())
    ranges = (t.range for t in program.leaves if t.range is not None)
    axes = (axis for t in program.tensors().values() for axis in t.axes)
    return all(size.evaluate(values) >= 1 for size in (*axes, *ranges))


def write_sizes(sizes: Mapping[str, int]) -> str:
    """Sizes as "N=2, D=3"."""
    return ", ".join(f"{name}={value}" for name, value in sizes.items())


def write_assumption(assumption: Assumption, program: Program) -> str:
    """An assumption in the formula language."""
    hidden = hidden_definitions(program)
    sides = (phrase_terms(side, assumption.indices, hidden) for side in (assumption.left, assumption.right))
    return f" {assumption.relation} ".join(map(write_tree, sides))


@dataclass(frozen=True, slots=True)
class Place:
    """A program at given sizes: assumed equations solved for entries of the data, assumed inequalities as they are.

    Outside of the `domain` nothing is refuted.
    """

    program: Program
    sizes: Mapping[str, int]
    data: Mapping[Point, int]
    solved: Mapping[sympy.Symbol, sympy.Expr]
    inequalities: tuple[sympy.Basic, ...]
    domain: Domain = Domain()

    @staticmethod
    def make(program: Program, sizes: Mapping[str, int], domain: Domain | None = None) -> Place:
        """Write the assumptions of a program out at given sizes and integer data that the names of its entries give."""
        data = _sample_integers(program, sizes)
        expansion = Expansion(program, sizes, data=data)
        solved: dict[sympy.Symbol, sympy.Expr] = {}
        inequalities: list[sympy.Basic] = []
        relations = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "!=": sympy.Ne}
        for assumption in program.assumptions:
            for entry in list_entries(assumption.indices, sizes):
                values = expansion.start(dict(zip(assumption.indices, entry, strict=True)))
                left, right = (
                    sympy.Add(*(expansion.term(t, values) for t in side))
                    for side in (assumption.left, assumption.right)
                )
                if assumption.relation == "=":
                    _solve_linear((left - right).xreplace(solved), solved)
                else:
                    inequalities.append(relations[assumption.relation](left, right))
        return Place(program, sizes, data, solved, tuple(inequalities), domain or Domain())

    @property
    def where(self) -> str:
        """The sizes and the integer data as "N=2, D=3, tok[1]=2"."""
        return write_sizes({**self.sizes, **{str(entry_symbol(*point)): value for point, value in self.data.items()}})

    def decide(
        self, left: Definition, right: Definition, entry: Entry, keep: frozenset[str] = frozenset(), seconds: float = 10
    ) -> Verdict:
        """The verdict on one entry, the names in `keep` being symbols."""
        domain = () if keep else self._write_domain()
        return decide(*self._sides(left, right, entry, keep), self.inequalities, domain, claim="claim", seconds=seconds)

    def _write_domain(self) -> tuple[sympy.Basic, ...]:
        """The domain in what is given; sizes and integer data that it alone reads are the smallest."""
        part = self.domain.program
        sizes = {name: self.sizes.get(name, 2) for name in part.size_names}
        if not self.domain.conditions or not _fits(part, sizes):
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
        entry = self.differing_entry(left, right)
        if entry is None:
            return None
        sides = self._sides(left, right, entry, frozenset())
        witness = find_witness(*sides, self.inequalities, self._write_domain())
        if witness is None:
            return None
        return self.refutation(entry, witness, "" if plain is None else self._diagnose(plain, right, entry))

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
        until = time.process_time() + DIAGNOSIS_SECONDS
        found: list[str] = []
        for count in range(len(needed), -1, -1):
            if time.process_time() > until:
                break
            found.append(self.decide(plain, right, entry, frozenset(needed[:count])).diagnosis)
        return min((text for text in found if text), key=len, default="")

    def differing_entry(self, left: Definition, right: Definition) -> Entry | None:
        """The first entry whose two sides are far apart in floating point, at positive values, else at any."""
        definitions = (*self.program.definitions, left, right)
        # Where something is told apart by values, one choice of them may not show all there is.
        kinks = any(term.body.has(sympy.Piecewise) for d in definitions for term in d.terms)
        for shift, scale in SCALES if kinks else SCALES[:1]:
            entry = self._differing_at(left, right, shift, scale)
            if entry is not None:
                return entry
        return None

    def _differing_at(self, left: Definition, right: Definition, shift: float, scale: float) -> Entry | None:
        """The same at values less `shift`, times `scale`."""
        numbers = Evaluation(self.program, self.sizes, partial(self.value_of, shift=shift, scale=scale), self.data)
        for entry in list_entries(left.indices, self.sizes):
            sides = []
            for definition in (left, right):
                values = numbers.start(dict(zip(definition.indices, entry, strict=True)))
                sides.append(sum(numbers.term(t, values) for t in definition.terms))
            if not any(map(isnan, sides)) and not abs(sides[0] - sides[1]) <= 1e-9 * max(
                1.0, abs(sides[0]), abs(sides[1])
            ):
                return entry
        return None

    def value_of(self, name: str, entry: Entry, shift: float = 0, scale: float = 1) -> float:
        """A value for an entry of what is given, such that the assumed equations hold."""
        symbol = entry_symbol(name, entry)
        if symbol not in self.solved:
            return (_sample(str(symbol)) - shift) * scale
        value = self.solved[symbol]
        drawn = {s: sympy.Float((_sample(str(s)) - shift) * scale) for s in value.free_symbols}
        return float(value.xreplace(drawn))


def _choose(condition: sympy.Basic, then: sympy.Basic, otherwise: sympy.Basic) -> sympy.Basic:
    """A choice between conditions, as a condition."""
    return sympy.Or(sympy.And(condition, then), sympy.And(sympy.Not(condition), otherwise))


def _solve_linear(equation: sympy.Expr, solved: dict[sympy.Symbol, sympy.Expr]) -> None:
    """Solve equation = 0 for the last entry that it is linear in, with a number before it."""
    for symbol in sorted(equation.free_symbols, key=str, reverse=True):
        coefficient = sympy.diff(equation, symbol)
        if coefficient.is_number and coefficient != 0:
            value = sympy.expand(symbol - equation / coefficient)
            for known in solved:
                solved[known] = solved[known].xreplace({symbol: value})
            solved[symbol] = value
            return


def _ancestors(program: Program, name: str) -> frozenset[str]:
    """A tensor with everything that it is made of."""
    part = program.reaching(name)
    return frozenset({name, *(d.tensor.name for d in part.definitions)})


def _defined(program: Program) -> frozenset[str]:
    """The names of the forward definitions."""
    return frozenset(d.tensor.name for d in program.definitions if d.tensor.role in (Role.DEFINED, Role.HIDDEN))


def _sample(name: str) -> float:
    """A value between 1/4 and 7/4 that the name of an entry decides."""
    return (8 + _mix(name) * 37 % 49) / 32


def _mix(name: str) -> int:
    """A number that a name decides."""
    return sum((k + 1) * ord(c) for k, c in enumerate(name))


def _sample_integers(program: Program, sizes: Mapping[str, int]) -> dict[Point, int]:
    """Integer data in their ranges, which the names of their entries decide."""
    values: dict[Atom, int] = dict(sizes.items())
    return {
        (tensor.name, entry): 1 + _mix(str(entry_symbol(tensor.name, entry))) % tensor.range.evaluate(values)
        for tensor in program.leaves
        if tensor.range is not None
        for entry in entries_of(tensor, sizes)
    }


def list_entries(indices: Sequence[Index], sizes: Mapping[str, int]) -> list[Entry]:
    """Every tuple of values of some indices, in row-major order."""
    values: dict[Atom, int] = dict(sizes.items())
    return list(points_of(indices, values))


def _prove_at(places: Sequence[Place], left: Definition, right: Definition) -> Verdict:
    """A proof entry by entry at every choice of sizes, names kept where that suffices."""
    program = places[0].program
    defined = _defined(program)
    parameters = {t.name for t in program.leaves if t.role is Role.PARAM}
    affine = frozenset(
        d.tensor.name for d in program.definitions if any(r.tensor.name in parameters for _, _, r in d.reads())
    )
    hypotheses: dict[str, None] = {}
    for place in places:
        entries = list_entries(left.indices, place.sizes)
        if len(entries) > MOST_ENTRIES:
            return Verdict("undecided", reason=f"{len(entries)} entries at {place.where} are too many")
        for entry in entries:
            for keep in dict.fromkeys((defined, affine & defined, frozenset[str]())):
                verdict = place.decide(left, right, entry, keep)
                if verdict.proved:
                    break
            if verdict.refuted:  # the last choice keeps no name, so this speaks of what is given alone
                return place.refutation(entry, verdict.witness, verdict.diagnosis)
            if not verdict.proved:
                where = f" at the entry {list(entry)}" if entry else ""
                return Verdict("undecided", reason=verdict.reason or f"neither a proof nor a counterexample{where}")
            hypotheses.update(dict.fromkeys(verdict.hypotheses))
    if places[0].solved or places[0].inequalities:
        hypotheses.update((write_assumption(a, program), None) for a in program.assumptions)
    sizes = " and at ".join(place.where for place in places)
    everywhere = not program.size_names and not places[0].data
    scope = "all values" if everywhere else f"the sizes {sizes}"
    return Verdict("proved", scope=scope, for_all_sizes=everywhere, hypotheses=tuple(hypotheses))
