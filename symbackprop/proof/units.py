"""Common units of exponents and angles: exp(x/2) and exp(x/3) are powers of exp(x/6)."""

from __future__ import annotations

from math import gcd, lcm

import sympy as sp


class UnitNeededError(Exception):
    """What was met under one key needs a smaller common unit; the normal form is built again with it."""

    def __init__(self, key: str, unit: sp.Rational) -> None:
        self.key, self.unit = key, unit
        super().__init__(key)


class Units:
    """The common unit of what was met under each key."""

    def __init__(self) -> None:
        self._known: dict[str, sp.Rational] = {}

    def find(self, key: str, multiple: sp.Rational, start: sp.Rational) -> sp.Rational:
        """The unit of a key, of which `multiple` is a whole multiple; UnitNeededError if a finer one is needed."""
        unit = self._known.setdefault(key, start)
        if (multiple / unit).q != 1:
            raise UnitNeededError(key, common_measure(unit, multiple))
        return unit

    def refine(self, needed: UnitNeededError) -> None:
        """Take a finer unit from now on."""
        self._known[needed.key] = needed.unit


def common_measure(first: sp.Rational, second: sp.Rational) -> sp.Rational:
    """The largest rational of which both are whole multiples.

    >>> import sympy as sp
    >>> common_measure(sp.Rational(1, 2), sp.Rational(1, 3))
    1/6
    """
    below = lcm(int(first.q), int(second.q))
    return sp.Rational(gcd(int(first.p) * (below // int(first.q)), int(second.p) * (below // int(second.q))), below)
