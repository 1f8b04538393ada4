"""What is wrong with a gradient of a hand-written backward, said only where it has been proven."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np
import sympy as sp

from symbackprop.proof.equality import decide, find_witness
from symbackprop.proof.facts import Fact
from symbackprop.proof.traced_arrays import entry_name
from symbackprop.proof.tracing import Trace

_SECONDS = 0.5
_LARGEST_STABILISER = sp.Rational(1, 1000)
_SIZE = "the length of an axis"

Same = Callable[[sp.Expr, sp.Expr], bool]


@dataclass(frozen=True, slots=True)
class Gradients:
    """The gradient of one input as it should be and as it was returned, entry by entry in row-major order."""

    name: str
    shape: tuple[int, ...]
    truth: tuple[sp.Expr, ...]
    claims: tuple[sp.Expr, ...]


def diagnose_entry(trace: Trace, gradients: Gradients, place: tuple[int, ...], known: str) -> str:
    """What an entry that was refuted lacks; `known` is what the comparison of the two formulas has found."""
    name, shape = gradients.name, gradients.shape
    where = int(np.ravel_multi_index(place, shape)) if shape else 0
    title = f"the gradient of {entry_name(name, place)}"
    left, right = gradients.truth[where], gradients.claims[where]
    same = partial(_same, trace.conditions)
    zeros = [(t == 0, c == 0) for t, c in zip(gradients.truth, gradients.claims, strict=True)]
    if len(set(zeros)) == 2 and all(t != c for t, c in zeros):
        return f"the gradient of {name} is 0 just where the derivative is not: a mask is the wrong way round"
    if right == 0:
        return f"{title} is 0 where the derivative is not"
    if left == 0:
        return f"{title} is not 0 where the derivative is"
    text = _rearranged(trace, gradients) or _with_transposed_input(trace, gradients, left, right, same)
    if not text and not trace.remarks:  # a factor that aliasing made has nothing to do with sizes
        text = _rescaled(gradients, left, right, title, same)
    text = (
        text
        or _of_the_upstream(trace, place, left, right, title, same)
        or _misplaced(gradients, where, title, same)
        or ("" if known else _off_along_an_axis(gradients, place, title, same))
    )
    if text:
        return text
    stabilisers = [r for r in (left.atoms(sp.Rational) | right.atoms(sp.Rational)) if 0 < r <= _LARGEST_STABILISER]
    if stabilisers:
        none = dict.fromkeys(stabilisers, sp.S.Zero)
        bare = (left.xreplace(none), right.xreplace(none))
        if not any(side.has(sp.nan, sp.zoo) for side in bare) and same(*bare):
            texts = " and ".join(f"{float(r):g}" for r in sorted(stabilisers))
            return f"{title} is right only for eps = 0: the stabiliser {texts} is treated in another way than forward"
    return known or f"{title} is not the derivative (left) that the forward has"


def diagnose_shape(name: str, shape: tuple[int, ...], trace: Trace, truth: tuple[sp.Expr, ...]) -> str:
    """What was done to a gradient that came back in another shape."""
    found, claims = trace.gradients[name]
    text = f"the gradient of {name} has the shape {found}, where {name} has {shape}"
    given = np.empty(found, dtype=object)
    given.reshape(-1)[:] = claims
    for words, changed in _reshapings(given, shape):
        entries = tuple(changed.reshape(-1))
        if changed.shape == shape and all(_same(trace.conditions, *pair) for pair in zip(truth, entries, strict=True)):
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


def _rearranged(trace: Trace, gradients: Gradients) -> str:
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
        if all(_same(trace.conditions, *pair) for pair in pairs):
            return f"the gradient of {gradients.name} {words}"
    return ""


def _with_transposed_input(trace: Trace, gradients: Gradients, left: sp.Expr, right: sp.Expr, same: Same) -> str:
    """What is right once a square input is transposed."""
    for name, (shape, _) in trace.gradients.items():
        if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 1:
            continue
        turned = {
            sp.Symbol(entry_name(name, (i, j))): sp.Symbol(entry_name(name, (j, i))) for i, j in np.ndindex(*shape)
        }
        if right.free_symbols & turned.keys() and same(left, right.xreplace(turned)):
            return f"the gradient of {gradients.name} needs {name} transposed"
    return ""


def _off_along_an_axis(gradients: Gradients, place: tuple[int, ...], title: str, same: Same) -> str:
    """The same difference from the truth in all entries along an axis."""
    shape = gradients.shape
    gaps = np.empty(shape, dtype=object)
    gaps.reshape(-1)[:] = [t - c for t, c in zip(gradients.truth, gradients.claims, strict=True)]
    for axis in range(len(shape)):
        line = [gaps[(*place[:axis], k, *place[axis + 1 :])] for k in range(shape[axis])]
        if len(line) > 1 and all(same(line[0], other) for other in line[1:]):
            return f"{title} lacks the same term as all its neighbours along axis {axis}: a sum or mean over that axis"
    return ""


def _rescaled(gradients: Gradients, left: sp.Expr, right: sp.Expr, title: str, same: Same) -> str:
    """A sum in the place of a mean over an axis, or the other way round."""
    for axis_size in sorted({*gradients.shape, prod(gradients.shape)} - {1, 0}):
        if same(left * axis_size, right):
            return f"{title} has the extra factor {axis_size}, {_SIZE}; is a sum taken where it should be a mean?"
        if same(left, right * axis_size):
            return f"{title} lacks the factor {axis_size}, {_SIZE}; is a mean taken where it should be a sum?"
    return ""


def _of_the_upstream(
    trace: Trace, place: tuple[int, ...], left: sp.Expr, right: sp.Expr, title: str, same: Same
) -> str:
    """The upstream gradient left out, or only a part of the samples counted."""
    symbols = [w for w in trace.upstream if w.is_Symbol]
    if symbols and not right.has(*symbols):
        ones = dict.fromkeys(symbols, sp.S.One)
        if same(left.xreplace(ones), right):
            return f"{title} is not multiplied by the upstream gradient"
    shape = trace.output_shape
    if shape and shape[0] > 1 and len(symbols) == prod(shape):
        for row in range(shape[0]):
            others = {w: sp.S.Zero for k, w in enumerate(symbols) if np.unravel_index(k, shape)[0] != row}
            if same(left.xreplace(others), right):
                return f"{title} counts the output [{row}] only: the sum over the first axis of the output is missing"
        own = sp.Symbol(entry_name("upstream", place))
        if own in symbols and same(left.xreplace(dict.fromkeys(set(symbols) - {own}, sp.S.Zero)), right):
            return (
                f"{title} counts the output {list(place)} only: the diagonal of the Jacobian in place of the Jacobian"
            )
    return ""


def _misplaced(gradients: Gradients, where: int, title: str, same: Same) -> str:
    """The derivative by another entry."""
    for k, place in enumerate(np.ndindex(*gradients.shape)):
        if k != where and gradients.truth[k] != 0 and same(gradients.truth[k], gradients.claims[where]):
            return f"{title} is the derivative by {entry_name(gradients.name, place)}: the entries are shifted"
    return ""


def _same(conditions: tuple[Fact, ...], left: sp.Expr, right: sp.Expr) -> bool:
    """Whether two formulas are proved equal on a path, in little time."""
    if left == right:
        return True
    if left.free_symbols != right.free_symbols:
        return False
    if find_witness(left, right, seconds=_SECONDS) is not None:  # without the diagnosis that a refutation brings
        return False
    return decide(left, right, seconds=_SECONDS).proved
