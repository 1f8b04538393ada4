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

import sympy

from symbackprop.calculus.definitions import (
    Definition,
    Term,
    slot_symbol,
    substitute_slot,
    substitute_terms,
    used_slots,
)
from symbackprop.calculus.guards import Guard, Within
from symbackprop.calculus.indices import (
    Affine,
    Atom,
    Index,
    Quotient,
    Remainder,
)
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Read, Role, Slot, slot_indices
from symbackprop.language.guard_trees import guard_tree
from symbackprop.language.matrix_calls import restore_calls, write_call
from symbackprop.language.ranges import implies_guard, kept_guards, outside_guards, vanishes_outside
from symbackprop.language.spelling import Speller, number_tree
from symbackprop.language.substitution import substitute_names
from symbackprop.language.term_letters import count_from_one, place_term
from symbackprop.language.tree import (
    Access,
    Binder,
    Chain,
    Condition,
    Define,
    Expression,
    Name,
    Node,
    Number,
    Reduce,
    Where,
    children,
    walk,
)  # fmt: skip

ZERO, ONE = Number(Fraction(0), "0"), Number(Fraction(1), "1")


def hidden_definitions(program: Program) -> dict[str, Definition]:
    """The definitions of the hidden tensors of a program, by name."""
    return {d.tensor.name: d for d in program.definitions if d.tensor.role is Role.HIDDEN}


