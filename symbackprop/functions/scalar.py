"""A scalar function: its name, its definition, and nothing that could be derived from the definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy

from symbackprop.calculus.branches import settle

BOTH_SIDES = ((-3, 3),)
BRANCHES = ((-3, -1), (1, 3))
POSITIVE = ((1, 4),)


def where(condition: sympy.Basic, then: sympy.Expr, otherwise: sympy.Expr) -> sympy.Expr:
    """`then` where the condition holds, `otherwise` elsewhere.

    >>> u = sympy.Symbol("u")
    >>> where(u > 0, u, 0).diff(u)
    Piecewise((1, u > 0), (0, True))
    """
    rest = otherwise.args if isinstance(otherwise, sympy.Piecewise) else ((otherwise, True),)
    return sympy.Piecewise((then, settle(condition)), *rest)


@dataclass(frozen=True, slots=True)
class ScalarFunction:
    """f(u) = definition(u), the only mathematics in this object; its derivative is derived.

    `arity` is the number of its arguments; `parameters` are numbers that may follow them, with their standard values.
    `samples` are the intervals in which numeric checks draw, one a branch. An `inline` function stands in a formula as
    it is; an application of any other inside a larger formula gets a name of its own, by which its derivative can be
    written. In a definition another function of the catalogue is called, and stays an application until it is expanded.
    `domain` says what the first argument must be: "positive", "nonnegative", or anything (None), and `denominator` of
    it, if there is one, must not be zero.
    """

    name: str
    definition: Callable[..., sympy.Expr]
    tex: str
    samples: tuple[tuple[int, int], ...]
    source: str
    arity: int = 1
    parameters: tuple[tuple[str, sympy.Rational], ...] = ()
    inline: bool = False
    domain: str | None = None
    denominator: Callable[[sympy.Expr], sympy.Expr] | None = None

    def __call__(self, *arguments: sympy.Expr) -> sympy.Expr:
        """The application, unexpanded."""
        return sympy.Function(self.name)(*arguments)

    def formula(self, *arguments: sympy.Expr) -> sympy.Expr:
        """The definition at the arguments, parameters that are not given at their standard values.

        >>> square = ScalarFunction("square", lambda u: u**2, "", ((-1, 1),), "")
        >>> square.formula(sympy.Symbol("u"))
        u**2
        """
        missing = self.arity + len(self.parameters) - len(arguments)
        defaults = [value for _, value in self.parameters][len(self.parameters) - missing :] if missing > 0 else []
        return self.definition(*arguments, *defaults)
