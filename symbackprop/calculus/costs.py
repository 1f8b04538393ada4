"""How many symbols it takes to write definitions down: names, indices, numbers and operators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

import sympy
from sympy.core.relational import Relational

from symbackprop.calculus.definitions import Definition, Term, slot_number
from symbackprop.calculus.tensors import Count, Role, Slot

NameCost = Callable[[str], int]
_NODES = 10  # of an expression, more than it has for each operation


class NameCosts:
    """What a tensor costs to write: its name, or for a hidden one what stands in its place."""

    def __init__(self, definitions: Iterable[Definition]) -> None:
        self._hidden: dict[str, int] = {}
        for definition in definitions:
            if definition.tensor.role is Role.HIDDEN:
                self._hidden[definition.tensor.name] = self._in_place(definition)

    def __call__(self, name: str) -> int:
        return self._hidden.get(name, 1)

    def _in_place(self, definition: Definition) -> int:
        """A hidden sum as it is written; a function as its name and its arguments. Indices count where it is read."""
        free = len(definition.indices)
        if any(t.bound for t in definition.terms):
            return max(1, sum(cost_of_term(t, self) for t in definition.terms) - free)
        slots = [s for t in definition.terms for s in t.slots]
        return max(1, 1 + sum(cost_of_slot(s, self) for s in slots) - free)


def cost_of_definitions(definitions: Sequence[Definition], names: NameCost) -> int:
    """The first definition with the hidden ones among the others written where they are read."""
    if len(definitions) == 1:
        return _cost_of_right_side(definitions[0], names)
    local = {d.tensor.name: d for d in definitions[1:]}

    def cost_of_name(name: str) -> int:
        definition = local.get(name)
        if definition is None:
            return names(name)
        return _cost_of_right_side(definition, cost_of_name) - len(definition.indices)

    return _cost_of_right_side(definitions[0], cost_of_name)


def _cost_of_right_side(definition: Definition, names: NameCost) -> int:
    terms = definition.terms
    if not terms:
        return 1
    # The sign of a term that is taken away is the sign between the terms, and guards that terms share are written once.
    signs = min(sum(int(t.body.could_extract_minus_sign()) for t in terms), len(terms) - 1)
    shared = sum(4 * len(t.guards) for k, t in enumerate(terms) if t.guards in [u.guards for u in terms[:k]])
    return sum(cost_of_term(t, names) for t in terms) + len(terms) - 1 - signs - shared


def cost_of_term(term: Term, names: NameCost) -> int:
    """A term; a sum divided by the sizes of all its indices is written as a mean."""
    cost = cost_of_body(term.body, [cost_of_slot(s, names) for s in term.slots]) + 4 * len(term.guards)
    if not term.bound:
        return cost
    below = [
        term.slots[slot_number(f.base)]
        for f in sympy.Mul.make_args(term.body)
        if f.is_Pow and f.exp == -1 and f.base.is_Symbol
    ]
    sizes = [Count(index.size) for index in term.bound]
    mean = len(set(sizes)) == len(sizes) and all(size in below for size in sizes)
    return cost + 1 + len(term.bound) - 2 * len(sizes) * mean


def cost_of_slot(slot: Slot, names: NameCost) -> int:
    """A tensor with its indices, or an index form."""
    if isinstance(slot, Count):
        return len(slot.value.terms) or 1
    return names(slot.tensor.name) + sum(len(form.terms) or 1 for form in slot.at)


def cost_of_body(body: sympy.Basic, slots: Sequence[int]) -> int:
    """A scalar body; brackets are free.

    >>> s0, s1 = sympy.symbols("s0 s1")
    >>> cost_of_body(2 * s0 * (1 - s1), [3, 3])
    11
    """
    if isinstance(body, sympy.Symbol):
        return slots[slot_number(body)]
    if isinstance(body, sympy.Rational):
        return int(body.p < 0) + (1 if body.q == 1 else 3)
    if isinstance(body, sympy.Add):
        minus = sum(int(a.could_extract_minus_sign()) for a in body.args)
        negative = min(minus, len(body.args) - 1)
        return sum(cost_of_body(a, slots) for a in body.args) + len(body.args) - 1 - negative
    if isinstance(body, sympy.Mul):
        return _cost_of_product(body, slots)
    if isinstance(body, sympy.Pow):
        size = abs(body.exp)
        own = 0 if size == 1 else 1 if size == sympy.Rational(1, 2) else 1 + cost_of_body(size, slots)
        return cost_of_body(body.base, slots) + own + 2 * int(body.exp.could_extract_minus_sign())
    if isinstance(body, Relational):
        return cost_of_body(body.lhs, slots) + 1 + cost_of_body(body.rhs, slots)
    if isinstance(body, sympy.Piecewise):
        return 1 + sum(
            cost_of_body(value, slots) + (0 if condition is sympy.true else cost_of_body(condition, slots))
            for value, condition in body.args
        )
    return 1 + sum(cost_of_body(a, slots) for a in body.args)


def _cost_of_product(body: sympy.Mul, slots: Sequence[int]) -> int:
    """Factors with an operator between two of them; a 1 stands above a fraction bar if nothing else does."""
    number, rest = body.as_coeff_Mul()
    factors = sympy.Mul.make_args(rest)
    below = [f for f in factors if f.is_Pow and f.exp.could_extract_minus_sign()]
    cost = sum(cost_of_body(f, slots) for f in factors) - 2 * len(below) + len(factors) - 1
    if number < 0:
        cost += 1
        number = -number
    alone = len(below) == len(factors)
    cost += 2 * (number.p != 1 or alone) + 2 * (number.q != 1)
    return int(cost)


def is_longer(expression: sympy.Expr, operations: int) -> bool:
    """Whether an expression has more than so many operations; a huge one is not counted through.

    >>> x = sympy.Symbol("x")
    >>> is_longer(x + 1, 1), is_longer(x**2 + 1, 1)
    (False, True)
    """
    most = _NODES * operations
    huge = sum(1 for _ in islice(sympy.preorder_traversal(expression), most)) == most
    return huge or expression.count_ops() > operations
