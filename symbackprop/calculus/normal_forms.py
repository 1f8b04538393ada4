"""Equality of definitions for all sizes, by normal form.

Two sides are equal if their difference is the zero polynomial over canonical atoms. Names that are kept are
independent generators, so it is sound to keep any of them: the stages go from keeping all names of the user to
keeping none. A difference that is not zero says nothing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from symbackprop.calculus.atoms import AtomTable, IndexMap, Kind, Poly, make_monomial, names_of
from symbackprop.calculus.budget import Budget, OutOfBudgetError
from symbackprop.calculus.combinations import add, scale, subtract
from symbackprop.calculus.conversion import convert_definition, convert_term
from symbackprop.calculus.definitions import Definition, Term
from symbackprop.calculus.equations import Equations
from symbackprop.calculus.indices import Affine
from symbackprop.calculus.polynomials import NoNormalFormError
from symbackprop.calculus.programs import Assumption, Program
from symbackprop.calculus.recurrences import find_cycles
from symbackprop.calculus.reindexing import complement, reindex, unroll
from symbackprop.calculus.rewriting import Algebra
from symbackprop.calculus.sums import Recorded, SumRule
from symbackprop.calculus.tensors import Read, Role

NAMES_KEPT, AFFINE_KEPT, INLINED = "names kept", "affine kept", "inlined"
ROUNDS = 40
MOST_PLACED = 2
"""The free indices of a rule of which all are put at the ends of their ranges."""
NOTHING: Mapping[str, Definition] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Equality:
    """That two definitions are equal for all sizes: the stage that showed it and the assumptions that it may rest on.

    Beside them it rests on denominators that are not zero, radicands and arguments of logarithms that are positive, and
    sizes of at least one.
    """

    stage: str
    assumptions: tuple[Assumption, ...] = ()


class NormalForms:
    """The normal forms of the definitions of one program under some of its assumptions.

    `products` bounds the work of one question, `seconds` its time; `until` is when the time for all of them ends.
    """

    def __init__(
        self,
        program: Program,
        assumptions: tuple[Assumption, ...] = (),
        products: int | None = 200_000,
        seconds: float | None = None,
        until: float | None = None,
    ) -> None:
        self.program = program
        self.assumptions = assumptions
        self.positive = frozenset(name for name, _ in positive_names(assumptions))
        constants = frozenset(t.name for t in program.leaves if t.role is Role.CONST and not t.axes)
        self.algebra = Algebra(AtomTable(self.positive, constants), Budget(products, seconds, until))
        # What reads itself stays a name, and so does what is no sum of terms.
        self.cycles = find_cycles(program.definitions)
        self._definitions = {d.tensor.name: d for d in program.definitions}
        self._names = frozenset(self.cycles) | {d.tensor.name for d in program.definitions if not d.is_sum}
        self._polys: dict[str, Recorded] = {}
        self._converted: dict[Definition, Recorded] = {}
        self.algebra.know((*self._assumption_rules(), *self._inverse_rules()))
        self._believed = self.algebra.rules

    def _assumption_rules(self) -> Iterator[SumRule]:
        """An assumed equation whose left side is a multiple of one sum, as a rule for that sum."""
        for number, assumption in enumerate(self.assumptions):
            if assumption.relation != "=":
                continue
            left = self._terms(assumption.left)
            if len(left) != 1:
                continue
            ((monomial, coefficient),) = left.items()
            atom, exponent = monomial[0] if monomial else (None, 0)
            if atom is None or len(monomial) != 1 or exponent != 1 or atom.kind is not Kind.SUM:
                continue
            if set(assumption.indices) == atom.free:
                right = scale(self._terms(assumption.right), Fraction(1) / coefficient)
                rule = SumRule(atom, right, f"assumption {number}")
                yield from (rule, *self._list_instances(rule))

    def _list_instances(self, rule: SumRule) -> Iterator[SumRule]:
        """A rule where its indices are equal or at their first or last number, if its sum has another form there: of
        Q[i,k]*Q[j,k] a square.
        """
        free = sorted(rule.pattern.free, key=lambda index: index.name)
        choices = [(Affine.of(i), Affine.of(i.start), i.size + Affine.of(i.start - 1)) for i in free]
        for places in itertools.product(*choices) if len(free) <= MOST_PLACED else ():
            yield from self._place(rule, dict(zip(free, places, strict=True)))
        for i, j in itertools.combinations(free, 2):
            if i.same_range(j):
                yield from self._place(rule, {j: Affine.of(i)})

    def _place(self, rule: SumRule, values: IndexMap) -> Iterator[SumRule]:
        """A rule at values of its indices, where that leaves a sum of another form."""
        placed = self.algebra.rename(self.algebra.single(rule.pattern), values)
        atoms = [m[0][0] for m, c in placed.items() if c == 1 and len(m) == 1 and m[0][1] == 1]
        if len(atoms) == len(placed) == 1 and atoms[0].kind is Kind.SUM:
            if atoms[0].skeleton != rule.pattern.skeleton:
                yield SumRule(atoms[0], self.algebra.rename(rule.value, values), rule.source)

    def assume_equations(self) -> bool:
        """Take the assumed equations as rules for products and sums from now on; whether any of them is one."""
        equations = [(k, a) for k, a in enumerate(self.assumptions) if a.relation == "="]
        gaps = [(subtract(self._terms(a.left), self._terms(a.right)), f"assumption {k}") for k, a in equations]
        read = Equations.read(self.algebra, gaps)
        self._believed = (*self._believed, *read.sums)
        self.algebra.know(self._believed, self.algebra.vanishing)
        self.algebra.assume(read.products, read.values)
        self._polys.clear()
        self._converted.clear()
        return bool(read.sums or read.products)

    def _inverse_rules(self) -> Iterator[SumRule]:
        """A matrix times its inverse, and its inverse times it, are the identity."""
        table = self.algebra.table
        for definition in self.program.definitions:
            if definition.call is None or definition.call.axiom != "inv":
                continue
            i, j = definition.indices
            for pair in itertools.permutations((definition.call.operand, definition.tensor)):
                k = table.fresh(i)
                places = (Affine.of(i), Affine.of(k)), (Affine.of(k), Affine.of(j))
                atoms = (table.tensor(t.name, at, t.spans) for t, at in zip(pair, places, strict=True))
                factors = make_monomial((atom, 1) for atom in atoms)
                (((product, _),),) = self.algebra.sum_over({factors: 1}, (k,))
                yield SumRule(product, self.algebra.delta(Affine.of(i) - Affine.of(j)), "axiom")

    def _terms(self, terms: Iterable[Term]) -> Poly:
        return add(*(convert_term(self.algebra, t) for t in terms))

    def of(self, definition: Definition) -> Poly:
        """The normal form of a definition with every name that it reads kept."""
        if self.algebra.rules is not self._believed:
            return convert_definition(self.algebra, definition)
        if definition not in self._converted:
            self._converted[definition] = self.algebra.record(lambda: convert_definition(self.algebra, definition))
        return self.algebra.recall(self._converted[definition])

    def of_name(self, name: str) -> Poly:
        """The normal form of the definition of a tensor of the program."""
        if name not in self._polys:
            self._polys[name] = self.algebra.record(lambda: self.of(self._definitions[name]))
        return self.algebra.recall(self._polys[name])

    def inlined(
        self,
        poly: Poly,
        keep: frozenset[str],
        local: Mapping[str, Definition] = NOTHING,
        unfold: frozenset[str] = frozenset(),
        opened: frozenset[str] = frozenset(),
    ) -> Poly:
        """The polynomial with the definitions of all names but `keep` put in, those in `local` first.

        What is in a cycle stays a name; that of `unfold` is put in once, where it is read at a step alone, and the
        cycle stays inside it. Those in `opened`, among which there must be no cycle, are put in wherever they are read.
        """
        done: dict[str, Poly] = {}
        stepping = frozenset(self.cycles) - frozenset(local) - opened

        def inline(p: Poly, kept: frozenset[str]) -> Poly:
            open_names = sorted(n for n in names_of(p) if n not in kept or n in local)
            found = {n: d for n in open_names if (d := self._definition(n, local, unfold | opened)) is not None}
            for name, definition in found.items():
                if name not in done:
                    inner = kept.union(n for n in self.cycles.get(name, ()) if n not in opened)
                    done[name] = inline(self.of(definition) if name in local else self.of_name(name), inner)
            return self.algebra.inline(p, {n: (d.indices, done[n]) for n, d in found.items()}, stepping)

        return inline(poly, keep - opened)

    def _definition(self, name: str, local: Mapping[str, Definition], unfold: frozenset[str]) -> Definition | None:
        if name in local:
            return local[name]
        closed = name in self._names and not (name in unfold and name in self.cycles)
        return None if closed else self._definitions.get(name)

    def equal(self, left: Definition, right: Definition) -> Equality | None:
        """How two definitions of the same shape are shown equal, or None where they are not."""
        if [i.size for i in left.indices] != [i.size for i in right.indices]:
            return None
        for stage, keep in self.stages(right):
            self.algebra.used.clear()
            if self.equal_keeping(left, right, keep):
                return Equality(stage, self.used_assumptions(left, right))
        return None

    def equal_keeping(
        self,
        left: Definition,
        right: Definition,
        keep: frozenset[str],
        local: Mapping[str, Definition] = NOTHING,
        unfold: frozenset[str] = frozenset(),
    ) -> bool:
        """Whether two definitions are shown equal with all definitions but those of `keep` put in."""
        self.algebra.budget.start()
        try:
            return self.is_zero(self.inlined(self.difference(left, right), keep, local, unfold))
        except (OutOfBudgetError, NoNormalFormError, RecursionError):
            return False

    def difference(self, left: Definition, right: Definition) -> Poly:
        """left - right in the indices of the left side."""
        values: IndexMap = {r: Affine.of(i) for r, i in zip(right.indices, left.indices, strict=True)}
        return subtract(self.of(left), self.algebra.rename(self.of(right), values))

    def stages(self, right: Definition) -> list[tuple[str, frozenset[str]]]:
        """Which names to keep, the most first; what a claim reads is worth keeping longest."""
        named = {d.tensor.name for d in self.program.definitions if d.tensor.role is Role.DEFINED}
        read = {r.tensor.name for _, _, r in right.reads() if r.tensor.role is not Role.HIDDEN}
        params = {t.name for t in self.program.leaves if t.role is Role.PARAM}
        affine = {
            d.tensor.name
            for d in self.program.definitions
            if d.tensor.role is Role.DEFINED and any(r.tensor.name in params for _, _, r in d.reads())
        }
        stages = [
            (NAMES_KEPT, frozenset(named | read)),
            (NAMES_KEPT, frozenset(named)),
            (AFFINE_KEPT, frozenset(affine | read)),
            (AFFINE_KEPT, frozenset(affine)),
            (INLINED, frozenset()),
        ]
        different = {keep: stage for stage, keep in reversed(stages)} | {frozenset(): INLINED}
        return [(stage, keep) for keep, stage in reversed(different.items())]

    def used_assumptions(self, left: Definition, right: Definition) -> tuple[Assumption, ...]:
        """The assumed equations that applied, and what is assumed of the signs of tensors that either side reads."""
        used = {int(source.split()[1]) for source in self.algebra.used if source.startswith("assumption ")}
        reached = self._reached({r.tensor.name for d in (left, right) for _, _, r in d.reads()})
        used |= {number for name, number in positive_names(self.assumptions) if name in reached}
        return tuple(a for k, a in enumerate(self.assumptions) if k in used)

    def _reached(self, names: set[str]) -> set[str]:
        """The names that definitions read, at any depth."""
        reached = set(names)
        for definition in reversed(self.program.definitions):
            if definition.tensor.name in reached:
                reached |= {r.tensor.name for _, _, r in definition.reads()}
        return reached

    def is_zero(self, poly: Poly) -> bool:
        """Whether a polynomial vanishes, denominators outside sums multiplied out and sums counted in one way."""
        if poly and any(a.open for m in poly for a, _ in m):
            poly = reindex(self.algebra, poly)
        if any(a.kind is Kind.RANGE for m in poly for a, _ in m):
            poly = complement(self.algebra, poly)
        if poly:
            poly = unroll(self.algebra, poly)
        for _ in range(ROUNDS):
            negative = [(a, e) for m in poly for a, e in m if a.kind is Kind.POWER and e < 0]
            if not poly or not negative:
                break
            atom, exponent = min(negative, key=lambda t: (-t[0].height, t[1], t[0].key))
            raised = math.ceil(-exponent)
            parts = []
            for monomial, c in poly.items():
                factors = dict(monomial)
                factors[atom] = factors.get(atom, 0) + raised
                parts.append(self.algebra.product(c, factors))
            poly = add(*parts)
        return not poly


def positive_names(assumptions: tuple[Assumption, ...]) -> list[tuple[str, int]]:
    """The tensors assumed to be positive everywhere, with the number of the assumption."""
    found = []
    for number, assumption in enumerate(assumptions):
        sides = (assumption.left, assumption.right)
        if assumption.relation == "<":
            sides = (assumption.right, assumption.left)
        if assumption.relation not in (">", "<") or len(sides[0]) != 1:
            continue
        (term,) = sides[0]
        read = term.slots[0] if len(term.slots) == 1 else None
        bounds = [t.body for t in sides[1]]
        if not isinstance(read, Read) or term.bound or term.guards or not term.body.is_Symbol:
            continue
        general = {f.index for f in read.at} == set(assumption.indices) and len(set(read.at)) == len(read.at)
        if general and all(b.is_number and b.is_nonnegative for b in bounds):
            found.append((read.tensor.name, number))
    return found
