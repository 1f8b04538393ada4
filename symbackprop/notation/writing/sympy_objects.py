"""Definitions as SymPy objects: `Sum`, `Indexed` and `KroneckerDelta`, made at the edge and nowhere else.

The engine never computes with these (SymPy captures bound indices when it substitutes in a `Sum`); they are for a
reader who goes on in SymPy.
"""

from __future__ import annotations

import sympy

from symbackprop.calculus.definitions import Definition, Term, slot_symbol
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Role, Slot


def index_symbol(index: Index) -> sympy.Symbol:
    """The integer symbol of an index."""
    return sympy.Symbol(index.name, integer=True, positive=True)


def affine_expression(form: Affine) -> sympy.Expr:
    """An affine form as a SymPy expression.

    >>> affine_expression(Affine.of("N") + Affine.of(1))
    N + 1
    """
    parts = [
        c * (index_symbol(a) if isinstance(a, Index) else sympy.Symbol(a, integer=True, positive=True))
        for a, c in form.terms
    ]
    return sympy.Add(form.constant, *parts)


def definition_expression(definition: Definition, program: Program) -> sympy.Expr:
    """The right side of a definition; hidden tensors are written out where they are read."""
    return sympy.Add(*(_term_expression(term, program) for term in definition.terms))


def _term_expression(term: Term, program: Program) -> sympy.Expr:
    values = {slot_symbol(k): _slot_expression(s, program) for k, s in enumerate(term.slots)}
    body = term.body.xreplace(values)
    for guard in term.guards:
        positive = [(a, c) for a, c in guard.form.terms if c > 0]
        left = Affine.build(positive, max(guard.form.constant, 0))
        right = left - guard.form
        body *= sympy.KroneckerDelta(affine_expression(left), affine_expression(right))
    if not term.bound:
        return body
    return sympy.Sum(body, *((index_symbol(i), 1, affine_expression(i.size)) for i in term.bound))


def _slot_expression(slot: Slot, program: Program) -> sympy.Expr:
    if isinstance(slot, Count):
        return affine_expression(slot.value)
    if slot.tensor.role is Role.HIDDEN:
        hidden = program.definition(slot.tensor.name)
        if hidden is not None:
            # Bound letters move out of the way of those around the read: xreplace would capture them.
            inner = definition_expression(hidden, program)
            bound = [v for s in inner.atoms(sympy.Sum) for v in s.variables]
            inner = inner.xreplace({v: sympy.Symbol(f"{v.name}_", integer=True, positive=True) for v in bound})
            return inner.xreplace(
                {index_symbol(i): affine_expression(f) for i, f in zip(hidden.indices, slot.at, strict=True)}
            )
    if not slot.at:
        return sympy.Symbol(slot.tensor.name, real=True)
    shape = tuple(affine_expression(a) for a in slot.tensor.axes)
    return sympy.IndexedBase(slot.tensor.name, shape=shape, real=True)[tuple(affine_expression(f) for f in slot.at)]
