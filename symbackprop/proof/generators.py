"""The generators of a normal form: the number of each function that stands as one, and what a number stands for.

A quotient is made an expression again by them. That is done for what is printed only, and not for what nobody would
read.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
from flint import fmpq_mpoly

from symbackprop.calculus.costs import is_longer
from symbackprop.proof.rational import Quotient, QuotientField

LONGEST = 56
"""Operations of an expression that is made of a quotient; a longer one serves nobody."""


class TooLongError(Exception):
    """An expression would be too long to be read, and takes long to be made."""


class Generators:
    """The generators of one field that are in use, each under a key that says what it is."""

    def __init__(self, field: QuotientField) -> None:
        self._field = field
        self._numbers: dict[str, int] = {}
        self._meanings: dict[int, Callable[[], sp.Expr]] = {}  # made only when something is printed
        self._expressed: dict[int, sp.Expr] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._numbers

    def number(self, key: str, meaning: Callable[[], sp.Expr]) -> int:
        """The generator of that key, taken into use if it is new."""
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self._field.new_generator()
            self._meanings[number] = meaning
        return number

    def express(self, value: Quotient) -> sp.Expr:
        """A quotient as a SymPy expression again; TooLongError where a function in it is one that nobody would read."""
        return self._express(value.numerator) / self._express(value.denominator)

    def express_logarithm(self, factor: fmpq_mpoly, positive: bool) -> sp.Expr:
        """log|f| of a polynomial, without the bars where it is positive."""
        inside = self._express(factor)
        return sp.log(inside if positive else sp.Abs(inside), evaluate=False)

    def express_root(self, base: Quotient, degree: int) -> sp.Expr:
        """The denominator of a quotient times its root of a degree."""
        root = sp.Pow(self.express(base), sp.Rational(1, degree), evaluate=False)
        return self._express(base.denominator) * root

    def _express(self, polynomial: fmpq_mpoly) -> sp.Expr:
        if len(polynomial) > LONGEST + 1:
            raise TooLongError
        return sp.Add(*(
            sp.Mul(
                sp.Rational(int(coefficient.p), int(coefficient.q)),
                *(self._meaning(number) ** int(exponent) for number, exponent in enumerate(exponents) if exponent),
            )
            for exponents, coefficient in polynomial.to_dict().items()
        ))  # fmt: skip

    def _meaning(self, number: int) -> sp.Expr:
        """The expression of a generator, made once: generators stand in one another."""
        known = self._expressed.get(number)
        if known is None:
            known = self._expressed[number] = self._meanings[number]()
        if is_longer(known, LONGEST):
            raise TooLongError
        return known
