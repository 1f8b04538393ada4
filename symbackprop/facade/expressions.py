"""A SymPy expression as a program of one scalar definition."""

from __future__ import annotations

import sympy

from symbackprop.calculus.definitions import Definition, make_term, slot_symbol
from symbackprop.calculus.indices import choose_name
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Read, Role, Tensor
from symbackprop.errors import ArgumentError, UnsupportedError
from symbackprop.language.tree import RESERVED

SMOOTH = (
    sympy.Add,
    sympy.Mul,
    sympy.Pow,
    sympy.exp,
    sympy.log,
    sympy.sin,
    sympy.cos,
    sympy.tan,
    sympy.sinh,
    sympy.cosh,
    sympy.tanh,
    sympy.erf,
)


def expression_program(expression: sympy.Expr) -> Program:
    """The program `loss = expression`, its symbols being scalar inputs in the order of their names.

    Abs, Max, Min, sign and Heaviside become `where`, so that their derivatives at the kinks follow the one law.

    >>> x = sympy.Symbol("x")
    >>> [t.name for t in expression_program(x**2).leaves]
    ['x']
    """
    plain = without_kinks(expression)
    for node in sympy.preorder_traversal(plain):
        if not node.args or isinstance(node, (*SMOOTH, sympy.Piecewise, sympy.Tuple)):
            continue
        if isinstance(node, sympy.functions.elementary.piecewise.ExprCondPair) or node.is_Boolean or node.is_Relational:
            continue
        raise UnsupportedError(
            f"{type(node).__name__} is not a function that symbackprop derives; write it with "
            f"{', '.join(f.__name__ for f in SMOOTH[3:])}, powers and Piecewise."
        )
    symbols = sorted(plain.free_symbols, key=str)
    names = [str(s) for s in symbols]
    for name in names:
        if not (name.isascii() and name.isidentifier() and name[0].isalpha()) or name in RESERVED:
            raise ArgumentError(
                f"{name!r} is not a name of the formula language: a letter, then letters, digits and _."
            )
    if len(set(names)) != len(names):
        raise ArgumentError(f"Two different symbols share a name among {', '.join(names)}.")
    leaves = tuple(Tensor(n, (), Role.INPUT) for n in names)
    body = plain.xreplace({s: slot_symbol(k) for k, s in enumerate(symbols)})
    term = make_term((), body, tuple(Read(t, ()) for t in leaves))
    loss = Tensor(choose_name("loss", names), (), Role.DEFINED)
    return Program(leaves, (Definition(loss, (), () if term is None else (term,)),), (), loss.name)


def without_kinks(expression: sympy.Expr) -> sympy.Expr:
    """The expression with its kinked functions written as `where`, from the inside out."""
    if not expression.args:
        return expression
    arguments = [without_kinks(a) for a in expression.args]
    if isinstance(expression, sympy.Abs):
        (u,) = arguments
        return sympy.Piecewise((u, u > 0), (-u, u < 0), (0, True))
    if isinstance(expression, sympy.sign):
        (u,) = arguments
        return sympy.Piecewise((1, u > 0), (-1, u < 0), (0, True))
    if isinstance(expression, sympy.Heaviside):
        u = arguments[0]
        return sympy.Piecewise((1, u > 0), (0, u < 0), (sympy.Rational(1, 2), True))
    if isinstance(expression, sympy.Max | sympy.Min):
        best = arguments[0]
        for other in arguments[1:]:
            ahead = best > other if isinstance(expression, sympy.Max) else best < other
            behind = best < other if isinstance(expression, sympy.Max) else best > other
            best = sympy.Piecewise((best, ahead), (other, behind), ((best + other) / 2, True))
        return best
    return expression.func(*arguments)
