"""Statements become a program: declarations, definitions in order, what is assumed, and the loss."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.indices import Index
from symbackprop.calculus.programs import Assumption, Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import FormulaError
from symbackprop.language.elaboration import Elaborator
from symbackprop.language.limits import Limits
from symbackprop.language.recursion import deep_recursion
from symbackprop.language.symbols import (
    Symbols,
    collect_symbols,
    fail,
    free_indices,
    read_size,
    resolve_binder,
    unsupported,
)
from symbackprop.language.tree import (
    Access,
    Assume,
    Binder,
    Declaration,
    Define,
    Expression,
    Name,
    Node,
    Number,
    Statement,
)


def assemble(statements: Iterable[Statement], limits: Limits | None = None) -> Program:
    """The program that statements say; its claims are left to who judges them.

    >>> from symbackprop.language.reader import read_statements
    >>> program = assemble(read_statements("param w\\nloss = (w - 1)^2"))
    >>> print(program.loss, program.definitions[0].terms[0].body)
    loss (s0 - 1)**2
    """
    everything = tuple(statements)
    with deep_recursion():
        return _assemble(everything, limits or Limits())


def _assemble(statements: tuple[Statement, ...], limits: Limits) -> Program:
    symbols = collect_symbols(statements)
    elaborator = Elaborator(symbols, limits)
    leaves: list[Tensor] = []
    definitions: list[Definition] = []
    listed = 0  # how many of the elaborator's hidden definitions stand in the list
    for statement in statements:
        if isinstance(statement, Declaration):
            tensor = _declare(statement)
            leaves.append(tensor)
            symbols.tensors[tensor.name] = tensor
        elif isinstance(statement, Define):
            made = define(statement, elaborator)
            definitions += [*elaborator.hidden[listed:], made]
            listed = len(elaborator.hidden)
            del symbols.later[made.tensor.name]
            symbols.tensors[made.tensor.name] = made.tensor
    assumptions = tuple(_assume(s, symbols, limits) for s in statements if isinstance(s, Assume))
    return Program(tuple(leaves), tuple(definitions), assumptions, _find_loss(definitions))


def _declare(statement: Declaration) -> Tensor:
    if statement.kind == "index":
        raise unsupported(statement, f"the index tensor {statement.name}", "declare a one-hot input in its place")
    if statement.kind == "const" and statement.axes:
        raise fail(statement, f"axes of the constant {statement.name}", "a scalar; data with axes is an input")
    return Tensor(statement.name, tuple(map(read_size, statement.axes)), Role(statement.kind), statement.tex)


def define(statement: Define, elaborator: Elaborator) -> Definition:
    """The definition that a statement makes, its hidden parts left with the elaborator."""
    head, symbols = statement.head, elaborator.symbols
    indices: tuple[Index, ...] = ()
    if isinstance(head, Access):
        letters = [index for index in head.indices if isinstance(index, Name | Binder)]
        indices = tuple(Index(i.name, resolve_binder(i, (statement.body,), symbols)) for i in letters)
    made = elaborator.define(head.name, indices, statement.body, Role.DEFINED, statement.line or None)
    return replace(made, tree=statement)


def _assume(statement: Assume, symbols: Symbols, limits: Limits) -> Assumption:
    condition = statement.condition
    indices = resolve_indices((condition,), symbols)
    elaborator = Elaborator(symbols, limits, nameless=True)
    sides = [_assumed_side(elaborator, side, indices) for side in (condition.left, condition.right)]
    relation = "=" if condition.operator == "==" else condition.operator
    return Assumption(indices, sides[0].terms, relation, sides[1].terms, statement)


def _assumed_side(elaborator: Elaborator, side: Expression, indices: tuple[Index, ...]) -> Definition:
    if isinstance(side, Number) and side.value == 0:
        return Definition(Tensor("assumed", (), Role.HIDDEN), (), ())
    return elaborator.define("assumed", indices, side, Role.HIDDEN)


def resolve_indices(trees: Sequence[Node], symbols: Symbols) -> tuple[Index, ...]:
    """The indices that stand free in trees, for all of whose values something is said, with their ranges."""
    found = free_indices(trees, symbols)
    return tuple(Index(name, resolve_binder(node, trees, symbols)) for name, node in found.items())


def _find_loss(definitions: Sequence[Definition]) -> str | None:
    """The scalar called loss, else the last scalar; after `loss` no scalar may read it."""
    scalars = [d for d in definitions if not d.tensor.axes and d.tensor.role is Role.DEFINED]
    loss = next((d for d in scalars if d.tensor.name == "loss"), None)
    if loss is None:
        return scalars[-1].tensor.name if scalars else None
    reached = {"loss"}
    for definition in definitions[definitions.index(loss) + 1 :]:
        if any(read.tensor.name in reached for _, _, read in definition.reads()):
            reached.add(definition.tensor.name)
            if definition in scalars:
                name, line = definition.tensor.name, definition.line
                found, expected = f"the scalar {name}, which reads loss", "loss to be the last scalar that is computed"
                hint = "call what is to be differentiated loss, and this loss otherwise"
                raise FormulaError(
                    f"found {found}, expected {expected}; {hint}", line=line, found=found, expected=expected
                )
    return "loss"
