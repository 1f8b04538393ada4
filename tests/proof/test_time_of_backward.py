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


def unrolled(x: Any, W: Any, U: Any, h: Any) -> Any:
    """A recurrent network without biases."""
    states = [h]
    for step in x:
        states.append(np.tanh(W @ states[-1] + U @ step))
    return np.array(states[1:]), (x, W, U, states)


def one_state_late(dout: Any, cache: Any) -> Any:
    """W meets the state that it makes, in place of the one that it reads."""
    x, W, U, states = cache
    dx, dW, dU, dh = np.zeros_like(x), np.zeros_like(W), np.zeros_like(U), np.zeros(len(W))
    for t in reversed(range(len(x))):
        dz = (dout[t] + dh) * (1 - states[t + 1] ** 2)
        dW, dU, dx[t], dh = dW + np.outer(dz, states[t + 1]), dU + np.outer(dz, x[t]), U.T @ dz, W.T @ dz
    return dx, dW, dU, dh


def test_long_formulas_are_diagnosed_at_smaller_shapes() -> None:
    """A formula of 100,000 operations is not searched for what is missing, nor written out."""
    shapes = {"x": (4, 3), "W": (4, 4), "U": (4, 3), "h": (4,)}
    verdict = sb.verify_backward(unrolled, one_state_late, shapes=shapes, seconds=4)
    text = str(verdict)

    assert verdict.refuted
    assert verdict.scope == "the shapes x=(4, 3), W=(4, 4), U=(4, 3), h=(4,)"
    assert "At the shapes x=(2, 2), W=(2, 2), U=(2, 2), h=(2,)" in text
    made = "tanh(U[0,0]*x[0,0] + U[0,1]*x[0,1] + W[0,0]*h[0] + W[0,1]*h[1])"
    assert text.endswith(f"has the factor {made} in place of h[0].")


def slow_where_long(x: Any, w: Any) -> Any:
    """A product that takes long to trace at more than two entries."""
    for _ in range(10**6 if len(x) > 2 else 0):
        x = x + 0
    return x * w, (x, w)


@pytest.mark.parametrize("wrong", [True, False])
def test_smaller_shapes_are_asked_where_the_time_runs_out(wrong: bool) -> None:
    """What fails there is refuted there; what holds there is said, and the shapes that were given stay undecided."""

    def backward(dout: Any, cache: Any) -> Any:
        x, w = cache
        return dout * w, dout * (w if wrong else x)

    verdict = sb.verify_backward(slow_where_long, backward, shapes={"x": (5,), "w": (5,)}, seconds=1)

    assert (verdict.refuted, verdict.undecided) == (wrong, not wrong)
    assert verdict.scope == f"the shapes {'x=(2,), w=(2,)' if wrong else 'x=(5,), w=(5,)'}"
    said = "the time allowed ran out" if wrong else "At the smaller shapes x=(2,), w=(2,)"
    assert any(said in note for note in verdict.notes), verdict.notes


def test_a_shape_that_only_goes_with_smaller_inputs_refutes_nothing() -> None:
    """One entry is repeated five times where five were given one each."""

    def forward(x: Any) -> Any:
        for _ in range(10**6 if len(x) > 2 else 0):
            x = x + 0
        return x + np.zeros(5), None

    verdict = sb.verify_backward(forward, lambda d, cache: d, shapes={"x": (5,)}, seconds=1)

    assert verdict.undecided
    assert "give smaller shapes" in verdict.reason


def test_formulas_that_double_with_each_step_end_the_decision() -> None:
    """Put back in full they have more than 2^30 parts; the first line that needs one is named."""

    def forward(x: Any) -> Any:
        for _ in range(30):
            x = np.sin(x) + np.exp(x)
        return np.where(x > 0, x, 0), None

    verdict = sb.verify_backward(forward, lambda d, cache: d, shapes={"x": (1,)}, seconds=2)

    assert verdict.undecided
    assert "a formula of more than 1000000 parts is needed" in verdict.reason
    assert "np.where(x > 0, x, 0)" in verdict.reason


@pytest.mark.parametrize("wrong", [True, False])
def test_smaller_shapes_are_asked_where_a_formula_is_too_long(wrong: bool) -> None:
    """A recurrent network whose weights are not transposed on the way back, over many steps."""

    def forward(x: Any, w: Any, v: Any, h: Any) -> Any:
        states = [h]
        for each in x:
            states.append(np.tanh(each @ w + states[-1] @ v.T))
        return np.stack(states[1:]), (x, w, v, states)

    def backward(dout: Any, cache: Any) -> Any:
        x, w, v, states = cache
        dx, dw, dv, dh = (np.zeros_like(each) for each in (x, w, v, states[0]))
        for t in reversed(range(len(x))):
            dz = (dout[t] + dh) * (1 - states[t + 1] ** 2)
            dx[t], dh = dz @ w.T, dz @ (v.T if wrong else v)
            dw += np.outer(x[t], dz)
            dv += np.outer(dz, states[t])
        return dx, dw, dv, dh

    shapes = {"x": (6, 3), "w": (3, 4), "v": (4, 4), "h": (4,)}
    verdict = sb.verify_backward(forward, backward, shapes=shapes, seconds=10)

    assert (verdict.refuted, verdict.proved) == (wrong, not wrong)
    if wrong:
        assert verdict.scope == "the shapes x=(2, 2), w=(2, 2), v=(2, 2), h=(2,)"
        assert "which were given, nothing was decided: a formula of more than 1000000 parts is needed" in str(verdict)
