r"""Brackets of LaTeX formulas: what is open where the formula is cut into words, from a brace to a table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lark import Token

from symbackprop.errors import FormulaError
from symbackprop.notation.reading.commands import (
    CLOSING,
    LOGIC,
    MATRICES,
    MULTIPLIED,
    OPENING,
    RELATIONS,
    SHOWN,
    SPACES,
)
from symbackprop.notation.reading.refusals import UnknownCommandError, ambiguous
from symbackprop.notation.reading.texts import WORDS, locate, skip_blanks

BRACED = re.compile(
    r"\\left\s*\\(?:\{|lbrace(?![A-Za-z]))\s*\\begin\{array\}\s*(?:\[[tcb]\]\s*)?\{(?:[lcr\s]|@\{[^{}]*\})+\}"
)
"""A brace before a table, which are cases as they were written before there was an environment for them."""
BRACED_TABLE = "brace"
LONE_RIGHT = re.compile(r"\s*\\right\s*\.")
OPERANDS = frozenset(
    {"NUMBER", "SYMBOL", "OPERATOR", "CLOSE", "RBRACE", "BAR_CLOSE", "PRIMES", "END_CASES", "END_MATRIX"}
)


NO_OPERAND = frozenset({*MULTIPLIED, *RELATIONS, *LOGIC, *CLOSING, "|", "vert", "Vert", "end", "over"})
"""Commands with which no operand begins."""
PARTING = frozenset({"RELATION", "COMMA", "ROW", "AMPERSAND"})
"""What stands between formulas, so that no bars stand around it."""


@dataclass(slots=True)
class BracketReader:
    """Reads what opens and closes in one formula; `line` and `column` say where it starts."""

    text: str
    line: int = 1
    column: int = 1
    place: int = 0
    pending: int = 0
    """How many arguments TeX still takes, each of which may be a single digit."""
    opened: list[tuple[str, int, int]] = field(default_factory=list)
    tables: int = 0
    """How many matrices and cases are open."""
    last: str = ""
    barred: set[tuple[int, str]] = field(default_factory=set)
    """The depths of brackets at which a bar of a kind closed a pair, and might have opened one."""

    def fail(self, offset: int, found: str, expected: str, hint: str = "", kind: type[FormulaError] = FormulaError
             ) -> FormulaError:  # fmt: skip
        """The error at a place."""
        line, column = locate(self.text, offset, self.line, self.column)
        message = f"found {found}, expected {expected}" + (f"; {hint}" if hint else "")
        return kind(message, line=line, column=column, found=found, expected=expected)

    def token(self, kind: str, value: str, offset: int) -> Token:
        """A token with its line and its column."""
        line, column = locate(self.text, offset, self.line, self.column)
        return Token(kind, value, offset, line, column)

    def unopened(self, word: str, start: int) -> FormulaError:
        """The error for what closes nothing, or something else than what is open."""
        if self.opened:
            opener = self.opened[-1][0]
            return self.fail(start, f"`{word}`", f"`{SHOWN[opener]}`, which closes `{opener}`")
        return self.fail(start, f"`{word}`", "a bracket that it closes", "nothing is open here")

    def open(self, word: str, start: int) -> Token:
        r"""An opening bracket; one behind \in opens a range."""
        ranged = self.last == r"\in" and word in ("(", "[")
        self.opened.append((rf"\in {word}" if ranged else word, start, 0))
        self.pending = 0
        return self.token("FROM" if ranged else "OPEN", word, start)

    def close(self, word: str, start: int) -> Token:
        """A closing bracket, which has to fit what is open."""
        opener = CLOSING[word]
        if word in (")", "]") and self.opened and self.opened[-1][0].startswith(r"\in "):
            self.opened.pop()
            return self.token("TO", word, start)
        if not self.opened or self.opened[-1][0] != opener:
            raise self.unopened(word, start)
        self.opened.pop()
        return self.token("CLOSE", opener, start)

    def bar(self, start: int, double: bool = False, side: str = "") -> Token:
        """A bar closes behind an operand where one is open, and opens elsewhere."""
        kind = "||" if double else "|"
        is_open = bool(self.opened) and self.opened[-1][0] == kind
        if side == "right" and self.opened and self.opened[-1][0] == "." and not double:
            self.opened.pop()
            return self.token("CLOSE", ".", start)
        if (side == "right" and not self._is_below()) or (side != "left" and is_open and self.last in OPERANDS):
            if not is_open:
                raise self.unopened(kind, start)
            self.opened.pop()
            depth = len(self.opened)
            self.barred = {known for known in self.barred if known[0] <= depth}
            if self._is_before_operand():
                self.barred.add((depth, kind))
            return self.token("BAR_CLOSE", kind, start)
        if self.last in OPERANDS and not double and side != "left" and self._is_below():
            return self.token("EVAL", kind, start)
        if self.last in OPERANDS and not double and not side and self.is_braced() and self._is_lone():
            return self.token("COLON", kind, start)
        if not side and self.last in OPERANDS and self.last != "BAR_CLOSE" and (len(self.opened), kind) in self.barred:
            line, column = locate(self.text, start, self.line, self.column)
            bar = r"\|" if kind == "||" else kind
            readings = (f"{bar}a{bar} b {bar}c{bar}", f"{bar}a {bar}b{bar} c{bar}")
            raise ambiguous(line, column, f"a third bar `{kind}`", readings, rf"write \left{bar} and \right{bar}")
        self.opened.append((kind, start, 0))
        self.pending = 0
        return self.token("BAR_OPEN", kind, start)

    def part_bars(self) -> None:
        """Forget the bars before a relation, or another sign that no bars stand around."""
        self.barred = {known for known in self.barred if known[0] != len(self.opened)}

    def _is_before_operand(self) -> bool:
        """Whether an operand may begin at this place: a bar before anything else, such as ^ or =, opens nothing."""
        place = self.place
        while match := WORDS.match(self.text, place):
            place, word = match.end(), match["command"]
            if match.lastgroup in ("space", "comment") or word in SPACES:
                continue
            if word is not None:
                return word not in NO_OPERAND
            return match.lastgroup in ("number", "letter") or match.group() in "([{"
        return False

    def is_braced(self) -> bool:
        """Whether this place stands in braces, and in nothing else inside them."""
        return bool(self.opened) and self.opened[-1][0] == "{"

    def _is_lone(self) -> bool:
        """Whether no bar stands between this place and the end of the braces around it."""
        depth = 0
        for place in range(self.place, len(self.text)):
            letter = self.text[place]
            depth += {"{": 1, "}": -1}.get(letter, 0)
            if depth < 0:
                return True
            if letter == "|" or self.text.startswith((r"\vert", r"\rvert", r"\lvert"), place):
                return False
        return False

    def _is_below(self) -> bool:
        """Whether a subscript stands behind this place."""
        return self.text.startswith("_", skip_blanks(self.text, self.place))

    def delimiter(self, word: str, start: int) -> Iterator[Token]:
        r"""`\left(` is a bracket, and `\left|` a bar that opens; a size alone changes nothing."""
        braced = BRACED.match(self.text, start)
        if braced is not None:
            self.place = braced.end()
            yield self._begin("CASES", BRACED_TABLE, start)
            return
        side = "left" if word == "left" or word.endswith("l") else "right" if word[-1] == "r" else ""
        side = "right" if word == "right" else side
        match = WORDS.match(self.text, skip_blanks(self.text, self.place))
        if word == "left" and match is not None and match.group() == ".":
            self.place = match.end()
            yield self.open(".", start)
            return
        if word not in ("left", "right") and match is not None and match.group() == "/":
            return  # a slash of some size
        if match is None or match.group() in (".", "<", ">", "/"):
            raise self.fail(start, f"`\\{word}`{' and no bracket' if match is None else match.group()}", "a bracket")
        at, kind = match.start(), match.lastgroup
        name = match["command"] if kind == "command" else match.group()
        if name == "||" or kind == "number":
            raise self.fail(at, f"`{name}` behind `\\{word}`", "one bracket")
        if name in ("|", "vert", "lvert", "rvert", "Vert", "lVert", "rVert"):
            self.place = match.end()
            double = "V" in name or (kind == "command" and name == "|")
            yield self.bar(at, double, {"l": "left", "r": "right"}.get(name[0], side) if len(name) > 4 else side)
        elif name not in (*OPENING, *CLOSING) or match.group() in "{}":
            raise self.fail(at, f"`{match.group()}` behind `\\{word}`", "a bracket")

    def braced(self, start: int) -> str:
        """The raw text of an argument in braces."""
        at = skip_blanks(self.text, self.place)
        if not self.text.startswith("{", at):
            raise self.fail(start, "a command without its argument", "`{`")
        depth, end = 0, at
        while end < len(self.text):
            depth += {"{": 1, "}": -1}.get(self.text[end], 0)
            end += 1
            if not depth:
                self.place = end
                return self.text[at + 1 : end - 1]
        raise self.fail(at, "`{` that is never closed", "`}`")

    def environment(self, word: str, start: int) -> Token:
        """Where cases or a matrix begin or end."""
        name = self.braced(start)
        if word == "end" and name == "array" and self.opened and self.opened[-1][0] == BRACED_TABLE:
            closed = LONE_RIGHT.match(self.text, self.place)
            if closed is None:
                raise self.fail(start, r"`\end{array}` behind a brace", r"`\right.` behind it")
            self.place = closed.end()
            self.opened.pop()
            self.tables -= 1
            return self.token("END_CASES", name, start)
        if name != "cases" and name not in MATRICES:
            expected = "cases, a matrix, or a block of aligned equations by itself"
            raise self.fail(start, f"`\\{word}{{{name}}}`", expected, kind=UnknownCommandError)
        kind = "CASES" if name == "cases" else "MATRIX"
        if word == "begin":
            begun = self._begin(kind, name, start)
            if name == "array":
                self._columns(start)
            return begun
        self.tables -= 1
        if not self.opened or self.opened[-1][0] != name:
            raise self.unopened(rf"\end{{{name}}}", start)
        self.opened.pop()
        return self.token(f"END_{kind}", MATRICES.get(name, name), start)

    def _begin(self, kind: str, name: str, start: int) -> Token:
        self.tables += 1
        self.opened.append((name, start, 0))
        self.pending = 0
        return self.token(f"BEGIN_{kind}", MATRICES.get(name, name), start)

    def _columns(self, start: int) -> None:
        """Pass over the alignment of the columns of an array; lines between them part it into blocks."""
        columns = self.braced(start)
        if not re.fullmatch(r"[lcr\s]+", columns):
            raise self.fail(start, f"an array with columns `{columns}`", "letters l, c and r alone",
                            r"write a determinant as \begin{vmatrix}")  # fmt: skip
