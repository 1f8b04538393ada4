"""The two sides of a claim: what is nested in one is never taken for what is nested in the other."""

from __future__ import annotations

import pytest

from symbackprop.language import read_statements
from symbackprop.language.assembly import assemble
from symbackprop.language.tree import Claim
from symbackprop.proof.documents import judge_claims

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
