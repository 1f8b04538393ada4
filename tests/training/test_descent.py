"""Gradient descent on formulas: paths, factors, closed forms and the rates that converge."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbackprop.errors import ArgumentError, DivergenceError, UnknownNameError
from symbackprop.training import Point, descend

X, Y, Z, LR, N = sp.symbols("x y z lr n")
QUADRATICS = (
    X**2 + Y**2,
    X**2 + 3 * Y**2 - 4 * X + 1,
    X**2 + X * Y + Y**2 - 3 * X,
    (X + Y) ** 2,
    (X + Y) ** 2 + X - Y,
    X**2 - Y**2,
    X**2 + 3 * X * Y + 4 * Y**2,
    2 * X - Y,
    X**2 + Y**2 + Z**2 + X * Y + Y * Z - Z,
)


def test_the_numbers_of_the_seed() -> None:
    """A hundred steps at 0.1 from 1000 on x^2 multiply by 0.8 each time, and end at 2.03704e-7 and 4.14952e-14."""
    descent = descend(X**2, 1000, 0.1, 100)

    assert len(descent.path) == 101
    assert descent.path[1] == 800
    assert descent.path[-1] == 1000 * sp.Rational(4, 5) ** 100
    assert f"{float(descent.path[-1]):.5e}" == "2.03704e-07"
    assert f"{float(descent.values[-1]):.5e}" == "4.14952e-14"
    assert descent.factor == 1 - 2 * LR
    assert descent.closed_form == sp.Symbol("x_0") * (1 - 2 * LR) ** N
    assert sp.expand(descent.update - (X - LR * 2 * X)) == 0
    assert descent.converges == sp.Interval.open(0, 1)


def test_a_rate_of_one_goes_to_and_fro() -> None:
    """At lr = 1 the factor is -1: x goes to -x and back, and the reason is said."""
    descent = descend(X**2, 1000, 1, 6)

    assert descent.path == (1000, -1000, 1000, -1000, 1000, -1000, 1000)
    assert descent.period == 2
    assert "multiplies the distance to x = 0 by -1" in descent.why
    assert "x goes to -x and back" in descent.why
    assert "lr = 1 the factor is -1" in descend(X**2, 1000, 0.1, 5).text()


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (Fraction(1, 4), "by 1/2, so it converges."),
        (Fraction(1, 2), "one step is enough"),
        (Fraction(3, 4), "by -1/2, so it converges, changing sides"),
        (Fraction(3, 2), "by -2, so it grows"),
    ],
)
def test_each_rate_is_described(rate: Fraction, words: str) -> None:
    """What is said of a rate agrees with what the path does."""
    descent = descend((X - 3) ** 2, 4, rate, 40)
    distances = [abs(point - 3) for point in descent.path]

    assert words in descent.why
    assert (distances[-1] < distances[0]) == (rate < 1)
    assert (sp.Rational(rate) in descent.converges) == (rate < 1)


def test_two_variables_by_name() -> None:
    """x^2 + y^2 gives each variable its partial, its factor and its closed form, by name."""
    descent = descend(X**2 + Y**2, {"x": 1000, Y: 500}, 0.1, 100)

    assert descent.gradient == Point(("x", "y"), (2 * X, 2 * Y))
    assert descent.factor["x"] == descent.factor[Y] == 1 - 2 * LR
    assert descent.closed_form["y"] == sp.Symbol("y_0") * (1 - 2 * LR) ** N
    assert f"{float(descent.path[-1]['x']):.5e}" == "2.03704e-07"
    assert descent.path[1] == Point(("x", "y"), (sp.Integer(800), sp.Integer(400)))
    assert descent.converges == sp.Interval.open(0, 1)


@pytest.mark.parametrize("function", QUADRATICS, ids=str)
def test_closed_forms_agree_with_the_path(function: sp.Expr) -> None:
    """Putting n, the rate and the start into the closed form gives every point of the path."""
    start = {name.name: Fraction(place + 2, 3) for place, name in enumerate(sorted(function.free_symbols, key=str))}
    descent = descend(function, start, Fraction(1, 7), 6)
    first = dict(zip(descent.start_symbols, descent.path[0].values(), strict=True))

    for step, point in enumerate(descent.path):
        values = {descent.rate_symbol: sp.Rational(1, 7), descent.step_symbol: step, **first}
        for name, entry in point.items():
            assert abs(sp.N(descent.closed_form[name].subs(values) - entry, 20, chop=True)) < sp.Float("1e-18")


@pytest.mark.parametrize("function", QUADRATICS, ids=str)
def test_convergence_agrees_with_numpy(function: sp.Expr) -> None:
    """A rate is in the convergent set when NumPy finds no multiplier outside the unit circle, nor a slope left."""
    variables = sorted(function.free_symbols, key=str)
    hessian = np.array(sp.hessian(function, variables), dtype=float)
    offset = np.array([float(sp.diff(function, v).subs(dict.fromkeys(variables, 0))) for v in variables])
    bounded = np.linalg.matrix_rank(hessian) == np.linalg.matrix_rank(np.column_stack([hessian, offset]))
    descent = descend(function, dict.fromkeys(map(str, variables), 1), Fraction(1, 10), 1)

    for rate in (0.05, 0.2, 0.45, 0.55, 0.7, 1.5):
        curvatures = np.linalg.eigvalsh(hessian)
        multipliers = (1 - rate * curvatures)[np.abs(curvatures) > 1e-9]
        assert (sp.Rational(str(rate)) in descent.converges) == bool(bounded and np.all(np.abs(multipliers) < 1))


def test_coupled_variables_have_an_iteration_matrix() -> None:
    """Where the variables move each other, the factor is the matrix I - lr H."""
    descent = descend(X**2 + X * Y + Y**2, {"x": 1, "y": 0}, 0.1, 3)

    assert descent.factor == sp.ImmutableMatrix([[1 - 2 * LR, -LR], [-LR, 1 - 2 * LR]])
    assert descent.converges == sp.Interval.open(0, sp.Rational(2, 3))


@settings(max_examples=25, deadline=None)
@given(st.integers(-5, 5), st.integers(-5, 5), st.integers(-9, 9), st.fractions(Fraction(1, 9), 3, max_denominator=9))
def test_every_parabola_follows_its_closed_form(a: int, b: int, start: int, rate: Fraction) -> None:
    """For a x^2 + b x + 1 the exact path and the closed form are the same numbers."""
    descent = descend(a * X**2 + b * X + 1, {"x": start} if a or b else start, rate, 4)
    form = descent.closed_form["x"] if a or b else descent.closed_form
    last = descent.path[-1]["x"] if a or b else descent.path[-1]
    exact = sp.Rational(rate.numerator, rate.denominator)

    assert form.subs({sp.Symbol("x_0"): start, LR: exact, N: 4}) == last


def test_curved_gradients_have_no_factor_and_say_so() -> None:
    """x^4 is followed to thirty digits; factor and closed form are None and the reason is given."""
    descent = descend(X**4 - 3 * X, 1, 0.05, 200)

    assert descent.factor is None
    assert descent.closed_form is None
    assert descent.converges is None
    assert "not linear" in descent.why
    assert abs(descent.path[-1] - sp.root(sp.Rational(3, 4), 3)) < sp.Float("1e-20")


def test_decimal_floats_are_read_as_they_print() -> None:
    """0.1 is one tenth in the rate, the start and the formula, whatever carries it."""
    expected = descend(X**2 / 10, Fraction(1, 2), Fraction(1, 10), 3).path

    for tenth in (0.1, np.float64(0.1), "0.1", Decimal("0.1"), sp.Float(0.1)):
        assert descend(0.1 * X**2, 0.5, tenth, 3).path == expected


def test_variables_may_be_called_like_the_letters() -> None:
    """A formula in lr and n keeps its own letters; the rate and the count take others."""
    descent = descend(LR**2 + N**2, {"lr": 1, "n": 2}, 0.1, 2)

    assert descent.rate_symbol == sp.Symbol("eta")
    assert descent.step_symbol == sp.Symbol("k")
    assert descent.factor["lr"] == 1 - 2 * sp.Symbol("eta")


def test_texts() -> None:
    """The text and the LaTeX show the update, its factor, the closed form and the convergent rates."""
    descent = descend(X**2, 1000, 0.1, 100)

    assert str(descent).splitlines() == [
        "f(x) = x**2",
        "df/dx = 2*x",
        "x <- x - lr*df/dx = x*(1 - 2*lr)",
        "factor of x: 1 - 2*lr",
        "x_n = x_0*(1 - 2*lr)**n",
        "converges for 0 < lr < 1; at lr = 1 the factor is -1 and it goes to and fro for ever",
        "lr = 1/10: each step multiplies the distance to x = 0 by 4/5, so it converges.",
        "start:         x = 1000, f = 1000000",
        "after 100 steps: x = 2.03704e-7, f = 4.14952e-14  (lr = 1/10)",
    ]
    assert descent.latex() == (
        "\\begin{align*}\n"
        "x &\\leftarrow x - \\eta \\cdot 2 x = x \\left(1 - 2 \\eta\\right) \\\\\n"
        "x_{n} &= x_{0} \\left(1 - 2 \\eta\\right)^{n}\n"
        "\\end{align*}"
    )


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((X**2 + Y**2, 1, 0.1, 5), ArgumentError, "variables are x, y"),
        ((X**2 + Y**2, {"x": 1}, 0.1, 5), ArgumentError, "start lacks y"),
        ((X**2, {"x": 1, "w": 1}, 0.1, 5), UnknownNameError, "start names w"),
        ((X**2, 1, 0, 5), ArgumentError, "positive"),
        ((X**2, 1, float("nan"), 5), ArgumentError, "finite"),
        ((X**2, 1, "fast", 5), ArgumentError, "learning_rate"),
        ((X**2, None, 0.1, 5), ArgumentError, "start is None"),
        ((X**2, 1, 0.1, -1), ArgumentError, "steps is -1"),
        ((X**2, 1, 0.1, 10**9), ArgumentError, "10000"),
        (("x^2", 1, 0.1, 5), ArgumentError, "SymPy expression"),
        ((X**4, 10, 1, 50), DivergenceError, "at step"),
        ((sp.log(X), sp.Rational(-1, 2), 0.1, 5), None, ""),
        ((sp.sqrt(X), 1, 10, 5), DivergenceError, "at step"),
    ],
    ids=str,
)
def test_mistakes_are_named(arguments: tuple, error: type[Exception] | None, words: str) -> None:
    """Each mistake of a caller raises an error of the package that says what was expected."""
    if error is None:
        assert len(descend(*arguments).path) == 6
        return
    with pytest.raises(error, match=words):
        descend(*arguments)


def test_points() -> None:
    """A point is looked up by name, symbol or place; only a point of one variable is a number."""
    point = Point(("x", "y"), (sp.Integer(1), sp.Integer(2)))

    assert (point["y"], point[X], point[1]) == (2, 1, 2)
    assert dict(point) == {"x": 1, "y": 2}
    assert float(Point(("x",), (sp.Rational(1, 2),))) == 0.5
    with pytest.raises(TypeError, match="not one number"):
        float(point)
    with pytest.raises(KeyError, match="the variables are x, y"):
        point["z"]
