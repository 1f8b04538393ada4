r"""Equations between written-out matrices, as a claim for each entry.

The head may be a matrix, the derivative by a whole tensor whose sizes are numbers, a matrix of derivatives, or the
gradient `\nabla f` of a scalar by scalars, which is a column in the order of their declarations; `\nabla^2` of the loss
is the matrix of second derivatives in that order, and `\frac{\partial(f, g)}{\partial(x, y)}` that of first ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ShapeError
from symbackprop.language import tree as t
from symbackprop.language.wording import fail
from symbackprop.notation.reading.blocks import LatexStatement
from symbackprop.notation.reading.deltas import ranges_of
from symbackprop.notation.reading.differentials import without_arguments
from symbackprop.notation.reading.entries import find_whole
from symbackprop.notation.reading.factors import factors_of
from symbackprop.notation.reading.grids import ZERO, Grid
from symbackprop.notation.reading.index_formulas import IndexReader, read_head
from symbackprop.notation.reading.syntax import Beside, Group, Matrix, Scripts, Symbol, Syntax, bare, write_syntax
from symbackprop.notation.reading.syntax import Fraction as Quotient
from symbackprop.notation.reading.vocabulary import LOSSES, Vocabulary
from symbackprop.notation.reading.written_matrices import has_matrix, read_written

Head = t.Expression | t.Derivative


@dataclass(frozen=True, slots=True)
class EntryClaim:
    """The claim of one entry of an equation, and its place in LaTeX, empty where it has one entry alone."""

    claim: t.Claim
    shown: str = ""


def is_written(statement: LatexStatement) -> bool:
    r"""Whether an equation is one of written-out matrices, about \nabla f or \nabla^2 f of a scalar, or a Jacobian."""
    first = statement.sides[0]
    named = _gradient_name(first) or _gradient_name(first, 2) or _jacobian_names(first)
    return any(map(has_matrix, statement.sides)) or named is not None


def read_entry_claims(statement: LatexStatement, vocabulary: Vocabulary) -> tuple[EntryClaim, ...] | None:
    """A claim for each entry of an equation of matrices; None where all of its sides are numbers.

    ShapeError says which sides have different shapes.
    """
    first, *others = statement.sides
    head = _read_head(first, vocabulary)
    letters = {k: v for tree in _trees(head) for k, v in ranges_of(tree, vocabulary).items()}
    links = [read_written(side, vocabulary, letters) for side in others]
    if not isinstance(head, HeadGrid) and not any(isinstance(link, Grid) for link in links):
        return None
    if statement.kind != "equation":
        raise fail(statement, f"the {statement.kind} of matrices", "an equation to claim")
    if not isinstance(head, HeadGrid):
        raise fail(first, f"the number `{write_syntax(first)}` beside a matrix", "a matrix on every side")
    made = [_fitted(link, head, side) for link, side in zip(links, others, strict=True)]
    place = {"line": statement.line, "column": statement.column}
    return tuple(
        EntryClaim(t.Claim(head.rows[i][j], tuple(link.rows[i][j] for link in made), None, False, **place),
                   rf" \quad (\text{{entry }} {_shown((i + 1, j + 1), head)})")
        for i in range(len(head.rows)) for j in range(len(head.rows[0]))
    )  # fmt: skip


def read_entries_of(
    head: t.Derivative, side: Syntax, vocabulary: Vocabulary
) -> tuple[tuple[str, t.Derivative, t.Expression], ...]:
    """What a side claims of each entry of a derivative by whole tensors: the place, the derivative there, the claim."""
    heads = head_of_derivative(head, vocabulary, side)
    if heads is None:
        raise TypeError("the derivative of a scalar by a scalar has no entries")
    made = _fitted(read_written(side, vocabulary), heads, side)
    return tuple(
        (_shown(place, heads), at, made.at(place))
        for place in made.entries()
        if isinstance(at := heads.rows[place[0] - 1][place[1] - 1], t.Derivative)
    )


@dataclass(frozen=True, slots=True)
class HeadGrid:
    """What is claimed of, entry by entry."""

    rows: tuple[tuple[Head, ...], ...]
    shape: tuple[int, int]


def head_of_derivative(head: t.Derivative, vocabulary: Vocabulary, node: t.Node) -> HeadGrid | None:
    """The derivatives of and by the entries of whole tensors; None where both are scalars or entries.

    FormulaError where a size is no number, or there are more than two axes.
    """
    counts: list[int] = []
    for part in (head.read, head.wrt):
        tensor = vocabulary.tensors.get(part.name) if isinstance(part, t.Name) else None
        for axis in tensor.axes if tensor is not None else ():
            if axis.integer is None or (tensor is not None and tensor.bases):
                sizes = ", ".join(map(str, tensor.axes)) if tensor is not None else ""
                raise fail(node, f"the derivative of or by {part.name}[{sizes}] beside a written-out matrix",
                           "sizes in numbers", "claim an entry, or write names of matrices alone")  # fmt: skip
            counts.append(axis.integer)
    if not counts:
        return None
    if len(counts) > 2:
        raise fail(node, f"a derivative with {len(counts)} axes", "at most two", "claim an entry")
    rows, columns = (*counts, 1)[:2]
    made = tuple(tuple(_entry(head, (i, j), vocabulary) for j in range(1, columns + 1)) for i in range(1, rows + 1))
    return HeadGrid(made, (rows, columns))


def _entry(head: t.Derivative, place: tuple[int, int], vocabulary: Vocabulary) -> t.Derivative:
    """The derivative at one place: the axes of what is derived go first."""
    numbers = [t.Number(Fraction(k), str(k)) for k in place]
    made: list[t.Name | t.Access] = []
    for part in (head.read, head.wrt):
        tensor = vocabulary.tensors.get(part.name) if isinstance(part, t.Name) else None
        count = len(tensor.axes) if tensor is not None else 0
        at, numbers = tuple(numbers[:count]), numbers[count:]
        made.append(t.Access(part.name, at, line=part.line, column=part.column) if at else part)
    of = replace(head.of, arguments=(made[0],)) if isinstance(head.of, t.Apply) else made[0]
    return t.Derivative(of, made[1], line=head.line, column=head.column)


def _read_head(side: Syntax, vocabulary: Vocabulary) -> Head | HeadGrid:
    for order in (1, 2):
        name = _gradient_name(side, order)
        if name is not None:
            return _gradient(name, vocabulary, side, order)
    names = _jacobian_names(side)
    if names is not None:
        return _jacobian(*names, vocabulary, side)
    derived = read_head(side, vocabulary)
    if derived is not None:
        return head_of_derivative(derived, vocabulary, side) or derived
    node = bare(side)
    if isinstance(node, Matrix) and node.opened in ("(", "[", ""):
        cells = tuple(tuple(read_head(cell, vocabulary) for cell in row.cells) for row in node.rows)
        rows = tuple(tuple(cell for cell in row if cell is not None) for row in cells)
        if all(cell is not None for row in cells for cell in row):
            return HeadGrid(rows, (len(rows), len(rows[0])))
    read = read_written(side, vocabulary)
    return HeadGrid(read.rows, read.shape) if isinstance(read, Grid) else read


def _gradient_name(side: Syntax, order: int = 1) -> Syntax | None:
    r"""What \nabla without a subscript, or \nabla^2, stands before, where that is all of a side."""
    row = factors_of(bare(side))
    first = bare(row[0].node)
    if order > 1:
        if not isinstance(first, Scripts) or first.below is not None or first.primes or first.above is None:
            return None
        first = bare(first.base) if write_syntax(bare(first.above)) == str(order) else first
    lone = isinstance(first, Symbol) and first.name == r"\nabla" and not first.accents
    derived = [bare(factor.node) for factor in row[1:]]
    called = len(row) == 3 and isinstance(derived[1], Group) and derived[1].opened == "("
    if not lone or len(row) < 2 or (len(row) > 2 and not called) or any(factor.sign for factor in row):
        return None
    return derived[0] if len(row) == 2 else Beside(tuple(derived), line=side.line, column=side.column)


def _jacobian_names(side: Syntax) -> tuple[tuple[Syntax, ...], tuple[Syntax, ...]] | None:
    r"""What is derived, and by what, in \frac{\partial(f, g)}{\partial(x, y)}."""
    whole = bare(side)
    if not isinstance(whole, Quotient):
        return None
    rows = [factors_of(bare(part)) for part in (whole.top, whole.bottom)]
    lists = [bare(row[1].node) for row in rows if len(row) == 2 and write_syntax(bare(row[0].node)) == r"\partial"]
    groups = [part for part in lists if isinstance(part, Group) and part.opened == "(" and len(part.parts) > 1]
    return (groups[0].parts, groups[1].parts) if len(groups) == 2 else None


def _jacobian(of: tuple[Syntax, ...], by: tuple[Syntax, ...], vocabulary: Vocabulary, node: Syntax) -> HeadGrid:
    """The derivatives of several scalars, a row each, by several others, a column each."""
    reader = IndexReader(vocabulary)
    rows = tuple(tuple(reader.head(above, below, node) for below in by) for above in of)
    made = tuple(tuple(head for head in row if head is not None) for row in rows)
    parts = [part for row in made for head in row for part in (head.read, head.wrt)]
    whole = [x.name for x in parts if isinstance(x, t.Name) and vocabulary.tensors[x.name].axes]
    if made != rows or whole:
        found = f"{whole[0]}, which has axes, in" if whole else "a formula in"
        raise fail(node, f"{found} `{write_syntax(node)}`", "scalars, and entries of tensors")
    return HeadGrid(made, (len(of), len(by)))


def _gradient(of: Syntax, vocabulary: Vocabulary, node: Syntax, order: int) -> HeadGrid:
    """The column of derivatives of a scalar by the parameters, or by the inputs where there is none, of a document's
    own function by its arguments; those of second order as a matrix."""
    row = without_arguments(factors_of(of), vocabulary)
    own = vocabulary.arguments.get(write_syntax(bare(row[0].node)), ())
    whole = find_whole(bare(row[0].node), vocabulary) if len(row) == 1 else None
    if whole is None and write_syntax(of) in LOSSES and vocabulary.loss is not None:
        whole = t.Name(vocabulary.loss, line=of.line, column=of.column)
    if whole is None or vocabulary.tensors[whole.name].axes:
        raise fail(node, f"the gradient `{write_syntax(node)}`", r"that of a scalar of the program",
                   r"write \nabla_{w} f for one variable")  # fmt: skip
    by = [vocabulary.tensors[name] for name in own] or _leaves(vocabulary)
    if not by or any(x.axes for x in by):
        names = ", ".join(x.name for x in by) or "nothing"
        raise fail(node, f"`{write_syntax(node)}` in a program that derives by {names}", "scalars to derive by",
                   r"write \nabla_{w} f for one variable")  # fmt: skip
    place = {"line": node.line, "column": node.column}
    if order == 1:
        return HeadGrid(tuple((t.Derivative(whole, t.Name(x.name), **place),) for x in by), (len(by), 1))
    if whole.name == vocabulary.loss:
        firsts = [t.Apply("adj", (t.Name(x.name, **place),), False, **place) for x in by]
        rows = tuple(tuple(t.Derivative(first, t.Name(x.name), **place) for x in by) for first in firsts)
        return HeadGrid(rows, (len(by), len(by)))
    slopes = [t.Apply("adj", (whole, t.Name(x.name, **place)), False, **place) for x in by]
    seconds = tuple(tuple(t.Apply("adj", (slope, t.Name(x.name)), False, **place) for x in by) for slope in slopes)
    return HeadGrid(seconds, (len(by), len(by)))


def _leaves(vocabulary: Vocabulary) -> list[Tensor]:
    """The parameters, or the inputs where there is none."""
    leaves = [x for role in (Role.PARAM, Role.INPUT) for x in vocabulary.tensors.values() if x.role is role]
    return [x for x in leaves if x.role is leaves[0].role]


def _fitted(link: t.Expression | Grid, head: HeadGrid, side: Syntax) -> Grid:
    """A side with the shape of the head; 0 fits every shape."""
    if not isinstance(link, Grid):
        if link == ZERO or head.shape == (1, 1):
            return Grid(tuple((link,) * head.shape[1] for _ in range(head.shape[0])))
        raise fail(side, f"the number `{write_syntax(side)}`", f"a matrix of {head.shape[0]} x {head.shape[1]}")
    if link.shape == head.shape:
        return link
    expected = f"{head.shape[0]} x {head.shape[1]}, the shape of the first side"
    if link.shape == head.shape[::-1] and 1 in link.shape:
        hint = "a vector is a column, whose entries stand below each other; turn the side with ^\\top"
        raise fail(side, link.shown, expected, hint)
    raise fail(side, link.shown, expected, kind=ShapeError)


def _trees(head: Head | HeadGrid) -> list[Head]:
    return [entry for row in head.rows for entry in row] if isinstance(head, HeadGrid) else [head]


def _shown(place: tuple[int, int], head: HeadGrid) -> str:
    return str(place[0]) if head.shape[1] == 1 else str(place[1]) if head.shape[0] == 1 else f"{place[0]}, {place[1]}"
