"""The chain rule path by path: every way by which one entry of a tensor reaches the numerator.

A path runs through entries of named tensors, such as W3[1,1] -> z3[1] -> a3[1] -> z4[2] -> a4[2] -> loss. Each of its
edges carries a local derivative, the partial of one entry by the entry before it, which comes from the one chain rule
applied to that definition alone. The derivative is the sum over the paths of the products of their factors.

Axes whose sizes are integers are walked entry by entry. An axis of symbolic size keeps an index letter, and the sum
over a path then runs over the letters that the path opened.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy

from symbackprop.calculus.chain import Adjoints, between, derive
from symbackprop.calculus.definitions import Definition, Term, make_term, slot_symbol, substitute_slot, used_slots
from symbackprop.calculus.guards import Equal
from symbackprop.calculus.indices import Affine, Atom, Index, choose_name, compare_range
from symbackprop.calculus.programs import Program
from symbackprop.calculus.recurrences import arrange, read_recurrence
from symbackprop.calculus.tensors import Read, Role, Tensor, slot_indices
from symbackprop.errors import ArgumentError, LimitError

Place = tuple[Affine, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One entry of a tensor; an axis of symbolic size may keep an index letter."""

    tensor: Tensor
    at: Place

    def __str__(self) -> str:
        return self.tensor.name + (f"[{','.join(map(str, self.at))}]" if self.at else "")


