"""Array operations over named indices: bodies become maps, sums of products contractions, two factors at a time.

Each record is made once, so that equal work is shared, also between the forward and the backward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import sympy

from symbackprop.calculus.definitions import slot_symbol, used_slots
from symbackprop.calculus.indices import Affine, Index
from symbackprop.codegen.bodies import BodyBuilder, Operand, Records, use_of
from symbackprop.codegen.contraction import choose_pair, narrow_masks, split_product
from symbackprop.codegen.records import (
    Constant,
    Contract,
    Count,
    Peak,
    Place,
    Position,
    Record,
    Spread,
    Value,
    is_condition,
)
from symbackprop.codegen.squares import find_square, is_never_negative


class Operations(Records):
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

    def find(self, record: Record, indices: tuple[Index, ...]) -> Operand | None:
        """The value of a record if it exists."""
        number = self.numbers.get((record, tuple(i.size for i in indices)))
        return None if number is None else Operand(number, indices)

    def number(self, operand: Operand) -> sympy.Expr | None:
        """The number that an operand is, or None."""
        record = self.values[operand.value].record
        return record.number if isinstance(record, Constant) else None

    def is_condition(self, operand: Operand) -> bool:
        """Whether an operand says where something holds, as true and false or as 1 and 0."""
        return is_condition(self.values[operand.value].record)

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
        """The body at every point, by records that each apply one function."""
        return BodyBuilder(self, operands, quiet).build(body)

    def sum(self, body: sympy.Expr, operands: Sequence[Operand], bound: tuple[Index, ...], quiet: bool) -> Operand:
        """The sum of the body over bound indices, each of which an operand carries."""
        if not bound:
            return self.element(body, operands, quiet)
        carried = [frozenset(o.indices) for o in operands]
        alone: list[sympy.Expr] = []
        parts: list[Operand] = []
        for addend in sympy.Add.make_args(body):
            narrow = narrow_masks(addend, carried)
            square = self._square(narrow, operands, bound, quiet)
            if square is not None:
                parts.append(square)
                continue
            outside, groups = split_product(narrow, carried, frozenset(bound))
            missing = [i for i in bound if not any(i in labels for labels in groups)]
            if len(groups) < 2 and body.is_Add and not missing:
                alone.append(addend)
                continue
            numbers: list[sympy.Expr] = []

            def factor(part: sympy.Expr, numbers: list[sympy.Expr] = numbers) -> Operand:
                """The value of a factor less its number, which the sum is multiplied by."""
                found = BodyBuilder(self, operands, quiet).scaled(part)
                numbers.append(found.number)
                return self.make(Constant(sympy.Integer(1)), ()) if found.operand is None else found.operand

            inside = self._contract(
                [(labels, list(factors)) for labels, factors in groups.items()], operands, bound, factor
            )
            extra = [inside, *(self.count(i.size) for i in missing)]
            start = len(operands)
            product = sympy.Mul(outside, *numbers, *(slot_symbol(start + k) for k in range(len(extra))))
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
        times, outside = slot_symbol(0) * slot_symbol(1), found.outside
        alone = [f for f in sympy.Mul.make_args(outside) if not self._carries(f, operands)]
        scale = self.element(sympy.Mul(*alone), operands, quiet)
        if is_never_negative(self.values, scale.value):
            weight, outside = self.element(times, [weight, scale], quiet), outside / sympy.Mul(*alone)
        root = self.element(sympy.sqrt(slot_symbol(0)), [weight], quiet)
        inside = self._product_sum(
            self.element(times, [left, root], quiet), self.element(times, [right, root], quiet), bound
        )
        return self.element(outside * slot_symbol(len(operands)), [*operands, inside], quiet)

    def _contract(
        self,
        groups: list[tuple[frozenset[Index], list[sympy.Expr]]],
        operands: Sequence[Operand],
        bound: tuple[Index, ...],
        factor: Callable[[sympy.Expr], Operand],
    ) -> Operand:
        """The sum of a product whose factors are grouped by the indices that they carry, two groups at a time;
        `factor` makes the value of one.
        """
        if not groups:
            return self.make(Constant(sympy.Integer(1)), ())
        if len(groups) == 1:
            labels, factors = groups[0]
            whole = [f for f in factors if self._carries(f, operands) == labels]
            if len(factors) > 1 and whole:
                rest = list(factors)
                rest.remove(whole[0])
                if self._carries(sympy.Mul(*rest), operands) == labels:
                    pair = factor(whole[0]), factor(sympy.Mul(*rest))
                    return self._product_sum(pair[0], pair[1], bound)
            return self.reduce(factor(sympy.Mul(*factors)), bound)
        pending = [factor(sympy.Mul(*factors)) for _, factors in groups]
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
        if not rows and not columns and (self.is_condition(left) or self.is_condition(right)):
            return self.reduce(self.element(slot_symbol(0) * slot_symbol(1), [left, right]), bound)
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
