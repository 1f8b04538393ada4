"""Points of a descent: one exact number for each variable, and how a caller's numbers are read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Rational as RationalNumber

import sympy as sp

from symbackprop.errors import ArgumentError, UnknownNameError

Number = int | float | str | Fraction | Decimal | sp.Expr


@dataclass(frozen=True, slots=True)
class Point(Mapping[str, sp.Expr]):
    """One value for each variable, looked up by name, by symbol or by place; a point of one variable is also a number.

    >>> point = Point(("x", "y"), (sp.Integer(3), sp.Rational(1, 2)))
    >>> point["x"], point[sp.Symbol("y")], point[0]
    (3, 1/2, 3)
    >>> print(point)
    x = 3, y = 1/2
    """

    names: tuple[str, ...]
    entries: tuple[sp.Expr, ...]

    def __getitem__(self, key: str | sp.Symbol | int) -> sp.Expr:
        if isinstance(key, int):
            return self.entries[key]
        if str(key) not in self.names:
            raise KeyError(f"no variable {key}; the variables are {', '.join(self.names)}")
        return self.entries[self.names.index(str(key))]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __float__(self) -> float:
        if len(self.entries) != 1:
            raise TypeError(f"a point of {len(self.entries)} variables is not one number; look up one of {self.names}")
        return float(self.entries[0])

    def __str__(self) -> str:
        return ", ".join(f"{name} = {entry}" for name, entry in zip(self.names, self.entries, strict=True))


def read_number(value: object, name: str) -> sp.Expr:
    """Return an exact real number; a float is the decimal that it prints.

    >>> read_number(0.1, "learning_rate")
    1/10
    """
    if isinstance(value, sp.Float):
        return sp.Rational(str(value))
    if isinstance(value, sp.Expr) and value.is_real and value.is_number:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal | RationalNumber):
        raise ArgumentError(f"{name} is {value!r}; give a real number.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ArgumentError(f"{name} is {value!r}; give a finite number.")
    try:
        # float() first, so that a NumPy float prints as its digits alone.
        exact = Fraction(repr(float(value))) if isinstance(value, float) else Fraction(value)
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        raise ArgumentError(f"{name} is {value!r}; give a finite decimal number or a fraction.") from error
    return sp.Rational(exact.numerator, exact.denominator)


def read_start(start: object, variables: tuple[sp.Symbol, ...]) -> tuple[tuple[sp.Expr, ...], bool]:
    """Return the start in the order of the variables, and whether it was given by name."""
    names = tuple(variable.name for variable in variables)
    if not isinstance(start, Mapping):
        if len(names) > 1:
            raise ArgumentError(
                f"start is {start!r} and the variables are {', '.join(names)}; give a number for each by name."
            )
        return (read_number(start, "start"),), False
    given = {str(key): value for key, value in start.items()}
    unknown = [name for name in given if name not in names]
    if unknown:
        raise UnknownNameError(
            f"start names {', '.join(unknown)}; the variables of the function are {', '.join(names) or 'none'}.",
            name=unknown[0],
            known=names,
        )
    missing = [name for name in names if name not in given]
    if missing or not names:
        raise ArgumentError(f"start lacks {', '.join(missing) or 'every variable'}; give a number for each variable.")
    return tuple(read_number(given[name], f"start of {name}") for name in names), True


def choose_symbol(candidates: tuple[str, ...], taken: tuple[str, ...]) -> sp.Symbol:
    """Return a symbol by the first name that is not a variable's.

    >>> choose_symbol(("n", "k"), ("n",))
    k
    """
    free = [name for name in candidates if name not in taken]
    return sp.Symbol(free[0] if free else candidates[-1] + "_" * (1 + max(len(name) for name in taken)))


def entries_of(value: sp.Expr | Point) -> tuple[sp.Expr, ...]:
    """Return the entries of a point; a lone number is its own one entry.

    >>> entries_of(sp.Integer(3))
    (3,)
    """
    return value.entries if isinstance(value, Point) else (value,)


def format_number(value: sp.Expr) -> str:
    """Return a short number as it is, every other one to six digits.

    >>> format_number(sp.Rational(4, 5)), format_number(sp.Rational(4, 5) ** 40)
    ('4/5', '0.000132923')
    """
    exact = str(value)
    return exact if value.is_Rational and len(exact) <= 8 else str(sp.N(value, 6))
