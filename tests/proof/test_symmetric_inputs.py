"""Gradients of symmetric matrices: NumPy reads one half of them, textbooks both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb

SAID = (
    "the gradient of a is right if a is symmetric and stays so, with entries (i, j) and (j, i) added up: "
    "forward reads each by itself, or only one of them"
)


def factor(a: Any) -> Any:
    """The lower factor."""
    lower = np.linalg.cholesky(a)
    return lower, lower


def symmetric(dout: Any, lower: Any) -> Any:
    """The formula of the textbooks, half of it above the diagonal."""
    inverse = np.linalg.inv(lower)
    inner = np.tril(lower.T @ dout)
    inner = inner - 0.5 * np.diag(np.diag(inner))
    made = inverse.T @ inner @ inverse
    return 0.5 * (made + made.T)


def halved(dout: Any, lower: Any) -> Any:
    """All of it below the diagonal, where it is read."""
    made = symmetric(dout, lower)
    return np.tril(made + made.T) - np.diag(np.diag(made))


def log_determinant(a: Any) -> Any:
    """By the factor."""
    return 2 * np.log(np.diag(np.linalg.cholesky(a))).sum(), a


@pytest.mark.parametrize(
    "forward, backward", [(factor, symmetric), (log_determinant, lambda dout, a: dout * np.linalg.inv(a))]
)
def test_the_half_that_is_read_is_told(forward: Any, backward: Any) -> None:
    """A symmetric gradient is refuted, as the half above the diagonal is not read; that is said."""
    verdict = sb.verify_backward(forward, backward, shapes={"a": (2, 2)})

    assert verdict.refuted
    assert verdict.diagnosis == SAID
    assert "The lower half is all that np.linalg.cholesky reads: by the rest the derivative is 0." in verdict.notes


def test_the_half_that_is_read_is_proved() -> None:
    """With all of the gradient there."""
    assert sb.verify_backward(factor, halved, shapes={"a": (2, 2)}).proved


def test_a_wrong_symmetric_gradient_is_not_called_right() -> None:
    """Twice as much off the diagonal is wrong for symmetric matrices too."""
    verdict = sb.verify_backward(
        factor, lambda dout, lower: symmetric(dout, lower) * (2 - np.eye(2)), shapes={"a": (2, 2)}
    )

    assert verdict.refuted
    assert verdict.diagnosis != SAID
