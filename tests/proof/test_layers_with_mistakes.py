"""Mistakes in whole layers: what is said names the repair, of the layer where it is plainest, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb

LAYER = {"x": (2, 3), "w": (3, 2), "b": (2,)}


def layer(x: Any, w: Any, b: Any) -> Any:
    """A product behind which a mask stands."""
    z = x @ w + b
    return np.maximum(z, 0), (x, w, z)


def said(forward: Callable[..., Any], backward: Callable[..., Any], shapes: dict[str, tuple[int, ...]]) -> str:
    """What is said of a backward that is refuted."""
    verdict = sb.verify_backward(forward, backward, shapes=shapes)
    assert verdict.refuted
    return verdict.diagnosis


def with_parts(parts: Callable[..., Any]) -> Callable[..., Any]:
    """The backward of the layer from what is made of the upstream gradient and the cache."""

    def backward(dout: Any, cache: Any) -> Any:
        x, w, z = cache
        return parts(dout * (z > 0), x, w)

    return backward


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_sum_over_the_batch_is_missed_behind_a_mask(rows: int) -> None:
    """Whatever the masks are at the sample point, it is the sum that is named and no condition."""
    backward = with_parts(lambda dz, x, w: (dz @ w.T, x.T @ dz, dz[0]))
    text = said(layer, backward, {"x": (rows, 3), "w": (3, 2), "b": (2,)})

    assert text.endswith("counts the output [0] only: the sum over the first axis of the output is missing")


def test_a_transposed_gradient_is_named_behind_a_mask() -> None:
    """Its zeros stand elsewhere than those of the derivative."""
    backward = with_parts(lambda dz, x, w: (dz @ w.T, dz.T @ x, dz.sum(0)))

    assert said(layer, backward, {"x": (2, 3), "w": (3, 3), "b": (3,)}) == "the gradient of w is transposed"


def test_a_mask_of_the_upstream_gradient_is_named() -> None:
    """Nothing is said of axes, as the entries that are read are those that the mask leaves."""

    def backward(dout: Any, cache: Any) -> Any:
        x, w, _ = cache
        dz = dout * (dout > 0)
        return dz @ w.T, x.T @ dz, dz.sum(0)

    text = said(layer, backward, LAYER)

    assert text.startswith("a comparison of the upstream gradient, upstream[0,0]")
    assert text.endswith("decides on the gradient of x[0,0]: is a mask of it meant?")


def sigmoid(z: Any) -> Any:
    """The logistic function."""
    return 1 / (1 + np.exp(-z))


def gate(x: Any, c: Any, wi: Any, wf: Any, wg: Any) -> Any:
    """The cell of an LSTM."""
    i, f, g = sigmoid(x @ wi), sigmoid(x @ wf), np.tanh(x @ wg)
    return f * c + i * g, (x, c, wi, wf, wg, i, f, g)


def of_gates(input_slope: Any, candidate_slope: Any) -> Callable[..., Any]:
    """Its backward, with slopes of two of the gates."""

    def backward(dout: Any, cache: Any) -> Any:
        x, c, wi, wf, wg, i, f, g = cache
        di, df, dg = dout * g * input_slope(i), dout * c * f * (1 - f), dout * i * candidate_slope(g)
        return di @ wi.T + df @ wf.T + dg @ wg.T, dout * f, x.T @ di, x.T @ df, x.T @ dg

    return backward


@pytest.mark.parametrize(
    "input_slope, candidate_slope, name, factor",
    [
        (lambda i: 1, lambda g: 1 - g**2, "wi", "*(1 - sigmoid("),
        (lambda i: i, lambda g: 1 - g**2, "wi", "lacks the factor 1 - sigmoid("),
        (lambda i: i * (1 - i), lambda g: 1 - g, "wg", "lacks the factor 1 + tanh("),
    ],
)
def test_the_slope_of_a_gate_is_named_at_its_weights(
    input_slope: Any, candidate_slope: Any, name: str, factor: str
) -> None:
    """The gradient of x is wrong too, but there the gate is one path of several."""
    shapes = {"x": (1, 2), "c": (1, 2), "wi": (2, 2), "wf": (2, 2), "wg": (2, 2)}
    text = said(gate, of_gates(input_slope, candidate_slope), shapes)

    assert text.startswith(f"the gradient of {name}[1,1] lacks the factor ")
    assert factor in text


def attention(x: Any, wq: Any, wk: Any) -> Any:
    """Scores and what they weigh."""
    q, k = x @ wq, x @ wk
    e = np.exp(q @ k.T / np.sqrt(q.shape[1]))
    p = e / e.sum(axis=1, keepdims=True)
    return p @ x, (x, wq, wk, q, k, p)


def test_a_number_that_is_missed_in_one_layer_is_named() -> None:
    """The root of the width, as the gradient of x has paths that do not lead through the scores."""

    def backward(dout: Any, cache: Any) -> Any:
        x, wq, wk, q, k, p = cache
        dp = dout @ x.T
        ds = p * (dp - (dp * p).sum(axis=1, keepdims=True))
        dq, dk = ds @ k, ds.T @ q
        return dq @ wq.T + dk @ wk.T + p.T @ dout, x.T @ dq, x.T @ dk

    text = said(attention, backward, {"x": (2, 2), "wq": (2, 2), "wk": (2, 2)})

    assert text == "the gradient of wq has the extra factor sqrt(2)"


def test_what_puts_one_entry_right_by_chance_is_not_said() -> None:
    """Two entries are wrong, each in its own way."""

    def backward(dout: Any, cache: Any) -> Any:
        x, w = cache
        dw = dout * x
        dw[0], dw[2] = dout[0], 3 * dout[2] * w[1]
        return dout * w, dw

    text = said(lambda x, w: (x * w, (x, w)), backward, {"x": (3,), "w": (3,)})

    assert "x[0]" not in text
