"""The catalogue: every function against JAX, and the value of every derivative at a kink as the language states it."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import pytest
import sympy

from symbackprop.functions import (
    FUNCTION_BY_NAME,
    FUNCTIONS,
    ScalarFunction,
    applications,
    derivative,
    expand_applications,
)

jax.config.update("jax_enable_x64", True)

ORACLES: dict[str, Callable[..., jax.Array]] = {
    "identity": lambda u: u, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu, "elu": jax.nn.elu, "softplus": jax.nn.softplus, "silu": jax.nn.silu,
    "gelu": lambda u: jax.nn.gelu(u, approximate=False), "gelu_tanh": lambda u: jax.nn.gelu(u, approximate=True),
    "abs": jnp.abs, "sign": jnp.sign, "maximum": jnp.maximum, "minimum": jnp.minimum, "exp": jnp.exp, "log": jnp.log,
    "sqrt": jnp.sqrt, "sin": jnp.sin, "cos": jnp.cos, "tan": jnp.tan, "sinh": jnp.sinh, "cosh": jnp.cosh,
    "erf": jax.scipy.special.erf,
}  # fmt: skip
NAMES = [function.name for function in FUNCTIONS]


def sample_points(function: ScalarFunction) -> list[tuple[float, ...]]:
    """A few points of every branch; the second argument of two stands beside the first."""
    points = [low + (high - low) * t for low, high in function.samples for t in (0.1, 0.45, 0.9)]
    return [(u, u + gap)[: function.arity] for u in points for gap in (-0.5, 0.7)]


def test_names_are_unique_and_known_to_an_oracle() -> None:
    """No two functions share a name, and none escapes the comparison below."""
    assert len(set(NAMES)) == len(NAMES)
    assert set(NAMES) == set(ORACLES)


@pytest.mark.parametrize("function", FUNCTIONS, ids=NAMES)
def test_value_and_derivative_agree_with_jax(function: ScalarFunction) -> None:
    """Definition and derived derivative equal JAX in float64 away from kinks."""
    symbols, slope = derivative(function.name, 0, function.arity)
    formula = expand_applications(function.formula(*symbols))
    for point in sample_points(function):
        values = dict(zip(symbols, point, strict=True))
        oracle = [jnp.float64(v) for v in point]
        assert float(formula.subs(values)) == pytest.approx(float(ORACLES[function.name](*oracle)), rel=1e-12)
        expected = float(jax.grad(ORACLES[function.name])(*oracle))
        assert float(slope.subs(values)) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_wrong_derivative_is_noticed() -> None:
    """The comparison with JAX fails for a planted mistake: silu'(u) = sigmoid(u)."""
    expected = float(jax.grad(jax.nn.silu)(jnp.float64(0.7)))
    u = sympy.Symbol("u")
    wrong = float(FUNCTION_BY_NAME["sigmoid"].formula(u).subs(u, 0.7))
    assert wrong != pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "slope"), [("relu", 0), ("abs", 0), ("sign", 0), ("leaky_relu", sympy.Rational(1, 100)), ("elu", 1)]
)
def test_slope_at_the_kink_follows_from_where(name: str, slope: sympy.Expr) -> None:
    """At 0 the last branch of the definition is taken."""
    (u,), found = derivative(name, 0, 1)
    assert found.subs(u, 0) == slope


@pytest.mark.parametrize("name", ["maximum", "minimum"])
@pytest.mark.parametrize("place", [0, 1])
def test_tie_gives_one_half_to_each_side(name: str, place: int) -> None:
    """Where both arguments are equal each has the slope one half."""
    (u, v), found = derivative(name, place, 2)
    assert found.subs({u: 3, v: 3}) == sympy.Rational(1, 2)


def test_parameters_replace_their_standard_values() -> None:
    """leaky_relu(u, 0.2) has slope 0.2 on the left."""
    function = FUNCTION_BY_NAME["leaky_relu"]
    assert function.formula(sympy.Integer(-10), sympy.Rational(1, 5)) == -2
    assert function.formula(sympy.Integer(-10)) == sympy.Rational(-1, 10)


def test_application_stays_until_expanded() -> None:
    """silu keeps sigmoid as an application, so that it can get a name of its own."""
    u = sympy.Symbol("u")
    (inner,) = applications(FUNCTION_BY_NAME["silu"].formula(u))
    assert inner == FUNCTION_BY_NAME["sigmoid"](u)
    assert not applications(expand_applications(FUNCTION_BY_NAME["gelu_tanh"].formula(u)))
