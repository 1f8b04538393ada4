"""A plan as the source of two Python functions over arrays: `_forward` and `_backward`.

Both come from the same records as everything else; names are mangled so that nothing of a user's text reaches the
source except as an identifier that was checked, or inside a comment or a string literal.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from symbackprop.calculus.definitions import slot_symbol
from symbackprop.calculus.indices import Affine
from symbackprop.codegen.dialects import Dialect, Steps
from symbackprop.codegen.expressions import BodyPrinter
from symbackprop.codegen.identifiers import RESERVED, mangle
from symbackprop.codegen.inlining import find_inline, has_branches
from symbackprop.codegen.linear_forms import add_up, write_size
from symbackprop.codegen.products import write_contraction
from symbackprop.codegen.records import (
    Constant,
    Contract,
    Count,
    First,
    Floor,
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
    State,
    Take,
    Use,
    Value,
    Window,
    uses_of,
)

MATRIX_FUNCTIONS = MappingProxyType({"inv": "matrix_inverse", "logdet": "log_determinant"})


class StepWriter(Protocol):
    """What writes the steps of a loop; `slices` are names with what they go through, one entry a step."""

    slices: list[tuple[str, str]]

    def write_steps(self, step: str) -> list[str]:
        """The lines of one step."""


class KernelWriter(ABC):
    """Writes the lines of one kernel."""

    def __init__(
        self, plan: Plan, arrays: Sequence[str], sizes: Sequence[str], comments: Mapping[str, str], dialect: Dialect
    ) -> None:
        self.plan, self.arrays, self.size_names, self.comments = plan, arrays, sizes, comments
        self.dialect = dialect
        named = dict(plan.named)
        steps = [v.record.step for v in plan.values if isinstance(v.record, Loop)]
        self.names = mangle(dict.fromkeys((*arrays, *sizes, *named.values(), *steps)))
        taken = set(self.names.values()) | RESERVED
        self.taken = taken
        self.variables: dict[int, str] = {}
        for number, name in named.items():
            self.variables[number] = self.names[name]
        self.inline = self._find_inline(set(named))
        count = 0
        for number in (*plan.forward, *plan.backward):
            record = plan.values[number].record
            if isinstance(record, Given):
                self.variables[number] = self.names[record.name]
            elif number not in self.variables and number not in self.inline:
                count += 1
                while f"t{count}" in taken:
                    count += 1
                self.variables[number] = f"t{count}"
        taken |= set(self.variables.values())
        self._name_states()

    def _find_inline(self, named: Collection[int]) -> frozenset[int]:
        """The values that are written into what reads them."""
        return find_inline(self.plan, named, self._is_quiet)

    def _name_states(self) -> None:
        """Names for those tensors of loops that nothing else reads."""
        for number, value in enumerate(self.plan.values):
            if isinstance(value.record, Pick) and number not in self.variables and value.record.loop in self.variables:
                self.variables[number] = self._fresh("h")

    def _fresh(self, stem: str) -> str:
        """A name that nothing has."""
        count = 1
        while f"{stem}{count}" in self.taken:
            count += 1
        self.taken.add(f"{stem}{count}")
        return f"{stem}{count}"

    def _is_quiet(self, number: int) -> bool:
        record = self.plan.values[number].record
        return self.dialect.warns and isinstance(record, Map) and (record.quiet or has_branches(record.body))

    def write(self) -> str:
        """The two functions."""
        plan = self.plan
        forward_lines = self._lines(plan.forward)
        owned: set[int] = set()
        value = self._own(plan.result, owned)
        backward_lines = self._lines(plan.backward)
        returned = [f"    {self._own(g, owned)}," for g in plan.gradients]
        saved = self._saved("\n".join(backward_lines + returned))
        unpacked = "".join(f"{name}, " for name in saved)
        arguments = ", ".join(self.names[n] for n in (*self.arrays, *self.size_names))
        head = [f"def _forward({arguments}):", *forward_lines, f"    return {value}, ({unpacked.strip()})"]
        tail = [f"def _backward({', '.join(saved)}):", *backward_lines]
        tail += ["    return (", *(f"    {line}" for line in returned), "    )"] if returned else ["    return ()"]
        return "\n".join([*head, "", "", *tail, ""])

    def _saved(self, body: str) -> list[str]:
        """What the text of the backward pass reads of the forward pass: arguments, values and sizes."""
        plan = self.plan
        backward = set(plan.backward)
        counts = {n for n in self.inline if isinstance(plan.values[n].record, Count)}
        backward -= counts | {n for n in backward if isinstance(plan.values[n].record, Given)}
        backward -= {n for n in backward if _is_made_before(plan.values[n].record, plan.backward)}
        computed = [n for n in plan.backward if not _is_made_before(plan.values[n].record, plan.backward)]
        read = {u.value for n in computed for u in uses_of(plan.values[n].record)}
        read |= {g.use.value for g in plan.gradients}
        unnamed = {n for n in read if isinstance(plan.values[n].record, Constant)} | counts
        outside = sorted(read - backward - unnamed)
        words = set(re.findall(r"\w+", body))
        sizes = [self.names[n] for n in self.size_names]
        return [self.variables[n] for n in outside] + [n for n in sizes if n in words]

    def _lines(self, numbers: Sequence[int], margin: str = "    ") -> list[str]:
        lines: list[str] = []
        quiet_before = False
        named = dict(self.plan.named)
        for number in numbers:
            value = self.plan.values[number]
            if isinstance(value.record, Given | Constant | Pick) or number in self.inline:
                continue
            if isinstance(value.record, Loop):
                lines += self._loop(number, value.record, margin)
                quiet_before = False
                continue
            comment = self.comments.get(named.get(number, ""))
            quiet = self._is_quiet(number)
            if quiet and not quiet_before:
                lines.append(f"{margin}with np.errstate(all='ignore'):")
            indent = f"{margin}    " if quiet else margin
            if comment:
                text = "".join(c if c.isprintable() else " " for c in comment)
                lines.append(f"{indent}# {text}")
            lines.append(f"{indent}{self.variables[number]} = {self._expression(value)}")
            quiet_before = quiet
        return lines

    def _loop(self, number: int, loop: Loop, margin: str) -> list[str]:
        """The tensors of a loop, made with zeros and then a slice of each at every step."""
        plan = self.plan
        named = dict(plan.named)
        picks = self._picks(number)
        lines = []
        for k in range(len(loop.states)):
            comment = self.comments.get(named.get(picks[k], ""))
            for line in comment.split("\n") if comment else ():
                lines.append(f"{margin}# {''.join(c if c.isprintable() else ' ' for c in line)}")
        states = [self.variables[picks[k]] for k in range(len(loop.states))]
        begin = [self._begin(name, state) for name, state in zip(states, loop.states, strict=True)]
        lines += [margin + line for line in begin if line]
        step = self.names[loop.step]
        for segment in loop.segments:
            writer = self._body_writer(loop, segment, states)
            body, end = writer.write_steps(step), self._size(segment.size + Affine.of(segment.start))
            steps = Steps(step, str(segment.start), end, loop.direction, tuple(writer.slices))
            lines += [margin + line for line in self.dialect.loop(steps, states, body, self._fresh)]
        return lines

    def _picks(self, loop: int) -> dict[int, int]:
        """The values that the tensors of a loop are, by their numbers in it."""
        records = [(n, v.record) for n, v in enumerate(self.plan.values)]
        return {record.number: n for n, record in records if isinstance(record, Pick) and record.loop == loop}

    def _begin(self, name: str, state: State) -> str:
        """The line that makes the tensor of a loop, of zeros."""
        return f"{name} = {self.dialect.zeros(self._shape(state.axes))}"

    @abstractmethod
    def _body_writer(self, loop: Loop, segment: Segment, states: Sequence[str]) -> StepWriter:
        """What writes the steps of a segment."""

    def _expression(self, value: Value) -> str:
        record, rank, dialect = value.record, len(value.axes), self.dialect
        match record:
            case Map():
                texts = {slot_symbol(k): self._operand(use, rank) for k, use in enumerate(record.uses)}
                return BodyPrinter(texts, self.dialect).write(record.body)
            case Contract():
                sizes = {label: self._size(n) for use in record.uses for label, n in self._labelled(use)}
                terms = [(self._variable(use.value), use.labels) for use in record.uses]
                return write_contraction(terms, rank, sizes, self.dialect)
            case Peak():
                moved, axes = self._reduced(record.use, rank)
                return dialect.peak(moved, axes)
            case Select():
                kept = self._operand(record.value, rank)
                return dialect.where(self._operand(record.mask, rank), kept, dialect.number("0"))
            case Place():
                name, shape = self._variable(record.use.value), self._shape(value.axes)
                return f"place({name}, {record.use.labels}, {record.pairs}, {shape})"
            case First():
                moved, axes = self._reduced(record.use, rank)
                return f"{dialect.first(moved, axes)} + 1"
            case Match():
                return dialect.condition(f"{self._position(record.position, rank)} == 0")
            case Inside():
                return dialect.condition(self._inside(record, rank))
            case Take():
                return self._take(record)
            case Scatter():
                return self._scatter(record, rank)
            case MatrixFunction():
                matrix = self._variable(record.value)
                if record.axiom == "det":
                    return dialect.determinant(matrix)
                return f"{MATRIX_FUNCTIONS[record.axiom]}({matrix})"
            case Count():
                text = self._position(record.position, rank)
                return dialect.numbers(text) if rank else dialect.number(text)
            case Window() if dialect.views:
                places = ", ".join(self._steps(p) for p in record.positions)
                return f"window({self._variable(record.value)}, {places})"
            case Gather() | Window():
                positions = ", ".join(self._position(p, rank) for p in record.positions)
                return f"gather({self._variable(record.value)}, {positions})"
            case Spread():
                shape = self._shape(value.axes)
                return dialect.broadcast(self._operand(record.use, rank), shape)
            case _:
                raise AssertionError(f"a record without code: {record!r}")

    def _take(self, record: Take) -> str:
        places = ", ".join("None" if p is None else self._position(p, 0) for p in record.places)
        return f"take({self._variable(record.value)}, {places})"

    def _variable(self, number: int) -> str:
        record = self.plan.values[number].record
        if isinstance(record, Constant):
            return self.dialect.number(BodyPrinter({}, self.dialect).write(record.number))
        if number in self.inline:
            text = self._expression(self.plan.values[number])
            called = isinstance(record, Count) or (isinstance(record, Map) and record.body.is_Function)
            return text if called else f"({text})"
        return self.variables[number]

    def _labelled(self, use: Use) -> list[tuple[int, Affine]]:
        return list(zip(use.labels, self.plan.values[use.value].axes, strict=True))

    def _operand(self, use: Use, rank: int) -> str:
        """The variable as it broadcasts against axes 0 .. rank-1."""
        return self._align(self._variable(use.value), use.labels, rank)

    def _reduced(self, use: Use, rank: int) -> tuple[str, tuple[int, ...]]:
        """The variable with its kept axes in order, and the axes to reduce."""
        name = self._variable(use.value)
        if [a for a in use.labels if a < rank] != list(range(rank)):
            order = sorted(range(len(use.labels)), key=lambda k: use.labels[k])
            return self.dialect.transpose(name, order), tuple(range(rank, len(order)))
        return name, tuple(k for k, a in enumerate(use.labels) if a >= rank)

    def _align(self, name: str, labels: Sequence[int], rank: int) -> str:
        """The array as it broadcasts against axes 0 .. rank-1, its own axes standing at `labels`."""
        name = self.dialect.transpose(name, sorted(range(len(labels)), key=lambda k: labels[k]))
        present = sorted(labels)
        if not present or present == list(range(rank - len(present), rank)):
            return name
        places = ", ".join(":" if k in present else "None" for k in range(present[0], rank))
        return f"{name}[{places}]"

    def _size(self, size: Affine) -> str:
        """A size as an expression over the sizes of the call."""
        return write_size(size, self.names)

    def _inside(self, record: Inside, rank: int) -> str:
        text = self._position(record.position, rank)
        low, high = f"{text} >= {record.start}", f"{text} < {self._size(record.size + Affine.of(record.start))}"
        return f"({low}) & ({high})"

    def _scatter(self, record: Scatter, rank: int) -> str:
        """The operand with the axes that the position carries first, which is where `scatter` wants them."""
        use = record.use
        order = sorted(range(len(use.labels)), key=lambda k: (use.labels[k] < rank, use.labels[k]))
        name = self._variable(use.value)
        moved = self.dialect.transpose(name, order)
        over = sum(label >= rank for label in use.labels)
        return f"scatter({self._size(record.size)}, {self._position(record.position, over)}, {moved})"

    def _shape(self, axes: Sequence[Affine]) -> str:
        return f"({''.join(f'{self._size(a)}, ' for a in axes).strip()})"

    def _position(self, position: Position, rank: int) -> str:
        """A position as an integer array that broadcasts against axes 0 .. rank-1."""
        parts = [(self._part(part, rank), coefficient) for part, coefficient in position.parts]
        offset = self._size(position.offset)
        return add_up(parts, "" if offset == "0" else offset)

    def _steps(self, position: Position) -> str:
        """A position as (where it begins, counted from 0, ((label, step, number of steps), ...))."""
        begin, steps = position.offset - Affine.of(1), []
        for part, coefficient in position.parts:
            assert isinstance(part, Label)
            begin += Affine.of(part.start) * coefficient
            steps.append(f"({part.number}, {coefficient}, {self._size(part.size)}), ")
        return f"({self._size(begin)}, ({''.join(steps).strip()}))"

    def _part(self, part: Part, rank: int) -> str:
        """What a position adds up."""
        if isinstance(part, Label):
            end = self._size(part.size + Affine.of(part.start))
            return self._align(self.dialect.arange(str(part.start), end), (part.number,), rank)
        if isinstance(part, Lookup):
            name, axes = self._variable(part.value), self.plan.values[part.value].axes
            labels = [whole_label(p, size) for p, size in zip(part.positions, axes, strict=True)]
            known = [label for label in labels if label is not None]
            if len(set(known)) == len(axes):
                return self._align(name, known, rank)
            return f"gather({', '.join((name, *(self._position(p, rank) for p in part.positions)))})"
        sign = "//" if isinstance(part, Floor) else "%"
        return f"(({self._position(part.position, rank)}) {sign} ({self._position(part.divisor, rank)}))"

    def _own(self, output: Output, owned: set[int]) -> str:
        """The expression of an array that belongs to the caller: a copy where the value is read elsewhere."""
        number, rank = output.use.value, len(output.axes)
        record = self.plan.values[number].record
        fresh = isinstance(record, Map | Contract | Select | Place | Gather | Peak | Scatter) and number not in owned
        owned.add(number)
        if fresh and rank and output.use.labels == tuple(range(rank)):
            return self.variables[number]
        text = self._operand(output.use, rank)
        if set(output.use.labels) != set(range(rank)):
            text = self.dialect.broadcast(text, self._shape(output.axes))
        return self.dialect.copy(text)


def _is_made_before(record: Record, backward: Collection[int]) -> bool:
    """Whether a tensor comes from a loop of the forward pass."""
    return isinstance(record, Pick) and record.loop not in backward


def whole_label(position: Position, size: Affine) -> int | None:
    """The label that runs over a whole axis as it is, or None."""
    if len(position.parts) != 1 or position.offset != Affine():
        return None
    part, coefficient = position.parts[0]
    whole = coefficient == 1 and isinstance(part, Label) and part.start == 1 and part.size == size
    return part.number if whole and isinstance(part, Label) else None
