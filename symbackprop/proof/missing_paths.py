"""What of the chain rule a refuted claim leaves out: paths, and what lies beside the diagonal of a Jacobian."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from symbackprop.calculus.chain import Adjoints, ChainStep, Contribution, derive
from symbackprop.calculus.definitions import Definition, Term, make_term, slot_symbol, used_slots
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.paths import instantiate
from symbackprop.calculus.tensors import Read, Role, Tensor, slot_indices
from symbackprop.language import tree as t
from symbackprop.language.phrasing import affine_tree, hidden_definitions, phrase_terms
from symbackprop.proof.trials import Trial, agree
from symbackprop.proof.wording import join_words

MOST_READERS = 6
"""Of a tensor with more readers no paths are left out by twos."""


def list_missing_paths(trial: Trial) -> Iterator[str]:
    """Paths from the tensor that is differentiated by which the claim leaves out.

    What the numerator itself reads of it is a term, and said as one.
    """
    q = trial.question
    if q.adjoints is not None and q.wrt is not None:
        numerator = q.adjoints.numerator.name
        for step in q.adjoints.steps:
            if step.tensor == q.wrt.name:
                readers = _readers(step)
                yield from _paths_from(trial, q.adjoints, step, [r for r in readers if r != numerator])


def list_missing_steps(trial: Trial) -> Iterator[str]:
    """Paths of a recurrence, one step ahead, from a tensor between what is differentiated and by."""
    adjoints = trial.question.adjoints
    if adjoints is None:
        return
    for step in reversed(adjoints.steps):
        ahead = [c.reader for c in step.contributions if _forms_aside(trial, c, step, None)]
        if ahead:
            yield from _paths_from(trial, adjoints, step, list(dict.fromkeys(ahead)))


def list_paths_missing_above(trial: Trial) -> Iterator[str]:
    """Any paths from a tensor between what is differentiated and by, the nearest first."""
    adjoints = trial.question.adjoints
    if adjoints is None:
        return
    for step in reversed(adjoints.steps):
        readers = [reader for reader in _readers(step) if reader != adjoints.numerator.name]
        yield from _paths_from(trial, adjoints, step, readers)


def _readers(step: ChainStep) -> list[str]:
    """The tensors through which a derivative goes."""
    return list(dict.fromkeys(c.reader for c in step.contributions if c.result is not None))


def _paths_from(trial: Trial, adjoints: Adjoints, step: ChainStep, readers: Sequence[str]) -> Iterator[str]:
    """Paths through some readers, but not through all that there are, that the claim leaves out."""
    every = len(_readers(step)) + step.starts
    for count in range(1, every if len(readers) <= MOST_READERS else 2):
        for missing in combinations(readers, count):
            if _is_claimed_without(trial, adjoints, step.tensor, missing):
                yield _say_missing(trial, step, missing)


def _is_claimed_without(trial: Trial, adjoints: Adjoints, name: str, missing: Sequence[str]) -> bool:
    """Whether the claim is the derivative without the paths from one tensor through some of its readers."""
    q = trial.question
    assert q.wrt is not None
    changed = _without_paths(adjoints, name, missing)
    if changed.keys() & q.right.uses():
        return False  # what the claim itself says of these adjoints is that they are whole
    gradient = changed.get(adjoints.adjoint_name(q.wrt.name))
    if gradient is None:
        return False
    return trial.is_claim(replace(q.left, terms=instantiate(gradient, q.at)), tuple(changed.values()))


def _without_paths(adjoints: Adjoints, name: str, missing: Sequence[str]) -> dict[str, Definition]:
    """The adjoints that change when paths are left out, under names of their own, by the names that they had."""
    cut = next(step for step in adjoints.steps if step.tensor == name)
    starts = tuple(cut.adjoint.terms[:1]) if cut.starts else ()
    kept = (*starts, *(c.result for c in cut.contributions if c.result is not None and c.reader not in missing))
    definitions = {d.tensor.name: d for d in adjoints.definitions}
    definitions[cut.adjoint.tensor.name] = replace(cut.adjoint, terms=kept)
    changed = {cut.adjoint.tensor.name}
    size = 0
    while size < len(changed):
        size = len(changed)
        changed |= {each for each, d in definitions.items() if changed.intersection(d.uses())}
    return {each: _rename(definitions[each], changed) for each in definitions if each in changed}


def _rename(definition: Definition, changed: set[str]) -> Definition:
    """An adjoint that reads the changed ones under the names that they have without paths."""
    terms = []
    for term in definition.terms:
        slots = [_renamed_slot(slot, changed) if isinstance(slot, Read) else slot for slot in term.slots]
        terms.append(replace(term, slots=tuple(slots)))
    tensor = replace(definition.tensor, name=_cut_name(definition.tensor.name))
    return replace(definition, tensor=tensor, terms=tuple(terms), tree=None)


def _renamed_slot(slot: Read, changed: set[str]) -> Read:
    if slot.tensor.name not in changed:
        return slot
    return replace(slot, tensor=replace(slot.tensor, name=_cut_name(slot.tensor.name)))


def _cut_name(name: str) -> str:
    """A name that no program has."""
    return f"{name}'"


def _say_missing(trial: Trial, step: ChainStep, missing: Sequence[str]) -> str:
    q = trial.question
    assert q.wrt is not None
    own = step.tensor == q.wrt.name
    names = []
    for reader in missing:
        contribution = next(c for c in step.contributions if c.reader == reader and c.result is not None)
        names.append(_name_reader(trial, contribution, step, q.at if own else None))
    origin = "" if own else f" from {_name_origin(trial, step, any('[' in name for name in names))}"
    noun, verb = ("path", "is") if len(names) == 1 else ("paths", "are")
    return f"the {noun}{origin} through {join_words(names)} {verb} missing from the claim"


def _name_origin(trial: Trial, step: ChainStep, placed: bool) -> str:
    """The tensor that a path starts from, with its indices where the other end is named with them."""
    name, letters = _name(trial, step.tensor), step.adjoint.indices[_outer_axes(trial) :]
    if not placed or not letters or name != step.tensor:
        return name
    return trial.write(t.Access(name, tuple(t.Name(i.name) for i in letters)))


def _name_reader(trial: Trial, contribution: Contribution, step: ChainStep, at: tuple[Affine, ...] | None) -> str:
    """A tensor that reads another; with its indices where it is read one step aside."""
    name, forms = _name(trial, contribution.reader), _forms_aside(trial, contribution, step, at)
    return trial.write(t.Access(name, tuple(map(affine_tree, forms)))) if forms else name


def _forms_aside(
    trial: Trial, contribution: Contribution, step: ChainStep, at: tuple[Affine, ...] | None
) -> tuple[Affine, ...]:
    """The indices at which a tensor of the program reads another, where one of them is some steps aside."""
    terms: tuple[Term, ...] = () if contribution.result is None else (contribution.result,)
    if at is not None:
        terms = instantiate(replace(step.adjoint, terms=terms), at)
    for term in terms:
        for _, read in term.reads():
            tensor = read.tensor
            forms = read.at[_outer_axes(trial) :]
            own = tensor.role is Role.ADJOINT and contribution.reader == tensor.denominator
            if own and any(form.constant and form.indices for form in forms):
                return forms if _name(trial, contribution.reader) == contribution.reader else ()
    return ()


def _outer_axes(trial: Trial) -> int:
    """How many axes of an adjoint are those of what is differentiated."""
    of = trial.question.of
    return 0 if of is None else len(of.axes)


def _name(trial: Trial, name: str) -> str:
    """The name of a tensor, or the formula that a hidden one stands for, as adj(z) is what an adjoint is called."""
    definition = trial.question.program.definition(name)
    if definition is not None and definition.tensor.role is Role.ADJOINT:
        return trial.write(t.Name(name))
    if definition is None or definition.tensor.role is not Role.HIDDEN:
        return name
    hidden = hidden_definitions(trial.question.program)
    return trial.write(phrase_terms(definition.terms, definition.indices, hidden))


def list_diagonals(trial: Trial) -> Iterator[str]:
    """The diagonal of a Jacobian taken in place of all of it."""
    q = trial.question
    if q.of is None or q.wrt is None:
        return
    yield from _equal_letters(trial, q.of, q.wrt)
    if q.of.axes or not q.wrt.axes or len(q.left.indices) != len(q.wrt.axes):
        return
    at = tuple(Affine.of(i) for i in q.left.indices)
    derived = [d.tensor for d in q.program.definitions if d.tensor.role is Role.ADJOINT]
    adjoints = {tensor.denominator: tensor for tensor in derived if tensor.numerator == q.of.name}
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
        if trial.is_claim(replace(q.left, terms=tuple(diagonal)), inner.definitions):
            yield f"the claim takes the diagonal of the Jacobian of {u.name} by {q.wrt.name} in place of the Jacobian"


def _equal_letters(trial: Trial, of: Tensor, wrt: Tensor) -> Iterator[str]:
    """A derivative whose two indices are swapped, or that holds where they are equal only."""
    q = trial.question
    if not of.axes or not wrt.axes or of.role is Role.ADJOINT:
        return
    count = len(of.axes)
    above, below = ({i.name for at in part for i in at.indices} for part in (q.at[:count], q.at[count:]))
    for first, second in combinations(q.left.indices, 2):
        if first.same_range(second):
            jacobian = any(a.name in above and b.name in below for a, b in ((first, second), (second, first)))
            other = {first: second, second: first}
            turned = tuple(Affine.of(other.get(i, i)) for i in q.left.indices)
            if jacobian and _holds(trial, q.left, replace(q.right, terms=instantiate(q.right, turned))):
                yield f"the claim has {first.name} and {second.name} swapped: it is the transpose of what is right"
            at = tuple(Affine.of(first if i == second else i) for i in q.left.indices)
            if _holds(trial, *(replace(side, terms=instantiate(side, at)) for side in (q.left, q.right))):
                alone = jacobian and not {first, second} <= _letters_read(q.right)
                diagonal = f": it is the diagonal of the Jacobian of {of.name} by {wrt.name}" if alone else ""
                yield f"the claim holds where {second.name} = {first.name}, not in general{diagonal}"


def _letters_read(side: Definition) -> set[Index]:
    """The indices that a side depends on, sums over others left out."""
    return {i for term in side.terms for k in used_slots(term.body) for i in slot_indices(term.slots[k])}


def _holds(trial: Trial, left: Definition, right: Definition) -> bool:
    numbers = [trial.values(trial.question.program, side, dict(trial.made)) for side in (left, right)]
    return agree(*numbers) and trial.proves(trial.question.program, left, right)
