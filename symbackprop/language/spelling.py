"""Scalar SymPy expressions as trees, in the order and the shape in which a person writes them.

SymPy sorts `yhat - y` by name and multiplies constants into sums. Here the symbols are numbered in reading order and
decide the order of everything: terms, factors and conditions; a sum starts with something positive (`1 - a`, not `-a
+ 1`); what divides stands behind one slash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy
from sympy.core.relational import Relational

from symbackprop.functions import recognise
from symbackprop.language.tree import (
    And,
    Apply,
    Chain,
    Compare,
    Condition,
    Expression,
    Name,
    Negate,
    Not,
    Number,
    Or,
    Power,
    Where,
)  # fmt: skip
from symbackprop.language.writer import round_number, write_number

FUNCTION_NAMES = {
    "exp": "exp", "log": "log", "sin": "sin", "cos": "cos", "tan": "tan", "tanh": "tanh", "sinh": "sinh",
    "cosh": "cosh",
    "erf": "erf", "Abs": "abs", "sign": "sign", "Max": "maximum", "Min": "minimum",
}  # fmt: skip
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


LONG = 100
"""From here on a numerator and a denominator are long, and their quotient is written with a point if it can be."""


HUGE, MOST_BITS = 1_000, 3_322
"""Bits of a denominator from which on a quotient is written as one, and of a number that is written out."""


def number_tree(value: Fraction) -> Expression:
    """The tree of a rational number; of one with more than a thousand digits the text is rounded.

    >>> number_tree(Fraction(3))
    Number(value=Fraction(3, 1), text='3')
    """
    if value < 0:
        return Negate(number_tree(-value))
    if is_decimal(value):
        return Number(value, write_number(value))
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
        return Number(value, f"(about {round_number(value)})")
    top = Number(Fraction(value.numerator), str(value.numerator))
    if value.denominator == 1:
        return top
    return Chain((top, Number(Fraction(value.denominator), str(value.denominator))), ("/",))


def is_decimal(value: Fraction) -> bool:
    """Whether a number reads better with a point: a quotient that is long, but not huge, and has no more digits then.

    >>> is_decimal(Fraction("1.702")), is_decimal(Fraction(1, 100)), is_decimal(Fraction(1000, 999))
    (True, False, False)
    """
    if min(abs(value.numerator), value.denominator) < LONG or value.denominator.bit_length() > HUGE:
        return False
    text = write_number(abs(value))
    return "." in text and len(text) <= len(f"{abs(value)}")


def split_number(value: Fraction) -> tuple[list[Expression], list[Expression]]:
    """What the size of a number puts above and below the bar of a product; nothing where that is 1.

    >>> [len(part) for part in split_number(Fraction(2, 3))], [len(part) for part in split_number(Fraction("1.702"))]
    ([1, 1], [1, 0])
    """
    if is_decimal(value):
        return [number_tree(abs(value))], []
    above, below = ([Fraction(n)] if n != 1 else [] for n in (abs(value.numerator), value.denominator))
    return list(map(number_tree, above)), list(map(number_tree, below))


def join_product(factors: list[Expression], divisors: list[Expression]) -> Expression:
    """factors / divisors, with one slash: `a*b/(c*d)`."""
    above = _flatten(factors) or (number_tree(Fraction(1)),)
    if not divisors:
        return above[0] if len(above) == 1 else Chain(above, ("*",) * (len(above) - 1))
    below = divisors[0] if len(divisors) == 1 else Chain(tuple(divisors), ("*",) * (len(divisors) - 1))
    return Chain((*above, below), ("*",) * (len(above) - 1) + ("/",))


def _flatten(factors: list[Expression]) -> tuple[Expression, ...]:
    """The factors, with those that are products without a division opened."""
    found: list[Expression] = []
    for factor in factors:
        if isinstance(factor, Chain) and set(factor.operators) == {"*"}:
            found += factor.operands
        else:
            found.append(factor)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Speller:
    """Turns SymPy expressions over `atoms` into trees; the order of the mapping is the reading order."""

    atoms: Mapping[sympy.Symbol, Expression]

    def order(self, expression: sympy.Basic) -> tuple[tuple[int, ...], int, int, str]:
        """The sorting key of a term or factor: the symbols that it reads, simple ones before composed ones."""
        positions = {symbol: k for k, symbol in enumerate(self.atoms)}
        used = tuple(sorted(positions[s] for s in expression.free_symbols))
        return used, _depth(expression), int(sympy.count_ops(expression)), str(expression)

    def spell(self, expression: sympy.Expr) -> Expression:
        """The tree of an expression."""
        if isinstance(expression, sympy.Symbol):
            return self.atoms[expression]
        if isinstance(expression, sympy.Rational):
            return number_tree(Fraction(int(expression.p), int(expression.q)))
        named = recognise(expression) if expression.has(sympy.exp) else None
        if named is not None:
            return Apply(named[0], (self.spell(named[1]),))
        if isinstance(expression, sympy.Add):
            return self._sum(expression)
        if isinstance(expression, sympy.Mul | sympy.Pow):
            return self._product(expression)
        if isinstance(expression, sympy.Piecewise):
            return self._where(expression)
        if expression is sympy.pi:
            return Name("pi")
        if expression is sympy.E:
            return Apply("exp", (number_tree(Fraction(1)),))
        name = FUNCTION_NAMES.get(type(expression).__name__)
        if name is None:
            raise TypeError(f"{type(expression).__name__} has no name in the formula language: {expression}")
        return Apply(name, tuple(self.spell(argument) for argument in expression.args))

    def _sum(self, expression: sympy.Add) -> Expression:
        numbers = [a for a in expression.args if a.is_Rational]
        others = sorted((a for a in expression.args if not a.is_Rational), key=self._addend_order)
        addends = numbers + others if numbers and numbers[0] > 0 else others + numbers
        first = next((k for k, a in enumerate(addends) if not _is_negative(a)), 0)
        addends.insert(0, addends.pop(first))
        operands, operators = [self.spell(addends[0])], []
        for addend in addends[1:]:
            negative = _is_negative(addend)
            operators.append("-" if negative else "+")
            operands.append(self.spell(-addend if negative else addend))
        return Chain(tuple(operands), tuple(operators))

    def _addend_order(self, addend: sympy.Expr) -> tuple[tuple[int, ...], int, str]:
        """Reading order; of two powers of one thing the higher comes first."""
        used, depth, _, text = self.order(addend)
        return used, -depth, text

    def _factor_order(self, factor: sympy.Expr) -> tuple[tuple[int, ...], int, tuple[int, ...], int, str]:
        """What is read first comes first, then sums of low degree: a*(1 - a), (a - y)*(1 - a^2)."""
        used, _, operations, text = self.order(factor)
        base = factor.base if isinstance(factor, sympy.Pow) else factor
        degree = max(map(_depth, base.args)) if isinstance(base, sympy.Add) else 0
        return used[:1], degree, used, operations, text

    def _product(self, expression: sympy.Expr) -> Expression:
        coefficient, factors = expression.as_coeff_mul()
        value = Fraction(int(coefficient.p), int(coefficient.q)) if coefficient.is_Rational else Fraction(1)
        rest = list(factors) if coefficient.is_Rational else [coefficient, *factors]
        if value < 0:
            flipped = next((k for k, f in enumerate(rest) if self._reads_backwards(f)), None)
            if flipped is not None:
                rest[flipped], value = -rest[flipped], -value
        above, below = list[Expression](), list[Expression]()
        masks: list[Condition] = []
        for factor in sorted(rest, key=self._factor_order):
            named = recognise(factor) if factor.has(sympy.exp) else None
            if named is not None:
                above.append(Apply(named[0], (self.spell(named[1]),)))
                continue
            mask = self._mask(factor)
            if mask is not None and (abs(value) != 1 or len(masks) + 1 < len(rest)):
                masks.append(mask)
                continue
            base, exponent = factor.as_base_exp() if isinstance(factor, sympy.Pow) else (factor, sympy.Integer(1))
            if _is_negative(exponent):
                below.append(self._power(base, -exponent))
            else:
                above.append(self._power(base, exponent))
        number, divisor = split_number(value)
        product = join_product(number + above, divisor + below)
        signed = Negate(product) if value < 0 else product
        if not masks:
            return signed
        return Where(masks[0] if len(masks) == 1 else And(tuple(masks)), signed, number_tree(Fraction(0)))

    def _mask(self, factor: sympy.Expr) -> Condition | None:
        """The condition of a factor that is 1 where it holds and 0 elsewhere."""
        tree = self.atoms.get(factor) if isinstance(factor, sympy.Symbol) else None
        if not isinstance(tree, Where) or (tree.then, tree.otherwise) != (Number(Fraction(1)), Number(Fraction(0))):
            return None
        return tree.condition

    def _reads_backwards(self, factor: sympy.Expr) -> bool:
        """Whether a sum reads better with the other sign: `a - 1`, or `y - a` where a is read first."""
        if not isinstance(factor, sympy.Add):
            return False
        number = next((a for a in factor.args if a.is_Rational), None)
        first = number if number is not None else min(factor.args, key=self._addend_order)
        return _is_negative(first)

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> Expression:
        if exponent == 1:
            return self.spell(base)
        if exponent == sympy.Rational(1, 2):
            return Apply("sqrt", (self.spell(base),))
        if base is sympy.E:
            return Apply("exp", (self.spell(exponent),))
        return Power(self.spell(base), self.spell(exponent))

    def _where(self, expression: sympy.Piecewise) -> Expression:
        # A branch that divides by zero is outside the domain, which is kept beside the formula.
        inside = [branch for branch in expression.args if not branch[0].has(sympy.zoo, sympy.nan)]
        *branches, last = inside or expression.args
        found = self.spell(last[0])
        for value, condition in reversed(branches):
            found = Where(self.condition(condition), self.spell(value), found)
        return found

    def condition(self, condition: sympy.Basic) -> Condition:
        """The tree of a condition."""
        if isinstance(condition, Relational):
            left, right = condition.lhs, condition.rhs
            operator = {"Equality": "==", "Unequality": "!="}.get(type(condition).__name__, condition.rel_op)
            if left.is_number and not right.is_number:
                left, right, operator = right, left, FLIPPED[operator]
            return balance(Compare(operator, self.spell(left), self.spell(right)))
        if isinstance(condition, sympy.And | sympy.Or):
            parts = tuple(self.condition(c) for c in sorted(condition.args, key=self.order))
            return And(parts) if isinstance(condition, sympy.And) else Or(parts)
        if isinstance(condition, sympy.Not):
            return Not(self.condition(condition.args[0]))
        if isinstance(condition, sympy.ITE):
            chosen, then, otherwise = map(self.condition, condition.args)
            return Or((And((chosen, then)), And((Not(chosen), otherwise))))
        if condition in (sympy.true, sympy.false):
            one, other = number_tree(Fraction(1)), number_tree(Fraction(1 if condition == sympy.true else 0))
            return Compare("==", one, other)
        raise TypeError(f"{type(condition).__name__} is not a condition: {condition}")


def balance(condition: Compare) -> Compare:
    """`a == b` for `a - b == 0`; any other comparison as it is.

    >>> balance(Compare("==", Chain((Name("a"), Name("b")), ("-",)), number_tree(Fraction(0)))).right
    Name(name='b')
    """
    left, operator = condition.left, condition.operator
    if operator not in ("==", "!=") or condition.right != number_tree(Fraction(0)) or not isinstance(left, Chain):
        return condition
    if "-" not in left.operators:
        return condition
    signed = list(zip(("+", *left.operators), left.operands, strict=True))
    plus, minus = ([o for sign, o in signed if sign == wanted] for wanted in "+-")
    sides = (s[0] if len(s) == 1 else Chain(tuple(s), ("+",) * (len(s) - 1)) for s in (plus, minus))
    return Compare(operator, *sides)


def _is_negative(expression: sympy.Expr) -> bool:
    """Whether the numeric factor is negative."""
    coefficient = expression.as_coeff_Mul()[0]
    return bool(coefficient.is_Rational and coefficient < 0)


def _depth(expression: sympy.Basic) -> int:
    """The degree of a term; 0 for a number."""
    if isinstance(expression, sympy.Pow) and expression.exp.is_Integer:
        return abs(int(expression.exp))
    if isinstance(expression, sympy.Mul):
        return sum(_depth(a) for a in expression.args)
    return 0 if expression.is_number else 1
