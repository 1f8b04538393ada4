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
from symbackprop.language.matrix_elaboration import fill_rest
from symbackprop.language.matrix_grammar import Operation, Run, walk_matrix
from symbackprop.language.matrix_shapes import REST, ShapeReader, axes_left
from symbackprop.language.matrix_text import write_matrix_tree
from symbackprop.language.symbols import program_symbols
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree
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
    given = program
    program, known = _with_adjoints(program, trees)
    program, head, links, meanings = _name_derived(program, head, links, known)
    program, head = with_first_derivative(program, head)
    if isinstance(head, t.Derivative):
        axes, turned = _derivative_axes(program, head), False
    else:
        axes, turned = _axes_of(program, head)
    free = _free_letters(program, (head, *links))
    taken = frozenset(letter for side in (head, *links) for letter in _letters_in(side))
    for before, link in list(pairwise((head, *links)))[start:]:
        assert not isinstance(link, t.Derivative)
        parts: dict[str, str] = {}
        extended, letters, right = _side(program, link, axes, turned, "right", parts, free, taken)
        if isinstance(before, t.Derivative):
            count = len(axes_left(before.read, program.tensor(before.read.name).axes))
            at = t.Derivative(_read_at(before.read, letters[:count]), _read_at(before.wrt, letters[count:]))
            left = _derivative(given, extended, at, _scope(letters, axes, free))
        else:
            extended, _, left = _side(extended, before, axes, turned, "left", parts, free, taken)
        verdict = judge_equation(extended, left, right)
        yield replace(
            verdict,
            hypotheses=tuple(dict.fromkeys(_in_full(each, parts) for each in verdict.hypotheses)),
            diagnosis=explain_names(verdict.diagnosis, meanings),
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


def _summed_in(side: str | t.Expression | t.Derivative) -> Iterator[str]:
    """The letters of the sums in a tree."""
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
    axes = tuple(axis for x in (head.read, head.wrt) for axis in axes_left(x, program.tensor(x.name).axes))
    if len(axes) > 2:
        raise ArgumentError(
            f"The derivative of {head.read.name} by {head.wrt.name} has {len(axes)} axes, and a matrix has two; claim "
            "an entry."
        )
    return axes


def _axes_of(program: Program, tree: t.Expression) -> tuple[Axes, bool]:
    """The axes of an expression, and whether it is a row, whose equations are judged turned."""
    shape = ShapeReader(_plain(program, tree), frozenset(program.size_names)).read(tree).shape
    return tuple(size for size in shape if size is not None), shape[0] is None and shape[1] is not None


def _plain(program: Program, claim: str | t.Expression) -> dict[str, Axes]:
    """The tensors that a matrix expression may read, with their axes: of a recurrence the vectors alone."""
    shown = {t.name: t for t in program.tensors().values() if t.role is not Role.HIDDEN and t.range is None}
    sliced = {read.name for read in _reads_in(claim)}
    return {name: tensor.axes for name, tensor in shown.items() if not tensor.bases or name in sliced}


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
    if turned and isinstance(claim, t.Expression):
        claim = Operation("'", (claim,), False, line=claim.line, column=claim.column)
    sizes = frozenset(program.size_names)
    before, letters, body, named = read_matrix_claim(claim, _plain(program, claim), sizes, axes, taken)
    parts |= named
    extended = program.extended(_define(program, before))
    return extended, letters, read_side(extended, body, _scope(letters, axes, free), name)


def _scope(letters: Sequence[t.Name], axes: Axes, free: Mapping[str, Affine]) -> dict[str, Index]:
    """The indices for which an equation is stated: those of its axes, and those that its sides read."""
    named = {letter.name: size for letter, size in zip(letters, axes, strict=True)}
    return {name: Index(name, size) for name, size in {**named, **free}.items()}


def _read_at(read: t.Name | t.Access, letters: Sequence[t.Name]) -> t.Name | t.Access:
    """An entry of a whole tensor, or of what is left of one."""
    if isinstance(read, t.Access):
        return fill_rest(read, letters)
    return t.Access(read.name, tuple(letters)) if letters else read


def _free_letters(program: Program, sides: Sequence[str | t.Expression | t.Derivative]) -> dict[str, Affine]:
    """How far the letters run at which the sides of a claim read tensors, and which no sum binds."""
    found: dict[str, Affine] = {}
    for side in sides:
        bound = set(_summed_in(side))
        for read in _reads_in(side):
            for index, axis in zip(read.indices, program.tensor(read.name).axes, strict=True):
                if not isinstance(index, t.Name) or index.name in {REST, *bound}:
                    continue
                if found.setdefault(index.name, axis) != axis:
                    raise fail(read, f"the index {index.name}, which runs over {found[index.name]} and over {axis}",
                               "an index of one range")  # fmt: skip
    return found


def _reads_in(side: str | t.Expression | t.Derivative) -> list[t.Access]:
    if isinstance(side, t.Derivative):
        return [part for part in (side.read, side.wrt) if isinstance(part, t.Access)]
    nodes = walk_matrix(side) if isinstance(side, t.Expression) else ()
    return [node for node, _ in nodes if isinstance(node, t.Access)]


def _letters_in(side: str | t.Expression | t.Derivative) -> Iterator[str]:
    """The letters of a side, which nothing else may be called."""
    yield from _summed_in(side)
    for read in _reads_in(side):
        yield from (part.name for index in read.indices for part, _ in t.walk(index) if isinstance(part, t.Name))


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
        case Operation("adj", (of, (t.Name() | t.Access()) as by)):
            named = t.Derivative(naming.name_of(of), by, line=head.line, column=head.column)
        case t.Expression():
            named = naming.change(head)
        case _:
            named = head
    made = [link if isinstance(link, str) else naming.change(link) for link in links]
    meanings = {r.name: f"{write_tree(r)} = {write_matrix_tree(tree)}" for tree, r in naming.formulas.items()}
    return naming.program, named, made, meanings


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
            axes, _ = _axes_of(self.program, tree)
            free = tuple(map(t.Name, _free_letters(self.program, (tree,))))
            sizes, taken = frozenset(self.program.size_names), frozenset(_letters_in(tree))
            before, letters, body, _ = read_matrix_claim(tree, _plain(self.program, tree), sizes, axes, taken)
            used = {*self.program.tensors(), *self.program.size_names, *taken, *(letter.name for letter in letters)}
            name = choose_name("f", used)
            head = _read_at(t.Name(name), (*free, *letters))
            statements = (*before, t.Define(head, body, line=tree.line, column=tree.column))
            self.program = self.program.extended(_define(self.program, statements))
            rest = tuple(t.Name(REST) for _ in letters)
            self.formulas[tree] = t.Access(name, (*free, *rest)) if free else t.Name(name)
        return self.formulas[tree]
