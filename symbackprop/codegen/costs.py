"""What the array operations of a plan cost: floating-point operations, and bytes that are read and written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbackprop.calculus.indices import Affine, Atom, Quotient, Remainder
from symbackprop.codegen.deposits import find_deposits, find_replaced
from symbackprop.codegen.foldings import find_foldings
from symbackprop.codegen.loop_writers import make_body_plan
from symbackprop.codegen.records import (
    Constant,
    Contract,
    Count,
    First,
    Given,
    Loop,
    Map,
    Peak,
    Pick,
    Plan,
    Record,
    Select,
    Spread,
    Value,
    Weave,
    Window,
    find_fixed,
    is_condition,
    uses_of,
)
from symbackprop.codegen.row_groups import Grouping, RowGroup, schedule
from symbackprop.codegen.row_reads import find_reads
from symbackprop.codegen.window_layouts import is_inside, is_split

Grouper = Callable[[Plan, Collection[int]], Grouping]
"""Finds the groups of a plan, given what is in none."""
WIDTHS = {"float64": 8, "float32": 4}


@dataclass(frozen=True, slots=True)
class Operation:
    """One array operation.

    `kind` says what it does, `name` which tensor it makes ("" for a part of one), `shape` the axes of its result. A
    function of an entry counts as one flop, a product that is added as two; `bytes` are those of all entries read and
    written, each array once.
    """

    stage: str
    kind: str
    name: str
    shape: tuple[sympy.Expr, ...]
    flops: sympy.Expr
    bytes: sympy.Expr


@dataclass(frozen=True, slots=True)
class Costs:
    """The operations of a plan in order: those that depend on sizes alone and are done once, then those of the passes.

    The entries of shapes and costs are SymPy expressions in the names of sizes, numbers where the sizes are given.
    """

    operations: tuple[Operation, ...]
    dtype: str

    @property
    def flops(self) -> sympy.Expr:
        """The floating-point operations of a call."""
        return sympy.Add(*(each.flops for each in self._repeated))

    @property
    def bytes(self) -> sympy.Expr:
        """The bytes that a call reads and writes."""
        return sympy.Add(*(each.bytes for each in self._repeated))

    @property
    def _repeated(self) -> Iterator[Operation]:
        return (each for each in self.operations if each.stage != "once")

    def __str__(self) -> str:
        head = ("stage", "operation", "makes", "shape", "flops", "bytes")
        rows = [
            (o.stage, o.kind, o.name, "x".join(map(str, o.shape)) or "1", str(o.flops), str(o.bytes))
            for o in self.operations
        ]
        rows.append(("", "all of a call", "", "", str(self.flops), str(self.bytes)))
        widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in (head, *rows)]
        return "\n".join(line.rstrip() for line in lines)


def measure_costs(plan: Plan, sizes: Mapping[str, int], dtype: str, group: Grouper) -> Costs:
    """The costs of a plan in which some sizes, or all, have values; `group` says what is done in one operation."""
    return Costs(tuple(_Meter(plan, sizes, WIDTHS[dtype], group).operations()), dtype)


class _Meter:
    """Measures the values of one plan."""

    def __init__(self, plan: Plan, sizes: Mapping[str, int], width: int, group: Grouper) -> None:
        self.plan, self.sizes, self.width, self.group = plan, sizes, width, group
        self.names = dict(plan.named)
        self.foldings = find_foldings(plan, self.names)
        self.views = _find_views(plan)

    def operations(self) -> Iterator[Operation]:
        plan, fixed, deposits = self.plan, find_fixed(self.plan.values), find_deposits(self.plan)
        grouping = self.group(plan, {*fixed, *deposits, *find_replaced(plan, deposits)})
        inside = {number for folding in self.foldings.values() for number in folding.inside}
        for stage, numbers in (("forward", plan.forward), ("backward", plan.backward)):
            for each in schedule(plan.values, numbers, grouping):
                if isinstance(each, RowGroup):
                    yield self._loop_over_rows(stage, each, grouping)
                elif each in inside or each in self.views:
                    continue
                elif not isinstance(plan.values[each].record, Given | Constant | Count | Pick | Spread | Weave):
                    yield self._operation("once" if each in fixed else stage, each, plan.values[each])

    def _loop_over_rows(self, stage: str, group: RowGroup, grouping: Grouping) -> Operation:
        flops, count = self._measure_group(group, grouping, self.plan.values)
        names = ", ".join(self.names[n] for n in group.outputs if n in self.names)
        last = [group.sizes[k] for k in ([] if group.inner is None else [group.inner])]
        axes = [*(axis for k, axis in enumerate(group.sizes) if k != group.inner), *last]
        shape = tuple(self._number(axis) for axis in axes)
        return Operation(stage, "loop over rows", names, shape, flops, count * self.width)

    def _measure_group(
        self, group: RowGroup, grouping: Grouping, values: Sequence[Value]
    ) -> tuple[sympy.Expr, sympy.Expr]:
        """The flops of all members, and the entries that are read of other values and written for them."""
        flops = sympy.Add(*(self._measure(values[n], values)[0] for n in group.members))
        records = [values[n].record for n in group.members]
        reads = {read.value for record in records for read in find_reads(values, record, grouping.conditions)}
        touched = [*sorted(reads - set(group.members)), *group.outputs]
        return flops, sympy.Add(*(self._entries(values[n].axes) for n in touched))

    def _operation(self, stage: str, number: int, value: Value) -> Operation:
        shape = tuple(self._number(axis) for axis in value.axes)
        flops, count = self._measure(value, self.plan.values)
        if number in self.foldings:
            count = sum(self._entries(self.plan.values[n].axes) for n in (number, self.foldings[number].use.value))
        return Operation(stage, _kind(value.record), self.names.get(number, ""), shape, flops, count * self.width)

    def _measure(self, value: Value, values: Sequence[Value]) -> tuple[sympy.Expr, sympy.Expr]:
        """The flops of a value, and the entries that it reads and writes."""
        record = value.record
        if isinstance(record, Loop):
            flops, count = sympy.Integer(0), sympy.Integer(0)
            for segment in record.segments:
                body = list(self._measure_body(make_body_plan(record, segment)))
                steps = self._number(segment.size)
                flops += steps * sympy.Add(*(f for f, _ in body))
                count += steps * sympy.Add(*(e for _, e in body))
            return flops, count
        made = self._entries(value.axes)
        read = [self._entries(values[u.value].axes) for u in uses_of(record)]
        flops = sympy.Integer(0)
        if isinstance(record, Map | Select):
            flops = made
        elif isinstance(record, Contract):
            spans = {
                label: axis for u in record.uses for label, axis in zip(u.labels, values[u.value].axes, strict=True)
            }
            flops = len(record.uses) * self._entries(tuple(spans.values()))
        elif isinstance(record, Peak | First):
            flops = read[0]
        return flops, made + sympy.Add(*read)

    def _measure_body(self, plan: Plan) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
        """What each operation of a step costs."""
        grouping = self.group(plan, frozenset())
        for each in schedule(plan.values, plan.forward, grouping):
            if isinstance(each, RowGroup):
                yield self._measure_group(each, grouping, plan.values)
            elif not isinstance(plan.values[each].record, Given):
                yield self._measure(plan.values[each], plan.values)

    def _entries(self, axes: Sequence[Affine]) -> sympy.Expr:
        return sympy.Mul(*(self._number(axis) for axis in axes))

    def _number(self, form: Affine) -> sympy.Expr:
        return sympy.Add(*(self._atom(atom) * c for atom, c in form.terms), form.constant)

    def _atom(self, atom: Atom) -> sympy.Expr:
        if isinstance(atom, Quotient):
            return sympy.floor(self._number(atom.form) / self._number(atom.divisor))
        if isinstance(atom, Remainder):
            return sympy.Mod(self._number(atom.form), self._number(atom.divisor))
        name = str(atom)
        return (
            sympy.Integer(self.sizes[name]) if name in self.sizes else sympy.Symbol(name, integer=True, positive=True)
        )


def _find_views(plan: Plan) -> frozenset[int]:
    """The windows that nobody copies: without zeros around them, and in no matrix product that takes them apart."""
    multiplied = {
        use.value
        for number in (*plan.forward, *plan.backward)
        for use in uses_of(plan.values[number].record)
        if isinstance(plan.values[number].record, Contract)
    }
    found: set[int] = set()
    for number, value in enumerate(plan.values):
        if isinstance(value.record, Window):
            own = plan.values[value.record.value].axes
            if is_split(value.record, own) or (number not in multiplied and is_inside(value.record, own)):
                found.add(number)
    return frozenset(found)


def _kind(record: Record) -> str:
    """What a record does, in a word or two."""
    if isinstance(record, Contract):
        return "matrix product" if len(record.uses) == 2 else "sum"
    if isinstance(record, Map):
        body = record.body
        if is_condition(record) or body.is_Piecewise:
            return "condition" if is_condition(record) else "choice"
        names = {"Add": "add", "Mul": "multiply", "Pow": "power", "Larger": "maximum", "Exponent": "minimum"}
        return names.get(type(body).__name__, type(body).__name__.lower())
    kinds = {"Peak": "maximum", "First": "argmax", "MatrixFunction": "function of a matrix", "Scatter": "scatter-add"}
    name = type(record).__name__
    return kinds.get(name, name.lower())
