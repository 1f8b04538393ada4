"""The records of a plan: array operations in single-assignment order, free of the names of indices.

A record makes one value, whose axes are numbered 0, 1, ... . An operand is a `Use`: a value with, for each of its
axes, the number of the label that the axis carries inside the record. Labels 0 to rank-1 are the axes of the result;
those that follow are summed. Two records are equal exactly if they compute the same, so making them once each is what
shares work between the forward and the backward pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbackprop.calculus.indices import Affine


@dataclass(frozen=True, slots=True)
class Use:
    """A value whose axes carry these labels."""

    value: int
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """offset + sum of coefficient * label, a label standing for 1, 2, ..., size; `offset` reads sizes of axes.

    A part is (label, coefficient, size).
    """

    parts: tuple[tuple[int, int, Affine], ...]
    offset: Affine


@dataclass(frozen=True, slots=True)
class Given:
    """A tensor that the caller passes."""

    name: str


@dataclass(frozen=True, slots=True)
class Count:
    """A size, or an index with it, as a number."""

    position: Position


@dataclass(frozen=True, slots=True)
class Match:
    """True where the position is 0: the Kronecker delta of an index equation."""

    position: Position


@dataclass(frozen=True, slots=True)
class Gather:
    """The value read at one position an axis, and 0 outside its range."""

    value: int
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """The scalar expression `body` in s0, s1, ..., the entries of the uses, at every point.

    `quiet` says that a select discards the points at which the expression has no finite value.
    """

    body: sympy.Expr
    uses: tuple[Use, ...]
    quiet: bool


@dataclass(frozen=True, slots=True)
class Select:
    """`value` where the mask holds and 0 elsewhere, also where `value` is infinite there."""

    mask: Use
    value: Use


@dataclass(frozen=True, slots=True)
class Contract:
    """The sum, over every label that is not an axis of the result, of the product of one or two uses."""

    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Peak:
    """The largest entry over every label that is not an axis of the result."""

    use: Use


@dataclass(frozen=True, slots=True)
class Spread:
    """The value repeated along the labels that it does not carry."""

    use: Use


@dataclass(frozen=True, slots=True)
class Constant:
    """One number."""

    number: sympy.Expr


Record = Given | Count | Match | Gather | Map | Select | Contract | Peak | Spread | Constant


def uses_of(record: Record) -> tuple[Use, ...]:
    """The operands of a record, in order (a gathered one with its axes in place of labels)."""
    if isinstance(record, Map | Contract):
        return record.uses
    if isinstance(record, Select):
        return (record.mask, record.value)
    if isinstance(record, Peak | Spread):
        return (record.use,)
    if isinstance(record, Gather):
        return (Use(record.value, tuple(range(len(record.positions)))),)
    return ()


@dataclass(frozen=True, slots=True)
class Value:
    """One line of a plan: `record` makes an array with axes of these sizes."""

    record: Record
    axes: tuple[Affine, ...]


@dataclass(frozen=True, slots=True)
class Output:
    """A tensor that the caller gets: the value, spread over `axes`, its own axes standing at `labels`."""

    name: str
    use: Use
    axes: tuple[Affine, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Values in an order in which each reads only earlier ones; `named` says which tensor a value is.

    Entries of `values` that no output needs are left out of `forward` (what the value needs) and of `backward` (what
    the gradients need beyond that).
    """

    values: tuple[Value, ...]
    named: tuple[tuple[int, str], ...]
    result: Output
    gradients: tuple[Output, ...]
    forward: tuple[int, ...]
    backward: tuple[int, ...]


def reach(values: tuple[Value, ...], roots: tuple[int, ...]) -> frozenset[int]:
    """The values that the roots need, themselves included."""
    needed = set(roots)
    for number in range(len(values) - 1, -1, -1):
        if number in needed:
            needed |= {use.value for use in uses_of(values[number].record)}
    return frozenset(needed)
