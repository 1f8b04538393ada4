"""What was found on the paths of a hand-written backward, and what that proves."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import sympy as sp

from symbackprop.proof.equal_points import EqualPoint
from symbackprop.proof.exploration import Unvisited
from symbackprop.proof.facts import Fact, contradict
from symbackprop.proof.float_range import limits_of
from symbackprop.proof.plain_signs import plain_parts
from symbackprop.proof.problems import facts_of
from symbackprop.proof.renaming import Outlines
from symbackprop.proof.shapes import list_untold_sizes, write_shapes
from symbackprop.proof.tidying import tidy
from symbackprop.proof.tracing import Shapes, Subject, Trace
from symbackprop.proof.verdict import Verdict
from symbackprop.proof.wording import join_words

_MOST_NAMED = 4
_MOST_TIDIED = 24


@dataclass(slots=True)
class Findings:
    """What was found at one choice of shapes; written to cell by cell."""

    cells: int = 0
    unvisited: list[Unvisited] = field(default_factory=list)
    seen: set[Fact] = field(default_factory=set)
    hypotheses: dict[str, sp.Basic | None] = field(default_factory=dict)  # each with its formula, if it has one
    notes: dict[str, None] = field(default_factory=dict)
    proved: set[tuple[sp.Expr, sp.Expr]] = field(default_factory=set)
    outlines: Outlines = field(default_factory=Outlines)
    alike: set[tuple[int, ...]] = field(default_factory=set)  # outlines of equations that were proved
    eliminated: bool = False  # whether the last proof needed that; the next one will
    admitted: set[Fact] = field(default_factory=set)
    masks: dict[sp.Expr, None] = field(default_factory=dict)
    arrays: dict[str, tuple[int, ...]] = field(default_factory=dict)  # the shapes of those outside of the functions
    open: bool = False  # whether comparisons were left open, so that no path is left out
    equal: dict[Fact, EqualPoint] = field(default_factory=dict)  # what was found where numbers are equal
    last: Trace | None = None  # that of the last cell
    failed: Verdict | None = None
    diagnosed: bool = True  # whether something is known of what failed

    def admit(self, trace: Trace, conditions: Iterable[Fact]) -> None:
        """Note the conditions of a proof that neither hold plainly nor define the path."""
        for fact in chain.from_iterable(map(plain_parts, conditions)):
            if fact in self.admitted:
                continue
            if not trace.conditions or not contradict((*trace.conditions, fact.denied)):
                self.hypotheses[fact.text] = fact.formula
                self.admitted.add(fact)


    def judged_at(self, unequal: Fact) -> bool:
        """Whether each entry was decided where two numbers are equal."""
        return unequal in self.equal and self.equal[unequal].judged


def list_equalities(findings: Findings) -> list[Fact]:
    """What the code compares by == and was not equal in any run, in the order of its words."""
    return sorted((fact for fact in findings.seen if fact.relation == "!="), key=lambda fact: fact.text)


def _say_equal_points(parts: Sequence[Findings]) -> Iterator[str]:
    """What was judged where numbers are equal, and where another convention is taken there."""
    judged = [fact for each in parts for fact in list_equalities(each) if each.judged_at(fact)]
    if judged:
        apart = ", one at a time," if len(set(judged)) > 1 else ""
        yield f"Where {_name(judged)}{apart} the branch that is taken there was judged apart."
    if others := [fact for each in parts for fact in judged if fact in each.equal and each.equal[fact].others]:
        yield (
            f"Where {_name(others)} the gradient of what is compared is not the derivative of the branch that forward "
            "takes there; across that point either is a convention."
        )


def _name(facts: Sequence[Fact]) -> str:
    texts = sorted({shorten(replace(fact, relation="=")) for fact in facts})
    shown = [*texts[:_MOST_NAMED], "so on"] if len(texts) > _MOST_NAMED else texts
    return " or ".join(shown)


def conclude(
    subject: Subject,
    here: Findings,
    others: Shapes,
    there: Findings | None,
    refusals: list[str],
    changes: list[str] | None,
) -> Verdict:
    """The verdict where nothing failed: proved, for which shapes, cells and data; undecided if a branch has no point,
    or a later call does something else: `changes` is what is not the same after an earlier call, None if that is open.
    """
    shapes = subject.shapes
    parts = [(shapes, here)] + ([(others, there)] if there is not None else [])
    never = _never_visited(here)
    if never:
        reason = f"{_name_unvisited(shapes, never)}; on {_count_cells(here)} it holds"
        return Verdict("undecided", for_all_sizes=False, reason=reason, notes=tuple(here.notes))
    if changes:
        again = f"{join_words(changes)} {'is' if len(changes) == 1 else 'are'} not the same"
        reason = f"after an earlier call with other inputs {again}: the code keeps state between calls"
        first = f"At the shapes {write_shapes(shapes)} each entry is proved for a first call."
        return Verdict("undecided", for_all_sizes=False, reason=reason, notes=(first, *here.notes))
    scope = "the shapes " + " and ".join(f"{write_shapes(s)}{_cells(f)}" for s, f in parts)
    fixed = [*subject.data, *(name for name in here.arrays if name not in (*subject.data, *shapes))]
    scope += f", with {join_words(fixed)} as given" if fixed else ""
    notes: dict[str, None] = {}
    for each, findings in parts:
        if findings.seen or findings.unvisited:
            notes.update(dict.fromkeys(_visits(each, findings)))
    equal = [fact for _, findings in parts for fact in list_equalities(findings) if not findings.judged_at(fact)]
    if any(findings.seen for _, findings in parts):
        notes[f"Where a comparison is a tie{_name_equalities(equal)}, nothing was judged."] = None
    notes.update(dict.fromkeys(_say_equal_points([findings for _, findings in parts])))
    if any(limits_of(findings.seen) for _, findings in parts):
        notes[f"No input and no upstream value is beyond the largest float, {sys.float_info.max}."] = None
    if changes is None:
        notes["Whether a later call of the same code gives the same was not found out."] = None
    if there is None and (any(shapes.values()) or fixed):
        notes["Nothing was proved at other shapes, so sizes that happen to be equal were not told apart."] = None
        notes.update(dict.fromkeys(refusals[-1:]))
    elif untold := list_untold_sizes(subject):
        count = f"size {untold[0]}" if len(untold) == 1 else f"sizes {join_words(list(map(str, untold)))}"
        notes[f"Whether axes of the {count} may differ from each other was not tried."] = None
    for _, findings in parts:
        notes.update(findings.notes)
    hypotheses = _tidied(here.hypotheses | (there.hypotheses if there is not None else {}))
    if len(hypotheses) > _MOST_NAMED:
        rest = len(hypotheses) - _MOST_NAMED
        hypotheses = [*hypotheses[:_MOST_NAMED], f"{rest} more condition{'s' if rest > 1 else ''} like these"]
    return Verdict("proved", scope=scope, for_all_sizes=False, hypotheses=tuple(hypotheses), notes=tuple(notes))


def _tidied(hypotheses: Mapping[str, sp.Basic | None]) -> list[str]:
    """The hypotheses, without those that follow from others where they are few: x > 0 says that x != 0."""
    formulas = [formula for formula in hypotheses.values() if formula is not None]
    if len(formulas) > _MOST_TIDIED:
        return list(hypotheses)
    plain = tidy(fact for formula in formulas for fact in facts_of(formula))
    return list(dict.fromkeys((*(fact.text for fact in plain), *(h for h, f in hypotheses.items() if f is None))))


def _cells(findings: Findings) -> str:
    if not findings.seen and not findings.unvisited:
        return ""
    if findings.open and not _has_equalities(findings):
        return " (on all paths)"
    count = _count_cells(findings)
    every = "all " if findings.cells > 1 else ""
    some = findings.unvisited or _has_equalities(findings)
    return f" (on {count}, not all)" if some else f" (on {every}{count})"


def _has_equalities(findings: Findings) -> bool:
    """Whether something was compared by == and was not equal in any run."""
    return bool(list_equalities(findings))


def _name_equalities(facts: Sequence[Fact]) -> str:
    """What the code compares by == and was not equal in any run."""
    return f", or where {_name(facts)}" if facts else ""


def _count_cells(findings: Findings) -> str:
    return f"{findings.cells} path cell{'s' if findings.cells > 1 else ''}"


def _visits(shapes: Shapes, findings: Findings) -> Iterator[str]:
    """What was not visited."""
    never = _never_visited(findings)
    if never:
        yield f"A{_name_unvisited(shapes, never)[1:]}."
    if findings.unvisited and not findings.open:
        yield f"At {write_shapes(shapes)} combinations of branches may remain that were not visited."


def _name_unvisited(shapes: Shapes, never: list[Fact]) -> str:
    texts = "; ".join(shorten(fact) for fact in never[:_MOST_NAMED])
    more = f"; and {len(never) - _MOST_NAMED} more" if len(never) > _MOST_NAMED else ""
    return f"at {write_shapes(shapes)} no sample point visited the branches {texts}{more}"


def _never_visited(findings: Findings) -> list[Fact]:
    """The branches for which no point was found, in whatever combination, unless all paths are proved at once."""
    if findings.open:
        return []
    missed = dict.fromkeys(b.conditions[-1] for b in findings.unvisited if b.conditions and b.sought)
    return [fact for fact in missed if fact not in findings.seen]


def shorten(fact: Fact) -> str:
    text = fact.text
    return text if len(text) <= 80 else f"{text[:76]} ..."
