"""Derivatives of and by one step of a recurrence: h_t by h_{t-1}, the loss by h_T, in entries and in vectors."""

from __future__ import annotations

from pathlib import Path

import pytest

import symbackprop as sb
from tests.oracles.latex_claims import judge

RNN = """
input x[T,D], h0[H], y[H]
param W[H,H], U[H,D]
h[0,i] = h0[i]
z[t,i] = sum(j, W[i,j]*h[t-1,j]) + sum(d, U[i,d]*x[t,d])
h[t,i] = tanh(z[t,i])
loss = sum(t, i, h[t,i]*y[i])
"""

RIGHT = [
    r"\frac{\partial h_{t,i}}{\partial h_{t-1,j}} = W_{ij} (1 - h_{t,i}^2)",
    r"\frac{\partial h_{t+1,i}}{\partial h_{t,j}} = W_{ij} (1 - h_{t+1,i}^2), \quad t < T",
    r"\frac{\partial z_{t,i}}{\partial h_{t-1,j}} = W_{ij}",
    r"\frac{\partial h_{T,i}}{\partial z_{T,j}} = \delta_{ij} (1 - h_{T,i}^2)",
    r"\frac{\partial L}{\partial h_{T,i}} = y_i",
    r"\frac{\partial L}{\partial x_{T,d}} = \sum_i y_i (1 - h_{T,i}^2) U_{id}",
    r"\frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(1 - h_t^{\odot 2}) W",
    r"\frac{\partial h_T}{\partial h_{T-1}} = \mathrm{diag}(1 - h_T^{\odot 2}) W",
    r"\frac{\partial z_t}{\partial h_{t-1}} = W",
    r"\nabla_{h_T} L = y",
    r"\frac{\partial L}{\partial z_T} = y \odot (1 - h_T^{\odot 2})",
    r"\frac{\partial L}{\partial h_{t-1}} = W^\top \frac{\partial L}{\partial z_t} + y, \quad t \ge 2",
    r"z_T = W h_{T-1} + U x_T",
]

WRONG = [
    r"\frac{\partial h_{t,i}}{\partial h_{t-1,j}} = W_{ji} (1 - h_{t,i}^2)",
    r"\frac{\partial h_{t,i}}{\partial h_{t-1,j}} = W_{ij} (1 - h_{t-1,i}^2)",
    r"\frac{\partial z_t}{\partial h_t} = W",
    r"\frac{\partial L}{\partial h_{T,i}} = 2 y_i",
    r"\frac{\partial L}{\partial h_{T-1,i}} = y_i",
    r"\frac{\partial h_t}{\partial h_{t-1}} = W \mathrm{diag}(1 - h_t^{\odot 2})",
    r"\frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(1 - h_t^{\odot 2}) W^\top",
    r"\frac{\partial h_T}{\partial h_{T-1}} = \mathrm{diag}(1 - h_{T-1}^{\odot 2}) W",
    r"\frac{\partial L}{\partial z_T} = y \odot (1 - h_{T-1}^{\odot 2})",
    r"\frac{\partial L}{\partial h_{t-1}} = W^\top \frac{\partial L}{\partial z_t}",
    r"\frac{\partial L}{\partial h_t} = y",
    r"z_T = W h_T + U x_T",
]


@pytest.mark.parametrize("latex", RIGHT)
def test_steps_are_proved(tmp_path: Path, latex: str) -> None:
    """The textbook forms, in entries and in vectors."""
    (verdict,) = judge(tmp_path, RNN, latex)
    assert verdict.proved, str(verdict)


@pytest.mark.parametrize("latex", WRONG)
def test_wrong_steps_are_refuted(tmp_path: Path, latex: str) -> None:
    """A transpose, a step or a term of them is wrong."""
    (verdict,) = judge(tmp_path, RNN, latex)
    assert verdict.refuted, str(verdict)


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        (r"\frac{\partial h_{t+1,i}}{\partial h_{t,j}} = W_{ij}", "which is outside of h for some t"),
        (r"\frac{\partial L}{\partial h_{T+1,i}} = y_i", "which is outside of h for some T"),
    ],
)
def test_steps_that_there_are_not_for_all_letters_are_errors(tmp_path: Path, latex: str, message: str) -> None:
    """Beyond the ends of a recurrence there is nothing to derive by."""
    with pytest.raises(sb.SymBackpropError, match=message):
        judge(tmp_path, RNN, latex)


def test_a_claim_of_the_formula_language_names_such_entries_too(tmp_path: Path) -> None:
    """In a fence as in LaTeX."""
    claims = "claim d h[t,i] / d h[t-1,j] = W[i,j]*(1 - h[t,i]^2)\nclaim d loss / d h[T,i] = y[i]\n"
    verdicts = judge(tmp_path, RNN + claims, r"z_T = W h_{T-1} + U x_T")
    assert [verdict.status for verdict in verdicts] == ["proved"] * 3
