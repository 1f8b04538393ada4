"""Kinks: the space is split into cells, by the signs of what is compared, on each of which both sides are smooth.

Every comparison in `Piecewise`, `Abs`, `Max`, `Min`, `sign` and `Heaviside` is the sign of a difference g. A cell
fixes g > 0, g < 0 or g = 0; in the last case a symbol is solved for and substituted, so kinks are judged exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanAtom

from symbackprop.calculus.costs import is_longer
from symbackprop.errors import UnsupportedError
from symbackprop.proof.arguments import argument_of_sign
from symbackprop.proof.budget import Budget
from symbackprop.proof.evaluation import (
    ImpreciseValueError,
    UndefinedValueError,
    evaluate,
    relation_holds,
    sign_of_value,
)
from symbackprop.proof.factors import factor_polynomial
from symbackprop.proof.facts import Fact, contradict, solve_function, solve_zero
from symbackprop.proof.normal_form import sign_under
from symbackprop.proof.numbers import name_of, read_float, real_symbol
from symbackprop.proof.problems import Problem
from symbackprop.proof.substitution import rebuild, substitute

_LONGEST = 60
"""Operations of a quotient whose numerator and denominator are looked at by themselves."""
_STEPS_OF_A_SIGN = 8
"""What elimination takes to tell a sign from facts."""

Substitution = tuple[tuple[sp.Symbol, sp.Expr], ...]
Replacements = tuple[tuple[sp.Expr, sp.Expr], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A region on which both sides are smooth; a side is None where it has no value.

    `conditions` are the signs that define the cell (without what the problem takes for granted), `substitution` the
    symbols that equations fix, in terms of the others; `unsolved` the equations that could not be solved for a symbol.
    `domain` are the facts of the problem's domain as they read on the cell, None for one that is not smooth there.
    `left_compared` and `right_compared` are the expressions whose sign chose the branches of a side.
    """

    left: sp.Expr | None
    right: sp.Expr | None
    facts: tuple[Fact, ...]
    conditions: tuple[Fact, ...]
    substitution: Substitution = ()
    unsolved: tuple[sp.Expr, ...] = ()
    left_compared: tuple[sp.Expr, ...] = ()
    right_compared: tuple[sp.Expr, ...] = ()
    domain: tuple[Fact | None, ...] = ()

    @property
    def compared(self) -> tuple[sp.Expr, ...]:
        """The expressions whose sign was told from facts, assumptions among them, and the symbols with a value."""
        return (*self.left_compared, *self.right_compared, *(symbol for symbol, _ in self.substitution))

    @property
    def open(self) -> bool:
        """Whether the cell is a region of full dimension: no equation fixes a point of it."""
        return all(fact.relation != "=" for fact in self.conditions)

    @property
    def text(self) -> str:
        """The conditions of the cell, or the values that they have become, as words."""
        values = [f"{symbol} = {value}" for symbol, value in self.substitution]
        return " and ".join([fact.text for fact in self.conditions] or values)


class _SplitNeeded(Exception):
    """The sign of `difference` decides how to go on."""

    def __init__(self, difference: sp.Expr) -> None:
        self.difference = difference
        super().__init__(str(difference))


class _NoValue(Exception):
    """The side has no real value on this cell."""


@dataclass(frozen=True, slots=True)
class _Region:
    """A part of the space: what holds on it, and what is put in the place of symbols and of functions there."""

    facts: tuple[Fact, ...]
    conditions: tuple[Fact, ...] = ()
    substitution: Substitution = ()
    unsolved: tuple[sp.Expr, ...] = ()
    replacements: Replacements = ()

    def where(self, fact: Fact) -> _Region | None:
        """The part where one more fact holds; None if no point is left."""
        if contradict((*self.facts, fact)):
            return None
        return replace(self, facts=(*self.facts, fact), conditions=(*self.conditions, fact))

    def fix(self, symbol: sp.Symbol, value: sp.Expr) -> _Region | None:
        """The part where a symbol has a value; None if no point is left."""
        values = {symbol: value}
        facts = tuple(fact.substitute(values) for fact in self.facts)
        earlier = tuple((each, substitute(known, values)) for each, known in self.substitution)
        replaced = tuple((substitute(atom, values), substitute(known, values)) for atom, known in self.replacements)
        expressions = (*(fact.expression for fact in facts), *(known for _, known in (*earlier, *replaced)))
        if any(_has_no_value(expression) for expression in expressions) or contradict(facts):
            return None
        unsolved = tuple(substitute(each, values) for each in self.unsolved)
        return _Region(facts, self.conditions, (*earlier, (symbol, value)), unsolved, replaced)


