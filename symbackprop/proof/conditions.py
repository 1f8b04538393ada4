"""The conditions under which definitions have a value, with what they read, written out at given sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from symbackprop.calculus.definitions import Condition, Definition, Term
from symbackprop.calculus.expansion import Expansion, points_of
from symbackprop.calculus.indices import Affine, Atom, Index, Point
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Read, Role, Slot, slot_indices, tensor_over
from symbackprop.proof.facts import Relation
from symbackprop.proof.problems import realise

RELATIONS: dict[str, Relation] = {"nonzero": "!=", "positive": ">", "nonnegative": ">="}
_MAKERS = {"!=": sp.Ne, ">": sp.Gt, ">=": sp.Ge}


@dataclass(frozen=True, slots=True)
class Domain:
    """Conditions over the tensors of a program, for all values of their indices.

    Of a claim it also holds what must be at least 0 for the entries that it names to exist, and the definitions
    that it writes itself: their value 0 where they read beyond an end says nothing about the claim.
    """

    program: Program = Program((), ())
    conditions: tuple[Condition, ...] = ()
    least: tuple[Affine, ...] = ()
    written: tuple[Definition, ...] = ()

    def write(self, sizes: Mapping[str, int], data: Mapping[Point, int]) -> Iterator[sp.Basic]:
        """The conditions at all their entries, as relations; those that always hold are left out."""
        if not self.conditions:
            return
        expansion = Expansion(self.program, sizes, frozenset(), data)
        for condition in self.conditions:
            for value, relation in write_out(expansion, condition, sizes):
                made = _MAKERS[relation](value, 0)
                if made != sp.true:
                    yield made


def inside_roots(program: Program, moving: frozenset[str]) -> Program:
    """The program where radicands that depend on what is derived by are above 0: at 0 a root has no derivative."""

    def change(definition: Definition) -> Definition:
        changed = (_above_zero(c) if program.sources(_names_of(c)) & moving else c for c in definition.domain)
        return replace(definition, domain=tuple(changed))

    return replace(program, definitions=tuple(map(change, program.definitions))) if moving else program


def _above_zero(condition: Condition) -> Condition:
    return replace(condition, kind="positive") if condition.kind == "nonnegative" else condition


def _names_of(condition: Condition) -> tuple[str, ...]:
    """The tensors that a condition reads."""
    return tuple(slot.tensor.name for slot in condition.slots if isinstance(slot, Read))


def find_domain(program: Program, definitions: Sequence[Definition]) -> Domain:
    """All that must hold where definitions over a program have a value.

    >>> find_domain(Program((), ()), ()).conditions
    ()
    """
    own = tuple(dict.fromkeys(c for d in definitions for c in d.domain))
    carriers = tuple(
        Definition(tensor_over(f"condition{k}", letters, Role.DEFINED), letters, (Term((), c.body, c.slots),))
        for k, (c, letters) in enumerate((c, indices_of(c.slots)) for c in own)
    )
    part = program.concerning((*definitions, *carriers))
    return Domain(part, tuple(dict.fromkeys((*own, *(c for d in part.definitions for c in d.domain)))))


def indices_of(slots: Sequence[Slot]) -> tuple[Index, ...]:
    """The letters of what is read, for which a condition is stated."""
    return tuple(dict.fromkeys(i for slot in slots for i in slot_indices(slot)))


def write_out(
    expansion: Expansion, condition: Condition, sizes: Mapping[str, int]
) -> Iterator[tuple[sp.Expr, Relation]]:
    """A condition at each of its entries, as an expression over real symbols and its relation to 0."""
    indices = indices_of(condition.slots)
    values: dict[Atom, int] = dict(sizes.items())
    for entry in points_of(indices, values):
        start = expansion.start(dict(zip(indices, entry, strict=True)))
        value = realise(expansion.term(Term((), condition.body, condition.slots), start))
        yield value, RELATIONS[condition.kind]

