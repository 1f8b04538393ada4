"""Functions of single-precision numbers that loops over rows call, entry by entry.

The polynomials are those of Cephes (Moshier, 1984 to 1992): expf.c and tanhf.c.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

ROW_LOWEST = np.int32(-(2**31) + 2**23 - 1)
ROW_MASK = np.int32(2**31 - 1)
EXP_LOWEST = np.float32(-104)
EXP_HIGHEST = np.float32(89)
EXPONENT_HIGHEST = np.float32(87)
EXP_ROUND = np.float32(3 * 2**22)
LOG2_E = np.float32(1.44269504088896341)
LN2_HIGH = np.float32(0.693359375)
LN2_LOW = np.float32(-2.12194440e-4)


@numba.njit(error_model="numpy", fastmath={"contract"})  # type: ignore[untyped-decorator]
def row_exp(u: Any) -> Any:
    """2^k exp(r) with |r| <= log(2)/2; 2^k is a product of two, as k may be that of a denormal number."""
    v = u if u > EXP_LOWEST else EXP_LOWEST
    v = v if v < EXP_HIGHEST else EXP_HIGHEST
    k = (v * LOG2_E + EXP_ROUND) - EXP_ROUND
    r = v - k * LN2_HIGH
    r = r - k * LN2_LOW
    total = np.float32(1.9875691500e-4)
    total = total * r + np.float32(1.3981999507e-3)
    total = total * r + np.float32(8.3334519073e-3)
    total = total * r + np.float32(4.1665795894e-2)
    total = total * r + np.float32(1.6666665459e-1)
    total = total * r + np.float32(5.0000001201e-1)
    total = total * r * r + r + np.float32(1)
    whole = np.int32(k)
    half = np.int32(whole >> np.int32(1))
    first = np.int32((half + np.int32(127)) << np.int32(23)).view(np.float32)
    second = np.int32((whole - half + np.int32(127)) << np.int32(23)).view(np.float32)
    return total * first * second if u == u else u


@numba.njit  # type: ignore[untyped-decorator]
def row_exponent(u: Any) -> Any:
    """A number, or the largest exponent where it is larger."""
    return EXPONENT_HIGHEST if u > EXPONENT_HIGHEST else u


@numba.njit(error_model="numpy", fastmath={"contract"})  # type: ignore[untyped-decorator]
def row_tanh(u: Any) -> Any:
    """A polynomial around 0, and 1 - 2/(exp(2|u|) + 1) with the sign of u elsewhere."""
    size, square = abs(u), u * u
    far = np.float32(1) - np.float32(2) / (row_exp(size + size) + np.float32(1))
    near = np.float32(-5.70498872745e-3)
    near = near * square + np.float32(2.06390887954e-2)
    near = near * square + np.float32(-5.37397155531e-2)
    near = near * square + np.float32(1.33314422036e-1)
    near = near * square + np.float32(-3.33332819422e-1)
    near = near * square * u + u
    return near if size < np.float32(0.625) else far if u > np.float32(0) else -far


@numba.njit  # type: ignore[untyped-decorator]
def row_erf(u: Any) -> Any:
    """The error function."""
    return np.float32(math.erf(u))


@numba.njit  # type: ignore[untyped-decorator]
def row_higher(rank: Any, u: Any) -> Any:
    """The larger of a rank and that of a number: integers in the order of numbers, what is not a number above all,
    so that several are compared at a time.
    """
    bits = np.float32(u).view(np.int32)
    own = bits ^ ((bits >> np.int32(31)) & ROW_MASK)
    return max(rank, own if u == u else ROW_MASK)


@numba.njit  # type: ignore[untyped-decorator]
def row_entry(rank: Any) -> Any:
    """The number of a rank."""
    return np.int32(rank ^ ((rank >> np.int32(31)) & ROW_MASK)).view(np.float32)
