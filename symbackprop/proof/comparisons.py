"""Whether two definitions of one tensor are equal: for all sizes by the normal form, else written out at small ones.

A claim is first refuted if it can be: both sides are written out at small distinct sizes and evaluated at a rational point.
A proof may keep names of the program as symbols, since what holds for any value of `a1` holds for the value that it has;
a refutation may not, and is made in what is given alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sympy

from symbackprop.calculus.definitions import Definition, Term
from symbackprop.calculus.evaluation import Evaluation
from symbackprop.calculus.expansion import Entry, Expansion
from symbackprop.calculus.indices import Atom
from symbackprop.calculus.normal_form import prove_equal
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.proof.equality import decide
from symbackprop.proof.verdict import Verdict

MOST_ENTRIES = 64
"""At given sizes no more entries than this are compared; beyond, the claim is undecided there."""


def prove_terms_equal(program: Program, left: Sequence[Term], right: Sequence[Term]) -> Verdict:
    """Whether two scalars, sums of terms in the tensors of a program, are equal."""
    scalar = Tensor("value", (), Role.DEFINED)
    return compare(program, Definition(scalar, (), tuple(left)), Definition(scalar, (), tuple(right)))


def compare(program: Program, left: Definition, right: Definition) -> Verdict:
    """Whether two definitions of a tensor in the same letters are equal, for all sizes where that can be decided."""
    choices = choose_sizes(program)
    for sizes in choices:
        refuted = _refute(program, left, right, sizes)
        if refuted is not None:
            return refuted
    stage = prove_equal(program, left, right)
    if stage is not None:
        scope = "all sizes" if program.size_names else "all values"
        hypotheses = tuple(stage.hypotheses)
        return Verdict("proved", scope=scope, for_all_sizes=True, hypotheses=hypotheses)
    return _prove_at(program, left, right, choices)


def choose_sizes(program: Program) -> tuple[dict[str, int], ...]:
    """Two sets of small distinct sizes; one empty set where all sizes are numbers.

    >>> choose_sizes(Program((), ()))
    ({},)
    """
    names = program.size_names
    if not names:
        return ({},)
    rising = {name: 2 + k % 4 for k, name in enumerate(names)}
    falling = {name: 2 + (len(names) - k) % 4 for k, name in enumerate(names)}
    return (rising, falling) if rising != falling else (rising, {name: n + 1 for name, n in rising.items()})


def write_sizes(sizes: Mapping[str, int]) -> str:
    """Sizes as "N=2, D=3"."""
    return ", ".join(f"{name}={value}" for name, value in sizes.items())


def _refute(program: Program, left: Definition, right: Definition, sizes: Mapping[str, int]) -> Verdict | None:
    """A refutation at given sizes: the first entry whose two sides differ at a point, confirmed rigorously."""
    found = _differing_entry(program, left, right, sizes)
    if found is None:
        return None
    expansion = Expansion(program, sizes)
    verdict = decide(_side(expansion, left, found), _side(expansion, right, found))
    if not verdict.refuted:
        return None
    where = f"{left.tensor.name}[{','.join(map(str, found))}]" if found else left.tensor.name
    scope = f"{where} at {write_sizes(sizes)}" if sizes else where
    return replace(verdict, scope=scope, for_all_sizes=False, left=None, right=None)


def _differing_entry(
    program: Program, left: Definition, right: Definition, sizes: Mapping[str, int]
) -> Entry | None:
    """The first entry whose two sides are far apart in floating point at one point."""
    sides = Evaluation(program, sizes, _sample)
    for entry in _entries(left, sizes):
        values = _values(left, entry, sizes)
        a = sum(sides.term(t, values) for t in left.terms)
        values = _values(right, entry, sizes)
        b = sum(sides.term(t, values) for t in right.terms)
        if not abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b)):
            return entry
    return None


def _sample(name: str, entry: Entry) -> float:
    """A value for an entry of a given tensor: a fraction between 1/4 and 7/4 that its name and place decide."""
    mixed = sum((k + 1) * ord(c) for k, c in enumerate(f"{name}{entry}"))
    return (8 + mixed * 37 % 49) / 32


def _entries(definition: Definition, sizes: Mapping[str, int]) -> list[Entry]:
    values: dict[Atom, int] = dict(sizes.items())
    entries: list[Entry] = [()]
    for index in definition.indices:
        entries = [(*e, k) for e in entries for k in range(1, index.size.evaluate(values) + 1)]
    return entries


def _values(definition: Definition, entry: Entry, sizes: Mapping[str, int]) -> dict[Atom, int]:
    values: dict[Atom, int] = dict(sizes.items())
    values.update(zip(definition.indices, entry, strict=True))
    return values


def _side(expansion: Expansion, definition: Definition, entry: Entry) -> sympy.Expr:
    values = _values(definition, entry, expansion.sizes)
    return sympy.Add(*(expansion.term(term, values) for term in definition.terms))


def _prove_at(
    program: Program, left: Definition, right: Definition, choices: Sequence[Mapping[str, int]]
) -> Verdict:
    """A proof entry by entry at every choice of sizes, names kept where that suffices."""
    defined = frozenset(d.tensor.name for d in program.definitions if d.tensor.role in (Role.DEFINED, Role.HIDDEN))
    parameters = {t.name for t in program.leaves if t.role is Role.PARAM}
    affine = frozenset(
        d.tensor.name for d in program.definitions if any(r.tensor.name in parameters for _, _, r in d.reads())
    )
    hypotheses: dict[str, None] = {}
    for sizes in choices:
        entries = _entries(left, sizes)
        if len(entries) > MOST_ENTRIES:
            return Verdict("undecided", reason=f"{len(entries)} entries at {write_sizes(sizes)} are too many to compare")
        for entry in entries:
            verdict: Verdict | None = None
            for keep in dict.fromkeys((defined, affine & defined, frozenset[str]())):
                expansion = Expansion(program, sizes, keep)
                verdict = decide(_side(expansion, left, entry), _side(expansion, right, entry))
                if verdict.proved:
                    break
            if verdict is None or not verdict.proved:
                reason = "" if verdict is None else verdict.reason
                where = ",".join(map(str, entry))
                return Verdict("undecided", reason=reason or f"neither a proof nor a counterexample at the entry [{where}]")
            hypotheses.update(dict.fromkeys(verdict.hypotheses))
    scope = "at " + " and at ".join(write_sizes(s) for s in choices) if program.size_names else "all values"
    return Verdict(
        "proved", scope=scope, for_all_sizes=not program.size_names, hypotheses=tuple(hypotheses)
    )