def split_cells(problem: Problem, budget: Budget) -> Iterator[Cell]:
    """The cells of a problem; one cell if nothing is compared.

    >>> import sympy as sp
    >>> from symbackprop.proof.budget import Budget
    >>> from symbackprop.proof.problems import read_problem
    >>> x = sp.Symbol("x")
    >>> [(cell.text, cell.left) for cell in split_cells(read_problem(sp.Abs(x), x), Budget())]
    [('x > 0', x), ('x = 0', 0), ('x < 0', -x)]
    """
    yield from _assume_equations(problem, budget, _Region(problem.facts), _solved_equations(problem.assumed))


def _solved_equations(facts: Iterable[Fact]) -> tuple[Substitution, ...]:
    """The solutions of each assumed equation that can be solved for a symbol."""
    return tuple(tuple(found) for fact in facts if fact.relation == "=" and (found := solve_zero(fact.expression)))


def _assume_equations(
    problem: Problem, budget: Budget, region: _Region, equations: tuple[Substitution, ...]
) -> Iterator[Cell]:
    """Substitute what the assumed equations say, one after the other, before anything is compared."""
    if not equations:
        yield from _split(problem, budget, region)
        return
    for symbol, value in equations[0]:
        after = region.fix(symbol, value)
        if after is not None:
            values = {symbol: value}
            later = tuple(fact.substitute(values) for fact in region.facts if fact.relation == "=")
            yield from _assume_equations(problem, budget, after, _solved_equations(later))


def _split(problem: Problem, budget: Budget, region: _Region) -> Iterator[Cell]:
    budget.count_cell()
    resolvers = (_Resolver(region, budget), _Resolver(region, budget))
    try:
        left, right = resolvers[0].side(problem.left), resolvers[1].side(problem.right)
    except _SplitNeeded as needed:
        difference = needed.difference
    else:
        compared = [tuple(dict.fromkeys(resolver.compared)) for resolver in resolvers]
        domain = tuple(_say_domain(problem, _Resolver(region, budget)))
        yield Cell(
            left,
            right,
            region.facts,
            region.conditions,
            region.substitution,
            region.unsolved,
            compared[0],
            compared[1],
            domain,
        )
        return
    above = region.where(Fact(difference, ">"))
    if above is not None:
        yield from _split(problem, budget, above)
    yield from _split_on_zero(problem, budget, region, difference)
    below = region.where(Fact(-difference, ">"))
    if below is not None:
        yield from _split(problem, budget, below)


def _say_domain(problem: Problem, resolver: _Resolver) -> Iterator[Fact | None]:
    """The domain on a region where the sides are smooth; None for what would have to be split further."""
    for fact in problem.domain:
        try:
            smooth = resolver.side(fact.expression)
        except _SplitNeeded:
            yield None
        else:
            yield Fact(sp.S.Zero, "!=") if smooth is None else Fact(smooth, fact.relation)


def _split_on_zero(problem: Problem, budget: Budget, region: _Region, difference: sp.Expr) -> Iterator[Cell]:
    """The part of a region where a difference is zero: a symbol or a function in it gets its value there."""
    on_zero = region.where(Fact(difference, "="))
    if on_zero is None:
        return
    solutions = solve_zero(difference)
    if solutions is None:
        known = solve_function(difference)
        replacements = on_zero.replacements if known is None else (*on_zero.replacements, known)
        yield from _split(
            problem, budget, replace(on_zero, unsolved=(*region.unsolved, difference), replacements=replacements)
        )
        return
    for symbol, value in solutions:
        after = region.fix(symbol, value)
        if after is not None:
            equation = Fact(symbol - value, "=")
            yield from _split(problem, budget, replace(after, conditions=(*region.conditions, equation)))


def _has_no_value(expression: sp.Basic) -> bool:
    """Whether a substitution met a pole or left the real numbers."""
    return bool(expression.has(sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I))


