"""From definitions to a plan: reads become operands, sums of products become contractions, bodies become maps.

Records are made once each, so that the backward pass finds what the forward pass has computed. A tensor is an *alias*:
a value whose axes carry some of the indices of its definition, so that transposing and repeating cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy

from symbackprop.calculus.definitions import Definition, Term, slot_symbol, substitute_slot
from symbackprop.calculus.diagonals import choose_pairs
from symbackprop.calculus.guards import Equal, Guard
from symbackprop.calculus.indices import Affine, Atom, Entry, Forms, Index, Quotient, Remainder
from symbackprop.calculus.tensors import Count as CountSlot
from symbackprop.calculus.tensors import Read, Slot, Tensor
from symbackprop.codegen.bodies import Operand, use_of
from symbackprop.codegen.folds import find_fold
from symbackprop.codegen.forms import is_safe
from symbackprop.codegen.operations import Operations
from symbackprop.codegen.records import (
    Count,
    First,
    Floor,
    Gather,
    Given,
    Inside,
    Label,
    Lookup,
    Match,
    MatrixFunction,
    Modulo,
    Output,
    Part,
    Plan,
    Position,
    Scatter,
    Select,
    Take,
    Use,
    Window,
    all_even,
    reach,
)
from symbackprop.codegen.stability import PeakDefinition, StableDefinition
from symbackprop.codegen.tiles import find_tiles


class PlanBuilder(Operations):
    """Remembers what stands for which tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.aliases: dict[str, tuple[Operand, tuple[Index, ...]]] = {}
        self.named: dict[int, str] = {}
        self.maxima: dict[str, tuple[tuple[Index, ...], Read, Index]] = {}
        self.reads_views = True

    def give(self, tensor: Tensor) -> None:
        """A tensor that the caller passes."""
        indices = tuple(Index(f"#{k}", size) for k, size in enumerate(tensor.axes))
        self.name_value(tensor.name, self.make(Given(tensor.name), indices), indices)

    def define(self, definition: StableDefinition, quiet: bool) -> None:
        """Compute a tensor; `quiet` says that only discarded branches may read it where it is not finite."""
        self.preferred = definition.indices
        if isinstance(definition, PeakDefinition):
            operands = [self.read(slot) for slot in definition.slots]
            operand = self.reduce(self.element(definition.body, operands, quiet), definition.bound, peak=True)
        elif definition.argmax is not None:
            operand = self._first(definition, quiet)
            self._remember_maximum(definition)
        elif definition.call is not None:
            matrix, own = self.find_alias(definition.call.operand.name)
            record = MatrixFunction(definition.call.axiom, self.spread(matrix, own).value)
            operand = self.make(record, definition.indices)
        else:
            operand = self.total(definition.terms, quiet)
        self.name_value(definition.tensor.name, operand, definition.indices)

    def find_alias(self, name: str) -> tuple[Operand, tuple[Index, ...]]:
        """What stands for a tensor, with the indices of its axes."""
        return self.aliases[name]

    def _first(self, definition: Definition, quiet: bool) -> Operand:
        """The integer tensor that says where a body is largest first."""
        bound = definition.terms[0].bound if definition.terms else ()
        term = definition.terms[0] if definition.terms else Term((), sympy.Integer(0), ())
        operand = self.element(term.body, [self.read(slot) for slot in term.slots], quiet)
        operand = self.select(term.guards, operand)
        if not bound or bound[0] not in operand.indices:
            operand = self.spread(operand, (*definition.indices, *(bound or (Index("#", Affine.of(1)),))))
        out = tuple(i for i in operand.indices if i not in bound and i in definition.indices)
        summed = tuple(i for i in operand.indices if i not in out)
        return self.make(First(use_of(operand, out + summed)), out)

    def output(self, name: str, tensor: Tensor) -> Output:
        """What the caller gets under `name`."""
        operand, indices = self.aliases[tensor.name]
        return Output(name, Use(operand.value, tuple(indices.index(i) for i in operand.indices)), tensor.shape)

    def finish(self, result: Output, gradients: tuple[Output, ...]) -> Plan:
        """The plan without what nobody needs."""
        values = tuple(self.values)
        forward = reach(values, (result.use.value,))
        backward = reach(values, tuple(g.use.value for g in gradients)) - forward
        return Plan(
            values, tuple(self.named.items()), result, gradients, tuple(sorted(forward)), tuple(sorted(backward))
        )

    def name_value(self, name: str, operand: Operand, indices: tuple[Index, ...]) -> None:
        """Let an operand stand for a tensor whose axes have these indices."""
        self.aliases[name] = (operand, indices)
        if len(operand.indices) == len(indices):
            self.named.setdefault(operand.value, name)

    def read(self, slot: Slot) -> Operand:
        """The operand that a slot reads."""
        if isinstance(slot, CountSlot):
            indices = tuple(dict.fromkeys(slot.value.indices))
            return self.make(Count(self._position(slot.value, indices)), indices)
        peak = self._read_peak(slot)
        return peak or self.read_at(slot.tensor.name, slot.at, slot.tensor.spans)

    def read_at(self, name: str, at: Sequence[Affine], spans: Sequence[tuple[int, Affine]]) -> Operand:
        """What stands for a tensor with axes of these starts and sizes, read at index forms."""
        operand, own = self.find_alias(name)
        whole = [_is_whole(form, start, size) for form, (start, size) in zip(at, spans, strict=True)]
        kept = [form.index for form, entire in zip(at, whole, strict=True) if entire]
        if all(whole) and len(set(kept)) == len(kept):
            names = dict(zip(own, kept, strict=True))
            return Operand(operand.value, tuple(i for i in (names[o] for o in operand.indices) if i is not None))
        full = self.spread(operand, own)
        counted = [form - Affine.of(start - 1) for form, (start, _) in zip(at, spans, strict=True)]
        fixed = all(entire or not form.indices for form, entire in zip(at, whole, strict=True))
        if fixed and len(set(kept)) == len(kept):
            places = tuple(
                None if entire else self._position(form, ()) for form, entire in zip(counted, whole, strict=True)
            )
            return self.make(Take(full.value, places), tuple(i for i in kept if i is not None))
        indices = tuple(dict.fromkeys(i for form in at for i in form.indices))
        positions = tuple(self._position(form, indices) for form in counted)
        even = self.reads_views and all_even(positions)
        return self.make((Window if even else Gather)(full.value, positions), indices)

    def _remember_maximum(self, definition: Definition) -> None:
        """What an integer tensor finds the largest entry of, where that is a tensor as it is."""
        terms = definition.terms
        if len(terms) != 1 or len(terms[0].bound) != 1 or terms[0].guards or terms[0].body != slot_symbol(0):
            return
        (slot,) = terms[0].slots
        if isinstance(slot, Read):
            self.maxima[definition.tensor.name] = definition.indices, slot, terms[0].bound[0]

    def _read_peak(self, slot: Read) -> Operand | None:
        """A tensor read where it is largest along an index: its largest entry."""
        entries = [entry for form in slot.at for entry in form.entries if entry.tensor in self.maxima]
        if len(entries) != 1:
            return None
        (entry,) = entries
        indices, read, bound = self.maxima[entry.tensor]
        own = [form.index for form in entry.at]
        if any(i is None or not i.same_range(o) for i, o in zip(own, indices, strict=True)):
            return None
        values: Forms = {o: Affine.of(i) for o, i in zip(indices, own, strict=True) if i is not None}
        there = substitute_slot(read, values)
        if there != substitute_slot(slot, {entry: Affine.of(bound)}):
            return None
        return self.reduce(self.read(there), (bound,), peak=True)

    def _position(self, form: Affine, indices: tuple[Index, ...]) -> Position:
        """An index form over the labels of indices."""
        parts: list[tuple[Part, int]] = []
        sizes: list[tuple[Atom, int]] = []
        for atom, coefficient in form.terms:
            if isinstance(atom, Index):
                parts.append((Label(indices.index(atom), atom.size, atom.start), coefficient))
            elif isinstance(atom, Entry):
                operand, own = self.find_alias(atom.tensor)
                full = self.spread(operand, own)
                spans = [(i.start, i.size) for i in own]
                at = (f - Affine.of(start - 1) for f, (start, _) in zip(atom.at, spans, strict=True))
                parts.append((Lookup(full.value, tuple(self._position(f, indices) for f in at)), coefficient))
            elif isinstance(atom, Quotient | Remainder) and (atom.form.indices or atom.form.entries):
                kind = Floor if isinstance(atom, Quotient) else Modulo
                inner = self._position(atom.form, indices), self._position(atom.divisor, indices)
                parts.append((kind(*inner), coefficient))
            else:
                sizes.append((atom, coefficient))
        return Position(tuple(parts), Affine.build(sizes, form.constant))

    def total(self, terms: Sequence[Term], quiet: bool) -> Operand:
        """The sum of terms, added in one expression by those without bound indices and guards."""
        operands: list[Operand] = []
        body: sympy.Expr = sympy.Integer(0)
        for term in terms:
            if term.bound or term.guards:
                piece: sympy.Expr = slot_symbol(len(operands))
                operands.append(self._term(term, quiet))
            else:
                moved = {slot_symbol(k): slot_symbol(len(operands) + k) for k in range(len(term.slots))}
                piece = term.body.xreplace(moved)
                operands += [self.read(slot) for slot in term.slots]
            body += piece
        return self.element(body, operands, quiet)

    def _term(self, term: Term, quiet: bool) -> Operand:
        """One term, its guards applied as selects, or by a sum into the entries that an integer tensor names."""
        target = self._find_target(term)
        if target is not None:
            return self._scatter(*target, quiet)
        fold = find_tiles(term, self.preferred) or find_fold(term, self.preferred)
        if fold is not None:
            return self._scatter(*fold, True)  # what is outside of the sum's range is computed, and left out
        operands = [self.read(slot) for slot in term.slots]
        body = term.body
        # Where a guard does not hold a read may be outside its range, so that a quotient by it is not finite.
        discards = bool(term.guards) and not is_safe(body)
        quiet = quiet or discards
        inner = [g for g in term.guards if discards or any(i in term.bound for i in g.form.indices)]
        outer = [g for g in term.guards if g not in inner]
        for guard in inner:
            operands.append(self.mask(guard))
            body = sympy.Piecewise((body, slot_symbol(len(operands) - 1)), (0, True))
        carried = {i for o in operands for i in o.indices}
        for index in term.bound:
            if index not in carried:
                operands.append(self.count(index.size))
                body = body * slot_symbol(len(operands) - 1)
        operand = self.sum(body, operands, tuple(i for i in term.bound if i in carried), quiet)
        equal = choose_pairs(outer, operand.indices)
        operand = self.select([guard for guard in outer if guard not in equal], operand)
        return self.place(operand, tuple(equal.values()))

    def _find_target(self, term: Term) -> tuple[Term, Index, Affine] | None:
        """A term without the guard that says which entry of a free index it adds to, by an integer tensor over bound
        indices; the index, and that entry.
        """
        for guard in term.guards:
            if not isinstance(guard, Equal) or not guard.form.entries:
                continue
            for index in self.preferred:
                coefficient = dict(guard.form.terms).get(index, 0)
                if coefficient not in (1, -1) or guard.form.indices.count(index) != 1:
                    continue
                value = Affine.of(index) - guard.form * coefficient
                if value.indices and set(value.indices) <= set(term.bound):
                    return replace(term, guards=tuple(g for g in term.guards if g != guard)), index, value
        return None

    def _scatter(self, term: Term, index: Index, value: Affine, quiet: bool) -> Operand:
        """The term summed into the entries of `index` that `value` says."""
        values: Forms = {index: value}
        over = tuple(dict.fromkeys(value.indices))
        slots = tuple(substitute_slot(s, values) for s in term.slots)
        guards = tuple(g.substitute(values) for g in term.guards)
        inner = self._term(Term(tuple(i for i in term.bound if i not in over), term.body, slots, guards), quiet)
        rest = tuple(i for i in inner.indices if i not in over)
        full = self.spread(inner, over + rest)
        out = (index, *rest)
        place = value - Affine.of(index.start - 1)
        use = Use(full.value, tuple(len(out) + k for k in range(len(over))) + tuple(1 + k for k in range(len(rest))))
        return self.make(Scatter(use, self._position(place, over), index.size), out)

    def select(self, guards: Sequence[Guard], operand: Operand) -> Operand:
        """The operand where all guards hold, and 0 elsewhere."""
        if not guards:
            return operand
        masks = sorted((self.mask(guard) for guard in guards), key=lambda mask: len(mask.indices))
        mask = masks[0]
        for other in masks[1:]:
            mask = self.element(sympy.And(slot_symbol(0), slot_symbol(1)), [mask, other])
        out = tuple(dict.fromkeys(operand.indices + mask.indices))
        return self.make(Select(use_of(mask, out), use_of(operand, out)), out)

    def mask(self, guard: Guard) -> Operand:
        """Whether a guard holds."""
        place = {i: k for k, i in enumerate(self.preferred)}
        indices = tuple(sorted(dict.fromkeys(guard.form.indices), key=lambda i: place.get(i, len(place))))
        position = self._position(guard.form, indices)
        holds = Match(position) if isinstance(guard, Equal) else Inside(position, guard.size, guard.start)
        return self.make(holds, indices)


def _is_whole(form: Affine, start: int, size: Affine) -> bool:
    """Whether a form is an index that runs over a whole axis."""
    index = form.index
    return index is not None and index.size == size and index.start == start
