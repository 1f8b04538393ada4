r"""The grammar of LaTeX formulas, which ends in syntax: what stands beside, above and below what.

It is LALR(1): everything that has two readings, such as `f(x)` or `W_{12}`, stays as it was written until names are
known, so that no reading is ever chosen by the parser.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, UnexpectedToken

from symbackprop.errors import FormulaError, LimitError
from symbackprop.language.limits import Limits, check_literal
from symbackprop.notation.reading.commands import ACCENTS
from symbackprop.notation.reading.lexemes import LatexLexer
from symbackprop.notation.reading.syntax import (
    Beside,
    Case,
    Cases,
    Compound,
    Evaluated,
    Fraction,
    Group,
    Interval,
    Marked,
    Matrix,
    Numeral,
    Operator,
    Product,
    Relation,
    Root,
    Row,
    Scripts,
    Such,
    Sum,
    Symbol,
    Syntax,
    bare,
    only_marks,
    parts_of,
    write_syntax,
)  # fmt: skip
from symbackprop.notation.reading.texts import locate, without_end

GRAMMAR = r"""
start: relation
?relation: sum (RELATION sum)*
?sum: product (SIGN product)* -> sum
    | SIGN product (SIGN product)* -> signed
?product: beside (MULTIPLY beside)*
?beside: scripts+
?scripts: atom script*
script: SUB argument -> below
      | SUP (argument | bared) -> above
      | PRIMES -> primes
      | EVAL SUB argument -> evaluated
?argument: group | single
?bared: FRAC argument argument -> fraction
?single: NUMBER -> numeral | SYMBOL -> symbol | OPERATOR -> operator | UPRIGHT -> upright | accented | styled
       | MULTIPLY -> marked | PRIMES -> only_primes
group: LBRACE content RBRACE
     | LBRACE relation OVER relation RBRACE -> over
     | LBRACE RBRACE -> empty
_list: condition (COMMA condition)*
?condition: both (OR both)* -> either
?both: denied (AND denied)* -> both
?denied: NOT denied -> negated | relation
content: _list | PRIMES -> only_primes | MULTIPLY beside? -> marked | MULTIPLY SIGN beside -> marked_signed
       | _list COLON condition (COMMA condition)* -> such
accented: ACCENT argument
styled: FONT argument
?atom: NUMBER -> numeral | SYMBOL -> symbol | OPERATOR -> operator | UPRIGHT -> upright | accented | styled
     | group
     | FRAC argument argument -> fraction
     | SQRT argument -> root
     | SQRT OPEN relation CLOSE argument -> root_of_degree
     | OPEN _list CLOSE -> bracket
     | FROM relation COMMA relation TO -> interval
     | BAR_OPEN _list BAR_CLOSE -> bracket
     | BEGIN_CASES row (ROW row)* ROW? END_CASES -> cases
     | BEGIN_MATRIX cells (ROW cells)* ROW? END_MATRIX -> matrix
cells: sum (AMPERSAND sum)*
row: relation COMMA? AMPERSAND (IF? condition | OTHERWISE) COMMA?

