"""Symmetric matrices, where the normal form cannot see that they are: inverses, and what is assumed to be symmetric.

A symmetric Y is written as (Y[i,j] + Y[j,i])/2 in every place. Whatever is equal for symmetric Y is then equal for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from symbackprop.calculus.definitions import Definition, Term, make_term, slot_symbol
from symbackprop.calculus.inverses import transpose
from symbackprop.calculus.programs import Assumption, Program
from symbackprop.calculus.tensors import Read


def assumed_symmetric(program: Program) -> dict[str, tuple[Assumption, ...]]:
    """The matrices that are assumed to be symmetric, each with the assumptions that say so."""
    return {name: (a,) for a in program.assumptions for name in _assumed(a)}


def find_symmetric(
    program: Program,
    known: Mapping[str, tuple[Assumption, ...]],
    equal: Callable[[Definition, Definition], bool],
) -> dict[str, tuple[Assumption, ...]]:
    """The symmetric matrices among the inverses in a program, together with those that are `known` to be symmetric.

    `equal` says whether two definitions are equal. Each comes with the assumptions that it rests on.
    """
    found = dict(known)
    for definition in program.definitions:
        call = definition.call
        if call is None or call.axiom != "inv":
            continue
        operand = program.definition(call.operand.name)
        if call.operand.name in found:
            found[definition.tensor.name] = found[call.operand.name]
        elif operand is not None and operand.is_sum:
            mirrored = symmetrize(operand, found)
            if equal(mirrored, transpose(mirrored)):
                reached = program.sources(operand.uses())
                used = (a for name, rests in known.items() if name in reached for a in rests)
                found[definition.tensor.name] = tuple(dict.fromkeys(used))
    return found


def symmetrize(definition: Definition, names: Mapping[str, object]) -> Definition:
    """The definition with every read of a symmetric matrix as the mean of that and of its mirror image."""
    if not definition.is_sum or not any(read.tensor.name in names for _, _, read in definition.reads()):
        return definition
    terms = (_symmetrize(term, names) for term in definition.terms)
    return replace(definition, terms=tuple(term for term in terms if term is not None))


def _symmetrize(term: Term, names: Mapping[str, object]) -> Term | None:
    slots = list(term.slots)
    values = {}
    for number, slot in term.reads():
        if slot.tensor.name in names:
            values[slot_symbol(number)] = (slot_symbol(number) + slot_symbol(len(slots))) / 2
            slots.append(Read(slot.tensor, slot.at[::-1]))
    return make_term(term.bound, term.body.xreplace(values), slots, term.guards)


def _assumed(assumption: Assumption) -> list[str]:
    """The matrix that `assume A[i,j] = A[j,i]` speaks of."""
    sides = [_lone_read(side) for side in (assumption.left, assumption.right)]
    left, right = sides
    if assumption.relation != "=" or left is None or right is None or left.tensor != right.tensor:
        return []
    letters = [form.index for form in left.at]
    square = len(left.at) == 2 and left.tensor.axes[0] == left.tensor.axes[1]
    general = square and None not in letters and set(letters) == set(assumption.indices) and len(set(letters)) == 2
    return [left.tensor.name] if general and right.at == left.at[::-1] else []


def _lone_read(side: tuple[Term, ...]) -> Read | None:
    if len(side) != 1 or side[0].bound or side[0].guards or side[0].body != slot_symbol(0):
        return None
    slot = side[0].slots[0]
    return slot if isinstance(slot, Read) else None
