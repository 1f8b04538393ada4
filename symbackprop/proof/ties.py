"""Ties, where what a condition compares is equal: sides that differ nowhere else, and points at which they differ.

A tie is met by no point that is drawn at random, so points are made for it. Sides are compared off ties by writing each
comparison as one of two strict ones; what they are where it is neither is left open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import sympy as sp
from sympy.core.relational import Relational

from symbackprop.calculus.branches import settle
from symbackprop.calculus.definitions import Definition, Term, slot_symbol, used_slots
from symbackprop.calculus.indices import Index
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Role, Slot, slot_indices, tensor_over
from symbackprop.errors import UnsupportedError
from symbackprop.language.phrasing import hidden_definitions, phrase_body
from symbackprop.language.writer import write_tree
from symbackprop.proof.facts import solve_zero
from symbackprop.proof.problems import read_problem, realise
from symbackprop.proof.sampling import compare_at, has_values, sample_points
from symbackprop.proof.verdict import Witness

_MOST_COMPARED, _TRIES, _POINTS = 12, 24, 3
"""The comparisons of two sides for which points are made, the points drawn for each, and those that are looked at."""


def find_tie(
    left: sp.Expr, right: sp.Expr, assumptions: Iterable[sp.Basic] = (), domain: Iterable[sp.Basic] = ()
) -> Witness | None:
    """A point at which something compared is equal and two sides certainly differ, or None where none was found.

    >>> x, y = sp.symbols("x y")
    >>> step = sp.Piecewise((1, x * y > 1), (0, True))
    >>> print(find_tie(step, sp.Piecewise((1, x * y >= 1), (0, True))))
    at x = -1/2, y = -2 the left side is 0 and the right side is 1
    """
    try:
        problem = read_problem(left, right, tuple(assumptions), domain)
    except (UnsupportedError, RecursionError):
        return None
    gaps = [realise(c.lhs - c.rhs) for side in (problem.left, problem.right) for c in _list_compared(side)]
    for gap in list(dict.fromkeys(gaps))[:_MOST_COMPARED]:
        for solution in solve_zero(gap) or ():
            drawn = sample_points(problem, problem.facts, (solution,), seed=3, tries=_TRIES)
            for point in islice(drawn, _POINTS):
                _, witness = compare_at(problem, point)
                rounding = witness is not None and bool(problem.notes) and witness.is_rounding
                if witness is not None and not rounding and has_values(problem, point):
                    return witness
    return None


def _list_compared(body: sp.Basic) -> Iterable[Relational]:
    """The comparisons by which a body is chosen, in the order in which they stand in it."""
    choices = (node for node in sp.preorder_traversal(body) if isinstance(node, sp.Piecewise))
    conditions = (branch.cond for choice in choices for branch in choice.args)
    found = (node for c in conditions for node in sp.preorder_traversal(c) if isinstance(node, Relational))
    return (each for each in dict.fromkeys(found) if not each.has(sp.Piecewise))


@dataclass(frozen=True, slots=True)
class Tie:
    """That a difference of real numbers is 0; it is oriented, and its names are those of what is read.

    `definition` is the difference for all values of the letters in it.
    """

    difference: sp.Expr
    text: str
    definition: Definition


def list_ties(definitions: Iterable[Definition], program: Program, indices: Sequence[Index]) -> tuple[Tie, ...]:
    """The ties that definitions over a program know, each once; letters that are no `indices` are for some value."""
    hidden = hidden_definitions(program)
    found: dict[sp.Expr, Tie] = {}
    for definition in definitions:
        for term in definition.terms:
            for compared in _list_compared(term.body):
                if not _is_real(compared, term.slots):
                    continue
                difference, _ = _orient(compared, term.slots)
                if difference not in found:
                    sides = (write_tree(phrase_body(side, term.slots, (), hidden)) for side in compared.args)
                    read = [i for k in sorted(used_slots(compared)) for i in slot_indices(term.slots[k])]
                    some = dict.fromkeys(i.name for i in read if i.name not in {each.name for each in indices})
                    text = " = ".join(sides) + (f" for some {', '.join(some)}" if some else "")
                    made = Term((), compared.lhs - compared.rhs, term.slots)
                    letters = tuple(dict.fromkeys(read))
                    carrier = Definition(tensor_over("tie", letters, Role.DEFINED), letters, (made,))
                    found[difference] = Tie(difference, text, carrier)
    return tuple(found.values())


def drop_ties(definition: Definition, ties: Collection[Tie]) -> Definition:
    """The definition with some value or other where one of some ties is met, and its own elsewhere."""
    differences = frozenset(tie.difference for tie in ties)

    def change(term: Term) -> Term:
        body = _drop(term.body, term.slots, differences)
        return term if body == term.body else replace(term, body=body)

    return replace(definition, terms=tuple(map(change, definition.terms)))


def _drop(node: sp.Basic, slots: Sequence[Slot], differences: frozenset[sp.Expr]) -> sp.Basic:
    if not node.args or not node.has(Relational):
        return node
    if isinstance(node, Relational):
        if not _is_real(node, slots) or node.has(sp.Piecewise):
            return node
        difference, sign = _orient(node, slots)
        return _open(node, sign) if difference in differences else node
    if isinstance(node, sp.Piecewise):
        pairs = (tuple(_drop(part, slots, differences) for part in branch.args) for branch in node.args)
        return sp.Piecewise(*((value, settle(condition)) for value, condition in pairs))
    return node.func(*(_drop(argument, slots, differences) for argument in node.args))


def _open(compared: Relational, sign: int) -> sp.Basic:
    """A comparison as whether its difference with a sign is above 0, off ties."""
    if isinstance(compared, sp.Eq | sp.Ne):
        return sp.true if isinstance(compared, sp.Ne) else sp.false
    above = sp.Gt(sign * (compared.lhs - compared.rhs), 0)
    return above if isinstance(compared, sp.Gt | sp.Ge) == (sign > 0) else sp.Not(above)


def _is_real(compared: Relational, slots: Sequence[Slot]) -> bool:
    """Whether real numbers are compared, not indices, sizes or entries of integer data alone."""
    return any(not isinstance(slots[k], Count) for k in used_slots(compared))


def _orient(compared: Relational, slots: Sequence[Slot]) -> tuple[sp.Expr, int]:
    """The difference of what is compared in the names of what is read, with a sign that it decides by itself."""
    names = {slot_symbol(k): sp.Symbol(repr(slots[k]), real=True) for k in used_slots(compared)}
    difference = sp.expand((compared.lhs - compared.rhs).xreplace(names))
    if not difference:
        return difference, 1
    first = min(difference.as_ordered_terms(), key=lambda part: (not part.is_number, str(part.as_coeff_Mul()[1])))
    factor = first if first.is_number else first.as_coeff_Mul()[0]
    sign = -1 if factor.is_negative else 1
    return sp.expand(difference / abs(factor)) * sign, sign
