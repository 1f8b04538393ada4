"""What is known about a point: `expression R 0` with R one of >, >=, =, !=, and when such facts contradict each other.

Contradictions are found by Fourier-Motzkin elimination over the monomials of the expressions, taken as independent
variables: a contradiction found is certain, one that is missed only leaves an empty cell to be looked at.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sympy as sp

from symbackprop.calculus.costs import is_longer
from symbackprop.proof.factors import divide, factor_polynomial, may_expand
from symbackprop.proof.lines import is_empty
from symbackprop.proof.substitution import substitute
from symbackprop.proof.wording import say

Relation = Literal[">", ">=", "=", "!="]

_LONGEST = 300  # operations of what is multiplied out
_MOST_CONSTRAINTS = 120
_MOST_FACTORS = 8

SIGNS = {sp.Eq: "=", sp.Ne: "!=", sp.Gt: ">", sp.Ge: ">=", sp.Lt: "<", sp.Le: "<="}
_MAKERS = {">": sp.Gt, ">=": sp.Ge, "=": sp.Eq, "!=": sp.Ne}


@dataclass(frozen=True, slots=True)
class Fact:
    """`expression relation 0`, over real variables.

    >>> import sympy as sp
    >>> Fact(sp.Symbol("x") - 1, ">").text
    'x > 1'
    >>> Fact(sp.Symbol("x") - sp.Symbol("y"), "!=").text
    'x != y'
    """

    expression: sp.Expr
    relation: Relation

    @property
    def formula(self) -> sp.Basic:
        """The fact as a SymPy relation, the constant on the right, or without one what is subtracted."""
        expression, relation = self.expression, self.relation
        constant, rest = expression.as_coeff_Add()
        addends = sp.Add.make_args(rest)
        taken = [addend for addend in addends if addend.could_extract_minus_sign()]
        if constant == 0 and 0 < len(taken) < len(addends):
            return _MAKERS[relation](rest - sp.Add(*taken), -sp.Add(*taken), evaluate=False)
        if relation in (">", ">=") and rest.could_extract_minus_sign():
            maker = sp.Lt if relation == ">" else sp.Le
            return maker(-rest, constant, evaluate=False)
        return _MAKERS[relation](rest, -constant, evaluate=False)

    @property
    def text(self) -> str:
        """The fact as a person writes it."""
        formula = self.formula
        return f"{say(formula.args[0])} {SIGNS[formula.func]} {say(formula.args[1])}"

    @property
    def denied(self) -> Fact:
        """What holds where the fact does not.

        >>> x = sp.Symbol("x")
        >>> Fact(x - 1, ">").denied.text, Fact(x, "!=").denied.text
        ('x <= 1', 'x = 0')
        """
        if self.relation in (">", ">="):
            return Fact(-self.expression, ">=" if self.relation == ">" else ">")
        return Fact(self.expression, "!=" if self.relation == "=" else "=")

    def substitute(self, values: dict[sp.Symbol, sp.Expr]) -> Fact:
        """The fact with expressions in the place of symbols."""
        return Fact(substitute(self.expression, values), self.relation)


Linear = dict[Any, Any]
"""A linear combination of monomials (of any kind): monomial to number, the constant under 1."""


@functools.lru_cache(maxsize=2048)
def _linearise(expression: sp.Expr) -> tuple[tuple[sp.Expr, sp.Rational], ...]:
    """The expression as a linear combination of monomials; the constant stands under 1."""
    if expression == 0:
        return ()
    if is_longer(expression, _LONGEST) or not may_expand(expression):  # one monomial of its own
        return ((expression, sp.S.One),)
    return tuple(sp.expand(expression).as_coefficients_dict().items())


def _monomial_sign(monomial: sp.Expr, positive: frozenset[sp.Expr]) -> Relation | None:
    """`>` or `>=` where the monomial certainly has that sign."""
    strict = True
    for factor in sp.Mul.make_args(monomial):
        base, exponent = factor.as_base_exp()
        if isinstance(factor, sp.exp) or base in positive or factor.is_positive:
            continue
        if isinstance(exponent, sp.Integer) and exponent.is_even:
            strict = False
            continue
        return None
    return ">" if strict else ">="


def contradict(facts: Iterable[Fact]) -> bool:
    """Whether no real point can satisfy all the facts. True is certain; False only means that none was found.

    >>> import sympy as sp
    >>> x, y = sp.symbols("x y", real=True)
    >>> contradict([Fact(x - y, ">"), Fact(y, ">"), Fact(-x, ">")])
    True
    """
    facts = tuple(facts)
    return _contradict_linearly(facts) or _line_is_empty(facts) or _products_contradict(facts)


def _contradict_linearly(facts: tuple[Fact, ...]) -> bool:
    """Whether the facts contradict each other as linear relations between monomials of known sign."""
    positive = frozenset(fact.expression for fact in facts if fact.relation == ">")
    rows: list[tuple[Linear, bool]] = []
    monomials: dict[sp.Expr, None] = {}
    for fact in facts:
        linear = dict(_linearise(fact.expression))
        monomials.update(dict.fromkeys(linear))
        if fact.relation == "!=":
            if not any(linear.values()):
                return True
            continue
        rows.append((linear, fact.relation == ">"))
        if fact.relation == "=":
            rows.append(({key: -value for key, value in linear.items()}, False))
    monomials.pop(sp.S.One, None)
    for monomial in monomials:
        sign = _monomial_sign(monomial, positive)
        if sign is not None:
            rows.append(({monomial: sp.S.One}, sign == ">"))
    return infeasible(rows, list(monomials))


@functools.lru_cache(maxsize=2048)
def _line_is_empty(facts: tuple[Fact, ...]) -> bool:
    """Whether the facts about one variable alone have no solution, for some variable; found exactly."""
    lines: dict[sp.Basic, list[tuple[sp.Poly, str]]] = {}
    for fact in facts:
        symbols = fact.expression.free_symbols
        if len(symbols) == 1 and _is_short_polynomial(fact.expression):
            (symbol,) = symbols
            polynomial = sp.Poly(fact.expression, symbol)
            if polynomial.domain.is_ZZ or polynomial.domain.is_QQ:
                lines.setdefault(symbol, []).append((polynomial, fact.relation))
    return any(is_empty(line) for line in lines.values() if any(polynomial.degree() > 1 for polynomial, _ in line))


@functools.lru_cache(maxsize=2048)
def _products_contradict(facts: tuple[Fact, ...]) -> bool:
    """Whether a contradiction needs products of two facts: x > 2 gives (x - 2)^2 > 0, which a circle may exclude."""
    signed = (f for f in facts if f.relation != "!=" and f.expression.free_symbols)
    known = [f for f in signed if _is_short_polynomial(f.expression)]
    degrees = [sp.Poly(f.expression, *sorted(f.expression.free_symbols, key=str)).total_degree() for f in known]
    linear = [fact for fact, degree in zip(known, degrees, strict=True) if degree == 1 and fact.relation != "="]
    if max(degrees, default=0) != 2 or len(known) > _MOST_FACTORS:
        return False
    products = [
        Fact(sp.expand(first.expression * second.expression), ">" if first.relation == second.relation == ">" else ">=")
        for number, first in enumerate(linear)
        for second in linear[number:]
    ]
    return bool(products) and _contradict_linearly((*facts, *products))


def _is_short_polynomial(expression: sp.Expr) -> bool:
    return bool(expression.is_polynomial()) and may_expand(expression)


def infeasible(rows: list[tuple[Linear, bool]], variables: Sequence[object]) -> bool:
    """Fourier-Motzkin elimination: whether the rows `linear >= 0` (or > 0, where True) have no common solution."""
    for variable in variables:
        lower = [row for row in rows if row[0].get(variable, 0) > 0]
        upper = [row for row in rows if row[0].get(variable, 0) < 0]
        rows = [row for row in rows if not row[0].get(variable, 0)]
        if len(rows) + len(lower) * len(upper) > _MOST_CONSTRAINTS:
            return False
        for first, first_strict in lower:
            for second, second_strict in upper:
                combined: Linear = {}
                for linear, weight in ((first, -second[variable]), (second, first[variable])):
                    for key, value in linear.items():
                        combined[key] = combined.get(key, 0) + weight * value
                combined.pop(variable)
                rows.append((combined, first_strict or second_strict))
    constants = [(linear.get(sp.S.One, 0), strict) for linear, strict in rows]
    return any(constant < 0 or (strict and constant == 0) for constant, strict in constants)


def solve_zero(expression: sp.Expr, depth: int = 0) -> list[tuple[sp.Symbol, sp.Expr]] | None:
    """Substitutions that together cover the set {expression = 0}, each solving for one symbol; None if not found.

    A factor c*s + r with s absent from c and r is zero where s = -r/c, or where c = 0 (and r = 0).

    >>> import sympy as sp
    >>> x, w = sp.symbols("x w", real=True)
    >>> solve_zero(w * x - 1)
    [(w, 1/x)]
    """
    if not expression.is_polynomial(*expression.free_symbols) and expression.is_rational_function():
        expression = sp.fraction(sp.together(expression))[0]  # where it has a value
    if expression.is_number or depth > 4 or not _is_short_polynomial(expression):
        return None
    found: list[tuple[sp.Symbol, sp.Expr]] = []
    for factor, _ in factor_polynomial(expression)[1]:
        solutions = _solve_factor(factor, depth)
        if solutions is None:
            return None
        found += solutions
    return found


def solve_function(expression: sp.Expr) -> tuple[sp.Expr, sp.Expr] | None:
    """A function in a sum and what it is where the sum is zero; None if none stands there with a number as its factor.

    >>> import sympy as sp
    >>> x, y = sp.symbols("x y", real=True)
    >>> solve_function(2 * sp.erf(x) - x * y)
    (erf(x), x*y/2)
    """
    for term in sp.Add.make_args(expression):
        coefficient, function = term.as_coeff_Mul()
        is_function = isinstance(function, sp.Function | sp.Pow) and not function.is_rational_function()
        rest = expression - term
        if is_function and not rest.has(function):
            return function, -rest / coefficient
    return None


def _solve_factor(factor: sp.Expr, depth: int) -> list[tuple[sp.Symbol, sp.Expr]] | None:
    """`solve_zero` for one irreducible polynomial."""
    choices = [
        (coefficient, symbol, sp.expand(factor - coefficient * symbol))
        for symbol, coefficient in _linear_symbols(factor)
    ]
    if not choices:
        return None
    coefficient, symbol, rest = min(choices, key=lambda choice: (not choice[0].is_number, str(choice[1])))
    here = [(symbol, divide(-rest, coefficient))]
    if coefficient.is_number or (rest.is_number and rest != 0):
        return here
    beside = solve_zero(coefficient, depth + 1)
    return None if beside is None else here + beside


def _linear_symbols(factor: sp.Expr) -> Iterator[tuple[sp.Symbol, sp.Expr]]:
    """The symbols in which a polynomial has degree one, with their coefficients."""
    for symbol in sorted(factor.free_symbols, key=str):
        slope = sp.expand(factor.diff(symbol))
        if slope != 0 and not slope.has(symbol):
            yield symbol, slope
