"""Other shapes of the same ranks, with sizes told apart, at which a backward is proved again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count, product
from typing import Any

import numpy as np

from symbackprop.proof.tracing import Shapes, Subject

_MOST_SPLIT_AXES = 6
_LARGE = 6

Axis = tuple[str, int]
"""The name of an input, and the number of one of its axes."""


def write_shapes(shapes: Shapes) -> str:
    """Shapes as `x=(2, 3), b=(3,)`."""
    return ", ".join(f"{name}={tuple(shape)}" for name, shape in shapes.items())


def other_shapes(subject: Subject) -> Iterator[Subject]:
    """The subject at other shapes, the most telling first; the code may refuse any of them.

    A size of 1, as of a batch of one sample, is raised first. Equal sizes are then taken for one size that was given
    twice by chance, then for the same size.
    """
    sizes = _sizes_of(subject.shapes)
    for shapes in _without_ones(subject):
        yield _resize(subject, shapes, {size: size + 1 for size in sizes})
    for renamed in ({size: size + 1 for size in sizes}, {}) if len(sizes) > 1 else ({},):
        yield from _split(subject, sizes, renamed)
    if sizes and sizes[-1] > _LARGE:  # a smaller choice tells as much, sooner
        yield from _rename(subject, {size: 3 + k for k, size in enumerate(sizes)})
    yield from _rename(subject, {size: size + 1 for size in sizes})
    yield from _multiples(subject, sizes)
    yield from _rename(subject, {size: max(size - 1, 2) for size in sizes})


def finer_shapes(given: Shapes, other: Subject) -> Iterator[Subject]:
    """The subject with another size on some of the axes that have one at the shapes given and one at the others."""
    every = [(name, axis) for name, shape in given.items() for axis in range(len(shape))]
    alike: dict[tuple[int, int], list[Axis]] = {}
    for name, axis in every:
        alike.setdefault((given[name][axis], other.shapes[name][axis]), []).append((name, axis))
    taken = {size for shape in other.shapes.values() for size in shape}
    fresh = next(size for size in count(3) if size not in taken)
    for (_, size), axes in alike.items():
        if size > 1 and 2 <= len(axes) <= _MOST_SPLIT_AXES and not _has_size(other.data, size):
            for changed in _list_subsets(axes[1:]):  # which of two parts is changed makes no other split
                shapes = {
                    name: tuple(fresh if (name, axis) in changed else each for axis, each in enumerate(shape))
                    for name, shape in other.shapes.items()
                }
                yield replace(other, shapes=shapes)


def smaller_shapes(subject: Subject) -> Iterator[Subject]:
    """The subject at smaller shapes, the smallest first; the code may refuse any of them.

    All sizes are 2, or one of them 1, as a sequence of one step has fewest paths; then their order is kept, or the
    ratios to one of them.
    """
    sizes = _sizes_of(subject.shapes)
    twos = dict.fromkeys(sizes, 2)
    for renamed in (twos, *({**twos, size: 1} for size in sizes)):
        shapes = _with_sizes(subject.shapes, renamed)
        if shapes != dict(subject.shapes):
            yield _resize(subject, shapes, renamed)
    if len(sizes) > 1:
        yield from _rename(subject, {size: 2 + k for k, size in enumerate(sizes)})
    for base in sizes[:-1]:
        yield from _rename(subject, {size: 2 * size // base for size in sizes if size % base == 0})


def _multiples(subject: Subject, sizes: list[int]) -> Iterator[Subject]:
    """One size grows by one with all its multiples, such as the 4 H columns of an LSTM; all by two; from 1 on."""
    for base in sizes:
        yield from _rename(subject, {size: size // base * (base + 1) for size in sizes if size % base == 0})
    yield from _rename(subject, {size: size + 2 for size in sizes})
    for least in reversed(sizes):
        yield from _rename(subject, {1: 2, **{size: 2 * size if size >= least else size + 1 for size in sizes}})


def _rename(subject: Subject, renamed: Mapping[int, int]) -> Iterator[Subject]:
    """The subject with every size changed wherever it stands, if that changes anything and mixes no sizes up."""
    shapes = _with_sizes(subject.shapes, renamed)
    sizes = {size for shape in subject.shapes.values() for size in shape}
    if shapes != dict(subject.shapes) and len({renamed.get(size, size) for size in sizes}) == len(sizes):
        yield _resize(subject, shapes, renamed)


def _without_ones(subject: Subject) -> Iterator[Shapes]:
    """Shapes in which axes of one entry have two, all such axes first, and the others one more."""
    ones = _axes_of(subject.shapes, 1)
    if not 1 <= len(ones) <= _MOST_SPLIT_AXES:
        return
    for raised in _list_subsets(ones):
        yield {
            name: tuple(size + (size > 1 or (name, axis) in raised) for axis, size in enumerate(shape))
            for name, shape in subject.shapes.items()
        }


def _list_subsets(axes: Sequence[Axis]) -> Iterator[set[Axis]]:
    """Some axes or all, those in front first."""
    for chosen in product((True, False), repeat=len(axes)):
        if any(chosen):
            yield {axis for axis, take in zip(axes, chosen, strict=True) if take}


def _with_sizes(shapes: Shapes, renamed: Mapping[int, int]) -> Shapes:
    """The shapes with other sizes in the place of some."""
    return {name: tuple(renamed.get(size, size) for size in shape) for name, shape in shapes.items()}


def _sizes_of(shapes: Shapes) -> list[int]:
    return sorted({size for shape in shapes.values() for size in shape if size > 1})


def _axes_of(shapes: Shapes, size: int) -> list[Axis]:
    return [(name, axis) for name, shape in shapes.items() for axis, each in enumerate(shape) if each == size]


def list_untold_sizes(subject: Subject) -> list[int]:
    """The sizes of which it was not tried whether they are several: those on many axes, or in the data too."""
    counts = {size: len(_axes_of(subject.shapes, size)) for size in _sizes_of(subject.shapes)}
    return [n for n, count in counts.items() if count > _MOST_SPLIT_AXES or (count > 1 and _has_size(subject.data, n))]


def _split(subject: Subject, sizes: list[int], renamed: Mapping[int, int]) -> Iterator[Subject]:
    """The subject with some of the axes of one size longer, and the other sizes renamed."""
    shapes = subject.shapes
    for size in sizes:
        axes = _axes_of(shapes, size)
        if not 2 <= len(axes) <= _MOST_SPLIT_AXES or _has_size(subject.data, size):
            continue
        others = {other: renamed.get(other, other) for other in sizes if other != size}
        fresh = next(new for new in count(size + 1) if new not in others.values())
        splits = []
        for longer in _list_subsets(axes):
            resized = {
                name: tuple(
                    fresh if (name, axis) in longer else others.get(each, each) for axis, each in enumerate(shape)
                )
                for name, shape in shapes.items()
            }
            if len(longer) < len(axes):
                splits.append(resized)
        for split in sorted(splits, key=lambda split: -_count_told(shapes, split, size)):
            yield _resize(subject, split, others)


def _count_told(shapes: Shapes, split: Shapes, size: int) -> int:
    """In how many inputs axes of one size are told apart."""
    return sum(
        len({new for old, new in zip(shape, split[name], strict=True) if old == size}) > 1
        for name, shape in shapes.items()
    )


def _has_size(data: Mapping[str, Any], size: int) -> bool:
    return any(isinstance(value, np.ndarray) and size in value.shape for value in data.values())


def _resize(subject: Subject, shapes: Shapes, renamed: Mapping[int, int]) -> Subject:
    """The subject at other shapes, arrays of data repeated or cut to the sizes that go with them."""
    data = {
        name: _refit(value, tuple(renamed.get(size, size) for size in value.shape))
        if isinstance(value, np.ndarray)
        else value
        for name, value in subject.data.items()
    }
    return replace(subject, shapes=shapes, data=data)


def _refit(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """An array in another shape: along each axis it begins again, or goes on with zeros where it sums to 1, as
    probabilities and one-hot rows do.
    """
    ones = [k for k in reversed(range(values.ndim)) if values.dtype.kind in "biuf" and np.allclose(values.sum(k), 1)]
    for axis, size in enumerate(shape):
        places = np.arange(size)
        grown = values.take(places % values.shape[axis], axis=axis)
        if axis in ones[:1] and size > values.shape[axis]:
            np.moveaxis(grown, axis, 0)[values.shape[axis] :] = 0
        values = grown
    return values


def has_refitted_data(subject: Subject, other: Subject) -> bool:
    """Whether arrays of data had to be made for the other shapes: they may lack what the person's own ensure."""
    pairs = ((subject.data[name], value) for name, value in other.data.items())
    return any(isinstance(own, np.ndarray) and own.shape != made.shape for own, made in pairs)


def list_outgrown(given: Shapes, other: Shapes, arrays: Shapes) -> list[str]:
    """The arrays that code holds with an axis of a length that an axis of an input had, and has not at other shapes.

    >>> list_outgrown({"x": (2, 3)}, {"x": (3, 3)}, {"labels": (2,), "table": (3, 7)})
    ['labels']
    """
    changed = {old for name in given for old, new in zip(given[name], other[name], strict=True) if old != new}
    return [name for name, shape in arrays.items() if changed & set(shape)]
