"""Whether two definitions of one tensor are equal: for all sizes by the normal form, else written out at small ones.

A claim is first refuted if it can be: both sides are written out at small distinct sizes and evaluated at a rational
point. A proof may keep names of the program as symbols, since what holds for any value of `a1` holds for the value
that it has; a refutation may not, and is made in what is given alone.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.calculus.budget import OutOfBudgetError
from symbackprop.calculus.definitions import Definition, Term
from symbackprop.calculus.evaluation import Evaluation
from symbackprop.calculus.indices import choose_name
from symbackprop.calculus.inductions import equal_with_recurrences
from symbackprop.calculus.inverses import open_products, share_functions
from symbackprop.calculus.normal_forms import Equality, NormalForms
from symbackprop.calculus.polynomials import NoNormalFormError
from symbackprop.calculus.programs import Assumption, Program
from symbackprop.calculus.sharing import find_twins, read_twins
from symbackprop.calculus.symmetry import assumed_symmetric, find_symmetric, symmetrize
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.language.phrasing import hidden_definitions, phrase_terms
from symbackprop.language.writer import write_tree
from symbackprop.proof.conditions import Domain, find_domain
from symbackprop.proof.equality import find_witness
from symbackprop.proof.lemmas import apply_lemmas
from symbackprop.proof.margins import BeyondEndError
from symbackprop.proof.places import CHOICES, Place, list_entries
from symbackprop.proof.problems import facts_of
from symbackprop.proof.sizes import WIDEST, choose_sizes, compared_numbers, wide_sizes
from symbackprop.proof.ties import Tie, drop_ties, find_tie, list_ties
from symbackprop.proof.verdict import Verdict

MOST_ENTRIES = 64
"""At given sizes no more entries than this are compared; beyond, the claim is undecided there."""
FOR_ALL_SECONDS = 20.0
WIDE_SECONDS = 3.0
MOST_TRIED, MOST_TIED, TIED_SECONDS = 4, 4, 2.0
"""Entries for which points are made, ties that are named, and the time in which sides are shown to agree elsewhere."""

_ASSUMED = re.compile(r"assume ([A-Za-z]\w*)\[[0-9,]+\]( (?:>=?|!=) 0)(?= )")


def prove_terms_equal(program: Program, left: Sequence[Term], right: Sequence[Term]) -> Verdict:
    """Whether two scalars, sums of terms in the tensors of a program, are equal."""
    scalar = Tensor("value", (), Role.DEFINED)
    return compare(program, Definition(scalar, (), tuple(left)), Definition(scalar, (), tuple(right)))


def compare(
    program: Program,
    left: Definition,
    right: Definition,
    plain: Definition | None = None,
    diagnosed: bool = True,
    domain: Domain | None = None,
) -> Verdict:
    """Whether two definitions of a tensor in the same letters are equal, for all sizes where that can be decided.

    `plain` is the left side in the names of the program; what a wrong right side lacks is then said in them, at the
    entry where the sides differ. Unless `diagnosed`, that is left to the caller. Outside of the `domain`, which is that
    of the two sides if none is given, no point refutes. BeyondEndError says that the sides differ by nothing but what a
    claim reads beyond an end.
    """
    assert all(side.is_sum for side in (left, right)), "a function of a whole matrix is a part of a side, never a side"
    domain = find_domain(program, (left, right)) if domain is None else domain
    sides = (left, right) if plain is None else (left, right, plain)
    whole, program = program, program.concerning(sides)
    every = CHOICES if any(leaf.range is not None for leaf in program.leaves) else CHOICES[:1]
    small = choose_sizes(program, domain.least)
    chosen = tuple(Place.make(program, sizes, domain, data) for sizes in small for data in every)
    places = tuple(place for place in chosen if not place.is_impossible)
    if not places and chosen:
        where = " and at ".join(place.where for place in chosen)
        return Verdict("undecided", reason=f"nothing satisfies all assumptions{f' at {where}' if where else ''}")
    for place in places:
        refuted = place.refute(left, right, (plain or left) if diagnosed else None)
        if refuted is not None:
            return refuted
    # Helper lines that no side reads may be lemmas.
    assumptions = prove_for_all(whole, left, right)
    if assumptions is not None:
        scope = "all sizes" if program.size_names else "all values"
        hypotheses = tuple(write_assumption(a, program) for a in assumptions)
        return Verdict("proved", scope=scope, hypotheses=hypotheses)
    if not places:
        return Verdict("undecided", reason="no proof for all sizes was found, and sizes so large are not tried")
    # Before anything is called proved at small sizes: what is special about them may be a number that is written.
    until = time.process_time() + WIDE_SECONDS
    for sizes, data in itertools.product(wide_sizes(program, left, right, domain.least), every):
        if time.process_time() > until:
            break
        wide = Place.make(program, sizes, domain, data)
        refuted = None if wide.is_impossible else wide.refute(left, right, None)
        if refuted is not None:
            return refuted
    if domain.written:
        _check_ends(places, left, right)
    # What is drawn does not satisfy assumed equations that are not solved, so nothing was refuted there.
    curved = (place.refute_first(left, right, find_witness, MOST_TRIED) for place in places if not place.draws)
    refuted = next((verdict for verdict in curved if verdict is not None), None)
    if refuted is None:
        refuted = _refute_at_ties(program, places, left, right)
    if refuted is not None:
        return refuted
    beyond = max(compared_numbers((left, right, *program.definitions)), default=0)
    if program.size_names and beyond > WIDEST:
        reason = f"sizes are compared with {beyond}, and no proof for all sizes was found; larger ones are not tried"
        return Verdict("undecided", reason=reason)
    return _prove_at(places, left, right)


def prove_for_all(
    program: Program, left: Definition, right: Definition, products: int = 200_000, seconds: float | None = None
) -> tuple[Assumption, ...] | None:
    """The assumptions under which the normal form shows two definitions to be equal, or None.

    `products` bounds the work of each attempt, `seconds` its time; a guard far beyond these bounds the time of all.
    """
    until = time.process_time() + FOR_ALL_SECONDS
    opened = open_products(program)
    twins = find_twins(opened)
    shared = replace(opened, definitions=tuple(read_twins(d, twins) for d in opened.definitions))
    sides = read_twins(left, twins), read_twins(right, twins)
    lemmas = apply_lemmas(shared, sides, _Numbers(shared))
    shared, sides = lemmas.program, (lemmas.sides[0], lemmas.sides[1])
    forms = NormalForms(shared, program.assumptions, products, seconds, until)
    equality = forms.equal(*sides) or equal_with_recurrences(forms, *sides)
    equality = equality or _equal_by_equations(shared, sides, products, seconds, until)
    if equality is not None:
        return tuple(dict.fromkeys((*lemmas.assumptions, *equality.assumptions)))
    assumed = assumed_symmetric(program)
    if not assumed and not any(d.call for d in shared.definitions):
        return None
    mirrored = _symmetrize_all(shared, assumed)
    forms = NormalForms(mirrored, program.assumptions, products, seconds, until)
    symmetric = find_symmetric(mirrored, assumed, lambda one, other: forms.equal(one, other) is not None)
    joined = share_functions(mirrored, lambda one, other: forms.equal(one, other) is not None)
    joined = _symmetrize_all(joined, {name: known for name, known in symmetric.items() if name not in assumed})
    forms = NormalForms(joined, program.assumptions, products, seconds, until)
    equality = forms.equal(*(symmetrize(side, symmetric) for side in sides))
    if equality is None:
        return None
    reached = shared.sources(r.tensor.name for side in sides for _, _, r in side.reads())
    used = (a for name, known in symmetric.items() if name in reached for a in known)
    return tuple(dict.fromkeys((*lemmas.assumptions, *equality.assumptions, *used)))


def _equal_by_equations(
    program: Program, sides: tuple[Definition, Definition], products: int, seconds: float | None, until: float
) -> Equality | None:
    """How two definitions are shown equal with every assumed equation used as a rule, or None where they are not."""
    if not any(assumption.relation == "=" for assumption in program.assumptions):
        return None
    forms = NormalForms(program, program.assumptions, products, seconds, until)
    try:
        return forms.equal(*sides) if forms.assume_equations() else None
    except (OutOfBudgetError, NoNormalFormError, RecursionError):
        return None


@dataclass(slots=True)
class _Numbers:
    """The first entries of tensors in numbers, at sizes that fit."""

    program: Program
    numbers: Evaluation | None = None

    def __call__(self, tensor: Tensor) -> float:
        if self.numbers is None:
            place = Place.make(self.program, choose_sizes(self.program)[0])
            self.numbers = Evaluation(self.program, place.sizes, place.value_of, place.data)
        return self.numbers.entry(tensor.name, tuple(start for start, _ in tensor.spans))


def _symmetrize_all(program: Program, names: Mapping[str, object]) -> Program:
    return replace(program, definitions=tuple(symmetrize(d, names) for d in program.definitions))


def write_assumption(assumption: Assumption, program: Program) -> str:
    """An assumption in the formula language."""
    hidden = hidden_definitions(program)
    sides = (phrase_terms(side, assumption.indices, hidden) for side in (assumption.left, assumption.right))
    return f" {assumption.relation} ".join(map(write_tree, sides))


def _refute_at_ties(
    program: Program, places: Sequence[Place], left: Definition, right: Definition
) -> Verdict | None:
    """A refutation where what is compared is equal, with words where the sides agree elsewhere at all sizes."""
    own = list_ties((left, right), program, left.indices)
    every = list_ties((left, right, *program.definitions), program, left.indices)
    found = (place.refute_first(left, right, find_tie, MOST_TRIED) for place in (places if every else ()))
    refuted = next((verdict for verdict in found if verdict is not None), None)
    if refuted is None:
        return None
    choices = dict.fromkeys((*((tie,) for tie in own[:MOST_TIED]), own, every))
    for ties in (ties for ties in choices if 0 < len(ties) <= MOST_TIED):
        whole = replace(program, definitions=tuple(drop_ties(d, ties) for d in program.definitions))
        if prove_for_all(whole, drop_ties(left, ties), drop_ties(right, ties), seconds=TIED_SECONDS) is not None:
            where = " or ".join(tie.text for tie in _list_different(program, ties))
            return replace(refuted, diagnosis=f"the sides agree except where {where}")
    return refuted


def _list_different(program: Program, ties: Sequence[Tie]) -> list[Tie]:
    """The ties without those that are an earlier one with a name written out."""
    found: list[Tie] = []
    for tie in ties:
        same = (other for other in found if other.definition.indices == tie.definition.indices)
        if all(prove_for_all(program, o.definition, tie.definition, seconds=TIED_SECONDS) is None for o in same):
            found.append(tie)
    return found


def _defined(program: Program) -> frozenset[str]:
    """The names of the forward definitions."""
    return frozenset(d.tensor.name for d in program.definitions if d.tensor.role in (Role.DEFINED, Role.HIDDEN))


def _check_ends(places: Sequence[Place], left: Definition, right: Definition) -> None:
    """BeyondEndError where sides differ by what a claim reads beyond an end, and by nothing else that was found."""
    for place in places:
        entry = replace(place, domain=Domain()).differing_entry(left, right)
        if entry is not None and place.is_beyond(left, right, entry):
            raise BeyondEndError


def needs_zeros(program: Program, left: Definition, right: Definition, domain: Domain) -> bool:
    """Whether sides that are equal differ, at small sizes, without the 0 that a claim reads beyond an end."""
    part = program.concerning((left, right))
    for sizes in choose_sizes(part, domain.least)[:1]:
        place = Place.make(part, sizes, domain)
        return any(place.needs_zeros(left, right, e) for e in list_entries(left.indices, sizes)[:MOST_ENTRIES])
    return False


def _prove_at(places: Sequence[Place], left: Definition, right: Definition) -> Verdict:
    """A proof entry by entry at every choice of sizes, names kept where that suffices."""
    program = places[0].program
    defined = _defined(program)
    parameters = {t.name for t in program.leaves if t.role is Role.PARAM}
    affine = frozenset(
        d.tensor.name for d in program.definitions if any(r.tensor.name in parameters for _, _, r in d.reads())
    )
    hypotheses: dict[str, None] = {}
    for place in places:
        given = {fact.text for relation in place.relations for fact in facts_of(relation)}  # said for all entries below
        entries = list_entries(left.indices, place.sizes)
        if len(entries) > MOST_ENTRIES:
            return Verdict("undecided", reason=f"{len(entries)} entries at {place.where} are too many")
        for entry in entries:
            for keep in dict.fromkeys((defined, affine & defined, frozenset[str]())):
                verdict = place.decide(left, right, entry, keep)
                if verdict.proved:
                    break
            if verdict.refuted and place.is_beyond(left, right, entry):
                raise BeyondEndError
            if verdict.refuted:  # the last choice keeps no name, so this speaks of what is given alone
                # What one entry lacks at sizes that are numbers is not what is lacking in general.
                return place.refutation(entry, verdict.witness, "" if entry or place.sizes else verdict.diagnosis)
            if not verdict.proved:
                where = f" at the entry {list(entry)}" if entry else ""
                reason = _assume_all(verdict.reason, program)
                return Verdict("undecided", reason=reason or f"neither a proof nor a counterexample{where}")
            hypotheses.update((text, None) for text in verdict.hypotheses if text not in given)
    if places[0].solved or places[0].relations:
        hypotheses.update((write_assumption(a, program), None) for a in program.assumptions)
    sizes = " and at ".join(place.where for place in places)
    everywhere = not program.size_names and not places[0].data
    scope = "all values" if everywhere else f"the sizes {sizes}"
    return Verdict("proved", scope=scope, for_all_sizes=everywhere, hypotheses=tuple(hypotheses))


def _assume_all(reason: str, program: Program) -> str:
    """A reason in which an entry whose sign is to be assumed is any entry: v[d] > 0 for v[1] > 0."""
    found = _ASSUMED.search(reason)
    tensor = program.tensors().get(found[1]) if found is not None else None
    if found is None or tensor is None:
        return reason
    letters: list[str] = []
    for axis in tensor.axes:
        named = axis.names[0].lower() if len(axis.names) == 1 else "i"
        letters.append(choose_name(named, {*letters, *program.tensors(), *program.size_names}))
    return reason.replace(found[0], f"assume {found[1]}[{','.join(letters)}]{found[2]}")
