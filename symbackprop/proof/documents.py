"""Markdown documents: their claims, in order, and their formulas that are no claims.

The `symbackprop` fences and the formulas that are marked as given form one program, in order; every claim is judged
against the whole of it, in the names that are declared above it. What is given beside a fence that computes a scalar is
no loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role
from symbackprop.errors import DocumentError, FormulaError, SymBackpropError
from symbackprop.language import extract_fences, read_statements
from symbackprop.language.assembly import assemble
from symbackprop.language.markdown import Formula, Names, scan_markdown
from symbackprop.language.tree import Claim, Define, Statement
from symbackprop.notation.reading import read_names
from symbackprop.notation.reading.vocabulary import read_name
from symbackprop.proof.outlines import Unjudged
from symbackprop.proof.passages import Known, Passage, read_fence_claim, read_given, read_passage


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it is read: one program, what is claimed of it, and the formulas that are no claims."""

    program: Program
    passages: tuple[Passage, ...]
    unjudged: tuple[Unjudged, ...]


def read_document(text: str) -> Document:
    """Understand the text of a Markdown file without judging it.

    FormulaError says with its line what of the program cannot be understood, DocumentError what of the marks.
    """
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
    program = _with_loss(assemble(tuple(statements)), _heads(written), known)
    passages = [read_fence_claim(s) for s in written if isinstance(s, Claim)]
    passages += [read_passage(formula, program, above) for formula, above in waiting]
    unjudged = tuple(Unjudged(f.line, " ".join(f.tex.split())) for f in pieces if isinstance(f, Formula) and not f.kind)
    return Document(program, tuple(sorted(passages, key=lambda p: p.outline.line)), unjudged)


def _heads(statements: Sequence[Statement]) -> frozenset[str]:
    """The names that statements define."""
    return frozenset(statement.head.name for statement in statements if isinstance(statement, Define))


def _with_loss(program: Program, fenced: frozenset[str], known: Known) -> Program:
    """The program with its loss: the scalar that is called so, else the last one of a fence, else the last one that is
    given, and the value of a function only where there is nothing else."""
    if program.loss in (None, "loss"):
        return program
    scalars = [d.tensor.name for d in program.definitions if not d.tensor.axes and d.tensor.role is Role.DEFINED]
    values = {known.names[written] for written in known.functions if written in known.names}
    for names in ([n for n in scalars if n in fenced], [n for n in scalars if n not in values]):
        if names:
            return replace(program, loss=names[-1])
    return program


def _declared(mark: Names) -> dict[str, str]:
    """The names that a mark declares."""
    try:
        names = read_names(mark.text)
        for written in names:
            read_name(written)
    except SymBackpropError as error:
        said = error.message if isinstance(error, FormulaError) else str(error)  # its place is one in the name alone
        raise DocumentError(f"line {mark.line}: {said}") from error
    return names
