"""Definitions as polynomials: SymPy bodies over slots, bound indices and guards, read into the normal form."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy
from sympy.core.relational import Relational

from symbackprop.calculus.atoms import Kind, Number, Poly
from symbackprop.calculus.combinations import add, constant, scale, subtract
from symbackprop.calculus.definitions import Definition, Term, slot_number
from symbackprop.calculus.indices import Affine
from symbackprop.calculus.polynomials import NoNormalFormError
from symbackprop.calculus.rewriting import Algebra
from symbackprop.calculus.tensors import Count, Slot

POWER_LIMIT = 64


def convert_definition(algebra: Algebra, definition: Definition) -> Poly:
    """The normal form of the right side of a definition, in its own indices."""
    return add(*(convert_term(algebra, term) for term in definition.terms))


def convert_term(algebra: Algebra, term: Term) -> Poly:
    """The normal form of one term."""
    body = convert_body(algebra, term.body, [convert_slot(algebra, s) for s in term.slots])
    for guard in term.guards:
        body = algebra.multiply(body, algebra.guard(guard))
    if not term.bound:
        return body
    fresh = {i: algebra.table.fresh(i) for i in term.bound}
    renamed = algebra.rename(body, {i: Affine.of(f) for i, f in fresh.items()})
    return algebra.sum_over(renamed, fresh.values())


def convert_slot(algebra: Algebra, slot: Slot) -> Poly:
    """A read, or an index form as a number."""
    if isinstance(slot, Count):
        return algebra.count(slot.value)
    return algebra.single(algebra.table.tensor(slot.tensor.name, slot.at, slot.tensor.spans))


def convert_body(algebra: Algebra, body: sympy.Basic, slots: Sequence[Poly]) -> Poly:
    """A scalar body with polynomials for its slots.

    >>> s0, s1 = sympy.symbols("s0 s1")
    >>> x, y = ({((Algebra().table.tensor(n), 1),): 1} for n in "xy")
    >>> convert_body(Algebra(), (s0 + s1) * (s0 - s1) + s1**2, [x, y])
    {((x, 2),): 1}
    """
    if isinstance(body, sympy.Symbol):
        return slots[slot_number(body)]
    if isinstance(body, sympy.Rational):
        return constant(_number(body))
    if isinstance(body, sympy.Add):
        return add(*(convert_body(algebra, a, slots) for a in body.args))
    if isinstance(body, sympy.Mul):
        result = constant(1)
        for factor in body.args:
            result = algebra.multiply(result, convert_body(algebra, factor, slots))
        return result
    if isinstance(body, sympy.Pow):
        return _convert_power(algebra, body, slots)
    if isinstance(body, sympy.Piecewise):
        return _convert_choice(algebra, body, slots)
    if body is sympy.pi:
        return algebra.single(algebra.table.intern(Kind.CONSTANT, "pi"))
    if body is sympy.E:
        return algebra.exponential(constant(1))
    if isinstance(body, sympy.sinh | sympy.cosh):
        u = convert_body(algebra, body.args[0], slots)
        up, down = algebra.exponential(u), algebra.exponential(scale(u, -1))
        return scale(add(up, scale(down, -1 if isinstance(body, sympy.sinh) else 1)), Fraction(1, 2))
    if isinstance(body, sympy.Function) and len(body.args) == 1:
        return algebra.apply_function(body.func.__name__, convert_body(algebra, body.args[0], slots))
    raise NoNormalFormError(f"no normal form for {type(body).__name__}")


def _number(value: sympy.Rational) -> Number:
    return int(value.p) if value.q == 1 else Fraction(int(value.p), int(value.q))


def _convert_power(algebra: Algebra, body: sympy.Pow, slots: Sequence[Poly]) -> Poly:
    """A rational power, or e to the exponent times the logarithm of the base."""
    base = convert_body(algebra, body.base, slots)
    if isinstance(body.exp, sympy.Rational):
        exponent = _number(body.exp)
        if exponent > POWER_LIMIT and len(base) > 1:
            raise NoNormalFormError(f"the power {exponent} is too large to multiply out")
        return algebra.raise_to(base, exponent)
    exponents = convert_body(algebra, body.exp, slots)
    if body.base is sympy.E:
        return algebra.exponential(exponents)
    return algebra.exponential(algebra.multiply(exponents, algebra.logarithm(base)))


def _convert_choice(algebra: Algebra, body: sympy.Piecewise, slots: Sequence[Poly]) -> Poly:
    """Every branch times the mask of its condition and of no earlier one."""
    left, parts = constant(1), []
    for value, condition in body.args:
        here = algebra.multiply(left, convert_condition(algebra, condition, slots))
        parts.append(algebra.multiply(here, convert_body(algebra, value, slots)))
        left = subtract(left, here)
    return add(*parts)


def convert_condition(algebra: Algebra, condition: sympy.Basic, slots: Sequence[Poly]) -> Poly:
    """A condition as 0 or 1."""
    if condition is sympy.true:
        return constant(1)
    if condition is sympy.false:
        return {}
    if isinstance(condition, sympy.Not):
        return subtract(constant(1), convert_condition(algebra, condition.args[0], slots))
    if isinstance(condition, sympy.And | sympy.Or):
        either = isinstance(condition, sympy.Or)
        result = constant(1)
        for argument in condition.args:
            mask = convert_condition(algebra, argument, slots)
            result = algebra.multiply(result, subtract(constant(1), mask) if either else mask)
        return subtract(constant(1), result) if either else result
    if isinstance(condition, sympy.ITE):
        chosen, then, otherwise = (convert_condition(algebra, a, slots) for a in condition.args)
        left = subtract(constant(1), chosen)
        return add(algebra.multiply(chosen, then), algebra.multiply(left, otherwise))
    if not isinstance(condition, Relational):
        raise NoNormalFormError(f"no normal form for the condition {condition}")
    gap = subtract(convert_body(algebra, condition.lhs, slots), convert_body(algebra, condition.rhs, slots))
    relation = condition.rel_op
    if relation in ("==", "!="):
        equal = algebra.zero_mask(gap)
        return equal if relation == "==" else subtract(constant(1), equal)
    if relation in (">", "<="):
        above = algebra.positive_mask(gap)
        return above if relation == ">" else subtract(constant(1), above)
    below = algebra.positive_mask(scale(gap, -1))
    return below if relation == "<" else subtract(constant(1), below)
