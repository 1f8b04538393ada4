"""What is known of the signs of polynomials in the generators of a normal form."""

from __future__ import annotations

from typing import Literal, cast

import sympy as sp
from flint import fmpq, fmpq_mpoly

from symbackprop.proof.facts import Linear, Relation, infeasible
from symbackprop.proof.rational import Quotient, QuotientField

# "+" positive, "+0" positive or zero, "!" not zero, and so on; "" means that nothing is known.
Sign = Literal["+", "+0", "-", "-0", "!", ""]

# Longer polynomials take no part in elimination.
_MOST_TERMS = 60

_OPPOSITE: dict[Sign, Sign] = {"+": "-", "+0": "-0", "-": "+", "-0": "+0", "!": "!", "": ""}


def multiply_signs(first: Sign, second: Sign) -> Sign:
    """The sign of a product.

    >>> multiply_signs("-", "+0")
    '-0'
    """
    if "" in (first, second):
        return ""
    if "!" in (first, second):
        return "!" if "0" not in first + second else ""
    negative = (first[0] == "-") != (second[0] == "-")
    weak = "0" in first + second
    if negative:
        return "-0" if weak else "-"
    return "+0" if weak else "+"


class SignTable:
    """Signs of generators and of polynomials, from how they were made and from facts.

    `used` collects the labels of the facts that an answer relied on.
    """

    def __init__(self, field: QuotientField) -> None:
        self._field = field
        self._generators: dict[int, Sign] = {}
        self._known: dict[str, tuple[Sign, int]] = {}
        self._rows: list[tuple[fmpq_mpoly, Relation, int]] = []
        self.used: set[int] = set()

    def mark_generator(self, generator: int, sign: Sign) -> None:
        """Record the sign that a generator has by its construction."""
        self._generators[generator] = sign

    def learn(self, value: Quotient, sign: Sign, label: int) -> None:
        """Record that a quotient has a sign, for the one irreducible factor that this determines."""
        rest: list[fmpq_mpoly] = []
        for polynomial in (value.numerator, value.denominator):
            constant, factors = self._field.factor(polynomial)
            if constant < 0:
                sign = _OPPOSITE[sign]
            for factor, multiplicity in factors:
                known = self.of(factor)
                if multiplicity % 2 == 0 and "0" not in sign:
                    if sign == "!":
                        rest.append(factor)
                    continue
                if known in ("+", "-"):
                    sign = _OPPOSITE[sign] if known == "-" and multiplicity % 2 else sign
                elif multiplicity % 2:
                    rest.append(factor)
                else:
                    return
        if sign == "!":
            for factor in rest:
                self._known.setdefault(str(factor), ("!", label))
        elif len(rest) == 1:
            key = str(rest[0])
            if key not in self._known or "0" in self._known[key][0] or self._known[key][0] == "!":
                self._known[key] = (sign, label)

    def relate(self, value: Quotient, relation: Relation, label: int) -> None:
        """Record that a quotient is positive, not negative or zero, for what follows by linear elimination."""
        if relation != "!=" and len(value.numerator) * len(value.denominator) <= _MOST_TERMS:
            self._rows.append((value.numerator * value.denominator, relation, label))

    def implied(self, value: Quotient) -> Sign:
        """The strict sign of a quotient that follows from what was recorded, with monomials as unknowns."""
        if len(value.numerator) * len(value.denominator) > _MOST_TERMS:
            return ""
        polynomial = value.numerator * value.denominator
        rows = self._linked_rows(polynomial)
        for sign, opposite in (("+", -polynomial), ("-", polynomial)):
            if self._contradict([*((row, relation) for row, relation, _ in rows), (opposite, ">=")]):
                self.used.update(label for _, _, label in rows)
                return cast(Sign, sign)
        return ""

    def _linked_rows(self, polynomial: fmpq_mpoly) -> list[tuple[fmpq_mpoly, Relation, int]]:
        """What was recorded of the generators of a polynomial, and of those that are linked to them."""
        linked = _generators_of(polynomial)
        found: list[tuple[fmpq_mpoly, Relation, int]] = []
        for _ in self._rows:
            more = [row for row in self._rows if row not in found and _generators_of(row[0]) & linked]
            if not more:
                break
            found += more
            linked = linked.union(*(_generators_of(row[0]) for row in more))
        return found

    def _contradict(self, rows: list[tuple[fmpq_mpoly, Relation]]) -> bool:
        """Whether no values of the monomials, as unknowns of known sign, satisfy all rows."""
        system: list[tuple[Linear, bool]] = []
        monomials: dict[tuple[int, ...], None] = {}
        for polynomial, relation in rows:
            linear = {exponents if any(exponents) else sp.S.One: c for exponents, c in polynomial.to_dict().items()}
            monomials.update(dict.fromkeys(exponents for exponents in linear if exponents is not sp.S.One))
            system.append((linear, relation == ">"))
            if relation == "=":
                system.append(({exponents: -coefficient for exponents, coefficient in linear.items()}, False))
        for exponents in monomials:
            sign = self._of_term(exponents, fmpq(1))
            if sign and sign != "!":
                system.append(({exponents: fmpq(1) if sign[0] == "+" else fmpq(-1)}, "0" not in sign))
        return infeasible(system, list(monomials))

    def of_quotient(self, value: Quotient) -> Sign:
        """The sign of a quotient, as far as it is known."""
        return multiply_signs(self.of_product(value.numerator), self.of_product(value.denominator))

    def of_product(self, polynomial: fmpq_mpoly) -> Sign:
        """The sign of a polynomial, by its factors if it has no sign of its own."""
        direct = self.of(polynomial)
        if direct in ("+", "-") or not polynomial:
            return direct
        constant, factors = self._field.factor(polynomial)
        sign: Sign = "+" if constant > 0 else "-"
        for factor, multiplicity in factors:
            sign = multiply_signs(sign, raise_sign(self.of(factor), multiplicity))
        return sign or direct

    def of(self, polynomial: fmpq_mpoly) -> Sign:
        """The sign of a polynomial, without factoring it."""
        if not polynomial:
            return "+0"
        leading = polynomial.leading_coefficient()
        known = self._known.get(str(polynomial / leading))
        if known is not None and known[0] in ("+", "-"):
            self.used.add(known[1])
            return known[0] if leading > 0 else _OPPOSITE[known[0]]
        by_terms = self._of_terms(polynomial)
        if by_terms in ("+", "-") or known is None:
            return by_terms
        self.used.add(known[1])
        if known[0] != "!":
            return known[0] if leading > 0 else _OPPOSITE[known[0]]
        # Not negative and not zero: positive.
        return "+" if by_terms == "+0" else "-" if by_terms == "-0" else "!"

    def _of_terms(self, polynomial: fmpq_mpoly) -> Sign:
        """The sign that all terms share."""
        terms = polynomial.to_dict().items()
        signs: set[Sign] = set()
        for exponents, coefficient in terms:
            signs.add(self._of_term(exponents, coefficient))
            if "" in signs or len({sign[0] for sign in signs}) > 1 or ("!" in signs and len(terms) > 1):
                return ""
        return min(signs, key=len)

    def _of_term(self, exponents: tuple[int, ...], coefficient: fmpq) -> Sign:
        sign: Sign = "+" if coefficient > 0 else "-"
        for generator, exponent in enumerate(exponents):
            if exponent:
                sign = multiply_signs(sign, raise_sign(self._of_generator(generator), int(exponent)))
        return sign

    def _of_generator(self, generator: int) -> Sign:
        by_construction = self._generators.get(generator, "")
        if by_construction in ("+", "-"):
            return by_construction
        known = self._known.get(f"g{generator}")
        if known is None:
            return by_construction
        self.used.add(known[1])
        if by_construction == "+0" and known[0] == "!":
            return "+"
        return known[0]


def _generators_of(polynomial: fmpq_mpoly) -> frozenset[int]:
    """The generators that a polynomial reads."""
    return frozenset(number for number, degree in enumerate(polynomial.degrees()) if degree)


def raise_sign(sign: Sign, exponent: int) -> Sign:
    """The sign of a power with a positive whole exponent.

    >>> raise_sign("", 2), raise_sign("-", 3)
    ('+0', '-')
    """
    if exponent % 2:
        return sign
    return "+" if sign in ("+", "-", "!") else "+0"
