"""What a gradient has of the entries of the output: without their weights, of some alone, or of those in its place."""

from __future__ import annotations

from math import prod

import numpy as np
import sympy as sp

from symbackprop.proof.backward_repairs import Same
from symbackprop.proof.cuts import Largest
from symbackprop.proof.gradient_entries import Gradients
from symbackprop.proof.inner_arrays import entry_symbol
from symbackprop.proof.other_runs import OtherRuns
from symbackprop.proof.tracing import Trace


def of_the_upstream(trace: Trace, gradients: Gradients, place: tuple[int, ...], title: str, same: Same) -> str:
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
    if shape == gradients.shape and _is_diagonal(gradients, symbols, same):
        return f"the gradient of {gradients.name} takes the diagonal of the Jacobian in place of the Jacobian"
    for row in range(shape[0] if shape[0] > 1 else 0):
        kept = _row(symbols, shape, row)
        if left.free_symbols & kept and same(_counting(left, symbols, kept), right):
            last = not any(left.free_symbols & _row(symbols, shape, later) for later in range(row + 1, shape[0]))
            written = ": is an entry overwritten where it should be added to, as np.add.at does?" if last else ""
            return f"{title} counts the output [{row}] only{written}"
    return ""


def without_other_rows(trace: Trace, gradients: Gradients, title: str, right: sp.Expr, same: Same) -> str:
    """A whole gradient that counts one sample where it is to sum over all of them."""
    symbols, shape = [w for w in trace.upstream if w.is_Symbol], trace.output_shape
    partial_entries = [(truth, claim) for truth, claim in gradients.pairs() if claim != 0 and truth != claim]
    if not shape or shape[0] == 1 or len(symbols) != prod(shape) or not partial_entries:
        return ""
    for row in range(shape[0]):
        kept = _row(symbols, shape, row)
        pairs = (*partial_entries, *gradients.pairs())
        others = set(symbols) - kept
        if not any(truth.free_symbols & others for truth, _ in partial_entries):
            continue  # what is 0 comes from other rows alone: nothing is summed
        if all(same(_counting(truth, symbols, kept), claim) for truth, claim in pairs):
            what = title if right != 0 else f"the gradient of {gradients.name}"
            return f"{what} counts the output [{row}] only: the sum over the first axis of the output is missing"
    return ""


def with_maxima_fixed(others: OtherRuns, name: str, same: Same) -> str:
    """A gradient for which what is largest or smallest is a constant."""
    trace = others.with_maxima_free() if others.trace.conditions else None
    shape = others.subject.shapes[name]
    if trace is None or trace.gradients[name][0] != shape:
        return ""
    claims = trace.gradients[name][1]
    symbols = [entry_symbol(name, place) for place in np.ndindex(*shape)]
    maxima = frozenset(s for s, definition in trace.cuts.definitions.items() if isinstance(definition, Largest))
    made = trace.cuts.gradient(trace.output, trace.upstream, symbols, maxima)
    pairs = [(trace.cuts.expand(made[s]), trace.cuts.expand(c)) for s, c in zip(symbols, claims, strict=True)]
    if all(same(*pair) for pair in pairs):
        return f"the gradient of {name} takes a maximum or minimum for a constant: the path through it is left out"
    return ""


def _is_diagonal(gradients: Gradients, symbols: list[sp.Symbol], same: Same) -> bool:
    """Whether each entry of a gradient is right in what comes from the entry of the output in its place, and has no
    more.
    """
    for own, truth, claim in zip(symbols, gradients.truth, gradients.claims, strict=True):
        if not same(_counting(truth, symbols, {own}), claim):
            return False
    return True


def _counting(expression: sp.Expr, symbols: list[sp.Symbol], kept: set[sp.Symbol]) -> sp.Expr:
    """What comes from some entries of the output alone."""
    return expression.xreplace(dict.fromkeys(set(symbols) - kept, sp.S.Zero))


def _row(symbols: list[sp.Symbol], shape: tuple[int, ...], row: int) -> set[sp.Symbol]:
    return {w for k, w in enumerate(symbols) if np.unravel_index(k, shape)[0] == row}
