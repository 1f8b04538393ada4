"""Straight-line code on arrays, which numba compiles: `_step`, with a loop along a batch, and a loop of steps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.codegen.scalar_functions import define, find_roots, fresh_names, name_arrays, write_steps
from symbackprop.codegen.scalar_lines import EagerWriter
from symbackprop.codegen.scalar_plan import Block, ScalarPlan, reach_nodes
from symbackprop.errors import LimitError, UnsupportedError

LARGEST_COMPILED = 10_000
"""Operations beyond which code is not compiled."""

Place = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is made for each of `count` entries along an axis: `axes` says which axis, by the names of tensors.

    What `plan` returns belongs to one entry where its tensor has that axis, and else is added up.
    """

    plan: ScalarPlan
    count: int
    axes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Output:
    """An array that is written: what it is called in a call, and its shape."""

    name: str
    shape: tuple[int, ...]


def write_step(
    plan: ScalarPlan,
    outputs: Mapping[str, Output],
    comments: Mapping[str, str],
    single: Collection[str],
    batch: Batch | None = None,
) -> str:
    """The source of `_step(*arrays, *outputs)`, which writes into its last arguments; a scalar has one axis.

    `plan` is all of it, or what follows the loop of `batch`. Both return tensors by their names, and `outputs` has all,
    the value first; the entries of arrays in `single` are made double, as numbers are. Where steps can be a loop of
    gradient steps, `_loop` follows. Raises LimitError where there is too much to compile.
    """
    plans = [plan] if batch is None else [batch.plan, plan]
    _check(plans)
    leaves = plans[0].given
    taken = {name for each in plans for name in each.taken}
    arrays = name_arrays(taken, [*(b.name for b in leaves), *(f"{o.name} out" for o in outputs.values())])
    given = {block.name: array for block, array in zip(leaves, arrays, strict=False)}
    shown = {name: f"1.0*{array}[{{}}]" if name in single else f"{array}[{{}}]" for name, array in given.items()}
    made = dict(zip(outputs, arrays[len(leaves) :], strict=True))
    fresh = fresh_names({*taken, *arrays})
    lines, totals = _write_batch(batch, shown, made, comments, fresh) if batch else ([], {})
    lines += _read(plan, plan.given, lambda block, k, place: _name_entry(block, k, place, shown, totals))
    writer = EagerWriter(plan.nodes, find_roots(plan), fresh)
    write_steps((*plan.forward, *plan.backward), comments, writer)
    lines += writer.lines
    lines += [
        f"{made[block.name]}[{_show(place)}] = {writer.text(node)}"
        for block in (plan.value, *plan.gradients)
        for place, node in zip(_places(block.shape), block.nodes, strict=True)
    ]
    step = define("_step", arrays, [*lines])
    return "\n".join([*step, *_write_loop(leaves, outputs, arrays, {*taken, *arrays})])


def _write_batch(
    batch: Batch, shown: Mapping[str, str], made: Mapping[str, str], comments: Mapping[str, str],
    fresh: Callable[[], str],
) -> tuple[list[str], dict[str, list[str]]]:  # fmt: skip
    """The lines of the loop, and the names of the entries that are added up in it, by tensors."""
    plan, letter = batch.plan, fresh()

    def show(block: Block, place: Place) -> str:
        axis = batch.axes.get(block.name)
        return ", ".join(letter if k == axis else str(p) for k, p in enumerate(place or (0,)))

    def read(block: Block, _: int, place: Place) -> str:
        return shown[block.name].format(show(block, place))

    before = _read(plan, [b for b in plan.given if b.name not in batch.axes], read)
    inside = _read(plan, [b for b in plan.given if b.name in batch.axes], read)
    writer = EagerWriter(plan.nodes, find_roots(plan), fresh)
    write_steps((*plan.forward, *plan.backward), comments, writer)
    totals: dict[str, list[str]] = {}
    ends: list[str] = []
    for block in (plan.value, *plan.gradients):
        if block.name in batch.axes:
            ends += [f"{made[block.name]}[{show(block, place)}] = {writer.text(node)}"
                     for place, node in zip(_places(block.shape), block.nodes, strict=True)]  # fmt: skip
            continue
        totals[block.name] = [fresh() for _ in block.nodes]
        before += [f"{name} = 0.0" for name in totals[block.name]]
        ends += [f"{name} += {writer.text(node)}" for name, node in zip(totals[block.name], block.nodes, strict=True)]
    body = [*inside, *writer.lines, *ends]
    return [*before, f"for {letter} in range({batch.count}):", *(f"    {line}" for line in body)], totals


