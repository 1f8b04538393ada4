"""Kinks of recurrences, whose conditions hold those of the steps before, are judged in seconds at all sizes tried."""

from __future__ import annotations

import time

import pytest

import symbackprop as sb

RELU = "input x[T], y[T]\nparam u, w\nh[t] = relu(u*h[t-1] + w*x[t])\nloss = sum(t, (h[t]-y[t])^2)"
TWO = """
input x[T], y[T]
param a, b, c, d
u[t:T] = sin(a*u[t-1]*x[t] + y[t] - v[t-1])
v[t:T] = relu(c*u[t] + d*v[t-1])
loss = mean(t, u[t])
"""
CUT_OFF = [
    (
        RELU,
        "u",
        "sum(t, where(t > 1 and t < 3, adj(h[t])*where(h[t] > 0, 1, 0)*h[t-1], 0)) "
        "+ where(T > 2, adj(h[T])*where(h[T] > 0, 1, 0)*h[T-1], 0)",
    ),
    (
        TWO,
        "v[t]",
        "where(y[t]*d + c*u[t+1] > 0, d, 0)*adj(v[t+1]) - adj(u[t+1])*cos(a*u[t]*x[t+1] + y[t+1] - v[t])",
    ),
]


@pytest.mark.parametrize(("program", "wrt", "claim"), CUT_OFF)
def test_a_wrong_gradient_through_many_kinks_is_refuted(program: str, wrt: str, claim: str) -> None:
    """One is right at two and three steps; it took minutes at more."""
    start = time.process_time()

    assert sb.verify_gradient(sb.parse(program), wrt, claim).refuted
    assert time.process_time() - start < 60


@pytest.mark.parametrize(
    "formula",
    ["maximum(x - y, where(x >= z, y, 1)*(z - x))", "maximum(y - x, x - z)", "where(y - x > x - z, x, 0)"],
)
def test_a_comparison_of_two_sums_is_read(formula: str) -> None:
    """SymPy's own form of such a comparison turned round for ever."""
    program = sb.parse(f"input y, z\nparam x\nloss = {formula}")
    gradient = str(sb.derive(program)).partition("=")[2]

    assert sb.verify(formula, f"{formula} + x - x").proved
    assert sb.verify(formula, f"{formula} + x").refuted
    assert sb.verify_gradient(program, "x", gradient).proved
