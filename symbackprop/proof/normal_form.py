"""The rational normal form: an expression as a quotient of polynomials in independent-looking real functions.

Generators are the variables, exp of each monomial (whole powers of a common unit), roots, logarithms of irreducible
factors, and functions that are left as they are (sin, erf, ...). Different generators are only ever *assumed* to be
independent: a form that is zero proves the expression zero wherever it is defined, one that is not proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import sympy as sp
from flint import fmpq, fmpq_mpoly

from symbackprop.errors import UnsupportedError
from symbackprop.proof.angles import sine_and_cosine
from symbackprop.proof.budget import Budget
from symbackprop.proof.elementary import in_exp, in_sin_cos
from symbackprop.proof.facts import Fact
from symbackprop.proof.generators import Generators
from symbackprop.proof.radicals import denest
from symbackprop.proof.rational import Quotient, QuotientField, TooFewGeneratorsError
from symbackprop.proof.signs import SignTable
from symbackprop.proof.units import UnitNeededError, Units

Result = TypeVar("Result")

# Functions that are kept as generators; True where f(-x) = -f(x).
_OPAQUE_FUNCTIONS: dict[type[sp.Basic], bool] = {
    sp.erf: True, sp.atan: True, sp.asin: True,
}  # fmt: skip

_SMALL_FACTOR_LIMIT = 2**15


@dataclass(frozen=True, slots=True)
class _Root:
    """The generator base.denominator * base^(1/degree)."""

    base: Quotient
    degree: int


def with_normal_form(
    facts: Sequence[Fact], budget: Budget, work: Callable[[NormalForm], Result], *, angles: bool = False, names: int = 0
) -> Result:
    """Run `work` on a normal form, again with more generators or finer units as long as it asks for them.

    It starts with room for as many `names`, and for some functions.

    With `angles`, sin and cos of sums and multiples are expanded; without, an argument as a whole is one angle.

    >>> import sympy as sp
    >>> x = sp.Symbol("x", real=True)
    >>> difference = sp.tanh(x) - (sp.exp(2 * x) - 1) / (sp.exp(2 * x) + 1)
    >>> with_normal_form((), Budget(), lambda form: form.convert(difference).is_zero)
    True
    """
    size = 12
    while size <= names:
        size *= 2
    units = Units()
    while True:
        budget.count_step()
        try:
            return work(NormalForm(facts, budget, size, units, angles))
        except TooFewGeneratorsError:
            size *= 2
            if size > 400:
                raise UnsupportedError("more than 200 independent functions occur") from None
        except UnitNeededError as needed:
            units.refine(needed)


def sign_under(facts: Sequence[Fact], expression: sp.Expr, budget: Budget) -> int | None:
    """The sign of an expression wherever it is defined and the facts hold, if its normal form shows it.

    >>> import sympy as sp
    >>> x, y = sp.symbols("x y", real=True)
    >>> sign_under((Fact(y - sp.tanh(x), ">"),), 1 - 2 / (sp.exp(2 * x) + 1) - y, Budget())
    -1
    """
    try:
        return with_normal_form(facts, budget, lambda form: form.sign(facts, expression))
    except (UnsupportedError, ArithmeticError):
        return None


class NormalForm:
    """Converts expressions over real symbols; facts say which polynomials have a known sign."""

    def __init__(self, facts: Sequence[Fact], budget: Budget, size: int, units: Units, angles: bool = False) -> None:
        self.field = QuotientField(size, budget)
        self.signs = SignTable(self.field)
        self.generators = Generators(self.field)
        self._units = units
        self._angles = angles
        self._exponents: dict[int, Quotient] = {}
        self._roots: dict[int, _Root] = {}
        self._logarithms: dict[int, fmpq_mpoly] = {}
        self._memo: dict[sp.Expr, Quotient] = {}
        for label, fact in enumerate(facts):
            self.learn(fact, label)

    def learn(self, fact: Fact, label: int) -> None:
        """Take a fact into account from now on; facts that cannot be expressed are left aside."""
        try:
            value = self.convert(fact.expression)
        except (UnsupportedError, ArithmeticError):
            return
        self.signs.relate(value, fact.relation, label)
        if fact.relation == "=":
            return
        self.signs.learn(value, "+" if fact.relation == ">" else "+0" if fact.relation == ">=" else "!", label)

    def sign(self, facts: Sequence[Fact], expression: sp.Expr) -> int | None:
        """The sign of an expression by what was learned, and by the equations among the facts."""
        value = self.convert(expression)
        equations = [fact.expression for fact in facts if fact.relation == "="]
        if value.is_zero or self.vanishes(value, equations):
            return 0
        return {"+": 1, "-": -1}.get(self.signs.of_quotient(value) or self.signs.implied(value))

    def vanishes(self, value: Quotient, zeros: Sequence[sp.Expr]) -> bool:
        """Whether a quotient is zero wherever one of the expressions is zero and both are defined."""
        quotients = [self.convert(zero) for zero in zeros]
        return any(_divides(zero.numerator, value.numerator) for zero in quotients if not zero.is_zero)

    def convert(self, expression: sp.Expr) -> Quotient:
        """The quotient that an expression is."""
        known = self._memo.get(expression)
        if known is None:
            known = self._memo[expression] = self._convert(expression)
        return known

    def _convert(self, node: sp.Expr) -> Quotient:
        field = self.field
        if isinstance(node, sp.Rational):
            return field.constant(node)
        if isinstance(node, sp.Symbol):
            return field.generator(self.generators.number(f"symbol {node.name}", lambda: node))
        if node is sp.pi:
            return field.generator(self._positive_number("pi", lambda: node))
        if node is sp.E:
            return self.exponential(field.constant(sp.S.One))
        if isinstance(node, sp.Add):
            total = self.convert(node.args[0])
            for term in node.args[1:]:
                total = field.add(total, self.convert(term))
            return total
        if isinstance(node, sp.Mul):
            product = self.convert(node.args[0])
            for factor in node.args[1:]:
                product = field.multiply(product, self.convert(factor))
            return product
        if isinstance(node, sp.Pow):
            return self._power(node)
        if isinstance(node, sp.exp):
            return self.exponential(self.convert(node.args[0]))
        if isinstance(node, sp.log):
            return self.logarithm(self.convert(node.args[0]))
        return self._apply(node)

    def _power(self, node: sp.Expr) -> Quotient:
        base, exponent = node.args
        if isinstance(exponent, sp.Integer):
            return self.field.power(self.convert(base), int(exponent))
        if isinstance(exponent, sp.Rational):
            return self.root(self.convert(base), exponent)
        return self.exponential(self.field.multiply(self.convert(exponent), self.logarithm(self.convert(base))))

    def _apply(self, node: sp.Expr) -> Quotient:
        """Hyperbolic functions become exp, the others stand as generators of an argument with a normalised sign."""
        field = self.field
        if isinstance(node, sp.tanh | sp.coth):
            square = self.exponential(self.convert(2 * node.args[0]))
            ratio = field.multiply(
                field.add(square, field.constant(sp.S.NegativeOne)),
                field.power(field.add(square, field.constant(sp.S.One)), -1),
            )
            return ratio if isinstance(node, sp.tanh) else field.power(ratio, -1)
        if isinstance(node, sp.sinh | sp.cosh | sp.sech | sp.csch | sp.asinh | sp.acosh | sp.atanh):
            return self.convert(in_exp(node))
        if isinstance(node, sp.tan | sp.cot | sp.sec | sp.csc):
            return self.convert(in_sin_cos(node))
        if isinstance(node, sp.erfc):
            return self.convert(1 - sp.erf(node.args[0]))
        if isinstance(node, sp.acos):
            return self.convert(sp.pi / 2 - sp.asin(node.args[0]))
        if isinstance(node, sp.sin | sp.cos):
            sine, cosine = sine_and_cosine(self, self.convert(node.args[0]), self._angles)
            return sine if isinstance(node, sp.sin) else cosine
        if node.func in _OPAQUE_FUNCTIONS:
            return self._opaque(node.func, self.convert(node.args[0]))
        raise UnsupportedError(f"the proof has no rule for {node.func.__name__}")

    def _opaque(self, function: type[sp.Basic], argument: Quotient) -> Quotient:
        field, odd = self.field, _OPAQUE_FUNCTIONS[function]
        flipped = odd and argument.numerator and argument.numerator.leading_coefficient() < 0
        if flipped:
            argument = field.multiply(argument, field.constant(sp.S.NegativeOne))
        key = f"{function.__name__} {argument.numerator} / {argument.denominator}"
        number = self.generators.number(key, lambda: function(self.generators.express(argument), evaluate=False))
        value = field.generator(number)
        return field.multiply(value, field.constant(sp.S.NegativeOne)) if flipped else value

    def exponential(self, argument: Quotient) -> Quotient:
        """exp of a quotient, as a product over the terms of its polynomial part and of its remainder."""
        field = self.field
        whole, rest = field.divide(argument.numerator, argument.denominator)
        result = field.constant(sp.S.One)
        for polynomial, denominator in ((whole, field.one), (rest, argument.denominator)):
            for exponents, coefficient in polynomial.to_dict().items():
                scale = sp.Rational(int(coefficient.p), int(coefficient.q))
                result = field.multiply(result, self._exponential_of_term(exponents, scale, denominator))
        return result

    def _exponential_of_term(self, exponents: tuple[int, ...], scale: sp.Rational, denominator: fmpq_mpoly) -> Quotient:
        field = self.field
        used = [(number, int(exponent)) for number, exponent in enumerate(exponents) if exponent]
        if denominator == field.one and len(used) == 1 and used[0][1] == 1 and used[0][0] in self._logarithms:
            inside = self._logarithms[used[0][0]]
            sign = self.signs.of(inside)
            if sign in ("+", "+0") or inside.is_constant():
                return self.root(Quotient(inside, field.one), scale)
            if sign in ("-", "-0"):
                return self.root(Quotient(-inside, field.one), scale)
        key = f"exp {used} / {denominator}"
        unit = self.unit(key, scale, abs(scale))
        monomial = field.quotient(field.polynomial({exponents: fmpq(1)}), denominator)
        argument = field.multiply(monomial, field.constant(unit))
        number = self._positive_number(key, lambda: sp.exp(self.generators.express(argument), evaluate=False))
        self._exponents[number] = argument
        return field.power(field.generator(number), int(scale / unit))

    def logarithm(self, argument: Quotient) -> Quotient:
        """log|argument| as a sum over its irreducible factors; where log is defined the argument is positive."""
        field = self.field
        if argument.is_zero:
            raise ArithmeticError("the logarithm of zero")
        total = field.constant(sp.S.Zero)
        for polynomial, direction in ((argument.numerator, 1), (argument.denominator, -1)):
            constant, factors = field.factor(polynomial)
            for part, side in ((int(constant.p), direction), (int(constant.q), -direction)):
                for prime, multiplicity in sp.factorint(abs(part), limit=_SMALL_FACTOR_LIMIT).items():
                    if prime != 1:
                        logarithm = self._log_of_factor(field.context.constant(int(prime)))
                        total = self._add_scaled(total, logarithm, sp.Integer(side * multiplicity))
            for factor, multiplicity in factors:
                total = self._add_scaled(total, self._log_of_factor(factor), sp.Integer(direction * multiplicity))
        return total

    def _log_of_factor(self, factor: fmpq_mpoly) -> Quotient:
        """log|f| for a prime number or an irreducible polynomial with leading coefficient 1."""
        number = _single_generator(factor)
        if number in self._exponents:
            return self._exponents[number]
        if number in self._roots:
            root = self._roots[number]
            outside = self.logarithm(Quotient(root.base.denominator, self.field.one))
            return self._add_scaled(outside, self.logarithm(root.base), sp.Rational(1, root.degree))
        positive = self.signs.of(factor) in ("+", "+0")
        generator = self.generators.number(f"log {factor}", lambda: self.generators.express_logarithm(factor, positive))
        self._logarithms[generator] = factor
        if self.signs.of(factor - 1) == "+":
            self.signs.mark_generator(generator, "+")
        return self.field.generator(generator)

    def root(self, base: Quotient, exponent: sp.Rational) -> Quotient:
        """base^exponent for a base that is not negative where the power is defined.

        Factors of known sign are taken out one by one; what remains stands under one root.
        """
        field = self.field
        if exponent.q == 1:
            return field.power(base, int(exponent))
        field.budget.check_degree(max(abs(int(exponent.p)), int(exponent.q)))
        if base.is_zero:
            if exponent < 0:
                raise ArithmeticError("a negative power of zero")
            return base
        result, unknown, negative = field.constant(sp.S.One), field.constant(sp.S.One), False
        for polynomial, direction in ((base.numerator, 1), (base.denominator, -1)):
            constant, factors = field.factor(polynomial)
            negative ^= bool(constant < 0)
            for part, side in ((int(constant.p), direction), (int(constant.q), -direction)):
                for prime, multiplicity in sp.factorint(abs(part), limit=_SMALL_FACTOR_LIMIT).items():
                    if prime != 1:
                        power = exponent * side * multiplicity
                        result = field.multiply(result, self._simple_root(field.constant(sp.Integer(prime)), power))
            for factor, multiplicity in factors:
                sign = self.signs.of(factor)
                if sign in ("", "!") and multiplicity > 1:
                    sign = self.signs.implied(Quotient(factor, field.one)) or sign
                if sign in ("-", "-0"):
                    factor, negative = -factor, negative ^ bool(multiplicity % 2)
                if sign in ("", "!"):
                    power_of_factor = field.power(Quotient(factor, field.one), direction * multiplicity)
                    unknown = field.multiply(unknown, power_of_factor)
                else:
                    power = exponent * direction * multiplicity
                    result = field.multiply(result, self._simple_root(Quotient(factor, field.one), power))
        if negative:
            unknown = field.multiply(unknown, field.constant(sp.S.NegativeOne))
        if unknown == field.constant(sp.S.One):
            return result
        if unknown.numerator.is_constant() and unknown.denominator.is_constant():
            raise ArithmeticError("a root of a negative number")
        return field.multiply(result, self._simple_root(unknown, exponent))

    def _simple_root(self, base: Quotient, exponent: sp.Rational) -> Quotient:
        """base^exponent by the generator s = d (n/d)^(1/q), for which s^q = n d^(q-1)."""
        field = self.field
        if exponent.q == 1:
            return field.power(base, int(exponent))
        key = f"root {base.numerator} / {base.denominator}"
        if exponent.q == 2:
            denested = denest(field, self.signs, base, [n for n, root in self._roots.items() if root.degree == 2])
            if denested is not None:
                first, second = (self.root(part, sp.S.Half) for part in (denested.first, denested.second))
                total = field.add(first, field.multiply(second, field.constant(sp.Integer(denested.sign))))
                return field.power(total, int(exponent.p))
        degree = int(1 / self.unit(key, sp.Rational(1, exponent.q), sp.S.One))
        is_new = key not in self.generators
        number = self.generators.number(key, lambda: self.generators.express_root(base, degree))
        if is_new:
            field.relate(number, degree, base.numerator * base.denominator ** (degree - 1))
            self._roots[number] = _Root(base, degree)
            if base.denominator == field.one:
                self.signs.mark_generator(number, "+" if self.signs.of(base.numerator) == "+" else "+0")
        over = field.quotient(field.generator(number).numerator, base.denominator)
        return field.power(over, int(exponent * degree))

    def _positive_number(self, key: str, meaning: Callable[[], sp.Expr]) -> int:
        number = self.generators.number(key, meaning)
        self.signs.mark_generator(number, "+")
        return number

    def unit(self, key: str, exponent: sp.Rational, start: sp.Rational) -> sp.Rational:
        """The common unit of all exponents met under a key."""
        return self._units.find(key, exponent, start)

    def _add_scaled(self, total: Quotient, value: Quotient, scale: sp.Rational) -> Quotient:
        return self.field.add(total, self.field.multiply(value, self.field.constant(scale)))


def _divides(divisor: fmpq_mpoly, polynomial: fmpq_mpoly) -> bool:
    """Whether a polynomial is a multiple of another."""
    return not divmod(polynomial, divisor)[1]


def _single_generator(polynomial: fmpq_mpoly) -> int:
    """The number of the generator that a polynomial is, or -1."""
    if len(polynomial) != 1 or polynomial.total_degree() != 1:
        return -1
    return next(number for number, exponent in enumerate(polynomial.monoms()[0]) if exponent)
