"""Plans that are made anew with other records in the place of some, each still made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symbackprop.calculus.indices import Affine
from symbackprop.codegen.records import (
    Constant,
    Contract,
    Count,
    First,
    Gather,
    Given,
    Inside,
    Label,
    Lookup,
    Loop,
    Map,
    Match,
    MatrixFunction,
    Output,
    Part,
    Peak,
    Pick,
    Place,
    Plan,
    Position,
    Record,
    Scatter,
    Segment,
    Select,
    Spread,
    Take,
    Use,
    Value,
    Weave,
    Window,
    reach,
)


class PlanRebuilder:
    """Takes over the values of a plan one by one; `numbers` says what became of each."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.values: list[Value] = []
        self.numbers: dict[int, int] = {}
        self.made: dict[Value, int] = {}

    def make(self, record: Record, axes: Sequence[Affine]) -> int:
        """The number of a record in the new plan, made now unless it exists."""
        value = Value(record, tuple(axes))
        number = self.made.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number

    def rebuild(self) -> Plan:
        """The new plan."""
        for number, value in enumerate(self.plan.values):
            record = renumber(value.record, self.numbers)
            replaced = self.replace(record, value.axes)
            self.numbers[number] = self.make(record, value.axes) if replaced is None else replaced
        result, *gradients = (
            replace(output, use=self._use(output.use)) for output in (self.plan.result, *self.plan.gradients)
        )
        named: dict[int, str] = {}
        for number, name in self.plan.named:
            named.setdefault(self.numbers[number], name)
        return assemble(self.values, named, result, gradients)

    def replace(self, record: Record, axes: Sequence[Affine]) -> int | None:
        """What is to stand for a value of the plan, whose operands are numbered anew; None where it stays."""
        return None

    def _use(self, use: Use) -> Use:
        return Use(self.numbers[use.value], use.labels)


def keep_plan(plan: Plan) -> Plan:
    """The plan as it is."""
    return plan


def assemble(values: Sequence[Value], named: Mapping[int, str], result: Output, gradients: Sequence[Output]) -> Plan:
    """A plan of values, without what its outputs do not need."""
    every = tuple(values)
    forward = reach(every, (result.use.value,))
    backward = reach(every, tuple(g.use.value for g in gradients)) - forward
    return Plan(every, tuple(named.items()), result, tuple(gradients), tuple(sorted(forward)), tuple(sorted(backward)))


def renumber(record: Record, numbers: Mapping[int, int]) -> Record:
    """A record whose operands have other numbers."""

    def position(form: Position) -> Position:
        return replace(form, parts=tuple((part(each), coefficient) for each, coefficient in form.parts))

    def part(each: Part) -> Part:
        if isinstance(each, Label):
            return each
        if isinstance(each, Lookup):
            return Lookup(numbers[each.value], tuple(map(position, each.positions)))
        return type(each)(position(each.position), position(each.divisor))

    def use(each: Use) -> Use:
        return Use(numbers[each.value], each.labels)

    match record:
        case Given() | Constant():
            return record
        case Map() | Contract() | Weave():
            return replace(record, uses=tuple(map(use, record.uses)))
        case Select():
            return Select(use(record.mask), use(record.value))
        case Peak() | Spread() | First() | Place():
            return replace(record, use=use(record.use))
        case Scatter():
            return replace(record, use=use(record.use), position=position(record.position))
        case Count() | Match() | Inside():
            return replace(record, position=position(record.position))
        case Gather() | Window():
            return replace(record, value=numbers[record.value], positions=tuple(map(position, record.positions)))
        case Take():
            places = tuple(None if place is None else position(place) for place in record.places)
            return Take(numbers[record.value], places)
        case MatrixFunction():
            return replace(record, value=numbers[record.value])
        case Loop():
            return replace(record, segments=tuple(_renumber_segment(each, numbers) for each in record.segments))
        case Pick():
            return replace(record, loop=numbers[record.loop])
        case _:
            raise AssertionError(f"a record without operands that are known: {record!r}")


def _renumber_segment(segment: Segment, numbers: Mapping[int, int]) -> Segment:
    """A segment whose body is given what it reads outside under other numbers."""
    body = []
    for value in segment.body:
        record = value.record
        if isinstance(record, Given) and record.name.startswith("#"):
            record = Given(f"#{numbers[int(record.name[1:])]}")
        body.append(replace(value, record=record))
    return replace(segment, outer=tuple(numbers[n] for n in segment.outer), body=tuple(body))
