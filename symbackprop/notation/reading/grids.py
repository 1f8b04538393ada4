"""Matrices that are written out: a formula for each entry, and what matrices do as formulas of entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from symbackprop.errors import LimitError, ShapeError
from symbackprop.language import tree as t
from symbackprop.language.wording import fail
from symbackprop.notation.reading.letters import opened_product

LARGEST_DETERMINANT = 5
LARGEST_ENTRY = 5_000
"""Parts of a formula that an entry may have."""
ZERO, ONE = t.Number(Fraction(0), "0"), t.Number(Fraction(1), "1")
Rows = tuple[tuple[t.Expression, ...], ...]


@dataclass(frozen=True, slots=True)
class Grid(t.Node):
    """A matrix of formulas, at least one row and one column; a vector is a column."""

    rows: Rows

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and of columns."""
        return len(self.rows), len(self.rows[0])

    @property
    def shown(self) -> str:
        """The shape in words.

        >>> Grid(((ZERO, ONE),)).shown
        'a matrix of 1 x 2'
        """
        return f"a matrix of {self.shape[0]} x {self.shape[1]}"

    @property
    def is_column(self) -> bool:
        """Whether it has one column."""
        return self.shape[1] == 1

    @property
    def is_vector(self) -> bool:
        """Whether it has one column or one row."""
        return 1 in self.shape

    def each(self, change: Callable[[t.Expression], t.Expression]) -> Grid:
        """The matrix with every entry changed."""
        return Grid(tuple(tuple(map(change, row)) for row in self.rows), line=self.line, column=self.column)

    def beside(self, other: Grid, join: Callable[[t.Expression, t.Expression], t.Expression]) -> Grid:
        """Two matrices of one shape, entry by entry; ShapeError says where they are of two."""
        if self.shape != other.shape:
            raise fail(other, other.shown, self.shown, kind=ShapeError)
        pairs = zip(self.rows, other.rows, strict=True)
        return Grid(tuple(tuple(map(join, *pair)) for pair in pairs), line=self.line, column=self.column)

    def entries(self) -> tuple[tuple[int, int], ...]:
        """The places of the entries, counted from 1, row by row."""
        rows, columns = self.shape
        return tuple((i, j) for i in range(1, rows + 1) for j in range(1, columns + 1))

    def at(self, place: tuple[int, int]) -> t.Expression:
        """The entry at a place."""
        return self.rows[place[0] - 1][place[1] - 1]


def unwrap(grid: Grid) -> Grid | t.Expression:
    """A matrix of one entry is that number."""
    return grid.rows[0][0] if grid.shape == (1, 1) else grid


def add(terms: Sequence[t.Expression], signs: Sequence[str] = ()) -> t.Expression:
    """The sum of formulas; `signs` stand before those behind the first."""
    if len(terms) == 1:
        return terms[0]
    return t.Chain(tuple(terms), tuple(signs) or ("+",) * (len(terms) - 1))


def multiply(left: t.Expression, right: t.Expression) -> t.Expression:
    """The product of two formulas."""
    factors = (*opened_product(left), *opened_product(right))
    return t.Chain(factors, ("*",) * (len(factors) - 1))


def divide(top: t.Expression, bottom: t.Expression) -> t.Expression:
    """The quotient of two formulas."""
    return t.Chain((top, bottom), ("/",))


def product(left: Grid, right: Grid) -> Grid:
    """The matrix product; ShapeError where the shapes do not fit."""
    if left.shape[1] != right.shape[0]:
        expected = f"a matrix of {left.shape[1]} rows behind {left.shown}"
        raise fail(right, right.shown, expected, kind=ShapeError)
    columns = tuple(zip(*right.rows, strict=True))
    rows = tuple(tuple(add(list(map(multiply, row, column))) for column in columns) for row in left.rows)
    return _bounded(Grid(rows, line=left.line, column=left.column))


