"""Claims about whole tensors, written as matrix expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.programs import Program
from symbackprop.errors import ArgumentError
from symbackprop.language import read_matrix_claim
from symbackprop.language import tree as t
from symbackprop.language.matrix_shapes import axes_left
from symbackprop.proof.claims import judge_equation
from symbackprop.proof.matrix_derivatives import (
    Axes,
    axes_of,
    define_beside,
    entry_at,
    free_letters,
    letters_in,
    name_derivatives,
    readable_tensors,
    with_adjoints_of_loss,
)
from symbackprop.proof.sides import Side, derivative_side, read_side, with_first_derivative
from symbackprop.proof.verdict import Verdict


def judge_matrix_gradient(program: Program, of: str, wrt: str, claim: str | t.Expression) -> Verdict:
    """The verdict on a matrix expression that is claimed to be the derivative of `of` by `wrt`.

    It has the shape of `wrt` where `of` is a scalar, and otherwise the axes of `of` followed by those of `wrt`. The
    claim is text, or a tree, which may read `adj(z)`, the adjoint of a tensor.
    """
    return next(judge_matrix_claim(program, t.Derivative(t.Name(of), t.Name(wrt)), (claim,)))


def judge_matrix_claim(
    program: Program, head: t.Expression | t.Derivative, links: Sequence[str | t.Expression], start: int = 0
) -> Iterator[Verdict]:
    """The verdicts on head = link = link ..., one for each link from the link number `start` on.

    The head is a matrix expression or a derivative.

    Every side must have the shape of the head; ShapeError names the operation or the side that does not.
    """
    trees = [tree for tree in (head, *links) if isinstance(tree, t.Expression)]
    given = program
    program, known = with_adjoints_of_loss(program, trees)
    program, head, links, names = name_derivatives(program, head, links, known)
    program, head = with_first_derivative(program, head)
    if isinstance(head, t.Derivative):
        axes, turned = _derivative_axes(program, head), False
    else:
        axes, turned = axes_of(program, head)
    free = free_letters(program, (head, *links))
    taken = frozenset(letter for side in (head, *links) for letter in letters_in(side))
    for before, link in list(pairwise((head, *links)))[start:]:
        assert not isinstance(link, t.Derivative)
        parts: dict[str, str] = {}
        extended, letters, right = _side(program, link, axes, turned, "right", parts, free, taken)
        if isinstance(before, t.Derivative):
            count = len(axes_left(before.read, program.tensor(before.read.name).axes))
            at = t.Derivative(entry_at(before.read, letters[:count]), entry_at(before.wrt, letters[count:]))
            left = _derivative(given, extended, at, _scope(letters, axes, free))
        else:
            extended, _, left = _side(extended, before, axes, turned, "left", parts, free, taken)
        verdict = judge_equation(extended, left, right)
        yield replace(
            verdict,
            hypotheses=tuple(dict.fromkeys(_in_full(each, parts) for each in verdict.hypotheses)),
            diagnosis=names.explain(verdict.diagnosis),
        )


def _derivative(given: Program, program: Program, at: t.Derivative, scope: Mapping[str, Index]) -> Side:
    """The derivative that a head names. Where the program as it was given has all that it takes, its adjoints are those
    of `program`, so that no induction is needed to see that they are the same.
    """
    if {at.read.name, at.wrt.name} <= given.tensors().keys():
        made = derivative_side(given, at, scope)
        known = {d.tensor.name: d for d in program.definitions}
        if all(known.get(d.tensor.name, d) == d for d in made.needed):
            return replace(made, needed=tuple(d for d in made.needed if d.tensor.name not in known))
    return derivative_side(program, at, scope)


def _in_full(text: str, parts: Mapping[str, str]) -> str:
    """A condition with the parts of a claim that got names as they were written: det(A + B) for det(M).

    >>> _in_full("det(M) != 0", {"M": "A + B"})
    'det(A + B) != 0'
    """
    return re.sub(r"\bdet\((\w+)\)", lambda found: f"det({parts.get(found[1], found[1])})", text)


def _derivative_axes(program: Program, head: t.Derivative) -> Axes:
    axes = tuple(axis for x in (head.read, head.wrt) for axis in axes_left(x, program.tensor(x.name).axes))
    if len(axes) > 2:
        raise ArgumentError(
            f"The derivative of {head.read.name} by {head.wrt.name} has {len(axes)} axes, and a matrix has two; claim "
            "an entry."
        )
    return axes


def _side(
    program: Program,
    claim: str | t.Expression,
    axes: Axes,
    turned: bool,
    name: str,
    parts: dict[str, str],
    free: Mapping[str, Affine],
    taken: frozenset[str],
) -> tuple[Program, tuple[t.Name, ...], Side]:
    """One side of an equation: the program with what it needs defined, its letters, and its definition.

    What the names mean that are made for parts of it is added to `parts`.
    """
    sizes = frozenset(program.size_names)
    known = readable_tensors(program, claim)
    before, letters, body, named = read_matrix_claim(claim, known, sizes, axes, taken, turned=turned)
    parts |= named
    extended = program.extended(define_beside(program, before))
    return extended, letters, read_side(extended, body, _scope(letters, axes, free), name)


def _scope(letters: Sequence[t.Name], axes: Axes, free: Mapping[str, Affine]) -> dict[str, Index]:
    """The indices for which an equation is stated: those that its sides read, such as rows, then its axes."""
    named = {letter.name: size for letter, size in zip(letters, axes, strict=True)}
    return {name: Index(name, size) for name, size in {**free, **named}.items()}
