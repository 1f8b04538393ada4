"""How much work a normal form may take: products and seconds, counted as they are spent."""

from __future__ import annotations

import time
from dataclasses import dataclass


class OutOfBudgetError(Exception):
    """The normal form needs more operations, or more time, than it was allowed."""


@dataclass(slots=True)
class Budget:
    """How many products may be built, in how long, and until when for all questions; None sets no limit."""

    products: int | None = None
    seconds: float | None = None
    until: float | None = None
    _spent: int = 0
    _deadline: float | None = None

    def start(self) -> None:
        """Begin to count afresh."""
        self._spent = 0
        own = None if self.seconds is None else time.process_time() + self.seconds
        self._deadline = min((each for each in (own, self.until) if each is not None), default=None)

    @property
    def spent(self) -> int:
        """The products that were counted since the start."""
        return self._spent

    def spend(self, products: int = 1) -> None:
        """Count products; OutOfBudgetError when the limit is reached."""
        self._spent += products
        if self.products is not None and self._spent > self.products:
            raise OutOfBudgetError(f"more than {self.products} products")
        if self._deadline is not None and not self._spent % 64 and time.process_time() > self._deadline:
            raise OutOfBudgetError("more time than was allowed")
