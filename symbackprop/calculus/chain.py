"""The one differentiation rule: the multivariable chain rule over definitions in index notation.

For every definition t[I] = e and every tensor u that e reads, the adjoint of u gains

    ubar[J]  +=  sum over I of  tbar[I] * d e / d u[J].

SymPy differentiates the scalar body of a term by one slot; this module solves the index equation f(I) = J that says
where the slot reads u, substitutes the solution and keeps what it cannot solve as a guard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy

from symbackprop.calculus.axioms import Dependency, dependencies
from symbackprop.calculus.definitions import Definition, Term, make_term, slot_symbol, substitute_slot
from symbackprop.calculus.guards import Equal, Guard
from symbackprop.calculus.indices import Affine, Atom, Index, choose_name
from symbackprop.calculus.letters import Taken, own_indices
from symbackprop.calculus.programs import Program
from symbackprop.calculus.recurrences import find_cycles
from symbackprop.calculus.support import (
    Support,
    drop_implied,
    find_support,
    finite_adjoints,
    finite_tensors,
    is_finite,
    restrict,
)
from symbackprop.calculus.tensors import Read, Role, Slot, Tensor
from symbackprop.errors import UndefinedGradientError


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one read adds: slot `slot` of term `term` of the definition of `reader`, differentiated and solved for J.

    `partial` is d e / d slot over the slots of that term; `result` is the term of the adjoint, None where it is zero.
    """

    reader: str
    term: int
    slot: int
    partial: sympy.Expr
    result: Term | None


@dataclass(frozen=True, slots=True)
class ChainStep:
    """The chain rule applied to every read of `tensor`, giving `adjoint`.

    Without contributions the numerator does not depend on the tensor: it is disconnected and its adjoint is zero.
    `starts` says that the tensor is the numerator itself, whose derivative by itself is the Kronecker delta.
    """

    tensor: str
    adjoint: Definition
    contributions: tuple[Contribution, ...]
    starts: bool = False

    @property
    def disconnected(self) -> bool:
        """Whether the numerator does not read the tensor, through any path."""
        return not self.contributions and not self.starts


@dataclass(frozen=True, slots=True)
class Adjoints:
    """The derivatives of `numerator` in `program`: one step and one definition a tensor, outputs first."""

    program: Program
    numerator: Tensor
    wrt: tuple[str, ...]
    names: tuple[tuple[str, str], ...]
    steps: tuple[ChainStep, ...]

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """The adjoint definitions in an order in which each reads only what stands above it."""
        return tuple(step.adjoint for step in self.steps)

    def adjoint_name(self, tensor: str) -> str:
        """The name of the adjoint of a tensor."""
        return dict(self.names)[tensor]

    def gradient(self, tensor: str) -> Definition:
        """The adjoint definition of one of `wrt`."""
        return next(s.adjoint for s in self.steps if s.tensor == tensor)


@lru_cache(maxsize=16384)
def partial(body: sympy.Expr, slot: int) -> sympy.Expr:
    """The derivative of a scalar body by one of its slots.

    >>> partial(sympy.tanh(slot_symbol(0)), 0)
    1 - tanh(s0)**2
    """
    return _shorten_quotients(sympy.diff(body, slot_symbol(slot)))


def _shorten_quotients(body: sympy.Expr) -> sympy.Expr:
    """tanh(u) for sinh(u)/cosh(u), which SymPy leaves."""
    if not (body.has(sympy.sinh) and body.has(sympy.cosh)):
        return body
    for u in sorted({f.args[0] for f in body.atoms(sympy.cosh)}, key=str):
        body = body.subs(sympy.sinh(u) / sympy.cosh(u), sympy.tanh(u))
    return body


@lru_cache(maxsize=16384)
def _shifted(body: sympy.Expr, count: int, upstream: bool) -> sympy.Expr:
    """The body with its slots moved up by one and multiplied by slot 0, the upstream adjoint."""
    if not upstream:
        return body
    moved = body.xreplace({slot_symbol(k): slot_symbol(k + 1) for k in range(count)})
    return moved * slot_symbol(0)


