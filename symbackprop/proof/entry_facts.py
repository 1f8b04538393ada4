"""What holds of the entries of tensors at all sizes: their signs, what is known of them, and what follows from that.

An entry is one real symbol, wherever it is read, and what is known for all indices is put at the places that are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sympy as sp

from symbackprop.calculus.definitions import Condition, Definition, Term, slot_symbol, substitute_slot
from symbackprop.calculus.indices import Affine, Index, bounds, is_nonnegative
from symbackprop.calculus.paths import instantiate
from symbackprop.calculus.programs import Assumption, Program
from symbackprop.calculus.tensors import Count, Read, Role, Slot
from symbackprop.proof.conditions import RELATIONS
from symbackprop.proof.facts import Fact, Relation
from symbackprop.proof.problems import realise
from symbackprop.proof.tidying import follows, simplify

DEEPEST = 12
"""Definitions that are put in for one another; what is deeper stays a symbol."""
TURNED: Mapping[str, tuple[int, Relation]] = {
    "<": (-1, ">"), "<=": (-1, ">="), ">": (1, ">"), ">=": (1, ">="), "!=": (1, "!="),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition on entries that holds for all values of the indices in it."""

    terms: tuple[tuple[int, Term], ...]
    relation: Relation

    @staticmethod
    def of_condition(condition: Condition) -> Rule:
        """What a condition of a domain says."""
        return Rule(((1, Term((), condition.body, condition.slots)),), RELATIONS[condition.kind])

    @staticmethod
    def of_fact(fact: Fact, slots: Mapping[sp.Symbol, Slot]) -> Rule:
        """What a fact about entries says."""
        read = sorted(fact.expression.free_symbols, key=str)
        body = fact.expression.xreplace({symbol: slot_symbol(k) for k, symbol in enumerate(read)})
        return Rule(((1, Term((), body, tuple(slots[symbol] for symbol in read))),), fact.relation)

    @staticmethod
    def of_assumption(assumption: Assumption) -> Rule | None:
        """What an assumed inequality says, if no sum stands in it."""
        terms = (*((1, term) for term in assumption.left), *((-1, term) for term in assumption.right))
        if assumption.relation not in TURNED or any(term.bound or term.guards for _, term in terms):
            return None
        sign, relation = TURNED[assumption.relation]
        return Rule(tuple((sign * side, term) for side, term in terms), relation)


