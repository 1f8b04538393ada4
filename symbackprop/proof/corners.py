"""Points at which code is run because it may ask for what holds there: whole inputs of one sign, entries in each order.

A point at random meets few of the combinations of many branches. Code for the largest entries, for sorted ones or for a
mask as a whole is wrong on combinations that these points have.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import chain, islice, permutations, product

import numpy as np

from symbackprop.proof.facts import Fact
from symbackprop.proof.inner_arrays import entry_name
from symbackprop.proof.tracing import Shapes

_MOST_COMBINED = 3
_MOST_SIGNS = 16
_MOST_ORDERED = 4
_SHUFFLES = 6

Point = Mapping[str, Fraction]


def corners_of(point: Point, shapes: Shapes, conditions: Sequence[Fact]) -> Iterator[Point]:
    """The points: signs first, then each order of the entries that conditions compare, then shuffled ones.

    >>> first, *_ = corners_of({"x[0]": Fraction(1), "x[1]": Fraction(-2)}, {"x": (2,)}, [])
    >>> [str(value) for value in first.values()]
    ['1', '2']
    """
    return chain(islice(_signs(point, shapes), _MOST_SIGNS), _orders(point, shapes, conditions), _shuffles(point))


def _signs(point: Point, shapes: Shapes) -> Iterator[Point]:
    """The magnitudes of a point with other signs, one for each input, or another for a slice of one input; and inputs
    whose entries rise or fall.
    """
    names = {name: _entries(name, shape) for name, shape in shapes.items()}
    positive = {name: abs(value) for name, value in point.items()}
    free = list(names)[-_MOST_COMBINED:]
    for signs in product((1, -1), repeat=len(free)):
        negative = {entry for name, sign in zip(free, signs, strict=True) if sign < 0 for entry in names[name]}
        yield {entry: -value if entry in negative else value for entry, value in positive.items()}
    for falling in (False, True):
        ordered = dict(point)
        for entries in names.values():
            ordered |= zip(entries, sorted((point[entry] for entry in entries), reverse=falling), strict=True)
        yield ordered
    for name, shape in shapes.items():
        for axis, size in enumerate(shape):
            for k in range(size):
                inside = {entry_name(name, place) for place in np.ndindex(*shape) if place[axis] == k}
                yield {entry: -value if entry in inside else value for entry, value in positive.items()}


def _orders(point: Point, shapes: Shapes, conditions: Sequence[Fact]) -> Iterator[Point]:
    """The entries along an axis in each order, all lines along it in the same one at once; where there are too many
    orders, each entry in each rank.
    """
    for name, shape in shapes.items():
        lines = [_lines(name, shape, axis) for axis in range(len(shape))]
        for axis, size in enumerate(shape):
            if not any(_compare_within(conditions, line) for line in lines[axis]):
                continue
            for order in permutations(range(size)) if size <= _MOST_ORDERED else _rotations(size):
                ordered = dict(point)
                for line in lines[axis]:
                    ranked = sorted(point[entry] for entry in line)
                    ordered |= {entry: ranked[rank] for entry, rank in zip(line, order, strict=True)}
                yield ordered


def _rotations(size: int) -> Iterator[tuple[int, ...]]:
    """Rising and falling orders that begin anywhere."""
    for start in range(size):
        rising = tuple((start + k) % size for k in range(size))
        yield rising
        yield rising[::-1]


def _shuffles(point: Point) -> Iterator[Point]:
    """The magnitudes of a point at other entries, with other signs."""
    for seed in range(_SHUFFLES):
        generator = random.Random(seed)
        values = list(point.values())
        generator.shuffle(values)
        yield {name: value * generator.choice((-1, 1)) for name, value in zip(point, values, strict=True)}


def _entries(name: str, shape: tuple[int, ...]) -> list[str]:
    return [entry_name(name, place) for place in np.ndindex(*shape)]


def _lines(name: str, shape: tuple[int, ...], axis: int) -> list[list[str]]:
    """The entries of an input, in lines along an axis."""
    names = np.reshape(np.array(_entries(name, shape), dtype=object), shape)
    return np.moveaxis(names, axis, -1).reshape(-1, shape[axis]).tolist()


def _compare_within(conditions: Sequence[Fact], line: Sequence[str]) -> bool:
    """Whether a condition is about two entries of a line."""
    inside = set(line)
    return any(len(inside & {s.name for s in fact.expression.free_symbols}) > 1 for fact in conditions)
