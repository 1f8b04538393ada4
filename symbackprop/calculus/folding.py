"""Folding: derivatives in the user's own vocabulary.

The raw adjoints of the chain rule repeat what the program has names for. Folding puts the names back, so that S(z) is
a where a = S(z), S'(z) is a*(1-a) and exp(z)/sum(exp(z)) is p, writes an adjoint into its reader where that is
shorter or is read only once, and keeps for each adjoint the form that takes the fewest symbols. It knows definitions,
not layers. Every step is recorded with both its sides and is refused unless the normal form proves them equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from symbackprop.calculus.chain import Adjoints
from symbackprop.calculus.definitions import Definition, slot_symbol
from symbackprop.calculus.foldsearch import Fold, FoldSearch
from symbackprop.calculus.foldsteps import FoldStep as FoldStep
from symbackprop.calculus.guards import Equal, Guard
from symbackprop.calculus.indices import Index
from symbackprop.calculus.programs import Assumption
from symbackprop.calculus.tensors import Role

ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Folding:
    """The folded adjoints in an order in which each reads only what stands above it, and how they came about."""

    definitions: tuple[Definition, ...]
    steps: tuple[FoldStep, ...]

    def definition(self, name: str) -> Definition | None:
        """The folded definition of a tensor, or None where its reader took it in."""
        return next((d for d in self.definitions if d.tensor.name == name), None)


def fold(adjoints: Adjoints, assumptions: tuple[Assumption, ...] = ()) -> Folding:
    """Fold the adjoints of a program under some of its assumptions."""
    return _Folder(adjoints, assumptions).run()


class _Folder:
    """The adjoints as they are at the moment; outputs first, as they came."""

    def __init__(self, adjoints: Adjoints, assumptions: tuple[Assumption, ...]) -> None:
        self.search = FoldSearch(adjoints.program, assumptions, adjoints.definitions)
        self.order = [d.tensor.name for d in adjoints.definitions]
        self.position = {n: k for k, n in enumerate(self.order)}
        self.raw = {d.tensor.name: d for d in adjoints.definitions}
        self.wanted = {adjoints.adjoint_name(n) for n in adjoints.wrt}
        roles = {t.name: t.role for t in adjoints.program.tensors().values()}
        self.anonymous = {
            d.tensor.name
            for d in adjoints.definitions
            if roles.get(d.tensor.denominator or d.tensor.numerator or "") is Role.HIDDEN
        }
        self.current: dict[str, Fold] = {}
        self.readers: dict[str, set[str]] = {}
        self.steps: list[FoldStep] = []
        self.settled: dict[str, tuple[Fold, ...]] = {}

    def run(self) -> Folding:
        """Fold each adjoint by itself, then write adjoints into their readers until nothing changes."""
        for name in self.order:
            self._put(self.search.fold((self.raw[name],)))
        self._prune()
        for _ in range(ROUNDS):
            inlined = [name for name in self.order if name in self.current and self._try_inlining(name)]
            if not inlined:
                break
        definitions = []
        for name in self.order:
            if name in self.current:
                main, *hidden = self.current[name].definitions
                definitions += [*hidden, main]
        return Folding(tuple(definitions), self._needed_steps())

    def _needed_steps(self) -> tuple[FoldStep, ...]:
        """The steps that lead to what is left, those of adjoints that were written into others included."""
        needed, kept = set(self.current), []
        for step in reversed(self.steps):
            if step.tensor in needed:
                kept.append(step)
                needed |= {d.tensor.name for d in step.inlined[:1]}
        return tuple(reversed(kept))

    def _put(self, fold: Fold) -> None:
        """Make a fold the present form of its tensor, and record the step."""
        if fold.name in self.current:
            self._forget(fold.name)
        self.current[fold.name] = fold
        for read in _reads(fold.definitions):
            self.readers.setdefault(read, set()).add(fold.name)
        if fold.step is not None:
            self.steps.append(fold.step)

    def _forget(self, name: str) -> None:
        """Drop the present form of a tensor."""
        for read in _reads(self.current.pop(name).definitions):
            self.readers[read].discard(name)

    def _prune(self) -> None:
        """Drop the adjoints that no requested gradient reads."""
        alive, pending = set(), [n for n in self.order if n in self.wanted]
        while pending:
            name = pending.pop()
            if name in alive or name not in self.current:
                continue
            alive.add(name)
            pending += _reads(self.current[name].definitions)
        for name in [n for n in self.current if n not in alive]:
            self._forget(name)

    def _try_inlining(self, name: str) -> bool:
        """Write an adjoint into its readers, if it may go and they take it."""
        if name in self.wanted or name in _reads(self.current[name].definitions):
            return False
        fold = self.current[name]
        readers = [self.current[n] for n in sorted(self.readers.get(name, ()), key=self.position.__getitem__)]
        state = (fold, *readers)
        if not readers or self.settled.get(name) == state:
            return False
        self.settled[name] = state
        times = sum(_count(d, name) for f in readers for d in f.definitions)
        must = name in self.anonymous or _is_alias(fold.definitions)
        widens = any(_widens(fold.definitions, f.definitions, name) for f in readers)
        free = times == 1 and not widens
        if not (free or must) and not any(self.search.related(f.definitions, fold.definitions) for f in readers):
            return False
        tried = [self.search.inline(f.definitions, fold.definitions) for f in readers]
        new = [f for f in tried if f is not None]
        if len(new) < len(readers):
            return False
        if widens and (name in self.anonymous or not must):
            width = max(_width(fold.definitions), *(_width(f.definitions) for f in readers))
            if any(_width(f.definitions) > width for f in new):
                return False
        gain = sum(f.cost for f in readers) - sum(f.cost for f in new)
        # Where sums come to stand in sums the readers must get shorter; where sums go, what is gone counts too.
        gone = fold.cost if sum(map(_sums, new)) < sum(map(_sums, readers)) else 0
        if not (free or must) and gain + gone < int(widens):
            return False
        if any(name in _reads(f.definitions) for f in new):
            return False
        self._forget(name)
        for f in new:
            self._put(f)
        return True


def _reads(definitions: Iterable[Definition]) -> list[str]:
    """The names that definitions read."""
    return [r.tensor.name for d in definitions for _, _, r in d.reads()]


def _count(definition: Definition, name: str) -> int:
    """How often a name is written in a definition."""
    return sum(
        int(definition.terms[t].body.count(slot_symbol(k)))
        for t, k, read in definition.reads()
        if read.tensor.name == name
    )


def _is_alias(definitions: tuple[Definition, ...]) -> bool:
    """Whether the first definition is another name for one entry or for zero, or is a product with a Kronecker delta of
    two of its indices, which takes a sum away where it is read.
    """
    terms = definitions[0].terms
    if len(definitions) > 1 or len(terms) > 1:
        return False
    if not terms:
        return True
    term = terms[0]
    delta = bool(term.guards) and all(_is_delta(guard, definitions[0].indices) for guard in term.guards)
    return not term.bound and (delta or term.body.is_number or (term.body.is_Symbol and not term.guards))


def _is_delta(guard: Guard, indices: tuple[Index, ...]) -> bool:
    """Whether a guard says that two indices are equal."""
    parts = guard.form.terms if isinstance(guard, Equal) and not guard.form.constant else ()
    return len(parts) == 2 and all(part in indices for part, _ in parts) and {c for _, c in parts} == {1, -1}


def _width(definitions: Iterable[Definition]) -> int:
    """The greatest number of indices that one term sums over."""
    return max((len(t.bound) for d in definitions for t in d.terms), default=0)


def _sums(fold: Fold) -> int:
    """How many terms are sums."""
    return sum(bool(t.bound) for d in fold.definitions for t in d.terms)


def _widens(inner: tuple[Definition, ...], reader: tuple[Definition, ...], name: str) -> bool:
    """Whether a sum of the reader would come to stand around a sum of what it reads."""
    if not _width(inner):
        return False
    return any(d.terms[t].bound for d in reader for t, _, read in d.reads() if read.tensor.name == name)
