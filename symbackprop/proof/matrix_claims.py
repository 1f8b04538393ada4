"""Claims about whole gradients, written as matrix expressions."""

from __future__ import annotations

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.indices import Index
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role
from symbackprop.errors import ArgumentError
from symbackprop.language import read_matrix_claim
from symbackprop.language import tree as t
from symbackprop.language.assembly import define
from symbackprop.language.elaboration import Elaborator
from symbackprop.language.hiding import hidden_parts
from symbackprop.language.symbols import program_symbols
from symbackprop.proof.claims import derivative_side, judge_equation, read_side
from symbackprop.proof.verdict import Verdict


def judge_matrix_gradient(program: Program, of: str, wrt: str, claim: str) -> Verdict:
    """The verdict on a matrix expression that is claimed to be the derivative of `of` by `wrt`.

    It has the shape of `wrt` where `of` is a scalar, and otherwise the axes of `of` followed by those of `wrt`.
    """
    numerator, denominator = program.tensor(of), program.tensor(wrt)
    axes = (*numerator.axes, *denominator.axes)
    if len(axes) > 2:
        raise ArgumentError(
            f"The derivative of {of} by {wrt} has {len(axes)} axes, and a matrix has two; claim an entry."
        )
    shown = {t.name: t for t in program.tensors().values() if t.role is not Role.HIDDEN and t.range is None}
    plain = {name: tensor.axes for name, tensor in shown.items() if not tensor.bases}
    before, letters, body = read_matrix_claim(claim, plain, frozenset(program.size_names), axes)
    extended = program.extended(_define(program, before))
    scope = {letter.name: Index(letter.name, size) for letter, size in zip(letters, axes, strict=True)}
    count = len(numerator.axes)
    head = t.Derivative(_read(of, letters[:count]), _read(wrt, letters[count:]))
    right = read_side(extended, body, scope, "right")
    return judge_equation(extended, derivative_side(program, head, scope), right)


def _read(name: str, letters: tuple[t.Name, ...]) -> t.Name | t.Access:
    return t.Access(name, letters) if letters else t.Name(name)


def _define(program: Program, statements: tuple[t.Define, ...]) -> tuple[Definition, ...]:
    """The definitions that statements make beside a program, with their hidden parts."""
    elaborator = Elaborator(program_symbols(program), known=hidden_parts(program))
    made: list[Definition] = []
    listed = 0
    for statement in statements:
        definition = define(statement, elaborator)
        made += [*elaborator.hidden[listed:], definition]
        listed = len(elaborator.hidden)
        elaborator.symbols.tensors[definition.tensor.name] = definition.tensor
        elaborator.symbols.lines[definition.tensor.name] = 0
    return tuple(made)
