"""Mistakes in gradients written by hand: each is refuted in words that say what to mend, and its correction proved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import typical_mistakes as typical

import symbackprop as sb

Case = Callable[..., Any]
X: dict[str, tuple[int, ...]] = {"x": (2, 3)}
LINE: dict[str, tuple[int, ...]] = {"x": (3,)}
LAYER: dict[str, tuple[int, ...]] = {"x": (3, 2), "w": (2, 2)}
BRANCH = "is right in another branch, where"

CASES: list[tuple[Case, dict[str, tuple[int, ...]], dict[str, Any], str]] = [
    (typical.average_pool, {"x": (4, 4)}, {}, "the gradient of x[0,0] lacks the factor 1/4"),
    (typical.huber_branches_swapped, LINE, {}, f"{BRANCH} x[0] > -1: is a mask or condition wrong or missing?"),
    (typical.huber_one_sided, LINE, {}, f"{BRANCH} x[0] > -1"),
    (typical.relu_unmasked, X, {}, f"is not 0 where the derivative is: it {BRANCH} x[0,0] > 0"),
    (typical.leaky_without_slope, X, {}, "the gradient of x[0,0] is 0 where the derivative is not"),
    (typical.clip_unmasked, X, {}, f"{BRANCH} x[0,0] > -1 and x[0,0] < 1"),
    (typical.softmax_without_keepdims, {"x": (3, 3)}, {}, "or a sum along one axis put along the other"),
    (typical.softmax_wrong_axis, {"x": (2, 2)}, {}, "reads upstream[1,0] in place of upstream[0,1]: another axis"),
    (typical.square_without_two, X, {}, "the gradient of x[0,0] lacks the factor 2"),
    (typical.penalty_without_two, {"w": (2, 3)}, {}, "the gradient of w[0,0] lacks the factor 2"),
    (
        typical.mean_square_not_averaged,
        X,
        {"y": np.eye(2, 3)},
        "the extra factor 6, the number of entries; is a sum taken where it should be a mean?",
    ),
    (typical.weights_averaged, LAYER, {}, "the factor 3, the length of an axis; is a mean taken where it should be"),
    (
        typical.layernorm_scaled_only,
        X,
        {},
        "does not read upstream[0,1] and upstream[0,2], as the derivative does: a sum, mean or path is missing",
    ),
    (typical.layernorm_std_constant, X, {}, "leaves out the path through sqrt(...)"),
    (typical.dropout_unscaled, X, {"mask": np.array([[1, 0, 1], [1, 1, 0]])}, "lacks the factor 5/4"),
    (
        typical.bias_over_the_wrong_axis,
        {"x": (3, 3), "b": (3,)},
        {},
        "the gradient of b needs the upstream gradient transposed, or summed over the other axis",
    ),
    (
        typical.embedding_overwritten,
        {"table": (3, 2)},
        {"tokens": np.array([0, 2, 0])},
        "counts the output [2] only: is an entry overwritten where it should be added to, as np.add.at does?",
    ),
    (typical.tanh_not_squared, X, {}, "lacks the factor 1 + tanh(x[0,0])"),
    (typical.sigmoid_turned, X, {}, "has the wrong sign"),
    (typical.cube_without_three, X, {}, "the gradient of x[0,0] lacks the factor 3"),
    (
        typical.concatenation_swapped,
        {"x": (2, 2), "y": (2, 3)},
        {},
        "reads upstream[0,3] in place of upstream[0,0]: another axis or place",
    ),
    (typical.residual_forgotten, LAYER, {}, "the gradient of x[0,0] lacks the term upstream[0,0]"),
    (typical.norm_taken_for_constant, X, {}, "leaves out the path through"),
    (typical.aliased_sum, X, {}, "the gradient of x[0,0] lacks the term -2*upstream[0,0]*x[0,0]"),
    (typical.last_sample_only, LAYER, {}, "the sum over the first axis of the output is missing"),
]


@pytest.mark.parametrize(("case", "shapes", "data", "words"), CASES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_typical_mistake_is_refuted_in_words(
    case: Case, shapes: dict[str, tuple[int, ...]], data: dict[str, Any], words: str
) -> None:
    """The same code without the mistake is proved."""
    proved = sb.verify_backward(case, shapes=shapes, data=data, seconds=60)
    refuted = sb.verify_backward(case, shapes=shapes, data={**data, "wrong": True}, seconds=60)

    assert proved.proved, str(proved)
    assert refuted.refuted, str(refuted)
    assert words in refuted.diagnosis
    assert refuted.witness is not None


def test_a_number_that_is_a_size_by_chance_is_told_from_one() -> None:
    """Where the factor follows the axis to other shapes it is its length, else it is just a number."""
    number = sb.verify_backward(typical.square_without_two, shapes=X, data={"wrong": True}).diagnosis
    size = sb.verify_backward(typical.weights_averaged, shapes={"x": (2, 3), "w": (3, 2)}, data={"wrong": True})

    assert number == "the gradient of x[0,0] lacks the factor 2"
    assert "lacks the factor 2, the length of an axis" in size.diagnosis


def softmax(x: Any) -> Any:
    p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    return p, p


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (lambda p: 2, "lacks the factor 2"),
        (lambda p: p.shape[0], "lacks the factor 2, the length of an axis; is a mean taken where it should be a sum?"),
        (lambda p: p.shape[1], "lacks the factor 2, the length of an axis; is a mean taken where it should be a sum?"),
    ],
)
def test_equal_sizes_are_told_from_a_number_and_from_each_other(factor: Any, said: str) -> None:
    """At other shapes one of them may stay what it was."""

    def backward(dout: Any, p: Any) -> Any:
        return p * (dout - (dout * p).sum(axis=1, keepdims=True)) / factor(p)

    verdict = sb.verify_backward(softmax, backward, shapes={"x": (2, 2)})

    assert verdict.diagnosis == f"the gradient of x[0,0] {said}"


def two_products(x: Any, W1: Any, W2: Any) -> Any:
    return x @ W1 @ W2, (x, W1, W2)


def a_product_left_out(dout: Any, cache: Any) -> Any:
    x, W1, W2 = cache
    dh = dout @ W2.T
    dx = np.where([True, False], dh @ W1.T, dh)
    return dx, x.T @ dh, (x @ W1).T @ dout


def test_no_quotient_of_sums_is_called_a_factor() -> None:
    """What makes one side of the other whatever they are says nothing of a mistake."""
    verdict = sb.verify_backward(two_products, a_product_left_out, shapes={"x": (1, 2), "W1": (2, 2), "W2": (2, 1)})

    assert verdict.refuted
    assert "multiplied" not in verdict.diagnosis
    assert not sb.verify("x*(1 - 1.3*y - 0.7*z)/3", "x").diagnosis
    assert sb.verify("x*(1 - y - z)", "x").diagnosis == "the right side lacks the factor 1 - y - z"


def huber(x: Any, t: Any) -> Any:
    """Squares beside 0, and absolute values beyond 1."""
    e = x - t
    a = np.abs(e)
    return np.where(a <= 1, 0.5 * e * e, a - 0.5).sum(), (e, a)


def same_for_both(dout: Any, cache: Any) -> Any:
    """The gradient of t lacks its sign; where two errors are large it is that of another entry by chance."""
    e, a = cache
    slope = dout * np.where(a <= 1, e, np.sign(e))
    return slope, slope.copy()


ROWS = np.array([[0, 0], [1, 1]])


def softmax_of_rows(s: Any) -> Any:
    """A row that is masked as a whole."""
    z = s + (1 - ROWS) * -1e9
    e = np.exp(z - z.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    return p, p


def masked_rows(dout: Any, p: Any) -> Any:
    """It is not 0 for that row."""
    return (ROWS * p * (dout - (dout * p).sum(1, keepdims=True)),)


def test_what_is_right_by_chance_is_no_diagnosis() -> None:
    """Another entry, or the only row that is left, explains nothing where it reads nothing else."""
    shifted = sb.verify_backward(huber, same_for_both, shapes={"x": (3,), "t": (3,)})
    rows = sb.verify_backward(softmax_of_rows, masked_rows, shapes={"s": (2, 2)})

    assert shifted.refuted
    assert "derivative by" not in shifted.diagnosis
    assert rows.refuted
    assert "sum over the first axis" not in rows.diagnosis
