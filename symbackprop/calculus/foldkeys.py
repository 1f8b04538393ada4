"""Definitions up to the names of tensors and sizes: what folds are shared by, and how a shared fold is named again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from symbackprop.calculus.definitions import Call, Definition, Term
from symbackprop.calculus.guards import Equal, Guard, Within
from symbackprop.calculus.indices import Affine, Atom, Entry, Index, parts_of
from symbackprop.calculus.tensors import Count, Read, Slot, Tensor


@dataclass(slots=True)
class Numbering:
    """Numbers tensors and sizes as they are met; two equal keys were met in the same order."""

    tensors: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    met: list[Tensor] = field(default_factory=list)

    def definition(self, definition: Definition) -> tuple[object, ...]:
        """A definition without the names of tensors and sizes; indices keep their letters."""
        head = (self.tensor(definition.tensor), tuple(self.index(i) for i in definition.indices))
        return (*head, definition.argmax, self.call(definition.call), *(self.term(t) for t in definition.terms))

    def call(self, call: Call | None) -> tuple[object, ...] | None:
        """A function of a matrix without names."""
        return None if call is None else (call.axiom, self.tensor(call.operand))

    def terms(self, terms: Iterable[Term]) -> tuple[object, ...]:
        """Terms without names."""
        return tuple(self.term(t) for t in terms)

    def term(self, term: Term) -> tuple[object, ...]:
        """A term without names."""
        return (
            tuple(self.index(i) for i in term.bound),
            term.body,
            tuple(self.slot(s) for s in term.slots),
            tuple(self.guard(g) for g in term.guards),
        )

    def slot(self, slot: Slot) -> tuple[object, ...]:
        """A slot without names."""
        if isinstance(slot, Count):
            return (self.form(slot.value),)
        return (self.tensor(slot.tensor), tuple(self.form(f) for f in slot.at))

    def tensor(self, tensor: Tensor) -> tuple[object, ...]:
        """The number of a tensor with its role and axes."""
        if tensor.name not in self.tensors:
            self.tensors[tensor.name] = len(self.tensors)
            self.met.append(tensor)
        return self.tensors[tensor.name], tensor.role.value, tuple(self.form(a) for a in tensor.axes), tensor.bases

    def index(self, index: Index) -> tuple[object, ...]:
        """An index: its letter and its numbered size."""
        return index.name, self.form(index.size), index.start

    def guard(self, guard: Guard) -> tuple[object, ...]:
        """A guard with sizes numbered."""
        if isinstance(guard, Equal):
            return (self.form(guard.form),)
        return (self.form(guard.form), self.form(guard.size), guard.start)

    def form(self, form: Affine) -> tuple[object, ...]:
        """An index form with sizes numbered."""
        return (*((self.part(a), c) for a, c in form.terms), form.constant)

    def part(self, part: Atom) -> object:
        """What an index form is made of, with sizes numbered."""
        if isinstance(part, Index):
            return self.index(part)
        if isinstance(part, str):
            return self.sizes.setdefault(part, len(self.sizes))
        name = part.tensor if isinstance(part, Entry) else type(part).__name__
        return (name, *(self.form(form) for form in parts_of(part)))


@dataclass(frozen=True, slots=True)
class Renaming:
    """From the tensors and sizes of one place to those of another."""

    tensors: Mapping[str, Tensor]
    sizes: Mapping[str, str]

    def definition(self, definition: Definition) -> Definition:
        """The definition with its tensors and sizes called as elsewhere."""
        return Definition(
            self.tensor(definition.tensor),
            tuple(self.index(i) for i in definition.indices),
            tuple(self.term(t) for t in definition.terms),
        )

    def term(self, term: Term) -> Term:
        """The term named as elsewhere."""
        return Term(
            tuple(self.index(i) for i in term.bound),
            term.body,
            tuple(self.slot(s) for s in term.slots),
            tuple(self.guard(g) for g in term.guards),
        )

    def guard(self, guard: Guard) -> Guard:
        """The guard named as elsewhere."""
        if isinstance(guard, Equal):
            return Equal(self.form(guard.form))
        return Within(self.form(guard.form), self.size(guard.size), guard.start)

    def slot(self, slot: Slot) -> Slot:
        """The slot named as elsewhere."""
        if isinstance(slot, Count):
            return Count(self.form(slot.value))
        return Read(self.tensor(slot.tensor), tuple(self.form(f) for f in slot.at))

    def tensor(self, tensor: Tensor) -> Tensor:
        """The tensor at the other place."""
        return self.tensors.get(tensor.name, tensor)

    def size(self, form: Affine) -> Affine:
        """A size named as elsewhere."""
        return form.substitute({a: Affine.of(b) for a, b in self.sizes.items()})

    def index(self, index: Index) -> Index:
        """The index with its size named as elsewhere."""
        return replace(index, size=self.size(index.size))

    def form(self, form: Affine) -> Affine:
        """An index form named as elsewhere."""
        values: dict[Atom, Affine] = {a: Affine.of(b) for a, b in self.sizes.items()}
        values |= {i: Affine.of(self.index(i)) for i in form.indices}
        return form.substitute(values)
