"""What a refuted claim takes for granted: an assumption, or the value of a constant, with which it is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial

import sympy

from symbackprop.calculus.definitions import Definition, Term, make_term, slot_symbol
from symbackprop.calculus.indices import Affine
from symbackprop.calculus.programs import Assumption, Program
from symbackprop.calculus.tensors import Read, Role, Tensor
from symbackprop.language import tree as t
from symbackprop.language.writer import write_tree
from symbackprop.proof.comparisons import write_assumption
from symbackprop.proof.places import Place
from symbackprop.proof.trials import Trial

LARGEST_STABILISER = sympy.Rational(1, 1000)


def list_sums(trial: Trial, total: int) -> Iterator[str]:
    """Data that have to sum to a number for the claim to be right."""
    yield from _list_assumptions(trial, partial(_sums_of, total))


def list_symmetries(trial: Trial) -> Iterator[str]:
    """Matrices that have to be symmetric for the claim to be right."""
    yield from _list_assumptions(trial, _symmetries_of)


def _list_assumptions(
    trial: Trial, assumptions_about: Callable[[Tensor, Sequence[str]], Iterator[Assumption]]
) -> Iterator[str]:
    """Assumptions about what is given under which the claim is right."""
    q = trial.question
    read = q.program.sources({r.tensor.name for side in (q.left, q.right) for _, _, r in side.reads()})
    for tensor in q.program.leaves:
        if tensor.name not in read or tensor.range is not None:
            continue
        for assumption in assumptions_about(tensor, letters_of_tensor(trial, tensor)):
            if any(assumption.left == known.left for known in q.program.assumptions):
                continue  # it is assumed, or the opposite is
            assumed = replace(q.program, assumptions=(*q.program.assumptions, assumption))
            place = Place.make(assumed, trial.place.sizes)
            if trial.agree_in(assumed, q.left, q.right, place):
                yield f"the claim holds if {write_assumption(assumption, assumed)}, which is not assumed"


def _sums_of(total: int, tensor: Tensor, letters: Sequence[str]) -> Iterator[Assumption]:
    if tensor.role is Role.INPUT:
        for axis in range(len(tensor.axes)):
            yield _sums_to(tensor, axis, letters, total)


def _symmetries_of(tensor: Tensor, letters: Sequence[str]) -> Iterator[Assumption]:
    if len(tensor.axes) == 2 and tensor.axes[0] == tensor.axes[1]:
        yield _is_symmetric(tensor, letters)


def _sums_to(tensor: Tensor, axis: int, letters: Sequence[str], total: int) -> Assumption:
    """sum(k, y[n,k]) = 1 over one axis of a tensor."""
    indices = tensor.indices(letters)
    read = Read(tensor, tuple(Affine.of(i) for i in indices))
    left = Term((indices[axis],), slot_symbol(0), (read,))
    free = tuple(i for k, i in enumerate(indices) if k != axis)
    return Assumption(free, (left,), "=", (Term((), sympy.Integer(total), ()),))


def _is_symmetric(tensor: Tensor, letters: Sequence[str]) -> Assumption:
    """A[i,j] = A[j,i]."""
    indices = tensor.indices(letters)
    at = tuple(Affine.of(i) for i in indices)
    sides = (Term((), slot_symbol(0), (Read(tensor, place),)) for place in (at, at[::-1]))
    left, right = sides
    return Assumption(indices, (left,), "=", (right,))


def letters_of_tensor(trial: Trial, tensor: Tensor) -> tuple[str, ...]:
    """The letters with which the program reads a tensor."""
    for definition in trial.question.program.definitions:
        for _, _, read in definition.reads():
            found = [form.index.name for form in read.at if form.index is not None]
            if read.tensor.name == tensor.name and len(set(found)) == len(tensor.axes):
                return tuple(found)
        if definition.tensor.axes[: len(tensor.axes)] == tensor.axes and tensor.range is not None:
            return tuple(i.name for i in definition.indices[: len(tensor.axes)])
    return tuple("ijklmnpqrs"[: len(tensor.axes)])


def list_added_constants(trial: Trial) -> Iterator[str]:
    """Constants that the program adds to something or subtracts from it, without which the claim is right.

    A constant that it multiplies by is no such one: without it little is left to be wrong.
    """
    trees = (d.tree for d in trial.question.forward.definitions if isinstance(d.tree, t.Node))
    chains = (node for tree in trees for node, _ in t.walk(tree) if isinstance(node, t.Chain))
    sums = [node for node in chains if node.operators[0] in "+-"]
    added = {operand.name for node in sums for operand in node.operands if isinstance(operand, t.Name)}
    yield from _list_values(trial, 0, [tensor for tensor in _constants(trial) if tensor.name in added])


def list_ones(trial: Trial) -> Iterator[str]:
    """Constants that have to be 1 for the claim to be right."""
    yield from _list_values(trial, 1, _constants(trial))


def _constants(trial: Trial) -> list[Tensor]:
    leaves = trial.question.program.leaves
    return [leaf for leaf in leaves if leaf.role is Role.CONST and not leaf.axes]


def _list_values(trial: Trial, value: int, constants: Sequence[Tensor]) -> Iterator[str]:
    q = trial.question
    for tensor in constants:
        kept = tuple(a for a in q.program.assumptions if tensor.name not in a.reads())
        made = [_with_value(d, tensor.name, value) for d in (*q.program.definitions, q.left, q.right)]
        definitions = tuple(d for d in made if d is not None)
        if len(definitions) == len(made):
            *rest, left, right = definitions
            program = replace(q.program, definitions=tuple(rest), assumptions=kept)
            if trial.agree_in(program, left, right):
                yield f"the claim holds for {tensor.name} = {value}, not in general"


def list_stabilisers(trial: Trial) -> Iterator[str]:
    """Small numbers without which the claim is right."""
    q = trial.question
    for number in _stabilisers(q.program, (q.left, q.right)):
        program = replace(q.program, definitions=tuple(_without_number(d, number) for d in q.program.definitions))
        if trial.agree_in(program, _without_number(q.left, number), _without_number(q.right, number)):
            text = write_tree(t.Number(Fraction(int(number.p), int(number.q))))
            yield f"the claim would hold with 0 in place of {text}, not as it stands"


def _stabilisers(program: Program, sides: tuple[Definition, ...]) -> list[sympy.Rational]:
    """The small numbers that are added somewhere."""
    terms = [term for d in (*program.definitions, *sides) for term in d.terms]
    found = {n for term in terms for n in term.body.atoms(sympy.Rational) if 0 < n <= LARGEST_STABILISER}
    return sorted(found)


def _with_value(definition: Definition, name: str, value: int) -> Definition | None:
    """The definition with a value for a constant; None where it has none there."""
    terms: list[Term] = []
    for term in definition.terms:
        chosen = {slot_symbol(k): sympy.Integer(value) for k, read in term.reads() if read.tensor.name == name}
        body = term.body.xreplace(chosen)
        if body.has(sympy.zoo, sympy.nan, sympy.oo):
            return None
        made = make_term(term.bound, body, term.slots, term.guards) if chosen else term
        terms += [] if made is None else [made]
    return replace(definition, terms=tuple(terms))


def _without_number(definition: Definition, number: sympy.Rational) -> Definition:
    """The definition with 0 in place of a number."""
    terms: list[Term] = []
    for term in definition.terms:
        body = term.body.xreplace({number: sympy.S.Zero})
        made = term if body == term.body else make_term(term.bound, body, term.slots, term.guards)
        terms += [] if made is None else [made]
    return replace(definition, terms=tuple(terms))
