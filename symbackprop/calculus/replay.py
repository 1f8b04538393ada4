"""Derivations done again: every step of the chain rule stated before its index equations are solved, and the steps
walked from the first adjoint to the last form.

A statement sums over all indices of a reader and keeps the equations of the read as Kronecker deltas. The normal form
contracts those by code of its own, so that what the chain rule solved is proved and not repeated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symbackprop.calculus.axioms import Dependency, dependencies
from symbackprop.calculus.chain import Adjoints, ChainStep, partial
from symbackprop.calculus.definitions import Definition, Term, slot_symbol, substitute_slot
from symbackprop.calculus.folding import Folding
from symbackprop.calculus.foldsteps import FoldStep
from symbackprop.calculus.guards import Equal, Guard
from symbackprop.calculus.indices import Affine, Atom, Index, choose_name
from symbackprop.calculus.normal_forms import NormalForms
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tangents import TangentStep
from symbackprop.calculus.tensors import Read, Slot, Tensor


def state_step(adjoints: Adjoints, step: ChainStep) -> Definition:
    """What a step says of a tensor: the sum, over all that reads it, of adjoint * derivative * deltas."""
    if isinstance(step, TangentStep):
        return _state_tangent(adjoints, step)
    made = {s.tensor: s.adjoint for s in adjoints.steps}
    numerator = adjoints.numerator
    outer, inner = _split(step.adjoint, len(numerator.axes))
    terms = [_delta(outer, inner)] if step.tensor == numerator.name else []
    for dependency in _readers(adjoints.program, step.tensor):
        reader = dependency[0].tensor
        if reader.name == numerator.name and reader.name not in made:
            terms.append(_contribution(dependency, None, outer, inner))
        elif reader.name in made and made[reader.name].terms:
            terms.append(_contribution(dependency, made[reader.name].tensor, outer, inner))
    return replace(step.adjoint, terms=tuple(terms))


def prove_chain_step(forms: NormalForms, adjoints: Adjoints, step: ChainStep) -> bool:
    """Whether the normal form proves a step equal to its statement, for all sizes.

    `forms` are those of the program with its adjoints, which are kept as names; where they are known to vanish outside
    of a condition, first those that the step reads are put in, then all.
    """
    statement = state_step(adjoints, step)
    every = frozenset(d.tensor.name for d in forms.program.definitions)
    read = frozenset(r.tensor.name for d in (statement, step.adjoint) for _, _, r in d.reads())
    own = frozenset(d.tensor.name for d in adjoints.definitions)
    keeping = dict.fromkeys((every, every - (own & read), every - own))
    return any(forms.equal_keeping(statement, step.adjoint, keep) for keep in keeping)


def _readers(program: Program, name: str) -> Iterable[Dependency]:
    """Who reads a tensor, and where."""
    return (d for definition in program.definitions for d in dependencies(definition) if d[3].tensor.name == name)


def _split(adjoint: Definition, count: int) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
    return adjoint.indices[:count], adjoint.indices[count:]


def _delta(left: Iterable[Index], right: Iterable[Index]) -> Term:
    pairs = zip(left, right, strict=True)
    return Term((), slot_symbol(0) ** 0, (), tuple(Equal(Affine.of(a) - Affine.of(b)) for a, b in pairs))


def _contribution(
    dependency: Dependency, upstream: Tensor | None, outer: tuple[Index, ...], inner: tuple[Index, ...]
) -> Term:
    """The sum over all indices of a reader of its adjoint times a derivative where the read is at `inner`."""
    definition, number, slot, read = dependency
    term = definition.terms[number]
    taken = {i.name for i in outer + inner}
    values: dict[Atom, Affine] = {}
    for index in (*definition.indices, *term.bound):
        name = choose_name(index.name, taken)
        taken.add(name)
        values[index] = Affine.of(index.renamed(name))
    at = tuple(values[i] for i in definition.indices)
    guards: list[Guard] = [g.substitute(values) for g in term.guards]
    guards += [Equal(f.substitute(values) - Affine.of(i)) for f, i in zip(read.at, inner, strict=True)]
    slots: list[Slot] = [substitute_slot(s, values) for s in term.slots]
    body = partial(term.body, slot)
    if upstream is None:
        guards += [Equal(a - Affine.of(b)) for a, b in zip(at, outer, strict=True)]
    else:
        body = body * slot_symbol(len(slots))
        slots.append(Read(upstream, (*map(Affine.of, outer), *at)))
    bound = tuple(i for form in values.values() for i in form.indices)
    return Term(bound, body, tuple(slots), tuple(guards))


def _state_tangent(adjoints: Adjoints, step: TangentStep) -> Definition:
    """The sum, over all reads of a definition, of derivative * tangent."""
    tensors = (*adjoints.program.leaves, *(s.adjoint.tensor for s in adjoints.steps))
    tangents = {t.numerator: t for t in tensors if t.is_tangent}
    definition = adjoints.program.definition(step.tensor)
    terms = []
    for source, number, slot, read in () if definition is None else dependencies(definition):
        tangent = tangents.get(read.tensor.name)
        if tangent is not None:
            term = source.terms[number]
            body = partial(term.body, slot) * slot_symbol(len(term.slots))
            terms.append(Term(term.bound, body, (*term.slots, Read(tangent, read.at)), term.guards))
    return replace(step.adjoint, terms=tuple(terms))


def replay(adjoints: Adjoints, folding: Folding) -> tuple[Definition, ...] | None:
    """The definitions that the recorded steps lead to, or None where a step does not start from where it should."""
    forms: dict[str, tuple[Definition, ...]] = {s.adjoint.tensor.name: (s.adjoint,) for s in adjoints.steps}
    for step in folding.steps:
        if not _follows(step, forms):
            return None
        forms[step.tensor] = step.after
    names = [d.tensor.name for d in folding.definitions]
    return tuple(d for main in names if main in forms for d in (*forms[main][1:], forms[main][0]))


def _follows(step: FoldStep, forms: dict[str, tuple[Definition, ...]]) -> bool:
    """Whether both sides that a step starts from are what they are by then."""
    inlined = step.inlined and forms.get(step.inlined[0].tensor.name)
    return forms.get(step.tensor) == step.before and (not step.inlined or inlined == step.inlined)
