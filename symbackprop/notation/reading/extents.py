r"""For which indices an equation holds, where its end says so: \quad \forall n, and n = 1, \dots, N.

An equation is claimed for all values of its indices. What its end says must be just that, or it is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from symbackprop.calculus.indices import Affine
from symbackprop.language import tree as t
from symbackprop.language import write_tree
from symbackprop.language.phrasing import affine_tree
from symbackprop.language.substitution import tidy_form
from symbackprop.language.tree import Node
from symbackprop.language.wording import fail
from symbackprop.notation.reading.grammar import read_syntax
from symbackprop.notation.reading.letters import free_letters
from symbackprop.notation.reading.syntax import Syntax, walk_syntax, write_syntax
from symbackprop.notation.reading.texts import locate
from symbackprop.notation.reading.vocabulary import Vocabulary
from symbackprop.notation.reading.written_matrices import read_formula

SPACE = r"(?:\s|~|\\[,;:! ])*+"
GAP = rf"(?P<gap>(?:(?:,|;|&|\\q?quad(?![A-Za-z])){SPACE})*)"
PREFIX = (
    r"(?P<prefix>\\forall(?![A-Za-z])|"
    r"\\(?:text|mbox|textrm|mathrm)\s*\{\s*,?\s*for(?P<all>\s+(?:all|every|each|any))?\s*\})?"
)
LETTERS = r"(?:\\ell(?![A-Za-z])|[A-Za-z])(?:SPACE,SPACE(?:\\ell(?![A-Za-z])|[A-Za-z]))*".replace("SPACE", SPACE)
NAMED = r"[A-Za-z](?:_(?:\{[^{}]*\}|[A-Za-z0-9]))?"
FLOOR = r"(?:\\left\s*)?\\lfloor(?![A-Za-z])[^\\]*(?:\\right\s*)?\\rfloor(?![A-Za-z])"
PART = rf"(?:[0-9]*\s*(?:{NAMED}|{FLOOR})|[0-9]+)"
END = rf"{PART}(?:\s*[-+]\s*{PART})*"
DOTS = r"(?:\\[lc]?dots[cb]?(?![A-Za-z])|\.\.\.)"
LISTED = (
    rf"(?P<first>{END}){SPACE},?{SPACE}(?:(?P<second>{END}){SPACE},{SPACE})?{DOTS}{SPACE},?{SPACE}(?P<last>{END})"
)
AT_LEAST = r"\\le(?:q|qslant)?(?![A-Za-z])"
EXTENT = re.compile(
    rf"{GAP}(?P<open>(?:\\left)?\()?{SPACE}{PREFIX}{SPACE}"
    rf"(?:(?P<letters>{LETTERS}){SPACE}(?:=|(?P<set>\\in(?![A-Za-z]){SPACE}(?:\\left)?\\\{{)){SPACE}{LISTED}"
    rf"(?(set){SPACE}(?:\\right)?\\\}}|)"
    rf"|(?P<low>{END}){SPACE}{AT_LEAST}{SPACE}(?P<between>{LETTERS}){SPACE}{AT_LEAST}{SPACE}(?P<high>{END})"
    rf"|(?P<only>{LETTERS}))"
    rf"(?P<close>{SPACE}(?:\\right)?\))?(?={SPACE}(?:[.,;&]|\\\\|\\q?quad(?![A-Za-z])|\Z))"
)
COUNTED = re.compile(r"(?P<base>[A-Za-z](?:_.*)?)?\s*(?P<number>[-+]?\s*[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Extent(Node):
    """An index that an equation holds for, with the ends of its range where they are written."""

    letter: str
    first: Syntax | None = None
    last: Syntax | None = None

    @property
    def shown(self) -> str:
        """The extent in LaTeX."""
        if self.first is None or self.last is None:
            return rf"\forall {self.letter}"
        return rf"{self.letter} = {write_syntax(self.first)}, \dots, {write_syntax(self.last)}"

    @property
    def name(self) -> str:
        """The letter as a name of the formula language."""
        return self.letter.removeprefix("\\")


def find_extents(text: str, start: int, line: int, column: int) -> tuple[int, tuple[Extent, ...]] | None:
    """What is said at a place of the indices that an equation holds for, and where that ends; None where nothing is."""
    match = EXTENT.match(text, start)
    if match is None or not (match["gap"] or match["prefix"] or (match["open"] and match["first"])):
        return None
    if match["only"] and not (match["all"] or (match["prefix"] or "").startswith(r"\forall")):
        return None
    found, is_open = _read_extent(match, line, column), bool(match["open"])
    while is_open and not match["close"]:  # several in one pair of brackets
        match = EXTENT.match(text, match.end())
        if match is None or not match["gap"] or match["open"] or match["only"]:
            return None
        found += _read_extent(match, line, column)
    return (match.end(), found) if is_open == bool(match["close"]) else None


def _read_extent(match: re.Match[str], line: int, column: int) -> tuple[Extent, ...]:
    place = locate(match.string, match.end("gap"), line, column)
    letters = match["letters"] or match["between"] or match["only"]
    letters = re.findall(r"\\ell|[A-Za-z]", re.sub(r"\\[,;:! ]", "", letters))
    ends = (match["first"], match["last"]) if match["first"] else (match["low"], match["high"])
    first, last = (read_syntax(end, *place) if end else None for end in ends)
    found = tuple(Extent(letter, first, last, line=place[0], column=place[1]) for letter in letters)
    if match["second"] and not _is_next(match["first"], match["second"]):
        raise fail(found[0], f"`{match['first']}, {match['second']}, \\dots`", "numbers one by one")
    return found


def _is_next(first: str, second: str) -> bool:
    """Whether a number follows another one, upwards or downwards."""
    one, other = COUNTED.fullmatch(first.strip()), COUNTED.fullmatch(second.strip())
    if one is None or other is None or (one["base"] or "").strip() != (other["base"] or "").strip():
        return False
    numbers = [int(re.sub(r"\s", "", match["number"] or "0")) for match in (one, other)]
    return abs(numbers[1] - numbers[0]) == 1


def check_extents(extents: tuple[Extent, ...], claim: t.Claim, sides: tuple[Syntax, ...], known: Vocabulary) -> None:
    """An error where an equation is not claimed for just those values of its indices that its end says."""
    parts = (claim.head.of, claim.head.wrt) if isinstance(claim.head, t.Derivative) else (claim.head,)
    trees = (*parts, *claim.links)
    for extent in extents:
        numbers = any(isinstance(n, t.Name) and n.name == extent.name for tree in trees for n, _ in t.walk(tree))
        indices = any(extent.name in free_letters(tree) for tree in trees)
        written = any(write_syntax(part) == extent.letter for side in sides for part in walk_syntax(side))
        if not (indices or (numbers and extent.first is None) or (known.open and written)):
            raise fail(extent, f"`{extent.shown}`", f"an index of the equation; {extent.letter} is none")
        if extent.first is None or extent.last is None:
            continue
        if known.open and numbers:
            raise fail(extent, f"`{extent.shown}`", f"no number {extent.letter} in the equation",
                       "here it is any real number; claim it of a program, where it is an index")  # fmt: skip
        if not known.open:
            _check_range(extent, extent.first, extent.last, trees, known)


def _check_range(
    extent: Extent, first: Syntax, last: Syntax, trees: tuple[t.Expression, ...], known: Vocabulary
) -> None:
    """An error where the axes that an index runs along are not as long as is said."""
    low, high = (tidy_form(read_formula(end, known)) for end in (first, last))
    found = [_find_sizes(tree, known).get(extent.name, set()) for tree in trees]
    ranges = {write_tree(affine_tree(size)) for sizes in found for size in sizes}
    if not ranges:
        raise fail(extent, f"`{extent.shown}`", f"an index that some tensor says the range of; {extent.letter} is none")
    for size in sorted(ranges):
        if write_tree(low) != "1" or write_tree(high) != size:
            raise fail(extent, f"`{extent.shown}`", f"{extent.letter} = 1, ..., {size}",
                       "an equation is claimed for all values of its indices")  # fmt: skip


def _find_sizes(tree: t.Node, vocabulary: Vocabulary) -> dict[str, set[Affine]]:
    """The sizes of the axes along which the letters of a tree stand."""
    found: dict[str, set[Affine]] = {}
    for node, _ in t.walk(tree):
        if isinstance(node, t.Access) and node.name in vocabulary.tensors:
            for index, size in zip(node.indices, vocabulary.tensors[node.name].axes, strict=False):
                if isinstance(index, t.Name):
                    found.setdefault(index.name, set()).add(size)
    return found
