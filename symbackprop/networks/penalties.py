"""Penalties on a tensor of parameters, as formula text over `w`. Adding one is one object here."""

from __future__ import annotations

from symbackprop.networks.fragments import Fragment
from symbackprop.networks.objectives import Loss

SAMPLED = ({"N": 3}, {"N": 5})

L1_PENALTY = Loss(
    Fragment(
        "l1_penalty",
        "input w[...]\nloss = sum(..., abs(w[...]))",
        "Tibshirani 1996, Regression shrinkage and selection via the lasso",
        SAMPLED,
    ),
    "sum over all entries",
    "units of the parameters",
)
L2_PENALTY = Loss(
    Fragment(
        "l2_penalty",
        "input w[...]\nloss = sum(..., w[...]^2)",
        "Hoerl and Kennard 1970, Ridge regression: biased estimation for nonorthogonal problems",
        SAMPLED,
    ),
    "sum over all entries, without one half",
    "squared units of the parameters",
)

PENALTIES = (L1_PENALTY, L2_PENALTY)