def _check(plans: Sequence[ScalarPlan]) -> None:
    """LimitError where there is too much to compile, UnsupportedError where there is no code."""
    needed = [(plan.nodes, node) for plan in plans for node in reach_nodes(plan.nodes, find_roots(plan))]
    if len(needed) > LARGEST_COMPILED:
        raise LimitError(
            f"The code has {len(needed)} operations, and numba would take minutes to compile more than "
            f"{LARGEST_COMPILED}; take smaller sizes, or the target fused."
        )
    if any(nodes.made[node].kind == "matrix" for nodes, node in needed):
        raise UnsupportedError(
            "There is no numba code for functions of whole matrices; take the python or the numpy target."
        )


def _read(plan: ScalarPlan, blocks: Sequence[Block], text: Callable[[Block, int, Place], str]) -> list[str]:
    """The lines that give those entries of blocks a name that something needs."""
    needed = reach_nodes(plan.nodes, find_roots(plan))
    return [
        f"{plan.nodes.made[node].text} = {text(block, k, place)}"
        for block in blocks
        for k, (node, place) in enumerate(zip(block.nodes, _places(block.shape), strict=True))
        if node in needed
    ]


def _name_entry(
    block: Block, number: int, place: Place, shown: Mapping[str, str], totals: Mapping[str, Sequence[str]]
) -> str:
    """An entry of what is given, or the name of what was added up."""
    return totals[block.name][number] if block.name in totals else shown[block.name].format(_show(place))


def _write_loop(
    leaves: Sequence[Block], outputs: Mapping[str, Output], arrays: Sequence[str], taken: set[str]
) -> list[str]:
    """A function of `_step`'s arguments, data with an axis of batches in front, that goes down the gradients in place.

    It is written where there is one value and gradients of parameters alone.
    """
    value, *gradients = outputs.values()
    place = {block.name: k for k, block in enumerate(leaves) if block.moves}
    if value.shape or not all(output.name in place for output in gradients):
        return []
    given, made = arrays[: len(leaves)], arrays[len(leaves) :]
    deepest = max((len(output.shape) for output in gradients), default=1)
    own = ["step", "losses", "rate", *(f"k{axis}" for axis in range(max(1, deepest)))]
    step, losses, rate, *letters = name_arrays(taken, own)
    used = [
        array if block.moves else f"{array}[{step} % {array}.shape[0]]"
        for block, array in zip(leaves, given, strict=True)
    ]
    lines = [f"_step({', '.join([*used, *made])})", f"{losses}[{step}] = {made[0]}[0]"]
    for output, gradient in zip(gradients, made[1:], strict=True):
        theta = given[place[output.name]]
        sizes = output.shape or (1,)
        at = ", ".join(letters[: len(sizes)])
        loops = [f"for {letter} in range({size}):" for letter, size in zip(letters, sizes, strict=False)]
        inner = [*loops, f"{theta}[{at}] -= {rate}*{gradient}[{at}]"]
        lines += ["    " * depth + line for depth, line in enumerate(inner)]
    body = [f"for {step} in range({losses}.size):", *(f"    {line}" for line in lines)]
    return ["", "", *define("_loop", [*arrays, losses, rate], body)]


def _places(shape: Sequence[int]) -> list[Place]:
    """The places of entries in row-major order, counted from 0."""
    return list(itertools.product(*map(range, shape)))


def _show(place: Place) -> str:
    return ", ".join(map(str, place or (0,)))
