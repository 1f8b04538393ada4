"""Which formulas are integers whatever open comparisons give: NumPy may hold such a number as an integer or a float."""

from __future__ import annotations

import sympy as sp

from symbackprop.proof.choices import Choices


def is_whole(expression: sp.Expr, choices: Choices) -> bool:
    """Whether a formula in full is an integer, in each case of the open comparisons that it reads and nothing else.

    >>> x, choices = sp.Symbol("x"), Choices()
    >>> above, below = choices.of_sign(x, 1).alternatives
    >>> is_whole(above.indicator + 2, choices), is_whole(above.indicator / 2, choices), is_whole(x, choices)
    (True, False, False)
    """
    symbols = sorted(expression.free_symbols, key=str)
    if not symbols:
        return bool(expression.is_Integer)
    if not choices.decide(expression) or not expression.is_polynomial(*symbols):
        return False
    return all(each.is_Integer for each in sp.Poly(expression, *symbols).coeffs())
