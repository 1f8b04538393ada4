"""Claims such as `0.8^100 * 1000 ~ 2.04e-7`: a number rounds to the digits that are written."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import sympy as sp
from flint import arb, fmpq

from symbackprop.errors import ArgumentError, UnsupportedError
from symbackprop.proof.evaluation import ImpreciseValueError, UndefinedValueError, Value, enclose, evaluate
from symbackprop.proof.problems import read_expression, read_problem
from symbackprop.proof.verdict import Interval, Verdict, Witness

_PRECISIONS = (64, 256, 1024, 4096)
_LARGEST_EXPONENT = 4_000
_NUMBER = re.compile(r"([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?")


def approximates(expression: object, digits: str) -> Verdict:
    """Whether the true value of a number rounds to the digits written.

    Zeros at the end of a whole number may count as digits or not: where they do not, a note says so. A value half way
    between two roundings is undecided, since people round it either way.

    >>> import sympy as sp
    >>> approximates(1000 * sp.Rational(4, 5)**100, "2.04e-7").proved
    True
    >>> print(approximates(sp.pi, "3.15"))
    Refuted: pi ~ 3.15; the left side is about 3.141593 and the right side is 63/20.
    """
    written, unit = read_digits(digits)
    value = read_expression(expression)
    shown = sp.Symbol(digits.strip())
    blank = Verdict("undecided", scope="", left=value, right=shown, relation="~")
    try:
        problem = read_problem(value, 0)
        if problem.names:
            names = ", ".join(problem.names)
            return replace(blank, reason=f"only a number can be rounded, and this one depends on {names}")
        for precision in _PRECISIONS:
            try:
                exact = evaluate(value, {}, precision)
            except ImpreciseValueError:
                continue
            offset = exact - fmpq(written.numerator, written.denominator)
            places = [_compare(offset, unit * 10**zeros) for zeros in range(_count_zeros(digits) + 1)]
            if "inside" in places:
                zeros = places.index("inside")
                note = f"{digits.strip()} was read as rounded to {_write_unit(zeros)}: its zeros may not be digits."
                return replace(blank, status="proved", notes=(*problem.notes, *([note] if zeros else [])))
            if all(place == "outside" for place in places):
                witness = Witness((), _show(exact), Interval(written, written))
                return replace(blank, status="refuted", witness=witness, notes=problem.notes)
            if isinstance(offset, fmpq):
                return replace(blank, reason="the value lies half way between two roundings", notes=problem.notes)
    except ImpreciseValueError as error:
        return replace(blank, reason=str(error))
    except UndefinedValueError as error:
        return replace(blank, reason=f"the left side has no real value: {error}")
    except UnsupportedError as error:
        return replace(blank, reason=str(error))
    return replace(blank, reason=f"{_PRECISIONS[-1]} bits do not tell on which side of a rounding the value lies")


def _compare(offset: Value, unit: Fraction) -> str:
    """Whether a value that is so far off is rounded there to a unit: "inside", "outside" or "between"."""
    half = fmpq(unit.numerator, 2 * unit.denominator)
    if -half < offset < half:
        return "inside"
    return "outside" if offset > half or offset < -half else "between"


def _count_zeros(digits: str) -> int:
    """The zeros at the end of a whole number, which may not be digits of it.

    >>> _count_zeros("1200"), _count_zeros("1200."), _count_zeros("12e2"), _count_zeros("0")
    (2, 0, 0, 0)
    """
    match = _NUMBER.fullmatch(digits.strip())
    bare = match is not None and match[3] is None and match[4] is None and "." not in digits
    whole = match[2] if match is not None and bare else ""
    return len(whole) - len(whole.rstrip("0")) if whole.strip("0") else 0


def _write_unit(zeros: int) -> str:
    return {1: "tens", 2: "hundreds", 3: "thousands"}.get(zeros, f"the nearest 10^{zeros}")


def read_digits(digits: str) -> tuple[Fraction, Fraction]:
    """A decimal number as written: its value and the unit of its last digit.

    >>> read_digits("2.040")
    (Fraction(51, 25), Fraction(1, 1000))
    """
    match = _NUMBER.fullmatch(digits.strip())
    if match is None:
        raise ArgumentError(f"expected a decimal number such as 2.04e-7 after `~`, found {digits!r}")
    sign, whole, part, exponent = match[1], match[2], match[3] or "", int(match[4] or 0)
    if abs(exponent) + len(whole) + len(part) > _LARGEST_EXPONENT:
        raise ArgumentError(f"the number after `~` has more than {_LARGEST_EXPONENT} digits, written out")
    unit = Fraction(10) ** (exponent - len(part))
    return int(f"{sign}{whole}{part}") * unit, unit


def _show(value: Value) -> Interval:
    """The value for a reader: a short ball, also of a rational with many digits."""
    if isinstance(value, fmpq) and value.height_bits() > 60:
        value = arb(value)
    return enclose(value)
