"""The time that a verdict on a hand-written backward may take is kept, and has to be a time."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

import symbackprop as sb


def two_largest(x: Any) -> Any:
    """The two largest entries of each row."""
    best = np.argsort(-x, axis=1)[:, :2]
    return np.take_along_axis(x, best, 1), (x.shape, best)


def put_back(dout: Any, cache: Any) -> Any:
    """Where each came from."""
    shape, best = cache
    dx = np.zeros(shape)
    np.put_along_axis(dx, best, dout, 1)
    return dx


def test_branches_that_wait_when_the_time_ends_take_none() -> None:
    """There are thousands of them, and none is searched for among the others."""
    start = time.process_time()
    verdict = sb.verify_backward(two_largest, put_back, shapes={"x": (4, 10)}, seconds=4)

    assert verdict.proved
    assert time.process_time() - start < 16


@pytest.mark.parametrize("sign", [1, -1])
def test_a_run_that_the_time_ends_is_no_visit(sign: int) -> None:
    """What was proved on the paths before it stays; where it is the first there are none."""

    def forward(x: Any) -> Any:
        for _ in range(10**6 if sign * x[0] > 0 else 0):
            x = x + 0
        return np.where(x > 0, x, 0).sum(), x

    verdict = sb.verify_backward(forward, lambda d, x: d * (x > 0), shapes={"x": (3,)}, seconds=1)

    assert verdict.proved == (sign > 0), str(verdict)
    assert (", not all)" in verdict.scope) == (sign > 0)
    assert ("the time allowed ran out" in verdict.reason) == (sign < 0)


def test_time_that_runs_out_at_other_shapes_is_no_refusal() -> None:
    """No further ones are tried, each of which would take its time."""

    def forward(x: Any, w: Any) -> Any:
        for _ in range(0 if x.shape == (2, 3) else 10**6):
            x = x + 0
        return x + w, None

    start = time.process_time()
    verdict = sb.verify_backward(forward, lambda d, cache: (d, d), shapes={"x": (2, 3), "w": (2, 3)}, seconds=0.5)

    assert verdict.proved
    assert time.process_time() - start < 2
    assert any("nothing was decided" in note and "the time allowed ran out" in note for note in verdict.notes)


@pytest.mark.parametrize("seconds", [math.nan, -1, 0, True, "10", None])
def test_seconds_are_a_positive_number(seconds: Any) -> None:
    """Anything else is an error of the call, not a verdict."""
    with pytest.raises(sb.ArgumentError, match="seconds is a positive number"):
        sb.verify_backward(lambda x: (x, None), lambda d, cache: d, shapes={"x": (3,)}, seconds=seconds)
