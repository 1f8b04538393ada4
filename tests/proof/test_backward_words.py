"""What a diagnosis of a hand-written backward must not say: repairs that the code does not need."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import ArgumentError

POINTS = np.array([1.0, 1.0])
SHIFTS = np.array([0.0, 100.0])


def test_a_factor_that_is_lost_is_no_other_branch() -> None:
    """At one entry the derivative of another branch may be the same; it is not what is returned there."""

    def backward(dout: Any, w: Any) -> Any:
        return np.array([dout * ((w * POINTS - SHIFTS > 0) * POINTS).sum()])

    verdict = sb.verify_backward(
        lambda w: (np.maximum(w * POINTS - SHIFTS, 0).mean(), w), backward, shapes={"w": (1,)}
    )

    assert "lacks the factor 1/2" in verdict.diagnosis


def test_a_mask_says_nothing_of_loops() -> None:
    """A leaky unit that is differentiated as one that is off: which entries are 0 is chance."""
    verdict = sb.verify_backward(
        lambda x: (np.where(x > 0, x, 0.01 * x), x), lambda dout, x: dout * (x > 0), shapes={"x": (3,)}
    )

    assert verdict.refuted
    assert "loop" not in verdict.diagnosis


def test_a_number_is_not_called_a_length_where_no_other_shape_can_say() -> None:
    """A function of two numbers that come in one array."""

    def forward(x: Any) -> Any:
        a, b = x
        return 0.5 * (a * a + b * b), x

    verdict = sb.verify_backward(forward, lambda dout, x: 2 * dout * x, shapes={"x": (2,)})

    assert "the extra factor 2, which is also the length of an axis" in verdict.diagnosis


@pytest.mark.parametrize(
    ("left", "right", "factor"),
    [
        ("2*x/sqrt(5)", "x", "2/sqrt(5)"),
        ("x/(1+sqrt(5))", "x", "1/(1 + sqrt(5))"),
        ("x/2/sqrt(pi)", "x", "1/(2*sqrt(pi))"),
        ("x/sqrt(5)", "x/2", "2/sqrt(5)"),
    ],
)
def test_irrational_factors_are_bracketed(left: str, right: str, factor: str) -> None:
    """What is read back is the factor that is lacking."""
    assert sb.verify(left, right).diagnosis == f"the right side lacks the factor {factor}"
    assert sb.verify(left, f"({right})*({factor})").proved


@pytest.mark.parametrize(
    ("returned", "said"), [(None, "returned None"), ({"dx": 0}, "what was returned is named dx")]
)
def test_what_is_no_gradient_is_told(returned: Any, said: str) -> None:
    """With what was found in its place."""
    with pytest.raises(ArgumentError, match=said):
        sb.verify_backward(lambda x: (x, x), lambda dout, x: returned, shapes={"x": (2,)})


def test_what_is_no_function_is_told() -> None:
    """Before anything is run."""
    with pytest.raises(ArgumentError, match="forward is a function"):
        sb.verify_backward(3, 4, shapes={"x": (2,)})  # type: ignore[arg-type]


def test_gradients_in_another_order_are_named() -> None:
    """Scale and shift have one shape, so nothing else tells them apart."""

    def backward(dout: Any, cache: Any) -> Any:
        x, gamma = cache
        return dout * gamma, dout.sum(0), (dout * x).sum(0)

    shapes = {"x": (2, 3), "gamma": (3,), "beta": (3,)}
    verdict = sb.verify_backward(lambda x, gamma, beta: (x * gamma + beta, (x, gamma)), backward, shapes=shapes)

    assert "the gradients of gamma and beta are returned in each other's place" in verdict.diagnosis


def test_a_constant_is_no_sum_over_an_axis() -> None:
    """It is the same in all entries, whatever the inputs are."""
    verdict = sb.verify_backward(lambda x: (x, x), lambda d, x: d - np.exp(-3.0), shapes={"x": (2, 2)})

    assert verdict.refuted
    assert verdict.diagnosis == "the gradient of x[0,0] lacks the term exp(-3)"


def softmax_of_rows(x: Any) -> Any:
    """The probabilities of rows."""
    e = np.exp(x - x.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    return p, p


def test_what_is_identically_0_is_told_so() -> None:
    """The columns of softmax's Jacobian sum to 0; no output is counted alone."""

    def backward(dout: Any, p: Any) -> Any:
        return np.array([d * (np.diag(q) - np.outer(q, q)).sum(0) for d, q in zip(dout, p, strict=True)])

    verdict = sb.verify_backward(softmax_of_rows, backward, shapes={"x": (2, 3)})

    assert verdict.diagnosis == "the gradient of x[0,0] is 0 where the derivative is not"


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        (lambda x: (x / x.max(), x), lambda d, x: d / x.max()),
        (lambda x: (x - x.max(), x), lambda d, x: d),
        (lambda x: (x * x.max(), x), lambda d, x: d * x.max()),
        (lambda x: (x - x.min(), x), lambda d, x: d),
        (lambda x: ((x - x.min()) / np.ptp(x), x), lambda d, x: d / (x.max() - x.min())),
    ],
)
def test_a_maximum_taken_for_a_constant_is_named(forward: Any, backward: Any) -> None:
    """No axis, place or mask is wrong."""
    verdict = sb.verify_backward(forward, backward, shapes={"x": (3,)})

    assert verdict.refuted
    assert verdict.diagnosis.startswith("the gradient of x takes a maximum or minimum for a constant")


