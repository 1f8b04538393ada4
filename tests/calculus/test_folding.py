"""Folding: the textbook forms, each equal to the raw adjoints, each step proved, wrong steps refused."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import sympy

import symbackprop as sb
from symbackprop.calculus.chain import derive
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.expansion import Expansion, entry_symbol
from symbackprop.calculus.folding import Folding, fold
from symbackprop.calculus.foldkeys import Numbering
from symbackprop.calculus.foldsteps import FoldStep, check_step
from symbackprop.calculus.programs import Program

NORM = "input x[N,D], g[N,D]\nparam gamma[D]\nconst eps\nassume eps > 0\n"
SCALED = "y[n,d] = gamma[d]*xh[n,d]\nloss = sum(n, d, g[n,d]*y[n,d])"
MSE = """input x[N,D], y[N,K]
param W[K,D], b[K]
z[n,k] = sum(d, W[k,d]*x[n,d]) + b[k]
a[n,k] = sigmoid(z[n,k])
loss = sum(n, k, (a[n,k] - y[n,k])^2)/(N*K)"""
MLP = """input x[N,D], y[N,K]
param W[H,D], b[H], V[K,H], c[K]
z[n,i] = sum(d, W[i,d]*x[n,d]) + b[i]
a[n,i] = tanh(z[n,i])
u[n,k] = sum(i, V[k,i]*a[n,i]) + c[k]
o[n,k] = tanh(u[n,k])
loss = mean(n, k, (o[n,k] - y[n,k])^2)"""
SOFTMAX = "p[n,k] = exp(z[n,k])/sum(j, exp(z[n,j]))\nloss = -sum(n, k, y[n,k]*log(p[n,k]))/N"
CE = f"input z[N,K], y[N,K]\n{SOFTMAX}"
CE_ASSUMED = f"input z[N,K], y[N,K]\nassume sum(k, y[n,k]) = 1\n{SOFTMAX}"
LOG_SOFTMAX = """input z[N,K], g[N,K]
l[n,k] = z[n,k] - log(sum(j, exp(z[n,j])))
p[n,k] = exp(l[n,k])
loss = sum(n, k, g[n,k]*l[n,k])"""
BCE = "input z[N], y[N]\np[n] = sigmoid(z[n])\nloss = -mean(n, y[n]*log(p[n]) + (1 - y[n])*log(1 - p[n]))"
LAYER_NORM = f"""{NORM}mu[n] = mean(d, x[n,d])
var[n] = mean(d, (x[n,d] - mu[n])^2)
s[n] = sqrt(var[n] + eps)
xh[n,d] = (x[n,d] - mu[n])/s[n]
{SCALED}"""
RMS_NORM = f"""{NORM}r[n] = sqrt(mean(d, x[n,d]^2) + eps)
xh[n,d] = x[n,d]/r[n]
{SCALED}"""
ATTENTION = """input Q[T,D], K[U,D], V[U,E], g[T,E]
s[t,u] = sum(d, Q[t,d]*K[u,d])/sqrt(D)
P[t,u] = exp(s[t,u])/sum(v, exp(s[t,v]))
O[t,e] = sum(u, P[t,u]*V[u,e])
loss = sum(t, e, g[t,e]*O[t,e])"""
COSINE = """input x[N,D], y[N,D], g[N]
nx[n] = sqrt(sum(d, x[n,d]^2))
ny[n] = sqrt(sum(d, y[n,d]^2))
c[n] = sum(d, x[n,d]*y[n,d])/(nx[n]*ny[n])
loss = sum(n, g[n]*c[n])"""
HUBER = """input y[N]
param a[N]
r[n] = a[n] - y[n]
loss = mean(n, where(abs(r[n]) <= 1, r[n]^2/2, abs(r[n]) - 1/2))"""


def activation(formula: str) -> str:
    """A program that applies one function to every entry."""
    return f"input z[N,K], g[N,K]\na[n,k] = {formula}\nloss = sum(n, k, g[n,k]*a[n,k])"


FORMS = {
    "sigmoid layer": (MSE, "W b", ("z_bar[n,k] = 2*a[n,k]*(1 - a[n,k])*(a[n,k] - y[n,k])/(N*K)",)),
    "tanh network": (
        MLP,
        "W b V c",
        (
            "u_bar[n,k] = 2*(o[n,k] - y[n,k])*(1 - o[n,k]^2)/(N*K)",
            "z_bar[n,i] = (1 - a[n,i]^2)*sum(k, u_bar[n,k]*V[k,i])",
            "W_bar[i,d] = sum(n, z_bar[n,i]*x[n,d])",
        ),
    ),
    "cross-entropy": (CE, "z", ("z_bar[n,j] = (p[n,j]*sum(k, y[n,k]) - y[n,j])/N",)),
    "cross-entropy, sum y = 1": (CE_ASSUMED, "z", ("z_bar[n,j] = (p[n,j] - y[n,j])/N",)),
    "log-softmax": (LOG_SOFTMAX, "z", ("z_bar[n,j] = g[n,j] - p[n,j]*sum(k, g[n,k])",)),
    "bce": (BCE, "z", ("z_bar[n] = (p[n] - y[n])/N",)),
    "bce of logits": (
        "input y[N]\nparam a[N]\nloss = mean(n, softplus(a[n]) - y[n]*a[n])",
        "a",
        ("a_bar[n] = (sigmoid(a[n]) - y[n])/N",),
    ),
    "layer norm": (
        LAYER_NORM,
        "x",
        (
            "xh_bar[n,d] = g[n,d]*gamma[d]",
            "x_bar[n,d] = ((xh_bar[n,d] - mean(f, xh_bar[n,f]) - xh[n,d]*mean(f, xh_bar[n,f]*xh[n,f]))/s[n])",
        ),
    ),
    "rms norm": (
        RMS_NORM,
        "x",
        ("x_bar[n,d] = (xh_bar[n,d] - xh[n,d]*mean(f, xh_bar[n,f]*xh[n,f]))/r[n]",),
    ),
    "attention": (
        ATTENTION,
        "Q K V",
        (
            "P_bar[t,u] = sum(e, g[t,e]*V[u,e])",
            "s_bar[t,u] = (P_bar[t,u] - sum(v, P_bar[t,v]*P[t,v]))*P[t,u]",
            "Q_bar[t,d] = sum(u, s_bar[t,u]*K[u,d])/sqrt(D)",
        ),
    ),
    "cosine": (COSINE, "x", ("x_bar[n,d] = g[n]*(y[n,d]/ny[n] - c[n]*x[n,d]/nx[n])/nx[n]",)),
    "huber": (
        HUBER,
        "a",
        ("a_bar[n] = (where(abs(r[n]) <= 1, r[n], where(r[n] > 0, 1, where(r[n] == 0, 0, -1)))/N)",),
    ),
    "sigmoid": (activation("sigmoid(z[n,k])"), "z", ("z_bar[n,k] = g[n,k]*a[n,k]*(1 - a[n,k])",)),
    "tanh": (activation("tanh(z[n,k])"), "z", ("z_bar[n,k] = g[n,k]*(1 - a[n,k]^2)",)),
    "relu": (activation("relu(z[n,k])"), "z", ("z_bar[n,k] = g[n,k]*where(z[n,k] > 0, 1, 0)",)),
    "leaky relu": (activation("leaky_relu(z[n,k])"), "z", ("z_bar[n,k] = g[n,k]*where(z[n,k] > 0, 1, 1/100)",)),
    "elu": (activation("elu(z[n,k])"), "z", ("z_bar[n,k] = g[n,k]*where(z[n,k] > 0, 1, exp(z[n,k]))",)),
    "softplus": (activation("softplus(z[n,k])"), "z", ("z_bar[n,k] = g[n,k]*sigmoid(z[n,k])",)),
    "silu": (
        activation("silu(z[n,k])"),
        "z",
        ("z_bar[n,k] = g[n,k]*(1 + z[n,k]*(1 - sigmoid(z[n,k])))*sigmoid(z[n,k])",),
    ),
    # [z > 6] decides [z > 0], so that nothing is said twice.
    "relu6": (
        activation("relu6(z[n,k])"),
        "z",
        ("z_bar[n,k] = g[n,k]*where(z[n,k] < 6, where(z[n,k] > 0, 1, 0), 0)",),
    ),
    "log sigmoid": (activation("log_sigmoid(z[n,k])"), "z", ("z_bar[n,k] = g[n,k]*(1 - sigmoid(z[n,k]))",)),
    "softsign": (
        activation("softsign(z[n,k])"),
        "z",
        ("z_bar[n,k] = g[n,k]*where(z[n,k] > 0, (1 - a[n,k])^2, (1 + a[n,k])^2)",),
    ),
    "mish": (
        activation("mish(z[n,k])"),
        "z",
        (
            "z_bar[n,k] = (g[n,k]*(tanh(softplus(z[n,k])) "
            "+ (1 - tanh(softplus(z[n,k]))^2)*z[n,k]*sigmoid(z[n,k])))",
        ),
    ),
    "exp": (activation("exp(z[n,k])"), "z", ("z_bar[n,k] = g[n,k]*a[n,k]",)),
    "sqrt": (activation("sqrt(z[n,k])"), "z", ("z_bar[n,k] = g[n,k]/(2*a[n,k])",)),
    "diagonal": (
        "param W[N,N]\nloss = sum(i, W[i,i]^2) + sum(i, j, W[i,j]*W[j,i])",
        "W",
        ("W_bar[i,j] = 2*(W[j,i] + where(i == j, W[i,i], 0))",),
    ),
    # A branch that is not taken may be infinite: it stays a choice and never becomes a product with zero.
    "masked logarithm": (
        "param w[N]\nl[n] = where(w[n] > 0, log(w[n]), 0)\nloss = sum(n, l[n]^2)",
        "w",
        ("w_bar[n] = where(w[n] > 0, 2*l[n]/w[n], 0)",),
    ),
    # w^3 = l does not say that w^2 is a real power of l.
    "cube": ("param w[N]\nl[n] = w[n]^3\nloss = sum(n, sin(l[n]))", "w", ("w_bar[n] = 3*cos(l[n])*w[n]^2",)),
}


def folded(text: str, wrt: str, assume: bool = True) -> tuple[Program, tuple[Definition, ...], Folding]:
    """The program, its raw adjoints and the folded ones."""
    program = sb.parse(text).core
    adjoints = derive(program, "loss", tuple(wrt.split()))
    return program, adjoints.definitions, fold(adjoints, program.assumptions if assume else ())


def spoil(step: FoldStep) -> list[FoldStep]:
    """The step with a factor and with a term too many."""
    main, *hidden = step.after
    if not main.terms:
        return []
    first = main.terms[0]
    factor = replace(main, terms=(replace(first, body=first.body * sympy.Rational(1001, 1000)), *main.terms[1:]))
    twice = replace(main, terms=(*main.terms, first))
    return [replace(step, after=(wrong, *hidden)) for wrong in (factor, twice)]


@pytest.mark.parametrize("name", FORMS)
def test_adjoints_fold_to_the_textbook_form(name: str) -> None:
    """The text of the derivation has the lines of a textbook."""
    text, wrt, lines = FORMS[name]
    written = sb.derive(sb.parse(text), wrt=tuple(wrt.split())).text()
    flat = [" ".join(line.split()) for line in written.replace("\n ", " ").splitlines()]

    assert [line for line in lines if line not in flat] == [], flat


@pytest.mark.parametrize("name", FORMS)
def test_every_step_is_proved_and_wrong_ones_are_refused(name: str) -> None:
    """The normal form proves each step; it refuses one with a factor, and one with a term too many."""
    text, wrt, _ = FORMS[name]
    program, _, folding = folded(text, wrt)

    for step in folding.steps:
        assert check_step(program, step, program.assumptions)
    for wrong in spoil(folding.steps[-1]) if folding.steps else ():
        assert not check_step(program, wrong, program.assumptions)


@pytest.mark.parametrize("name", FORMS)
def test_folded_and_raw_adjoints_have_the_same_values(name: str) -> None:
    """Without assumptions on the data, each gradient entry agrees at a rational point to 30 digits."""
    text, wrt, _ = FORMS[name]
    program, raw, folding = folded(text, wrt, assume=False)
    sizes = {size: 2 + k % 2 for k, size in enumerate(program.size_names)}
    before, after = (Expansion(program.extended(d), sizes) for d in (raw, folding.definitions))
    point = {
        entry_symbol(leaf.name, entry): sympy.Rational(3 + (7 * k + 5 * sum(entry)) % 11, 8 + sum(entry))
        for k, leaf in enumerate(program.leaves)
        for entry in before.entries(leaf.name)
    }
    for tensor in wrt.split():
        for entry in before.entries(f"{tensor}_bar"):
            values = [e.entry(f"{tensor}_bar", entry).xreplace(point).evalf(40) for e in (before, after)]

            assert abs(values[0] - values[1]) < sympy.Float("1e-30")


def test_an_assumption_is_used_only_where_it_is_stated() -> None:
    """p - y rests on sum(k, y) = 1: a step says so, and is refused where that is not believed."""
    program, _, with_it = folded(CE_ASSUMED, "z")
    _, _, without = folded(CE_ASSUMED, "z", assume=False)
    resting = [s for s in with_it.steps if program.assumptions[0] in s.identities]

    assert resting
    assert not any(check_step(program, s) for s in resting)
    assert all(check_step(program, s) for s in without.steps)
    assert not any(program.assumptions[0] in s.identities for s in without.steps)


def test_gradients_that_were_asked_for_stay() -> None:
    """An adjoint that its only reader could take in is kept when it is asked for."""
    _, _, folding = folded(MSE, "a W")

    assert folding.definition("a_bar") is not None
    assert folding.definition("W_bar") is not None


def test_the_delta_recursion_keeps_its_order() -> None:
    """No folded sum of a network runs over more than one index: a layer is not written into the layer below it."""
    _, _, folding = folded(MLP, "W b V c")

    assert max(len(t.bound) for d in folding.definitions for t in d.terms) == 1


def test_equal_layers_share_their_folds() -> None:
    """64 dense layers fold in well under a second of their own, the inner ones to one form up to names."""
    core = sb.mlp([f"n{k}" for k in range(65)], activation="tanh", loss="mse").program.core
    adjoints = derive(core, "loss", tuple(t.name for t in core.leaves if t.role.value == "param"))
    start = time.process_time()
    folding = fold(adjoints, core.assumptions)
    elapsed = time.process_time() - start
    inner = [folding.definition(f"z{k}_bar") for k in range(2, 63)]

    assert elapsed < 2
    assert len({Numbering().definition(d) for d in inner if d is not None}) == 1
    assert len(folding.definitions) == 3 * 64


def test_what_has_no_short_form_is_left_alone() -> None:
    """A formula too entangled to fold takes bounded time, and what is folded of it is proved."""
    text = (
        "input X\nparam W[H], V[H,H]\nt0[q,r] = V[q,r]/10 + X/3 - V[r,q]\n"
        "t1[i] = erf((gelu(t0[i,i])/3 - W[i])*abs(t0[i,i]/3 - mean(k, W[k])))\n"
        "t2[n] = sigmoid(maximum(cosh(sin(t1[n])), exp(tanh(W[n]))))\n"
        "t3[j,i] = sigmoid(minimum(mean(m, W[m])/(1 + t0[i,i]^2) + mean(q, t0[q,q])/(1 + t2[j]^2), t0[j,j]))\n"
        "loss = mean(i, j, t0[i,j]) + mean(i, sin(t1[i])) + erf(sum(q, t3[q,q]))^2"
    )
    start = time.process_time()
    program, _, folding = folded(text, "W V")

    assert time.process_time() - start < 20
    assert all(check_step(program, step) for step in folding.steps)


def test_conditions_that_turn_round_with_their_names_fold_too() -> None:
    """A sum over two indices of a comparison between them is one term under any names: this once had no fold."""
    text = (
        "input X[N,N], Y\nparam W[N,N]\n"
        "t0[p,i] = (2 + tanh(sum(j, W[j,argmax(k, X[k,j]*cos(k) + X[k,j])])))^sin(X[i,p])\n"
        "t1[i:N,j:N] = where(i < j, tanh(where(X[i,i] < 0.1, Y, t0[j,j])), X[i,i])\n"
        "loss = sum(i, j, t1[i,j]) + sum(i, X[i,i])"
    )
    program, _, folding = folded(text, "W")

    assert all(check_step(program, step) for step in folding.steps)
