"""`decide`: whether two scalar expressions are equal, as a proof, a counterexample, or neither.

First a counterexample is looked for at a few rational points; then the space is cut into cells on which both sides are
smooth, and on each the normal form of the difference must be zero; where it is not, more points of the cell are tried.
A normal form that is not zero never refutes, and no proof stands unless balls at sample points agree with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

import sympy as sp

from symbackprop.errors import UnsupportedError
from symbackprop.proof.budget import Budget, BudgetExceededError
from symbackprop.proof.cells import Cell, split_cells
from symbackprop.proof.diagnosis import diagnose
from symbackprop.proof.domains import conditions_of, learn_conditions
from symbackprop.proof.facts import Fact, contradict
from symbackprop.proof.normal_form import NormalForm, with_normal_form
from symbackprop.proof.plain_signs import holds_plainly
from symbackprop.proof.problems import Problem, facts_of, read_problem, realise
from symbackprop.proof.sampling import Evidence, SeenPoint, compare_at, sample_points, search
from symbackprop.proof.tidying import is_nowhere, tidy
from symbackprop.proof.verdict import Verdict, Witness

_SEARCH_TRIES = 200
_GUARDS = 3  # points at which balls check a proof
_GUARD_TRIES = 60
_PERIODIC = (sp.sin, sp.cos, sp.tan, sp.cot, sp.sec, sp.csc)


@dataclass(frozen=True, slots=True)
class _CellResult:
    """What was found on one cell."""

    equal: bool
    conditions: tuple[tuple[Fact, str], ...] = ()  # with the side that needs it, or "" for both
    used: frozenset[int] = frozenset()
    witness: Witness | None = None
    reason: str = ""


def decide(
    left: object,
    right: object,
    assumptions: Iterable[sp.Basic] = (),
    domain: Iterable[sp.Basic] = (),
    *,
    claim: str = "right side",
    budget: Budget | None = None,
) -> Verdict:
    """Decide whether left = right for all real values of the names, under assumptions such as `eps > 0`.

    `claim` is what a diagnosis calls the right side; where it is empty, none is looked for. Both sides are SymPy
    expressions or numbers; a symbol is one real variable, whatever assumptions it carries (those it carries are stated
    as hypotheses). Where a relation of the `domain` fails, the sides as they were written have no value: no point of it
    is a counterexample. It is the caller who says what the domain is. A `budget` may be shared by several decisions;
    without one, this has its own.

    >>> import sympy as sp
    >>> z = sp.Symbol("z")
    >>> S = 1 / (1 + sp.exp(-z))
    >>> decide(S.diff(z), S * (1 - S)).proved
    True
    >>> print(decide(z**2 - 1, (z - 1)**2).witness)
    at z = 4 the left side is 15 and the right side is 9
    """
    assumptions = tuple(assumptions)
    shown = {key: side for key, side in (("left", left), ("right", right)) if isinstance(side, sp.Expr)}
    try:
        problem = read_problem(left, right, assumptions, domain)
    except (UnsupportedError, RecursionError) as error:
        return replace(_undecided(error), **shown)
    try:
        verdict = _decide(problem, budget or Budget(), claim)
    except (UnsupportedError, BudgetExceededError, RecursionError) as error:
        verdict = _undecided(error)
    if not verdict.proved:
        facts = {fact.text: fact.formula for fact in problem.facts}
        verdict = replace(verdict, hypotheses=tuple(facts), formulas=tuple(facts.values()))
    scope = verdict.scope if problem.names else ""
    return replace(verdict, left=problem.left, right=problem.right, notes=problem.notes, scope=scope)


def _undecided(error: Exception) -> Verdict:
    """The verdict where an error ended the decision."""
    reason = "the expressions are nested too deeply" if isinstance(error, RecursionError) else str(error)
    return Verdict("undecided", reason=reason)


def find_witness(
    left: object,
    right: object,
    assumptions: Iterable[sp.Basic] = (),
    domain: Iterable[sp.Basic] = (),
    *,
    budget: Budget | None = None,
) -> Witness | None:
    """A point of the domain at which two sides certainly differ, or None where none was found; no proof is tried.

    >>> import sympy as sp
    >>> x = sp.Symbol("x")
    >>> print(find_witness(x**2, x**3))
    at x = 4 the left side is 16 and the right side is 64
    """
    try:
        problem = read_problem(left, right, tuple(assumptions), domain)
        budget = budget or Budget()
        witness = search(problem, budget, problem.facts).witness
        if witness is None and problem.domain:
            witness = search(problem, budget, (*problem.facts, *problem.domain)).witness
    except (UnsupportedError, BudgetExceededError, RecursionError):
        return None
    return None if witness is None or _is_rounding(problem, witness) else witness


def _is_rounding(problem: Problem, witness: Witness) -> bool:
    """Whether floats were read and the sides are as close as the rounding of floats may bring them."""
    return bool(problem.notes) and witness.is_rounding


def _decide(problem: Problem, budget: Budget, claim: str) -> Verdict:
    evidence = Evidence(None)
    if not any(fact.relation == "=" for fact in problem.assumed):
        evidence = search(problem, budget, problem.facts)
        if evidence.witness is not None:
            return _refute(problem, evidence.witness, claim)
    if problem.left == problem.right and len(evidence.agreeing) >= _GUARDS and not _has_conditions(problem.left):
        facts = {fact.text: fact.formula for fact in problem.declared}
        return Verdict("proved", hypotheses=tuple(facts), formulas=tuple(facts.values()))
    cells = list(split_cells(problem, budget))
    # Open cells first: a difference there says more than one at a kink.
    cells.sort(key=lambda cell: not cell.open)
    results: list[tuple[Cell, _CellResult]] = []
    agreeing = set(evidence.agreeing)
    for cell in cells:
        cell, result, seen = _judge_cell(problem, cell, budget, guard=len(cells) > 1 or len(agreeing) < _GUARDS)
        agreeing |= seen
        if result.witness is not None:
            if cell.open:
                return _refute(problem, result.witness, claim)
            # That they agree elsewhere would have to be proved on the cells that were not looked at too.
            others = [other.equal and None not in (each.left, each.right) for each, other in results]
            alone = len(others) == len(cells) - 1 and all(others)
            text = f"the sides agree except where {cell.text}" if alone else ""
            return Verdict("refuted", witness=result.witness, diagnosis=text)
        results.append((cell, result))
    stuck = [(cell, result) for cell, result in results if not result.equal]
    if stuck:
        cell, result = stuck[0]
        where = f" where {cell.text}" if cell.conditions else ""
        return Verdict("undecided", reason=f"{result.reason}{where}")
    if len(agreeing) < min(_GUARDS, 1 + _GUARDS * _free_names(problem, cells)):
        count = len(agreeing) or "no"
        points = "point was" if len(agreeing) == 1 else "points were"
        reason = f"{count} {points} found at which both sides are defined, and a proof is checked at {_GUARDS}"
        return Verdict("undecided", reason=reason)
    lopsided = _one_sided_region(problem, results)
    if lopsided:
        return Verdict("undecided", reason=f"the sides agree wherever both are defined, but {lopsided}")
    hypotheses, formulas = _hypotheses(problem, results)
    return Verdict("proved", hypotheses=hypotheses, formulas=formulas)


def _has_conditions(expression: sp.Expr) -> bool:
    """Whether an expression may have no value somewhere."""
    return not all(map(holds_plainly, conditions_of(realise(expression))))


def _refute(problem: Problem, witness: Witness, claim: str) -> Verdict:
    """A refutation, unless floats were read and the sides are as close as the rounding of floats may bring them."""
    if _is_rounding(problem, witness):
        reason = f"the sides differ by no more than floats are rounded ({witness}); write the numbers as fractions"
        return Verdict("undecided", reason=reason)
    return Verdict("refuted", witness=witness, diagnosis=diagnose(problem, witness, claim) if claim else "")


def _free_names(problem: Problem, cells: list[Cell]) -> int:
    """How many names are not fixed by equations, on the largest cell."""
    return max((len(problem.names) - len(cell.substitution) for cell in cells), default=0)


def _judge_cell(
    problem: Problem, cell: Cell, budget: Budget, guard: bool
) -> tuple[Cell, _CellResult, frozenset[SeenPoint]]:
    """What holds on one cell, and the points of it at which the sides were seen to agree.

    The cell comes back without the sides that have no value on it.
    """
    if cell.left is None or cell.right is None:
        broken = None if cell.open else _find_broken(problem, cell, budget)
        return _as_outside(cell, broken) if broken is not None else (cell, _CellResult(True), frozenset())
    names = len(cell.left.free_symbols | cell.right.free_symbols)
    try:
        result = with_normal_form(cell.facts, budget, partial(_prove_cell, cell=cell), names=names)
        if not result.equal and any(side.has(*_PERIODIC) for side in (cell.left, cell.right)):
            result = with_normal_form(cell.facts, budget, partial(_prove_cell, cell=cell), names=names, angles=True)
    except ArithmeticError as error:
        left = _with_value(cell, cell.left, cell.left_compared, budget)
        right = _with_value(cell, cell.right, cell.right_compared, budget)
        if left is None or right is None:
            return replace(cell, left=left, right=right), _CellResult(True), frozenset()
        result = _CellResult(False, reason=str(error))
    except UnsupportedError as error:
        result = _CellResult(False, reason=str(error))
    broken = None if result.equal else _find_broken(problem, cell, budget)
    if broken is not None:
        return _as_outside(cell, broken)
    if result.equal and not guard:
        return cell, result, frozenset()
    wanted, tries = (_GUARDS, _GUARD_TRIES) if result.equal else (_SEARCH_TRIES, _SEARCH_TRIES)
    facts = (*problem.facts, *cell.conditions)
    evidence = search(problem, budget, facts, cell.substitution, wanted=wanted, tries=tries, seed=1)
    return cell, replace(result, witness=evidence.witness), evidence.agreeing


def _as_outside(cell: Cell, broken: Fact) -> tuple[Cell, _CellResult, frozenset[SeenPoint]]:
    """The cell as one on which a fact of the domain holds nowhere, so that no side has a value."""
    return replace(cell, left=None, right=None), _CellResult(True, ((broken, ""),)), frozenset()


def _find_broken(problem: Problem, cell: Cell, budget: Budget) -> Fact | None:
    """A fact of the domain that certainly holds nowhere on the cell."""
    for said, fact in zip(problem.domain, cell.domain, strict=True):
        if fact is None:
            continue
        if contradict((*cell.facts, fact)):
            return said
        try:
            with_normal_form(cell.facts, budget, partial(learn_conditions, conditions=(fact,), label=len(cell.facts)))
        except UnsupportedError:
            continue
        except ArithmeticError:
            return said
    return None


def _with_value(cell: Cell, side: sp.Expr, compared: tuple[sp.Expr, ...], budget: Budget) -> sp.Expr | None:
    """A side, or None if it certainly has no value on the cell."""

    def convert(form: NormalForm) -> None:
        learn_conditions(form, conditions_of(side, *compared), len(cell.facts))
        form.convert(side)

    try:
        with_normal_form(cell.facts, budget, convert)
    except ArithmeticError:
        return None
    return side


def _prove_cell(form: NormalForm, cell: Cell) -> _CellResult:
    """Whether the difference has the normal form zero, and under which conditions."""
    left, right = cell.left, cell.right
    assert left is not None
    assert right is not None
    needs = (conditions_of(left, *cell.left_compared), conditions_of(right, *cell.right_compared))
    outside = len(cell.facts)  # a label that no assumption has
    conditions = []
    for own, other, side in ((needs[0], needs[1], "left"), (needs[1], needs[0], "right")):
        for fact in learn_conditions(form, own, outside):
            conditions.append((fact, "" if fact in other else side))
    first, second = form.convert(left), form.convert(right)
    if first != second:
        difference = form.field.add(first, form.field.multiply(second, form.field.constant(sp.S.NegativeOne)))
        if not difference.is_zero and not form.vanishes(difference, cell.unsolved):
            return _CellResult(False, reason="no proof and no counterexample was found")
    return _CellResult(True, tuple(conditions), frozenset(form.signs.used))


def _one_sided_region(problem: Problem, results: list[tuple[Cell, _CellResult]]) -> str:
    """Where only one side is defined on more than single points, as a clause; poles are hypotheses instead.

    log(x^2) and 2 log(x) agree for x > 0, but to call them equal for all real x would be wrong.
    """
    for cell, result in results:
        if cell.open and (cell.left is None) != (cell.right is None):
            return f"where {cell.text} only the {'right' if cell.left is None else 'left'} side is"
        for fact, side in result.conditions:
            if not side or fact.relation == "!=":
                continue
            facts = (*problem.facts, *cell.conditions, Fact(-fact.expression, ">"))
            for point in sample_points(problem, facts, cell.substitution, seed=2, tries=_SEARCH_TRIES):
                outcome, _ = compare_at(problem, point, (64,))
                if outcome in ("left only", "right only"):
                    where = ", ".join(f"{name} = {value}" for name, value in sorted(point.items()))
                    return f"at {where} only the {outcome.split()[0]} side is; assume {fact.text} to exclude this"
    return ""


def state_domain(verdict: Verdict, assumptions: Iterable[sp.Basic], domain: Iterable[sp.Basic]) -> Verdict:
    """A proof with the domain among its hypotheses: SymPy forgets on construction that x/x needs x != 0.

    >>> import sympy as sp
    >>> x = sp.Symbol("x")
    >>> str(state_domain(decide(x / x, 1), [], [sp.Ne(x, 0)]))
    'Proved: 1 = 1, where x != 0.'
    """
    said = [fact for formula in verdict.formulas for fact in facts_of(formula)]
    given = {fact for relation in assumptions for fact in facts_of(relation)}
    assumed = [fact for fact in said if fact in given]
    needed = [fact for fact in said if fact not in given] + [fact for each in domain for fact in facts_of(each)]
    facts = {fact.text: fact.formula for fact in (*assumed, *tidy(needed, assumed))}
    hypotheses = (*facts, *verdict.hypotheses[len(verdict.formulas) :])
    return replace(verdict, hypotheses=hypotheses, formulas=tuple(facts.values()))


def _related_symbols(facts: tuple[Fact, ...], compared: list[sp.Expr]) -> set[sp.Symbol]:
    """The symbols of what was compared, and of every fact that is linked to them."""
    related: set[sp.Symbol] = set().union(*(expression.free_symbols for expression in compared))
    for _ in facts:
        for fact in facts:
            if fact.expression.free_symbols & related:
                related |= fact.expression.free_symbols
    return related


def _hypotheses(
    problem: Problem, results: list[tuple[Cell, _CellResult]]
) -> tuple[tuple[str, ...], tuple[sp.Basic, ...]]:
    """The hypotheses of a proof, as texts and formulas: what was assumed, and where the sides are defined."""
    used: set[int] = set().union(*(result.used for _, result in results))
    compared = _related_symbols(problem.assumed, [each for cell, _ in results for each in cell.compared])
    assumed = [
        fact
        for label, fact in enumerate(problem.facts)
        if label < len(problem.declared) or label in used or fact.expression.free_symbols & compared
    ]
    needed = [fact for _, result in results for fact, _ in result.conditions]
    holes = [cell for cell, _ in results if (cell.left is None) != (cell.right is None)]
    needed += [cell.conditions[0].denied for cell in holes if len(cell.conditions) == 1]
    facts = {fact.text: fact.formula for fact in (*assumed, *tidy(needed, assumed))}
    said = (*problem.facts, *needed)
    clauses = [
        f"both sides are defined (where {cell.text} only the {'right' if cell.left is None else 'left'} side is)"
        for cell in holes
        if not is_nowhere((*said, *cell.conditions))
    ]
    return (*facts, *dict.fromkeys(clauses)), tuple(facts.values())
