"""Definitions as plain text for a terminal of 80 columns: the formula language, which reads back."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role
from symbackprop.language.phrasing import hidden_definitions, phrase_statements
from symbackprop.language.writer import write_tree

WIDTH = 80


def write_text(definitions: Sequence[Definition], program: Program, width: int = WIDTH) -> str:
    """The definitions in the formula language, a line each, broken inside brackets where a line is too long.

    >>> from symbackprop.calculus.definitions import make_term, slot_symbol
    >>> from symbackprop.calculus.tensors import Read, Tensor
    >>> w, loss = Tensor("w", (), Role.PARAM), Tensor("loss", (), Role.DEFINED)
    >>> square = Definition(loss, (), (make_term((), slot_symbol(0) ** 2, (Read(w, ()),)),))
    >>> write_text((square,), Program((w,), (square,), (), "loss"))
    'loss = w^2'
    """
    hidden = hidden_definitions(program) | {d.tensor.name: d for d in definitions if d.tensor.role is Role.HIDDEN}
    shown = [d for d in definitions if d.tensor.role is not Role.HIDDEN]
    taken = frozenset(program.tensors()) | frozenset(program.size_names) | {d.tensor.name for d in definitions}
    lines = [write_tree(statement) for d in shown for statement in phrase_statements(d, hidden, taken)]
    return "\n".join(break_line(line, width) for line in lines)


def break_line(line: str, width: int = WIDTH) -> str:
    """The line, broken before an operator or behind a comma where it is longer than `width`.

    A formula ends with its line unless a bracket is open, so the right side is put in brackets where it has to be
    broken outside of any. Index brackets stay whole.

    >>> print(break_line("loss = aaaa*bbbb + cccc*dddd", 20))
    loss = (aaaa*bbbb
            + cccc*dddd)
    """
    if len(line) <= width:
        return line
    left, sign, right = line.partition(" = ")
    if not sign:
        return line
    indent = len(left) + 4
    broken = _break(right, width, indent)
    return f"{left} = ({broken})"


def _break(text: str, width: int, indent: int) -> str:
    """The text as lines of at most `width` columns, `indent` of them blank, broken at its outermost operators if it
    can be."""
    lines: list[str] = []
    room = width - indent - 1
    rest = text
    while len(rest) > room:
        places = [(depth, -at) for at, depth in _places(rest) if 0 < at <= room]
        if not places:
            break
        at = -min(places)[1]
        lines.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    lines.append(rest)
    return ("\n" + " " * indent).join(lines)


def _places(text: str) -> list[tuple[int, int]]:
    """Where a line may be broken, with the depth of brackets there: before ` + ` and ` - `, before `*`, behind `, `."""
    depth, inside, found = 0, 0, []
    for at, letter in enumerate(text):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(letter, 0)
        inside += {"[": 1, "]": -1}.get(letter, 0)
        if inside:
            continue
        if text[at : at + 3] in (" + ", " - "):
            found.append((at, 2 * depth))
        elif letter == "," and text[at + 1 : at + 2] == " ":
            found.append((at + 1, 2 * depth + 1))
        elif letter in "*/" and text[at + 1 : at + 2] not in ("*", "/"):
            found.append((at, 2 * depth + 1))
    return found
