"""Hand-written NumPy, run unchanged on traced numbers: proved, refuted with a diagnosis, or undecided with its line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import handwritten_backward as right
import numpy as np
import pytest

import symbackprop as sb

LABELS = {"labels": np.array([2, 0])}
MASK = {"mask": np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])}

PROVED: list[tuple[Callable[..., Any], Callable[..., Any] | None, dict[str, tuple[int, ...]], dict[str, Any]]] = [
    (right.affine_forward, right.affine_backward, {"x": (2, 3), "w": (3, 2), "b": (2,)}, {}),
    (right.affine_forward, right.affine_backward, {"x": (2, 2, 2), "w": (4, 3), "b": (3,)}, {}),
    (right.relu_forward, right.relu_backward, {"x": (2, 2)}, {}),
    (right.relu_mask_forward, right.relu_mask_backward, {"x": (2, 2)}, {}),
    (right.leaky_relu, None, {"x": (3,)}, {}),
    (right.elu, None, {"x": (3,)}, {}),
    (right.sigmoid_forward, right.sigmoid_backward, {"x": (2, 2)}, {}),
    (right.stable_sigmoid, None, {"x": (3,)}, {}),
    (right.softmax_loss, None, {"x": (2, 3)}, LABELS),
    (right.svm_loss, None, {"x": (2, 3)}, LABELS),
    (right.layernorm_forward, right.layernorm_backward, {"x": (2, 3), "gamma": (3,), "beta": (3,)}, {}),
    (right.batchnorm_forward, right.batchnorm_backward, {"x": (3, 2), "gamma": (2,), "beta": (2,)}, {}),
    (right.batchnorm_forward, right.batchnorm_backward_short, {"x": (3, 2), "gamma": (2,), "beta": (2,)}, {}),
    (right.dropout_forward, right.dropout_backward, {"x": (2, 3)}, MASK),
    (right.conv_forward, right.conv_backward, {"x": (1, 1, 2, 3), "w": (2, 1, 2, 2), "b": (2,)}, {}),
    (right.max_pool_forward, right.max_pool_backward, {"x": (1, 1, 2, 4)}, {}),
    (right.average_pool, None, {"x": (2, 4)}, {}),
    (right.embedding_forward, right.embedding_backward, {"table": (4, 2)}, {"tokens": np.array([1, 3, 1])}),
    (right.attention_forward, right.attention_backward, {"q": (2, 3), "k": (2, 3), "v": (2, 2)}, {}),
    (right.causal_attention, None, {"q": (2, 3), "k": (2, 3), "v": (2, 2)}, {}),
    (
        right.rnn_step_forward,
        right.rnn_step_backward,
        {"x": (2, 3), "h": (2, 2), "wx": (3, 2), "wh": (2, 2), "b": (2,)},
        {},
    ),
    (right.mse, None, {"prediction": (2, 3), "target": (2, 3)}, {}),
    (right.bce_logits, None, {"z": (3,)}, {"y": np.array([1.0, 0.0, 1.0])}),
    (right.bce_clipped, None, {"p": (2,)}, {"y": np.array([1.0, 0.0])}),
    (right.cosine, None, {"a": (3,), "b": (3,)}, {}),
    (right.ridge, None, {"x": (3, 2), "w": (2,), "y": (3,)}, {}),
    (right.groupnorm_forward, right.groupnorm_backward, {"x": (1, 4, 1), "gamma": (4,)}, {}),
    (right.rmsnorm, None, {"x": (2, 3), "g": (3,)}, {}),
    (right.gelu_tanh, None, {"x": (3,)}, {}),
    (right.gelu_erf, None, {"x": (2,)}, {}),
    (right.swish, None, {"x": (3,)}, {}),
    (right.softplus, None, {"x": (3,)}, {}),
    (right.standardise, None, {"x": (3,)}, {}),
    (right.product_of_all, None, {"x": (3,)}, {}),
    (right.bilinear, None, {"x": (2, 2), "w": (2, 2, 3), "y": (2, 3)}, {}),
    (right.masked_mean, None, {"x": (2, 3)}, MASK),
    (right.two_layers, None, {"x": (2, 3), "w1": (3, 2), "w2": (2, 2)}, {}),
]


def name_of_case(value: object) -> str:
    """The name of a function as the name of a test."""
    return getattr(value, "__name__", "")


@pytest.mark.parametrize(("forward", "backward", "shapes", "data"), PROVED, ids=name_of_case)
def test_a_right_backward_is_proved(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None,
    shapes: dict[str, tuple[int, ...]],
    data: dict[str, Any],
) -> None:
    """What is right is proved at the given shapes and at others, and never called right for all sizes."""
    verdict = sb.verify_backward(forward, backward, shapes=shapes, data=data, seconds=60)

    assert verdict.proved, str(verdict)
    assert not verdict.for_all_sizes
    assert " and " in verdict.scope
