r"""Formulas with written-out matrices, `\begin{pmatrix} a & b \\ c & d \end{pmatrix}`, read entry by entry.

Products, transposes, determinants and so on are carried out while reading, so that what is left are formulas of
numbers. Whole tensors of a program stand among them where their sizes are numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

from symbackprop.errors import ShapeError
from symbackprop.language import tree as t
from symbackprop.language.recursion import deep_recursion
from symbackprop.language.wording import fail
from symbackprop.notation.reading import grids
from symbackprop.notation.reading.bracketed_entries import place_entries
from symbackprop.notation.reading.commands import TRANSPOSED
from symbackprop.notation.reading.conditions import choose_row
from symbackprop.notation.reading.deltas import Ranges, check_deltas
from symbackprop.notation.reading.differentials import read_loss
from symbackprop.notation.reading.doubts import doubtful_outer
from symbackprop.notation.reading.entries import find_powers, find_ranges, find_whole
from symbackprop.notation.reading.factors import Factor, plain_values
from symbackprop.notation.reading.grids import Grid
from symbackprop.notation.reading.index_formulas import WHOLE, IndexReader
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.sums import Bounds
from symbackprop.notation.reading.syntax import (
    Cases,
    Evaluated,
    Group,
    Marked,
    Matrix,
    Numeral,
    Scripts,
    Sum,
    Symbol,
    Syntax,
    bare,
    walk_syntax,
    write_syntax,
)  # fmt: skip
from symbackprop.notation.reading.terms import TermReader
from symbackprop.notation.reading.vocabulary import Vocabulary, script_text

LARGEST_POWER = 8


def has_matrix(syntax: Syntax) -> bool:
    """Whether a matrix is written out in a formula."""
    return any(isinstance(part, Matrix) for part in walk_syntax(syntax))


def read_written(syntax: Syntax, vocabulary: Vocabulary, letters: Ranges | None = None) -> t.Expression | Grid:
    r"""The meaning of a formula with written-out matrices: a number, or a matrix of formulas.

    ShapeError says which shapes do not fit.

    >>> from symbackprop.language import write_tree
    >>> from symbackprop.notation.reading.grammar import read_syntax
    >>> from symbackprop.notation.reading.vocabulary import make_vocabulary
    >>> write_tree(read_written(read_syntax(r"\begin{vmatrix} a & b \\ c & d \end{vmatrix}"), make_vocabulary()))
    'a*d - b*c'
    """
    return _read(WrittenReader, syntax, vocabulary, letters or {})


def _read(
    kind: type[IndexReader], syntax: Syntax, vocabulary: Vocabulary, letters: Ranges
) -> t.Expression | Grid:
    ranges = find_ranges(syntax, vocabulary)
    for letter, size in letters.items():
        ranges.setdefault(letter, set()).update(() if size is None else (size,))
    reader = kind(vocabulary, frozenset(letters), plain_values(syntax), ranges=ranges)
    with deep_recursion():
        found: t.Expression | Grid = reader.read(syntax)
    every = [found.at(place) for place in found.entries()] if isinstance(found, Grid) else [found]
    for tree in every:
        check_deltas(tree, reader.deltas, letters, vocabulary)
    return found


def read_formula(syntax: Syntax, vocabulary: Vocabulary, letters: Ranges | None = None) -> t.Expression:
    r"""The meaning of a formula in index notation; `letters` are indices that stand for something around it.

    >>> from symbackprop.language import write_tree
    >>> from symbackprop.notation.reading.grammar import read_syntax
    >>> from symbackprop.notation.reading.vocabulary import make_vocabulary
    >>> write_tree(read_formula(read_syntax(r"\frac{e^{-x}}{(1+e^{-x})^2}"), make_vocabulary()))
    'exp(-x)/(1 + exp(-x))^2'
    """
    loss = read_loss(syntax, vocabulary)
    if loss is not None:
        return loss
    placed = place_entries(syntax, vocabulary)
    found = _read(WrittenReader if has_matrix(syntax) else IndexReader, placed, vocabulary, letters or {})
    if isinstance(found, Grid):
        raise fail(syntax, found.shown, "a number", "claim that two matrices are equal, or take a determinant")
    return found


@dataclass(slots=True)
class WrittenReader(IndexReader):
    """Reads formulas whose parts are numbers or matrices of numbers."""

    def matrix(self, node: Matrix) -> Any:
        grid = self._read_rows([row.cells for row in node.rows], node)
        if node.opened == "|":
            return grids.determinant(grid)
        return self._norm(grid, node, "") if node.opened == "||" else grids.unwrap(grid)

    def _read_rows(self, rows: Sequence[Sequence[Syntax]], node: Syntax) -> Grid:
        made = tuple(tuple(self.read(cell) for cell in row) for row in rows)
        if any(isinstance(cell, Grid) for row in made for cell in row):
            raise fail(node, "a matrix as an entry of a matrix", "numbers as entries", "write its entries out")
        return Grid(made, line=node.line, column=node.column)

    def name(self, node: Syntax) -> Any:
        scripts = node if isinstance(node, Scripts) else Scripts(node, line=node.line, column=node.column)
        symbol = bare(scripts.base)
        found = [] if self.inside or self.vocabulary.open else find_powers(node, self.vocabulary)
        if len(found) == 1:
            value, above = found[0]
            whole = self._whole(value, node)
            if whole is not None:
                return whole if above is None else self.raised(whole, above, node)
        if isinstance(symbol, Symbol) and symbol.name == "I" and not self.vocabulary.find(symbol):
            size = script_text(scripts.below) if scripts.below is not None else ""
            if scripts.above is None and size.isdigit() and 1 <= int(size) <= grids.LARGEST_DETERMINANT:
                return grids.identity(int(size))
        return IndexReader.name(self, node)

    def _whole(self, value: t.Expression, node: Syntax) -> Grid | None:
        """A whole tensor, or an adjoint of one, entry by entry; None where it is a number."""
        adjoint = isinstance(value, t.Apply)
        inner = value.arguments[0] if isinstance(value, t.Apply) else value
        tensor = self.vocabulary.tensors.get(inner.name) if isinstance(inner, t.Name) else None
        if tensor is None or not tensor.axes:
            return None
        counts = [axis.integer for axis in tensor.axes]
        if len(counts) > 2 or any(count is None for count in counts) or tensor.bases:
            sizes = ", ".join(map(str, tensor.axes))
            raise fail(node, f"{tensor.name}[{sizes}] among written-out matrices", "sizes in numbers, and at most two",
                       "write its entries out, or claim an entry")  # fmt: skip
        numbers = [[t.Number(Fraction(k), str(k)) for k in range(1, (count or 0) + 1)] for count in counts]
        place = {"line": node.line, "column": node.column}

        def entry(*indices: t.Number) -> t.Expression:
            read = t.Access(tensor.name, indices, **place)
            return t.Apply("adj", (read,), line=node.line, column=node.column) if adjoint else read

        rows = ((entry(i, *rest) for rest in ([(j,) for j in numbers[1]] if len(numbers) == 2 else [()]))
                for i in numbers[0])  # fmt: skip
        return Grid(tuple(map(tuple, rows)), **place)

    def _function(self, base: Symbol, scripts: Scripts | None, row: tuple[Factor, ...]) -> str | None:
        if base.name in WHOLE and not base.accents and not self.vocabulary.find(base):
            return WHOLE[base.name]
        return TermReader._function(self, base, scripts, row)

    def argument(self, function: str, node: Syntax) -> Any:
        whole = find_whole(bare(node), self.vocabulary) if function == "det" else None
        sized = whole is not None and all(axis.integer for axis in self.vocabulary.tensors[whole.name].axes)
        return self.read(node) if whole is None or sized else IndexReader.argument(self, function, node)

    def apply(self, function: str, arguments: tuple[Any, ...], primed: bool, node: Syntax) -> Any:
        if not any(isinstance(argument, Grid) for argument in arguments):
            return IndexReader.apply(self, function, arguments, primed, node)
        (grid, *others) = arguments
        if isinstance(grid, Grid) and not others and not primed:
            match function:
                case "det":
                    return grids.determinant(grid)
                case "tr":
                    return grids.trace(grid)
        raise fail(node, f"the function {write_syntax(node)} of a matrix", "a number",
                   "it may be taken of each entry, or of the matrix; write out what is meant")  # fmt: skip

    def raised(self, base: t.Expression | Grid, above: Syntax, node: Syntax) -> Any:
        if not isinstance(base, Grid):
            return IndexReader.raised(self, base, above, node)
        exponent = bare(above)
        shown = write_syntax(exponent)
        if shown in TRANSPOSED:
            known = self.vocabulary.find(Symbol("T")) or "T" in self.vocabulary.sizes or "T" in self.values
            if shown == "T" and known and base.shape[0] == base.shape[1]:
                raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a transpose", "the power T"),
                                r"write ^\top")  # fmt: skip
            return grids.transpose(base)
        if isinstance(exponent, Marked) and exponent.sign in (r"\odot", r"\circ") and exponent.operand is not None:
            power = self.read(exponent.operand)
            return base.each(lambda entry: t.Power(entry, power))
        if isinstance(exponent, Sum) and shown == "-1":
            return grids.inverse(base)
        if isinstance(exponent, Numeral) and shown.isdigit() and 1 <= int(shown) <= LARGEST_POWER:
            made = base
            for _ in range(int(shown) - 1):
                made = grids.product(made, base)
            return made
        raise fail(node, f"`{write_syntax(above)}` above {base.shown}", r"\top, -1, or a small whole number")

    def add(self, signs: tuple[str, ...], parts: tuple[Any, ...], node: Syntax) -> Any:
        if not any(isinstance(part, Grid) for part in parts):
            return IndexReader.add(self, signs, parts, node)
        first: Any = parts[0]
        made = first if signs[0] != "-" else first.each(t.Negate) if isinstance(first, Grid) else t.Negate(first)
        for sign, part in zip(signs[1:], parts[1:], strict=True):
            if not (isinstance(made, Grid) and isinstance(part, Grid)):
                raise fail(node, "a number added to a matrix", "matrices of one shape", "write the number times I")
            made = made.beside(part, partial(_add_signed, sign))
        return made

    def multiply(self, signs: tuple[str, ...], parts: tuple[Any, ...], node: Syntax) -> Any:
        if not any(isinstance(part, Grid) for part in parts):
            return IndexReader.multiply(self, signs, parts, node)
        made: list[Any] = []
        between: list[str] = []
        for sign, part in zip(signs, parts, strict=True):
            if sign or not made:
                made.append(part)
                between += [sign] if sign else []
            else:
                made[-1] = self._joined(made[-1], "", part, node)
        marks = {sign for sign, part in zip(between, made[1:], strict=True) if isinstance(part, Grid)}
        if len(marks) > 1:
            first, second = sorted(marks)[:2]
            readings = (f"{first} before {second}", f"{second} before {first}")
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", readings, "bracket what is meant")
        whole = made[0]
        for sign, part in zip(between, made[1:], strict=True):
            whole = self._joined(whole, sign, part, node)
        return whole

    def _joined(self, left: Any, sign: str, right: Any, node: Syntax) -> Any:
        """The product of two parts with the sign between them."""
        if not isinstance(left, Grid) and not isinstance(right, Grid):
            return IndexReader.multiply(self, ("", sign), (left, right), node)
        if not isinstance(left, Grid) or not isinstance(right, Grid):
            if sign == "/" and isinstance(left, Grid):
                return self.divide(left, right, node)
            if sign not in ("", "*", r"\cdot", r"\times"):
                raise fail(node, f"`{sign}` between a number and a matrix", r"a number beside a matrix")
            grid, number = (left, right) if isinstance(left, Grid) else (right, left)
            return grid.each(lambda entry: grids.multiply(number, entry))
        match sign:
            case "":
                return grids.unwrap(grids.product(left, right))
            case r"\cdot":
                turned = grids.transpose(left) if left.is_column and left.shape == right.shape else left
                return grids.unwrap(grids.product(turned, right))
            case r"\odot" | r"\circ":
                return left.beside(right, grids.multiply)
            case r"\oslash":
                return left.beside(right, grids.divide)
            case r"\times" if left.shape == right.shape == (3, 1):
                return grids.cross(left, right)
            case r"\times" | "*":
                raise ambiguous(node.line, node.column, f"`{sign}` between matrices", ("the matrix product",
                                "the product entry by entry"), r"write them side by side, or \odot")  # fmt: skip
            case r"\otimes" if left.is_vector and right.is_vector and left.is_column == right.is_column:
                raise doubtful_outer(node)
            case r"\otimes":
                return grids.kronecker(left, right)
        raise fail(node, f"`{sign}` between matrices", r"a product of matrices, \odot or \otimes")

    def divide(self, top: Any, bottom: Any, node: Syntax) -> Any:
        if isinstance(bottom, Grid):
            raise fail(node, f"a quotient by {bottom.shown}", "a number below", "write the inverse, ^{-1}")
        if isinstance(top, Grid):
            return top.each(lambda entry: grids.divide(entry, bottom))
        return IndexReader.divide(self, top, bottom, node)

    def absolute(self, group: Group) -> t.Expression:
        inner = self.read(group.parts[0])
        if not isinstance(inner, Grid):
            return IndexReader.absolute(self, group)
        if group.opened == "||":
            return self._norm(inner, group, script_text(group.parts[1]) if len(group.parts) > 1 else "")
        written = bare(group.parts[0])
        if isinstance(written, Matrix) and not written.opened and not inner.is_vector:
            return grids.determinant(inner)
        raise ambiguous(group.line, group.column, f"`{write_syntax(group)}`", ("its determinant",
                        "the absolute values of its entries"), r"write \det or \operatorname{abs}")  # fmt: skip

    def _norm(self, grid: Grid, node: Syntax, kind: str) -> t.Expression:
        """The length of a vector, or the Frobenius norm of a matrix."""
        if kind not in ("", "2", "F"):
            raise fail(node, f"the norm with `{kind}` below", "2 or F")
        if not grid.is_vector and kind != "F":
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("the Frobenius norm",
                            "the spectral norm"), r"write \lVert ... \rVert_F")  # fmt: skip
        squares = [t.Power(grid.at(place), t.Number(Fraction(2), "2")) for place in grid.entries()]
        return t.Apply("sqrt", (grids.add(squares),), line=node.line, column=node.column)

    def cases(self, node: Cases) -> Any:
        values = [self.read(row.value) for row in node.rows]
        if not any(isinstance(value, Grid) for value in values):
            return IndexReader.cases(self, node)
        for value in values:
            if not isinstance(value, Grid) or value.shape != values[0].shape:
                raise fail(node, "cases of matrices and of something else", "matrices of one shape", kind=ShapeError)
        return choose_row(node, values, lambda c, then, other: then.beside(other, partial(t.Where, c)), self)

    def _reduced(self, operation: str, bounds: Bounds, body: Any, node: Syntax) -> Any:
        if not isinstance(body, Grid):
            return IndexReader._reduced(self, operation, bounds, body, node)
        if operation != "sum":
            raise fail(node, f"{operation} over an index of a matrix", "a number behind it")
        return body.each(lambda entry: IndexReader._reduced(self, operation, bounds, entry, node))

    def mask(self, relation: Any, node: Syntax) -> t.Expression:
        if any(isinstance(self.read(part), Grid) for part in getattr(relation, "parts", ())):
            raise fail(node, f"`{write_syntax(node)}`", "a comparison of numbers")
        return IndexReader.mask(self, relation, node)

    def is_constant(self, value: Any, by: tuple[Syntax, ...]) -> bool:
        entries = [entry for row in value.rows for entry in row] if isinstance(value, Grid) else [value]
        return all(IndexReader.is_constant(self, entry, by) for entry in entries)

    def slope(self, value: Any, by: tuple[Syntax, ...], node: Syntax) -> t.Expression:
        if isinstance(value, Grid):
            raise fail(node, "the derivative of a matrix", "one of a number", "write the matrix of derivatives")
        return IndexReader.slope(self, value, by, node)

    def evaluated(self, value: Any, node: Evaluated) -> t.Expression:
        if isinstance(value, Grid):
            raise fail(node, "a matrix before a bar", "a number", "write the bar behind each entry")
        return IndexReader.evaluated(self, value, node)

    def _bracketed(self, node: Group) -> Any:
        """A list in round brackets is a column, as vectors are written in a line."""
        if len(node.parts) > 1 and node.opened == "(":
            return self._read_rows([(part,) for part in node.parts], node)
        return TermReader._bracketed(self, node)

    def _scripted_group(self, scripts: Scripts, base: Syntax) -> Any:
        turned = scripts.above is not None and write_syntax(bare(scripts.above)) in TRANSPOSED
        if isinstance(base, Group) and len(base.parts) > 1 and base.opened == "(" and turned and scripts.below is None:
            return self._bracketed(base)  # a column that is written as a row that is turned
        return TermReader._scripted_group(self, scripts, base)


def _add_signed(sign: str, left: t.Expression, right: t.Expression) -> t.Expression:
    return grids.add((left, right), (sign,))
