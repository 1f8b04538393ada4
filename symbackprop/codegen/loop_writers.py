"""Kernels for libraries in which every line is an expression, and the bodies of loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbackprop.calculus.indices import Affine, Index, compare_range
from symbackprop.codegen.dialects import Dialect
from symbackprop.codegen.kernels import KernelWriter
from symbackprop.codegen.records import Given, Loop, Output, Plan, Position, Segment, State, Take, Use, reach


def write_kernel(
    plan: Plan, arrays: Sequence[str], sizes: Sequence[str], comments: Mapping[str, str], dialect: Dialect
) -> str:
    """The source of `_forward(*arrays, *sizes)` -> (value, saved) and of `_backward(*saved)` -> gradients in order.

    `comments` say what stands above which tensor.
    """
    return ExpressionWriter(plan, arrays, sizes, comments, dialect).write()


class ExpressionWriter(KernelWriter):
    """Writes the lines of a kernel."""

    def _body_writer(self, loop: Loop, segment: Segment, states: Sequence[str]) -> BodyWriter:
        return BodyWriter(self, loop, segment, states)


def make_body_plan(loop: Loop, segment: Segment) -> Plan:
    """A step of a loop as a plan without a backward pass, whose outputs are the slices that it makes."""
    results = [
        Output("", use, state.axes[: state.axis] + state.axes[state.axis + 1 :])
        for use, state in zip(segment.results, loop.states, strict=True)
        if use is not None
    ]
    roots = tuple(result.use.value for result in results)
    forward = tuple(sorted(reach(segment.body, roots)))
    return Plan(segment.body, (), results[0], tuple(results[1:]), forward, ())


class BodyWriter(KernelWriter):
    """Writes the body of a loop, which reads what is outside of it."""

    def __init__(self, outside: KernelWriter, loop: Loop, segment: Segment, states: Sequence[str]) -> None:
        self.outside, self.dialect = outside, outside.dialect
        plan = make_body_plan(loop, segment)
        roots = {plan.result.use.value, *(result.use.value for result in plan.gradients)}
        self.plan, self.comments, self.names, self.taken = plan, {}, outside.names, outside.taken
        self.arrays, self.size_names, self.variables = (), (), {}
        self.loop, self.segment, self.states = loop, segment, states
        self.slices: list[tuple[str, str]] = []
        self.inline = self._find_inline(roots)
        for number in plan.forward:
            record = plan.values[number].record
            if isinstance(record, Given):
                place = int(record.name[1:])
                outer = record.name.startswith("#")
                self.variables[number] = outside._variable(place) if outer else states[place]
            elif number not in self.inline:
                self.variables[number] = self._fresh("u")

    def _is_quiet(self, number: int) -> bool:
        return False

    def _body_writer(self, loop: Loop, segment: Segment, states: Sequence[str]) -> BodyWriter:
        raise AssertionError("no loop stands in a loop")

    def _take(self, record: Take) -> str:
        """A slice where the step is known to be inside of the axis."""
        axes = self.plan.values[record.value].axes
        inside = all(p is None or self._is_inside(p, size) for p, size in zip(record.places, axes, strict=True))
        if not inside:
            return super()._take(record)
        at = [
            ":" if p is None else self._position(Position(p.parts, p.offset - Affine.of(1)), 0) for p in record.places
        ]
        while at[-1] == ":":
            at.pop()
        return f"{self._variable(record.value)}[{', '.join(at)}]"

    def _is_inside(self, place: Position, size: Affine) -> bool:
        """Whether a place counts from 1 to `size` at every step."""
        if place.parts:
            return False
        step = Index(self.loop.step, self.segment.size, self.segment.start)
        return compare_range(place.offset.substitute({self.loop.step: Affine.of(step)}), size, 1) is True

    def write_steps(self, step: str) -> list[str]:
        """The lines of one step; each tensor gets its slice as soon as that is known."""
        lines: list[str] = []
        done = 0
        for name, state, use in zip(self.states, self.loop.states, self.segment.results, strict=True):
            if use is None:
                continue
            until = max(done, use.value + 1)
            lines += self._lines([n for n in self.plan.forward if done <= n < until], "")
            done = until
            lines += self._assign(name, state, use, step)
        return lines

    def _assign(self, name: str, state: State, use: Use, step: str) -> list[str]:
        """The lines that make a value a slice of a tensor."""
        value = self._operand(use, len(state.axes) - 1)
        return self.dialect.assign(name, self._place_of(state, step), value, self._condition(state, step))

    def _place_of(self, state: State, step: str) -> str:
        """Where the slice of a step stands."""
        return ", ".join([":"] * state.axis + [f"{step} - {state.start}" if state.start else step])

    def _condition(self, state: State, step: str) -> str:
        """What says that a tensor has a slice at a step, empty if it has one at each."""
        size = state.axes[state.axis]
        steps = Index(step, self.segment.size, self.segment.start)
        if compare_range(Affine.of(steps), size, state.start) is True:
            return ""
        return f"({state.start} <= {step}) & ({step} < {self._size(size + Affine.of(state.start))})"
