"""Statements become a program: declarations, definitions in order, what is assumed, and the loss."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import zip_longest

from sympy import Piecewise

from symbackprop.calculus.definitions import Definition, Term, rename_terms, slot_symbol
from symbackprop.calculus.guards import Equal, Within
from symbackprop.calculus.indices import Affine, Index, compare_range
from symbackprop.calculus.programs import Assumption, Program
from symbackprop.calculus.recurrences import arrange, read_recurrence
from symbackprop.calculus.tensors import Count, Read, Role, Tensor, slot_indices
from symbackprop.errors import CycleError, FormulaError
from symbackprop.language.elaboration import Elaborator
from symbackprop.language.index_forms import read_size
from symbackprop.language.limits import Limits
from symbackprop.language.matrix_calls import read_calls
from symbackprop.language.recursion import deep_recursion
from symbackprop.language.symbols import (
    Symbols,
    collect_symbols,
    free_indices,
    head_ranges,
    is_base,
    make_tensor,
    resolve_binder,
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
from symbackprop.language.wording import fail


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
    elaborator = Elaborator(symbols, limits=limits)
    leaves: list[Tensor] = []
    definitions: list[Definition] = []
    listed = 0  # how many of the elaborator's hidden definitions stand in the list
    for statement in statements:
        if isinstance(statement, Declaration):
            tensor = _declare(statement)
            leaves.append(tensor)
            symbols.tensors[tensor.name] = tensor
        elif isinstance(statement, Define) and not is_base(statement):
            made = define(statement, elaborator)
            definitions += [*elaborator.hidden[listed:], made]
            listed = len(elaborator.hidden)
            del symbols.later[made.tensor.name]
            symbols.tensors[made.tensor.name] = made.tensor
    definitions = _arrange(definitions)
    assumptions = tuple(_assume(s, symbols, limits) for s in statements if isinstance(s, Assume))
    return Program(tuple(leaves), tuple(definitions), assumptions, _find_loss(definitions))


def _declare(statement: Declaration) -> Tensor:
    if statement.kind == "const" and statement.axes:
        raise fail(statement, f"axes of the constant {statement.name}", "a scalar; data with axes is an input")
    size = read_size(statement.range) if statement.range is not None else None
    return Tensor(
        statement.name, tuple(map(read_size, statement.axes)), Role(statement.kind), statement.tex, range=size
    )


def define(statement: Define, elaborator: Elaborator) -> Definition:
    """The definition that a statement makes, its hidden parts left with the elaborator."""
    head, symbols = statement.head, elaborator.symbols
    base = symbols.bases.get(head.name)
    indices: tuple[Index, ...] = ()
    body = read_calls(statement.body, elaborator)
    if isinstance(head, Access):
        letters = [index for index in head.indices if isinstance(index, Name | Binder)]
        found = head_ranges(statement, base, symbols) if base is not None else []
        sizes = [
            known if known is not None else resolve_binder(i, (body,), symbols)
            for i, known in zip_longest(letters, found)
        ]
        indices = tuple(Index(i.name, size) for i, size in zip(letters, sizes, strict=True))
    made = elaborator.define(head.name, indices, body, Role.DEFINED, statement.line or None)
    if base is None:
        return replace(made, tree=statement)
    tensor = make_tensor(head.name, [i.size for i in indices], base)
    return _join_base(made, base, tensor, elaborator, statement)


def _join_base(step: Definition, base: Define, tensor: Tensor, elaborator: Elaborator, statement: Define) -> Definition:
    """The base and the step of a recurrence as one definition: guards say where each holds."""
    place = next(k for k, mark in enumerate(tensor.bases) if mark)
    letters = [i.name for i in base.head.indices if isinstance(i, Name | Binder)]  # type: ignore[union-attr]
    others = [i for k, i in enumerate(step.indices) if k != place]
    scope = tuple(i.renamed(letter) for i, letter in zip(others, letters, strict=True))
    start = elaborator.define(step.tensor.name, scope, base.body, Role.DEFINED, base.line or None)
    indices = tensor.indices(i.name for i in step.indices)
    along, inner = indices[place], step.indices[place]
    values: dict[Index, Affine] = {o: Affine.of(i) for o, i in zip(scope, others, strict=True)}
    first = [replace(t, guards=(*t.guards, Equal(Affine.of(along) - _base_place(tensor, place))))
             for t in rename_terms(start.terms, values, [i.name for i in indices])]  # fmt: skip
    later = [replace(t, guards=(*t.guards, Within(Affine.of(along), inner.size, inner.start)))
             for t in rename_terms(step.terms, {inner: Affine.of(along)}, [i.name for i in indices])]  # fmt: skip
    domain = (*start.domain, *step.domain)
    return Definition(tensor, indices, (*first, *later), domain, statement, step.line, base_tree=base)


def _base_place(tensor: Tensor, axis: int) -> Affine:
    start, size = tensor.spans[axis]
    return Affine.of(start) if tensor.bases[axis] < 0 else size


def _arrange(definitions: Sequence[Definition]) -> list[Definition]:
    """The definitions in an order in which they can be computed; a circle that does not step is a CycleError."""
    arranged: list[Definition] = []
    for group in arrange(definitions):
        if len(group) == 1 and group[0].tensor.name not in group[0].uses():
            arranged += group
            continue
        found = read_recurrence(group)
        if found is None:
            names = ", ".join(d.tensor.name for d in group if d.tensor.role is Role.DEFINED)
            first = group[0]
            raise CycleError(
                f"found {names} in a circle of definitions that does not step one index in one direction, expected "
                "reads of t-1 only or of t+1 only",
                line=first.line,
                found=f"a circle of definitions: {names}",
                expected="reads of t-1 only or of t+1 only, on one axis",
            )
        arranged += found.definitions
    return arranged


def _assume(statement: Assume, symbols: Symbols, limits: Limits) -> Assumption:
    condition = statement.condition
    indices = resolve_indices((condition,), symbols)
    elaborator = Elaborator(symbols, limits=limits, nameless=True)
    sides = [_assumed_side(elaborator, side, indices) for side in (condition.left, condition.right)]
    for term in (*sides[0].terms, *sides[1].terms):
        _check_assumed(statement, term)
    relation = "=" if condition.operator == "==" else condition.operator
    return Assumption(indices, sides[0].terms, relation, sides[1].terms, statement)


def _check_assumed(statement: Assume, term: Term) -> None:
    """FormulaError where an assumption reads an entry that there is not for every index, which would say of it that it
    is 0; a condition may keep it away.
    """
    counts = {slot_symbol(k) for k, slot in enumerate(term.slots) if isinstance(slot, Count)}
    if term.guards or any(
        counts & condition.free_symbols for choice in term.body.atoms(Piecewise) for _, condition in choice.args
    ):
        return
    for slot in term.slots:
        if not isinstance(slot, Read) or not slot_indices(slot):
            continue
        spans = zip(slot.at, slot.tensor.spans, strict=True)
        if not all(compare_range(at, size, start) for at, (start, size) in spans):
            read = f"{slot.tensor.name}[{', '.join(map(str, slot.at))}]"
            letters = ", ".join(dict.fromkeys(index.name for index in slot_indices(slot)))
            raise fail(statement, f"{read}, which is no entry for some {letters}, in an assumption",
                       "entries that there are for all values of its indices",
                       "say where it holds, as in where(i < N, x[i+1] - x[i], 0) >= 0")  # fmt: skip


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
    scalars = [d for d in definitions if not d.tensor.axes and d.tensor.role is Role.DEFINED and d.tensor.range is None]
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
