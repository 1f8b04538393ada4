"""Functions of one exponential far out, on any target, held against mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import symbackprop as sb

LOGISTIC = {
    "sigmoid(x[n])": (lambda u: 1 / (1 + mpmath.exp(-u)), lambda s: s * (1 - s)),
    "1 - sigmoid(x[n])": (lambda u: 1 / (1 + mpmath.exp(u)), lambda s: -s * (1 - s)),
    "(1 - sigmoid(x[n]))^3": (lambda u: (1 + mpmath.exp(u)) ** -3, lambda s: -3 * s * (1 - mpmath.cbrt(s))),
    "softplus(x[n])": (lambda u: mpmath.log1p(mpmath.exp(u)), lambda s: 1 - mpmath.exp(-s)),
    "softplus(-x[n])": (lambda u: mpmath.log1p(mpmath.exp(-u)), lambda s: mpmath.exp(-s) - 1),
}
"""The functions, and their slopes by their own values."""
EXTREMES = (0.0, *(sign * size for size in (1e-3, 40.0, 88.0, 90.0, 700.0, 710.0, 1e4) for sign in (1, -1)))


def check_logistic(text: str, target: str, dtype: str, make: Callable[[float], Any]) -> None:
    """Value and slope of a function at extremes; `make` makes an array of one number."""
    value, slope = LOGISTIC[text]
    program = sb.parse(f"param x[N]\ninput w[N]\nloss = sum(n, w[n]*({text}))")
    sizes = {"sizes": {"N": 1}} if target == "python" else {}
    f = sb.derive(program, "x").compile(target, dtype, **sizes)
    unit, small = float(np.finfo(dtype).eps), 4 * float(np.finfo(dtype).tiny)
    with mpmath.workdps(50):
        for point in (*EXTREMES, np.inf, -np.inf, np.nan):
            found, gradients = f({"x": make(point)}, w=make(1.0))
            if np.isnan(point):
                assert np.isnan(float(found))
                assert np.isnan(float(gradients["x"][0]))
                continue
            exact = value(mpmath.mpf(float(np.dtype(dtype).type(point))))
            assert float(found) == pytest.approx(float(exact), rel=8 * unit, abs=small)
            if mpmath.isfinite(exact) and abs(point) < 90:  # beyond, the slope has lost its digits in the value
                assert float(gradients["x"][0]) == pytest.approx(float(slope(exact)), rel=8 * unit, abs=small)
            assert abs(float(gradients["x"][0])) <= 1
