"""Formulas with a letter replaced by a number, before anything is known of names: W^{(l+1)} at l = 2 is W^{(3)}."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.errors import UnsupportedError
from symbackprop.language.tree import map_children
from symbackprop.notation.reading.factors import Factor
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.syntax import (
    Beside,
    Group,
    Numeral,
    Relation,
    Scripts,
    Sum,
    Symbol,
    Syntax,
    bare,
    parts_of,
    walk_syntax,
    write_syntax,
)  # fmt: skip

LONGEST = 100


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
    place = {"line": node.line, "column": node.column}
    if node == Symbol(letter):
        return Numeral(str(number), **place)
    if not stands_in(letter, node):
        return node
    if isinstance(node, Scripts) and node.below is not None:
        above = node.above and put_number(node.above, letter, number)
        below = _put_below(node.below, letter, number)
        return replace(node, base=put_number(node.base, letter, number), below=below, above=above)
    if isinstance(node, Beside) and any(part == Symbol(letter) for part in map(bare, node.parts)):
        if any(isinstance(bare(part), Numeral) for part in node.parts):
            shown = write_syntax(node)
            raise ambiguous(node.line, node.column, f"the number beside {letter} in `{shown}`",
                            ("a product", "digits side by side"), r"write \cdot between them")  # fmt: skip
    if isinstance(node, Beside):
        return replace(node, parts=tuple(_put_factor(part, letter, number) for part in node.parts))
    made = map_children(node, lambda part: put_number(part, letter, number))
    return _added(made) if isinstance(made, Sum) else made


def _put_factor(node: Syntax, letter: str, number: int) -> Syntax:
    """The same of a factor; a number in its place is bracketed, so that numbers beside each other are a product."""
    made = put_number(node, letter, number)
    return Group("(", (made,), line=node.line, column=node.column) if node == Symbol(letter) else made


def _put_below(node: Syntax, letter: str, number: int) -> Syntax:
    """The same in a subscript, where what stands side by side are indices."""
    if isinstance(node, Beside) and not any(isinstance(part, Numeral) for part in node.parts):
        return replace(node, parts=tuple(_put_index(part, letter, number, node) for part in node.parts))
    if isinstance(node, Group):
        return replace(node, parts=tuple(_put_below(part, letter, number) for part in node.parts))
    return put_number(node, letter, number)


def _put_index(node: Syntax, letter: str, number: int, whole: Syntax) -> Syntax:
    """The same of one of several indices; braces of its own tell the number from digits that were written."""
    made = put_number(node, letter, number)
    if node != Symbol(letter):
        return made
    parts = [bare(part) for part in parts_of(whole) if part is not node]
    beside = [part.text for part in parts if isinstance(part, Numeral)]
    beside += [str(number) for part in parts if part == Symbol(letter)]
    if any(len(text) > 1 for text in (str(number), *beside)) and beside:
        readings = (f"the index {number}", "several indices of one digit")
        shown = f"the number {number} for {letter} in `{write_syntax(whole)}`"
        raise ambiguous(node.line, node.column, shown, readings, "put commas between the indices")
    return Group("{", (made,), line=node.line, column=node.column)


def expand_product(scripts: Scripts | None, body: tuple[Factor, ...], node: Syntax) -> list[tuple[Factor, ...]]:
    r"""The factors of \prod_{i=1}^{3}, a row for each number; the formula language has no products of other bounds.

    A factor behind the last one that reads the index may stand inside the product or behind it, which are two numbers.
    """
    bounds = _numbers(scripts)
    if bounds is None:
        raise UnsupportedError(f"{write_syntax(node)}: products over an index need numbers as bounds; the formula "
                               "language has no products over an index.")  # fmt: skip
    letter, first, last = bounds
    if not first <= last < first + LONGEST:
        raise UnsupportedError(f"{write_syntax(node)}: a product runs from a number to a larger one, and over at most "
                               f"{LONGEST} factors.")  # fmt: skip
    if not stands_in(letter, body[-1].node):
        raise ambiguous(node.line, node.column, f"`{write_syntax(body[-1].node)}` behind a product over {letter}",
                        ("a factor of each", "a factor of the whole"), "bracket the product")  # fmt: skip
    return _rows(letter, first, last, body)


def expand_sum(scripts: Scripts | None, body: tuple[Factor, ...]) -> list[tuple[Factor, ...]] | None:
    r"""The addends of \sum_{i=1}^{3}, a row for each number; None where its bounds are no numbers from 1 on."""
    bounds = _numbers(scripts)
    if bounds is None or not 1 <= bounds[1] <= bounds[2] < bounds[1] + LONGEST:
        return None
    return _rows(*bounds, body)


def _rows(letter: str, first: int, last: int, body: tuple[Factor, ...]) -> list[tuple[Factor, ...]]:
    return [
        tuple(replace(factor, node=_put_factor(factor.node, letter, number)) for factor in body)
        for number in range(first, last + 1)
    ]


def _numbers(scripts: Scripts | None) -> tuple[str, int, int] | None:
    """The letter below a sign and the numbers that it runs between; None where it does not."""
    relation = bare(scripts.below) if scripts is not None and scripts.below is not None else None
    ends = list(map(bare, relation.parts[1:])) if isinstance(relation, Relation) else []
    ends += [bare(scripts.above)] if scripts is not None and scripts.above is not None else []
    numbers = [int(end.text) for end in ends if isinstance(end, Numeral) and end.text.isdigit()]
    letter = bare(relation.parts[0]) if isinstance(relation, Relation) and relation.operators == ("=",) else None
    if len(ends) != 2 or len(numbers) != 2 or not isinstance(letter, Symbol) or letter != Symbol(letter.name):
        return None
    return letter.name, numbers[0], numbers[1]


def _added(node: Sum) -> Syntax:
    """A sum of whole numbers as one number."""
    total = 0
    for sign, part in zip(node.signs, map(bare, node.parts), strict=True):
        if not isinstance(part, Numeral) or not part.text.isdigit():
            return node
        total += -int(part.text) if sign == "-" else int(part.text)
    made = Numeral(str(abs(total)), line=node.line, column=node.column)
    return made if total >= 0 else Sum((made,), ("-",), line=node.line, column=node.column)
