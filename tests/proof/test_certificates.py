"""A folded derivation is certified, and a planted wrong fold is refuted although nothing else would notice."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy

import symbackprop as sb
from symbackprop.calculus.chain import Adjoints
from symbackprop.calculus.folding import fold
from symbackprop.calculus.normal_forms import NormalForms
from symbackprop.calculus.replay import prove_chain_step, replay
from symbackprop.proof.certificates import certify

RECURRENCE = sb.parse(
    """input x[T,D], y[T,H]
    param W[H,D], U[H,H], h0[H]
    h[0,i] = h0[i]
    h[t,i] = tanh(sum(d, W[i,d]*x[t,d]) + sum(j, U[i,j]*h[t-1,j]))
    loss = sum(t:T, i, (h[t,i] - y[t,i])^2)/2"""
)
PROGRAMS = {
    "network": sb.mlp(["D", "H", "K"], activation="tanh", loss="cross_entropy").program,
    "seed": sb.mlp([3, 3, 3], batch=None).program,
    "layer norm": sb.parse(
        """input x[N,D], g[N,D]
        const eps
        assume eps > 0
        mu[n] = mean(d, x[n,d])
        s[n] = sqrt(mean(d, (x[n,d] - mu[n])^2) + eps)
        xhat[n,d] = (x[n,d] - mu[n])/s[n]
        loss = sum(n, d, g[n,d]*xhat[n,d])"""
    ),
    "recurrence": RECURRENCE,
    "strided and dilated": sb.parse(
        """input x[N,C,H]
        param w[K,C,R], E[V,C]
        index tok[N] in V
        y[n,k,p:H] = sum(c, r, w[k,c,r]*x[n,c,2*p+3*r-4])
        m[n,p] = max(k, y[n,k,p])
        loss = sum(n, p, m[n,p]*sum(c, E[tok[n],c]))"""
    ),
    "a matrix function": sb.parse("param A[N,N]\ninput b[N]\nv[i] = solve(A, b)[i]\nloss = logdet(A) + sum(i, v[i]^2)"),
}


def spoil_chain(derivation: sb.Derivation) -> dict[str, Adjoints]:
    """The adjoints with mistakes in the step of the last of them that has a term."""
    core = derivation.core
    position = max(k for k, s in enumerate(core.steps) if s.adjoint.terms)
    step = core.steps[position]
    first, *others = step.adjoint.terms
    wrong = {
        "a factor": (replace(first, body=first.body * 2), *others),
        "a sign": (replace(first, body=-first.body), *others),
        "a path left out": tuple(others),
    }
    spoiled = {}
    for name, terms in wrong.items():
        changed = replace(step, adjoint=replace(step.adjoint, terms=terms))
        spoiled[name] = replace(core, steps=(*core.steps[:position], changed, *core.steps[position + 1 :]))
    return spoiled


@pytest.mark.parametrize("name", PROGRAMS)
def test_folded_derivations_are_certified(name: str) -> None:
    """Every step is proved for all sizes and the numbers agree."""
    verdict = sb.derive(PROGRAMS[name]).certify()

    assert verdict.proved, str(verdict)


def test_a_planted_wrong_fold_is_refuted() -> None:
    """An adjoint with a changed factor is found by evaluation."""
    derivation = sb.derive(PROGRAMS["network"])
    first, *others = derivation.folding.definitions
    (term, *rest) = first.terms
    wrong = replace(first, terms=(replace(term, body=sympy.Rational(1001, 1000) * term.body), *rest))
    verdict = certify(derivation.core, replace(derivation.folding, definitions=(wrong, *others)))

    assert verdict.refuted
    assert first.tensor.name in verdict.diagnosis


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_wrong_step_of_the_chain_rule_has_no_proof(name: str) -> None:
    """A factor, a sign, or a path that is left out is found, although the folds of the wrong adjoints are right."""
    for mistake, wrong in spoil_chain(sb.derive(PROGRAMS[name])).items():
        verdict = certify(wrong, fold(wrong, wrong.program.assumptions))

        assert not verdict.proved, mistake
        assert "chain rule" in verdict.reason or verdict.refuted


@pytest.mark.parametrize("name", PROGRAMS)
def test_replaying_the_steps_gives_the_result(name: str) -> None:
    """The recorded steps, walked from the chain rule on, end in the folded definitions; without one they do not."""
    derivation = sb.derive(PROGRAMS[name])
    folding = derivation.folding
    assert replay(derivation.core, folding) == folding.definitions
    if folding.steps:
        shorter = replace(folding, steps=folding.steps[:-1])

        assert replay(derivation.core, shorter) != folding.definitions


def test_tangents_and_second_derivatives_are_proved_too() -> None:
    """The steps of products with vectors and of Hessians have statements of their own."""
    derivation = sb.derive(RECURRENCE)
    for derived in (derivation.jvp(), derivation.hvp(), derivation.hessian("U", "h0")):
        core = derived.core
        forms = NormalForms(core.program.extended(core.definitions), (), 20_000)

        assert [s.tensor for s in core.steps if not prove_chain_step(forms, core, s)] == []


def test_sums_whose_terms_do_not_merge_are_counted_in_one_way_too() -> None:
    """A sum whose body became several products is left as it is: this derivation once could not be printed."""
    derivation = sb.derive(
        sb.parse(
            "param c[D], a[T]\n"
            "H[i:T,j:D] = (where(i < j, 1, a[j+1]) + 1)*exp(-c[i%3+1]^2)\n"
            "loss = sum(p:T, s:D, H[p+1,s]*c[s])"
        )
    )

    assert derivation.certify().proved
