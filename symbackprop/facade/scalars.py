"""Scalar formulas given as text or as SymPy: names are real scalars."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import sympy

from symbackprop.calculus.definitions import Term
from symbackprop.calculus.expansion import Expansion
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ArgumentError, FormulaError, LimitError
from symbackprop.functions import FUNCTION_BY_NAME, expand_applications
from symbackprop.language import read_expression, write_tree
from symbackprop.language import tree as t
from symbackprop.proof.domains import conditions_of
from symbackprop.proof.problems import realise
from symbackprop.proof.sides import read_side

MOST_KINKS = 3
"""The number of functions with kinks that may stand inside each other: the conditions of the outer ones hold all
pieces of the inner ones, so that each more makes a formula some fifteen times as long."""
RELATIONS = {"nonzero": sympy.Ne, "positive": sympy.Gt, "nonnegative": sympy.Ge}
Formula: TypeAlias = sympy.Expr | str | int | float
Read: TypeAlias = Formula | t.Expression


def read_scalar(formula: Read) -> sympy.Expr:
    """A scalar formula as a SymPy expression; text is in the formula language, and its names become real symbols.

    A formula that was read already is a tree.

    >>> read_scalar("2*sigmoid(0) + x^2")
    x**2 + 1
    """
    if isinstance(formula, str | t.Expression):
        return _read(formula)[0]
    if isinstance(formula, bool) or not isinstance(formula, sympy.Expr | int | float):
        raise ArgumentError(f"A formula is text or a SymPy expression, not {type(formula).__name__}.")
    return formula if isinstance(formula, sympy.Expr) else sympy.Number(formula)


def read_conditions(formula: Read) -> tuple[sympy.Basic, ...]:
    """What must hold for a formula given as text or as a tree to have a value, as relations.

    SymPy turns x/x into 1 and forgets them. Of a SymPy expression only what it derives is known.

    >>> read_conditions("x/x")
    (Ne(x, 0),)
    """
    if isinstance(formula, str | t.Expression):
        return _read(formula)[1]
    derived = sorted(formula.atoms(sympy.Derivative), key=str) if isinstance(formula, sympy.Expr) else []
    smooth = [realise(each.expr) for each in derived if not each.expr.has(sympy.Piecewise)]
    return tuple(fact.formula for fact in conditions_of(*smooth))


def _read(formula: str | t.Expression) -> tuple[sympy.Expr, tuple[sympy.Basic, ...]]:
    tree = read_expression(formula) if isinstance(formula, str) else formula
    for node, _ in t.walk(tree):
        if isinstance(node, t.Access | t.Reduce | t.Entry):
            raise FormulaError(
                f"Only scalars can be compared by themselves, and {write_tree(tree)!r} has indices; "
                "use verify_gradient with a program.",
                line=node.line or None,
                column=node.column or None,
            )
    kinks = _count_kinks(tree)
    if kinks > MOST_KINKS:
        raise LimitError(
            f"found {kinks} functions with kinks inside each other, expected at most {MOST_KINKS}",
            found=f"{kinks} functions with kinks inside each other",
            expected=f"at most {MOST_KINKS}",
        )
    names = dict.fromkeys(n.name for n, _ in t.walk(tree) if isinstance(n, t.Name) and n.name != "pi")
    program = Program(tuple(Tensor(name, (), Role.INPUT) for name in names), ())
    side = read_side(program, tree, {})
    expansion = Expansion(program.extended(side.needed), {})
    value = sympy.Add(*(expansion.term(term, {}) for term in side.definition.terms))
    conditions = [
        RELATIONS[c.kind](expansion.term(Term((), c.body, c.slots), {}), 0)
        for d in (*side.needed, side.definition)
        for c in d.domain
    ]
    return value, tuple(c for c in dict.fromkeys(conditions) if c != sympy.true)


def _count_kinks(tree: t.Node) -> int:
    """How many functions with kinks stand inside each other."""
    inside = max((_count_kinks(child) for child in t.children(tree)), default=0)
    return inside + (isinstance(tree, t.Where) or (isinstance(tree, t.Apply) and _has_kinks(tree.function)))


@cache
def _has_kinks(name: str) -> bool:
    """Whether a function of the catalogue has kinks."""
    function = FUNCTION_BY_NAME.get(name)
    if function is None:
        return False
    symbols = sympy.symbols(f"u:{function.arity}")
    return bool(expand_applications(function.formula(*symbols)).has(sympy.Piecewise))
