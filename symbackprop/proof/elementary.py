"""Hyperbolic and trigonometric functions by exp, and by sin and cos."""

from __future__ import annotations

import sympy as sp


def in_exp(node: sp.Expr) -> sp.Expr:
    """Hyperbolic functions by exp, and their inverses by log."""
    # SymPy's `rewrite` would reach into the argument and turn x^3 into exp(3 log x).
    argument = node.args[0]
    if isinstance(node, sp.atanh):
        return (sp.log(1 + argument) - sp.log(1 - argument)) / 2
    if isinstance(node, sp.asinh | sp.acosh):
        return sp.log(argument + sp.sqrt(argument**2 + (1 if isinstance(node, sp.asinh) else -1)))
    rise, fall = sp.exp(argument), sp.exp(-argument)
    by_function = {
        sp.sinh: (rise - fall) / 2,
        sp.cosh: (rise + fall) / 2,
        sp.sech: 2 / (rise + fall),
        sp.csch: 2 / (rise - fall),
    }
    return by_function[node.func]


def in_sin_cos(node: sp.Expr) -> sp.Expr:
    """tan, cot, sec, csc by sin and cos."""
    argument = node.args[0]
    sine, cosine = sp.sin(argument), sp.cos(argument)
    return {sp.tan: sine / cosine, sp.cot: cosine / sine, sp.sec: 1 / cosine, sp.csc: 1 / sine}[node.func]
