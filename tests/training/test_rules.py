"""Update rules: what runs equals the published formulas, and what is printed is what runs."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from symbackprop.errors import ArgumentError
from symbackprop.training import SGD, Adam, Momentum, Optimizer, UpdateRule

OPTIMIZERS = (SGD(0.1), Momentum(0.05), Momentum(0.05, beta=0.5), Adam(), Adam(0.1, beta1=0.8, beta2=0.9, eps=1e-4))


def published_path(optimizer: Optimizer, theta: np.ndarray, gradients: list[np.ndarray]) -> np.ndarray:
    """Follow the published formulas (Polyak 1964; Kingma and Ba 2015, algorithm 1), written out in NumPy."""
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    for t, g in enumerate(gradients, 1):
        match optimizer:
            case SGD():
                theta = theta - optimizer.lr * g
            case Momentum():
                m = optimizer.beta * m + g
                theta = theta - optimizer.lr * m
            case Adam():
                m = optimizer.beta1 * m + (1 - optimizer.beta1) * g
                v = optimizer.beta2 * v + (1 - optimizer.beta2) * g * g
                rate = optimizer.lr * np.sqrt(1 - optimizer.beta2**t) / (1 - optimizer.beta1**t)
                theta = theta - rate * m / (np.sqrt(v) + optimizer.eps * np.sqrt(1 - optimizer.beta2**t))
            case _:
                raise AssertionError(optimizer)
    return theta


def follow(optimizer: Optimizer, theta: np.ndarray, gradients: list[np.ndarray]) -> np.ndarray:
    """Return the parameter after the steps of an optimiser."""
    params = {"w": theta.copy()}
    memory = optimizer.start(params)
    for step, gradient in enumerate(gradients, 1):
        optimizer.update(params, {"w": gradient}, memory, step)
    return params["w"]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_steps_equal_the_published_formulas(optimizer: Optimizer) -> None:
    """Fifty steps give the numbers of the formulas as published, to 1e-12."""
    generator = np.random.default_rng(1)
    theta = generator.normal(size=(3, 4))
    gradients = [generator.normal(size=(3, 4)) for _ in range(50)]

    found = follow(optimizer, theta, gradients)

    np.testing.assert_allclose(found, published_path(optimizer, theta, gradients), rtol=1e-12, atol=1e-12)


def test_a_planted_mistake_in_the_rule_is_seen() -> None:
    """Without the correction of its start, Adam leaves the published path: the comparison can fail."""
    theta, gradients = np.ones(3), [np.array([1.0, -2.0, 3.0])] * 5
    good = Adam(0.1)
    wrong = UpdateRule(
        "Adam",
        good.rule.state,
        tuple((a, sp.Symbol(a.name[0]) if "hat" in a.name else e) for a, e in good.rule.assignments),
    )

    class Uncorrected(Adam):
        """Adam whose moments keep their bias to 0."""

        rule = wrong

    assert np.abs(follow(Uncorrected(0.1), theta, gradients) - published_path(good, theta, gradients)).max() > 1e-2


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_single_precision_stays_single(optimizer: Optimizer) -> None:
    """Parameters and state keep their dtype, and numbers without an axis are updated too."""
    params = {"w": np.ones((2, 2), dtype=np.float32), "b": np.array(1.0, dtype=np.float32)}
    memory = optimizer.start(params)
    optimizer.update(params, {name: np.ones_like(value) for name, value in params.items()}, memory, 1)

    tensors = [*params.values(), *(tensor for slot in memory.values() for tensor in slot.values())]
    assert {tensor.dtype for tensor in tensors} == {np.dtype(np.float32)}
    assert params["b"] < 1
    assert params["b"] == params["w"][0, 0]


def test_the_printed_equations_are_those_that_run() -> None:
    """Evaluating the assignments as SymPy expressions, one after another, gives the step that runs."""
    optimizer = Adam(0.1)
    values = {"theta": 1.0, "g": 0.5, "m": 0.0, "v": 0.0, "t": 1, "eta": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    for target, expression in optimizer.rule.assignments:
        values[target.name] = float(expression.subs(values))

    assert follow(optimizer, np.array([1.0]), [np.array([0.5])])[0] == pytest.approx(values["theta"], rel=1e-14)


def test_equations_print() -> None:
    """Text and LaTeX show the assignments in order, in the textbook's letters."""
    assert str(SGD(0.1).rule) == "theta <- theta - eta*g"
    assert Momentum(0.1).latex() == (
        "\\begin{align*}\nm &\\leftarrow g + \\beta m \\\\\n\\theta &\\leftarrow \\theta - \\eta m\n\\end{align*}"
    )
    assert Adam().latex().count(r"\leftarrow") == 5
    assert r"\frac{\eta \hat{m}}{\varepsilon + \sqrt{\hat{v}}}" in Adam().latex()
    assert Adam().text().endswith("with eta = 0.001, beta1 = 0.9, beta2 = 0.999, eps = 1e-08")


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "0.1", True, None])
def test_rates_outside_their_range_are_refused(value: object) -> None:
    """A learning rate is a finite number that is at least 0; the message names it."""
    with pytest.raises(ArgumentError, match="lr is"):
        SGD(value)  # type: ignore[arg-type]


def test_decay_of_one_is_refused() -> None:
    """A decay of 1 never forgets, and divides by zero in Adam."""
    with pytest.raises(ArgumentError, match="0 <= beta1 < 1"):
        Adam(beta1=1.0)


def test_optimisers_are_values() -> None:
    """Optimisers compare by their constants and can be keys."""
    assert SGD(0.1) == SGD(0.1)
    assert len({SGD(0.1), SGD(0.1), Momentum(0.1)}) == 2
