"""Array operations over named indices: bodies become maps, sums of products contractions, two factors at a time.

Each record is made once, so that equal work is shared, also between the forward and the backward pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy

from symbackprop.calculus.definitions import slot_number, slot_symbol, used_slots
from symbackprop.calculus.indices import Affine, Index
from symbackprop.codegen.contraction import choose_pair, split_product
from symbackprop.codegen.forms import is_safe, write_safely
from symbackprop.codegen.records import (
    Constant,
    Contract,
    Count,
    Map,
    Peak,
    Place,
    Position,
    Record,
    Spread,
    Use,
    Value,
)
from symbackprop.codegen.squares import find_square, is_never_negative


@dataclass(frozen=True, slots=True)
class Operand:
    """A value whose axes carry these indices; an index that it does not carry makes no difference to it."""

    value: int
    indices: tuple[Index, ...]


class Operations:
    """The records of a plan, each made once; `preferred` is the order in which a product has its axes if it can."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.numbers: dict[tuple[Record, tuple[Affine, ...]], int] = {}
        self.preferred: tuple[Index, ...] = ()

    def make(self, record: Record, indices: tuple[Index, ...]) -> Operand:
        """The value of a record, made now unless it exists."""
        axes = tuple(i.size for i in indices)
        number = self.numbers.setdefault((record, axes), len(self.values))
        if number == len(self.values):
            self.values.append(Value(record, axes))
        return Operand(number, indices)

    def spread(self, operand: Operand, indices: tuple[Index, ...]) -> Operand:
        """The operand with exactly these axes in this order."""
        if operand.indices == indices:
            return operand
        return self.make(Spread(use_of(operand, indices)), indices)

    def place(self, operand: Operand, pairs: Sequence[tuple[Index, Index]]) -> Operand:
        """The operand where the indices of each pair agree, and 0 elsewhere; it carries no second one."""
        if not pairs:
            return operand
        found = dict.fromkeys((*operand.indices, *(i for pair in pairs for i in pair)))
        out = tuple(i for i in self.preferred if i in found) + tuple(i for i in found if i not in self.preferred)
        labels = tuple((out.index(first), out.index(second)) for first, second in pairs)
        return self.make(Place(use_of(operand, out), labels), out)

    def count(self, size: Affine) -> Operand:
        """A size as a number."""
        return self.make(Count(Position((), size)), ())

    def element(self, body: sympy.Expr, operands: Sequence[Operand], quiet: bool = False) -> Operand:
        """The body at every point. Every function applied in it is a record of its own, which others can share."""
        leaves: dict[Operand, sympy.Symbol] = {}
        built = self._build(write_safely(body), operands, leaves, quiet)
        used = used_slots(built)
        kept = [o for k, o in enumerate(leaves) if k in used]
        if built.is_Symbol:
            return kept[0]
        if not kept:
            return self.make(Constant(built), ())
        order = sorted(kept, key=lambda o: (-len(o.indices), o.value, [(i.name, str(i.size)) for i in o.indices]))
        moved = {leaves[o]: slot_symbol(k) for k, o in enumerate(order)}
        widest = max(kept, key=lambda o: len(o.indices))
        out = tuple(dict.fromkeys(widest.indices + tuple(i for o in kept for i in o.indices)))
        return self.make(Map(built.xreplace(moved), tuple(use_of(o, out) for o in order), quiet), out)

    def _build(
        self, body: sympy.Basic, operands: Sequence[Operand], leaves: dict[Operand, sympy.Symbol], quiet: bool
    ) -> sympy.Basic:
        """The body over `leaves`, with every function applied in it replaced by a leaf."""

        def leaf(operand: Operand) -> sympy.Symbol:
            return leaves.setdefault(operand, slot_symbol(len(leaves)))

        if isinstance(body, sympy.Symbol):
            record = self.values[operands[slot_number(body)].value].record
            return record.number if isinstance(record, Constant) else leaf(operands[slot_number(body)])
        if body.is_number or body in (sympy.true, sympy.false):
            return body
        if isinstance(body, sympy.Piecewise):
            pairs = []
            for value, condition in body.args:
                if is_safe(value):
                    built = self._build(value, operands, leaves, quiet)
                else:  # a record of its own, which is computed quietly
                    built = leaf(self.element(value, operands, True))
                pairs.append((built, self._build(condition, operands, leaves, quiet)))
            return sympy.Piecewise(*pairs)
        if isinstance(body, sympy.Function) or (body.is_Pow and not body.args[1].is_Integer):
            inner = [self.element(a, operands, quiet) if not a.is_number else None for a in body.args]
            arguments = [slot_symbol(k) if o is not None else body.args[k] for k, o in enumerate(inner)]
            return leaf(self._map(body.func(*arguments), inner, quiet))
        if isinstance(body, sympy.Mul):
            scalars: list[sympy.Expr] = []
            others: list[sympy.Expr] = []
            for whole in body.args:
                number, factor = whole.primitive() if whole.is_Add else (sympy.Integer(1), whole)
                if number != 1:
                    scalars.append(number)
                    operands = [*operands, self.element(factor, operands, quiet)]
                    factor = slot_symbol(len(operands) - 1)
                carried = [operands[k].indices for k in used_slots(factor)]
                (others if any(carried) else scalars).append(factor)
            if others and any(not s.is_number for s in scalars):
                scalar = leaf(self.element(sympy.Mul(*scalars), operands, quiet))
                return sympy.Mul(scalar, *(self._build(o, operands, leaves, quiet) for o in others))
        return body.func(*(self._build(a, operands, leaves, quiet) for a in body.args))

    def _map(self, body: sympy.Expr, arguments: Sequence[Operand | None], quiet: bool) -> Operand:
        """A function of operands; None stands for an argument that is a number."""
        kept = {k: o for k, o in enumerate(arguments) if o is not None}
        out = tuple(dict.fromkeys(i for o in kept.values() for i in o.indices))
        moved = {slot_symbol(k): slot_symbol(n) for n, k in enumerate(kept)}
        return self.make(Map(body.xreplace(moved), tuple(use_of(o, out) for o in kept.values()), quiet), out)

    def sum(self, body: sympy.Expr, operands: Sequence[Operand], bound: tuple[Index, ...], quiet: bool) -> Operand:
        """The sum of the body over bound indices, each of which an operand carries."""
        if not bound:
            return self.element(body, operands, quiet)
        carried = [frozenset(o.indices) for o in operands]
        alone: list[sympy.Expr] = []
        parts: list[Operand] = []
        for addend in sympy.Add.make_args(body):
            square = self._square(addend, operands, bound, quiet)
            if square is not None:
                parts.append(square)
                continue
            outside, groups = split_product(addend, carried, frozenset(bound))
            missing = [i for i in bound if not any(i in labels for labels in groups)]
            if len(groups) < 2 and body.is_Add and not missing:
                alone.append(addend)
                continue
            inside = self._contract(
                [(labels, list(factors)) for labels, factors in groups.items()], operands, bound, quiet
            )
            extra = [inside, *(self.count(i.size) for i in missing)]
            start = len(operands)
            product = sympy.Mul(outside, *(slot_symbol(start + k) for k in range(len(extra))))
            parts.append(self.element(product, [*operands, *extra], quiet))
        if alone:
            parts.append(self.reduce(self.element(sympy.Add(*alone), operands, quiet), bound))
        return self.element(sympy.Add(*(slot_symbol(k) for k in range(len(parts)))), parts, quiet)

    def _square(
        self, product: sympy.Expr, operands: Sequence[Operand], bound: tuple[Index, ...], quiet: bool
    ) -> Operand | None:
        """A weighted sum of a matrix with itself as one array times its transpose, if the product is one."""
        found = find_square(product, [o.indices for o in operands], bound)
        if found is None:
            return None
        left, right, weight = (self.element(e, operands, quiet) for e in (found.left, found.right, found.weight))
        places = [o.indices.index(bound[0]) for o in (left, right)]
        if left.value != right.value or places[0] != places[1] or not is_never_negative(self.values, weight.value):
            return None
        root = self.element(sympy.sqrt(slot_symbol(0)), [weight], quiet)
        times = slot_symbol(0) * slot_symbol(1)
        inside = self._product_sum(
            self.element(times, [left, root], quiet), self.element(times, [right, root], quiet), bound
        )
        return self.element(found.outside * slot_symbol(len(operands)), [*operands, inside], quiet)

    def _contract(
        self,
        groups: list[tuple[frozenset[Index], list[sympy.Expr]]],
        operands: Sequence[Operand],
        bound: tuple[Index, ...],
        quiet: bool,
    ) -> Operand:
        """The sum of a product whose factors are grouped by the indices that they carry, two groups at a time."""
        if not groups:
            return self.make(Constant(sympy.Integer(1)), ())
        if len(groups) == 1:
            labels, factors = groups[0]
            whole = [f for f in factors if self._carries(f, operands) == labels]
            if len(factors) > 1 and whole:
                rest = list(factors)
                rest.remove(whole[0])
                pair = [self.element(f, operands, quiet) for f in (whole[0], sympy.Mul(*rest))]
                if set(pair[1].indices) == labels:
                    return self._product_sum(pair[0], pair[1], bound)
            return self.reduce(self.element(sympy.Mul(*factors), operands, quiet), bound)
        pending = [self.element(sympy.Mul(*factors), operands, quiet) for _, factors in groups]
        while len(pending) > 1:
            first, second = choose_pair([frozenset(o.indices) for o in pending], frozenset(bound))
            left, right = pending[first], pending[second]
            others = [o for k, o in enumerate(pending) if k not in (first, second)]
            ready = tuple(i for i in bound if not any(i in o.indices for o in others))
            pending = [*others, self._product_sum(left, right, ready)]
        return pending[0]

    def _carries(self, factor: sympy.Expr, operands: Sequence[Operand]) -> frozenset[Index]:
        return frozenset(i for k in used_slots(factor) for i in operands[k].indices)

    def _product_sum(self, left: Operand, right: Operand, bound: tuple[Index, ...]) -> Operand:
        """The sum of left * right over those of `bound` that they carry."""
        left = self.reduce(left, tuple(i for i in bound if i not in right.indices))
        right = self.reduce(right, tuple(i for i in bound if i not in left.indices))
        shared = tuple(i for i in left.indices if i in bound)
        if not shared:
            return self.element(slot_symbol(0) * slot_symbol(1), [left, right])
        batch = [i for i in left.indices if i in right.indices and i not in shared]
        rows = [i for i in left.indices if i not in right.indices]
        columns = [i for i in right.indices if i not in left.indices]
        place = {i: k for k, i in enumerate(self.preferred)}
        if rows and columns and place.get(columns[0], len(place)) < place.get(rows[0], len(place)):
            left, right, rows, columns = right, left, columns, rows
        out = tuple(batch + rows + columns)
        return self.make(Contract((use_of(left, out + shared), use_of(right, out + shared))), out)

    def reduce(self, operand: Operand, bound: Iterable[Index], peak: bool = False) -> Operand:
        """The sum, or the largest entry, over those of `bound` that the operand carries."""
        summed = tuple(i for i in bound if i in operand.indices)
        if not summed:
            return operand
        out = tuple(i for i in operand.indices if i not in summed)
        use = use_of(operand, out + summed)
        return self.make(Peak(use) if peak else Contract((use,)), out)


def use_of(operand: Operand, labels: tuple[Index, ...]) -> Use:
    return Use(operand.value, tuple(labels.index(i) for i in operand.indices))
