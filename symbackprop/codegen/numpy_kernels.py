"""A plan as NumPy functions that write into arrays of their own, which calls with the same sizes share.

`_workspace` makes these arrays, and what depends on sizes alone, once for each choice of sizes. `_forward` borrows one
set of them and `_backward` gives it back. Every line of the passes writes one array, over another where that is read
for the last time.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace

from symbackprop.calculus.indices import Affine
from symbackprop.codegen.array_layouts import Line
from symbackprop.codegen.buffers import Buffer, find_merged, share_memory
from symbackprop.codegen.deposits import find_deposits, find_replaced
from symbackprop.codegen.dialects import Dialect
from symbackprop.codegen.foldings import find_foldings
from symbackprop.codegen.identifiers import find_words, rename_words
from symbackprop.codegen.inlining import find_indicators
from symbackprop.codegen.leading import find_leading
from symbackprop.codegen.loop_writers import make_body_plan
from symbackprop.codegen.numpy_bodies import LoopOwner, NumpyBodyWriter
from symbackprop.codegen.records import (
    Constant,
    Count,
    Gather,
    Given,
    Loop,
    Map,
    Output,
    Pick,
    Plan,
    Segment,
    Spread,
    State,
    Take,
    Window,
    find_fixed,
    is_condition,
    uses_of,
)
from symbackprop.codegen.tilings import is_joined
from symbackprop.codegen.weaving import find_threads
from symbackprop.codegen.window_layouts import find_resting


def write_numpy_kernel(
    plan: Plan, arrays: Sequence[str], sizes: Sequence[str], comments: Mapping[str, str], dialect: Dialect
) -> str:
    """The source of `_workspace(*sizes)`, of `_forward(*arrays, *sizes)` -> (value, saved) and of
    `_backward(*saved, out=None)` -> gradients in order, written into the arrays of `out` where there is one.
    """
    return NumpyKernelWriter(plan, arrays, sizes, comments, dialect).write()


class NumpyKernelWriter(LoopOwner):
    """Writes the statements of both passes, then what they share."""

    owns_outputs = True

    def __init__(
        self, plan: Plan, arrays: Sequence[str], sizes: Sequence[str], comments: Mapping[str, str], dialect: Dialect
    ) -> None:
        self.indicators = find_indicators(plan)
        self.deposits = find_deposits(plan)
        self.leading = find_leading(plan)
        self.resting = find_resting(plan)
        self.threads = find_threads(plan)
        self.begun, self.cleared, self.pending = set(), set(), []
        self.foldings = find_foldings(plan, {number for number, _ in plan.named})
        self.fixed = find_fixed(plan.values)
        super().__init__(plan, arrays, sizes, comments, dialect)
        self.buffers: dict[str, Buffer] = {}
        self.orders: dict[int, tuple[int, ...]] = {}
        self.outputs: dict[int, Output] = {}
        self.bases: dict[str, frozenset[str]] = {}
        self.constants: dict[str, str] = {}
        self.permuted: dict[str, tuple[int, ...]] = {}
        self.copies: dict[tuple[int, tuple[int, ...]], str] = {}
        self.former: dict[str, int] = {}
        self.waiting: list[Line] = []
        self.inside: dict[str, Hashable] = {}

    def write(self) -> str:
        """The functions."""
        plan = self.plan
        fixed = [n for n in (*plan.forward, *plan.backward) if n in self.fixed and n not in self.inline]
        self._find_outputs()
        forward, backward = self._statements(plan.forward), self._statements(plan.backward)
        shared = {n for n in range(len(plan.values))
                  if n in self.fixed or self._is_written(n) or self._may_be_view(n)}
        value = super()._own(plan.result, set(shared))
        returned = [self._returned(gradient, shared) for gradient in plan.gradients]
        memory = self._share(forward, backward, value, returned)
        named = {self.names[name] for _, name in plan.named}
        names = find_merged(self._accesses([*forward, *backward]), memory, named)
        forward = [replace(line, text=rename_words(line.text, names)) for line in forward]
        backward = [replace(line, text=rename_words(line.text, names)) for line in backward]
        value, returned = rename_words(value, names), [rename_words(text, names) for text in returned]
        memory = {name: place for name, place in memory.items() if name not in names}
        borrowable = [*(self.variables[n] for n in fixed), *self.constants, *memory]
        views = self._find_views([*forward, *backward], borrowable)
        borrowable += [line.name for line in views]
        forward, backward = ([_leave_comment(line) if line in views else line for line in lines]
                             for lines in (forward, backward))
        passes = [self._print(forward), self._print(backward)]
        texts = ["\n".join([*passes[0], value]), "\n".join([*passes[1], *returned])]
        borrowed = [[name for name in borrowable if name in words] for words in map(find_words, texts)]
        made = self._returned_arrays()
        saved = self._needed("\n".join([texts[1], *made]), borrowable)
        arguments = [self.names[n] for n in self.arrays]
        sizes = [self.names[n] for n in self.size_names]
        lines = ["@Workspaces", f"def _workspace({', '.join(sizes)}):"]
        lines += [*self._workspace(fixed, memory, views, borrowed), "", ""]
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

    def _find_views(self, lines: Sequence[Line], borrowable: Sequence[str]) -> list[Line]:
        """The statements that show nothing but arrays that calls share: they are made once as well."""
        known = {*self.variables.values(), *self.buffers, *(self.names[n] for n in self.arrays)} - set(borrowable)
        views: list[Line] = []
        for line in lines:
            if line.shows and not (find_words(line.text) - {line.name}) & known:
                views.append(line)
                known.discard(line.name)
        return views

    def _find_outputs(self) -> None:
        """The gradients that are computed where they are returned."""
        backward = set(self.plan.backward)
        for gradient in self.plan.gradients:
            number = gradient.use.value
            whole = gradient.axes and gradient.use.labels == tuple(range(len(gradient.axes)))
            if whole and number in backward and number not in self.outputs and self._is_written(number):
                self.outputs[number] = gradient
                self._compute_base_in(number)

    def _compute_base_in(self, number: int) -> None:
        """What entries are added to, and nothing else reads, is computed where it is returned."""
        deposit = self.deposits.get(number)
        if deposit is None or list(deposit.base.labels) != sorted(deposit.base.labels):
            return
        base, named = deposit.base.value, {n for n, _ in self.plan.named}
        readers = [n for n in self.plan.backward for u in uses_of(self.plan.values[n].record) if u.value == base]
        made = base in self.plan.backward and self._is_written(base) and base not in named
        if made and len(readers) == 1 and base not in self.outputs:
            self.outputs[base] = self.outputs[number]
            self.variables[base] = self.variables[number]

    def _statements(self, numbers: Sequence[int]) -> list[Line]:
        """The statements of a pass."""
        unwritten = self._find_unwritten()
        return [line for number in numbers if number not in unwritten for line in self._statement(number)]

    def _find_unwritten(self) -> frozenset[int]:
        """The values that no statement of a pass makes."""
        loose = {n for n, v in enumerate(self.plan.values) if isinstance(v.record, Given | Constant | Pick)}
        inside = {n for folding in self.foldings.values() for n in folding.inside}
        return self.inline | self.fixed | {*loose, *self.indicators, *inside} | find_replaced(self.plan, self.deposits)

    def _statement(self, number: int) -> list[Line]:
        """The statements that make a value."""
        value = self.plan.values[number]
        if isinstance(value.record, Loop):
            return self._loop_lines(number, value.record)
        name, quiet = self.variables[number], self._is_quiet(number)
        comment = self.comments.get(dict(self.plan.named).get(number, ""), "")
        if self._is_written(number):
            made = self._write_into(number)
            return [
                *(replace(line, quiet=quiet) for line in made[:-1]), replace(made[-1], quiet=quiet, comment=comment)
            ]  # fmt: skip
        before = self._rest(value.record.value) if isinstance(value.record, Window) else []
        text, shows = self._expression(value), self._is_shown(value.record)
        split = self._split_axes(value.record, value.axes) if isinstance(value.record, Window) else None
        if split is not None:
            text, shows = split, False
        if isinstance(value.record, Gather):
            joined = self._joined_axes(value.record, value.axes)
            if joined is not None:
                text, self.orders[number] = joined
                shows = self._has_no_gaps(value.record.value)
        if self._may_be_view(number):
            self.bases[name] = frozenset(find_words(text))
        if isinstance(value.record, Window | Spread) or is_joined(value.record):
            order = self._order_of_view(value.record)
            if sorted(order) == list(range(len(value.axes))):
                self.orders[number] = order
        return [*before, Line(f"{name} = {text}", name, (), quiet, comment, shows)]

    def _may_be_view(self, number: int) -> bool:
        """Whether an expression may show the memory of another value."""
        record = self.plan.values[number].record
        return isinstance(record, Gather | Window | Take | Spread) or is_joined(record)

    def _loop_lines(self, number: int, loop: Loop) -> list[Line]:
        """A loop, and before it the arrays that it makes, each with the axis of its steps first."""
        picks, lines = self._picks(number), []
        loop = self._leave_passing(loop)
        for k, state in enumerate(loop.states):
            made = [segment for segment in loop.segments if segment.results[k] is not None]
            if not made:
                continue
            others = tuple(axis for axis in range(len(state.axes)) if axis != state.axis)
            self._place(picks[k], (state.axis, *others), "DTYPE")
            name = self.variables[picks[k]]
            count = sum((segment.size for segment in made), Affine())
            whole = count == state.axes[state.axis] and min(s.start for s in made) == state.start
            lines.append(Line("" if whole else f"{name}[...] = 0", name))  # from here on it needs its memory
        steps = Line("\n".join(self._loop(number, loop, "    ")), "")
        before, self.waiting = self.waiting, []
        return [*lines, *before, steps]

    def copy_before(self, number: int, order: tuple[int, ...]) -> str:
        """The name of a value that is copied, before the loop that asks for it, with its axes in this order."""
        self.waiting += self._copy(number, order)
        return self.copies[number, order]

    def slice_before(self, text: str) -> str:
        """The name of slices that are made before the loop that goes through them."""
        found = next((line.name for line in self.waiting if line.text.endswith(f" = {text}")), None)
        if found is not None:
            return found
        name = self._fresh("v")
        self.bases[name] = frozenset(find_words(text))
        self.waiting.append(Line(f"{name} = {text}", name, shows=True))
        return name

    def _leave_passing(self, loop: Loop) -> Loop:
        """The loop without what it makes of tensors that are read in the same step alone."""
        plan, found = self.plan, set[int]()
        for number in (*plan.forward, *plan.backward):
            record = plan.values[number].record
            if isinstance(record, Pick) and plan.values[record.loop].record == loop:
                found.add(record.number)
        for body in (make_body_plan(loop, segment) for segment in loop.segments):
            given = [body.values[n].record for n in body.forward]
            found |= {int(r.name[1:]) for r in given if isinstance(r, Given) and r.name.startswith("@")}
        segments = []
        for segment in loop.segments:
            results = tuple(use if k in found else None for k, use in enumerate(segment.results))
            if any(use is not None for use in results):
                segments.append(replace(segment, results=results))
        return replace(loop, segments=tuple(segments))

    def _begin(self, name: str, state: State) -> str:
        return ""

    def _body_writer(self, loop: Loop, segment: Segment, states: Sequence[str]) -> NumpyBodyWriter:
        return NumpyBodyWriter(self, loop, segment, states)

    def _returned(self, gradient: Output, shared: set[int]) -> str:
        """The expression of a gradient."""
        number = gradient.use.value
        return self.variables[number] if self.outputs.get(number) is gradient else super()._own(gradient, shared)

    def _returned_arrays(self) -> list[str]:
        """The lines that take the arrays of gradients from the caller or make them."""
        if not self.outputs:
            return []
        inside = {id(gradient): number for number, gradient in reversed(self.outputs.items())}
        names, made = [], []
        for gradient in self.plan.gradients:
            number = inside.get(id(gradient))
            names.append("_" if number is None else self.variables[number])
            made.append("None" if number is None else f"np.empty({self._shape(gradient.axes)}, DTYPE)")
        lines = ["    if out is None:", "        out = (", *(f"            {text}," for text in made), "        )"]
        return [*lines, f"    {', '.join(names)}{',' if len(names) == 1 else ''} = out"]

    def _share(
        self, forward: Sequence[Line], backward: Sequence[Line], value: str, returned: Sequence[str]
    ) -> dict[str, int]:
        """The memory of each array, for what both passes read."""
        lines = [*forward, Line(value, ""), *backward, Line("\n".join(returned), "")]
        memory = share_memory(self._accesses(lines), self.buffers)
        places: dict[object, int] = {}
        for name in self.buffers:
            if name not in memory:  # a loop writes it at every step
                places.setdefault(self.inside.get(name, name), len(memory) + len(places))
        return memory | {n: places[self.inside.get(n, n)] for n in self.buffers if n not in memory}

    def _print(self, lines: Sequence[Line]) -> list[str]:
        printed: list[str] = []
        quiet_before = False
        for line in lines:
            if line.quiet and not quiet_before:
                printed.append("    with np.errstate(all='ignore'):")
            margin = "        " if line.quiet else "    "
            if line.comment:
                text = "".join(c if c.isprintable() else " " for c in line.comment)
                printed.append(f"{margin}# {text}")
            if line.text:
                printed += [line.text] if line.name == "" else [f"{margin}{line.text}"]
            quiet_before = line.quiet
        return printed

    def _needed(self, text: str, shared: Collection[str]) -> list[str]:
        """What the backward pass reads of the forward pass beside the arrays that they share."""
        words = find_words(text)
        names = [*((name, n) for n, name in self.variables.items()), *self.former.items()]
        forward = [name for name, n in names if self._is_forward(n)]
        given = [self.names[n] for n in (*self.arrays, *self.size_names)]
        return [n for n in dict.fromkeys((*given, *forward)) if n in words and n not in shared]

    def _is_forward(self, number: int) -> bool:
        """Whether the forward pass makes a value, by a loop also one that only the backward pass reads."""
        record = self.plan.values[number].record
        return (record.loop if isinstance(record, Pick) else number) in self.plan.forward

    def _workspace(
        self,
        fixed: Sequence[int],
        memory: Mapping[str, int],
        views: Sequence[Line],
        borrowed: Sequence[Sequence[str]],
    ) -> list[str]:
        """The arrays that calls of one choice of sizes share."""
        lines: list[str] = []
        ready: set[str] = set()
        for number in fixed:
            text = self._expression(self.plan.values[number])
            words = find_words(text)
            before = [name for name in self.constants if name in words and name not in ready]
            lines += [f"    {name} = {self.constants[name]}" for name in before]
            value = self.plan.values[number]
            number_alone = not value.axes and isinstance(value.record, Map | Count) and not is_condition(value.record)
            lines.append(f"    {self.variables[number]} = {f'np.array({text}, DTYPE)' if number_alone else text}")
            ready.update(before)
        lines += [f"    {name} = {text}" for name, text in self.constants.items() if name not in ready]
        blocks: dict[int, str] = {}
        for name, place in memory.items():
            buffer = self.buffers[name]
            if place not in blocks:
                blocks[place] = self._fresh("m")
                count = "*".join(_bracket(self._size(a)) for a in buffer.axes)
                lines.append(f"    {blocks[place]} = np.empty({count}, {buffer.dtype})")
            text = blocks[place] if len(buffer.axes) == 1 else f"{blocks[place]}.reshape({self._shape(buffer.axes)})"
            order = self.permuted.get(name, tuple(range(len(buffer.axes))))
            inverse = sorted(range(len(order)), key=lambda k: order[k])
            lines.append(f"    {name} = {self.dialect.transpose(text, inverse)}")
        lines += [f"    {line.text}" for line in views]
        groups = ["(" + "".join(f"{n}, " for n in names).strip() + ")" for names in borrowed]
        return [*lines, f"    return {groups[0]}, {groups[1]}"]


def _leave_comment(line: Line) -> Line:
    """What stays of a statement that is made once."""
    return Line("", "", (), line.quiet, line.comment)


def _bracket(size: str) -> str:
    return size if size.isidentifier() or size.isdigit() else f"({size})"


def _unpack(names: Sequence[str], source: str) -> list[str]:
    return [f"    {', '.join(names)}{',' if len(names) == 1 else ''} = {source}"] if names else []