def phrase_definition(
    definition: Definition,
    hidden: Mapping[str, Definition] | None = None,
    taken: frozenset[str] = frozenset(),
    later: frozenset[str] = frozenset(),
) -> Define:
    """The definition as a statement: the user's own tree where there is one, else its phrase.

    `hidden` are the definitions of hidden tensors, which are put back in place; no index gets a name that is `taken`,
    and ranges are written that only the tensors in `later` would tell, which are defined here or further down.

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
    elif definition.call is not None:
        body = write_call(definition, tuple(Name(i.name) for i in definition.indices))
    elif definition.argmax is not None:
        body = _phrase_argmax(definition, hidden or {}, taken)
    else:
        body = phrase_terms(definition.terms, definition.indices, hidden, taken)
    if not definition.indices:
        return Define(Name(definition.tensor.name), body)
    ranged = _ranged_names(body, later)
    head = tuple(Name(i.name) if i.name in ranged else Binder(i.name, affine_tree(i.size)) for i in definition.indices)
    return Define(Access(definition.tensor.name, head), body)


def phrase_statements(
    definition: Definition,
    hidden: Mapping[str, Definition] | None = None,
    taken: frozenset[str] = frozenset(),
    later: frozenset[str] = frozenset(),
) -> tuple[Define, ...]:
    """The statements of a definition: one, or the base and the step of a recurrence."""
    if isinstance(definition.base_tree, Define) and isinstance(definition.tree, Define):
        return definition.base_tree, definition.tree
    place = _base_place(definition)
    if place is None:
        return (phrase_definition(definition, hidden, taken, later),)
    (at, others, base_terms), (_, letters, step_terms) = split_base(definition)
    first = phrase_definition(replace(definition, indices=others, terms=base_terms), hidden, taken, later)
    heads = list(first.head.indices) if isinstance(first.head, Access) else []
    heads.insert(place, affine_tree(at[place]))
    step = replace(definition, indices=letters, terms=step_terms)
    head = Access(definition.tensor.name, tuple(heads))
    return replace(first, head=head), phrase_definition(step, hidden, taken, later)


def split_base(definition: Definition) -> tuple[tuple[tuple[Affine, ...], tuple[Index, ...], tuple[Term, ...]], ...]:
    """The base and the step of a recurrence, or the whole definition: where it holds, its indices, its terms."""
    place = _base_place(definition)
    if place is None:
        return ((tuple(map(Affine.of, definition.indices)), definition.indices, definition.terms),)
    index, tensor = definition.indices[place], definition.tensor
    end = Affine.of(index.start) if tensor.bases[place] < 0 else index.last
    inner = Index(index.name, tensor.axes[place])
    letters = (*definition.indices[:place], inner, *definition.indices[place + 1 :])
    others = tuple(i for k, i in enumerate(definition.indices) if k != place)
    at = tuple(end if k == place else Affine.of(i) for k, i in enumerate(letters))
    base = substitute_terms(definition.terms, {index: end})
    step = substitute_terms(definition.terms, {index: Affine.of(inner)})
    return (at, others, base), (tuple(map(Affine.of, letters)), letters, step)


def _base_place(definition: Definition) -> int | None:
    return next((k for k, mark in enumerate(definition.tensor.bases) if mark), None)


def _phrase_argmax(
    definition: Definition, hidden: Mapping[str, Definition], taken: frozenset[str] = frozenset()
) -> Expression:
    """Where the only term of an integer definition is largest first."""
    (term,) = definition.terms
    scope = taken | {i.name for i in (*definition.indices, *term.bound)}
    body = _Phrase(hidden, scope).terms((replace(term, bound=()),))
    ranged = _ranged_names(body)
    binders = tuple(Binder(i.name, None if i.name in ranged else affine_tree(i.size)) for i in term.bound)
    return Reduce("argmax", binders, body)


def phrase_terms(
    terms: Sequence[Term],
    indices: Sequence[Index] = (),
    hidden: Mapping[str, Definition] | None = None,
    taken: frozenset[str] = frozenset(),
) -> Expression:
    """The sum of terms in the scope of `indices` as an expression; no term at all is 0."""
    return _Phrase(hidden or {}, taken | {i.name for i in indices}).terms(terms, indices)


def phrase_body(
    body: sympy.Expr,
    slots: Sequence[Slot],
    indices: Sequence[Index] = (),
    hidden: Mapping[str, Definition] | None = None,
) -> Expression:
    """A scalar body over slots as an expression, such as the local derivative of a step."""
    return phrase_terms((Term((), body, tuple(slots)),), indices, hidden)


def affine_tree(
    form: Affine, hidden: Mapping[str, Definition] | None = None, scope: frozenset[str] = frozenset()
) -> Expression:
    """An index form or a size as an expression; an entry of a `hidden` integer tensor is the argmax that it is, which
    binds no letter in `scope`.

    >>> affine_tree(Affine.of("T") + Affine.of(-1)).operators
    ('-',)
    """
    parts = [(Fraction(c), _atom_tree(atom, hidden or {}, scope)) for atom, c in form.terms]
    positive = [p for p in parts if p[0] > 0] + [p for p in parts if p[0] < 0]
    signed = [(c > 0, _times(abs(c), name)) for c, name in positive]
    if form.constant or not signed:
        first = form.constant > 0 and not any(plus for plus, _ in signed)  # 3-p
        signed.insert(0 if first else len(signed), (form.constant >= 0, number_tree(Fraction(abs(form.constant)))))
    if not signed[0][0]:
        signed.insert(0, (True, ZERO))
    if len(signed) == 1:
        return signed[0][1]
    return Chain(tuple(tree for _, tree in signed), tuple("+" if plus else "-" for plus, _ in signed[1:]))


def _atom_tree(atom: Atom, hidden: Mapping[str, Definition], scope: frozenset[str]) -> Expression:
    if isinstance(atom, Index | str):
        return Name(str(atom))
    if isinstance(atom, Quotient | Remainder):
        operator = "//" if isinstance(atom, Quotient) else "%"
        return Chain((affine_tree(atom.form, hidden, scope), affine_tree(atom.divisor)), (operator,))
    definition = hidden.get(atom.tensor)
    if definition is None or definition.argmax is None:
        at = tuple(affine_tree(form, hidden, scope) for form in atom.at)
        return Access(atom.tensor, at) if at else Name(atom.tensor)
    values = {i.name: affine_tree(form, hidden, scope) for i, form in zip(definition.indices, atom.at, strict=True)}
    inside = scope | {i.name for form in atom.at for i in form.indices}
    return substitute_names(_phrase_argmax(definition, hidden), values, inside)


def _times(coefficient: Fraction, tree: Expression) -> Expression:
    return tree if coefficient == 1 else Chain((number_tree(coefficient), tree), ("*",))


def phrase_all(
    definitions: Sequence[Definition], hidden: Mapping[str, Definition], taken: frozenset[str]
) -> list[Define]:
    """The statements of definitions, which stand in this order."""
    names = [d.tensor.name for d in definitions]
    return [
        statement
        for place, definition in enumerate(definitions)
        for statement in phrase_statements(definition, hidden, taken, frozenset(names[place:]))
    ]


def _ranged_names(body: Node, later: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names of indices that stand alone on an axis of what is read, so that their range is known."""
    found = frozenset[str]()
    if isinstance(body, Access) and body.name not in later:
        found = frozenset(i.name for i in body.indices if isinstance(i, Name))
    found = found.union(*(_ranged_names(child, later) for child in children(body)))
    return found - {b.name for b in body.binders} if isinstance(body, Reduce) else found


