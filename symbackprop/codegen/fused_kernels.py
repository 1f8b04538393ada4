"""A plan as NumPy functions in which numba makes groups of values by loops over rows, and NumPy the rest."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from symbackprop.calculus.indices import Affine
from symbackprop.codegen.array_layouts import Line
from symbackprop.codegen.array_writers import ArrayWriter
from symbackprop.codegen.buffers import Buffer
from symbackprop.codegen.deposits import find_replaced
from symbackprop.codegen.dialects import Dialect
from symbackprop.codegen.linear_forms import add_up
from symbackprop.codegen.numpy_bodies import NumpyBodyWriter
from symbackprop.codegen.numpy_kernels import NumpyKernelWriter
from symbackprop.codegen.records import Constant, Inside, Label, Loop, Match, Plan, Segment
from symbackprop.codegen.row_groups import Grouping, RowGroup, find_groups, schedule
from symbackprop.codegen.row_kernels import RowKernel, Stream, is_flag
from symbackprop.codegen.row_reads import Read

LOCAL = re.compile(r"[aeinos]\d+|rows")
"""The names that a loop gives to numbers of its own."""


def write_fused_kernel(
    plan: Plan, arrays: Sequence[str], sizes: Sequence[str], comments: Mapping[str, str], dialect: Dialect
) -> str:
    """The source of the functions that NumPy's kernel has, and before them that of the loops that they call."""
    return _FusedKernelWriter(plan, arrays, sizes, comments, dialect).write()


class _RowWriter(ArrayWriter):
    """Writes the calls of loops, and the loops; `kernels` are their sources by what they are up to names."""

    grouping: Grouping
    kernels: dict[str, tuple[str, str]]

    def _find_inline(self, named: Collection[int]) -> frozenset[int]:
        inline = super()._find_inline(named)
        barred = self.fixed | set(self.deposits) | find_replaced(self.plan, self.deposits)
        self.grouping = find_groups(self.plan, barred)
        return inline - self.grouping.members

    def _schedule(self, numbers: Sequence[int]) -> Iterator[int | RowGroup]:
        """The values of a pass and its groups in order."""
        return schedule(self.plan.values, numbers, self.grouping)

    def _write_rows(self, group: RowGroup) -> list[Line]:
        """The call of a loop, and before it lines from which on its arrays need their memory."""
        call = _Call(self, group)
        text = self._define(call.kernel, call.arguments)
        numbers = [self.variables[n] for n in group.outputs if not self.plan.values[n].axes]
        made = f"{', '.join(numbers)}{',' if len(numbers) == 1 else ''} = " if numbers else ""
        line = f"    {made}{text}({', '.join(call.arguments.values())})"
        casts = [f"    {name} = DTYPE({name})" for n, name in self._numbers(group)]
        before, self.pending = self.pending, []
        return [*before, *(Line("", name) for name in call.arrays), Line("\n".join([line, *casts]), "")]

    def _numbers(self, group: RowGroup) -> list[tuple[int, str]]:
        """The numbers that a loop returns, as numba does in another precision."""
        plain = [n for n in group.outputs if not self.plan.values[n].axes and not is_flag(self.plan.values[n].record)]
        return [(n, self.variables[n]) for n in plain]

    def _define(self, kernel: RowKernel, arguments: Mapping[str, str]) -> str:
        """The name of a loop, the same for loops that differ in names alone."""
        places = {name: f"#{k}" for k, name in enumerate(arguments)}
        key = re.sub(r"\w+", lambda found: places.get(found[0], found[0]), kernel.write("", list(arguments)))
        if key not in self.kernels:
            name = self._fresh("rows")
            self.kernels[key] = name, kernel.write(name, list(arguments))
        return self.kernels[key][0]


