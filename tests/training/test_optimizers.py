"""The catalogue of optimizers: each equals the published formulas, and prints them."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from symbackprop.errors import ArgumentError
from symbackprop.training import (
    OPTIMIZERS,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    ClipByNorm,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
    UpdateRule,
    WeightDecay,
    step_decay,
    warm_up,
)

CHOSEN = (
    *(optimizer(0.05) for optimizer in OPTIMIZERS),
    Momentum(0.05, beta=0.5),
    RMSprop(0.1, alpha=0.5, eps=1e-2),
    Adam(0.1, beta1=0.8, beta2=0.9, eps=1e-4),
    AdamW(0.1, weight_decay=0.5),
)


def published_path(optimizer: Optimizer, theta: np.ndarray, gradients: list[np.ndarray]) -> np.ndarray:
    """Follow the published formulas, in the forms that they were published in, written out in NumPy."""
    m, v, past = np.zeros_like(theta), np.zeros_like(theta), []
    for t, g in enumerate(gradients, 1):
        past.append(g)
        match optimizer:
            case SGD():
                theta = theta - optimizer.lr * g
            case Nesterov():
                # Sutskever et al. 2013, equations 3 and 4, at the point looked at: theta + beta*velocity.
                before, m = m, optimizer.beta * m - optimizer.lr * g
                theta = theta - optimizer.beta * before + (1 + optimizer.beta) * m
            case Momentum():
                # The sum written out.
                theta = theta - optimizer.lr * sum(optimizer.beta ** (t - k) * h for k, h in enumerate(past, 1))
            case Adagrad():
                theta = theta - optimizer.lr * g / (np.sqrt(sum(h * h for h in past)) + optimizer.eps)
            case RMSprop():
                v = v + (1 - optimizer.alpha) * (g * g - v)
                theta = theta - optimizer.lr * g / (np.sqrt(v) + optimizer.eps)
            case Adam() | AdamW():
                if isinstance(optimizer, AdamW):
                    theta = theta * (1 - optimizer.lr * optimizer.weight_decay)
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


@pytest.mark.parametrize("optimizer", CHOSEN, ids=str)
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

        equations = wrong

    assert np.abs(follow(Uncorrected(0.1), theta, gradients) - published_path(good, theta, gradients)).max() > 1e-2


def test_weight_decay_is_the_gradient_of_a_penalty() -> None:
    """Decay adds rate*theta to the gradient, before the rule sees it; AdamW shrinks beside it, which differs."""
    theta, gradients = np.array([1.0, -3.0]), [np.array([0.5, 0.25])] * 2
    found = follow(WeightDecay(SGD(0.1), 0.5), theta, gradients)
    once = theta - 0.1 * (gradients[0] + 0.5 * theta)

    np.testing.assert_allclose(found, once - 0.1 * (gradients[0] + 0.5 * once), rtol=1e-15)
    through, beside = WeightDecay(Adam(0.1), 0.5), AdamW(0.1, weight_decay=0.5)
    assert np.abs(follow(through, theta, gradients) - follow(beside, theta, gradients)).max() > 1e-2


def test_the_order_of_the_parts_is_the_order_of_the_equations() -> None:
    """The outer part comes first: clipping around decay clips the gradient of the loss alone."""
    assert ClipByNorm(WeightDecay(SGD(0.1), 0.01), 1.0).text().splitlines() == [
        "norm <- sqrt(total(g^2))",
        "kappa <- minimum(1, c/(delta + norm))",
        "g <- g*kappa",
        "g <- g + lambda*theta",
        "theta <- theta - eta*g",
        "with eta = 0.1, lambda = 0.01, c = 1.0, delta = 1e-06",
    ]
    assert WeightDecay(ClipByNorm(SGD(0.1), 1.0), 0.01).text().startswith("g <- g + lambda*theta\nnorm <-")


def test_equations_print() -> None:
    """Text and LaTeX show the assignments in order, in the textbook's letters."""
    assert str(SGD(0.1).rule) == "theta <- theta - eta*g"
    assert Momentum(0.1).latex() == (
        "\\begin{align*}\nm &\\leftarrow g + \\beta m \\\\\n\\theta &\\leftarrow \\theta - \\eta m\n\\end{align*}"
    )
    assert r"\theta &\leftarrow \theta - \eta \left(g + \beta m\right)" in Nesterov(0.1).latex()
    assert r"\theta &\leftarrow \theta - \frac{\eta g}{\varepsilon + \sqrt{v}}" in Adagrad().latex()
    assert r"v &\leftarrow \alpha v + g^{2} \left(1 - \alpha\right)" in RMSprop().latex()
    assert Adam().latex().count(r"\leftarrow") == 5
    assert r"\frac{\eta \hat{m}}{\varepsilon + \sqrt{\hat{v}}}" in Adam().latex()
    assert r"\theta &\leftarrow \theta - \eta \lambda \theta" in AdamW().latex()
    assert r"\lVert g \rVert &\leftarrow \sqrt{\sum_{\text{all}} g^{2}}" in ClipByNorm(SGD(0.1), 1.0).latex()
    assert r"\kappa &\leftarrow \min\left(1, \frac{c}{\delta + \lVert g \rVert}\right)" in ClipByNorm(SGD(1), 1).latex()
    assert Adam().text().endswith("with eta = 0.001, beta1 = 0.9, beta2 = 0.999, eps = 1e-08")


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.__name__)
def test_latex_is_whole(optimizer: type[SGD]) -> None:
    """With all parts around it a rule has a row for each equation, in which brackets and braces close."""
    whole = ClipByNorm(optimizer(warm_up(step_decay(0.1, every=9), steps=3)), 1.0)
    first, *rows, last = whole.latex().split("\n")

    assert (first, last) == (r"\begin{align*}", r"\end{align*}")
    assert len(rows) == len(whole.rule.assignments) == whole.text().count("<-")
    for row in rows:
        assert row.count(r"&\leftarrow") == 1
        assert row.count("{") == row.count("}")
        assert row.replace(r"\leftarrow", "").count(r"\left") == row.count(r"\right")
        assert "**" not in row


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.__name__)
def test_each_names_its_source(optimizer: type[Optimizer]) -> None:
    """The docstring of a rule says where it was published."""
    assert "Source: " in (optimizer.__doc__ or "")


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "0.1", True, None])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.__name__)
def test_rates_outside_their_range_are_refused(optimizer: type[SGD], value: object) -> None:
    """A learning rate is a finite number that is at least 0; the message names it."""
    with pytest.raises(ArgumentError, match=f"{optimizer.__name__}: lr is"):
        optimizer(value)  # type: ignore[arg-type]


def test_decay_of_one_is_refused() -> None:
    """A decay of 1 never forgets, and divides by zero in Adam."""
    for make, name in (
        (lambda: Adam(beta1=1.0), "beta1"),
        (lambda: AdamW(beta2=1.0), "beta2"),
        (lambda: Momentum(0.1, beta=1), "beta"),
        (lambda: RMSprop(alpha=1.5), "alpha"),
    ):
        with pytest.raises(ArgumentError, match=f"0 <= {name} < 1"):
            make()
