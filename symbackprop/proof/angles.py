"""sin and cos in the normal form: two generators for each angle, of which cos^2 is 1 - sin^2.

An argument as a whole is one angle, up to its sign; or, where that does not prove enough, each monomial of it is one
(in whole multiples of a common unit), and the addition theorems put sums and multiples together.
"""

from __future__ import annotations

from typing import Protocol

import sympy as sp
from flint import fmpq, fmpq_mpoly

from symbackprop.proof.generators import Generators
from symbackprop.proof.rational import Quotient, QuotientField

Pair = tuple[Quotient, Quotient]
"""The sine and the cosine of one angle."""

_MOST_ADDENDS = 6  # n addends make up to 2^n terms
_LARGEST_MULTIPLE = 48


class Form(Protocol):
    """What is needed of the normal form."""

    field: QuotientField
    generators: Generators

    def convert(self, expression: sp.Expr) -> Quotient: ...

    def unit(self, key: str, exponent: sp.Rational, start: sp.Rational) -> sp.Rational: ...


def sine_and_cosine(form: Form, argument: Quotient, expand: bool) -> Pair:
    """Both functions of an argument; with `expand` by the addition theorems."""
    field = form.field
    if argument.is_zero:
        return argument, field.constant(sp.S.One)
    if not expand:
        return _one_angle(form, argument)
    whole, rest = field.divide(argument.numerator, argument.denominator)
    if len(whole) + len(rest) > _MOST_ADDENDS:
        return _one_angle(form, argument)
    total: Pair = (field.constant(sp.S.Zero), field.constant(sp.S.One))
    for polynomial, denominator in ((whole, field.one), (rest, argument.denominator)):
        for exponents, coefficient in polynomial.to_dict().items():
            scale = sp.Rational(int(coefficient.p), int(coefficient.q))
            total = _add(field, total, _of_term(form, exponents, scale, denominator))
    return total


def _of_term(form: Form, exponents: tuple[int, ...], scale: sp.Rational, denominator: fmpq_mpoly) -> Pair:
    """Both functions of one addend, a multiple of a smaller angle if others need that."""
    field = form.field
    monomial = field.quotient(field.polynomial({exponents: fmpq(1)}), denominator)
    if monomial == form.convert(sp.pi):
        values = (sp.sin(sp.pi * scale), sp.cos(sp.pi * scale))
        if not any(value.has(sp.sin, sp.cos) for value in values):
            return form.convert(values[0]), form.convert(values[1])
    key = f"angle {monomial.numerator} / {monomial.denominator}"
    unit = form.unit(key, scale, abs(scale))
    multiple = int(scale / unit)
    if abs(multiple) > _LARGEST_MULTIPLE:
        return _one_angle(form, field.multiply(monomial, field.constant(scale)))
    sine, cosine = _one_angle(form, field.multiply(monomial, field.constant(unit)))
    if multiple < 0:
        sine = field.multiply(sine, field.constant(sp.S.NegativeOne))
    total = (sine, cosine)
    for _ in range(abs(multiple) - 1):
        total = _add(field, total, (sine, cosine))
    return total


def _add(field: QuotientField, first: Pair, second: Pair) -> Pair:
    """The addition theorems."""
    minus = field.constant(sp.S.NegativeOne)
    sine = field.add(field.multiply(first[0], second[1]), field.multiply(first[1], second[0]))
    product = field.multiply(field.multiply(first[0], second[0]), minus)
    return sine, field.add(field.multiply(first[1], second[1]), product)


def _one_angle(form: Form, argument: Quotient) -> Pair:
    """The generators of an angle, whose sign is taken out: sin is odd and cos is even."""
    field = form.field
    minus = field.constant(sp.S.NegativeOne)
    flipped = argument.numerator.leading_coefficient() < 0
    angle = field.multiply(argument, minus) if flipped else argument
    text = f"{angle.numerator} / {angle.denominator}"
    sine = form.generators.number(f"sin {text}", lambda: sp.sin(form.generators.express(angle), evaluate=False))
    cosine = form.generators.number(f"cos {text}", lambda: sp.cos(form.generators.express(angle), evaluate=False))
    if not field.is_related(cosine):
        # sin is the earlier generator.
        field.relate(cosine, 2, field.one - field.generator(sine).numerator ** 2)
    value = field.generator(sine)
    return field.multiply(value, minus) if flipped else value, field.generator(cosine)
