"""Claims about textbook backward passes: right ones proved for all sizes, wrong ones refuted."""

from __future__ import annotations

import pytest
from backward_claims import AT_STATED_SIZES, PROGRAMS, RIGHT, WRONG

import symbackprop as sb
from symbackprop.errors import FormulaError
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
        ("adj(h[t]) = a*adj(h[t+1]) + 1", "refuted"),
        ("d loss / d x[t] = a^(T - t)", "proved"),
    ],
)
def test_induction_needs_base_and_step(claim: str, status: str) -> None:
    """A closed form or a recurrence is proved if it holds at the last step and is handed on, and not otherwise."""
    verdict = judge("linear recurrence", claim)

    assert verdict.status == status, verdict
    assert status == "refuted" or verdict.for_all_sizes


def test_a_step_without_its_base_is_asked_for_its_range() -> None:
    """It holds at all steps but the last, where it reads the one behind; it may be meant without that."""
    with pytest.raises(FormulaError, match=r"h\[t\+1\], which is no entry for some t"):
        judge("linear recurrence", "adj(h[t]) = a*adj(h[t+1])")
    assert judge("linear recurrence", "where(t < T, adj(h[t]), 0) = where(t < T, a*adj(h[t+1]), 0)").proved


HELPERS = """
    input x[N,D], y[N,H]
    param W1[H,D], W2[H,H], W3[H,H]
    z1[n,h] = sum(d, W1[h,d]*x[n,d])
    a1[n,h] = tanh(z1[n,h])
    z2[n,h] = sum(j, W2[h,j]*a1[n,j])
    a2[n,h] = tanh(z2[n,h])
    z3[n,h] = sum(j, W3[h,j]*a2[n,j])
    a3[n,h] = tanh(z3[n,h])
    d3[n,h] = 2*(a3[n,h] - y[n,h])/N*(1 - a3[n,h]^2)
    d2[n,h] = sum(k, W3[k,h]*d3[n,k])*(1 - a2[n,h]^2)
    d1[n,h] = sum(k, W2[k,h]*d2[n,k])*(1 - a1[n,h]^2)
    loss = sum(n, h, (a3[n,h] - y[n,h])^2)/N
"""
STEPS = """
    input x[T,D], h0[H], g[T,H]
    param W[H,D], U[H,H]
    h[0,i] = h0[i]
    z[t,i] = sum(d, W[i,d]*x[t,d]) + sum(j, U[i,j]*h[t-1,j])
    h[t,i] = tanh(z[t,i])
    dh[t,i] = g[t,i] + sum(j, U[j,i]*dz[t+1,j])
    dz[t,i] = dh[t,i]*(1 - h[t,i]^2)
    loss = sum(t, i, g[t,i]*h[t,i])
"""


@pytest.mark.parametrize(
    ("program", "claim", "status"),
    [
        (HELPERS, "d loss / d W1[h,d] = sum(n, d1[n,h]*x[n,d])", "proved"),
        (HELPERS, "d loss / d W2[h,j] = sum(n, d2[n,h]*a1[n,j])", "proved"),
        (HELPERS, "d loss / d W2[h,j] = sum(n, d2[n,h]*a2[n,j])", "refuted"),
        (HELPERS, "d loss / d W1[h,d] = sum(n, d2[n,h]*x[n,d])", "refuted"),
        (STEPS, "d loss / d U[i,j] = sum(t, dz[t,i]*h[t-1,j])", "proved"),
        (STEPS, "d loss / d W[i,d] = sum(t, dz[t,i]*x[t,d])", "proved"),
        (STEPS, "adj(z[t,i]) = dz[t,i]", "proved"),
        (STEPS, "adj(h[t,i]) = dh[t,i]", "proved"),
        (STEPS, "d loss / d W[i,d] = sum(t, dh[t,i]*x[t,d])", "refuted"),
    ],
)
def test_helper_lines_are_lemmas(program: str, claim: str, status: str) -> None:
    """A helper line of the reader that is an adjoint is read as that, a recurrence by induction."""
    verdict = judge(program, claim)

    assert verdict.status == status, verdict
    assert status == "refuted" or verdict.for_all_sizes


WHOLE = "input x[M,M], y[N]\nparam w[M]\nloss = sum(i, j, w[i]*x[i,j])"


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        ("where(i <= 2*M, w[i], 0)", "proved"),
        ("where(i + j > 2*M, 7, w[i])", "proved"),
        ("where(i > 1, w[i], 0) + where(i < 2, w[i], 0)", "proved"),
        ("where(i >= 2, w[i], 0) + where(i == 1, w[1], 0)", "proved"),
        ("where(i > 3, w[i], 0) + where(i < 4, w[i], 0)", "proved"),
        ("where(i <= M - 1, w[i], 0) + where(i == M, w[M], 0)", "proved"),
        ("where(i <= j, w[i], 0) + where(i >= j + 1, w[i], 0)", "proved"),
        ("where(i < j, w[i], 0) + where(i == j, w[i], 0) + where(i > j, w[i], 0)", "proved"),
        ("where(i + 2 > j, w[i], 0) + where(i <= j - 2, w[i], 0)", "proved"),
        ("where(N > 1, w[i], 0) + where(N == 1, w[i], 0)", "proved"),
        ("where(2*i > 3, w[i], 0) + where(i < 2, w[i], 0)", "proved"),
        ("where(i < M, w[i], 0)", "refuted"),
        ("where(i >= 2, w[i], 0) + where(i == 2, w[2], 0)", "refuted"),
        ("where(i > 3, w[i], 0) + where(i < 3, w[i], 0)", "refuted"),
        ("where(i + 2 > j, w[i], 0) + where(i <= j - 1, w[i], 0)", "refuted"),
        ("where(i <= M - 2, w[i], 0) + where(i == M, w[i], 0)", "refuted"),
    ],
)
def test_whole_numbers_are_compared_by_their_ranges(claim: str, status: str) -> None:
    """Between i > 1 and i >= 2 there is nothing, and i <= 2 M is always so."""
    verdict = sb.verify_gradient(sb.parse(WHOLE), "x[i,j]", claim)

    assert verdict.status == status
    assert status == "refuted" or verdict.for_all_sizes
