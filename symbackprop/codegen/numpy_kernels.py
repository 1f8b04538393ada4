"""A plan as NumPy functions that write into arrays of their own, which calls with the same sizes share.

`_workspace` makes these arrays, and what depends on sizes alone, once for each choice of sizes. `_forward` borrows one
set of them and `_backward` gives it back. Every line of the passes writes one array, over another where that is read
for the last time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.calculus.definitions import slot_symbol
from symbackprop.calculus.indices import Affine
from symbackprop.codegen.buffers import Access, Buffer, share_memory
from symbackprop.codegen.dialects import Dialect
from symbackprop.codegen.inlining import find_indicators, find_inline
from symbackprop.codegen.kernels import BodyWriter, KernelWriter
from symbackprop.codegen.products import read_product, read_sum
from symbackprop.codegen.records import (
    Constant,
    Contract,
    Count,
    First,
    Given,
    Inside,
    Label,
    Lookup,
    Loop,
    Map,
    Match,
    Output,
    Part,
    Peak,
    Pick,
    Plan,
    Position,
    Segment,
    Select,
    Spread,
    State,
    Take,
    Use,
    Value,
    Window,
    find_fixed,
    is_boolean,
)
from symbackprop.codegen.ufuncs import write_ufunc

SHORT = 8
"""The number of entries up to which an axis is reduced slice by slice."""


def write_numpy_kernel(
    plan: Plan, arrays: Sequence[str], sizes: Sequence[str], comments: Mapping[str, str], dialect: Dialect
) -> str:
    """The source of `_workspace(*sizes)`, of `_forward(*arrays, *sizes)` -> (value, saved) and of
    `_backward(*saved, out=None)` -> gradients in order, written into the arrays of `out` where there is one.
    """
    return _NumpyKernelWriter(plan, arrays, sizes, comments, dialect).write()


@dataclass(frozen=True, slots=True)
class _Line:
    """A statement that makes the value of a name."""

    text: str
    name: str
    overwrites: tuple[str, ...] = ()
    quiet: bool = False
    comment: str = ""


class _ArrayWriter(KernelWriter):
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

    def _write_into(self, number: int) -> list[_Line]:
        """The statements that write a value into its array."""
        value, name = self.plan.values[number], self.variables[number]
        record, rank = value.record, len(value.axes)
        match record:
            case Map():
                self._place(number, self._order_of(record.uses, rank), _dtype(record))
                texts = {slot_symbol(k): self._operand(use, rank) for k, use in enumerate(record.uses)}
                return [
                    _Line(write_ufunc(record.body, texts, name, self.dialect), name, self._dying(number, record.uses))
                ]
            case Select():
                self._place(number, self._order_of((record.value,), rank), "DTYPE")
                mask, kept = self._operand(record.mask, rank), self._operand(record.value, rank)
                return [_Line(f"keep({mask}, {kept}, out={name})", name, self._dying(number, (record.value,)))]
            case Peak():
                stored = self._labels_in_memory(record.use)
                self._place(number, tuple(label for label in stored if label < rank), "DTYPE")
                moved, axes = self._reduced(record.use, rank)
                if self._is_short(record.use, rank):
                    return [_Line(f"largest_of_few({moved}, {axes[0]}, out={name})", name)]
                return [_Line(f"{moved}.max(axis={axes[0] if len(axes) == 1 else axes}, out={name})", name)]
            case Contract():
                return self._contract(number, record, rank)
            case _:
                raise AssertionError(f"a record that is not written into an array: {record!r}")

    def _contract(self, number: int, record: Contract, rank: int) -> list[_Line]:
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
            return [_Line(f"{moved}.sum(axis={axes}, out={name})", name)]
        return self._sum(number, factors[0], rank, sizes)

    def _sum_of_product(
        self, number: int, record: Contract, rank: int, sizes: Mapping[int, str], labels: Sequence[int], left: Use
    ) -> list[_Line]:
        """A product entry by entry in an array of its own, and its sums."""
        name = self._fresh("t")
        axes = dict(self._labelled(left))
        self.buffers[name] = Buffer(name, tuple(axes[label] for label in labels), "DTYPE")
        one, other = (
            self._align(self._variable(u.value), [labels.index(x) for x in u.labels], len(labels)) for u in record.uses
        )
        return [
            _Line(f"np.multiply({one}, {other}, out={name})", name),
            *self._sum(number, (name, tuple(labels)), rank, sizes),
        ]

    def _sum(
        self, number: int, factor: tuple[str, tuple[int, ...]], rank: int, sizes: Mapping[int, str]
    ) -> list[_Line]:
        """The sums of one array as a product with ones where they run over its first or its last axes."""
        name = self.variables[number]
        found = read_sum(factor, rank, sizes, self.dialect)
        if found is None:
            self._place(number, None, "DTYPE")
            text, labels = factor
            axes = tuple(k for k, label in enumerate(labels) if label >= rank)
            kept = [label for label in labels if label < rank]
            out = self.dialect.transpose(name, kept)
            return [_Line(f"np.add.reduce({text}, axis={axes}, out={out})", name)]
        ones = self._ones(found.count)
        return self._write_call(number, found.order, found.shape is not None, lambda out: found.write(out, ones))

    def _write_call(
        self, number: int, order: tuple[int, ...], reshaped: bool, write: Callable[[str], str]
    ) -> list[_Line]:
        """A call whose result has its axes in this order; what the caller gets may have to be copied from there."""
        name = self.variables[number]
        if number not in self.outputs or not reshaped or list(order) == sorted(order):
            self._place(number, order, "DTYPE")
            return [_Line(write(name), name)]
        made, axes = self._fresh("t"), self.plan.values[number].axes
        self.buffers[made] = Buffer(made, tuple(axes[k] for k in order), "DTYPE")
        self.permuted[made] = order
        return [_Line(write(made), made), _Line(f"np.copyto({name}, {made})", name)]

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

    def _order_of(self, uses: Sequence[Use], rank: int) -> tuple[int, ...] | None:
        """The order of the axes of the first operand that has all of them, of one that lies in its own way if any does."""
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


class _NumpyKernelWriter(_ArrayWriter):
    """Writes the statements of both passes, then what they share."""

    def __init__(
        self, plan: Plan, arrays: Sequence[str], sizes: Sequence[str], comments: Mapping[str, str], dialect: Dialect
    ) -> None:
        self.indicators = find_indicators(plan)
        self.fixed = find_fixed(plan.values)
        super().__init__(plan, arrays, sizes, comments, dialect)
        self.buffers: dict[str, Buffer] = {}
        self.orders: dict[int, tuple[int, ...]] = {}
        self.outputs: dict[int, Output] = {}
        self.bases: dict[str, frozenset[str]] = {}
        self.constants: dict[str, str] = {}
        self.permuted: dict[str, tuple[int, ...]] = {}

    def write(self) -> str:
        """The functions."""
        plan = self.plan
        fixed = [n for n in (*plan.forward, *plan.backward) if n in self.fixed and n not in self.inline]
        self._find_outputs()
        forward, backward = self._statements(plan.forward), self._statements(plan.backward)
        shared = {n for n in range(len(plan.values)) if n in self.fixed or self._is_written(n)}
        value = super()._own(plan.result, set(shared))
        returned = [self._returned(gradient, shared) for gradient in plan.gradients]
        memory = self._share(forward, backward, value, returned)
        borrowable = {**{self.variables[n]: "" for n in fixed}, **dict.fromkeys(self.constants, ""), **memory}
        passes = [self._print(forward), self._print(backward)]
        texts = ["\n".join([*passes[0], value]), "\n".join([*passes[1], *returned])]
        borrowed = [[name for name in borrowable if name in _words(text)] for text in texts]
        made = self._returned_arrays()
        saved = self._needed("\n".join([texts[1], *made]), borrowable)
        arguments = [self.names[n] for n in self.arrays]
        sizes = [self.names[n] for n in self.size_names]
        lines = ["@Workspaces", f"def _workspace({', '.join(sizes)}):"]
        lines += [*self._workspace(fixed, memory, borrowed), "", ""]
        lines += [f"def _forward({', '.join(arguments + sizes)}):", f"    work = _workspace.lend({', '.join(sizes)})"]
        lines += _unpack(borrowed[0], "work.forward")
        lines += [*passes[0], f"    return {value}, ({''.join(f'{n}, ' for n in ('work', *saved)).strip()})", "", ""]
        lines += [f"def _backward({', '.join(['work', *saved, 'out=None'])}):", *made]
        lines += _unpack(borrowed[1], "work.backward")
        lines += [*passes[1], "    work.give_back()"]
        lines += (
            ["    return (", *(f"        {text}," for text in returned), "    )"] if returned else ["    return ()"]
        )
        return "\n".join([*lines, ""])

    def _find_outputs(self) -> None:
        """The gradients that are computed where they are returned."""
        backward = set(self.plan.backward)
        for gradient in self.plan.gradients:
            number = gradient.use.value
            whole = gradient.axes and gradient.use.labels == tuple(range(len(gradient.axes)))
            if whole and number in backward and number not in self.outputs and self._is_written(number):
                self.outputs[number] = gradient

    def _statements(self, numbers: Sequence[int]) -> list[_Line]:
        lines: list[_Line] = []
        named = dict(self.plan.named)
        for number in numbers:
            value = self.plan.values[number]
            skipped = number in self.inline or number in self.fixed or number in self.indicators
            if skipped or isinstance(value.record, Given | Constant | Pick):
                continue
            if isinstance(value.record, Loop):
                lines += self._loop_lines(number, value.record)
                continue
            name, quiet = self.variables[number], self._is_quiet(number)
            comment = self.comments.get(named.get(number, ""), "")
            if self._is_written(number):
                made = self._write_into(number)
                lines += [replace(line, quiet=quiet) for line in made[:-1]]
                lines.append(replace(made[-1], quiet=quiet, comment=comment))
                continue
            text = self._expression(value)
            if isinstance(value.record, Window | Take | Spread):
                self.bases[name] = frozenset(_words(text))
            if isinstance(value.record, Window | Spread):
                order = self._order_of_view(value.record)
                if sorted(order) == list(range(len(value.axes))):
                    self.orders[number] = order
            lines.append(_Line(f"{name} = {text}", name, (), quiet, comment))
        return lines

    def _loop_lines(self, number: int, loop: Loop) -> list[_Line]:
        """A loop, and before it the arrays that it makes, each with the axis of its steps first."""
        picks = {v.record.number: n for n, v in enumerate(self.plan.values)
                 if isinstance(v.record, Pick) and v.record.loop == number}  # fmt: skip
        lines = []
        for k, state in enumerate(loop.states):
            others = tuple(axis for axis in range(len(state.axes)) if axis != state.axis)
            self._place(picks[k], (state.axis, *others), "DTYPE")
            name = self.variables[picks[k]]
            lines.append(_Line(f"{name}[...] = 0", name))
        return [*lines, _Line("\n".join(self._loop(number, loop, "    ")), "")]

    def _begin(self, name: str, state: State) -> str:
        return ""

    def _body_writer(self, loop: Loop, segment: Segment, states: Sequence[str]) -> BodyWriter:
        return _NumpyBodyWriter(self, loop, segment, states)

    def _returned(self, gradient: Output, shared: set[int]) -> str:
        """The expression of a gradient."""
        number = gradient.use.value
        return self.variables[number] if self.outputs.get(number) is gradient else super()._own(gradient, shared)

    def _returned_arrays(self) -> list[str]:
        """The lines that take the arrays of gradients from the caller or make them."""
        if not self.outputs:
            return []
        inside = {id(gradient): number for number, gradient in self.outputs.items()}
        names, made = [], []
        for gradient in self.plan.gradients:
            number = inside.get(id(gradient))
            names.append("_" if number is None else self.variables[number])
            made.append("None" if number is None else f"np.empty({self._shape(gradient.axes)}, DTYPE)")
        lines = ["    if out is None:", "        out = (", *(f"            {text}," for text in made), "        )"]
        return [*lines, f"    {', '.join(names)}{',' if len(names) == 1 else ''} = out"]

    def _share(
        self, forward: Sequence[_Line], backward: Sequence[_Line], value: str, returned: Sequence[str]
    ) -> dict[str, int]:
        """The memory of each array, for what both passes read."""
        lines = [*forward, _Line(value, ""), *backward, _Line("\n".join(returned), "")]
        accesses = [Access(line.name, self._reads(line), line.overwrites) for line in lines]
        memory = share_memory(accesses, self.buffers)
        inside = [name for name in self.buffers if name not in memory]  # a loop writes them at every step
        return memory | {name: len(memory) + k for k, name in enumerate(inside)}

    def _reads(self, line: _Line) -> frozenset[str]:
        """The arrays that a statement reads, those that its views show included."""
        found = _words(line.text)
        waiting = set(found)
        while waiting:
            more = set().union(*(self.bases.get(name, frozenset()) for name in waiting)) - found
            found |= more
            waiting = more
        return frozenset((found & set(self.buffers)) - {line.name})

    def _print(self, lines: Sequence[_Line]) -> list[str]:
        printed: list[str] = []
        quiet_before = False
        for line in lines:
            if line.quiet and not quiet_before:
                printed.append("    with np.errstate(all='ignore'):")
            margin = "        " if line.quiet else "    "
            if line.comment:
                text = "".join(c if c.isprintable() else " " for c in line.comment)
                printed.append(f"{margin}# {text}")
            printed += [line.text] if line.name == "" else [f"{margin}{line.text}"]
            quiet_before = line.quiet
        return printed

    def _needed(self, text: str, shared: Collection[str]) -> list[str]:
        """What the backward pass reads of the forward pass beside the arrays that they share."""
        words = _words(text)
        forward = [name for n, name in self.variables.items() if self._is_forward(n)]
        given = [self.names[n] for n in (*self.arrays, *self.size_names)]
        return [n for n in dict.fromkeys((*given, *forward)) if n in words and n not in shared]

    def _is_forward(self, number: int) -> bool:
        """Whether the forward pass makes a value, by a loop also one that only the backward pass reads."""
        record = self.plan.values[number].record
        return (record.loop if isinstance(record, Pick) else number) in self.plan.forward

    def _workspace(
        self, fixed: Sequence[int], memory: Mapping[str, int], borrowed: Sequence[Sequence[str]]
    ) -> list[str]:
        """The arrays that calls of one choice of sizes share."""
        lines = [f"    {self.variables[n]} = {self._expression(self.plan.values[n])}" for n in fixed]
        lines += [f"    {name} = {text}" for name, text in self.constants.items()]
        orders = {self.variables[n]: order for n, order in self.orders.items() if n in self.variables} | self.permuted
        blocks: dict[int, str] = {}
        for name, place in memory.items():
            buffer = self.buffers[name]
            if place not in blocks:
                blocks[place] = self._fresh("m")
                count = "*".join(_bracket(self._size(a)) for a in buffer.axes)
                lines.append(f"    {blocks[place]} = np.empty({count}, {buffer.dtype})")
            text = blocks[place] if len(buffer.axes) == 1 else f"{blocks[place]}.reshape({self._shape(buffer.axes)})"
            order = orders.get(name, tuple(range(len(buffer.axes))))
            inverse = sorted(range(len(order)), key=lambda k: order[k])
            lines.append(f"    {name} = {self.dialect.transpose(text, inverse)}")
        groups = ["(" + "".join(f"{n}, " for n in names).strip() + ")" for names in borrowed]
        return [*lines, f"    return {groups[0]}, {groups[1]}"]


class _NumpyBodyWriter(BodyWriter, _ArrayWriter):
    """Writes the body of a loop into arrays of its own, and its results into those that the loop makes."""

    def __init__(self, outside: _NumpyKernelWriter, loop: Loop, segment: Segment, states: Sequence[str]) -> None:
        self.fixed, self.orders, self.outputs = frozenset(), {}, {}
        self.buffers, self.constants, self.permuted = outside.buffers, outside.constants, outside.permuted
        super().__init__(outside, loop, segment, states)

    def _find_inline(self, named: Collection[int]) -> frozenset[int]:
        self.indicators = find_indicators(self.plan)
        return super()._find_inline(named)

    def _lines(self, numbers: Sequence[int], margin: str = "    ") -> list[str]:
        lines: list[str] = []
        for number in numbers:
            if number in self.indicators:
                continue
            if self._is_written(number):
                lines += [line.text for line in self._write_into(number)]
            else:
                lines += super()._lines([number], margin)
        return lines

    def write_steps(self, step: str) -> list[str]:
        """The lines of one step, those before which say where the results stand."""
        begin: list[str] = []
        for name, state, use in zip(self.states, self.loop.states, self.segment.results, strict=True):
            axes = state.axes[: state.axis] + state.axes[state.axis + 1 :]
            whole = use is not None and axes and use.labels == tuple(range(len(axes))) and self._is_written(use.value)
            if whole and use.value not in self.outputs and not self._condition(state, step):
                self.outputs[use.value] = Output(name, use, axes)
                self.variables[use.value] = self._fresh("s")
                begin.append(f"{self.variables[use.value]} = {name}[{self._place_of(state, step)}]")
        return begin + super().write_steps(step)

    def _assign(self, name: str, state: State, use: Use, step: str) -> list[str]:
        written = self.outputs.get(use.value)
        return [] if written is not None and written.name == name else super()._assign(name, state, use, step)


def _looks_up(part: Part) -> bool:
    """Whether a part of a position reads an integer tensor."""
    if isinstance(part, Label):
        return False
    if isinstance(part, Lookup):
        return True
    return any(_looks_up(p) for position in (part.position, part.divisor) for p, _ in position.parts)


def _dtype(record: Map) -> str:
    return "bool" if is_boolean(record.body) else "DTYPE"


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def _bracket(size: str) -> str:
    return size if size.isidentifier() or size.isdigit() else f"({size})"


def _unpack(names: Sequence[str], source: str) -> list[str]:
    return [f"    {', '.join(names)}{',' if len(names) == 1 else ''} = {source}"] if names else []
