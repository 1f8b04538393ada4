"""Definitions that say the same thing, so that what is proved of one holds for the other.

The normal form puts definitions in where they are read, and so sees by itself that two of them are equal; a recurrence,
an argmax or the inverse of a matrix it cannot put in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbackprop.calculus.definitions import Definition, Term, canonical
from symbackprop.calculus.guards import Equal, Guard, Within
from symbackprop.calculus.indices import Affine, Atom, Entry
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Read, Role, Slot, Tensor


def find_twins(program: Program) -> dict[str, Tensor]:
    """For each tensor whose definition repeats an earlier one, up to such repetitions, the earlier one's tensor.

    >>> from symbackprop.calculus.axioms import call_matrix
    >>> A, Y, Z = (Tensor(name, (Affine.of("N"),) * 2, Role.PARAM) for name in "AYZ")
    >>> twice = tuple(call_matrix("inv", t, t.indices("ij"), A, None) for t in (Y, Z))
    >>> {name: tensor.name for name, tensor in find_twins(Program((A,), twice)).items()}
    {'Z': 'Y'}
    """
    twins: dict[str, Tensor] = {}
    met: dict[Definition, Tensor] = {}
    for definition in program.definitions:
        if definition.tensor.name in definition.uses():
            continue
        renamed = read_twins(definition, twins)
        blank = replace(definition.tensor, name="", role=Role.HIDDEN, tex=None, numerator=None, denominator=None)
        found = met.setdefault(canonical(replace(renamed, tensor=blank, domain=())), definition.tensor)
        if found != definition.tensor:
            twins[definition.tensor.name] = found
    return twins


def read_twins(definition: Definition, twins: Mapping[str, Tensor]) -> Definition:
    """The definition with reads of tensors that have an earlier twin as reads of that."""
    inverse = definition.call.inverse if definition.call is not None else None
    if not any(name in twins for name in (*definition.uses(), inverse.name if inverse is not None else "")):
        return definition
    terms = tuple(
        Term(t.bound, t.body, tuple(_slot(s, twins) for s in t.slots), tuple(_guard(g, twins) for g in t.guards))
        for t in definition.terms
    )
    call = definition.call
    if call is not None and call.operand.name in twins:
        call = replace(call, operand=twins[call.operand.name])
    if call is not None and call.inverse is not None and call.inverse.name in twins:
        call = replace(call, inverse=twins[call.inverse.name])
    return replace(definition, terms=terms, call=call)


def _slot(slot: Slot, twins: Mapping[str, Tensor]) -> Slot:
    if isinstance(slot, Count):
        return Count(_form(slot.value, twins))
    return Read(twins.get(slot.tensor.name, slot.tensor), tuple(_form(f, twins) for f in slot.at))


def _guard(guard: Guard, twins: Mapping[str, Tensor]) -> Guard:
    if isinstance(guard, Equal):
        return Equal(_form(guard.form, twins))
    return Within(_form(guard.form, twins), guard.size, guard.start)


def _form(form: Affine, twins: Mapping[str, Tensor]) -> Affine:
    values: dict[Atom, Affine] = {
        e: Affine.of(Entry(twins[e.tensor].name, tuple(_form(f, twins) for f in e.at), e.size, e.spans))
        for e in form.entries
        if e.tensor in twins
    }
    return form.substitute(values) if values else form
