r"""The words of LaTeX formulas: commands, letters one by one, numbers, and the names of fonts around them.

TeX's own rule for arguments is kept: behind `^`, `_` or `\frac` a digit stands alone, so `\frac12` is one half. Where
that rule and a hasty reader disagree, as in `x^12`, it is an error.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lark import Token
from lark.lexer import Lexer

from symbackprop.notation.reading.brackets import PARTING, BracketReader
from symbackprop.notation.reading.commands import (
    ACCENTS,
    CLOSING,
    CONNECTIVES,
    FONTS,
    FUNCTIONS,
    GREEK,
    LABELLED,
    LOGIC,
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
from symbackprop.notation.reading.texts import GROUPED, WORDS, is_restricting, locate, read_grouped, skip_blanks

SWITCH = re.compile(rf"\{{\s*\\({'|'.join(SWITCHES)})(?![A-Za-z])\s*")
ENDED_ROW = re.compile(r"\s*(\\\\|\\end)")
PLAIN = re.compile(r"[A-Za-z0-9 .,\-]*(\\[_ ,][A-Za-z0-9 .,\-]*)*")
FOREIGN = {
    "\u2212": "write the minus sign as -", "\u00d7": r"write \times", "\u00b7": r"write \cdot", "$": "",
    "&": r"it belongs into aligned equations and cases", "#": "", ":": "an update is written :=", ";": "",
}  # fmt: skip


@dataclass(slots=True)
class Scanner(BracketReader):
    """Cuts one formula into tokens."""

    stacked: int = -1
    r"""Where the braces of the last \substack open."""
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
                if token.type in PARTING:
                    self.part_bars()
                yield token
        if self.opened:
            word, at, _ = self.opened[-1]
            raise self.fail(at, f"`{word}` that is never closed", f"`{SHOWN[word]}`")

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
                yield self.token("SYMBOL", word, start)
            case "assign":
                yield self.token("RELATION", ":=", start)
            case "sign":
                yield self.token("SIGN", word, start)
            case "script":
                self.pending = 1
                yield self.token("SUB" if word == "_" else "SUP", word, start)
            case "prime":
                yield self.token("PRIMES", word, start)
            case "row":
                if self.opened and self.opened[-1][1] == self.stacked:
                    yield self.token("COMMA", ",", start)
                    return
                if not self.tables:
                    raise self.fail(start, r"`\\`", "one formula", "write each formula by itself")
                yield self.token("ROW", word, start)
            case "other" if word == "{" and (switch := SWITCH.match(self.text, start)) is not None:
                yield from self._switched(switch)
            case "bars":
                if word == "||":
                    raise self.fail(start, "`||`", r"`\lVert x \rVert` for a norm, `|a| \, |b|` for bars side by side")
                yield self.bar(start)
            case _:
                yield self._other(word, start)

    def _number(self, word: str, start: int) -> Token:
        grouped = GROUPED.match(self.text, start)
        if grouped:
            self.place = grouped.end()
            place = locate(self.text, start, self.line, self.column)
            return self.token("NUMBER", read_grouped(grouped, bool(self.pending), *place), start)
        powers = re.compile(r"[eE][+-]?[0-9]+").match(self.text, start + len(word))
        if powers:
            line, column = locate(self.text, start, self.line, self.column)
            shown, digits = word + powers.group(), powers.group()[1:]
            readings = (rf"{word} \cdot 10^{{{digits}}}", rf"{word} \cdot e with {digits} behind it")
            raise ambiguous(line, column, f"`{shown}`", readings, "write the power of ten")
        if not self.pending:
            return self.token("NUMBER", word, start)
        digit = word[0]
        self._taken()
        self.place = start + 1
        if len(word) > 1 and not self.pending:
            line, column = locate(self.text, start, self.line, self.column)
            readings = (f"{{{word}}}", f"{{{digit}}}{word[1:]}")
            raise ambiguous(line, column, f"`{word}` as an argument", readings, "put braces around what is meant")
        return self.token("NUMBER", digit, start)

    def _other(self, word: str, start: int) -> Token:
        if word == "{":
            self.opened.append(("{", start, max(self.pending - 1, 0)))
            self.pending = 0
            return self.token("LBRACE", word, start)
        if word == "}":
            if not self.opened or self.opened[-1][0] != "{":
                raise self.unopened(word, start)
            _, opened, self.pending = self.opened.pop()
            self._skip_label(self.labelled.get(opened, ""))
            return self.token("RBRACE", word, start)
        if word in "([":
            return self.open(word, start)
        if word in ")]":
            return self.close(word, start)
        if word in MULTIPLIED:
            return self.token("MULTIPLY", MULTIPLIED[word], start)
        if word in RELATIONS:
            return self.token("RELATION", RELATIONS[word], start)
        if word == "," or (word in ".;" and self.tables and ENDED_ROW.match(self.text, self.place)):
            return self.token("COMMA", ",", start)
        if word == ":" and self.is_braced():
            return self.token("COLON", word, start)
        if word == "&" and self.tables:
            return self.token("AMPERSAND", word, start)
        shown = f"`{word}`" if word.isprintable() else f"the character U+{ord(word):04X}"
        name = unicodedata.name(word, "").lower().replace("fullwidth", "full-width")
        if name.startswith(("full-width", "ideographic")):
            narrow = {"\u3002": ".", "\u3001": ","}.get(word) or unicodedata.normalize("NFKC", word)
            instead = f"write `{narrow}`, or end the formula before it"
            raise self.fail(start, f"the {name} '{word}'", "a formula", instead)
        raise self.fail(start, shown, "a formula", FOREIGN.get(word, "it is not part of LaTeX formulas"))

    def _skip_label(self, mark: str) -> None:
        r"""Pass over what stands at an \underbrace, which names or explains; an error where it restricts."""
        start = skip_blanks(self.text, self.place)
        if not mark or not self.text.startswith(mark, start):
            return
        self.place = skip_blanks(self.text, start + 1)
        found = WORDS.match(self.text, self.place)
        if self.text.startswith("{", self.place):
            label = self.braced(start)
        elif found is not None:
            label, self.place = found.group(), found.end()
        else:
            raise self.fail(start, f"`{mark}` with nothing behind it", "a label")
        if is_restricting(label):
            raise self.fail(start, f"the label `{label}`", "a name or words that explain", "conditions stand in cases")

    def _command(self, word: str, start: int) -> Iterator[Token]:
        if word in ("left", "right") or (word[:3].lower() == "big" and word in SPACES):
            yield from self.delimiter(word, start)
        elif word in SPACES:
            return
        elif word in LABELLED or word == "boxed":
            at = skip_blanks(self.text, self.place)
            if not self.text.startswith("{", at):
                raise self.fail(start, f"`\\{word}`", f"`\\{word}{{...}}`")
            self.labelled[at] = LABELLED.get(word, "")
        elif word in ("color", "textcolor"):
            self.braced(start)
        elif word == "lg":
            readings = (r"\log_{10}", r"\log_2")
            raise ambiguous(*locate(self.text, start, self.line, self.column), r"`\lg`", readings, "write the base")
        elif word == "over":
            yield self.token("OVER", r"\over", start)
        elif word == "prime":
            yield self._primes(start)
        elif word == "substack":
            self.stacked = skip_blanks(self.text, self.place)
        elif word in ("label", "tag", "vspace", "hspace"):
            label = self.braced(start)
            if word == "tag" and is_restricting(label):
                raise self.fail(start, f"the label `{label}`", "a number or a name", "conditions stand in cases")
        elif word in ACCENTS:
            self.pending += not self.pending
            yield self.token("ACCENT", word, start)
        elif word.rstrip("*") in FONTS:
            yield self._font(word, start)
        elif word in ("frac", "dfrac", "tfrac", "cfrac"):
            self.pending = 2
            yield self.token("FRAC", word, start)
        elif word == "sqrt":
            self.pending = 1
            yield self.token("SQRT", word, start)
        elif word in GREEK or word in FUNCTIONS:
            self._taken()
            yield self.token("SYMBOL", f"\\{word}", start)
        elif word in MULTIPLIED:
            yield self.token("MULTIPLY", MULTIPLIED[word], start)
        elif word in RELATIONS:
            yield self.token("RELATION", RELATIONS[word], start)
        elif word in LOGIC:
            yield self.token(LOGIC[word], f"\\{word}", start)
        elif word in OPENING:
            yield self.open(OPENING[word], start)
        elif word in CLOSING:
            yield self.close(word, start)
        elif word in ("mid", "colon") and self.is_braced():
            yield self.token("COLON", f"\\{word}", start)
        elif word in ("lvert", "rvert", "lVert", "rVert", "|", "vert", "Vert"):
            side = {"l": "left", "r": "right"}.get(word[0], "")
            yield self.bar(start, "V" in word or word == "|", side)
        elif word in ("begin", "end"):
            yield self.environment(word, start)
        else:
            raise self.fail(start, f"the unknown command `\\{word}`", "a formula", hint(word), UnknownCommandError)

    def _primes(self, start: int) -> Token:
        r"""Primes side by side: x^{\prime\prime}."""
        self._taken()
        count = 1
        while more := re.compile(r"\s*\\prime(?![A-Za-z])").match(self.text, self.place):
            self.place = more.end()
            count += 1
        return self.token("PRIMES", "'" * count, start)

    def _font(self, word: str, start: int) -> Token:
        r"""A word set upright is one symbol; a font around anything else belongs to the symbol inside."""
        plain = word.rstrip("*")
        found = self._upright(plain, start) if plain in UPRIGHT else None
        if found is not None:
            return found
        self.pending += not self.pending
        return self.token("FONT", plain, start)

    def _switched(self, match: re.Match[str]) -> Iterator[Token]:
        r"""Braces that begin with the name of a font, {\rm new}, are the braces of that font."""
        start, font = match.start(), SWITCHES[match[1]]
        self.place = start
        found = self._upright(font, start) if font in UPRIGHT else None
        if found is not None:
            yield found
            return
        self.pending += not self.pending
        yield self.token("FONT", font, start)
        self.place = match.end()
        yield self._other("{", start)

    def _upright(self, font: str, start: int) -> Token | None:
        """The word in the braces that follow, as one symbol; None where they hold something else."""
        kept = self.place
        if not self.text.startswith("{", skip_blanks(self.text, kept)):
            return None
        content = re.sub(r"^\s*\\(rm|it|sf)(?![A-Za-z])\s*", "", self.braced(start))
        if not PLAIN.fullmatch(content):
            self.place = kept
            return None
        written = re.sub(r"\\[ ,]", " ", content).replace(r"\_", "_").strip(" ,.")
        self._taken()
        if font not in ("mathit", "operatorname") and written in CONNECTIVES:
            return self.token(CONNECTIVES[written], written, start)
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9_\-]*|arg ?(max|min)", written):
            word = "OPERATOR" if font == "operatorname" else "SYMBOL"
            return self.token(word if len(written) > 1 else "UPRIGHT", written.replace(" ", ""), start)
        raise self.fail(start, f"the words `{content}`", "a name", "words stand outside the formula")


class LatexLexer(Lexer):
    """The scanner as Lark takes it; what it is given is (text, line, column)."""

    def __init__(self, _configuration: object) -> None:
        """Lark passes the configuration of the grammar, of which nothing is needed."""

    def lex(self, lexer_state: Any, parser_state: Any = None) -> Iterator[Token]:
        """The tokens of a formula; Lark hands over what its parser was given."""
        return Scanner(*lexer_state).tokens()