@dataclass(frozen=True, slots=True)
class Factor:
    """The local derivative of the entry `of` by the entry `wrt`, as a sum of terms."""

    of: Node
    wrt: Node
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """Factors from the numerator down to the entry that is differentiated by, multiplied and summed over `bound`."""

    factors: tuple[Factor, ...]
    bound: tuple[Index, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The entries along the path, the one that is differentiated by first."""
        return tuple(f.wrt for f in reversed(self.factors)) + (self.factors[0].of,)

    @property
    def terms(self) -> tuple[Term, ...]:
        """The product of the factors, summed over what the path opened."""
        product = [Term((), sympy.Integer(1), ())]
        for factor in self.factors:
            product = [multiply(a, b) for a in product for b in factor.terms]
        made = [make_term((*self.bound, *t.bound), t.body, t.slots, t.guards) for t in product]
        return tuple(t for t in made if t is not None)


def multiply(left: Term, right: Term) -> Term:
    """The product of two terms, the bound indices of the second renamed where they clash with any of the first."""
    taken = {i.name for i in (*left.bound, *(i for slot in left.slots for i in slot_indices(slot)))}
    values: dict[Atom, Affine] = {}
    bound = []
    for index in right.bound:
        new = index.renamed(choose_name(index.name, taken))
        taken.add(new.name)
        bound.append(new)
        values[index] = Affine.of(new)
    count = len(left.slots)
    moved = {slot_symbol(k): slot_symbol(count + k) for k in used_slots(right.body)}
    slots = left.slots + tuple(substitute_slot(s, values) for s in right.slots)
    guards = left.guards + tuple(g.substitute(values) for g in right.guards)
    return Term((*left.bound, *bound), left.body * right.body.xreplace(moved), slots, guards)


def instantiate(definition: Definition, at: Sequence[Affine]) -> tuple[Term, ...]:
    """The terms of a definition with its free indices at `at`."""
    values: dict[Atom, Affine] = dict(zip(definition.indices, at, strict=True))
    taken = {i.name for form in at for i in form.indices}
    terms = []
    for term in definition.terms:
        here, used = dict(values), set(taken)
        bound = []
        for index in term.bound:
            new = index.renamed(choose_name(index.name, used))
            used.add(new.name)
            bound.append(new)
            here[index] = Affine.of(new)
        slots = [substitute_slot(s, here) for s in term.slots]
        made = make_term(bound, term.body, slots, [g.substitute(here) for g in term.guards])
        terms += [] if made is None else [made]
    return tuple(terms)


def local_program(program: Program, name: str) -> tuple[Program, str, tuple[str, ...]]:
    """The definition of one tensor with the hidden ones that it reads, all else given; what it is called there, and the
    tensors that are given.
    """
    chosen: list[Definition] = []
    given: dict[str, Tensor] = {}
    waiting = [name]
    while waiting:
        definition = program.definition(waiting.pop())
        if definition is None or definition in chosen:
            continue
        chosen.append(definition)
        for _, _, read in definition.reads():
            if read.tensor.role is Role.HIDDEN:
                waiting.append(read.tensor.name)
            else:
                given.setdefault(read.tensor.name, read.tensor)
    order = {d.tensor.name: k for k, d in enumerate(program.definitions)}
    chosen.sort(key=lambda d: order[d.tensor.name])
    if name in given:  # a recurrence: what it defines is called otherwise than what it reads
        own = next(k for k, d in enumerate(chosen) if d.tensor.name == name)
        other = replace(chosen[own].tensor, name=choose_name(f"{name}_next", program.tensors()))
        chosen[own], name = replace(chosen[own], tensor=other), other.name
    return Program(tuple(given.values()), tuple(chosen), program.assumptions), name, tuple(given)


def restore_name(definition: Definition, local: Adjoints, tensor: Tensor) -> Definition:
    """A local derivative of `tensor` whose reads of what is defined are those of the tensor itself."""
    if local.numerator.name == tensor.name:
        return definition
    terms = []
    for term in definition.terms:
        own = {s: Read(tensor, s.at) for s in term.slots if isinstance(s, Read) and s.tensor == local.numerator}
        made = make_term(term.bound, term.body, [own.get(s, s) if isinstance(s, Read) else s for s in term.slots],
                         term.guards)  # fmt: skip
        terms += [made] if made is not None else []
    return replace(definition, terms=tuple(terms))


@lru_cache(maxsize=4096)
def derive_locally(program: Program, name: str) -> Adjoints:
    """The chain rule on one visible definition alone."""
    return derive(*local_program(program, name))


@dataclass(frozen=True, slots=True)
class PathFinder:
    """Enumerates paths; `partials[t]` holds the partial definitions of the visible tensor t, by the tensor read.

    `limit` bounds the number of paths; LimitError says when there are more.
    """

    program: Program
    numerator: str
    partials: Mapping[str, Mapping[str, Definition]]
    limit: int = 1000

    def paths(self, start: Node) -> tuple[Path, ...]:
        """Every path from an entry to the numerator, in the order of the program."""
        found: list[Path] = []
        for factors, bound in self._walk(start, ()):
            found.append(Path(tuple(reversed(factors)), bound))
            if len(found) > self.limit:
                raise LimitError(
                    f"There are more than {self.limit} paths from {start} to {self.numerator}; "
                    "explain it through the adjoints."
                )
        return tuple(found)

    def count(self, start: Node) -> int | None:
        """The number of paths from an entry to the numerator, without walking them; None where it depends on a size:
        they lead through the steps of a recurrence.
        """
        if self._has_open_steps(start):
            return None
        counts: dict[Node, int] = {}

        def visit(node: Node) -> int:
            if node.tensor.name == self.numerator:
                return 1
            if node not in counts:
                counts[node] = sum(visit(factor.of) for factor, _ in self.steps(node))
            return counts[node]

        return visit(start)

    def _has_open_steps(self, start: Node) -> bool:
        """Whether a recurrence of symbolic length lies between an entry and the numerator."""
        on_the_way = between(self.program, self.numerator, (start.tensor.name,))
        for group in arrange(tuple(d for d in self.program.definitions if d.tensor.name in on_the_way)):
            recurrence = read_recurrence(group) if _is_cycle(group) else None
            if recurrence is not None:
                name, axis = recurrence.axes[0]
                if self.program.tensor(name).axes[axis].integer is None:
                    return True
        return False

    def steps(self, node: Node, bound: tuple[Index, ...] = ()) -> tuple[tuple[Factor, tuple[Index, ...]], ...]:
        """The factors that lead one definition further from an entry, with the indices that each opens beside
        `bound`.
        """
        made: list[tuple[Factor, tuple[Index, ...]]] = []
        for name, by in self.partials.items():
            partial = by.get(node.tensor.name)
            if partial is None:
                continue
            reader = self.program.tensor(name)
            for at, opened in _entries(partial, reader, node.at, bound):
                terms = instantiate(partial, (*at, *node.at))
                if terms:
                    made.append((Factor(Node(reader, at), node, terms), opened))
        return tuple(made)

    def _walk(self, node: Node, bound: tuple[Index, ...]) -> Iterator[tuple[tuple[Factor, ...], tuple[Index, ...]]]:
        if node.tensor.name == self.numerator:
            yield (), bound
            return
        for factor, opened in self.steps(node, bound):
            for rest, all_bound in self._walk(factor.of, (*bound, *opened)):
                yield (factor, *rest), all_bound


def _is_cycle(group: Sequence[Definition]) -> bool:
    return len(group) > 1 or group[0].tensor.name in group[0].uses()


def _entries(
    partial: Definition, reader: Tensor, at: Place, bound: tuple[Index, ...]
) -> Iterator[tuple[Place, tuple[Index, ...]]]:
    """The entries of the reader where the partial by an entry at `at` need not vanish."""
    count = len(reader.axes)
    fixed: dict[Atom, Affine] = dict(zip(partial.indices[count:], at, strict=True))
    used = {i.name for form in at for i in form.indices} | {i.name for i in bound}
    choices: list[list[tuple[Affine, Index | None]]] = []
    for index in partial.indices[:count]:
        solved = {_solved(term, index, fixed) for term in partial.terms}
        value = solved.pop() if len(solved) == 1 else None
        size = index.size.integer
        if value is not None:
            inside = compare_range(value, index.size, index.start) is not False
            choices.append([(value, None)] if inside else [])
        elif size is not None:
            choices.append([(Affine.of(k), None) for k in range(index.start, index.start + size)])
        else:
            opened = index.renamed(choose_name(index.name, used))
            used.add(opened.name)
            choices.append([(Affine.of(opened), opened)])
    for choice in itertools.product(*choices):
        yield tuple(form for form, _ in choice), tuple(i for _, i in choice if i is not None)


def _solved(term: Term, index: Index, fixed: Mapping[Atom, Affine]) -> Affine | None:
    """What a guard of the term says that the index is."""
    for guard in term.guards:
        if not isinstance(guard, Equal):
            continue
        coefficient = dict(guard.form.terms).get(index, 0)
        if coefficient in (1, -1):
            value = (Affine.of(index) * coefficient - guard.form) * coefficient
            if all(i in fixed for i in value.indices):
                return value.substitute(fixed)
    return None


def check_entry(tensor: Tensor, at: Place) -> None:
    """Raise ArgumentError where an entry does not fit the axes of its tensor."""
    if len(at) != len(tensor.axes):
        raise ArgumentError(f"{tensor.name} has {len(tensor.axes)} axes, and {len(at)} indices were given.")
    for form, (start, size) in zip(at, tensor.spans, strict=True):
        value, largest = form.integer, size.integer
        if value is not None and (value < start or (largest is not None and value >= start + largest)):
            raise ArgumentError(f"{Node(tensor, at)} lies outside {tensor.name}[{','.join(map(str, tensor.axes))}].")
