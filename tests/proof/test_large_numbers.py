"""Numbers as large as floats go, in code: what is only so beyond them is no mistake, and none ends in an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb

LARGEST = np.finfo(float).max
SAID = "No input and no upstream value is beyond the largest float, 1.7976931348623157e+308."


def fill(x: Any, mask: Any) -> Any:
    """Entries outside of a mask filled with the least float, and the largest entry of each row."""
    filled = np.where(mask, x, np.finfo(x.dtype).min)
    return filled.max(axis=1), (filled, mask)


def test_what_is_below_the_least_float_is_no_path() -> None:
    """An entry is never less than what the others are filled with."""

    def backward(dout: Any, cache: Any) -> Any:
        filled, _ = cache
        return (filled == filled.max(axis=1, keepdims=True)) * dout[:, None]

    mask = np.array([[1, 1, 0], [1, 0, 1]], bool)
    verdict = sb.verify_backward(fill, backward, shapes={"x": (2, 3)}, data={"mask": mask})

    assert verdict.proved, str(verdict)
    assert SAID in verdict.notes


def test_a_fill_that_is_differentiated_is_still_a_mistake() -> None:
    """Within the floats nothing is passed over."""

    def backward(dout: Any, cache: Any) -> Any:
        filled, mask = cache
        return np.where(mask, dout[:, None], 0) * (filled < 1)

    mask = np.array([[1, 0], [1, 0]], bool)
    assert sb.verify_backward(fill, backward, shapes={"x": (2, 2)}, data={"mask": mask}).refuted


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        (lambda x: (x**2, x), lambda d, x: 2 * x * d * (x < LARGEST)),
        (lambda x: (np.clip(x, np.finfo(x.dtype).min, np.finfo(x.dtype).max), x), lambda d, x: d),
        (lambda x: (x**2, x), lambda d, x: 2 * x * np.clip(d, -LARGEST, LARGEST)),
        (lambda x: (x, x), lambda d, x: np.where(x * 1e-200 < 1e200, d, 2 * d)),
        (lambda x: (x, x), lambda d, x: np.where(x / 2 + d / 2 <= LARGEST, d, 2 * d)),
    ],
)
def test_no_number_is_beyond_the_largest_float(forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
    """Inputs and upstream values alike."""
    verdict = sb.verify_backward(forward, backward, shapes={"x": (3,)})

    assert verdict.proved, str(verdict)
    assert SAID in verdict.notes


@pytest.mark.parametrize("limit", [1e50, 1e200, 1e300, LARGEST / 2])
def test_what_floats_reach_is_a_path(limit: float) -> None:
    """A witness there is one that floats hold."""
    verdict = sb.verify_backward(lambda x: (x, x), lambda d, x: d * (x < limit), shapes={"x": (2,)})

    assert verdict.refuted
    assert verdict.witness is not None
    assert all(abs(value) <= LARGEST for _, value in verdict.witness.point)


def test_what_floats_do_not_reach_is_not_spoken_of() -> None:
    """Where no number is so large."""
    verdict = sb.verify_backward(lambda x: (np.maximum(x, 0), x), lambda d, x: d * (x > 0), shapes={"x": (2,)})

    assert verdict.proved
    assert SAID not in verdict.notes


def rows(x: Any, w: Any) -> Any:
    """Two results, of which one is summed with the other."""
    h = np.tanh(x @ w)
    return (h * x.sum()).sum(axis=0), (x, w, h)


def from_rows(dout: Any, cache: Any) -> Any:
    """The derivatives of them."""
    x, w, h = cache
    dz = dout * x.sum() * (1 - h**2)
    return dz @ w.T + (h * dout).sum(), x.T @ dz


@pytest.mark.parametrize("size", [1e154, 1e200, 1e300, 1e308, 1e-200, 1e-300])
@pytest.mark.parametrize(
    "change",
    [lambda d, size: d * size, lambda d, size: d + size, lambda d, size: np.clip(d, -size, size)],
    ids=["times", "plus", "clipped"],
)
def test_a_mistake_with_a_number_of_any_size_has_a_verdict(change: Callable[..., Any], size: float) -> None:
    """Its diagnosis compares no numbers that no float holds."""
    square = sb.verify_backward(lambda x: (x**2, x), lambda d, x: change(2 * x * d, size), shapes={"x": (3,)})
    assert square.refuted

    if change(1.0, size) != np.clip(1.0, -size, size):
        product = sb.verify_backward(
            rows,
            lambda d, cache: tuple(change(each, size) for each in from_rows(d, cache)),
            shapes={"x": (2, 2), "w": (2, 2)},
        )
        assert product.refuted
