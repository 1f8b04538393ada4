"""Straight-line code as Python functions: `_forward` and `_backward` on nested lists, or `_step` on arrays."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence

from symbackprop.codegen.identifiers import mangle
from symbackprop.codegen.scalar_lines import EagerWriter, LineWriter
from symbackprop.codegen.scalar_plan import Block, ScalarPlan, reach_nodes
from symbackprop.errors import LimitError, UnsupportedError

WIDTH = 120
"""The columns of a line."""
LARGEST_COMPILED = 10_000
"""Operations beyond which code is not compiled."""


def write_functions(plan: ScalarPlan, comments: Mapping[str, str]) -> str:
    """The source of `_forward(*arrays)` -> (value, saved) and of `_backward(*saved)` -> gradients in order.

    Arrays are nested lists, and scalars numbers. `comments` say what stands above the entries of which tensor.
    """
    names = [plan.nodes.made[b.nodes[0]].text if not b.shape else "" for b in plan.given]
    arrays = _name_arrays(plan, [b.name for b in plan.given])
    arguments = [name or array for name, array in zip(names, arrays, strict=True)]
    writer = LineWriter(plan.nodes, _roots(plan), _fresh(plan.taken))
    head = [f"{_nest(_texts(b, writer), b.shape, '()')} = {a}"
            for b, a in zip(plan.given, arguments, strict=True) if b.shape]  # fmt: skip
    before = {text for b in plan.given for text in _texts(b, writer)}
    _write_steps(plan.forward, comments, writer)
    value = _nest([writer.text(n) for n in plan.value.nodes], plan.value.shape)
    forward = list(writer.lines)
    before |= set(writer.names.values())
    writer.lines.clear()
    writer.reads.clear()
    _write_steps(plan.backward, comments, writer)
    gradients = [_nest([writer.text(n) for n in b.nodes], b.shape) for b in plan.gradients]
    saved = [name for name in writer.reads if name in before]
    return "\n".join(
        [
            *_define("_forward", arguments, [*head, *forward, f"return {value}, {_tuple(saved)}"]),
            "",
            "",
            *_define("_backward", saved, [*writer.lines, f"return {_tuple(gradients)}"]),
        ]
    )


def write_step(plan: ScalarPlan, comments: Mapping[str, str]) -> str:
    """The source of `_step(*arrays, value, *gradients)`, which writes into its last arguments; a scalar has one axis.

    Where it can be a loop of gradient steps, `_loop` follows. Raises LimitError where there is too much to compile.
    """
    needed = reach_nodes(plan.nodes, [n for b in (plan.value, *plan.gradients) for n in b.nodes])
    if len(needed) > LARGEST_COMPILED:
        raise LimitError(
            f"The code has {len(needed)} operations, and numba would take minutes to compile more than "
            f"{LARGEST_COMPILED}; take smaller sizes, or the target fused."
        )
    for node in needed:
        if plan.nodes.made[node].kind == "matrix":
            raise UnsupportedError(
                "There is no numba code for functions of whole matrices; take the python or the numpy target."
            )
    outputs = (plan.value, *plan.gradients)
    arrays = _name_arrays(plan, [*(b.name for b in plan.given), *(f"{b.name} out" for b in outputs)])
    given, made = arrays[: len(plan.given)], arrays[len(plan.given) :]
    writer = EagerWriter(plan.nodes, _roots(plan), _fresh(plan.taken))
    lines = [
        f"{text} = {array}[{place}]"
        for block, array in zip(plan.given, given, strict=True)
        for place, text in zip(_places(block), _texts(block, writer), strict=True)
    ]
    _write_steps((*plan.forward, *plan.backward), comments, writer)
    ends = [
        f"{array}[{place}] = {writer.text(node)}"
        for block, array in zip(outputs, made, strict=True)
        for place, node in zip(_places(block), block.nodes, strict=True)
    ]
    step = _define("_step", arrays, [*lines, *writer.lines, *ends])
    return "\n".join([*step, *_write_loop(plan, given, made)])


def _write_loop(plan: ScalarPlan, given: Sequence[str], made: Sequence[str]) -> list[str]:
    """A function of `_step`'s arguments, data with an axis of batches in front, that goes down the gradients in place.

    It is written where there is one value and gradients of parameters alone.
    """
    place = {block.name: k for k, block in enumerate(plan.given) if block.moves}
    if plan.value.shape or not all(block.name in place for block in plan.gradients):
        return []
    deepest = max((len(block.shape) for block in plan.gradients), default=1)
    own = ["step", "losses", "rate", *(f"k{axis}" for axis in range(max(1, deepest)))]
    step, losses, rate, *letters = _name_arrays(plan, [*given, *made, *own])[-len(own) :]
    used = [
        array if block.moves else f"{array}[{step} % {array}.shape[0]]"
        for block, array in zip(plan.given, given, strict=True)
    ]
    lines = [f"_step({', '.join([*used, *made])})", f"{losses}[{step}] = {made[0]}[0]"]
    for block, gradient in zip(plan.gradients, made[1:], strict=True):
        theta = given[place[block.name]]
        sizes = block.shape or (1,)
        at = ", ".join(letters[: len(sizes)])
        loops = [f"for {letter} in range({size}):" for letter, size in zip(letters, sizes, strict=False)]
        inner = [*loops, f"{theta}[{at}] -= {rate}*{gradient}[{at}]"]
        lines += ["    " * depth + line for depth, line in enumerate(inner)]
    body = [f"for {step} in range({losses}.size):", *(f"    {line}" for line in lines)]
    return ["", "", *_define("_loop", [*given, *made, losses, rate], body)]


def _name_arrays(plan: ScalarPlan, names: Sequence[str]) -> list[str]:
    """An identifier for each array, none of which an entry has."""
    taken = plan.taken
    result: list[str] = []
    for number, name in enumerate(names):
        plain = mangle([name])[name]
        while plain in taken or plain in result:
            plain = f"{plain}_{number}"
        result.append(plain)
    return result


def _roots(plan: ScalarPlan) -> list[int]:
    """What is returned, and what has a line of its own."""
    returned = [n for b in (plan.value, *plan.gradients) for n in b.nodes]
    return returned + [node for _, _, node in (*plan.forward, *plan.backward)]


def _fresh(taken: frozenset[str]) -> Callable[[], str]:
    """New names: t1, t2, ... ."""

    def names() -> Iterator[str]:
        number = 0
        while True:
            number += 1
            if f"t{number}" not in taken:
                yield f"t{number}"

    return names().__next__


def _write_steps(steps: Sequence[tuple[str, str, int]], comments: Mapping[str, str], writer: LineWriter) -> None:
    """The lines of entries, the formula of a tensor above its first ones."""
    above = ""
    for tensor, name, node in steps:
        if tensor != above and tensor in comments:
            writer.lines += [f"# {line}" for line in comments[tensor].splitlines()]
        above = tensor
        writer.assign(node, name)


def _texts(block: Block, writer: LineWriter) -> list[str]:
    """The identifiers of what is given."""
    return [writer.nodes.made[node].text for node in block.nodes]


def _nest(texts: Sequence[str], shape: Sequence[int], brackets: str = "[]") -> str:
    """Entries in row-major order as nested lists, or as tuples."""
    if not shape:
        return texts[0]
    step = len(texts) // shape[0]
    rows = [_nest(texts[k * step : (k + 1) * step], shape[1:], brackets) for k in range(shape[0])]
    return _tuple(rows) if brackets == "()" else f"[{', '.join(rows)}]"


def _places(block: Block) -> list[str]:
    """The places of entries in an array, counted from 0."""
    return [", ".join(map(str, at)) for at in itertools.product(*map(range, block.shape or (1,)))]


def _tuple(texts: Sequence[str]) -> str:
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def _define(name: str, arguments: Sequence[str], lines: Sequence[str]) -> list[str]:
    head = f"def {name}({', '.join(arguments)}):"
    if len(head) > WIDTH:
        head = "\n".join([f"def {name}(", *_fold(f"{', '.join(arguments)},", 4), "):"])
    return [head, *(f"    {part}" for line in lines for part in _shorten(line))]


def _shorten(line: str) -> list[str]:
    """A line in several where it is too long, in brackets of its own; a comment stays as it is."""
    body = line.lstrip()
    indent = len(line) - len(body)
    if len(line) + 4 <= WIDTH or body.startswith(("#", "for ")):
        return [line]
    before, keyword, after = body.partition(" = ") if " = " in body else ("", "return ", body.removeprefix("return "))
    if body.startswith("("):
        lines = ["(", *_fold(before, indent + 4), f") = {after}"]
    elif before or body.startswith("return "):
        lines = [f"{before}{keyword}(", *_fold(after, indent + 4), ")"]
    else:
        lines = [body]
    return [" " * indent + part for part in lines]


def _fold(text: str, indent: int) -> list[str]:
    """A text that stands in brackets, broken at spaces."""
    width = WIDTH - indent - 4
    return [f"    {part}" for part in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)]
