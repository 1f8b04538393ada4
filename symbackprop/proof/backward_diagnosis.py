"""What is wrong with a gradient of a hand-written backward, said only where it has been proven."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from math import prod

import numpy as np
import sympy as sp

from symbackprop.calculus.costs import is_longer
from symbackprop.proof.backward_entries import (
    misplaced,
    off_along_an_axis,
    on_the_diagonal,
    rearranged,
    right_elsewhere,
    right_in_symmetric_part,
)
from symbackprop.proof.backward_outputs import of_the_upstream, with_maxima_fixed, without_other_rows
from symbackprop.proof.backward_paths import list_path_repairs
from symbackprop.proof.backward_repairs import Same, WrongEntry, list_coefficient_repairs, list_entry_repairs
from symbackprop.proof.budget import Budget
from symbackprop.proof.equality import decide, find_witness
from symbackprop.proof.facts import Fact
from symbackprop.proof.gradient_entries import Gradients, domain_of
from symbackprop.proof.inner_arrays import entry_name, entry_symbol
from symbackprop.proof.other_entries import is_said_elsewhere, list_in_other_entries, wrong_entry
from symbackprop.proof.other_runs import OtherRuns
from symbackprop.proof.premises import LARGEST_STABILISER
from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.tracing import Trace
from symbackprop.proof.wording import join_words

_MOST_CONDITIONS = 3
_EXTRA = " has the extra factor "
_STEPS, _STEPS_IN_ALL = 20_000, 100_000
_MOST_OPERATIONS = 4_000
"""Of an entry; in a longer one a search takes minutes, and smaller shapes show the same mistake."""
_LEAST_SECONDS, _SECONDS, _SECONDS_IN_ALL = 1.0, 10.0, 30.0  # a guard, far beyond what the steps take


def diagnose_entry(
    others: OtherRuns, gradients: Gradients, inputs: Sequence[Gradients], place: tuple[int, ...], known: str
) -> str:
    """What an entry that was refuted lacks, if that is found; `known` is what the comparison of the two formulas has
    found, and `inputs` are the gradients of the other inputs.
    """
    try:
        return _diagnose(others, gradients, inputs, place, known)
    except (TracingStoppedError, RecursionError):
        return ""


def _diagnose(
    others: OtherRuns, gradients: Gradients, inputs: Sequence[Gradients], place: tuple[int, ...], known: str
) -> str:
    name, trace = gradients.name, others.trace
    where = gradients.number_of(place)
    title = f"the gradient of {entry_name(name, place)}"
    left, right = gradients.truth[where], gradients.claims[where]
    if is_longer(left, _MOST_OPERATIONS) or is_longer(right, _MOST_OPERATIONS):
        return ""
    limit = max(_LEAST_SECONDS, min(_SECONDS_IN_ALL, others.deadline - time.process_time()))
    budget = Budget(limit, most_steps=_STEPS_IN_ALL)  # no longer than the decision may take
    same = partial(_same, budget, domain_of(trace))
    right = sp.S.Zero if same(right, sp.S.Zero) else right
    for other in inputs if right != 0 else ():
        swapped = (*zip(other.truth, gradients.claims, strict=False), *zip(gradients.truth, other.claims, strict=False))
        if other.shape == gradients.shape and all(same(*pair) for pair in swapped):
            return f"the gradients of {name} and {other.name} are returned in each other's place"
    negated = all(same(-truth, claim) for truth, claim in gradients.pairs())
    text = (
        ("" if negated else rearranged(gradients, same))
        or right_in_symmetric_part(gradients, same)
        or without_other_rows(trace, gradients, title, right, same)
        or with_maxima_fixed(others, name, same)
    )
    if text:
        return text
    zeros = [(t == 0, c == 0) for t, c in gradients.pairs()]
    if len(set(zeros)) == 2 and all(t != c for t, c in zeros):
        return f"the gradient of {name} is 0 just where the derivative is not: is a mask the wrong way round?"
    entries = {entry_name(name, each) for each in np.ndindex(*gradients.shape)}
    masked = any(entries & {s.name for s in fact.expression.free_symbols} for fact in trace.conditions)
    branch = "" if trace.remarks else _of_another_branch(others, gradients, place, same)
    if right == 0:
        more = f": it {branch}" if branch else right_elsewhere(gradients, same, claimed=True, masked=masked)
        return f"{title} is 0 where the derivative is not{more}"
    if left == 0:
        more = f": it {branch}" if branch else right_elsewhere(gradients, same, claimed=False, masked=masked)
        return f"{title} is not 0 where the derivative is{more}"
    text = (
        (branch and f"{title} {branch}")
        or _with_transposed_input(trace, gradients, left, right, same)
        or _with_another_input(trace, gradients, same)
        or _with_upstream_transposed(trace, gradients, same)
        or ("" if trace.remarks else on_the_diagonal(gradients, same))
    )
    if not text and not trace.remarks:  # a factor that aliasing made has nothing to do with sizes
        text = _rescaled(others, gradients, place, title, same)
    entry = wrong_entry(trace, gradients, place, same, budget)
    if not text and not is_said_elsewhere(known, trace, gradients, entry):
        known = ""  # it puts this entry right by chance
    text = (
        text
        or of_the_upstream(trace, gradients, place, title, same)
        or ("" if negated else misplaced(gradients, where, title, same))
        or _unstable(gradients, where, title, same)
        or _repaired(entry, gradients, inputs, place, known)
    )
    return _with_its_fraction(text or known or _reading(trace, gradients, place, title), left, right)


def _with_its_fraction(text: str, left: sp.Expr, right: sp.Expr) -> str:
    """An extra factor 4 as the factor 1/4 that is missing, where the derivative has it and the claim has not."""
    words, _, number = text.partition(_EXTRA)
    if number.isdecimal():
        fraction = sp.Rational(1, int(number))
        if fraction in left.atoms(sp.Rational) and fraction not in right.atoms(sp.Rational):
            return f"{words} lacks the factor {fraction}"
    return text


def _reading(trace: Trace, gradients: Gradients, place: tuple[int, ...], title: str) -> str:
    """Entries of the upstream gradient that only one of the sides depends on."""
    left, right = gradients.pairs()[gradients.number_of(place)]
    first, second = left.free_symbols, right.free_symbols
    upstream = [w for w in trace.upstream if w.is_Symbol]
    missing = [w for w in upstream if w in first - second and _depends(left, w)]
    extra = [w for w in upstream if w in second - first and _depends(right, w)]
    compared = next((fact for fact in trace.conditions if _reads_any(fact, (*missing, *extra))), None)
    if compared is not None:
        return f"a comparison of the upstream gradient, {compared.text}, decides on {title}: is a mask of it meant?"
    if missing and extra:
        return f"{title} reads {_list(extra)} in place of {_list(missing)}: another axis or place"
    if missing:
        return f"{title} does not read {_list(missing)}, as the derivative does: a sum, mean or path is missing"
    if extra:
        return f"{title} reads {_list(extra)}, on which the derivative does not depend"
    return ""


def _reads_any(fact: Fact, symbols: Sequence[sp.Symbol]) -> bool:
    return bool({s.name for s in fact.expression.free_symbols} & {s.name for s in symbols})


def _depends(expression: sp.Expr, symbol: sp.Symbol) -> bool:
    """Whether an expression is seen to change with a symbol."""
    return find_witness(expression, expression.xreplace({symbol: sp.S.Zero}), budget=_for_one()) is not None


def _list(symbols: list[sp.Symbol]) -> str:
    texts = [symbol.name for symbol in symbols]
    return join_words(texts if len(texts) <= _MOST_CONDITIONS else [*texts[:_MOST_CONDITIONS], "so on"])


def _repaired(
    entry: WrongEntry, gradients: Gradients, inputs: Sequence[Gradients], place: tuple[int, ...], known: str
) -> str:
    """What would put the entry right; a plain sign or factor that is known comes before what takes more words."""
    trace = entry.trace
    shapes = {name: shape for name, (shape, _) in trace.gradients.items()}
    if known.endswith("has the wrong sign"):
        return known
    repairs = (each for each in list_entry_repairs(entry, shapes) if is_said_elsewhere(each, trace, gradients, entry))
    text = next(repairs, "") or ("" if known else off_along_an_axis(gradients, place, entry.title, entry.same))
    if text or known:
        return text or known
    text = next(list_path_repairs(entry), "") or next(list_coefficient_repairs(entry), "")
    return text or next(list_in_other_entries(trace, gradients, inputs, entry), "")


def _unstable(gradients: Gradients, where: int, title: str, same: Same) -> str:
    """A gradient that is right without a small number, and not just 0 without it."""
    numbers = gradients.truth[where].atoms(sp.Rational) | gradients.claims[where].atoms(sp.Rational)
    stabilisers = sorted(r for r in numbers if 0 < r <= LARGEST_STABILISER)
    none = dict.fromkeys(stabilisers, sp.S.Zero)
    if not stabilisers or _without(none, gradients.truth[where], sp.S.Zero, same):
        return ""
    if not all(_without(none, *pair, same) for pair in gradients.pairs()):
        return ""
    texts = " and ".join(f"{float(r):g}" for r in stabilisers)
    way = f"the stabiliser {texts} is treated in another way than forward"
    return f"{title} is right for eps = 0, not as it stands: {way}"


def _without(none: dict[sp.Expr, sp.Expr], left: sp.Expr, right: sp.Expr, same: Same) -> bool:
    """Whether two formulas are equal with 0 in place of small numbers."""
    bare = (left.xreplace(none), right.xreplace(none))
    return not any(side.has(sp.nan, sp.zoo) for side in bare) and same(*bare)


def diagnose_shape(name: str, shape: tuple[int, ...], trace: Trace, truth: tuple[sp.Expr, ...]) -> str:
    """What was done to a gradient that came back in another shape."""
    found, claims = trace.gradients[name]
    text = f"the gradient of {name} has the shape {found}, where {name} has {shape}"
    same = partial(_same, Budget(_SECONDS_IN_ALL, most_steps=_STEPS_IN_ALL), domain_of(trace))
    given = np.empty(found, dtype=object)
    given.reshape(-1)[:] = claims
    for words, changed in _reshapings(given, shape):
        entries = tuple(changed.reshape(-1))
        if changed.shape == shape and all(same(*pair) for pair in zip(truth, entries, strict=True)):
            return f"{text}: {words}"
    return text


def _reshapings(given: np.ndarray, shape: tuple[int, ...]) -> Iterator[tuple[str, np.ndarray]]:
    if given.ndim > 1 and given.shape[::-1] == shape:
        yield "it is transposed", given.T
    if prod(given.shape) == prod(shape):
        yield "its entries are right, in another shape", given.reshape(shape)
    if len(given.shape) > len(shape):
        axes = tuple(range(len(given.shape) - len(shape)))
        words = "axis" if len(axes) == 1 else "axes"
        yield f"the sum over the first {words} is missing", np.asarray(given.sum(axis=axes), dtype=object)
    if len(given.shape) == len(shape):
        axes = tuple(k for k, size in enumerate(shape) if size == 1)
        if axes:
            yield "the sum over the axes that were broadcast is missing", given.sum(axis=axes, keepdims=True)


def _with_transposed_input(trace: Trace, gradients: Gradients, left: sp.Expr, right: sp.Expr, same: Same) -> str:
    """What is right once a square input is transposed."""
    for name, (shape, _) in trace.gradients.items():
        if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 1:
            continue
        turned = {entry_symbol(name, (i, j)): entry_symbol(name, (j, i)) for i, j in np.ndindex(*shape)}
        if right.free_symbols & turned.keys() and same(left, right.xreplace(turned)):
            return f"the gradient of {gradients.name} needs {name} transposed"
    return ""


def _with_another_input(trace: Trace, gradients: Gradients, same: Same) -> str:
    """The derivative with another input of the same shape read in place of one, named results left as they are."""
    short = [trace.cuts.shorten(truth) for truth in gradients.truth]
    for name, (shape, _) in trace.gradients.items():
        for other, (its_shape, _) in trace.gradients.items():
            if name == other or shape != its_shape:
                continue
            read = {entry_symbol(name, p): entry_symbol(other, p) for p in np.ndindex(*shape)}
            pairs = zip((trace.cuts.expand(s.xreplace(read)) for s in short), gradients.claims, strict=True)
            if all(same(truth, claim) for truth, claim in pairs):
                return f"the gradient of {gradients.name} reads {other} in place of {name}"
    return ""


def _with_upstream_transposed(trace: Trace, gradients: Gradients, same: Same) -> str:
    """What is right once a square upstream gradient is transposed."""
    shape, symbols = trace.output_shape, trace.upstream
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 1 or not all(w.is_Symbol for w in symbols):
        return ""
    turned = dict(zip(symbols, np.reshape(np.array(symbols, dtype=object), shape).T.flat, strict=True))
    if all(same(truth.xreplace(turned), claim) for truth, claim in gradients.pairs()):
        return f"the gradient of {gradients.name} needs the upstream gradient transposed, or summed over the other axis"
    return ""


def _rescaled(others: OtherRuns, gradients: Gradients, place: tuple[int, ...], title: str, same: Same) -> str:
    """A sum in the place of a mean over an axis, or the other way round; nothing is summed entry by entry.

    A number that is no size at other shapes is just that number.
    """
    trace = others.trace
    left, right = gradients.pairs()[gradients.number_of(place)]
    weights = left.free_symbols & set(trace.upstream)
    if trace.output_shape == gradients.shape != () and len(weights) < 2:
        return ""
    sizes = _sizes(trace, gradients)
    lengths = {size for size, is_length in sizes if is_length}
    for number in sorted({size for size, _ in sizes} - {1, 0}):
        size = f"{number}, the {'length of an axis' if number in lengths else 'number of entries'}"
        for extra in (True, False):
            if not all(same(*_scaled(pair, number, extra)) for pair in ((left, right), *gradients.pairs())):
                continue
            places = [k for k, (each, _) in enumerate(sizes) if each == number]
            elsewhere = _follows_a_size(others, gradients, places, number, extra, same)
            if not elsewhere:
                also = f", which is also {size.partition(', ')[2]}" if elsewhere is None else ""
                return f"{title} {'has the extra' if extra else 'lacks the'} factor {number}{also}"
            if extra:
                return f"{title} has the extra factor {size}; is a sum taken where it should be a mean?"
            return f"{title} lacks the factor {size}; is a mean taken where it should be a sum?"
    return ""


def _scaled(pair: tuple[sp.Expr, sp.Expr], number: int, extra: bool) -> tuple[sp.Expr, sp.Expr]:
    """What is equal where the second has a factor too many, or lacks it."""
    return (pair[0] * number, pair[1]) if extra else (pair[0], pair[1] * number)


def _sizes(trace: Trace, gradients: Gradients) -> list[tuple[int, bool]]:
    """The lengths of axes, and the numbers of entries, of the gradient, the output and the inputs, in this order."""
    shapes = [gradients.shape, trace.output_shape, *(shape for shape, _ in trace.gradients.values())]
    return [(size, True) for shape in shapes for size in shape] + [(prod(shape), False) for shape in shapes]


def _follows_a_size(
    others: OtherRuns, gradients: Gradients, places: list[int], number: int, extra: bool, same: Same
) -> bool | None:
    """Whether one of some sizes is the factor where it is not the number that it was; None where no other shapes say.

    Of equal sizes one may stay at shapes that differ in another; only those that are the factor there are asked again.
    """
    for trace, made in others.at_other_shapes(gradients.name):
        known = _sizes(trace, made)
        pair = next((each for each in made.pairs() if each[0] != 0), None)
        if pair is None or max(places) >= len(known):
            return None
        factors = {size for size in {known[k][0] for k in places} if same(*_scaled(pair, size, extra))}
        if factors != {number}:
            return bool(factors)
        places = [k for k in places if known[k][0] == number]
    return None


def _of_another_branch(others: OtherRuns, gradients: Gradients, place: tuple[int, ...], same: Same) -> str:
    """The derivative where a condition is the other way round.

    It may be the same by chance, where neither side is 0, if what is returned there is neither right nor swapped.
    """
    number = gradients.number_of(place)
    truth, claim = gradients.pairs()[number]
    for conditions, other in others.in_other_branches(gradients.name, number, entry_symbol(gradients.name, place)):
        if not same(other[0], claim) or same(other[0], truth):
            continue
        if 0 in (truth, claim) or same(*other) or same(other[1], truth):
            texts = [fact.text for fact in conditions]
            where = join_words(texts if len(texts) <= _MOST_CONDITIONS else [*texts[:_MOST_CONDITIONS], "so on"])
            return f"is right in another branch, where {where}: is a mask or condition wrong or missing?"
    return ""


def _for_one() -> Budget:
    """What one comparison may spend."""
    return Budget(_SECONDS, most_steps=_STEPS)


def _same(all_together: Budget, domain: tuple[sp.Basic, ...], left: sp.Expr, right: sp.Expr) -> bool:
    """Whether two formulas are proved equal where forward has a value, in few steps."""
    if left == right:
        return True
    if all_together.is_spent:
        return False
    budget = _for_one()
    try:
        # A witness comes first, without the diagnosis that a refutation brings.
        if find_witness(left, right, (), domain, budget=budget) is not None:
            return False
        verdict = decide(left, right, claim="", budget=budget)
        return (decide(left, right, domain, claim="", budget=budget) if verdict.undecided else verdict).proved
    finally:
        all_together.steps += budget.steps
