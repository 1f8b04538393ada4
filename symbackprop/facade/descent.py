"""Gradient descent on a formula given as SymPy or as text."""

from __future__ import annotations

import sympy

from symbackprop.facade.scalars import read_scalar
from symbackprop.training import Descent
from symbackprop.training import descend as follow


def descend(
    expr: sympy.Expr | str,
    start: object,
    learning_rate: object,
    steps: int,
) -> Descent:
    """Gradient descent on a scalar formula: theta <- theta - learning_rate * d expr / d theta, exactly.

    `start` is a number, or numbers by name; a decimal number is read as the decimal it shows. The result holds the
    path, the update, and where the gradient is linear the factor of each step and the closed form after n steps.

    >>> found = descend("x^2", 1000, 0.1, 100)
    >>> found.factor, round(float(found.path[-1]), 12)
    (1 - 2*lr, 2.03704e-07)
    """
    return follow(read_scalar(expr), start, learning_rate, steps)
