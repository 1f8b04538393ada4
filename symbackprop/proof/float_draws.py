"""What floats make of a traced number: at some numbers drawn for the variables, the values of the same computation.

Two expressions that are equal may be computed in two ways, of which floats round each in its own.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from symbackprop.proof.cuts import PREFIX

_COUNT = 64

Draws = np.ndarray[Any, Any] | float
"""A float for each draw, or one for all."""


def draw(expression: sp.Expr) -> Draws | None:
    """The floats of a variable, or of a number; None for what was computed in a way that is not known."""
    if expression.is_Symbol:
        return None if expression.name.startswith(PREFIX) else _draw_variable(expression.name)
    return float(expression) if expression.is_number and expression.is_extended_real else None


@functools.lru_cache(maxsize=4096)
def _draw_variable(name: str) -> np.ndarray[Any, Any]:
    return np.random.default_rng(zlib.crc32(name.encode())).normal(size=_COUNT)


def carry(operation: Callable[..., Any] | None, *draws: Draws | None) -> Draws | None:
    """What an operation makes of floats, if both are known."""
    if operation is None or any(each is None for each in draws):
        return None
    with np.errstate(all="ignore"):
        first, *others = draws
        return operation(np.float64(first) if isinstance(first, float) else first, *others)  # type: ignore[no-any-return]


def are_apart(first: Draws | None, second: Draws | None) -> bool:
    """Whether two computations certainly do not give the same float, where both give one."""
    if first is None or second is None:
        return False
    one, other = np.broadcast_arrays(first, second)
    known = np.isfinite(one) & np.isfinite(other)
    return bool(np.any(one[known] != other[known]))
