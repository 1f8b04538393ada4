"""Programs at given sizes as scalar nodes: every entry of every definition is made once, from entries made before it.

Indices, guards and positions that follow from the sizes are worked out here; what depends on integer data becomes a
comparison, or a choice among the entries that it may mean.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sympy

from symbackprop.calculus.definitions import Call, Definition, Term
from symbackprop.calculus.expansion import Entry, contains, entries_of, points_of
from symbackprop.calculus.guards import Equal, Guard
from symbackprop.calculus.indices import Affine, Quotient, Remainder, compare_range
from symbackprop.calculus.indices import Entry as IntegerEntry
from symbackprop.calculus.tensors import Count, Slot, Tensor, slot_indices
from symbackprop.codegen.scalar_bodies import BodyBuilder
from symbackprop.codegen.scalar_nodes import Nodes
from symbackprop.codegen.stability import PeakDefinition, StableDefinition
from symbackprop.errors import UnsupportedError

Key = tuple[str, Entry]
MATRIX_FUNCTIONS = MappingProxyType({"inv": "matrix_inverse", "det": "determinant", "logdet": "log_determinant"})


class _Missing(Exception):
    """An entry that has to be made first."""

    def __init__(self, key: Key) -> None:
        self.key = key


class Unroller:
    """The nodes of the entries of definitions, from the nodes of the given ones.

    Raises UnsupportedError where entries need each other in a circle, and LimitError where the code becomes too long.
    """

    def __init__(
        self,
        nodes: Nodes,
        given: Mapping[Key, int],
        tensors: Mapping[str, Tensor],
        definitions: Sequence[StableDefinition],
        sizes: Mapping[str, int],
    ) -> None:
        self.nodes, self.tensors, self.sizes = nodes, dict(tensors), dict(sizes)
        self.tensors |= {d.tensor.name: d.tensor for d in definitions}
        self.definitions = {d.tensor.name: d for d in definitions}
        self.entries: dict[Key, int] = dict(given)
        self.order: list[Key] = []
        self._bodies = BodyBuilder(nodes)
        self._reduced: dict[tuple[sympy.Expr, tuple[tuple[sympy.Symbol, int], ...]], sympy.Expr] = {}

    def run(self) -> None:
        """Make every entry."""
        for name, definition in self.definitions.items():
            for entry in entries_of(definition.tensor, self.sizes):
                self._make((name, entry))

    def _make(self, first: Key) -> None:
        """Make an entry after those that it reads."""
        waiting = [first]
        while waiting:
            key = waiting[-1]
            if key in self.entries:
                waiting.pop()
                continue
            try:
                node = self._build(key)
            except _Missing as missing:
                if missing.key in waiting:
                    shown = f"{missing.key[0]}[{','.join(map(str, missing.key[1]))}]"
                    raise UnsupportedError(f"There is no scalar code where {shown} may read itself.") from None
                waiting.append(missing.key)
                continue
            self.entries.setdefault(key, node)
            self.order.append(key)
            waiting.pop()

    def _build(self, key: Key) -> int:
        name, entry = key
        definition = self.definitions[name]
        values: dict[Any, int] = {**self.sizes, **dict(zip(definition.indices, entry, strict=True))}
        if isinstance(definition, PeakDefinition):
            term = Term(definition.bound, definition.body, definition.slots)
            found = [self._point(term, values, point) for point in points_of(definition.bound, values)]
            return self.nodes.make("largest", found) if len(found) > 1 else found[0]
        if definition.argmax is not None:
            return self._first(definition, values)
        if definition.call is not None:
            return self._matrix(definition.call, entry)
        return self.nodes.total([self._term(term, values) for term in definition.terms])

    def _term(self, term: Term, values: Mapping[Any, int]) -> int:
        """The sum of a term; factors without bound indices stand before it."""
        if not term.bound or any(guard.form.entries for guard in term.guards):
            return self.nodes.total([self._point(term, values, p) for p in points_of(term.bound, values)])
        bound = {i.name for i in term.bound}
        inner: list[sympy.Expr] = []
        outer: list[sympy.Expr] = []
        for factor in sympy.Mul.make_args(term.body):
            reads = {i.name for s in factor.free_symbols for i in slot_indices(term.slots[int(str(s)[1:])])}
            (inner if reads & bound else outer).append(factor)
        outside = Term((), sympy.Mul(*outer), term.slots)
        inside = Term(term.bound, sympy.Mul(*inner), term.slots, term.guards)
        total = self.nodes.total([self._point(inside, values, p) for p in points_of(term.bound, values)])
        if total == self.nodes.zero or not outer:
            return total
        return self._scale(outside.body, term, values, total)

    def _scale(self, factor: sympy.Expr, term: Term, values: Mapping[Any, int], total: int) -> int:
        """A sum with the factor that stands before it."""
        nodes = self.nodes
        number, rest = factor.as_coeff_Mul(rational=True)
        if rest == 1 and abs(number.p) == 1:
            value = nodes.quotient(total, nodes.number(float(number.q)))
            return nodes.negative(value) if number.p < 0 else value
        if number.is_negative:
            return nodes.negative(self._scale(-factor, term, values, total))
        return nodes.product([self._point(Term((), factor, term.slots), values, ()), total])

    def _point(self, term: Term, values: Mapping[Any, int], point: Sequence[int]) -> int:
        """A term at one point of its bound indices, 0 where a guard does not hold."""
        here = {**values, **dict(zip(term.bound, point, strict=True))}
        condition = self.nodes.both([self._holds(guard, here) for guard in term.guards])
        if condition is False:
            return self.nodes.zero
        return self.nodes.choice(condition, self._body(term, here), self.nodes.zero)

    def _body(self, term: Term, values: Mapping[Any, int]) -> int:
        slots: dict[sympy.Symbol, int] = {}
        known: dict[sympy.Symbol, int] = {}
        labels: dict[sympy.Symbol, frozenset[str]] = {}
        for symbol in sorted(term.body.free_symbols, key=str):
            slot = term.slots[int(str(symbol)[1:])]
            labels[symbol] = frozenset(i.name for i in slot_indices(slot))
            if isinstance(slot, Count) and not slot.value.entries:
                known[symbol] = slot.value.evaluate(values)
                continue
            slots[symbol] = self._slot(slot, values)
            if slots[symbol] == self.nodes.zero:
                known[symbol] = 0
        return self._bodies.build(self._reduce(term.body, known, slots), slots, labels)

    def _reduce(
        self, body: sympy.Expr, known: Mapping[sympy.Symbol, int], slots: Mapping[sympy.Symbol, int]
    ) -> sympy.Expr:
        """The body with numbers put in: sizes and indices, and 0 for what is read outside where it then has a value."""
        key = body, tuple(sorted(known.items(), key=str))
        if key not in self._reduced:
            numbers = {symbol: sympy.Integer(value) for symbol, value in known.items()}
            full = body.xreplace(numbers) if numbers else body
            if full.has(sympy.zoo, sympy.nan, sympy.oo):
                full = body.xreplace({symbol: value for symbol, value in numbers.items() if symbol not in slots})
            self._reduced[key] = full
        return self._reduced[key]

    def _slot(self, slot: Slot, values: Mapping[Any, int]) -> int:
        if isinstance(slot, Count):
            return self.nodes.make("call", (self._integer(slot.value, values),), "float")
        return self._read(slot.tensor, slot.at, values, self.nodes.zero)

    def _read(self, tensor: Tensor, at: Sequence[Affine], values: Mapping[Any, int], outside: int) -> int:
        """The node of what is read; `outside` where that is outside of its tensor."""
        nodes = self.nodes
        axes: list[Sequence[int]] = []
        inside: list[int | bool] = []
        parts: list[tuple[int, int]] = []
        shift = 0
        for form, (start, size) in zip(at, tensor.spans, strict=True):
            number = size.evaluate(values)
            if not form.entries:
                axes.append((form.evaluate(values),))
                continue
            axes.append(range(start, start + number))
            position = self._integer(form, values)
            parts = [(c * number, n) for c, n in parts] + [(1, position)]
            shift = shift * number - start
            if compare_range(form, size, start) is not True:
                inside += [
                    nodes.compare("<=", nodes.integer(start), position),
                    nodes.compare("<", position, nodes.integer(start + number)),
                ]
        found = [
            self._entry((tensor.name, entry)) if contains(tensor, entry, self.sizes) else outside
            for entry in itertools.product(*axes)
        ]
        if not parts:
            return found[0]
        condition = nodes.both(inside)
        if condition is True:
            return nodes.pick(nodes.affine(parts, shift), found)
        place = nodes.choice(condition, nodes.affine(parts, shift + 1), nodes.integer(0))
        return nodes.pick(place, [outside, *found])

    def _entry(self, key: Key) -> int:
        if key not in self.entries:
            raise _Missing(key)
        return self.entries[key]

    def _integer(self, form: Affine, values: Mapping[Any, int]) -> int:
        """The node of an integer form."""
        nodes = self.nodes
        parts: list[tuple[int, int]] = []
        constant = form.constant
        for atom, coefficient in form.terms:
            if not Affine.of(atom).entries:
                constant += coefficient * Affine.of(atom).evaluate(values)
            elif isinstance(atom, IntegerEntry):
                tensor = self.tensors[atom.tensor]
                parts.append((coefficient, self._read(tensor, atom.at, values, nodes.integer(0))))
            elif isinstance(atom, Quotient | Remainder):
                kind = "floor" if isinstance(atom, Quotient) else "remainder"
                inner = [self._integer(part, values) for part in (atom.form, atom.divisor)]
                parts.append((coefficient, nodes.make(kind, inner)))
        return nodes.affine(parts, constant)

    def _holds(self, guard: Guard, values: Mapping[Any, int]) -> int | bool:
        """Whether a guard holds, or the node that says so."""
        if not guard.form.entries:
            return guard.holds(values)
        nodes = self.nodes
        if isinstance(guard, Equal):
            rest = Affine(guard.form.terms, 0)
            known = sum(c * Affine.of(a).evaluate(values) for a, c in rest.terms if not Affine.of(a).entries)
            wanted = -guard.form.constant - known
            left = Affine(tuple((a, c) for a, c in rest.terms if Affine.of(a).entries), 0)
            if all(c < 0 for _, c in left.terms):
                left, wanted = left * -1, -wanted
            return nodes.compare("==", self._integer(left, values), nodes.integer(wanted))
        position, start = self._integer(guard.form, values), guard.start
        end = start + guard.size.evaluate(values)
        return nodes.both(
            [
                nodes.compare("<=", nodes.integer(start), position),
                nodes.compare("<", position, nodes.integer(end)),
            ]
        )

    def _first(self, definition: Definition, values: Mapping[Any, int]) -> int:
        """The value of a bound index at which a body is largest first."""
        if not definition.terms:
            return self.nodes.integer(1)
        term, which = definition.terms[0], definition.argmax or 0
        points = list(points_of(term.bound, values))
        found = [self._point(term, values, point) for point in points]
        if len(points) == 1:
            return self.nodes.integer(points[0][which])
        place = self.nodes.make("first", found)
        return self.nodes.pick(place, [self.nodes.integer(point[which]) for point in points])

    def _matrix(self, call: Call, entry: Entry) -> int:
        """An entry of a function of a whole matrix."""
        parts = [self._entry((call.operand.name, at)) for at in entries_of(call.operand, self.sizes)]
        value = self.nodes.make("matrix", parts, MATRIX_FUNCTIONS[call.axiom])
        if not entry:
            return value
        size = call.operand.axes[0].evaluate(dict(self.sizes.items()))
        return self.nodes.make("item", (value,), str((entry[0] - 1) * size + entry[1] - 1))
