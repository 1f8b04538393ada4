"""What a refuted claim lacks, for all sizes: candidates from the claim, the program and the chain rule, each proven.

A candidate is first tried in numbers, which is cheap; what agrees there is proved by the normal form or is not named.
A claim that is wrong in two unrelated ways gets no words.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from symbackprop.errors import SymBackpropError
from symbackprop.language import write_tree
from symbackprop.proof.additions import (
    list_added_numbers,
    list_additions,
    list_missing_terms,
    sums_over_numbers,
)
from symbackprop.proof.common_factors import list_common_factors
from symbackprop.proof.edits import Edit, list_edits, list_exponents, list_factors_of_all, list_sums_for_means
from symbackprop.proof.ingredients import is_number, sum_over
from symbackprop.proof.missing_paths import (
    list_diagonals,
    list_missing_paths,
    list_missing_steps,
    list_paths_missing_above,
)
from symbackprop.proof.other_functions import list_other_functions
from symbackprop.proof.premises import list_added_constants, list_ones, list_stabilisers, list_sums, list_symmetries
from symbackprop.proof.rounded_constants import list_rounded_constants
from symbackprop.proof.trials import OutOfStepsError, Question, Trial
from symbackprop.proof.vocabularies import make_vocabulary

SECONDS = 10.0
"""A guard; what is looked at is counted (trials.py)."""
_FAILURES = (SymBackpropError, ArithmeticError, RecursionError, TypeError, ValueError, LookupError)
"""What may end a search among formulas that nobody wrote: SymPy refuses some of them, and no verdict is lost by it."""


def find_repair(question: Question, seconds: float = SECONDS) -> str:
    """A proven sentence about what the claim lacks, or nothing."""
    if not question.left.terms:
        return _say_zero(question)
    try:
        trial = Trial.make(question, time.process_time() + seconds)
        for candidates in _list_kinds(trial):
            found = _first_of(candidates)
            if found and not _says_all(question, found):
                return found
    except (OutOfStepsError, *_FAILURES):
        return ""
    return ""


def _say_zero(question: Question) -> str:
    """Why the truth is 0, from which no change of a claim tells anything."""
    if question.of is None or question.wrt is None:
        return ""
    of, wrt = question.of.name, question.wrt.name
    apart = wrt not in question.program.sources((of,))
    return f"the derivative is 0, as {of} is not made of {wrt}" if apart else ""


def _says_all(question: Question, text: str) -> bool:
    """Whether one side is a number, and what is lacking the whole other side, as the factor x that 1 lacks to be x."""
    sides = (question.tree, question.truth[0])
    lacking = text.startswith(("the claim lacks the factor", "the claim lacks the term"))
    if not lacking or not any(map(is_number, sides)):
        return False
    return any(write_tree(side) in text for side in sides if not is_number(side))


def _first_of(candidates: Iterator[str]) -> str:
    """The first of some candidates; nothing where they cannot be listed for this claim."""
    try:
        return next(candidates, "")
    except _FAILURES:
        return ""


def _list_kinds(trial: Trial) -> Iterator[Iterator[str]]:
    """What is right to say, kind by kind, in the order in which it is said."""
    yield list_rounded_constants(trial)
    if not trial.differs:
        return
    tree = trial.question.tree
    words = make_vocabulary(trial)
    yield _right_ones(trial, list_sums_for_means(tree, words))
    if _are_proportional(trial.truth, trial.claimed):
        yield _right_ones(trial, list_factors_of_all(tree, words))
    yield list_missing_paths(trial)
    yield list_missing_steps(trial)
    yield list_sums(trial, 1)
    yield list_diagonals(trial)
    yield _right_ones(trial, list_exponents(tree, words))
    yield _right_ones(trial, list_common_factors(trial, words, 1))
    yield _right_ones(trial, list_missing_terms(tree, words))
    yield list_added_constants(trial)
    yield _right_ones(trial, list_common_factors(trial, words, 2))
    yield _right_ones(trial, list_edits(tree, words))
    yield _right_ones(trial, list_additions(tree, words))
    yield _right_ones(trial, _sums(trial))
    yield list_paths_missing_above(trial)
    yield list_symmetries(trial)
    yield list_sums(trial, 0)
    yield list_ones(trial)
    yield list_stabilisers(trial)
    yield list_other_functions(trial)
    yield _right_ones(trial, list_added_numbers(tree, words))


def _right_ones(trial: Trial, edits: Iterable[Edit]) -> Iterator[str]:
    """What those changes say that are right."""
    for edit in edits:
        made = trial.read(edit.tree) if trial.may_be_right(edit.tree) else None
        if made is not None and trial.is_truth(*made):
            yield f"the claim {edit.words}"


def _sums(trial: Trial) -> Iterator[Edit]:
    """Sums that were forgotten."""
    q = trial.question
    free = {i.name for i in q.left.indices}
    for letter in sorted(free):
        yield Edit(f"lacks the sum over {letter}", sum_over(q.tree, letter))
        yield Edit(f"lacks the mean over {letter}", sum_over(q.tree, letter, "mean"))
    used = dict.fromkeys(i.name for d in q.program.definitions for i in d.indices if i.name not in free)
    yield from sums_over_numbers(q.tree, tuple(used))


def _are_proportional(left: Sequence[float], right: Sequence[float]) -> bool:
    """Whether one number times the second list is the first."""
    ratios = [a / b for a, b in zip(left, right, strict=True) if b]
    if not ratios or any(a for a, b in zip(left, right, strict=True) if not b):
        return False
    return all(abs(r - ratios[0]) <= 1e-8 * abs(ratios[0]) for r in ratios)
