r"""Words and places in a text, the punctuation at its end, and numbers with commas."""

from __future__ import annotations

import re

from symbackprop.errors import FormulaError
from symbackprop.notation.reading.refusals import ambiguous

WORDS = re.compile(
    r"(?P<space>[ \t\r\n~]+)|(?P<comment>(?<!\\)%[^\n]*)|(?P<row>\\\\(\[-?[0-9.]+(pt|em|ex|mm|cm)\])?)"
    r"|\\(?P<command>operatorname\*|[A-Za-z]+|[^A-Za-z])|(?P<number>[0-9]+(\.[0-9]+)?|\.[0-9]+)|(?P<letter>[A-Za-z])"
    r"|(?P<assign>:=)|(?P<bars>\|\|?)|(?P<sign>[-+])|(?P<script>[_^])|(?P<prime>'+)|(?P<other>.)",
    re.DOTALL,
)
TAIL = re.compile(r"(?:[\s~]|(?<!\\)\\(?:[,;:! ]|q?quad))\Z")
"""A blank or a command of spacing at the end."""
LONGEST_TAIL = 8
NO_BRACKET = re.compile(r"\\right\s*\.\Z")
GROUPED = re.compile(r"([0-9]+)((?:\{,\}[0-9]+)+)(\.[0-9]+)?")
RESTRICTING = re.compile(r"\b(if|when|for|where|unless|except|only|otherwise|provided|assuming|given|not)\b", re.I)
"""Words that say that something does not hold always."""
COMPARED = re.compile(r"[^\s$].*(\\(neq?|leq?|geq?|leqslant|geqslant|lt|gt|in|notin)(?![A-Za-z])|[<>])")
EQUATED = re.compile(r"[\s$]*[i-nt]\s*=\s*([i-nt]|[0-9]+)[\s$]*")
"""What says of an index where a formula holds."""


def is_restricting(label: str) -> bool:
    r"""Whether a label says where a formula holds: by a word, i \ne j, i = j; one such as `= \delta` says what it is.

    >>> is_restricting(r"i \ne j"), is_restricting(r"\text{for } i"), is_restricting(r"= \delta"), is_restricting("12")
    (True, True, False, False)
    """
    return bool(RESTRICTING.search(label) or COMPARED.match(label.lstrip(" $")) or EQUATED.fullmatch(label))


def without_end(text: str) -> str:
    r"""A formula without the sign of punctuation that ends it in a sentence.

    >>> without_end("x^2 ,"), without_end("x.."), without_end(r"x \right.")
    ('x^2', 'x.', 'x \\right.')
    """
    end = len(text.rstrip("~ \t\r\n"))
    end += TAIL.match(text[end - 1 : end + 1]) is not None  # a blank behind a backslash is a command
    tail = TAIL.search(text[max(end - LONGEST_TAIL, 0) : end])
    closing = NO_BRACKET.search(text[max(end - LONGEST_TAIL, 0) : end])
    if tail is None and closing is None and text[:end].endswith((".", ",", ";")):
        end -= 1
    while tail := TAIL.search(text[max(end - LONGEST_TAIL, 0) : end]):
        end -= len(tail.group())
    return text[:end]


def locate(text: str, offset: int, line: int = 1, column: int = 1) -> tuple[int, int]:
    """The line and the column of a place in a text that starts at a line and a column."""
    before = text.count("\n", 0, offset)
    start = text.rfind("\n", 0, offset) + 1
    return line + before, offset - start + 1 + (column - 1 if not before else 0)


def skip_blanks(text: str, place: int) -> int:
    """The first place from a place on where no blank stands."""
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place


def read_grouped(match: re.Match[str], unbraced: bool, line: int, column: int) -> str:
    """A number with commas in braces, which are those of thousands in English, and before decimals elsewhere."""
    first, groups = str(match[1]), str(match[2]).split("{,}")[1:]
    thousands = len(first) < 4 and first[0] != "0" and all(len(group) == 3 for group in groups)
    decimal = len(groups) == 1 and match[3] is None
    if not unbraced and thousands and decimal:
        readings = (first + groups[0], f"{first}.{groups[0]}")
        raise ambiguous(line, column, f"`{match.group()}`", readings, "write the number without a comma")
    if unbraced or thousands == decimal:
        message = f"found `{match.group()}`, expected a number; write it without commas"
        raise FormulaError(message, line=line, column=column, found=match.group(), expected="a number")
    return first + "".join(groups) + (match[3] or "") if thousands else f"{first}.{groups[0]}"
