"""What a refuted claim lacks: the repair is named in the names of the user, and only when it is proven."""

from __future__ import annotations

import re

import pytest
from backward_claims import PROGRAMS

import symbackprop as sb
from symbackprop.language import read_statements
from symbackprop.language.assembly import assemble
from symbackprop.language.tree import Claim
from symbackprop.proof import Verdict, repairs
from symbackprop.proof.claims import judge_claims

GELU = """
    input g[N]
    param x[N]
    o[n] = x[n]*(1 + tanh(sqrt(2/pi)*(x[n] + 0.044715*x[n]^3)))/2
    loss = sum(n, g[n]*o[n])
"""
MSE = """
    input x[N,D], y[N,K]
    param W[K,D]
    z[n,k] = sum(d, W[k,d]*x[n,d])
    loss = mean(n, k, (z[n,k] - y[n,k])^2)
"""
UNIT = """
    input w[N], x[N,D]
    param m[D]
    loss = sum(n, d, w[n]*(x[n,d] - m[d])^2)
"""
FIXED = """
    input x[2,3], y[2,2]
    param W[2,3]
    a[n,i] = tanh(sum(j, W[i,j]*x[n,j]))
    loss = sum(n, i, (a[n,i] - y[n,i])^2)
"""


def judge(program: str, claim: str) -> Verdict:
    """The verdict on one claim about a program, or about one of the battery."""
    statements = read_statements(f"{PROGRAMS.get(program, program)}\nclaim {claim}")
    claims = tuple(s for s in statements if isinstance(s, Claim))
    (judged,) = judge_claims(assemble(statements), claims)
    return judged.verdict


