"""Programs in numbers: one entry of a tensor at given sizes and data, by the plain meaning of its definition.

Slow and simple: for the few entries that an explanation prints, and as the reference that fast code is held against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Any

import sympy

from symbackprop.calculus.axioms import matrix_number
from symbackprop.calculus.definitions import Call, Definition, Term, slot_symbol, used_slots
from symbackprop.calculus.expansion import Entry, check_data, check_sizes, contains, entries_of, points_of
from symbackprop.calculus.guards import Guard
from symbackprop.calculus.indices import Affine, Index, Point, Values
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Read, Slot, slot_indices

Table = tuple[tuple[Index, ...], dict[tuple[int, ...], float]]
"""Numbers by the values of some indices."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Numbers for a program; `given(name, entry)` is the value of an entry of a tensor without a definition, and
    `data` holds the integer tensors among them.

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
    data: Mapping[Point, int] = field(default_factory=dict)
    _made: dict[tuple[str, Entry], float] = field(default_factory=dict, repr=False, compare=False)
    _tables: dict[object, dict[tuple[int, ...], float]] = field(default_factory=dict, repr=False, compare=False)
    _definitions: dict[str, Definition] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_sizes(self.program, self.sizes)
        check_data(self.program, self.sizes, self.data)
        self._definitions.update({d.tensor.name: d for d in self.program.definitions})

    def entry(self, name: str, entry: Entry) -> float:
        """The value of one entry of a tensor."""
        key = (name, entry)
        if key not in self._made:
            definition = self._definitions.get(name)
            if definition is None:
                self._made[key] = float(self.given(name, entry))
            elif definition.call is not None:
                self._call(definition, definition.call)
            else:
                values = self.start(dict(zip(definition.indices, entry, strict=True)))
                if definition.argmax is not None:
                    self._made[key] = float(self._position(definition.terms, definition.argmax, values))
                else:
                    self._made[key] = sum((self.term(t, values) for t in definition.terms), 0.0)
        return self._made[key]

    def _call(self, definition: Definition, call: Call) -> None:
        """Every entry of a function of a matrix."""
        places = range(1, call.operand.axes[0].evaluate(self.start({})) + 1)
        numbers = matrix_number(call.axiom, [[self.entry(call.operand.name, (i, j)) for j in places] for i in places])
        for entry in entries_of(definition.tensor, self.sizes):
            i, j = entry or (1, 1)
            self._made[definition.tensor.name, entry] = numbers[i - 1][j - 1]

    def start(self, indices: Mapping[Index, int]) -> dict[Any, int]:
        """Values of indices together with the sizes and the integer data."""
        values: dict[Any, int] = dict(self.sizes)
        values.update(self.data)
        values.update(indices)
        return values

    def _position(self, terms: Sequence[Term], which: int, values: Values) -> int:
        """Where the body of the only term is largest first; without terms it is 0 everywhere."""
        best: tuple[float, int] | None = None
        for term in terms:
            for point in points_of(term.bound, values):
                here: Values = {**values, **dict(zip(term.bound, point, strict=True))}
                value = self._body(term, here) if self.holds(term.guards, here) else 0.0
                if best is None or value > best[0]:
                    best = (value, point[which])
        return best[1] if best is not None else 1

    def term(self, term: Term, values: Values) -> float:
        """The value of a term where its free indices and the sizes have values."""
        if len(term.bound) > 1 and not term.guards and isinstance(term.body, sympy.Mul):
            return self._contract(term, values)
        total = 0.0
        for point in points_of(term.bound, values):
            here: Values = {**values, **dict(zip(term.bound, point, strict=True))}
            if self.holds(term.guards, here):
                total += self._body(term, here)
        return total

    def _contract(self, term: Term, values: Values) -> float:
        """The sum of a product over several indices, one index after the other, the one in the fewest factors first."""
        tables = [self._tabulate(term, factor, values) for factor in term.body.args]
        left = list(term.bound)
        while left:
            index = min(left, key=lambda i: len({j for indices, _ in tables if i in indices for j in indices}))
            left.remove(index)
            inside = [table for table in tables if index in table[0]]
            rest = tuple(j for j in left if any(j in indices for indices, _ in inside))
            ends = list(points_of((index,), values))
            made = {}
            for point in points_of(rest, values):
                here = dict(zip(rest, point, strict=True))
                made[point] = sum(_multiply(inside, {**here, index: end}) for (end,) in ends)
            tables = [(rest, made), *(table for table in tables if index not in table[0])]
        return _multiply(tables, {})

    def _tabulate(self, term: Term, factor: sympy.Expr, values: Values) -> Table:
        """A factor of the body at every value of the bound indices that it depends on."""
        slots = tuple(term.slots[k] for k in sorted(used_slots(factor)))
        found = dict.fromkeys(i for slot in slots for i in slot_indices(slot))
        indices = tuple(i for i in term.bound if i in found)
        fixed = tuple((i, values[i]) for i in found if i not in indices)
        key = (None if factor.is_Symbol else term, factor, slots, indices, *fixed)
        if key not in self._tables:
            made = self._tables[key] = {}
            alone = Term(term.bound, factor, term.slots)
            for point in points_of(indices, values):
                here: Values = {**values, **dict(zip(indices, point, strict=True))}
                made[point] = self.slot(slots[0], here) if factor.is_Symbol else self._body(alone, here)
        return indices, self._tables[key]

    def _body(self, term: Term, values: Values) -> float:
        return number_of(term, {k: self.slot(term.slots[k], values) for k in used_slots(term.body)})

    def holds(self, guards: Sequence[Guard], values: Values) -> bool:
        """Whether all guards let a term through."""
        return all(g.holds(self._completed((g.form,), values)) for g in guards)

    def slot(self, slot: Slot, values: Values) -> float:
        """What a slot reads at given values of the indices; 0 outside the range of its tensor."""
        if isinstance(slot, Count):
            return float(slot.value.evaluate(self._completed((slot.value,), values)))
        entry = self.place_of(slot, values)
        return 0.0 if entry is None else self.entry(slot.tensor.name, entry)

    def place_of(self, read: Read, values: Values) -> Entry | None:
        """The entry that is read at given values of the indices; None outside the range of the tensor."""
        known = self._completed(read.at, values)
        entry = tuple(form.evaluate(known) for form in read.at)
        return entry if contains(read.tensor, entry, self.sizes) else None

    def _completed(self, forms: Sequence[Affine], values: Values) -> Values:
        """The values with those entries of computed integer tensors that forms hold."""
        entries = [e for form in forms for e in form.entries if e.tensor in self._definitions]
        if not entries:
            return values
        known = dict(values)
        for entry in reversed(entries):  # those inside others first
            at = tuple(form.evaluate(known) for form in entry.at)
            tensor = self._definitions[entry.tensor].tensor
            if contains(tensor, at, self.sizes):
                known[entry.tensor, at] = int(self.entry(entry.tensor, at))
        return known


def number_of(term: Term, slots: Mapping[int, float]) -> float:
    """The body of a term where its slots have values; nan where it has none.

    >>> number_of(Term((), sympy.sqrt(slot_symbol(0)), ()), {0: 4.0})
    2.0
    """
    numbers = {slot_symbol(k): sympy.Float(slots[k], 17) for k in sorted(slots)}
    try:
        value = term.body.xreplace(numbers).evalf(17)
    except (TypeError, OverflowError):  # no comparison of nan or of what is not real, no number so large
        return nan
    return float(value) if value.is_real is not False else nan


def _multiply(tables: Sequence[Table], values: Mapping[Index, int]) -> float:
    product = 1.0
    for indices, numbers in tables:
        product *= numbers[tuple(values[i] for i in indices)]
    return product