%declare NUMBER SYMBOL UPRIGHT ACCENT FONT FRAC SQRT SUB SUP PRIMES LBRACE RBRACE OPEN CLOSE BAR_OPEN BAR_CLOSE SIGN
%declare OPERATOR OVER EVAL MULTIPLY RELATION COMMA ROW AMPERSAND BEGIN_CASES END_CASES IF OTHERWISE AND OR NOT FROM TO
%declare COLON BEGIN_MATRIX END_MATRIX
"""
TERMINALS = {
    "RBRACE": "`}`", "CLOSE": "a closing bracket", "BAR_CLOSE": "a closing bar", "COMMA": "`,`",
    "AMPERSAND": "`&`", "END_CASES": r"`\end{cases}`", "END_MATRIX": "the end of the matrix", "$END": "the end",
}  # fmt: skip


def read_syntax(text: str, line: int = 1, column: int = 1, limits: Limits | None = None) -> Syntax:
    r"""The syntax of one formula, which begins at a line and a column.

    FormulaError says where the text is none; nothing of it is ever skipped but spacing, and the sign of punctuation
    with which a sentence goes on behind it.

    >>> read_syntax(r"\frac12 x").parts[1].name
    'x'
    """
    text = without_end(text)
    if not text.strip():
        raise FormulaError("found an empty text, expected a formula", line=line, column=column,
                           found="an empty text", expected="a formula")  # fmt: skip
    try:
        found: Any = _parser().parse((text, line, column))
    except UnexpectedInput as error:
        raise _explain(error, text, line, column) from None
    except RecursionError:
        raise LimitError("the formula is larger than Python can hold", expected="a smaller one") from None
    _check_size(found, limits or Limits())
    syntax: Syntax = found
    return syntax


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer=LatexLexer, transformer=_SyntaxBuilder())


def _check_size(syntax: Syntax, limits: Limits) -> None:
    """LimitError where brackets, fractions, scripts and so on stand in each other too deep, or numbers are too long."""
    waiting = [(syntax, 0)]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, Numeral):
            check_literal(node.text, node.line or 0, node.column or 0, limits)
        braces = isinstance(node, Group) and node.opened == "{"
        depth += isinstance(node, Fraction | Root | Scripts | Cases | Matrix | Group) and not braces
        if depth > limits.nesting:
            raise LimitError(f"found a formula nested deeper than {limits.nesting}; the limit can be raised by the "
                             "caller", line=node.line or None, column=node.column or None)  # fmt: skip
        waiting += [(part, depth) for part in parts_of(node)]


def _explain(error: UnexpectedInput, text: str, line: int, column: int) -> FormulaError:
    """The parser's complaint in words."""
    token = error.token if isinstance(error, UnexpectedToken) else None
    accepted = set(error.accepts or ()) if isinstance(error, UnexpectedToken) else set()
    parts = ["a formula"] if "NUMBER" in accepted else []
    parts += [shown for name, shown in TERMINALS.items() if name in accepted]
    expected = " or ".join(parts[:3]) or "something else"
    if token is None or token.type == "$END":
        at = locate(text, len(text.rstrip()), line, column)
        found, hint = "the end of the formula", ""
    else:
        at = (token.line or line, token.column or column)
        found, hint = f"`{token.value}`", _hint(token)
    message = f"found {found}, expected {expected}" + (f"; {hint}" if hint else "")
    return FormulaError(message, line=at[0], column=at[1], found=found, expected=expected)


def _hint(token: Token) -> str:
    match token.type:
        case "SIGN":
            return "put a signed factor in brackets"
        case "IF" | "AND" | "OR" | "NOT" | "OTHERWISE":
            return "conditions stand in cases"
        case "COMMA":
            return "a comma ends a formula; write each formula by itself"
        case "SUB" | "SUP":
            return "brace what carries the scripts"
        case "COLON":
            return "a condition stands behind the indices of a sum"
        case "OVER":
            return r"write \frac"
    return ""


def _at(first: Token | Syntax) -> dict[str, int]:
    return {"line": first.line or 0, "column": first.column or 0}


