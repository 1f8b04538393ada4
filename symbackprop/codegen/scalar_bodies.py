"""Bodies of definitions as nodes: SymPy's scalar expressions with a node for every slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import sympy

from symbackprop.codegen.forms import (
    ExpMinusOne,
    Exponent,
    Larger,
    Logistic,
    LogOnePlus,
    Softplus,
    write_exactly,
    write_safely,
)
from symbackprop.codegen.scalar_nodes import HIGHEST, Nodes
from symbackprop.errors import UnsupportedError

FUNCTIONS: Mapping[type[sympy.Basic], str] = MappingProxyType({
    LogOnePlus: "log1p", ExpMinusOne: "expm1", sympy.exp: "exp", sympy.log: "log", sympy.sin: "sin", sympy.cos: "cos",
    sympy.tan: "tan", sympy.sinh: "sinh", sympy.cosh: "cosh", sympy.tanh: "tanh", sympy.asin: "asin",
    sympy.acos: "acos", sympy.atan: "atan", sympy.asinh: "asinh", sympy.acosh: "acosh", sympy.atanh: "atanh",
    sympy.erf: "erf",
})  # fmt: skip
"""The functions of Python's `math`."""


class BodyBuilder:
    """Makes the nodes of bodies. `labels` says for a slot which indices it reads, by name.

    Factors of equal indices are multiplied first, then those of few indices before those of many: so entries that
    differ in one index only share what does not depend on it.
    """

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes

    def build(
        self, body: sympy.Basic, slots: Mapping[sympy.Symbol, int], labels: Mapping[sympy.Symbol, frozenset[str]]
    ) -> int:
        """The node of a body; UnsupportedError where a function has no code."""
        nodes = self.nodes
        if isinstance(body, sympy.Symbol):
            return slots[body]
        if isinstance(body, sympy.Expr) and body.is_number:
            return self._number(body)
        if body.is_Add:
            number, rest = body.primitive()
            if number != 1:
                return self._scale(number, self.build(rest, slots, labels))
            return nodes.total([self._addend(a, slots, labels) for a in body.args])
        if body.is_Mul:
            return self._product(body, slots, labels)
        if body.is_Pow:
            return self._power(body, slots, labels)
        if isinstance(body, sympy.Piecewise):
            *pairs, (last, always) = body.args
            result = self.build(last, slots, labels)
            if always != True:  # noqa: E712 - a SymPy condition is not a bool
                result = nodes.choice(self.build(always, slots, labels), result, nodes.number(float("nan")))
            for value, condition in reversed(pairs):
                result = nodes.choice(self.build(condition, slots, labels), self.build(value, slots, labels), result)
            return result
        if body in (sympy.true, sympy.false):
            return nodes.make("integer", (), str(bool(body)))
        if isinstance(body, Logistic | Softplus):
            return self.build(write_safely(body), slots, labels)
        arguments = [self.build(a, slots, labels) for a in body.args]
        if isinstance(body, sympy.logic.boolalg.ITE):
            return nodes.choice(*arguments)
        if isinstance(body, sympy.core.relational.Relational):
            return nodes.compare(body.rel_op, *arguments)
        if isinstance(body, sympy.And | sympy.Or | sympy.Not):
            return nodes.make(body.func.__name__.lower(), arguments)
        if isinstance(body, Exponent):  # nan where the argument is
            highest = nodes.number(HIGHEST)
            return nodes.choice(nodes.compare("<", highest, arguments[0]), highest, arguments[0])
        if isinstance(body, Larger):  # nan where the second argument is
            return nodes.choice(nodes.compare("<", arguments[1], arguments[0]), arguments[0], arguments[1])
        if type(body) in FUNCTIONS:
            return nodes.make("call", arguments, f"math.{FUNCTIONS[type(body)]}")
        raise UnsupportedError(
            f"There is no scalar code for the function {body.func.__name__}; define it by a formula, or take the numpy "
            "target."
        )

    def _number(self, body: sympy.Expr) -> int:
        """A number; nan where it is none that is real."""
        exact = write_exactly(body)
        real = exact.is_extended_real or exact.evalf().is_extended_real
        return self.nodes.number(float(exact) if real else float("nan"))

    def _addend(
        self, body: sympy.Expr, slots: Mapping[sympy.Symbol, int], labels: Mapping[sympy.Symbol, frozenset[str]]
    ) -> int:
        """An addend, so that a minus sign in front becomes a difference."""
        if body.is_Mul and body.args[0].is_number and body.args[0].is_negative:
            return self.nodes.negative(self.build(-body, slots, labels))
        return self.build(body, slots, labels)

    def _product(
        self, body: sympy.Mul, slots: Mapping[sympy.Symbol, int], labels: Mapping[sympy.Symbol, frozenset[str]]
    ) -> int:
        nodes = self.nodes
        number, rest = body.as_coeff_Mul(rational=True)
        if number.is_negative:
            return nodes.negative(self.build(-body, slots, labels))
        above: dict[frozenset[str], list[int]] = {}
        below: dict[frozenset[str], list[int]] = {}
        for factor in sympy.Mul.make_args(rest):
            side, base = above, factor
            if factor.is_Pow and factor.exp.is_number and factor.exp.is_negative:
                side, base = below, sympy.Pow(factor.base, -factor.exp)
            carried = frozenset[str]().union(*(labels[s] for s in base.free_symbols))
            side.setdefault(carried, []).append(self.build(base, slots, labels))
        value = self._multiply(above)
        return self._scale(number, nodes.quotient(value, self._multiply(below)) if below else value)

    def _scale(self, number: sympy.Rational, node: int) -> int:
        """A positive multiple of a node."""
        nodes = self.nodes
        return nodes.quotient(nodes.product([nodes.number(float(number.p)), node]), nodes.number(float(number.q)))

    def _multiply(self, groups: Mapping[frozenset[str], Sequence[int]]) -> int:
        ordered = sorted(groups.items(), key=lambda pair: (len(pair[0]), sorted(pair[0])))
        return self.nodes.product([self.nodes.product(parts) for _, parts in ordered])

    def _power(
        self, body: sympy.Pow, slots: Mapping[sympy.Symbol, int], labels: Mapping[sympy.Symbol, frozenset[str]]
    ) -> int:
        nodes = self.nodes
        base, exponent = body.args
        if exponent.is_number and exponent.is_negative:
            return nodes.quotient(nodes.one, self.build(sympy.Pow(base, -exponent), slots, labels))
        inner = self.build(base, slots, labels)
        if exponent == sympy.S.Half:
            return nodes.make("call", (inner,), "math.sqrt")
        if exponent == 2:
            return nodes.make("square", (inner,))
        if exponent.is_Integer:
            return nodes.make("power", (inner,), str(exponent))
        return nodes.make("call", (inner, self.build(exponent, slots, labels)), "math.pow")