@dataclass(slots=True)
class EntryFacts:
    """The entries of a program's tensors as symbols, with the rules that hold for them."""

    program: Program
    rules: tuple[Rule, ...]
    symbols: dict[Slot, sp.Symbol] = field(default_factory=dict)
    slots: dict[sp.Symbol, Slot] = field(default_factory=dict)
    _signs: dict[str, Relation | None] = field(default_factory=dict)

    def certain(self, fact: Fact) -> bool:
        """Whether a condition on entries holds at all sizes and for all values that the rules allow."""
        return any(follows(each, self._about(each)) for each in dict.fromkeys((fact, self._opened(fact))))

    def express(self, body: sp.Expr, slots: Sequence[Slot]) -> sp.Expr:
        """A body with a symbol for each entry that it reads."""
        return realise(body).xreplace({realise(slot_symbol(k)): self._symbol(slot) for k, slot in enumerate(slots)})

    def fact(self, condition: Condition) -> Fact:
        """A condition of a domain as one on entries."""
        return Fact(self.express(condition.body, condition.slots), RELATIONS[condition.kind])

    def _symbol(self, slot: Slot) -> sp.Symbol:
        if slot not in self.symbols:
            made = sp.Symbol(f"entry{len(self.symbols):04}", real=True)
            self.symbols[slot], self.slots[made] = made, slot
        return self.symbols[slot]

    def plain_parts(self, fact: Fact) -> tuple[Fact, ...]:
        """A condition with nested functions written out, where that is plainer: x != 0 for abs(x) > 0."""
        parts = simplify(self._opened(fact, (Role.HIDDEN,)))
        return (fact,) if any(part.expression.has(sp.Piecewise) for part in parts) else parts

    def _opened(self, fact: Fact, roles: Sequence[Role] = tuple(Role)) -> Fact:
        """The condition with every entry that is computed by a formula without sums written out."""
        expression = fact.expression
        for _ in range(DEEPEST):
            values = {s: v for s in expression.free_symbols if (v := self._formula(self.slots[s], roles)) is not None}
            if not values:
                break
            expression = expression.xreplace(values)
        return Fact(expression, fact.relation)

    def _formula(self, slot: Slot, roles: Sequence[Role]) -> sp.Expr | None:
        """What an entry of a tensor in one of some roles is, where that is one formula without a sum or a guard."""
        if not isinstance(slot, Read) or slot.tensor.role not in roles or not _is_inside(slot):
            return None
        definition = self._definition(slot.tensor.name)
        if definition is None or not definition.is_sum or len(definition.terms) != 1:
            return None
        if definition.terms[0].bound or definition.terms[0].guards:
            return None
        terms = instantiate(definition, slot.at)
        return self.express(terms[0].body, terms[0].slots) if len(terms) == 1 and not terms[0].guards else None

    def _definition(self, name: str) -> Definition | None:
        return next((d for d in self.program.definitions if d.tensor.name == name), None)

    def _about(self, fact: Fact) -> list[Fact]:
        """What is known of the entries that a condition reads."""
        symbols = sorted(fact.expression.free_symbols, key=str)
        return [*self._signs_of(symbols), *(f for rule in self.rules for f in self._at(rule, symbols))]

    def _signs_of(self, symbols: Iterable[sp.Symbol]) -> Iterator[Fact]:
        for symbol in symbols:
            slot = self.slots[symbol]
            if isinstance(slot, Count):
                low, _ = bounds(slot.value)
                if low is not None and is_nonnegative(low - Affine.of(1)):
                    yield Fact(symbol, ">")
                continue
            sign = self._sign(slot.tensor.name)
            if sign is not None:
                yield Fact(symbol, sign if _is_inside(slot) else ">=")

    def _sign(self, name: str) -> Relation | None:
        """`>` or `>=` where every entry of a tensor has that sign."""
        if name not in self._signs:
            self._signs[name] = None  # while it is looked for, and for a recurrence
            definition = self._definition(name)
            if definition is not None and definition.is_sum and definition.terms:
                found = [self._sign_of_term(term) for term in definition.terms]
                if None not in found:
                    self._signs[name] = ">" if ">" in found else ">="
        return self._signs[name]

    def _sign_of_term(self, term: Term) -> Relation | None:
        value = self.express(term.body, term.slots)
        opened = self._opened(Fact(value, ">"))
        full = not term.guards and all(is_nonnegative(i.size - Affine.of(1)) for i in term.bound)
        for relation in (">", ">=") if full else (">=",):
            if any(follows(Fact(f.expression, relation), self._about(f)) for f in (Fact(value, ">"), opened)):
                return relation
        return None

    def _at(self, rule: Rule, symbols: Sequence[sp.Symbol]) -> Iterator[Fact]:
        """What a rule says of entries that it reads."""
        reads = [slot for _, term in rule.terms for slot in term.slots if isinstance(slot, Read)]
        letters = {i for read in reads for form in read.at for i in form.indices}
        for symbol in symbols:
            slot = self.slots[symbol]
            for read in reads[:1]:
                values = _match(read, slot)
                if values is not None and letters <= set(values):
                    yield Fact(sp.Add(*(side * self._place(term, values) for side, term in rule.terms)), rule.relation)

    def _place(self, term: Term, values: Mapping[Index, Affine]) -> sp.Expr:
        return self.express(term.body, [substitute_slot(slot, values) for slot in term.slots])


def _is_inside(read: Read) -> bool:
    """Whether a read certainly stays inside of its tensor, beyond which an entry is 0."""
    for form, (start, size) in zip(read.at, read.tensor.spans, strict=True):
        low, high = bounds(form)
        if low is None or high is None or not is_nonnegative(low - Affine.of(start)):
            return False
        if not is_nonnegative(size + Affine.of(start - 1) - high):
            return False
    return True


def _match(read: Read, slot: Slot) -> dict[Index, Affine] | None:
    """The values of the indices of a rule at which it speaks of an entry."""
    if not isinstance(slot, Read) or slot.tensor != read.tensor or not _is_inside(slot):
        return None
    values: dict[Index, Affine] = {}
    for form, place, span in zip(read.at, slot.at, read.tensor.spans, strict=True):
        index = form.indices[0] if len(form.indices) == 1 else None
        if index is not None and form == Affine.of(index) and (index.start, index.size) == span:
            if values.setdefault(index, place) != place:
                return None
        elif form != place or form.indices:
            return None
    return values
