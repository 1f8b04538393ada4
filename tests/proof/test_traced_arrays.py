"""Traced arrays pass for arrays of floats, say where they cannot, and carry what a result needs to have a value."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb

Backward = Callable[[Any, Any], Any]


def square(x: Any) -> Any:
    """x^2, entry by entry."""
    return x * x, x


def relu(x: Any) -> Any:
    """The larger of x and 0."""
    return np.maximum(x, 0), x


def writes_half(d: Any, x: Any) -> Any:
    """Leaves what is not positive as np.empty made it."""
    dx = np.empty_like(x)
    dx[x > 0] = d[x > 0]
    return dx


def adds_to_nothing(d: Any, x: Any) -> Any:
    """Adds to what np.empty made."""
    dx = np.empty(x.shape)
    dx += d * (x > 0)
    return dx


def writes_all(d: Any, x: Any) -> Any:
    """Writes every entry."""
    dx = np.empty(x.shape)
    dx.fill(0)
    dx[x > 0] = d[x > 0]
    return dx


@pytest.mark.parametrize(("backward", "what"), [(writes_half, "was never"), (adds_to_nothing, "is computed from")])
def test_what_np_empty_made_is_no_zero(backward: Backward, what: str) -> None:
    """An entry that nothing was written to is refuted, as is what is computed from it."""
    verdict = sb.verify_backward(relu, backward, shapes={"x": (3,)})

    assert verdict.refuted
    assert what in verdict.diagnosis
    assert "np.empty holds whatever was there" in verdict.diagnosis
    assert sb.verify_backward(relu, writes_all, shapes={"x": (3,)}).proved


RIGHT: list[Backward] = [
    lambda d, x: 2 * x * d if np.issubdtype(x.dtype, np.floating) else d,
    lambda d, x: 2 * x * d if x.dtype.kind == "f" else d,
    lambda d, x: 2 * x * d if type(x) is np.ndarray else d,
    lambda d, x: 2 * x * d if x.dtype == np.float64 and x.dtype == float else d,
    lambda d, x: 2 * x * d if isinstance(x, np.ndarray) and not isinstance(x, (list, tuple)) else d,
    lambda d, x: 2 * x * d if isinstance(x[0], np.floating) and isinstance(x[0], float) else d,
    lambda d, x: 2 * x * d if np.result_type(x, 1) == np.float64 else d,
    lambda d, x: 2 * x * d + 0 * np.finfo(x.dtype).eps,
    lambda d, x: 2 * d * np.pad(x, 1)[1:-1],
    lambda d, x: 2 * d * np.lib.stride_tricks.sliding_window_view(x, 1)[:, 0],
    lambda d, x: 2 * d * x + 0 * (np.std(x) + x.var(ddof=1) + np.mean(x, where=x == x)),
    lambda d, x: 2 * d * x + 0 * np.sum(x, where=x > 0),
    lambda d, x: 2 * d * np.array(x.tolist()),
    lambda d, x: 2 * d * np.cbrt(x) ** 3,
    lambda d, x: 2 * d * x + 0 * np.logaddexp.reduce(x),
]


@pytest.mark.parametrize("backward", RIGHT, ids=[str(k) for k in range(len(RIGHT))])
def test_traced_arrays_answer_as_arrays_of_floats(backward: Backward) -> None:
    """What is right on floats is proved, whatever it asks of types."""
    verdict = sb.verify_backward(square, backward, shapes={"x": (2,)})

    assert verdict.proved, str(verdict)


def test_a_branch_that_floats_take_is_the_one_that_is_judged() -> None:
    """A mistake behind a test of the type is refuted."""
    verdict = sb.verify_backward(square, lambda d, x: d if x.dtype == np.float64 else 2 * x * d, shapes={"x": (2,)})

    assert verdict.refuted


@pytest.mark.parametrize(
    ("backward", "reason"),
    [
        (lambda d, x: np.frombuffer(x.tobytes()) * x, "raw memory"),
        (lambda d, x: np.frombuffer(x) * x, "raw memory"),
        (lambda d, x: x.view(np.int64) * x, "raw memory"),
        (lambda d, x: np.asarray(x.data) * x, "raw memory"),
        (lambda d, x: np.asarray(memoryview(x)) * x, "raw memory"),
        (lambda d, x: len(bytes(x)) * x, "raw memory"),
        (lambda d, x: x.ctypes.data * x, "raw memory"),
        (lambda d, x: pickle.loads(pickle.dumps(x)) * x, "raw memory"),
        (lambda d, x: np.ndarray(x.shape) * x, "np.zeros is traced"),
        (lambda d, x: np.interp(x, [0, 1], [0, 1]), "np.interp has no trace"),
        (lambda d, x: np.vectorize(lambda v: v)(x), "np.vectorize has no trace"),
        (lambda d, x: np.nextafter(x, 1), "np.nextafter has no trace"),
        (lambda d, x: x if x.astype(np.float32).dtype == np.float64 else d, "mixes types of numbers"),
        (lambda d, x: np.add(np.zeros(2, int), x, out=np.zeros(2, int)), "NumPy raises UFuncTypeError for this line"),
    ],
)
def test_what_has_no_trace_is_undecided_with_its_line(backward: Backward, reason: str) -> None:
    """Raw memory, and functions of NumPy that need plain numbers, stop with the operation and the line."""
    verdict = sb.verify_backward(square, backward, shapes={"x": (2,)})

    assert verdict.undecided, str(verdict)
    assert reason in verdict.reason
    assert "test_traced_arrays.py:" in verdict.reason


@pytest.mark.parametrize(
    ("backward", "where"),
    [
        (lambda d, x: 2 * d * np.exp(np.log(x)), "x[0] > 0"),
        (lambda d, x: 2 * d * x * x / x, "x[0] != 0"),
        (lambda d, x: 2 * d * np.sqrt(x) ** 2, "x[0] >= 0"),
        (lambda d, x: 2 * d * x + 0 * np.log(x), "x[0] > 0"),
    ],
)
def test_a_proof_says_where_the_code_has_a_value(backward: Backward, where: str) -> None:
    """What cancels in a formula still has to have a value in the code."""
    verdict = sb.verify_backward(square, backward, shapes={"x": (2,)})

    assert verdict.proved
    assert where in verdict.hypotheses
    assert sb.verify_backward(square, lambda d, x: 2 * d * x, shapes={"x": (2,)}).hypotheses == ()


def test_an_untaken_side_needs_nothing() -> None:
    """A quotient that a mask leaves out puts no condition on the result."""
    verdict = sb.verify_backward(square, lambda d, x: 2 * d * np.where(x > 0, x * x / x, x), shapes={"x": (2,)})

    assert verdict.proved
    assert verdict.hypotheses == ()


def test_several_outputs_hand_back_as_many_upstreams() -> None:
    """A tuple of outputs has a tuple of upstream gradients."""

    def forward(x: Any, h: Any) -> Any:
        return (np.tanh(x), h * x), (x, h)

    def backward(d: Any, cache: Any) -> Any:
        (first, second), (x, h) = d, cache
        return first * (1 - np.tanh(x) ** 2) + second * h, second * x

    def mixes(d: Any, cache: Any) -> Any:
        (first, second), (x, h) = d, cache
        return first * (1 - np.tanh(x) ** 2) + first * h, second * x

    assert sb.verify_backward(forward, backward, shapes={"x": (2,), "h": (2,)}).proved
    assert sb.verify_backward(forward, mixes, shapes={"x": (2,), "h": (2,)}).refuted


def test_a_gradient_of_a_number_in_the_shape_of_an_array_is_diagnosed() -> None:
    """The sum over the entries is missing."""

    def forward(x: Any, b: Any) -> Any:
        return x * b, (x, b)

    verdict = sb.verify_backward(forward, lambda d, c: (d * c[1], d * c[0]), shapes={"x": (3,), "b": ()})

    assert verdict.refuted
    assert "the sum over the first axis is missing" in verdict.diagnosis


def test_a_function_that_ends_the_process_is_an_error() -> None:
    """No verdict is given, and none is missed."""
    with pytest.raises(sb.ArgumentError, match="the code ends the process"):
        sb.verify_backward(square, lambda d, x: sys.exit(0), shapes={"x": (2,)})


def test_shapes_that_are_no_shapes_are_errors() -> None:
    """One size stands for a vector; anything else is named."""
    assert sb.verify_backward(square, lambda d, x: 2 * d * x, shapes={"x": 3}).proved  # type: ignore[dict-item]
    for shapes in (None, [3], {"x": "3"}, {"x": True}):
        with pytest.raises(sb.ArgumentError, match="shape"):
            sb.verify_backward(square, lambda d, x: 2 * d * x, shapes=shapes)  # type: ignore[arg-type]
