"""The grammar of matrix expressions, `norm2(X*w - y)^2`, and the trees that it makes of them.

A text is lines of `name = expression` and `assume left = right`; the last may be an expression alone. Nothing is known
of shapes here.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, UnexpectedToken

from symbackprop.errors import FormulaError, LimitError
from symbackprop.language.grammar import NewlineFilter
from symbackprop.language.limits import Limits, check_literal
from symbackprop.language.tree import Expression, Name, Node, Number, Where, walk

GRAMMAR = r"""
start: [_line] (_NEWLINE [_line])*
_line: line | assumption
line: [NAME EQUALS] sum
assumption: _ASSUME sum EQUALS sum
?sum: signed | signed ((PLUS | MINUS) signed)+ -> run
?signed: product | MINUS signed -> negate
?product: power | power ((TIMES | DIVIDE | DOT_TIMES | DOT_DIVIDE) factor)+ -> run
?factor: power | MINUS factor -> negate
?power: postfix | postfix (POWER | DOT_POWER) exponent -> binary
?exponent: atom | MINUS exponent -> negate | atom (POWER | DOT_POWER) exponent -> binary
?postfix: atom | postfix PRIME -> transpose
?atom: NUMBER -> number
     | NAME -> name
     | CALLED "(" sum ("," sum)* ")" -> call
     | "(" sum ")" -> bracketed

