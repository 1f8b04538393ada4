"""The reader's helper lines as lemmas: a definition that is shown to be an adjoint is read as that adjoint.

A hand-written backward pass names what it passes on (`d2[n,h] = ...`). Without lemmas every such line is written out
down to the inputs, and the terms double with every layer; with them each line is one short proof.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from symbackprop.calculus.definitions import Definition, Term, slot_symbol
from symbackprop.calculus.indices import Affine
from symbackprop.calculus.inductions import equal_with_recurrences
from symbackprop.calculus.normal_forms import NormalForms
from symbackprop.calculus.programs import Assumption, Program
from symbackprop.calculus.sharing import read_twins
from symbackprop.calculus.tensors import Read, Role, Tensor

PRODUCTS = 5_000
SECONDS = 5.0
MOST_STAGES = 4
"""All but the last of the stages, in which everything is put in."""

Numbers = Callable[[Tensor], float]
"""One entry of a tensor in numbers, by which it is guessed what is equal."""


@dataclass(frozen=True, slots=True)
class Lemmas:
    """The program and two sides with helper lines read as adjoints, and the assumptions that this rests on."""

    program: Program
    sides: tuple[Definition, ...]
    assumptions: tuple[Assumption, ...]


def apply_lemmas(program: Program, sides: tuple[Definition, ...], numbers: Numbers) -> Lemmas:
    """Read every helper line that the sides rest on as the adjoint that it equals."""
    helpers = _find_helpers(program, sides)
    adjoints = [d for d in program.definitions if d.tensor.role is Role.ADJOINT]
    used: dict[Assumption, None] = {}
    for helper in helpers if adjoints else ():
        found = _find_adjoint(program, helper, adjoints, numbers)
        if found is None:
            continue
        adjoint, assumptions = found
        used.update(dict.fromkeys(assumptions))
        twin = {helper: adjoint}
        kept = tuple(read_twins(d, twin) for d in program.definitions if d.tensor.name != helper)
        program = replace(program, definitions=kept)
        sides = tuple(read_twins(side, twin) for side in sides)
    return Lemmas(program, sides, tuple(used))


def _find_helpers(program: Program, sides: Sequence[Definition]) -> list[str]:
    """The definitions that the sides rest on and that nothing is the derivative of."""
    numerators = {d.tensor.numerator for d in program.definitions if d.tensor.role is Role.ADJOINT}
    forward = program.sources(n for n in numerators if n is not None)
    read = program.sources(name for side in sides for name in side.uses())
    return [
        d.tensor.name
        for d in program.definitions
        if d.tensor.role is Role.DEFINED and d.tensor.name in read and d.tensor.name not in forward and d.is_sum
    ]


def _find_adjoint(
    program: Program, helper: str, adjoints: Sequence[Definition], numbers: Numbers
) -> tuple[Tensor, tuple[Assumption, ...]] | None:
    """The adjoint that a helper line is shown to be, and the assumptions that were used."""
    mine = program.tensor(helper)
    value = numbers(mine)
    adjoint_names = {d.tensor.name for d in adjoints}
    uses = next(d.uses() for d in program.definitions if d.tensor.name == helper)
    for adjoint in adjoints:
        other = adjoint.tensor
        # Where the spans differ, one is 0 at a step at which the other has a value.
        if other.spans != mine.spans or not abs(numbers(other) - value) <= 1e-9 * max(1e-3, abs(value)):
            continue
        forms = NormalForms(program, program.assumptions, PRODUCTS, SECONDS)
        left, right = _read(mine), _read(other)
        # Adjoints that helper lines above were found to be stay names.
        read = frozenset(n for n in uses if n in adjoint_names)
        for _, keep in forms.stages(right)[:MOST_STAGES]:
            forms.algebra.used.clear()
            if forms.equal_keeping(left, right, (keep | read) - {helper, other.name}):
                return other, forms.used_assumptions(left, right)
        equality = equal_with_recurrences(forms, left, right, SECONDS)
        if equality is not None:
            return other, equality.assumptions
    return None


def _read(tensor: Tensor) -> Definition:
    """A tensor, read at letters over all of its entries."""
    indices = tensor.indices(f"i{k}" for k in range(len(tensor.axes)))
    read = Read(tensor, tuple(Affine.of(i) for i in indices))
    value = Tensor("value", tensor.axes, Role.DEFINED, bases=tensor.bases)
    return Definition(value, indices, (Term((), slot_symbol(0), (read,)),))
