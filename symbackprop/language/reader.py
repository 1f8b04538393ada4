"""Text becomes trees: `read_statements` and `read_expression`.

The text is scanned once for what no grammar should have to explain (foreign characters, unbalanced brackets, sizes past
the limits) and then parsed; an error names its line and column, what was found and what was expected.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

from lark.exceptions import UnexpectedInput, UnexpectedToken

from symbackprop.errors import FormulaError, LimitError
from symbackprop.language.grammar import parser
from symbackprop.language.limits import Limits, check_literal, check_program, check_tree
from symbackprop.language.tree import RESERVED, Expression, Statement

LEXEMES = re.compile(
    r"""(?P<space>[ \t\f\r]+)|(?P<comment>\#[^\n]*)|(?P<newline>\n)|(?P<string>"[^"\n]*")"""
    r"""|(?P<number>[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?)|(?P<name>[A-Za-z][A-Za-z0-9_]*)"""
    r"""|(?P<operator>\*\*|//|<=|>=|==|!=|[-+*/^%=<>()\[\],:~'])|(?P<other>.)""",
    re.DOTALL,
)
RAISABLE = "the limit can be raised by the caller"
CLOSERS = {")": "(", "]": "["}
HINTS = {
    "**": "write ^ for powers: x^2",
    ".": "a number needs digits on both sides of its point: 0.5, 2.0",
    "\u2212": "write the minus sign as -", "\u00d7": "write * for products", "\u00b7": "write * for products",
    "\u00b2": "write ^2", "\u2264": "write <=", "\u2265": "write >=", "\u2260": "write !=", "\u03c0": "write pi",
    "&": "write `and`", "|": "write `or`", "!": "write `not`, or != for unequal",
    "{": "write ( and )", "}": "write ( and )",
    '"': 'a quotation mark opens a text that ends on the same line: as "\\hat y"',
    ";": "put each definition on a line of its own", "_": "a name begins with a letter",
    "@": "write the sum over its index: sum(j, W[i,j]*x[j])",
}  # fmt: skip
_PRIME_HINT = "a prime follows the name of a function, sigmoid'(u); transposes belong to matrix expressions"
KEYWORDS = ("input", "param", "const", "index", "assume", "claim")
OPERAND = frozenset({"NUMBER", "NAME", "LPAR", "WHERE", "REDUCTION", "PI", "MINUS"})
OPERATORS = frozenset({"PLUS", "MINUS", "TIMES", "DIVIDE", "FLOOR", "MODULO", "POWER", "COMPARISON", "_AND", "_OR"})
TERMINALS = {
    "NAME": "a name", "STRING": "a text in quotation marks", "NUMBER": "a number", "_NEWLINE": "the end of the line",
    "$END": "the end of the text", "KIND": "a declaration", "_INDEX": "a declaration", "_ASSUME": "`assume`",
    "_CLAIM": "`claim`", "EQUALS": "`=`", "COMPARISON": "a comparison", "RPAR": "`)`", "RSQB": "`]`", "LPAR": "`(`",
    "LSQB": "`[`", "COMMA": "`,`", "COLON": "`:`", "_AS": "`as`", "_IN": "`in`", "TILDE": "`~`", "PRIME": "`'`",
    "_EXPECT": "`expect refuted`", "_REFUTED": "`refuted`", "DIFFERENTIAL": "`d`", "NOT": "`not`", "MINUS": "`-`",
    "DIVIDE": "`/`",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A word of the text with its place."""

    kind: str
    text: str
    line: int
    column: int


def read_statements(text: str, limits: Limits | None = None) -> tuple[Statement, ...]:
    """Read a program: its statements in order, a declaration of several names giving one for each.

    FormulaError says where the text is no program; LimitError is one for texts that are too large.

    >>> [type(s).__name__ for s in read_statements("param w, b\\nloss = (w - b)^2")]
    ['Declaration', 'Declaration', 'Define']
    """
    limits = limits or Limits()
    statements: tuple[Statement, ...] = _parse(text, "start", limits)
    check_program(statements, limits)
    return statements


def read_expression(text: str, limits: Limits | None = None) -> Expression:
    """Read one expression.

    >>> read_expression("2*x").operators
    ('*',)
    """
    limits = limits or Limits()
    tree: Expression = _parse(text, "formula", limits)
    check_tree(tree, limits)
    return tree


def _parse(text: str, start: str, limits: Limits) -> Any:
    lexemes = _scan(text, limits)
    try:
        return parser().parse(text, start=start)
    except UnexpectedInput as error:
        raise _explain(error, lexemes) from None
    except (RecursionError, ValueError):  # both only where a caller raised the limits past what Python itself bears
        raise LimitError(
            "the formula is larger than Python can hold; lower the limits", expected="a smaller formula"
        ) from None


def _scan(text: str, limits: Limits) -> list[Lexeme]:
    """The words of the text; raises for what no formula holds and for what is past the limits."""
    found: list[Lexeme] = []
    open_brackets: list[Lexeme] = []
    line, start, definitions, at_start = 1, 0, 0, True
    for match in LEXEMES.finditer(text):
        kind, word, column = match.lastgroup or "other", match.group(), match.start() - start + 1
        if kind == "newline":
            found.append(Lexeme(kind, word, line, column))
            line, start = line + 1, match.end()
            at_start = at_start or not open_brackets
            continue
        if kind in ("space", "comment"):
            continue
        lexeme = Lexeme(kind, word, line, column)
        found.append(lexeme)
        if at_start and word not in KEYWORDS:
            definitions += 1
            if definitions > limits.definitions:
                many = f"definition number {definitions}"
                raise _error(LimitError, lexeme, many, f"at most {limits.definitions} definitions", RAISABLE)
        at_start = False
        if kind == "other" or word == "**":
            named = f"`{word}`" if word.isprintable() else f"the character U+{ord(word):04X}"
            raise _error(FormulaError, lexeme, named, "a formula", HINTS.get(word, "it is not part of the language"))
        if kind == "number":
            check_literal(word, line, column, limits)
        if word in ("(", "["):
            open_brackets.append(lexeme)
            if len(open_brackets) > limits.nesting:
                deep = f"brackets nested {len(open_brackets)} deep"
                raise _error(LimitError, lexeme, deep, f"nesting of at most {limits.nesting}", RAISABLE)
        elif word in CLOSERS:
            if not open_brackets:
                raise _error(FormulaError, lexeme, f"`{word}`", "a bracket that it closes", "nothing is open here")
            opener = open_brackets.pop()
            if opener.text != CLOSERS[word]:
                wanted = next(c for c, o in CLOSERS.items() if o == opener.text)
                place = f"line {opener.line}, column {opener.column}"
                raise _error(
                    FormulaError, lexeme, f"`{word}`", f"`{wanted}`", f"`{opener.text}` stands open since {place}"
                )
    if open_brackets:
        opener = open_brackets[-1]
        wanted = next(c for c, o in CLOSERS.items() if o == opener.text)
        raise _error(FormulaError, opener, f"`{opener.text}` that is never closed", f"`{wanted}`", "")
    return found


def _error(kind: type[FormulaError], at: Lexeme, found: str, expected: str, hint: str) -> FormulaError:
    message = f"found {found}, expected {expected}" + (f"; {hint}" if hint else "")
    return kind(message, line=at.line, column=at.column, found=found, expected=expected)


def _explain(error: UnexpectedInput, lexemes: list[Lexeme]) -> FormulaError:
    """The parser's complaint in the terms of the language."""
    words = [x for x in lexemes if x.kind != "newline"]
    ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    if ended:
        position = len(words)
    else:
        position = bisect_left(words, (error.line, error.column), key=lambda x: (x.line, x.column))
    before = words[position - 1] if position else None
    accepted = set(error.accepts or ()) if isinstance(error, UnexpectedToken) else set()
    expected = _phrase(accepted)
    if ended or (isinstance(error, UnexpectedToken) and error.token.type == "_NEWLINE") or position >= len(words):
        last = lexemes[-1] if lexemes else Lexeme("newline", "\n", 1, 1)
        place = Lexeme("newline", "\n", error.line, error.column) if not ended else last
        if ended and before is not None and last is before:
            place = Lexeme("newline", "\n", before.line, before.column + len(before.text))
        hint = _PRIME_HINT if before is not None and before.text == "'" else ""
        return _error(FormulaError, place, "the end of the line", expected, hint)
    word = words[position]
    found, hint = f"`{word.text}`", _hint(before, word, words, position, accepted)
    if word.text in RESERVED and "NAME" in accepted:
        found = f"the reserved word `{word.text}`"
    return _error(FormulaError, word, found, expected, hint)


def _hint(before: Lexeme | None, word: Lexeme, words: list[Lexeme], position: int, accepted: set[str]) -> str:
    """A suggestion for the mistake that stands at a word, or nothing."""
    first = before is None or before.line < word.line
    if word.text in RESERVED and "NAME" in accepted:
        return "choose another name"
    if before is not None and not first and _ends_operand(before) and _starts_operand(word):
        opening = position == 1 or words[position - 2].line < before.line
        if opening and before.kind == "name" and word.kind == "name":
            return f"a line is a definition (name = formula) or begins with {', '.join(KEYWORDS)}"
        shown = "(...)" if word.text == "(" else word.text
        left = "(...)" if before.text in CLOSERS else before.text
        return f"a product needs its sign: {left}*{shown}"
    if word.text == "=":
        return "write == to compare; a definition has one =" if not accepted & {"NAME"} else ""
    if word.text == "==" and "EQUALS" in accepted:
        return "write = to define"
    if word.text == "'":
        return _PRIME_HINT
    if word.text == ":":
        return "a range follows an index where it is introduced: sum(i:N, x[i])"
    return ""


def _ends_operand(lexeme: Lexeme) -> bool:
    return lexeme.kind == "number" or lexeme.text in CLOSERS or (lexeme.kind == "name" and lexeme.text not in RESERVED)


def _starts_operand(lexeme: Lexeme) -> bool:
    words = ("(", "sum", "mean", "max", "min", "where", "pi")
    return lexeme.kind in ("number",) or lexeme.text in words or (lexeme.kind == "name" and lexeme.text not in RESERVED)


def _phrase(accepted: set[str]) -> str:
    """The accepted terminals in words: kinds of things first, then the signs."""
    parts = []
    rest = set(accepted)
    if {"KIND", "_CLAIM"} <= rest:
        rest = rest - {"KIND", "_INDEX", "_ASSUME", "_CLAIM", "NAME"}
        parts.append("a declaration or a definition")
    if {"NUMBER", "LPAR"} <= rest:
        rest = rest - OPERAND - {"NOT"}
        parts.append("an expression")
    if {"PLUS", "TIMES"} <= rest:
        rest = rest - OPERATORS - {"LPAR", "LSQB", "PRIME"}
        parts.append("an operator")
    if "_NEWLINE" in rest:
        rest.discard("$END")
    parts += [TERMINALS.get(name, name) for name in TERMINALS if name in rest]
    parts = list(dict.fromkeys(parts))
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f" or {parts[-1]}" if parts else "something else"
