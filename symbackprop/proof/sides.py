"""The sides of claims: formulas over the tensors of a program, and the derivatives that the chain rule gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symbackprop.calculus.chain import Adjoints, derive
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.folding import fold
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.paths import check_entry, instantiate
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ArgumentError, FormulaError, UnknownNameError
from symbackprop.language import tree as t
from symbackprop.language.elaboration import Elaborator
from symbackprop.language.hiding import hidden_parts
from symbackprop.language.symbols import program_symbols
from symbackprop.language.writer import write_tree
from symbackprop.proof.extents import check_places, check_ranges, list_needed_sizes, read_places


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an equation: its definition, how its folded form reads, and the definitions that both need.

    A derivative knows what it is taken of and by, where these are read, the steps of the chain rule that lead to it,
    and the folded definitions; a formula knows its tree, and the definitions of its nested parts. `derived` are the
    names of what is derived in it, which must have a value too, and `least` what is at least 0 where it exists.
    """

    definition: Definition
    plain: Definition
    needed: tuple[Definition, ...]
    tree: t.Expression | None = None
    of: Tensor | None = None
    wrt: Tensor | None = None
    at: tuple[Affine, ...] = ()
    adjoints: Adjoints | None = None
    folded: tuple[Definition, ...] = ()
    claimed: tuple[Definition, ...] = ()
    derived: tuple[str, ...] = ()
    least: tuple[Affine, ...] = ()


def with_first_derivative(
    program: Program, head: t.Expression | t.Derivative
) -> tuple[Program, t.Expression | t.Derivative]:
    """The head of a claim, for a second derivative as that of the adjoint, which the program then defines."""
    if not isinstance(head, t.Derivative) or not isinstance(head.of, t.Apply):
        return program, head
    if program.loss is None:
        raise FormulaError(f"{write_tree(head)} derives the loss, and the program has none.", line=head.line or None)
    program.tensor(head.read.name)
    adjoints = derive(program, program.loss, (head.read.name,))
    read = replace(head.read, name=adjoints.adjoint_name(head.read.name))
    return program.extended(unique_definitions(adjoints.definitions)), replace(head, of=read)


def make_side(
    program: Program, tree: t.Expression | t.Derivative, scope: Mapping[str, Index], name: str = "left"
) -> Side:
    """What stands on one side: a derivative, or an expression, whose parts are named after the side."""
    if isinstance(tree, t.Derivative):
        return derivative_side(program, tree, scope)
    return read_side(program, tree, scope, name)


def read_side(program: Program, tree: t.Expression, scope: Mapping[str, Index], name: str = "left") -> Side:
    """An expression over the tensors of a program.

    `adj(z[n,i])` in it is the adjoint of the loss, and `adj(a[n,j], z[n,i])` the derivative of one entry by another.
    What is nested in it is named after the side, so that the parts of two sides never share a name.
    """
    check_ranges(program, tree)
    read, needed, derived = derivatives_read(program, tree)
    extended = program.extended(needed)
    made, parts = define_formula(extended, name, tuple(scope.values()), read)
    least = tuple(list_needed_sizes(program, tree))
    return Side(made, made, (*needed, *parts), tree, claimed=parts, derived=derived, least=least)


def derivatives_read(
    program: Program, tree: t.Expression
) -> tuple[t.Expression, tuple[Definition, ...], tuple[str, ...]]:
    """An expression that reads derivatives by their names, the definitions of these, and what is derived."""
    tree = _of_loss(tree, program.loss)
    needed: list[Definition] = []
    names: dict[str, str] = {}
    wanted = _derivatives_in(program, tree)
    for of, by in wanted.items():
        adjoints = derive(program, of, by)
        needed += adjoints.definitions
        names |= {each if of == program.loss else f"{of}_by_{each}": adjoints.adjoint_name(each) for each in by}
    return with_adjoints(tree, names), unique_definitions(needed), tuple(wanted)


def define_formula(
    program: Program, name: str, indices: tuple[Index, ...], read: t.Expression
) -> tuple[Definition, tuple[Definition, ...]]:
    """The definition of a formula over the tensors of a program, and those of its nested parts."""
    for made_of in (read, t.Chain((read, t.Number(Fraction(0), "0")), ("+",), line=read.line, column=read.column)):
        elaborator = Elaborator(program_symbols(program), known=hidden_parts(program))
        made = elaborator.define(name, indices, made_of, Role.DEFINED, read.line or None)
        if made.is_sum:  # an argmax or a function of a matrix that is the whole side becomes a part of it
            break
    return made, tuple(elaborator.hidden)


