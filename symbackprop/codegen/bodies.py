"""A scalar body as records that each apply one function: a sum of two, a product of two, a power, a comparison.

Every step is shared by all bodies that take it, in the forward and in the backward pass. A number that multiplies goes
to the factor with the fewest indices, and what carries few indices is put together before it meets what carries many.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import sympy

from symbackprop.calculus.definitions import slot_number, slot_symbol
from symbackprop.calculus.indices import Index
from symbackprop.codegen.forms import Logistic, Positive, Softplus, is_safe, write_safely
from symbackprop.codegen.records import Constant, Map, Record, Use

ONE = sympy.Integer(1)
FIRST, SECOND = slot_symbol(0), slot_symbol(1)
IS_POSITIVE = FIRST > 0
LARGEST_SUM = 8
"""The number of terms up to which every pair is looked up among the records."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A value whose axes carry these indices; an index that it does not carry makes no difference to it."""

    value: int
    indices: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Scaled:
    """A number times an operand; without an operand, the number."""

    number: sympy.Expr
    operand: Operand | None = None


def use_of(operand: Operand, labels: tuple[Index, ...]) -> Use:
    """The operand as a record reads it whose labels stand for these indices."""
    return Use(operand.value, tuple(labels.index(i) for i in operand.indices))


class Records(ABC):
    """What makes records and knows those that are made."""

    @abstractmethod
    def make(self, record: Record, indices: tuple[Index, ...]) -> Operand:
        """The value of a record, made now unless it exists."""

    @abstractmethod
    def find(self, record: Record, indices: tuple[Index, ...]) -> Operand | None:
        """The value of a record if it exists."""

    @abstractmethod
    def number(self, operand: Operand) -> sympy.Expr | None:
        """The number that an operand is, or None."""

    @abstractmethod
    def is_condition(self, operand: Operand) -> bool:
        """Whether an operand says where something holds."""

    def is_early(self, operand: Operand) -> bool:
        """Whether an operand is known before others are, so that it meets its like first."""
        return False


