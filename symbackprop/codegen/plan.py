"""From definitions to a plan: reads become operands, sums of products become contractions, bodies become maps.

Records are made once each, so that the backward pass finds what the forward pass has computed. A tensor is an *alias*:
a value whose axes carry some of the indices of its definition, so that transposing and repeating cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from symbackprop.calculus.definitions import Definition, Term, slot_number, slot_symbol, substitute_slot, used_slots
from symbackprop.calculus.guards import Equal, Guard, Within
from symbackprop.calculus.indices import Affine, Atom, Entry, Forms, Index, Quotient, Remainder, is_nonnegative
from symbackprop.calculus.programs import Program
from symbackprop.calculus.recurrences import arrange, find_cycles, read_recurrence
from symbackprop.calculus.tensors import Count as CountSlot
from symbackprop.calculus.tensors import Slot, Tensor
from symbackprop.codegen.contraction import choose_pair, split_product
from symbackprop.codegen.folds import find_fold
from symbackprop.codegen.forms import is_safe, write_safely
from symbackprop.codegen.records import (
    Constant,
    Contract,
    Count,
    First,
    Floor,
    Gather,
    Given,
    Inside,
    Label,
    Lookup,
    Loop,
    Map,
    Match,
    MatrixFunction,
    Modulo,
    Output,
    Part,
    Peak,
    Pick,
    Plan,
    Position,
    Record,
    Scatter,
    Select,
    Spread,
    State,
    Take,
    Use,
    Value,
    Window,
    all_even,
    reach,
)
from symbackprop.codegen.stability import PeakDefinition, StableDefinition, find_discarded, stabilise
from symbackprop.errors import UnsupportedError


@dataclass(frozen=True, slots=True)
class Operand:
    """A value whose axes carry these indices; an index that it does not carry makes no difference to it."""

    value: int
    indices: tuple[Index, ...]


def make_plan(program: Program, adjoints: Sequence[Definition], value: str, gradients: Mapping[str, str]) -> Plan:
    """The plan of the tensor `value` and of `gradients`: names of tensors, and of the adjoints that are theirs."""
    tensors = program.extended(tuple(adjoints)).tensors()
    builder = PlanBuilder()
    for tensor in program.leaves:
        builder.give(tensor)
    everything = [d for group in arrange((*program.definitions, *adjoints)) for d in group]
    cycles = find_cycles(everything)
    definitions = stabilise(everything)
    discarded = find_discarded(definitions, (value, *gradients.values()))
    waiting: list[Definition] = []
    for definition in definitions:
        name = definition.tensor.name
        if name not in cycles or isinstance(definition, PeakDefinition):
            builder.define(definition, name in discarded)
            continue
        waiting.append(definition)
        if len(waiting) == len(cycles[name]):
            builder.step(waiting)
            waiting = []
    result = builder.output(value, tensors[value])
    outputs = tuple(builder.output(name, tensors[adjoint]) for name, adjoint in gradients.items())
    return builder.finish(result, outputs)


class PlanBuilder:
    """Makes each record once and remembers what stands for which tensor."""

    def __init__(self, outside: PlanBuilder | None = None) -> None:
        self.outside = outside
        self.values: list[Value] = []
        self.numbers: dict[tuple[Record, tuple[Affine, ...]], int] = {}
        self.aliases: dict[str, tuple[Operand, tuple[Index, ...]]] = {}
        self.named: dict[int, str] = {}
        self.preferred: tuple[Index, ...] = ()
        self.outer: dict[int, None] = {}
        self.states: dict[str, tuple[Tensor, int]] = {}
        self.present = Affine()

    def give(self, tensor: Tensor) -> None:
        """A tensor that the caller passes."""
        indices = tuple(Index(f"#{k}", size) for k, size in enumerate(tensor.axes))
        self._alias(tensor.name, self._make(Given(tensor.name), indices), indices)

    def define(self, definition: StableDefinition, quiet: bool) -> None:
        """Compute a tensor; `quiet` says that only discarded branches may read it where it is not finite."""
        self.preferred = definition.indices
        if isinstance(definition, PeakDefinition):
            operands = [self.read(slot) for slot in definition.slots]
            operand = self._reduce(self.element(definition.body, operands, quiet), definition.bound, peak=True)
        elif definition.argmax is not None:
            operand = self._first(definition, quiet)
        elif definition.call is not None:
            matrix, own = self._find(definition.call.operand.name)
            record = MatrixFunction(definition.call.axiom, self._spread(matrix, own).value)
            operand = self._make(record, definition.indices)
        else:
            operand = self._total(definition.terms, quiet)
        self._alias(definition.tensor.name, operand, definition.indices)

    def step(self, group: Sequence[Definition]) -> None:
        """Compute tensors that read each other one step back, in a loop."""
        found = read_recurrence(group)
        names = ", ".join(d.tensor.name for d in group)
        if found is None or any(not d.is_sum for d in group):
            raise UnsupportedError(f"There is no code for the circle of definitions {names}.")
        axes = dict(found.axes)
        along = [d.indices[axes[d.tensor.name]] for d in found.definitions]
        first = _widest(along)
        if first is None:
            raise UnsupportedError(f"There is no code for {names}: no range of steps holds all others.")
        inner = PlanBuilder(self)
        inner.present = Affine.of(f"{first.name}@")
        inner.states = {d.tensor.name: (d.tensor, axes[d.tensor.name]) for d in found.definitions}
        states = []
        for definition in found.definitions:
            axis = axes[definition.tensor.name]
            values: Forms = {definition.indices[axis]: inner.present}
            rest = definition.indices[:axis] + definition.indices[axis + 1 :]
            terms = [
                Term(t.bound, t.body, tuple(substitute_slot(s, values) for s in t.slots),
                     tuple(g.substitute(values) for g in t.guards))
                for t in definition.terms
            ]  # fmt: skip
            inner.preferred = rest
            operand = inner._total(terms, True)
            own = definition.indices[axis]
            if not own.same_range(first):
                operand = inner._select(Within(inner.present, own.size, own.start), operand)
            inner._alias(f"{definition.tensor.name}@", operand, rest)
            result = Use(operand.value, tuple(rest.index(i) for i in operand.indices))
            states.append(State(definition.tensor.shape, axis, own.start, result))
        loop = Loop(
            f"{first.name}@", first.start, first.size, found.direction, tuple(inner.outer), tuple(states),
            tuple(inner.values),
        )  # fmt: skip
        number = self._make(loop, ()).value
        for k, definition in enumerate(found.definitions):
            self._alias(definition.tensor.name, self._make(Pick(number, k), definition.indices), definition.indices)

    def _find(self, name: str) -> tuple[Operand, tuple[Index, ...]]:
        """What stands for a tensor, with the indices of its axes; in a loop, what is outside is given."""
        if name in self.aliases:
            return self.aliases[name]
        if name in self.states:
            tensor, _ = self.states[name]
            indices = tuple(Index(f"#{k}", size, start) for k, (start, size) in enumerate(tensor.spans))
            place = list(self.states).index(name)
            self.aliases[name] = (self._make(Given(f"@{place}"), indices), indices)
            return self.aliases[name]
        if self.outside is None:
            raise KeyError(name)
        operand, indices = self.outside._find(name)
        self.outer.setdefault(operand.value)
        self.aliases[name] = (self._make(Given(f"#{operand.value}"), operand.indices), indices)
        return self.aliases[name]

    def _first(self, definition: Definition, quiet: bool) -> Operand:
        """The integer tensor that says where a body is largest first."""
        bound = definition.terms[0].bound if definition.terms else ()
        term = definition.terms[0] if definition.terms else Term((), sympy.Integer(0), ())
        operand = self.element(term.body, [self.read(slot) for slot in term.slots], quiet)
        for guard in term.guards:
            operand = self._select(guard, operand)
        if not bound or bound[0] not in operand.indices:
            operand = self._spread(operand, (*definition.indices, *(bound or (Index("#", Affine.of(1)),))))
        out = tuple(i for i in operand.indices if i not in bound and i in definition.indices)
        summed = tuple(i for i in operand.indices if i not in out)
        return self._make(First(_use(operand, out + summed)), out)

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

    def _alias(self, name: str, operand: Operand, indices: tuple[Index, ...]) -> None:
        self.aliases[name] = (operand, indices)
        if len(operand.indices) == len(indices):
            self.named.setdefault(operand.value, name)

    def _make(self, record: Record, indices: tuple[Index, ...]) -> Operand:
        """The value of a record, made now unless it exists."""
        axes = tuple(i.size for i in indices)
        number = self.numbers.setdefault((record, axes), len(self.values))
        if number == len(self.values):
            self.values.append(Value(record, axes))
        return Operand(number, indices)

    def read(self, slot: Slot) -> Operand:
        """The operand that a slot reads."""
        if isinstance(slot, CountSlot):
            indices = tuple(dict.fromkeys(slot.value.indices))
            return self._make(Count(self._position(slot.value, indices)), indices)
        name, at, spans = slot.tensor.name, slot.at, slot.tensor.spans
        if name in self.states:
            axis = self.states[name][1]
            if at[axis] == self.present:
                name, at, spans = f"{name}@", at[:axis] + at[axis + 1 :], spans[:axis] + spans[axis + 1 :]
        operand, own = self._find(name)
        whole = [_is_whole(form, start, size) for form, (start, size) in zip(at, spans, strict=True)]
        kept = [form.index for form, entire in zip(at, whole, strict=True) if entire]
        if all(whole) and len(set(kept)) == len(kept):
            names = dict(zip(own, kept, strict=True))
            return Operand(operand.value, tuple(i for i in (names[o] for o in operand.indices) if i is not None))
        full = self._spread(operand, own)
        counted = [form - Affine.of(start - 1) for form, (start, _) in zip(at, spans, strict=True)]
        fixed = all(entire or not form.indices for form, entire in zip(at, whole, strict=True))
        if fixed and len(set(kept)) == len(kept):
            places = tuple(
                None if entire else self._position(form, ()) for form, entire in zip(counted, whole, strict=True)
            )
            return self._make(Take(full.value, places), tuple(i for i in kept if i is not None))
        indices = tuple(dict.fromkeys(i for form in at for i in form.indices))
        positions = tuple(self._position(form, indices) for form in counted)
        even = self.outside is None and all_even(positions)  # in a loop the zeros around it would be made at every step
        return self._make((Window if even else Gather)(full.value, positions), indices)

    def _position(self, form: Affine, indices: tuple[Index, ...]) -> Position:
        """An index form over the labels of indices."""
        parts: list[tuple[Part, int]] = []
        sizes: list[tuple[Atom, int]] = []
        for atom, coefficient in form.terms:
            if isinstance(atom, Index):
                parts.append((Label(indices.index(atom), atom.size, atom.start), coefficient))
            elif isinstance(atom, Entry):
                operand, own = self._find(atom.tensor)
                full = self._spread(operand, own)
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

    def _spread(self, operand: Operand, indices: tuple[Index, ...]) -> Operand:
        """The operand with exactly these axes in this order."""
        if operand.indices == indices:
            return operand
        return self._make(Spread(_use(operand, indices)), indices)

    def _total(self, terms: Sequence[Term], quiet: bool) -> Operand:
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
        fold = find_fold(term, self.preferred)
        if fold is not None:
            return self._scatter(*fold, True)  # what is outside of the sum's range is computed, and left out
        operands = [self.read(slot) for slot in term.slots]
        body = term.body
        # Where a guard does not hold a read may be outside its range, so that a quotient by it is not finite.
        discards = bool(term.guards) and not is_safe(write_safely(body))
        quiet = quiet or discards
        inner = [g for g in term.guards if discards or any(i in term.bound for i in g.form.indices)]
        outer = [g for g in term.guards if g not in inner]
        if inner:
            operand = self.element(body, operands, quiet)
            for guard in inner:
                operand = self._select(guard, operand)
            body, operands = slot_symbol(0), [operand]
        carried = {i for o in operands for i in o.indices}
        for index in term.bound:
            if index not in carried:
                operands.append(self.read(CountSlot(index.size)))
                body = body * slot_symbol(len(operands) - 1)
        operand = self.sum(body, operands, tuple(i for i in term.bound if i in carried), quiet)
        for guard in outer:
            operand = self._select(guard, operand)
        return operand

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
        full = self._spread(inner, over + rest)
        out = (index, *rest)
        place = value - Affine.of(index.start - 1)
        use = Use(full.value, tuple(len(out) + k for k in range(len(over))) + tuple(1 + k for k in range(len(rest))))
        return self._make(Scatter(use, self._position(place, over), index.size), out)

    def _select(self, guard: Guard, operand: Operand) -> Operand:
        """The operand where a guard holds, and 0 elsewhere."""
        indices = tuple(dict.fromkeys(guard.form.indices))
        position = self._position(guard.form, indices)
        holds = Match(position) if isinstance(guard, Equal) else Inside(position, guard.size, guard.start)
        mask = self._make(holds, indices)
        out = tuple(dict.fromkeys(operand.indices + indices))
        return self._make(Select(_use(mask, out), _use(operand, out)), out)

    def element(self, body: sympy.Expr, operands: Sequence[Operand], quiet: bool = False) -> Operand:
        """The body at every point. Every function applied in it is a record of its own, which others can share."""
        leaves: dict[Operand, sympy.Symbol] = {}
        built = self._build(write_safely(body), operands, leaves, quiet)
        used = used_slots(built)
        kept = [o for k, o in enumerate(leaves) if k in used]
        if built.is_Symbol:
            return kept[0]
        if not kept:
            return self._make(Constant(built), ())
        order = sorted(kept, key=lambda o: (-len(o.indices), o.value, [(i.name, str(i.size)) for i in o.indices]))
        moved = {leaves[o]: slot_symbol(k) for k, o in enumerate(order)}
        widest = max(kept, key=lambda o: len(o.indices))
        out = tuple(dict.fromkeys(widest.indices + tuple(i for o in kept for i in o.indices)))
        return self._make(Map(built.xreplace(moved), tuple(_use(o, out) for o in order), quiet), out)

    def _build(
        self, body: sympy.Basic, operands: Sequence[Operand], leaves: dict[Operand, sympy.Symbol], quiet: bool
    ) -> sympy.Basic:
        """The body over `leaves`, with every function applied in it replaced by a leaf."""

        def leaf(operand: Operand) -> sympy.Symbol:
            return leaves.setdefault(operand, slot_symbol(len(leaves)))

        if isinstance(body, sympy.Symbol):
            record = self.values[operands[slot_number(body)].value].record
            return record.number if isinstance(record, Constant) else leaf(operands[slot_number(body)])
        if body.is_number or body in (sympy.true, sympy.false):
            return body
        if isinstance(body, sympy.Piecewise):
            pairs = []
            for value, condition in body.args:
                if is_safe(value):
                    built = self._build(value, operands, leaves, quiet)
                else:  # a record of its own, which is computed quietly
                    built = leaf(self.element(value, operands, True))
                pairs.append((built, self._build(condition, operands, leaves, quiet)))
            return sympy.Piecewise(*pairs)
        if isinstance(body, sympy.Function) or (body.is_Pow and not body.args[1].is_Integer):
            inner = [self.element(a, operands, quiet) if not a.is_number else None for a in body.args]
            arguments = [slot_symbol(k) if o is not None else body.args[k] for k, o in enumerate(inner)]
            return leaf(self._map(body.func(*arguments), inner, quiet))
        if isinstance(body, sympy.Mul):
            scalars: list[sympy.Expr] = []
            others: list[sympy.Expr] = []
            for whole in body.args:
                number, factor = whole.primitive() if whole.is_Add else (sympy.Integer(1), whole)
                if number != 1:
                    scalars.append(number)
                    operands = [*operands, self.element(factor, operands, quiet)]
                    factor = slot_symbol(len(operands) - 1)
                carried = [operands[k].indices for k in used_slots(factor)]
                (others if any(carried) else scalars).append(factor)
            if others and any(not s.is_number for s in scalars):
                scalar = leaf(self.element(sympy.Mul(*scalars), operands, quiet))
                return sympy.Mul(scalar, *(self._build(o, operands, leaves, quiet) for o in others))
        return body.func(*(self._build(a, operands, leaves, quiet) for a in body.args))

    def _map(self, body: sympy.Expr, arguments: Sequence[Operand | None], quiet: bool) -> Operand:
        """A function of operands; None stands for an argument that is a number."""
        kept = {k: o for k, o in enumerate(arguments) if o is not None}
        out = tuple(dict.fromkeys(i for o in kept.values() for i in o.indices))
        moved = {slot_symbol(k): slot_symbol(n) for n, k in enumerate(kept)}
        return self._make(Map(body.xreplace(moved), tuple(_use(o, out) for o in kept.values()), quiet), out)

    def sum(self, body: sympy.Expr, operands: Sequence[Operand], bound: tuple[Index, ...], quiet: bool) -> Operand:
        """The sum of the body over bound indices, each of which an operand carries."""
        if not bound:
            return self.element(body, operands, quiet)
        carried = [frozenset(o.indices) for o in operands]
        alone: list[sympy.Expr] = []
        parts: list[Operand] = []
        for addend in sympy.Add.make_args(body):
            outside, groups = split_product(addend, carried, frozenset(bound))
            missing = [i for i in bound if not any(i in labels for labels in groups)]
            if len(groups) < 2 and body.is_Add and not missing:
                alone.append(addend)
                continue
            inside = self._contract(
                [(labels, list(factors)) for labels, factors in groups.items()], operands, bound, quiet
            )
            extra = [inside, *(self.read(CountSlot(i.size)) for i in missing)]
            start = len(operands)
            product = sympy.Mul(outside, *(slot_symbol(start + k) for k in range(len(extra))))
            parts.append(self.element(product, [*operands, *extra], quiet))
        if alone:
            parts.append(self._reduce(self.element(sympy.Add(*alone), operands, quiet), bound))
        return self.element(sympy.Add(*(slot_symbol(k) for k in range(len(parts)))), parts, quiet)

    def _contract(
        self,
        groups: list[tuple[frozenset[Index], list[sympy.Expr]]],
        operands: Sequence[Operand],
        bound: tuple[Index, ...],
        quiet: bool,
    ) -> Operand:
        """The sum of a product whose factors are grouped by the indices that they carry, two groups at a time."""
        if not groups:
            return self._make(Constant(sympy.Integer(1)), ())
        if len(groups) == 1:
            labels, factors = groups[0]
            whole = [f for f in factors if self._carries(f, operands) == labels]
            if len(factors) > 1 and whole:
                rest = list(factors)
                rest.remove(whole[0])
                pair = [self.element(f, operands, quiet) for f in (whole[0], sympy.Mul(*rest))]
                if set(pair[1].indices) == labels:
                    return self._product_sum(pair[0], pair[1], bound)
            return self._reduce(self.element(sympy.Mul(*factors), operands, quiet), bound)
        pending = [self.element(sympy.Mul(*factors), operands, quiet) for _, factors in groups]
        while len(pending) > 1:
            first, second = choose_pair([frozenset(o.indices) for o in pending], frozenset(bound))
            left, right = pending[first], pending[second]
            others = [o for k, o in enumerate(pending) if k not in (first, second)]
            ready = tuple(i for i in bound if not any(i in o.indices for o in others))
            pending = [*others, self._product_sum(left, right, ready)]
        return pending[0]

    def _carries(self, factor: sympy.Expr, operands: Sequence[Operand]) -> frozenset[Index]:
        return frozenset(i for k in used_slots(factor) for i in operands[k].indices)

    def _product_sum(self, left: Operand, right: Operand, bound: tuple[Index, ...]) -> Operand:
        """The sum of left * right over those of `bound` that they carry."""
        left = self._reduce(left, tuple(i for i in bound if i not in right.indices))
        right = self._reduce(right, tuple(i for i in bound if i not in left.indices))
        shared = tuple(i for i in left.indices if i in bound)
        if not shared:
            return self.element(slot_symbol(0) * slot_symbol(1), [left, right])
        batch = [i for i in left.indices if i in right.indices and i not in shared]
        rows = [i for i in left.indices if i not in right.indices]
        columns = [i for i in right.indices if i not in left.indices]
        place = {i: k for k, i in enumerate(self.preferred)}
        if rows and columns and place.get(columns[0], len(place)) < place.get(rows[0], len(place)):
            left, right, rows, columns = right, left, columns, rows
        out = tuple(batch + rows + columns)
        return self._make(Contract((_use(left, out + shared), _use(right, out + shared))), out)

    def _reduce(self, operand: Operand, bound: Iterable[Index], peak: bool = False) -> Operand:
        """The sum, or the largest entry, over those of `bound` that the operand carries."""
        summed = tuple(i for i in bound if i in operand.indices)
        if not summed:
            return operand
        out = tuple(i for i in operand.indices if i not in summed)
        use = _use(operand, out + summed)
        return self._make(Peak(use) if peak else Contract((use,)), out)


def _widest(indices: Sequence[Index]) -> Index | None:
    """The index whose range holds those of all others."""
    for wide in indices:
        if all(wide.start <= i.start and is_nonnegative(wide.last - i.last) for i in indices):
            return wide
    return None


def _is_whole(form: Affine, start: int, size: Affine) -> bool:
    """Whether a form is an index that runs over a whole axis."""
    index = form.index
    return index is not None and index.size == size and index.start == start


def _use(operand: Operand, labels: tuple[Index, ...]) -> Use:
    return Use(operand.value, tuple(labels.index(i) for i in operand.indices))
