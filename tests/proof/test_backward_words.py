"""What a diagnosis of a hand-written backward must not say: repairs that the code does not need."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import ArgumentError

POINTS = np.array([1.0, 1.0])
SHIFTS = np.array([0.0, 100.0])


def test_a_factor_that_is_lost_is_no_other_branch() -> None:
    """At one entry the derivative of another branch may be the same; it is not what is returned there."""

    def backward(dout: Any, w: Any) -> Any:
        return np.array([dout * ((w * POINTS - SHIFTS > 0) * POINTS).sum()])

    verdict = sb.verify_backward(
        lambda w: (np.maximum(w * POINTS - SHIFTS, 0).mean(), w), backward, shapes={"w": (1,)}
    )

    assert "lacks the factor 1/2" in verdict.diagnosis


def test_a_mask_says_nothing_of_loops() -> None:
    """A leaky unit that is differentiated as one that is off: which entries are 0 is chance."""
    verdict = sb.verify_backward(
        lambda x: (np.where(x > 0, x, 0.01 * x), x), lambda dout, x: dout * (x > 0), shapes={"x": (3,)}
    )

    assert verdict.refuted
    assert "loop" not in verdict.diagnosis


def test_a_number_is_not_called_a_length_where_no_other_shape_can_say() -> None:
    """A function of two numbers that come in one array."""

    def forward(x: Any) -> Any:
        a, b = x
        return 0.5 * (a * a + b * b), x

    verdict = sb.verify_backward(forward, lambda dout, x: 2 * dout * x, shapes={"x": (2,)})

    assert "the extra factor 2, which is also the length of an axis" in verdict.diagnosis


@pytest.mark.parametrize(
    ("left", "right", "factor"),
    [
        ("2*x/sqrt(5)", "x", "2/sqrt(5)"),
        ("x/(1+sqrt(5))", "x", "1/(1 + sqrt(5))"),
        ("x/2/sqrt(pi)", "x", "1/(2*sqrt(pi))"),
        ("x/sqrt(5)", "x/2", "2/sqrt(5)"),
    ],
)
def test_irrational_factors_are_bracketed(left: str, right: str, factor: str) -> None:
    """What is read back is the factor that is lacking."""
    assert sb.verify(left, right).diagnosis == f"the right side lacks the factor {factor}"
    assert sb.verify(left, f"({right})*({factor})").proved


@pytest.mark.parametrize(
    ("returned", "said"), [(None, "returned None"), ({"dx": 0}, "what was returned is named dx")]
)
def test_what_is_no_gradient_is_told(returned: Any, said: str) -> None:
    """With what was found in its place."""
    with pytest.raises(ArgumentError, match=said):
        sb.verify_backward(lambda x: (x, x), lambda dout, x: returned, shapes={"x": (2,)})


def test_what_is_no_function_is_told() -> None:
    """Before anything is run."""
    with pytest.raises(ArgumentError, match="forward is a function"):
        sb.verify_backward(3, 4, shapes={"x": (2,)})  # type: ignore[arg-type]


def test_gradients_in_another_order_are_named() -> None:
    """Scale and shift have one shape, so nothing else tells them apart."""

    def backward(dout: Any, cache: Any) -> Any:
        x, gamma = cache
        return dout * gamma, dout.sum(0), (dout * x).sum(0)

    shapes = {"x": (2, 3), "gamma": (3,), "beta": (3,)}
    verdict = sb.verify_backward(lambda x, gamma, beta: (x * gamma + beta, (x, gamma)), backward, shapes=shapes)

    assert "the gradients of gamma and beta are returned in each other's place" in verdict.diagnosis


def test_a_constant_is_no_sum_over_an_axis() -> None:
    """It is the same in all entries, whatever the inputs are."""
    verdict = sb.verify_backward(lambda x: (x, x), lambda d, x: d - np.exp(-3.0), shapes={"x": (2, 2)})

    assert verdict.refuted
    assert verdict.diagnosis == "the gradient of x[0,0] lacks the term exp(-3)"