@pytest.mark.parametrize(
    ("program", "claim", "lacking"),
    [
        # The sign
        ("softmax assumed", "d loss / d z[n,k] = (y[n,k] - p[n,k])/N", "the claim has the wrong sign"),
        ("distillation", "d loss / d z[n,k] = q[n,k] - p[n,k]", "the claim has the wrong sign"),
        (
            "layer norm",
            "d loss / d x[n,d] = (adj(xh[n,d]) - mean(j, adj(xh[n,j])) + xh[n,d]*mean(j, adj(xh[n,j])*xh[n,j]))/s[n]",
            "the claim has the term xh[n,d]*mean(j, adj(xh[n,j])*xh[n,j]) with the wrong sign",
        ),
        # A factor, also one that is a sum over the batch for a mean
        ("softmax assumed", "d loss / d W[k,d] = sum(n, (p[n,k] - y[n,k])*x[n,d])", "the claim lacks the factor 1/N"),
        ("attention", "d loss / d Q[t,d] = sum(s, adj(z[t,s])*K[s,d])", "the claim lacks the factor 1/sqrt(D)"),
        ("contrastive", "d loss / d q[n,d] = (sum(m, p[n,m]*k[m,d]) - k[n,d])/N", "the claim lacks the factor 1/tau"),
        (MSE, "d loss / d W[k,d] = sum(n, (z[n,k] - y[n,k])*x[n,d])/(N*K)", "the claim lacks the factor 2"),
        (MSE, "d loss / d W[k,d] = 2*sum(n, (z[n,k] - y[n,k])*x[n,d])/N", "the claim lacks the factor 1/K"),
        (
            "layer norm",
            "d loss / d beta[d] = mean(n, g[n,d])",
            "the claim has the mean over n in place of the sum",
        ),
        (
            "attention",
            "d loss / d V[s,e] = sum(t, g[t,e])",
            "the claim lacks the factor p[t,s] under the sum over t",
        ),
        (
            "relu net",
            "d loss / d z1[n,h] = sum(k, W2[k,h]*adj(z2[n,k]))",
            "the claim lacks the factor where(z1[n,h] > 0, 1, 0)",
        ),
        (
            "ridge",
            "d loss / d w[d] = 2/N*sum(n, X[n,d]*r[n]) + lam*w[d]",
            "the claim lacks the factor 2 at lam*w[d]",
        ),
        (
            "embedding",
            "d loss / d E[v,d] = sum(n, 2*g[n,d]*w[d]*E[v,d])",
            "the claim lacks the factor where(tok[n] == v, 1, 0) under the sum over n",
        ),
        ("gaussian", "d loss / d m[n] = x[n]*(m[n] - x[n])/exp(2*l[n])", "the claim has the extra factor x[n]"),
        # A term, or a path of the chain rule
        (
            "softmax assumed",
            "d loss / d x[n,d] = sum(k, W[k,d]*p[n,k])/N",
            "the claim lacks the term -sum(k, y[n,k]*W[k,d])/N",
        ),
        (
            "layer norm",
            "d loss / d x[n,d] = (1/D)/s[n]*(D*g[n,d]*gamma[d] - xh[n,d]*sum(j, g[n,j]*gamma[j]*xh[n,j]))",
            "the path through mu is missing from the claim",
        ),
        (
            "layer norm",
            "d loss / d x[n,d] = g[n,d]*gamma[d]/s[n]",
            "the paths through mu and v are missing from the claim",
        ),
        (
            "rms norm",
            "d loss / d x[n,d] = g[n,d]*gamma[d]/r[n]",
            "the path through mean(d, x[n,d]^2) is missing from the claim",
        ),
        ("rnn", "adj(h[t,i]) = g[t,i]", "the path through z[t+1,j] is missing from the claim"),
        ("ridge", "d loss / d w[d] = 2/N*sum(n, X[n,d]*r[n]) + 2*lam*w[d] + w[d]", "the claim has the extra term w[d]"),
        # A sum over the batch
        ("sigmoid net", "d loss / d b3[k] = adj(z3[1,k])", "the claim lacks the sum over n"),
        ("conv2d", "d loss / d b[f] = sum(p, q, g[1,f,p,q])", "the claim lacks the sum over n"),
        ("softmax assumed", "d loss / d b[k] = adj(z[n,k])", "the claim lacks the sum over n"),
        # Indices
        (
            "sigmoid net",
            "d loss / d z1[n,h] = sum(j, W2[h,j]*adj(z2[n,j]))*a1[n,h]*(1 - a1[n,h])",
            "the claim has W2[h,j] in place of W2[j,h]",
        ),
        ("causal attention", "d loss / d V[s,e] = sum(t, p[s,t]*g[t,e])", "the claim has p[s,t] in place of p[t,s]"),
        ("rnn", "d loss / d U[i,j] = sum(t, adj(z[t,i])*h[t,j])", "the claim has h[t,j] in place of h[t-1,j]"),
        (
            "conv1d",
            "d loss / d x[n,c,m] = sum(f, r, w[f,c,r]*g[n,f,m+r-1])",
            "the claim has g[n,f,m+r-1] in place of g[n,f,m-r+1]",
        ),
        ("determinant", "d loss / d A[i,j] = inv(A)[i,j] - sum(k, l, inv(A)[k,i]*B[l,k]*inv(A)[j,l])", "inv(A)[j,i]"),
        # One layer off
        (
            "sigmoid net",
            "d loss / d W3[k,j] = sum(n, adj(z3[n,k])*a1[n,j])",
            "the claim has a1[n,j] in place of a2[n,j]",
        ),
        (
            "sigmoid net",
            "d loss / d a1[n,h] = sum(j, W2[j,h]*adj(z1[n,j]))",
            "the claim has adj(z1[n,j]) in place of adj(z2[n,j])",
        ),
        # The diagonal of a Jacobian
        (
            "softmax",
            "d p[n,k] / d z[n,j] = p[n,k]*(1 - p[n,k])",
            "the claim holds where j = k, not in general: it is the diagonal of the Jacobian of p by z",
        ),
        (
            "attention",
            "d loss / d z[t,s] = p[t,s]*(1 - p[t,s])*adj(p[t,s])",
            "the claim takes the diagonal of the Jacobian of p by z in place of the Jacobian",
        ),
        # A derivative at another point
        (
            "sigmoid net",
            "d loss / d z2[n,h] = sum(k, W3[k,h]*adj(z3[n,k]))*sigmoid'(a2[n,h])",
            "the claim has sigmoid'(a2[n,h]) in place of sigmoid'(z2[n,h])",
        ),
        ("rnn", "adj(z[t,i]) = adj(h[t,i])*(1 - z[t,i]^2)", "the claim has z[t,i] in place of h[t,i]"),
        # What is taken for granted
        (
            "softmax",
            "d loss / d z[n,k] = (p[n,k] - y[n,k])/N",
            "the claim holds if sum(k, y[n,k]) = 1, which is not assumed",
        ),
        (
            UNIT,
            "d loss / d m[d] = 2*m[d] - 2*sum(n, w[n]*x[n,d])",
            "the claim holds if sum(n, w[n]) = 1, which is not assumed",
        ),
        (
            "label smoothing",
            "d loss / d z[n,k] = (p[n,k] - where(y[n] == k, 1, 0))/N",
            "the claim holds for e = 0, not in general",
        ),
        (
            "layer norm",
            "d loss / d gamma[d] = sum(n, g[n,d]*(x[n,d] - mu[n])/sqrt(v[n]))",
            "the claim holds for eps = 0, not in general",
        ),
        # Rounded constants
        (
            GELU,
            "d loss / d x[n] = g[n]/2*(1 + tanh(sqrt(2/pi)*(x[n] + 0.044715*x[n]^3))"
            " + x[n]*0.79788*(1 + 0.134145*x[n]^2)*(1 - tanh(sqrt(2/pi)*(x[n] + 0.044715*x[n]^3))^2))",
            "the claim has 0.79788 in place of sqrt(2/pi), off by at most 4.6e-06",
        ),
        (
            "gelu",
            "d loss / d x[n] = g[n]*((1 + erf(x[n]/sqrt(2)))/2 + x[n]*exp(-x[n]^2/2)*0.3989)",
            "the claim has 0.3989 in place of 1/sqrt(2*pi), off by at most 4.3e-05",
        ),
        # Sizes that are numbers
        (
            FIXED,
            "d loss / d W[i,j] = sum(n, 2*(a[n,i] - y[n,i])*(1 - a[n,i])*x[n,j])",
            "the claim has a[n,i] in place of a[n,i]^2",
        ),
        # What is no factor, though the left side over the right one always is
        (
            "input x[N]\nparam a, b\np[n] = sigmoid(a*x[n] + b)\nloss = sum(n, p[n])\n",
            "p[n] = 1/(1 + exp(-a*x[n] + b))",
            "the claim has the term b with the wrong sign",
        ),
    ],
)
def test_what_a_claim_lacks(program: str, claim: str, lacking: str) -> None:
    """One thing is wrong, and it is named."""
    verdict = judge(program, claim)

    assert verdict.refuted, verdict
    assert lacking in verdict.diagnosis


