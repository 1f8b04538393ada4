"""Judged documents as text, as JSON and as JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

from symbackprop.proof.judges import JudgedDocument
from symbackprop.proof.outlines import JudgedClaim, Outline
from symbackprop.proof.verdict import Verdict

LONGEST_NAME = 160


def write_text(documents: Sequence[JudgedDocument]) -> str:
    """Every claim with its place, how it was understood and its verdict; then what was not judged."""
    lines: list[str] = []
    for document in documents:
        for claim in document.claims:
            mark = "ok " if claim.as_expected else "NOT"
            lines.append(f"{mark} {document.path}:{claim.line}: {claim.source or claim.text}")
            lines += [f"      {line}" for line in _explain(claim)]
        lines += [f"--  {document.path}:{each.line}: not judged: {each.source}" for each in document.unjudged]
        lines += [f"    {document.path}: the first wrong line is {line}" for line in first_wrong_lines(document)]
    lines.append(summarise(documents))
    return "\n".join(lines)


def summarise(documents: Sequence[JudgedDocument]) -> str:
    """How many claims are as stated, and how many formulas are none."""
    claims = [claim for document in documents for claim in document.claims]
    unjudged = sum(len(document.unjudged) for document in documents)
    good = sum(claim.as_expected for claim in claims)
    more = f" {unjudged} formula{'s are' if unjudged > 1 else ' is'} not judged." if unjudged else ""
    return f"{good} of {len(claims)} claims are as stated.{more}"


def describe_failure(claim: JudgedClaim) -> str:
    """A claim that is not as stated: what was claimed, what was derived, where they differ, and what is missing."""
    verdict = claim.verdict
    parts = [("claimed", claim.source), ("read as" if claim.source else "claimed", claim.text)]
    parts += [("expected", claim.expected), ("found", verdict.status), ("derived", claim.derived)]
    if verdict.witness is not None:
        where = verdict.scope if not verdict.for_all_sizes else ""
        parts.append(("witness", f"{f'{where}: ' if where else ''}{verdict.witness}"))
    parts += [("diagnosis", verdict.diagnosis), ("reason", verdict.reason)]
    return "\n".join(f"{name + ':':<11}{text}" for name, text in parts if text)


def describe_outline(outline: Outline) -> str:
    """What is claimed at a place, in a few words."""
    return _shorten(outline.text)


def first_wrong_lines(document: JudgedDocument) -> tuple[int, ...]:
    """The line of the first refuted link of each derivation that goes over several lines."""
    found: dict[int, int] = {}
    lines: dict[int, set[int]] = {}
    for claim in document.claims:
        lines.setdefault(claim.block, set()).add(claim.line)
        if claim.verdict.refuted:
            found.setdefault(claim.block, claim.line)
    return tuple(line for block, line in found.items() if len(lines[block]) > 1)


def write_json(documents: Sequence[JudgedDocument]) -> str:
    """The same as data: a list of documents, each with its claims, the formulas that are none, and errors."""
    return json.dumps([_document_data(document) for document in documents], indent=2, ensure_ascii=False)


def write_junit(documents: Sequence[JudgedDocument]) -> str:
    """The same in the format that continuous integration reads: a suite for each document, a case for each claim."""
    root = ElementTree.Element("testsuites", name="symbackprop check")
    for document in documents:
        wrong = [claim for claim in document.claims if not claim.as_expected]
        cases = len(document.claims) + len(document.unjudged) + len(document.errors)
        counts = {"name": _printable(document.path), "tests": str(cases), "failures": str(len(wrong))}
        counts |= {"errors": str(len(document.errors)), "skipped": str(len(document.unjudged))}
        suite = ElementTree.SubElement(root, "testsuite", counts)
        for claim in document.claims:
            case = _case(suite, document, claim.line, claim.source or claim.text)
            if not claim.as_expected:
                message = f"{claim.verdict.status}, expected {claim.expected}"
                failure = ElementTree.SubElement(case, "failure", message=message, type=claim.verdict.status)
                failure.text = _printable(describe_failure(claim))
            ElementTree.SubElement(case, "system-out").text = _printable("\n".join(_explain(claim)))
        for each in document.unjudged:
            ElementTree.SubElement(_case(suite, document, each.line, each.source), "skipped", message="not judged")
        for error in document.errors:
            line = getattr(error, "line", None)
            case = _case(suite, document, line or 0, "the document")
            ElementTree.SubElement(case, "error", message=_printable(str(error)), type=type(error).__name__)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def exit_code(documents: Sequence[JudgedDocument], strict: bool = False) -> int:
    """0 where all is as stated, 1 where a claim is refuted (or proved) against its word, 2 where one is undecided, 3
    where something could not be read; with `strict` a proof that is not for all sizes, and a document that
    claims nothing, count as undecided.
    """
    wrong = [claim for document in documents for claim in document.claims if not claim.as_expected]
    if any(document.errors for document in documents):
        return 3
    if any(not claim.verdict.undecided for claim in wrong):
        return 1
    return 2 if wrong or (strict and (find_loose(documents) or find_silent(documents))) else 0


def find_silent(documents: Sequence[JudgedDocument]) -> tuple[str, ...]:
    """The paths of the documents in which nothing is claimed."""
    return tuple(document.path for document in documents if not document.errors and not document.claims)


def find_loose(documents: Sequence[JudgedDocument]) -> tuple[tuple[str, int], ...]:
    """Path and line of each claim that is proved at the sizes that its verdict names, and not for all."""
    return tuple(
        (document.path, claim.line)
        for document in documents
        for claim in document.claims
        if claim.verdict.proved and not claim.verdict.for_all_sizes
    )


def exit_code_of_verdict(verdict: Verdict) -> int:
    """0 where it is proved, 1 where it is refuted, 2 where it is undecided."""
    return 0 if verdict.proved else 1 if verdict.refuted else 2


def _explain(claim: JudgedClaim) -> Iterator[str]:
    """How a formula in LaTeX was understood, the verdict, and what is true instead."""
    if claim.source:
        yield f"read as {claim.text}"
    yield str(claim.verdict)
    if claim.derived and not claim.as_expected:
        yield f"Derived: {claim.derived}"


def _document_data(document: JudgedDocument) -> dict[str, Any]:
    return {
        "path": document.path,
        "claims": [_claim_data(claim) for claim in document.claims],
        "first_wrong_lines": list(first_wrong_lines(document)),
        "not_judged": [{"line": each.line, "source": each.source} for each in document.unjudged],
        "errors": [
            {"type": type(error).__name__, "line": getattr(error, "line", None), "message": str(error)}
            for error in document.errors
        ],
    }


def _claim_data(claim: JudgedClaim) -> dict[str, Any]:
    verdict = claim.verdict
    witness = None
    if verdict.witness is not None:
        point = {name: str(value) for name, value in verdict.witness.point}
        sides = {"left": verdict.witness.left, "right": verdict.witness.right}
        ends = {name: [str(side.lower), str(side.upper)] for name, side in sides.items()}
        witness = {"point": point, **ends}
    return {
        "line": claim.line,
        "source": claim.source,
        "claim": claim.text,
        "expected": claim.expected,
        "status": verdict.status,
        "as_expected": claim.as_expected,
        "for_all_sizes": verdict.for_all_sizes,
        "scope": verdict.scope,
        "hypotheses": list(verdict.hypotheses),
        "witness": witness,
        "derived": claim.derived,
        "diagnosis": verdict.diagnosis,
        "reason": verdict.reason,
        "notes": list(verdict.notes),
        "sentence": str(verdict),
    }


def _case(suite: ElementTree.Element, document: JudgedDocument, line: int, name: str) -> ElementTree.Element:
    where = f"line {line}: " if line else ""
    shown, path = _printable(where + _shorten(name)), _printable(document.path)
    return ElementTree.SubElement(suite, "testcase", classname=path, name=shown, file=path, line=str(line))


def _shorten(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 3]}..."


def _printable(text: str) -> str:
    """Text without the characters that XML does not have."""
    return "".join(c if c in "\t\n" or (ord(c) >= 32 and not _is_foreign(ord(c))) else "\ufffd" for c in text)


def _is_foreign(code: int) -> bool:
    """Whether XML has no such character: half of a pair, or one of the two that stand for none."""
    return 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF)
