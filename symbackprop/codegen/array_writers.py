"""Values of a plan as statements that write them into arrays, whatever arrays these are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import sympy

from symbackprop.calculus.definitions import slot_symbol
from symbackprop.calculus.indices import Affine
from symbackprop.codegen.array_layouts import LayoutWriter, Line
from symbackprop.codegen.buffers import Buffer
from symbackprop.codegen.deposits import Deposit
from symbackprop.codegen.expressions import BodyPrinter
from symbackprop.codegen.foldings import Folding
from symbackprop.codegen.inlining import find_inline
from symbackprop.codegen.joined_axes import find_joined_axes
from symbackprop.codegen.products import (
    read_product,
    read_sum,
    write_contraction,
)
from symbackprop.codegen.records import (
    Contract,
    Count,
    First,
    Gather,
    Label,
    Lookup,
    Map,
    Match,
    Part,
    Peak,
    Position,
    Scatter,
    Select,
    Use,
    Value,
    Weave,
    is_boolean,
    uses_of,
)
from symbackprop.codegen.tilings import find_tiling, is_joined
from symbackprop.codegen.ufuncs import write_ufunc
from symbackprop.codegen.weaving import Thread

NUMBERS: Mapping[sympy.Expr, str] = MappingProxyType({
    sympy.Integer(0): "zero", sympy.Integer(1): "one", sympy.Integer(2): "two", sympy.S.Half: "half",
})  # fmt: skip
"""What numbers are called that are written often."""
WORDS = frozenset({"ones", "highest", *NUMBERS.values()})
SHORT = 8
"""The number of entries up to which an axis is reduced slice by slice."""


class ArrayWriter(LayoutWriter):
    """Writes values into arrays."""

    deposits: Mapping[int, Deposit]
    constants: dict[str, str]
    leading: Mapping[int, int]
    foldings: Mapping[int, Folding]

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

    def _joined_axes(self, record: Gather, axes: Sequence[Affine]) -> tuple[str, tuple[int, ...]] | None:
        """What goes through several axes as one, where these follow each other in memory: a view, and how it lies."""
        own = self.plan.values[record.value].axes
        joined = find_joined_axes(record, own)
        if joined is None:
            return None
        lying = tuple(self.orders.get(record.value, range(len(own))))
        places = [lying.index(group[0]) for group in joined]
        if any(lying[k : k + len(group)] != group for k, group in zip(places, joined, strict=True)):
            return None
        order = tuple(sorted(range(len(joined)), key=lambda label: places[label]))
        shape = self._shape([axes[label] for label in order])
        text = f"{self.dialect.transpose(self._variable(record.value), lying)}.reshape({shape})"
        return self.dialect.transpose(text, sorted(range(len(order)), key=lambda k: order[k])), order

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
        kinds = Map | Contract | Peak | Select | Weave
        tiles = find_tiling(value.record)
        written = isinstance(value.record, kinds) or (tiles is not None and not tiles.exact) or number in self.foldings
        if isinstance(value.record, First):
            written = self._is_short(value.record.use, len(value.axes))
        if isinstance(value.record, Match):
            written = any(_looks_up(part) for part, _ in value.record.position.parts)
        return bool(value.axes) and written and number not in self.fixed

    def _write_into(self, number: int) -> list[Line]:
        """The statements that write a value into its array, after those that it needs."""
        lines = self._write_value(number)
        before, self.pending = self.pending, []
        return [*before, *lines]

    def _write_value(self, number: int) -> list[Line]:
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
                text = write_ufunc(record.body, texts, name, self.dialect, self._number, self._highest)
                return [*lines, Line(text, name, self._dying(number, record.uses))]
            case Select():
                order = self._order_of((record.value, record.mask), rank)
                self._place(number, order, "DTYPE")
                lines, kept = self._copy_shared(record.value, order, rank)
                text = f"keep({self._operand(record.mask, rank)}, {kept}, out={name})"
                return [*lines, Line(text, name, self._dying(number, (record.value,)))]
            case Peak():
                stored = self._labels_in_memory(record.use)
                self._place(number, tuple(label for label in stored if label < rank), "DTYPE")
                moved, axes = self._reduced(record.use, rank)
                if self._is_short(record.use, rank):
                    return [Line(f"largest_of_few({moved}, {axes[0]}, out={name})", name)]
                return [Line(f"{moved}.max(axis={axes[0] if len(axes) == 1 else axes}, out={name})", name)]
            case Contract():
                return self._contract(number, record, rank)
            case Weave():
                return self._weave(number, record, rank)
            case Scatter() if number in self.foldings:
                return [self._fold(number, self.foldings[number], rank)]
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

    def _copy_shared(self, use: Use, order: Sequence[int] | None, rank: int) -> tuple[list[Line], str]:
        """An operand, copied as the result lies if it lies in another way and several values read it."""
        stored, labels = self._labels_in_memory(use), tuple(a for a in order or range(rank) if a in use.labels)
        numbers = (*self.plan.forward, *self.plan.backward)
        reads = sum(u.value == use.value for n in numbers for u in uses_of(self.plan.values[n].record))
        if stored == labels or reads < 2 or len(labels) < 2 or not self._is_plain(use.value):
            return [], self._operand(use, rank)
        axes = tuple(use.labels.index(label) for label in labels)
        lines = self._copy(use.value, axes)
        return lines, self._align(self.copies[use.value, axes], labels, rank)

    def _is_plain(self, number: int) -> bool:
        """Whether a value is an array of numbers that is computed at every call."""
        record = self.plan.values[number].record
        return isinstance(record, Map | Contract | Peak) and not self._is_condition(number) and self._is_written(number)

    def _tiles(self, number: int, record: Scatter) -> Line:
        """The statement that writes tiles side by side."""
        tiling = find_tiling(record)
        assert tiling is not None
        name, labels = self.variables[number], self._labels_in_memory(record.use)
        self._place(number, self._order_of_tiles(tiling, labels), "DTYPE")
        rest = sorted(label for label in labels if label not in (tiling.tile, tiling.place))
        moved = self._aligned_labels(record.use, [tiling.tile, tiling.place, *rest])
        return Line(f"tile({moved}, {self._size(tiling.begin)}, out={name})", name)

    def _weave(self, number: int, record: Weave, rank: int) -> list[Line]:
        """The statements that write by turns what is not written so on its own."""
        self._begin_weave(number, range(rank))
        name, own = self.variables[number], range(len(record.uses))
        others = [k for k in own if self.threads.get(record.uses[k].value) != Thread(number, k)]
        lines = [
            Line(f"np.copyto({self._slice_of_weave(number, k)}, {self._variable(record.uses[k].value)})", name)
            for k in others
        ]
        return lines or [Line("", name)]

    def _fold(self, number: int, folding: Folding, rank: int) -> Line:
        """The statement that sums entries into places at even steps."""
        name, use = self.variables[number], folding.use
        axes = {label: course.axis for course in folding.courses for label, _, _ in course.steps}
        stored = self._labels_in_memory(use)
        order = tuple(dict.fromkeys(axes.get(label, label) for label in stored))
        self._place(number, order if len(order) == rank else None, "DTYPE")
        rest = [axis for axis in range(rank) if axis not in axes.values()]
        moved = self._aligned_labels(use, [*axes, *rest])
        courses = []
        for course in folding.courses:
            steps = "".join(f"({step}, {self._size(count)}), " for _, step, count in course.steps).strip()
            courses.append(f"({course.axis}, {self._size(course.begin)}, ({steps})), ")
        return Line(f"fold({moved}, ({''.join(courses).strip()}), out={name})", name)

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
        text = f"add_at({base}, {deposit.axis}, {place}, {value}, out={name})"
        return Line(text, name, self._dying(number, (deposit.base,)))

    def _contract(self, number: int, record: Contract, rank: int) -> list[Line]:
        name = self.variables[number]
        sizes = {label: self._size(n) for use in record.uses for label, n in self._labelled(use)}
        factors = [self._stored(use) for use in record.uses]
        if len(factors) == 2:
            leading, uses = self.leading.get(number), record.uses
            if leading is None and self._is_turned(uses, factors, rank):
                uses, factors = uses[::-1], factors[::-1]
            lines, arranged = self._arrange(uses, factors, rank, leading)
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

    def _highest(self) -> str:
        """The largest exponent."""
        return self._constant("highest", "np.asarray(exponent(DTYPE(np.inf)))")

    def _constant(self, stem: str, text: str) -> str:
        """An array that depends on sizes alone."""
        known = {made: name for name, made in self.constants.items()}
        name = known.get(text) or (stem if stem in WORDS - self.taken else self._fresh(stem))
        self.taken.add(name)
        self.constants[name] = text
        return name


def _looks_up(part: Part) -> bool:
    """Whether a part of a position reads an integer tensor."""
    if isinstance(part, Label):
        return False
    if isinstance(part, Lookup):
        return True
    return any(_looks_up(p) for position in (part.position, part.divisor) for p, _ in position.parts)


def _dtype(record: Map) -> str:
    return "bool" if is_boolean(record.body) else "DTYPE"
