"""Definitions of the engine as formulas that a person would write.

An adjoint is a sum of terms over numbered slots. Its phrase is a tree of the formula language: constants stay
factored, what does not change with an index stands before its sum, what all terms share is written once, a sum
divided by its range is a mean, guards are `where`, and hidden tensors stand as the sums and function applications
that they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import sympy

from symbackprop.calculus.definitions import Definition, Equal, Term, slot_symbol, substitute_slot, used_slots
from symbackprop.calculus.indices import Affine, Atom, Index, choose_name
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Read, Role, Slot, slot_indices
from symbackprop.language.spelling import Speller, join_product, number_tree
from symbackprop.language.tree import (
    Access,
    And,
    Binder,
    Chain,
    Compare,
    Condition,
    Define,
    Expression,
    Name,
    Node,
    Number,
    Reduce,
    Where,
    walk,
)  # fmt: skip

ZERO, ONE = Number(Fraction(0), "0"), Number(Fraction(1), "1")


def hidden_definitions(program: Program) -> dict[str, Definition]:
    """The definitions of the hidden tensors of a program, by name."""
    return {d.tensor.name: d for d in program.definitions if d.tensor.role is Role.HIDDEN}


def phrase_definition(definition: Definition, hidden: Mapping[str, Definition] | None = None) -> Define:
    """The definition as a statement: the user's own tree where there is one, else its phrase.

    `hidden` are the definitions of hidden tensors, which are put back in place.

    >>> from symbackprop.calculus.definitions import make_term
    >>> from symbackprop.calculus.tensors import Tensor
    >>> a, y = (Tensor(name, (), Role.INPUT) for name in "ay")
    >>> term = make_term((), 2 * (slot_symbol(0) - slot_symbol(1)) / 3, (Read(a, ()), Read(y, ())))
    >>> phrase_definition(Definition(Tensor("d", (), Role.ADJOINT), (), (term,))).body.operators
    ('*', '/')
    """
    if isinstance(definition.tree, Define):
        return definition.tree
    if isinstance(definition.tree, Expression):
        body = definition.tree
    else:
        body = phrase_terms(definition.terms, definition.indices, hidden)
    if not definition.indices:
        return Define(Name(definition.tensor.name), body)
    ranged = _ranged_names(body)
    head = tuple(
        Name(i.name) if i.name in ranged else Binder(i.name, affine_tree(i.size)) for i in definition.indices
    )
    return Define(Access(definition.tensor.name, head), body)


def phrase_terms(
    terms: Sequence[Term], indices: Sequence[Index] = (), hidden: Mapping[str, Definition] | None = None
) -> Expression:
    """The sum of terms in the scope of `indices` as an expression; no term at all is 0."""
    return _Phrase(hidden or {}, frozenset(i.name for i in indices)).terms(terms, indices)


def phrase_body(
    body: sympy.Expr,
    slots: Sequence[Slot],
    indices: Sequence[Index] = (),
    hidden: Mapping[str, Definition] | None = None,
) -> Expression:
    """A scalar body over slots as an expression, such as the local derivative of a step."""
    return phrase_terms((Term((), body, tuple(slots)),), indices, hidden)


def affine_tree(form: Affine) -> Expression:
    """An index form or a size as an expression.

    >>> affine_tree(Affine.of("T") + Affine.of(-1)).operators
    ('-',)
    """
    parts = [(Fraction(c), Name(str(atom))) for atom, c in form.terms]
    positive = [p for p in parts if p[0] > 0] + [p for p in parts if p[0] < 0]
    signed = [(c > 0, _times(abs(c), name)) for c, name in positive]
    if form.constant or not signed:
        signed.append((form.constant >= 0, number_tree(Fraction(abs(form.constant)))))
    if not signed[0][0]:
        signed.insert(0, (True, ZERO))
    if len(signed) == 1:
        return signed[0][1]
    return Chain(tuple(tree for _, tree in signed), tuple("+" if plus else "-" for plus, _ in signed[1:]))


def _times(coefficient: Fraction, name: Name) -> Expression:
    return name if coefficient == 1 else join_product([number_tree(coefficient), name], [])


def substitute_names(
    node: Expression, values: Mapping[str, Expression], scope: frozenset[str] = frozenset()
) -> Expression:
    """The expression with names of indices replaced; an inner binder gives way where it would capture or hide one of
    `scope`."""
    result = _substitute(node, dict(values), scope)
    if not isinstance(result, Expression):
        raise TypeError(f"substitution made {type(result).__name__} of an expression")
    return result


def _substitute(node: Node, values: dict[str, Expression], scope: frozenset[str]) -> Node:
    if isinstance(node, Name):
        return values.get(node.name, node)
    if isinstance(node, Reduce):
        inner = {k: v for k, v in values.items() if k not in {b.name for b in node.binders}}
        incoming = {n.name for v in inner.values() for n, _ in walk(v) if isinstance(n, Name)}
        binders: list[Binder] = []
        for binder in node.binders:
            name = choose_name(binder.name, incoming | scope | {b.name for b in binders})
            if name != binder.name:
                inner[binder.name] = Name(name)
            binders.append(replace(binder, name=name))
        inside = scope | {b.name for b in binders}
        return Reduce(node.operation, tuple(binders), substitute_names(node.body, inner, inside))
    changed: dict[str, Any] = {}
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        if isinstance(value, Node):
            changed[name] = _substitute(value, values, scope)
        elif isinstance(value, tuple) and value and isinstance(value[0], Node):
            changed[name] = tuple(_substitute(v, values, scope) for v in value)
    return replace(node, **changed) if changed else node


def _ranged_names(body: Expression) -> frozenset[str]:
    """The names of indices that stand alone on an axis of what is read, so that their range is known."""
    return frozenset(
        index.name
        for node, _ in walk(body)
        if isinstance(node, Access)
        for index in node.indices
        if isinstance(index, Name)
    )


@dataclass(frozen=True, slots=True)
class _Phrase:
    """One sum of terms on its way to a tree; `scope` are the names of indices that stand for something outside it.

    What is read, and each inner sum, gets a symbol; symbols are numbered in reading order, which SymPy's own order
    follows.
    """

    hidden: Mapping[str, Definition]
    scope: frozenset[str]
    atoms: dict[sympy.Symbol, Expression] = field(default_factory=dict)
    symbols: dict[Expression, sympy.Symbol] = field(default_factory=dict)

    def terms(self, terms: Sequence[Term], indices: Sequence[Index] = ()) -> Expression:
        """The tree of the sum of terms; sizes multiply in the order of the indices, N*K for [n,k]."""
        counts = {s for term in terms for s in term.slots if isinstance(s, Count)}
        if len(counts) > 1:
            for index in (*indices, *(i for term in terms for i in term.bound)):
                if Count(index.size) in counts:
                    self._symbol(affine_tree(index.size))
        parts = [self._term(term) for term in terms]
        return Speller(self.atoms).spell(sympy.factor_terms(sympy.Add(*parts)))

    def _symbol(self, tree: Expression) -> sympy.Symbol:
        if tree not in self.symbols:
            symbol = sympy.Symbol(f"q{len(self.symbols):05d}")
            self.symbols[tree] = symbol
            self.atoms[symbol] = tree
        return self.symbols[tree]

    def _term(self, term: Term) -> sympy.Expr:
        if not term.bound:
            masks = [self._symbol(Where(_guard_tree((guard,)), ONE, ZERO)) for guard in term.guards]
            read = {slot_symbol(k): self._read(s) for k, s in enumerate(term.slots)}
            return sympy.Mul(*masks) * term.body.xreplace(read)
        bound = frozenset(term.bound)
        moving = frozenset(k for k, s in enumerate(term.slots) if bound & frozenset(slot_indices(s)))
        coefficient, factors = sympy.factor_terms(term.body).as_coeff_mul()
        inside = [f for f in factors if used_slots(f) & moving]
        outside = [f for f in factors if f not in inside]
        operation, outside = _take_mean(term, outside)
        first = min((k for f in inside for k in used_slots(f)), default=0)
        before = {k for f in outside for k in used_slots(f) if k < first}
        values = {slot_symbol(k): self._read(term.slots[k]) for k in sorted(before)}
        symbol = self._symbol(self._inner(term, operation, sympy.Mul(*inside)))
        after = {k for f in outside for k in used_slots(f)} - before
        values |= {slot_symbol(k): self._read(term.slots[k]) for k in sorted(after)}
        return coefficient * sympy.Mul(*outside).xreplace(values) * symbol

    def _inner(self, term: Term, operation: str, body: sympy.Expr) -> Expression:
        """The sum or mean over the bound indices of `body`, where the guards hold."""
        phrase = _Phrase(self.hidden, self.scope | {i.name for i in term.bound})
        tree = phrase.terms((Term((), body, term.slots),))
        if term.guards:
            tree = Where(_guard_tree(term.guards), tree, ZERO)
        ranged = _ranged_names(tree)
        binders = tuple(Binder(i.name, None if i.name in ranged else affine_tree(i.size)) for i in term.bound)
        return Reduce(operation, binders, tree)

    def _read(self, slot: Slot) -> sympy.Symbol:
        if isinstance(slot, Count):
            return self._symbol(affine_tree(slot.value))
        definition = self.hidden.get(slot.tensor.name)
        if definition is None:
            at = tuple(affine_tree(form) for form in slot.at)
            return self._symbol(Access(slot.tensor.name, at) if at else Name(slot.tensor.name))
        return self._symbol(self._hidden(definition, slot))

    def _hidden(self, definition: Definition, read: Read) -> Expression:
        """What a hidden tensor stands for where it is read."""
        if isinstance(definition.tree, Define | Expression):
            tree = definition.tree.body if isinstance(definition.tree, Define) else definition.tree
            values = {i.name: affine_tree(form) for i, form in zip(definition.indices, read.at, strict=True)}
            return substitute_names(tree, values, self.scope)
        scope = self.scope | {i.name for form in read.at for i in form.indices}
        terms = [_place(term, definition.indices, read.at, scope) for term in definition.terms]
        return _Phrase(self.hidden, scope).terms(terms)


def _place(term: Term, indices: Sequence[Index], at: Sequence[Affine], scope: frozenset[str]) -> Term:
    """The term with its free indices at index forms; bound ones give way to what is in scope."""
    values: dict[Atom, Affine] = dict(zip(indices, at, strict=True))
    taken, bound = set(scope), []
    for index in term.bound:
        new = index.renamed(choose_name(index.name, taken))
        taken.add(new.name)
        bound.append(new)
        values[index] = Affine.of(new)
    return Term(
        tuple(bound),
        term.body,
        tuple(substitute_slot(s, values) for s in term.slots),
        tuple(Equal(g.form.substitute(values)) for g in term.guards),
    )


def _take_mean(term: Term, outside: list[sympy.Expr]) -> tuple[str, list[sympy.Expr]]:
    """`mean` and the factors without 1/size of every bound index, where all of these are there; else `sum`."""
    left = list(outside)
    for index in term.bound:
        size = next((k for k, s in enumerate(term.slots) if s == Count(index.size)), None)
        divisor = None if size is None else 1 / slot_symbol(size)
        if divisor not in left:
            return "sum", outside
        left.remove(divisor)
    return ("mean", left) if term.bound else ("sum", outside)


def _guard_tree(guards: Sequence[Equal]) -> Condition:
    """Guards as a condition: `i == j`, joined by `and`."""
    conditions: list[Condition] = []
    for guard in guards:
        form = guard.form
        positive = Affine(tuple((a, c) for a, c in form.terms if c > 0), max(form.constant, 0))
        negative = Affine(tuple((a, -c) for a, c in form.terms if c < 0), max(-form.constant, 0))
        left, right = sorted((positive, negative), key=lambda side: (not side.indices, str(side)))
        conditions.append(Compare("==", affine_tree(left), affine_tree(right)))
    return conditions[0] if len(conditions) == 1 else And(tuple(conditions))
