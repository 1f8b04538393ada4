"""A folded derivation is certified, and a planted wrong fold is refuted although nothing else would notice."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy

import symbackprop as sb
from symbackprop.proof.certificates import certify

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
}


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
