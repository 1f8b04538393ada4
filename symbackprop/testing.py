"""Assertions for test suites: a claim that is not proved fails with its verdict."""

from __future__ import annotations

from symbackprop.facade.scalars import Formula
from symbackprop.facade.verification import verify
from symbackprop.proof import Verdict


def assert_proved(claim: Verdict | Formula, right: Formula | None = None) -> None:
    """Raise AssertionError with the verdict unless it is proved; two sides are verified first.

    >>> assert_proved("tanh(x)^2 + 1/cosh(x)^2", "1")
    """
    if isinstance(claim, Verdict):
        verdict = claim
    elif right is None:
        raise TypeError("assert_proved takes a verdict, or the two sides of an equation.")
    else:
        verdict = verify(claim, right)
    if not verdict.proved:
        raise AssertionError(str(verdict))
