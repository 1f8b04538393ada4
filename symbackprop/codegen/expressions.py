"""Scalar bodies as expressions over arrays."""

from __future__ import annotations

from collections.abc import Mapping

import sympy
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.precedence import PRECEDENCE

from symbackprop.codegen.dialects import Dialect
from symbackprop.codegen.forms import ExpMinusOne, Exponent, Larger, LogOnePlus, Positive, write_exactly
from symbackprop.codegen.records import is_indicator
from symbackprop.errors import UnsupportedError


class BodyPrinter(NumPyPrinter):  # type: ignore[misc]
    """Prints a body with the slots replaced by the given texts.

    SymPy's `select` is slow, its `maximum.reduce` makes an array, and its np.sqrt(2) is a float64 that would widen
    float32.
    """

    def __init__(self, texts: Mapping[sympy.Symbol, str], dialect: Dialect) -> None:
        super().__init__({"fully_qualified_modules": False})
        self.texts, self.dialect = texts, dialect

    def write(self, body: sympy.Expr) -> str:
        """The expression of a body."""
        return str(self.doprint(body))

    def _print_Symbol(self, expr: sympy.Symbol) -> str:
        return self.texts[expr]

    def _print(self, expr: sympy.Basic, **kwargs: object) -> str:
        if isinstance(expr, sympy.Expr) and expr.is_number:
            exact = write_exactly(expr)
            if exact.is_extended_real is False:  # such as the logarithm of a negative number
                return f"{self.dialect.module}.nan"
            long = expr.is_Integer and abs(expr) >= 2**31  # which is no integer of a library
            if long or not expr.is_Rational:
                return repr(float(exact))
        return str(super()._print(expr, **kwargs))

    def _print_Function(self, expr: sympy.Function) -> str:
        kind = self.dialect.name
        raise UnsupportedError(
            f"There is no {kind} code for the function {expr.func.__name__}; define it by a formula."
        )

    def argument(self, expr: sympy.Expr) -> str:
        """An argument of a call: a text put for a slot needs no brackets of its own there."""
        text = self._print(expr)
        return text[1:-1] if expr.is_Symbol and text.startswith("(") else text

    def _print_LogOnePlus(self, expr: LogOnePlus) -> str:
        return self.dialect.function("log1p", self.argument(expr.args[0]))

    def _print_ExpMinusOne(self, expr: ExpMinusOne) -> str:
        return self.dialect.function("expm1", self.argument(expr.args[0]))

    def _print_Exponent(self, expr: Exponent) -> str:
        return f"exponent({self.argument(expr.args[0])})"

    def _print_Larger(self, expr: Larger) -> str:
        return self.dialect.function("maximum", *(self.argument(a) for a in expr.args))

    def _print_Positive(self, expr: Positive) -> str:
        return self.dialect.positive(self.argument(expr.args[0]), "0")

    def _print_erf(self, expr: sympy.erf) -> str:
        return self.dialect.erf(self.argument(expr.args[0]))

    def _print_known(self, expr: sympy.Function) -> str:
        return self.dialect.function(expr.func.__name__, *(self.argument(a) for a in expr.args))

    _print_exp = _print_log = _print_sin = _print_cos = _print_tan = _print_sinh = _print_cosh = _print_tanh = (
        _print_known
    )
    _print_asin = _print_acos = _print_atan = _print_asinh = _print_acosh = _print_atanh = _print_sign = _print_known

    def _print_Pow(self, expr: sympy.Pow, rational: bool = False) -> str:
        base, exponent = expr.args
        if exponent == sympy.S.Half:
            return self.dialect.function("sqrt", self.argument(base))
        if exponent == -sympy.S.Half:
            return f"1/{self.dialect.function('sqrt', self.argument(base))}"
        if exponent == 2:
            return self.dialect.function("square", self.argument(base))
        if exponent.is_Integer and exponent < 0:
            below = base if exponent == -1 else sympy.Pow(base, -exponent)
            return f"1/{self.parenthesize(below, PRECEDENCE['Pow'])}"
        return f"{self.parenthesize(base, PRECEDENCE['Pow'])}**{self.parenthesize(exponent, PRECEDENCE['Pow'])}"

    def _nest(self, name: str, expr: sympy.Expr) -> str:
        text = self._print(expr.args[-1])
        for argument in reversed(expr.args[:-1]):
            text = self.dialect.function(name, self._print(argument), text)
        return text

    def _print_Piecewise(self, expr: sympy.Piecewise) -> str:
        if is_indicator(expr):
            return self.dialect.indicator(self.argument(expr.args[0].cond))
        *pairs, (last, always) = expr.args
        text = self._print(last)
        if all(value.is_number for value, _ in expr.args):  # integers alone would make an integer array
            text = self.dialect.number(text)
        if always is not sympy.true and always != True:  # noqa: E712 - a SymPy condition is not a bool
            text = self.dialect.where(self._print(always), text, f"{self.dialect.module}.nan")
        for value, condition in reversed(pairs):
            text = self.dialect.where(self._print(condition), self._print(value), text)
        return text

    def _print_Relational(self, expr: sympy.core.relational.Relational) -> str:
        return f"({self._print(expr.lhs)} {expr.rel_op} {self._print(expr.rhs)})"

    _print_Equality = _print_Unequality = None

    def _print_And(self, expr: sympy.And) -> str:
        return self._nest("logical_and", expr)

    def _print_Or(self, expr: sympy.Or) -> str:
        return self._nest("logical_or", expr)

    def _print_Not(self, expr: sympy.Not) -> str:
        return self.dialect.function("logical_not", self._print(expr.args[0]))
