"""Where an adjoint is zero whatever flows into it, and which values are finite.

The adjoint of a definition that only the taken branch of a `where` reads is zero outside that branch. Its product with
a local derivative that is infinite there would be 0 * inf, which is NaN and not 0. So such a product becomes a `where`
of the same condition; where the local derivative is finite for finite data the product stands as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import sympy

from symbackprop.calculus.definitions import Term, slot_number, slot_symbol, substitute_slot
from symbackprop.calculus.guards import Guard, ranges_of
from symbackprop.calculus.indices import Affine, Atom, Index, bounds, is_nonnegative
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Read, Slot


@dataclass(frozen=True, slots=True)
class Support:
    """An adjoint with these `indices` is zero wherever `condition` over `slots` does not hold."""

    indices: tuple[Index, ...]
    condition: sympy.Basic
    slots: tuple[Slot, ...]

    def at(self, forms: Sequence[Affine]) -> tuple[Slot, ...]:
        """The slots of the condition, with the indices of the adjoint at `forms`."""
        values: Mapping[Atom, Affine] = dict(zip(self.indices, forms, strict=True))
        return tuple(substitute_slot(s, values) for s in self.slots)


def restrict(
    body: sympy.Expr, slots: Sequence[Slot], support: Support, forms: Sequence[Affine]
) -> tuple[sympy.Expr, list[Slot]]:
    """The body where the support holds and 0 elsewhere, with the slots that this reads."""
    count = len(slots)
    moved = {slot_symbol(k): slot_symbol(count + k) for k in range(len(support.slots))}
    condition = support.condition.xreplace(moved)
    return sympy.Piecewise((body, condition), (0, True)), [*slots, *support.at(forms)]


def find_support(indices: tuple[Index, ...], terms: Sequence[Term], inherited: Support | None) -> Support | None:
    """The support of an adjoint of one term without bound indices: its own conditions and those that flow in."""
    if len(terms) != 1 or terms[0].bound or terms[0].guards:
        return None
    term = terms[0]
    conditions = [
        _nonzero_condition(factor) for factor in sympy.Mul.make_args(term.body) if isinstance(factor, sympy.Piecewise)
    ]
    slots = list(term.slots)
    if inherited is not None:
        moved = {slot_symbol(k): slot_symbol(len(slots) + k) for k in range(len(inherited.slots))}
        conditions.append(inherited.condition.xreplace(moved))
        slots += inherited.slots
    condition = sympy.And(*conditions)
    if condition is sympy.true or not conditions:
        return None
    used = sorted(slot_number(s) for s in condition.free_symbols)
    packed = condition.xreplace({slot_symbol(k): slot_symbol(n) for n, k in enumerate(used)})
    return Support(indices, packed, tuple(slots[k] for k in used))


def _nonzero_condition(where: sympy.Piecewise) -> sympy.Basic:
    """The condition under which a branch that is not the number 0 is taken."""
    taken: sympy.Basic = sympy.false
    earlier: sympy.Basic = sympy.true
    for value, condition in where.args:
        if value != 0:
            taken = sympy.Or(taken, sympy.And(earlier, condition))
        earlier = sympy.And(earlier, sympy.Not(condition))
    return taken


def finite_tensors(program: Program) -> frozenset[str]:
    """The tensors whose values are finite wherever the data are (overflow of sums and products aside)."""
    finite = set(program.tensors())
    # All are taken to be finite until one is found that is not, since a recurrence is finite if each of its steps is.
    changed = True
    while changed:
        changed = False
        for definition in program.definitions:
            name = definition.tensor.name
            bounded = definition.call is None or definition.call.axiom == "det"
            if name in finite and not (bounded and all(is_finite(t.body, t.slots, finite) for t in definition.terms)):
                finite.remove(name)
                changed = True
    return frozenset(finite)


def finite_adjoints(program: Program, finite: AbstractSet[str]) -> frozenset[str]:
    """The tensors whose adjoints are finite wherever the data are: only finite definitions read them, at any depth."""
    infinite = [d for d in program.definitions if d.tensor.name not in finite]
    return frozenset(program.tensors()) - program.sources(name for d in infinite for name in d.uses())


def drop_implied(
    guards: Sequence[Guard], body: sympy.Expr, slots: Sequence[Slot], finite: AbstractSet[str]
) -> list[Guard]:
    """The guards without ranges that a factor of the body keeps by itself, since a read outside its range is 0.

    The other factors have to be finite there too.
    """
    kept = list(guards)
    factors = sympy.Mul.make_args(body)
    alone = {slot_number(f) for f in factors if f.is_Symbol}
    steady = all(not s.value.indices for s in slots if isinstance(s, Count))
    if not steady or not all(is_finite(f, slots, finite) for f in factors):
        return kept
    for number in alone:
        slot = slots[number]
        if isinstance(slot, Read):
            spans = ranges_of(slot.at, slot.tensor.spans)
            kept = [g for g in kept if g not in spans]
    return kept


def is_finite(body: sympy.Basic, slots: Sequence[Slot], finite: AbstractSet[str]) -> bool:
    """Whether the body is finite wherever the tensors in `finite` are, and reads no others."""
    if isinstance(body, sympy.Symbol):
        slot = slots[slot_number(body)]
        return isinstance(slot, Count) or slot.tensor.name in finite
    if body.is_number:
        return body.is_finite is True
    if isinstance(body, sympy.Add | sympy.Mul):
        return all(is_finite(a, slots, finite) for a in body.args)
    if isinstance(body, sympy.tanh | sympy.erf | sympy.sin | sympy.cos):
        return is_finite(body.args[0], slots, finite)
    if isinstance(body, sympy.Piecewise):
        return all(is_finite(value, slots, finite) for value, _ in body.args)
    if isinstance(body, sympy.Pow) and body.exp.is_Rational:
        if body.exp.is_Integer and body.exp > 0:
            return is_finite(body.base, slots, finite)
        return _stays_above_zero(body.base, slots, finite)
    return False


def _stays_above_zero(base: sympy.Basic, slots: Sequence[Slot], finite: AbstractSet[str]) -> bool:
    """Whether base is a positive integer, or a positive number plus exponentials, so that its powers are bounded."""
    if isinstance(base, sympy.Symbol):
        slot = slots[slot_number(base)]
        low = bounds(slot.value)[0] if isinstance(slot, Count) else None
        return low is not None and is_nonnegative(low - Affine.of(1))
    if isinstance(base, sympy.Mul):
        return all(a.is_positive is True or _stays_above_zero(a, slots, finite) for a in base.args)
    if not isinstance(base, sympy.Add):
        return False
    numbers = [a for a in base.args if a.is_number]
    others = [a for a in base.args if not a.is_number]
    return (
        all(a.is_positive is True for a in numbers)
        and bool(numbers)
        and all(isinstance(a, sympy.exp) and is_finite(a.args[0], slots, finite) for a in others)
    )
