"""Integer data as a user gives it, nested lists or arrays by name, as the engine reads it, entry by entry."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symbackprop.calculus.expansion import entries_of
from symbackprop.calculus.indices import Point
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role
from symbackprop.errors import ArgumentError, DataError, ShapeError


def read_integers(program: Program, sizes: Mapping[str, int], data: Mapping[str, object]) -> dict[Point, int]:
    """The entries of the integer tensors of a program at given sizes.

    ArgumentError lists the integer tensors where a name is none of them or one is missing, ShapeError says the shape
    that was expected, DataError is for entries that are not integers.
    """
    wanted = {t.name: t for t in program.leaves if t.role is Role.INDEX}
    wrong = [f"no data for {name}" for name in wanted if name not in data]
    wrong += [f"{name} is none" for name in data if name not in wanted]
    if wrong:
        known = f"The integer tensors are {', '.join(wanted)}" if wanted else "The program has no integer tensor"
        raise ArgumentError(f"{known}: {', '.join(wrong)}.")
    points: dict[Point, int] = {}
    for name, tensor in wanted.items():
        array = np.asarray(data[name])
        shape = tuple(size.evaluate(dict(sizes.items())) for size in tensor.shape)
        if array.shape != shape:
            raise ShapeError(
                f"{name} has the shape {array.shape}; {tensor.name}[{', '.join(map(str, tensor.axes))}] is {shape}."
            )
        if array.dtype.kind not in "iu":
            raise DataError(f"{name} holds {array.dtype} and must hold integers, counted from 1.")
        points.update(
            ((name, entry), int(value)) for entry, value in zip(entries_of(tensor, sizes), array.flat, strict=True)
        )
    return points
