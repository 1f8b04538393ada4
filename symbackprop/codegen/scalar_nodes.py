"""Scalar expressions, each made once: what straight-line code is written from.

A node is an operation on nodes made before it. Equal nodes are one node, so that what several entries share is computed
once. Nodes with integers are positions and counts; the others are floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.errors import LimitError

LARGEST_CODE = 50_000
"""Operations beyond which code is not written out."""
HIGHEST = 708.0
"""The largest exponent, 1 less than the logarithm of the largest number."""
LONGEST_LINE = 40
"""Operands in one line; a longer sum is one of sums."""


@dataclass(frozen=True, slots=True)
class Node:
    """An operation, its operands, and for a name or a number how it is written."""

    kind: str
    parts: tuple[int, ...] = ()
    text: str = ""


class Nodes:
    """The nodes of one piece of code; LimitError where they become too many."""

    def __init__(self) -> None:
        self.made: list[Node] = []
        self._numbers: dict[Node, int] = {}
        self.zero = self.number(0.0)
        self.one = self.number(1.0)

    def make(self, kind: str, parts: Sequence[int] = (), text: str = "") -> int:
        """The number of a node, made now unless it exists."""
        node = Node(kind, tuple(parts), text)
        number = self._numbers.setdefault(node, len(self.made))
        if number == len(self.made):
            if number >= LARGEST_CODE:
                raise LimitError(
                    f"Written out entry by entry the code has more than {LARGEST_CODE} operations; take smaller sizes, "
                    "or a target that works on arrays, such as numpy."
                )
            self.made.append(node)
        return number

    def name(self, text: str) -> int:
        """What a variable holds."""
        return self.make("name", (), text)

    def number(self, value: float) -> int:
        """A float."""
        return self.make("number", (), repr(value) if value - value == 0 else f"math.{value}")

    def integer(self, value: int) -> int:
        """An integer."""
        return self.make("integer", (), str(value))

    def total(self, parts: Sequence[int]) -> int:
        """The sum of floats."""
        kept = [part for part in parts if part != self.zero]
        while len(kept) > LONGEST_LINE:
            pieces = [kept[k : k + LONGEST_LINE] for k in range(0, len(kept), LONGEST_LINE)]
            kept = [self.make("sum", piece) if len(piece) > 1 else piece[0] for piece in pieces]
        if len(kept) < 2:
            return kept[0] if kept else self.zero
        return self.make("sum", kept)

    def product(self, parts: Sequence[int]) -> int:
        """The product of floats, from the left in the order given."""
        if self.zero in parts:
            return self.zero
        result = self.one
        for part in parts:
            if part == self.one:
                continue
            result = part if result == self.one else self.make("product", (result, part))
        return result

    def negative(self, part: int) -> int:
        """A float with the other sign."""
        node = self.made[part]
        if node.kind == "negative":
            return node.parts[0]
        return part if part == self.zero else self.make("negative", (part,))

    def quotient(self, above: int, below: int) -> int:
        """One float divided by another."""
        return above if below == self.one else self.make("quotient", (above, below))

    def choice(self, condition: int | bool, value: int, other: int) -> int:
        """One node or another."""
        if value == other or condition is True:
            return value
        return other if condition is False else self.make("choice", (condition, value, other))

    def compare(self, relation: str, left: int, right: int) -> int:
        """A comparison."""
        return self.make("comparison", (left, right), relation)

    def both(self, parts: Sequence[int | bool]) -> int | bool:
        """Whether all conditions hold."""
        if any(part is False for part in parts):
            return False
        kept = [part for part in parts if part is not True]
        if len(kept) < 2:
            return kept[0] if kept else True
        return self.make("and", kept)

    def affine(self, parts: Sequence[tuple[int, int]], constant: int) -> int:
        """constant + the sum of coefficient * integer, given as (coefficient, node)."""
        if not parts:
            return self.integer(constant)
        if len(parts) == 1 and parts[0][0] == 1 and not constant:
            return parts[0][1]
        texts = " ".join(str(c) for c, _ in parts)
        return self.make("affine", [node for _, node in parts], f"{texts} {constant}")

    def pick(self, position: int, candidates: Sequence[int]) -> int:
        """One of several nodes, by a position that counts from 0."""
        if len(set(candidates)) == 1:
            return candidates[0]
        return self.make("pick", (position, *candidates))