class BodyBuilder:
    """Makes the records of bodies over operands, which slot k stands for in order.

    `quiet` says that a select discards the points at which the bodies have no finite value.
    """

    def __init__(self, records: Records, operands: Sequence[Operand], quiet: bool) -> None:
        self.records, self.operands, self.quiet = records, operands, quiet

    def build(self, body: sympy.Basic) -> Operand:
        """The value of a body."""
        if body.is_Mul:
            number, powers = self._powers(body)
            return self._whole(self._product(number, powers))
        return self._whole(self.scaled(body))

    def _whole(self, scaled: Scaled) -> Operand:
        """A number times an operand as one value."""
        if scaled.operand is None:
            return self.records.make(Constant(scaled.number), ())
        return self._scale(scaled.number, scaled.operand)

    def _scale(self, number: sympy.Expr, operand: Operand) -> Operand:
        return operand if number == 1 else self._map(number * FIRST, operand)

    def _map(self, body: sympy.Basic, *operands: Operand) -> Operand:
        """One function of operands."""
        found = self._find(body, *operands)
        if found is not None:
            return found
        out = self._labels(operands)
        return self.records.make(Map(body, tuple(use_of(o, out) for o in operands), self.quiet), out)

    def _find(self, body: sympy.Basic, *operands: Operand) -> Operand | None:
        """The function of operands if it exists."""
        out = self._labels(operands)
        uses = tuple(use_of(o, out) for o in operands)
        return self.records.find(Map(body, uses, False), out) or self.records.find(Map(body, uses, True), out)

    def _labels(self, operands: Sequence[Operand]) -> tuple[Index, ...]:
        """The indices of operands, first those of the widest, which is no condition if it can be."""
        widest = max(operands, key=lambda o: (len(o.indices), not self.records.is_condition(o)))
        return tuple(dict.fromkeys(widest.indices + tuple(i for o in operands for i in o.indices)))

    def scaled(self, body: sympy.Basic) -> Scaled:
        """The value of a body as a number times an operand."""
        if body.is_Symbol:
            operand = self.operands[slot_number(body)]
            number = self.records.number(operand)
            return Scaled(ONE, operand) if number is None else Scaled(number)
        if body.is_number or body in (sympy.true, sympy.false):
            return Scaled(body)
        if body.is_Mul:
            return self._scaled_product(*self._powers(body))
        if body.is_Add:
            return self._sum([self.scaled(a) for a in body.args])
        if body.is_Pow and body.exp.is_Integer:
            return self._scaled_product(*self._powers(body))
        if isinstance(body, sympy.Piecewise):
            return self._branches(body)
        if isinstance(body, Logistic | Softplus):
            return self._stable(body)
        parts = [self.scaled(a) for a in body.args]
        operands = [self._whole(part) for part in parts if part.operand is not None]
        slots = iter(range(len(operands)))
        arguments = [part.number if part.operand is None else slot_symbol(next(slots)) for part in parts]
        applied = body.func(*arguments)
        if applied == IS_POSITIVE:  # by the positive part, so that nothing keeps the number itself
            operands = [self._find(Positive(FIRST), *operands) or operands[0]]
        return Scaled(applied) if not operands else Scaled(ONE, self._map(applied, *operands))

    def _stable(self, body: sympy.Function) -> Scaled:
        """A logistic function or softplus by the exponential that all of the same argument share."""
        formula, builder = self._rewrite(body)
        return builder.scaled(formula)

    def _rewrite(self, body: sympy.Function) -> tuple[sympy.Expr, BodyBuilder]:
        """The formula of such a function of its argument, and who makes its records."""
        part = self.scaled(body.args[0])
        sign = -1 if part.number.is_negative and isinstance(body, Logistic) else 1
        argument = self._whole(Scaled(sign * part.number, part.operand))
        return write_safely(body.func(sign * FIRST)), BodyBuilder(self.records, [argument], self.quiet)

    def _branches(self, body: sympy.Piecewise) -> Scaled:
        """One choice after another, the last first."""
        value, condition = body.args[0].args
        bounded = isinstance(condition, sympy.Gt | sympy.Ge) and condition.args == (value, 0)
        if bounded and body.args[1:] == ((0, True),):
            return Scaled(ONE, self._map(Positive(FIRST), self._whole(self._branch(value))))
        pairs = [(self._branch(value), self.scaled(condition)) for value, condition in body.args]
        last, always = pairs.pop()
        chosen = last if always.number is sympy.true else self._choose(always, last, Scaled(sympy.nan))
        for value, condition in reversed(pairs):
            chosen = self._choose(condition, value, chosen)
        return chosen

    def _branch(self, value: sympy.Expr) -> Scaled:
        """What one condition leads to, computed also where it does not hold, and quietly there."""
        return (self if is_safe(value) else BodyBuilder(self.records, self.operands, True)).scaled(value)

    def _choose(self, condition: Scaled, value: Scaled, other: Scaled) -> Scaled:
        if condition.operand is None:
            return value if condition.number is sympy.true else other
        operands = [condition.operand]
        texts = []
        for each in (value, other):
            if each.operand is None:
                texts.append(each.number)
            else:
                texts.append(slot_symbol(len(operands)))
                operands.append(self._whole(each))
        return Scaled(ONE, self._map(sympy.Piecewise((texts[0], FIRST), (texts[1], True)), *operands))

    def _powers(self, body: sympy.Expr) -> tuple[sympy.Expr, list[tuple[Operand, int]]]:
        """A product as a number and powers of operands."""
        number, powers = ONE, list[tuple[Operand, int]]()
        falling: list[tuple[int, Operand]] = []
        for factor in sympy.Mul.make_args(body):
            base, exponent = factor.as_base_exp()
            if not exponent.is_Integer:
                base, exponent = factor, ONE
            scaled = self.scaled(base)
            number *= scaled.number**exponent
            if scaled.operand is not None:
                divisor = self._divisor(base) if exponent == 1 else None
                falling += [] if divisor is None else [(len(powers), divisor)]
                powers.append((scaled.operand, int(exponent)))
        if len(falling) == 1 < len(powers) and all(exponent > 0 for _, exponent in powers):
            ((place, divisor),) = falling  # several of them, multiplied, may be too large for a number
            powers[place] = divisor, -1
        return number, powers

    def _divisor(self, body: sympy.Expr) -> Operand | None:
        """1 + exp(u) where the body is a logistic function that falls with u: dividing by it takes one call less."""
        if not isinstance(body, Logistic):
            return None
        formula, builder = self._rewrite(body)
        return builder.build(1 / formula) if formula.is_Pow else None

    def _scaled_product(self, number: sympy.Expr, powers: Sequence[tuple[Operand, int]]) -> Scaled:
        """A product less its number."""
        return Scaled(number) if number == 0 else Scaled(number, self._product(ONE, powers).operand)

    def _product(self, number: sympy.Expr, powers: Sequence[tuple[Operand, int]]) -> Scaled:
        """The number goes to the factor with the fewest indices, and a divisor divides what has met it by then."""
        if number == 0:
            return Scaled(number)
        early = [(o, e) for o, e in powers if self.records.is_early(o)]
        if 1 < len(early) < len(powers):
            met = self._product(number, early)
            assert met.operand is not None
            return self._product(met.number, [*(p for p in powers if p not in early), (met.operand, 1)])
        sets = sorted(dict.fromkeys(frozenset(o.indices) for o, _ in powers), key=len)
        groups = [[(o, e) for o, e in powers if frozenset(o.indices) == labels] for labels in sets]
        total: Operand | None = None
        for group in groups:
            over = self._multiply(self._power(o, e) for o, e in group if e > 0)
            under = self._multiply(self._power(o, -e) for o, e in group if e < 0)
            if over is not None:
                scaled, number = self._scale(number, over), ONE
                total = scaled if total is None else self._commute(FIRST * SECOND, total, scaled)
            if under is not None:
                divided = self._map(number / FIRST, under) if total is None else self._map(FIRST / SECOND, total, under)
                total, number = divided, ONE if total is None else number
        return Scaled(number, total)

    def _power(self, operand: Operand, exponent: int) -> Operand:
        """A positive power by squares."""
        if exponent == 1:
            return operand
        square = self._map(FIRST**2, operand)
        half = self._power(square, exponent // 2)
        return self._commute(FIRST * SECOND, half, operand) if exponent % 2 else half

    def _multiply(self, operands: Iterable[Operand]) -> Operand | None:
        """The product of operands that carry the same indices, pairs that exist first."""
        left = list(operands)
        while len(left) > 1:
            pair = self._find_pair(left, lambda a, b: None is not self._find(FIRST * SECOND, *_ordered((a, b))))
            first, second = pair or (0, 1)
            right = left.pop(second)
            left[first] = self._commute(FIRST * SECOND, left[first], right)
        return left[0] if left else None

    def _find_pair(
        self, operands: Sequence[Operand], exists: Callable[[Operand, Operand], bool]
    ) -> tuple[int, int] | None:
        if not 2 < len(operands) <= LARGEST_SUM:
            return None
        return next(
            ((a, b) for a, b in combinations(range(len(operands)), 2) if exists(operands[a], operands[b])), None
        )

    def _commute(self, body: sympy.Expr, first: Operand, second: Operand) -> Operand:
        """A function of two operands whose order does not matter."""
        return self._map(body, *_ordered((first, second)))

    def _sum(self, addends: Sequence[Scaled]) -> Scaled:
        """Sums that exist first, then those of operands that carry the same indices, the fewest first."""
        constant = sympy.Add(*(a.number for a in addends if a.operand is None))
        terms = [a for a in addends if a.operand is not None]
        early = [t for t in terms if t.operand is not None and self.records.is_early(t.operand)]
        if 1 < len(early) < len(terms):
            terms = [t for t in terms if t not in early] + [self._sum(early)]
        while pair := self._find_sum(terms):
            first, second = terms[pair[0]], terms[pair[1]]
            terms = [t for k, t in enumerate(terms) if k not in pair] + [self._add(first, second)]
        total: Scaled | None = None
        for labels in sorted(dict.fromkeys(frozenset(_carried(t)) for t in terms), key=len):
            group: Scaled | None = None
            for term in terms:
                if frozenset(_carried(term)) == labels:
                    group = term if group is None else self._add(group, term)
            if group is not None:
                total = group if total is None else self._add(group, total)
            if total is not None and constant != 0:
                total, constant = self._offset(total, constant), sympy.Integer(0)
        return Scaled(constant) if total is None else total

    def _find_sum(self, terms: Sequence[Scaled]) -> tuple[int, int] | None:
        """Two of several terms whose sum exists."""
        if not 2 < len(terms) <= LARGEST_SUM:
            return None
        for a, b in combinations(range(len(terms)), 2):
            first, second = terms[a], terms[b]
            if first.operand is None or second.operand is None:
                continue
            ratio = second.number / first.number
            found = ratio == 1 and self._find(FIRST + SECOND, *_ordered((first.operand, second.operand)))
            if found or (ratio == -1 and self._difference(first.operand, second.operand) is not None):
                return a, b
        return None

    def _difference(self, first: Operand, second: Operand) -> int | None:
        """1 where first - second exists, -1 where second - first does."""
        if self._find(FIRST - SECOND, first, second):
            return 1
        return -1 if self._find(FIRST - SECOND, second, first) else None

    def _add(self, first: Scaled, second: Scaled) -> Scaled:
        """A sum of two; the number of the one with more indices is taken out."""
        if second.operand is None or first.operand is None:
            raise AssertionError("numbers are added to what is whole")
        if len(second.operand.indices) > len(first.operand.indices):
            first, second = second, first
        one, other = first.operand, second.operand
        assert one is not None
        assert other is not None
        ratio = second.number / first.number
        if ratio == -1:
            sign = self._difference(one, other) or (1 if first.number.is_positive else -1)
            pair = (one, other) if sign == 1 else (other, one)
            return Scaled(sign * first.number, self._map(FIRST - SECOND, *pair))
        if ratio.is_negative:
            return Scaled(first.number, self._map(FIRST - SECOND, one, self._scale(-ratio, other)))
        return Scaled(first.number, self._commute(FIRST + SECOND, one, self._scale(ratio, other)))

    def _offset(self, term: Scaled, constant: sympy.Expr) -> Scaled:
        """A sum with a number."""
        assert term.operand is not None
        if term.number == -1:
            return Scaled(ONE, self._map(constant - FIRST, term.operand))
        return Scaled(term.number, self._map(FIRST + constant / term.number, term.operand))


def _carried(term: Scaled) -> tuple[Index, ...]:
    return () if term.operand is None else term.operand.indices


def _ordered(operands: Iterable[Operand]) -> list[Operand]:
    """Operands in an order that no name of a tensor decides."""
    return sorted(operands, key=lambda o: (-len(o.indices), o.value, [(i.name, str(i.size)) for i in o.indices]))
