r"""The words of LaTeX formulas: commands, letters one by one, numbers, brackets and bars that open or close.

TeX's own rule for arguments is kept: behind `^`, `_` or `\frac` a digit stands alone, so `\frac12` is one half. Where
that rule and a hasty reader disagree, as in `x^12`, it is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lark import Token
from lark.lexer import Lexer

from symbackprop.errors import FormulaError
from symbackprop.notation.reading.commands import (
    ACCENTS,
    CLOSING,
    CONNECTIVES,
    FONTS,
    FUNCTIONS,
    GREEK,
    LABELLED,
    LOGIC,
    MATRICES,
    MULTIPLIED,
    OPENING,
    RELATIONS,
    SHOWN,
    SPACES,
    SWITCHES,
    UPRIGHT,
    hint,
)
from symbackprop.notation.reading.refusals import UnknownCommandError, ambiguous
from symbackprop.notation.reading.texts import GROUPED, is_restricting, locate, read_grouped

WORDS = re.compile(
    r"(?P<space>[ \t\r\n~]+)|(?P<comment>(?<!\\)%[^\n]*)|(?P<row>\\\\(\[-?[0-9.]+(pt|em|ex|mm|cm)\])?)"
    r"|\\(?P<command>operatorname\*|[A-Za-z]+|[^A-Za-z])|(?P<number>[0-9]+(\.[0-9]+)?|\.[0-9]+)|(?P<letter>[A-Za-z])"
    r"|(?P<assign>:=)|(?P<bars>\|\|?)|(?P<sign>[-+])|(?P<script>[_^])|(?P<prime>'+)|(?P<other>.)",
    re.DOTALL,
)
SWITCH = re.compile(rf"\{{\s*\\({'|'.join(SWITCHES)})(?![A-Za-z])\s*")
ENDED_ROW = re.compile(r"\s*(\\\\|\\end)")
BRACED = re.compile(
    r"\\left\s*\\(?:\{|lbrace(?![A-Za-z]))\s*\\begin\{array\}\s*(?:\[[tcb]\]\s*)?\{(?:[lcr\s]|@\{[^{}]*\})+\}"
)
"""A brace before a table, which are cases as they were written before there was an environment for them."""
BRACED_TABLE = "brace"
LONE_RIGHT = re.compile(r"\s*\\right\s*\.")
PLAIN = re.compile(r"[A-Za-z0-9 .,\-]*(\\[_ ,][A-Za-z0-9 .,\-]*)*")
OPERANDS = frozenset(
    {"NUMBER", "SYMBOL", "OPERATOR", "CLOSE", "RBRACE", "BAR_CLOSE", "PRIMES", "END_CASES", "END_MATRIX"}
)
FOREIGN = {
    "\u2212": "write the minus sign as -", "\u00d7": r"write \times", "\u00b7": r"write \cdot", "$": "",
    "&": r"it belongs into aligned equations and cases", "#": "", ":": "an update is written :=", ";": "",
}  # fmt: skip


@dataclass(slots=True)
class Scanner:
    """Cuts one formula into tokens; `line` and `column` say where it starts."""

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
    stacked: int = -1
    r"""Where the braces of the last \substack open."""
    barred: set[int] = field(default_factory=set)
    """The depths of brackets at which a pair of bars was closed."""
    labelled: dict[int, str] = field(default_factory=dict)
    """Where the braces of \\underbrace open, and the mark before the label behind them."""

    def tokens(self) -> Iterator[Token]:
        """The tokens of the formula; FormulaError says what no formula holds."""
        while self.place < len(self.text):
            match = WORDS.match(self.text, self.place)
            if match is None:
                raise TypeError("a text has a word at every place")
            start, kind = self.place, match.lastgroup or "other"
            self.place = match.end()
            word = match[kind] if kind in ("command", "number") else match.group()
            for token in self._read(kind, word, start):
                self.last = "FUNCTION" if token.value[1:] in FUNCTIONS else token.type
                self.last = token.value if token.value == r"\in" else self.last
                yield token
        if self.opened:
            word, at, _ = self.opened[-1]
            raise self.fail(at, f"`{word}` that is never closed", f"`{SHOWN[word]}`")

    def fail(self, offset: int, found: str, expected: str, hint: str = "", kind: type[FormulaError] = FormulaError
             ) -> FormulaError:  # fmt: skip
        """The error at a place."""
        line, column = locate(self.text, offset, self.line, self.column)
        message = f"found {found}, expected {expected}" + (f"; {hint}" if hint else "")
        return kind(message, line=line, column=column, found=found, expected=expected)

    def _token(self, kind: str, value: str, offset: int) -> Token:
        line, column = locate(self.text, offset, self.line, self.column)
        return Token(kind, value, offset, line, column)

    def _taken(self) -> None:
        self.pending = max(self.pending - 1, 0)

    def _read(self, kind: str, word: str, start: int) -> Iterator[Token]:
        match kind:
            case "space" | "comment":
                return
            case "command":
                yield from self._command(word, start)
            case "number":
                yield self._number(word, start)
            case "letter":
                self._taken()
                yield self._token("SYMBOL", word, start)
            case "assign":
                yield self._token("RELATION", ":=", start)
            case "sign":
                yield self._token("SIGN", word, start)
            case "script":
                self.pending = 1
                yield self._token("SUB" if word == "_" else "SUP", word, start)
            case "prime":
                yield self._token("PRIMES", word, start)
            case "row":
                if self.opened and self.opened[-1][1] == self.stacked:
                    yield self._token("COMMA", ",", start)
                    return
                if not self.tables:
                    raise self.fail(start, r"`\\`", "one formula", "write each formula by itself")
                yield self._token("ROW", word, start)
            case "other" if word == "{" and (switch := SWITCH.match(self.text, start)) is not None:
                yield from self._switched(switch)
            case "bars":
                if word == "||":
                    raise self.fail(start, "`||`", r"`\lVert x \rVert` for a norm, `|a| \, |b|` for bars side by side")
                yield self._bar(start)
            case _:
                yield self._other(word, start)

    def _number(self, word: str, start: int) -> Token:
        grouped = GROUPED.match(self.text, start)
        if grouped:
            self.place = grouped.end()
            place = locate(self.text, start, self.line, self.column)
            return self._token("NUMBER", read_grouped(grouped, bool(self.pending), *place), start)
        powers = re.compile(r"[eE][+-]?[0-9]+").match(self.text, start + len(word))
        if powers:
            line, column = locate(self.text, start, self.line, self.column)
            shown, digits = word + powers.group(), powers.group()[1:]
            readings = (rf"{word} \cdot 10^{{{digits}}}", rf"{word} \cdot e with {digits} behind it")
            raise ambiguous(line, column, f"`{shown}`", readings, "write the power of ten")
        if not self.pending:
            return self._token("NUMBER", word, start)
        digit = word[0]
        self._taken()
        self.place = start + 1
        if len(word) > 1 and not self.pending:
            line, column = locate(self.text, start, self.line, self.column)
            readings = (f"{{{word}}}", f"{{{digit}}}{word[1:]}")
            raise ambiguous(line, column, f"`{word}` as an argument", readings, "put braces around what is meant")
        return self._token("NUMBER", digit, start)

    def _other(self, word: str, start: int) -> Token:
        if word == "{":
            self.opened.append(("{", start, max(self.pending - 1, 0)))
            self.pending = 0
            return self._token("LBRACE", word, start)
        if word == "}":
            if not self.opened or self.opened[-1][0] != "{":
                raise self._unopened(word, start)
            _, opened, self.pending = self.opened.pop()
            self._skip_label(self.labelled.get(opened, ""))
            return self._token("RBRACE", word, start)
        if word in "([":
            return self._open(word, start)
        if word in ")]":
            return self._close(word, start)
        if word in MULTIPLIED:
            return self._token("MULTIPLY", MULTIPLIED[word], start)
        if word in RELATIONS:
            return self._token("RELATION", RELATIONS[word], start)
        if word == "," or (word in ".;" and self.tables and ENDED_ROW.match(self.text, self.place)):
            return self._token("COMMA", ",", start)
        if word == ":" and self._is_braced():
            return self._token("COLON", word, start)
        if word == "&" and self.tables:
            return self._token("AMPERSAND", word, start)
        shown = f"`{word}`" if word.isprintable() else f"the character U+{ord(word):04X}"
        raise self.fail(start, shown, "a formula", FOREIGN.get(word, "it is not part of LaTeX formulas"))

    def _skip_label(self, mark: str) -> None:
        r"""Pass over what stands at an \underbrace, which names or explains; an error where it restricts."""
        start = _skip_blanks(self.text, self.place)
        if not mark or not self.text.startswith(mark, start):
            return
        self.place = _skip_blanks(self.text, start + 1)
        found = WORDS.match(self.text, self.place)
        if self.text.startswith("{", self.place):
            label = self._braced(start)
        elif found is not None:
            label, self.place = found.group(), found.end()
        else:
            raise self.fail(start, f"`{mark}` with nothing behind it", "a label")
        if is_restricting(label):
            raise self.fail(start, f"the label `{label}`", "a name or words that explain", "conditions stand in cases")

    def _unopened(self, word: str, start: int) -> FormulaError:
        if self.opened:
            opener = self.opened[-1][0]
            return self.fail(start, f"`{word}`", f"`{SHOWN[opener]}`, which closes `{opener}`")
        return self.fail(start, f"`{word}`", "a bracket that it closes", "nothing is open here")

    def _open(self, word: str, start: int) -> Token:
        ranged = self.last == r"\in" and word in ("(", "[")
        self.opened.append((rf"\in {word}" if ranged else word, start, 0))
        self.pending = 0
        return self._token("FROM" if ranged else "OPEN", word, start)

    def _close(self, word: str, start: int) -> Token:
        opener = CLOSING[word]
        if word in (")", "]") and self.opened and self.opened[-1][0].startswith(r"\in "):
            self.opened.pop()
            return self._token("TO", word, start)
        if not self.opened or self.opened[-1][0] != opener:
            raise self._unopened(word, start)
        self.opened.pop()
        return self._token("CLOSE", opener, start)

    def _bar(self, start: int, double: bool = False, side: str = "") -> Token:
        """A bar closes behind an operand where one is open, and opens elsewhere."""
        kind = "||" if double else "|"
        is_open = bool(self.opened) and self.opened[-1][0] == kind
        if side == "right" and self.opened and self.opened[-1][0] == "." and not double:
            self.opened.pop()
            return self._token("CLOSE", ".", start)
        if (side == "right" and not self._is_below()) or (side != "left" and is_open and self.last in OPERANDS):
            if not is_open:
                raise self._unopened(kind, start)
            self.opened.pop()
            self.barred = {depth for depth in self.barred if depth < len(self.opened)} | {len(self.opened)}
            return self._token("BAR_CLOSE", kind, start)
        if self.last in OPERANDS and not double and side != "left" and self._is_below():
            return self._token("EVAL", kind, start)
        if self.last in OPERANDS and not double and not side and self._is_braced() and self._is_lone():
            return self._token("COLON", kind, start)
        if not side and self.last in OPERANDS and self.last != "BAR_CLOSE" and len(self.opened) in self.barred:
            line, column = locate(self.text, start, self.line, self.column)
            readings = ("|a| b |c|", "|a |b| c|")
            raise ambiguous(line, column, f"a third bar `{kind}`", readings, r"write \left| and \right|")
        self.opened.append((kind, start, 0))
        self.pending = 0
        return self._token("BAR_OPEN", kind, start)

    def _is_braced(self) -> bool:
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
        return self.text.startswith("_", _skip_blanks(self.text, self.place))

    def _command(self, word: str, start: int) -> Iterator[Token]:
        if word in ("left", "right") or (word[:3].lower() == "big" and word in SPACES):
            yield from self._delimiter(word, start)
        elif word in SPACES:
            return
        elif word in LABELLED or word == "boxed":
            at = _skip_blanks(self.text, self.place)
            if not self.text.startswith("{", at):
                raise self.fail(start, f"`\\{word}`", f"`\\{word}{{...}}`")
            self.labelled[at] = LABELLED.get(word, "")
        elif word in ("color", "textcolor"):
            self._braced(start)
        elif word == "lg":
            readings = (r"\log_{10}", r"\log_2")
            raise ambiguous(*locate(self.text, start, self.line, self.column), r"`\lg`", readings, "write the base")
        elif word == "over":
            yield self._token("OVER", r"\over", start)
        elif word == "prime":
            yield self._primes(start)
        elif word == "substack":
            self.stacked = _skip_blanks(self.text, self.place)
        elif word in ("label", "tag", "vspace", "hspace"):
            label = self._braced(start)
            if word == "tag" and is_restricting(label):
                raise self.fail(start, f"the label `{label}`", "a number or a name", "conditions stand in cases")
        elif word in ACCENTS:
            self.pending += not self.pending
            yield self._token("ACCENT", ACCENTS[word], start)
        elif word.rstrip("*") in FONTS:
            yield self._font(word, start)
        elif word in ("frac", "dfrac", "tfrac", "cfrac"):
            self.pending = 2
            yield self._token("FRAC", word, start)
        elif word == "sqrt":
            self.pending = 1
            yield self._token("SQRT", word, start)
        elif word in GREEK or word in FUNCTIONS:
            self._taken()
            yield self._token("SYMBOL", f"\\{word}", start)
        elif word in MULTIPLIED:
            yield self._token("MULTIPLY", MULTIPLIED[word], start)
        elif word in RELATIONS:
            yield self._token("RELATION", RELATIONS[word], start)
        elif word in LOGIC:
            yield self._token(LOGIC[word], f"\\{word}", start)
        elif word in OPENING:
            yield self._open(OPENING[word], start)
        elif word in CLOSING:
            yield self._close(word, start)
        elif word in ("mid", "colon") and self._is_braced():
            yield self._token("COLON", f"\\{word}", start)
        elif word in ("lvert", "rvert", "lVert", "rVert", "|", "vert", "Vert"):
            side = {"l": "left", "r": "right"}.get(word[0], "")
            yield self._bar(start, "V" in word or word == "|", side)
        elif word in ("begin", "end"):
            yield self._environment(word, start)
        else:
            raise self.fail(start, f"the unknown command `\\{word}`", "a formula", hint(word), UnknownCommandError)

    def _primes(self, start: int) -> Token:
        r"""Primes side by side: x^{\prime\prime}."""
        self._taken()
        count = 1
        while more := re.compile(r"\s*\\prime(?![A-Za-z])").match(self.text, self.place):
            self.place = more.end()
            count += 1
        return self._token("PRIMES", "'" * count, start)

    def _delimiter(self, word: str, start: int) -> Iterator[Token]:
        r"""`\left(` is a bracket, and `\left|` a bar that opens; a size alone changes nothing."""
        braced = BRACED.match(self.text, start)
        if braced is not None:
            self.place = braced.end()
            yield self._begin("CASES", BRACED_TABLE, start)
            return
        side = "left" if word == "left" or word.endswith("l") else "right" if word[-1] == "r" else ""
        side = "right" if word == "right" else side
        match = WORDS.match(self.text, _skip_blanks(self.text, self.place))
        if word == "left" and match is not None and match.group() == ".":
            self.place = match.end()
            yield self._open(".", start)
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
            yield self._bar(at, double, {"l": "left", "r": "right"}.get(name[0], side) if len(name) > 4 else side)
        elif name not in (*OPENING, *CLOSING) or match.group() in "{}":
            raise self.fail(at, f"`{match.group()}` behind `\\{word}`", "a bracket")

    def _braced(self, start: int) -> str:
        """The raw text of an argument in braces."""
        at = _skip_blanks(self.text, self.place)
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

    def _font(self, word: str, start: int) -> Token:
        r"""A word set upright is one symbol; a font around anything else belongs to the symbol inside."""
        plain = word.rstrip("*")
        found = self._upright(plain, start) if plain in UPRIGHT else None
        if found is not None:
            return found
        self.pending += not self.pending
        return self._token("FONT", plain, start)

    def _switched(self, match: re.Match[str]) -> Iterator[Token]:
        r"""Braces that begin with the name of a font, {\rm new}, are the braces of that font."""
        start, font = match.start(), SWITCHES[match[1]]
        self.place = start
        found = self._upright(font, start) if font in UPRIGHT else None
        if found is not None:
            yield found
            return
        self.pending += not self.pending
        yield self._token("FONT", font, start)
        self.place = match.end()
        yield self._other("{", start)

    def _upright(self, font: str, start: int) -> Token | None:
        """The word in the braces that follow, as one symbol; None where they hold something else."""
        kept = self.place
        if not self.text.startswith("{", _skip_blanks(self.text, kept)):
            return None
        content = re.sub(r"^\s*\\(rm|it|sf)(?![A-Za-z])\s*", "", self._braced(start))
        if not PLAIN.fullmatch(content):
            self.place = kept
            return None
        written = re.sub(r"\\[ ,]", " ", content).replace(r"\_", "_").strip(" ,.")
        self._taken()
        if font not in ("mathit", "operatorname") and written in CONNECTIVES:
            return self._token(CONNECTIVES[written], written, start)
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9_\-]*|arg ?(max|min)", written):
            word = "OPERATOR" if font == "operatorname" else "SYMBOL"
            return self._token(word if len(written) > 1 else "UPRIGHT", written.replace(" ", ""), start)
        raise self.fail(start, f"the words `{content}`", "a name", "words stand outside the formula")

    def _environment(self, word: str, start: int) -> Token:
        name = self._braced(start)
        if word == "end" and name == "array" and self.opened and self.opened[-1][0] == BRACED_TABLE:
            closed = LONE_RIGHT.match(self.text, self.place)
            if closed is None:
                raise self.fail(start, r"`\end{array}` behind a brace", r"`\right.` behind it")
            self.place = closed.end()
            self.opened.pop()
            self.tables -= 1
            return self._token("END_CASES", name, start)
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
            raise self._unopened(rf"\end{{{name}}}", start)
        self.opened.pop()
        return self._token(f"END_{kind}", MATRICES.get(name, name), start)

    def _begin(self, kind: str, name: str, start: int) -> Token:
        self.tables += 1
        self.opened.append((name, start, 0))
        self.pending = 0
        return self._token(f"BEGIN_{kind}", MATRICES.get(name, name), start)

    def _columns(self, start: int) -> None:
        """Pass over the alignment of the columns of an array; lines between them part it into blocks."""
        columns = self._braced(start)
        if not re.fullmatch(r"[lcr\s]+", columns):
            raise self.fail(start, f"an array with columns `{columns}`", "letters l, c and r alone",
                            r"write a determinant as \begin{vmatrix}")  # fmt: skip


def _skip_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place


class LatexLexer(Lexer):
    """The scanner as Lark takes it; what it is given is (text, line, column)."""

    def __init__(self, _configuration: object) -> None:
        """Lark passes the configuration of the grammar, of which nothing is needed."""

    def lex(self, lexer_state: Any, parser_state: Any = None) -> Iterator[Token]:
        """The tokens of a formula; Lark hands over what its parser was given."""
        return Scanner(*lexer_state).tokens()
