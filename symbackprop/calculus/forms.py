"""Written forms: how a polynomial is factored and grouped, as a tree that knows how many symbols it takes.

A form is what a person would write, before letters are chosen. Its cost counts names, indices, numbers and operators,
and is what folding makes small.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.calculus.atoms import Atom, Number
from symbackprop.calculus.indices import Index


@dataclass(frozen=True, slots=True)
class Leaf:
    """One atom: a tensor at its indices, a size, an index as a number, a delta."""

    atom: Atom
    cost: int


@dataclass(frozen=True, slots=True)
class Product:
    """number * the factors to their exponents."""

    number: Number
    factors: tuple[tuple[Form, Number], ...]
    cost: int


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of two forms or more."""

    terms: tuple[Form, ...]
    cost: int


@dataclass(frozen=True, slots=True)
class Sigma:
    """The sum of `body` over indices, or its mean."""

    bound: tuple[Index, ...]
    body: Form
    mean: bool
    cost: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function applied to a form."""

    name: str
    argument: Form
    cost: int


@dataclass(frozen=True, slots=True)
class Choice:
    """The first form whose condition, left `relation` right, holds; None stands for otherwise."""

    branches: tuple[tuple[Form, Condition | None], ...]
    cost: int


@dataclass(frozen=True, slots=True)
class Condition:
    """left > right, left >= right, or left == right."""

    left: Form
    relation: str
    right: Form


Form = Leaf | Product | Total | Sigma | Call | Choice


def is_negative(form: Form) -> bool:
    """Whether the form is written with a minus in front.

    >>> is_negative(make_number(-2))
    True
    """
    if isinstance(form, Total):
        return is_negative(form.terms[0])
    return isinstance(form, Product) and form.number < 0


def make_number(value: Number) -> Product:
    """A number alone."""
    return Product(value, (), 1 + (value < 0) + 2 * (Fraction(value).denominator != 1))


ZERO, ONE = make_number(0), make_number(1)


def make_product(number: Number, factors: list[tuple[Form, Number]]) -> Form:
    """number times factors; one factor alone is itself."""
    if not factors:
        return make_number(number)
    if number == 1 and len(factors) == 1 and factors[0][1] == 1:
        return factors[0][0]
    value = Fraction(number)
    cost, count, above = int(value < 0), 0, 0
    for form, exponent in factors:
        size = abs(exponent)
        cost += form.cost + (0 if size == 1 else 1 if size == Fraction(1, 2) else 2)
        count += 1
        above += exponent > 0
    if abs(value.numerator) != 1 or not above:
        count += 1
        cost += 1
    if value.denominator != 1:
        count += 1
        cost += 1
    return Product(number, tuple(factors), cost + count - 1)


def make_total(terms: list[Form]) -> Form:
    """The sum of forms in their order; a minus is written instead of the plus in front of it."""
    if len(terms) == 1:
        return terms[0]
    cost = sum(t.cost for t in terms) + len(terms) - 1 - sum(is_negative(t) for t in terms[1:])
    return Total(tuple(terms), cost)


def make_sigma(bound: tuple[Index, ...], body: Form, mean: bool) -> Form:
    """The sum or the mean of a form; a minus goes in front."""
    if isinstance(body, Product) and body.number == -1 and body.factors:
        return make_product(-1, [(make_sigma(bound, make_product(1, list(body.factors)), mean), 1)])
    return Sigma(bound, body, mean, 1 + len(bound) + body.cost)


def make_call(name: str, argument: Form) -> Form:
    """A function applied."""
    return Call(name, argument, 1 + argument.cost)


def make_choice(branches: list[tuple[Form, Condition | None]]) -> Form:
    """A choice; the branch without a condition comes last."""
    if branches[0][1] is None:
        return branches[0][0]
    cost = 1 + sum(f.cost + (c.left.cost + 1 + c.right.cost if c else 0) for f, c in branches)
    return Choice(tuple(branches), cost)


def leaves(form: Form) -> Iterator[Leaf]:
    """The leaves of a form, at any depth."""
    if isinstance(form, Leaf):
        yield form
    elif isinstance(form, Product):
        for factor, _ in form.factors:
            yield from leaves(factor)
    elif isinstance(form, Total):
        for term in form.terms:
            yield from leaves(term)
    elif isinstance(form, Sigma):
        yield from leaves(form.body)
    elif isinstance(form, Call):
        yield from leaves(form.argument)
    else:
        for branch, condition in form.branches:
            yield from leaves(branch)
            if condition is not None:
                yield from leaves(condition.left)
                yield from leaves(condition.right)
