"""Programs written out at given sizes: every entry of every tensor as one SymPy expression.

This is the plain meaning of a program, against which everything else is checked. An entry of a given tensor is the
symbol "W[1,2]"; a scalar is its name. Indices count from 1. Integer data must be given; an integer tensor that is
computed chooses between branches.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sympy

from symbackprop.calculus.axioms import matrix_function
from symbackprop.calculus.branches import put_in
from symbackprop.calculus.definitions import Call, Definition, Term, slot_symbol
from symbackprop.calculus.indices import Affine, Index, Point, Values
from symbackprop.calculus.indices import Entry as IntegerEntry
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Role, Slot, Tensor
from symbackprop.errors import ArgumentError, DataError, ShapeError

Entry = tuple[int, ...]


def entry_symbol(name: str, entry: Entry) -> sympy.Symbol:
    """The real symbol of one entry of a tensor.

    >>> entry_symbol("W", (1, 2))
    W[1,2]
    """
    return sympy.Symbol(f"{name}[{','.join(map(str, entry))}]" if entry else name, real=True)


def check_sizes(program: Program, sizes: Mapping[str, int]) -> None:
    """Raise ArgumentError unless every size of the program has a positive integer and no other name has one."""
    missing = [n for n in program.size_names if n not in sizes]
    extra = [n for n in sizes if n not in program.size_names]
    if missing or extra:
        parts = [f"no size for {', '.join(missing)}"] if missing else []
        parts += [f"no axis is called {', '.join(extra)}"] if extra else []
        raise ArgumentError(f"{'; '.join(parts)}. The sizes are {', '.join(program.size_names) or 'all numbers'}.")
    for name, value in sizes.items():
        if not isinstance(value, int) or value < 1:
            raise ArgumentError(f"The size {name} = {value!r} must be an integer of at least 1.")
    values: dict[Any, int] = dict(sizes.items())
    for tensor in program.tensors().values():
        for axis in tensor.axes:
            if axis.evaluate(values) < 1:
                said = ", ".join(f"{n} = {sizes[n]}" for n in axis.names)
                raise ShapeError(f"{tensor.name} has an axis of size {axis} = {axis.evaluate(values)} where {said}.")


def check_data(program: Program, sizes: Mapping[str, int], data: Mapping[Point, int]) -> None:
    """Raise ArgumentError where an entry of the integer data is missing, and DataError where one is out of range."""
    for tensor in program.leaves:
        if tensor.role is not Role.INDEX or tensor.range is None:
            continue
        largest = tensor.range.evaluate(dict(sizes.items()))
        for entry in entries_of(tensor, sizes):
            value = data.get((tensor.name, entry))
            if value is None:
                raise ArgumentError(
                    f"The integer data {tensor.name} is missing; give it in data, as {tensor.name}=...."
                )
            if not 1 <= value <= largest:
                raise DataError(f"{tensor.name} holds {value}; its entries are 1 to {largest}.")


def contains(tensor: Tensor, entry: Entry, sizes: Mapping[str, int]) -> bool:
    """Whether a tensor has an entry."""
    values = dict(sizes.items())
    return all(
        start <= position < start + size.evaluate(values)
        for position, (start, size) in zip(entry, tensor.spans, strict=True)
    )


def entries_of(tensor: Tensor, sizes: Mapping[str, int]) -> Iterator[Entry]:
    """Every entry of a tensor in row-major order, bases included."""
    values: dict[Any, int] = dict(sizes.items())
    return itertools.product(*(range(start, start + size.evaluate(values)) for start, size in tensor.spans))


def points_of(indices: Sequence[Index], values: Values) -> Iterator[Entry]:
    """Every tuple of values of some indices, the last one running fastest."""
    return itertools.product(*(range(i.start, i.start + i.size.evaluate(values)) for i in indices))


@dataclass(frozen=True, slots=True)
class Expansion:
    """A program at given sizes; entries are made when asked for, once each.

    A tensor in `keep` stays a symbol although it has a definition.

    >>> from symbackprop.calculus.definitions import make_term
    >>> from symbackprop.calculus.indices import Affine, Index
    >>> from symbackprop.calculus.tensors import Read, Role
    >>> i, x = Index("i", Affine.of("N")), Tensor("x", (Affine.of("N"),), Role.INPUT)
    >>> loss = Tensor("loss", (), Role.DEFINED)
    >>> term = make_term((i,), slot_symbol(0) ** 2, (Read(x, (Affine.of(i),)),))
    >>> Expansion(Program((x,), (Definition(loss, (), (term,)),)), {"N": 2}).entry("loss", ())
    x[1]**2 + x[2]**2
    """

    program: Program
    sizes: Mapping[str, int]
    keep: frozenset[str] = frozenset()
    data: Mapping[Point, int] = field(default_factory=dict)
    _chosen: dict[tuple[str, Entry], dict[int, sympy.Basic]] = field(default_factory=dict, repr=False, compare=False)
    _made: dict[tuple[str, Entry], sympy.Expr] = field(default_factory=dict, repr=False, compare=False)
    _definitions: dict[str, Definition] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_sizes(self.program, self.sizes)
        check_data(self.program, self.sizes, self.data)
        self._definitions.update({d.tensor.name: d for d in self.program.definitions})

    def shape(self, tensor: Tensor) -> Entry:
        """The numbers of entries of the axes of a tensor, bases included."""
        values: dict[Any, int] = dict(self.sizes)
        return tuple(size.evaluate(values) for size in tensor.shape)

    def entries(self, name: str) -> Iterator[Entry]:
        """Every index tuple of a tensor in row-major order."""
        return entries_of(self.program.tensor(name), self.sizes)

    def entry(self, name: str, entry: Entry) -> sympy.Expr:
        """One entry of a tensor in the symbols of what is given or kept."""
        definition = self._definitions.get(name)
        if definition is None or name in self.keep:
            return entry_symbol(name, entry)
        key = (name, entry)
        if key not in self._made:
            if definition.argmax is not None:
                positions = self._positions(name, entry).items()
                self._made[key] = _choose([(sympy.Integer(k), condition) for k, condition in positions])
            elif definition.call is not None:
                self._call(definition, definition.call)
            else:
                values = self.start(dict(zip(definition.indices, entry, strict=True)))
                self._made[key] = sympy.Add(*(self.term(term, values) for term in definition.terms))
        return self._made[key]

    def _call(self, definition: Definition, call: Call) -> None:
        """Every entry of a function of a matrix."""
        size = call.operand.axes[0].evaluate(self.start({}))
        matrix = sympy.Matrix(size, size, lambda i, j: self.entry(call.operand.name, (int(i) + 1, int(j) + 1)))
        value = matrix_function(call.axiom, matrix)
        for entry in entries_of(definition.tensor, self.sizes):
            i, j = entry or (1, 1)
            self._made[definition.tensor.name, entry] = value[i - 1, j - 1]

    def start(self, indices: Mapping[Index, int]) -> dict[Any, int]:
        """Values of indices together with the sizes and the integer data."""
        values: dict[Any, int] = dict(self.sizes)
        values.update(self.data)
        values.update(indices)
        return values

    def term(self, term: Term, values: Values) -> sympy.Expr:
        """A term where its free indices and the sizes have values."""
        forms = [g.form for g in term.guards]
        forms += [f for s in term.slots for f in ((s.value,) if isinstance(s, Count) else s.at)]
        parts = []
        for point in points_of(term.bound, values):
            here: Values = {**values, **dict(zip(term.bound, point, strict=True))}
            branches = []
            for known, condition in self._alternatives(forms, here):
                value: sympy.Expr = sympy.Integer(0)
                if all(g.holds(known) for g in term.guards):
                    value = put_in(term.body, {slot_symbol(k): self.slot(s, known) for k, s in enumerate(term.slots)})
                branches.append((value, condition))
            parts.append(_choose(branches))
        return sympy.Add(*parts)

    def slot(self, slot: Slot, values: Values) -> sympy.Expr:
        """What a slot reads at given values of the indices and of integer entries; 0 outside the range of its
        tensor.
        """
        if isinstance(slot, Count):
            return sympy.Integer(slot.value.evaluate(values))
        entry = tuple(form.evaluate(values) for form in slot.at)
        return self.entry(slot.tensor.name, entry) if contains(slot.tensor, entry, self.sizes) else sympy.Integer(0)

    def _alternatives(self, forms: Iterable[Affine], values: Values) -> list[tuple[Values, sympy.Basic]]:
        """The values that the computed integers in forms may have, each with its condition."""
        found: list[tuple[Values, sympy.Basic]] = [(values, sympy.true)]
        for entry in _inside_first(forms):
            if entry.tensor not in self._definitions:
                continue
            following: list[tuple[Values, sympy.Basic]] = []
            for known, condition in found:
                at = tuple(form.evaluate(known) for form in entry.at)
                point = (entry.tensor, at)
                if point in known or not contains(self._definitions[entry.tensor].tensor, at, self.sizes):
                    following.append((known, condition))
                    continue
                for position, chosen in self._positions(entry.tensor, at).items():
                    both = sympy.And(condition, chosen)
                    if both is not sympy.false:
                        following.append(({**known, point: position}, both))
            found = following
        return found

    def _positions(self, name: str, at: Entry) -> dict[int, sympy.Basic]:
        """For every value of a computed integer the condition under which it has that value."""
        if (name, at) not in self._chosen:
            definition = self._definitions[name]
            values = self.start(dict(zip(definition.indices, at, strict=True)))
            conditions: dict[int, sympy.Basic] = {}
            which = definition.argmax or 0
            if not definition.terms:
                conditions = {1: sympy.true}
            for term in definition.terms:
                points = list(points_of(term.bound, values))
                fixed = replace(term, bound=())
                made = [self.term(fixed, {**values, **dict(zip(term.bound, p, strict=True))}) for p in points]
                for k, point in enumerate(points):
                    first = sympy.And(
                        *(_gap(made[k], v) > 0 for v in made[:k]), *(_gap(made[k], v) >= 0 for v in made[k + 1 :])
                    )
                    conditions[point[which]] = sympy.Or(conditions.get(point[which], sympy.false), first)
            self._chosen[name, at] = conditions
        return self._chosen[name, at]


def _gap(left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
    """left - right up to a positive factor; comparing it with 0 keeps SymPy from going round in circles."""
    return sympy.expand_mul(left - right).primitive()[1]


def _choose(branches: Sequence[tuple[sympy.Expr, sympy.Basic]]) -> sympy.Expr:
    """The value of the branch whose condition holds; exactly one does."""
    if all(value == branches[0][0] for value, _ in branches):
        return branches[0][0]
    return sympy.Piecewise(*branches[:-1], (branches[-1][0], True))


def _inside_first(forms: Iterable[Affine]) -> list[IntegerEntry]:
    """The entries of integer tensors in forms, each after those in its brackets."""
    return [entry for form in forms for entry in reversed(form.entries)]
