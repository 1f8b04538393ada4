"""Values of a plan as statements that write them into arrays, whatever arrays these are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.calculus.definitions import slot_symbol
from symbackprop.calculus.indices import Affine
from symbackprop.codegen.buffers import Buffer
from symbackprop.codegen.inlining import find_inline
from symbackprop.codegen.kernels import KernelWriter
from symbackprop.codegen.products import read_product, read_sum
from symbackprop.codegen.records import (
    Contract,
    Count,
    First,
    Inside,
    Label,
    Lookup,
    Map,
    Match,
    Output,
    Part,
    Peak,
    Position,
    Select,
    Spread,
    Use,
    Value,
    Window,
    is_boolean,
)
from symbackprop.codegen.ufuncs import write_ufunc

SHORT = 8
"""The number of entries up to which an axis is reduced slice by slice."""


@dataclass(frozen=True, slots=True)
class Line:
    """A statement that makes the value of a name."""

    text: str
    name: str
    overwrites: tuple[str, ...] = ()
    quiet: bool = False
    comment: str = ""


class ArrayWriter(KernelWriter):
    """Writes values into arrays; `orders` are the axes of values in the order in which they lie in memory."""

    indicators: Mapping[int, int]
    fixed: frozenset[int]
    buffers: dict[str, Buffer]
    orders: dict[int, tuple[int, ...]]
    outputs: dict[int, Output]
    constants: dict[str, str]
    permuted: dict[str, tuple[int, ...]]

    def _find_inline(self, named: Collection[int]) -> frozenset[int]:
        plan = self.plan
        scalars = {n for n in find_inline(plan, named, self._is_quiet) if not plan.values[n].axes}
        return frozenset(n for n in scalars if n not in self.fixed or isinstance(plan.values[n].record, Count))

    def _variable(self, number: int) -> str:
        return super()._variable(self.indicators.get(number, number))

    def _operand(self, use: Use, rank: int) -> str:
        """The variable as it broadcasts; what depends on sizes alone is kept in the order in which it is read."""
        if use.value in self.fixed and list(use.labels) != sorted(use.labels):
            order = sorted(range(len(use.labels)), key=lambda k: use.labels[k])
            text = f"np.ascontiguousarray({self.dialect.transpose(self._variable(use.value), order)})"
            return self._align(self._constant("c", text), sorted(use.labels), rank)
        return super()._operand(use, rank)

    def _is_short(self, use: Use, rank: int) -> bool:
        """Whether the only axis that is reduced has few entries."""
        reduced = [size for label, size in self._labelled(use) if label >= rank]
        return len(reduced) == 1 and not reduced[0].terms and reduced[0].constant <= SHORT

    def _expression(self, value: Value) -> str:
        record, rank = value.record, len(value.axes)
        if isinstance(record, First) and self._is_short(record.use, rank):
            moved, axes = self._reduced(record.use, rank)
            return f"first_of_few({moved}, {axes[0]}) + 1"
        if isinstance(record, Match):
            return self._equation(record.position, rank)
        return super()._expression(value)

    def _equation(self, position: Position, rank: int) -> str:
        """Where a position is 0: its integer tensors on one side, what depends on sizes alone on the other."""
        sides: tuple[list[tuple[Part, int]], list[tuple[Part, int]]] = ([], [])
        for part, coefficient in position.parts:
            sides[not _looks_up(part)].append((part, coefficient))
        if not sides[0] or not sides[1]:
            return f"{self._position(position, rank)} == 0"
        sign = 1 if sides[0][0][1] > 0 else -1
        left = self._position(Position(tuple((p, c * sign) for p, c in sides[0]), Affine()), rank)
        right = self._position(Position(tuple((p, -c * sign) for p, c in sides[1]), position.offset * -sign), rank)
        return f"{left} == {right}"

    def _is_written(self, number: int) -> bool:
        """Whether a value is written into an array that is there before."""
        value = self.plan.values[number]
        kinds = Map | Contract | Peak | Select
        return bool(value.axes) and isinstance(value.record, kinds) and number not in self.fixed

    def _write_into(self, number: int) -> list[Line]:
        """The statements that write a value into its array."""
        value, name = self.plan.values[number], self.variables[number]
        record, rank = value.record, len(value.axes)
        match record:
            case Map():
                self._place(number, self._order_of(record.uses, rank), _dtype(record))
                texts = {slot_symbol(k): self._operand(use, rank) for k, use in enumerate(record.uses)}
                return [
                    Line(write_ufunc(record.body, texts, name, self.dialect), name, self._dying(number, record.uses))
                ]
            case Select():
                self._place(number, self._order_of((record.value,), rank), "DTYPE")
                mask, kept = self._operand(record.mask, rank), self._operand(record.value, rank)
                return [Line(f"keep({mask}, {kept}, out={name})", name, self._dying(number, (record.value,)))]
            case Peak():
                stored = self._labels_in_memory(record.use)
                self._place(number, tuple(label for label in stored if label < rank), "DTYPE")
                moved, axes = self._reduced(record.use, rank)
                if self._is_short(record.use, rank):
                    return [Line(f"largest_of_few({moved}, {axes[0]}, out={name})", name)]
                return [Line(f"{moved}.max(axis={axes[0] if len(axes) == 1 else axes}, out={name})", name)]
            case Contract():
                return self._contract(number, record, rank)
            case _:
                raise AssertionError(f"a record that is not written into an array: {record!r}")

    def _contract(self, number: int, record: Contract, rank: int) -> list[Line]:
        name = self.variables[number]
        sizes = {label: self._size(n) for use in record.uses for label, n in self._labelled(use)}
        factors = [self._stored(use) for use in record.uses]
        if len(factors) == 2:
            product = read_product(factors, rank, sizes, self.dialect)
            if product is not None:
                return self._write_call(number, product.order, product.shape is not None, product.write)
            left, labels = record.uses[0], factors[0][1]
            return self._sum_of_product(number, record, rank, sizes, labels, left)
        if any(self._is_condition(use.value) for use in record.uses):
            self._place(number, None, "DTYPE")
            moved, axes = self._reduced(record.uses[0], rank)
            return [Line(f"{moved}.sum(axis={axes}, out={name})", name)]
        return self._sum(number, factors[0], rank, sizes)

    def _sum_of_product(
        self, number: int, record: Contract, rank: int, sizes: Mapping[int, str], labels: Sequence[int], left: Use
    ) -> list[Line]:
        """A product entry by entry in an array of its own, and its sums."""
        name = self._fresh("t")
        axes = dict(self._labelled(left))
        self.buffers[name] = Buffer(name, tuple(axes[label] for label in labels), "DTYPE")
        one, other = (
            self._align(self._variable(u.value), [labels.index(x) for x in u.labels], len(labels)) for u in record.uses
        )
        return [
            Line(f"np.multiply({one}, {other}, out={name})", name),
            *self._sum(number, (name, tuple(labels)), rank, sizes),
        ]

    def _sum(self, number: int, factor: tuple[str, tuple[int, ...]], rank: int, sizes: Mapping[int, str]) -> list[Line]:
        """The sums of one array as a product with ones where they run over its first or its last axes."""
        name = self.variables[number]
        found = read_sum(factor, rank, sizes, self.dialect)
        if found is None:
            self._place(number, None, "DTYPE")
            text, labels = factor
            axes = tuple(k for k, label in enumerate(labels) if label >= rank)
            kept = [label for label in labels if label < rank]
            out = self.dialect.transpose(name, kept)
            return [Line(f"np.add.reduce({text}, axis={axes}, out={out})", name)]
        ones = self._ones(found.count)
        return self._write_call(number, found.order, found.shape is not None, lambda out: found.write(out, ones))

    def _write_call(
        self, number: int, order: tuple[int, ...], reshaped: bool, write: Callable[[str], str]
    ) -> list[Line]:
        """A call whose result has its axes in this order; what the caller gets may have to be copied from there."""
        name = self.variables[number]
        if number not in self.outputs or not reshaped or list(order) == sorted(order):
            self._place(number, order, "DTYPE")
            return [Line(write(name), name)]
        made, axes = self._fresh("t"), self.plan.values[number].axes
        self.buffers[made] = Buffer(made, tuple(axes[k] for k in order), "DTYPE")
        self.permuted[made] = order
        return [Line(write(made), made), Line(f"np.copyto({name}, {made})", name)]

    def _ones(self, count: str) -> str:
        """The array of that many ones."""
        return self._constant("ones", f"np.ones({count}, DTYPE)")

    def _constant(self, stem: str, text: str) -> str:
        """An array that depends on sizes alone."""
        known = {made: name for name, made in self.constants.items()}
        name = known.get(text) or self._fresh(stem)
        self.constants[name] = text
        return name

    def _labels_in_memory(self, use: Use) -> tuple[int, ...]:
        """The labels of an operand in the order in which its axes lie in memory."""
        return tuple(use.labels[k] for k in self.orders.get(use.value, range(len(use.labels))))

    def _order_of_view(self, record: Window | Spread) -> tuple[int, ...]:
        """The axes of a view in the order in which what it shows lies in memory."""
        if isinstance(record, Spread):
            carried = self._labels_in_memory(record.use)
            return tuple(k for k in range(max(carried, default=-1) + 1) if k not in carried) + carried
        axes = self.orders.get(record.value, range(len(record.positions)))
        steps = [record.positions[axis].parts for axis in axes]
        return tuple(
            part.number
            for parts in steps
            for part, _ in sorted(parts, key=lambda step: -abs(step[1]))
            if isinstance(part, Label)
        )

    def _stored(self, use: Use) -> tuple[str, tuple[int, ...]]:
        """The array with its axes as they lie in memory, and their labels."""
        order = self.orders.get(use.value, tuple(range(len(use.labels))))
        return self.dialect.transpose(self._variable(use.value), order), tuple(use.labels[k] for k in order)

    def _place(self, number: int, order: tuple[int, ...] | None, dtype: str) -> None:
        """Where a value is written: an array whose axes lie in memory in this order, or what the caller gets."""
        if number in self.outputs:
            return
        axes, name = self.plan.values[number].axes, self.variables[number]
        order = order or tuple(range(len(axes)))
        self.orders[number] = order
        self.buffers[name] = Buffer(name, tuple(axes[k] for k in order), dtype)
        self.permuted[name] = order

    def _order_of(self, uses: Sequence[Use], rank: int) -> tuple[int, ...] | None:
        """The order of the axes of the first operand that has all, of one that lies in its own way if any does."""
        whole = [self._labels_in_memory(use) for use in uses if len(use.labels) == rank]
        return next((order for order in whole if list(order) != list(range(rank))), whole[0] if whole else None)

    def _dying(self, number: int, uses: Sequence[Use]) -> tuple[str, ...]:
        """The operands that may be written over if nothing reads them later: entry by entry those of the result."""
        rank = len(self.plan.values[number].axes)
        whole = [u for u in uses if u.labels == tuple(range(rank))]
        own = self.orders.get(number)
        same = [u for u in whole if self.orders.get(u.value) == own and u.value not in self.indicators]
        return tuple(self.variables[u.value] for u in same if u.value in self.variables)

    def _is_condition(self, number: int) -> bool:
        record = self.plan.values[number].record
        return isinstance(record, Match | Inside) or (isinstance(record, Map) and is_boolean(record.body))


def _looks_up(part: Part) -> bool:
    """Whether a part of a position reads an integer tensor."""
    if isinstance(part, Label):
        return False
    if isinstance(part, Lookup):
        return True
    return any(_looks_up(p) for position in (part.position, part.divisor) for p, _ in position.parts)


def _dtype(record: Map) -> str:
    return "bool" if is_boolean(record.body) else "DTYPE"
