"""Guards on constants: SymPy would compute 2^(2^100) or compare towers of exponentials without end."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbackprop.errors import FormulaError, LimitError
from symbackprop.functions import ScalarFunction, expand_applications
from symbackprop.language.limits import Limits
from symbackprop.language.tree import Expression, Node
from symbackprop.language.writer import write_tree

GROWING = (sympy.exp, sympy.sinh, sympy.cosh)


def raise_power(base: sympy.Expr, exponent: sympy.Expr, tree: Expression, limits: Limits) -> sympy.Expr:
    """base^exponent; LimitError where a number in it would need more than `power_bits` bits."""
    coefficient = base if base.is_number else base.as_coeff_Mul()[0]
    if exponent.is_number and coefficient.is_number:
        size = abs(coefficient.evalf(15))
        bits = abs(sympy.log(size, 2).evalf(15) * exponent.evalf(15)) if size not in (0, 1) else sympy.Integer(0)
        if bits.is_real and bits > limits.power_bits:
            raise _limit(tree, limits)
    return base**exponent


def check_application(
    function: ScalarFunction, arguments: Sequence[sympy.Expr], tree: Expression, limits: Limits
) -> None:
    """LimitError where a function that grows exponentially is applied to a number past the limit."""
    parts = [part for argument in arguments for part in sympy.Add.make_args(argument) if part.is_number]
    if not any(abs(part.evalf(15)) > limits.power_bits for part in parts):
        return
    symbols = sympy.symbols(f"u:{len(arguments)}")
    if expand_applications(function.formula(*symbols)).has(*GROWING):
        raise _limit(tree, limits, f"the exponential of a large literal in {write_tree(tree)}")


def require_real(value: sympy.Expr, tree: Node) -> None:
    """FormulaError where a formula is infinite, undefined or complex whatever it reads."""
    if value.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo, sympy.I):
        shown = write_tree(tree)
        found = f"`{shown if len(shown) <= 60 else shown[:57] + '...'}`, which has no real value"
        place = {"line": tree.line or None, "column": tree.column or None}
        raise FormulaError(f"found {found}, expected a real number", found=found, expected="a real number", **place)


def _limit(tree: Expression, limits: Limits, found: str = "a power of literals") -> LimitError:
    expected = f"at most {limits.power_bits} bits"
    message = f"found {found}, expected {expected}; the limit can be raised by the caller"
    return LimitError(message, line=tree.line or None, column=tree.column or None, found=found, expected=expected)
