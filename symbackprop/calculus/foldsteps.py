"""One step of folding, with both its sides and all that its proof needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.normal_forms import NormalForms
from symbackprop.calculus.programs import Assumption, Program

CHECK_PRODUCTS = 5_000
"""A step is small, or it would not have been found; a wrong one is not worth more work than this."""


@dataclass(frozen=True, slots=True)
class FoldStep:
    """`before` and `after` are the definition of `tensor` with the hidden ones that it needs.

    `kind` is "fold" where names of the program are put back, and "inline" where `inlined`, the definition of another
    adjoint, is written in as well. `using` names the definitions that the step rests on, and `identities` the equations
    for sums, assumed ones and those that follow from `using`.
    """

    kind: str
    tensor: str
    before: tuple[Definition, ...]
    after: tuple[Definition, ...]
    using: tuple[str, ...] = ()
    identities: tuple[Assumption, ...] = ()
    inlined: tuple[Definition, ...] = ()


def check_step(program: Program, step: FoldStep, assumptions: tuple[Assumption, ...] = ()) -> bool:
    """Whether the normal form proves both sides of a step equal, identities that the step states not believed.

    `assumptions` are believed, and no others.
    """
    return prove_step(NormalForms(program, assumptions, CHECK_PRODUCTS), step)


def prove_step(forms: NormalForms, step: FoldStep) -> bool:
    """The same with the normal forms of the program at hand."""
    local = {d.tensor.name: d for d in (*step.before[1:], *step.after[1:], *step.inlined)}
    own = frozenset(local) | frozenset(step.using)
    others = frozenset(d.tensor.name for d in forms.program.definitions) - own
    left, right = replace(step.before[0], tree=None), step.after[0]
    return forms.equal_keeping(left, right, others, local, frozenset(step.using)) or forms.equal_keeping(
        left, right, frozenset(), local
    )
