"""Programs written out at given sizes: every entry of every tensor as one SymPy expression.

This is the plain meaning of a program, against which everything else is checked. An entry of a given tensor is the
symbol "W[1,2]"; a scalar is its name. Indices count from 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sympy

from symbackprop.calculus.definitions import Definition, Term, slot_symbol
from symbackprop.calculus.indices import Atom
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Slot, Tensor
from symbackprop.errors import ArgumentError

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
    _made: dict[tuple[str, Entry], sympy.Expr] = field(default_factory=dict, repr=False, compare=False)
    _definitions: dict[str, Definition] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_sizes(self.program, self.sizes)
        self._definitions.update({d.tensor.name: d for d in self.program.definitions})

    def shape(self, tensor: Tensor) -> Entry:
        """The sizes of the axes of a tensor, as integers."""
        values: dict[Atom, int] = dict(self.sizes.items())
        return tuple(axis.evaluate(values) for axis in tensor.axes)

    def entries(self, name: str) -> Iterator[Entry]:
        """Every index tuple of a tensor in row-major order."""
        shape = self.shape(self.program.tensor(name))
        return itertools.product(*(range(1, n + 1) for n in shape))

    def entry(self, name: str, entry: Entry) -> sympy.Expr:
        """One entry of a tensor in the symbols of what is given or kept."""
        definition = self._definitions.get(name)
        if definition is None or name in self.keep:
            return entry_symbol(name, entry)
        key = (name, entry)
        if key not in self._made:
            values: dict[Atom, int] = dict(self.sizes) | dict(zip(definition.indices, entry, strict=True))
            self._made[key] = sympy.Add(*(self.term(term, values) for term in definition.terms))
        return self._made[key]

    def term(self, term: Term, values: Mapping[Atom, int]) -> sympy.Expr:
        """A term where its free indices and the sizes have values."""
        parts = []
        for point in itertools.product(*(range(1, i.size.evaluate(values) + 1) for i in term.bound)):
            here: dict[Atom, int] = {**values, **dict(zip(term.bound, point, strict=True))}
            if any(g.form.evaluate(here) for g in term.guards):
                continue
            parts.append(term.body.xreplace({slot_symbol(k): self.slot(s, here) for k, s in enumerate(term.slots)}))
        return sympy.Add(*parts)

    def slot(self, slot: Slot, values: Mapping[Atom, int]) -> sympy.Expr:
        """What a slot reads at given values of the indices."""
        if isinstance(slot, Count):
            return sympy.Integer(slot.value.evaluate(values))
        return self.entry(slot.tensor.name, tuple(form.evaluate(values) for form in slot.at))
