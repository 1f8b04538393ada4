"""Products with windows that run backwards, as the adjoint of a convolution has them, as products that are added up.

The sum over k and r of W[k,c,r]*d[n,k,p-r+1] reads every entry of d once for each r. Put in terms of the place u =
p-r+1, it adds the sum over k of W[k,c,r]*d[n,k,u] to the place u+r-1: a product of two matrices, and as many additions
as its result has entries.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.calculus.indices import Affine, is_nonnegative
from symbackprop.codegen.kernels import whole_label
from symbackprop.codegen.rebuilding import PlanRebuilder
from symbackprop.codegen.records import Contract, Label, Plan, Position, Record, Scatter, Spread, Use, Window


def add_up_products(plan: Plan) -> Plan:
    """The plan in which such products are added up where that takes no more operations and no more memory."""
    return _Rebuilder(plan).rebuild()


@dataclass(frozen=True, slots=True)
class _Step:
    """An axis of what a window is taken of, where it is read at the place along the label `free` less that along the
    label `summed`; `position` is the place along `free`, by that along `summed` and that on the axis.
    """

    axis: int
    free: int
    summed: int
    position: Position


class _Rebuilder(PlanRebuilder):
    """Writes such products as others."""

    def replace(self, record: Record, axes: Sequence[Affine]) -> int | None:
        """The sums of products that stand for one, or None."""
        if not isinstance(record, Contract) or len(record.uses) != 2:
            return None
        for use, other in (record.uses, record.uses[::-1]):
            window = self.values[use.value].record
            if not isinstance(window, Window):
                continue
            source = self._read_source(window, use, other, len(axes))
            if source is not None and self._pays(*source, use, other, len(axes)):
                return self._add_up(*source, other, axes)
        return None

    def _read_source(self, window: Window, use: Use, other: Use, rank: int) -> tuple[Use, tuple[_Step, ...]] | None:
        """What a window is taken of, and the axes along which it runs backwards, which have no labels there: -1; None
        where it runs along others in another way.
        """
        own, labels, steps = self.values[window.value].axes, [], []
        for axis, (position, size) in enumerate(zip(window.positions, own, strict=True)):
            whole = whole_label(position, size)
            step = _read_step(axis, position, size, use) if whole is None else None
            if step is not None and step.free < rank <= step.summed and step.summed in other.labels:
                steps.append(step)
                labels.append(-1)
            elif whole is not None:
                labels.append(use.labels[whole])
            else:
                return None
        return (Use(window.value, tuple(labels)), tuple(steps)) if steps else None

    def _sizes(self, *uses: Use) -> dict[int, Affine]:
        """The sizes of labels."""
        return {
            label: size for use in uses for label, size in zip(use.labels, self.values[use.value].axes, strict=True)
        }

    def _pays(self, source: Use, steps: Sequence[_Step], use: Use, other: Use, rank: int) -> bool:
        """Whether the products have no more entries than the window has, for no more places."""
        sizes, own = self._sizes(use, other), self.values[source.value].axes
        if not all(is_nonnegative(sizes[step.free] - own[step.axis]) for step in steps):
            return False
        read = Counter(sizes[label] for label in source.labels if label >= rank)
        made = Counter(sizes[label] for label in other.labels if label < rank and label not in use.labels)
        shared = any(label in other.labels for label in source.labels if label >= rank)
        more, less = (made - read).elements(), (read - made).elements()
        fewer = [size.integer for size in less if size.integer is not None]
        extra = [size.integer for size in more]
        return shared and None not in extra and math.prod(n or 1 for n in extra) <= math.prod(fewer)

    def _add_up(self, source: Use, steps: Sequence[_Step], other: Use, axes: Sequence[Affine]) -> int:
        """The product with what the window is taken of, and its entries put in their places, axis by axis."""
        own, sizes = self.values[source.value].axes, self._sizes(other) | dict(enumerate(axes))
        free = [step.free for step in steps]
        kept = [label for label in range(len(axes)) if label not in free]
        pairs = [label for step in steps for label in (step.summed, -1 - step.axis)]
        labels = (*pairs, *kept)  # of the product; a label below 0 is an axis of the source
        placed = tuple(-1 - axis if label < 0 else label for axis, label in enumerate(source.labels))
        rest = [label for label in dict.fromkeys((*other.labels, *placed)) if label not in labels]
        numbers = {label: k for k, label in enumerate((*labels, *rest))}
        uses = tuple(
            Use(use.value, tuple(numbers[label] for label in use.labels)) for use in (other, Use(source.value, placed))
        )
        number = self.make(Contract(uses), [own[-1 - label] if label < 0 else sizes[label] for label in labels])
        for step in steps:
            pair = (step.summed, -1 - step.axis)
            rest = [label for label in labels if label not in pair]
            moved = tuple(
                len(rest) + 1 + pair.index(label) if label in pair else 1 + rest.index(label) for label in labels
            )
            labels = (step.free, *rest)
            shape = [own[-1 - label] if label < 0 else sizes[label] for label in labels]
            number = self.make(Scatter(Use(number, moved), step.position, axes[step.free]), shape)
        return self.make(Spread(Use(number, labels)), axes)


def _read_step(axis: int, position: Position, size: Affine, use: Use) -> _Step | None:
    """An axis along which a window runs backwards, whatever its labels are."""
    forward = [part for part, step in position.parts if step == 1]
    backward = [part for part, step in position.parts if step == -1]
    if len(position.parts) != 2 or len(forward) != 1 or len(backward) != 1:
        return None
    (free,), (summed,) = forward, backward
    assert isinstance(free, Label)
    assert isinstance(summed, Label)
    parts = (Label(0, summed.size, summed.start), 1), (Label(1, size, 1), 1)
    offset = Affine.of(1 - free.start) - position.offset
    return _Step(axis, use.labels[free.number], use.labels[summed.number], Position(parts, offset))
