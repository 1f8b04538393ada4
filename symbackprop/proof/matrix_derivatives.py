"""Derivatives in claims about whole tensors: what they are taken of, and they themselves, get names in the program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.calculus.chain import derive
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.indices import Affine, choose_name
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role
from symbackprop.errors import FormulaError
from symbackprop.language import read_matrix_claim
from symbackprop.language import tree as t
from symbackprop.language.assembly import define
from symbackprop.language.elaboration import Elaborator
from symbackprop.language.hiding import hidden_parts
from symbackprop.language.matrix_elaboration import fill_rest
from symbackprop.language.matrix_grammar import Operation, Run, walk_matrix
from symbackprop.language.matrix_shapes import REST, ShapeReader
from symbackprop.language.matrix_text import write_matrix_tree
from symbackprop.language.symbols import program_symbols
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree
from symbackprop.proof.sides import unique_definitions
from symbackprop.proof.written_derivatives import Names

Axes = tuple[Affine, ...]
ClaimSide = str | t.Expression | t.Derivative


def with_adjoints_of_loss(program: Program, trees: Sequence[t.Expression]) -> tuple[Program, dict[str, str]]:
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


def name_derivatives(
    program: Program, head: t.Expression | t.Derivative, links: Sequence[str | t.Expression], known: Mapping[str, str]
) -> tuple[Program, t.Expression | t.Derivative, list[str | t.Expression], Names]:
    """The program with what the sides of a claim derive, the sides, which read derivatives by their names, and these.

    `known` are the names of the adjoints of the loss. A head that is the derivative of a formula and nothing else
    becomes the derivative of a name.
    """
    naming = _Naming(program, known)
    named: t.Expression | t.Derivative
    match head:
        case Operation("adj", (of, (t.Name() | t.Access()) as by)):
            named = t.Derivative(naming.name_of(of), by, line=head.line, column=head.column)
        case t.Expression():
            named = naming.change(head)
        case _:
            named = head
    made = [link if isinstance(link, str) else naming.change(link) for link in links]
    meanings = {r.name: f"{write_tree(r)} = {write_matrix_tree(tree)}" for tree, r in naming.formulas.items()}
    return naming.program, named, made, Names.beside(program, naming.program, meanings)


@dataclass(slots=True)
class _Naming:
    """Gives names to the derivatives in trees of matrix expressions; `known` are those of the adjoints of the loss."""

    program: Program
    known: Mapping[str, str]
    formulas: dict[t.Expression, t.Name | t.Access] = field(default_factory=dict)

    def change(self, node: t.Expression) -> t.Expression:
        """The tree with the names of derivatives in their places."""
        match node:
            case Operation("adj", ((t.Name(name) | t.Access(name)) as read,)):
                return replace(read, name=self.known[name], line=node.line, column=node.column)
            case Operation("adj", (of, (t.Name(by) | t.Access(by)) as read)):
                above = self.name_of(of)
                adjoints = derive(self.program, above.name, (by,))
                self.program = self.program.extended(unique_definitions(adjoints.definitions))
                made = t.Name(adjoints.adjoint_name(by), line=node.line, column=node.column)
                if isinstance(above, t.Name) and isinstance(read, t.Name):
                    return made
                indices = (*self._indices(above), *self._indices(read))
                return t.Access(made.name, indices, line=node.line, column=node.column)
            case Operation(_, operands) | Run(operands, _):
                return replace(node, operands=tuple(map(self.change, operands)))
        return node

    def _indices(self, read: t.Name | t.Access) -> tuple[t.Expression, ...]:
        rest = tuple(t.Name(REST) for _ in self.program.tensor(read.name).axes)
        return tuple(i for i in read.indices if isinstance(i, t.Expression)) if isinstance(read, t.Access) else rest

    def name_of(self, formula: t.Expression) -> t.Name | t.Access:
        """The tensor that a formula is the definition of, at the letters that the formula reads."""
        tree = self.change(formula)
        if isinstance(tree, t.Name | t.Access):
            return tree
        if tree not in self.formulas:
            axes, _ = axes_of(self.program, tree)
            free = tuple(map(t.Name, free_letters(self.program, (tree,))))
            sizes, taken = frozenset(self.program.size_names), frozenset(letters_in(tree))
            before, letters, body, _ = read_matrix_claim(tree, readable_tensors(self.program, tree), sizes, axes, taken)
            used = {*self.program.tensors(), *self.program.size_names, *taken, *(letter.name for letter in letters)}
            name = choose_name("f", used)
            head = entry_at(t.Name(name), (*free, *letters))
            statements = (*before, t.Define(head, body, line=tree.line, column=tree.column))
            self.program = self.program.extended(define_beside(self.program, statements))
            rest = tuple(t.Name(REST) for _ in letters)
            self.formulas[tree] = t.Access(name, (*free, *rest)) if free else t.Name(name)
        return self.formulas[tree]


def axes_of(program: Program, tree: t.Expression) -> tuple[Axes, bool]:
    """The axes of an expression, and whether it is a row, whose equations are judged turned."""
    shape = ShapeReader(readable_tensors(program, tree), frozenset(program.size_names)).read(tree).shape
    return tuple(size for size in shape if size is not None), shape[0] is None and shape[1] is not None


def readable_tensors(program: Program, claim: str | t.Expression) -> dict[str, Axes]:
    """The tensors that a matrix expression may read, with their axes: of a recurrence the vectors alone."""
    shown = {t.name: t for t in program.tensors().values() if t.role is not Role.HIDDEN and t.range is None}
    sliced = {read.name for read in _reads_in(claim)}
    return {name: tensor.axes for name, tensor in shown.items() if not tensor.bases or name in sliced}


def _summed_in(side: ClaimSide) -> Iterator[str]:
    """The letters of the sums in a tree."""
    for node, _ in walk_matrix(side) if isinstance(side, t.Expression) else ():
        match node:
            case Operation("over", (t.Name(letter), _)):
                yield letter
            case t.Reduce(_, binders):
                yield from (binder.name for binder in binders)


def entry_at(read: t.Name | t.Access, letters: Sequence[t.Name]) -> t.Name | t.Access:
    """An entry of a whole tensor, or of what is left of one."""
    if isinstance(read, t.Access):
        return fill_rest(read, letters)
    return t.Access(read.name, tuple(letters)) if letters else read


def free_letters(program: Program, sides: Sequence[ClaimSide]) -> dict[str, Affine]:
    """How far the letters run at which the sides of a claim read tensors, and which no sum binds and no size is."""
    found: dict[str, Affine] = {}
    for side in sides:
        bound = {*_summed_in(side), *program.size_names}
        for read in _reads_in(side):
            for index, axis in zip(read.indices, program.tensor(read.name).axes, strict=True):
                if not isinstance(index, t.Name) or index.name in {REST, *bound}:
                    continue
                if found.setdefault(index.name, axis) != axis:
                    raise fail(read, f"the index {index.name}, which runs over {found[index.name]} and over {axis}",
                               "an index of one range")  # fmt: skip
    return found


def _reads_in(side: ClaimSide) -> list[t.Access]:
    if isinstance(side, t.Derivative):
        return [part for part in (side.read, side.wrt) if isinstance(part, t.Access)]
    nodes = walk_matrix(side) if isinstance(side, t.Expression) else ()
    return [node for node, _ in nodes if isinstance(node, t.Access)]


def letters_in(side: ClaimSide) -> Iterator[str]:
    """The letters of a side, which nothing else may be called."""
    yield from _summed_in(side)
    for read in _reads_in(side):
        yield from (part.name for index in read.indices for part, _ in t.walk(index) if isinstance(part, t.Name))


def define_beside(program: Program, statements: tuple[t.Define, ...]) -> tuple[Definition, ...]:
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
