"""Factors of polynomials."""

import flint
import pytest

from symbackprop.calculus.factoring import factor

CONTEXT = flint.fmpz_mpoly_ctx.get(["x", "y"], "lex")


def test_factors_multiply_to_the_polynomial() -> None:
    """With their multiplicities and the content."""
    x, y = CONTEXT.gens()
    number, parts = factor(6 * (x + y) ** 2 * (x - 2 * y))

    assert number == 6
    assert sorted((str(part), power) for part, power in parts) == [("x + y", 2), ("x - 2*y", 1)]


def test_large_coefficients_leave_a_polynomial_whole() -> None:
    """Two factors that python-flint cannot put in order; should it learn to, `factor` needs no exception."""
    x, y = CONTEXT.gens()
    large = 10**30 * (x + y) + x * (1 - 10**30)  # x + 10^30*y
    polynomial = large * (large + 10**30 * y)

    with pytest.raises(OverflowError):
        polynomial.factor()
    assert factor(polynomial) == (1, [(polynomial, 1)])