def transpose(grid: Grid) -> Grid:
    """The transpose."""
    return Grid(tuple(zip(*grid.rows, strict=True)), line=grid.line, column=grid.column)


def identity(size: int) -> Grid:
    """The identity matrix."""
    return Grid(tuple(tuple(ONE if i == j else ZERO for j in range(size)) for i in range(size)))


def kronecker(left: Grid, right: Grid) -> Grid:
    """The Kronecker product: every entry of the left matrix times the right one."""
    if len(left.entries()) * len(right.entries()) > LARGEST_ENTRY:
        raise LimitError(f"found a Kronecker product with more than {LARGEST_ENTRY} entries",
                         line=left.line or None, column=left.column or None)  # fmt: skip
    rows = tuple(tuple(multiply(a, b) for a in above for b in below) for above in left.rows for below in right.rows)
    return _bounded(Grid(rows, line=left.line, column=left.column))


def cross(left: Grid, right: Grid) -> Grid:
    """The cross product of two columns of three entries."""
    a, b = ([row[0] for row in grid.rows] for grid in (left, right))
    places = ((1, 2), (2, 0), (0, 1))
    rows = tuple((add((multiply(a[i], b[j]), multiply(a[j], b[i])), ("-",)),) for i, j in places)
    return Grid(rows, line=left.line, column=left.column)


def determinant(grid: Grid) -> t.Expression:
    """The determinant, expanded along the first row."""
    _check_square(grid, "the determinant")
    return _bounded(Grid(((_determinant(grid.rows),),), line=grid.line, column=grid.column)).rows[0][0]


def trace(grid: Grid) -> t.Expression:
    """The sum of the diagonal."""
    _check_square(grid, "the trace")
    return add([row[place] for place, row in enumerate(grid.rows)])


def inverse(grid: Grid) -> Grid:
    """The inverse, by cofactors over the determinant."""
    _check_square(grid, "the inverse")
    whole, size = _determinant(grid.rows), grid.shape[0]
    if size == 1:
        return Grid(((divide(ONE, whole),),))
    made = tuple(tuple(divide(_cofactor(grid.rows, j, i), whole) for j in range(size)) for i in range(size))
    return _bounded(Grid(made, line=grid.line, column=grid.column))


def _determinant(rows: Rows) -> t.Expression:
    first = rows[0]
    if len(rows) == 1:
        return first[0]
    terms = [multiply(entry, _determinant(_minor(rows, 0, place))) for place, entry in enumerate(first)]
    return add(terms, ["-" if place % 2 else "+" for place in range(1, len(first))])


def _cofactor(rows: Rows, row: int, column: int) -> t.Expression:
    minor = _determinant(_minor(rows, row, column))
    return t.Negate(minor) if (row + column) % 2 else minor


def _minor(rows: Rows, row: int, column: int) -> Rows:
    return tuple((*line[:column], *line[column + 1 :]) for place, line in enumerate(rows) if place != row)


def _bounded(grid: Grid) -> Grid:
    """The matrix; LimitError where the formula of an entry is too long."""
    for entry in (entry for row in grid.rows for entry in row):
        if len(list(islice(t.walk(entry), LARGEST_ENTRY + 1))) > LARGEST_ENTRY:
            raise LimitError(f"found a product of matrices whose entries have more than {LARGEST_ENTRY} parts; name a "
                             "part of it", line=grid.line or None, column=grid.column or None)  # fmt: skip
    return grid


def _check_square(grid: Grid, what: str) -> None:
    if grid.shape[0] != grid.shape[1]:
        raise fail(grid, f"{what} of {grid.shown}", "a square matrix", kind=ShapeError)
    if grid.shape[0] > LARGEST_DETERMINANT:
        raise LimitError(f"found {what} of {grid.shown}, and those of more than {LARGEST_DETERMINANT} rows are not "
                         "written out", line=grid.line or None, column=grid.column or None)  # fmt: skip