@v_args(inline=True)
class _SyntaxBuilder(Transformer[Token, Any]):
    """Turns each rule of the grammar into syntax, as soon as it is recognised."""

    def start(self, inner: Syntax) -> Syntax:
        return inner

    def numeral(self, token: Token) -> Numeral:
        return Numeral(str(token), **_at(token))

    def symbol(self, token: Token) -> Symbol:
        return Symbol(str(token), (), "", **_at(token))

    def operator(self, token: Token) -> Operator:
        return Operator(str(token), (), "", **_at(token))

    def upright(self, token: Token) -> Symbol:
        return Symbol(str(token), (), "mathrm", **_at(token))

    def accented(self, accent: Token, argument: Syntax) -> Syntax:
        return _styled(accent, argument, ACCENTS[accent], "")

    def styled(self, font: Token, argument: Syntax) -> Syntax:
        return _styled(font, argument, "", str(font))

    def marked(self, sign: Token, operand: Syntax | None = None) -> Marked:
        return Marked(str(sign), operand, **_at(sign))

    def marked_signed(self, sign: Token, minus: Token, operand: Syntax) -> Marked:
        return Marked(str(sign), Sum((operand,), (str(minus),), **_at(minus)), **_at(sign))

    def only_primes(self, token: Token) -> int:
        return len(token)

    def content(self, *parts: Any) -> tuple[Any, ...]:
        return tuple(part for part in parts if not isinstance(part, Token))

    def group(self, brace: Token, content: Any, _end: Token) -> Syntax | int:
        if isinstance(content, int):
            return content
        return Group("{", content if isinstance(content, tuple) else (content,), **_at(brace))

    def over(self, brace: Token, top: Syntax, _over: Token, bottom: Syntax, _end: Token) -> Syntax:
        return Fraction(top, bottom, **_at(brace))

    def empty(self, brace: Token, _end: Token) -> Syntax:
        raise FormulaError("found empty braces, expected what stands in them", line=brace.line, column=brace.column,
                           found="empty braces", expected="a formula")  # fmt: skip

    def bracket(self, opener: Token, *parts: Any) -> Group:
        return Group(str(opener), tuple(part for part in parts if not isinstance(part, Token)), **_at(opener))

    def either(self, *parts: Any) -> Syntax:
        return _joined(parts, "or")

    def both(self, *parts: Any) -> Syntax:
        return _joined(parts, "and")

    def negated(self, word: Token, part: Syntax) -> Compound:
        return Compound((part,), "not", **_at(word))

    def interval(self, opener: Token, low: Syntax, _comma: Token, high: Syntax, end: Token) -> Interval:
        return Interval((low, high), (str(opener), str(end)), **_at(opener))

    def such(self, *parts: Any) -> Such:
        colon = next(k for k, part in enumerate(parts) if isinstance(part, Token) and part.type == "COLON")
        sides = parts[:colon], parts[colon:]
        bound, conditions = (tuple(p for p in side if not isinstance(p, Token)) for side in sides)
        return Such(bound, conditions, **_at(bound[0]))

    def fraction(self, command: Token, top: Syntax, bottom: Syntax) -> Fraction:
        return Fraction(_formula(top, command), _formula(bottom, command), **_at(command))

    def root(self, command: Token, inner: Syntax) -> Root:
        return Root(_formula(inner, command), None, **_at(command))

    def root_of_degree(self, command: Token, opener: Token, degree: Syntax, _end: Token, inner: Syntax) -> Root:
        return Root(_formula(inner, command), degree, **_at(command))

    def cases(self, begin: Token, *rows: Any) -> Cases:
        return Cases(tuple(row for row in rows if isinstance(row, Case)), **_at(begin))

    def matrix(self, begin: Token, *rows: Any) -> Matrix:
        made = tuple(row for row in rows if isinstance(row, Row))
        if len({len(row.cells) for row in made}) > 1:
            counts = " and ".join(str(n) for n in dict.fromkeys(len(row.cells) for row in made))
            raise FormulaError(f"found a matrix with rows of {counts} entries, expected rows of one length",
                               line=begin.line, column=begin.column, found="rows of different lengths",
                               expected="rows of one length")  # fmt: skip
        return Matrix(str(begin), made, **_at(begin))

    def cells(self, *parts: Any) -> Row:
        return Row(tuple(_formula(part, part) for part in parts if not isinstance(part, Token)), **_at(parts[0]))

    def row(self, value: Syntax, *rest: Any) -> Case:
        conditions = tuple(part for part in rest if not isinstance(part, Token))
        return Case(_formula(value, value), conditions, **_at(value))

    def below(self, mark: Token, argument: Any) -> tuple[Token, Any]:
        return mark, argument

    def above(self, mark: Token, argument: Any) -> tuple[Token, Any]:
        return mark, argument

    def primes(self, marks: Token) -> tuple[Token, Any]:
        return marks, len(marks)

    def evaluated(self, bar: Token, _mark: Token, argument: Any) -> tuple[Token, Any]:
        return bar, argument

    def scripts(self, base: Syntax | int, *scripts: tuple[Token, Any]) -> Syntax:
        if isinstance(base, Group) and base.opened == ".":
            return _between_bars(base, scripts)
        last = scripts[-1] if scripts else None
        if last is not None and last[0].type == "EVAL":
            inner = self.scripts(base, *scripts[:-1])
            return Evaluated(inner, _formula(last[1], last[0]), **_at(inner))
        below: Syntax | None = None
        above: Syntax | None = None
        primes = 0
        for mark, argument in scripts:
            if mark.type == "EVAL":
                raise _twice(mark, "scripts behind a bar and its point")
            if isinstance(argument, int):
                if above is not None:
                    raise _twice(mark, "a prime behind a superscript")
                if primes:
                    raise _twice(mark, "primes in two places")
                primes = argument
            elif mark.type == "SUB":
                if below is not None:
                    raise _twice(mark, "a second subscript")
                below = argument
            else:
                if above is not None:
                    raise _twice(mark, "a second superscript")
                above = argument
        whole = _formula(base, scripts[0][0] if scripts else None)
        return Scripts(whole, below, above, primes, **_at(whole)) if scripts else whole

    def beside(self, *parts: Syntax) -> Syntax:
        return parts[0] if len(parts) == 1 else Beside(parts, **_at(parts[0]))

    def product(self, *parts: Any) -> Product:
        return Product(tuple(parts[::2]), tuple(map(str, parts[1::2])), **_at(parts[0]))

    def sum(self, *parts: Any) -> Syntax:
        first: Syntax = parts[0]
        return Sum(tuple(parts[::2]), ("", *map(str, parts[1::2])), **_at(first)) if len(parts) > 1 else first

    def signed(self, *parts: Any) -> Sum:
        return Sum(tuple(parts[1::2]), tuple(map(str, parts[::2])), **_at(parts[0]))

    def relation(self, *parts: Any) -> Syntax:
        first: Syntax = parts[0]
        return Relation(tuple(parts[::2]), tuple(map(str, parts[1::2])), **_at(first)) if len(parts) > 1 else first


