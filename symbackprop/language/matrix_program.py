"""Matrix expressions to programs, and to claims about the derivatives of a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from symbackprop.calculus.indices import Affine
from symbackprop.calculus.programs import Program
from symbackprop.errors import ArgumentError, FormulaError, ShapeError, UnknownNameError
from symbackprop.language import tree as t
from symbackprop.language.assembly import assemble
from symbackprop.language.index_forms import read_size
from symbackprop.language.limits import Limits
from symbackprop.language.matrix_elaboration import MatrixWriter
from symbackprop.language.matrix_grammar import NAME, Line, Operation, read_matrix_lines
from symbackprop.language.matrix_shapes import integer_of, write_shape
from symbackprop.language.matrix_text import write_matrix_tree
from symbackprop.language.reader import read_expression
from symbackprop.language.tree import RESERVED
from symbackprop.language.wording import fail

Axes = Mapping[str, Sequence[str | int]]


def read_matrix_program(text: str, shapes: Axes, param: Sequence[str] = (), limits: Limits | None = None) -> Program:
    """The program that matrix expressions over tensors of these shapes say; those in `param` are parameters.

    A last line without a name is the loss if it is a scalar, and a definition called `value` otherwise.

    >>> program = read_matrix_program("tr(A*X)", {"A": ("N", "D"), "X": ("D", "N")}, ("X",))
    >>> [d.tensor.name for d in program.definitions]
    ['loss']
    """
    declarations = _declare(shapes, param)
    tensors = {d.name: tuple(map(read_size, d.axes)) for d in declarations}
    sizes = frozenset(name for axes in tensors.values() for axis in axes for name in axis.names)
    lines = read_matrix_lines(text, limits)
    for name in sizes & set(tensors):
        raise ArgumentError(f"{name} is both a tensor and a size; call one of them otherwise.")
    writer = MatrixWriter(tensors, sizes, _names(lines))
    for line in lines:
        _write_line(line, writer)
    if lines[-1].equal is not None:
        raise fail(lines[-1], "an assumption at the end", "an expression as the last line")
    return assemble((*declarations, *writer.statements), limits)


def read_matrix_claim(
    claim: str | t.Expression,
    tensors: Mapping[str, tuple[Affine, ...]],
    sizes: frozenset[str],
    wanted: tuple[Affine, ...],
    taken: frozenset[str] = frozenset(),
    *,
    turned: bool = False,
) -> tuple[tuple[t.Define, ...], tuple[t.Name, ...], t.Expression, dict[str, str]]:
    """An entry of a matrix with these axes: what it needs defined, its letters, the formula, and what names mean
    that are made for parts of it. 0 fits every shape.

    The claim is text, or the tree of a matrix expression; one that is `turned` has a transpose with these axes. No
    letter is one of those that are `taken`.

    >>> axes = (Affine.of("N"), Affine.of("D"))
    >>> read_matrix_claim("2*A", {"A": axes}, frozenset(("N", "D")), axes)[1]
    (Name(name='i'), Name(name='j'))
    """
    *before, line = read_matrix_lines(claim) if isinstance(claim, str) else (Line(None, claim, line=claim.line),)
    for one in (*before, line):
        if one.equal is not None:
            raise fail(one, "an assumption in a claim", "an expression", "assume it in the program")
    writer = MatrixWriter(dict(tensors), sizes, _names(before) | taken)
    for earlier in before:
        _write_line(earlier, writer)
    place = {"line": line.body.line, "column": line.body.column}
    term = writer.read(Operation("'", (line.body,), False, **place) if turned else line.body)
    rows, columns = (*wanted, None, None)[:2]
    if term.shape != (rows, columns) and not (term.is_scalar and integer_of(term) == 0):
        hint = "a vector is a column, and the first axis of a matrix counts its rows"
        hint = f"transpose it: {hint}" if term.shape == (columns, rows) else hint
        shapes = term.shape, (rows, columns)
        found, expected = (write_shape((shape[1], shape[0]) if turned else shape) for shape in shapes)
        raise fail(line.body, found, f"{expected}, the shape of the left side", hint, ShapeError)
    letters, body = writer.entry(term, (rows, columns))
    made = tuple(statement for statement in writer.statements if isinstance(statement, t.Define))
    return made, letters, body, {name: write_matrix_tree(part.node) for part, name in writer.named.items()}


def _names(lines: Sequence[Line]) -> frozenset[str]:
    return frozenset(line.name.name for line in lines if line.name is not None)


def _write_line(line: Line, writer: MatrixWriter) -> None:
    """Define or assume what a line says; the last one may have no name."""
    term = writer.read(line.body)
    if line.equal is not None:
        other = writer.read(line.equal)
        if term.shape != other.shape and not (term.is_scalar or other.is_scalar):
            found = f"`=` of {write_shape(term.shape)} and {write_shape(other.shape)}"
            raise fail(line, found, "sides of one shape", kind=ShapeError)
        writer.assume(term, other, line)
        return
    name = line.name.name if line.name is not None else "loss" if term.is_scalar else "value"
    if name in RESERVED:
        raise fail(line, f"the reserved word `{name}`", "another name")
    if name in writer.tensors or name in writer.sizes:
        what = "size" if name in writer.sizes else "tensor"
        hint = "" if line.name is not None else f"the value of a last line without a name is called {name}"
        raise fail(line, f"{name} a second time", f"a new name: {name} is a {what}", hint)
    writer.define(name, term, line)


def _declare(shapes: Axes, param: Sequence[str]) -> tuple[t.Declaration, ...]:
    """The declarations of the tensors, in the order of the shapes."""
    if isinstance(param, str):
        raise ArgumentError(f"param is a sequence of names; write ({param!r},).")
    for name in param:
        if name not in shapes:
            known = tuple(shapes)
            raise UnknownNameError(
                f"The parameter {name!r} has no shape; shapes are given for {', '.join(known)}.", name=name, known=known
            )
    made = []
    for name, axes in shapes.items():
        if not NAME.fullmatch(name) or name in RESERVED:
            raise ArgumentError(
                f"{name!r} is not a name of the formula language: a letter, then letters, digits and _."
            )
        if isinstance(axes, str | int):
            raise ArgumentError(f"The shape of {name} is a sequence of sizes; write ({axes!r},).")
        if len(axes) > 2:
            raise ArgumentError(f"{name} has {len(axes)} axes; matrix expressions have scalars, vectors and matrices.")
        sizes = tuple(_read_axis(name, axis) for axis in axes)
        made.append(t.Declaration("param" if name in param else "input", name, sizes))
    return tuple(made)


def _read_axis(name: str, axis: str | int) -> t.Expression:
    """The size of an axis; ArgumentError names the tensor where it is none."""
    try:
        tree = read_expression(axis) if isinstance(axis, str) else t.Number(Fraction(axis))
        read_size(tree)
    except (FormulaError, TypeError, ValueError) as error:
        raise ArgumentError(f"The size {axis!r} of {name} is none: {error}.") from error
    return tree