def test_a_minimum_that_does_not_matter_asks_for_no_paths() -> None:
    """Softmax of -x, the smallest entry subtracted."""

    def forward(x: Any) -> Any:
        e = np.exp(x.min(-1, keepdims=True) - x)
        return e / e.sum(-1, keepdims=True), e / e.sum(-1, keepdims=True)

    def backward(dout: Any, p: Any) -> Any:
        return -p * (dout - (dout * p).sum(-1, keepdims=True))

    verdict = sb.verify_backward(forward, backward, shapes={"x": (2, 3)})

    assert str(verdict) == "Proved for the shapes x=(2, 3) and x=(3, 4)."


def test_conditions_that_follow_from_others_are_left_out() -> None:
    """x > 0 says that x is not 0 and that it has a root."""

    def forward(x: Any) -> Any:
        return np.log(x) / np.sqrt(x) + 1 / x, x

    def backward(dout: Any, x: Any) -> Any:
        return dout * (1 / x / np.sqrt(x) - np.log(x) / (2 * x * np.sqrt(x)) - 1 / x**2)

    verdict = sb.verify_backward(forward, backward, shapes={"x": (2,)})

    assert verdict.hypotheses == ("x[0] > 0", "x[1] > 0", "x[2] > 0")


def test_a_maximum_that_is_differentiated_wrongly_is_no_constant() -> None:
    """Twice what comes through it."""

    def backward(dout: Any, x: Any) -> Any:
        made = dout / x.max()
        made[np.argmax(x)] -= 2 * (dout * x).sum() / x.max() ** 2
        return made

    verdict = sb.verify_backward(lambda x: (x / x.max(), x), backward, shapes={"x": (3,)})

    assert verdict.refuted
    assert "constant" not in verdict.diagnosis


def test_one_entry_elsewhere_does_not_run_backwards() -> None:
    """Another place is where another maximum stands, on whatever path that looks like a reversal."""

    def backward(dout: Any, x: Any) -> Any:
        made = np.zeros(3)
        made[np.argmax(x)] = dout
        return made

    verdict = sb.verify_backward(lambda x: (x[np.argmax(np.round(x))], x), backward, shapes={"x": (3,)})

    assert verdict.refuted
    assert "backwards" not in verdict.diagnosis


def test_a_gradient_that_is_none_is_not_named_as_returned() -> None:
    """Only the others are."""
    with pytest.raises(ArgumentError, match=r"no gradient was returned for w; what was returned is named x\."):
        sb.verify_backward(lambda x, w: (x * w, w), lambda dout, w: (dout * w, None), shapes={"x": (2,), "w": (2,)})


def lstm_step(x: Any, h: Any, c: Any, w: Any, b: Any) -> Any:
    """One step, as courses write it."""
    z, n = np.concatenate([x, h], 1) @ w + b, h.shape[1]
    i, f, o = (1 / (1 + np.exp(-z[:, k * n : (k + 1) * n])) for k in range(3))
    g = np.tanh(z[:, 3 * n :])
    t = np.tanh(f * c + i * g)
    return (o * t, f * c + i * g), (x, h, c, w, i, f, o, g, t)


@pytest.mark.parametrize(
    ("wrong", "said"), [("forget", "has the extra factor c[0,2]"), ("candidate", "The gradient of"), ("", "")]
)
def test_a_mistake_in_an_lstm_step_is_refuted(wrong: str, said: str) -> None:
    """What is searched for it nests too deeply for SymPy, which is no end of the verdict."""

    def backward(dout: Any, cache: Any) -> Any:
        (dh, dc), (x, h, c, w, i, f, o, g, t) = dout, cache
        dc = dc + dh * o * (1 - t**2)
        df = dc * c * (c if wrong == "forget" else 1)
        dg = dc * i * (1 - (g if wrong == "candidate" else g**2))
        dz = np.hstack([dc * g * i * (1 - i), df * f * (1 - f), dh * t * o * (1 - o), dg])
        dxh, n = dz @ w.T, x.shape[1]
        return dxh[:, :n], dxh[:, n:], dc * f, np.concatenate([x, h], 1).T @ dz, dz.sum(0)

    shapes = {"x": (1, 3), "h": (1, 3), "c": (1, 3), "w": (6, 12), "b": (12,)}
    verdict = sb.verify_backward(lstm_step, backward, shapes=shapes)

    assert (verdict.refuted, verdict.proved) == (bool(wrong), not wrong)
    assert said in str(verdict)


def test_paths_that_are_all_proved_leave_no_branch_out() -> None:
    """Where all are proved at once, those without a sample point are none to speak of."""
    verdict = sb.verify_backward(
        lambda x: (np.maximum(x, 0), x), lambda d, x: d * (np.exp(x) > 1), shapes={"x": (3,)}
    )

    assert verdict.proved
    assert "on all paths" in str(verdict)
    assert "no sample point" not in str(verdict)
