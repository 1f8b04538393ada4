"""Schedules: the learning rates of their formulas, printed and run from the same equations."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import sympy as sp

import symbackprop as sb
from symbackprop.errors import ArgumentError
from symbackprop.training import (
    SCHEDULES,
    SGD,
    Schedule,
    cosine,
    exponential_decay,
    inverse_sqrt,
    polynomial_decay,
    step_decay,
    warm_up,
)
from symbackprop.training.equations import GRADIENT, Total

PUBLISHED: tuple[tuple[Schedule, Callable[[int], float]], ...] = (
    (step_decay(0.3, every=3, factor=0.5), lambda n: 0.3 * 0.5 ** (n // 3)),
    (exponential_decay(0.3, 0.9), lambda n: 0.3 * 0.9**n),
    (
        cosine(0.3, steps=12, least=0.1),
        lambda n: 0.1 + 0.2 * (1 + math.cos(math.pi * n / 12)) / 2 if n < 12 else 0.1,
    ),
    (polynomial_decay(0.3, steps=12, power=2), lambda n: 0.3 * ((12 - n) / 12) ** 2 if n < 12 else 0.0),
    (inverse_sqrt(0.3, warmup=5), lambda n: 0.3 * (n + 1) / 5 if n < 4 else 0.3 * (5 / (n + 1)) ** 0.5),
    (
        warm_up(cosine(0.3, steps=12), steps=4),
        lambda n: 0.3 * (n + 1) / 4 if n < 4 else 0.15 * (1 + math.cos(math.pi * min(n - 4, 12) / 12)),
    ),
)


@pytest.mark.parametrize(("schedule", "formula"), PUBLISHED, ids=[schedule.name for schedule, _ in PUBLISHED])
def test_rates_are_those_of_the_formula(schedule: Schedule, formula: Callable[[int], float]) -> None:
    """The rates of the first twenty steps, and that they are not all one number."""
    found = [schedule.at(step) for step in range(1, 21)]

    np.testing.assert_allclose(found, [formula(done) for done in range(20)], rtol=1e-13, atol=1e-16)
    assert len(set(found)) > 2
    assert len(PUBLISHED) == len(SCHEDULES)


@pytest.mark.parametrize("schedule", [schedule for schedule, _ in PUBLISHED], ids=lambda schedule: schedule.name)
def test_an_optimizer_takes_the_rates_of_its_schedule(schedule: Schedule) -> None:
    """The parameter moves by the rate of each step, and the equation of the rate stands in the printed rule."""
    optimizer, params = SGD(schedule), {"w": np.zeros(1)}
    for step in range(1, 15):
        before = params["w"].copy()
        optimizer.update(params, {"w": np.ones(1)}, {}, step)
        assert (before - params["w"])[0] == pytest.approx(schedule.at(step), rel=1e-12, abs=1e-15)
    assert optimizer.rule.text() == f"{schedule.rule.text()}\ntheta <- theta - eta*g"
    assert optimizer.constants == dict(schedule.constants)


def test_steps_fall_exactly_where_they_are_due() -> None:
    """Rounding never moves a step: for every length the rate changes after a whole number of them."""
    for every in (1, 2, 3, 7, 49, 101):
        schedule = step_decay(1.0, every=every, factor=0.5)
        for count in range(1, 20):
            assert schedule.at(count * every) == 0.5 ** (count - 1)
            assert schedule.at(count * every + 1) == 0.5**count


def test_the_width_and_warm_up_of_a_transformer() -> None:
    """With rate = (width*warmup)^(-1/2) the rates are width^(-1/2) * min(t^(-1/2), t*warmup^(-3/2))."""
    width, warmup = 512, 4000
    schedule = inverse_sqrt((width * warmup) ** -0.5, warmup)

    for t in (1, 10, 3999, 4000, 4001, 100_000):
        assert schedule.at(t) == pytest.approx(width**-0.5 * min(t**-0.5, t * warmup**-1.5), rel=1e-14)


def test_schedules_print() -> None:
    """Text and LaTeX hold every equation that runs, and the values of the constants."""
    schedule = warm_up(cosine(0.1, steps=90), steps=10)

    assert schedule.text().splitlines() == [
        "s <- minimum(T, maximum(1, t - T_w) - 1)",
        "eta <- eta_min + (1 + cos(pi*s/T))*(eta0 - eta_min)/2",
        "eta <- eta*minimum(1, t/T_w)",
        "with eta0 = 0.1, T = 90, eta_min = 0.0, T_w = 10",
    ]
    assert r"s &\leftarrow \min\left(T, \max\left(1, t - T_{w}\right) - 1\right)" in schedule.latex()
    assert r"\eta &\leftarrow \eta_{0} \left(1 - \frac{s}{T}\right)^{p}" in polynomial_decay(0.1, 5).latex()
    assert r"\eta_{0} \gamma^{\left\lfloor{\frac{s}{k}}\right\rfloor}" in step_decay(0.1, 5).latex()
    assert r"\min\left(\frac{t}{T_{w}}, \sqrt{\frac{T_{w}}{t}}\right)" in inverse_sqrt(0.1, 5).latex()


def test_mistakes_are_refused() -> None:
    """Numbers of steps, factors, symbols without a value and two warm-ups: each message names what is wrong."""
    eta, t, q = sp.symbols("eta t q")
    for make, message in (
        (lambda: cosine(0.1, steps=0), "cosine: steps is 0"),
        (lambda: step_decay(0.1, every=2.5), "step_decay: every is 2.5"),  # type: ignore[arg-type]
        (lambda: warm_up(0.1, steps=-1), "warm_up: steps is -1"),
        (lambda: inverse_sqrt(0.1, warmup=True), "inverse_sqrt: warmup is True"),
        (lambda: exponential_decay(0.1, 1.5), "exponential_decay: factor is 1.5"),
        (lambda: exponential_decay(0.1, 0), "factor is 0"),
        (lambda: cosine(-0.1, steps=5), "cosine: eta0 is -0.1"),
        (lambda: warm_up("0.1", steps=5), "eta0 is '0.1'"),  # type: ignore[arg-type]
        (lambda: warm_up(inverse_sqrt(0.1, 5), steps=5), "T_w would stand for two constants"),
        (lambda: cosine(0.1, steps=5).at(0), "cosine: step is 0"),
        (lambda: cosine(0.1, steps=5).at(1.5), "cosine: step is 1.5"),  # type: ignore[arg-type]
        (lambda: Schedule("own", ((eta, q / t),), ()), "own: nothing gives q a value"),
        (lambda: Schedule("own", ((q, 1 / t),), ()), "the last equation of a schedule assigns eta"),
        (lambda: Schedule("own", ((eta, GRADIENT / t),), ()), "a schedule reads the step alone"),
        (lambda: Schedule("own", ((eta, 1 / Total(GRADIENT)),), ()), "a schedule reads the step alone"),
    ):
        with pytest.raises(ArgumentError, match=message):
            make()


def test_a_schedule_of_ones_own_runs() -> None:
    """A schedule is a value: its own equations with their constants, in any optimizer."""
    eta, t, a = sp.symbols("eta t a")
    own = Schedule("hyperbolic", ((eta, a / t),), (("a", 0.5),))

    assert sb.Adam(own).rule.name == "Adam, hyperbolic"
    assert own.at(4) == 0.125
