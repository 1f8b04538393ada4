"""Values of a plan as statements that write them into arrays, whatever arrays these are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import sympy

from symbackprop.calculus.definitions import slot_symbol
from symbackprop.calculus.indices import Affine
from symbackprop.codegen.buffers import Buffer
from symbackprop.codegen.deposits import Deposit
from symbackprop.codegen.expressions import BodyPrinter
from symbackprop.codegen.inlining import find_inline
from symbackprop.codegen.kernels import KernelWriter, whole_label
from symbackprop.codegen.products import (
    Factor,
    group_factors,
    read_product,
    read_sum,
    stands_together,
    write_contraction,
)
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
    Record,
    Scatter,
    Select,
    Spread,
    Use,
    Value,
    Window,
    is_boolean,
)
from symbackprop.codegen.tilings import Tiling, find_tiling, is_joined
from symbackprop.codegen.ufuncs import write_ufunc

NUMBERS: Mapping[sympy.Expr, str] = MappingProxyType({
    sympy.Integer(0): "zero", sympy.Integer(1): "one", sympy.Integer(2): "two", sympy.S.Half: "half",
})  # fmt: skip
"""What numbers are called that are written often."""
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
    deposits: Mapping[int, Deposit]
    fixed: frozenset[int]
    buffers: dict[str, Buffer]
    orders: dict[int, tuple[int, ...]]
    outputs: dict[int, Output]
    constants: dict[str, str]
    permuted: dict[str, tuple[int, ...]]
    copies: dict[tuple[int, tuple[int, ...]], str]
    leading: Mapping[int, int]
    owns_outputs: bool

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
        if isinstance(record, Scatter) and is_joined(record):
            return self._joined_tiles(record)
        if isinstance(record, Contract) and len(record.uses) == 2 and not rank:
            stored = [self._stored(use) for use in record.uses]
            if stored[0][1] == stored[1][1]:
                sizes = {label: self._size(n) for label, n in self._labelled(record.uses[0])}
                return write_contraction(stored, rank, sizes, self.dialect)
        return super()._expression(value)

    def _joined_tiles(self, record: Scatter) -> str:
        """Tiles that fill an axis: a view where a tile and the places in it lie next to each other."""
        tiling = find_tiling(record)
        assert tiling is not None
        labels = list(self._labels_in_memory(record.use))
        labels.remove(tiling.place)
        labels.insert(labels.index(tiling.tile) + 1, tiling.place)
        order = self._order_of_tiles(tiling, labels)
        shape = self._shape([record.size if axis == 0 else dict(self._labelled(record.use))[axis] for axis in order])
        text = f"{self._aligned_labels(record.use, labels)}.reshape({shape})"
        return self.dialect.transpose(text, sorted(range(len(order)), key=lambda k: order[k]))

    def _equation(self, position: Position, rank: int) -> tuple[str, str]:
        """Two sides that are equal where a position is 0: its integer tensors, and what depends on sizes alone."""
        sides: tuple[list[tuple[Part, int]], list[tuple[Part, int]]] = ([], [])
        for part, coefficient in position.parts:
            sides[not _looks_up(part)].append((part, coefficient))
        if not sides[0] or not sides[1]:
            return self._position(position, rank), "0"
        sign = 1 if sides[0][0][1] > 0 else -1
        left = self._position(Position(tuple((p, c * sign) for p, c in sides[0]), Affine()), rank)
        right = self._position(Position(tuple((p, -c * sign) for p, c in sides[1]), position.offset * -sign), rank)
        if position.offset.integer is not None and all(isinstance(part, Label) for part, _ in sides[1]):
            right = self._constant("i", f"small({right})")  # no step of a loop is in it
        return left, right

    def _is_written(self, number: int) -> bool:
        """Whether a value is written into an array that is there before."""
        value = self.plan.values[number]
        kinds = Map | Contract | Peak | Select
        tiles = find_tiling(value.record)
        written = isinstance(value.record, kinds) or (tiles is not None and not tiles.exact)
        if isinstance(value.record, First):
            written = self._is_short(value.record.use, len(value.axes))
        if isinstance(value.record, Match):
            written = any(_looks_up(part) for part, _ in value.record.position.parts)
        return bool(value.axes) and written and number not in self.fixed

    def _write_into(self, number: int) -> list[Line]:
        """The statements that write a value into its array."""
        value, name = self.plan.values[number], self.variables[number]
        record, rank = value.record, len(value.axes)
        match record:
            case Map() if number in self.deposits:
                return [self._deposit(number, self.deposits[number], rank)]
            case First():
                stored = self._labels_in_memory(record.use)
                self._place(number, tuple(label for label in stored if label < rank), "np.int8")
                moved, axes = self._reduced(record.use, rank)
                return [Line(f"first_of_few({moved}, {axes[0]}, out={name})", name)]
            case Match():
                self._place(number, self._order_of_reader(number), "bool")
                return [Line(f"np.equal({', '.join(self._equation(record.position, rank))}, out={name})", name)]
            case Map():
                order = self._order_of(record.uses, rank)
                if is_boolean(record.body):
                    order = self._order_of_reader(number) or order
                first = self.leading.get(number)
                if first is not None:
                    order = (first, *(axis for axis in order or range(rank) if axis != first))
                self._place(number, order, _dtype(record))
                lines, texts = self._operands(record, order, rank)
                text = write_ufunc(record.body, texts, name, self.dialect, self._number)
                return [*lines, Line(text, name, self._dying(number, record.uses))]
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
            case Scatter():
                return [self._tiles(number, record)]
            case _:
                raise AssertionError(f"a record that is not written into an array: {record!r}")

    def _operands(
        self, record: Map, order: Sequence[int] | None, rank: int
    ) -> tuple[list[Line], dict[sympy.Symbol, str]]:
        """The operands of a map by their slots; one that is repeated is first copied as the result lies."""
        lines: list[Line] = []
        texts: dict[sympy.Symbol, str] = {}
        for k, use in enumerate(record.uses):
            stored, labels = self._labels_in_memory(use), tuple(a for a in order or range(rank) if a in use.labels)
            if stored == labels or not 1 < len(labels) < rank or not self._is_plain(use.value):
                texts[slot_symbol(k)] = self._operand(use, rank)
                continue
            axes = tuple(use.labels.index(label) for label in labels)
            lines += self._copy(use.value, axes)
            texts[slot_symbol(k)] = self._align(self.copies[use.value, axes], labels, rank)
        return lines, texts

    def _is_plain(self, number: int) -> bool:
        """Whether a value is an array of numbers that is computed at every call."""
        record = self.plan.values[number].record
        return isinstance(record, Map | Contract | Peak) and not self._is_condition(number) and self._is_written(number)

    def _copy(self, number: int, order: tuple[int, ...]) -> list[Line]:
        """The line that copies a value with its axes in this order, unless there is such a copy."""
        if (number, order) in self.copies:
            return []
        name = self.copies[number, order] = self._fresh("k")
        axes = self.plan.values[number].axes
        self.buffers[name] = Buffer(name, tuple(axes[k] for k in order), "DTYPE")
        return [Line(f"np.copyto({name}, {self.dialect.transpose(self._variable(number), order)})", name)]

    def _tiles(self, number: int, record: Scatter) -> Line:
        """The statement that writes tiles side by side."""
        tiling = find_tiling(record)
        assert tiling is not None
        name, labels = self.variables[number], self._labels_in_memory(record.use)
        self._place(number, self._order_of_tiles(tiling, labels), "DTYPE")
        rest = sorted(label for label in labels if label not in (tiling.tile, tiling.place))
        moved = self._aligned_labels(record.use, [tiling.tile, tiling.place, *rest])
        return Line(f"tile({moved}, {self._size(tiling.begin)}, out={name})", name)

    def _order_of_tiles(self, tiling: Tiling, labels: Sequence[int]) -> tuple[int, ...]:
        """The axes of what tiles make, each pair of a tile and a place in it one of them, as the labels lie."""
        return tuple(0 if label == tiling.tile else label for label in labels if label != tiling.place)

    def _aligned_labels(self, use: Use, labels: Sequence[int]) -> str:
        """The variable with its axes in the order of these labels."""
        return self.dialect.transpose(self._variable(use.value), [use.labels.index(label) for label in labels])

    def _deposit(self, number: int, deposit: Deposit, rank: int) -> Line:
        """The statement that adds entries to what they are added to."""
        name = self.variables[number]
        self._place(number, self._order_of((deposit.base,), rank), "DTYPE")
        base, place = self._operand(deposit.base, rank), self._position(deposit.position, rank)
        value = (
            self._operand(deposit.value, rank)
            if isinstance(deposit.value, Use)
            else BodyPrinter({}, self.dialect).argument(deposit.value)
        )
        text = f"add_at({base}, {deposit.axis}, {place}, {'' if deposit.sign > 0 else '-'}{value}, out={name})"
        return Line(text, name, self._dying(number, (deposit.base,)))

    def _contract(self, number: int, record: Contract, rank: int) -> list[Line]:
        name = self.variables[number]
        sizes = {label: self._size(n) for use in record.uses for label, n in self._labelled(use)}
        factors = [self._stored(use) for use in record.uses]
        if len(factors) == 2:
            lines, arranged = self._arrange(record.uses, factors, rank, self.leading.get(number))
            product = read_product(arranged, rank, sizes, self.dialect)
            if product is not None:
                floats = not any(self._is_condition(use.value) for use in record.uses)
                call = partial(product.write, plain=self._lies_in_order(number, product.order) and floats)
                return [*lines, *self._write_call(number, product.order, product.shape is not None, call)]
            left, labels = record.uses[0], factors[0][1]
            return self._sum_of_product(number, record, rank, sizes, labels, left)
        if any(self._is_condition(use.value) for use in record.uses):
            self._place(number, None, "DTYPE")
            moved, axes = self._reduced(record.uses[0], rank)
            return [Line(f"{moved}.sum(axis={axes}, out={name})", name)]
        return self._sum(number, factors[0], rank, sizes)

    def _arrange(
        self, uses: Sequence[Use], factors: Sequence[Factor], rank: int, leading: int | None
    ) -> tuple[list[Line], list[Factor]]:
        """The factors of a matrix product, copied where they could not be taken as matrices as they lie in memory, or
        where the axis of the result that is to lead is not the first of its rows; a copy serves all products that need
        it.
        """
        lines: list[Line] = []
        arranged: list[Factor] = []
        (_, left), (_, right) = factors
        rows = [label for label in left if label < rank and label not in right]
        late = leading in rows[1:]
        if late:
            left = tuple(label for label in left if label == leading) + tuple(x for x in left if x != leading)
        groups = group_factors(left, right, rank)
        for use, factor, wanted in zip(uses, factors, groups, strict=True):
            if self._is_matrix(use, factor[1], wanted) and not (late and not arranged):
                arranged.append(factor)
                continue
            labels = tuple(label for group in wanted for label in group)
            order = tuple(use.labels.index(label) for label in labels)
            lines += self._copy(use.value, order)
            arranged.append((self.copies[use.value, order], labels))
        return lines, arranged

    def _is_matrix(self, use: Use, labels: Sequence[int], groups: Sequence[Sequence[int]]) -> bool:
        """Whether the axes of each group can be taken as one where they lie."""
        record = self.plan.values[use.value].record
        several = [group for group in groups if len(group) > 1]
        if use.value in self.fixed or not several:
            return True
        if not all(stands_together(labels, group) for group in several):
            return False
        if isinstance(record, Spread):
            return False
        return not isinstance(record, Window) or all(
            self._is_whole(record, use.labels.index(label)) for group in several for label in group[1:]
        )

    def _is_whole(self, window: Window, label: int) -> bool:
        """Whether a label of a view runs over an axis of what it shows as it is."""
        for position, size in zip(window.positions, self.plan.values[window.value].axes, strict=True):
            if any(isinstance(part, Label) and part.number == label for part, _ in position.parts):
                return whole_label(position, size) == label
        return False

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
        call = partial(found.write, ones=ones, plain=self._lies_in_order(number, found.order))
        return self._write_call(number, found.order, found.shape is not None, call)

    def _lies_in_order(self, number: int, order: Sequence[int]) -> bool:
        """Whether what a call writes into has its axes in this order in memory, and no gaps."""
        return number not in self.outputs or (self.owns_outputs and list(order) == sorted(order))

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

    def _number(self, value: sympy.Expr) -> str:
        """A number as an array of its own: a call takes half as long with one as with a number of Python."""
        text = BodyPrinter({}, self.dialect).argument(value)
        return self._constant(NUMBERS.get(value, "number"), f"np.array({text}, DTYPE)")

    def _constant(self, stem: str, text: str) -> str:
        """An array that depends on sizes alone."""
        known = {made: name for name, made in self.constants.items()}
        name = known.get(text) or self._fresh(stem)
        self.constants[name] = text
        return name

    def _labels_in_memory(self, use: Use) -> tuple[int, ...]:
        """The labels of an operand in the order in which its axes lie in memory."""
        number = self.indicators.get(use.value, use.value)
        return tuple(use.labels[k] for k in self.orders.get(number, range(len(use.labels))))

    def _order_of_view(self, record: Record) -> tuple[int, ...]:
        """The axes of a view in the order in which what it shows lies in memory."""
        tiling = find_tiling(record)
        if tiling is not None and isinstance(record, Scatter):
            return self._order_of_tiles(tiling, self._labels_in_memory(record.use))
        if isinstance(record, Spread):
            carried = self._labels_in_memory(record.use)
            return tuple(k for k in range(max(carried, default=-1) + 1) if k not in carried) + carried
        assert isinstance(record, Window)
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
        labels = self._labels_in_memory(use)
        return self._aligned_labels(use, labels), labels

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

    def _order_of_reader(self, number: int) -> tuple[int, ...] | None:
        """The axes of a condition as what it selects from lies, if that is known by then."""
        for place in (*self.plan.forward, *self.plan.backward):
            record, rank = self.plan.values[place].record, len(self.plan.values[place].axes)
            order: Sequence[int] | None = None
            if isinstance(record, Select) and record.mask.value == number and record.value.value in self.orders:
                use, order = record.mask, self._order_of((record.value,), rank) or range(rank)
            elif isinstance(record, Map) and is_boolean(record.body):
                found = [use for use in record.uses if use.value == number]
                if found:
                    use, order = found[0], self._order_of_reader(place)
            if order is not None:
                return tuple(use.labels.index(label) for label in order if label in use.labels)
        return None

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
