"""The breadth of NumPy that is traced: each way is proved where it is right and refuted where a mistake is planted."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy_features as features
import pytest
from numpy.lib.stride_tricks import as_strided
from scipy import special
from scipy.special import log_softmax, logsumexp, softmax, xlogy

import symbackprop as sb

Case = Callable[..., Any]
Shapes = dict[str, tuple[int, ...]]

SHAPES: dict[str, Shapes] = {
    "matmul_batched": {"x": (2, 2, 3), "w": (3, 2)},
    "dot_and_outer": {"x": (3,), "w": (3, 2)},
    "tensordot_axes": {"x": (2, 2, 3), "w": (3, 2)},
    "einsum_optimised": {"x": (2, 2, 3), "w": (3, 2)},
    "transposed_axes": {"x": (2, 2, 3)},
    "moved_axis": {"x": (2, 2, 3)},
    "taken": {"x": (3, 2)},
    "windows": {"x": (3, 2)},
    "windows_of_images": {"x": (3, 4), "w": (2, 2)},
    "broadcast": {"x": (2, 3), "b": (3,)},
    "cumulative_product": {"x": (3,)},
    "padded_by_reflection": {"x": (4,)},
    "differences": {"x": (4,)},
    "kronecker": {"x": (2, 2), "y": (1, 2)},
    "convolved": {"x": (4,), "w": (2,)},
    "ellipsis_and_steps": {"x": (2, 4)},
    "meshes": {"x": (3,)},
    "arrays_split": {"x": (4,)},
    "loops": {"x": (2, 2), "w": (2,)},
    "scattered_sum": {"x": (3,)},
    "bins": {"x": (3,)},
    "crossed": {"x": (3,), "y": (3,)},
    "ptp_range": {"x": (3,)},
    "medians": {"x": (3,)},
    "deviations": {"x": (3, 2)},
    "smaller": {"x": (2,), "y": (2,)},
    "log_of_two_exps": {"x": (2,), "y": (2,)},
    "larger_clipped": {"x": (2,)},
    "chosen_conditions": {"x": (2,)},
    "piecewise_parts": {"x": (2,)},
    "sorted_order": {"x": (1, 3)},
}
DATA: dict[str, dict[str, Any]] = {
    "taken_along": {"index": np.array([[0, 2], [1, 0]])},
    "taken": {"rows": np.array([0, 2, 0])},
    "averaged": {"weights": np.array([1.0, 3.0])},
    "scattered_sum": {"index": np.array([0, 1, 0])},
    "bins": {"index": np.array([0, 1, 0])},
    "one_hot": {"labels": np.array([0, 2])},
}
CASES = [f for f in vars(features).values() if inspect.isfunction(f) and f.__module__ == features.__name__]


def shapes_of(case: Case) -> Shapes:
    """The shapes of a case, 2 by 3 where none are given."""
    return SHAPES.get(case.__name__) or {name: (2, 3) for name in inspect.signature(case).parameters if name in "xyw"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_way_to_write_numpy_is_traced(case: Case) -> None:
    """Right is proved, and wrong is refuted with words."""
    data = DATA.get(case.__name__, {})
    proved = sb.verify_backward(case, shapes=shapes_of(case), data=data, seconds=60)
    refuted = sb.verify_backward(case, shapes=shapes_of(case), data={**data, "wrong": True}, seconds=60)

    assert proved.proved, str(proved)
    assert refuted.refuted, str(refuted)
    assert refuted.diagnosis


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_what_is_proved_passes_finite_differences(case: Case) -> None:
    """On floats, outside of any verification, the right gradients agree with central differences."""
    generator = np.random.default_rng(1)
    data = DATA.get(case.__name__, {})
    inputs = {name: generator.uniform(0.2, 1.8, shape) for name, shape in shapes_of(case).items()}
    _, _, gradients = case(**inputs, **data)
    for name, value in inputs.items():
        for place in np.ndindex(*value.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = {**inputs, name: value.copy()}
                moved[name][place] += step
                ends.append(np.sum(case(**moved, **data)[0]))

            assert np.isclose(np.asarray(gradients[name])[place], (ends[0] - ends[1]) / 2e-6, rtol=1e-5, atol=1e-5)


def softmax_by_scipy(x: Any) -> Any:
    """The function of that name."""
    p = softmax(x, axis=1)
    d = sb.upstream(p)
    return p, d, {"x": p * (d - (d * p).sum(1, keepdims=True))}


def log_sum_by_scipy(x: Any) -> Any:
    """By its name and through the module."""
    out = logsumexp(x, axis=1) + special.logsumexp(x, axis=1, b=2)
    d = sb.upstream(out)
    return out, d, {"x": 2 * d[:, None] * special.softmax(x, axis=1)}


def log_softmax_by_scipy(x: Any) -> Any:
    """Over the last axis."""
    out = log_softmax(x, axis=-1)
    d = sb.upstream(out)
    return out, d, {"x": d - np.exp(out) * d.sum(-1, keepdims=True)}


def elementwise_by_scipy(x: Any) -> Any:
    """Functions of one number and of two."""
    out = special.expit(x) + special.erf(x) + special.ndtr(x) + special.log_expit(x) + xlogy(x, x)
    d = sb.upstream(out)
    s = special.expit(x)
    normal = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    slope = s * (1 - s) + 2 / np.sqrt(np.pi) * np.exp(-(x**2)) + normal + 1 - s + 1 + np.log(x)
    return out, d, {"x": d * slope}


@pytest.mark.parametrize("case", [softmax_by_scipy, log_sum_by_scipy, log_softmax_by_scipy, elementwise_by_scipy])
def test_what_scipy_computes_is_traced(case: Case) -> None:
    """The functions of `scipy.special` that gradients use; a factor of 2 in the gradient is refuted."""
    shapes = {"x": (2, 3)}

    def doubled(x: Any) -> Any:
        out, d, gradients = case(x)
        return out, d, {"x": 2 * gradients["x"]}

    assert sb.verify_backward(case, shapes=shapes).proved
    assert sb.verify_backward(doubled, shapes=shapes).refuted


def by_its_name(x: Any) -> Any:
    """Raw memory."""
    return as_strided(x, (2, 2), (8, 8)).sum(), 1, {"x": x}


def through_the_module(x: Any) -> Any:
    """The same by its long name."""
    return np.lib.stride_tricks.as_strided(x, (2, 2), (8, 8)).sum(), 1, {"x": x}


def by_a_table(x: Any) -> Any:
    """A function of NumPy without a trace."""
    return np.interp(x, np.arange(3.0), np.arange(3.0)), 1, {"x": x}


def by_gamma(x: Any) -> Any:
    """A function of SciPy without one."""
    return special.gamma(x), 1, {"x": x}


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (by_its_name, "as_strided reads raw memory"),
        (through_the_module, "as_strided reads raw memory"),
        (by_a_table, "np.interp has no trace"),
        (by_gamma, "scipy.special.gamma has no trace; write it out"),
    ],
)
def test_what_has_no_trace_is_undecided_with_its_line(case: Case, reason: str) -> None:
    """The file, the line and the function."""
    verdict = sb.verify_backward(case, shapes={"x": (3,)})

    assert verdict.undecided
    assert reason in verdict.reason
    assert "test_numpy_features.py:" in verdict.reason


def cross_entropy(x: Any, y: Any) -> Any:
    """Right where the rows of y sum to 1, as they do."""
    exps = np.exp(x)
    p = exps / exps.sum(axis=1, keepdims=True)
    out = -(y * np.log(p)).sum() / len(x)
    d = sb.upstream(out)
    return out, d, {"x": d * (p - y) / len(x)}


def permuted(x: Any, order: Any) -> Any:
    """Right for a permutation, as each entry is written once."""
    out = x[order] ** 2
    d = sb.upstream(out)
    dx = np.zeros_like(x)
    dx[order] = 2 * x[order] * d
    return out, d, {"x": dx}


@pytest.mark.parametrize("y", [np.eye(3)[[0, 2]], np.array([[0.2, 0.3, 0.5], [0.1, 0.6, 0.3]])])
def test_probabilities_stay_such_at_other_shapes(y: Any) -> None:
    """Data that sum to 1 are made longer by zeros, so that what is right with them is proved."""
    verdict = sb.verify_backward(cross_entropy, shapes={"x": (2, 3)}, data={"y": y})

    assert verdict.proved
    assert verdict.scope == "the shapes x=(2, 3) and x=(3, 4), with y as given"


def test_probabilities_that_are_none_are_refuted() -> None:
    """At the shapes given the data are the person's own."""
    verdict = sb.verify_backward(cross_entropy, shapes={"x": (2, 3)}, data={"y": np.ones((2, 3))})

    assert verdict.refuted


