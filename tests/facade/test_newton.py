"""Newton's and Gauss and Newton's steps: to the optimum that SciPy finds, and honest where they cannot be made."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import sympy as sp

import symbackprop as sb
from symbackprop.training.newton import GAUSS_NEWTON_RULE, NEWTON_RULE, compile_matrices

LOGISTIC = sb.parse("""
    input x[N,D], y[N]
    param w[D], b
    const c
    z[n] = sum(d, w[d]*x[n,d]) + b
    loss = sum(n, softplus(z[n]) - y[n]*z[n])/N + c*sum(d, w[d]^2)/2
""")
CURVE = sb.parse("""
    input x[N], y[N]
    param a, k[M]
    r[n] = a*exp(-k[1]*x[n]) + k[2] - y[n]
    loss = sum(n, r[n]^2)/2
""")
GENERATOR = np.random.default_rng(4)
X = GENERATOR.normal(size=(60, 3))
Y = (X @ [1.0, -2.0, 0.5] + 3 * GENERATOR.normal(size=60) > 0.3).astype(float)
TIMES = np.linspace(0, 3, 20)
DECAY = 2 * np.exp(-1.3 * TIMES) + 0.5 + 0.01 * GENERATOR.normal(size=20)


def optimum_of_scipy(strength: float) -> np.ndarray:
    """Return the minimum of the regularised logistic loss, w then b, from a quasi-Newton method of SciPy."""

    def loss(theta: np.ndarray) -> float:
        z = X @ theta[:3] + theta[3]
        return float(np.mean(np.logaddexp(0, z) - Y * z) + strength * theta[:3] @ theta[:3] / 2)

    return scipy.optimize.minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-7}).x


@pytest.mark.parametrize("strength", [0.0, 0.1])
def test_logistic_regression_converges_in_a_few_steps(strength: float) -> None:
    """Eight steps from 0 reach SciPy's optimum, with a slope of rounding size, faster than any line."""
    run = sb.newton(LOGISTIC, {"w": np.zeros(3), "b": 0.0}, {"x": X, "y": Y, "c": strength}, steps=8)

    np.testing.assert_allclose([*run.params["w"], run.params["b"]], optimum_of_scipy(strength), atol=1e-5)
    assert run.slopes[-1] < 1e-14
    assert len(run.history) == len(run.slopes) == 9
    assert run.history[0] == pytest.approx(np.log(2))
    assert max(np.diff(run.history)) < 1e-15
    # Quadratic convergence: the number of right digits doubles.
    near = [slope for slope in run.slopes if 1e-7 < slope < 1e-2]
    assert near
    assert all(after < 10 * before**2 for before, after in zip(near, near[1:], strict=False))


def test_another_matrix_is_seen() -> None:
    """The comparison can fail: with something added to the Hessian the slope does not vanish in eight steps."""
    data = {"x": X, "y": Y, "c": 0.1}
    run = sb.newton(LOGISTIC, {"w": np.zeros(3), "b": 0.0}, data, steps=8, damping=0.1)

    assert run.slopes[-1] > 1e-6


def test_gauss_newton_fits_a_curve() -> None:
    """The least squares of a sum of exponentials are those of SciPy's Levenberg-Marquardt."""
    run = sb.gauss_newton(CURVE, "r", {"a": 1.0, "k": [1.0, 0.0]}, {"x": TIMES, "y": DECAY}, steps=10)
    found = scipy.optimize.least_squares(
        lambda p: p[0] * np.exp(-p[1] * TIMES) + p[2] - DECAY, [1, 1, 0], method="lm", xtol=1e-15, ftol=1e-15
    )

    np.testing.assert_allclose([float(run.params["a"]), *run.params["k"]], found.x, rtol=1e-7)
    assert run.history[-1] == pytest.approx(found.cost, rel=1e-10)
    assert run.slopes[-1] < 1e-12


def test_newton_and_gauss_newton_meet() -> None:
    """On one program both come to the same minimum; near it the steps are not the same."""
    start, data = {"a": 2.0, "k": [1.3, 0.48]}, {"x": TIMES, "y": DECAY}
    exact = sb.newton(CURVE, start, data, steps=10)
    approximate = sb.gauss_newton(CURVE, "r", start, data, steps=10)

    np.testing.assert_allclose(exact.params["k"], approximate.params["k"], rtol=1e-9)
    assert sb.newton(CURVE, start, data, steps=1).history[1] != sb.gauss_newton(CURVE, "r", start, data, 1).history[1]


def test_one_step_solves_a_quadratic() -> None:
    """For a quadratic form over two parameters with mixed terms the first step lands on the solution."""
    program = sb.parse("""
        param U[2,2], v[2]
        loss = sum(i, j, (U[i,j] - 3)^2) + sum(i, (v[i] - U[i,1])^2) + sum(i, v[i])
    """)
    run = sb.newton(program, {"v": [5.0, 6.0], "U": [[1.0, 2.0], [3.0, 4.0]]}, steps=1)

    np.testing.assert_allclose(run.params["U"], [[2.5, 3.0], [2.5, 3.0]], atol=1e-13)
    np.testing.assert_allclose(run.params["v"], [2.0, 2.0], atol=1e-13)
    assert run.slopes[1] < 1e-12


