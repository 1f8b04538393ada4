"""Claims about textbook backward passes: right ones proved for all sizes, wrong ones refuted."""

from __future__ import annotations

import pytest
from backward_claims import AT_STATED_SIZES, PROGRAMS, RIGHT, WRONG

from symbackprop.language import read_statements
from symbackprop.language.assembly import assemble
from symbackprop.language.tree import Claim
from symbackprop.proof import Verdict
from symbackprop.proof.claims import judge_claims


def judge(program: str, claim: str) -> Verdict:
    """The verdict on one claim about a program of the battery."""
    statements = read_statements(f"{PROGRAMS.get(program, program)}\nclaim {claim}")
    claims = tuple(s for s in statements if isinstance(s, Claim))
    (judged,) = judge_claims(assemble(statements), claims)
    return judged.verdict


@pytest.mark.parametrize(("program", "claim"), RIGHT)
def test_right_claims_are_proved_for_all_sizes(program: str, claim: str) -> None:
    """Every right claim holds whatever the sizes are."""
    verdict = judge(program, claim)

    assert verdict.proved, verdict
    assert verdict.for_all_sizes, verdict


@pytest.mark.parametrize(("program", "claim", "reason"), AT_STATED_SIZES)
def test_right_claims_are_proved_at_stated_sizes(program: str, claim: str, reason: str) -> None:
    """What the normal form does not reach is proved at two sets of sizes, and the verdict says which."""
    verdict = judge(program, claim)

    assert verdict.proved, verdict
    assert not verdict.for_all_sizes, reason
    assert "the sizes" in verdict.scope


@pytest.mark.parametrize(("program", "claim"), WRONG)
def test_wrong_claims_are_refuted(program: str, claim: str) -> None:
    """Every wrong claim has a witness."""
    verdict = judge(program, claim)

    assert verdict.refuted, verdict
    assert verdict.witness is not None


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        ("adj(h[t]) = a^(T - t)", "proved"),
        ("adj(h[t]) = a^(T - t + 1)", "refuted"),
        ("adj(h[t]) = a*adj(h[t+1]) + where(t == T, 1, 0)", "proved"),
        ("adj(h[t]) = a*adj(h[t+1])", "refuted"),
        ("adj(h[t]) = a*adj(h[t+1]) + 1", "refuted"),
        ("d loss / d x[t] = a^(T - t)", "proved"),
    ],
)
def test_induction_needs_base_and_step(claim: str, status: str) -> None:
    """A closed form or a recurrence is proved if it holds at the last step and is handed on, and not otherwise."""
    verdict = judge("linear recurrence", claim)

    assert verdict.status == status, verdict
    assert status == "refuted" or verdict.for_all_sizes
