"""The records of a plan: array operations in single-assignment order, free of the names of indices.

A record makes one value, whose axes are numbered 0, 1, ... . An operand is a `Use`: a value with, for each of its
axes, the number of the label that the axis carries inside the record. Labels 0 to rank-1 are the axes of the result;
those that follow are summed. Two records are equal exactly if they compute the same, so making them once each is what
shares work between the forward and the backward pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy

from symbackprop.calculus.indices import Affine


@dataclass(frozen=True, slots=True)
class Use:
    """A value whose axes carry these labels."""

    value: int
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """The positions start, start + 1, ..., start + size - 1 along a label."""

    number: int
    size: Affine
    start: int


@dataclass(frozen=True, slots=True)
class Lookup:
    """An entry of an integer value; 0 outside its range."""

    value: int
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Floor:
    """An integer quotient, rounded down."""

    position: Position
    divisor: Position


@dataclass(frozen=True, slots=True)
class Modulo:
    """What is left by an integer quotient that is rounded down."""

    position: Position
    divisor: Position


Part = Label | Lookup | Floor | Modulo


@dataclass(frozen=True, slots=True)
class Position:
    """offset + the sum of coefficient * part; `offset` reads sizes of axes."""

    parts: tuple[tuple[Part, int], ...]
    offset: Affine


def all_even(positions: Iterable[Position]) -> bool:
    """Whether positions are multiples of labels, each of which occurs once."""
    parts = [part for position in positions for part, _ in position.parts]
    labels = [part.number for part in parts if isinstance(part, Label)]
    return len(labels) == len(parts) == len(set(labels))


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
class Inside:
    """True where the position is one of start, ..., start + size - 1."""

    position: Position
    size: Affine
    start: int


@dataclass(frozen=True, slots=True)
class Gather:
    """The value read at one position an axis, counted from 1, and 0 outside its range."""

    value: int
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """The value read at one position an axis, counted from 1, and 0 outside its range, where steps are even.

    Each position is a sum of multiples of labels, and no label occurs twice, so that the result is a view of the value
    with zeros around it.
    """

    value: int
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Take:
    """The value at one place of some of its axes, counted from 1, and 0 outside their ranges; None keeps an axis."""

    value: int
    places: tuple[Position | None, ...]


@dataclass(frozen=True, slots=True)
class Scatter:
    """Axis 0 has `size` entries: each the sum of the entries of `use` whose position it is, over labels that are no
    axis of the result.
    """

    use: Use
    position: Position
    size: Affine


@dataclass(frozen=True, slots=True)
class Weave:
    """Axis 0 has `size` entries: from `begin` on, counted from 0, those of the uses by turns, along the one label of
    each that is no axis of the result, and 0 elsewhere.
    """

    uses: tuple[Use, ...]
    begin: Affine
    size: Affine


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
class Place:
    """`use` where axes agree by `pairs` of labels, and 0 elsewhere; the value carries no second label of a pair."""

    use: Use
    pairs: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """The sum, over every label that is not an axis of the result, of the product of one or two uses."""

    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Peak:
    """The largest entry over every label that is not an axis of the result."""

    use: Use


@dataclass(frozen=True, slots=True)
class First:
    """Where the largest entry stands first, counted from 1, along the one label that is not an axis of the result."""

    use: Use


@dataclass(frozen=True, slots=True)
class MatrixFunction:
    """The function of a whole matrix that the table of axioms calls `axiom`."""

    axiom: str
    value: int


@dataclass(frozen=True, slots=True)
class State:
    """A tensor that a loop makes, one slice at every step along `axis`, the first of which is at step `start`."""

    axes: tuple[Affine, ...]
    axis: int
    start: int


@dataclass(frozen=True, slots=True)
class Segment:
    """The steps start, ..., start + size - 1 of a loop, which all do the same.

    In the body the step is a size called as the loop says, the value k outside is given as "#k", and the tensor k of
    the loop as "@k". A result becomes a slice of its tensor, whose other axes its labels are; None makes nothing.
    """

    start: int
    size: Affine
    outer: tuple[int, ...]
    results: tuple[Use | None, ...]
    body: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """Tensors that are made step by step, segment after segment; the steps go up where `direction` is 1."""

    step: str
    direction: int
    states: tuple[State, ...]
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """One of the tensors that a loop makes."""

    loop: int
    number: int


@dataclass(frozen=True, slots=True)
class Spread:
    """The value repeated along the labels that it does not carry."""

    use: Use


@dataclass(frozen=True, slots=True)
class Constant:
    """One number."""

    number: sympy.Expr


Record = (
    Given | Count | Match | Inside | Gather | Window | Take | Scatter | Weave | Map | Select | Place | Contract | Peak
    | First | MatrixFunction | Loop | Pick | Spread | Constant
)  # fmt: skip


def is_condition(record: Record) -> bool:
    """Whether a record says where something holds, as true and false or as 1 and 0."""
    return isinstance(record, Match | Inside) or (
        isinstance(record, Map) and (is_boolean(record.body) or is_indicator(record.body))
    )


def is_boolean(body: sympy.Basic) -> bool:
    """Whether a body is true or false."""
    return isinstance(body, sympy.logic.boolalg.Boolean) and not body.is_Symbol


def is_indicator(body: sympy.Basic) -> bool:
    """Whether a body is 1 where a condition holds and 0 elsewhere."""
    return isinstance(body, sympy.Piecewise) and [value for value, _ in body.args] == [1, 0]


def uses_of(record: Record) -> tuple[Use, ...]:
    """The operands of a record, in order; labels mean something only where the record aligns its operand."""
    if isinstance(record, Map | Contract | Weave):
        return record.uses
    if isinstance(record, Select):
        return (record.mask, record.value)
    if isinstance(record, Peak | Spread | First | Place):
        return (record.use,)
    if isinstance(record, Scatter):
        return (record.use, *_lookups(record.position))
    if isinstance(record, Gather):
        return (Use(record.value, ()), *(use for p in record.positions for use in _lookups(p)))
    if isinstance(record, Take):
        return (Use(record.value, ()), *(use for p in record.places if p is not None for use in _lookups(p)))
    if isinstance(record, Window | MatrixFunction):
        return (Use(record.value, ()),)
    if isinstance(record, Count | Match | Inside):
        return _lookups(record.position)
    if isinstance(record, Loop):
        return tuple(Use(number, ()) for segment in record.segments for number in segment.outer)
    if isinstance(record, Pick):
        return (Use(record.loop, ()),)
    return ()


def _lookups(position: Position) -> tuple[Use, ...]:
    """The integer values that a position reads."""
    found: list[Use] = []
    for part, _ in position.parts:
        if isinstance(part, Lookup):
            found.append(Use(part.value, ()))
            found += [use for p in part.positions for use in _lookups(p)]
        elif isinstance(part, Floor | Modulo):
            found += [*_lookups(part.position), *_lookups(part.divisor)]
    return tuple(found)


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


def find_fixed(values: Sequence[Value]) -> frozenset[int]:
    """The values that depend on sizes alone."""
    found: set[int] = set()
    for number, value in enumerate(values):
        loose = isinstance(value.record, Given | Constant | Loop | Pick)
        reads = {use.value for use in uses_of(value.record)}
        if not loose and all(n in found or isinstance(values[n].record, Constant) for n in reads):
            found.add(number)
    return frozenset(found)
