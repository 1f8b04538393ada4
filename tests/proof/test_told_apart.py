"""What is told apart: sizes that are equal by chance, values that are not finite, names that are spoilt later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb


def squares(x: Any, W: Any) -> Any:
    z = x @ W
    return (z * z).sum(1).mean(), (x, W, z)


@pytest.mark.parametrize("shapes", [((2, 2), (2, 2)), ((2, 3), (3, 2)), ((3, 2), (2, 3))])
@pytest.mark.parametrize(("axis", "right"), [(0, True), (1, False)])
def test_a_size_that_is_equal_by_chance_is_told_from_the_other(shapes: Any, axis: int, right: bool) -> None:
    """Samples and columns are as many at the shapes given, and the rows of W as many as either."""

    def backward(d: Any, cache: Any) -> Any:
        x, W, z = cache
        g = 2 * z * d / z.shape[axis]
        return g @ W.T, x.T @ g

    verdict = sb.verify_backward(squares, backward, shapes=dict(zip("xW", shapes, strict=True)))

    assert verdict.proved == right
    assert verdict.refuted != right


def test_sizes_that_data_have_are_said_not_to_be_told_apart() -> None:
    """Labels of two samples in two classes."""

    def forward(x: Any, W: Any, y: Any) -> Any:
        z = x @ W
        return z[np.arange(len(y)), y].mean(), (x, W, y)

    def backward(d: Any, cache: Any) -> Any:
        x, W, y = cache
        g = np.zeros((len(x), W.shape[1]))
        g[np.arange(len(y)), y] = d / len(y)
        return g @ W.T, x.T @ g

    verdict = sb.verify_backward(forward, backward, shapes={"x": (2, 3), "W": (3, 2)}, data={"y": np.array([1, 0])})

    assert verdict.proved
    assert "Whether axes of the size 2 may differ from each other was not tried." in verdict.notes


def if_finite(divide: Callable[[Any], Any]) -> Any:
    """The square of x, and its gradient where some quotient is finite."""

    def forward(x: Any) -> Any:
        return x**2, x

    def backward(d: Any, x: Any) -> Any:
        return 2 * x * d if np.all(np.isfinite(divide(x))) else 0 * x

    return sb.verify_backward(forward, backward, shapes={"x": (2,)})


@pytest.mark.parametrize(
    ("divide", "hypotheses"),
    [
        (lambda x: 1 / x, ("x[0] != 0", "x[1] != 0", "x[2] != 0")),
        (lambda x: 1 / (x[0] - x[1]), ("x[0] != x[1]",)),
    ],
)
def test_what_is_asked_whether_it_is_finite_has_to_have_a_value(divide: Any, hypotheses: tuple[str, ...]) -> None:
    """Where it has none, the code goes another way."""
    verdict = if_finite(divide)

    assert verdict.proved
    assert verdict.hypotheses == hypotheses


@pytest.mark.parametrize(
    "divide",
    [
        lambda x: 1 / (x.max() - x[0]),
        lambda x: 1 / (x[-1] - x.min()),
        lambda x: (x - x.max())[0] / (x - x.max())[0],
        lambda x: 1 / np.maximum(x[0], 0),
    ],
)
def test_what_is_not_finite_on_half_of_the_space_is_not_proved(divide: Any) -> None:
    """The quotient is one by zero wherever one entry is the largest."""
    assert not if_finite(divide).proved


@pytest.mark.parametrize("factor", [2, np.array([0.0, 1.0])])
def test_an_upstream_gradient_that_is_changed_in_place_is_no_state(factor: Any) -> None:
    """Each call has one of its own."""

    def backward(d: Any, _: Any) -> Any:
        d *= factor
        return d

    verdict = sb.verify_backward(lambda x: (factor * x, None), backward, shapes={"x": (2,)})

    assert verdict.proved


def test_an_upstream_gradient_that_is_computed_from_the_symbols_runs_on_floats() -> None:
    """In the form of one function."""

    def whole(x: Any) -> Any:
        out = x**2
        upstream = 2 * sb.upstream(out)
        return out, upstream, {"x": 2 * x * upstream}

    assert sb.verify_backward(whole, shapes={"x": (2,)}).proved


def test_who_needs_a_value_is_not_said_to_be_forward() -> None:
    """It is backward that takes the root."""
    verdict = sb.verify_backward(
        lambda x: (x**2, x), lambda d, x: 2 * np.maximum(np.sqrt(x) ** 2, -1) * d, shapes={"x": (1,)}
    )

    assert verdict.undecided
    assert verdict.reason.startswith("no value was computed: the code needs x[0] >= 0")


def batch_norm(mistake: Callable[[Any, Any], Any]) -> str:
    """What is said of a mistake, at two samples of two features."""

    def forward(x: Any, gamma: Any) -> Any:
        inv = 1 / np.sqrt(x.var(axis=0) + 1e-5)
        h = (x - x.mean(axis=0)) * inv
        return h * gamma, (h, inv, gamma)

    def backward(d: Any, cache: Any) -> Any:
        h, inv, gamma = cache
        e = d * gamma
        right = inv * (e - e.mean(0) - h * (e * h).mean(0))
        return mistake(right, gamma), (d * h).sum(0)

    return sb.verify_backward(forward, backward, shapes={"x": (2, 2), "gamma": (2,)}).diagnosis


def test_a_derivative_that_is_0_without_a_stabiliser_does_not_blame_it() -> None:
    """Of two samples each is at one end, whatever they are."""
    assert batch_norm(lambda right, gamma: right / gamma) == "the gradient of x[0,0] lacks the factor gamma[0]"


def test_a_sign_is_not_told_as_an_order() -> None:
    """The two entries are each other's negative."""
    assert batch_norm(lambda right, _: -right) == "the gradient of x[0,0] has the wrong sign"