def derive(program: Program, numerator: str, wrt: Sequence[str]) -> Adjoints:
    """The adjoints of `numerator` by every tensor between it and `wrt`."""
    tensors = program.tensors()
    for name in (numerator, *wrt):
        if (tensors.get(name) or program.tensor(name)).range is not None:
            raise UndefinedGradientError(
                f"{name} is an integer tensor: nothing is differentiated by it, nor it by anything."
            )
    top = tensors[numerator]
    readers = _readers(program)
    needed = between(program, numerator, wrt)
    reserved = frozenset(tensors) | frozenset(program.size_names)
    outer = _outer_indices(program, top, reserved)
    outer_names = {i.name for i in outer}
    names = _adjoint_names(tensors, numerator, numerator == program.loss)
    finite = finite_tensors(program)
    steady = finite | {names[n] for n in finite_adjoints(program, finite)}
    definitions = {d.tensor.name: d for d in program.definitions}
    adjoints = {
        name: Tensor(
            names[name],
            top.axes + t.axes,
            Role.ADJOINT,
            None,
            top.name,
            name,
            top.marks + t.marks if top.bases or t.bases else (),
        )
        for name, t in tensors.items()
    }
    cycles = find_cycles(program.definitions)
    direct = numerator not in cycles
    made: dict[str, Definition] = {}
    supports: dict[str, Support | None] = {}
    steps: list[ChainStep] = []

    def build(name: str) -> None:
        tensor = tensors[name]
        own = definitions.get(name)
        letters = () if own is None else tuple(i.name for i in own.indices)
        inner = own_indices(tensor, letters, readers.get(name, ()), Taken(reserved, outer_names))
        step, supports[name] = _adjoint_of(
            tensor, inner, readers.get(name, ()), needed, top, outer, adjoints, made, supports, finite, steady,
            reserved, direct,
        )  # fmt: skip
        made[name] = step.adjoint
        steps.append(step)
        if name in cycles and cycles[name][0] == name:
            _drop_dead(cycles[name], made, steps)

    positions = {d.tensor.name: k for k, d in enumerate(program.definitions)}
    first_reader = {u: min(positions[d.tensor.name] for d, _, _, _ in rs) for u, rs in readers.items()}
    for place in range(len(program.definitions) - 1, -1, -1):
        definition = program.definitions[place]
        name = definition.tensor.name
        if name in needed and (name != numerator or not direct):
            build(name)
        for _, _, _, read in dependencies(definition):
            other = read.tensor.name
            if other in needed and other not in made and other not in positions and first_reader[other] == place:
                build(other)
    for name in wrt:
        if name not in made:
            build(name)
    return Adjoints(program, top, tuple(wrt), tuple(names.items()), tuple(steps))


def _readers(program: Program) -> dict[str, list[Dependency]]:
    """For every tensor, who reads it: (definition, term, slot, read)."""
    found: dict[str, list[tuple[Definition, int, int, Read]]] = {}
    for definition in program.definitions:
        for dependency in dependencies(definition):
            found.setdefault(dependency[3].tensor.name, []).append(dependency)
    return found


def between(program: Program, numerator: str, wrt: Sequence[str]) -> frozenset[str]:
    """The tensors on a path from one of `wrt` to the numerator, ends included."""
    reads = {d.tensor.name: [read.tensor.name for _, _, read in d.reads()] for d in program.definitions}
    readers: dict[str, list[str]] = {}
    for name, read in reads.items():
        for other in read:
            readers.setdefault(other, []).append(name)
    return (_reach({numerator}, reads) & _reach(set(wrt), readers)) | {numerator}


