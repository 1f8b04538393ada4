"""The one grammar of the formula language, and how its parses become trees.

The grammar is LALR(1), so reading takes linear time and no recursion. It covers all of the language; which of its
formulas mean something is the business of elaboration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer, v_args

from symbackprop.errors import FormulaError
from symbackprop.language.tree import (
    RESERVED,
    Access,
    And,
    Apply,
    Assume,
    Binder,
    Chain,
    Claim,
    Compare,
    Condition,
    Declaration,
    Define,
    Derivative,
    Entry,
    Expression,
    Name,
    Negate,
    Node,
    Not,
    Number,
    Or,
    Power,
    Reduce,
    Statement,
    Where,
)  # fmt: skip

GRAMMAR = r"""
start: [_statement] (_NEWLINE [_statement])*
formula: _NEWLINE* disjunction _NEWLINE*
_statement: declaration | index_declaration | assumption | definition | claim

declaration: KIND declared ("," declared)*
declared: NAME [axes] [_AS STRING]
index_declaration: _INDEX indexed ("," indexed)*
indexed: NAME [axes] _IN disjunction [_AS STRING]
axes: "[" disjunction ("," disjunction)* "]"
assumption: _ASSUME sum (EQUALS | COMPARISON) sum
definition: head EQUALS disjunction
claim: _CLAIM (derivative | disjunction) (EQUALS disjunction)* ["~" digits] [expectation]
derivative: DIFFERENTIAL head DIVIDE DIFFERENTIAL head
digits: [MINUS] NUMBER
expectation: _EXPECT _REFUTED

head: NAME ["[" _items "]"]
_items: item ("," item)*
?item: NAME ":" disjunction -> ranged
     | disjunction

?disjunction: conjunction | conjunction (_OR conjunction)+
?conjunction: negation | negation (_AND negation)+
?negation: comparison | NOT negation -> not_
?comparison: sum | sum (COMPARISON sum)+
?sum: signed | signed ((PLUS | MINUS) signed)+
?signed: product | MINUS signed -> negate
?product: power | power ((TIMES | DIVIDE | FLOOR | MODULO) factor)+
?factor: power | MINUS factor -> negate
?power: atom | atom "^" factor
?atom: NUMBER -> number
     | PI -> name
     | NAME -> name
     | NAME "[" _items "]" -> access
     | call
     | call "[" _items "]" -> entry
     | REDUCTION "(" _items ")" -> reduction
     | WHERE "(" disjunction "," disjunction "," disjunction ")" -> where
     | "(" disjunction ")" -> bracketed
call: NAME [PRIME] "(" disjunction ("," disjunction)* ")"

