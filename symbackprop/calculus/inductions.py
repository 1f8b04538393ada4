"""Equality for all sizes where definitions read themselves: a cycle is opened at some of its names, and a claim about
a name of a cycle is proved by induction on the step.

A name X of a recurrence has one value that satisfies its equation X = F(X), because F reads X at earlier steps only.
So X = E for all steps if E = F(E): the hypothesis is put in for the earlier step, and the bases are the guards of F.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence

from symbackprop.calculus.atoms import Atom, IndexMap, Number, Poly
from symbackprop.calculus.budget import OutOfBudgetError
from symbackprop.calculus.combinations import add, constant, subtract
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.normal_forms import Equality, NormalForms
from symbackprop.calculus.polynomials import NoNormalFormError
from symbackprop.calculus.recurrences import read_recurrence
from symbackprop.calculus.rewriting import Rewrite
from symbackprop.calculus.tensors import Read

BY_INDUCTION, OPENED = "by induction on the step", "recurrences opened"
MOST_OPENINGS = 16


def equal_with_recurrences(
    forms: NormalForms, left: Definition, right: Definition, seconds: float = 2.0
) -> Equality | None:
    """How two definitions are shown equal with cycles opened or by induction, or None where they are not."""
    if not forms.cycles or [i.size for i in left.indices] != [i.size for i in right.indices]:
        return None
    until = time.process_time() + seconds
    for opened in list_openings(forms, (*left.uses(), *right.uses())):
        for _, keep in forms.stages(right):
            for head in (False, True):
                if time.process_time() > until:
                    return None
                forms.algebra.used.clear()
                if _equal_opened(forms, left, right, keep, opened, head):
                    return Equality(OPENED, forms.used_assumptions(left, right))
            for one, other in ((left, right), (right, left)):
                forms.algebra.used.clear()
                if _holds_by_induction(forms, one, other, keep, opened):
                    return Equality(BY_INDUCTION, forms.used_assumptions(left, right))
    return None


def list_openings(forms: NormalForms, read: Sequence[str]) -> Iterator[frozenset[str]]:
    """Which names of the cycles to put in, such that none of them reads itself through the others.

    What a claim reads is kept as a name longest.
    """
    cycles = dict.fromkeys(forms.cycles.values())
    uses = {d.tensor.name: d.uses() for d in forms.program.definitions}
    choices = [list(_open_cycle(cycle, uses, frozenset(read))) for cycle in cycles]
    made = (frozenset().union(*chosen) for chosen in itertools.product(*choices))
    yield from itertools.islice(dict.fromkeys(made), MOST_OPENINGS)


def _open_cycle(
    cycle: Sequence[str], uses: Mapping[str, Sequence[str]], read: frozenset[str]
) -> Iterator[frozenset[str]]:
    """Largest sets of names without a cycle, each leaving out a name that the claim reads, or any other."""
    for last in sorted(cycle, key=lambda name: name not in read):
        chosen: list[str] = []
        for name in sorted(cycle, key=lambda name: (name == last, name in read)):
            tried = {*chosen, name}
            if name != last and not _has_cycle(tried, uses):
                chosen.append(name)
        yield frozenset(chosen)


def _has_cycle(names: set[str], uses: Mapping[str, Sequence[str]]) -> bool:
    """Whether some of the names read themselves through each other."""
    left = set(names)
    while left:
        free = {n for n in left if not any(u in left for u in uses[n])}
        if not free:
            return True
        left -= free
    return False


def _equal_opened(
    forms: NormalForms,
    left: Definition,
    right: Definition,
    keep: frozenset[str],
    opened: frozenset[str],
    head: bool,
) -> bool:
    """Whether two definitions are equal with some names of cycles put in, and with `head` the left one read once."""
    forms.algebra.budget.start()
    try:
        gap = forms.difference(left, right)
        if head:
            name = _head(left)
            if name is None or name not in forms.cycles:
                return False
            definition = forms.program.definition(name)
            assert definition is not None
            first = forms.algebra.inline(forms.of(left), {name: (definition.indices, forms.of_name(name))})
            gap = add(gap, first, {m: -c for m, c in forms.of(left).items()})
        return forms.is_zero(forms.inlined(gap, keep, opened=opened))
    except (OutOfBudgetError, NoNormalFormError, RecursionError):
        return False


def _head(definition: Definition) -> str | None:
    """The tensor that a definition reads and nothing else."""
    if len(definition.terms) != 1:
        return None
    (term,) = definition.terms
    read = term.slots[0] if len(term.slots) == 1 else None
    plain = term.body.is_Symbol and not term.bound and not term.guards
    return read.tensor.name if plain and isinstance(read, Read) else None


def _holds_by_induction(
    forms: NormalForms, left: Definition, right: Definition, keep: frozenset[str], opened: frozenset[str]
) -> bool:
    """Whether the left side, a name of a cycle at letters of its own, is the right side at every step."""
    name = _head(left)
    if name is None or name not in forms.cycles or name in opened:
        return False
    definition = forms.program.definition(name)
    places = left.terms[0].slots[0]
    assert definition is not None
    assert isinstance(places, Read)
    letters = [form.index for form in places.at]
    if None in letters or len(set(letters)) != len(letters) or {*letters} != {*left.indices}:
        return False
    group = [d for d in forms.program.definitions if d.tensor.name in forms.cycles[name]]
    if read_recurrence(group) is None:
        return False
    at = [i for i in letters if i is not None]
    forms.algebra.budget.start()
    try:
        return _is_solution(forms, definition, at, right, left.indices, keep, opened)
    except (OutOfBudgetError, NoNormalFormError, RecursionError):
        return False


def _is_solution(
    forms: NormalForms,
    definition: Definition,
    letters: Sequence[Index],
    right: Definition,
    indices: Sequence[Index],
    keep: frozenset[str],
    opened: frozenset[str],
) -> bool:
    """Whether the right side satisfies the equation of a recurrence at every step for which it is claimed."""
    algebra, name = forms.algebra, definition.tensor.name
    kept = keep | {name}
    values: IndexMap = {r: Affine.of(i) for r, i in zip(right.indices, indices, strict=True)}
    claimed = algebra.rename(forms.of(right), values)
    step = forms.inlined(forms.of(definition), kept, opened=opened)
    places: IndexMap = {i: Affine.of(letter) for i, letter in zip(definition.indices, letters, strict=True)}
    step = algebra.rename(step, places)

    def replace(atom: Atom, exponent: Number) -> Poly | None:
        if atom.body or atom.name != name:
            return None
        inside = constant(1)
        for letter, form in zip(letters, atom.at, strict=True):
            inside = algebra.multiply(inside, algebra.within(form, letter.size, letter.start))
        here = algebra.rename(claimed, dict(zip(letters, atom.at, strict=True)))
        outside = algebra.multiply(subtract(constant(1), inside), algebra.single(atom))
        return algebra.raise_to(add(algebra.multiply(inside, here), outside), exponent)

    proposed = algebra.rewrite(step, Rewrite(replace, frozenset({name})))
    tried = [claimed]
    head = _head(right)
    if head is not None and head in forms.cycles:
        other = forms.program.definition(head)
        assert other is not None
        tried.append(algebra.inline(claimed, {head: (other.indices, forms.of_name(head))}))
    return any(forms.is_zero(forms.inlined(subtract(t, proposed), kept, opened=opened)) for t in tried)


