"""Functions of the catalogue are recognised by their definitions, and nothing else is."""

from __future__ import annotations

import pytest
import sympy

from symbackprop.functions import FUNCTIONS, expand_applications, recognise
from symbackprop.functions.recognition import list_shapes

x, y = sympy.symbols("x y")


@pytest.mark.parametrize("name", [name for name, _ in list_shapes()])
@pytest.mark.parametrize("argument", [x, 2 * x, x - y, x * y / 3])
def test_every_shape_is_recognised(name: str, argument: sympy.Expr) -> None:
    """Whatever is recognised has, by the catalogue, the value of the expression."""
    function = next(f for f in FUNCTIONS if f.name == name)
    expression = expand_applications(function.formula(argument))
    found = recognise(expression)

    assert found is not None
    again = expand_applications(next(f for f in FUNCTIONS if f.name == found[0]).formula(found[1]))
    point = {x: sympy.Rational(3, 7), y: sympy.Rational(-5, 4)}
    assert abs((again - expression).subs(point).evalf(30)) < 1e-25


@pytest.mark.parametrize(
    "expression",
    [1 / (1 + 2 * sympy.exp(x)), 1 / (2 + sympy.exp(x)), sympy.exp(-x) / (1 + sympy.exp(-x)) ** 2, x + 1, sympy.exp(x)],
)
def test_what_is_near_is_not_recognised(expression: sympy.Expr) -> None:
    """A changed number is another function."""
    assert recognise(expression) is None
