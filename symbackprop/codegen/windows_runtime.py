"""What generated NumPy code calls for windows: views with zeros around them, and sums and tiles into even steps.

A standalone module gets a copy of the source.
"""

from __future__ import annotations

from itertools import product

import numpy as np

LONGEST = 1024


def window(array, *places):  # type: ignore[no-untyped-def]
    """A view of the array with zeros around it.

    A place is (begin, ((label, step, count), ...)) for an axis of the array: from there, axis `label` of the result
    takes `count` steps along it.
    """
    begins, ends, shape, strides = [], [], {}, {}
    for axis, (begin, steps) in enumerate(places):
        begins.append(begin)
        ends.append(begin + 1 + sum(max(0, step * (count - 1)) for _, step, count in steps))
        for label, step, count in steps:
            shape[label], strides[label] = count, (axis, step)
    lows = [begin + sum(min(0, step * (count - 1)) for _, step, count in steps) for begin, steps in places]
    if min(lows, default=0) < 0 or any(end > size for end, size in zip(ends, array.shape, strict=True)):
        sizes = [end - low for low, end in zip(lows, ends, strict=True)]
        padded = np.zeros_like(array, shape=sizes)  # which lies in memory as the array does
        here, there = [], []
        for low, end, size in zip(lows, ends, array.shape, strict=True):
            first, last = max(0, low), max(0, low, min(end, size))
            here.append(slice(first, last))
            there.append(slice(first - low, last - low))
        padded[tuple(there)] = array[tuple(here)]
        array, begins = padded, [begin - low for begin, low in zip(begins, lows, strict=True)]
    start = array[tuple(slice(begin, None) for begin in begins)]
    labels = range(len(shape))
    moved = [array.strides[strides[label][0]] * strides[label][1] for label in labels]
    return np.lib.stride_tricks.as_strided(start, [shape[label] for label in labels], moved, writeable=False)


def slices(array, axis, begin, count, direction):  # type: ignore[no-untyped-def]
    """The slices of the array at `count` places along an axis, from the last one down where the direction is -1.

    They are kept in a list, which is gone through many times as fast as they are made, unless that would be long.
    """
    moved = np.moveaxis(array, axis, 0)[begin : begin + max(0, count)][::direction]
    return list(moved) if count <= LONGEST else moved


def fold(values, courses, out):  # type: ignore[no-untyped-def]
    """Write the sums of the values into places at even steps; what is outside is left out.

    A course is (axis, begin, ((step, count), ...)) for an axis of `out`, counted from 0. The first axes of the values
    are the steps of all courses in order, those that follow the other axes of `out`.
    """
    out[...] = 0
    moves, parts, number = [], [], 0
    for axis, begin, steps in courses:
        long = max(range(len(steps)), key=lambda k: steps[k][1])
        moves.append(number + long)
        shorts = [step for k, step in enumerate(steps) if k != long]
        parts.append(find_parts(begin, shorts, steps[long], out.shape[axis]))  # type: ignore[no-untyped-call]
        number += len(steps)
    values = np.moveaxis(values, moves, range(number - len(moves), number))
    target = np.moveaxis(out, [axis for axis, _, _ in courses], range(len(courses)))
    for chosen in product(*parts):
        place = target[tuple(there for _, there, _ in chosen)]
        at = [k for short, _, _ in chosen for k in short]
        np.add(place, values[(*at, *(here for _, _, here in chosen))], out=place)


def find_parts(begin, shorts, long, size):  # type: ignore[no-untyped-def]
    """For each choice of short steps: these, the slice of an axis that the long steps go along, and which go there."""
    stride, count = long
    found = []
    for at in product(*(range(n) for _, n in shorts)):
        first = begin + sum(k * step for k, (step, _) in zip(at, shorts, strict=True))
        ahead = (first, stride) if stride > 0 else (first + (count - 1) * stride, -stride)
        skipped = max(0, -(ahead[0] // ahead[1]))
        stop = min(count, (size - ahead[0] + ahead[1] - 1) // ahead[1])
        if skipped < stop:
            there = slice(ahead[0] + skipped * ahead[1], ahead[0] + (stop - 1) * ahead[1] + 1, ahead[1])
            last = count - 1 - stop
            back = slice(count - 1 - skipped, last if last >= 0 else None, -1)
            found.append((at, there, slice(skipped, stop) if stride > 0 else back))
    return found


def tile(values, begin, out):  # type: ignore[no-untyped-def]
    """Write values, whose first two axes are tiles and the places in one, along the first axis of `out`, from `begin`
    counted from 0; what is outside is left out, and 0 is written where there is no tile.
    """
    count, width = values.shape[:2]
    out[...] = 0
    for place in range(width):
        first = begin + place
        skipped = max(0, -(first // width))
        stop = max(skipped, min(count, (out.shape[0] - first + width - 1) // width))
        out[first + skipped * width : first + stop * width : width] = values[skipped:stop, place]
