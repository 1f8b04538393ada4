"""Claims about whole gradients, written as matrix expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbackprop.calculus.chain import derive
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.indices import Index
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role
from symbackprop.errors import ArgumentError, FormulaError
from symbackprop.language import read_matrix_claim
from symbackprop.language import tree as t
from symbackprop.language.assembly import define
from symbackprop.language.elaboration import Elaborator
from symbackprop.language.hiding import hidden_parts
from symbackprop.language.matrix_grammar import Operation, Run, walk_matrix
from symbackprop.language.symbols import program_symbols
from symbackprop.proof.claims import derivative_side, judge_equation, read_side
from symbackprop.proof.verdict import Verdict


def judge_matrix_gradient(program: Program, of: str, wrt: str, claim: str | t.Expression) -> Verdict:
    """The verdict on a matrix expression that is claimed to be the derivative of `of` by `wrt`.

    It has the shape of `wrt` where `of` is a scalar, and otherwise the axes of `of` followed by those of `wrt`. The
    claim is text, or a tree, which may read `adj(z)`, the adjoint of a tensor.
    """
    if not isinstance(claim, str):
        program, claim = _with_adjoints(program, claim)
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


def _with_adjoints(program: Program, claim: t.Expression) -> tuple[Program, t.Expression]:
    """The program with the adjoints of the loss that a claim reads, and the claim with their names."""
    wanted = [n.operands[0] for n, _ in walk_matrix(claim) if isinstance(n, Operation) and n.name == "adj"]
    names = tuple(dict.fromkeys(node.name for node in wanted if isinstance(node, t.Name)))
    if not names:
        return program, claim
    if program.loss is None:
        raise FormulaError("adj(...) is the adjoint of the loss, and the program has no loss.", line=claim.line or None)
    for name in names:
        program.tensor(name)
    adjoints = derive(program, program.loss, names)
    known = {name: adjoints.adjoint_name(name) for name in names}
    return program.extended(adjoints.definitions), _named(claim, known)


def _named(node: t.Expression, known: Mapping[str, str]) -> t.Expression:
    """The tree with adj(z) replaced by the name of that adjoint."""
    match node:
        case Operation("adj", (t.Name(name),)):
            return t.Name(known[name], line=node.line, column=node.column)
        case Operation(_, operands) | Run(operands, _):
            return replace(node, operands=tuple(_named(operand, known) for operand in operands))
    return node