def derivative_side(program: Program, head: t.Derivative, scope: Mapping[str, Index]) -> Side:
    """The derivative that a head names, as the chain rule gives it."""
    assert not isinstance(head.of, t.Apply), "the adjoint that is derived has a name"
    of, wrt = program.tensor(head.of.name), program.tensor(head.wrt.name)
    at = (*_places(program, of, head.of, scope), *_places(program, wrt, head.wrt, scope))
    adjoints = derive(program, of.name, (wrt.name,))
    folded = fold(adjoints, program.assumptions)
    indices = tuple(scope.values())
    claimed = Tensor("derived", tuple(i.size for i in indices), Role.DEFINED)
    name = adjoints.adjoint_name(wrt.name)
    plain = next(d for d in folded.definitions if d.tensor.name == name)
    raw, neat = (Definition(claimed, indices, instantiate(d, at)) for d in (adjoints.gradient(wrt.name), plain))
    # Folded adjoints carry the names of the raw ones, so only those that were inlined nowhere are added.
    return Side(raw, neat, tuple(adjoints.definitions), None, of, wrt, at, adjoints, folded.definitions,
                derived=(of.name,), least=tuple(list_needed_sizes(program, head.of, head.wrt)))  # fmt: skip


def _places(
    program: Program, tensor: Tensor, access: t.Name | t.Access, scope: Mapping[str, Index]
) -> tuple[Affine, ...]:
    """Where a derivative's head reads a tensor, which is at entries that there are for all letters of the scope."""
    made = read_places(program, access, scope)
    try:
        check_entry(tensor, made)
    except ArgumentError as error:
        raise FormulaError(str(error), line=access.line or None, column=access.column or None) from error
    check_places(tensor, access, made)
    return made


def _derivatives_in(program: Program, tree: t.Node) -> dict[str, tuple[str, ...]]:
    """The derivatives that an expression reads: what they are taken of, and by."""
    found: dict[str, tuple[str, ...]] = {}
    for node, _ in t.walk(tree):
        if not isinstance(node, t.Apply) or node.function != "adj":
            continue
        parts = [part for part in node.arguments if isinstance(part, t.Name | t.Access)]
        if len(parts) != len(node.arguments) or len(parts) not in (1, 2):
            raise FormulaError(
                f"adj takes one tensor, as in adj(z[n,i]), or two, as in adj(a[n,j], z[n,i]); "
                f"found {write_tree(node)}.",
                line=node.line or None,
                column=node.column or None,
            )
        if len(parts) == 1 and program.loss is None:
            raise FormulaError(
                "adj(...) is the adjoint of the loss, and the program has no loss.", line=tree.line or None
            )
        of = parts[0].name if len(parts) == 2 else program.loss or ""
        for part in parts:
            program.tensor(part.name)
        found[of] = tuple(dict.fromkeys((*found.get(of, ()), parts[-1].name)))
    return found


def _of_loss(tree: t.Expression, loss: str | None) -> t.Expression:
    """The expression with the adjoints of the loss in their short form, adj(z) for adj(loss, z)."""

    def change(node: t.Node) -> t.Node:
        if isinstance(node, t.Apply) and node.function == "adj" and node.arguments[:1] == (t.Name(loss or ""),):
            return replace(node, arguments=node.arguments[-1:])
        return t.map_children(node, change)

    changed = change(tree)
    return changed if isinstance(changed, t.Expression) else tree


def with_adjoints(tree: t.Expression, names: Mapping[str, str]) -> t.Expression:
    """The expression with every adj(z[n,i]) replaced by a read of the adjoint."""

    def change(node: t.Node) -> t.Node:
        if isinstance(node, t.Apply) and node.function == "adj":
            reads = [part for part in node.arguments if isinstance(part, t.Access | t.Name)]
            key = reads[0].name if len(reads) == 1 else f"{reads[0].name}_by_{reads[-1].name}"
            name = names.get(key, key)
            indices = tuple(i for read in reads if isinstance(read, t.Access) for i in read.indices)
            place = {"line": node.line, "column": node.column}
            return t.Access(name, indices, **place) if indices else t.Name(name, **place)
        return t.map_children(node, change)

    changed = change(tree)
    if not isinstance(changed, t.Expression):
        raise UnknownNameError("An expression became something else.", name=type(changed).__name__)
    return changed


def unique_definitions(definitions: Sequence[Definition]) -> tuple[Definition, ...]:
    """Definitions, one for each name."""
    return tuple({d.tensor.name: d for d in definitions}.values())
