"""Numbers of Python and of NumPy, types that are asked for, and what code keeps: each as in a run on floats."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb

Pass = Callable[..., Any]


def judge(of: Callable[[Any], Any], slope: Callable[[Any], Any], **options: Any) -> sb.Verdict:
    """The verdict on the gradient of sum(x) times what is of x but does not move with it."""

    def forward(x: Any, **data: Any) -> Any:
        return x.sum() * of(x, **data), x

    def backward(d: Any, x: Any) -> Any:
        return d * slope(x) * np.ones_like(x)

    return sb.verify_backward(forward, backward, shapes={"x": (3,)}, **options)


def weights(x: Any) -> Any:
    """1, 1/2 and 1/3: integers as floats, into which fractions are written."""
    w = np.arange(1, len(x) + 1, dtype=float)
    w[1:] = 1 / w[1:]
    return w.sum()


def summed(x: Any) -> Any:
    w = np.cumsum(np.array([1, 2, 3]), dtype=float)
    w[:] = 0.5
    return w.sum()


def stacked(x: Any) -> Any:
    w = np.stack([np.arange(3), np.arange(3)], dtype=float)
    w *= 0.5
    return w.sum()


def counted(x: Any) -> Any:
    a, b, c = (float(v) for v in x)
    return (a > 0) + (b > 0) + (c > 0)


def by_exponentials(x: Any) -> Any:
    return (math.exp(x[0]) > 1) + (math.exp(x[1]) > 1)


def beside_an_entry(x: Any) -> Any:
    """A float of Python compared with one of NumPy gives a truth value of NumPy, and two of those no 2."""
    first, second = x.tolist()[:2]
    return ((first > x[2]) + (second > x[2])) * 1.0


def rounded(x: Any) -> Any:
    """What Python makes of its floats are floats of Python."""
    a, b = x.tolist()[:2]
    return (round(a, 0) // 1 + 1 > round(a, 0)) + (b - b % 1 <= b)


def and_of_numbers(x: Any) -> Any:
    return np.logical_and(x > 0, x).sum() + np.any(x) * 1.0 + np.logical_xor(np.logical_and(x > 0, x), x > -1).sum()


def clipped(x: Any) -> Any:
    return np.clip(x[0], -1, 1) * 0 + 1.0


@pytest.mark.parametrize(
    ("of", "right", "wrong"),
    [
        (weights, lambda x: 1 + sum(1 / k for k in range(2, len(x) + 1)), lambda x: 1.0),
        (summed, lambda x: 1.5, lambda x: 0.0),
        (stacked, lambda x: 3.0, lambda x: 6.0),
        (counted, lambda x: (x > 0).sum(), lambda x: 1.0 if counted(x) else 0.0),
        (by_exponentials, lambda x: (x[:2] > 0).sum(), lambda x: (x[:2] > 0).any() * 1.0),
        (beside_an_entry, lambda x: (x[:2] > x[2]).any() * 1.0, lambda x: (x[:2] > x[2]).sum()),
        (rounded, lambda x: 2.0, lambda x: 1.0),
        (
            and_of_numbers,
            lambda x: (x > 0).sum() + 1.0 + ((x > -1) & (x < 0)).sum(),
            lambda x: np.maximum(x, 0).sum() + 1.0 + ((x > -1) & (x < 0)).sum(),
        ),
        (clipped, lambda x: 1.0, lambda x: 2.0),
    ],
)
def test_numbers_are_those_of_a_run_on_floats(
    of: Callable[[Any], Any], right: Callable[[Any], Any], wrong: Callable[[Any], Any]
) -> None:
    """What is right at many points is proved, and what is wrong at some is refuted."""
    points = np.random.default_rng(0).normal(size=(60, 3))
    assert all(np.isclose(of(x), right(x)) for x in points)
    assert not all(np.isclose(of(x), wrong(x)) for x in points)

    assert judge(of, right).proved
    assert judge(of, wrong).refuted


@pytest.mark.parametrize(("half", "proved"), [(0.5, True), (0.0, False)])
def test_a_step_has_its_middle_wherever_it_is_taken_of_0(half: float, proved: bool) -> None:
    """Which is so on half of all points after a relu."""

    def forward(x: Any) -> Any:
        return x.sum(), x

    def backward(d: Any, x: Any) -> Any:
        return d * np.ones_like(x) + np.heaviside(np.maximum(x, 0), 0.5) - np.where(x > 0, 1, half)

    verdict = sb.verify_backward(forward, backward, shapes={"x": (3,)})

    assert verdict.proved is proved
    assert verdict.refuted is not proved


def by_text(x: Any) -> Any:
    return 2.0 if str(x[0]).startswith("-") else 1.0


def by_texts_of_arrays(x: Any) -> Any:
    return 2.0 if "-" in np.array2string(x) else 1.0


def by_class(x: Any) -> Any:
    match x.tolist()[0]:
        case float():
            return 2.0
        case _:
            return 1.0


@pytest.mark.parametrize("of", [by_text, by_texts_of_arrays, by_class])
def test_what_reads_more_than_numbers_is_not_traced(of: Callable[[Any], Any]) -> None:
    """A text of a number, or a match by its class, is of one point or of no float."""
    verdict = judge(of, lambda x: 1.0)

    assert verdict.undecided


def running_mean(x: Any, state: dict[str, Any]) -> Any:
    """A forward that keeps a mean for later calls."""
    out = np.where(x > 0, x, 0.1 * x)
    state["mean"] = 0.9 * state["mean"] + 0.1 * x
    state["calls"] += 1
    return out, x > 0


def less_its_mean(x: Any, state: dict[str, Any]) -> Any:
    """The same, which counts with what the mean was before."""
    before = state["mean"]
    out, mask = running_mean(x, state)
    return out - before, mask


def test_state_among_the_data_begins_anew_with_each_run_and_is_left_alone() -> None:
    """A dictionary, a list or an object that is handed over is copied, as arrays are."""
    state = {"mean": np.zeros(2), "calls": 0}

    for forward, expected in ((running_mean, ""), (less_its_mean, "the output is not the same: the code keeps state")):
        verdict = sb.verify_backward(
            forward, lambda d, m: d * np.where(m, 1, 0.1), shapes={"x": (2,)}, data={"state": state}
        )

        assert verdict.undecided if expected else verdict.proved
        assert expected in verdict.reason
        assert state["calls"] == 0
        assert state["mean"].tolist() == [0.0, 0.0]


def test_an_errstate_hides_nothing() -> None:
    """It lets every error through, so comparisons stay open below it."""

    def forward(x: Any) -> Any:
        with np.errstate(over="ignore"):
            return np.maximum(x, 0), x

    def backward(d: Any, x: Any) -> Any:
        with np.errstate(over="ignore", invalid="ignore"):
            return d * (x > 0)

    verdict = sb.verify_backward(forward, backward, shapes={"x": (12,)})

    assert verdict.proved
    assert "x=(12,) (on all paths)" in verdict.scope


def test_a_product_of_open_truth_values_ends_no_process() -> None:
    """NumPy's product of objects frees one twice where an addition raises."""

    def backward(d: Any, x: Any) -> Any:
        above = x[:, None] > x
        return d * (x > 0) + 0.0 * ((above @ above) & above).sum()

    for _ in range(8):
        verdict = sb.verify_backward(lambda x: (np.maximum(x, 0).sum(), x), backward, shapes={"x": (8,)})

        assert not verdict.refuted


