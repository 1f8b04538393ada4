"""Definitions as plain text for a terminal of 80 columns: the formula language, which reads back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role
from symbackprop.language.phrasing import hidden_definitions, phrase_all
from symbackprop.language.recursion import deep_recursion
from symbackprop.language.writer import write_tree

WIDTH = 80
INDENT = 4
NARROW = 12
"""What starts further to the right than that before the width is not broken there."""
FACTORS = ("*", "/")
OPERATORS = (
    (" or ",),
    (" and ",),
    (" <= ", " < ", " >= ", " > ", " == ", " != "),
    (" + ", " - "),
    FACTORS,
)
"""What a line may be broken before, weakest first."""

DEEP = 1000
"""Index brackets are broken last of all."""

FLAT = tuple(operator for operators in OPERATORS for operator in operators)


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
    lines = [write_tree(statement) for statement in phrase_all(shown, hidden, taken)]
    return "\n".join(break_line(line, width) for line in lines)


def break_line(line: str, width: int = WIDTH) -> str:
    """The line, broken before an operator or behind a comma where it is longer than `width`.

    A formula ends with its line unless a bracket is open, so the right side is put in brackets where it has to be
    broken outside of any. Index brackets stay whole, and so does a comparison that fits on a line.

    >>> print(break_line("loss = aaaa*bbbb + cccc*dddd", 20))
    loss = (aaaa*bbbb
            + cccc*dddd)
    """
    if len(line) <= width:
        return line
    left, sign, right = line.partition(" = ")
    if not sign:
        return line
    bare = _split(right) is None
    head = f"{left} = " if bare else f"{left} = ("
    column = len(head)
    if column > width // 2 and not bare:
        head, column = f"{head}\n{' ' * INDENT}", INDENT
    with deep_recursion():
        made = head + _fill(right, column, width, 0 if bare else 1) + ("" if bare else ")")
    return made if max(map(len, made.split("\n"))) <= width else _flat(left, right, width)


def _flat(left: str, right: str, width: int) -> str:
    """A definition too deep to be broken by its brackets: lines of one indentation, broken least deep first."""
    lines, rest = [f"{left} = ("], right
    while len(rest) > width - INDENT - 1:
        places = [
            (depth + DEEP * (rest.count("[", 0, at) > rest.count("]", 0, at)), -at)
            for at, depth in _depths(rest[: width - INDENT])
            if at > 1 and (_stands(rest, at, FLAT) or rest.startswith(", ", at - 2))
        ]
        if not places:
            break
        at = -min(places)[1]
        lines.append(" " * INDENT + rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return "\n".join([*lines, " " * INDENT + rest + ")"])


@lru_cache(maxsize=16384)
def _fill(text: str, column: int, width: int, behind: int) -> str:
    """The text from `column` on, broken so that `behind` more letters fit on its last line."""
    if column + len(text) + behind <= width or column > width - NARROW:
        return text
    pieces = _split(text)
    if pieces is not None:
        return _place(pieces, column, width, behind)
    group = _widest_group(text)
    if group is None:
        return text
    first, last = group
    head, tail = text[:first], text[last:]
    start = column + len(head)
    inside = _split_arguments(text[first:last])
    return head + _place(inside, start, width, behind + len(tail)) + tail


def _place(pieces: tuple[str, ...], column: int, width: int, behind: int) -> str:
    """Pieces one behind the other from `column` on; what does not fit starts a line there.

    What has to be broken anyway stands where it takes fewer lines.
    """
    made, at = "", column
    for number, piece in enumerate(pieces):
        after = behind if number == len(pieces) - 1 else 0
        rest = _fill(piece, at, width, after)
        if made and at + len(piece.rstrip()) + after > width:
            below = "\n" + " " * column + _fill(piece.lstrip(), column, width, after)
            if column + len(piece.strip()) + after <= width or _cost(below, at, width) < _cost(rest, at, width):
                made, rest = made.rstrip(), below
        made += rest
        at = len(made) - made.rfind("\n") - 1 + (0 if "\n" in made else column)
    return made


def _cost(text: str, at: int, width: int) -> tuple[int, int]:
    """How far a text that starts at a column goes beyond the width, and its lines."""
    lines = (" " * at + text).split("\n")
    return sum(max(len(line.rstrip()) - width, 0) for line in lines), len(lines)


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[str, ...] | None:
    """The parts between the operators that bind least outside of brackets; None where there are none."""
    for operators in OPERATORS:
        places = [at for at, depth in _depths(text) if not depth and _stands(text, at, operators)]
        if places and operators == FACTORS and text[: places[0]].lstrip("-+ ").isdigit():
            places = places[1:]
        if places:
            return tuple(text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True))
    return None


def _stands(text: str, at: int, operators: tuple[str, ...]) -> bool:
    """Whether one of the operators stands at a place, a leading sign and `//` aside."""
    if not at or not text.startswith(operators, at):
        return False
    return "//" not in text[at - 1 : at + 2]


@lru_cache(maxsize=4096)
def _split_arguments(text: str) -> tuple[str, ...]:
    """What stands between commas, each with its comma and the blank behind it."""
    places = [at + 2 for at, depth in _depths(text) if not depth and text.startswith(", ", at)]
    return tuple(text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True))


@lru_cache(maxsize=4096)
def _widest_group(text: str) -> tuple[int, int] | None:
    """Where the inside of the widest pair of round brackets starts and ends, outside of index brackets."""
    best: tuple[int, int] | None = None
    start, depth = 0, 0
    for at, letter in enumerate(text):
        if letter in "([":
            if letter == "(" and not depth:
                start = at + 1
            depth += 1
        elif letter in ")]":
            depth -= 1
            if letter == ")" and not depth and (best is None or at - start > best[1] - best[0]):
                best = start, at
    return best


def _depths(text: str) -> Iterator[tuple[int, int]]:
    """Every place with the number of brackets that are open there."""
    depth = 0
    for at, letter in enumerate(text):
        depth -= letter in ")]"
        yield at, depth
        depth += letter in "(["
