r"""Blocks of LaTeX as statements: rows, chains of equalities over several rows, formulas side by side, updates.

`&` and `\\` are taken whether or not an environment stands around them. A row that begins with a relation goes on with
the statement before it, and one that begins with `+` or `-` with its last side.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from symbackprop.errors import FormulaError
from symbackprop.language.tree import Node
from symbackprop.notation.reading.extents import Extent, find_extents
from symbackprop.notation.reading.grammar import read_syntax
from symbackprop.notation.reading.syntax import (
    Beside,
    Group,
    Relation,
    Scripts,
    Sum,
    Symbol,
    Syntax,
    bare,
    write_syntax,
)  # fmt: skip
from symbackprop.notation.reading.texts import RESTRICTING, locate, without_end

ENVIRONMENTS = re.compile(
    r"\\(begin|end)\{(aligned|align|split|gather|gathered|equation|eqnarray|multline|displaymath)\*?\}|\$\$?|(?<!\\)\\[\[\]]"
)
DECORATED = re.compile(
    r"\\(?:overset|stackrel)\s*\{\s*(?:\\(?:text|mathrm|rm)\s*\{?\s*def\.?\s*\}?|\\(?:triangle|Delta)|\([a-z0-9]{1,3}\))\s*\}"
    r"\s*\{\s*=\s*\}"
)
"""A sign of equality with a word or a number above it."""
MARKS = re.compile(
    r"\\begin\{[A-Za-z]*\*?\}|\\end\{[A-Za-z]*\*?\}|\\\\(\[-?[0-9.]+(?:pt|em|ex|mm|cm)\])?|\\(?:left|right)\.|\\q?quad(?![A-Za-z])"
    r"|\\(?:text|mbox|textrm)\s*\{[^{}]*\}|\\[A-Za-z]+|\\.|[(\[{)\]}&,;]|\s+|.",
    re.DOTALL,
)
OPENED = ("(", "[", "{", r"\{", r"\lbrace", r"\langle", r"\lfloor")
CLOSED = (")", "]", "}", r"\}", r"\rbrace", r"\rangle", r"\rfloor")
COMMENT = re.compile(r"\\(?:text|mbox|textrm)\s*\{([^{}]*)\}")
LABEL = re.compile(r"\s*([A-Za-z]{2,})\s*:(?!=)")
CONTINUES = re.compile(r"\s*(=|:=|\\approx(?![A-Za-z])|\\leq?(?![A-Za-z])|\\geq?(?![A-Za-z])|\\leftarrow(?![A-Za-z]))")
GOES_ON = re.compile(r"\s*([-+*]|\\(cdot|times|odot)(?![A-Za-z]))")


@dataclass(frozen=True, slots=True)
class LatexStatement(Node):
    r"""Sides joined by relations; one side is a formula that says nothing by itself.

    `kind` is "equation", "update", "approximation" (whose last relation is `\approx`), "relation" or "expression".
    """

    kind: str
    sides: tuple[Syntax, ...]
    operators: tuple[str, ...] = ()
    label: str = ""
    extents: tuple[Extent, ...] = ()
    r"""What its end says of its indices: \quad n = 1, \dots, N."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the text, from one offset to another; `row` counts rows."""

    start: int
    end: int
    row: int


