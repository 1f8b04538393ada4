"""What NumPy's elementwise functions do to traced numbers, by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import sympy as sp

from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_truths import choose
from symbackprop.proof.traced_values import Traced


def _larger(a: Traced, b: Traced) -> Traced:
    return choose(a >= b, a, b)  # type: ignore[no-any-return]


def _smaller(a: Traced, b: Traced) -> Traced:
    return choose(a <= b, a, b)  # type: ignore[no-any-return]


def _clipped(a: Traced, least: Traced, most: Traced) -> Traced:
    return _smaller(_larger(a, least), most)


def _absolute(a: Traced) -> Traced:
    return choose(a >= 0, a, -a)  # type: ignore[no-any-return]


def _sign(a: Traced) -> Traced:
    return Traced(a.path, a.path.read(a > 0) - a.path.read(a < 0))


def _step(a: Traced, middle: Traced) -> Traced:
    above, below = a.path.read(a > 0), a.path.read(a < 0)
    between = sp.expand(1 - above - below)
    return Traced(a.path, above) if between == 0 else Traced(a.path, above) + Traced(a.path, between) * middle


def _log_add(a: Traced, b: Traced) -> Traced:
    return (a.apply(sp.exp) + b.apply(sp.exp)).apply(sp.log)  # type: ignore[no-any-return]


def _times_log(a: Traced, b: Traced) -> Traced:
    return a.path.zero if a.expression == 0 else a * b.apply(sp.log)


def _cube_root(a: Traced) -> Traced:
    third = a.path.constant(Fraction(1, 3))
    sign = a.path.sign(a.expression)
    return a.path.zero if sign == 0 else (abs(a) ** third) * sign


def _copy_sign(a: Traced, b: Traced) -> Traced:
    sign = a.path.sign(b.expression)
    if sign == 0:
        raise TracingStoppedError("np.copysign reads the sign of a zero")
    return abs(a) if sign > 0 else -abs(a)


def _angle(a: Traced, b: Traced) -> Traced:
    """The angle of (b, a), as np.arctan2 counts it."""
    sign = a.path.sign(b.expression)
    if sign == 0:
        raise TracingStoppedError("np.arctan2 is taken of a point above or below 0")
    angle = (a / b).apply(sp.atan)
    if sign > 0:
        return angle  # type: ignore[no-any-return]
    pi = Traced(a.path, sp.pi)
    return angle + pi if a.path.sign(a.expression) >= 0 else angle - pi  # type: ignore[no-any-return]


OPERATIONS: Mapping[str, Callable[..., Traced]] = {
    "sign": _sign, "absolute": _absolute, "fabs": _absolute, "clip": _clipped,
    "conjugate": lambda a: a, "positive": lambda a: a,
    "maximum": _larger, "fmax": _larger, "minimum": _smaller, "fmin": _smaller,
    "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b, "power": lambda a, b: a**b, "float_power": lambda a, b: a**b,
    "negative": lambda a: -a, "heaviside": _step, "logaddexp": _log_add, "xlogy": _times_log,
    "cbrt": _cube_root, "copysign": _copy_sign, "arctan2": _angle,
    "floor": Traced.floor, "ceil": Traced.ceil, "trunc": Traced.trunc, "rint": Traced.rint,
    "floor_divide": lambda a, b: a // b, "remainder": lambda a, b: a % b, "fmod": lambda a, b: a - b * (a / b).trunc(),
    "hypot": lambda a, b: (a * a + b * b).apply(sp.sqrt),
}  # fmt: skip

TRUTH = frozenset((
    "less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_xor",
    "logical_not", "isfinite", "isnan", "isinf", "signbit",
))  # fmt: skip
# What NumPy does on objects by their own operators, or by none.
NATIVE = TRUTH - {"isfinite", "isnan", "isinf", "signbit"} | frozenset((
    "add", "subtract", "multiply", "divide", "power", "negative", "maximum", "minimum", "matmul", "matvec", "vecmat",
    "vecdot", "floor_divide", "remainder", "clip",
))  # fmt: skip
NEUTRAL: Mapping[str, sp.Expr] = {
    "add": sp.S.Zero, "multiply": sp.S.One, "maximum": -sp.oo, "minimum": sp.oo, "logical_and": sp.S.One,
    "logical_or": sp.S.Zero,
}  # fmt: skip
FINITE: Mapping[str, bool] = {"isfinite": True, "isnan": False, "isinf": False}
