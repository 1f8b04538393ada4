"""NumPy leaves open in which order `np.partition` puts the entries of a part: code must not rely on one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb

_WEIGHTS = np.array([1.0, 2.0, 3.0])


def largest_squares(x: Any) -> Any:
    """The squares of the three largest, whichever is which."""
    chosen = np.argpartition(x, -3)[-3:]
    return np.sum(x[chosen] ** 2), (x, chosen)


def squares_backward(upstream: Any, cache: Any) -> Any:
    x, chosen = cache
    grad = np.zeros_like(x)
    grad[chosen] = 2 * upstream * x[chosen]
    return grad


def tripled_backward(upstream: Any, cache: Any) -> Any:
    x, chosen = cache
    grad = np.zeros_like(x)
    grad[chosen] = 3 * upstream * x[chosen]
    return grad


def weighted(x: Any) -> Any:
    """Weights for the three largest, each for the one that stands there."""
    return _WEIGHTS @ np.partition(x, -3)[-3:], x


def weighted_backward(upstream: Any, x: Any) -> Any:
    grad = np.zeros_like(x)
    grad[np.argpartition(x, -3)[-3:]] = upstream * _WEIGHTS
    return grad


def sorted_backward(upstream: Any, x: Any) -> Any:
    grad = np.zeros_like(x)
    grad[np.argsort(x)[-3:]] = upstream * _WEIGHTS
    return grad


def by_threshold(x: Any) -> Any:
    """All that reach the second largest of their row, which is one entry whatever the order of the rest."""
    least = np.partition(x, -2, axis=1)[:, -2]
    return np.sum(np.where(x >= least[:, None], x, 0) ** 2), (x, least)


def threshold_backward(upstream: Any, cache: Any) -> Any:
    x, least = cache
    return upstream * 2 * x * (x >= least[:, None])


def two_least(x: Any) -> Any:
    y = x.copy()
    y.partition([0, 1])
    return y[0] ** 2 * y[1], x


def two_least_backward(upstream: Any, x: Any) -> Any:
    order = np.argsort(x)
    grad = np.zeros_like(x)
    grad[order[0]] = 2 * x[order[0]] * x[order[1]] * upstream
    grad[order[1]] = x[order[0]] ** 2 * upstream
    return grad


@pytest.mark.parametrize(
    ("forward", "backward", "shape"),
    [
        (largest_squares, squares_backward, (4,)),
        (weighted, weighted_backward, (4,)),
        (by_threshold, threshold_backward, (1, 3)),
        (two_least, two_least_backward, (3,)),
    ],
)
def test_code_that_relies_on_no_order_is_proved(forward: Any, backward: Any, shape: tuple[int, ...]) -> None:
    """Thresholds, sets of the largest, and the same order in forward and backward."""
    verdict = sb.verify_backward(forward, backward, shapes={"x": shape})
    assert verdict.proved, str(verdict)


def test_a_gradient_that_is_right_for_one_order_is_undecided() -> None:
    """NumPy may put the entries of a part in that order, or in another."""
    verdict = sb.verify_backward(weighted, sorted_backward, shapes={"x": (4,)})
    assert verdict.undecided, str(verdict)
    assert "right for some orders only" in verdict.reason


def test_a_gradient_that_is_wrong_in_each_order_is_refuted() -> None:
    """The order is not to blame."""
    verdict = sb.verify_backward(largest_squares, tripled_backward, shapes={"x": (4,)})
    assert verdict.refuted, str(verdict)
    assert "2/3" in verdict.diagnosis


def test_the_verdict_says_that_an_order_is_open() -> None:
    """A note names np.partition."""
    verdict = sb.verify_backward(largest_squares, squares_backward, shapes={"x": (4,)})
    assert any("np.partition" in note for note in verdict.notes)
