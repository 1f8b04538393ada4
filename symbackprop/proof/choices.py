"""Comparisons left open: a symbol in the place of each, which is 1 where it holds and 0 where it does not.

What is proved whatever such symbols are worth holds on all paths that they stand for. Where it needs to know more, the
alternatives are gone through, those of the symbols that one equation reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sympy as sp

from symbackprop.proof.cuts import PREFIX
from symbackprop.proof.facts import Fact
from symbackprop.proof.problems import realise

_NAME = f"{PREFIX}choice "


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the ways in which something is chosen: 1 where it is taken; what its symbols are worth there; and what is
    positive there, as it was computed.
    """

    indicator: sp.Expr
    values: Mapping[sp.Symbol, sp.Expr]
    positive: tuple[sp.Expr, ...]

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Where it is taken."""
        return tuple(Fact(realise(each), ">") for each in self.positive)

    def tell(self, expression: sp.Expr) -> sp.Expr:
        """An expression as it is where the alternative is taken; its symbols may be real ones."""
        values = {symbol.name: value for symbol, value in self.values.items()}
        return expression.xreplace({s: values[s.name] for s in expression.free_symbols if s.name in values})


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Alternatives of which one is taken at each point beside ties, and the number of that at the sample point."""

    alternatives: tuple[Alternative, ...]
    taken: int


class Choices:
    """What was left open in one run, in the order in which it was met.

    >>> x, y = sp.symbols("x y")
    >>> choices = Choices()
    >>> [each.indicator for each in choices.of_sign(x - y, 1).alternatives]
    [#choice 1, 1 - #choice 1]
    """

    def __init__(self) -> None:
        self._made: dict[object, Choice] = {}
        self._read_by: dict[str, Choice] = {}  # the name of a symbol to what it tells
        self._compared: set[sp.Expr] = set()

    def __len__(self) -> int:
        return len(self._made)

    def facts(self) -> tuple[Fact, ...]:
        """What holds at the sample point of what was left open."""
        return tuple(fact for choice in self._made.values() for fact in choice.alternatives[choice.taken].facts)

    def of_sign(self, difference: sp.Expr, sign: int) -> Choice:
        """Whether a difference is positive; `sign` is what it is at the sample point."""
        if difference not in self._made:
            (symbol,) = self._new_symbols(1)
            above = Alternative(symbol, {symbol: sp.S.One}, (difference,))
            below = Alternative(1 - symbol, {symbol: sp.S.Zero}, (-difference,))
            self._keep(difference, Choice((above, below), 0 if sign > 0 else 1))
        return self._made[difference]

    def of_largest(self, numbers: tuple[sp.Expr, ...], taken: int) -> Choice:
        """Which of some different numbers is the largest; `taken` is the one at the sample point."""
        if numbers not in self._made:
            symbols = self._new_symbols(len(numbers))
            alternatives = []
            for number, symbol in zip(numbers, symbols, strict=True):
                values = {each: sp.Integer(each == symbol) for each in symbols}
                beaten = tuple(number - other for other in numbers if other is not number)
                alternatives.append(Alternative(symbol, values, beaten))
            self._keep(numbers, Choice(tuple(alternatives), taken))
        return self._made[numbers]

    def _new_symbols(self, count: int) -> list[sp.Symbol]:
        first = len(self._read_by) + 1
        return [sp.Symbol(f"{_NAME}{first + k}") for k in range(count)]

    def _keep(self, key: object, choice: Choice) -> None:
        self._made[key] = choice
        self._read_by.update({symbol.name: choice for symbol in choice.alternatives[0].values})
        self._compared.update(each for alternative in choice.alternatives for each in alternative.positive)

    def has_compared(self, difference: sp.Expr) -> bool:
        """Whether the sign of a difference was left open, so that 0 is a tie of that."""
        return difference in self._compared

    def decide(self, expression: sp.Expr) -> bool:
        """Whether an expression in full reads nothing but what was left open."""
        return all(symbol.name in self._read_by for symbol in expression.free_symbols)

    def among(self, expressions: Iterable[sp.Expr]) -> tuple[Choice, ...]:
        """What some expressions in full read of what was left open, in the order of its making."""
        if not self._made:
            return ()
        names: set[str] = set()
        for expression in expressions:
            names |= {symbol.name for symbol in expression.free_symbols if symbol.name.startswith(_NAME)}
        return tuple(dict.fromkeys(choice for name, choice in self._read_by.items() if name in names))