def read_block(text: str, line: int = 1, column: int = 1) -> tuple[LatexStatement, ...]:
    r"""The statements of a block, which begins at a line and a column of a file.

    >>> [s.kind for s in read_block(r"a &= b + c \\ &= c + b \\ w &:= w - g")]
    ['equation', 'update']
    """
    plain = ENVIRONMENTS.sub(lambda match: _blank(match.group()), text)
    plain = DECORATED.sub(lambda match: "=" + _blank(match.group())[1:], plain)
    plain, extents = _without_extents(plain, line, column)
    statements: list[LatexStatement] = []
    pieces, flat = _cut(plain, line, column)
    for piece in _join(flat, pieces):
        _add_extents(statements, extents, piece.start)
        match = LABEL.match(flat, piece.start, piece.end)
        label, start = (match[1], match.end()) if match else ("", piece.start)
        body = without_end(flat[start : piece.end])
        if not body.strip():
            continue
        at = locate(text, start, line, column)
        follows = CONTINUES.match(body)
        if follows:
            _continue(statements, body, follows, at)
            continue
        syntax = read_syntax(body, *at)
        syntax = bare(syntax) if isinstance(bare(syntax), Relation) else syntax  # \boxed{a = b}
        if not isinstance(syntax, Relation) and statements:
            raise _fail(syntax, f"`{write_syntax(syntax)}` by itself", "an equation")
        statements.append(_statement(syntax, label))
    _add_extents(statements, extents, len(plain))
    if not statements:
        raise FormulaError("found an empty block, expected a formula", line=line, column=column, found="an empty block",
                           expected="a formula")  # fmt: skip
    return tuple(statements)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _without_extents(text: str, line: int, column: int) -> tuple[str, list[tuple[int, Extent]]]:
    """The text without what the ends of equations say of their indices, and that with its places."""
    found: list[tuple[int, Extent]] = []
    depth, end = 0, 0
    for match in MARKS.finditer(text):
        if not depth and match.start() >= end:
            extent = find_extents(text, match.start(), line, column)
            if extent is not None:
                end, extents = extent
                text = text[: match.start()] + _blank(text[match.start() : end]) + text[end:]
                found += [(match.start(), one) for one in extents]
                continue
        depth = max(depth + _step(match.group()), 0)
    return text, found


def _step(word: str) -> int:
    """How much deeper in brackets it is behind a word."""
    if word in OPENED or word.startswith(r"\begin"):
        return 1
    return -(word in CLOSED or word.startswith(r"\end") or word == r"\right.")


def _add_extents(statements: list[LatexStatement], extents: list[tuple[int, Extent]], place: int) -> None:
    """Give the last statement what is said of its indices before a place."""
    while extents and extents[0][0] < place:
        _, extent = extents.pop(0)
        if not statements:
            raise _fail(extent, f"`{extent.shown}` by itself", "an equation before it")
        statements[-1] = replace(statements[-1], extents=(*statements[-1].extents, extent))


def _fail(node: Node, found: str, expected: str, hint: str = "") -> FormulaError:
    message = f"found {found}, expected {expected}" + (f"; {hint}" if hint else "")
    return FormulaError(message, line=node.line or None, column=node.column or None, found=found, expected=expected)


def _cut(text: str, line: int, column: int) -> tuple[list[_Piece], str]:
    """The pieces between ends of rows, separating commas and wide blanks, and the text with the marks of rows blank.

    Comments in words are in no piece.
    """
    pieces: list[_Piece] = []
    flat = list(text)
    depth, start, row, columns, nested = 0, 0, 0, 0, 0

    def end(at: int) -> None:
        nonlocal start
        if text[start:at].replace("&", "").strip():
            pieces.append(_Piece(start, at, row))

    for match in MARKS.finditer(text):
        word = match.group()
        nested += word.startswith(r"\begin") - word.startswith(r"\end")
        if step := _step(word):
            depth = max(depth + step, 0)
        elif depth:
            if not nested and (word == "&" or (word.startswith(r"\\") and _goes_on(text, match))):
                flat[match.start() : match.end()] = " " * len(word)
        elif word.startswith(r"\\"):
            end(match.start())
            start, row, columns = match.end(), row + 1, 0
            flat[match.start() : match.end()] = " " * len(word)
        elif word == "&":
            columns += 1
            flat[match.start()] = " "
            if columns % 2 == 0 and not re.match(r"\s*=?\s*$", text[start : match.start()].replace("&", "")):
                if not _is_eqnarray(text, start, match.start()):
                    end(match.start())
                    start = match.end()
        elif word in (",", ";") or word.startswith((r"\quad", r"\qquad")):
            end(match.start())
            start = match.end()
        elif COMMENT.fullmatch(word) and _is_comment(text, start, match, line, column):
            end(match.start())
            start = match.end()
    end(len(text))
    return pieces, "".join(flat)


def _goes_on(text: str, end: re.Match[str]) -> bool:
    """Whether a row that ends inside brackets is broken at a sign, before it or behind it."""
    behind = re.sub(r"&|\\q?quad(?![A-Za-z])", " ", text[end.end() : end.end() + 80])
    return bool(GOES_ON.match(behind)) or _is_open(text[: end.start()])


def _is_open(before: str) -> bool:
    """Whether a row ends with a sign."""
    return before.rstrip().endswith(("+", "-", "=", r"\cdot", r"\times", r"\odot"))