def test_data_made_for_other_shapes_refute_nothing() -> None:
    """A permutation that is repeated is none: what fails with it is told in a note."""
    verdict = sb.verify_backward(permuted, shapes={"x": (3,)}, data={"order": np.array([2, 0, 1])})

    assert verdict.proved
    assert verdict.scope == "the shapes x=(3,), with order as given"
    assert any("with data repeated to fit them, it does not hold" in note for note in verdict.notes)


MATRIX = np.array([[2.0, 1.0], [1.0, 3.0]])


def design_matrix(x: Any, w: Any) -> Any:
    """A column of ones beside the data."""
    return np.c_[np.ones(len(x)), x] @ w, (x, w)


def gaussian_process(a: Any, y: Any) -> Any:
    """The negative log likelihood by a Cholesky factor."""
    s = a @ a.T + np.eye(len(a))
    lower = np.linalg.cholesky(s)
    alpha = np.linalg.solve(lower.T, np.linalg.solve(lower, y))
    return 0.5 * (y @ alpha) + np.log(np.diag(lower)).sum(), (a, s, alpha)


def gaussian_process_backward(dout: Any, cache: Any) -> Any:
    """Through the inverse."""
    a, s, alpha = cache
    g = 0.5 * np.linalg.inv(s) - 0.5 * np.outer(alpha, alpha)
    return dout * (g + g.T) @ a, dout * alpha


