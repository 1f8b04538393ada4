"""Conditions as a person states them: x > 0 for 2*sqrt(x) != 0, and none that follows from the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import sympy as sp

from symbackprop.calculus.costs import is_longer
from symbackprop.proof.budget import Budget, BudgetExceededError
from symbackprop.proof.factors import factor_polynomial
from symbackprop.proof.facts import Fact, Relation, contradict
from symbackprop.proof.normal_form import sign_under
from symbackprop.proof.plain_signs import holds_plainly
from symbackprop.proof.problems import facts_of

LONGEST = 200
"""Operations of a condition that is looked at; a longer one is said as it is."""
STEPS, SECONDS = 20_000, 5.0


def tidy(facts: Iterable[Fact], known: Iterable[Fact] = ()) -> tuple[Fact, ...]:
    """Conditions that say the same where their expressions have values, as few and as plain as can be.

    What follows from what is `known` is left out.

    >>> x = sp.Symbol("x", real=True)
    >>> [fact.text for fact in tidy([Fact(2 * sp.sqrt(x), "!="), Fact(x, ">="), Fact(x**2, ">")])]
    ['x > 0']
    """
    parts = list(dict.fromkeys(part for fact in facts for part in simplify(fact)))
    parts = list(dict.fromkeys(_join(part, parts) for part in parts))
    for part in reversed(parts.copy()):
        others = [other for other in parts if other is not part]
        if follows(part, (*known, *others)):
            parts = others
    return tuple(parts)


def simplify(fact: Fact) -> tuple[Fact, ...]:
    """Plainer conditions that hold together where a condition does, wherever its expression has a value.

    >>> x = sp.Symbol("x", real=True)
    >>> [each.text for each in simplify(Fact(x**3 - x, "!="))]
    ['x != 0', 'x != -1', 'x != 1']
    """
    if is_longer(fact.expression, LONGEST):
        return (fact,)
    found = _steps(fact)
    if found is None:
        return (_with_plain_sign(fact),)
    return tuple(dict.fromkeys(part for each in found for part in simplify(each)))


def follows(fact: Fact, known: Iterable[Fact] = ()) -> bool:
    """Whether a condition certainly holds wherever others do and its expression has a value.

    >>> x = sp.Symbol("x", real=True)
    >>> follows(Fact(x, "!="), [Fact(x, ">")]), follows(Fact(x, ">"), [Fact(x, "!=")])
    (True, False)
    """
    known = tuple(known)
    expression = fact.expression
    if isinstance(expression, sp.Piecewise):
        branches = [(Fact(value, fact.relation), (*known, *more)) for value, more in _branches(expression)]
        return all(is_nowhere(where) or follows(each, where) for each, where in branches)
    if holds_plainly(fact) or fact in known or contradict((*known, fact.denied)):
        return True
    rest = [each for each in sp.Add.make_args(expression) if not holds_plainly(Fact(each, ">="))]
    if 0 < len(rest) < len(sp.Add.make_args(expression)):  # squares beside something positive
        if follows(Fact(sp.Add(*rest), ">" if fact.relation == "!=" else fact.relation), known):
            return True
    if is_longer(expression, LONGEST) or expression.has(sp.Piecewise):
        return False
    if isinstance(expression, sp.Mul) and all(follows(Fact(each, fact.relation), known) for each in expression.args):
        return True
    try:
        sign = sign_under(known, expression, Budget(SECONDS, most_steps=STEPS))
    except BudgetExceededError:
        return False
    return sign == 1 or (sign == -1 and fact.relation == "!=")


def is_nowhere(facts: Sequence[Fact]) -> bool:
    """Whether facts certainly hold together at no point.

    >>> x = sp.Symbol("x", real=True)
    >>> is_nowhere([Fact(x, "="), Fact(x, "!=")]), is_nowhere([Fact(x, ">="), Fact(-x, ">=")])
    (True, False)
    """
    if contradict(facts):
        return True
    strict = [(f.expression, [other for other in facts if other is not f]) for f in facts if f.relation == "!="]
    return any(all(contradict((*others, Fact(s * e, ">"))) for s in (1, -1)) for e, others in strict)


def _branches(expression: sp.Piecewise) -> Iterator[tuple[sp.Expr, list[Fact]]]:
    """The branches with what holds on them, as far as that is a conjunction of relations."""
    before: list[Fact] = []
    for value, condition in expression.args:
        parts = sp.And.make_args(condition)
        yield value, before + [f for p in parts for f in facts_of(p)]
        if isinstance(condition, sp.core.relational.Relational):
            before = before + facts_of(sp.Not(condition))


def _join(fact: Fact, facts: Sequence[Fact]) -> Fact:
    """`> 0` for `>= 0` beside `!= 0`."""
    other: Relation | None = {">=": "!=", "!=": ">="}.get(fact.relation)  # type: ignore[assignment]
    if other is None:
        return fact
    for sign in (1, -1):
        if Fact(sign * fact.expression, other) in facts and (sign == 1 or fact.relation == "!="):
            return Fact(sign * fact.expression, ">")
        if sign == -1 and fact.relation == ">=" and Fact(-fact.expression, "!=") in facts:
            return Fact(fact.expression, ">")
    return fact


def _with_plain_sign(fact: Fact) -> Fact:
    """x - y != 0 for y - x != 0: one of the two, whichever way it was written."""
    if fact.relation in ("!=", "=") and fact.expression.could_extract_minus_sign():
        return Fact(-fact.expression, fact.relation)
    return fact


def _steps(fact: Fact) -> list[Fact] | None:
    """One step of simplifying; None where nothing is simpler, and an empty list where it always holds."""
    expression, relation = fact.expression, fact.relation
    if relation == "=":
        return None
    if holds_plainly(fact):
        return []
    if isinstance(expression, sp.Piecewise):
        return _of_branches(expression, relation)
    if isinstance(expression, sp.Abs):
        return [] if relation == ">=" else [Fact(expression.args[0], "!=")]
    if isinstance(expression, sp.log):
        return [Fact(expression.args[0] - 1, relation)]
    if isinstance(expression, sp.Add):
        return _of_sum(expression, relation)
    if isinstance(expression, sp.Pow):
        return _of_power(expression.base, expression.exp, relation)
    if isinstance(expression, sp.Mul):
        return _of_product(list(expression.args), relation)
    return None


def _of_product(factors: Sequence[sp.Expr], relation: Relation) -> list[Fact] | None:
    """A product is not zero where no factor is; its sign is that of the factors that may be negative."""
    if relation == "!=":
        return [Fact(factor, "!=") for factor in factors]
    sign, rest, beside = sp.S.One, list[sp.Expr](), list[Fact]()
    for factor in factors:
        squared = relation == ">" and holds_plainly(Fact(factor, ">="))
        if holds_plainly(Fact(-factor, ">")):
            sign = -sign
        elif squared:
            beside.append(Fact(factor, "!="))
        elif not holds_plainly(Fact(factor, ">")):
            rest.append(factor)
    if len(rest) + factors.count(sp.S.NegativeOne) == len(factors):
        return None
    return [*beside, Fact(sign * sp.Mul(*rest), relation)]


def _of_power(base: sp.Expr, exponent: sp.Expr, relation: Relation) -> list[Fact] | None:
    """A power has the sign of its base, or none; its base is not negative where its exponent is not whole."""
    if not exponent.is_Rational:
        return []  # the power of something positive
    if not exponent.is_Integer:
        return [] if relation == ">=" or exponent < 0 else [Fact(base, ">")]
    if exponent % 2 == 0:
        return [] if relation == ">=" or exponent < 0 else [Fact(base, "!=")]
    if relation == "!=":
        return [Fact(base, "!=")] if exponent > 0 else []
    return [Fact(base, ">" if exponent < 0 else relation)]


def _of_sum(expression: sp.Add, relation: Relation) -> list[Fact] | None:
    """exp(u) - 1 has the sign of u; a polynomial is not zero where no factor of it is."""
    constant, rest = expression.as_coeff_Add()
    if abs(constant) == 1 and rest in (-constant * sp.exp(a.args[0]) for a in rest.atoms(sp.exp)):
        (inner,) = (a.args[0] for a in sp.Mul.make_args(rest) if isinstance(a, sp.exp))
        return [Fact(-constant * inner, relation)]
    number, factors = factor_polynomial(expression)
    powers = [base**power for base, power in factors]
    if len(powers) == 1 and (factors[0][1] == 1 or number * powers[0] == expression):
        return None
    if relation == "!=":
        return [Fact(base, "!=") for base, _ in sorted(factors, key=lambda pair: int(sp.count_ops(pair[0])))]
    return [Fact(number * powers[0], relation)] if len(powers) == 1 else None


def _of_branches(expression: sp.Piecewise, relation: Relation) -> list[Fact] | None:
    """What holds on just those branches on which a condition holds, if that is a conjunction."""
    right, wrong = list[list[Fact]](), list[list[Fact]]()
    for value, where in _branches(expression):
        fact = Fact(value, relation)
        if is_nowhere(where):
            continue
        if follows(fact, where):
            right.append(where)
        elif (value == 0 and relation != ">=") or contradict((*where, fact)):
            wrong.append(where)
        else:
            return None
    if not wrong:
        return []
    if len(wrong) == 1:  # on the others, which are all points beside it
        only = tidy(wrong[0])
        joined = _as_equation(only)
        if joined is not None:
            return [joined.denied]
        if len(only) == 1:
            return [only[0].denied]
    return list(tidy(right[0])) if len(right) == 1 else None


def _as_equation(facts: Sequence[Fact]) -> Fact | None:
    """u = 0 where u >= 0 and -u >= 0 are all that is said."""
    if len(facts) == 2 and facts[0].expression == -facts[1].expression and {f.relation for f in facts} == {">="}:
        return Fact(facts[0].expression, "=")
    return None
