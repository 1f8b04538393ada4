"""A comparison whose sides are equal in exact numbers and computed in two ways is told: floats may round them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb

NOTE = "are equal for all real numbers, so it was taken as "


def squares(x: Any) -> Any:
    return x**2, x


def softmax(x: Any) -> Any:
    p = np.exp(x) / np.exp(x).sum()
    return p, p


def softmax_back(dout: Any, p: Any) -> Any:
    if p.sum() != 1:
        return np.zeros_like(p)
    return p * (dout - (dout * p).sum())


def third(x: Any) -> Any:
    return (x / 3).max(axis=1) * 3, x


def third_back(dout: Any, x: Any) -> Any:
    m = ((x / 3).max(axis=1) * 3)[:, None] == x
    return m * dout[:, None]


def slope_where(holds: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """The derivative of squares, by a mask that is to be true."""
    return lambda dout, x: 2 * x * dout * holds(x)


def without(x: Any) -> Any:
    return (x + 1 - 1 - x == 0) * 1.0


def asks_its_truth(dout: Any, x: Any) -> Any:
    return 2 * x * dout if not (x[0] / 3 * 3 - x[0]) else 0 * x


@pytest.mark.parametrize(
    ("forward", "backward", "shape", "taken"),
    [
        (squares, slope_where(lambda x: x + 1 - 1 == x), (2,), "true"),
        (squares, slope_where(lambda x: np.log(np.exp(x)) == x), (2,), "true"),
        (squares, slope_where(lambda x: np.sin(x) ** 2 + np.cos(x) ** 2 >= 1), (2,), "true"),
        (squares, slope_where(lambda x: ~(np.sin(x) ** 2 + np.cos(x) ** 2 < 1)), (2,), "false"),
        (squares, slope_where(without), (2,), "true"),
        (squares, asks_its_truth, (2,), "false"),
        (third, third_back, (2, 2), "true"),
        (softmax, softmax_back, (3,), "false"),
    ],
)
def test_equal_sides_that_floats_round_apart_are_told(forward: Any, backward: Any, shape: Any, taken: str) -> None:
    """What is proved holds in exact numbers; the line is named once."""
    verdict = sb.verify_backward(forward, backward, shapes={"x": shape})

    assert verdict.proved
    said = [note for note in verdict.notes if NOTE in note]
    assert len(said) == 1
    assert said[0].startswith("The sides of a comparison in test_rounded_comparisons.py:")
    assert said[0].endswith(f"so it was taken as {taken}; floats may round them apart.")


def pool(x: Any) -> Any:
    return x.max(axis=1), x


def pool_by_equality(dout: Any, x: Any) -> Any:
    out = x.max(axis=1, keepdims=True)
    return (x == out) * dout[:, None]


def pool_by_difference(dout: Any, x: Any) -> Any:
    return (x - x.max(axis=1, keepdims=True) == 0) * dout[:, None]


@pytest.mark.parametrize(
    ("forward", "backward", "shape"),
    [
        (pool, pool_by_equality, (2, 2)),
        (pool, pool_by_difference, (2, 2)),
        (lambda x: (np.clip(x, -1, 1), x), lambda dout, x: dout * (np.clip(x, -1, 1) == x), (2,)),
        (lambda x: (np.maximum(x, 0), x), lambda dout, x: dout * (np.where(x > 0, x, 0) == x), (2,)),
        (squares, slope_where(lambda x: 2 * x == x + x), (2,)),
        (squares, slope_where(lambda x: np.tanh(x) == np.tanh(x.copy())), (2,)),
        (squares, slope_where(lambda x: x**2 == x * x), (2,)),
        (squares, slope_where(lambda x: -(1 - x) == x - 1), (2,)),
    ],
)
def test_equal_sides_that_are_equal_in_floats_are_not(forward: Any, backward: Any, shape: Any) -> None:
    """An extreme is one of its entries; what floats compute exactly is the same in two ways."""
    verdict = sb.verify_backward(forward, backward, shapes={"x": shape})

    assert verdict.proved
    assert NOTE not in str(verdict)


def bounded_growth(x: Any) -> Any:
    y = np.exp(x)
    return (np.minimum(y, 1e300) if np.isinf(y).any() else y), y


def test_where_numbers_overflow_is_said_to_be_unjudged() -> None:
    """Real numbers do not, so the branch for that is not seen."""
    verdict = sb.verify_backward(bounded_growth, lambda dout, y: dout * y, shapes={"x": (2,)})

    assert verdict.proved
    assert any(note.startswith("Overflow was not judged: np.isinf") for note in verdict.notes)


def test_what_floats_compute_otherwise_at_the_point_is_undecided() -> None:
    """Where they do round the sides apart there, the gradient that NumPy returns is another one."""
    verdict = sb.verify_backward(squares, slope_where(lambda x: x == x * 0.1 * 10), shapes={"x": (2,)})

    assert verdict.undecided
    assert "on plain floats the gradient of x has an entry" in verdict.reason
