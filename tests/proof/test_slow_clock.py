"""What is found does not depend on how fast the machine is: diagnoses are bounded by counted steps."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest
from mistaken_claims import MISTAKES, PROGRAMS
from one_mistake_each import MISTAKES as BACKWARDS

import symbackprop as sb
from symbackprop.language import read_statements
from symbackprop.language.assembly import assemble
from symbackprop.language.tree import Claim
from symbackprop.proof.budget import Budget, BudgetExceededError
from symbackprop.proof.claims import judge_claims

SOFTMAX = """
    input g[N,K]
    param z[N,K]
    p[n,k] = exp(z[n,k])/sum(j, exp(z[n,j]))
    loss = sum(n, k, g[n,k]*p[n,k])
"""
LATE = [each for each in MISTAKES if each[3].startswith(("the claim lacks the term", "the claim is right for"))]


@pytest.fixture(autouse=True)
def _slow_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is moved on by 5 ms each time when it is read, as on a machine that is far behind."""
    ticks = itertools.count()
    monkeypatch.setattr(time, "process_time", lambda: next(ticks) * 0.005)


def diagnose(program: str, claim: str) -> str:
    """What is said of a claim that is refuted."""
    statements = read_statements(f"{program}\nclaim {claim}")
    (judged,) = judge_claims(assemble(statements), [s for s in statements if isinstance(s, Claim)])
    assert judged.verdict.refuted
    return judged.verdict.diagnosis


def test_the_diagonal_of_softmax_is_named() -> None:
    """A claim with the diagonal of the Jacobian in place of the Jacobian."""
    said = diagnose(SOFTMAX, "d loss / d z[n,k] = g[n,k]*p[n,k]*(1 - p[n,k])")

    assert said == "the claim takes the diagonal of the Jacobian of p by z in place of the Jacobian"


@pytest.mark.parametrize(("program", "head", "claim", "diagnosis"), LATE)
def test_a_mistake_in_a_claim_is_named(program: str, head: str, claim: str, diagnosis: str) -> None:
    """The words are those of a fast machine."""
    assert diagnose(PROGRAMS[program], f"{head} = {claim}") == diagnosis


@pytest.mark.parametrize(("case", "shapes", "diagnosis"), BACKWARDS, ids=[case.__name__ for case, *_ in BACKWARDS])
def test_a_mistake_in_a_backward_is_named(
    case: Callable[..., Any], shapes: dict[str, tuple[int, ...]], diagnosis: str
) -> None:
    """The words are those of a fast machine; the time for the verdict itself is that of the user."""
    assert sb.verify_backward(case, shapes=shapes, seconds=10_000).diagnosis == diagnosis


def test_steps_end_a_decision() -> None:
    """They are counted over all that share a budget, and a large product is many."""
    budget = Budget(most_steps=10)
    budget.count_step(4)
    budget.check_product(1, 1)

    assert budget.steps == 5
    assert not budget.is_spent
    with pytest.raises(BudgetExceededError, match="more than 10 steps"):
        budget.check_product(100, 100)
    assert budget.is_spent
