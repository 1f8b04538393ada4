"""What a claim needs to have a value, beyond what its program needs: SymPy, which turns w/w into 1, does not say it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import sympy as sp

from symbackprop.calculus.definitions import Condition, Definition, slot_symbol
from symbackprop.calculus.expansion import Expansion
from symbackprop.calculus.indices import Affine
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Role, Slot
from symbackprop.errors import SymBackpropError
from symbackprop.language.phrasing import hidden_definitions, phrase_body
from symbackprop.language.tree import Number, Where
from symbackprop.language.writer import write_tree
from symbackprop.proof.budget import Budget, BudgetExceededError
from symbackprop.proof.comparisons import Place, choose_sizes, write_assumption
from symbackprop.proof.conditions import RELATIONS, indices_of, write_out
from symbackprop.proof.facts import Fact, contradict
from symbackprop.proof.normal_form import sign_under
from symbackprop.proof.plain_signs import holds_plainly
from symbackprop.proof.problems import facts_of
from symbackprop.proof.wording import is_longer

LONGEST = 200
"""Operations of a condition, written out, that is looked at; a longer one is said."""
SECONDS = 0.5


def unsaid_needs(program: Program, claimed: Sequence[Definition]) -> tuple[str, ...]:
    """The conditions of claimed definitions that neither hold always nor are those of the program, as texts.

    `program` has the definitions that the claim reads.
    """
    own = {d.tensor.name for d in claimed}
    conditions = tuple(dict.fromkeys(c for d in claimed for c in d.domain))
    if not conditions:
        return ()
    known = tuple(dict.fromkeys(c for d in program.definitions if d.tensor.name not in own for c in d.domain))
    hidden = hidden_definitions(program)
    assumed = tuple(a for a in program.assumptions if a.relation != "=")
    said: list[str] = []
    for condition in conditions:
        if _goes_without_saying(replace(program, assumptions=()), condition, known):
            continue
        if assumed and _goes_without_saying(replace(program, assumptions=assumed), condition, known):
            said += [write_assumption(a, program) for a in assumed]
        else:
            said.append(_write(condition, hidden))
    return tuple(dict.fromkeys(said))


def follows(fact: Fact, known: Iterable[Fact] = ()) -> bool:
    """Whether a condition certainly holds wherever others do and its expression has a value.

    >>> x = sp.Symbol("x", real=True)
    >>> follows(Fact(x, "!="), [Fact(x, ">")]), follows(Fact(x, ">"), [Fact(x, "!=")])
    (True, False)
    """
    known = tuple(known)
    expression = fact.expression
    if isinstance(expression, sp.Piecewise):
        return all(follows(Fact(each, fact.relation), (*known, *more)) for each, more in _branches(expression))
    if holds_plainly(fact) or fact in known or contradict((*known, fact.denied)):
        return True
    rest = [each for each in sp.Add.make_args(expression) if not holds_plainly(Fact(each, ">="))]
    if 0 < len(rest) < len(sp.Add.make_args(expression)):  # squares beside something positive
        return follows(Fact(sp.Add(*rest), ">" if fact.relation == "!=" else fact.relation), known)
    if is_longer(expression, LONGEST) or expression.has(sp.Piecewise):
        return False
    try:
        sign = sign_under(known, expression, Budget(SECONDS))
    except BudgetExceededError:
        return False
    return sign == 1 or (sign == -1 and fact.relation == "!=")


def _branches(expression: sp.Piecewise) -> Iterator[tuple[sp.Expr, list[Fact]]]:
    """The branches with what holds on them, as far as that is a conjunction of relations."""
    before: list[Fact] = []
    for value, condition in expression.args:
        parts = sp.And.make_args(condition)
        yield value, before + [f for p in parts for f in facts_of(p)]
        if isinstance(condition, sp.core.relational.Relational):
            before = before + facts_of(sp.Not(condition))


def _goes_without_saying(program: Program, condition: Condition, known: Sequence[Condition]) -> bool:
    """Whether a condition follows at every entry of small sizes from what the program needs.

    What reads a size as a number is always said, since small sizes do not speak for it.
    """
    if _reads_sizes(program, condition):
        return False
    forward = frozenset(d.tensor.name for d in program.definitions if d.tensor.role is Role.DEFINED)
    try:
        places = [Place.make(program, sizes) for sizes in choose_sizes(program)]
        return any(
            all(_holds_at(place, keep, condition, known) for place in places)
            for keep in dict.fromkeys((forward, frozenset[str]()))
        )
    except SymBackpropError:
        return False


def _holds_at(place: Place, keep: frozenset[str], condition: Condition, known: Sequence[Condition]) -> bool:
    expansion = Expansion(place.program, place.sizes, keep, place.data)
    given = [fact for relation in place.inequalities for fact in facts_of(relation)]
    given += [Fact(*said) for each in known for said in write_out(expansion, each, place.sizes)]
    return all(follows(Fact(*said), given) for said in write_out(expansion, condition, place.sizes))


def _reads_sizes(program: Program, condition: Condition) -> bool:
    """Whether a number that is a size or an index, other than a size as a factor, stands in a condition or what it
    reads.
    """
    names = program.sources(slot.tensor.name for slot in condition.slots if not isinstance(slot, Count))
    parts = [(condition.body, condition.slots)]
    parts += [(term.body, term.slots) for d in program.definitions if d.tensor.name in names for term in d.terms]
    return any(_adds_sizes(body, slots) for body, slots in parts)


def _adds_sizes(body: sp.Expr, slots: Sequence[Slot]) -> bool:
    """Whether the sign of a body may change with a size that it reads: 1/N before a sum does not change it."""
    for k, slot in enumerate(slots):
        symbol = slot_symbol(k)
        factor = body.as_independent(symbol, as_Add=False)[1]
        if isinstance(slot, Count) and not (_is_size(slot.value) and factor.as_base_exp()[0] == symbol):
            return True
    return False


def _is_size(form: Affine) -> bool:
    """Whether a form is one size with a positive number before it."""
    return not (form.constant or form.indices or form.entries) and len(form.terms) == 1 and form.terms[0][1] > 0


def _write(condition: Condition, hidden: dict[str, Definition]) -> str:
    """A condition as a person writes it: w[k] > 1 for w[k] - 1 > 0."""
    sign: str = RELATIONS[condition.kind]
    indices = indices_of(condition)
    constant, rest = condition.body.as_coeff_Add()
    if constant == 0 or not constant.is_Rational:
        constant, rest = sp.Integer(0), condition.body
    elif rest.could_extract_minus_sign():
        constant, rest, sign = -constant, -rest, sign.replace(">", "<")
    tree = phrase_body(rest, condition.slots, indices, hidden)
    if isinstance(tree, Where) and isinstance(tree.otherwise, Number):
        return f"{write_tree(tree.then)} {sign} {-constant} wherever {write_tree(tree.condition)}"
    return f"{write_tree(tree)} {sign} {-constant}"
