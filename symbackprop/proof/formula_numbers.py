"""Formulas in numbers as they are written, without being made definitions first: fast enough to try hundreds of them.

What cannot be read in this way (calls of whole matrices, maxima) has no number here, and says so.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sympy

from symbackprop.calculus.evaluation import Evaluation
from symbackprop.calculus.expansion import contains
from symbackprop.calculus.tensors import Tensor
from symbackprop.functions import FUNCTION_BY_NAME, derivative, expand_applications
from symbackprop.language import tree as t
from symbackprop.language.index_forms import read_size

Number = int | float

PLAIN: Mapping[str, Callable[[float], float]] = {
    "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "sin": math.sin, "cos": math.cos, "tan": math.tan,
    "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh, "erf": math.erf, "abs": abs,
}  # fmt: skip
OPERATIONS: Mapping[str, Callable[[Number, Number], Number]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod,
}  # fmt: skip
RELATIONS: Mapping[str, Callable[[Number, Number], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


class NoNumberError(Exception):
    """The formula holds something that is read by elaboration only."""


@dataclass(frozen=True, slots=True)
class FormulaNumbers:
    """Numbers for formulas over the tensors of a program that is evaluated."""

    numbers: Evaluation
    tensors: Mapping[str, Tensor]
    sizes: Mapping[str, int]
    _applied: dict[tuple[str, bool, float], float] = field(default_factory=dict, repr=False, compare=False)

    def value(self, tree: t.Expression, letters: Mapping[str, int]) -> float:
        """The value of a formula where its free letters have values; nan where it has none."""
        try:
            return float(self._number(tree, letters))
        except (ArithmeticError, ValueError):
            return math.nan

    def _number(self, node: t.Node, letters: Mapping[str, int]) -> Number:
        match node:
            case t.Number(value=value):
                return int(value) if value.denominator == 1 else float(value)
            case t.Name(name=name):
                return self._name(name, letters)
            case t.Access(name=name, indices=indices):
                return self._read(name, tuple(int(self._number(i, letters)) for i in indices))
            case t.Slope(value=inner):
                return self._number(inner, letters)
            case t.Negate(operand=inner):
                return -self._number(inner, letters)
            case t.Power(base=base, exponent=exponent):
                return math.pow(self._number(base, letters), self._number(exponent, letters))
            case t.Chain(operands=operands, operators=operators):
                total = self._number(operands[0], letters)
                for sign, part in zip(operators, operands[1:], strict=True):
                    total = OPERATIONS[sign](total, self._number(part, letters))
                return total
            case t.Where(condition=condition, then=then, otherwise=otherwise):
                return self._number(then if self._holds(condition, letters) else otherwise, letters)
            case t.Reduce(operation="sum" | "mean", binders=binders, body=body):
                return self._sum(node, [b.name for b in binders], body, letters)
            case t.Apply(function=function, arguments=(argument,), primed=primed):
                return self._apply(function, primed, float(self._number(argument, letters)))
        raise NoNumberError(type(node).__name__)

    def _name(self, name: str, letters: Mapping[str, int]) -> Number:
        if name in letters:
            return letters[name]
        if name in self.sizes:
            return self.sizes[name]
        return math.pi if name == "pi" else self._read(name, ())

    def _read(self, name: str, entry: tuple[int, ...]) -> Number:
        tensor = self.tensors.get(name)
        if tensor is None or len(tensor.axes) != len(entry):
            raise NoNumberError(name)
        if not contains(tensor, entry, self.numbers.sizes):
            return 0
        if tensor.range is not None and (name, entry) in self.numbers.data:
            return self.numbers.data[name, entry]
        value = self.numbers.entry(name, entry)
        return int(value) if tensor.range is not None else value

    def _sum(self, node: t.Reduce, names: list[str], body: t.Expression, letters: Mapping[str, int]) -> Number:
        ranges = [self._range(b, body) for b in node.binders]
        total: Number = 0
        count = math.prod(ranges)
        for number in range(count):
            inner, rest = dict(letters), number
            for name, size in zip(names, ranges, strict=True):
                inner[name] = rest % size + 1
                rest //= size
            total += self._number(body, inner)
        return total / count if node.operation == "mean" else total

    def _range(self, binder: t.Binder, body: t.Expression) -> int:
        if binder.range is not None:
            size = read_size(binder.range)
            if not set(size.names) <= set(self.sizes):  # one on which neither side depends
                raise NoNumberError(binder.name)
            return size.evaluate(dict(self.sizes.items()))
        for node, _ in t.walk(body):
            tensor = self.tensors.get(node.name) if isinstance(node, t.Access) else None
            if tensor is None or not isinstance(node, t.Access):
                continue
            for index, axis in zip(node.indices, tensor.axes, strict=False):
                if isinstance(index, t.Name) and index.name == binder.name:
                    return axis.evaluate(dict(self.sizes.items()))
        raise NoNumberError(binder.name)

    def _holds(self, node: t.Condition, letters: Mapping[str, int]) -> bool:
        match node:
            case t.Compare(operator=relation, left=left, right=right):
                return RELATIONS[relation](self._number(left, letters), self._number(right, letters))
            case t.And(operands=operands):
                return all(self._holds(o, letters) for o in operands)
            case t.Or(operands=operands):
                return any(self._holds(o, letters) for o in operands)
            case t.Not(operand=inner):
                return not self._holds(inner, letters)
        raise NoNumberError(type(node).__name__)

    def _apply(self, name: str, primed: bool, value: float) -> float:
        if not primed and name in PLAIN:
            return PLAIN[name](value)
        if name not in FUNCTION_BY_NAME:
            raise NoNumberError(name)
        key = (name, primed, value)
        if key not in self._applied:
            u = sympy.Symbol("u0")
            formula = derivative(name, 0, 1)[1] if primed else expand_applications(FUNCTION_BY_NAME[name].formula(u))
            number = formula.xreplace({u: sympy.Float(value, 17)}).evalf(17)
            self._applied[key] = float(number) if number.is_real else math.nan
        return self._applied[key]
