"""Which values of a plan are written into the one expression that reads them."""

from __future__ import annotations

from collections.abc import Callable, Collection

import sympy

from symbackprop.calculus.definitions import slot_symbol
from symbackprop.codegen.forms import is_safe
from symbackprop.codegen.records import Contract, Count, Map, Plan, uses_of


def find_inline(plan: Plan, named: Collection[int], is_quiet: Callable[[int], bool]) -> frozenset[int]:
    """Values without a name that one expression of the same pass reads, and sizes; `is_quiet` says of which values
    warnings are silenced, which an expression does for all or nothing.
    """
    readers: dict[int, list[int]] = {}
    for number in (*plan.forward, *plan.backward):
        for use in uses_of(plan.values[number].record):
            readers.setdefault(use.value, []).append(number)
    outputs = {plan.result.use.value, *(g.use.value for g in plan.gradients)}
    forward, found = set(plan.forward), set()
    for number in (*plan.forward, *plan.backward):
        record = plan.values[number].record
        if isinstance(record, Count) and not plan.values[number].axes and not uses_of(record):
            found.add(number)
        if number in named or number in outputs or not isinstance(record, Map | Contract):
            continue
        by = readers.get(number, [])
        if len(by) == 1 and (number in forward) == (by[0] in forward):
            reader = plan.values[by[0]].record
            once = isinstance(reader, Map) and _count_reads(reader, number) == 1
            if once and is_quiet(number) == is_quiet(by[0]):
                found.add(number)
    return frozenset(found)


def _count_reads(record: Map, number: int) -> int:
    """How often the text of a map mentions a value."""
    symbols = [slot_symbol(k) for k, use in enumerate(record.uses) if use.value == number]
    return sum(e in symbols for e in sympy.preorder_traversal(record.body))


def has_branches(body: sympy.Expr) -> bool:
    """Whether a select in the body has a branch that may be infinite."""
    return any(not is_safe(branch) for where in body.atoms(sympy.Piecewise) for branch, _ in where.args)
