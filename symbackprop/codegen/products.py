"""Sums of products as calls: matrix products where two arrays share summed axes, sums over axes otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbackprop.codegen.dialects import Dialect

Factor = tuple[str, tuple[int, ...]]
"""A variable and the labels of its axes; labels below the rank of the result are its axes, the others are summed."""


def write_contraction(factors: Sequence[Factor], rank: int, sizes: Mapping[int, str], dialect: Dialect) -> str:
    """The expression of the sum over summed labels of the product of one or two factors; `sizes` gives each label's.

    >>> numpy = Dialect()
    >>> write_contraction([("x", (0, 2)), ("W", (1, 2))], 2, {0: "N", 1: "K", 2: "D"}, numpy)
    'x @ W.T'
    >>> write_contraction([("d", (2, 0)), ("x", (2, 1))], 2, {0: "K", 1: "D", 2: "N"}, numpy)
    'd.T @ x'
    >>> write_contraction([("d", (1, 0))], 1, {0: "K", 1: "N"}, numpy)
    'd.sum(axis=0)'
    """
    if len(factors) == 1:
        return _write_sum(factors[0], rank, dialect)
    (left, left_labels), (right, right_labels) = factors
    summed = sorted(a for a in left_labels if a >= rank)
    batch = [a for a in range(rank) if a in left_labels and a in right_labels]
    rows = [a for a in range(rank) if a in left_labels and a not in right_labels]
    columns = [a for a in range(rank) if a in right_labels and a not in left_labels]
    if not batch and not rows and not columns:
        order = list(left_labels)
        other = _transpose(right, right_labels, order, dialect)
        return f"{left} @ {other}" if len(order) == 1 else dialect.dot(left, other)
    alone = [[a] for a in batch]
    # The order in which several summed axes are flattened is free: take that of the left factor.
    summed = [a for a in left_labels if a in summed]
    if not rows and not columns:
        a = _merge(left, left_labels, [*alone, summed], sizes, dialect)
        b = _merge(right, right_labels, [*alone, summed], sizes, dialect)
        return dialect.row_dot(a, b)
    if not batch and len(rows) <= 1 and len(columns) <= 1 and len(summed) == 1:
        a = _transpose(left, left_labels, rows + summed, dialect)
        b = _transpose(right, right_labels, summed + columns, dialect)
        return f"{a} @ {b}"
    a = _merge(left, left_labels, [*alone, rows, summed], sizes, dialect)
    b = _merge(right, right_labels, [*alone, summed, columns], sizes, dialect)
    product = f"{a} @ {b}"
    made = batch + rows + columns
    if len(rows) == 1 and len(columns) == 1:
        return product if made == sorted(made) else dialect.transpose(f"({product})", _inverse(made))
    shape = "(" + "".join(f"{sizes[k]}, " for k in made).strip() + ")"
    text = f"({product}).reshape({shape})"
    return dialect.transpose(text, _inverse(made))


def _write_sum(factor: Factor, rank: int, dialect: Dialect) -> str:
    name, labels = factor
    kept = [a for a in labels if a < rank]
    if kept != sorted(kept):
        order = sorted(kept) + [a for a in labels if a >= rank]
        name, labels = _transpose(name, labels, order, dialect), tuple(order)
    return dialect.total(name, [k for k, a in enumerate(labels) if a >= rank] if kept else None)


def _inverse(made: Sequence[int]) -> tuple[int, ...]:
    """The permutation that puts axes `made` in ascending order."""
    return tuple(sorted(range(len(made)), key=lambda k: made[k]))


def _transpose(name: str, labels: Sequence[int], order: Sequence[int], dialect: Dialect) -> str:
    return dialect.transpose(name, [list(labels).index(a) for a in order])


@dataclass(frozen=True, slots=True)
class Product:
    """A sum of products as a call that writes into an array whose axes lie in memory in `order`.

    `shape` is what the array is reshaped to on the way, or None; `function` is the name of the NumPy function, and
    `plain` that of one that is faster and needs an array that lies in order, of the type of the product.
    """

    function: str
    arguments: tuple[str, ...]
    order: tuple[int, ...]
    shape: str | None
    dialect: Dialect
    plain: str | None = None

    def write(self, name: str, plain: bool = False) -> str:
        """The call that writes into the array `name`, which lies in order and has the right type if it is `plain`."""
        out = self.dialect.transpose(name, self.order)
        out = out if self.shape is None else f"{out}.reshape({self.shape})"
        return f"np.{self.plain if plain and self.plain else self.function}({', '.join(self.arguments)}, out={out})"


def read_product(factors: Sequence[Factor], rank: int, sizes: Mapping[int, str], dialect: Dialect) -> Product | None:
    """The product of two arrays, given with their axes as they lie in memory, summed; None where entries have to be
    multiplied one by one first.

    >>> product = read_product([("x", (0, 2)), ("W", (1, 2))], 2, {0: "N", 1: "K", 2: "D"}, Dialect())
    >>> product.write("z"), product.write("z", plain=True)
    ('np.matmul(x, W.T, out=z)', 'np.dot(x, W.T, out=z)')
    """
    (left, left_labels), (right, right_labels) = factors
    batch, rows, summed, columns = _arrange(left_labels, right_labels, rank)
    if not rows and not columns:
        last = [*batch, *summed]
        if list(left_labels) != last or list(right_labels) != last:
            return None
        shape = _shape_of([[a] for a in batch] + [summed], sizes)
        merged = [f"{text}.reshape({shape})" if len(summed) > 1 else text for text in (left, right)]
        return Product("vecdot", tuple(merged), tuple(batch), None, dialect)
    groups = group_factors(left_labels, right_labels, rank)
    one = _merge(left, left_labels, groups[0], sizes, dialect)
    two = _merge(right, right_labels, groups[1], sizes, dialect)
    outer, kept = [[a] for a in batch], [g for g in (rows, columns) if g or batch]
    merged_shape = None if all(len(g) == 1 for g in kept) else _shape_of(outer + kept, sizes)
    return Product("matmul", (one, two), (*batch, *rows, *columns), merged_shape, dialect, None if batch else "dot")


def _arrange(left: Sequence[int], right: Sequence[int], rank: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """The labels of two factors that both carry and the result has, those of the first alone, those that are summed,
    and those of the second alone.
    """
    summed = [a for a in left if a >= rank]
    batch = [a for a in left if a < rank and a in right]
    rows = [a for a in left if a < rank and a not in right]
    return batch, rows, summed, [a for a in right if a < rank and a not in left]


def group_factors(left: Sequence[int], right: Sequence[int], rank: int) -> tuple[list[list[int]], list[list[int]]]:
    """The labels of each of two factors, by the axes that a matrix product takes them as.

    >>> group_factors((0, 2, 3), (1, 2, 3), 2)
    ([[0], [2, 3]], [[2, 3], [1]])
    """
    batch, rows, summed, columns = _arrange(left, right, rank)
    outer = [[a] for a in batch]
    return (
        outer + [g for g in (rows, summed) if g or batch],
        outer + [g for g in (summed, columns) if g or batch],
    )


@dataclass(frozen=True, slots=True)
class RowSum:
    """A sum over the first or the last axes of an array, as its product with `count` ones."""

    text: str
    first: bool
    count: str
    order: tuple[int, ...]
    shape: str | None
    dialect: Dialect

    def write(self, name: str, ones: str, plain: bool = False) -> str:
        """The call that writes into the array `name`, which lies in order and has the right type if it is `plain`."""
        out = self.dialect.transpose(name, self.order)
        out = out if self.shape is None else f"{out}.reshape({self.shape})"
        arguments = (ones, self.text) if self.first else (self.text, ones)
        return f"np.{'dot' if plain else 'matmul'}({', '.join(arguments)}, out={out})"


def read_sum(factor: Factor, rank: int, sizes: Mapping[int, str], dialect: Dialect) -> RowSum | None:
    """The sum of an array, given with its axes as they lie in memory; None where it runs over axes in between.

    >>> read_sum(("d", (1, 0)), 1, {0: "K", 1: "N"}, Dialect()).write("b", "ones")
    'np.matmul(ones, d, out=b)'
    """
    text, labels = factor
    kept = [a for a in labels if a < rank]
    summed = [a for a in labels if a >= rank]
    first = list(labels) == summed + kept
    if not first and list(labels) != kept + summed:
        return None
    groups = [summed, kept] if first else [kept, summed]
    merged = _merge(text, labels, groups, sizes, dialect)
    shape = None if len(kept) == 1 else _shape_of([kept], sizes)
    return RowSum(merged, first, _count_of(summed, sizes), tuple(kept), shape, dialect)


def _merge(
    name: str, labels: Sequence[int], groups: Sequence[Sequence[int]], sizes: Mapping[int, str], dialect: Dialect
) -> str:
    """The array with one axis for each group, without a copy where the axes of each group stand together."""
    order = [list(labels).index(a) for group in groups for a in group]
    if all(len(g) == 1 for g in groups):
        return dialect.transpose(name, order)
    whole = [g for g in groups if g]
    together = all(stands_together(labels, g) for g in whole)
    if together and len(whole) == len(groups):
        lying = sorted(whole, key=lambda g: list(labels).index(g[0]))
        text = f"{name}.reshape({_shape_of(lying, sizes)})"
        return dialect.transpose(text, [lying.index(g) for g in groups])
    return f"{dialect.transpose(name, order)}.reshape({_shape_of(groups, sizes)})"


def stands_together(labels: Sequence[int], group: Sequence[int]) -> bool:
    """Whether labels follow each other in this order."""
    start = list(labels).index(group[0])
    return list(labels[start : start + len(group)]) == list(group)


def _count_of(group: Sequence[int], sizes: Mapping[int, str]) -> str:
    """The number of entries of axes as one, in brackets where a size is more than a name or a number."""
    if len(group) == 1 and "*" not in sizes[group[0]]:
        return sizes[group[0]]
    plain = [sizes[a] if sizes[a].isidentifier() or sizes[a].isdigit() else f"({sizes[a]})" for a in group]
    return "*".join(plain) or "1"


def _shape_of(groups: Sequence[Sequence[int]], sizes: Mapping[int, str]) -> str:
    return f"({''.join(f'{_count_of(g, sizes)}, ' for g in groups).strip()})"