def _joined(parts: tuple[Any, ...], word: str) -> Syntax:
    """Conditions with a word between them; one stays as it is."""
    first: Syntax = parts[0]
    return Compound(tuple(parts[::2]), word, **_at(first)) if len(parts) > 1 else first


def _twice(mark: Token, found: str) -> FormulaError:
    return FormulaError(f"found {found}, expected one; brace what carries the first one", line=mark.line,
                        column=mark.column, found=found, expected="one")  # fmt: skip


def _between_bars(base: Group, scripts: tuple[tuple[Token, Any], ...]) -> Evaluated:
    r"""What stands between \left. and \right|, with its point."""
    if len(scripts) != 1 or scripts[0][0].type != "SUB" or len(base.parts) != 1:
        raise FormulaError(r"found `\left.` without one point behind its bar, expected \left. ... \right|_{x=1}",
                           line=base.line, column=base.column, found=r"`\left.`",
                           expected="a bar with a point")  # fmt: skip
    return Evaluated(base.parts[0], _formula(scripts[0][1], base), **_at(base))


def _formula(part: Any, at: Token | Syntax | None) -> Syntax:
    """A part that must be a formula and not a lone sign or prime."""
    node = part.parts[0] if isinstance(part, Group) and part.opened == "{" and len(part.parts) == 1 else part
    if isinstance(node, int | Marked):
        line, column = (at.line, at.column) if at is not None else (None, None)
        found = "a prime" if isinstance(node, int) else f"`{node.sign}`"
        raise FormulaError(f"found {found} alone, expected a formula", line=line, column=column, found=found,
                           expected="a formula")  # fmt: skip
    whole: Syntax = part
    return whole


def _styled(command: Token, argument: Any, accent: str, font: str) -> Syntax:
    """An accent or a font around a symbol, which may carry its scripts inside."""
    node = _formula(argument, command)
    while isinstance(node, Group) and node.opened == "{" and len(node.parts) == 1:
        node = node.parts[0]
    symbol = node.base if isinstance(node, Scripts) else node
    if isinstance(symbol, Numeral) and font in ("mathbf", "mathbb", "bm", "boldsymbol") and symbol is node:
        return Symbol(symbol.text, (), "mathbf", **_at(command))
    if not isinstance(symbol, Symbol) or (font and symbol.font):
        raise FormulaError(f"found `\\{command.value}` over something else than one symbol, expected a symbol",
                           line=command.line, column=command.column, found=f"\\{command.value}",
                           expected="a symbol")  # fmt: skip
    if accent and isinstance(node, Scripts) and node.above is not None and not only_marks(node.above):
        name, power = write_syntax(replace(node, above=None)), write_syntax(bare(node.above))
        raise FormulaError(f"found `\\{command.value}` over something else than one symbol, `{write_syntax(node)}`, "
                           f"expected a symbol; write \\{command.value}{{{name}}}^{{{power}}} for its power, "
                           "and the mean of a power as a sum", line=command.line, column=command.column,
                           found=f"\\{command.value}", expected="a symbol")  # fmt: skip
    if font:
        made = Symbol(symbol.name, symbol.accents, font, **_at(command))
    else:
        made = Symbol(symbol.name, (accent, *symbol.accents), symbol.font, **_at(command))
    if isinstance(node, Scripts):
        return Scripts(made, node.below, node.above, node.primes, **_at(command))
    return made
