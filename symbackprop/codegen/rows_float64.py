"""Functions of double-precision numbers that loops over rows call, entry by entry.

The quotient around 0 of tanh is that of Cephes (Moshier, 1984 to 1992): tanh.c.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

ROW_LOWEST = np.int64(-(2**63) + 2**52 - 1)
ROW_MASK = np.int64(2**63 - 1)
EXP_LOWEST = np.float64(-746)
EXP_HIGHEST = np.float64(710)
EXPONENT_HIGHEST = np.float64(708)
EXP_ROUND = np.float64(3 * 2**51)
LOG2_E = np.float64(1.44269504088896341)
LN2_HIGH = np.float64(6.93145751953125e-1)
LN2_LOW = np.float64(1.42860682030941723212e-6)


@numba.njit(error_model="numpy", fastmath={"contract"})  # type: ignore[untyped-decorator]
def row_exp(u: Any) -> Any:
    """2^k exp(r) with |r| <= log(2)/2, its Taylor polynomial; 2^k is a product of two, for denormal numbers."""
    v = u if u > EXP_LOWEST else EXP_LOWEST
    v = v if v < EXP_HIGHEST else EXP_HIGHEST
    k = (v * LOG2_E + EXP_ROUND) - EXP_ROUND
    r = v - k * LN2_HIGH
    r = r - k * LN2_LOW
    total = np.float64(1 / 6227020800)
    total = total * r + np.float64(1 / 479001600)
    total = total * r + np.float64(1 / 39916800)
    total = total * r + np.float64(1 / 3628800)
    total = total * r + np.float64(1 / 362880)
    total = total * r + np.float64(1 / 40320)
    total = total * r + np.float64(1 / 5040)
    total = total * r + np.float64(1 / 720)
    total = total * r + np.float64(1 / 120)
    total = total * r + np.float64(1 / 24)
    total = total * r + np.float64(1 / 6)
    total = total * r + np.float64(1 / 2)
    total = total * r * r + r + np.float64(1)
    whole = np.int64(np.int32(k))
    half = np.int64(whole >> np.int64(1))
    first = np.int64((half + np.int64(1023)) << np.int64(52)).view(np.float64)
    second = np.int64((whole - half + np.int64(1023)) << np.int64(52)).view(np.float64)
    return total * first * second if u == u else u


@numba.njit  # type: ignore[untyped-decorator]
def row_exponent(u: Any) -> Any:
    """A number, or the largest exponent where it is larger."""
    return EXPONENT_HIGHEST if u > EXPONENT_HIGHEST else u


@numba.njit(error_model="numpy", fastmath={"contract"})  # type: ignore[untyped-decorator]
def row_tanh(u: Any) -> Any:
    """A quotient of polynomials around 0, and 1 - 2/(exp(2|u|) + 1) with the sign of u elsewhere."""
    size, square = abs(u), u * u
    far = np.float64(1) - np.float64(2) / (row_exp(size + size) + np.float64(1))
    over = np.float64(-9.64399179425052238628e-1)
    over = over * square + np.float64(-9.92877231001918586564e1)
    over = over * square + np.float64(-1.61468768441708447952e3)
    under = square + np.float64(1.12811678491632931402e2)
    under = under * square + np.float64(2.23548839060100448583e3)
    under = under * square + np.float64(4.84406305325125486048e3)
    near = over / under * square * u + u
    return near if size < np.float64(0.625) else far if u > np.float64(0) else -far


@numba.njit  # type: ignore[untyped-decorator]
def row_erf(u: Any) -> Any:
    """The error function."""
    return np.float64(math.erf(u))


@numba.njit  # type: ignore[untyped-decorator]
def row_higher(rank: Any, u: Any) -> Any:
    """The larger of a rank and that of a number: integers in the order of numbers, what is not a number above all,
    so that several are compared at a time.
    """
    bits = np.float64(u).view(np.int64)
    own = bits ^ ((bits >> np.int64(63)) & ROW_MASK)
    return max(rank, own if u == u else ROW_MASK)


@numba.njit  # type: ignore[untyped-decorator]
def row_entry(rank: Any) -> Any:
    """The number of a rank."""
    return np.int64(rank ^ ((rank >> np.int64(63)) & ROW_MASK)).view(np.float64)