DROPOUT = (np.array([0.1, 0.8, 0.3]) < 0.7).astype(np.float32) / np.float32(0.7)
SHORT = np.array([0.1, 0.8, 0.3], np.float32)


@pytest.mark.parametrize(
    ("constant", "returned", "status"),
    [
        (DROPOUT, lambda: (DROPOUT != 0) / 0.7, "undecided"),
        (DROPOUT, lambda: (DROPOUT != 0) / 0.71, "refuted"),
        (DROPOUT, lambda: DROPOUT, "proved"),
        (SHORT, lambda: np.array([0.1, 0.8, 0.3]), "proved"),
        (SHORT, lambda: np.array([0.1, 0.8, 0.31]), "refuted"),
        (np.float16(1 / 3), lambda: 1 / 3, "undecided"),
        (np.float16(1 / 3), lambda: 1 / 2.9, "refuted"),
    ],
)
def test_short_floats_are_as_exact_as_their_type(constant: Any, returned: Callable[[], Any], status: str) -> None:
    """float32 and float16 are read as the digits that they print, and what they cannot tell apart is not refuted."""
    verdict = sb.verify_backward(
        lambda x: (x * constant, None), lambda dout, _: dout * returned(), shapes={"x": (3,)}
    )

    assert verdict.status == status, str(verdict)
