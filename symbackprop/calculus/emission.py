"""From written forms back to definitions: terms over slots, with nested sums as hidden definitions of their own.

A product with one sum becomes one term with that sum's indices bound; its other factors stand inside and may be
hoisted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from symbackprop.calculus.atoms import GUARDS, Atom, IndexMap, Kind
from symbackprop.calculus.definitions import Definition, Term, make_term, slot_symbol
from symbackprop.calculus.forms import Call, Choice, Condition, Form, Leaf, Product, Sigma, Total, leaves
from symbackprop.calculus.guards import Equal, Guard, Within
from symbackprop.calculus.indices import Affine, Index, choose_name
from symbackprop.calculus.tensors import Count, Read, Role, Slot, Tensor, tensor_over

FUNCTIONS: Mapping[str, Callable[[sympy.Expr], sympy.Expr]] = {
    name: getattr(sympy, name)
    for name in ("exp", "log", "tanh", "sinh", "cosh", "sin", "cos", "tan", "erf", "asin", "acos", "atan")
}


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters that a program uses for indices of each size, the preferred ones first."""

    known: tuple[tuple[Affine, str], ...]

    @staticmethod
    def of(definitions: Iterable[Definition]) -> Letters:
        """The letters of definitions, in their order."""
        found: dict[tuple[Affine, str], None] = {}
        for definition in definitions:
            for index in (*definition.indices, *(i for term in definition.terms for i in term.bound)):
                found[index.size, index.name] = None
        return Letters(tuple(found))

    def choose(self, size: Affine, taken: Iterable[str]) -> str:
        """A letter for an index of a size that nobody has taken."""
        used = set(taken)
        mine = [name for s, name in self.known if s == size]
        return next((n for n in mine if n not in used), choose_name(mine[0] if mine else "i", used))


@dataclass(slots=True)
class Emitter:
    """Makes the definition of one tensor and the hidden ones that it needs."""

    tensor: Tensor
    indices: tuple[Index, ...]
    tensors: Mapping[str, Tensor]
    letters: Letters
    names: set[str]
    """The names that a hidden tensor may not have."""
    hidden: dict[Sigma, Definition] = field(default_factory=dict)

    def define(self, pieces: Sequence[tuple[tuple[Atom, ...], Form]]) -> tuple[Definition, ...]:
        """The definition that is the sum of forms, each where its deltas hold; hidden definitions follow it."""
        terms: list[Term | None] = []
        for deltas, form in pieces:
            for part in form.terms if isinstance(form, Total) else (form,):
                terms.append(self._term(part, deltas))
        made = Definition(self.tensor, self.indices, tuple(t for t in terms if t is not None))
        return (made, *self.hidden.values())

    def _term(self, form: Form, deltas: tuple[Atom, ...]) -> Term | None:
        """One term; a sum that is a factor of the whole becomes its bound indices."""
        number, factors = (form.number, form.factors) if isinstance(form, Product) else (1, ((form, 1),))
        sums = [f for f, e in factors if isinstance(f, Sigma) and e == 1]
        if len(sums) == 1:
            (sigma,) = sums
            return self._sum(sigma, Product(number, tuple(t for t in factors if t[0] is not sigma), 0), deltas, {})
        return _Scalar(self, {}).term((), form, deltas)

    def _sum(self, sigma: Sigma, outside: Form, deltas: tuple[Atom, ...], values: IndexMap) -> Term | None:
        """The term that sums `sigma`, times what stands outside."""
        taken = [i.name for i in self.indices] + [i.name for form in values.values() for i in form.indices]
        bound: list[Index] = []
        inner = dict(values)
        for index in sigma.bound:
            new = index.renamed(self.letters.choose(index.size, taken))
            taken.append(new.name)
            bound.append(new)
            inner[index] = Affine.of(new)
        sizes = [i.size for i in bound] if sigma.mean else []
        guards = [leaf.atom for leaf in _factors(sigma.body) if leaf.atom.kind in GUARDS]
        body = Product(1, ((outside, 1), (sigma.body, 1)), 0)
        return _Scalar(self, inner).term(bound, body, (*deltas, *guards), sizes)

    def read_hidden(self, sigma: Sigma, values: IndexMap) -> Read:
        """A nested sum as a read of a hidden tensor, defined here once."""
        free = {i for leaf in leaves(sigma) for i in leaf.atom.free} - set(sigma.bound)
        used = {i for f in free for i in values.get(f, Affine.of(f)).indices}
        place = {i: k for k, i in enumerate(self.indices)}
        indices = tuple(sorted(used, key=lambda i: (place.get(i, len(place)), i.name)))
        at = tuple(Affine.of(i) for i in indices)
        if sigma in self.hidden:
            return Read(self.hidden[sigma].tensor, at)
        name = choose_name(f"{self.tensor.name}_1", self.names)
        self.names.add(name)
        tensor = tensor_over(name, indices, Role.HIDDEN)
        term = self._sum(sigma, Product(1, (), 0), (), values)
        made = Definition(tensor, indices, (term,) if term is not None else ())
        self.hidden[sigma] = made
        return Read(tensor, at)


