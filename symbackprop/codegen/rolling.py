"""Programs that treat each entry of one size alike, as samples of a batch: parts of a loop, and what stands behind it.

What has an axis of that size is made for one entry at a time, from what belongs to the same entry; sums over the size
are added up from one entry to the next. Nothing inside may read such a sum, as it is complete behind the loop alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.calculus.definitions import Definition, Term, slot_symbol, substitute_slot
from symbackprop.calculus.guards import Within
from symbackprop.calculus.indices import Affine, Entry, Index, parts_of
from symbackprop.calculus.programs import Program
from symbackprop.calculus.recurrences import arrange
from symbackprop.calculus.tensors import Count, Read, Role, Tensor

LEAST = 2
"""The number of entries from which on there is a loop."""


@dataclass(frozen=True, slots=True)
class Rolled:
    """A loop over the entries of `size`, of which there are `count`: `inside` makes one of them, where the size is 1,
    and addends of `totals`; `after` has these as leaves.
    """

    size: str
    count: int
    inside: Program
    totals: tuple[Tensor, ...]
    after: Program

    def axis(self, tensor: Tensor) -> int | None:
        """Which axis of a tensor the loop goes along."""
        return next((k for k, axis in enumerate(tensor.axes) if axis == Affine.of(self.size)), None)


def roll(program: Program, adjoints: Sequence[Definition], value: str, sizes: Mapping[str, int]) -> Rolled | None:
    """The loop of a program and its adjoints along their largest size that has one; None where there is none."""
    definitions = [d for group in arrange((*program.definitions, *adjoints)) for d in group]
    tensors = [*program.leaves, *(d.tensor for d in definitions)]
    for size in sorted(sizes, key=lambda name: -sizes[name]):
        if sizes[size] >= LEAST and all(_is_plain(tensor, size) for tensor in tensors):
            found = _Parts(program, definitions, size, sizes[size]).split()
            if found is not None and found.axis(program.extended(tuple(adjoints)).tensor(value)) is None:
                return found
    return None


def _is_plain(tensor: Tensor, size: str) -> bool:
    """Whether a tensor has one axis of a size, or does not know it."""
    axes = [axis for axis in (*tensor.axes, *([tensor.range] if tensor.range else ())) if size in axis.names]
    return not axes or (axes == [Affine.of(size)] and tensor.range != axes[0] and not tensor.bases)


class _Parts:
    """Sorts definitions by where they stand: `mapped` in the loop, `pure` anywhere, totals, and behind the loop."""

    def __init__(self, program: Program, definitions: Sequence[Definition], size: str, count: int) -> None:
        self.program, self.definitions, self.size, self.count = program, definitions, size, count
        self.along = Affine.of(size)
        self.mapped = {t.name for t in program.leaves if self.along in t.axes}
        self.late: set[str] = set()
        self.taken = {*program.tensors(), *(d.tensor.name for d in definitions)}

    def split(self) -> Rolled | None:
        """The parts; None where a definition stands nowhere."""
        inside: list[Definition] = []
        after: list[Definition] = []
        totals: list[Tensor] = []
        for definition in self.definitions:
            kept, added, behind = self._place(definition)
            if not (kept or added or behind):
                return None
            inside += [*kept, *added]
            after += [*behind, *(d for d in kept if d.tensor.name not in self.mapped)]
            totals += [d.tensor for d in added]
        if not totals:
            return None
        one = replace(self.program, definitions=tuple(map(self._with_count, inside)), assumptions=(), loss=None)
        leaves = tuple(t for t in self.program.leaves if t.name not in self.mapped)
        given = tuple(replace(t, role=Role.INPUT) for t in totals)
        rest = replace(one, leaves=leaves + given, definitions=tuple(map(self._with_count, after)))
        return Rolled(self.size, self.count, one, tuple(totals), rest)

    def _place(self, definition: Definition) -> tuple[list[Definition], list[Definition], list[Definition]]:
        """The definition as what is made inside, what is added up there, and what is made behind the loop."""
        name, nowhere = definition.tensor.name, ([], [], [])  # type: ignore[var-annotated]
        free = [i for i in definition.indices if self._is_along(i)]
        summed = [t for t in definition.terms if any(map(self._is_along, t.bound))]
        others = [t for t in definition.terms if t not in summed]
        if not all(self._reads_alike(t, free) for t in definition.terms):
            return nowhere
        if free:
            if summed or len(free) > 1 or not definition.is_sum or self._reads(definition.terms) & self.late:
                return nowhere
            self.mapped.add(name)
            return [definition], [], []
        if not summed:
            if self._reads(definition.terms) & self.mapped:
                return nowhere
            if not self._reads(definition.terms) & self.late:
                return [definition], [], []
            self.late.add(name)
            return [], [], [definition]
        if not definition.is_sum or self._reads(summed) & self.late or self._reads(others) & self.mapped:
            return nowhere
        self.late.add(name)
        if not others:
            return [], [definition], []
        total = replace(definition.tensor, name=self._fresh(name), role=Role.HIDDEN)
        at = tuple(Affine.of(i) for i in definition.indices)
        joined = (Term((), slot_symbol(0), (Read(total, at),)), *others)
        return [], [replace(definition, tensor=total, terms=tuple(summed))], [replace(definition, terms=joined)]

    def _is_along(self, index: Index) -> bool:
        return index.size == self.along and index.start == 1

    def _reads_alike(self, term: Term, free: Sequence[Index]) -> bool:
        """Whether a term reads the entries of one index along the size, and knows nothing else of it."""
        own = {*free, *filter(self._is_along, term.bound)}
        pairs = [pair for s in term.slots if isinstance(s, Read) for pair in zip(s.at, s.tensor.axes, strict=True)]
        guards = [f for g in term.guards for f in ((g.form, g.size) if isinstance(g, Within) else (g.form,))]
        loose = [*(form for form, axis in pairs if axis != self.along), *guards]
        counts = [s.value for s in term.slots if isinstance(s, Count)]
        ranges = [i.size for i in term.bound if i not in own]
        apart = not any(self.size in form.names for form in (*loose, *ranges))
        return len(own) < 2 and apart and all(form.index in own for form, axis in pairs if axis == self.along) and not (
            any(self._knows(form, own) for form in (*loose, *counts))
        )

    def _knows(self, form: Affine, own: Collection[Index]) -> bool:
        """Whether a form has an index along the size, but for an integer that belongs to the same entry."""
        for atom, _ in form.terms:
            if isinstance(atom, Entry):
                pairs = zip(atom.at, atom.spans, strict=True)
                if any(self._knows(f, own) if size != self.along else f.index not in own for f, (_, size) in pairs):
                    return True
            elif atom in own or any(self._knows(part, own) for part in parts_of(atom)):
                return True
        return False

    def _reads(self, terms: Sequence[Term]) -> set[str]:
        return set(Definition(_NAMELESS, (), tuple(terms)).uses())

    def _with_count(self, definition: Definition) -> Definition:
        """The definition with the number in the place of the size where it is one."""
        number = {self.size: Affine.of(self.count)}
        terms = tuple(
            replace(t, slots=tuple(substitute_slot(s, number) if isinstance(s, Count) else s for s in t.slots))
            for t in definition.terms
        )
        return replace(definition, terms=terms)

    def _fresh(self, name: str) -> str:
        number = 1
        while f"{name}_sum{number}" in self.taken:
            number += 1
        self.taken.add(f"{name}_sum{number}")
        return f"{name}_sum{number}"


_NAMELESS = Tensor("", (), Role.HIDDEN)

