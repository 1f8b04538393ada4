"""A forward that raises for some inputs: the backward is judged for the others, and the verdict names the line."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.proof.exploration import Unvisited, trace_paths
from symbackprop.proof.guarded_calls import OutsideError
from symbackprop.proof.path_signs import Reading
from symbackprop.proof.tracing import Subject


def logs(x: Any) -> Any:
    assert (x > 0).all(), "positive numbers only"
    return np.log(x).sum(), x


def logs_backward(upstream: Any, x: Any) -> Any:
    return upstream / x


def without_upstream(upstream: Any, x: Any) -> Any:
    return 1 / x


def large_sums(x: Any) -> Any:
    total = x.sum()
    if total < 1:
        raise ValueError("too small")
    return total**2 if total < 4 else 8 * total, total


def large_sums_backward(upstream: Any, total: Any) -> Any:
    return np.full(2, upstream * (2 * total if total < 4 else 8))


def wrong_above_four(upstream: Any, total: Any) -> Any:
    return np.full(2, upstream * 2 * total)


def refuses_all(x: Any) -> Any:
    if x.sum() < 1 or x.sum() >= 1:
        raise ValueError("never")
    return x, None


def reads_beyond(x: Any) -> Any:
    return x[5 if x.sum() > 0 else 0], x


def first_entry_backward(upstream: Any, x: Any) -> Any:
    grad = np.zeros_like(x)
    grad[0] = upstream
    return grad


def backward_refuses(upstream: Any, x: Any) -> Any:
    if x.sum() > 3:
        raise ValueError("too large")
    return upstream / x


@pytest.mark.parametrize(
    ("forward", "backward", "line"),
    [(logs, logs_backward, "positive numbers only"), (large_sums, large_sums_backward, "too small")],
)
def test_what_remains_is_proved_and_the_line_is_told(forward: Any, backward: Any, line: str) -> None:
    """A statement of forward itself says for which inputs there is nothing to judge."""
    verdict = sb.verify_backward(forward, backward, shapes={"x": (2,)})
    assert verdict.proved, str(verdict)
    assert any("forward raises" in note and line in note for note in verdict.notes)


@pytest.mark.parametrize(("forward", "backward"), [(logs, without_upstream), (large_sums, wrong_above_four)])
def test_what_remains_is_refuted(forward: Any, backward: Any) -> None:
    """A mistake where forward returns is found."""
    assert sb.verify_backward(forward, backward, shapes={"x": (2,)}).refuted


@pytest.mark.parametrize(
    ("forward", "backward", "cause"),
    [
        (refuses_all, logs_backward, "ValueError: never"),
        (reads_beyond, first_entry_backward, "IndexError"),
        (logs, backward_refuses, "ValueError: too large"),
    ],
)
def test_other_errors_leave_all_undecided(forward: Any, backward: Any, cause: str) -> None:
    """What always raises, what Python raises, and what backward raises, decides nothing."""
    verdict = sb.verify_backward(forward, backward, shapes={"x": (2,)})
    assert verdict.undecided, str(verdict)
    assert cause in verdict.reason


def test_a_first_call_that_raises_for_one_input_only_is_no_state() -> None:
    """The earlier call is made with inputs that forward takes."""
    verdict = sb.verify_backward(large_sums, large_sums_backward, shapes={"x": (2,)})
    assert verdict.proved
    assert "call" not in str(verdict)


def test_paths_on_which_forward_raises_count_among_those_that_are_run() -> None:
    """There are 255 of them here; the bound is for all runs, and twice that for branches that are new."""
    subject = Subject(logs, logs_backward, {"x": (8,)}, {})
    found = list(trace_paths(subject, math.inf, 16, Reading()))

    assert 0 < sum(isinstance(each, OutsideError) for each in found) <= 32
    assert any(isinstance(each, Unvisited) for each in found)
