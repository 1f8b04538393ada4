"""What is wrong with a gradient of a hand-written backward, said only where it has been proven."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np
import sympy as sp

from symbackprop.proof.backward_repairs import WrongEntry, list_coefficient_repairs, list_entry_repairs
from symbackprop.proof.equality import decide, find_witness
from symbackprop.proof.premises import LARGEST_STABILISER
from symbackprop.proof.traced_arrays import entry_name, entry_symbol
from symbackprop.proof.tracing import Trace

_SECONDS, _SECONDS_IN_ALL = 0.5, 2.0

Same = Callable[[sp.Expr, sp.Expr], bool]


@dataclass(frozen=True, slots=True)
class Gradients:
    """The gradient of one input as it should be and as it was returned, entry by entry in row-major order."""

    name: str
    shape: tuple[int, ...]
    truth: tuple[sp.Expr, ...]
    claims: tuple[sp.Expr, ...]

    def pairs(self) -> list[tuple[sp.Expr, sp.Expr]]:
        """The derivative and what was returned, entry by entry."""
        return list(zip(self.truth, self.claims, strict=True))

    def number_of(self, place: tuple[int, ...]) -> int:
        """Where an entry stands in row-major order, counted from 0."""
        return int(np.ravel_multi_index(place, self.shape)) if self.shape else 0


def diagnose_entry(trace: Trace, gradients: Gradients, place: tuple[int, ...], known: str) -> str:
    """What an entry that was refuted lacks; `known` is what the comparison of the two formulas has found."""
    name = gradients.name
    where = gradients.number_of(place)
    title = f"the gradient of {entry_name(name, place)}"
    left, right = gradients.truth[where], gradients.claims[where]
    same = partial(_same, time.process_time() + _SECONDS_IN_ALL)
    zeros = [(t == 0, c == 0) for t, c in gradients.pairs()]
    if len(set(zeros)) == 2 and all(t != c for t, c in zeros):
        return f"the gradient of {name} is 0 just where the derivative is not: a mask is the wrong way round"
    if right == 0:
        return f"{title} is 0 where the derivative is not"
    if left == 0:
        return f"{title} is not 0 where the derivative is"
    text = (
        _rearranged(gradients, same)
        or _with_transposed_input(trace, gradients, left, right, same)
        or _with_another_input(trace, gradients, same)
    )
    if not text and not trace.remarks:  # a factor that aliasing made has nothing to do with sizes
        text = _rescaled(trace, gradients, left, right, title, same)
    text = (
        text
        or _of_the_upstream(trace, gradients, place, title, same)
        or _misplaced(gradients, where, title, same)
        or _unstable(gradients, where, title, same)
        or _repaired(trace, gradients, place, title, same, known)
    )
    return text or known or f"{title} is not the derivative (left) that the forward has"


def _repaired(trace: Trace, gradients: Gradients, place: tuple[int, ...], title: str, same: Same, known: str) -> str:
    """What would put the entry right; a plain sign or factor that is known comes before what takes more words."""
    symbol = entry_symbol(gradients.name, place)
    every = tuple(gradients.pairs())
    entry = WrongEntry(trace, symbol, *every[gradients.number_of(place)], title, same, every)
    shapes = {name: shape for name, (shape, _) in trace.gradients.items()}
    if known.endswith("has the wrong sign"):
        return known
    text = next(list_entry_repairs(entry, shapes), "")
    text = text or ("" if known else _off_along_an_axis(gradients, place, title, same))
    return text or known or next(list_coefficient_repairs(entry), "")


def _unstable(gradients: Gradients, where: int, title: str, same: Same) -> str:
    """A gradient that is right without a small number."""
    numbers = gradients.truth[where].atoms(sp.Rational) | gradients.claims[where].atoms(sp.Rational)
    stabilisers = sorted(r for r in numbers if 0 < r <= LARGEST_STABILISER)
    none = dict.fromkeys(stabilisers, sp.S.Zero)
    if not stabilisers or not all(_without(none, *pair, same) for pair in gradients.pairs()):
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
    same = partial(_same, time.process_time() + _SECONDS_IN_ALL)
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


def _rearranged(gradients: Gradients, same: Same) -> str:
    """The right entries in another order of the axes, or backwards along one."""
    shape = gradients.shape
    truth = np.empty(shape, dtype=object)
    truth.reshape(-1)[:] = gradients.truth
    candidates = []
    if len(shape) == 2 and shape[0] == shape[1]:
        candidates.append(("is transposed", truth.T))
    candidates += [(f"runs backwards along axis {k}", np.flip(truth, k)) for k in range(len(shape)) if shape[k] > 1]
    for words, changed in candidates:
        pairs = list(zip(changed.reshape(-1), gradients.claims, strict=True))
        if all(same(*pair) for pair in pairs):
            return f"the gradient of {gradients.name} {words}"
    return ""


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


def _off_along_an_axis(gradients: Gradients, place: tuple[int, ...], title: str, same: Same) -> str:
    """The same difference from the truth in all entries along an axis."""
    shape = gradients.shape
    gaps = np.empty(shape, dtype=object)
    gaps.reshape(-1)[:] = [t - c for t, c in gradients.pairs()]
    for axis in range(len(shape)):
        line = [gaps[(*place[:axis], k, *place[axis + 1 :])] for k in range(shape[axis])]
        if len(line) > 1 and all(same(line[0], other) for other in line[1:]):
            return f"{title} lacks the same term as all its neighbours along axis {axis}: a sum or mean over that axis"
    return ""


def _rescaled(trace: Trace, gradients: Gradients, left: sp.Expr, right: sp.Expr, title: str, same: Same) -> str:
    """A sum in the place of a mean over an axis, or the other way round; nothing is summed entry by entry."""
    shapes = [gradients.shape, trace.output_shape, *(shape for shape, _ in trace.gradients.values())]
    weights = left.free_symbols & set(trace.upstream)
    if trace.output_shape == gradients.shape != () and len(weights) < 2:
        return ""
    lengths = {size for shape in shapes for size in shape}
    for axis_size in sorted(lengths.union(map(prod, shapes)) - {1, 0}):
        size = f"{axis_size}, the {'length of an axis' if axis_size in lengths else 'number of entries'}"
        if same(left * axis_size, right) and all(same(t * axis_size, c) for t, c in gradients.pairs()):
            return f"{title} has the extra factor {size}; is a sum taken where it should be a mean?"
        if same(left, right * axis_size) and all(same(t, c * axis_size) for t, c in gradients.pairs()):
            return f"{title} lacks the factor {size}; is a mean taken where it should be a sum?"
    return ""


def _of_the_upstream(trace: Trace, gradients: Gradients, place: tuple[int, ...], title: str, same: Same) -> str:
    """The upstream gradient left out, or only a part of the samples counted."""
    left, right = gradients.pairs()[gradients.number_of(place)]
    symbols = [w for w in trace.upstream if w.is_Symbol]
    if symbols and not right.has(*symbols):
        ones = dict.fromkeys(symbols, sp.S.One)
        if same(left.xreplace(ones), right):
            return f"{title} is not multiplied by the upstream gradient"
    shape = trace.output_shape
    if len(symbols) != prod(shape) or not shape:
        return ""
    own = entry_symbol("upstream", place)
    if own in symbols and _is_diagonal(gradients, symbols, same):
        return f"the gradient of {gradients.name} takes the diagonal of the Jacobian in place of the Jacobian"
    for row in range(shape[0] if shape[0] > 1 else 0):
        kept = _row(symbols, shape, row)
        if same(_counting(left, symbols, kept), right):
            whole = all(same(_counting(truth, symbols, kept), claim) for truth, claim in gradients.pairs())
            missing = ": the sum over the first axis of the output is missing" if whole else ""
            return f"{title} counts the output [{row}] only{missing}"
    return ""


def _is_diagonal(gradients: Gradients, symbols: list[sp.Symbol], same: Same) -> bool:
    """Whether each entry of a gradient is right in what comes from the entry of the output in its place, and has no
    more.
    """
    for place, truth, claim in zip(np.ndindex(*gradients.shape), gradients.truth, gradients.claims, strict=True):
        own = entry_symbol("upstream", place)
        if own not in symbols or not same(_counting(truth, symbols, {own}), claim):
            return False
    return True


def _counting(expression: sp.Expr, symbols: list[sp.Symbol], kept: set[sp.Symbol]) -> sp.Expr:
    """What comes from some entries of the output alone."""
    return expression.xreplace(dict.fromkeys(set(symbols) - kept, sp.S.Zero))


def _row(symbols: list[sp.Symbol], shape: tuple[int, ...], row: int) -> set[sp.Symbol]:
    return {w for k, w in enumerate(symbols) if np.unravel_index(k, shape)[0] == row}


def _misplaced(gradients: Gradients, where: int, title: str, same: Same) -> str:
    """The derivative by another entry."""
    for k, place in enumerate(np.ndindex(*gradients.shape)):
        if k != where and gradients.truth[k] != 0 and same(gradients.truth[k], gradients.claims[where]):
            first, second = (gradients.truth, gradients.claims) if k < where else (gradients.claims, gradients.truth)
            shifted = all(same(*pair) for pair in zip(first, second[abs(k - where) :], strict=False))
            end = ": the entries are shifted" if shifted else ""
            return f"{title} is the derivative by {entry_name(gradients.name, place)}{end}"
    return ""


def _same(until: float, left: sp.Expr, right: sp.Expr) -> bool:
    """Whether two formulas are proved equal, in little time."""
    if left == right:
        return True
    if time.process_time() > until:
        return False
    if find_witness(left, right, seconds=_SECONDS) is not None:  # without the diagnosis that a refutation brings
        return False
    return decide(left, right, seconds=_SECONDS).proved
