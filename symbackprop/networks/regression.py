"""Losses of numbers, as formula text over outputs `a` and targets `y`. Adding one is one object here."""

from __future__ import annotations

from symbackprop.networks.fragments import Fragment
from symbackprop.networks.objectives import BISHOP, SHAPES, Loss

MSE = Loss(
    Fragment(
        "mse",
        "input a[...,K], y[...,K]\nloss = mean(..., i, (a[...,i] - y[...,i])^2)",
        BISHOP + "section 1.1",
        SHAPES,
    ),
    "mean over all entries",
    "squared units of the target",
)
MAE = Loss(
    Fragment(
        "mae",
        "input a[...,K], y[...,K]\nloss = mean(..., i, abs(a[...,i] - y[...,i]))",
        BISHOP + "section 1.5.5",
        SHAPES,
    ),
    "mean over all entries",
    "units of the target",
)
HUBER = Loss(
    Fragment(
        "huber",
        """
        input a[...,K], y[...,K]
        r[...,i] = a[...,i] - y[...,i]
        loss = mean(..., i, where(abs(r[...,i]) <= {delta}, r[...,i]^2/2, {delta}*(abs(r[...,i]) - {delta}/2)))
        """,
        "Huber 1964, Robust estimation of a location parameter",
        SHAPES,
        {"delta": "1"},
    ),
    "mean over all entries; delta in units of the target",
    "squared units of the target",
)
LOG_COSH = Loss(
    Fragment(
        "log_cosh",
        "input a[...,K], y[...,K]\nloss = mean(..., i, log(cosh(a[...,i] - y[...,i])))",
        "Green 1990, Bayesian reconstructions from emission tomography data using a modified EM algorithm",
        SHAPES,
    ),
    "mean over all entries",
    "none; the residuals are numbers",
)
POISSON_NLL = Loss(
    Fragment(
        "poisson_nll",
        "input a[...,K], y[...,K]\nloss = mean(..., i, exp(a[...,i]) - y[...,i]*a[...,i])",
        "Nelder and Wedderburn 1972, Generalized linear models",
        SHAPES,
    ),
    "mean over all entries; the outputs are logarithms of rates, the targets counts, log(y!) is left out",
    "nats",
)
GAUSSIAN_NLL = Loss(
    Fragment(
        "gaussian_nll",
        """
        input a[...,K], y[...,K], v[...,K]
        loss = mean(..., i, log(v[...,i]) + (a[...,i] - y[...,i])^2/v[...,i])/2
        """,
        "Nix and Weigend 1994, Estimating the mean and variance of the target probability distribution",
        SHAPES,
    ),
    "mean over all entries; v are the variances, log(2*pi)/2 is left out",
    "nats",
)

REGRESSION = (MSE, MAE, HUBER, LOG_COSH, POISSON_NLL, GAUSSIAN_NLL)
