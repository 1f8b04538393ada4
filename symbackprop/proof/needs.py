"""What a claim needs to have a value, beyond what is derived: SymPy, which turns w/w into 1, does not say it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import sympy as sp

from symbackprop.calculus.definitions import Condition, Definition, slot_symbol
from symbackprop.calculus.inverses import with_determinants
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Read, Role, Tensor
from symbackprop.language.phrasing import hidden_definitions, phrase_body
from symbackprop.language.tree import Expression, Number, Where
from symbackprop.language.writer import write_tree
from symbackprop.proof.comparisons import write_assumption
from symbackprop.proof.conditions import indices_of
from symbackprop.proof.entry_facts import EntryFacts, Rule
from symbackprop.proof.facts import SIGNS, Fact
from symbackprop.proof.tidying import tidy


def unsaid_needs(
    program: Program, claimed: Sequence[Definition], granted: Collection[str]
) -> tuple[str, ...]:
    """The conditions of claimed definitions that neither hold always nor are granted, as texts.

    `program` has the definitions that the claim reads. Those in `granted` have a value wherever something is claimed at
    all, as those have of which a loss is made; what others need that the claim reads is said like what it needs itself.
    A condition is left out where it is proved for all sizes. An inverse has a value where the determinant is not 0.
    """
    own = {d.tensor.name for d in claimed}
    read = program.sources(name for d in claimed for name in d.uses())
    others = [d for d in program.definitions if d.tensor.name not in own and d.tensor.role is not Role.ADJOINT]
    asked = [d for d in others if d.tensor.name in read and d.tensor.name not in granted]
    of_loss = [d for d in program.definitions if d.tensor.name in granted]
    inverted, regular = _inverted([d for d in (*asked, *claimed) if d.tensor.name in read]), _inverted(of_loss)
    conditions = dict.fromkeys(c for d in (*asked, *claimed) for c in d.domain)
    if not conditions and not inverted:
        return ()
    known = dict.fromkeys(c for d in of_loss for c in d.domain)
    if inverted:
        program, found = with_determinants(program, (*inverted, *regular))
        values = [Condition("nonzero", slot_symbol(0), (Read(tensor, ()),)) for tensor in found]
        conditions |= dict.fromkeys(values[: len(inverted)])
        known |= dict.fromkeys(values[len(inverted) :])
    rules = tuple(map(Rule.of_condition, known))
    entries = EntryFacts(program, rules)
    given = {write_assumption(a, program): rule for a in program.assumptions if (rule := Rule.of_assumption(a))}
    determinants = {d.tensor.name: d for d in program.definitions if d.call is not None and d.call.axiom == "det"}
    hidden = hidden_definitions(program) | determinants
    said: dict[str, None] = {}
    left: list[Fact] = []
    needed = [each for each in map(entries.fact, conditions) if not entries.certain(each)]
    for fact in tidy(part for each in needed for part in entries.plain_parts(each)):
        if entries.certain(fact):
            continue
        assumed = _find_assumptions(entries, fact, given)
        if assumed:
            said.update(dict.fromkeys(assumed))
            continue
        if not EntryFacts(program, (*rules, *(Rule.of_fact(f, entries.slots) for f in left)),
                          entries.symbols, entries.slots).certain(fact):  # fmt: skip
            left.append(fact)
    return (*said, *(_write(fact, entries, hidden) for fact in left))


def _inverted(definitions: Sequence[Definition]) -> tuple[Tensor, ...]:
    """The matrices whose determinants are not 0 where functions of them have values."""
    calls = [d.call for d in definitions if d.call is not None and d.call.axiom in ("inv", "logdet")]
    return tuple(dict.fromkeys(call.operand for call in calls))


def covers(need: str, entry: str) -> bool:
    """Whether a condition on all entries of one tensor says what one on an entry of it does.

    >>> covers("x[n] != 0", "x[2] != 0"), covers("x[n,n] != 0", "x[1,2] != 0"), covers("x[n] > 0", "x[2] != 0")
    (True, False, False)
    """
    before, opened, rest = need.partition("[")
    letters, _, after = rest.partition("]")
    names = letters.split(",")
    if not opened or "[" in after or len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
        return False
    pattern = re.escape(f"{before}[") + ",".join(["[0-9]+"] * len(names)) + re.escape(f"]{after}")
    return re.fullmatch(pattern, entry) is not None


def _find_assumptions(entries: EntryFacts, fact: Fact, given: dict[str, Rule]) -> tuple[str, ...]:
    """The assumptions from which a condition follows: one, if one is enough, else all; none if it does not."""
    for texts in [*((text,) for text in given), tuple(given)]:
        rules = (*entries.rules, *(given[text] for text in texts))
        if texts and EntryFacts(entries.program, rules, entries.symbols, entries.slots).certain(fact):
            return texts
    return ()


def _write(fact: Fact, entries: EntryFacts, hidden: dict[str, Definition]) -> str:
    """A condition as a person writes it: w[k] > 1 for w[k] - 1 > 0."""
    ((_, term),) = Rule.of_fact(fact, entries.slots).terms
    formula = Fact(term.body, fact.relation).formula
    indices = indices_of(term.slots)

    def write(side: sp.Expr) -> Expression:
        return phrase_body(side, term.slots, indices, hidden)

    sign = SIGNS[formula.func]
    tree = write(formula.args[0])
    value = write_tree(write(formula.args[1]))
    if isinstance(tree, Where) and isinstance(tree.otherwise, Number):
        return f"{write_tree(tree.then)} {sign} {value} wherever {write_tree(tree.condition)}"
    return f"{write_tree(tree)} {sign} {value}"
