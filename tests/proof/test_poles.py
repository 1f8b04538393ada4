"""Branches that are taken only where a logarithm or a quotient is large: near a pole of one entry."""

from __future__ import annotations

from typing import Any

import numpy as np

import symbackprop as sb


def clamped(p: Any) -> Any:
    """Cross-entropy as it is written with a floor: no logarithm is below -100."""
    return -np.maximum(np.log(p), -100).sum(), p


def test_a_floor_of_a_logarithm_is_reached() -> None:
    """At p of 1e-50; log(p) is -115 there."""
    right = sb.verify_backward(clamped, lambda d, p: -d / p * (np.log(p) > -100), shapes={"p": (2,)})
    wrong = sb.verify_backward(clamped, lambda d, p: -d / p, shapes={"p": (2,)})

    assert right.proved
    assert wrong.refuted
    assert "right in another branch, where log(p[0]) > -100" in wrong.diagnosis


def test_both_limits_of_a_quotient_are_reached() -> None:
    """1/x is beyond 10 for x below 1/10, and beyond -10 on the other side of 0."""

    def backward(d: Any, x: Any, low: int) -> Any:
        return d * np.where((1 / x < 10) & (1 / x > low), -1 / x**2, 0)

    def forward(x: Any) -> Any:
        return np.clip(1 / x, -10, 10), x

    right = sb.verify_backward(forward, lambda d, x: backward(d, x, -10), shapes={"x": (1,)})
    wrong = sb.verify_backward(forward, lambda d, x: backward(d, x, -11), shapes={"x": (1,)})

    assert right.proved
    assert wrong.refuted


def test_a_pole_that_lies_elsewhere_is_found() -> None:
    """log(1 - 2 x) is small near 1/2."""

    def forward(x: Any) -> Any:
        return np.maximum(np.log(1 - 2 * x), -20), x

    right = sb.verify_backward(
        forward, lambda d, x: np.where(np.log(1 - 2 * x) > -20, -2 * d / (1 - 2 * x), 0), shapes={"x": ()}
    )
    wrong = sb.verify_backward(forward, lambda d, x: -2 * d / (1 - 2 * x), shapes={"x": ()})

    assert right.proved
    assert wrong.refuted
