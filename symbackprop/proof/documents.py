"""Markdown documents: their claims, judged in order, and their formulas that are no claims.

The `symbackprop` fences and the formulas that are marked as given form one program, in order; every claim is judged
against the whole of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from symbackprop.calculus.programs import Program
from symbackprop.errors import DocumentError, SymBackpropError
from symbackprop.language import extract_fences, read_statements
from symbackprop.language.assembly import assemble
from symbackprop.language.markdown import Formula, scan_markdown
from symbackprop.language.tree import Claim
from symbackprop.proof.claims import JudgedClaim, judge_claim


@dataclass(frozen=True, slots=True)
class Passage:
    """What is claimed at one place of a document: one claim of a fence, or all of a block in LaTeX.

    `sources` are the links of its claims in LaTeX. Where a block is expected to be refuted, one wrong link is enough.
    """

    line: int
    claims: tuple[Claim, ...] = ()
    sources: tuple[str, ...] = ()
    refuted: bool = False
    error: SymBackpropError | None = None


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A formula that nothing marks as a claim."""

    line: int
    source: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it is read: one program, what is claimed of it, and the formulas that are no claims."""

    path: str
    program: Program
    passages: tuple[Passage, ...]
    unjudged: tuple[Unjudged, ...]


@dataclass(frozen=True, slots=True)
class JudgedDocument:
    """A document with its verdicts; `errors` say what of it could not be understood."""

    path: str
    claims: tuple[JudgedClaim, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    errors: tuple[SymBackpropError, ...] = ()


def judge_document(path: str | Path) -> JudgedDocument:
    """The verdict of every claim of a Markdown file; what cannot be read or understood is among the errors."""
    claims: list[JudgedClaim] = []
    errors: list[SymBackpropError] = []
    try:
        document = read_document(path)
    except SymBackpropError as error:
        return JudgedDocument(str(path), errors=(error,))
    for passage in document.passages:
        try:
            claims += judge_passage(document.program, passage)
        except SymBackpropError as error:
            errors.append(error)
    return JudgedDocument(document.path, tuple(claims), document.unjudged, tuple(errors))


def read_document(path: str | Path) -> Document:
    """Read a Markdown file without judging it.

    DocumentError says that there is no such text, FormulaError with its line what of the program cannot be understood.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(f"{path} cannot be read: {error}.") from error
    statements = read_statements(extract_fences(text))
    passages = tuple(Passage(s.line, (s,), refuted=s.refuted) for s in statements if isinstance(s, Claim))
    pieces = scan_markdown(text)
    unjudged = tuple(Unjudged(f.line, " ".join(f.tex.split())) for f in pieces if isinstance(f, Formula) and not f.kind)
    return Document(str(path), assemble(statements), passages, unjudged)


def judge_passage(program: Program, passage: Passage) -> tuple[JudgedClaim, ...]:
    """The verdicts of a passage, one for each link; raises what the passage could not be understood for."""
    if passage.error is not None:
        raise passage.error
    try:
        judged = [link for claim in passage.claims for link in judge_claim(program, claim)]
    except SymBackpropError as error:
        if getattr(error, "line", None) is not None:
            raise
        raise DocumentError(f"line {passage.line}: {error}") from error
    if not passage.sources:
        return tuple(judged)
    if passage.refuted:
        # A block with a mistake in it: what is right there is as it should be, as long as something is wrong.
        wrong = any(link.verdict.refuted for link in judged)
        judged = [replace(k, expected="refuted" if k.verdict.refuted or not wrong else "proved") for k in judged]
    return tuple(
        replace(link, source=source, block=passage.line) for link, source in zip(judged, passage.sources, strict=True)
    )