@pytest.mark.parametrize(
    ("program", "claim"),
    [
        ("softmax assumed", "d loss / d W[k,d] = sum(n, (p[n,k] + y[n,k])*x[n,d]^2)"),
        ("layer norm", "d loss / d x[n,d] = (g[n,d]*gamma[d] + xh[n,d]*sum(j, g[n,j]))/v[n]"),
        ("attention", "d loss / d K[s,d] = sum(t, Q[t,d]*sum(e, g[t,e]*V[s,e]))"),
        ("rnn", "d loss / d W[i,d] = sum(t, adj(h[t,i])*(1 - h[t,i])*x[t,d]^2)"),
        ("conv1d", "d loss / d x[n,c,m] = 2*sum(f, r, w[f,c,r]*g[n,f,m+r])"),
        ("swiglu", "d loss / d u[n,h] = g[n,h]*v[n,h]*sigmoid(u[n,h])*(1 - sigmoid(u[n,h]))"),
        ("sigmoid net", "d loss / d W1[h,d] = sum(n, adj(z2[n,h])*a1[n,h]*x[n,d])"),
        (FIXED, "d loss / d W[i,j] = sum(n, (a[n,i] - y[n,i])*(1 - a[n,i])*x[n,j])"),
    ],
)
def test_two_unrelated_mistakes_get_no_words(program: str, claim: str) -> None:
    """No single change makes such a claim right, and a wrong diagnosis would be worse than none."""
    verdict = judge(program, claim)

    assert verdict.refuted, verdict
    assert verdict.diagnosis == ""


