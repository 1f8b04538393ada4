"""Arrays that keep their structure: a sum of blocks, each of which is 0 except where some axes agree.

The Hessian of |R - U V'|^2 by U is one block, 2 V'V where the rows agree: as an array of four axes it has as many
entries as U has, squared, as a block K*K of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.codegen import numpy_runtime
from symbackprop.errors import ShapeError

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Block:
    """The entries of `array`, over `axes` of a larger array, where for each of `pairs` its two axes agree; else 0.

    Where the first axis of a pair is not among `axes`, the entries do not depend on it: a Kronecker product with the
    identity.
    """

    array: Array
    axes: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, eq=False)
class BlockArray:
    """The sum of `blocks`, an array of `shape`; as a matrix its rows are the first `rows` axes.

    `numpy.asarray(h)` and `h.dense()` write it out, `h @ v` multiplies by an array of the shape of the columns.

    >>> h = BlockArray((2, 2), 1, (Block(np.array([3.0, 4.0]), (0,), ((0, 1),)),))
    >>> h @ np.array([1.0, 1.0])
    array([3., 4.])
    >>> h.dense()
    array([[3., 0.],
           [0., 4.]])
    """

    shape: tuple[int, ...]
    rows: int
    blocks: tuple[Block, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the entries."""
        return np.result_type(*(block.array for block in self.blocks))

    @property
    def size(self) -> int:
        """The number of entries that are held."""
        return sum(block.array.size for block in self.blocks)

    def dense(self) -> Array:
        """The array written out, which belongs to the caller."""
        total: Array | None = None
        for block in self.blocks:
            written = _place(block.array, block.axes, block.pairs, self.shape)
            total = written if total is None else np.add(total, written, out=total)
        return np.zeros(self.shape) if total is None else total

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        """The array written out; it cannot be had without a copy."""
        if copy is False:
            raise ValueError("A block array is written out anew; it cannot be had without a copy.")
        return self.dense() if dtype is None else self.dense().astype(dtype, copy=False)

    def diagonal(self) -> Array:
        """The entries whose row is their column, an array of the shape of both."""
        self._need_square("diagonal")
        same = [(k, k + self.rows) for k in range(self.rows)]
        total = np.zeros(self.shape[: self.rows], self.dtype)
        for block in self.blocks:
            total += _sum_over(block, self.shape, same, range(self.rows))
        return total

    def __matmul__(self, vector: npt.ArrayLike) -> Array:
        """The product with an array of the shape of the columns, an array of the shape of the rows."""
        given = np.asarray(vector)
        if given.shape != self.shape[self.rows :]:
            raise ShapeError(f"The array has shape {given.shape}; the columns are {self.shape[self.rows :]}.")
        total = np.zeros(self.shape[: self.rows], np.result_type(self.dtype, given))
        for block in self.blocks:
            total += _sum_over(block, self.shape, (), range(self.rows), given)
        return total

    def solve(self, right: npt.ArrayLike) -> Array:
        """The x for which h @ x is `right`: one system for each place of the axes in which rows and columns agree.

        Raises numpy.linalg.LinAlgError where a system is singular.
        """
        self._need_square("solve")
        given, rows = np.asarray(right), self.rows
        if given.shape != self.shape[:rows]:
            raise ShapeError(f"The array has shape {given.shape}; the rows are {self.shape[:rows]}.")
        own = [k for k in range(rows) if all((k, k + rows) in block.pairs for block in self.blocks)]
        others = [tuple(p for p in block.pairs if p not in {(k, k + rows) for k in own}) for block in self.blocks]
        held = {axis for block in self.blocks for axis in block.axes} | {a for pairs in others for a, _ in pairs}
        batch, copies = [k for k in own if k in held], [k for k in own if k not in held]
        inner = [k for k in range(rows) if k not in own]
        kept = [*batch, *inner, *(k + rows for k in inner)]
        matrix = np.zeros([self.shape[k] for k in kept], np.result_type(self.dtype, given))
        for block, pairs in zip(self.blocks, others, strict=True):
            labels = tuple(kept.index(a) for a in block.axes)
            matrix += _place(block.array, labels, [(kept.index(a), kept.index(b)) for a, b in pairs], matrix.shape)
        count, width = prod(matrix.shape[: len(batch)]), prod(self.shape[k] for k in inner)
        order = [*batch, *inner, *copies]
        columns = np.transpose(given, order).reshape(count, width, -1)
        found = np.linalg.solve(matrix.reshape(count, width, width), columns)
        return np.transpose(found.reshape([self.shape[k] for k in order]), np.argsort(order))

    def _need_square(self, method: str) -> None:
        if self.shape[: self.rows] != self.shape[self.rows :]:
            raise ShapeError(f"{method} needs rows and columns of one shape; this array has shape {self.shape}.")

    def __str__(self) -> str:
        letters = _name_axes(len(self.shape))
        held = []
        for number, block in enumerate(self.blocks):
            entry = f"B{number + 1}[{','.join(letters[a] for a in block.axes)}]" if block.axes else f"B{number + 1}"
            conditions = " and ".join(f"{letters[a]} == {letters[b]}" for a, b in block.pairs)
            held.append(f"where({conditions}, {entry}, 0)" if conditions else entry)
        return f"h[{','.join(letters)}] = {' + '.join(held) or '0'}"


def _place(
    array: Array, labels: Sequence[int], pairs: Sequence[tuple[int, int]], shape: Sequence[int]
) -> Array:
    """The array where axes agree in pairs, and 0 elsewhere; its own axes stand at `labels`."""
    placed: Array = numpy_runtime.place(array, labels, pairs, shape)  # type: ignore[no-untyped-call]
    return placed


def _name_axes(count: int) -> list[str]:
    """A letter for each axis."""
    return [chr(ord("a") + k) if count <= 26 else f"a{k + 1}" for k in range(count)]


def _sum_over(
    block: Block,
    shape: tuple[int, ...],
    pairs: Sequence[tuple[int, int]],
    kept: range,
    vector: Array | None = None,
) -> Array:
    """The block where also `pairs` agree, times the vector, which has the other axes, summed over all but `kept`."""
    standing = list(range(len(shape)))
    for first, second in (*block.pairs, *pairs):
        low, high = sorted((standing[first], standing[second]))
        standing = [low if k == high else k for k in standing]
    operands: list[Any] = [block.array, [standing[a] for a in block.axes]]
    found = set(operands[1])
    if vector is not None:
        operands += [vector, [standing[a] for a in range(len(kept), len(shape))]]
        found |= set(operands[3])
    own = dict.fromkeys(standing[k] for k in kept)
    labels = [k for k in own if k in found]
    total = np.einsum(*operands, labels, optimize=True)
    equal: dict[int, int] = {}
    twins = [(equal.setdefault(standing[k], k), k) for k in kept]
    return _place(
        np.asarray(total), tuple(equal[k] for k in labels), tuple((a, b) for a, b in twins if a != b),
        tuple(shape[k] for k in kept),
    )  # fmt: skip
