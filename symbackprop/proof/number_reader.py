"""The numbers of a person's code as a run reads them: floats as what they stand for, masks as minus infinity."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from symbackprop.proof.numbers import read_float, read_root
from symbackprop.proof.path_signs import PathSigns, Reading
from symbackprop.proof.verdict import FLOAT_ROUNDING

_SHORT_DENOMINATOR = 10**6
_LARGEST_MASK = -745


class NumberReader(PathSigns):
    """Reads numbers, and keeps what is to be said of them."""

    def __init__(self, point: Mapping[str, Fraction], deadline: float, reading: Reading) -> None:
        super().__init__(point, deadline, reading)
        self.masks: dict[sp.Expr, None] = {}
        self.notes: dict[str, None] = {}
        self.rounding = Fraction(0)  # how far off numbers may be that were read, relative to themselves

    def multiply(self, first: sp.Expr, second: sp.Expr) -> sp.Expr:
        """The product; 0 times a mask is 0, as the mask is a number however it is read."""
        return sp.S.Zero if self.reading.masks_infinite and sp.S.Zero in (first, second) else first * second

    def read_mask(self, number: sp.Rational) -> sp.Expr:
        """The number, or minus infinity where it is read as that."""
        if number > _LARGEST_MASK:
            return number
        self.masks[number] = None
        return -sp.oo if self.reading.masks_infinite else number

    def read_meant(self, value: float | np.floating[Any]) -> sp.Expr:
        """The number that a float stands for: a short fraction, or a root of one; of a short type, its own digits."""
        number = float(value)
        if isinstance(value, np.float32 | np.float16):
            number, digits = float(str(value)), np.finfo(value).precision
            if sum(map(str.isdigit, str(value))) > digits:
                self.rounding = max(self.rounding, Fraction(1, 10**digits))
        exact = read_float(sp.Float(number))
        if exact.denominator > _SHORT_DENOMINATOR and len(repr(number)) > 14:
            root = read_root(number)
            if root is not None:
                self.notes[f"The float {number!r} is read as {root}."] = None
                return root
            self.rounding = max(self.rounding, FLOAT_ROUNDING)
            self.notes[f"The float {number!r} is read as {exact}."] = None
        return sp.Rational(exact.numerator, exact.denominator)
