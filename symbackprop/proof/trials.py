"""A refuted claim at small sizes, in numbers: what may repair it is tried there, and proved where it agrees."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import isfinite

from symbackprop.calculus.chain import Adjoints
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.evaluation import Evaluation
from symbackprop.calculus.expansion import Entry
from symbackprop.calculus.indices import Affine
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import SymBackpropError
from symbackprop.language import tree as t
from symbackprop.language.elaboration import Elaborator
from symbackprop.language.hiding import hidden_parts
from symbackprop.language.symbols import program_symbols
from symbackprop.language.writer import write_tree
from symbackprop.proof.budget import Budget
from symbackprop.proof.comparisons import prove_for_all
from symbackprop.proof.formula_numbers import FormulaNumbers, NoNumberError
from symbackprop.proof.places import SCALES, Place, list_entries
from symbackprop.proof.sizes import choose_sizes, wide_sizes

PRODUCTS = 20_000
MOST_CHECKED = 12
"""Entries that a candidate is tried at in numbers."""
SMALLEST = 1e-9
"""What is not larger in numbers may be 0."""
MOST_STEPS = 4_000
"""Candidates that are looked at, and entries that are evaluated for them; a search in vain takes a few hundred."""
MOST_PROOFS = 60
"""Candidates that agree in numbers and are tried by proof."""
STEPS_FOR_ONE, SECONDS_FOR_ONE = 20_000, 5.0
"""What the proof of one candidate may take where entries are decided one by one; the seconds are a guard."""
MOST_CELLS = 80
"""Pieces into which the kinks of a candidate may cut the space; each takes about a hundred steps."""
MOST_DECIDED = 9
"""Entries that are decided one by one."""
MOST_SEARCHED = 200
"""Entries among which one is looked for where the claim is wrong."""


class OutOfStepsError(Exception):
    """The steps that a diagnosis may take are over, or its time, which is far more than they take."""


@dataclass(frozen=True, slots=True)
class Question:
    """A refuted claim: `left` is the truth, `right` what is claimed, both over `program`, adjoints included.

    `tree` is the claimed formula with adjoints read by their names, and `truth` the folded derivative as a formula,
    with those that it is made of behind it; `terms` are what it is the sum of. Where the truth is no derivative,
    `asked` is the formula that it is. Where it is one, `of` and `wrt` are the tensors that it is taken of and by, `at`
    is where they are read, and `adjoints` are the steps of the chain rule that lead to it. Where a form in `least` is
    below 0 there are entries missing that are claimed.
    """

    program: Program
    left: Definition
    right: Definition
    tree: t.Expression
    truth: tuple[t.Expression, ...]
    terms: tuple[t.Expression, ...] = ()
    asked: t.Expression | None = None
    of: Tensor | None = None
    wrt: Tensor | None = None
    at: tuple[Affine, ...] = ()
    adjoints: Adjoints | None = None
    least: tuple[Affine, ...] = ()

    @property
    def forward(self) -> Program:
        """What the derivative is taken of with all that it is made of; without a derivative, the program."""
        if self.adjoints is None:
            return self.program
        return self.adjoints.program.reaching(self.adjoints.numerator.name)


@dataclass(slots=True)
class Trial:
    """A question in numbers; what is evaluated is kept.

    `differs` says that the sides are told apart in floating point, without which no number speaks for a candidate.
    """

    question: Question
    until: float
    place: Place
    scale: tuple[float, float] = SCALES[0]
    differs: bool = False
    entries: list[Entry] = field(default_factory=list)
    truth: list[float] = field(default_factory=list)
    claimed: list[float] = field(default_factory=list)
    made: dict[tuple[str, Entry], float] = field(default_factory=dict)
    names: frozenset[str] | None = None
    steps: int = 0
    proofs: int = 0
    formulas: FormulaNumbers | None = None

    @staticmethod
    def make(question: Question, until: float) -> Trial:
        """Choose sizes, values and entries at which the claim is wrong in numbers, if there are any."""
        q = question
        chosen = sorted(choose_sizes(q.program, q.least), key=lambda sizes: 1 in sizes.values())
        for sizes in (*chosen, *wide_sizes(q.program, q.left, q.right, q.least)):
            trial = Trial(q, until, Place.make(q.program, sizes))
            if trial._settle():
                return trial
        trial = Trial(q, until, Place.make(q.program, chosen[0]))
        trial._choose_entries(MOST_CHECKED)
        return trial

    def _settle(self) -> bool:
        """Find values and entries at which the claim is wrong in numbers."""
        for self.scale in SCALES:
            for most in (MOST_CHECKED, MOST_SEARCHED):
                self._choose_entries(most)
                if all(map(isfinite, self.truth)) and not agree(self.truth, self.claimed):
                    self._keep_few()
                    self.formulas = self._make_formulas()
                    self.differs = True
                    return True
        return False

    def _make_formulas(self) -> FormulaNumbers:
        program, place = self.question.program, self.place
        return FormulaNumbers(self._evaluate(program, place, self.made), program.tensors(), place.sizes)

    def _choose_entries(self, most: int) -> None:
        every = list_entries(self.question.left.indices, self.place.sizes)
        self.made = {}
        self.entries = every[:: max(1, len(every) // most)]
        self.truth = list(self.values(self.question.program, self.question.left, self.made))
        self.claimed = list(self.values(self.question.program, self.question.right, self.made))

    def _keep_few(self) -> None:
        """Keep the entries where the claim is wrong, and some where it is right."""
        pairs = zip(self.truth, self.claimed, strict=True)
        order = sorted((agree([a], [b]), k) for k, (a, b) in enumerate(pairs))[: 2 * MOST_CHECKED]
        kept = sorted(k for _, k in order)
        self.entries = [self.entries[k] for k in kept]
        self.truth = [self.truth[k] for k in kept]
        self.claimed = [self.claimed[k] for k in kept]

    def _evaluate(self, program: Program, place: Place, made: dict[tuple[str, Entry], float]) -> Evaluation:
        """A program in numbers at the chosen scale."""
        shift, scale = self.scale
        return Evaluation(program, place.sizes, partial(place.value_of, shift=shift, scale=scale), place.data, made)

    def count_step(self) -> None:
        """Count one more step, and raise once they, or the time, are over."""
        self.steps += 1
        if self.steps > MOST_STEPS or time.process_time() > self.until:
            raise OutOfStepsError

    def values(
        self, program: Program, definition: Definition, made: dict[tuple[str, Entry], float], place: Place | None = None
    ) -> Iterator[float]:
        """A definition in numbers at the chosen entries, one after the other."""
        numbers = self._evaluate(program, place or self.place, made)
        for entry in self.entries:
            self.count_step()
            values = numbers.start(dict(zip(definition.indices, entry, strict=True)))
            yield sum((numbers.term(term, values) for term in definition.terms), 0.0)

    def is_truth(self, candidate: Definition, hidden: Sequence[Definition] = ()) -> bool:
        """Whether a candidate is the truth, in numbers and by proof; `hidden` are definitions that it needs."""
        return self._is(candidate, hidden, self.question.left, self.truth)

    def is_claim(self, candidate: Definition, hidden: Sequence[Definition] = ()) -> bool:
        """Whether a candidate is what is claimed, in numbers and by proof; `hidden` are definitions that it needs."""
        return self._is(candidate, hidden, self.question.right, self.claimed)

    def _is(
        self, candidate: Definition, hidden: Sequence[Definition], side: Definition, numbers: Sequence[float]
    ) -> bool:
        program = self.question.program.extended(tuple(hidden))
        made = dict(self.made)
        agrees = agree(self.values(program, candidate, made), numbers)
        if self.names is None:
            self.names = frozenset(self.question.program.tensors())
        self.made.update((key, value) for key, value in made.items() if key[0] in self.names)
        return agrees and self.proves(program, side, candidate)

    def agree_in(self, program: Program, left: Definition, right: Definition, place: Place | None = None) -> bool:
        """Whether two definitions are equal over another program, in numbers and by proof, and not 0 everywhere.

        Where both are 0 everywhere, the claim says nothing.
        """
        made: dict[tuple[str, Entry], float] = {}
        first, second = (self.values(program, side, made, place) for side in (left, right))
        largest = 0.0
        for one, other in zip(first, second, strict=True):
            if not agree([one], [other]):
                return False
            largest = max(largest, abs(one))
        return largest > SMALLEST and self.proves(program, left, right, place)

    def proves(self, program: Program, left: Definition, right: Definition, place: Place | None = None) -> bool:
        """Whether two definitions are shown to be equal, in a part of the work that is allowed.

        They are told apart in numbers at values of other signs and sizes first. Where the normal form does not show
        that they are equal, as where a recurrence is unfolded, each of a few entries is decided.
        """
        if any(self._differ_at(scale, program, left, right, place) for scale in SCALES if scale != self.scale):
            return False
        self.proofs += 1
        if self.proofs > MOST_PROOFS:
            raise OutOfStepsError
        proved = prove_for_all(program, left, right, PRODUCTS, SECONDS_FOR_ONE) is not None
        return proved or self._proves_at_sizes(program, left, right)

    def _differ_at(
        self, scale: tuple[float, float], program: Program, left: Definition, right: Definition, place: Place | None
    ) -> bool:
        """Whether two definitions have different values at a scale, as far as both have any there."""
        other = replace(self, scale=scale)
        made: dict[tuple[str, Entry], float] = {}
        pairs = zip(*(other.values(program, side, made, place) for side in (left, right)), strict=True)
        return any(isfinite(a) and isfinite(b) and not agree([a], [b]) for a, b in pairs)

    def _proves_at_sizes(self, program: Program, left: Definition, right: Definition) -> bool:
        """Whether every entry is proved at the sizes at which claims are, and agrees in numbers at larger ones."""
        program = program.concerning((left, right))
        budget = Budget(SECONDS_FOR_ONE, most_steps=STEPS_FOR_ONE, most_cells=MOST_CELLS)
        for sizes in choose_sizes(program, self.question.least):
            place = Place.make(program, sizes)
            entries = list_entries(left.indices, sizes)
            if len(entries) > MOST_DECIDED:
                return False
            for entry in entries:
                if not place.decide(left, right, entry, frozenset(), budget, claim="").proved:
                    return False
        wide = (Place.make(program, sizes) for sizes in wide_sizes(program, left, right, self.question.least))
        return all(place.differing_entry(left, right) is None for place in wide)

    def numbers_of(self, tree: t.Expression) -> list[float] | None:
        """A formula in numbers at the chosen entries, or None where it has none here."""
        try:
            return list(self._numbers(tree))
        except NoNumberError:
            return None

    def may_be_right(self, tree: t.Expression) -> bool:
        """Whether a formula agrees with the truth in numbers, as far as it has any here."""
        self.count_step()
        try:
            return agree(self._numbers(tree), self.truth)
        except NoNumberError:
            return True

    def _numbers(self, tree: t.Expression) -> Iterator[float]:
        assert self.formulas is not None
        names = [i.name for i in self.question.left.indices]
        return (self.formulas.value(tree, dict(zip(names, entry, strict=True))) for entry in self.entries)

    def read(
        self, tree: t.Expression, program: Program | None = None
    ) -> tuple[Definition, tuple[Definition, ...]] | None:
        """A formula as a definition with the hidden ones that it needs; None where it has no meaning."""
        program = program or self.question.program
        elaborator = Elaborator(program_symbols(program), known=hidden_parts(program))
        try:
            made = elaborator.define("tried", self.question.left.indices, tree, Role.DEFINED)
        except SymBackpropError:
            return None
        hidden = tuple(elaborator.hidden)
        # A range may be of a size on which neither side depends, which then has no number here.
        known = set(Program((), (made, *hidden)).size_names) <= set(self.place.sizes)
        return (made, hidden) if known else None

    def write(self, tree: t.Node) -> str:
        """A part of a formula in the names of the user."""
        return write_named(tree, self.question.program)


def write_named(tree: t.Node, program: Program) -> str:
    """A part of a formula, in which the adjoints of a program are called as claims call them."""
    adjoints = {d.tensor.name: d.tensor for d in program.definitions if d.tensor.role is Role.ADJOINT}

    def change(node: t.Node) -> t.Node:
        changed = t.map_children(node, change)
        made = adjoints.get(changed.name) if isinstance(changed, t.Access | t.Name) else None
        if made is None or made.numerator is None or made.denominator is None:
            return changed
        indices = changed.indices if isinstance(changed, t.Access) else ()
        above = 0 if made.numerator == program.loss else len(program.tensor(made.numerator).axes)
        parts = (made.numerator, indices[:above]), (made.denominator, indices[above:])
        reads = [t.Access(name, at) if at else t.Name(name) for name, at in parts]
        return t.Apply("adj", tuple(reads if made.numerator != program.loss else reads[1:]))

    return write_tree(change(tree))


def agree(left: Iterable[float], right: Iterable[float]) -> bool:
    """Whether two runs of numbers are close; neither is looked at beyond the first difference."""
    return all(
        isfinite(a) and isfinite(b) and abs(a - b) <= 1e-8 * max(1e-6, abs(a), abs(b))
        for a, b in zip(left, right, strict=True)
    )