def _is_eqnarray(text: str, start: int, end: int) -> bool:
    """Whether the second mark of a row stands behind a lone relation, as in `a &=& b`."""
    _, _, last = text[start:end].rpartition("&")
    return bool(CONTINUES.fullmatch(last.rstrip()))


def _is_comment(text: str, start: int, match: re.Match[str], line: int, column: int) -> bool:
    """Whether words stand outside the formula; FormulaError where they restrict it."""
    found = COMMENT.fullmatch(match.group())
    words = found[1].strip() if found else ""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_\-]*", words) and words not in ("and", "or", "so", "hence", "thus"):
        return False
    if RESTRICTING.search(words) or words == "or":
        at = locate(text, match.start(), line, column)
        raise FormulaError(f"found the words `{words}`, expected what always holds; conditions stand in cases",
                           line=at[0], column=at[1], found=words, expected="a formula")  # fmt: skip
    return True


def _join(text: str, pieces: list[_Piece]) -> list[_Piece]:
    """The pieces, each row that goes on with a sum or a product joined to what it goes on with."""
    joined: list[_Piece] = []
    for piece in pieces:
        if joined and joined[-1].row < piece.row:
            before = text[joined[-1].start : joined[-1].end].rstrip()
            blank = re.fullmatch(r"\s*(\\q?quad\s*)*", text[joined[-1].end : piece.start])
            if blank and (GOES_ON.match(text, piece.start, piece.end) or _is_open(before)):
                joined[-1] = _Piece(joined[-1].start, piece.end, piece.row)
                continue
        joined.append(piece)
    return joined


def _continue(statements: list[LatexStatement], text: str, match: re.Match[str], at: tuple[int, int]) -> None:
    """Add the links of a row that begins with a relation to the statement before it."""
    if not statements:
        raise FormulaError(f"found `{match[1]}` at the beginning, expected what stands before it", line=at[0],
                           column=at[1], found=match[1], expected="a formula")  # fmt: skip
    place = locate(text, match.end(), *at)
    syntax = read_syntax(text[match.end() :], *place)
    first = {r"\le": "<=", r"\leq": "<=", r"\ge": ">=", r"\geq": ">=", r"\leftarrow": ":="}.get(match[1], match[1])
    sides = syntax.parts if isinstance(syntax, Relation) else (syntax,)
    more = (first, *(syntax.operators if isinstance(syntax, Relation) else ()))
    last = statements[-1]
    whole = Relation((*last.sides, *sides), (*last.operators, *more), line=last.line, column=last.column)
    statements[-1] = replace(_statement(whole, last.label), extents=last.extents)


def _statement(syntax: Syntax, label: str) -> LatexStatement:
    if not isinstance(syntax, Relation):
        return LatexStatement("expression", (syntax,), (), label, line=syntax.line, column=syntax.column)
    sides, operators = syntax.parts, syntax.operators
    if operators[0] == ":=" and set(operators[1:]) <= {"=", r"\approx"}:
        kind = "update"
    elif set(operators) == {"="}:
        kind = "update" if _is_updated(sides[0], sides[1]) else "equation"
    elif operators[-1] == r"\approx" and set(operators[:-1]) <= {"="}:
        kind = "approximation"
    else:
        kind = "relation"
    return LatexStatement(kind, sides, operators, label, line=syntax.line, column=syntax.column)


def _is_updated(target: Syntax, value: Syntax) -> bool:
    """Whether an equation gives a name its next value: x_{new} = ..., or w = w - ..."""
    node = bare(target)
    if isinstance(node, Scripts):
        for script in (node.below, node.above):
            if script is not None and _letters(script) in ("new", "(new)"):
                return True
    if not isinstance(node, Scripts | Symbol) or not isinstance(value, Sum):
        return False
    return write_syntax(value.parts[0]) == write_syntax(node) and value.signs[0] != "-"


def _letters(script: Syntax) -> str:
    node = bare(script)
    if isinstance(node, Group) and node.opened == "(" and len(node.parts) == 1:
        return f"({_letters(node.parts[0])})"
    if isinstance(node, Beside) and all(isinstance(part, Symbol) for part in node.parts):
        return "".join(write_syntax(part) for part in node.parts)
    return write_syntax(node)
