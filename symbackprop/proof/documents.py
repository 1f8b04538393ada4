"""Markdown documents: their claims, judged in order, and their formulas that are no claims.

The `symbackprop` fences and the formulas that are marked as given form one program, in order; every claim is judged
against the whole of it, in the names that are declared above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from symbackprop.calculus.programs import Program
from symbackprop.errors import DocumentError, SymBackpropError
from symbackprop.language import extract_fences, read_statements
from symbackprop.language.assembly import assemble
from symbackprop.language.markdown import Formula, Names, scan_markdown
from symbackprop.language.tree import Claim, Statement
from symbackprop.notation.reading import read_names
from symbackprop.notation.reading.vocabulary import read_name
from symbackprop.proof.claims import JudgedClaim
from symbackprop.proof.passages import Known, Passage, judge_passage, read_given, read_passage


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
    written = read_statements(extract_fences(text))
    pieces = scan_markdown(text)
    statements: list[Statement] = [s for s in written if not isinstance(s, Claim)]
    waiting: list[tuple[Formula, Known]] = []
    known = Known()
    for piece in pieces:
        if isinstance(piece, Names):
            known = known.declaring(_declared(piece))
        elif piece.kind == "given":
            earlier = [s for s in statements if s.line < piece.line]
            given = read_given(piece, assemble(tuple(earlier)), known)
            statements = [*earlier, *given.definitions, *statements[len(earlier) :]]
            known = given.known
        elif piece.kind == "claim":
            waiting.append((piece, known))
    program = assemble(tuple(statements))
    passages = [Passage(s.line, (s,), s.refuted) for s in written if isinstance(s, Claim)]
    passages += [read_passage(formula, program, above) for formula, above in waiting]
    unjudged = tuple(Unjudged(f.line, " ".join(f.tex.split())) for f in pieces if isinstance(f, Formula) and not f.kind)
    return Document(str(path), program, tuple(sorted(passages, key=lambda p: p.line)), unjudged)


def _declared(mark: Names) -> dict[str, str]:
    """The names that a mark declares."""
    try:
        names = read_names(mark.text)
        for written in names:
            read_name(written)
    except SymBackpropError as error:
        raise DocumentError(f"line {mark.line}: {error}") from error
    return names
