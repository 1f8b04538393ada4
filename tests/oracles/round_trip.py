"""What is printed, read back: the LaTeX of every definition against the numbers of what it was printed from.

The reader gets one printed equation and the names of the program, and nothing else. Its head must be the tensor that
was printed, and its right side, as a definition of a program, must have the value of every entry of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.evaluation import Evaluation
from symbackprop.calculus.expansion import entries_of
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Tensor
from symbackprop.language import read_matrix_claim
from symbackprop.language import tree as t
from symbackprop.language.assembly import define
from symbackprop.language.elaboration import Elaborator
from symbackprop.language.hiding import hidden_parts
from symbackprop.language.matrix_grammar import Operation, Run
from symbackprop.language.phrasing import affine_tree
from symbackprop.language.symbols import program_symbols
from symbackprop.notation.reading import (
    MatrixClaim,
    Vocabulary,
    make_vocabulary,
    read_any_claim,
    read_block,
    read_formula,
    write_syntax,
)
from symbackprop.notation.reading.syntax import Scripts
from symbackprop.notation.writing import make_equations
from symbackprop.proof.sides import read_side

READ_BACK = "READBACK"
NEAR = 1e-9
MOST = 4
"""Entries of a tensor that are compared."""


@dataclass(frozen=True)
class Printed:
    """An equation in LaTeX and the tensor whose definition it is; `legends` are the masks that stand beside it."""

    tensor: str
    latex: str
    legends: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.tensor}: {self.latex}"


def print_equations(
    definitions: Sequence[Definition], program: Program, notation: str, layout: str = "batch"
) -> Iterator[Printed]:
    """The equations of definitions; those that have no matrix form, and legends of masks, are left out."""
    equations = make_equations(definitions, program, notation, layout)
    legends = tuple(f"{e.left} = {e.right}{'' if 'one-hot' in e.note else e.note}" for e in equations if not e.tensor)
    for equation in equations:
        if equation.tensor and not (notation == "matrix" and equation.note):
            yield Printed(equation.tensor, f"{equation.left} = {equation.right}", legends)


@dataclass(frozen=True)
class RoundTrip:
    """Reads printed equations over a program with the numbers of an evaluation, and compares what they say."""

    program: Program
    evaluation: Evaluation

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The names of the program."""
        return make_vocabulary(self.program)

    def find_difference(self, printed: Printed) -> str:
        """How what is read differs from what was printed, in words; empty where it does not.

        Raises what the reader raises where it does not understand.
        """
        program, vocabulary = self.program, self.vocabulary
        for legend in printed.legends:
            symbol = re.escape(legend.partition("_")[0])
            if re.search(rf"(?<![A-Za-z\\{{]){symbol}(?![A-Za-z_])", printed.latex):
                program = _with_mask(program, legend)
                vocabulary = make_vocabulary(program)
        head, body, before = _read(printed, program, vocabulary)
        if head.name != printed.tensor:
            return f"it was read as {head.name}, not {printed.tensor}"
        letters = tuple(i for i in _indices(head) if isinstance(i, t.Name))
        extended = _extend(program, letters, body, before, program.tensor(printed.tensor), head)
        return self._compare(printed.tensor, head, letters, extended)

    def _compare(self, name: str, head: t.Name | t.Access, letters: Sequence[t.Name], extended: Program) -> str:
        """How some entries of the last definition of a program differ from those of a tensor."""
        evaluation = self.evaluation
        entries = list(entries_of(extended.definitions[-1].tensor, evaluation.sizes))
        step = max(1, -(-len(entries) // MOST))
        places: dict[tuple[int, ...], tuple[int, ...]] = {}
        for entry in entries[len(entries) // 2 % step :: step]:
            values = dict(zip((letter.name for letter in letters), entry, strict=True))
            places[entry] = tuple(_place(index, values, evaluation.sizes) for index in _indices(head))
        originals = {entry: evaluation.entry(name, place) for entry, place in places.items()}
        again = replace(evaluation, program=extended, _made=dict(evaluation._made), _definitions={}, _tables={})
        for entry, place in places.items():
            found, original = again.entry(READ_BACK, entry), originals[entry]
            both = math.isnan(found) and math.isnan(original)
            if not both and not math.isclose(found, original, rel_tol=NEAR, abs_tol=NEAR):
                return f"entry {list(place)} is {original} in the program and {found} in what was read"
        return ""


def _read(
    printed: Printed, program: Program, vocabulary: Vocabulary
) -> tuple[t.Name | t.Access, t.Expression, tuple[t.Define, ...]]:
    """The head of an equation as a read of the program, its last side, and what that needs defined before."""
    (statement,) = read_block(printed.latex)
    adjoints = {x.denominator: name for name, x in program.tensors().items() if x.denominator is not None}
    claim = read_any_claim(statement, vocabulary)
    if isinstance(claim, MatrixClaim):
        return _entry_of(claim, program, adjoints)
    head = claim.head if not isinstance(claim.head, t.Derivative) else _adjoint(claim.head, adjoints)
    assert isinstance(head, t.Name | t.Access), f"the head was read as {head}"
    return head, _with_adjoints(claim.links[-1], adjoints), ()


def _entry_of(
    matrix: MatrixClaim, program: Program, adjoints: Mapping[str, str]
) -> tuple[t.Name | t.Access, t.Expression, tuple[t.Define, ...]]:
    head = matrix.head if not isinstance(matrix.head, t.Derivative) else _adjoint(matrix.head, adjoints)
    assert isinstance(head, t.Name), f"the head was read as {head}"
    axes = program.tensor(head.name).axes
    known = {name: x.axes for name, x in program.tensors().items() if not x.bases and x.range is None}
    tree = _renamed(matrix.links[-1], adjoints)
    before, letters, body, _ = read_matrix_claim(tree, known, frozenset(program.size_names), axes)
    return (t.Access(head.name, letters) if letters else head), body, before


def _adjoint(head: t.Derivative, adjoints: Mapping[str, str]) -> t.Name | t.Access:
    name = adjoints[head.wrt.name]
    indices = (*_indices(head.of), *_indices(head.wrt))
    return t.Access(name, indices) if indices else t.Name(name)


def _indices(read: t.Name | t.Access) -> tuple[t.Expression, ...]:
    return read.indices if isinstance(read, t.Access) else ()


def _with_adjoints(tree: t.Expression, adjoints: Mapping[str, str]) -> t.Expression:
    """The tree with the adjoints that the program defines in place of adj(...)."""

    def turned(node: t.Node) -> t.Node:
        if isinstance(node, t.Apply) and node.function == "adj":
            wrt = node.arguments[-1]
            of = node.arguments[0] if len(node.arguments) == 2 else t.Name("")
            assert isinstance(wrt, t.Name | t.Access)
            assert isinstance(of, t.Name | t.Access)
            return _adjoint(t.Derivative(of, wrt), adjoints)
        return t.map_children(node, turned)

    made = turned(tree)
    assert isinstance(made, t.Expression)
    return made


def _renamed(tree: t.Expression, adjoints: Mapping[str, str]) -> t.Expression:
    match tree:
        case Operation("adj", (t.Name(name),)):
            return t.Name(adjoints[name])
        case Operation(_, operands) | Run(operands, _):
            return replace(tree, operands=tuple(_renamed(operand, adjoints) for operand in operands))
    return tree


def _extend(
    program: Program,
    letters: Sequence[t.Name],
    body: t.Expression,
    before: Sequence[t.Define],
    tensor: Tensor,
    head: t.Name | t.Access,
) -> Program:
    """The program with the right side as a last definition, whose letters run as far as the axes of the tensor."""
    program = _defining(program, before)
    sizes = dict(zip(_indices(head), tensor.axes, strict=True))
    scope = {x.name: Index(x.name, sizes[x]) for x in letters}
    side = read_side(program, body, scope, READ_BACK)
    return program.extended((*side.needed, side.definition))


def _with_mask(program: Program, legend: str) -> Program:
    """The program with the matrix that a legend such as `T_{nk} = [k = y_n]` gives a name."""
    (statement,) = read_block(legend)
    head, right = statement.sides
    assert isinstance(head, Scripts), legend
    letters = dict.fromkeys(letter for letter in write_syntax(head.below) if letter.isalpha())
    vocabulary = make_vocabulary(program)
    body = read_formula(right, vocabulary, dict.fromkeys(letters))
    sizes = {extent.name: read_formula(extent.last, vocabulary) for extent in statement.extents if extent.last}
    binders = []
    for letter in letters:
        size = _range_in_mask(letter, body, program)
        sizes |= {} if size is None else {letter: affine_tree(size)}
        binders.append(t.Binder(letter, sizes[letter]) if letter in sizes else t.Name(letter))
    name = write_syntax(head.base).removeprefix("\\")
    return _defining(program, (t.Define(t.Access(name, tuple(binders)), body),))


def _range_in_mask(letter: str, body: t.Expression, program: Program) -> Affine | None:
    """The range of the integer tensor that a letter is compared with."""
    for node, _ in t.walk(body):
        if isinstance(node, t.Compare) and t.Name(letter) in (node.left, node.right):
            other = node.right if node.left == t.Name(letter) else node.left
            if isinstance(other, t.Access):
                return program.tensor(other.name).range
    return None


def _defining(program: Program, statements: Sequence[t.Define]) -> Program:
    """The program with more definitions."""
    elaborator = Elaborator(program_symbols(program), known=hidden_parts(program))
    made: list[Definition] = []
    listed = 0
    for statement in statements:
        definition = define(statement, elaborator)
        made += [*elaborator.hidden[listed:], definition]
        listed = len(elaborator.hidden)
        elaborator.symbols.tensors[definition.tensor.name] = definition.tensor
        elaborator.symbols.lines[definition.tensor.name] = 0
    return program.extended(tuple(made))


def _place(index: t.Expression, values: Mapping[str, int], sizes: Mapping[str, int]) -> int:
    """The number that an index in the head is."""
    known = {**sizes, **values}
    match index:
        case t.Name(name):
            return known[name]
        case t.Number(value):
            return int(value)
        case t.Chain(operands, operators):
            total = _place(operands[0], values, sizes)
            for operator, operand in zip(operators, operands[1:], strict=True):
                number = _place(operand, values, sizes)
                total = {"+": total + number, "-": total - number, "*": total * number}[operator]
            return total
    raise TypeError(f"{index} in the head of an equation")


def evaluate(program: Program, sizes: Mapping[str, int], seed: int = 0, positive: bool = False) -> Evaluation:
    """The numbers of a program on random data."""
    generator = np.random.default_rng(seed)
    data = {
        (leaf.name, entry): int(generator.integers(1, leaf.range.evaluate(dict(sizes)) + 1))
        for leaf in program.leaves
        if leaf.range is not None
        for entry in entries_of(leaf, sizes)
    }
    numbers: dict[tuple[str, tuple[int, ...]], float] = {}

    def given(name: str, entry: tuple[int, ...]) -> float:
        if (name, entry) in data:
            return data[name, entry]
        low = 0.1 if positive else -0.9
        return numbers.setdefault((name, entry), float(generator.uniform(low, 0.9)))

    return Evaluation(program, sizes, given, data)