def _factors(form: Form) -> list[Leaf]:
    """The leaves among the factors of a form."""
    parts = [f for f, _ in form.factors] if isinstance(form, Product) else [form]
    return [p for p in parts if isinstance(p, Leaf)]


@dataclass(slots=True)
class _Scalar:
    """The body of one term; its slots are numbered as they are met."""

    owner: Emitter
    values: IndexMap
    slots: list[Slot] = field(default_factory=list)

    def term(
        self, bound: Sequence[Index], form: Form, deltas: tuple[Atom, ...], sizes: Sequence[Affine] = ()
    ) -> Term | None:
        """The term whose body is the form divided by sizes."""
        body = self.write(form, frozenset(deltas))
        for size in sizes:
            body = body / self._slot(Count(size))
        guards = [self._guard(d) for d in deltas]
        return make_term(bound, body, self.slots, guards)

    def _guard(self, atom: Atom) -> Guard:
        at = [form.substitute(self.values) for form in atom.at]
        return Equal(at[0]) if atom.kind is Kind.DELTA else Within(at[0], at[1], int(atom.name))

    def _slot(self, slot: Slot) -> sympy.Expr:
        if isinstance(slot, Count) and slot.value.integer is not None:
            return sympy.Integer(slot.value.integer)
        if slot not in self.slots:
            self.slots.append(slot)
        return slot_symbol(self.slots.index(slot))

    def write(self, form: Form, guarded: frozenset[Atom] = frozenset()) -> sympy.Expr:
        """A form in slots; the deltas in `guarded` hold."""
        if isinstance(form, Leaf):
            return sympy.Integer(1) if form.atom in guarded else self._leaf(form.atom)
        if isinstance(form, Product):
            factors = [self.write(f, guarded) ** sympy.Rational(e) for f, e in form.factors]
            return sympy.Mul(sympy.Rational(form.number), *factors)
        if isinstance(form, Total):
            return sympy.Add(*(self.write(t) for t in form.terms))
        if isinstance(form, Sigma):
            return self._slot(self.owner.read_hidden(form, self.values))
        if isinstance(form, Call):
            return FUNCTIONS[form.name](self.write(form.argument))
        return self._choice(form)

    def _leaf(self, atom: Atom) -> sympy.Expr:
        at = tuple(form.substitute(self.values) for form in atom.at)
        if atom.kind is Kind.SIZE:
            return self._slot(Count(Affine.of(atom.name)))
        if atom.kind is Kind.INDEX:
            return self._slot(Count(at[0]))
        if atom.kind is Kind.DELTA:
            return sympy.Piecewise((1, sympy.Eq(self._slot(Count(at[0])), 0)), (0, True))
        if atom.kind is Kind.RANGE:
            form, last = self._slot(Count(at[0])), self._slot(Count(at[1] + Affine.of(int(atom.name) - 1)))
            return sympy.Piecewise((1, sympy.And(form >= int(atom.name), form <= last)), (0, True))
        if atom.name == "pi":
            return sympy.pi
        return self._slot(Read(self.owner.tensors[atom.name], at))

    def _choice(self, form: Choice) -> sympy.Expr:
        return sympy.Piecewise(*((self.write(f), self._condition(c)) for f, c in form.branches))

    def _condition(self, condition: Condition | None) -> sympy.Basic:
        if condition is None:
            return sympy.true
        left, right = self.write(condition.left), self.write(condition.right)
        relation = {">": sympy.Gt, ">=": sympy.Ge, "==": sympy.Eq}[condition.relation]
        return relation(left, right)