def _reach(names: set[str], following: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The names with all that follow them, at any distance."""
    waiting = list(names)
    while waiting:
        new = [n for n in following.get(waiting.pop(), ()) if n not in names]
        names.update(new)
        waiting += new
    return frozenset(names)


def _outer_indices(program: Program, top: Tensor, reserved: frozenset[str]) -> tuple[Index, ...]:
    """The indices of the numerator, as its definition calls them."""
    definition = program.definition(top.name)
    if definition is not None:
        return definition.indices
    taken: list[str] = []
    for _ in top.axes:
        taken.append(choose_name("i", reserved | set(taken)))
    return top.indices(taken)


def _adjoint_names(tensors: Mapping[str, Tensor], numerator: str, is_loss: bool) -> dict[str, str]:
    """A free name for every adjoint: z_bar for z, and with the numerator in front where that is not the loss.

    So derivatives of two numerators can stand in one program.
    """
    taken, names = set(tensors), {}
    for name in tensors:
        wanted = f"{name}_bar" if is_loss else f"{numerator}_by_{name}"
        names[name] = choose_name(wanted, taken)
        taken.add(names[name])
    return names


def _adjoint_of(
    tensor: Tensor,
    inner: tuple[Index, ...],
    readers: Sequence[Dependency],
    needed: frozenset[str],
    top: Tensor,
    outer: tuple[Index, ...],
    adjoints: Mapping[str, Tensor],
    made: Mapping[str, Definition],
    supports: Mapping[str, Support | None],
    finite: frozenset[str],
    steady: frozenset[str],
    reserved: frozenset[str],
    direct: bool,
) -> tuple[ChainStep, Support | None]:
    """One step: every contribution to the adjoint of `tensor`; `direct` says that what reads the tensor for the
    numerator itself has no adjoint of its own.
    """
    adjoint = adjoints[tensor.name]
    terms: list[Term] = []
    contributions: list[Contribution] = []
    inherited: Support | None = None
    starts = tensor.name == top.name
    if starts:
        guards = tuple(Equal(Affine.of(a) - Affine.of(b)) for a, b in zip(outer, inner, strict=True))
        start = make_term((), sympy.Integer(1), (), guards)
        terms += [start] if start else []
    for definition, term, slot, read in readers:
        reader = definition.tensor
        if reader.name not in needed:
            continue
        if reader.name in made and not made[reader.name].terms:
            continue
        derivative = partial(definition.terms[term].body, slot)
        support = supports.get(reader.name)
        upstream = None if direct and reader.name == top.name else adjoints[reader.name]
        result, inherited = _solve(
            definition,
            term,
            read,
            derivative,
            upstream,
            top,
            outer,
            inner,
            support,
            finite,
            steady,
            reserved,
        )
        contributions.append(Contribution(reader.name, term, slot, derivative, result))
        terms += [result] if result else []
    support = find_support(outer + inner, terms, inherited)
    return ChainStep(
        tensor.name, Definition(adjoint, outer + inner, tuple(terms)), tuple(contributions), starts
    ), support


def _drop_dead(names: Sequence[str], made: dict[str, Definition], steps: list[ChainStep]) -> None:
    """Make the adjoints of a cycle zero into which nothing flows from outside."""
    inside = {made[n].tensor.name for n in names if n in made}
    alive: set[str] = set()
    for _ in inside:
        for name in names:
            if name in made and any(not (_read_names(t) & inside) or _read_names(t) & alive for t in made[name].terms):
                alive.add(made[name].tensor.name)
    for k, step in enumerate(steps):
        if step.tensor in names and step.adjoint.tensor.name not in alive:
            dead = tuple(replace(c, result=None) for c in step.contributions)
            steps[k] = replace(step, adjoint=replace(step.adjoint, terms=()), contributions=dead)
            made[step.tensor] = steps[k].adjoint


def _read_names(term: Term) -> set[str]:
    return {read.tensor.name for _, read in term.reads()}


def _solve(
    definition: Definition,
    number: int,
    read: Read,
    derivative: sympy.Expr,
    upstream: Tensor | None,
    top: Tensor,
    outer: tuple[Index, ...],
    inner: tuple[Index, ...],
    support: Support | None,
    finite: frozenset[str],
    steady: frozenset[str],
    reserved: frozenset[str],
) -> tuple[Term | None, Support | None]:
    """tbar[I] * derivative, summed over I and the bound indices of the term where the read is at `inner`; and where
    it is 0. `steady` are the tensors and adjoints that are finite.
    """
    term = definition.terms[number]
    # The axes of the adjoint are marked while solving, since its letters may be those of the reader.
    marked = {i: i.renamed(f"'{i.name}") for i in outer + inner}
    values: dict[Atom, Affine] = {}
    guards: list[Guard] = list(term.guards)
    open_indices = list(definition.indices + term.bound)
    for form, own in zip(read.at, inner, strict=True):
        goal = Affine.of(marked[own])
        left = form.substitute(values)
        index = next((i for i in left.indices if i in open_indices and _fixes(left, i, own)), None)
        if index is None:
            guards.append(Equal(left - goal))
            continue
        open_indices.remove(index)
        values[index] = goal
    letters = {i.name for i in outer + inner}
    taken = Taken(reserved, letters)
    bound: list[Index] = []
    for index in open_indices:
        new = index.renamed(choose_name(index.name, taken))
        letters.add(new.name)
        bound.append(new)
        values[index] = Affine.of(new.renamed(f"'{new.name}"))
    slots: list[Slot] = [substitute_slot(s, values) for s in term.slots]
    final_guards = [g.substitute(values) for g in guards]
    at = tuple(values[i] for i in definition.indices)
    start = tuple(Affine.of(marked[i]) for i in outer)
    if upstream is not None:
        slots.insert(0, Read(upstream, start + at))
    else:
        final_guards += [Equal(a - b) for a, b in zip(at, start, strict=True)]
    body = _shifted(derivative, len(term.slots), upstream is not None)
    plain: dict[Atom, Affine] = {m: Affine.of(i) for i, m in marked.items()}
    plain |= {i.renamed(f"'{i.name}"): Affine.of(i) for i in bound}
    inherited: Support | None = None
    if support is not None:
        if not is_finite(derivative, term.slots, finite):
            body, slots = restrict(body, slots, support, start + at)
        if not bound:  # a bound index may go by a guard of the term, which the conditions would not hear of
            conditions = tuple(substitute_slot(s, plain) for s in support.at(start + at))
            inherited = Support(outer + inner, support.condition, conditions)
    slots = [substitute_slot(s, plain) for s in slots]
    final_guards = [g.substitute(plain) for g in final_guards]
    result = make_term(bound, body, slots, final_guards)
    if result is not None and result.guards:
        needed = drop_implied(result.guards, result.body, result.slots, steady)
        result = make_term(result.bound, result.body, result.slots, needed)
    return result, inherited


def _fixes(form: Affine, index: Index, own: Index) -> bool:
    """Whether form = own says that index is own, in range by itself."""
    return form.index == index and index.same_range(own)
