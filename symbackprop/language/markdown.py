"""The formulas of a Markdown file with their places, and the marks that say what becomes of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from symbackprop.errors import DocumentError
from symbackprop.language.fences import without_fences

SPANS = re.compile(
    r"(?P<comment><!--.*?-->)"
    r"|(?P<code>(?<!`)(?P<marks>`+)(?!`)(?:(?!\n[ \t>]*\n).)+?(?<!`)(?P=marks)(?!`))"
    r"|(?P<escape>\\[\\$`])"
    r"|(?P<block>\$\$(?P<shown>(?:(?!\n[ \t>]*\n).)*?)\$\$)"
    r"|(?P<inline>\$(?![\s$])(?P<tex>(?:\\.|(?!\n[ \t>]*\n)[^$\\])*?)(?<!\s)\$(?![0-9]))"
    r"|(?P<bare>\\begin\{(?P<name>(?:align|equation|gather|multline|eqnarray)\*?)\}"
    r"(?:(?!\n[ \t>]*\n).)*?\\end\{(?P=name)\})"
    r"|(?P<open>\$\$)",
    re.DOTALL,
)
MARK = re.compile(r"<!--\s*sb:(?P<said>.*?)-->", re.DOTALL)
SAID = re.compile(r"(?P<kind>claim|given)(?P<refuted>\s+expect\s+refuted)?")
NAMES = re.compile(r"names\s+(?P<names>.+)", re.DOTALL)
QUOTED = re.compile(r"^[ \t]*(?:>[ \t]?)+", re.MULTILINE)
_DELIMITED = {"block": ("shown", 2), "inline": ("tex", 1), "bare": ("bare", 0)}
"""For a kind of span, which part of it is the formula, and how many signs stand before that."""
EXPECTED = "claim, claim expect refuted, given, or names \\hat y = a4, S = sigmoid"


@dataclass(frozen=True, slots=True)
class Formula:
    """LaTeX between dollar signs, or an environment by itself; `kind` is "claim", "given" or "" where no mark is.

    `line` and `column` are those of its first character behind the dollar signs, and `last` is its last line.
    """

    tex: str
    line: int
    column: int
    last: int
    display: bool
    kind: str = ""
    refuted: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """What a mark says of the names of LaTeX, from its line on."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark on formulas, from its first line to its last; `lone` where no other text stands on these lines."""

    kind: str
    refuted: bool
    line: int
    last: int
    lone: bool


def scan_markdown(text: str) -> tuple[Formula | Names, ...]:
    """The formulas and the declarations of names of a file, in order; what stands in code or in comments is no formula.

    DocumentError names the line of a mark that cannot be understood, or that has no formulas.

    >>> [(f.tex, f.kind) for f in scan_markdown("<!-- sb: claim -->\\n$$\\na = b\\n$$\\nand $c$")]
    [('\\na = b\\n', 'claim'), ('c', '')]
    """
    prose = without_fences(text)
    lines = prose.split("\n")
    marks: list[Mark] = []
    found: list[Formula | Names] = []
    for kind, match, line, column in _spans(prose):
        last = line + match.group().count("\n")
        if kind == "open":
            raise DocumentError(f"line {line}: found $$ that is never closed, expected another $$ below it")
        if kind in _DELIMITED:
            group, width = _DELIMITED[kind]
            display, tex = kind != "inline", match[group]
            quoted = QUOTED.match(lines[line - 1])
            tex = QUOTED.sub(lambda m: " " * len(m.group()), tex) if quoted and "\n" in tex else tex
            found.append(Formula(tex, line, column + width, last, display))
        elif kind == "comment" and (said := MARK.fullmatch(match.group())):
            names = NAMES.fullmatch(said["said"].strip())
            if names:
                found.append(Names(names["names"].strip(), line))
            else:
                marks.append(_read_mark(said["said"].strip(), line, last, _is_lone(lines, match, line, last, column)))
    return tuple(_mark(found, marks, lines))


def _spans(prose: str) -> Iterator[tuple[str, re.Match[str], int, int]]:
    """Every span of the text that is not plain, with its line and column."""
    line, start = 1, 0
    for match in SPANS.finditer(prose):
        line += prose.count("\n", start, match.start())
        start = match.start()
        yield match.lastgroup or "", match, line, start - prose.rfind("\n", 0, start)


def _is_lone(lines: list[str], match: re.Match[str], line: int, last: int, column: int) -> bool:
    """Whether nothing stands before a comment on its first line or behind it on its last."""
    before = lines[line - 1][: column - 1]
    width = len(match.group().rsplit("\n", 1)[-1])
    after = lines[last - 1][(column - 1 if line == last else 0) + width :]
    return not (before.strip(" \t>") or after.strip())


def _read_mark(said: str, line: int, last: int, lone: bool) -> Mark:
    match = SAID.fullmatch(said)
    if not match or (match["kind"] == "given" and match["refuted"]):
        hint = "; what is assumed is a line of a symbackprop fence" if said.startswith("assume") else ""
        raise DocumentError(f"line {line}: found the mark {said!r}, expected {EXPECTED}{hint}")
    return Mark(match["kind"], bool(match["refuted"]), line, last, lone)


def _mark(found: list[Formula | Names], marks: Iterable[Mark], lines: list[str]) -> list[Formula | Names]:
    """The formulas, each with what its mark says."""
    taken: dict[int, Mark] = {}
    for mark in marks:
        if mark.lone:
            below = next((n for n in range(mark.last + 1, len(lines) + 1) if lines[n - 1].strip(" \t>\r")), 0)
            own = [k for k, f in enumerate(found) if isinstance(f, Formula) and f.display and f.line == below][:1]
        else:
            own = [k for k, f in enumerate(found) if isinstance(f, Formula) and f.line <= mark.line <= f.last]
        if not own:
            raise DocumentError(
                f"line {mark.line}: found the mark {mark.kind!r} without a formula, "
                "expected a $$ block below it or a formula on its line"
            )
        for k in own:
            if k in taken and (taken[k].kind, taken[k].refuted) != (mark.kind, mark.refuted):
                raise DocumentError(
                    f"line {mark.line}: found another mark for the formulas of line {taken[k].line}, expected one"
                )
            taken[k] = mark
    made: list[Formula | Names] = []
    for k, piece in enumerate(found):
        if isinstance(piece, Formula) and k in taken:
            piece = replace(piece, kind=taken[k].kind, refuted=taken[k].refuted)
        made.append(piece)
    return made