@dataclass(frozen=True, slots=True)
class _Phrase:
    """One sum of terms on its way to a tree; `scope` are the names of indices that stand for something outside it, and
    `known` the guards that hold where it is read.

    What is read, and each inner sum, gets a symbol; symbols are numbered in reading order, which SymPy's own order
    follows.
    """

    hidden: Mapping[str, Definition]
    scope: frozenset[str]
    known: tuple[Guard, ...] = ()
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
        term = self._guarded(count_from_one(term))
        bound = frozenset(term.bound)
        fixed = tuple(g for g in term.guards if not bound & frozenset(g.form.indices))
        if any(isinstance(guard, Within) for guard in fixed):
            left = replace(term, guards=tuple(g for g in term.guards if g not in fixed))
            inner = _Phrase(self.hidden, self.scope, (*self.known, *fixed)).terms((left,))
            return self._symbol(Where(self._condition(fixed), inner, ZERO))
        masks = [self._symbol(Where(self._condition((guard,)), ONE, ZERO)) for guard in fixed]
        if not bound:
            read = {slot_symbol(k): self._read(s) for k, s in enumerate(term.slots)}
            return sympy.Mul(*masks) * term.body.xreplace(read)
        term = replace(term, guards=tuple(g for g in term.guards if g not in fixed))
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
        return coefficient * sympy.Mul(*masks, *outside).xreplace(values) * symbol

    def _guarded(self, term: Term) -> Term:
        """The term with the ranges of hidden reads as guards where a factor is 0 outside them, so that they are said
        once for all of it.
        """
        asked = [g for _, slot in term.reads() if slot.tensor.name in self.hidden for g in self._asked(slot)]
        if not asked:
            return term
        kept = kept_guards(
            term.body, {slot_symbol(k): slot for k, slot in term.reads() if slot.tensor.name not in self.hidden}
        )
        more = [g for g in dict.fromkeys(asked) if g in kept and g not in (*term.guards, *self.known)]
        return replace(term, guards=(*term.guards, *more))

    def _condition(self, guards: Sequence[Guard], bound: Sequence[Index] = ()) -> Condition:
        scope = self.scope | {i.name for i in bound}
        return guard_tree(guards, lambda form: affine_tree(form, self.hidden, scope))

    def _form(self, form: Affine) -> Expression:
        return affine_tree(form, self.hidden, self.scope)

    def _inner(self, term: Term, operation: str, body: sympy.Expr) -> Expression:
        """The sum or mean over the bound indices of `body`, where the guards hold."""
        phrase = _Phrase(self.hidden, self.scope | {i.name for i in term.bound}, (*self.known, *term.guards))
        tree = phrase.terms((Term((), body, term.slots),))
        if term.guards:
            tree = Where(self._condition(term.guards, term.bound), tree, ZERO)
        ranged = _ranged_names(tree)
        met = [node.name for node, _ in walk(tree) if isinstance(node, Name)]
        bound = sorted(term.bound, key=lambda i: met.index(i.name) if i.name in met else len(met))  # in reading order
        binders = tuple(Binder(i.name, None if i.name in ranged else affine_tree(i.size)) for i in bound)
        return Reduce(operation, binders, tree)

    def _read(self, slot: Slot) -> sympy.Symbol:
        if isinstance(slot, Count):
            return self._symbol(self._form(slot.value))
        definition = self.hidden.get(slot.tensor.name)
        if definition is None:
            at = tuple(self._form(form) for form in slot.at)
            return self._symbol(Access(slot.tensor.name, at) if at else Name(slot.tensor.name))
        return self._symbol(self._hidden(definition, slot))

    def _hidden(self, definition: Definition, read: Read) -> Expression:
        """What a hidden tensor stands for where it is read; outside its range that is 0."""
        outside = [g for g in self._asked(read) if not any(implies_guard(known, g) for known in self.known)]
        tree = self._put_back(definition, read)
        return Where(self._condition(outside), tree, ZERO) if outside else tree

    def _asked(self, read: Read) -> list[Within]:
        """The guards that a read of a hidden tensor needs: where it is outside, its formula would not be 0."""
        definition = self.hidden[read.tensor.name]
        guards = outside_guards(read)
        if not guards or definition.call is not None:
            return guards
        values: dict[Atom, Affine] = dict(zip(definition.indices, read.at, strict=True))
        placed = [(t.body, [substitute_slot(s, values) for s in t.slots]) for t in definition.terms]
        return [g for g in guards if not all(vanishes_outside(body, slots, g) for body, slots in placed)]

    def _put_back(self, definition: Definition, read: Read) -> Expression:
        if definition.call is not None:
            return write_call(definition, tuple(self._form(form) for form in read.at))
        if isinstance(definition.tree, Define | Expression):
            tree = definition.tree.body if isinstance(definition.tree, Define) else definition.tree
            restored = restore_calls(tree)
            if not isinstance(restored, Expression):
                raise TypeError(f"{type(restored).__name__} is no expression")
            forms = zip(definition.indices, read.at, strict=True)
            values = {i.name: self._form(form) for i, form in forms}
            return substitute_names(restored, values, self.scope)
        scope = self.scope | {i.name for form in read.at for i in form.indices}
        terms = [place_term(term, definition.indices, read.at, scope) for term in definition.terms]
        return _Phrase(self.hidden, scope).terms(terms)


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
