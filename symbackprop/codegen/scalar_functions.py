"""Straight-line code as Python functions, `_forward` and `_backward` on nested lists, and how functions are written."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from symbackprop.codegen.identifiers import mangle
from symbackprop.codegen.scalar_lines import LineWriter
from symbackprop.codegen.scalar_plan import Block, ScalarPlan

WIDTH = 120
"""The columns of a line."""


def write_functions(plan: ScalarPlan, comments: Mapping[str, str]) -> str:
    """The source of `_forward(*arrays)` -> (value, saved) and of `_backward(*saved)` -> gradients in order.

    Arrays are nested lists, and scalars numbers. `comments` say what stands above the entries of which tensor.
    """
    names = [plan.nodes.made[b.nodes[0]].text if not b.shape else "" for b in plan.given]
    arrays = name_arrays(plan.taken, [b.name for b in plan.given])
    arguments = [name or array for name, array in zip(names, arrays, strict=True)]
    writer = LineWriter(plan.nodes, find_roots(plan), fresh_names(plan.taken))
    head = [f"{_nest(texts_of(b, writer), b.shape, '()')} = {a}"
            for b, a in zip(plan.given, arguments, strict=True) if b.shape]  # fmt: skip
    before = {text for b in plan.given for text in texts_of(b, writer)}
    write_steps(plan.forward, comments, writer)
    value = _nest([writer.text(n) for n in plan.value.nodes], plan.value.shape)
    forward = list(writer.lines)
    before |= set(writer.names.values())
    writer.lines.clear()
    writer.reads.clear()
    write_steps(plan.backward, comments, writer)
    gradients = [_nest([writer.text(n) for n in b.nodes], b.shape) for b in plan.gradients]
    saved = [name for name in writer.reads if name in before]
    return "\n".join(
        [
            *define("_forward", arguments, [*head, *forward, f"return {value}, {_tuple(saved)}"]),
            "",
            "",
            *define("_backward", saved, [*writer.lines, f"return {_tuple(gradients)}"]),
        ]
    )


def name_arrays(taken: Collection[str], names: Sequence[str]) -> list[str]:
    """An identifier for each array, none of which is taken."""
    result: list[str] = []
    for number, name in enumerate(names):
        plain = mangle([name])[name]
        while plain in taken or plain in result:
            plain = f"{plain}_{number}"
        result.append(plain)
    return result


def find_roots(plan: ScalarPlan) -> list[int]:
    """What is returned, and what has a line of its own."""
    returned = [n for b in (plan.value, *plan.gradients) for n in b.nodes]
    return returned + [node for _, _, node in (*plan.forward, *plan.backward)]


def fresh_names(taken: Collection[str]) -> Callable[[], str]:
    """New names: t1, t2, ... ."""

    def names() -> Iterator[str]:
        number = 0
        while True:
            number += 1
            if f"t{number}" not in taken:
                yield f"t{number}"

    return names().__next__


def write_steps(steps: Sequence[tuple[str, str, int]], comments: Mapping[str, str], writer: LineWriter) -> None:
    """The lines of entries, the formula of a tensor above its first ones."""
    above = ""
    for tensor, name, node in steps:
        if tensor != above and tensor in comments:
            writer.lines += [f"# {line}" for line in comments[tensor].splitlines()]
        above = tensor
        writer.assign(node, name)


def texts_of(block: Block, writer: LineWriter) -> list[str]:
    """The identifiers of what is given."""
    return [writer.nodes.made[node].text for node in block.nodes]


def _nest(texts: Sequence[str], shape: Sequence[int], brackets: str = "[]") -> str:
    """Entries in row-major order as nested lists, or as tuples."""
    if not shape:
        return texts[0]
    step = len(texts) // shape[0]
    rows = [_nest(texts[k * step : (k + 1) * step], shape[1:], brackets) for k in range(shape[0])]
    return _tuple(rows) if brackets == "()" else f"[{', '.join(rows)}]"


def _tuple(texts: Sequence[str]) -> str:
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def define(name: str, arguments: Sequence[str], lines: Sequence[str]) -> list[str]:
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
