"""What a refuted claim lacks: a factor, a sign or a term, said only when it has been proven."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import sympy as sp

from symbackprop.calculus.costs import is_longer
from symbackprop.errors import UnsupportedError
from symbackprop.proof.budget import Budget, BudgetExceededError
from symbackprop.proof.cells import split_cells
from symbackprop.proof.generators import LONGEST, TooLongError
from symbackprop.proof.normal_form import NormalForm, with_normal_form
from symbackprop.proof.problems import Problem, realise
from symbackprop.proof.rational import Quotient
from symbackprop.proof.sampling import search
from symbackprop.proof.verdict import Witness
from symbackprop.proof.wording import say

_LARGEST_REPAIR = 14  # operations; a longer repair helps nobody
_MOST_TERMS = 12
_LARGEST_NUMBER = 10_000
_LARGEST_DEGREE, _MOST_VARIABLES = 12, 4  # SymPy's factorisation knows no bound on time
_STEPS, _SECONDS = 50_000, 20.0  # the seconds are a guard


def diagnose(problem: Problem, witness: Witness, claim: str) -> str:
    """A proven sentence about what the right side lacks, or nothing.

    >>> import sympy as sp
    >>> from symbackprop.proof.equality import decide
    >>> w, x, y = sp.symbols("w x y")
    >>> decide(2*x*(w*x - y), x*(w*x - y), claim="claim").diagnosis
    'the claim lacks the factor 2'
    """
    budget = Budget(_SECONDS, most_terms=20_000, most_cells=40, most_steps=_STEPS)
    try:
        repairs = list(_repairs(problem, witness, budget))
        for text, repaired in repairs:
            if _is_proven(replace(problem, right=repaired), budget):
                return f"the {claim} {text}"
    except (UnsupportedError, BudgetExceededError, ArithmeticError):
        return ""
    return ""


def _repairs(problem: Problem, witness: Witness, budget: Budget) -> Iterator[tuple[str, sp.Expr]]:
    """Candidates, the simplest first: words, and the right side as it should be."""
    cells = list(split_cells(problem, budget))
    if len(cells) == 1 and cells[0].left is not None and cells[0].right is not None:
        left, right = cells[0].left, cells[0].right
        candidates = with_normal_form(cells[0].facts, budget, lambda form: _candidates(form, left, right))
        yield from (
            (text, problem.right * repair if kind == "factor" else problem.right + repair)
            for _, kind, text, repair in sorted(candidates, key=lambda candidate: candidate[0])
        )
    elif witness.left.exact and witness.right.exact and witness.right.lower and witness.left.lower:
        ratio = witness.left.lower / witness.right.lower
        if max(abs(ratio.numerator), ratio.denominator) <= _LARGEST_NUMBER:
            number = sp.Rational(ratio.numerator, ratio.denominator)
            yield _describe_factor(number), problem.right * number


def _candidates(form: NormalForm, left: sp.Expr, right: sp.Expr) -> list[tuple[int, str, str, sp.Expr]]:
    """(operations, kind, words, repair) for the ratio and for the difference of the sides."""
    field = form.field
    first, second = form.convert(left), form.convert(right)
    found = []
    if first.is_zero or second.is_zero:
        return []
    ratio = _express_short(form, field.multiply(first, field.power(second, -1)))
    if ratio is not None and _tells_something(ratio):
        size = int(ratio.count_ops())
        if ratio.is_Rational or size <= min(_LARGEST_REPAIR, int(left.count_ops())):
            found.append((-1 if ratio.is_Rational else size, "factor", _describe_factor(ratio), ratio))
    # The sides as they are written, too: what SymPy cancels by itself keeps the user's words (tanh stays tanh).
    plain = left - right
    if int(plain.count_ops()) < min(_LARGEST_REPAIR, int(left.count_ops())):
        found.append((int(plain.count_ops()), "term", f"lacks the term {say(plain)}", plain))
    plain = left / right
    if int(plain.count_ops()) < min(_LARGEST_REPAIR, int(left.count_ops())):
        plain = _factor(plain) if plain.is_polynomial() else plain
        if _tells_something(plain):
            found.append((int(plain.count_ops()), "factor", _describe_factor(plain), plain))
    term = _express_short(form, field.add(first, field.multiply(second, field.constant(sp.S.NegativeOne))))
    if term is not None:
        size = int(term.count_ops())
        if size < min(_LARGEST_REPAIR, int(left.count_ops()), int(right.count_ops()) + 4):
            found.append((size, "term", f"lacks the term {say(term)}", term))
    return found


def _express_short(form: NormalForm, value: Quotient) -> sp.Expr | None:
    """A quotient of few terms as an expression, common factors taken out; None for a long one."""
    if max(len(value.numerator), len(value.denominator)) > _MOST_TERMS:
        return None
    degree = max((sum(power) for part in (value.numerator, value.denominator) for power in part.monoms()), default=0)
    try:
        expression = form.generators.express(value)
    except TooLongError:
        return None
    if degree > _LARGEST_DEGREE or is_longer(expression, LONGEST):
        return None
    names = expression.free_symbols
    plain = len(names) <= _MOST_VARIABLES and expression.is_rational_function(*names)
    return _factor(expression) if plain else sp.factor_terms(expression)


def _factor(expression: sp.Expr) -> sp.Expr:
    """The factors; irrational numbers have no parts: exp(23021/10000) is no power of exp(1/10000)."""
    numbers = [each for each in expression.atoms(sp.exp, sp.Pow) if each.is_number]
    names = {number: sp.Symbol(f"#{k}") for k, number in enumerate(sorted(numbers, key=str))}
    return sp.factor(expression.xreplace(names)).xreplace({name: number for number, name in names.items()})


def _tells_something(ratio: sp.Expr) -> bool:
    """Whether a factor may be a person's mistake: a sum stands in no quotient, and if it is long it has no numbers.

    >>> x, y = sp.symbols("x y")
    >>> [_tells_something(each) for each in (x * (1 - x), 1 / (x - y), x / y, x / (x - y), 3 - 2 * x + y)]
    [True, True, True, False, False]
    """
    parts = sp.fraction(ratio)
    sums = [sp.Add.make_args(each) for part in parts for each in part.atoms(sp.Add)]
    if sums and not any(part.is_number for part in parts):
        return False
    return all(len(each) == 2 or all(abs(term.as_coeff_Mul()[0]) == 1 for term in each) for each in sums)


def _describe_factor(ratio: sp.Expr) -> str:
    if ratio == -1:
        return "has the wrong sign"
    if ratio.is_number and not ratio.is_Rational and (1 / ratio).count_ops() < ratio.count_ops() and ratio > 0:
        below, above = sp.fraction(1 / ratio)
        divisor = f"({say(below)})" if below.is_Add or below.is_Mul else say(below)
        return f"lacks the factor {say(above)}/{divisor}"
    numerator, denominator = sp.fraction(ratio)
    if denominator == 1:
        return f"lacks the factor {say(ratio)}"
    if numerator == 1:
        return f"has the extra factor {say(denominator)}"
    if numerator == -1:
        return f"has the wrong sign and the extra factor {say(denominator)}"
    if ratio.is_Rational and ratio > 0:
        return f"lacks the factor {say(ratio)}"
    return f"has to be multiplied by {say(ratio)}"


def _is_equal(form: NormalForm, left: sp.Expr, right: sp.Expr) -> bool:
    return form.convert(left) == form.convert(right)


def _is_proven(problem: Problem, budget: Budget) -> bool:
    """Whether the repaired claim holds, by the normal form on every cell and by balls at sample points."""
    problem = replace(problem, left=realise(problem.left), right=realise(problem.right))
    for cell in split_cells(problem, budget):
        left, right = cell.left, cell.right
        if left is None or right is None:
            return False
        if not with_normal_form(cell.facts, budget, partial(_is_equal, left=left, right=right)):
            return False
    evidence = search(problem, budget, problem.facts, wanted=3)
    return evidence.witness is None and len(evidence.agreeing) > 0
