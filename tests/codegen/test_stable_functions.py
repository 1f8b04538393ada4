"""Every function of the live catalogue in generated code, far out: values and slopes right, and without warnings."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy

import symbackprop as sb
from symbackprop.functions import FUNCTIONS, ScalarFunction, derivative, expand_applications

POINTS = (-800, -100, -40, -20, -3, -0.5, -0.001, 0, 0.001, 0.5, 3, 20, 40, 100, 800)
SECOND = 0.25
ROUNDINGS = 64
DIGITS = 700  # more than exp(2400) has before its point, so that nothing is lost in 1 + exp(u)


def exact_value(formula: sympy.Expr, values: dict[sympy.Symbol, sympy.Rational]) -> mpmath.mpf:
    """A formula at rational numbers."""
    with mpmath.workdps(DIGITS):
        numbers = [mpmath.mpf(v.p) / v.q for v in values.values()]
        return mpmath.mpf(sympy.lambdify(list(values), formula, "mpmath")(*numbers))


def faults(function: ScalarFunction, parameters: tuple[sympy.Rational, ...], dtype: str, text: str = "") -> list[str]:
    """Where code is off by more than roundings of the larger of 1 and the value; true overflows are left out."""
    letters, count = ("u", "v")[: function.arity], function.arity + len(parameters)
    written = text or f"{function.name}({', '.join((*letters, *map(str, parameters)))})"
    run = sb.derive(sb.parse(f"param {', '.join(letters)}\nloss = {written}")).compile(dtype=dtype)
    places = [derivative(function.name, k, count) for k in range(function.arity)]
    symbols = places[0][0]
    formulas = [expand_applications(function.formula(*symbols)), *(slope for _, slope in places)]
    limits, found = np.finfo(dtype), []
    for point in POINTS if function.domain is None else [p for p in POINTS if p > 0]:
        given = [np.asarray(v, dtype) for v in (point, SECOND)][: function.arity]
        values = dict(zip(symbols, [*(sympy.Rational(float(v)) for v in given), *parameters], strict=True))
        wanted = [exact_value(sympy.sympify(formula), values) for formula in formulas]
        if max(map(abs, wanted)) > float(limits.max):
            continue
        value, slopes = run(dict(zip(letters, given, strict=True)))
        for name, number, exact in zip(("value", *letters), (value, *slopes.values()), wanted, strict=True):
            if not abs(float(number) - exact) <= ROUNDINGS * float(limits.eps) * max(1, abs(exact)):
                found.append(f"{name} at {point} is {float(number)!r} instead of {mpmath.nstr(exact, 12)}")
    return found


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_values_and_slopes_are_right_far_out(function: ScalarFunction, dtype: str) -> None:
    """From -800 to 800, parameters at their standard values and at half as much again."""
    assert faults(function, (), dtype) == []
    if function.parameters:
        assert faults(function, tuple(v * sympy.Rational(3, 2) for _, v in function.parameters), dtype) == []


def test_a_wrong_formula_is_noticed() -> None:
    """Code of another function is off, and so is a slope alone."""
    (sigmoid,) = [function for function in FUNCTIONS if function.name == "sigmoid"]

    assert len(faults(sigmoid, (), "float64", "tanh(u)")) > len(POINTS)
    assert faults(sigmoid, (), "float64", "sigmoid(u) + sin(u)/1000000") != []
