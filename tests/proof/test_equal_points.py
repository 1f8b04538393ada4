"""Branches that code takes where two numbers are equal: run at such points, and judged apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb


def cross_entropy(z: Any, y: Any) -> Any:
    """Labels among the inputs."""
    p = 1 / (1 + np.exp(-z))
    return np.where(y == 1, -np.log(p), -np.log(1 - p)).sum(), (p, y)


def test_what_is_wrong_for_equal_numbers_is_refuted() -> None:
    """The derivative for the other labels is that of no logit whose label is 1."""
    shapes = {"z": (2,), "y": (2,)}
    right = sb.verify_backward(cross_entropy, lambda d, c: (d * (c[0] - (c[1] == 1)), 0 * c[1]), shapes=shapes)
    wrong = sb.verify_backward(cross_entropy, lambda d, c: (d * c[0], 0 * c[1]), shapes=shapes)

    assert right.proved
    note = "Where y[0] = 1 or y[1] = 1 or y[2] = 1, one at a time, the branch that is taken there was judged apart."
    assert note in right.notes
    assert "Where a comparison is a tie, nothing was judged." in right.notes
    assert wrong.refuted
    assert wrong.diagnosis.startswith("the gradient of z[0] is right beside y[0] = 1, not where that holds: ")


def scaled(x: Any, w: Any) -> Any:
    """A branch of Python."""
    return (3 * x if w == 0 else w * x), (x, w)


@pytest.mark.parametrize("there, status", [(3, "proved"), (0, "refuted")])
def test_a_branch_of_python_is_run(there: int, status: str) -> None:
    """Along the equation the derivative is that of the branch; across it is a convention, which is told."""

    def backward(dout: Any, cache: Any) -> Any:
        x, w = cache
        return dout * (there if w == 0 else w), (dout * x).sum()

    verdict = sb.verify_backward(scaled, backward, shapes={"x": (2,), "w": ()})

    assert verdict.status == status
    assert verdict.refuted or any("across that point either is a convention" in note for note in verdict.notes)


def product(x: Any, w: Any) -> Any:
    """Nothing is asked."""
    return w * x, (x, w, w * x)


@pytest.mark.parametrize("right", [True, False])
def test_what_only_backward_asks_is_no_branch(right: bool) -> None:
    """Forward is smooth there, so its derivative is no convention."""

    def backward(dout: Any, cache: Any) -> Any:
        x, w, y = cache
        if w == 0:
            return dout * w, (dout * x).sum() if right else 0 * w
        return dout * w, (dout * y).sum() / w

    assert sb.verify_backward(product, backward, shapes={"x": (2,), "w": ()}).proved == right


def test_where_forward_has_no_value_nothing_is_judged() -> None:
    """What backward returns there is wrong of nothing."""

    def backward(dout: Any, cache: Any) -> Any:
        x, w, _ = cache
        if w == 0:
            return 0 * x, 0 * w, 0 * x
        return dout / w, -(dout * x).sum() / w**2, dout

    verdict = sb.verify_backward(
        lambda x, w, v: (x / w + v, (x, w, v)), backward, shapes={"x": (2,), "w": (), "v": (2,)}
    )

    assert verdict.proved
    assert "Where a comparison is a tie, or where w = 0, nothing was judged." in verdict.notes


def test_a_tie_of_an_order_is_not_judged() -> None:
    """One half at the kink is one of its conventions."""
    verdict = sb.verify_backward(
        lambda x: (np.maximum(x, 0), x), lambda dout, x: dout * ((x > 0) + 0.5 * (x == 0)), shapes={"x": (2,)}
    )

    assert verdict.proved
    assert "Where a comparison is a tie, nothing was judged." in verdict.notes


def test_what_is_no_convention_is_refuted() -> None:
    """Where forward has one slope on both sides and on the branch itself, nothing else is right there."""

    def forward(x: Any) -> Any:
        return np.where(x == 0, 0, x * x), x

    right = sb.verify_backward(forward, lambda d, x: d * np.where(x == 0, 0, 2 * x), shapes={"x": (3,)})
    wrong = sb.verify_backward(forward, lambda d, x: d * np.where(x == 0, 7, 2 * x), shapes={"x": (3,)})
    half = sb.verify_backward(
        lambda x: (np.where(x == 0, 0, np.abs(x)), x),
        lambda d, x: d * np.where(x == 0, 0.5, np.sign(x)),
        shapes={"x": (3,)},
    )

    assert right.proved
    assert wrong.refuted
    assert half.proved
