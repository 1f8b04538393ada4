"""What a document claims, in texts alone, and its claims with their verdicts.

No tree and no program stands in an outline, so that it can be known where nothing is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symbackprop.errors import ShapeError
from symbackprop.proof.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a claim as it was understood, and how it is written where that is LaTeX, with its line."""

    line: int
    text: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    """What is claimed at one place of a document: one claim of a fence, or, as LaTeX, all of a formula.

    It has no links where it could not be understood. Where a formula in LaTeX is expected to be refuted, one wrong link
    is enough.
    """

    line: int
    text: str
    links: tuple[Link, ...] = ()
    refuted: bool = False
    latex: bool = False


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A formula that nothing marks as a claim."""

    line: int
    source: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a document claims, in order, and its formulas that are no claims."""

    outlines: tuple[Outline, ...]
    unjudged: tuple[Unjudged, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found out about a link; `derived` is what the chain rule gives where another derivative was claimed."""

    verdict: Verdict
    derived: str = ""


@dataclass(frozen=True, slots=True)
class JudgedClaim:
    """One link of a claim with its verdict; `expected` is the status that the document states.

    `text` is the link as it was understood, in the formula language, and `source` how it was written where that is
    LaTeX. `derived` is what the chain rule gives where a derivative was claimed and not proved. The links of one
    derivation share its `block`, the line where it begins.
    """

    line: int
    text: str
    verdict: Verdict
    expected: str
    derived: str = ""
    source: str = ""
    block: int = 0

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the one that the document states."""
        return self.verdict.status == self.expected


def settle(outline: Outline, judgements: Sequence[Judgement]) -> tuple[JudgedClaim, ...]:
    """The claims of an outline with what was found out about each of its links."""
    wrong = any(each.verdict.refuted for each in judgements)
    made: list[JudgedClaim] = []
    for link, each in zip(outline.links, judgements, strict=True):
        # In a formula with a mistake in it, what is right is as it should be, as long as something is wrong.
        refuted = outline.refuted and (not outline.latex or each.verdict.refuted or not wrong)
        source = outline.text if outline.latex and len(outline.links) == 1 else link.source
        expected = "refuted" if refuted else "proved"
        made.append(JudgedClaim(link.line, link.text, each.verdict, expected, each.derived, source, outline.line))
    return tuple(made)


def refute_shapes(outline: Outline, error: ShapeError) -> JudgedClaim:
    """A formula whose shapes do not fit is wrong at every size, and no point is needed to see it."""
    verdict = Verdict("refuted", diagnosis=f"the shapes do not fit: {error.message}")
    whole = Link(error.line or outline.line, outline.text, outline.text)
    return settle(replace(outline, links=(whole,)), (Judgement(verdict),))[0]
