"""The report of judged documents, and the exit status that it means."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import symbackprop as sb
from symbackprop.proof.claims import JudgedClaim


def judge_documents(files: Sequence[str], say: Callable[[str], None]) -> list[JudgedClaim]:
    """Judge the claims of every file, saying each with its place and its verdict."""
    judged: list[JudgedClaim] = []
    for path in files:
        found = [claim for claim, _ in sb.check_document(path)]
        for claim in found:
            mark = "ok " if claim.as_expected else "NOT"
            say(f"{mark} {path}:{claim.line}: {claim.text}")
            say(f"      {claim.verdict}")
        judged += found
    good = sum(claim.as_expected for claim in judged)
    say(f"{good} of {len(judged)} claims are as stated.")
    return judged


def exit_code_of_verdict(verdict: sb.Verdict) -> int:
    """0 where it is proved, 1 where it is refuted, 2 where it is undecided."""
    return 0 if verdict.proved else 1 if verdict.refuted else 2


def exit_code(judged: Sequence[JudgedClaim], strict: bool) -> int:
    """0 where all is as claimed or expected, 1 where a claim is refuted against its word, 2 where one is undecided."""
    wrong = [claim for claim in judged if not claim.as_expected]
    if any(not claim.verdict.undecided for claim in wrong):
        return 1
    loose = [claim for claim in judged if strict and claim.verdict.proved and not claim.verdict.for_all_sizes]
    return 2 if wrong or loose else 0
