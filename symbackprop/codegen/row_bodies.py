"""Functions of entries as expressions over single numbers, as a loop over rows computes them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import sympy

from symbackprop.codegen.dialects import Dialect
from symbackprop.codegen.expressions import BodyPrinter
from symbackprop.codegen.forms import ExpMinusOne, Exponent, Larger, LogOnePlus, Positive

FAST = MappingProxyType({
    sympy.exp: "row_exp", sympy.tanh: "row_tanh", sympy.erf: "row_erf", Exponent: "row_exponent",
    Larger: "row_larger",
})  # fmt: skip
"""Functions that a loop over entries computes as fast as NumPy does, or faster."""
SLOW = MappingProxyType({
    sympy.log: "np.log", LogOnePlus: "np.log1p", ExpMinusOne: "np.expm1", sympy.sin: "np.sin", sympy.cos: "np.cos",
    sympy.sinh: "np.sinh", sympy.cosh: "np.cosh",
})  # fmt: skip
"""Functions that are computed entry by entry, as NumPy does not: for one number of a row."""
CONNECTIVES = MappingProxyType({sympy.And: " & ", sympy.Or: " | "})


def can_write(body: sympy.Basic) -> bool:
    """Whether there is an expression of a body.

    >>> can_write(sympy.exp(sympy.Symbol("s0"))), can_write(sympy.gamma(sympy.Symbol("s0")))
    (True, False)
    """
    if body.is_Symbol or body.is_number or body in (sympy.true, sympy.false):
        return True
    if body.is_Pow:
        return _power(body) is not None and can_write(body.base)
    if isinstance(body, Positive):
        return can_write(body.args[0])
    if isinstance(body, sympy.Piecewise):
        return all(can_write(part) for pair in body.args for part in pair.args)
    known = sympy.Add | sympy.Mul | sympy.core.relational.Relational | sympy.And | sympy.Or | sympy.Not
    return (isinstance(body, known) or type(body) in FAST or type(body) in SLOW) and all(map(can_write, body.args))


def is_slow(body: sympy.Basic) -> bool:
    """Whether a body has a function that NumPy computes faster in bulk."""
    return any(type(part) in SLOW for part in sympy.preorder_traversal(body))


def _power(body: sympy.Pow) -> int | None:
    """Twice the exponent, where that is a small integer."""
    twice = 2 * body.exp
    return int(twice) if twice.is_Integer and abs(twice) <= 8 else None


class RowPrinter:
    """Writes bodies; `numbers` are the texts of slots as numbers, `conditions` those of slots that are true or false.

    >>> s = sympy.Symbol("s0")
    >>> RowPrinter({s: "a"}, {}).write(1/s + 2)
    '((DTYPE(1)/a) + DTYPE(2))'
    """

    def __init__(self, numbers: Mapping[sympy.Symbol, str], conditions: Mapping[sympy.Symbol, str]) -> None:
        self.numbers, self.conditions = numbers, conditions

    def write(self, body: sympy.Basic) -> str:
        """The expression of a body."""
        if body.is_Symbol:
            return self.numbers[body]
        if body.is_number:
            return f"DTYPE({BodyPrinter({}, Dialect()).write(body)})"
        if body.is_Add:
            return self._add(body)
        if body.is_Mul:
            return self._multiply(body)
        if body.is_Pow:
            return self._raise(body)
        if isinstance(body, Positive):
            return self._choose(body.exact)
        if isinstance(body, sympy.Piecewise):
            return self._choose(body)
        if type(body) in FAST or type(body) in SLOW:
            name = FAST.get(type(body)) or SLOW[type(body)]
            return f"{name}({', '.join(self.write(a) for a in body.args)})"
        return self.condition(body)

    def condition(self, body: sympy.Basic) -> str:
        """The expression of what is true or false."""
        if body.is_Symbol:
            return self.conditions.get(body) or f"({self.numbers[body]} != DTYPE(0))"
        if body in (sympy.true, sympy.false):
            return str(bool(body))
        if isinstance(body, sympy.core.relational.Relational):
            return f"({self.write(body.lhs)} {body.rel_op} {self.write(body.rhs)})"
        if isinstance(body, sympy.Not):
            return f"(not {self.condition(body.args[0])})"
        for kind, sign in CONNECTIVES.items():
            if isinstance(body, kind):
                return f"({sign.join(map(self.condition, body.args))})"
        raise AssertionError(f"no condition: {body!r}")

    def _add(self, body: sympy.Add) -> str:
        """A sum, in which -a is subtracted."""
        plus = [a for a in body.args if not (a.is_Mul and a.args[0] == -1)]
        minus = [-a for a in body.args if a not in plus]
        plus.sort(key=lambda a: bool(a.is_number))
        text = " + ".join(map(self.write, plus)) if plus else f"-{self.write(minus.pop(0))}"
        return f"({' - '.join([text, *map(self.write, minus)])})"

    def _multiply(self, body: sympy.Mul) -> str:
        number, rest = body.as_coeff_Mul()
        if number == -1:
            return f"(-{self.write(rest)})"
        factors = sympy.Mul.make_args(rest)
        under = [1 / f for f in factors if f.is_Pow and f.exp == -1]
        over = [f for f in factors if not (f.is_Pow and f.exp == -1)]
        over = over if number == 1 and over else [*over, number]
        return f"({'/'.join(['*'.join(map(self.write, over)), *map(self.write, under)])})"

    def _raise(self, body: sympy.Pow) -> str:
        twice = _power(body)
        assert twice is not None
        base = self.write(body.base)
        if not base.isidentifier():
            parts = {2: f"row_square({base})", 1: f"np.sqrt({base})", -2: f"DTYPE(1)/{base}"}
            return f"({parts[twice]})" if twice in parts else f"({base}**DTYPE({twice}/2))"
        whole = [base] * (abs(twice) // 2) + [f"np.sqrt({base})"] * (twice % 2)
        text = "*".join(whole)
        return f"({text})" if twice > 0 else f"(DTYPE(1)/{text})" if len(whole) == 1 else f"(DTYPE(1)/({text}))"

    def _choose(self, body: sympy.Piecewise) -> str:
        """One value or another; nan where no condition holds."""
        text = "DTYPE(np.nan)"
        for value, condition in reversed(body.args):
            text = (
                self.write(value)
                if condition == sympy.true
                else f"({self.write(value)} if {self.condition(condition)} else {text})"
            )
        return text
