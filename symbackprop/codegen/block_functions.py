"""Derivatives as functions that return block arrays: a kernel computes what the blocks hold, and no zeros."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from symbackprop.calculus.definitions import Definition, Term, slot_symbol
from symbackprop.calculus.diagonals import Part, split_diagonals
from symbackprop.calculus.indices import Affine, choose_name
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Role, Tensor
from symbackprop.codegen.blocks import Block, BlockArray
from symbackprop.codegen.code import write_code
from symbackprop.codegen.functions import CompiledFunction, compile_code
from symbackprop.codegen.targets import find_target
from symbackprop.errors import UnsupportedError


@dataclass(frozen=True, slots=True)
class BlockLayout:
    """How arrays and sizes, one after another, make a block array of `rank` axes, of which `rows` are rows.

    `blocks` gives for each array its axes and pairs, `sizes` the axis that each number after them is the size of.
    """

    rank: int
    rows: int
    blocks: tuple[tuple[tuple[int, ...], tuple[tuple[int, int], ...]], ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class BlockFunction:
    """f(params, /, **data) -> {name: BlockArray}, for the tensors of `layouts`.

    `params` and the data are those of a compiled derivation; the value of what is differentiated is not computed.
    """

    kernel: CompiledFunction
    layouts: Mapping[str, BlockLayout]

    @property
    def source(self) -> str:
        """The code that runs."""
        return self.kernel.source

    def __call__(self, params: Mapping[str, Any], /, **data: Any) -> dict[str, BlockArray]:
        """The derivatives, by the name of the tensor."""
        _, found = self.kernel(params, **data)
        results = iter(found.values())
        return {name: _assemble(layout, results) for name, layout in self.layouts.items()}


def compile_blocks(
    program: Program, adjoints: Sequence[Definition], outputs: Mapping[str, str], dtype: str
) -> BlockFunction:
    """The function of derivatives as block arrays; `outputs` gives for each tensor the name of its adjoint."""
    taken = {*program.tensors(), *program.size_names}
    split = split_diagonals(adjoints, taken)
    made = {d.tensor.name: d for d in split.definitions}
    taken |= set(made)
    unit = _count(choose_name("unit", taken), Affine.of(1))
    taken.add(unit.tensor.name)
    layouts: dict[str, BlockLayout] = {}
    results: dict[str, str] = {}
    sizes: list[Definition] = []
    for name, adjoint in outputs.items():
        whole = made[adjoint]
        parts = split.parts.get(adjoint) or (Part(whole.indices, (), tuple(range(len(whole.indices))), whole),)
        known = {axis for part in parts for axis in part.axes}
        known |= {b for part in parts for _, b in part.pairs}
        missing = tuple(k for k in range(len(whole.indices)) if k not in known)
        rank = len(whole.indices)
        rows = rank - len(program.extended(tuple(adjoints)).tensor(name).axes)
        layouts[name] = BlockLayout(rank, rows, tuple((p.axes, p.pairs) for p in parts), missing)
        results |= {f"{len(results) + k}": part.core.tensor.name for k, part in enumerate(parts)}
        for axis in missing:
            count = _count(choose_name("size", taken), whole.indices[axis].size)
            taken.add(count.tensor.name)
            sizes.append(count)
            results[f"{len(results)}"] = count.tensor.name
    code = write_code(
        program.extended((unit,)), (*split.definitions, *sizes), unit.tensor.name, results, find_target("numpy"), dtype
    )
    return BlockFunction(compile_code(code), layouts)


def _count(name: str, size: Affine) -> Definition:
    """A size as a scalar."""
    if size.integer is not None:
        return Definition(Tensor(name, (), Role.HIDDEN), (), (Term((), sympy.Integer(size.integer), ()),))
    return Definition(Tensor(name, (), Role.HIDDEN), (), (Term((), slot_symbol(0), (Count(size),)),))


def _read_size(number: Any) -> int:
    """A size that a kernel returned in its own precision."""
    largest = 2 ** (np.finfo(number.dtype).nmant + 1)
    if number >= largest:
        raise UnsupportedError(
            f"An axis has {largest} entries or more, and {number.dtype} counts no further; use float64."
        )
    return int(number)


def _assemble(layout: BlockLayout, results: Iterator[Any]) -> BlockArray:
    """The block array of what a kernel returned."""
    shape = [0] * layout.rank
    blocks = []
    for axes, pairs in layout.blocks:
        array = next(results)
        blocks.append(Block(array, axes, pairs))
        for axis, size in zip(axes, array.shape, strict=True):
            shape[axis] = size
    for axis in layout.sizes:
        shape[axis] = _read_size(next(results))
    for _, pairs in layout.blocks:
        for first, second in pairs:
            shape[second] = shape[second] or shape[first]
            shape[first] = shape[first] or shape[second]
    return BlockArray(tuple(shape), layout.rows, tuple(blocks))
