"""One function of arrays as a NumPy call that writes its result where it is told to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import sympy

from symbackprop.codegen.dialects import Dialect
from symbackprop.codegen.expressions import BodyPrinter
from symbackprop.codegen.forms import Exponent, Positive

COMPARISONS = MappingProxyType({
    ">": "greater", ">=": "greater_equal", "<": "less", "<=": "less_equal", "==": "equal", "!=": "not_equal",
})  # fmt: skip
CONNECTIVES = MappingProxyType({sympy.And: "logical_and", sympy.Or: "logical_or", sympy.Not: "logical_not"})


def write_ufunc(
    body: sympy.Basic,
    texts: Mapping[sympy.Symbol, str],
    out: str,
    dialect: Dialect,
    number: Callable[[sympy.Expr], str],
    highest: Callable[[], str] = lambda: "highest",
) -> str:
    """The call that writes the function `body` of arrays into `out`; `number` says how an argument that is one is
    written, and `highest` how the largest exponent is.

    >>> s, t = sympy.symbols("s t")
    >>> write_ufunc(s - t, {s: "a", t: "b"}, "c", Dialect(), str)
    'np.subtract(a, b, out=c)'
    """
    printer = BodyPrinter(texts, dialect)

    def argument(part: sympy.Expr) -> str:
        return number(part) if part.is_number else printer.argument(part)

    if isinstance(body, sympy.Piecewise):
        (value, condition), (other, _) = body.args
        chosen = [argument(value)] if other == 0 else [argument(value), argument(other)]
        return f"{'choose' if len(chosen) == 2 else 'keep'}({', '.join([texts[condition], *chosen])}, out={out})"
    if isinstance(body, Exponent):
        return f"np.minimum({argument(body.args[0])}, {highest()}, out={out})"
    if isinstance(body, Positive):
        return f"{dialect.positive(argument(body.args[0]), number(sympy.Integer(0)))[:-1]}, out={out})"
    found = _find_call(body)
    if found is not None:
        name, arguments = found
        return f"np.{name}({', '.join(map(argument, arguments))}, out={out})"
    text = printer.write(body)
    if body.is_Function and not isinstance(body, sympy.logic.boolalg.Boolean) and text.startswith("np."):
        return f"{text[:-1]}, out={out})"
    return f"{out}[...] = {text}"


def _find_call(body: sympy.Basic) -> tuple[str, tuple[sympy.Basic, ...]] | None:
    """The ufunc of a body, and its arguments."""
    if isinstance(body, sympy.core.relational.Relational):
        return COMPARISONS[body.rel_op], (body.lhs, body.rhs)
    for kind, name in CONNECTIVES.items():
        if isinstance(body, kind):
            return (name, body.args) if len(body.args) <= 2 else None
    if body.is_Mul:
        number, rest = body.as_coeff_Mul()
        if rest.is_Symbol:
            return ("negative", (rest,)) if number == -1 else ("multiply", (rest, number))
        over, under = rest.as_numer_denom()
        if under != 1:
            return ("divide", (number * over, under)) if under.is_Symbol and (number == 1 or over == 1) else None
        return ("multiply", rest.args) if number == 1 and len(rest.args) == 2 else None
    if body.is_Add:
        number, rest = body.as_coeff_Add()
        if number != 0:
            return _add(rest, number) if not rest.is_Add else None
        return _add(*body.args) if len(body.args) == 2 else None
    if body.is_Pow:
        calls = {2: "square", sympy.S.Half: "sqrt"}
        return (calls[body.exp], body.args[:1]) if body.exp in calls else _divide(body)
    return None


def _divide(body: sympy.Pow) -> tuple[str, tuple[sympy.Basic, ...]] | None:
    return ("divide", (sympy.Integer(1), body.base)) if body.exp == -1 else None


def _add(one: sympy.Expr, other: sympy.Expr) -> tuple[str, tuple[sympy.Basic, ...]] | None:
    """A sum or a difference of symbols or numbers."""
    for first, second in ((one, other), (other, one)):
        if first.is_Symbol and (second.is_Symbol or second.is_number):
            return "add", (first, second)
        if (-second).is_Symbol and (first.is_Symbol or first.is_number):
            return "subtract", (first, -second)
    return None
