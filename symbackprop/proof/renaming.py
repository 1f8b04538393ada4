"""Expressions up to the names in them: equations that differ in names alone are proved once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import sympy as sp


class Outlines:
    """Numbers for the structure of expressions, equal for those that one renaming makes equal.

    Names are told apart by their order: #2 and x[1,10] stand behind #1 and x[1,9].

    >>> x, y, z = sp.symbols("x y z")
    >>> outlines = Outlines()
    >>> outlines.of([x + y * sp.exp(x)]) == outlines.of([y + z * sp.exp(y)])
    True
    >>> outlines.of([x - y, x]) == outlines.of([y - z, z])
    False
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[object, ...], int] = {}
        self._keys: dict[sp.Symbol, tuple[str, tuple[int, ...]]] = {}

    def of(self, expressions: Iterable[sp.Expr]) -> tuple[int, ...]:
        """The number of each of some expressions, in which a name is the same throughout."""
        expressions = tuple(expressions)
        nodes = list(parts_of(expressions))
        names = sorted((node for node in nodes if isinstance(node, sp.Symbol)), key=self._order)
        ranks = {name: rank for rank, name in enumerate(names)}
        made: dict[sp.Basic, int] = {}
        for node in nodes:
            key: tuple[object, ...]
            if isinstance(node, sp.Symbol):
                key = "name", ranks[node]
            elif not node.args:
                key = "number", node
            else:
                inner = [made[argument] for argument in node.args]
                key = node.func, *(sorted(inner) if isinstance(node, sp.Add | sp.Mul) else inner)
            made[node] = self._numbers.setdefault(key, len(self._numbers))
        return tuple(made[expression] for expression in expressions)

    def _order(self, symbol: sp.Symbol) -> tuple[str, tuple[int, ...]]:
        """What names are sorted by; of the many names of an array each is read once."""
        known = self._keys.get(symbol)
        if known is None:
            digits = tuple(map(int, re.findall(r"\d+", symbol.name)))
            known = self._keys[symbol] = re.sub(r"\d+", "", symbol.name), digits
        return known


def parts_of(expressions: Iterable[sp.Basic]) -> Iterator[sp.Basic]:
    """What expressions are made of, each part once, behind its own parts.

    >>> x = sp.Symbol("x")
    >>> list(parts_of([sp.exp(2 * x), x]))
    [2, x, 2*x, exp(2*x)]
    """
    seen: set[sp.Basic] = set()
    waiting: list[tuple[sp.Basic, bool]] = [(each, False) for each in reversed(tuple(expressions))]
    while waiting:
        node, ready = waiting.pop()
        if ready:
            yield node
        elif node not in seen:
            seen.add(node)
            waiting.append((node, True))
            waiting += [(argument, False) for argument in reversed(node.args) if argument not in seen]
