"""A plan as the source of two Python functions over NumPy arrays: `_forward` and `_backward`.

Both come from the same records as everything else; names are mangled so that nothing of a user's text reaches the
source except as an identifier that was checked, or inside a comment or a string literal.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbackprop.calculus.definitions import slot_symbol
from symbackprop.calculus.indices import Affine
from symbackprop.codegen.expressions import BodyPrinter
from symbackprop.codegen.forms import is_safe
from symbackprop.codegen.products import write_contraction
from symbackprop.codegen.records import (
    Constant,
    Contract,
    Count,
    Gather,
    Given,
    Map,
    Match,
    Output,
    Peak,
    Plan,
    Position,
    Select,
    Spread,
    Use,
    Value,
    uses_of,
)

RESERVED = frozenset(
    {
        "np",
        "math",
        "DTYPE",
        "LAYOUT",
        "gather",
        "erf",
        "bind",
        "params",
        "data",
        "keyword",
        "Any",
        "saved",
        "annotations",
    }
    | set(dir(builtins))
)


def mangle(names: Iterable[str]) -> dict[str, str]:
    """A Python identifier for every name, each its own; what can stay as it is does.

    >>> mangle(["x", "lambda", "np", "a b"])
    {'x': 'x', 'lambda': 'lambda_', 'np': 'np_', 'a b': 'a_b'}
    """
    taken = set(RESERVED)
    result = {}
    for name in names:
        plain = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name).strip("_") or "v"
        plain = f"v{plain}" if plain[0].isdigit() else plain
        while plain in taken or keyword.iskeyword(plain):
            plain += "_"
        taken.add(plain)
        result[name] = plain
    return result


@dataclass(frozen=True, slots=True)
class Kernel:
    """The source of `_forward(*arrays, *sizes)` -> (value, saved) and of `_backward(*saved)` -> gradients in order."""

    source: str
    arrays: tuple[str, ...]
    sizes: tuple[str, ...]


def write_kernel(plan: Plan, arrays: Sequence[str], sizes: Sequence[str], comments: Mapping[str, str]) -> Kernel:
    """The kernel of a plan called with these arrays and sizes; `comments` say what stands above which tensor."""
    writer = _KernelWriter(plan, arrays, sizes, comments)
    return Kernel(writer.write(), tuple(arrays), tuple(sizes))


class _KernelWriter:
    """Writes the lines of one kernel."""

    def __init__(self, plan: Plan, arrays: Sequence[str], sizes: Sequence[str], comments: Mapping[str, str]) -> None:
        self.plan, self.arrays, self.size_names, self.comments = plan, arrays, sizes, comments
        named = dict(plan.named)
        self.names = mangle(dict.fromkeys((*arrays, *sizes, *named.values())))
        taken = set(self.names.values()) | RESERVED
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

    def _find_inline(self, named: set[int]) -> frozenset[int]:
        """Values without a name that one expression of the same pass reads: written into it, as sizes always are."""
        plan = self.plan
        readers: dict[int, list[int]] = {}
        for number in (*plan.forward, *plan.backward):
            for use in uses_of(plan.values[number].record):
                readers.setdefault(use.value, []).append(number)
        outputs = {plan.result.use.value, *(g.use.value for g in plan.gradients)}
        forward, found = set(plan.forward), set()
        for number in (*plan.forward, *plan.backward):
            record = plan.values[number].record
            if isinstance(record, Count) and not plan.values[number].axes:
                found.add(number)
            if number in named or number in outputs or not isinstance(record, Map | Contract):
                continue
            by = readers.get(number, [])
            if len(by) == 1 and (number in forward) == (by[0] in forward):
                reader = plan.values[by[0]].record
                once = isinstance(reader, Map) and _count_reads(reader, number) == 1
                if once and self._is_quiet(number) == self._is_quiet(by[0]):
                    found.add(number)
        return frozenset(found)

    def _is_quiet(self, number: int) -> bool:
        record = self.plan.values[number].record
        return isinstance(record, Map) and (record.quiet or _has_branches(record.body))

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
        read = {u.value for n in plan.backward for u in uses_of(plan.values[n].record)}
        read |= {g.use.value for g in plan.gradients}
        unnamed = {n for n in read if isinstance(plan.values[n].record, Constant)} | counts
        outside = sorted(read - backward - unnamed)
        words = set(re.findall(r"\w+", body))
        sizes = [self.names[n] for n in self.size_names]
        return [self.variables[n] for n in outside] + [n for n in sizes if n in words]

    def _lines(self, numbers: Sequence[int]) -> list[str]:
        lines: list[str] = []
        quiet_before = False
        named = dict(self.plan.named)
        for number in numbers:
            value = self.plan.values[number]
            if isinstance(value.record, Given | Constant) or number in self.inline:
                continue
            comment = self.comments.get(named.get(number, ""))
            quiet = self._is_quiet(number)
            if quiet and not quiet_before:
                lines.append("    with np.errstate(all='ignore'):")
            indent = "        " if quiet else "    "
            if comment:
                text = "".join(c if c.isprintable() else " " for c in comment)
                lines.append(f"{indent}# {text}")
            lines.append(f"{indent}{self.variables[number]} = {self._expression(value)}")
            quiet_before = quiet
        return lines

    def _expression(self, value: Value) -> str:
        record, rank = value.record, len(value.axes)
        match record:
            case Map():
                texts = {slot_symbol(k): self._operand(use, rank) for k, use in enumerate(record.uses)}
                return BodyPrinter(texts).write(record.body)
            case Contract():
                sizes = {label: self._size(n) for use in record.uses for label, n in self._labelled(use)}
                terms = [(self._variable(use.value), use.labels) for use in record.uses]
                return write_contraction(terms, rank, sizes)
            case Peak():
                moved, axes = self._reduced(record.use, rank)
                return f"{moved}.max(axis={axes})"
            case Select():
                return f"np.where({self._operand(record.mask, rank)}, {self._operand(record.value, rank)}, DTYPE(0))"
            case Match():
                return f"{self._position(record.position, rank)} == 0"
            case Count():
                text = self._position(record.position, rank)
                return f"np.asarray({text}, dtype=DTYPE)" if rank else f"DTYPE({text})"
            case Gather():
                positions = ", ".join(self._position(p, rank) for p in record.positions)
                return f"gather({self._variable(record.value)}, {positions})"
            case Spread():
                shape = self._shape(value.axes)
                return f"np.broadcast_to({self._operand(record.use, rank)}, {shape})"
            case _:
                raise AssertionError(f"a record without code: {record!r}")

    def _variable(self, number: int) -> str:
        record = self.plan.values[number].record
        if isinstance(record, Constant):
            return f"DTYPE({BodyPrinter({}).write(record.number)})"
        if number in self.inline:
            text = self._expression(self.plan.values[number])
            called = isinstance(record, Count) or (isinstance(record, Map) and record.body.is_Function)
            return text if called else f"({text})"
        return self.variables[number]

    def _labelled(self, use: Use) -> list[tuple[int, Affine]]:
        return list(zip(use.labels, self.plan.values[use.value].axes, strict=True))

    def _operand(self, use: Use, rank: int) -> str:
        """The variable as it broadcasts against axes 0 .. rank-1."""
        return _aligned(self._variable(use.value), use.labels, rank)

    def _reduced(self, use: Use, rank: int) -> tuple[str, str]:
        """The variable with its kept axes in order, and the axes to reduce."""
        name = self._variable(use.value)
        if [a for a in use.labels if a < rank] != list(range(rank)):
            order = sorted(range(len(use.labels)), key=lambda k: use.labels[k])
            return f"np.transpose({name}, {tuple(order)})", str(tuple(range(rank, len(order))))
        places = tuple(k for k, a in enumerate(use.labels) if a >= rank)
        return name, str(places[0] if len(places) == 1 else places)

    def _size(self, size: Affine) -> str:
        """A size as an expression over the sizes of the call."""
        text = ""
        for atom, coefficient in size.terms:
            name = self.names[str(atom)]
            sign = " - " if coefficient < 0 else " + " if text else ""
            text += sign + (name if abs(coefficient) == 1 else f"{abs(coefficient)}*{name}")
        if size.constant or not text:
            text += (
                f" + {size.constant}"
                if text and size.constant > 0
                else f" - {-size.constant}"
                if text
                else str(size.constant)
            )
        return text.strip()

    def _shape(self, axes: Sequence[Affine]) -> str:
        return f"({''.join(f'{self._size(a)}, ' for a in axes).strip()})"

    def _position(self, position: Position, rank: int) -> str:
        """A position as an integer array that broadcasts against axes 0 .. rank-1."""
        text = ""
        for part in position.parts:
            label, coefficient, size = part
            name = _aligned(f"np.arange(1, {self._size(size)} + 1)", (label,), rank)
            sign = " - " if coefficient < 0 else " + " if text else ""
            text += sign + (name if abs(coefficient) == 1 else f"{abs(coefficient)}*{name}")
        if position.offset.terms or position.offset.constant or not text:
            text += f" + {self._size(position.offset)}" if text else self._size(position.offset)
        return text.strip()

    def _own(self, output: Output, owned: set[int]) -> str:
        """The expression of an array that belongs to the caller: a copy where the value is read elsewhere."""
        number, rank = output.use.value, len(output.axes)
        record = self.plan.values[number].record
        fresh = isinstance(record, Map | Contract | Select | Gather | Peak) and number not in owned
        owned.add(number)
        if fresh and rank and output.use.labels == tuple(range(rank)):
            return self.variables[number]
        text = self._operand(output.use, rank)
        if set(output.use.labels) != set(range(rank)):
            text = f"np.broadcast_to({text}, {self._shape(output.axes)})"
        return f"np.array({text}, dtype=DTYPE)"


def _count_reads(record: Map, number: int) -> int:
    """How often the text of a map mentions a value."""
    symbols = [slot_symbol(k) for k, use in enumerate(record.uses) if use.value == number]
    return sum(e in symbols for e in sympy.preorder_traversal(record.body))


def _has_branches(body: sympy.Expr) -> bool:
    """Whether a select in the body has a branch that may be infinite."""
    return any(not is_safe(branch) for where in body.atoms(sympy.Piecewise) for branch, _ in where.args)


def _aligned(name: str, labels: Sequence[int], rank: int) -> str:
    """The array as it broadcasts against axes 0 .. rank-1, its own axes standing at `labels`."""
    order = sorted(range(len(labels)), key=lambda k: labels[k])
    if order != list(range(len(labels))):
        name = f"{name}.T" if len(order) == 2 else f"np.transpose({name}, {tuple(order)})"
    present = sorted(labels)
    if not present or present == list(range(rank - len(present), rank)):
        return name
    places = ", ".join(":" if k in present else "None" for k in range(present[0], rank))
    return f"{name}[{places}]"
