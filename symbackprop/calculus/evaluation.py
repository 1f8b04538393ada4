"""Programs in numbers: one entry of a tensor at given sizes and data, by the plain meaning of its definition.

Slow and simple: for the few entries that an explanation prints, and as the reference that fast code is held against.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sympy

from symbackprop.calculus.definitions import Definition, Term, slot_symbol
from symbackprop.calculus.expansion import Entry, check_sizes
from symbackprop.calculus.indices import Atom
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Slot


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Numbers for a program; `given(name, entry)` is the value of an entry of a tensor without a definition.

    >>> from symbackprop.calculus.definitions import make_term
    >>> from symbackprop.calculus.indices import Affine, Index
    >>> from symbackprop.calculus.tensors import Read, Role, Tensor
    >>> i, x = Index("i", Affine.of("N")), Tensor("x", (Affine.of("N"),), Role.INPUT)
    >>> term = make_term((i,), slot_symbol(0) ** 2, (Read(x, (Affine.of(i),)),))
    >>> program = Program((x,), (Definition(Tensor("loss", (), Role.DEFINED), (), (term,)),))
    >>> Evaluation(program, {"N": 2}, lambda name, entry: float(entry[0])).entry("loss", ())
    5.0
    """

    program: Program
    sizes: Mapping[str, int]
    given: Callable[[str, Entry], float]
    _made: dict[tuple[str, Entry], float] = field(default_factory=dict, repr=False, compare=False)
    _definitions: dict[str, Definition] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_sizes(self.program, self.sizes)
        self._definitions.update({d.tensor.name: d for d in self.program.definitions})

    def entry(self, name: str, entry: Entry) -> float:
        """The value of one entry of a tensor."""
        key = (name, entry)
        if key not in self._made:
            definition = self._definitions.get(name)
            if definition is None:
                self._made[key] = float(self.given(name, entry))
            else:
                values: dict[Atom, int] = dict(self.sizes.items())
                values.update(zip(definition.indices, entry, strict=True))
                self._made[key] = sum((self.term(t, values) for t in definition.terms), 0.0)
        return self._made[key]

    def term(self, term: Term, values: Mapping[Atom, int]) -> float:
        """The value of a term where its free indices and the sizes have values."""
        total = 0.0
        for point in itertools.product(*(range(1, i.size.evaluate(values) + 1) for i in term.bound)):
            here: dict[Atom, int] = {**values, **dict(zip(term.bound, point, strict=True))}
            if any(g.form.evaluate(here) for g in term.guards):
                continue
            numbers = {slot_symbol(k): sympy.Float(self.slot(s, here), 17) for k, s in enumerate(term.slots)}
            total += float(term.body.xreplace(numbers).evalf(17))
        return total

    def slot(self, slot: Slot, values: Mapping[Atom, int]) -> float:
        """What a slot reads at given values of the indices."""
        if isinstance(slot, Count):
            return float(slot.value.evaluate(values))
        return self.entry(slot.tensor.name, tuple(form.evaluate(values) for form in slot.at))
