"""What is itself above 0 and else 0: one call forward, and its slope by the result, whose argument nothing keeps."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb

TEXT = "param W[D]\nh[i] = {}\nloss = sum(i, h[i]^2)"
SPECIAL = np.array([-np.inf, -2.0, -0.0, 0.0, 0.5, np.inf, np.nan])
CHOICES = {
    "relu(W[i])": lambda w: (w > 0, w, 0),
    "where(W[i] > 0, W[i], 0)": lambda w: (w > 0, w, 0),
    "where(W[i] >= 0, W[i], 0)": lambda w: (w >= 0, w, 0),
    "where(W[i] > 1, W[i], 0)": lambda w: (w > 1, w, 0),
    "where(W[i] > 0, W[i], 1)": lambda w: (w > 0, w, 1),
    "where(W[i] > 0, -W[i], 0)": lambda w: (w > 0, -w, 0),
    "where(W[i] < 0, W[i], 0)": lambda w: (w < 0, w, 0),
}
"""Choices with what NumPy's `where` is given for them; the first three are positive parts."""
PARTS, OTHERS = list(CHOICES)[:3], list(CHOICES)[3:]


def forward_of(source: str) -> str:
    """The forward function in the source."""
    return source.split("def _forward")[1].split("def _backward")[0]


@pytest.mark.parametrize("part", PARTS)
def test_it_is_one_call(part: str) -> None:
    """NumPy's fmax, which like a choice gives 0 for what is not a number."""
    forward = forward_of(sb.derive(sb.parse(TEXT.format(part)), ["W"]).compile("numpy").source)

    assert "np.fmax(W, zero" in forward
    assert "keep(" not in forward
    assert "np.greater" not in forward


@pytest.mark.parametrize("other", OTHERS)
def test_another_choice_stays_one(other: str) -> None:
    """Another bound, another value elsewhere, another value there."""
    forward = forward_of(sb.derive(sb.parse(TEXT.format(other)), ["W"]).compile("numpy").source)

    assert "fmax" not in forward


def test_the_slope_is_asked_of_the_result() -> None:
    """Between layers nothing but the result is kept for the backward pass."""
    source = sb.derive(sb.mlp((3, 4, 2), activation="relu"), ["W1", "W2"]).compile("numpy").source

    assert "np.greater(a1, zero" in source.split("def _backward")[1]
    assert "np.greater(z1" not in source


@pytest.mark.parametrize("target", ("numpy", "fused", "jax", "python"))
@pytest.mark.parametrize("part", CHOICES)
def test_the_values_are_those_of_the_choice(part: str, target: str) -> None:
    """Also at infinity, at both zeros, and where there is no number: what NumPy's `where` gives for the same text."""
    w = SPECIAL
    wanted = np.where(*CHOICES[part](w))
    f = sb.derive(sb.parse(f"param W[1]\ninput s[1]\nloss = sum(i, s[i] + {part})"), ["W"]).compile(target)
    found = [float(f({"W": w[k : k + 1]}, s=np.zeros(1))[0]) for k in range(len(w))]

    np.testing.assert_array_equal(found, wanted)
