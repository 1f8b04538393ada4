"""Factors and quotients of polynomials over the rationals, by flint and within bounds.

The generators are names and constants: SymPy's `factor_list` and `cancel` take exp(23021/10000) for the power 23021
of exp(1/10000), and then work on a polynomial of that degree for hours.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from math import comb, gcd, lcm

import sympy as sp
from flint import fmpq_mpoly

from symbackprop.proof.budget import Budget, BudgetExceededError
from symbackprop.proof.rational import Quotient, QuotientField

MOST_TERMS = 60
"""Terms of a polynomial that is factored; a longer one stays whole."""
_MOST_EXPANDED = 2_000
_LARGEST_POWER_OF_E = 12  # beyond it exp(n) is a constant of its own
_STEPS = 20_000


@functools.lru_cache(maxsize=2048)
def factor_polynomial(expression: sp.Expr) -> tuple[sp.Rational, tuple[tuple[sp.Expr, int], ...]]:
    """A constant and irreducible factors with multiplicities; what is no polynomial is its own factor.

    >>> x, u = sp.symbols("x u", real=True)
    >>> factor_polynomial(2 * x**2 * u - 2 * u**3)
    (2, ((-u + x, 1), (u + x, 1), (u, 1)))
    >>> factor_polynomial(x**2 - sp.exp(sp.Rational(23021, 10000)))
    (1, ((x**2 - exp(23021/10000), 1),))
    """
    if isinstance(expression, sp.Mul | sp.Pow):
        return _factor_product(expression)
    whole = sp.S.One, ((expression, 1),)
    if not expression.is_polynomial(*expression.free_symbols) or len(sp.Add.make_args(expression)) > MOST_TERMS:
        return whole
    try:
        reading = _Reading([expression])
        value = reading.convert(expression)
        number, factors = reading.field.factor(value.numerator)
    except BudgetExceededError:
        return whole
    constant = sp.Rational(int(number.p), int(number.q))
    found: list[tuple[sp.Expr, int]] = []
    for factor, multiplicity in factors:
        content, primitive = _primitive(factor)
        constant *= content**multiplicity
        found.append((reading.express(primitive), multiplicity))
    return constant, tuple(sorted(found, key=str))


def _factor_product(expression: sp.Expr) -> tuple[sp.Rational, tuple[tuple[sp.Expr, int], ...]]:
    """The factors of a product or of a power, which is not multiplied out."""
    constant, found = sp.S.One, dict[sp.Expr, int]()
    for factor in sp.Mul.make_args(expression):
        base, power = (factor.base, int(factor.exp)) if _is_whole_power(factor) else (factor, 1)
        number, parts = (sp.S.One, ((base, 1),)) if isinstance(base, sp.Pow) else factor_polynomial(base)
        constant *= number**power
        for part, multiplicity in parts:
            found[part] = found.get(part, 0) + multiplicity * power
    return constant, tuple(sorted(found.items(), key=str))


def _is_whole_power(factor: sp.Expr) -> bool:
    return isinstance(factor, sp.Pow) and isinstance(factor.exp, sp.Integer) and factor.exp > 0


def divide(above: sp.Expr, below: sp.Expr) -> sp.Expr:
    """A quotient of polynomials without common factors, as far as that is short.

    >>> x, y = sp.symbols("x y", real=True)
    >>> divide(x**2 - y**2, 2 * x - 2 * y)
    x/2 + y/2
    """
    try:
        reading = _Reading([above, below])
        field = reading.field
        value = field.multiply(reading.convert(above), field.power(reading.convert(below), -1))
    except BudgetExceededError:
        return above / below
    content, numerator = _primitive(value.numerator)
    divisor, denominator = _primitive(value.denominator)
    scale = content / divisor
    return sp.expand(scale.p * reading.express(numerator)) / (scale.q * reading.express(denominator))


def count_expanded(expression: sp.Expr) -> int:
    """How many terms an expression has at most when its products and whole powers are multiplied out.

    >>> x, y, z = sp.symbols("x y z")
    >>> count_expanded((x + y + z) ** 100), count_expanded(sp.exp(x + y))
    (5151, 1)
    """
    if isinstance(expression, sp.Add):
        return sum(map(count_expanded, expression.args))
    if isinstance(expression, sp.Mul):
        total = 1
        for factor in expression.args:
            total *= count_expanded(factor)
        return total
    if isinstance(expression, sp.Pow) and isinstance(expression.exp, sp.Integer):
        terms, power = count_expanded(expression.base), abs(int(expression.exp))
        return 1 if terms == 1 else comb(terms + power - 1, power)
    return 1


def may_expand(expression: sp.Expr) -> bool:
    """Whether an expression stays short when it is multiplied out."""
    return count_expanded(expression) <= _MOST_EXPANDED


class _Reading:
    """Polynomials in the names and the irrational constants of some expressions."""

    def __init__(self, expressions: Iterable[sp.Expr]) -> None:
        names: set[sp.Symbol] = set()
        constants: dict[sp.Expr, None] = {}
        for expression in expressions:
            names |= expression.free_symbols
            constants.update(dict.fromkeys(_constants_in(expression)))
        ordered = sp.Poly(sp.Add(*names)).gens if names else ()  # so that SymPy's leading term is ours
        self._atoms: tuple[sp.Expr, ...] = (*ordered, *constants)
        budget = Budget(most_terms=100_000, most_degree=300, most_steps=_STEPS)
        self.field = QuotientField(len(self._atoms) or 1, budget)
        self._values = {atom: self.field.generator(self.field.new_generator()) for atom in self._atoms}

    def convert(self, node: sp.Expr) -> Quotient:
        """The polynomial that an expression is."""
        field = self.field
        if isinstance(node, sp.Rational):
            return field.constant(node)
        if isinstance(node, sp.Add | sp.Mul):
            join = field.add if isinstance(node, sp.Add) else field.multiply
            return functools.reduce(join, map(self.convert, node.args))
        base, power = _as_power(node)
        return self._values[base] if power == 1 else field.power(self._values.get(base) or self.convert(base), power)

    def express(self, polynomial: fmpq_mpoly) -> sp.Expr:
        """A polynomial as an expression, multiplied out."""
        return sp.Add(*(
            sp.Mul(
                sp.Rational(int(coefficient.p), int(coefficient.q)),
                *(atom ** int(power) for atom, power in zip(self._atoms, powers, strict=False) if power),
            )
            for powers, coefficient in polynomial.to_dict().items()
        ))  # fmt: skip


def _as_power(node: sp.Expr) -> tuple[sp.Expr, int]:
    """A whole power of a name, of a constant or of something else."""
    if _is_whole_power(node):
        return node.base, int(node.exp)
    if isinstance(node, sp.exp) and isinstance(node.args[0], sp.Integer) and 0 < node.args[0] <= _LARGEST_POWER_OF_E:
        return sp.E, int(node.args[0])
    return node, 1


def _constants_in(node: sp.Expr) -> Iterable[sp.Expr]:
    """The irrational numbers of which a polynomial is made."""
    if isinstance(node, sp.Rational | sp.Symbol):
        return
    if isinstance(node, sp.Add | sp.Mul):
        for argument in node.args:
            yield from _constants_in(argument)
        return
    base, power = _as_power(node)
    if power == 1:
        yield node
    else:
        yield from _constants_in(base)


def _primitive(polynomial: fmpq_mpoly) -> tuple[sp.Rational, fmpq_mpoly]:
    """A number, and the polynomial over it: whole coefficients without a common factor."""
    coefficients = polynomial.coeffs()
    if not coefficients:
        return sp.S.One, polynomial
    above = gcd(*(int(each.p) for each in coefficients))
    below = lcm(*(int(each.q) for each in coefficients))
    content = sp.Rational(above, below)
    return content, polynomial * below / above
