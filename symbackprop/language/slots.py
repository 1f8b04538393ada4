"""The slots of a term while it is read, and what a value over them is known to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import sympy
from sympy.core.relational import Relational

from symbackprop.calculus.definitions import slot_number, slot_symbol
from symbackprop.calculus.indices import Affine, Index, bounds, is_nonnegative
from symbackprop.calculus.tensors import Count, Slot, Tensor
from symbackprop.language.tree import Expression
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree


@dataclass(slots=True)
class Slots:
    """The slots of one term, numbered as they are read."""

    numbers: dict[Slot, int] = field(default_factory=dict)

    def symbol(self, slot: Slot) -> sympy.Symbol:
        """The symbol of a slot, a new number at its first use."""
        return slot_symbol(self.numbers.setdefault(slot, len(self.numbers)))

    def found(self) -> tuple[Slot, ...]:
        """The slots in reading order."""
        return tuple(self.numbers)

    def copy(self) -> Slots:
        """The slots so far, to which something may be added without a trace."""
        return Slots(dict(self.numbers))

    def count(self, indices: list[Index]) -> sympy.Expr:
        """The number of values that indices run over together."""
        total = sympy.Integer(1)
        for index in indices:
            size = index.size.integer
            total *= self.symbol(Count(index.size)) if size is None else sympy.Integer(size)
        return total


def round_bound(condition: sympy.Basic, slots: tuple[Slot, ...]) -> sympy.Basic:
    """A comparison of one whole number with a fraction as one with the next whole number: t > 3/2 is t >= 2.

    >>> t = sympy.Symbol("s0")
    >>> round_bound(2 * t > 3, (Count(Affine.of("T")),)), round_bound(2 * t > 4, (Count(Affine.of("T")),))
    (s0 >= 2, 2*s0 > 4)
    """
    symbols = sorted(condition.free_symbols, key=str)
    if not isinstance(condition, Relational) or len(symbols) != 1:
        return condition
    (symbol,), gap = symbols, sympy.expand(condition.lhs - condition.rhs)
    slope = gap.coeff(symbol)
    bound = -(gap - slope * symbol) / slope if slope.is_Rational and slope else sympy.Symbol("none")
    if not bound.is_Rational or bound.is_Integer or not isinstance(slots[slot_number(symbol)], Count):
        return condition
    if isinstance(condition, sympy.Eq | sympy.Ne):
        return sympy.true if isinstance(condition, sympy.Ne) else sympy.false
    above = isinstance(condition, sympy.Gt | sympy.Ge) == bool(slope > 0)
    return symbol >= sympy.ceiling(bound) if above else symbol <= sympy.floor(bound)


def check_constant(kind: str, value: sympy.Expr, tree: Expression) -> None:
    """FormulaError where a number is not "nonzero", "positive" or "nonnegative" as it must be."""
    holds = {"nonzero": value != 0, "positive": value > 0, "nonnegative": value >= 0}
    if not holds[kind]:
        raise fail(tree, f"`{write_tree(tree)}`, which is {value}", f"something {kind}")


def holds_always(kind: str, value: sympy.Expr, slots: tuple[Slot, ...], positive: Callable[[Tensor], bool]) -> bool:
    """Whether a value is of a kind for all real values of what it reads; sizes and `positive` tensors are above 0."""
    symbols = {}
    for number, slot in enumerate(slots):
        known = _is_positive_count(slot) if isinstance(slot, Count) else positive(slot.tensor)
        symbols[slot_symbol(number)] = sympy.Symbol(f"r{number}", **{"positive" if known else "real": True})
    real = value.xreplace(symbols)
    holds = {"nonzero": real.is_nonzero, "positive": real.is_positive, "nonnegative": real.is_nonnegative}
    return bool(holds[kind])


def slot_letters(slot: Slot) -> tuple[Index, ...]:
    """The indices that a slot is read at."""
    return slot.value.indices if isinstance(slot, Count) else tuple(i for form in slot.at for i in form.indices)


def _is_positive_count(slot: Count) -> bool:
    low, _ = bounds(slot.value)
    return low is not None and is_nonnegative(low - Affine.of(1))
