"""What a refuted claim lacks, for all sizes: candidates from the claim, the program and the chain rule, each proven.

A candidate is first tried in numbers, which is cheap; what agrees there is proved by the normal form or is not named.
A claim that is wrong in two unrelated ways gets no words.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations
from math import isfinite

import sympy

from symbackprop.calculus.chain import derive
from symbackprop.calculus.definitions import Definition, Term, make_term, slot_symbol
from symbackprop.calculus.evaluation import Evaluation
from symbackprop.calculus.expansion import Entry
from symbackprop.calculus.indices import Affine
from symbackprop.calculus.paths import instantiate
from symbackprop.calculus.programs import Assumption, Program
from symbackprop.calculus.tensors import Read, Role, Tensor
from symbackprop.errors import SymBackpropError
from symbackprop.language import tree as t
from symbackprop.language.elaboration import Elaborator
from symbackprop.language.hiding import hidden_parts
from symbackprop.language.phrasing import hidden_definitions, phrase_terms
from symbackprop.language.symbols import program_symbols
from symbackprop.language.writer import write_tree
from symbackprop.proof.comparisons import SCALES, Place, choose_sizes, list_entries, prove_for_all, write_assumption
from symbackprop.proof.constants import exact_constants
from symbackprop.proof.edits import Edit, Vocabulary, list_edits, list_factors_of_all, sums_over_numbers
from symbackprop.proof.formula_numbers import FormulaNumbers, NoNumberError
from symbackprop.proof.ingredients import list_factors, list_masks, list_terms, sum_over

SECONDS = 2.0
PRODUCTS = 20_000
MOST_CHECKED = 12
"""Entries that a candidate is tried at in numbers."""


@dataclass(frozen=True, slots=True)
class Question:
    """A refuted claim: `left` is the truth, `right` what is claimed, both over `program`, adjoints included.

    `tree` is the claimed formula with adjoints read by their names, and `truth` the folded derivative as a formula,
    with those that it is made of behind it.
    `paths` are what the tensors that read `wrt` add to the derivative.
    """

    program: Program
    left: Definition
    right: Definition
    tree: t.Expression
    truth: tuple[t.Expression, ...]
    of: Tensor | None = None
    wrt: Tensor | None = None
    paths: tuple[tuple[str, tuple[Term, ...]], ...] = ()


def find_repair(question: Question, seconds: float = SECONDS) -> str:
    """A proven sentence about what the claim lacks, or nothing."""
    search = _Search(question, time.process_time() + seconds)
    try:
        if not search.prepare():
            return ""
        for words in search.candidates():
            return words
    except (_OutOfTimeError, SymBackpropError, ArithmeticError, RecursionError):
        return ""
    return ""


class _OutOfTimeError(Exception):
    """The time for a diagnosis is over."""


@dataclass(slots=True)
class _Search:
    """The search for one repair; what is evaluated is kept."""

    question: Question
    until: float
    place: Place | None = None
    scale: tuple[float, float] = (0.0, 1.0)
    entries: list[Entry] = field(default_factory=list)
    truth: list[float] = field(default_factory=list)
    claimed: list[float] = field(default_factory=list)
    made: dict[tuple[str, Entry], float] = field(default_factory=dict)
    names: frozenset[str] | None = None
    formulas: FormulaNumbers | None = None

    def prepare(self) -> bool:
        """Find the sizes and the entries at which the claim is wrong in numbers."""
        q = self.question
        sizes = choose_sizes(q.program)[0]
        self.place = Place.make(q.program, sizes)
        every = list_entries(q.left.indices, sizes)
        step = max(1, len(every) // MOST_CHECKED)
        for self.scale in SCALES:
            self.made = {}
            self.entries = every[::step]
            self.truth = list(self._values(q.program, q.left, self.made))
            self.claimed = list(self._values(q.program, q.right, self.made))
            if all(map(isfinite, self.truth)) and not _agree(self.truth, self.claimed):
                numbers = Evaluation(q.program, sizes, self._value_of, self.place.data, self.made)
                self.formulas = FormulaNumbers(numbers, q.program.tensors(), sizes)
                return True
        return False

    def _value_of(self, name: str, entry: Entry) -> float:
        assert self.place is not None
        return self.place.value_of(name, entry, *self.scale)

    def _values(
        self, program: Program, definition: Definition, made: dict[tuple[str, Entry], float], place: Place | None = None
    ) -> Iterator[float]:
        """A definition in numbers at the chosen entries, one after the other."""
        place = place or self.place
        assert place is not None
        shift, scale = self.scale
        numbers = Evaluation(
            program, place.sizes, lambda name, entry: place.value_of(name, entry, shift, scale), place.data, made
        )
        for entry in self.entries:
            if time.process_time() > self.until:
                raise _OutOfTimeError
            values = numbers.start(dict(zip(definition.indices, entry, strict=True)))
            yield sum((numbers.term(term, values) for term in definition.terms), 0.0)

    def _is_right(
        self, candidate: Definition, hidden: Sequence[Definition] = (), truth: Definition | None = None
    ) -> bool:
        """Whether a candidate is the truth (or what is claimed, if that is given), in numbers and by proof."""
        q = self.question
        program = q.program.extended(tuple(hidden))
        wanted = self.truth if truth is None else self.claimed
        made = dict(self.made)
        agrees = _agree(self._values(program, candidate, made), wanted)
        if self.names is None:
            self.names = frozenset(q.program.tensors())
        self.made.update((key, value) for key, value in made.items() if key[0] in self.names)
        return agrees and self._proves(program, truth or q.left, candidate)

    def _proves(self, program: Program, left: Definition, right: Definition) -> bool:
        seconds = max(self.until - time.process_time(), 0.0)
        return prove_for_all(program, left, right, PRODUCTS, seconds) is not None

    def candidates(self) -> Iterator[str]:
        """What is right to say, the first of which is said."""
        vocabulary = self._vocabulary()
        if _are_proportional(self.truth, self.claimed):
            yield from self._right_ones(list_factors_of_all(self.question.tree, vocabulary))
        yield from self._paths()
        yield from self._assumptions()
        yield from self._diagonals()
        yield from self._constants()
        yield from self._right_ones(list_edits(self.question.tree, vocabulary))
        yield from self._right_ones(self._sums())
        yield from self._vanishing()

    def _right_ones(self, edits: Iterator[Edit]) -> Iterator[str]:
        """What those changes say that are right."""
        for edit in edits:
            made = self._read(self.question.program, edit.tree) if self._may_be_right(edit.tree) else None
            if made is not None and self._is_right(*made):
                yield f"the claim {edit.words}"

    def _sums(self) -> Iterator[Edit]:
        """Sums that were forgotten."""
        q = self.question
        free = {i.name for i in q.left.indices}
        for letter in sorted(free):
            yield Edit(f"lacks the sum over {letter}", sum_over(q.tree, letter))
        used = dict.fromkeys(i.name for d in q.program.definitions for i in d.indices if i.name not in free)
        yield from sums_over_numbers(q.tree, tuple(used))

    def _may_be_right(self, tree: t.Expression) -> bool:
        """Whether a formula agrees with the truth in numbers, as far as it has any here."""
        if time.process_time() > self.until:
            raise _OutOfTimeError
        assert self.formulas is not None
        names = [i.name for i in self.question.left.indices]
        try:
            found = (self.formulas.value(tree, dict(zip(names, entry, strict=True))) for entry in self.entries)
            return _agree(found, self.truth)
        except NoNumberError:
            return True

    def _vocabulary(self) -> Vocabulary:
        q = self.question
        loss = q.program.loss
        known = {
            name: tensor.axes
            for name, tensor in q.program.tensors().items()
            if tensor.role is not Role.HIDDEN
            and tensor.range is None
            and (tensor.role is not Role.ADJOINT or (tensor.numerator == loss and not self._is_asked_for(tensor)))
        }
        scalars = (
            *q.program.size_names,
            *(tensor.name for tensor in q.program.leaves if tensor.role is Role.CONST and not tensor.axes),
        )
        letters = frozenset(i.name for i in q.left.indices)
        forward = [d.tree for d in q.program.definitions if isinstance(d.tree, t.Expression)]
        masks = (*self._equal_indices(), *(m for tree in (*q.truth, *forward) for m in list_masks(tree)))
        factors = dict.fromkeys((*masks, *(f for tree in q.truth for f in list_factors(tree))))
        terms = dict.fromkeys(term for tree in q.truth for term in list_terms(tree))
        reads = dict.fromkeys(
            node for tree in q.truth for node, _ in t.walk(tree) if isinstance(node, t.Access) and node.name in known
        )
        others = tuple(name for name in q.program.tensors() if name not in known)
        return Vocabulary(known, others, letters, scalars, tuple(factors), tuple(terms), tuple(reads), self.write)

    def _equal_indices(self) -> Iterator[t.Expression]:
        """1 where two indices of one range are equal, or an integer that is given is an index, else 0."""
        q = self.question
        one, zero = t.Number(Fraction(1)), t.Number(Fraction(0))
        for tensor in q.program.leaves:
            at = self._letters(tensor)
            read = t.Access(tensor.name, tuple(map(t.Name, at))) if at else t.Name(tensor.name)
            for index in q.left.indices:
                if tensor.range is not None and tensor.range == index.size:
                    yield t.Where(t.Compare("==", read, t.Name(index.name)), one, zero)
        for first, second in combinations(q.left.indices, 2):
            if first.same_range(second):
                yield t.Where(t.Compare("==", t.Name(first.name), t.Name(second.name)), one, zero)

    def _is_asked_for(self, adjoint: Tensor) -> bool:
        """Whether an adjoint is the derivative that the claim is about: to put that in repairs everything."""
        wrt = self.question.wrt
        return wrt is not None and adjoint.denominator == wrt.name

    def write(self, tree: t.Node) -> str:
        """A part of a formula in the names of the user."""
        q = self.question
        adjoints = {
            d.tensor.name: d.tensor.denominator
            for d in q.program.definitions
            if d.tensor.role is Role.ADJOINT and d.tensor.denominator is not None
        }

        def change(node: t.Node) -> t.Node:
            changed = t.map_children(node, change)
            if isinstance(changed, t.Access | t.Name) and changed.name in adjoints:
                return t.Apply("adj", (replace(changed, name=adjoints[changed.name]),))
            return changed

        return write_tree(change(tree))

    def _read(self, program: Program, tree: t.Expression) -> tuple[Definition, tuple[Definition, ...]] | None:
        """A formula as a definition with the hidden ones that it needs; None where it has no meaning."""
        elaborator = Elaborator(program_symbols(program), known=hidden_parts(program))
        try:
            made = elaborator.define("tried", self.question.left.indices, tree, Role.DEFINED)
        except SymBackpropError:
            return None
        return made, tuple(elaborator.hidden)

    # The chain rule

    def _paths(self) -> Iterator[str]:
        """Paths of the chain rule that the claim leaves out."""
        q = self.question
        readers = list(dict.fromkeys(name for name, _ in q.paths))
        for count in range(1, len(readers)):
            for missing in combinations(readers, count):
                terms = tuple(term for name, added in q.paths if name not in missing for term in added)
                if self._is_right(replace(q.left, terms=terms), (), q.right):
                    names = [self._name(name) for name in missing]
                    several = f"paths through {', '.join(names[:-1])} and {names[-1]} are"
                    yield f"the {several if len(names) > 1 else f'path through {names[0]} is'} missing from the claim"

    def _name(self, name: str) -> str:
        """The name of a tensor, or the formula that a hidden one stands for."""
        definition = self.question.program.definition(name)
        if definition is None or definition.tensor.role is not Role.HIDDEN:
            return name
        hidden = hidden_definitions(self.question.program)
        return self.write(phrase_terms(definition.terms, definition.indices, hidden))

    def _diagonals(self) -> Iterator[str]:
        """The diagonal of a Jacobian taken in place of all of it."""
        q = self.question
        if q.of is None or q.wrt is None:
            return
        yield from self._equal_letters(q.of, q.wrt)
        if q.of.axes or not q.wrt.axes or len(q.left.indices) != len(q.wrt.axes):
            return
        at = tuple(Affine.of(i) for i in q.left.indices)
        adjoints = {d.tensor.denominator: d.tensor for d in q.program.definitions if d.tensor.role is Role.ADJOINT}
        for definition in q.program.definitions:
            u = definition.tensor
            known = adjoints.get(u.name)
            if u.role is not Role.DEFINED or u.name == q.wrt.name or u.axes != q.wrt.axes or known is None:
                continue
            if q.wrt.name not in q.program.sources((u.name,)):
                continue
            inner = derive(q.program, u.name, (q.wrt.name,))
            diagonal = []
            for term in instantiate(inner.gradient(q.wrt.name), (*at, *at)):
                body = term.body * slot_symbol(len(term.slots))
                made = make_term(term.bound, body, (*term.slots, Read(known, at)), term.guards)
                diagonal += [] if made is None else [made]
            if self._is_right(replace(q.left, terms=tuple(diagonal)), inner.definitions, q.right):
                yield (
                    f"the claim takes the diagonal of the Jacobian of {u.name} by {q.wrt.name} in place of the Jacobian"
                )

    def _equal_letters(self, of: Tensor, wrt: Tensor) -> Iterator[str]:
        """A derivative that holds where two indices are equal only."""
        q = self.question
        if not of.axes or not wrt.axes:
            return
        for first, second in combinations(q.left.indices, 2):
            if first.same_range(second):
                at = tuple(Affine.of(first if i == second else i) for i in q.left.indices)
                sides = [replace(side, terms=instantiate(side, at)) for side in (q.left, q.right)]
                numbers = [self._values(q.program, side, dict(self.made)) for side in sides]
                if _agree(*numbers) and self._proves(q.program, *sides):
                    yield (
                        f"the claim holds where {second.name} = {first.name}, not in general: it is the diagonal of "
                        f"the Jacobian of {of.name} by {wrt.name}"
                    )

    # What the claim takes for granted

    def _assumptions(self) -> Iterator[str]:
        """An assumption about the data under which the claim is right."""
        q = self.question
        read = q.program.sources({r.tensor.name for side in (q.left, q.right) for _, _, r in side.reads()})
        for tensor in q.program.leaves:
            if tensor.role is not Role.INPUT or not tensor.axes or tensor.name not in read:
                continue
            for axis in range(len(tensor.axes)):
                assumption = _sums_to_one(tensor, axis, self._letters(tensor))
                if assumption in q.program.assumptions:
                    continue
                assumed = replace(q.program, assumptions=(*q.program.assumptions, assumption))
                assert self.place is not None
                place = Place.make(assumed, self.place.sizes)
                made: dict[tuple[str, Entry], float] = {}
                sides = [self._values(assumed, side, made, place) for side in (q.left, q.right)]
                if _agree(*sides) and self._proves(assumed, q.left, q.right):
                    yield f"the claim holds if {write_assumption(assumption, assumed)}, which is not assumed"

    def _letters(self, tensor: Tensor) -> tuple[str, ...]:
        """The letters with which the program reads a tensor."""
        for definition in self.question.program.definitions:
            for _, _, read in definition.reads():
                found = [form.index.name for form in read.at if form.index is not None]
                if read.tensor.name == tensor.name and len(set(found)) == len(tensor.axes):
                    return tuple(found)
            if definition.tensor.axes[: len(tensor.axes)] == tensor.axes and tensor.range is not None:
                return tuple(i.name for i in definition.indices[: len(tensor.axes)])
        return tuple("ijklmnpqrs"[: len(tensor.axes)])

    def _vanishing(self) -> Iterator[str]:
        """A constant without which the claim is right."""
        q = self.question
        for tensor in q.program.leaves:
            if tensor.role is not Role.CONST or tensor.axes:
                continue
            kept = tuple(a for a in q.program.assumptions if not _reads(a, tensor.name))
            definitions = tuple(_without(d, tensor.name) for d in q.program.definitions)
            program = replace(q.program, definitions=definitions, assumptions=kept)
            left, right = _without(q.left, tensor.name), _without(q.right, tensor.name)
            made: dict[tuple[str, Entry], float] = {}
            sides = [self._values(program, side, made) for side in (left, right)]
            if _agree(*sides) and self._proves(program, left, right):
                yield f"the claim holds for {tensor.name} = 0, not in general"

    def _constants(self) -> Iterator[str]:
        """Constants that were rounded."""
        q = self.question
        for words, tree in exact_constants(q.tree):
            made = self._read(q.program, tree)
            if made is not None and self._is_right(*made):
                yield f"the claim {words}"


def _agree(left: Iterable[float], right: Iterable[float]) -> bool:
    """Whether two runs of numbers are close; neither is looked at beyond the first difference."""
    return all(
        isfinite(a) and isfinite(b) and abs(a - b) <= 1e-8 * max(1e-6, abs(a), abs(b))
        for a, b in zip(left, right, strict=True)
    )


def _are_proportional(left: Sequence[float], right: Sequence[float]) -> bool:
    """Whether one number times the second list is the first."""
    ratios = [a / b for a, b in zip(left, right, strict=True) if b]
    if not ratios or any(a for a, b in zip(left, right, strict=True) if not b):
        return False
    return all(abs(r - ratios[0]) <= 1e-8 * abs(ratios[0]) for r in ratios)


def _sums_to_one(tensor: Tensor, axis: int, letters: Sequence[str]) -> Assumption:
    """sum(k, y[n,k]) = 1 over one axis of a tensor."""
    indices = tensor.indices(letters)
    read = Read(tensor, tuple(Affine.of(i) for i in indices))
    left = Term((indices[axis],), slot_symbol(0), (read,))
    free = tuple(i for k, i in enumerate(indices) if k != axis)
    return Assumption(free, (left,), "=", (Term((), sympy.Integer(1), ()),))


def _reads(assumption: Assumption, name: str) -> bool:
    terms = (*assumption.left, *assumption.right)
    return any(read.tensor.name == name for term in terms for _, read in term.reads())


def _without(definition: Definition, name: str) -> Definition:
    """The definition with a constant put to 0."""
    terms: list[Term] = []
    for term in definition.terms:
        zero = {slot_symbol(k): sympy.Integer(0) for k, read in term.reads() if read.tensor.name == name}
        if not zero:
            terms.append(term)
            continue
        body = term.body.xreplace(zero)
        if body.has(sympy.zoo, sympy.nan, sympy.oo):
            raise ArithmeticError(f"{name} = 0 is no value for {definition.tensor.name}")
        made = make_term(term.bound, body, term.slots, term.guards)
        terms += [] if made is None else [made]
    return replace(definition, terms=tuple(terms))
