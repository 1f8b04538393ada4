"""Expressions in the place of others, as long as SymPy makes no number of it that is too long.

Of exp(x*(944341*log(39524) + 1)) SymPy joins the logarithms, and computes 39524^944341 for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy as sp

from symbackprop.errors import UnsupportedError

_MOST_BITS = 4096


def substitute(expression: sp.Basic, values: Mapping[sp.Basic, sp.Expr]) -> sp.Basic:
    """The expression with other expressions in the place of its parts, as `xreplace` puts them.

    UnsupportedError where SymPy would compute a number that is too long.

    >>> x, y = sp.symbols("x y", real=True)
    >>> substitute(sp.exp(x) + x, {x: 2 * y})
    2*y + exp(2*y)
    """
    return _Substitution(values).apply(expression)


def rebuild(node: sp.Basic, arguments: Sequence[sp.Basic]) -> sp.Basic:
    """A node of the kind of another, of other arguments; UnsupportedError as in `substitute`."""
    if isinstance(node, sp.exp) and any(each.is_number for each in arguments[0].atoms(sp.log)):
        for product in arguments[0].atoms(sp.Mul):
            number, function = product.as_coeff_Mul()
            if isinstance(function, sp.log) and function.args[0].is_Rational:
                _check_power(function.args[0], number)
    return node.func(*arguments)


def _check_power(base: sp.Rational, exponent: sp.Rational) -> None:
    bits = max(int(base.p).bit_length(), int(base.q).bit_length()) * abs(exponent)
    if bits > _MOST_BITS:
        raise UnsupportedError(f"a power of {base} would have more than {_MOST_BITS} bits")


class _Substitution:
    """What is put in place, and what became of the parts of an expression so far."""

    def __init__(self, values: Mapping[sp.Basic, sp.Expr]) -> None:
        self._known: dict[sp.Basic, sp.Basic] = dict(values)

    def apply(self, node: sp.Basic) -> sp.Basic:
        known = self._known.get(node)
        if known is None:
            arguments = [self.apply(argument) for argument in node.args]
            same = all(new is old for new, old in zip(arguments, node.args, strict=True))
            known = self._known[node] = node if same else rebuild(node, arguments)
        return known
