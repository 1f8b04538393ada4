"""The functions of every textbook, and the extremes, the absolute value and the sign by `where`."""

from __future__ import annotations

import sympy

from symbackprop.functions.scalar import BOTH_SIDES, BRANCHES, POSITIVE, ScalarFunction, where

ABRAMOWITZ = "Abramowitz and Stegun 1964, chapter "

EXP = ScalarFunction("exp", sympy.exp, r"\exp", BOTH_SIDES, ABRAMOWITZ + "4.2", inline=True)
LOG = ScalarFunction("log", sympy.log, r"\log", POSITIVE, ABRAMOWITZ + "4.1", inline=True, domain="positive")
SIN = ScalarFunction("sin", sympy.sin, r"\sin", BOTH_SIDES, ABRAMOWITZ + "4.3", inline=True)
COS = ScalarFunction("cos", sympy.cos, r"\cos", BOTH_SIDES, ABRAMOWITZ + "4.3", inline=True)
TAN = ScalarFunction("tan", sympy.tan, r"\tan", ((-1, 1),), ABRAMOWITZ + "4.3", denominator=sympy.cos)
SINH = ScalarFunction("sinh", sympy.sinh, r"\sinh", BOTH_SIDES, ABRAMOWITZ + "4.5", inline=True)
COSH = ScalarFunction("cosh", sympy.cosh, r"\cosh", BOTH_SIDES, ABRAMOWITZ + "4.5", inline=True)
TANH = ScalarFunction("tanh", sympy.tanh, r"\tanh", BOTH_SIDES, ABRAMOWITZ + "4.5")
SQRT = ScalarFunction("sqrt", sympy.sqrt, r"\sqrt", POSITIVE, ABRAMOWITZ + "3.1", domain="nonnegative")
ERF = ScalarFunction("erf", sympy.erf, r"\operatorname{erf}", BOTH_SIDES, ABRAMOWITZ + "7.1")
SQUARE = ScalarFunction(
    name="square",
    definition=lambda u: u**2,
    tex=r"\operatorname{square}",
    samples=BOTH_SIDES,
    source="Livni, Shalev-Shwartz, Shamir 2014, On the computational efficiency of training neural networks",
    inline=True,
)

ABS = ScalarFunction(
    "abs", lambda u: where(u > 0, u, where(u < 0, -u, 0)), r"\operatorname{abs}", BRANCHES, "value 0 for the slope at 0"
)
SIGN = ScalarFunction(
    "sign", lambda u: where(u > 0, 1, where(u < 0, -1, 0)), r"\operatorname{sign}", BRANCHES, "the slope of abs"
)
MAXIMUM = ScalarFunction(
    name="maximum",
    definition=lambda u, v: where(u > v, u, where(u < v, v, (u + v) / 2)),  # a tie gives one half to each side
    tex=r"\operatorname{max}",
    samples=BRANCHES,
    source="numpy.maximum",
    arity=2,
)
MINIMUM = ScalarFunction(
    name="minimum",
    definition=lambda u, v: where(u < v, u, where(u > v, v, (u + v) / 2)),
    tex=r"\operatorname{min}",
    samples=BRANCHES,
    source="numpy.minimum",
    arity=2,
)

ELEMENTARY = (ABS, SIGN, MAXIMUM, MINIMUM, SQUARE, EXP, LOG, SQRT, SIN, COS, TAN, SINH, COSH, ERF)
