"""Names and numbers as the proofs read them: a symbol is its name, a float the simplest rational that rounds to it."""

from __future__ import annotations

import functools
import math
from fractions import Fraction

import sympy as sp

from symbackprop.errors import UnsupportedError


def name_of(symbol: sp.Basic) -> str:
    """The name under which a symbol, or an entry of an indexed base, is one real variable.

    >>> import sympy as sp
    >>> name_of(sp.Symbol("x", positive=True)), name_of(sp.IndexedBase("W")[1, 2])
    ('x', 'W[1, 2]')
    """
    return str(symbol.name) if isinstance(symbol, sp.Symbol) else str(symbol)


# Decimals with more digits than this were computed, not written.
_SHORT_DECIMAL = 12


@functools.cache
def real_symbol(name: str) -> sp.Symbol:
    """The real variable of that name."""
    return sp.Symbol(name, real=True)


def simplest_between(lower: Fraction, upper: Fraction) -> Fraction:
    """The fraction of least denominator in an interval of positive numbers, ends included (Stern-Brocot descent).

    >>> simplest_between(Fraction(31, 100), Fraction(34, 100))
    Fraction(1, 3)
    """
    floor = lower.numerator // lower.denominator
    if floor == lower:
        return Fraction(floor)
    if floor + 1 <= upper:
        return Fraction(floor + 1)
    return floor + 1 / simplest_between(1 / (upper - floor), 1 / (lower - floor))


@functools.lru_cache(maxsize=4096)
def read_float(number: sp.Float) -> Fraction:
    """The number that was meant: the decimal, if a short one rounds to the float, else the simplest such rational.

    0.1 is one tenth and 1e-20 is 1/10^20, whatever their bits say.

    >>> import sympy as sp
    >>> read_float(sp.Float(0.1)), read_float(sp.Float(0.044715)), read_float(sp.Float(0.0))
    (Fraction(1, 10), Fraction(8943, 200000), Fraction(0, 1))
    """
    sign, mantissa, exponent, _ = number._mpf_
    if not mantissa:
        if not exponent:  # SymPy's Float(0.0) is not equal to 0; infinities and NaN have an exponent
            return Fraction(0)
        raise UnsupportedError(f"{number} is not a finite number")
    if abs(int(exponent)) > 20_000:
        raise UnsupportedError(f"the number {number} is too large or too small to be read exactly")
    decimal = repr(float(number)) if number._prec == 53 and abs(int(exponent)) < 900 else ""
    if decimal and len(decimal.partition("e")[0].replace(".", "").strip("-0")) <= _SHORT_DECIMAL:
        return Fraction(decimal)
    shift = int(number._prec) - int(mantissa).bit_length()  # fill the mantissa: half a unit is then half a step
    unit = Fraction(2) ** (int(exponent) - shift)
    value = int(mantissa) * Fraction(2) ** int(exponent)
    # A quarter of a unit stays inside the rounding interval below a power of two as well, where units are halved.
    reach = unit / 4 if int(mantissa) == 1 else unit / 2
    nearest = simplest_between(value - reach, value + unit / 2)
    return -nearest if sign else nearest


_LARGEST_ROOT = 10_000


def read_root(number: float) -> sp.Expr | None:
    """The square root of a short fraction that rounds to a float, if there is one.

    >>> read_root(-(3**-0.5)), read_root(0.12345)
    (-sqrt(3)/3, None)
    """
    square = Fraction(number * number).limit_denominator(_LARGEST_ROOT)
    # Two units in the last place: 3**-0.5 is not the double nearest to sqrt(1/3).
    if not square or abs(math.sqrt(square) - abs(number)) > 2 * math.ulp(number):
        return None
    root = sp.sqrt(sp.Rational(square.numerator, square.denominator))
    return root if number > 0 else -root
