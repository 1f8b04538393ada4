r"""Statements of a block as statements of the formula language: claims and definitions."""

from __future__ import annotations

import re

from symbackprop.errors import FormulaError
from symbackprop.language import tree as t
from symbackprop.language.wording import fail
from symbackprop.notation.reading.blocks import LatexStatement
from symbackprop.notation.reading.index_formulas import read_formula, read_head
from symbackprop.notation.reading.syntax import Numeral, Product, Scripts, Sum, Syntax, bare, write_syntax
from symbackprop.notation.reading.vocabulary import Vocabulary


def read_claim(statement: LatexStatement, vocabulary: Vocabulary) -> t.Claim:
    r"""The claim that an equation, or an approximation, makes: a link for each side behind the first.

    >>> from symbackprop.language import write_tree
    >>> from symbackprop.notation.reading.blocks import read_block
    >>> from symbackprop.notation.reading.vocabulary import make_vocabulary
    >>> (block,) = read_block(r"(a+b)^2 &= a^2 + 2ab + b^2")
    >>> write_tree(read_claim(block, make_vocabulary()))
    'claim (a + b)^2 = a^2 + 2*a*b + b^2'
    """
    if statement.kind not in ("equation", "approximation"):
        raise fail(statement, f"an {statement.kind}" if statement.kind[0] in "aeu" else f"a {statement.kind}",
                   "an equation to claim")  # fmt: skip
    first, *others = statement.sides
    digits: str | None = None
    if statement.kind == "approximation":
        digits = read_digits(others.pop())
    derived = read_head(first, vocabulary)
    letters = letters_of(derived) if derived is not None else ()
    head = derived if derived is not None else read_formula(first, vocabulary)
    links = tuple(read_formula(side, vocabulary, letters) for side in others)
    return t.Claim(head, links, digits, False, line=statement.line, column=statement.column)


def read_definition(statement: LatexStatement, vocabulary: Vocabulary) -> t.Define:
    """The definition that an equation of two sides makes, its left side being a name or an entry of one."""
    if statement.kind != "equation" or len(statement.sides) != 2:
        raise fail(statement, f"{write_syntax(statement.sides[0])} in no single equation", "name = formula")
    head = read_formula(statement.sides[0], vocabulary)
    if not isinstance(head, t.Name | t.Access):
        raise fail(statement, f"`{write_syntax(statement.sides[0])}` on the left side of a definition", "a name")
    letters = tuple(i.name for i in head.indices if isinstance(i, t.Name)) if isinstance(head, t.Access) else ()
    body = read_formula(statement.sides[1], vocabulary, letters)
    return t.Define(head, body, line=statement.line, column=statement.column)


def letters_of(head: t.Derivative) -> tuple[str, ...]:
    """The indices that stand in the head of a claim."""
    places = [i for part in (head.of, head.wrt) if isinstance(part, t.Access) for i in part.indices]
    return tuple(dict.fromkeys(i.name for i in places if isinstance(i, t.Name)))


def read_digits(side: Syntax) -> str:
    r"""The digits that a value is claimed to round to: `2.04\times10^{-7}` is 2.04e-7.

    >>> from symbackprop.notation.reading.grammar import read_syntax
    >>> read_digits(read_syntax(r"-2.04\times10^{-7}"))
    '-2.04e-7'
    """
    node, sign = bare(side), ""
    if isinstance(node, Sum) and len(node.parts) == 1:
        sign, node = "-" if node.signs[0] == "-" else "", bare(node.parts[0])
    if isinstance(node, Numeral):
        return sign + node.text
    if isinstance(node, Product) and len(node.parts) == 2 and node.operators[0] in (r"\times", r"\cdot"):
        first, power = bare(node.parts[0]), bare(node.parts[1])
        ten = isinstance(power, Scripts) and write_syntax(power.base) == "10" and power.above is not None
        if isinstance(first, Numeral) and isinstance(power, Scripts) and ten and power.above is not None:
            exponent = write_syntax(bare(power.above))
            if re.fullmatch(r"-?[0-9]+", exponent):
                return f"{sign}{first.text}e{exponent}"
    raise _no_digits(side)


def _no_digits(side: Syntax) -> FormulaError:
    return fail(side, f"`{write_syntax(side)}` behind \\approx", r"digits such as 2.04\times10^{-7}")
