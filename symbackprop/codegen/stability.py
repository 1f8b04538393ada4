"""Stable rewrites across definitions: exponentials that would overflow are carried as exponents until they cancel.

A definition whose value is exp(A) times something has a *form*: that product over the slots of other definitions. A
sum S[n] = sum over k of r*exp(A) has the form exp(m[n]) * R[n], where m[n] is the largest A over k and R[n] = sum over
k of r*exp(A - m[n]). Who reads such a tensor in a logarithm or a denominator reads the form instead; so does who
multiplies it by something, if all exponents that could overflow cancel. Nothing here knows softmax, cross-entropy or
sigmoid: log-softmax, the gradient of cross-entropy and the like follow from the structure of their definitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy

from symbackprop.calculus.branches import put_in
from symbackprop.calculus.costs import is_longer
from symbackprop.calculus.definitions import Definition, Term, slot_number, slot_symbol, substitute_slot, used_slots
from symbackprop.calculus.indices import Affine, Atom, Index, compare_range
from symbackprop.calculus.recurrences import find_cycles
from symbackprop.calculus.tensors import Read, Role, Slot, Tensor, slot_indices
from symbackprop.codegen.forms import Logistic, canonical, exponent_of_sum, finish, split_exponential, split_logistic


@dataclass(frozen=True, slots=True)
class PeakDefinition:
    """tensor[indices] = the largest value of `body` over `bound`."""

    tensor: Tensor
    indices: tuple[Index, ...]
    bound: tuple[Index, ...]
    body: sympy.Expr
    slots: tuple[Slot, ...]


MOST_OPERATIONS = 1999
"""Of a body into which forms are put: the exponents of a long chain are left as they are."""

StableDefinition = Definition | PeakDefinition


@dataclass(frozen=True, slots=True)
class Form:
    """The value of a definition as a canonical body over slots; `overflows` where an exponent may be large."""

    indices: tuple[Index, ...]
    body: sympy.Expr
    slots: tuple[Slot, ...]
    overflows: bool


def stabilise(definitions: Sequence[Definition]) -> tuple[StableDefinition, ...]:
    """Definitions with the same values, right where the given ones overflow; new ones stand before readers."""
    rewriter = _Rewriter({d.tensor.name for d in definitions}, frozenset(find_cycles(definitions)))
    for definition in definitions:
        rewriter.rewrite(definition)
    return tuple(rewriter.made)


def find_discarded(definitions: Sequence[StableDefinition], outputs: Sequence[str]) -> frozenset[str]:
    """The tensors that are read in the branches of `where` only, so that nobody sees them where they are not finite."""
    seen, known = set(outputs), {d.tensor.name for d in definitions}
    for definition in reversed(definitions):
        bodies = [definition] if isinstance(definition, PeakDefinition) else definition.terms
        for term in bodies:
            everywhere = set(used_slots(_without_branches(term.body)))
            for k, slot in enumerate(term.slots):
                if isinstance(slot, Read) and k in everywhere and definition.tensor.name in seen:
                    seen.add(slot.tensor.name)
    return frozenset(known - seen)


def _without_branches(body: sympy.Expr) -> sympy.Expr:
    """The body with the conditions of every `where` and without its branches."""
    conditions: list[sympy.Symbol] = []

    def strip(e: sympy.Piecewise) -> sympy.Expr:
        conditions.extend(s for _, c in e.args for s in c.free_symbols)
        return sympy.Integer(1)

    stripped = body.replace(lambda e: isinstance(e, sympy.Piecewise), strip)
    return sympy.Tuple(stripped, *conditions)


class _Rewriter:
    """Rewrites definitions in order and remembers their forms and the peaks that were made."""

    def __init__(self, names: set[str], cyclic: frozenset[str]) -> None:
        self.taken = set(names)
        self.cyclic = cyclic
        self.made: list[StableDefinition] = []
        self.forms: dict[str, Form] = {}
        self.peaks: dict[str, PeakDefinition] = {}

    def rewrite(self, definition: Definition) -> None:
        """Add a definition, and its form if it has one; what is no sum, or reads itself, has none."""
        if not definition.is_sum:
            self.made.append(definition)
            return
        terms, inlined = [], []
        for term in definition.terms:
            written, form = self._substitute(term)
            terms.append(replace(written, body=finish(written.body)))
            inlined.append(form)
        self.made.append(Definition(definition.tensor, definition.indices, tuple(terms), line=definition.line))
        if definition.tensor.name in self.cyclic or definition.tensor.bases:
            return
        if any(t.guards for t in inlined) or not any(self._is_exponential(t) for t in inlined):
            return
        total: sympy.Expr = sympy.Integer(0)
        found: list[Slot] = []
        for number, term in enumerate(inlined):
            piece, read = self._form_of_term(term, f"{definition.tensor.name}_{number + 1}")
            total += piece.xreplace(_intern(read, found))
        total = canonical(total)
        overflows = self._count_overflows(total, found) > 0
        self.forms[definition.tensor.name] = Form(definition.indices, total, tuple(found), overflows)

    def _is_exponential(self, term: Term) -> bool:
        return bool(term.body.has(sympy.exp)) or any(self._form_at(s, True) for s in term.slots)

    def _form_at(self, slot: Slot, overflowing: bool = False) -> Form | None:
        """The form of what a slot reads at indices of its own or within range; one that overflows if asked."""
        if not isinstance(slot, Read) or slot.tensor.name not in self.forms:
            return None
        form = self.forms[slot.tensor.name]
        inside = all(compare_range(at, size, 1) for at, size in zip(slot.at, slot.tensor.axes, strict=True))
        return form if inside and (form.overflows or not overflowing) else None

    def _substitute(self, term: Term) -> tuple[Term, Term]:
        """The term as it is written, and as its reader may see it.

        Written are forms in logarithms and denominators, and everywhere if then less can overflow. A reader sees
        through every tensor that can overflow.
        """
        slots = list(term.slots)
        inner: dict[sympy.Symbol, sympy.Expr] = {}
        large: dict[sympy.Symbol, sympy.Expr] = {}
        for k in sorted(used_slots(term.body)):
            read = term.slots[k]
            form = self._form_at(read)
            if form is not None and isinstance(read, Read):
                values: dict[Atom, Affine] = dict(zip(form.indices, read.at, strict=True))
                moved = _intern([substitute_slot(s, values) for s in form.slots], slots)
                inner[slot_symbol(k)] = form.body.xreplace(moved)
                if form.overflows:
                    large[slot_symbol(k)] = inner[slot_symbol(k)]
        given = put_in(term.body, _find_complements(term.body, inner)) if inner else term.body
        body = canonical(_substitute_in_denominators(given, inner) if inner else given)
        seen = body
        dangers = self._count_overflows(body, slots) if inner or body.has(sympy.exp) else 0
        if dangers:
            whole = canonical(_expand(canonical(put_in(term.body, inner))))
            if not is_longer(whole, MOST_OPERATIONS) and self._count_overflows(whole, slots, dangers) < dangers:
                body = seen = whole
            elif large:
                through = canonical(_expand(canonical(put_in(term.body, large))))
                seen = body if is_longer(through, MOST_OPERATIONS) else through
        written = _replace_body(term, body, slots)
        return written, written if seen is body else _replace_body(term, seen, slots)

    def _count_overflows(self, body: sympy.Expr, slots: Sequence[Slot], most: int | None = None) -> int:
        """How many exponentials outside of `where`, written here or read, are not known to be bounded; no further than
        `most`, where that is given."""
        count, waiting = 0, [body]
        while waiting and (most is None or count < most):
            part = waiting.pop()
            if isinstance(part, sympy.exp):
                rest, _ = split_logistic(part.args[0])
                count += not self._is_bounded(rest, slots)
            elif isinstance(part, sympy.Symbol):
                count += self._form_at(slots[slot_number(part)], True) is not None
            elif not isinstance(part, sympy.Piecewise):
                waiting += [a for a in part.args if isinstance(a, sympy.Expr)]
        return count

    def _is_bounded(self, exponent: sympy.Expr, slots: Sequence[Slot]) -> bool:
        """Whether the exponent is a number, or what stands over a peak less that peak."""
        exponent = sympy.expand_mul(exponent)
        if _stays_small(exponent):
            return True
        for k in sorted(used_slots(exponent)):
            read = slots[k]
            if not (isinstance(read, Read) and read.tensor.name in self.peaks):
                continue
            coefficient = exponent.coeff(slot_symbol(k))
            instance = _match_peak(self.peaks[read.tensor.name], read, exponent, slots)
            if instance is not None and coefficient.is_Integer and coefficient < 0:
                return self._is_bounded(exponent - coefficient * (slot_symbol(k) - instance), slots)
        return False

    def _form_of_term(self, term: Term, name: str) -> tuple[sympy.Expr, list[Slot]]:
        """exp(A) * r * R over free indices, where R is the sum over the bound ones, scaled by its largest exponent."""
        if not term.bound:
            return term.body, list(term.slots)
        slots = list(term.slots)
        total: sympy.Expr = sympy.Integer(0)
        for number, addend in enumerate(sympy.Add.make_args(sympy.expand_mul(term.body))):
            exponent, rest = split_exponential(addend)
            parts = {a: self._bound_in(a, term) for a in sympy.Add.make_args(exponent)}
            inside = sympy.Add(*(a for a, bound in parts.items() if bound))
            outside = sympy.exp(exponent - inside)
            factors = sympy.Mul.make_args(rest)
            outside *= sympy.Mul(*(f for f in factors if not self._bound_in(f, term)))
            body = sympy.Mul(*(f for f in factors if self._bound_in(f, term)))
            if inside != 0 and not self._is_bounded(split_logistic(inside)[0], term.slots):
                peak = self._add_peak(inside, term, f"{name}_{number + 1}_max")
                slots.append(peak)
                outside *= sympy.exp(slot_symbol(len(slots) - 1))
                inside -= slot_symbol(len(slots) - 1)
            slots.append(self._add_sum(body * sympy.exp(inside), slots, term.bound, f"{name}_{number + 1}_sum"))
            total += outside * slot_symbol(len(slots) - 1)
        return total, slots

    def _bound_in(self, body: sympy.Expr, term: Term) -> bool:
        return any(i in term.bound for k in used_slots(body) for i in slot_indices(term.slots[k]))

    def _add_peak(self, exponent: sympy.Expr, term: Term, name: str) -> Read:
        """The read of a new tensor, the largest exponent over the bound indices."""
        body, slots = _pack(exponent, term.slots)
        carried = dict.fromkeys(i for s in slots for i in slot_indices(s))
        free = tuple(i for i in carried if i not in term.bound)
        tensor = self._tensor(name, free)
        peak = PeakDefinition(tensor, free, tuple(i for i in carried if i in term.bound), finish(body), slots)
        self.made.append(peak)
        self.peaks[tensor.name] = peak
        return Read(tensor, tuple(Affine.of(i) for i in free))

    def _add_sum(self, full: sympy.Expr, given: Sequence[Slot], bound: tuple[Index, ...], name: str) -> Read:
        """The read of a new tensor, the sum of a body over the bound indices."""
        body, slots = _pack(full, given)
        free = tuple(dict.fromkeys(i for s in slots for i in slot_indices(s) if i not in bound))
        tensor = self._tensor(name, free)
        self.made.append(Definition(tensor, free, (Term(bound, finish(body), slots),)))
        return Read(tensor, tuple(Affine.of(i) for i in free))

    def _tensor(self, name: str, free: tuple[Index, ...]) -> Tensor:
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return Tensor(name, tuple(i.size for i in free), Role.HIDDEN)


def _stays_small(body: sympy.Expr) -> bool:
    """Whether the body is made of numbers and of functions between -1 and 1."""
    if body.is_number or isinstance(body, sympy.tanh | sympy.sin | sympy.cos | sympy.erf | Logistic):
        return True
    if body.is_Pow:
        return bool(body.exp.is_Integer and body.exp > 0) and _stays_small(body.base)
    return isinstance(body, sympy.Add | sympy.Mul) and all(_stays_small(a) for a in body.args)


def _expand(body: sympy.Expr) -> sympy.Expr:
    """Products of sums multiplied out."""
    addends = sympy.Add.make_args(body)
    return sympy.Add(*(sympy.expand(a, deep=False, power_base=False, power_exp=False, log=False) for a in addends))


def _replace_body(term: Term, body: sympy.Expr, slots: Sequence[Slot]) -> Term:
    packed, read = _pack(body, slots)
    return replace(term, body=packed, slots=read)


def _substitute_in_denominators(body: sympy.Expr, inner: dict[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
    """The forms put into logarithms and denominators where that turns the whole of it into one exponential."""
    if body.is_Atom or isinstance(body, sympy.Piecewise):
        return body
    if isinstance(body, sympy.log) or (body.is_Pow and not (body.args[1].is_Integer and body.args[1] > 0)):
        argument = canonical(put_in(body.args[0], inner))
        exponent, _ = split_exponential(argument)
        if exponent != 0 or (argument.has(sympy.exp) and exponent_of_sum(argument) is not None):
            return body.func(argument, *body.args[1:])
    return body.func(*(_substitute_in_denominators(a, inner) for a in body.args))


def _find_complements(body: sympy.Expr, inner: dict[sympy.Symbol, sympy.Expr]) -> dict[sympy.Symbol, sympy.Expr]:
    """The forms of those slots whose distance from 1 is one exponential: 1 - a loses the digits that it keeps."""
    found = {}
    for total in body.atoms(sympy.Add):
        present = total.free_symbols & inner.keys()
        if len(total.args) == 2 and len(present) == 1 and not canonical(put_in(total, inner)).is_Add:
            found.update({symbol: inner[symbol] for symbol in present})
    return found


def _match_peak(peak: PeakDefinition, read: Read, exponent: sympy.Expr, slots: Sequence[Slot]) -> sympy.Expr | None:
    """The body of a peak over the slots of the exponent, at bound indices that make it read the same tensors."""
    values: dict[Atom, Affine] = dict(zip(peak.indices, read.at, strict=True))
    present = [slots[k] for k in sorted(used_slots(exponent))]
    for slot in peak.slots:
        for other in present:
            if not (isinstance(slot, Read) and isinstance(other, Read) and slot.tensor == other.tensor):
                continue
            found = dict(values)
            pairs = list(zip(slot.at, other.at, strict=True))
            for own, at in pairs:
                if own.index in peak.bound and compare_range(at, own.index.size, own.index.start):
                    found.setdefault(own.index, at)
            if all(own.substitute(found) == at for own, at in pairs):
                values = found
                break
    moved: dict[sympy.Symbol, sympy.Symbol] = {}
    for k, slot in enumerate(peak.slots):
        place = next((n for n, s in enumerate(slots) if s == substitute_slot(slot, values)), None)
        if place is None:
            return None
        moved[slot_symbol(k)] = slot_symbol(place)
    return canonical(peak.body).xreplace(moved)


def _intern(read: Sequence[Slot], slots: list[Slot]) -> dict[sympy.Symbol, sympy.Symbol]:
    """The numbers in `slots` of what is read, added to it where it is new."""
    for slot in read:
        if slot not in slots:
            slots.append(slot)
    return {slot_symbol(k): slot_symbol(slots.index(slot)) for k, slot in enumerate(read)}


def _pack(body: sympy.Expr, slots: Sequence[Slot]) -> tuple[sympy.Expr, tuple[Slot, ...]]:
    """The body over its own slots only, equal ones made one."""
    for _ in range(2):  # a merge can let slots cancel
        places: dict[Slot, int] = {}
        used = sorted(used_slots(body))
        moved = {slot_symbol(k): slot_symbol(places.setdefault(slots[k], len(places))) for k in used}
        body, slots = body.xreplace(moved), tuple(places)
    return body, tuple(slots)
