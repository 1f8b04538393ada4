"""NumPy's functions of one number by their names: what they make of an expression, and of floats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp

FUNCTIONS: Mapping[str, Callable[[sp.Expr], sp.Expr]] = {
    "exp": sp.exp, "log": sp.log, "sqrt": sp.sqrt, "tanh": sp.tanh, "sinh": sp.sinh, "cosh": sp.cosh,
    "sin": sp.sin, "cos": sp.cos, "tan": sp.tan, "arctan": sp.atan, "arcsin": sp.asin, "arccos": sp.acos,
    "arctanh": sp.atanh, "arcsinh": sp.asinh, "arccosh": sp.acosh, "erf": sp.erf, "erfc": sp.erfc,
    "log1p": lambda e: sp.log(1 + e), "expm1": lambda e: sp.exp(e) - 1, "exp2": lambda e: 2**e,
    "log2": lambda e: sp.log(e) / sp.log(2), "log10": lambda e: sp.log(e) / sp.log(10),
    "square": lambda e: e**2, "reciprocal": lambda e: 1 / e,
    "expit": lambda e: 1 / (1 + sp.exp(-e)), "logit": lambda e: sp.log(e / (1 - e)),
    "deg2rad": lambda e: e * sp.pi / 180, "radians": lambda e: e * sp.pi / 180,
    "rad2deg": lambda e: e * 180 / sp.pi, "degrees": lambda e: e * 180 / sp.pi,
    "log_expit": lambda e: -sp.log(1 + sp.exp(-e)), "ndtr": lambda e: (1 + sp.erf(e / sp.sqrt(2))) / 2,
}  # fmt: skip

ON_FLOATS: Mapping[Callable[[sp.Expr], sp.Expr], Callable[[Any], Any]] = {
    function: getattr(np, name) for name, function in FUNCTIONS.items() if hasattr(np, name)
}
