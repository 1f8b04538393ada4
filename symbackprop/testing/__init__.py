"""Assertions for test suites: what is not proved fails with its verdict."""

from __future__ import annotations

from typing import Any

from symbackprop.facade.backward import verify_backward
from symbackprop.facade.networks import Network
from symbackprop.facade.programs import Program
from symbackprop.facade.verification import verify, verify_gradient
from symbackprop.proof import Verdict


def assert_proved(claim: Any, *arguments: Any, **options: Any) -> None:
    """Raise AssertionError with the verdict unless it is proved.

    Takes a verdict, the arguments of `symbackprop.verify`, or, where the first one is a program or a network, those of
    `symbackprop.verify_gradient`; where it is a function, those of `symbackprop.verify_backward`.

    >>> from symbackprop.facade.programs import parse
    >>> assert_proved("tanh(x)^2 + 1/cosh(x)^2", "1")
    >>> assert_proved(parse("input x, y\\nparam w\\nloss = (w*x - y)^2"), "w", "2*x*(w*x - y)")
    """
    __tracebackhide__ = True
    if isinstance(claim, Verdict):
        if arguments or options:
            raise TypeError("assert_proved takes a verdict and nothing else, or the arguments of verify.")
        verdict, said = claim, ""
    elif isinstance(claim, Program | Network):
        verdict = verify_gradient(claim, *arguments, **options)
        values = dict(zip(("wrt", "claim", "of"), arguments, strict=False)) | options
        said = f"d {values.get('of', 'loss')} / d {values['wrt']} = {values['claim']}"
    elif callable(claim):
        verdict, said = verify_backward(claim, *arguments, **options), ""
    elif not arguments and "right" not in options:
        raise TypeError(
            "assert_proved takes a verdict, the two sides of an equation, a program with a gradient, or a forward with "
            "its backward."
        )
    else:
        verdict, said = verify(claim, *arguments, **options), ""
    if not verdict.proved:
        raise AssertionError(f"{said}\n{verdict}" if said else str(verdict))