def scores(x: Any, w1: Any, w2: Any) -> Any:
    h = np.tanh(x @ w1)
    s = h @ w2
    return (s**2).sum(), (x, w1, w2, h, s)


def spoilt(d: Any, cache: Any) -> Any:
    x, w1, w2, h, s = cache
    ds = 2 * s * d
    ds = ds / len(x)
    dh = ds @ w2.T
    dz = dh * (1 - h * h)
    return dz @ w1.T, x.T @ dz, h.T @ ds


def spoilt_in_place(d: Any, cache: Any) -> Any:
    x, w1, w2, h, s = cache
    ds = 2 * s * d
    ds *= 3
    dh = ds @ w2.T
    dz = dh * (1 - h * h)
    return dz @ w1.T, x.T @ dz, h.T @ ds


def spoilt_on_one_way(d: Any, cache: Any) -> Any:
    x, w1, w2, h, s = cache
    ds = 2 * s * d
    dw2 = h.T @ ds
    ds = ds * 3
    dh = ds @ w2.T
    dz = dh * (1 - h * h)
    return dz @ w1.T, x.T @ dz, dw2


@pytest.mark.parametrize(
    ("backward", "line"), [(spoilt, "`ds = ds / len(x)`"), (spoilt_in_place, "`ds *= 3`"), (spoilt_on_one_way, "")]
)
def test_a_name_that_is_spoilt_after_it_was_right_is_where_it_goes_wrong(backward: Any, line: str) -> None:
    """The line behind it is right; nothing is said where the name is right in one use."""
    verdict = sb.verify_backward(scores, backward, shapes={"x": (2, 2), "w1": (2, 2), "w2": (2, 2)})
    first = [note for note in verdict.notes if note.startswith("The first result of backward that is wrong")]

    assert verdict.refuted
    assert not line if not first else line and line in first[0]


def test_a_factor_that_is_1_is_not_what_is_lacking() -> None:
    """The sign of the entry of the label: e^z and e^{-z} times it change nothing."""

    def forward(x: Any, W: Any, y: Any) -> Any:
        e = np.exp(x @ W - (x @ W).max(-1, keepdims=True))
        p = e / e.sum(-1, keepdims=True)
        return -np.log(p[np.arange(len(y)), y]).mean(), (x, W, p, y)

    def backward(d: Any, cache: Any) -> Any:
        x, W, p, y = cache
        g = p.copy()
        g[np.arange(len(y)), y] = 1 - g[np.arange(len(y)), y]
        return g * d / len(y) @ W.T, x.T @ (g * d / len(y))

    verdict = sb.verify_backward(forward, backward, shapes={"x": (1, 2), "W": (2, 2)}, data={"y": np.array([1])})

    assert verdict.refuted
    assert "has the wrong sign in what comes through" in verdict.diagnosis
    assert "lacks the factor" not in verdict.diagnosis
