"""Sums of products as calls: matrix products where two arrays share summed axes, sums over axes otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    # The order in which several summed axes are flattened is free: take that of the left factor.
    summed = [a for a in left_labels if a in summed]
    if not rows and not columns:
        a = _flatten(left, left_labels, batch, [summed], sizes, dialect)
        b = _flatten(right, right_labels, batch, [summed], sizes, dialect)
        return dialect.row_dot(a, b)
    if not batch and len(rows) <= 1 and len(columns) <= 1 and len(summed) == 1:
        a = _transpose(left, left_labels, rows + summed, dialect)
        b = _transpose(right, right_labels, summed + columns, dialect)
        return f"{a} @ {b}"
    a = _flatten(left, left_labels, batch, [rows, summed], sizes, dialect)
    b = _flatten(right, right_labels, batch, [summed, columns], sizes, dialect)
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


def _flatten(
    name: str,
    labels: Sequence[int],
    batch: Sequence[int],
    groups: Sequence[Sequence[int]],
    sizes: Mapping[int, str],
    dialect: Dialect,
) -> str:
    """The array with batch axes first and each further group of axes as one."""
    text = _transpose(name, labels, [*batch, *(a for group in groups for a in group)], dialect)
    if all(len(g) == 1 for g in groups):
        return text
    shape = [sizes[a] for a in batch]
    for group in groups:
        shape.append("*".join(sizes[a] if sizes[a].isidentifier() else f"({sizes[a]})" for a in group) or "1")
    return f"{text}.reshape(({''.join(f'{s}, ' for s in shape).strip()}))"
