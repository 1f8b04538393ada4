"""The two sides of a claim: what is nested in one is never taken for what is nested in the other."""

from __future__ import annotations

import pytest

from symbackprop.language import read_statements
from symbackprop.language.assembly import assemble
from symbackprop.language.tree import Claim
from symbackprop.proof.claims import judge_claims

PROGRAM = "input x[N], y[N]\nloss = sum(n, x[n]*y[n])\n"


@pytest.mark.parametrize(
    ("claim", "proved"),
    [
        ("2*tanh(x[n]) = 2*tanh(y[n])", False),
        ("2*tanh(x[n]) = tanh(x[n]) + tanh(x[n])", True),
        ("exp(x[n])/sum(i, exp(x[i])) = exp(x[n])/sum(i, exp(y[i]))", False),
        ("exp(x[n])/sum(i, exp(x[i])) = exp(x[n])/sum(k, exp(x[k]))", True),
        ("1 + sqrt(x[n]) = 1 + sqrt(y[n])", False),
    ],
)
def test_nested_parts_of_both_sides_stay_apart(claim: str, proved: bool) -> None:
    """Both sides name their nested sums and functions, and no name of one means something of the other."""
    statements = read_statements(f"{PROGRAM}claim {claim}")
    (judged,) = judge_claims(assemble(statements), tuple(s for s in statements if isinstance(s, Claim)))
    assert judged.verdict.proved is proved


MATRICES = """param A[N, N], X[N, D]
input B[N, N], w[N], S[D, D]
assume S[i,j] = S[j,i]
G[i,j] = sum(n, w[n]*X[n,i]*X[n,j])
trace = sum(i, j, inv(A)[i,j]*B[j,i])
volume = logdet(G)
form = sum(n, i, j, X[n,i]*S[i,j]*X[n,j])
loss = trace + volume + form
"""


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        # The letters of the claim are those that the chain rule binds, in another order.
        ("d trace / d A[i,j] = -sum(k, l, inv(A)[k,i]*B[l,k]*inv(A)[j,l])", "proved"),
        ("d trace / d A[k,l] = -sum(i, j, inv(A)[i,k]*B[j,i]*inv(A)[l,j])", "proved"),
        ("d trace / d A[i,j] = -sum(k, l, inv(A)[i,k]*B[l,k]*inv(A)[j,l])", "refuted"),
        # The inverse of a symmetric matrix is symmetric, and so is what is assumed to be.
        ("d volume / d X[n,d] = 2*w[n]*sum(j, X[n,j]*inv(G)[j,d])", "proved"),
        ("d volume / d X[n,d] = 2*w[n]*sum(j, X[n,j]*inv(G)[d,j])", "proved"),
        ("d volume / d X[n,d] = w[n]*sum(j, X[n,j]*inv(G)[d,j])", "refuted"),
        ("d form / d X[n,d] = 2*sum(j, S[d,j]*X[n,j])", "proved"),
        ("inv(A)[i,j] = inv(A)[j,i]", "refuted"),
    ],
)
def test_claims_about_matrices(claim: str, status: str) -> None:
    """Bound letters of derivatives give way to the letters of a claim; symmetry is known where it holds."""
    statements = read_statements(f"{MATRICES}claim {claim}")
    (judged,) = judge_claims(assemble(statements), tuple(s for s in statements if isinstance(s, Claim)))
    assert judged.verdict.status == status, judged.verdict
    assert ("S[i,j] = S[j,i]" in judged.verdict.hypotheses) == ("S[d,j]" in claim)


NEURON = """input x, y
param w, b
z = w*x + b
a = sigmoid(z)
loss = (a - y)^2
"""


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        # The derivatives of two scalars by one tensor are two definitions, and neither side reads the other's.
        ("d a / d w = adj(w)", "refuted"),
        ("d a / d w = adj(z)*x", "refuted"),
        ("d a / d w = adj(a, z)*x", "proved"),
        ("d loss / d w = adj(loss, a)*adj(a, z)*adj(z, w)", "proved"),
        ("d loss / d w = adj(a)*adj(a, z)*adj(z, w)", "proved"),
        ("d loss / d w = adj(a)*adj(a, z)", "refuted"),
    ],
)
def test_derivatives_inside_claims(claim: str, status: str) -> None:
    """adj(a, z) is the derivative of one tensor by another, and adj(z) that of the loss."""
    statements = read_statements(f"{NEURON}claim {claim}")
    (judged,) = judge_claims(assemble(statements), tuple(s for s in statements if isinstance(s, Claim)))

    assert status == judged.verdict.status


def test_a_side_that_is_an_argmax_is_a_number() -> None:
    """The place of the largest entry, and not the largest entry, is what such a claim speaks of."""
    program = "input Y[H], V[H]\nplace = argmax(q, Y[q]*cos(q) + V[q])\nloss = sum(i, Y[i])\n"
    statements = read_statements(f"{program}claim place = argmax(q, Y[q]*cos(q) + V[q])")
    (judged,) = judge_claims(assemble(statements), tuple(s for s in statements if isinstance(s, Claim)))

    assert judged.verdict.proved


def test_an_argmax_that_the_program_has_within_is_a_side() -> None:
    """The place of the maximum is a part of the program already, and that part stays."""
    program = "input x[N], y[N]\nparam w\nloss = w*max(i, x[i])\n"
    claims = ("argmax(i, x[i]) = argmax(i, 2*x[i])", "argmax(i, x[i]) = 1", "d loss / d w = x[argmax(i, x[i])]")
    statements = read_statements(program + "\n".join(f"claim {claim}" for claim in claims))
    judged = judge_claims(assemble(statements), tuple(s for s in statements if isinstance(s, Claim)))

    assert [each.verdict.status for each in judged] == ["proved", "refuted", "proved"]
