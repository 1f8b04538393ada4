"""Formulas written out at given sizes: indices become numbers, sums become terms, what is then a number is computed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from symbackprop.calculus.indices import Affine, Atom
from symbackprop.calculus.tensors import Tensor
from symbackprop.errors import ArgumentError
from symbackprop.language.spelling import join_product, number_tree, split_number
from symbackprop.language.tree import (
    Access,
    And,
    Apply,
    Chain,
    Compare,
    Condition,
    Expression,
    Name,
    Negate,
    Node,
    Not,
    Number,
    Or,
    Power,
    Reduce,
    Where,
)  # fmt: skip
from symbackprop.notation.writing.conditions import find_range
from symbackprop.notation.writing.index_latex import split_product

MOST_TERMS = 10_000
"""A sum of more terms is not written out."""


@dataclass(frozen=True, slots=True)
class EntryWriter:
    """Writes trees out at `sizes`; `tensors` give the axes by which ranges are known."""

    tensors: Mapping[str, Tensor]
    sizes: Mapping[str, int]

    def expand(self, tree: Expression, values: Mapping[str, int]) -> Expression:
        """The tree where indices have `values` and sizes theirs, without sums."""
        known = {**self.sizes, **values}
        match tree:
            case Number():
                return tree
            case Name(name):
                return number_tree(Fraction(known[name])) if name in known else tree
            case Access(name, indices):
                places = [self.expand(i, values) for i in indices if isinstance(i, Expression)]
                outside = self._is_outside(name, places)
                return number_tree(Fraction(0)) if outside else Access(name, tuple(places))
            case Chain(operands, operators) if operators[0] in ("+", "-"):
                signs = (1, *(1 if o == "+" else -1 for o in operators))
                return add([(s, self.expand(o, values)) for s, o in zip(signs, operands, strict=True)])
            case Chain(operands, operators):
                return self._multiply(operands, operators, values)
            case Negate(operand):
                return add([(-1, self.expand(operand, values))])
            case Power(base, exponent):
                return _power(self.expand(base, values), self.expand(exponent, values))
            case Apply(function, arguments, primed):
                return _apply(Apply(function, tuple(self.expand(a, values) for a in arguments), primed))
            case Reduce():
                return self._reduce(tree, values)
            case Where(condition, then, otherwise):
                decided = self._decide(condition, values)
                if decided is not None:
                    return self.expand(then if decided else otherwise, values)
                branches = self.expand(then, values), self.expand(otherwise, values)
                return Where(self._condition(condition, values), *branches)
        raise ArgumentError(f"{type(tree).__name__} cannot be written out entry by entry.")

    def number(self, tree: Node) -> int:
        """The value of an integer form of sizes."""
        value = _value(self.expand(tree, {})) if isinstance(tree, Expression) else None
        if value is None or value.denominator != 1:
            raise ArgumentError("To write entries out, give sizes= a value for every size.")
        return int(value)

    def _is_outside(self, name: str, places: list[Expression]) -> bool:
        """Whether a read is outside its tensor, where it is 0."""
        if name not in self.tensors:
            return False
        values = [_value(p) for p in places]
        return any(
            v is not None and not start <= v < start + self._size(size)
            for v, (start, size) in zip(values, self.tensors[name].spans, strict=True)
        )

    def _size(self, axis: Affine) -> int:
        missing = [n for n in axis.names if n not in self.sizes]
        if missing:
            raise ArgumentError(f"To write entries out, give sizes= a value for {', '.join(missing)}.")
        known: dict[Atom, int] = dict(self.sizes.items())
        return axis.evaluate(known)

    def _multiply(
        self, operands: tuple[Expression, ...], operators: tuple[str, ...], values: Mapping[str, int]
    ) -> Expression:
        if set(operators) - {"*", "/"}:
            return _divide_integers([self.expand(o, values) for o in operands], operators)
        made = Chain(tuple(self.expand(o, values) for o in operands), operators)
        return multiply(made)

    def _reduce(self, tree: Reduce, values: Mapping[str, int]) -> Expression:
        ranges = []
        for binder in tree.binders:
            size = find_range(binder, tree.body, self.tensors)
            count = None if size is None else _value(self.expand(size, {}))
            if count is None:
                raise ArgumentError(f"To write entries out, give sizes= every size that {binder.name} runs over.")
            ranges.append(range(1, int(count) + 1))
        names = [b.name for b in tree.binders]
        points = list(itertools.islice(itertools.product(*ranges), MOST_TERMS + 1))
        if len(points) > MOST_TERMS:
            raise ArgumentError(f"A sum of more than {MOST_TERMS} terms is not written out; give smaller sizes.")
        bodies = [self.expand(tree.body, {**values, **dict(zip(names, point, strict=True))}) for point in points]
        if tree.operation in ("sum", "mean"):
            total = add([(1, body) for body in bodies])
            if tree.operation == "mean":
                return multiply(Chain((total, number_tree(Fraction(len(points)))), ("/",)))
            return total
        return Apply({"max": "max", "min": "min"}.get(tree.operation, tree.operation), tuple(bodies))

    def _decide(self, condition: Condition, values: Mapping[str, int]) -> bool | None:
        """Whether a condition between numbers holds; None where it depends on data."""
        match condition:
            case Compare(operator, left, right):
                a, b = _value(self.expand(left, values)), _value(self.expand(right, values))
                if a is None or b is None:
                    return None
                return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b}[operator]
            case And(operands):
                found = [self._decide(c, values) for c in operands]
                return False if False in found else None if None in found else True
            case Or(operands):
                found = [self._decide(c, values) for c in operands]
                return True if True in found else None if None in found else False
            case Not(operand):
                inner = self._decide(operand, values)
                return None if inner is None else not inner
        return None

    def _condition(self, condition: Condition, values: Mapping[str, int]) -> Condition:
        match condition:
            case Compare(operator, left, right):
                return Compare(operator, self.expand(left, values), self.expand(right, values))
            case And(operands):
                return And(tuple(self._condition(c, values) for c in operands))
            case Or(operands):
                return Or(tuple(self._condition(c, values) for c in operands))
            case Not(operand):
                return Not(self._condition(operand, values))
        return condition


def _value(tree: Expression) -> Fraction | None:
    """The value of a tree that is a number."""
    if isinstance(tree, Number):
        return tree.value
    if isinstance(tree, Negate):
        inner = _value(tree.operand)
        return None if inner is None else -inner
    if isinstance(tree, Chain) and tree.operators == ("/",):
        above, below = (_value(o) for o in tree.operands)
        return None if above is None or not below else above / below
    return None


def add(terms: list[tuple[int, Expression]]) -> Expression:
    """The sum of signed terms, numbers collected, zeros dropped, something positive first."""
    total, number_first = Fraction(0), False
    others: list[tuple[int, Expression]] = []
    waiting = list(reversed(terms))
    while waiting:
        sign, term = waiting.pop()
        value = _value(term)
        if value is not None:
            number_first = number_first or not others
            total += sign * value
        elif isinstance(term, Negate):
            waiting.append((-sign, term.operand))
        elif isinstance(term, Chain) and term.operators[0] in ("+", "-"):
            signs = (1, *(1 if o == "+" else -1 for o in term.operators))
            waiting += reversed([(sign * s, o) for s, o in zip(signs, term.operands, strict=True)])
        else:
            others.append((sign, term))
    if total or not others:
        others.insert(0 if number_first else len(others), (1 if total >= 0 else -1, number_tree(abs(total))))
    first = next((k for k, (sign, _) in enumerate(others) if sign > 0), 0)
    others.insert(0, others.pop(first))
    lead = others[0][1] if others[0][0] > 0 else Negate(others[0][1])
    if len(others) == 1:
        return lead
    return Chain((lead, *(t for _, t in others[1:])), tuple("+" if s > 0 else "-" for s, _ in others[1:]))


def multiply(tree: Expression) -> Expression:
    """A product with its numbers computed."""
    sign, above, below = split_product(tree)
    coefficient = Fraction(sign)
    over, under = [], []
    for factor in above:
        value = _value(factor)
        coefficient *= 1 if value is None else value
        over += [factor] if value is None else []
    for factor in below:
        value = _value(factor)
        if value == 0:
            raise ArgumentError("A formula divides by zero at these sizes.")
        coefficient /= 1 if value is None else value
        under += [factor] if value is None else []
    if not coefficient or not (over or under):
        return number_tree(coefficient)
    number, divisor = split_number(coefficient)
    product = join_product(number + over, divisor + under)
    return Negate(product) if coefficient < 0 else product


def _power(base: Expression, exponent: Expression) -> Expression:
    power, value = _value(exponent), _value(base)
    if power == 1:
        return base
    if power is not None and value is not None and power.denominator == 1 and 0 <= power <= 64:
        return number_tree(value ** int(power))
    return Power(base, exponent)


def _apply(tree: Apply) -> Expression:
    """An application; the root of a square is a number."""
    value = _value(tree.arguments[0]) if tree.function == "sqrt" and not tree.primed else None
    if value is None or value < 0:
        return tree
    above, below = isqrt(value.numerator), isqrt(value.denominator)
    return number_tree(Fraction(above, below)) if Fraction(above, below) ** 2 == value else tree


def _divide_integers(operands: list[Expression], operators: tuple[str, ...]) -> Expression:
    values = [_value(o) for o in operands]
    total = values[0]
    for operator, value in zip(operators, values[1:], strict=True):
        if total is None or value is None or (operator != "*" and not value):
            return Chain(tuple(operands), operators)
        total = _calculate(operator, total, value)
    return Chain(tuple(operands), operators) if total is None else number_tree(total)


def _calculate(operator: str, left: Fraction, right: Fraction) -> Fraction:
    match operator:
        case "*":
            return left * right
        case "/":
            return left / right
        case "//":
            return Fraction(left // right)
    return left % right
