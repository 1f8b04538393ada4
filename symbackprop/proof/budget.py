"""Limits on what a proof may spend. python-flint ends the process when memory runs out, so they come first.

What is found by a search that may stop early, such as a diagnosis, is bounded by counted steps, so that it is the same
on a slow machine; the seconds beside them are a last guard, far beyond what the steps take.
Documents are judged in a process of its own besides, with a memory limit and a clock for what these bounds miss.
"""

from __future__ import annotations

import time

from symbackprop.errors import SymBackpropError


class BudgetExceededError(SymBackpropError):
    """A decision would cost more time or memory than allowed; its verdict is `undecided`."""


_PAIRS_IN_A_STEP = 256
"""Pairs of terms in a product that take about as long as what else is done in a step."""
_STEPS_BETWEEN_LOOKS = 16
"""Steps of products between two looks at the clock, each of which takes as long as a small product."""
_STEPS_OF_A_CELL = 8
"""What building the sides of a cell takes, and telling apart what it is."""


class Budget:
    """Seconds, terms, degrees, cells and steps that one decision, or several that share it, may use.

    A step is a product of polynomials, a common factor or a point, as far as each is small; a large product is more.

    >>> Budget(most_terms=100).check_product(20, 30)
    Traceback (most recent call last):
    ...
    symbackprop.proof.budget.BudgetExceededError: a product of 20 by 30 terms is more than the 100 allowed
    """

    def __init__(
        self,
        seconds: float = 10.0,
        most_terms: int = 2_000_000,
        most_degree: int = 3_000,
        most_cells: int = 400,
        most_steps: int | None = None,
    ) -> None:
        self.most_bits = 100 * most_terms
        self.seconds, self.most_terms, self.most_degree, self.most_cells = seconds, most_terms, most_degree, most_cells
        self.most_steps, self.steps = most_steps, 0
        self._deadline = time.process_time() + seconds
        self._unclocked = 0
        self._cells = 0

    @property
    def has_steps(self) -> bool:
        """Whether steps are left; the clock is not read."""
        return self.most_steps is None or self.steps <= self.most_steps

    @property
    def is_spent(self) -> bool:
        """Whether the steps or the time are spent."""
        return not self.has_steps or time.process_time() > self._deadline

    def count_step(self, steps: int = 1) -> None:
        """Count some more steps, and raise once they or the time are spent."""
        self._count(steps)
        self._look_at_clock()

    def count_pairs(self, first: int, second: int) -> None:
        """Count what is done with each pair of terms of two polynomials."""
        steps = 1 + first * second // _PAIRS_IN_A_STEP
        self._count(steps)
        self._unclocked += steps
        if self._unclocked >= _STEPS_BETWEEN_LOOKS:
            self._look_at_clock()

    def _count(self, steps: int) -> None:
        self.steps += steps
        if self.most_steps is not None and self.steps > self.most_steps:
            raise BudgetExceededError(f"more than {self.most_steps} steps were needed")

    def _look_at_clock(self) -> None:
        self._unclocked = 0
        if time.process_time() > self._deadline:
            raise BudgetExceededError(f"more than {self.seconds:g} seconds were needed")

    def check_product(self, first: int, second: int) -> None:
        """Raise if a product of polynomials of so many terms could be too large."""
        self.count_pairs(first, second)
        if first * second > self.most_terms:
            raise BudgetExceededError(
                f"a product of {first} by {second} terms is more than the {self.most_terms} allowed"
            )

    def check_bits(self, terms: int, bits: int) -> None:
        """Raise if the coefficients of so many terms would be too long together."""
        if terms * bits > self.most_bits:
            raise BudgetExceededError(f"{terms} coefficients of {bits} bits are more than the {self.most_bits} allowed")

    def check_degree(self, degree: int) -> None:
        """Raise if a polynomial would have too high a degree."""
        if degree > self.most_degree:
            raise BudgetExceededError(f"a polynomial of degree {degree} is more than the {self.most_degree} allowed")

    def count_cell(self) -> None:
        """Count one more cell, and raise if there are too many."""
        self.count_step(_STEPS_OF_A_CELL)
        self._cells += 1
        if self._cells > self.most_cells:
            raise BudgetExceededError(f"the kinks cut the space into more than {self.most_cells} pieces")