def test_no_steps_look_at_the_start() -> None:
    """With steps=0 the start is returned, with its loss and slope, also where no step could be made."""
    run = sb.newton(sb.parse("param w\nloss = cos(w)"), {"w": 0.5}, steps=0)

    assert run.history == (np.cos(0.5),)
    assert run.slopes == (np.sin(0.5),)
    assert run.params["w"] == 0.5


def test_the_equations_print_and_run() -> None:
    """Text and LaTeX of the rules; the compiled equations solve, and give what the equations say."""
    assert NEWTON_RULE.text() == "M <- H + mu*I\nd <- inv(M)*g\ntheta <- theta - d"
    assert GAUSS_NEWTON_RULE.text() == "g <- J'*r\nM <- J'*J + mu*I\nd <- inv(M)*g\ntheta <- theta - d"
    assert NEWTON_RULE.latex() == (
        "\\begin{align*}\nM &\\leftarrow H + \\mu I \\\\\nd &\\leftarrow M^{-1} g \\\\\n"
        "\\theta &\\leftarrow \\theta - d\n\\end{align*}"
    )
    assert r"M &\leftarrow J^{T} J + \mu I" in GAUSS_NEWTON_RULE.latex()

    jacobian, residual = GENERATOR.normal(size=(5, 2)), GENERATOR.normal(size=5)
    values = {"theta": np.ones(2), "J": jacobian, "r": residual, "I": np.eye(2), "mu": 0.5}
    for target, formula in compile_matrices(GAUSS_NEWTON_RULE):
        values[target] = formula(values, {})
    exact = [sp.Matrix(jacobian.tolist()), sp.Matrix(residual.tolist())]
    step = (exact[0].T * exact[0] + sp.eye(2) / 2).inv() * exact[0].T * exact[1]
    np.testing.assert_allclose(values["theta"], 1 - np.array(step, dtype=float).ravel(), rtol=1e-12)


def test_a_singular_hessian_is_named_and_damping_helps() -> None:
    """A feature that stands twice makes the Hessian singular; with damping the loss falls all the same."""
    twice, start = np.column_stack([X, X[:, 0]]), {"w": np.zeros(4), "b": 0.0}
    data = {"x": twice, "y": Y, "c": 0.0}

    with pytest.raises(
        sb.CurvatureError, match=r"Newton, step 1: the matrix is singular .* or give damping="
    ) as caught:
        sb.newton(LOGISTIC, start, data)
    assert caught.value.step == 1
    assert abs(caught.value.smallest) < 1e-15
    run = sb.newton(LOGISTIC, start, data, steps=20, damping=1e-3)
    assert run.slopes[-1] < 1e-6


def test_a_hessian_that_is_not_positive_definite_is_named() -> None:
    """At a maximum Newton's step would climb: it is refused, with the damping that would do, which then does."""
    hill = sb.parse("param w\nloss = cos(w)")

    with pytest.raises(sb.CurvatureError, match="not positive definite .* a damping above 0.878") as caught:
        sb.newton(hill, {"w": 0.5})
    assert caught.value.smallest == pytest.approx(-np.cos(0.5))
    run = sb.newton(hill, {"w": 0.5}, steps=60, damping=1.0)
    assert float(run.params["w"]) == pytest.approx(np.pi, abs=1e-6)
    with pytest.raises(sb.CurvatureError, match="Gauss-Newton, step 1: the matrix is singular"):
        sb.gauss_newton(CURVE, "r", {"a": 0.0, "k": [1.0, 0.0]}, {"x": TIMES, "y": DECAY})


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"steps": -1}, sb.ArgumentError, "steps is -1"),
        ({"steps": 1.5}, sb.ArgumentError, "steps is 1.5"),
        ({"damping": -1.0}, sb.ArgumentError, "damping is -1.0"),
        ({"damping": float("nan")}, sb.ArgumentError, "damping is nan"),
        ({"start": {"w": 0.0}}, sb.ArgumentError, "The start holds w, and the parameters are w, b"),
        ({"start": {"w": ["a"], "b": 0}}, sb.ArgumentError, "no array of numbers"),
        ({"start": {"w": np.zeros(3000), "b": 0}}, sb.ArgumentError, "3001 entries"),
        ({"start": {"w": np.zeros(2), "b": 0}}, sb.SymBackpropError, "w"),
        ({"start": {"w": [np.inf, 0, 0], "b": 0}}, sb.DivergenceError, "not finite after 0 steps"),
        ({"data": {"x": X, "y": Y}}, sb.SymBackpropError, "c"),
        ({"program": sb.parse("input x\nloss = x^2"), "start": {"x": 1.0}}, sb.ArgumentError, "no parameters"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_mistakes_are_refused(change: dict[str, object], error: type[Exception], message: str) -> None:
    """Settings, starts and data that do not fit: each message says what."""
    given = {
        "program": LOGISTIC,
        "start": {"w": np.zeros(3), "b": 0.0},
        "data": {"x": X, "y": Y, "c": 0.1},
    }
    with pytest.raises(error, match=message):
        sb.newton(**(given | change))