KIND: /(input|param|const)\b/
_INDEX: /index\b/
_ASSUME: /assume\b/
_CLAIM: /claim\b/
_AS: /as\b/
_IN: /in\b/
_AND: /and\b/
_OR: /or\b/
NOT: /not\b/
WHERE: /where\b/
PI: /pi\b/
REDUCTION.2: /(sum|mean|max|min)\b|argmax(?=\s*\()/
DIFFERENTIAL.2: /d(?=[ \t]+(?!(and|or|not|in|as)\b|expect[ \t]+refuted)[A-Za-z])/
_EXPECT.2: /expect\b/
_REFUTED.2: /refuted\b/
NAME: /(?!(RESERVED)\b)[A-Za-z][A-Za-z0-9_]*/
NUMBER: /[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/
STRING: /"[^"\n]*"/
EQUALS: /=(?!=)/
COMPARISON: /<=|>=|==|!=|<|>/
PLUS: "+"
MINUS: "-"
TIMES: "*"
DIVIDE: "/"
FLOOR: "//"
MODULO: "%"
POWER: "^"
PRIME: "'"
COMMA: ","
COLON: ":"
TILDE: "~"
LPAR: "("
RPAR: ")"
LSQB: "["
RSQB: "]"
_NEWLINE: /\r?\n/
COMMENT: /#[^\n]*/
%ignore COMMENT
%ignore /[ \t\f\r]+/
""".replace("RESERVED)", "|".join(RESERVED) + ")")


class NewlineFilter:
    """Drops the newlines inside brackets, where they do not end a definition."""

    always_accept = ("_NEWLINE",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        depth = 0
        for token in stream:
            if token.type in ("LPAR", "LSQB"):
                depth += 1
            elif token.type in ("RPAR", "RSQB"):
                depth -= 1
            if token.type != "_NEWLINE" or depth <= 0:
                yield token


def _expression(node: Node) -> Expression:
    if isinstance(node, Expression):
        return node
    if isinstance(node, Binder):
        raise FormulaError(
            f"found the range of {node.name!r}, expected an expression; a range is given where an index is introduced: "
            "on the left side of a definition or as an index of sum, mean, max or min",
            line=node.line, column=node.column, found="a range", expected="an expression",
        )  # fmt: skip
    raise FormulaError(
        "found a condition, expected a number; use where(condition, 1, 0)",
        line=node.line, column=node.column, found="a condition", expected="an expression",
    )  # fmt: skip


def _condition(node: Node) -> Condition:
    if isinstance(node, Condition):
        return node
    raise FormulaError(
        "found an expression, expected a condition such as x > 0",
        line=node.line, column=node.column, found="an expression", expected="a condition",
    )  # fmt: skip


def _place(token: Token) -> dict[str, int]:
    return {"line": token.line or 0, "column": token.column or 0}


def _at(node: Node) -> dict[str, int]:
    return {"line": node.line, "column": node.column}


@v_args(inline=True)
class TreeBuilder(Transformer[Token, Any]):
    """Turns each rule of the grammar into a node, as soon as it is recognised."""

    def start(self, *statements: Any) -> tuple[Statement, ...]:
        found: list[Statement] = []
        for statement in statements:
            if statement is not None:
                found.extend(statement if isinstance(statement, tuple) else (statement,))
        return tuple(found)

    def formula(self, tree: Node) -> Expression:
        return _expression(tree)

    def declaration(self, kind: Token, *declared: Declaration) -> tuple[Declaration, ...]:
        return tuple(replace(one, kind=str(kind)) for one in declared)

    def declared(self, name: Token, axes: tuple[Expression, ...] | None, tex: Token | None) -> Declaration:
        written = None if tex is None else str(tex[1:-1])
        return Declaration("input", str(name), axes or (), written, None, **_place(name))

    def index_declaration(self, *declared: Declaration) -> tuple[Declaration, ...]:
        return declared

    def indexed(self, name: Token, axes: tuple[Expression, ...] | None, size: Node, tex: Token | None) -> Declaration:
        written = None if tex is None else str(tex[1:-1])
        return Declaration("index", str(name), axes or (), written, _expression(size), **_place(name))

    def axes(self, *sizes: Node) -> tuple[Expression, ...]:
        return tuple(_expression(size) for size in sizes)

    def assumption(self, left: Node, operator: Token, right: Node) -> Assume:
        place = _at(left)
        return Assume(Compare(str(operator), _expression(left), _expression(right), **place), **place)

    def definition(self, head: Name | Access, _equals: Token, body: Node) -> Define:
        return Define(head, _expression(body), **_at(head))

    def claim(self, head: Node, *rest: Any) -> Claim:
        *equations, digits, refuted = rest
        links = tuple(_expression(link) for link in equations if not isinstance(link, Token))
        claimed = head if isinstance(head, Derivative) else _expression(head)
        if not links and digits is None:
            raise FormulaError(
                "found a claim without `=` or `~`, expected what the left side is claimed to be",
                found="the end of the claim", expected="`=` or `~`", **_at(head),
            )  # fmt: skip
        return Claim(claimed, links, digits, refuted is not None, **_at(head))

    def derivative(self, d: Token, of: Name | Access, _divide: Token, _d: Token, wrt: Name | Access) -> Derivative:
        for access in (of, wrt):
            for index in access.indices if isinstance(access, Access) else ():
                _expression(index)
        return Derivative(of, wrt, **_place(d))

    def digits(self, minus: Token | None, number: Token) -> str:
        return ("-" if minus is not None else "") + str(number)

    def expectation(self) -> bool:
        return True

    def head(self, name: Token, *items: Node | None) -> Name | Access:
        indices = tuple(item for item in items if isinstance(item, Expression | Binder))
        for item in items:
            if isinstance(item, Condition):
                _expression(item)
        return Access(str(name), indices, **_place(name)) if indices else Name(str(name), **_place(name))

    def ranged(self, name: Token, size: Node) -> Binder:
        return Binder(str(name), _expression(size), **_place(name))

    def disjunction(self, *conditions: Node) -> Or:
        return Or(tuple(_condition(one) for one in conditions), **_at(conditions[0]))

    def conjunction(self, *conditions: Node) -> And:
        return And(tuple(_condition(one) for one in conditions), **_at(conditions[0]))

    def not_(self, word: Token, condition: Node) -> Not:
        return Not(_condition(condition), **_place(word))

    def comparison(self, left: Node, operator: Token, right: Node, *more: Any) -> Compare:
        if more:
            raise FormulaError(
                f"found a chained comparison at `{more[0]}`, expected one comparison; "
                f"write a {operator} b and b {more[0]} c",
                found=str(more[0]), expected="one comparison", **_place(more[0]),
            )  # fmt: skip
        return Compare(str(operator), _expression(left), _expression(right), **_at(left))

    def _chain(self, *parts: Any) -> Chain:
        operands = tuple(_expression(part) for part in parts[::2])
        return Chain(operands, tuple(str(part) for part in parts[1::2]), **_at(operands[0]))

    sum = _chain
    product = _chain

    def negate(self, minus: Token, operand: Node) -> Negate:
        return Negate(_expression(operand), **_place(minus))

    def power(self, base: Node, exponent: Node) -> Power:
        return Power(_expression(base), _expression(exponent), **_at(base))

    def number(self, token: Token) -> Number:
        return Number(Fraction(str(token)), str(token), **_place(token))

    def name(self, token: Token) -> Name:
        return Name(str(token), **_place(token))

    def access(self, name: Token, *items: Node) -> Access:
        return Access(str(name), tuple(_expression(item) for item in items), **_place(name))

    def call(self, name: Token, prime: Token | None, *arguments: Node) -> Apply:
        given = tuple(_expression(argument) for argument in arguments)
        return Apply(str(name), given, prime is not None, **_place(name))

    def entry(self, call: Apply, *items: Node) -> Entry:
        return Entry(call, tuple(_expression(item) for item in items), **_at(call))

    def reduction(self, operation: Token, *items: Node) -> Reduce:
        *indices, body = items
        binders = tuple(self._binder(str(operation), item) for item in indices)
        if not binders:
            raise FormulaError(
                f"found {operation} of one thing, expected the indices it runs over before its body: "
                f"{operation}(i, x[i])",
                found=f"{operation} without an index", expected="an index and a body", **_place(operation),
            )  # fmt: skip
        return Reduce(str(operation), binders, _expression(body), **_place(operation))

    def _binder(self, operation: str, item: Node) -> Binder:
        if isinstance(item, Binder):
            return item
        if isinstance(item, Name) and item.name not in RESERVED:
            return Binder(item.name, None, **_at(item))
        raise FormulaError(
            f"found something other than an index before the body of {operation}, expected the name of an index; "
            f"{operation} has one body, its last argument",
            found="an expression", expected="the name of an index", **_at(item),
        )  # fmt: skip

    def where(self, word: Token, condition: Node, then: Node, otherwise: Node) -> Where:
        return Where(_condition(condition), _expression(then), _expression(otherwise), **_place(word))

    def bracketed(self, inner: Node) -> Node:
        return inner


@cache
def parser() -> Lark:
    """Return the parser, built on first use."""
    starts, builder = ["start", "formula"], TreeBuilder()
    return Lark(
        GRAMMAR, start=starts, parser="lalr", transformer=builder, postlex=NewlineFilter(), maybe_placeholders=True
    )
