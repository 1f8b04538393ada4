"""Quotients of polynomials over the rationals, modulo relations such as r^2 = f: the arithmetic of the normal form.

The generators stand for real functions. Relations form a tower (each reads earlier generators only), so reducing from
the last to the first gives a unique remainder. Every rewrite here is an identity wherever both sides are defined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

import sympy as sp
from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from symbackprop.proof.budget import Budget


class TooFewGeneratorsError(Exception):
    """The field has to be opened again with more generators."""


class ZeroDenominatorError(ArithmeticError):
    """Something was divided by an expression that is zero everywhere."""

    def __init__(self) -> None:
        super().__init__("something is divided by zero")


# Beyond this many pairs of terms a common factor is not looked for: leaving it in is correct, only larger.
_MOST_GCD_PAIRS = 250_000
# In few generators it is looked for as it is; in more than most, told apart by their powers, not at all.
_FEW_GENERATORS = 24
_MOST_GCD_GENERATORS = 64
_MOST_FACTOR_TERMS = 400
_MOST_FACTOR_DEGREE = 60


@dataclass(frozen=True, slots=True)
class Quotient:
    """numerator / denominator, reduced; the denominator has leading coefficient 1."""

    numerator: fmpq_mpoly
    denominator: fmpq_mpoly

    @property
    def is_zero(self) -> bool:
        """Whether this is the zero of the field."""
        return not self.numerator


@dataclass(frozen=True, slots=True)
class Relation:
    """generator^degree = value, where the value reads earlier generators only."""

    generator: int
    degree: int
    value: fmpq_mpoly


class QuotientField:
    """The field of quotients in `size` generators, of which more are taken into use as they are asked for.

    >>> field = QuotientField(2, Budget())
    >>> x = field.new_generator()
    >>> root = field.new_generator()
    >>> field.relate(root, 2, field.generator(x).numerator)
    >>> field.power(field.generator(root), 3).numerator
    g0*g1
    """

    def __init__(self, size: int, budget: Budget) -> None:
        names = [f"g{number}" for number in range(size)]
        self.context = fmpq_mpoly_ctx.get(names, Ordering.lex)
        self.budget = budget
        self.one: fmpq_mpoly = self.context.constant(1)
        self._zero: fmpq_mpoly = self.context.constant(0)
        self._generators = self.context.gens()
        self._used = 0
        self._relations: list[Relation] = []

    def new_generator(self) -> int:
        """The number of a generator that nothing else uses."""
        if self._used == len(self._generators):
            raise TooFewGeneratorsError
        self._used += 1
        return self._used - 1

    def relate(self, generator: int, degree: int, value: fmpq_mpoly) -> None:
        """Impose generator^degree = value."""
        self._relations.append(Relation(generator, degree, value))

    def is_related(self, generator: int) -> bool:
        """Whether a relation lowers the powers of a generator."""
        return any(relation.generator == generator for relation in self._relations)

    def generator(self, number: int) -> Quotient:
        """A generator as a quotient."""
        return Quotient(self._generators[number], self.one)

    def constant(self, value: sp.Rational) -> Quotient:
        """A rational number as a quotient."""
        return Quotient(self.context.constant(fmpq(int(value.p), int(value.q))), self.one)

    def polynomial(self, terms: Mapping[tuple[int, ...], fmpq]) -> fmpq_mpoly:
        """A polynomial from exponents and coefficients."""
        return self.context.from_dict(dict(terms))

    def add(self, first: Quotient, second: Quotient) -> Quotient:
        """The sum."""
        if first.denominator == second.denominator:
            return self.quotient(first.numerator + second.numerator, first.denominator)
        numerator = self._times(first.numerator, second.denominator) + self._times(second.numerator, first.denominator)
        return self.quotient(numerator, self._times(first.denominator, second.denominator))

    def multiply(self, first: Quotient, second: Quotient) -> Quotient:
        """The product."""
        return self.quotient(
            self._times(first.numerator, second.numerator), self._times(first.denominator, second.denominator)
        )

    def power(self, base: Quotient, exponent: int) -> Quotient:
        """The power with a whole exponent."""
        if exponent < 0 and base.is_zero:
            raise ZeroDenominatorError
        upper, lower = (base.numerator, base.denominator) if exponent >= 0 else (base.denominator, base.numerator)
        return self.quotient(self._raise(upper, abs(exponent)), self._raise(lower, abs(exponent)))

    def quotient(self, numerator: fmpq_mpoly, denominator: fmpq_mpoly) -> Quotient:
        """numerator / denominator, reduced by the relations and by the common factor."""
        numerator, denominator = self._reduce(numerator), self._reduce(denominator)
        if not denominator:
            raise ZeroDenominatorError
        if not numerator:
            return Quotient(numerator, self.one)
        for relation in reversed(self._relations):
            numerator, denominator = self._rationalise(numerator, denominator, relation)
        if not denominator.is_constant() and len(numerator) * len(denominator) <= _MOST_GCD_PAIRS:
            self.budget.count_pairs(len(numerator), len(denominator))
            common = self._common_factor(numerator, denominator)
            if not common.is_constant():
                numerator, denominator = numerator / common, denominator / common
        leading = denominator.leading_coefficient()
        if leading != 1:
            numerator, denominator = numerator / leading, denominator / leading
        return Quotient(numerator, denominator)

    def _common_factor(self, first: fmpq_mpoly, second: fmpq_mpoly) -> fmpq_mpoly:
        """A common factor, the greatest unless too many generators take part.

        Exponentials of sums are products of many generators that occur in the same powers everywhere; one stands for
        all of them, as the search takes very long in many.
        """
        if sum(map(bool, second.degrees())) <= _FEW_GENERATORS:
            return first.gcd(second)
        leaders: dict[tuple[int, ...], int] = {}
        columns = zip(*first.monoms(), *second.monoms(), strict=True)
        leads = [leaders.setdefault(powers, k) for k, powers in enumerate(columns)]
        if len(leaders) > _MOST_GCD_GENERATORS:
            return self.one
        common = self._led(first, leads).gcd(self._led(second, leads)).to_dict()
        return self.polynomial({tuple(powers[lead] for lead in leads): value for powers, value in common.items()})

    def _led(self, polynomial: fmpq_mpoly, leads: Sequence[int]) -> fmpq_mpoly:
        """The polynomial with 1 for each generator that another one leads."""
        return self.polynomial({
            tuple(power if lead == k else 0 for k, (power, lead) in enumerate(zip(powers, leads, strict=True))): value
            for powers, value in polynomial.to_dict().items()
        })

    def factor(self, polynomial: fmpq_mpoly) -> tuple[fmpq, list[tuple[fmpq_mpoly, int]]]:
        """A constant, and factors with leading coefficient 1 and their multiplicities."""
        if polynomial.is_constant():
            return polynomial.leading_coefficient(), []
        if len(polynomial) > _MOST_FACTOR_TERMS or polynomial.total_degree() > _MOST_FACTOR_DEGREE:
            leading = polynomial.leading_coefficient()
            return leading, [(polynomial / leading, 1)]
        self.budget.count_step(len(polynomial))
        constant, factors = polynomial.factor()
        monic: list[tuple[fmpq_mpoly, int]] = []
        for factor, multiplicity in factors:
            leading = factor.leading_coefficient()
            constant *= leading ** int(multiplicity)
            monic.append((factor / leading, int(multiplicity)))
        return constant, sorted(monic, key=lambda pair: str(pair[0]))

    def divide(self, numerator: fmpq_mpoly, denominator: fmpq_mpoly) -> tuple[fmpq_mpoly, fmpq_mpoly]:
        """Quotient and remainder of polynomials."""
        self.budget.check_product(len(numerator), len(denominator))
        whole, rest = divmod(numerator, denominator)
        return whole, rest

    def _times(self, first: fmpq_mpoly, second: fmpq_mpoly) -> fmpq_mpoly:
        self.budget.check_product(len(first), len(second))
        self.budget.check_bits(len(first) * len(second), _coefficient_bits(first) + _coefficient_bits(second))
        self.budget.check_degree(first.total_degree() + second.total_degree())
        return first * second

    def _raise(self, base: fmpq_mpoly, exponent: int) -> fmpq_mpoly:
        terms = len(base)
        self.budget.check_degree(base.total_degree() * exponent)
        self.budget.check_bits(terms, _coefficient_bits(base) * exponent)
        if terms > 1:
            self.budget.check_degree(exponent)
            self.budget.check_product(comb(terms + exponent - 1, exponent), 1)
        else:
            self.budget.check_degree(exponent // 10)
        return base**exponent

    def _reduce(self, polynomial: fmpq_mpoly) -> fmpq_mpoly:
        """The remainder modulo the relations, the last one first."""
        for relation in reversed(self._relations):
            if polynomial.degrees()[relation.generator] >= relation.degree:
                polynomial = self._reduce_by(polynomial, relation)
        return polynomial

    def _reduce_by(self, polynomial: fmpq_mpoly, relation: Relation) -> fmpq_mpoly:
        parts: dict[int, dict[tuple[int, ...], fmpq]] = {}
        for exponents, coefficient in polynomial.to_dict().items():
            whole, rest = divmod(int(exponents[relation.generator]), relation.degree)
            lowered = list(exponents)
            lowered[relation.generator] = rest
            parts.setdefault(whole, {})[tuple(lowered)] = coefficient
        total = self._zero
        for whole, terms in parts.items():
            total += self._times(self.polynomial(terms), self._raise(relation.value, whole))
        return total

    def _rationalise(
        self, numerator: fmpq_mpoly, denominator: fmpq_mpoly, relation: Relation
    ) -> tuple[fmpq_mpoly, fmpq_mpoly]:
        """Multiply a root that divides the denominator up to its relation: 1/r = r/f."""
        if not denominator.degrees()[relation.generator]:
            return numerator, denominator
        least = min(int(exponents[relation.generator]) for exponents in denominator.monoms())
        if least == 0:
            return numerator, denominator
        lift = self._generators[relation.generator] ** (relation.degree - least)
        return self._reduce(self._times(numerator, lift)), self._reduce(self._times(denominator, lift))


def _coefficient_bits(polynomial: fmpq_mpoly) -> int:
    """The length of the longest coefficient."""
    return max((int(coefficient.height_bits()) for coefficient in polynomial.coeffs()), default=0)