class _Call:
    """What a loop over rows is called with: `arguments` are texts by the names of parameters, `arrays` what it writes
    that is no array of the caller.
    """

    def __init__(self, writer: _RowWriter, group: RowGroup) -> None:
        self.writer, self.group = writer, group
        self.arguments: dict[str, str] = {}
        self.arrays: list[str] = []
        self.names: dict[str, str] = {}
        values = writer.plan.values
        inputs: dict[Read, Stream] = {}
        written: dict[int, Stream] = {}
        parts: dict[int, Stream] = {}
        sizes: dict[Affine, str] = {}
        bare = RowKernel(
            group, values, writer.indicators, (), -1, inputs, written, parts, frozenset(), sizes, self._find_comments()
        )
        reads = [
            read
            for number in group.members
            for read in bare.reads(number)
            if read.value not in group.members and not isinstance(values[read.value].record, Constant)
        ]
        flags = frozenset(read.value for read in reads if writer._is_condition(read.value))
        labels = self._order(sorted(reads, key=lambda read: read.value in flags))
        self.arguments |= {f"n{place}": writer._size(group.sizes[label]) for place, label in enumerate(labels)}
        self.kernel = replace(bare, order=labels[:-1], inner=labels[-1], flags=flags)
        for read in dict.fromkeys(reads):
            inputs[read] = self._input(read)
        for record in (values[number].record for number in group.members):
            if isinstance(record, Match | Inside):
                self._add_sizes(sizes, record)
        for number in group.outputs:
            if values[number].axes:
                written[number] = self._output(number, self.kernel.own(number))
                if self.kernel.is_late(number):
                    parts[number] = self._scratch(number)
        for number in self.kernel.find_kept():
            if number not in written:
                written[number] = self._scratch(number)

    def _find_comments(self) -> dict[int, str]:
        """What stands above members that have a name."""
        named, comments = dict(self.writer.plan.named), self.writer.comments
        texts = {n: comments[named[n]] for n in self.group.members if named.get(n, "") in comments}
        return {n: "".join(c if c.isprintable() else " " for c in text) for n, text in texts.items()}

    def _order(self, reads: Sequence[Read]) -> tuple[int, ...]:
        """The labels from the outermost loop on, as the first array that has all lies in memory."""
        whole: list[tuple[int, ...]] = []
        for read in reads:
            places = [read.places[k] for k in self._axes(read)]
            parts = [label for place in places for label, _ in sorted(place.parts, key=lambda part: -abs(part[1]))]
            if sorted(parts) == list(range(len(self.group.sizes))):
                whole.append(tuple(parts))
        inner = self.group.inner
        whole.sort(key=lambda labels: inner is not None and labels[-1] != inner)
        labels = whole[0] if whole else tuple(range(len(self.group.sizes)))
        return labels if inner is None else (*(label for label in labels if label != inner), inner)

    def _axes(self, read: Read) -> tuple[int, ...]:
        """The axes of what is read in the order in which they lie in memory."""
        return self.writer.orders.get(read.value, tuple(range(len(read.places))))

    def _add_sizes(self, sizes: dict[Affine, str], record: Match | Inside) -> None:
        """What a condition compares with."""
        begin = record.position.offset
        for part, coefficient in record.position.parts:
            if isinstance(part, Label):
                begin += Affine.of(part.start) * coefficient
        for form in (begin, *([record.size + Affine.of(record.start)] if isinstance(record, Inside) else [])):
            sizes.setdefault(form, self._argument("o", self.writer._size(form)))

    def _input(self, read: Read) -> Stream:
        """The entry that is read of a value."""
        writer, kernel = self.writer, self.kernel
        text = writer._variable(read.value)
        if not read.places:
            kind = "bool" if read.value in kernel.flags else "DTYPE"
            return Stream(self._name(read.value, f"{kind}({text})"), (), False)
        axes = self._axes(read)
        index = []
        for place in (read.places[k] for k in axes):
            offset = "" if place.offset == Affine() else self._argument("o", writer._size(place.offset))
            index.append(add_up([(kernel.counter(label), c) for label, c in place.parts], offset))
        array = self._name(read.value, writer.dialect.transpose(text, axes))
        return Stream(array, tuple(index), kernel.inner in read.carried)

    def _output(self, number: int, labels: tuple[int, ...]) -> Stream:
        """The entry of a member that is written."""
        writer, kernel, name = self.writer, self.kernel, self.writer.variables[number]
        first = writer.leading.get(number)
        ordered = [label for label in (*kernel.order, kernel.inner) if label in labels]
        if first is not None and labels[first] != kernel.inner:
            ordered = [labels[first], *(label for label in ordered if label != labels[first])]
        axes = tuple(range(len(labels))) if number in writer.outputs else tuple(labels.index(k) for k in ordered)
        writer._place(number, axes, "bool" if is_flag(writer.plan.values[number].record) else "DTYPE")
        self.arrays.append(name)
        array = self._name(number, writer.dialect.transpose(name, axes))
        return Stream(array, tuple(kernel.counter(labels[k]) for k in axes), kernel.inner in labels)

    def _scratch(self, number: int) -> Stream:
        """An entry of a member in an array for one row."""
        writer, kernel = self.writer, self.kernel
        name = writer._fresh("r")
        kind = "bool" if is_flag(writer.plan.values[number].record) else "DTYPE"
        writer.buffers[name] = Buffer(name, (self.group.sizes[kernel.inner],), kind)
        self.arrays.append(name)
        self.arguments[name] = name
        return Stream(name, (kernel.counter(kernel.inner),), True)

    def _name(self, number: int, text: str) -> str:
        """The parameter for an argument, called as the value is."""
        if text not in self.names:
            name = self.writer.variables.get(number, "value")
            self.names[text] = self._argument(name if name.isidentifier() else "value", text)
        return self.names[text]

    def _argument(self, stem: str, text: str) -> str:
        """A parameter that is no other's."""
        name = stem if not LOCAL.fullmatch(stem) else f"{stem}_"
        count = 1
        while name in self.arguments:
            name, count = f"{stem}_{count}", count + 1
        self.arguments[name] = text
        return name


