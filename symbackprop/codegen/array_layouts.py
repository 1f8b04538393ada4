"""Where the arrays of a kernel lie in memory: the order of their axes, copies that lie otherwise, and what may be
written over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbackprop.calculus.indices import Affine
from symbackprop.codegen.buffers import Access, Buffer
from symbackprop.codegen.identifiers import find_words
from symbackprop.codegen.kernels import KernelWriter, whole_label
from symbackprop.codegen.products import Factor, group_factors, stands_together
from symbackprop.codegen.records import (
    Inside,
    Label,
    Map,
    Match,
    Output,
    Record,
    Scatter,
    Select,
    Spread,
    Use,
    Weave,
    Window,
    is_boolean,
)
from symbackprop.codegen.tilings import Tiling, find_tiling
from symbackprop.codegen.weaving import Thread
from symbackprop.codegen.window_layouts import Resting, is_inside, is_split, sort_steps


@dataclass(frozen=True, slots=True)
class Line:
    """A statement that makes the value of a name; `shows` says that it only shows the memory of what it reads."""

    text: str
    name: str
    overwrites: tuple[str, ...] = ()
    quiet: bool = False
    comment: str = ""
    shows: bool = False


class LayoutWriter(KernelWriter):
    """Knows how arrays lie; `orders` are the axes of values in the order in which they lie in memory."""

    indicators: Mapping[int, int]
    fixed: frozenset[int]
    buffers: dict[str, Buffer]
    orders: dict[int, tuple[int, ...]]
    outputs: dict[int, Output]
    permuted: dict[str, tuple[int, ...]]
    copies: dict[tuple[int, tuple[int, ...]], str]
    former: dict[str, int]
    """The names that values had before they were moved."""
    resting: Mapping[int, Resting]
    threads: Mapping[int, Thread]
    begun: set[int]
    cleared: set[int]
    pending: list[Line]
    bases: dict[str, frozenset[str]]
    owns_outputs: bool

    def _aligned_labels(self, use: Use, labels: Sequence[int]) -> str:
        """The variable with its axes in the order of these labels."""
        return self.dialect.transpose(self._variable(use.value), [use.labels.index(label) for label in labels])

    def _labels_in_memory(self, use: Use) -> tuple[int, ...]:
        """The labels of an operand in the order in which its axes lie in memory."""
        number = self.indicators.get(use.value, use.value)
        return tuple(use.labels[k] for k in self.orders.get(number, range(len(use.labels))))

    def _order_of_view(self, record: Record) -> tuple[int, ...]:
        """The axes of a view in the order in which what it shows lies in memory."""
        tiling = find_tiling(record)
        if tiling is not None and isinstance(record, Scatter):
            return self._order_of_tiles(tiling, self._labels_in_memory(record.use))
        if isinstance(record, Spread):
            carried = self._labels_in_memory(record.use)
            return tuple(k for k in range(max(carried, default=-1) + 1) if k not in carried) + carried
        assert isinstance(record, Window)
        axes = self.orders.get(record.value, range(len(record.positions)))
        steps = [record.positions[axis].parts for axis in axes]
        return tuple(part.number for parts in steps for part in sort_steps(parts))

    def _is_shown(self, record: Record) -> bool:
        """Whether a view is never a copy."""
        if isinstance(record, Window):
            return is_inside(record, self.plan.values[record.value].axes)
        tiling = find_tiling(record)
        if tiling is not None and isinstance(record, Scatter):
            labels = self._labels_in_memory(record.use)
            follows = (tiling.tile, tiling.place) in zip(labels, labels[1:], strict=False)
            return tiling.exact and follows and self._has_no_gaps(record.use.value)
        return isinstance(record, Spread)

    def _has_no_gaps(self, number: int) -> bool:
        """Whether all entries of an array that calls share belong to a value, and lie as is said of it."""
        record = self.plan.values[number].record
        if isinstance(record, Spread):
            every = len(record.use.labels) == len(self.plan.values[number].axes)
            return every and self._has_no_gaps(record.use.value)
        if isinstance(record, Scatter) and find_tiling(record) is not None and self._is_shown(record):
            return True
        return self.variables.get(number) in self.buffers and number in self.orders

    def _split_axes(self, window: Window, axes: Sequence[Affine]) -> str | None:
        """An array with some of its axes as several, if a window is that."""
        own = self.plan.values[window.value].axes
        if not is_split(window, own) or self.orders.get(window.value, range(len(own))) != range(len(own)):
            return None
        labels = [label.number for position in window.positions for label in sort_steps(position.parts)]
        text = f"{self._variable(window.value)}.reshape({self._shape([axes[label] for label in labels])})"
        return self.dialect.transpose(text, [labels.index(k) for k in range(len(labels))])

    def _order_of_tiles(self, tiling: Tiling, labels: Sequence[int]) -> tuple[int, ...]:
        """The axes of what tiles make, each pair of a tile and a place in it one of them, as the labels lie."""
        return tuple(0 if label == tiling.tile else label for label in labels if label != tiling.place)

    def _stored(self, use: Use) -> tuple[str, tuple[int, ...]]:
        """The array with its axes as they lie in memory, and their labels."""
        labels = self._labels_in_memory(use)
        return self._aligned_labels(use, labels), labels

    def _place(self, number: int, order: tuple[int, ...] | None, dtype: str) -> None:
        """Where a value is written: an array whose axes lie in memory in this order, or what the caller gets."""
        if number in self.outputs:
            return
        if number in self.threads:
            self._show_thread(number, order or range(len(self.plan.values[number].axes)))
            return
        axes, name = self.plan.values[number].axes, self.variables[number]
        order = order or tuple(range(len(axes)))
        self.orders[number] = order
        self.buffers[name] = Buffer(name, tuple(axes[k] for k in order), dtype)
        self.permuted[name] = order

    def _begin_weave(self, number: int, order: Sequence[int]) -> None:
        """The lines from which on a weave has its array, whose axes lie in this order if nothing else is said."""
        if number in self.begun:
            return
        self.begun.add(number)
        self._place(number, tuple(order), "DTYPE")
        name, (record, axes) = self.variables[number], self._read_weave(number)
        (tiles,) = {axis for use in record.uses[:1] for label, axis in self._labelled(use) if label >= len(axes)}
        full = record.begin == Affine() and tiles * len(record.uses) == record.size
        thread = self.threads.get(number)
        if not full and not (thread and thread.weave in self.cleared):
            self.pending.append(Line(f"{name}[...] = 0", name))
        elif thread is None:
            self.pending.append(Line("", name))
        if not full or (thread and thread.weave in self.cleared):
            self.cleared.add(number)

    def _read_weave(self, number: int) -> tuple[Weave, tuple[Affine, ...]]:
        value = self.plan.values[number]
        assert isinstance(value.record, Weave)
        return value.record, value.axes

    def _show_thread(self, number: int, order: Sequence[int]) -> None:
        """The line that shows where in a weave a value is written, which would best lie in this order."""
        thread, name = self.threads[number], self.variables[number]
        record, axes = self._read_weave(thread.weave)
        labels = [0 if label == len(axes) else label for label in record.uses[thread.place].labels]
        self._begin_weave(thread.weave, [labels[axis] for axis in order])
        lying = self.orders.get(thread.weave, range(len(axes)))
        self.orders[number] = tuple(labels.index(axis) for axis in lying)
        text = self._slice_of_weave(thread.weave, thread.place)
        self.bases[name] = frozenset({self.variables[thread.weave]})
        self.pending.append(Line(f"{name} = {text}", name, shows=True))

    def _slice_of_weave(self, number: int, place: int) -> str:
        """The entries of a weave that are those of one use, with the axes of that."""
        record, axes = self._read_weave(number)
        use, step = record.uses[place], len(record.uses)
        tiles = dict(self._labelled(use))[len(axes)]
        begin = record.begin + Affine.of(place)
        end = begin + tiles * step - Affine.of(step - 1)
        text = f"{self.variables[number]}[{self._size(begin)}:{self._size(end)}:{step}]"
        return self.dialect.transpose(text, [0 if label == len(axes) else label for label in use.labels])

    def _order_of(self, uses: Sequence[Use], rank: int) -> tuple[int, ...] | None:
        """The order of the axes of the first operand that has all, of one that lies in its own way if any does."""
        whole = [self._labels_in_memory(use) for use in uses if len(use.labels) == rank]
        return self._own_way(uses, rank) or (whole[0] if whole else None)

    def _own_way(self, uses: Sequence[Use], rank: int) -> tuple[int, ...] | None:
        """The order of the axes of the first operand that has all and does not lie in their order."""
        whole = (self._labels_in_memory(use) for use in uses if len(use.labels) == rank)
        return next((order for order in whole if list(order) != list(range(rank))), None)

    def _order_of_reader(self, number: int) -> tuple[int, ...] | None:
        """The axes of a condition as what it selects from lies, if that is known by then."""
        for place in (*self.plan.forward, *self.plan.backward):
            record, rank = self.plan.values[place].record, len(self.plan.values[place].axes)
            order: Sequence[int] | None = None
            if isinstance(record, Select) and record.mask.value == number and record.value.value in self.orders:
                use, order = record.mask, self._own_way((record.value,), rank)
            elif isinstance(record, Map) and is_boolean(record.body):
                found = [use for use in record.uses if use.value == number]
                if found:
                    use, order = found[0], self._order_of_reader(place)
            if order is not None:
                return tuple(use.labels.index(label) for label in order if label in use.labels)
        return None

    def _lies_in_order(self, number: int, order: Sequence[int]) -> bool:
        """Whether what a call writes into has its axes in this order in memory, and no gaps."""
        return number not in self.outputs or (self.owns_outputs and list(order) == sorted(order))

    def _dying(self, number: int, uses: Sequence[Use]) -> tuple[str, ...]:
        """The operands that may be written over if nothing reads them later: entry by entry those of the result."""
        rank = len(self.plan.values[number].axes)
        whole = [u for u in uses if u.labels == tuple(range(rank))]
        own = self.orders.get(number)
        same = [u for u in whole if self.orders.get(u.value) == own and u.value not in self.indicators]
        return tuple(self.variables[u.value] for u in same if u.value in self.variables)

    def _accesses(self, lines: Sequence[Line]) -> list[Access]:
        """What each statement writes and reads, what its views show included."""
        found = []
        for line in lines:
            words = waiting = find_words(line.text)
            while waiting:
                waiting = set().union(*(self.bases.get(name, frozenset()) for name in waiting)) - words
                words = words | waiting
            found.append(Access(line.name, frozenset((words & set(self.buffers)) - {line.name}), line.overwrites))
        return found

    def _copy(self, number: int, order: tuple[int, ...]) -> list[Line]:
        """The line that copies a value with its axes in this order, unless there is such a copy."""
        if (number, order) in self.copies:
            return []
        name = self.copies[number, order] = self._fresh("k")
        axes = self.plan.values[number].axes
        self.buffers[name] = Buffer(name, tuple(axes[k] for k in order), "DTYPE")
        return [Line(f"np.copyto({name}, {self.dialect.transpose(self._variable(number), order)})", name)]

    def _rest(self, number: int) -> list[Line]:
        """The line that moves what windows are taken of, if one of the axes that they move along lies last."""
        resting, lying = self.resting.get(number), self.orders.get(number, range(len(self.plan.values[number].axes)))
        if resting is None or lying[-1] not in resting.moved or number in self.outputs:
            return []
        text, self.variables[number] = self._variable(number), self._fresh("k")
        self.former[text] = number
        self._place(number, resting.order, "DTYPE")
        return [Line(f"np.copyto({self.variables[number]}, {text})", self.variables[number])]

    def _arrange(
        self, uses: Sequence[Use], factors: Sequence[Factor], rank: int, leading: int | None
    ) -> tuple[list[Line], list[Factor]]:
        """The factors of a matrix product, copied where they could not be taken as matrices as they lie in memory, or
        where the axis of the result that is to lead is not the first of its rows; a copy serves all products that need
        it.
        """
        lines: list[Line] = []
        arranged: list[Factor] = []
        (_, left), (_, right) = factors
        rows = [label for label in left if label < rank and label not in right]
        late = leading in rows[1:]
        if late:
            left = tuple(label for label in left if label == leading) + tuple(x for x in left if x != leading)
        groups = group_factors(left, right, rank)
        for use, factor, wanted in zip(uses, factors, groups, strict=True):
            if self._is_matrix(use, factor[1], wanted) and not (late and not arranged):
                arranged.append(factor)
                continue
            if isinstance(self.plan.values[use.value].record, Window):
                wanted = _put_last(wanted, factor[1][-1])
            labels = tuple(label for group in wanted for label in group)
            order = tuple(use.labels.index(label) for label in labels)
            lines += self._copy(use.value, order)
            arranged.append((self.copies[use.value, order], labels))
        return lines, arranged

    def _is_turned(self, uses: Sequence[Use], factors: Sequence[Factor], rank: int) -> bool:
        """Whether the result of a matrix product is to have the axes of its first factor last: those of a window that
        lies with a last axis that it does not move along.
        """
        (_, labels), (_, others) = factors
        window = self.plan.values[uses[0].value].record
        if not isinstance(window, Window) or window.value not in self.resting:
            return False
        last = labels[-1]
        return last < rank and last not in others and self._is_whole(window, uses[0].labels.index(last))

    def _is_matrix(self, use: Use, labels: Sequence[int], groups: Sequence[Sequence[int]]) -> bool:
        """Whether the axes of each group can be taken as one where they lie."""
        record = self.plan.values[use.value].record
        several = [group for group in groups if len(group) > 1]
        if use.value in self.fixed or not several:
            return True
        if not all(stands_together(labels, group) for group in several):
            return False
        if isinstance(record, Spread) and len(record.use.labels) < len(labels):
            return False
        if isinstance(record, Window) and is_split(record, self.plan.values[record.value].axes):
            return True
        return not isinstance(record, Window) or all(
            self._is_whole(record, use.labels.index(label)) for group in several for label in group[1:]
        )

    def _is_whole(self, window: Window, label: int) -> bool:
        """Whether a label of a view runs over an axis of what it shows as it is."""
        for position, size in zip(window.positions, self.plan.values[window.value].axes, strict=True):
            if any(isinstance(part, Label) and part.number == label for part, _ in position.parts):
                return whole_label(position, size) == label
        return False

    def _is_condition(self, number: int) -> bool:
        record = self.plan.values[number].record
        return isinstance(record, Match | Inside) or (isinstance(record, Map) and is_boolean(record.body))


def _put_last(groups: Sequence[list[int]], label: int) -> list[list[int]]:
    """The two groups of a matrix in an order in which a label stands in the last; what stands before them stays."""
    if len(groups) < 2 or label not in groups[-2]:
        return list(groups)
    return [*groups[:-2], groups[-1], groups[-2]]
