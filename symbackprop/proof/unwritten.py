"""What `np.empty` holds: entries of which nothing is known until the code writes there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_values import Path, Traced, is_number


class Unwritten(Traced):
    """What stands in an entry of `np.empty` until the code writes there, and what is computed from it."""

    __slots__ = ("computed",)
    is_known = False

    def __init__(self, path: Path, computed: bool = False) -> None:
        self.path, self.needs, self.computed, self._floats = path, None, computed, None

    @property
    def expression(self) -> sp.Expr:
        """None: nothing can be decided by it."""
        raise TracingStoppedError("an entry of np.empty is read that was never written: it holds whatever was there")

    def apply(self, function: Callable[[sp.Expr], sp.Expr]) -> Traced:
        """Still nothing that is known."""
        return Unwritten(self.path, computed=True)

    def _with(self, other: Any, *_: Any, **__: Any) -> Any:
        if not is_number(other):
            return NotImplemented
        return Unwritten(self.path, computed=True)

    def __neg__(self) -> Traced:
        return Unwritten(self.path, computed=True)

    def __abs__(self) -> Traced:
        return Unwritten(self.path, computed=True)
