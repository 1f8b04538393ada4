"""The search for the shortest form of one adjoint, shared between adjoints that are equal up to names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from symbackprop.calculus.atoms import Atom, Poly
from symbackprop.calculus.budget import OutOfBudgetError
from symbackprop.calculus.costs import NameCosts, cost_of_definitions
from symbackprop.calculus.definitions import Definition, split_ranges
from symbackprop.calculus.emission import Emitter, Letters
from symbackprop.calculus.foldkeys import Numbering, Renaming
from symbackprop.calculus.foldsteps import FoldStep, prove_step
from symbackprop.calculus.forms import Form
from symbackprop.calculus.identities import Attempts, Rule, apply_rule, find_identities, find_vanishing, orient
from symbackprop.calculus.indices import choose_name
from symbackprop.calculus.normal_forms import NormalForms, positive_names
from symbackprop.calculus.polynomials import NoNormalFormError
from symbackprop.calculus.programs import Assumption, Program
from symbackprop.calculus.shaping import Shaper, size_name, split_guards
from symbackprop.calculus.sums import SumRule
from symbackprop.calculus.support import finite_tensors
from symbackprop.calculus.tensors import Count, Role, Tensor

DEPTH = 5
WRITTEN = 4
"""How many of the smallest polynomials of one step are written out to see which is shortest."""
PATIENCE = 2
"""How many steps may follow one another without a shorter form."""
PRODUCTS = 1_600
LETTERS = 1_500
"""Polynomials of atoms with more letters than this are not written out: no short form has been met among them."""


@dataclass(frozen=True, slots=True)
class Fold:
    """The present form of one adjoint: its definition, the hidden ones after it, the symbols they take, how it came."""

    name: str
    definitions: tuple[Definition, ...]
    cost: int
    step: FoldStep | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """A result of the search with the tensors and sizes that its key numbers."""

    tensors: tuple[Tensor, ...]
    sizes: tuple[str, ...]
    step: FoldStep | None
    cost: int


@dataclass(frozen=True, slots=True)
class _Outline:
    """Which tensors rule `number` of the definition of `source` needs and which it brings."""

    source: str
    number: int
    needs: frozenset[str]
    brings: frozenset[str]


class FoldSearch:
    """Folds single adjoints of one program; remembers what it found for the length of one derivation."""

    def __init__(self, program: Program, assumptions: tuple[Assumption, ...], adjoints: Sequence[Definition]) -> None:
        self.program = program
        self.assumptions = assumptions
        self.forms = NormalForms(program, assumptions, PRODUCTS)
        self.algebra = self.forms.algebra
        self.believed = self.algebra.rules
        self.costs = NameCosts(program.definitions)
        self.finite = finite_tensors(program) | {d.tensor.name for d in adjoints}
        self.tensors = program.tensors() | {d.tensor.name: d.tensor for d in adjoints}
        # Nothing is written in terms of the loss: a text in which a scalar behind the loss reads it is none.
        self.definitions = {d.tensor.name: d for d in program.definitions if d.is_sum and d.tensor.name != program.loss}
        self.position = {n: k for k, n in enumerate(self.definitions)}
        self.place = {n: k for k, n in enumerate(_reading_order(program.definitions))}
        self.oriented: dict[str, tuple[Rule, ...]] = {}
        self.resting: dict[str, frozenset[str]] = {}
        """The assumptions that the rules of a definition rest on."""
        self.outlines = self._outline_rules()
        self.by_name: dict[str, list[_Outline]] = {}
        for outlines in self.outlines.values():
            for outline in outlines:
                for name in outline.needs:
                    self.by_name.setdefault(name, []).append(outline)
        self.attempts: Attempts = {}
        self.tired: set[str] = set()
        """The adjoints for which a search came to the end of its budget; they are left as they are."""
        self.found: dict[tuple[object, ...], _Found | None] = {}

    def _rules_of(self, name: str) -> tuple[Rule, ...]:
        """The rules of one definition of the program; none where it has no normal form."""
        if name not in self.oriented:
            self.algebra.budget.start()
            self.algebra.used.clear()
            try:
                parts = split_ranges(self.definitions[name])
                rules = tuple(rule for part in parts for rule in orient(self.algebra, part, self.forms.of(part)))
            except (NoNormalFormError, OutOfBudgetError):
                rules = ()
            self.oriented[name] = rules
            self.resting[name] = frozenset(self.algebra.used)
        return self.oriented[name]

    def _outline_rules(self) -> dict[str, tuple[_Outline, ...]]:
        """What the rules of every definition need and bring, found once for definitions that are equal up to names."""
        shared: dict[tuple[object, ...], list[tuple[list[int], list[int]]]] = {}
        outlines = {}
        for name, definition in self.definitions.items():
            numbering = Numbering()
            key = (*numbering.definition(definition), tuple(t.name in self.forms.positive for t in numbering.met))
            if key not in shared:
                numbers = numbering.tensors
                shared[key] = [
                    (sorted(numbers[n] for n in r.needs), sorted(numbers[n] for n in r.brings))
                    for r in self._rules_of(name)
                ]
            names = [t.name for t in numbering.met]
            outlines[name] = tuple(
                _Outline(name, k, frozenset(names[n] for n in needs), frozenset(names[n] for n in brings))
                for k, (needs, brings) in enumerate(shared[key])
            )
        return outlines

    def related(self, reader: Sequence[Definition], inlined: Sequence[Definition]) -> bool:
        """Whether anything could cancel where `inlined` is written in: a shared name, a definition of both, or a guard
        that takes a sum away.
        """
        inner = {r.tensor.name for d in inlined for _, _, r in d.reads()}
        outer = {r.tensor.name for d in reader for _, _, r in d.reads()} - {inlined[0].tensor.name}
        if inner & outer or any(t.guards for d in inlined for t in d.terms):
            return True
        for name in self._relevant((*reader, *inlined))[1]:
            touched = {name, *(r.tensor.name for _, _, r in self.definitions[name].reads())}
            if touched & inner and touched & outer:
                return True
        return False

    def fold(self, before: tuple[Definition, ...]) -> Fold:
        """The shortest form of an adjoint, itself where none is shorter."""
        found = self.inline(before, ())
        return Fold(before[0].tensor.name, before, cost_of_definitions(before, self.costs)) if found is None else found

    def inline(self, before: tuple[Definition, ...], inlined: tuple[Definition, ...]) -> Fold | None:
        """The shortest form of an adjoint with `inlined` written in; None where no form is proved equal to it."""
        name = before[0].tensor.name
        if name in self.tired:
            return None
        outlines, sources = self._relevant(before + inlined)
        numbering = Numbering()
        key: tuple[object, ...] = (
            len(before),
            tuple(numbering.definition(d) for d in before + inlined),
            tuple(numbering.definition(self.definitions[n]) for n in sources),
        )
        known = set(numbering.tensors)
        for assumption in self.assumptions:
            terms = assumption.left + assumption.right
            if {r.tensor.name for t in terms for _, r in t.reads()} <= known:
                key += ((assumption.relation, numbering.terms(assumption.left), numbering.terms(assumption.right)),)
        key += (tuple(t.name in self.finite for t in numbering.met), self._relative_places(numbering.met))
        if key not in self.found:
            self.found[key] = self._find(before, inlined, outlines, sources, numbering)
        found = self.found[key]
        if found is None:
            return None
        if found.step is None:
            return Fold(name, before, found.cost)
        step = self._rename(found, found.step, numbering, before, inlined)
        return Fold(name, step.after, found.cost, step)

    def _relative_places(self, tensors: Sequence[Tensor]) -> tuple[int, ...]:
        """The order in which tensors are first read."""
        places = [self.place.get(t.name, -1) for t in tensors]
        return tuple(sorted(range(len(places)), key=places.__getitem__))

    def _relevant(self, definitions: Iterable[Definition]) -> tuple[tuple[_Outline, ...], tuple[str, ...]]:
        """The rules that can come to apply, and the definitions of the program that they come from."""
        reached = {r.tensor.name for d in definitions for _, _, r in d.reads()}
        for name in sorted(reached & self.outlines.keys()):
            for outline in self.outlines[name]:
                reached |= outline.needs
        chosen: set[_Outline] = set()
        pending = sorted(reached)
        while pending:
            for outline in self.by_name.get(pending.pop(), ()):
                if outline not in chosen and outline.needs <= reached:
                    chosen.add(outline)
                    new = (outline.brings | {outline.source}) - reached
                    reached |= new
                    pending += sorted(new)
        ordered = tuple(sorted({o.source for o in chosen}, key=self.position.__getitem__))
        return tuple(o for n in ordered for o in self.outlines[n] if o in chosen), ordered

    def _find(
        self,
        before: tuple[Definition, ...],
        inlined: tuple[Definition, ...],
        outlines: tuple[_Outline, ...],
        sources: tuple[str, ...],
        numbering: Numbering,
    ) -> _Found | None:
        """The search itself."""
        places = (tuple(numbering.met), tuple(numbering.sizes))
        raw = cost_of_definitions(before, self.costs)
        unchanged = None if inlined else _Found(*places, None, raw)
        rules = tuple(self._rules_of(o.source)[o.number] for o in outlines)
        self.algebra.budget.start()
        try:
            step = self._search(before, inlined, rules, sources, True)
        except (NoNormalFormError, OutOfBudgetError, RecursionError):
            self.tired.add(before[0].tensor.name)
            return unchanged
        finally:
            self.algebra.know(self.believed)
        cost = cost_of_definitions(step.after, self.costs)
        if not inlined and cost >= raw:
            return unchanged
        if not prove_step(self.forms, step):
            return unchanged
        return _Found(*places, step, cost)

    def _search(
        self,
        before: tuple[Definition, ...],
        inlined: tuple[Definition, ...],
        rules: tuple[Rule, ...],
        sources: tuple[str, ...],
        conditions: bool,
    ) -> FoldStep:
        """Apply the rule that makes the form shortest, again and again, and keep the shortest form that was met.

        With `conditions`, those go that a tensor beside them keeps by itself, unless something may be infinite then.
        """
        algebra = self.algebra
        known = [(self.definitions[n], self.forms.of_name(n)) for n in sources]
        identities = find_identities(algebra, known, rules, self.attempts)
        named = tuple(replace(rule, source=f"identity {k}") for k, (rule, _) in enumerate(identities))
        vanishing = find_vanishing(algebra, known, self.finite) if conditions else ()
        local = {d.tensor.name: d for d in (*before[1:], *inlined)}
        algebra.used.clear()
        raw = self.forms.inlined(self.forms.of(before[0]), frozenset(self.definitions), local)
        used = set(algebra.used)
        rank = {n: k for k, n in enumerate(_reading_order((*before, *inlined), inlined))}
        shaper = Shaper(
            algebra,
            lambda n: rank.get(n, len(rank) + self.place.get(n, -1)),
            self.costs,
            self.finite.__contains__,
        )
        algebra.know(self.believed + named, vanishing)
        touched = frozenset(v.tensor for v in vanishing).union(*(r.pattern.names for r in algebra.rules))
        start = algebra.rebuild(raw, touched)
        path = self._descend(shaper, start, rules)
        # Again along the chosen path only, to see which identities it takes.
        algebra.know(self.believed)
        algebra.know(self.believed + named, vanishing)
        algebra.used.clear()
        poly = algebra.rebuild(raw, touched)
        for rule in path:
            poly = apply_rule(algebra, poly, rule)
        if not all(v.is_safe(poly) for v in vanishing):
            algebra.know(self.believed)
            return self._search(before, inlined, rules, sources, False)
        used |= algebra.used
        after = self._emit(before[0], (*before, *inlined), _shapes(shaper, poly))
        taken = [(rule, names) for k, (rule, names) in enumerate(identities) if f"identity {k}" in used]
        using = {r.source for r in path}.union(*(names for _, names in taken)) | (used & self.definitions.keys())
        used = used.union(*(self.resting[n] for n in using))
        read = {r.tensor.name for d in (*before, *inlined) for _, _, r in d.reads()}
        read |= {r.tensor.name for n in using for _, _, r in self.definitions[n].reads()}
        used |= {f"assumption {k}" for name, k in positive_names(self.assumptions) if name in read}
        stated = tuple(self._state(rule, before) for rule, _ in taken)
        believed = tuple(a for k, a in enumerate(self.assumptions) if f"assumption {k}" in used)
        return FoldStep(
            "inline" if inlined else "fold",
            before[0].tensor.name,
            before,
            after,
            tuple(n for n in self.definitions if n in using),
            stated + believed,
            inlined,
        )

    def _descend(self, shaper: Shaper, start: Poly, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        """The rules on the way to the shortest form."""
        if _size(start) > LETTERS:
            raise OutOfBudgetError(f"more than {LETTERS} letters")
        state = start
        path: tuple[Rule, ...] = ()
        best: tuple[int, tuple[Rule, ...]] = (_cost(shaper, start), ())
        seen = [start]
        waiting = 0
        while len(path) < DEPTH and waiting < PATIENCE:
            reached = []
            for k, rule in enumerate(rules):
                if rule in path:
                    continue
                poly = apply_rule(self.algebra, state, rule)
                if poly not in seen and _size(poly) <= LETTERS:
                    seen.append(poly)
                    reached.append((_size(poly), k, poly))
            if not reached:
                break
            reached.sort(key=lambda r: r[:2])
            options = [(_cost(shaper, poly), k, poly) for _, k, poly in reached[:WRITTEN]]
            cost, k, state = min(options, key=lambda o: o[:2])
            path = (*path, rules[k])
            waiting += 1
            if cost < best[0]:
                best, waiting = (cost, path), 0
        return best[1]

    def _emit(
        self, head: Definition, around: Sequence[Definition], pieces: list[tuple[tuple[Atom, ...], Form]]
    ) -> tuple[Definition, ...]:
        """The definitions of a form, in the letters of the definitions that it comes from."""
        letters = Letters.of((*around, *self.definitions.values()))
        names = {*self.tensors, *(d.tensor.name for d in around)}
        return Emitter(head.tensor, head.indices, self.tensors, letters, names).define(pieces)

    def _state(self, rule: SumRule, around: Sequence[Definition]) -> Assumption:
        """An identity as an equation between terms."""
        indices = tuple(sorted(rule.pattern.free, key=lambda i: i.name))
        letters = Letters.of((*around, *self.definitions.values()))
        sides = []
        for poly in (self.algebra.single(rule.pattern), rule.value):
            shaper = Shaper(self.algebra, lambda n: self.place.get(n, -1), self.costs, self.finite.__contains__)
            side = Tensor("side", tuple(i.size for i in indices), Role.HIDDEN)
            emitter = Emitter(side, indices, self.tensors, letters, set(self.tensors))
            sides.append(emitter.define(_shapes(shaper, poly))[0].terms)
        return Assumption(indices, sides[0], "=", sides[1])

    def _rename(
        self,
        found: _Found,
        step: FoldStep,
        numbering: Numbering,
        before: tuple[Definition, ...],
        inlined: tuple[Definition, ...],
    ) -> FoldStep:
        """The step of an equal search, in the names of this one."""
        if step.before == before and step.inlined == inlined:
            return step
        tensors = {a.name: b for a, b in zip(found.tensors, numbering.met, strict=True)}
        sizes = dict(zip(found.sizes, numbering.sizes, strict=True))
        names = {*self.tensors, *(t.name for t in numbering.met)}
        renaming = Renaming(tensors, sizes)
        for definition in step.after[1:]:
            name = choose_name(f"{before[0].tensor.name}_1", names)
            names.add(name)
            axes = tuple(renaming.size(a) for a in definition.tensor.axes)
            tensors[definition.tensor.name] = replace(definition.tensor, name=name, axes=axes)
        after = tuple(renaming.definition(d) for d in step.after)
        identities = tuple(
            replace(
                a,
                indices=tuple(renaming.index(i) for i in a.indices),
                left=tuple(renaming.term(t) for t in a.left),
                right=tuple(renaming.term(t) for t in a.right),
            )
            for a in step.identities
        )
        using = tuple(tensors[n].name for n in step.using)
        return FoldStep(step.kind, before[0].tensor.name, before, after, using, identities, inlined)


def _reading_order(definitions: Iterable[Definition], inlined: Sequence[Definition] = ()) -> tuple[str, ...]:
    """The tensors and sizes that definitions read, as they are first met; what is written in is read in its place."""
    found: dict[str, None] = {}
    for definition in definitions:
        for slot in (s for t in definition.terms for s in t.slots):
            if isinstance(slot, Count):
                found.update((size_name(n), None) for n in slot.value.names)
            elif inlined and slot.tensor.name == inlined[0].tensor.name:
                found.update((n, None) for n in _reading_order(inlined))
            else:
                found[slot.tensor.name] = None
    return tuple(found)


def _shapes(shaper: Shaper, poly: Poly) -> list[tuple[tuple[Atom, ...], Form]]:
    """A polynomial as forms, one for each set of deltas."""
    return [(deltas, shaper.shape(part)) for deltas, part in split_guards(poly)]


def _cost(shaper: Shaper, poly: Poly) -> int:
    """The symbols that a polynomial takes."""
    return sum(form.cost + 4 * len(deltas) for deltas, form in _shapes(shaper, poly))


def _size(poly: Poly) -> int:
    """A measure of a polynomial that is quick to take: the letters of its atoms."""
    return sum(1 + sum(len(a.key) for a, _ in m) for m in poly)
