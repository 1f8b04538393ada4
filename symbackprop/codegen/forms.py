"""Scalar expressions that do not overflow: functions that replace exponentials, and the rewrites that find them.

An expression is *canonical* where every sum of exponentials in a denominator or a logarithm has become one
exponential, so that exponentials meet in one exponent and cancel there: 1 + exp(u) = exp(softplus(u)), and
softplus(-u) = softplus(u) - u. It is *finished* where what is left of the exponents is written with logistic and
softplus. Every step is an identity of real numbers; `list_stable_forms` lists them with an example each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import sympy

from symbackprop.calculus.definitions import slot_symbol

LARGEST_POWER = 4
"""The largest power of 1 + exp(u) in a denominator that is written with logistic functions."""
LOWEST = sympy.Integer(-(10**30))
"""The exponent of what a condition leaves out: far below all others, and unlike minus infinity less itself a number."""


class Softplus(sympy.Function):  # type: ignore[misc]
    """log(1 + exp(u)).

    >>> Softplus(sympy.Symbol("u")).exact
    log(exp(u) + 1)
    """

    nargs = 1

    @property
    def exact(self) -> sympy.Expr:
        """The formula that this stands for."""
        return sympy.log(1 + sympy.exp(self.args[0]))


class Logistic(sympy.Function):  # type: ignore[misc]
    """1/(1 + exp(-u)) = exp(u - softplus(u))."""

    nargs = 1

    @property
    def exact(self) -> sympy.Expr:
        """The formula that this stands for."""
        return 1 / (1 + sympy.exp(-self.args[0]))


class Exponent(sympy.Function):  # type: ignore[misc]
    """u, or the largest number whose exponential an array can hold where u is larger: of real numbers all can be held.

    It is 1 less than the logarithm of the largest number, so that 1 + exp(u) can be held as well.
    """

    nargs = 1

    @property
    def exact(self) -> sympy.Expr:
        """The formula that this stands for."""
        return self.args[0]


class Larger(sympy.Function):  # type: ignore[misc]
    """The larger of two numbers."""

    nargs = 2

    @property
    def exact(self) -> sympy.Expr:
        """The formula that this stands for."""
        return sympy.Max(*self.args)


class Positive(sympy.Function):  # type: ignore[misc]
    """u where it is larger than 0, and 0 elsewhere, also where u is not a number."""

    nargs = 1

    @property
    def exact(self) -> sympy.Expr:
        """The formula that this stands for."""
        return sympy.Piecewise((self.args[0], self.args[0] > 0), (0, True))


class LogOnePlus(sympy.Function):  # type: ignore[misc]
    """log(1 + u), accurate where u is small."""

    nargs = 1

    @property
    def exact(self) -> sympy.Expr:
        """The formula that this stands for."""
        return sympy.log(1 + self.args[0])


class ExpMinusOne(sympy.Function):  # type: ignore[misc]
    """exp(u) - 1, accurate where u is small."""

    nargs = 1

    @property
    def exact(self) -> sympy.Expr:
        """The formula that this stands for."""
        return sympy.exp(self.args[0]) - 1


def write_exactly(body: sympy.Expr) -> sympy.Expr:
    """The body with the functions of this module written as the formulas that they stand for."""
    return body.replace(
        lambda e: isinstance(e, Softplus | Logistic | Exponent | Larger | Positive | LogOnePlus | ExpMinusOne),
        lambda e: e.exact,
    )


@lru_cache(maxsize=4096)
def canonical(body: sympy.Expr) -> sympy.Expr:
    """The canonical form of a body.

    >>> u, v = slot_symbol(0), slot_symbol(1)
    >>> canonical(sympy.log(sympy.exp(u) * v))
    s0 + log(s1)
    """
    if body.is_number or not body.has(sympy.exp, sympy.cosh, Softplus, Logistic):
        return body
    if isinstance(body, sympy.Piecewise):
        return _mask([(canonical(v), finish(canonical(c))) for v, c in body.args])
    arguments = [canonical(a) for a in body.args]
    if isinstance(body, sympy.exp):
        return sympy.exp(sympy.expand_mul(arguments[0]))
    if isinstance(body, sympy.log):
        return _logarithm(arguments[0])
    if body.is_Pow:
        return _power(arguments[0], arguments[1])
    if body.is_Add:
        return _complement(sympy.Add(*arguments))
    if body.is_Mul:
        exponent, rest = split_exponential(sympy.Mul(*arguments))
        return sympy.exp(sympy.expand_mul(exponent)) * rest
    if isinstance(body, Softplus):
        return _softplus(arguments[0])
    if isinstance(body, Logistic):
        return sympy.exp(arguments[0] - _softplus(arguments[0]))
    return body.func(*arguments)


def _mask(branches: list[tuple[sympy.Expr, sympy.Basic]]) -> sympy.Expr:
    """Where only one branch is not 0, where(c, exp(A)*r, 0) = exp(where(c, A, LOWEST))*where(c, r, 0)."""
    exponents = [split_exponential(value) for value, _ in branches if value != 0]
    if len(exponents) != 1 or exponents[0][0] == 0:
        return sympy.Piecewise(*((finish(value), condition) for value, condition in branches))
    ((exponent, rest),) = exponents
    masked = sympy.Piecewise(*((LOWEST if v == 0 else exponent, c) for v, c in branches))
    return sympy.exp(masked) * sympy.Piecewise(*((v if v == 0 else finish(rest), c) for v, c in branches))


def split_exponential(body: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """(A, r) with body = exp(A) * r."""
    factors = sympy.Mul.make_args(body)
    exponent = sympy.Add(*(f.args[0] for f in factors if isinstance(f, sympy.exp)))
    return exponent, sympy.Mul(*(f for f in factors if not isinstance(f, sympy.exp)))


def exponent_of_sum(body: sympy.Expr) -> sympy.Expr | None:
    """A with body = exp(A), where the body is a sum of exponentials with positive numbers before them."""
    total: sympy.Expr | None = None
    for addend in sorted(sympy.Add.make_args(body), key=lambda a: not a.is_number):
        exponent, factor = split_exponential(addend)
        if factor.is_positive is not True or not factor.is_number:
            return None
        exponent += sympy.log(factor)
        total = exponent if total is None else sympy.expand_mul(total + _softplus(sympy.expand_mul(exponent - total)))
    return total


def _softplus(argument: sympy.Expr) -> sympy.Expr:
    """softplus with the sign of its argument normalised, so that equal ones meet."""
    if argument.could_extract_minus_sign():
        return argument + Softplus(sympy.expand_mul(-argument))
    return Softplus(argument)


def _logarithm(argument: sympy.Expr) -> sympy.Expr:
    exponent, rest = split_exponential(argument)
    if exponent != 0:
        return exponent + (_logarithm(rest) if rest != 1 else 0)
    if argument.is_Add and argument.has(sympy.exp):
        total = exponent_of_sum(argument)
        if total is not None:
            return total
    if argument.is_Pow and argument.exp == -1:
        return -sympy.log(argument.base)
    if isinstance(argument, sympy.cosh):
        (u,) = argument.args
        return _softplus(sympy.expand_mul(2 * u)) - u - sympy.log(2)
    return sympy.log(argument)


def _power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    if base.is_Add and base.has(sympy.exp) and not (exponent.is_Integer and exponent > 0):
        total = exponent_of_sum(base)
        if total is not None:
            return sympy.exp(sympy.expand_mul(total * exponent))
    inner, rest = split_exponential(base)
    if inner != 0:
        return sympy.exp(sympy.expand_mul(inner * exponent)) * rest**exponent
    return base**exponent


def _complement(total: sympy.Expr) -> sympy.Expr:
    """p - p*logistic(u) = p*logistic(-u), in exponential form; anything else as it is."""
    if not (total.is_Add and len(total.args) == 2 and total.has(Softplus)):
        return total
    for first, second in (total.args, total.args[::-1]):
        exponent, factor = split_exponential(-second / first)
        if factor == 1:
            exponent = sympy.expand_mul(exponent)
            parts = [a for a in sympy.Add.make_args(exponent) if a.has(Softplus)]
            if len(parts) == 1 and isinstance(-parts[0], Softplus):
                inner = (-parts[0]).args[0]
                rest = sympy.expand_mul(exponent - parts[0])
                if rest == 0:
                    return first * sympy.exp(inner + parts[0])
                if rest == inner:
                    return first * sympy.exp(parts[0])
    return total


@lru_cache(maxsize=4096)
def finish(body: sympy.Expr) -> sympy.Expr:
    """The body with its exponents written as products of logistic functions where they are such.

    >>> u = slot_symbol(0)
    >>> finish(canonical(sympy.exp(-u) / (1 + sympy.exp(-u)) ** 2))
    Logistic(-s0)*Logistic(s0)
    """
    if body.is_number or not body.has(sympy.exp, Softplus):
        return body
    if isinstance(body, sympy.exp):
        exponent, product = split_logistic(body.args[0])
        return product * sympy.exp(finish(exponent))
    arguments = [finish(a) for a in body.args]
    if body.is_Add:
        return _shorten_sum(sympy.Add(*arguments))
    return body.func(*arguments)


@lru_cache(maxsize=4096)
def split_logistic(exponent: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """(A, p) with exp(exponent) = exp(A) * p, p a product of logistic functions and A a number or as short as can be.

    exp(a*u - m*softplus(u)) is logistic(u)^a * logistic(-u)^(m-a) for 0 <= a <= m.
    """
    exponent = sympy.expand_mul(exponent)
    pairs = [(addend, *addend.as_coeff_Mul()) for addend in sympy.Add.make_args(exponent)]
    logistic = [
        (addend, factor.args[0], int(-coefficient))
        for addend, coefficient, factor in pairs
        if isinstance(factor, Softplus) and coefficient.is_Integer and -LARGEST_POWER <= coefficient < 0
    ]
    if not logistic:
        return exponent, sympy.Integer(1)
    # An exponent may hold softplus(u) and softplus(u + softplus(u)): the larger one is taken out first.
    addend, inner, count = min(logistic, key=lambda part: (-sympy.count_ops(part[0]), str(part[0])))
    found = []
    for ups in range(count + 1):
        rest, product = split_logistic(exponent - addend - ups * inner)
        sides = Logistic(finish(inner)) ** ups * Logistic(finish(sympy.expand_mul(-inner))) ** (count - ups)
        found.append((rest, product * sides))
    return min(found, key=lambda pair: 0 if pair[0].is_number else 1 + sympy.count_ops(pair[0]))


def _shorten_sum(total: sympy.Expr) -> sympy.Expr:
    """c*softplus(u) - c*u = c*softplus(-u), and exp(u) - 1 accurately; the left sides lose their digits."""
    for addend in sympy.Add.make_args(total):
        coefficient, factor = addend.as_coeff_Mul()
        if isinstance(factor, Softplus):
            gone = sympy.expand_mul(-coefficient * factor.args[0])
            present = sympy.Add.make_args(total)
            if all(part in present for part in sympy.Add.make_args(gone)):
                shorter = total - addend - gone
                return _shorten_sum(shorter) + coefficient * Softplus(sympy.expand_mul(-factor.args[0]))
    constant, rest = total.as_coeff_Add()
    if constant in (1, -1):
        for addend in sympy.Add.make_args(rest):
            coefficient, factor = addend.as_coeff_Mul()
            if isinstance(factor, sympy.exp) and coefficient == -constant:
                return rest - addend + coefficient * ExpMinusOne(factor.args[0])
    return total


@lru_cache(maxsize=4096)
def write_safely(function: Softplus | Logistic) -> sympy.Expr:
    """A logistic function or softplus by the same exponential, which never overflows.

    Beyond the largest exponent, exp(u)/(1 + exp(u)) rounds to 1 and log(1 + exp(u)) to u; 1/(1 + exp(u)) is there as
    small as a number can be without losing digits. Far below 0 both keep all digits.

    >>> write_safely(Softplus(slot_symbol(0)))
    Larger(s0, LogOnePlus(exp(Exponent(s0))))
    """
    (u,) = function.args
    if isinstance(function, Softplus):
        return Larger(u, LogOnePlus(sympy.exp(Exponent(u))))
    if u.could_extract_minus_sign():
        return 1 / (1 + sympy.exp(Exponent(-u)))
    return sympy.exp(Exponent(u)) / (1 + sympy.exp(Exponent(u)))


def is_safe(body: sympy.Basic) -> bool:
    """Whether a body is finite wherever its slots are, sums and products that overflow aside."""
    if body.is_Symbol or body.is_number:
        return True
    if body.is_Pow:
        return bool(body.args[1].is_Integer and body.args[1] > 0) and is_safe(body.args[0])
    if isinstance(body, sympy.Piecewise):
        return all(is_safe(value) for value, _ in body.args)
    bounded = sympy.Add | sympy.Mul | sympy.tanh | sympy.sin | sympy.cos | sympy.erf
    forms = Logistic | Softplus | Larger | Positive
    return isinstance(body, bounded | forms) and all(is_safe(a) for a in body.args)


@dataclass(frozen=True, slots=True)
class StableForm:
    """A named rewrite: `apply` turns `example` into an equal expression that is right where the example overflows."""

    name: str
    apply: Callable[[sympy.Expr], sympy.Expr]
    example: sympy.Expr


@lru_cache(maxsize=1)
def list_stable_forms() -> tuple[StableForm, ...]:
    """Every rewrite by its name, with an example."""
    u, v = slot_symbol(0), slot_symbol(1)
    return (
        StableForm("logarithm of one exponential more", canonical, sympy.log(1 + sympy.exp(u))),
        StableForm("reciprocal of a sum of exponentials", canonical, 1 / (sympy.exp(u) + 2 * sympy.exp(v))),
        StableForm("root of a sum of exponentials", canonical, 1 / sympy.sqrt(1 + sympy.exp(-u))),
        StableForm("logarithm of an exponential factor", canonical, sympy.log(v * sympy.exp(u))),
        StableForm("logarithm of a sum of exponentials", canonical, sympy.log(sympy.exp(u) + sympy.exp(v) + 3)),
        StableForm("logarithm of a hyperbolic cosine", canonical, sympy.log(sympy.cosh(u - v))),
        StableForm("complement of the logistic function", canonical, 1 - 1 / (1 + sympy.exp(-u))),
        StableForm("logarithm of the complement", canonical, sympy.log(1 - 1 / (1 + sympy.exp(-u)))),
        StableForm("power of an exponential factor", canonical, sympy.sqrt(v * sympy.exp(-u))),
        StableForm(
            "exponential under a condition", canonical, sympy.Piecewise((v * sympy.exp(u), sympy.Ge(u, 0)), (0, True))
        ),
        StableForm("logistic function", lambda e: finish(canonical(e)), 1 / (1 + sympy.exp(-u))),
        StableForm("rising logistic function", lambda e: finish(canonical(e)), sympy.exp(u) / (1 + sympy.exp(u))),
        StableForm("slope of the logistic", lambda e: finish(canonical(e)), sympy.exp(-u) / (1 + sympy.exp(-u)) ** 2),
        StableForm("logarithm of the logistic", lambda e: finish(canonical(e)), sympy.log(1 / (1 + sympy.exp(-u)))),
        StableForm("exponential less one", finish, sympy.exp(u) - 1),
        StableForm("softplus without overflow", write_safely, Softplus(u)),
        StableForm("logistic without overflow", write_safely, Logistic(u)),
        StableForm("falling logistic without overflow", write_safely, Logistic(-u)),
    )
