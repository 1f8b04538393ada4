"""Which values of a plan are written into the one expression that reads them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import sympy

from symbackprop.calculus.definitions import slot_symbol
from symbackprop.codegen.forms import Larger, is_safe
from symbackprop.codegen.records import Contract, Count, Map, Plan, is_indicator, uses_of


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


def _takes_conditions(record: Map) -> bool:
    """Whether a function of two operands is the same of true and false as of 1 and 0."""
    product = record.body.is_Mul and not record.body.atoms(sympy.Pow)
    return len(record.uses) == 2 and (product or isinstance(record.body, Larger))


def find_indicators(plan: Plan) -> Mapping[int, int]:
    """The values that are 1 where a condition holds and 0 elsewhere and that only functions read that may read the
    condition itself; with the condition.
    """
    found: dict[int, int] = {}
    for number, value in enumerate(plan.values):
        if isinstance(value.record, Map) and value.axes and is_indicator(value.record.body):
            found[number] = value.record.uses[0].value
    outputs = {plan.result.use.value, *(g.use.value for g in plan.gradients)}
    for number in (*plan.forward, *plan.backward):
        record = plan.values[number].record
        if not (isinstance(record, Map) and _takes_conditions(record)) or all(
            use.value in found for use in uses_of(record)
        ):
            outputs |= {use.value for use in uses_of(record)}
    return {number: condition for number, condition in found.items() if number not in outputs}
