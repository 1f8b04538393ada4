"""The catalogue: every function against JAX, and the value of every derivative at a kink as the language states it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import jax
import jax.numpy as jnp
import pytest
import sympy
from jax_peers import apply_definition, find_peer

from symbackprop.functions import (
    FUNCTION_BY_NAME,
    FUNCTIONS,
    ScalarFunction,
    applications,
    derivative,
    expand_applications,
)

jax.config.update("jax_enable_x64", True)

NAMES = [function.name for function in FUNCTIONS]
WITH_PARAMETERS = [function for function in FUNCTIONS if function.parameters]


def sample_points(function: ScalarFunction) -> list[tuple[float, ...]]:
    """A few points of every branch; the second argument of two stands beside the first."""
    points = [low + (high - low) * t for low, high in function.samples for t in (0.1, 0.45, 0.9)]
    return [(u, u + gap)[: function.arity] for u in points for gap in (-0.5, 0.7)]


def find_oracle(function: ScalarFunction, count: int) -> Callable[..., jax.Array]:
    """JAX's function of `count` arguments; where it has none, the definition, which JAX differentiates."""
    peer = find_peer(function, count)
    if peer is not None:
        return peer
    return lambda *arguments: apply_definition(function.name, arguments, lambda left, right: None)


def compare(function: ScalarFunction, parameters: tuple[sympy.Rational, ...]) -> None:
    """Definition and derived derivatives equal JAX in float64 away from kinks."""
    count = function.arity + len(parameters)
    oracle = find_oracle(function, count)
    for place in range(function.arity):
        symbols, slope = derivative(function.name, place, count)
        formula = expand_applications(function.formula(*symbols))
        for point in sample_points(function):
            exact = [sympy.Rational(Fraction(v)) for v in point] + list(parameters)
            values = dict(zip(symbols, exact, strict=True))
            given = [jnp.float64(v) for v in (*point, *map(float, parameters))]
            assert float(formula.subs(values)) == pytest.approx(float(oracle(*given)), rel=1e-12)
            expected = float(jax.grad(oracle, place)(*given))
            assert float(slope.subs(values)) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_names_are_unique() -> None:
    """No two functions share a name."""
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("function", FUNCTIONS, ids=NAMES)
def test_value_and_derivatives_agree_with_jax(function: ScalarFunction) -> None:
    """Parameters have their standard values."""
    compare(function, ())


@pytest.mark.parametrize("function", WITH_PARAMETERS, ids=lambda function: function.name)
def test_value_and_derivatives_agree_with_jax_at_other_parameters(function: ScalarFunction) -> None:
    """Parameters are three halves of their standard values."""
    compare(function, tuple(value * sympy.Rational(3, 2) for _, value in function.parameters))


def test_most_functions_have_a_peer_of_their_own() -> None:
    """JAX's own function is what a definition is compared with: without one, only the derivative is."""
    alone = [function.name for function in FUNCTIONS if find_peer(function, function.arity) is None]

    assert len(alone) < len(FUNCTIONS) / 6, alone


@pytest.mark.parametrize(
    "mistaken",
    [
        ScalarFunction("silu", lambda u: FUNCTION_BY_NAME["sigmoid"](u), "", ((-3, 3),), ""),
        ScalarFunction("relu6", lambda u: FUNCTION_BY_NAME["relu"](u), "", ((-3, -1), (7, 9)), ""),
        ScalarFunction("selu", lambda u: FUNCTION_BY_NAME["elu"](u), "", ((-3, -1),), ""),
    ],
    ids=lambda function: function.name,
)
def test_wrong_definition_is_noticed(mistaken: ScalarFunction) -> None:
    """The comparison with JAX fails for a planted mistake: silu(u) = sigmoid(u), and the like."""
    u = sympy.Symbol("u")
    formula, peer = expand_applications(mistaken.formula(u)), find_peer(mistaken, 1)
    assert peer is not None
    points = [p for (p,) in sample_points(mistaken)]

    assert any(float(formula.subs(u, p)) != pytest.approx(float(peer(jnp.float64(p))), rel=1e-3) for p in points)


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
