"""The body of a loop as statements that write into arrays of its own, its results into those that the loop makes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence

from symbackprop.codegen.array_layouts import Line
from symbackprop.codegen.array_writers import ArrayWriter
from symbackprop.codegen.foldings import find_foldings
from symbackprop.codegen.inlining import find_indicators
from symbackprop.codegen.loop_writers import BodyWriter
from symbackprop.codegen.products import Factor, group_factors
from symbackprop.codegen.records import Given, Loop, Output, Segment, State, Use


class LoopOwner(ArrayWriter):
    """Writes what a loop stands in."""

    @abstractmethod
    def copy_before(self, number: int, order: tuple[int, ...]) -> str:
        """The name of a value that is copied, before the loop that asks for it, with its axes in this order."""


class NumpyBodyWriter(BodyWriter, ArrayWriter):
    """Writes the body of a loop into arrays of its own, and its results into those that the loop makes."""

    owns_outputs = False
    outside: LoopOwner

    def __init__(self, outside: LoopOwner, loop: Loop, segment: Segment, states: Sequence[str]) -> None:
        self.fixed, self.deposits, self.leading, self.resting = frozenset(), {}, {}, {}
        self.threads, self.begun, self.cleared, self.pending = {}, set(), set(), []
        self.orders, self.outputs, self.copies, self.former = {}, {}, {}, {}
        self.buffers, self.constants, self.permuted = outside.buffers, outside.constants, outside.permuted
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

    def _lines(self, numbers: Sequence[int], margin: str = "    ") -> list[str]:
        lines: list[str] = []
        for number in numbers:
            if number in self.indicators or any(number in each.inside for each in self.foldings.values()):
                continue
            if self._is_written(number):
                lines += [line.text for line in self._write_into(number)]
            else:
                lines += super()._lines([number], margin)
        return lines

    def write_steps(self, step: str) -> list[str]:
        """The lines of one step, those before which say where the results stand."""
        return self._begin_slices(step) + super().write_steps(step)

    def _begin_slices(self, step: str) -> list[str]:
        """The lines that say where the results of a step stand."""
        begin: list[str] = []
        for name, state, use in zip(self.states, self.loop.states, self.segment.results, strict=True):
            axes = state.axes[: state.axis] + state.axes[state.axis + 1 :]
            if use is None or use.value in self.outputs or self._condition(state, step):
                continue
            if axes and use.labels == tuple(range(len(axes))) and self._is_written(use.value):
                self.outputs[use.value] = Output(name, use, axes)
                self.variables[use.value] = self._fresh("s")
                begin.append(f"{self.variables[use.value]} = {name}[{self._place_of(state, step)}]")
        return begin

    def _assign(self, name: str, state: State, use: Use, step: str) -> list[str]:
        written = self.outputs.get(use.value)
        return [] if written is not None and written.name == name else super()._assign(name, state, use, step)
