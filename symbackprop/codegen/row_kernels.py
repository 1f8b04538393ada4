"""The source of a loop over rows, which makes the values of a group.

A row is gone through in passes: what needs a sum or a maximum of the whole row waits for the next one. In between stand
the numbers of the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from symbackprop.calculus.definitions import slot_symbol
from symbackprop.calculus.indices import Affine
from symbackprop.codegen.linear_forms import add_up
from symbackprop.codegen.records import (
    Constant,
    Contract,
    Inside,
    Label,
    Map,
    Match,
    Peak,
    Record,
    Select,
    Value,
    is_boolean,
)
from symbackprop.codegen.row_bodies import RowPrinter
from symbackprop.codegen.row_groups import RowGroup
from symbackprop.codegen.row_reads import Read, find_reads

BLOCK = 128
"""The number of rows whose sum is added to that of all at once, as single precision loses the digits of small terms."""


@dataclass(frozen=True, slots=True)
class Stream:
    """An entry that a row reads or writes: `array[index]`, which the inner label moves if `inner`.

    A number stands for itself.
    """

    array: str
    index: tuple[str, ...]
    inner: bool

    def __str__(self) -> str:
        return f"{self.array}[{', '.join(self.index)}]" if self.index else self.array


@dataclass(frozen=True)
class RowKernel:
    """What the source of a loop is written of.

    `order` are the outer labels from the outermost on, `inner` is that along the row; `inputs` are the entries that are
    read of what is no member, `written` those of members that have an array, `parts` the sums over a few rows for
    members that are sums over all, `flags` the values that are true or false, `sizes` the names of sizes in conditions.
    """

    group: RowGroup
    values: Sequence[Value]
    conditions: Mapping[int, int]
    order: tuple[int, ...]
    inner: int
    inputs: Mapping[Read, Stream]
    written: Mapping[int, Stream]
    parts: Mapping[int, Stream]
    flags: frozenset[int]
    sizes: Mapping[Affine, str]
    comments: Mapping[int, str]

    def write(self, name: str, arguments: Sequence[str]) -> str:
        """The function."""
        return _Writer(self).write(name, arguments)

    def counter(self, label: int) -> str:
        """The variable that runs along a label; they are numbered from the outermost loop on."""
        return f"i{(*self.order, self.inner).index(label)}"

    def reads(self, number: int) -> tuple[Read, ...]:
        """What a member reads, by the labels of the group."""
        return self._reads[number]

    @cached_property
    def _reads(self) -> Mapping[int, tuple[Read, ...]]:
        found = {n: find_reads(self.values, self.values[n].record, self.conditions) for n in self.group.members}
        return {n: tuple(read.rename(self.group.labels[n]) for read in reads) for n, reads in found.items()}

    def own(self, number: int) -> tuple[int, ...]:
        """The labels of the axes of a member."""
        return self.group.labels[number][: len(self.values[number].axes)]

    def is_full(self, number: int) -> bool:
        """Whether a member has an entry at every place of a row."""
        return self.inner in self.own(number) and not self.is_sum(number)

    def is_sum(self, number: int) -> bool:
        """Whether a member is a sum or a maximum."""
        return isinstance(self.values[number].record, Contract | Peak)

    def is_late(self, number: int) -> bool:
        """Whether a member is known only when all rows are done."""
        labels = self.group.labels[number]
        return self.is_sum(number) and labels[len(self.own(number)) :] != (self.inner,)

    def goes_along(self, number: int) -> bool:
        """Whether a member is made along the row."""
        return self.inner in self.group.labels[number]

    def find_passes(self) -> dict[int, int]:
        """The pass in which a member is made, if it is made along the row, or before which its number is known."""
        found: dict[int, int] = {}
        for number in self.group.members:
            level = 0
            for read in self.reads(number):
                if read.value in found:
                    ends = self.is_sum(read.value) and self.goes_along(read.value)
                    level = max(level, found[read.value] + ends)
            found[number] = level
        for number in reversed(self.group.members):  # what reads no entry of a member is made where it is needed
            if self.is_full(number) and not any(r.value in found and self.is_full(r.value) for r in self.reads(number)):
                readers = [found[n] for n in self._readers(number) if self.goes_along(n)]
                found[number] = max(found[number], min(readers, default=0))
        return found

    def find_kept(self) -> list[int]:
        """The members whose entries a later pass of the row reads."""
        passes = self.find_passes()
        full = [number for number in self.group.members if self.is_full(number)]
        return [number for number in full if any(passes[n] > passes[number] for n in self._readers(number))]

    def _readers(self, number: int) -> list[int]:
        """The members that read a member."""
        return [n for n in self.group.members if any(read.value == number for read in self.reads(n))]


class _Writer:
    """Writes one function."""

    def __init__(self, kernel: RowKernel) -> None:
        self.kernel, self.passes = kernel, kernel.find_passes()
        self.names: dict[int, str] = {}
        self.known: dict[tuple[Stream, str], str] = {}
        self.lines: list[str] = []
        self.count = 0

    def write(self, name: str, arguments: Sequence[str]) -> str:
        """The function."""
        kernel, group = self.kernel, self.kernel.group
        head = ["@compiled", f"def {name}({', '.join(arguments)}):"]
        late = [n for n in group.members if kernel.is_late(n)]
        margin = "    "
        columns = [n for n in late if n in kernel.written]
        for number in late:
            if number in columns:
                self._add(margin, f"{kernel.written[number].array}.fill(DTYPE(0))")
                self._add(margin, f"{kernel.parts[number].array}.fill(DTYPE(0))")
            else:
                self.names[number] = self._fresh("s")
                self._add(margin, f"{self.names[number]} = np.float64(0)")
        if columns:
            self._add(margin, "rows = 0")
        for place in range(len(kernel.order)):
            self._add(margin, f"for i{place} in range(n{place}):")
            margin += "    "
        along = [n for n in group.members if kernel.goes_along(n)]
        last = max((self.passes[n] for n in along), default=-1)
        for level in range(last + 2):
            for number in group.members:
                if not kernel.goes_along(number) and min(self.passes[number], last + 1) == level:
                    self._make(number, margin)
            if level <= last:
                self._go_along([n for n in along if self.passes[n] == level], margin)
        if columns:
            self._add(margin, "rows += 1")
            self._add(margin, f"if rows == {BLOCK}:")
            self._add_parts(columns, margin + "    ", True)
            self._add(margin, "    rows = 0")
            self._add_parts(columns, "    ", False)
        numbers = [n for n in group.outputs if not kernel.own(n)]
        if numbers:
            self._add("    ", f"return {', '.join(self.names[n] for n in numbers)},")
        return "\n".join([*head, *self.lines])

    def _add_parts(self, columns: Sequence[int], margin: str, again: bool) -> None:
        """Add the sums over a few rows to those over all; `again` is whether further rows follow."""
        kernel = self.kernel
        self._add(margin, f"for {kernel.counter(kernel.inner)} in range(n{len(kernel.order)}):")
        for number in columns:
            self._add(margin, f"    {kernel.written[number]} += {kernel.parts[number]}")
            if again:
                self._add(margin, f"    {kernel.parts[number]} = DTYPE(0)")

    def _go_along(self, members: Sequence[int], margin: str) -> None:
        """One pass of a row."""
        kernel, inner = self.kernel, self.kernel.inner
        for number in members:
            for read in kernel.reads(number):
                stream = kernel.inputs.get(read)
                if stream is not None and stream.index and not stream.inner:
                    self._load(read, stream, margin)
        sums = [n for n in members if kernel.is_sum(n) and inner not in kernel.own(n)]
        totals = {number: self._fresh("s") for number in sums}
        for number in sums:
            peak = isinstance(kernel.values[number].record, Peak)
            self._add(margin, f"{totals[number]} = {'ROW_LOWEST' if peak else 'DTYPE(0)'}")
        outside = dict(self.known)
        self._add(margin, f"for {kernel.counter(inner)} in range(n{len(kernel.order)}):")
        for number in members:
            if kernel.is_sum(number):
                self._sum(number, totals.get(number), margin + "    ")
            else:
                self._make(number, margin + "    ")
        self.known = outside
        for number in members:
            if kernel.is_full(number):  # from now on its entries are read from its array
                del self.names[number]
        for number in sums:
            self._close(number, totals[number], margin)

    def _sum(self, number: int, total: str | None, margin: str) -> None:
        """Add an entry to a sum, or to one for each place along the row."""
        kernel = self.kernel
        if isinstance(kernel.values[number].record, Peak):
            (term,) = self._terms(number, margin)
            self._add(margin, f"{total} = row_higher({total}, {term})")
            return
        term = "*".join(self._terms(number, margin))
        if total is not None:
            self._add(margin, f"{total} = row_plus({total}, {term})")
        else:
            self._add(margin, f"{kernel.parts[number]} += {term}")

    def _close(self, number: int, total: str, margin: str) -> None:
        """What becomes of the sum of a row."""
        kernel = self.kernel
        stream = kernel.written.get(number)
        if kernel.is_late(number):
            self._add(margin, f"{self.names[number]} += {total}")
            return
        if isinstance(kernel.values[number].record, Peak):
            self._add(margin, f"{total} = row_entry({total})")
        self.names[number] = total
        if stream is not None:
            self._add(margin, f"{stream} = {total}")

    def _make(self, number: int, margin: str) -> None:
        """The statements that make a member at one place."""
        kernel, stream = self.kernel, self.kernel.written.get(number)
        if kernel.is_sum(number):  # over rows, of numbers of rows
            term = "*".join(self._terms(number, margin))
            self._add(margin, f"{self.names[number]} += {term}")
            return
        text = self._expression(number, margin)
        if number in kernel.comments:
            self._add(margin, f"# {kernel.comments[number]}")
        self.names[number] = self._fresh("e")
        self._add(margin, f"{self.names[number]} = {text}")
        if stream is not None:
            self._add(margin, f"{stream} = {self.names[number]}")

    def _expression(self, number: int, margin: str) -> str:
        record = self.kernel.values[number].record
        if isinstance(record, Match | Inside):
            return self._compare(number, record, margin)
        texts = self._texts(number, margin)
        flags = [self._is_flag(read.value) for read in self.kernel.reads(number)]
        as_numbers = [f"DTYPE({t})" if flag else t for t, flag in zip(texts, flags, strict=True)]
        as_flags = [t if flag else f"({t} != DTYPE(0))" for t, flag in zip(texts, flags, strict=True)]
        if isinstance(record, Select):
            return f"{as_numbers[1]} if {as_flags[0]} else DTYPE(0)"
        assert isinstance(record, Map)
        slots = [slot_symbol(k) for k in range(len(texts))]
        printer = RowPrinter(dict(zip(slots, as_numbers, strict=True)), dict(zip(slots, as_flags, strict=True)))
        text = printer.condition(record.body) if is_boolean(record.body) else printer.write(record.body)
        return text[1:-1] if text.startswith("(") else text  # brackets stand around the whole

    def _compare(self, number: int, record: Match | Inside, margin: str) -> str:
        """A condition on positions, which are integers."""
        kernel, position = self.kernel, record.position
        labels, reads = kernel.group.labels[number], iter(kernel.reads(number))
        parts, begin = [], position.offset
        for part, coefficient in position.parts:
            if isinstance(part, Label):
                parts.append((kernel.counter(labels[part.number]), coefficient))
                begin += Affine.of(part.start) * coefficient
            else:
                read = next(reads)
                parts.append((self._load(read, kernel.inputs[read], margin, "np.int64"), coefficient))
        text = add_up(parts, "" if begin == Affine() else kernel.sizes[begin])
        if isinstance(record, Match):
            return f"{text} == 0"
        end = kernel.sizes[record.size + Affine.of(record.start)]
        return f"({text} >= {record.start}) & ({text} < {end})"

    def _is_flag(self, number: int) -> bool:
        record = self.kernel.values[number].record
        return number in self.kernel.flags or is_flag(record)

    def _texts(self, number: int, margin: str) -> list[str]:
        """What stands for the operands of a member."""
        return [self._read(read, margin) for read in self.kernel.reads(number)]

    def _terms(self, number: int, margin: str) -> list[str]:
        """The operands of a sum as numbers."""
        texts = zip(self._texts(number, margin), self.kernel.reads(number), strict=True)
        return [f"DTYPE({text})" if self._is_flag(read.value) else text for text, read in texts]

    def _read(self, read: Read, margin: str) -> str:
        record = self.kernel.values[read.value].record
        if read.value in self.names:
            return self.names[read.value]
        if read.value in self.passes:
            return self._load(read, self.kernel.written[read.value], margin)
        if isinstance(record, Constant):
            return RowPrinter({}, {}).write(record.number)
        stream = self.kernel.inputs[read]
        return self._load(read, stream, margin) if stream.index else stream.array

    def _load(self, read: Read, stream: Stream, margin: str, kind: str = "DTYPE") -> str:
        """The name of an entry, which is read once a pass or once a row."""
        if (stream, kind) not in self.known:
            name = self.known[stream, kind] = self._fresh("a")
            text = str(stream) if self._is_flag(read.value) else f"{kind}({stream})"
            self._add(margin, f"{name} = {text}")
        return self.known[stream, kind]

    def _add(self, margin: str, line: str) -> None:
        self.lines.append(margin + line)

    def _fresh(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"


def is_flag(record: Record) -> bool:
    """Whether a value is true or false."""
    return isinstance(record, Match | Inside) or (isinstance(record, Map) and is_boolean(record.body))
