"""Markdown documents: the claims of their fences, judged in order."""

from __future__ import annotations

from pathlib import Path

from symbackprop.calculus.programs import Program
from symbackprop.errors import DocumentError
from symbackprop.language import extract_fences, read_statements
from symbackprop.language.assembly import assemble
from symbackprop.language.tree import Claim
from symbackprop.proof.claims import JudgedClaim, judge_claim


def check_document(path: str | Path) -> tuple[JudgedClaim, ...]:
    """The verdict of every claim in the `symbackprop` fences of a Markdown file, which form one program in order.

    Raises DocumentError for a file that cannot be read, and FormulaError with the line of the file for one that cannot
    be understood.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(f"{path} cannot be read: {error}.") from error
    statements = read_statements(extract_fences(text))
    claims = tuple(s for s in statements if isinstance(s, Claim))
    return judge_claims(assemble(statements), claims)


def judge_claims(program: Program, claims: tuple[Claim, ...]) -> tuple[JudgedClaim, ...]:
    """The verdicts of claims about one program, a link each."""
    return tuple(judged for claim in claims for judged in judge_claim(program, claim))