class _FusedKernelWriter(_RowWriter, NumpyKernelWriter):
    """Writes the functions, and the loops before them."""

    def __init__(
        self, plan: Plan, arrays: Sequence[str], sizes: Sequence[str], comments: Mapping[str, str], dialect: Dialect
    ) -> None:
        self.kernels = {}
        super().__init__(plan, arrays, sizes, comments, dialect)

    def write(self) -> str:
        """The functions."""
        text = super().write()
        return "\n\n\n".join([*(source for _, source in self.kernels.values()), text])

    def _statements(self, numbers: Sequence[int]) -> list[Line]:
        lines: list[Line] = []
        unwritten = self._find_unwritten()
        for each in self._schedule(numbers):
            if isinstance(each, RowGroup):
                lines += self._write_rows(each)
            elif each not in unwritten:
                lines += self._statement(each)
        return lines

    def _body_writer(self, loop: Loop, segment: Segment, states: Sequence[str]) -> NumpyBodyWriter:
        return _FusedBodyWriter(self, loop, segment, states)


class _FusedBodyWriter(_RowWriter, NumpyBodyWriter):
    """Writes the body of a loop over steps, in which loops over rows are called."""

    def __init__(self, outside: _FusedKernelWriter, loop: Loop, segment: Segment, states: Sequence[str]) -> None:
        self.kernels = outside.kernels
        super().__init__(outside, loop, segment, states)

    def _step_lines(self, step: str) -> list[Line]:
        """The statements of one step."""
        lines: list[Line] = []
        for each in self._schedule(self.plan.forward):
            if isinstance(each, RowGroup):
                rows = self._write_rows(each)
                lines += [replace(line, text=line.text.replace("\n    ", "\n").removeprefix("    ")) for line in rows]
            else:
                lines += self._statement(each)
        for k, use in enumerate(self.segment.results):
            lines += [] if use is None else self._keep_result(k, use, step)
        return lines