def test_columns_are_joined() -> None:
    """`np.c_` and `np.r_` of traced arrays."""

    def backward(dout: Any, cache: Any) -> Any:
        x, w = cache
        return (dout @ w.T)[:, 1:], np.c_[np.ones(len(x)), x].T @ dout

    shapes = {"x": (3, 2), "w": (3, 2)}
    swapped = sb.verify_backward(
        design_matrix, lambda d, c: (backward(d, c)[0], np.c_[c[0], np.ones(len(c[0]))].T @ d), shapes=shapes
    )

    assert sb.verify_backward(design_matrix, backward, shapes=shapes).proved
    assert swapped.refuted
    assert sb.verify_backward(
        lambda x: (np.r_[x, 1.0, x].sum(), x), lambda d, x: 2 * d * np.ones_like(x), shapes={"x": (3,)}
    ).proved


def test_a_cholesky_factor_is_traced() -> None:
    """Row by row, in roots and quotients; the wrong factor is named."""
    shapes = {"a": (2, 2), "y": (2,)}
    right = sb.verify_backward(gaussian_process, gaussian_process_backward, shapes=shapes, seconds=30)
    wrong = sb.verify_backward(
        gaussian_process,
        lambda d, c: (2 * gaussian_process_backward(d, c)[0], gaussian_process_backward(d, c)[1]),
        shapes=shapes,
        seconds=30,
    )

    assert right.proved
    assert "lacks the factor 1/2" in wrong.diagnosis


@pytest.mark.parametrize("constant", [lambda: np.linalg.pinv(MATRIX), lambda: np.linalg.svd(MATRIX)[0]])
def test_constants_go_through_any_function(constant: Any) -> None:
    """No gradient goes through it, so NumPy's own result is taken."""
    verdict = sb.verify_backward(
        lambda x: ((constant() @ x).sum(), x), lambda d, x: d * constant().sum(0), shapes={"x": (2,)}
    )

    assert verdict.proved


def test_degrees_are_traced() -> None:
    """A half turn is pi."""
    verdict = sb.verify_backward(
        lambda x: (np.sin(np.deg2rad(x)), x), lambda d, x: d * np.cos(np.radians(x)) * np.pi / 180, shapes={"x": (2,)}
    )

    assert verdict.proved