_ASSUME.3: /assume\b/
CALLED.2: /[A-Za-z][A-Za-z0-9_]*'?(?=[ \t]*\()/
NAME: /[A-Za-z][A-Za-z0-9_]*/
NUMBER: /[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/
EQUALS: "="
PLUS: "+"
MINUS: "-"
TIMES: "*"
DIVIDE: "/"
POWER: "^"
DOT_TIMES: ".*"
DOT_DIVIDE: "./"
DOT_POWER: ".^"
PRIME: "'"
COMMA: ","
LPAR: "("
RPAR: ")"
_NEWLINE: /\r?\n/
COMMENT: /#[^\n]*/
%ignore COMMENT
%ignore /[ \t\f\r]+/
"""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
LEXEMES = re.compile(
    r"""(?P<space>[ \t\f\r]+|\#[^\n]*)|(?P<newline>\n)|(?P<number>[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?)"""
    r"""|(?P<name>[A-Za-z][A-Za-z0-9_]*)|(?P<operator>\.[*/^]|\*\*|[-+*/^=(),'])|(?P<other>.)""",
    re.DOTALL,
)
HINTS = {
    "**": "write ^ for powers of scalars and of square matrices, .^ for powers of entries",
    "[": "a matrix expression has no indices; sb.parse reads formulas with them",
    "]": "a matrix expression has no indices; sb.parse reads formulas with them",
    "@": "write * for the matrix product", "\u2212": "write the minus sign as -",
    "\u00d7": "write *", "\u00b7": "write *",
    "\u2299": "write .* for the product of entries", "_": "a name begins with a letter",
    **dict.fromkeys("\u22a4\u2019\u1d40", "write ' for the transpose"), "\u00b2": "write ^2",
    ".": "a number needs digits on both sides of its point; products of entries are written .*",
    ":": "a matrix expression has no ranges", ";": "put each definition on a line of its own",
    "\\": "write inv(A)*b, or solve(A, b)",
}  # fmt: skip
OPERATORS = frozenset({"PLUS", "MINUS", "TIMES", "DIVIDE", "DOT_TIMES", "DOT_DIVIDE", "POWER", "DOT_POWER", "PRIME"})
TERMINALS = {"RPAR": "`)`", "COMMA": "`,`", "EQUALS": "`=`", "_NEWLINE": "the end of the line"}


@dataclass(frozen=True, slots=True)
class Operation(Expression):
    """An operation on whole matrices: a function, `neg`, `'`, `^` or `.^`; `primed` is the derivative of a function."""

    name: str
    operands: tuple[Expression, ...]
    primed: bool = False


@dataclass(frozen=True, slots=True)
class Sign(Node):
    """An operator where it stands."""

    symbol: str


@dataclass(frozen=True, slots=True)
class Run(Expression):
    """Operands joined, from the left, by operators of one precedence: all of `+ -`, or all of `* / .* ./`."""

    operands: tuple[Expression, ...]
    signs: tuple[Sign, ...]


@dataclass(frozen=True, slots=True)
class Line(Node):
    """`name = body`, or a body alone; with a side `equal` it is `assume body = equal`."""

    name: Name | None
    body: Expression
    equal: Expression | None = None


def read_matrix_lines(text: str, limits: Limits | None = None) -> tuple[Line, ...]:
    """The lines of a text of matrix expressions; FormulaError says where it is none.

    >>> [line.name.name if line.name else "" for line in read_matrix_lines("r = X*w - y\\nr'*r")]
    ['r', '']
    """
    limits = limits or Limits()
    lexemes = _scan(text, limits)
    if not any(x.kind != "newline" for x in lexemes):
        raise FormulaError("found an empty text, expected a matrix expression such as norm2(X*w - y)^2",
                           found="an empty text", expected="a matrix expression")  # fmt: skip
    try:
        lines: Any = _parser().parse(text)  # the transformer has turned the parse into lines
    except UnexpectedInput as error:
        raise _explain(error, lexemes) from None
    except (RecursionError, ValueError):
        raise LimitError("the expression is larger than Python can hold", expected="a smaller one") from None
    _check(lines, limits)
    return tuple(lines)


def walk_matrix(node: Expression) -> Iterator[tuple[Node, int]]:
    """Every node at or below a node with its depth, what stands in conditions too."""
    waiting = [(node, 1)]
    while waiting:
        current, depth = waiting.pop()
        yield current, depth
        if isinstance(current, Operation | Run):
            waiting += [(operand, depth + 1) for operand in reversed(current.operands)]
        elif isinstance(current, Where):
            yield from ((part, depth + below) for part, below in walk(current) if part is not current)


def _check(lines: Sequence[Line], limits: Limits) -> None:
    """Errors for what the grammar lets through: lines without names before the last, nesting, many lines."""
    for line in lines[:-1]:
        if line.name is None and line.equal is None:
            raise FormulaError(
                "found an expression without a name, expected a definition such as Z = X*W; "
                "only the last line may do without",
                line=line.body.line or None, column=line.body.column or None,
                found="an expression without a name", expected="a definition",
            )  # fmt: skip
    if len(lines) > limits.definitions:
        last = lines[limits.definitions].body
        raise LimitError(f"found definition number {limits.definitions + 1}, expected at most {limits.definitions}; "
                         "the limit can be raised by the caller", line=last.line or None)  # fmt: skip
    for line in lines:
        sides = (line.body,) if line.equal is None else (line.body, line.equal)
        for node, depth in (pair for side in sides for pair in walk_matrix(side)):
            if depth > limits.nesting:
                raise LimitError(
                    f"found an expression nested {depth} deep, expected at most {limits.nesting}; the limit can be "
                    "raised by the caller", line=node.line or None, column=node.column or None,
                )  # fmt: skip


def _place(token: Token) -> dict[str, int]:
    return {"line": token.line or 0, "column": token.column or 0}


@v_args(inline=True)
class _TreeBuilder(Transformer[Token, Any]):
    """Turns each rule of the grammar into a node, as soon as it is recognised."""

    def start(self, *lines: Line | None) -> tuple[Line, ...]:
        return tuple(line for line in lines if line is not None)

    def line(self, name: Token | None, _equals: Token | None, body: Expression) -> Line:
        if name is None:
            return Line(None, body, None, line=body.line, column=body.column)
        return Line(Name(str(name), **_place(name)), body, None, **_place(name))

    def assumption(self, left: Expression, _equals: Token, right: Expression) -> Line:
        return Line(None, left, right, line=left.line, column=left.column)

    def run(self, *parts: Any) -> Run:
        signs = tuple(Sign(str(token), **_place(token)) for token in parts[1::2])
        return Run(tuple(parts[::2]), signs, line=parts[0].line, column=parts[0].column)

    def negate(self, minus: Token, operand: Expression) -> Operation:
        return Operation("neg", (operand,), False, **_place(minus))

    def binary(self, base: Expression, operator: Token, exponent: Expression) -> Operation:
        return Operation(str(operator), (base, exponent), False, **_place(operator))

    def transpose(self, operand: Expression, prime: Token) -> Operation:
        return Operation("'", (operand,), False, **_place(prime))

    def number(self, token: Token) -> Number:
        return Number(Fraction(str(token)), str(token), **_place(token))

    def name(self, token: Token) -> Name:
        return Name(str(token), **_place(token))

    def call(self, name: Token, *arguments: Expression) -> Operation:
        primed = name.endswith("'")
        return Operation(str(name).rstrip("'"), arguments, primed, **_place(name))

    def bracketed(self, inner: Expression) -> Expression:
        return inner


@cache
def _parser() -> Lark:
    builder = _TreeBuilder()
    return Lark(GRAMMAR, parser="lalr", transformer=builder, postlex=NewlineFilter(), maybe_placeholders=True)


@dataclass(frozen=True, slots=True)
class _Lexeme:
    kind: str
    text: str
    line: int
    column: int


def _scan(text: str, limits: Limits) -> list[_Lexeme]:
    """The words of the text; raises for what no expression holds and for brackets that do not match."""
    found: list[_Lexeme] = []
    opened: list[_Lexeme] = []
    line, start = 1, 0
    for match in LEXEMES.finditer(text):
        kind, word = match.lastgroup or "other", match.group()
        if kind == "space":
            continue
        lexeme = _Lexeme(kind, word, line, match.start() - start + 1)
        found.append(lexeme)
        if kind == "newline":
            line, start = line + 1, match.end()
        elif kind == "other" or word == "**":
            named = f"`{word}`" if word.isprintable() else f"the character U+{ord(word):04X}"
            raise _error(lexeme, named, "a matrix expression", HINTS.get(word, "it is not part of the language"))
        elif kind == "number":
            check_literal(word, line, lexeme.column, limits)
        elif word == "(":
            opened.append(lexeme)
            if len(opened) > limits.nesting:
                message = f"found brackets nested {len(opened)} deep, expected at most {limits.nesting}"
                raise LimitError(f"{message}; the limit can be raised by the caller", line=line, column=lexeme.column)
        elif word == ")":
            if not opened:
                raise _error(lexeme, "`)`", "a bracket that it closes", "nothing is open here")
            opened.pop()
    if opened:
        raise _error(opened[-1], "`(` that is never closed", "`)`")
    return found


def _error(at: _Lexeme, found: str, expected: str, hint: str = "") -> FormulaError:
    message = f"found {found}, expected {expected}" + (f"; {hint}" if hint else "")
    return FormulaError(message, line=at.line, column=at.column, found=found, expected=expected)


def _explain(error: UnexpectedInput, lexemes: list[_Lexeme]) -> FormulaError:
    """The parser's complaint in the terms of the language."""
    accepted = set(error.accepts or ()) if isinstance(error, UnexpectedToken) else set()
    expected = _phrase(accepted)
    words = [x for x in lexemes if x.kind != "newline"]
    ended = isinstance(error, UnexpectedToken) and error.token.type in ("$END", "_NEWLINE")
    place = len(words)
    if not (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
        place = bisect_left(words, (error.line, error.column), key=lambda x: (x.line, x.column))
    before = words[place - 1] if place else None
    if ended or place >= len(words):
        last = before or lexemes[-1]
        at = _Lexeme("newline", "", last.line, last.column + len(last.text))
        return _error(at, "the end of the line", expected)
    word = words[place]
    return _error(word, f"`{word.text}`", expected, _hint(before, word, words, place))


def _hint(before: _Lexeme | None, word: _Lexeme, words: Sequence[_Lexeme], place: int) -> str:
    """A suggestion for the mistake that stands at a word, or nothing."""
    if word.text == "'" and before is not None and place > 1 and words[place - 2].text in ("^", ".^", "-"):
        return "bracket what is transposed, as in (A^2)'"
    operand = (
        before is not None and before.line == word.line and (before.kind in ("number", "name") or before.text in ")'")
    )
    if operand and before is not None and (word.kind in ("number", "name") or word.text == "("):
        left = "(...)" if before.text == ")" else before.text
        left = f"{words[place - 2].text}'" if left == "'" and place > 1 and words[place - 2].kind == "name" else left
        following = place + 1 < len(words) and words[place + 1].text == "("
        right = "(...)" if word.text == "(" else f"{word.text}(...)" if following else word.text
        return f"a product needs its sign: {left}*{right}"
    return "a text has one = a line" if word.text == "=" else ""


def _phrase(accepted: set[str]) -> str:
    """The accepted terminals in words."""
    parts = []
    if {"NUMBER", "LPAR"} <= accepted:
        parts.append("an expression")
    elif accepted & (OPERATORS - {"MINUS"}):
        parts.append("an operator")
    parts += [text for name, text in TERMINALS.items() if name in accepted]
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f" or {parts[-1]}" if parts else "something else"
