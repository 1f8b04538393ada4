"""The body of a loop as statements that write into arrays of its own, its results into those that the loop makes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Hashable, Sequence

from symbackprop.calculus.indices import Affine
from symbackprop.codegen.array_layouts import Line
from symbackprop.codegen.array_writers import ArrayWriter
from symbackprop.codegen.buffers import find_merged, share_memory
from symbackprop.codegen.foldings import find_foldings
from symbackprop.codegen.identifiers import find_words, rename_words
from symbackprop.codegen.inlining import find_indicators
from symbackprop.codegen.loop_writers import BodyWriter
from symbackprop.codegen.products import Factor, group_factors
from symbackprop.codegen.records import Given, Loop, Output, Segment, Take, Use


class LoopOwner(ArrayWriter):
    """Writes what a loop stands in."""

    inside: dict[str, Hashable]
    """What tells the memory of arrays that a loop writes at every step."""

    @abstractmethod
    def copy_before(self, number: int, order: tuple[int, ...]) -> str:
        """The name of a value that is copied, before the loop that asks for it, with its axes in this order."""

    @abstractmethod
    def slice_before(self, text: str) -> str:
        """The name of slices that are made before the loop that goes through them."""


class NumpyBodyWriter(BodyWriter, ArrayWriter):
    """Writes the body of a loop into arrays of its own, and its results into those that the loop makes."""

    owns_outputs = False
    outside: LoopOwner

    def __init__(self, outside: LoopOwner, loop: Loop, segment: Segment, states: Sequence[str]) -> None:
        self.fixed, self.deposits, self.leading, self.resting = frozenset(), {}, {}, {}
        self.threads, self.begun, self.cleared, self.pending = {}, set(), set(), []
        self.orders, self.outputs, self.copies, self.former = {}, {}, {}, {}
        self.buffers, self.bases = {}, {}
        self.constants, self.permuted = outside.constants, outside.permuted
        super().__init__(outside, loop, segment, states)

    def _arrange(
        self, uses: Sequence[Use], factors: Sequence[Factor], rank: int, leading: int | None
    ) -> tuple[list[Line], list[Factor]]:
        """The factors of a matrix product; a second one from outside of the loop lies as the product takes it.

        For few rows a product with a transposed matrix takes up to two and a half times as long.
        """
        lines, arranged = super()._arrange(uses, factors, rank, leading)
        record = self.plan.values[uses[1].value].record
        if isinstance(record, Given) and record.name.startswith("#"):
            number = int(record.name[1:])
            wanted = tuple(label for group in group_factors(factors[0][1], factors[1][1], rank)[1] for label in group)
            order = tuple(uses[1].labels.index(label) for label in wanted)
            if order != self.outside.orders.get(number, tuple(range(len(order)))):
                arranged[1] = self.outside.copy_before(number, order), wanted
        return lines, arranged

    def _find_inline(self, named: Collection[int]) -> frozenset[int]:
        self.indicators, self.foldings = find_indicators(self.plan), find_foldings(self.plan, named)
        return super()._find_inline(named)

    def write_steps(self, step: str) -> list[str]:
        """The lines of one step; slices that lie one behind the other are gone through, and begin no line."""
        self._find_slices()
        self._begin_slices(step)
        lines = [line for line in self._step_lines(step) if line.text or line.name]
        names = self._share(lines)
        return [rename_words(text, names) for line in lines for text in line.text.split("\n") if text]

    def _step_lines(self, step: str) -> list[Line]:
        """The statements of one step; each tensor gets its slice as soon as that is known."""
        lines: list[Line] = []
        done = 0
        for k, use in enumerate(self.segment.results):
            if use is None:
                continue
            until = max(done, use.value + 1)
            lines += [line for n in self.plan.forward if done <= n < until for line in self._statement(n)]
            done = until
            lines += self._keep_result(k, use, step)
        return lines

    def _statement(self, number: int) -> list[Line]:
        """The statements that make a value."""
        if number in self.indicators or any(number in each.inside for each in self.foldings.values()):
            return []
        if self._is_written(number):
            return self._write_into(number)
        if any(self.variables.get(number) == name for name, _ in self.slices):
            return []
        lines = self._lines([number], "")
        name = self.variables.get(number, "")
        if lines and name:
            self.bases[name] = frozenset(find_words("\n".join(lines))) - {name}  # it may show what it is made of
        return [Line(text, name) for text in lines]

    def _keep_result(self, place: int, use: Use, step: str) -> list[Line]:
        """The statements that make a value the slice of a tensor, unless it is written there."""
        name, written = self.states[place], self.outputs.get(use.value)
        if written is not None and written.name == name:
            return []
        return [Line(text, "") for text in self._assign(name, self.loop.states[place], use, step)]

    def _find_slices(self) -> None:
        """Go through what is read at one place of an axis, a step further at every step."""
        for number in self.plan.forward:
            value = self.plan.values[number]
            record, first = value.record, Affine.of(self.segment.start)
            if not isinstance(record, Take) or not value.axes or number in self.inline:
                continue
            whole = self.plan.values[record.value].axes
            fixed = [(axis, p) for axis, p in enumerate(record.places) if p is not None]
            if len(fixed) != 1 or not all(self._is_inside(p, whole[axis]) for axis, p in fixed):
                continue
            axis, place = fixed[0]
            ahead = place.offset - Affine.of(self.loop.step)
            if self.loop.step not in ahead.names:
                begin = ahead + first - Affine.of(1)
                self._go_through(self.variables[number], self._variable(record.value), axis, begin)

    def _go_through(self, name: str, array: str, axis: int, begin: Affine) -> None:
        """A name for slices of an array, from one on that is counted from 0, one a step."""
        count = self._size(self.segment.size)
        text = f"slices({array}, {axis}, {self._size(begin)}, {count}, {self.loop.direction})"
        self.slices.append((name, self.outside.slice_before(text)))

    def _begin_slices(self, step: str) -> None:
        """Find the results that are written where they stand in the end."""
        for name, state, use in zip(self.states, self.loop.states, self.segment.results, strict=True):
            axes = state.axes[: state.axis] + state.axes[state.axis + 1 :]
            if use is None or use.value in self.outputs or self._condition(state, step):
                continue
            if axes and use.labels == tuple(range(len(axes))) and self._is_written(use.value):
                self.outputs[use.value] = Output(name, use, axes)
                self.variables[use.value] = self._fresh("s")
                begin = Affine.of(self.segment.start - state.start)
                self._go_through(self.variables[use.value], name, state.axis, begin)

    def _share(self, lines: Sequence[Line]) -> dict[str, str]:
        """Give arrays memory that those of all loops share; what is written over has the name of what is there in the
        end.
        """
        accesses = self._accesses(lines)
        memory = share_memory(accesses, self.buffers)
        names = find_merged(accesses, memory)
        left = {name: buffer for name, buffer in self.buffers.items() if name not in names}
        places: dict[Hashable, list[int]] = {}
        for name, buffer in left.items():
            if name in memory:
                same = places.setdefault(buffer.kind, [])
                if memory[name] not in same:
                    same.append(memory[name])
                self.outside.inside[name] = buffer.kind, same.index(memory[name])
        self.outside.buffers.update(left)
        return names