@pytest.mark.parametrize(
    "claim", ["adj(c[t,k]) = adj(h[t,k])*u[t,k]", "d loss / d A[k,j] = sum(t, adj(c[t,k])*x[t,j])"]
)
def test_the_search_is_bounded(claim: str) -> None:
    """The search stops after about a second, also where it finds nothing."""
    verdict = judge("lstm", claim)

    assert verdict.refuted
    assert verdict.diagnosis == ""


def test_a_repair_is_a_claim_that_holds() -> None:
    """What is put in place makes the claim right."""
    claim = "d loss / d U[i,j] = sum(t, adj(z[t,i])*h[t,j])"
    found = re.fullmatch(r"the claim has (.*) in place of (.*)", judge("rnn", claim).diagnosis)

    assert found is not None
    assert judge("rnn", claim.replace(found[1], found[2])).proved


HALVES = "input x[N], b[M]\nparam s\nloss = s*sum(i, x[i])*sum(j, b[j])"
UNUSED = [
    ("sum(i, x[i]) = 2*mean(j:M, sum(i, x[i]))", "the claim has the extra factor 2"),
    ("sum(i, x[i]) = mean(j:M, mean(i, x[i]))", "the claim has the mean over i in place of the sum"),
    ("sum(i, x[i]^3) = sum(i, mean(j:M, x[i]^2))", "the claim has x[i]^2 in place of x[i]^3"),
]


@pytest.mark.parametrize(("claim", "lacking"), UNUSED)
def test_a_range_on_which_nothing_depends_is_no_obstacle(claim: str, lacking: str) -> None:
    """The mean over j of what does not read j needs no size M, in the search for a repair either."""
    assert judge(HALVES, claim).diagnosis == lacking


RELU = "input x\nparam w\nz = w*x\na = relu(z)\nloss = a^2/2"


@pytest.mark.parametrize("claim", ["maximum(0, z*x)", "where(w*x^2 > 0, w*x^2, 0)", "where(sqrt(w) > 0, z*x, 0)"])
def test_a_comparison_without_numbers_costs_no_verdict(claim: str) -> None:
    """Repairs are tried that compare 1/0, or the root of a negative number."""
    assert sb.verify_gradient(sb.parse(RELU), "w", claim).refuted


def test_a_search_that_breaks_costs_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked for behind a refutation never takes it back."""

    def break_down(*_: object) -> object:
        raise TypeError("a comparison that SymPy refuses")

    monkeypatch.setattr(repairs, "list_missing_paths", break_down)

    assert judge(RELU, "d loss / d w = z*x + 1").refuted


@pytest.mark.parametrize("claim", ["sum(i, x[i]^2) = 1", "x[2]*s = 0", "1 = s/(1 + x[1]^2)"])
def test_a_number_lacks_nothing_but_everything(claim: str) -> None:
    """That 1 lacks the factor x to be x says no more than the claim itself."""
    verdict = judge(HALVES, claim)

    assert verdict.refuted
    assert "lacks" not in verdict.diagnosis


@pytest.mark.parametrize(("claim", "said"), [
    ("d w / d z = 1/x", "the derivative is 0, as w is not made of z"),
    ("d loss / d u = (z - y)*x/(2*w)", "the derivative is 0, as loss is not made of u"),
    ("z - z = x", ""),
])  # fmt: skip
def test_a_derivative_that_is_zero_lacks_nothing(claim: str, said: str) -> None:
    """That one is not made of the other is said, and not what would have to be changed to make the claim 0."""
    program = "input x, y\nparam w, b\nz = w*x + b\nu = w^2\nloss = (z - y)^2/2\n"
    statements = read_statements(f"{program}claim {claim}")
    (judged,) = judge_claims(assemble(statements), tuple(s for s in statements if isinstance(s, Claim)))

    assert judged.verdict.refuted
    assert judged.verdict.diagnosis == said