class _Resolver:
    """Rebuilds expressions as smooth ones over real symbols, under given facts and substitutions."""

    def __init__(self, region: _Region, budget: Budget) -> None:
        self._facts, self._budget = region.facts, budget
        self._values = {symbol.name: value for symbol, value in region.substitution}
        self._replacements = region.replacements
        self._memo: dict[sp.Basic, sp.Expr] = {}
        self.compared: list[sp.Expr] = []

    def side(self, expression: sp.Expr) -> sp.Expr | None:
        try:
            smooth = self.smooth(expression)
        except _NoValue:
            return None
        for function, value in self._replacements:
            smooth = substitute(smooth, {function: value})
        return None if _has_no_value(smooth) else smooth

    def smooth(self, expression: sp.Basic) -> sp.Expr:
        known = self._memo.get(expression)
        if known is None:
            known = self._build(expression)
            for function, value in self._replacements:
                known = substitute(known, {function: value})
            if _has_no_value(known):
                raise _NoValue
            self._memo[expression] = known
        return known

    def _build(self, node: sp.Basic) -> sp.Expr:
        if isinstance(node, sp.Symbol | sp.Indexed):
            name = name_of(node)
            return self._values.get(name, real_symbol(name))
        if isinstance(node, sp.Float):
            rational = read_float(node)
            return sp.Rational(rational.numerator, rational.denominator)
        if not node.args:
            return node
        if isinstance(node, sp.Piecewise):
            return self._branch(node)
        arguments = [self.smooth(argument) for argument in node.args]
        if isinstance(node, sp.Abs):
            return self._sign(arguments[0]) * arguments[0]
        if isinstance(node, sp.sign):
            return sp.Integer(self._sign(arguments[0]))
        if isinstance(node, sp.Heaviside):
            sign = self._sign(arguments[0])
            return arguments[1] if sign == 0 else sp.Integer((sign + 1) // 2)
        if isinstance(node, sp.Max | sp.Min):
            best = arguments[0]
            for other in arguments[1:]:
                if (self._sign(other - best) > 0) == isinstance(node, sp.Max):
                    best = other
            return best
        rebuilt = rebuild(node, arguments)
        # With real symbols SymPy turns sqrt(x^2) into Abs(x): a kink that appears only now.
        return self._resolve_again(rebuilt) if isinstance(node, sp.Pow) and rebuilt.has(sp.Abs, sp.sign) else rebuilt

    def _resolve_again(self, rebuilt: sp.Expr) -> sp.Expr:
        if rebuilt.func is sp.Pow and isinstance(rebuilt.base, sp.Abs):
            return self.smooth(rebuilt.base) ** rebuilt.exp
        return self.smooth(rebuilt)

    def _branch(self, node: sp.Basic) -> sp.Expr:
        for pair in node.args:
            if self._truth(pair.args[1]):
                return self.smooth(pair.args[0])
        raise _NoValue

    def _truth(self, condition: sp.Basic) -> bool:
        if isinstance(condition, BooleanAtom):
            return bool(condition)
        if isinstance(condition, sp.And):
            return all(self._truth(part) for part in condition.args)
        if isinstance(condition, sp.Or):
            return any(self._truth(part) for part in condition.args)
        if isinstance(condition, sp.Not):
            return not self._truth(condition.args[0])
        if isinstance(condition, sp.ITE):
            return self._truth(condition.args[1] if self._truth(condition.args[0]) else condition.args[2])
        if isinstance(condition, Relational):
            return relation_holds(condition, self._sign(self.smooth(condition.lhs) - self.smooth(condition.rhs)))
        raise UnsupportedError(f"the condition {condition} cannot be read; write it with <, <=, ==, and, or, not")

    def _sign(self, difference: sp.Expr) -> int:
        """The sign of a smooth expression on the cell, if the facts determine it."""
        if difference.is_number:
            return _sign_of_number(difference, self._budget)
        self.compared.append(difference)
        inner = argument_of_sign(difference)
        sign = self._sign_by_facts(difference) if inner is None else self._sign(inner)
        known = None if sign or difference.is_polynomial() else solve_function(difference)
        if known is not None:
            self._replacements = (*self._replacements, known)
        return sign

    def _sign_by_facts(self, difference: sp.Expr) -> int:
        for fact in self._facts:  # a cell's own signs, found without elimination
            if fact.relation in (">", "=") and fact.expression in (difference, -difference):
                return 0 if fact.relation == "=" else 1 if fact.expression == difference else -1
        if difference.is_rational_function() and not difference.is_polynomial() and not is_longer(difference, _LONGEST):
            above, below = sp.fraction(sp.together(difference))
            if below != 1:  # x/y has a sign where x and y have one
                if self._sign(below) == 0:
                    raise _NoValue
                return self._sign(above) * self._sign(below)
        constant, factors = factor_polynomial(difference)
        if len(factors) > 1 or (factors and factors[0][1] > 1):
            # x^2 - u^2 has the sign of (x - u)(x + u): linear factors are what elimination understands.
            sign = 1 if constant > 0 else -1
            for factor, multiplicity in factors:
                sign *= self._sign(factor) ** (2 if multiplicity % 2 == 0 else 1)
            return sign
        self._budget.count_step(_STEPS_OF_A_SIGN)
        possible = [
            sign
            for sign, relation in ((1, Fact(difference, ">")), (0, Fact(difference, "=")), (-1, Fact(-difference, ">")))
            if not contradict((*self._facts, relation))
        ]
        if len(possible) == 1:
            return possible[0]
        known = None if difference.is_polynomial() else sign_under(self._facts, difference, self._budget)
        if known is None:
            raise _SplitNeeded(difference)
        return known


def _sign_of_number(number: sp.Expr, budget: Budget) -> int:
    """The exact sign of a constant, by balls; whether it is zero, by its normal form."""
    for precision in (64, 1024):
        try:
            return sign_of_value(evaluate(number, {}, precision))
        except ImpreciseValueError:
            continue
        except UndefinedValueError as error:
            raise _NoValue from error
    if sign_under((), number, budget) == 0:
        return 0
    raise UnsupportedError(f"the sign of {number} could not be told at 1024 bits")
