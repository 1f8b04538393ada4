"""Programs: tensors that are given, definitions in order, and what is assumed of the data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from symbackprop.calculus.definitions import Definition, Term
from symbackprop.calculus.guards import Equal
from symbackprop.calculus.indices import Index
from symbackprop.calculus.tensors import Count, Role, Tensor
from symbackprop.errors import UnknownNameError


@dataclass(frozen=True, slots=True)
class Assumption:
    """For all `indices`: the sum of `left` stands in `relation` ("=", ">", ">=", "<", "<=", "!=") to the sum of
    `right`.
    """

    indices: tuple[Index, ...]
    left: tuple[Term, ...]
    relation: str
    right: tuple[Term, ...]
    tree: object = None

    def reads(self) -> frozenset[str]:
        """The tensors that it speaks of."""
        assumed = Tensor("assumed", (), Role.HIDDEN)
        return frozenset(Definition(assumed, self.indices, (*self.left, *self.right)).uses())


@dataclass(frozen=True, slots=True)
class Program:
    """Definitions in an order in which each reads only what stands above it, except one step back or ahead.

    `leaves` are the inputs, parameters and constants in the order of their declarations; `loss` is the name of the
    scalar that gradients are taken of by default.
    """

    leaves: tuple[Tensor, ...]
    definitions: tuple[Definition, ...]
    assumptions: tuple[Assumption, ...] = ()
    loss: str | None = None

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by its name, leaves first."""
        return {t.name: t for t in self.leaves} | {d.tensor.name: d.tensor for d in self.definitions}

    def tensor(self, name: str) -> Tensor:
        """The tensor called `name`; UnknownNameError lists those that exist."""
        found = self.tensors().get(name)
        if found is None:
            known = tuple(t.name for t in self.tensors().values() if t.role is not Role.HIDDEN)
            raise UnknownNameError(
                f"There is no tensor {name!r}; there are {', '.join(known)}.", name=name, known=known
            )
        return found

    def definition(self, name: str) -> Definition | None:
        """The definition of the tensor `name`, or None where its values are given."""
        return next((d for d in self.definitions if d.tensor.name == name), None)

    def reaching(self, name: str) -> Program:
        """The part of the program that a tensor is made of."""
        needed = self.sources((name,))
        leaves = tuple(t for t in self.leaves if t.name in needed)
        kept = tuple(d for d in self.definitions if d.tensor.name in needed)
        return replace(self, leaves=leaves, definitions=kept, assumptions=(), loss=None)

    def concerning(self, definitions: Iterable[Definition]) -> Program:
        """The part of the program that some definitions read, with what is assumed of it and with tensors that have
        their sizes; the loss only if it is read.

        What is said about one part of a program then does not depend on what stands beside it.
        """
        about = tuple(definitions)
        needed = self.sources(name for d in about for name in d.uses())
        spoken = {a: self.sources(a.reads()) for a in self.assumptions}
        kept: frozenset[Assumption] = frozenset()
        while len(more := frozenset(a for a, names in spoken.items() if not names or names & needed)) > len(kept):
            kept, needed = more, needed.union(*(spoken[a] for a in more))
        part = self._part(needed, kept)
        for size in part.extended(about).size_names:
            if size not in part.size_names:
                having = [t.name for t in self.tensors().values() if any(size in axis.names for axis in t.axes)]
                needed |= self.sources(having[:1])
                part = self._part(needed, kept)
        return part

    def _part(self, names: frozenset[str], assumptions: frozenset[Assumption]) -> Program:
        return Program(
            tuple(t for t in self.leaves if t.name in names),
            tuple(d for d in self.definitions if d.tensor.name in names),
            tuple(a for a in self.assumptions if a in assumptions),
            self.loss if self.loss in names else None,
        )

    def completing(self, part: Program) -> Program:
        """A part of the program together with the definitions that read nothing else."""
        names = set(part.tensors())
        for definition in self.definitions:
            if set(definition.uses()) <= names | {definition.tensor.name}:
                names.add(definition.tensor.name)
        return replace(part, definitions=tuple(d for d in self.definitions if d.tensor.name in names))

    def sources(self, names: Iterable[str]) -> frozenset[str]:
        """The tensors `names` with everything that they are made of, at any depth."""
        made = {d.tensor.name: d for d in self.definitions}
        waiting = list(names)
        found = set(waiting)
        while waiting:
            definition = made.get(waiting.pop())
            new = [] if definition is None else [n for n in definition.uses() if n not in found]
            found.update(new)
            waiting += new
        return frozenset(found)

    @property
    def size_names(self) -> tuple[str, ...]:
        """The names of sizes: those of axes in their order, those of ranges of integers, then those that stand in
        formulas alone.
        """
        names = dict.fromkeys(n for t in self.tensors().values() for axis in t.axes for n in axis.names)
        names.update((n, None) for t in self.tensors().values() if t.range is not None for n in t.range.names)
        for definition in self.definitions:
            for term in definition.terms:
                forms = [f for s in term.slots for f in ((s.value,) if isinstance(s, Count) else s.at)]
                forms += [f for g in term.guards for f in ((g.form,) if isinstance(g, Equal) else (g.form, g.size))]
                names.update((n, None) for form in (*forms, *(i.size for i in term.bound)) for n in form.names)
        return tuple(names)

    def extended(self, definitions: tuple[Definition, ...]) -> Program:
        """This program with definitions added at its end."""
        return replace(self, definitions=self.definitions + definitions)
