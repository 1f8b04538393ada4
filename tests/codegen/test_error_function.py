"""The error function of generated NumPy code, against Python's and against mpmath's digits."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from symbackprop.codegen import numpy_runtime
from symbackprop.codegen.numpy_runtime import erf

LIMIT = 2.0**-51  # of numbers below 1, whose last place is 2^-53 or more of them
ENDS = (0.84375, 1.25, 1 / 0.35, 6.0)
GRID = np.concatenate(
    [
        np.linspace(-7, 7, 200_001),
        np.geomspace(1e-308, 7, 20_001),
        [5e-324, 1e-310, 30.0, 1e300],
        *([np.nextafter(end, 0), end, np.nextafter(end, 9)] for end in ENDS),
    ]
)


def farthest_apart(values: np.ndarray, expected: np.ndarray) -> float:
    """The largest relative distance, where what is expected is not 0."""
    return float(np.max(np.abs(values - expected) / np.abs(expected)))


def test_it_is_that_of_python_everywhere() -> None:
    """On a dense grid, through subnormal numbers and tails, within two units in the last place."""
    for points in (GRID[GRID != 0], -GRID[GRID != 0]):
        expected = np.array([math.erf(u) for u in points])

        assert farthest_apart(erf(points), expected) <= LIMIT


def test_it_has_the_digits_of_mpmath() -> None:
    """Against forty digits, at the ends of every approximation and between them."""
    points = np.concatenate([np.linspace(0.001, 6.5, 801), *([np.nextafter(end, 0), end] for end in ENDS)])
    with mpmath.workdps(40):
        pairs = zip(erf(points), map(mpmath.erf, points), strict=True)
        distances = [abs((mpmath.mpf(float(value)) - exact) / exact) for value, exact in pairs]

    assert max(distances) < 3e-16


def test_ends_zeros_and_what_is_no_number() -> None:
    """It is odd, 1 at infinity, nan for nan, and keeps the sign of 0; shapes and types stay."""
    for count in (1, 100):  # few entries are those of Python
        assert erf([math.inf, -math.inf, 6.0, -27.5] * count).tolist() == [1, -1, 1, -1] * count
        assert np.isnan(erf([math.nan] * count)).all()
        assert np.copysign(1, erf([0.0, -0.0] * count)).tolist() == [1, -1] * count
    assert np.array_equal(erf(-GRID), -erf(GRID))
    assert erf(np.ones((2, 30, 3))).shape == (2, 30, 3)
    assert erf(np.ones((20, 3), np.float32)).dtype == np.float32
    assert float(erf(np.float64(0.5))) == math.erf(0.5)


def test_single_precision() -> None:
    """In float32 it is right to float32."""
    points = np.linspace(-5, 5, 10_001, dtype=np.float32)
    expected = np.array([math.erf(u) for u in points])

    assert np.max(np.abs(erf(points) - expected)) < 3e-7


def test_a_wrong_coefficient_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison fails where a polynomial is off by a part in 10^14."""
    right = numpy_runtime.horner
    monkeypatch.setattr(numpy_runtime, "horner", lambda c, w: right(c, w) * (1 + 1e-14 * (c[0] == 1)))
    points = GRID[GRID != 0]

    assert farthest_apart(erf(points), np.array([math.erf(u) for u in points])) > LIMIT
