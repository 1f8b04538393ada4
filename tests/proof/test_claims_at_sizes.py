"""Claims that hold at small sizes only, at kinks, and of entries of a Jacobian."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.language import read_statements
from symbackprop.language.assembly import assemble
from symbackprop.language.tree import Claim
from symbackprop.proof.claims import judge_claims

LINEAR = "param w[N]\ninput x[N]\nloss = sum(n, w[n]*x[n])"
SQUARE = "param w[N]\nloss = sum(n, w[n]^2)/N"
SOFTMAX = "param z[K]\np[k] = exp(z[k])/sum(j, exp(z[j]))\nloss = sum(k, p[k]^2)"


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        (LINEAR, "where(n <= 7, x[n], 0)"),
        (LINEAR, "x[n] + x[n+9]"),
        (LINEAR, "where(n%11 == 0, 0, x[n])"),
        (SQUARE, "2*w[n]/N + w[n]*(N-2)*(N-3)*(N-4)*(N-5)"),
    ],
)
def test_what_holds_at_small_sizes_only_is_refuted(text: str, claim: str) -> None:
    """Beyond the numbers that a claim writes it is looked at before anything is called proved."""
    verdict = sb.verify_gradient(sb.parse(text), "w[n]", claim)

    assert verdict.refuted, str(verdict)


def test_what_differs_at_a_kink_only_is_refuted_there() -> None:
    """No sample lies on the kink; the cell of the kink does."""
    program = sb.parse("param w[N]\nloss = sum(n, relu(w[n]))")
    verdict = sb.verify_gradient(program, "w[n]", "where(w[n] >= 0, 1, 0)")

    assert verdict.refuted
    assert verdict.witness is not None
    assert dict(verdict.witness.point)["w[1]"] == 0


def test_entries_of_a_jacobian_are_claimed_in_letters() -> None:
    """The numerator may be an entry; a wrong entry is refuted."""
    program = sb.parse(SOFTMAX)
    right = sb.verify_gradient(program, "z[j]", "where(k == j, p[k], 0) - p[k]*p[j]", of="p[k]")
    wrong = sb.verify_gradient(program, "z[j]", "where(k == j, p[k], 0) - p[k]", of="p[k]")

    assert right.for_all_sizes
    assert right.proved
    assert wrong.refuted


@pytest.mark.parametrize("size", ["V-3", "V-4", "(V-2)//2", "N-V", "3-V"])
def test_ranges_of_integer_data_have_an_entry_at_the_sizes_that_are_tried(size: str) -> None:
    """Sizes at which no integer fits are never tried, whatever the range is made of."""
    program = sb.parse(f"index tok[N] in {size}\ninput y[V]\nparam x[N]\nloss = sum(n, tok[n]*x[n]^2) + sum(v, y[v])")

    assert sb.verify_gradient(program, "x[n]", "2*tok[n]*x[n]").for_all_sizes
    assert sb.verify_gradient(program, "x[n]", "2*x[n]").refuted


POOLS = """
index t[N] in M
input x[N], b[M]
param A[N,M], s
loss = s*mean(j, relu(b[j]))*sum(i, relu(x[i])*A[i,t[i]])
"""
ELSEWHERE_WRONG = [
    # Where one size is smaller than the other, by more than one
    ("sum(i:N, abs(sum(j:M, x[i+j]))) = sum(i:N, abs(sum(j:N, x[i+j])))", "N=4, M=2"),
    # Where two sizes are equal
    ("where(N == M, x[1], 0) = where(N == M, x[2], 0)", "N=3, M=3"),
    # At no size with which a size is compared in the claim
    ("sum(j, abs(b[j]))*abs(N-2)*abs(N-4)*abs(M-3) = 0", "N=7, M=7"),
    ("sum(i, max(j:M, where(i >= j, M, 3))*relu(x[i])) = M*sum(i, relu(x[i]))", "N=4, M=2"),
    # Where an entry in the middle is the largest, and where all entries of integer data differ
    ("max(i:N, x[i]) = maximum(x[1], maximum(x[2], maximum(x[N-1], x[N])))", "N="),
    ("max(i:N, x[i]) = maximum(x[1], maximum(x[2], maximum(x[N//2+1], x[N])))", "N="),
    (
        "max(i:N, A[i,t[i]]) = max(i:N, where(t[i] == t[1], A[i,t[1]], where(t[i] == t[2], A[i,t[2]], A[i,t[3]])))",
        "N=6, M=6",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "sizes"), ELSEWHERE_WRONG)
def test_sizes_are_tried_in_every_order(claim: str, sizes: str) -> None:
    """Small distinct sizes are one order of many; equal and far apart ones are tried before anything is proved."""
    statements = read_statements(f"{POOLS}claim {claim}")
    (judged,) = judge_claims(assemble(statements), tuple(s for s in statements if isinstance(s, Claim)))

    assert judged.verdict.refuted, str(judged.verdict)
    assert judged.verdict.scope.startswith(sizes)


def test_what_is_lacking_at_one_size_is_not_said() -> None:
    """N - 1 is half of N where N is 2."""
    program = "input x[N]\nparam w\nassume x[i]^2 = 1\nloss = w*sum(i, x[i])\nclaim sum(i:N, x[i+1]^2) = N"
    statements = read_statements(program)
    (judged,) = judge_claims(assemble(statements), tuple(s for s in statements if isinstance(s, Claim)))

    assert judged.verdict.refuted
    assert judged.verdict.diagnosis == ""


@pytest.mark.parametrize(
    ("claim", "least"),
    [
        ("sum(n, x[n]) = x[1] + x[N] + sum(n, where(n >= 2 and n <= N - 1, x[n], 0))", "N >= 2"),
        ("sum(n, where(n == 1 or n == N, x[n], 0)) = x[1] + x[N]", "N >= 2"),
        ("sum(n, x[n]) = x[1] + x[2] + x[N] + sum(n, where(n >= 3 and n <= N - 1, x[n], 0))", "N >= 3"),
    ],
)
def test_entries_that_a_claim_names_are_several(claim: str, least: str) -> None:
    """Who writes x[1] and x[N] means two entries, so it is not refuted where they are one, and that is said."""
    statements = read_statements(f"{LINEAR}\nclaim {claim}")
    (judged,) = judge_claims(assemble(statements), tuple(s for s in statements if isinstance(s, Claim)))

    assert judged.verdict.proved
    assert least in judged.verdict.hypotheses
