"""Formulas with a letter replaced by a number, before anything is known of names: W^{(l+1)} at l = 2 is W^{(3)}."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from symbackprop.notation.reading.lexemes import ambiguous
from symbackprop.notation.reading.syntax import Beside, Numeral, Sum, Symbol, Syntax, bare, walk_syntax, write_syntax


def map_syntax(node: Syntax, change: Callable[[Syntax], Syntax]) -> Syntax:
    """The node with each part directly below it changed."""
    changed: dict[str, Any] = {}
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        if isinstance(value, Syntax):
            changed[name] = change(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], Syntax):
            changed[name] = tuple(map(change, value))
    return replace(node, **changed) if changed else node


def stands_in(letter: str, node: Syntax) -> bool:
    """Whether a letter stands somewhere in a formula."""
    return any(part == Symbol(letter) for part in walk_syntax(node))


def put_number(node: Syntax, letter: str, number: int) -> Syntax:
    r"""The formula with a letter replaced; sums of numbers that this leaves are added.

    AmbiguousFormulaError where another number stands beside the letter, as in x_{2i}.

    >>> from symbackprop.notation.reading.grammar import read_syntax
    >>> write_syntax(put_number(read_syntax(r"x_{i+1} + y_i"), "i", 2))
    'x_{3}+y_{2}'
    """
    if node == Symbol(letter):
        return Numeral(str(number), line=node.line, column=node.column)
    if not stands_in(letter, node):
        return node
    if isinstance(node, Beside) and any(part == Symbol(letter) for part in map(bare, node.parts)):
        if any(isinstance(bare(part), Numeral) for part in node.parts):
            shown = write_syntax(node)
            raise ambiguous(node.line, node.column, f"the number beside {letter} in `{shown}`",
                            ("a product", "digits side by side"), r"write \cdot between them")  # fmt: skip
    made = map_syntax(node, lambda part: put_number(part, letter, number))
    return _added(made) if isinstance(made, Sum) else made


def _added(node: Sum) -> Syntax:
    """A sum of whole numbers as one number."""
    total = 0
    for sign, part in zip(node.signs, map(bare, node.parts), strict=True):
        if not isinstance(part, Numeral) or not part.text.isdigit():
            return node
        total += -int(part.text) if sign == "-" else int(part.text)
    made = Numeral(str(abs(total)), line=node.line, column=node.column)
    return made if total >= 0 else Sum((made,), ("-",), line=node.line, column=node.column)
