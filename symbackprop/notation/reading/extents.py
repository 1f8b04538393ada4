r"""For which indices an equation holds, where its end says so: \quad \forall n, n = 1, \dots, N, n < N and i \le j.

An equation is claimed for all values of its indices, unless its end says that it holds for those between two others,
as in n = 1, \dots, N-1, or for two that differ or follow each other. Anything else that is said there is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

from symbackprop.calculus.indices import Affine, is_nonnegative
from symbackprop.errors import FormulaError, UnsaidShapeError
from symbackprop.language import tree as t
from symbackprop.language import write_tree
from symbackprop.language.index_forms import read_size
from symbackprop.language.phrasing import affine_tree
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
    r"\\(?:text|mbox|textrm|mathrm)\s*\{\s*,?\s*(?:if|when|where|for(?P<all>\s+(?:all|every|each|any))?)\s*\})?"
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
ORDERED = r"(?:\\le(?:q|qslant)?(?![A-Za-z])|\\lt(?![A-Za-z])|<)"
COMPARED = rf"(?:{ORDERED}|\\ge(?:q|qslant)?(?![A-Za-z])|\\gt(?![A-Za-z])|>|\\neq?(?![A-Za-z])|\\not\s*=)"
EXTENT = re.compile(
    rf"{GAP}(?P<open>(?:\\left)?\()?{SPACE}{PREFIX}{SPACE}"
    rf"(?:(?P<letters>{LETTERS}){SPACE}(?:=|(?P<set>\\in(?![A-Za-z]){SPACE}(?:\\left)?\\\{{)){SPACE}{LISTED}"
    rf"(?(set){SPACE}(?:\\right)?\\\}}|)"
    rf"|(?P<low>{END}){SPACE}(?P<above>{ORDERED}){SPACE}(?P<between>{LETTERS}){SPACE}(?P<below>{ORDERED}){SPACE}"
    rf"(?P<high>{END})"
    rf"|(?P<compared>{LETTERS}){SPACE}(?P<relation>{COMPARED}){SPACE}(?P<bound>{END})"
    rf"|(?P<only>{LETTERS}))"
    rf"(?P<close>{SPACE}(?:\\right)?\))?(?={SPACE}(?:[.,;&]|\\\\|\\q?quad(?![A-Za-z])|\Z))"
)
COUNTED = re.compile(r"(?P<base>[A-Za-z](?:_.*)?)?\s*(?P<number>[-+]?\s*[0-9]+)?")
ZERO = t.Number(Fraction(0), "0")


@dataclass(frozen=True, slots=True)
class Extent(Node):
    """An index that an equation holds for, with the ends of its range, where they are written.

    `said` is a comparison as it was written, and `relation` the one with `other` by itself.
    """

    letter: str
    first: Syntax | None = None
    last: Syntax | None = None
    other: Syntax | None = None
    said: str = ""
    relation: str = ""

    @property
    def shown(self) -> str:
        """The extent in LaTeX."""
        if self.said or self.first is None or self.last is None:
            return self.said or rf"\forall {self.letter}"
        return rf"{self.letter} = {write_syntax(self.first)}, \dots, {write_syntax(self.last)}"

    @property
    def is_whole(self) -> bool:
        """Whether it is for all values of the index."""
        return self.first is None and self.last is None and self.other is None

    @property
    def name(self) -> str:
        """The letter as a name of the formula language."""
        return self.letter.removeprefix("\\")


def find_extents(text: str, start: int, line: int, column: int) -> tuple[int, tuple[Extent, ...]] | None:
    """What is said at a place of the indices that an equation holds for, and where that ends; None where nothing is."""
    match = EXTENT.match(text, start)
    if match is None or not (match["gap"] or match["prefix"] or (match["open"] and not match["only"])):
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
    letters = match["letters"] or match["between"] or match["compared"] or match["only"]
    letters = re.findall(r"\\ell|[A-Za-z]", re.sub(r"\\[,;:! ]", "", letters))
    first, last = (read_syntax(end, *place) if end else None for end in _ends_of(match))
    other = read_syntax(match["bound"], *place) if match["bound"] else None
    compared = match["bound"] or match["high"]
    said = match.string[match.end("prefix") if match["prefix"] else match.end("gap") : match.end()] if compared else ""
    said = re.sub(rf"^(?:{SPACE}\()?{SPACE}|{SPACE}\)?$", "", said)
    relation = _relation_of(match["relation"] or "")
    place_of = {"line": place[0], "column": place[1]}
    found = tuple(Extent(letter, first, last, other, said, relation, **place_of) for letter in letters)
    if match["second"] and not _is_next(match["first"], match["second"]):
        raise fail(found[0], f"`{match['first']}, {match['second']}, \\dots`", "numbers one by one")
    return found


def _ends_of(match: re.Match[str]) -> tuple[str | None, str | None]:
    """The first and the last number of a range, where they are said; of indices n < N is n <= N - 1."""
    if match["first"]:
        return match["first"], match["last"]
    if match["high"]:
        return _inside(match["low"], match["above"], "+"), _inside(match["high"], match["below"], "-")
    relation, bound = match["relation"] or "", match["bound"]
    if not bound or _relation_of(relation) == "!=":
        return None, None
    if _relation_of(relation) in ("<", "<="):
        return None, _inside(bound, relation, "-")
    return _inside(bound, relation, "+"), None


def _relation_of(written: str) -> str:
    """A relation of the formula language."""
    if written.startswith((r"\ne", r"\not")):
        return "!="
    if not written:
        return ""
    sign = "<" if written.startswith((r"\l", "<")) else ">"
    return sign if written in ("<", ">", r"\lt", r"\gt") else f"{sign}="


def _inside(end: str, relation: str, sign: str) -> str:
    """The last whole number before an end that is itself excluded."""
    if relation not in ("<", ">", r"\lt", r"\gt"):
        return end
    return str(int(end) + 1) if sign == "+" and end.strip().isdigit() else f"{end} {sign} 1"


def _is_next(first: str, second: str) -> bool:
    """Whether a number follows another one, upwards or downwards."""
    one, other = COUNTED.fullmatch(first.strip()), COUNTED.fullmatch(second.strip())
    if one is None or other is None or (one["base"] or "").strip() != (other["base"] or "").strip():
        return False
    numbers = [int(re.sub(r"\s", "", match["number"] or "0")) for match in (one, other)]
    return abs(numbers[1] - numbers[0]) == 1


def check_extents(extents: tuple[Extent, ...], claim: t.Claim, sides: tuple[Syntax, ...], known: Vocabulary) -> None:
    """An error where an equation is not for just those values of its indices that its end says."""
    for extent, limits in _find_limits(extents, claim, sides, known):
        if limits:
            letter, size = limits[0].left, limits[0].right
            raise fail(extent, f"`{extent.shown}`", f"all values of {write_tree(letter)}",
                       f"only a claim may be restricted, and {write_tree(size)} is no end of the axis")  # fmt: skip


def restrict(extents: tuple[Extent, ...], claim: t.Claim, sides: tuple[Syntax, ...], known: Vocabulary) -> t.Claim:
    """The claim for those values of its indices that its end says; elsewhere both of its sides are put to 0."""
    condition = find_condition(extents, claim, sides, known)
    if condition is None:
        return claim
    head = claim.head
    if isinstance(head, t.Derivative):
        head = t.Apply("adj", adjoint_arguments(head, known), line=head.line, column=head.column)
    inside = [t.Where(condition, side, ZERO, line=side.line, column=side.column) for side in (head, *claim.links)]
    return replace(claim, head=inside[0], links=tuple(inside[1:]))


def adjoint_arguments(head: t.Derivative, known: Vocabulary) -> tuple[t.Expression, ...]:
    """What adj is taken of where it stands for a derivative under a condition."""
    return (head.wrt,) if head.of == t.Name(known.loss or "") else (head.of, head.wrt)


def find_condition(
    extents: tuple[Extent, ...], claim: t.Claim, sides: tuple[Syntax, ...], known: Vocabulary
) -> t.Condition | None:
    """What the end of an equation says of its indices besides their ranges; None where that is nothing."""
    limits = tuple(dict.fromkeys(e for _, found in _find_limits(extents, claim, sides, known) for e in found))
    for low, high in product(limits, repeat=2):
        if (low.operator, high.operator, low.left) == (">=", "<=", high.left):
            _check_between(read_size(low.right), read_size(high.right), extents)
    return t.join_conditions(limits) if limits else None


def _check_between(low: Affine, high: Affine, extents: tuple[Extent, ...]) -> None:
    """An error where nothing is from one end to the other."""
    if is_nonnegative(low - high - Affine.of(1)):
        raise _never(extents)


def _never(extents: tuple[Extent, ...]) -> FormulaError:
    shown = ", ".join(extent.shown for extent in extents)
    return fail(extents[0], f"`{shown}`, which never holds", "values of an index that there are")


def _find_limits(
    extents: tuple[Extent, ...], claim: t.Claim, sides: tuple[Syntax, ...], known: Vocabulary
) -> Iterator[tuple[Extent, tuple[t.Compare, ...]]]:
    """What the end of an equation says of its indices, and what that is besides their ranges."""
    parts = (claim.head.of, claim.head.wrt) if isinstance(claim.head, t.Derivative) else (claim.head,)
    trees = (*parts, *claim.links)
    for extent in extents:
        numbers = any(isinstance(n, t.Name) and n.name == extent.name for tree in trees for n, _ in t.walk(tree))
        indices = any(extent.name in free_letters(tree) for tree in trees)
        written = any(write_syntax(part) == extent.letter for side in sides for part in walk_syntax(side))
        if not (indices or (numbers and extent.is_whole) or (known.open and written)):
            assumed = extent.said and extent.name in known.tensors
            hint = "conditions stand in cases, and what is assumed of a number in the program" if assumed else ""
            raise fail(extent, f"`{extent.shown}`", f"an index of the equation; {extent.letter} is none", hint)
        if extent.is_whole:
            continue
        if known.open and numbers:
            raise fail(extent, f"`{extent.shown}`", f"no number {extent.letter} in the equation",
                       "here it is any real number; claim it of a program, where it is an index")  # fmt: skip
        if not known.open:
            yield extent, _limits(extent, trees, known)


def _limits(extent: Extent, trees: tuple[t.Expression, ...], known: Vocabulary) -> tuple[t.Compare, ...]:
    """What is said of an index besides its range; an error where that is not a part of the range for all sizes."""
    every = [_find_sizes(tree, known) for tree in trees]
    sizes = {size for found in every for size in found.get(extent.name, set())}
    if not sizes:
        raise fail(extent, f"`{extent.shown}`", f"a tensor that is read at {extent.letter} alone and says its range",
                   f"shift the equation, so that {extent.letter} + 1 becomes {extent.letter}")  # fmt: skip
    found: dict[t.Compare, None] = {}
    letter = t.Name(extent.name, line=extent.line, column=extent.column)
    if extent.other is not None:
        name = write_syntax(extent.other)
        if name == extent.letter and extent.relation not in ("<=", ">="):
            raise _never((extent,))
        others = {size for one in every for size in one.get(name, set())}
        if others and others != sizes:
            raise fail(extent, f"`{extent.shown}`", f"indices of one range; those of {extent.letter} and {name} differ")
        if others:
            return (t.Compare(extent.relation, letter, t.Name(name)),)
        if extent.relation == "!=":
            return (t.Compare("!=", letter, _other_number(extent, extent.other, known)),)
    for size in sorted(sizes, key=str):
        low, high = _ends(extent, size, known)
        if low is None or high is None or not is_nonnegative(size - high):
            raise fail(extent, f"`{extent.shown}`", f"{extent.letter} = 1, ..., {write_tree(affine_tree(size))}",
                       "an equation is claimed for all values of its indices, or a part of them")  # fmt: skip
        _check_between(low, high, (extent,))
        if low != Affine.of(1):
            found[t.Compare(">=", letter, affine_tree(low))] = None
        if high != size:
            found[t.Compare("<=", letter, affine_tree(high))] = None
    return tuple(found)


def _other_number(extent: Extent, end: Syntax, known: Vocabulary) -> t.Expression:
    """A number or a size that an index is not."""
    number = _read_end(end, known)
    if number is None:
        raise fail(extent, f"`{extent.shown}`", "an index, a number from 1 on or a size that it is not")
    return affine_tree(number)


def _ends(extent: Extent, size: Affine, known: Vocabulary) -> tuple[Affine | None, Affine | None]:
    """The ends of a range, the lower one first, as t = T-1, ..., 1 runs down; None for a number below 1."""
    low = Affine.of(1) if extent.first is None else _read_end(extent.first, known)
    high = size if extent.last is None else _read_end(extent.last, known)
    if low is None or high is None or extent.first is None or extent.last is None:
        return low, high
    room = low - high
    falls = all(count > 0 for _, count in room.terms) if room.terms else room.constant > 0
    return (high, low) if falls else (low, high)


def _read_end(end: Syntax, known: Vocabulary) -> Affine | None:
    try:
        return read_size(read_formula(end, known))
    except UnsaidShapeError:
        return None


def _find_sizes(tree: t.Node, vocabulary: Vocabulary) -> dict[str, set[Affine]]:
    """The sizes of the axes along which the letters of a tree stand."""
    found: dict[str, set[Affine]] = {}
    for node, _ in t.walk(tree):
        if isinstance(node, t.Access) and node.name in vocabulary.tensors:
            for index, size in zip(node.indices, vocabulary.tensors[node.name].axes, strict=False):
                if isinstance(index, t.Name):
                    found.setdefault(index.name, set()).add(size)
    return found
