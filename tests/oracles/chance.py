"""Chance of which every choice is one number below a bound, so that choices can be kept, replayed and shrunk."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
GRAIN = 1000


@dataclass(frozen=True)
class Source:
    """Choices by `pick`, which gives a number from 0 to below its argument; 0 leads to what is simplest."""

    pick: Callable[[int], int]

    def random(self) -> float:
        """A number from 0 to below 1."""
        return self.pick(GRAIN) / GRAIN

    def choice(self, options: Sequence[T]) -> T:
        """One of the options, each as likely."""
        return options[self.pick(len(options))]

    def weighted(self, options: Sequence[T], weights: Sequence[float]) -> T:
        """One of the options, as likely as its weight, which counts in tenths."""
        tenths = [round(10 * w) for w in weights]
        left = self.pick(sum(tenths))
        for option, weight in zip(options, tenths, strict=True):
            if left < weight:
                return option
            left -= weight
        raise AssertionError("a pick beyond its bound")

    def between(self, low: int, high: int) -> int:
        """A number from low to high."""
        return low + self.pick(high - low + 1)

    def sample(self, options: Sequence[T], count: int) -> list[T]:
        """Some of the options, each once."""
        left = list(options)
        return [left.pop(self.pick(len(left))) for _ in range(count)]


def seeded(seed: int, kept: list[int] | None = None) -> Source:
    """The choices of a seed, which are appended to `kept`."""
    chance = random.Random(seed)

    def pick(bound: int) -> int:
        made = chance.randrange(bound)
        if kept is not None:
            kept.append(made)
        return made

    return Source(pick)
