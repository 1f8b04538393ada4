"""Claims about whole tensors, written as matrix expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from symbackprop.calculus.chain import derive
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.indices import Affine, Index, choose_name
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role
from symbackprop.errors import ArgumentError, FormulaError
from symbackprop.language import read_matrix_claim
from symbackprop.language import tree as t
from symbackprop.language.assembly import define
from symbackprop.language.elaboration import Elaborator
from symbackprop.language.hiding import hidden_parts
from symbackprop.language.matrix_grammar import Operation, Run, walk_matrix
from symbackprop.language.matrix_shapes import ShapeReader
from symbackprop.language.matrix_text import write_matrix_tree
from symbackprop.language.symbols import program_symbols
from symbackprop.proof.claims import judge_equation
from symbackprop.proof.sides import Side, derivative_side, read_side, unique_definitions, with_first_derivative
from symbackprop.proof.verdict import Verdict
from symbackprop.proof.written_derivatives import explain_names

Axes = tuple[Affine, ...]


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
    program, known = _with_adjoints(program, trees)
    program, head, links, meanings = _name_derived(program, head, links, known)
    program, head = with_first_derivative(program, head)
    if isinstance(head, t.Derivative):
        axes, turned = _derivative_axes(program, head), False
    else:
        axes, turned = _axes_of(program, head)
    summed = frozenset(letter for side in (head, *links) for letter in _summed_in(side))
    for before, link in list(pairwise((head, *links)))[start:]:
        assert not isinstance(link, t.Derivative)
        parts: dict[str, str] = {}
        extended, letters, right = _side(program, link, axes, turned, "right", parts, summed)
        if isinstance(before, t.Derivative):
            scope = {letter.name: Index(letter.name, size) for letter, size in zip(letters, axes, strict=True)}
            count = len(program.tensor(before.read.name).axes)
            at = t.Derivative(_read(before.read.name, letters[:count]), _read(before.wrt.name, letters[count:]))
            left = derivative_side(program, at, scope)
        else:
            extended, _, left = _side(extended, before, axes, turned, "left", parts, summed)
        verdict = judge_equation(extended, left, right)
        yield replace(
            verdict,
            hypotheses=tuple(dict.fromkeys(_in_full(each, parts) for each in verdict.hypotheses)),
            diagnosis=explain_names(verdict.diagnosis, meanings),
        )


def _summed_in(side: str | t.Expression | t.Derivative) -> Iterator[str]:
    """The letters of the sums in a tree, which nothing else may be called."""
    for node, _ in walk_matrix(side) if isinstance(side, t.Expression) else ():
        match node:
            case Operation("over", (t.Name(letter), _)):
                yield letter


def _in_full(text: str, parts: Mapping[str, str]) -> str:
    """A condition with the parts of a claim that got names as they were written: det(A + B) for det(M).

    >>> _in_full("det(M) != 0", {"M": "A + B"})
    'det(A + B) != 0'
    """
    return re.sub(r"\bdet\((\w+)\)", lambda found: f"det({parts.get(found[1], found[1])})", text)


def _derivative_axes(program: Program, head: t.Derivative) -> Axes:
    axes = (*program.tensor(head.read.name).axes, *program.tensor(head.wrt.name).axes)
    if len(axes) > 2:
        raise ArgumentError(
            f"The derivative of {head.read.name} by {head.wrt.name} has {len(axes)} axes, and a matrix has two; claim "
            "an entry."
        )
    return axes


def _axes_of(program: Program, tree: t.Expression) -> tuple[Axes, bool]:
    """The axes of an expression, and whether it is a row, whose equations are judged turned."""
    shape = ShapeReader(_plain(program), frozenset(program.size_names)).read(tree).shape
    return tuple(size for size in shape if size is not None), shape[0] is None and shape[1] is not None


def _plain(program: Program) -> dict[str, Axes]:
    """The tensors that matrix expressions may read, with their axes."""
    shown = {t.name: t for t in program.tensors().values() if t.role is not Role.HIDDEN and t.range is None}
    return {name: tensor.axes for name, tensor in shown.items() if not tensor.bases}


def _side(
    program: Program,
    claim: str | t.Expression,
    axes: Axes,
    turned: bool,
    name: str,
    parts: dict[str, str],
    summed: frozenset[str],
) -> tuple[Program, tuple[t.Name, ...], Side]:
    """One side of an equation: the program with what it needs defined, its letters, and its definition.

    What the names mean that are made for parts of it is added to `parts`.
    """
    if turned and isinstance(claim, t.Expression):
        claim = Operation("'", (claim,), False, line=claim.line, column=claim.column)
    sizes = frozenset(program.size_names)
    before, letters, body, named = read_matrix_claim(claim, _plain(program), sizes, axes, summed)
    parts |= named
    extended = program.extended(_define(program, before))
    scope = {letter.name: Index(letter.name, size) for letter, size in zip(letters, axes, strict=True)}
    return extended, letters, read_side(extended, body, scope, name)


def _read(of: str, letters: tuple[t.Name, ...]) -> t.Name | t.Access:
    return t.Access(of, letters) if letters else t.Name(of)


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


def _with_adjoints(program: Program, trees: Sequence[t.Expression]) -> tuple[Program, dict[str, str]]:
    """The program with the adjoints of the loss that trees read, and their names."""
    nodes = [node for tree in trees for node, _ in walk_matrix(tree)]
    wanted = [n.operands[0] for n in nodes if isinstance(n, Operation) and n.name == "adj" and len(n.operands) == 1]
    names = tuple(dict.fromkeys(node.name for node in wanted if isinstance(node, t.Name | t.Access)))
    if not names:
        return program, {}
    if program.loss is None:
        line = trees[0].line or None
        raise FormulaError("adj(...) is the adjoint of the loss, and the program has no loss.", line=line)
    for name in names:
        program.tensor(name)
    adjoints = derive(program, program.loss, names)
    return program.extended(adjoints.definitions), {name: adjoints.adjoint_name(name) for name in names}


def _name_derived(
    program: Program, head: t.Expression | t.Derivative, links: Sequence[str | t.Expression], known: Mapping[str, str]
) -> tuple[Program, t.Expression | t.Derivative, list[str | t.Expression], dict[str, str]]:
    """The program with what the sides of a claim derive, the sides, which read derivatives by their names, and the
    equations of the formulas that got names, by these.

    `known` are the names of the adjoints of the loss. A head that is the derivative of a formula and nothing else
    becomes the derivative of a name.
    """
    naming = _Naming(program, known)
    named: t.Expression | t.Derivative
    match head:
        case Operation("adj", (of, t.Name() as by)):
            named = t.Derivative(naming.name_of(of), by, line=head.line, column=head.column)
        case t.Expression():
            named = naming.change(head)
        case _:
            named = head
    made = [link if isinstance(link, str) else naming.change(link) for link in links]
    meanings = {name.name: f"{name.name} = {write_matrix_tree(tree)}" for tree, name in naming.formulas.items()}
    return naming.program, named, made, meanings


@dataclass(slots=True)
class _Naming:
    """Gives names to the derivatives in trees of matrix expressions; `known` are those of the adjoints of the loss."""

    program: Program
    known: Mapping[str, str]
    formulas: dict[t.Expression, t.Name] = field(default_factory=dict)

    def change(self, node: t.Expression) -> t.Expression:
        """The tree with the names of derivatives in their places."""
        match node:
            case Operation("adj", ((t.Name(name) | t.Access(name)) as read,)):
                return replace(read, name=self.known[name], line=node.line, column=node.column)
            case Operation("adj", (of, t.Name(by))):
                name = self.name_of(of).name
                adjoints = derive(self.program, name, (by,))
                self.program = self.program.extended(unique_definitions(adjoints.definitions))
                return t.Name(adjoints.adjoint_name(by), line=node.line, column=node.column)
            case Operation(_, operands) | Run(operands, _):
                return replace(node, operands=tuple(map(self.change, operands)))
        return node

    def name_of(self, formula: t.Expression) -> t.Name:
        """The name of the tensor that a formula is the definition of."""
        tree = self.change(formula)
        if isinstance(tree, t.Name):
            return tree
        if tree not in self.formulas:
            axes, _ = _axes_of(self.program, tree)
            taken = {*self.program.tensors(), *self.program.size_names}
            sizes, summed = frozenset(self.program.size_names), frozenset(_summed_in(tree))
            made = read_matrix_claim(tree, _plain(self.program), sizes, axes, summed)
            before, letters, body, _ = made
            name = choose_name("f", {*taken, *(letter.name for letter in letters)})
            head = _read(name, letters)
            statements = (*before, t.Define(head, body, line=tree.line, column=tree.column))
            self.program = self.program.extended(_define(self.program, statements))
            self.formulas[tree] = t.Name(name)
        return self.formulas[tree]
