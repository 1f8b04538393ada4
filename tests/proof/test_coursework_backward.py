"""Backward passes as they are written in courses: the right ones are proved, the mistaken twin of each is refuted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import coursework_backward as course
import coursework_layers as layers
import coursework_mistakes as wrong
import numpy as np
import pytest

import symbackprop as sb

Case = Callable[..., Any]

LABELS = {"y": np.array([2, 0])}
ROWS = {"X": np.array([[0.5, 1.0], [-1.0, 2.0]]), **LABELS}
NEIGHBOURS = {"adj": np.array([[True, True], [False, True]])}
NORM = {"x": (3, 2), "gamma": (2,), "beta": (2,)}
RNN = {"x": (1, 2, 2), "h0": (1, 2), "Wx": (2, 2), "Wh": (2, 2), "b": (2,)}
CHARACTERS = {"Wxh": (2, 3), "Whh": (2, 2), "Why": (3, 2), "bh": (2, 1), "by": (3, 1)}
HEADS = {"x": (2, 2), "Wq": (2, 2), "Wk": (2, 2), "Wv": (2, 2)}
CONVOLUTION = {"x": (1, 1, 2, 3), "w": (2, 1, 3, 3), "b": (2,)}

CASES: list[tuple[Case, Case | None, Case, dict[str, tuple[int, ...]], dict[str, Any]]] = [
    (
        course.affine_relu_forward,
        course.affine_relu_backward,
        wrong.affine_relu_masks_the_output,
        {"x": (2, 1, 2), "w": (2, 2), "b": (2,)},
        {},
    ),
    (course.batchnorm_forward, course.batchnorm_backward, wrong.batchnorm_without_variance_path, NORM, {}),
    (course.batchnorm_forward, course.batchnorm_backward_alt, wrong.batchnorm_counts_features, NORM, {}),
    (
        course.layernorm_forward,
        course.layernorm_backward,
        wrong.layernorm_scales_late,
        {"x": (2, 3), "gamma": (3,), "beta": (3,)},
        {},
    ),
    (course.dropout_forward, course.dropout_backward, wrong.dropout_not_inverted, {"x": (2, 3)}, {}),
    (course.generator_dropout, None, wrong.generator_dropout_draws_again, {"x": (2, 3)}, {}),
    (course.conv_forward_naive, course.conv_backward_naive, wrong.conv_overwrites, CONVOLUTION, {}),
    (
        course.max_pool_forward_naive,
        course.max_pool_backward_naive,
        wrong.max_pool_least,
        {"x": (1, 1, 2, 4)},
        {},
    ),
    (
        course.spatial_batchnorm_forward,
        course.spatial_batchnorm_backward,
        wrong.spatial_batchnorm_reshapes,
        {"x": (1, 2, 1, 2), "gamma": (2,), "beta": (2,)},
        {},
    ),
    (course.svm_loss_naive, None, wrong.svm_naive_forgets_the_correct_class, {"W": (2, 3)}, ROWS),
    (course.svm_loss, None, wrong.svm_counts_once, {"x": (2, 3)}, LABELS),
    (course.softmax_loss, None, wrong.softmax_not_averaged, {"x": (2, 3)}, LABELS),
    (course.rnn_forward, course.rnn_backward, wrong.rnn_forgets_the_future, RNN, {}),
    (course.lstm_step, None, wrong.lstm_gates_swapped, {"x": (2, 2), "c": (2, 1), "W": (2, 4)}, {}),
    (
        course.word_embedding_forward,
        course.word_embedding_backward,
        wrong.word_embedding_last_wins,
        {"W": (4, 2)},
        {"x": np.array([[0, 3], [0, 1]])},
    ),
    (layers.neuron, None, wrong.neuron_overwrites_grad, {"x": (2,), "w": (2,), "b": ()}, {}),
    (course.char_rnn_loss, None, wrong.char_rnn_without_tanh, CHARACTERS, {}),
    (course.multi_head_forward, course.multi_head_backward, wrong.multi_head_scales_by_model_width, HEADS, {}),
    (
        layers.small_network,
        None,
        wrong.network_skips_the_activation,
        {"x": (1, 2), "W1": (2, 2), "W2": (2, 1)},
        {},
    ),
    (
        layers.graph_attention,
        None,
        wrong.graph_attention_without_sources,
        {"h": (2, 1), "a_src": (1,), "a_dst": (1,)},
        NEIGHBOURS,
    ),
    (layers.gelu, None, wrong.gelu_without_inner, {"x": (2, 2)}, {}),
    (layers.unit_rows, None, wrong.unit_rows_not_projected, {"x": (2, 3)}, {}),
    (layers.mean_square, None, wrong.mean_square_by_rows, {"pred": (2, 3)}, {"target": np.eye(2, 3)}),
    (layers.upsample, None, wrong.upsample_averages, {"x": (2, 3)}, {}),
    (layers.flip_and_roll, None, wrong.roll_the_same_way, {"x": (3, 2)}, {}),
    (layers.running_total, None, wrong.running_total_forwards, {"x": (3, 2)}, {}),
    (layers.scaled_scores, None, wrong.scores_without_root, {"q": (2, 3), "k": (4, 3)}, {}),
    (layers.solve_forward, layers.solve_backward, wrong.solve_not_transposed, {"A": (2, 2), "b": (2,)}, {}),
    (layers.inverse, None, wrong.inverse_wrong_order, {"A": (2, 2)}, {}),
    (layers.log_determinant, None, wrong.log_determinant_not_transposed, {"A": (2, 2)}, {}),
    (layers.determinant, None, wrong.determinant_without_itself, {"A": (2, 2)}, {}),
    (layers.wrapped_phase, None, wrong.phase_with_slope, {"x": (2,)}, {}),
    (layers.huber, None, wrong.huber_unclipped, {"x": (2,)}, {}),
    (layers.top_two, None, wrong.top_two_by_rank, {"x": (2, 3)}, {}),
]


def name_of_case(value: object) -> str:
    """The name of a function as the name of a test."""
    return getattr(value, "__name__", "")


@pytest.mark.parametrize(("forward", "backward", "twin", "shapes", "data"), CASES, ids=name_of_case)
def test_the_right_one_is_proved_and_its_twin_refuted(
    forward: Case, backward: Case | None, twin: Case, shapes: dict[str, tuple[int, ...]], data: dict[str, Any]
) -> None:
    """At the shapes given and at others; the refutation says what is wrong or where."""
    proved = sb.verify_backward(forward, backward, shapes=shapes, data=data, seconds=60)
    pair = (twin, None) if backward is None else (forward, twin)
    refuted = sb.verify_backward(*pair, shapes=shapes, data=data, seconds=60)

    assert proved.proved, str(proved)
    assert " and " in proved.scope
    assert refuted.refuted, str(refuted)
    assert refuted.diagnosis
    assert refuted.witness is not None
