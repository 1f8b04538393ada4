"""Recurrences in NumPy code: slices that are gone through, arrays of a step that share memory, what is not kept."""

from __future__ import annotations

import re

import numpy as np
import pytest
from index_ranges import size_program
from jax_oracle import make_differentiator
from program_check import VALUE, differences, run_compiled

import symbackprop as sb
from symbackprop.codegen import windows_runtime
from symbackprop.codegen.windows_runtime import LONGEST, slices

GATED = """
input x[N,T,D], h0[N,H], g[N,T,H]
param W[H,D], V[H,D], U[H,H], R[H,H], b[H]
z[n,t,k] = sum(d, W[k,d]*x[n,t,d]) + sum(j, U[k,j]*h[n,t-1,j]) + b[k]
q[n,t,k] = sum(d, V[k,d]*x[n,t,d]) + sum(j, R[k,j]*h[n,t-1,j])
r[n,t,k] = sigmoid(q[n,t,k])
h[n,0,k] = h0[n,k]
h[n,t,k] = r[n,t,k]*h[n,t-1,k] + (1 - r[n,t,k])*tanh(z[n,t,k])
loss = sum(n, t, k, g[n,t,k]*h[n,t,k])
"""
LAST = """
input x[T,D], c0[D], y[D]
param w[D]
c[0,k] = c0[k]
c[t:T,k] = sin(w[k]*c[t-1,k]) + x[t,k]
loss = sum(k, (c[T,k] - y[k])^2)
"""
QUOTIENT = """
input x[T,D], g[T,D]
param w[D]
s[t:T,k] = tanh(w[k]*s[t-1,k] + x[t,k])/(2 + s[t-1,k])
loss = sum(t:T, k, g[t,k]*s[t,k])
"""
NUMBERS = """
input x[T]
param w
s[t:T] = tanh(w*s[t-1] + x[t])
loss = sum(t, s[t]^2)
"""
PROGRAMS = {
    "gated": (GATED, {"N": 3, "T": 5, "D": 2, "H": 4}),
    "gated, one step": (GATED, {"N": 3, "T": 1, "D": 2, "H": 4}),
    "gated, a square matrix": (GATED, {"N": 4, "T": 4, "D": 4, "H": 4}),
    "the last step": (LAST, {"T": 6, "D": 3}),
    "a quotient": (QUOTIENT, {"T": 6, "D": 3}),
    "numbers": (NUMBERS, {"T": 6}),
}


def find_faults(name: str, target: str) -> list[str]:
    """Where value and gradients by all leaves differ from those of JAX."""
    text, sizes = PROGRAMS[name]
    sized = size_program(text, sizes)
    rng = np.random.default_rng(7)
    leaves = {leaf: rng.normal(size=sized.shapes[leaf]) for leaf in sized.kinds}
    wrt = list(leaves)
    expected = make_differentiator(sized, "loss", dict.fromkeys(wrt))(leaves)
    value, gradients = run_compiled(sb.derive(sb.parse(text), wrt=wrt), sized, leaves, target)
    return differences({VALUE: value, **gradients}, {VALUE: expected.value, **expected.derivatives})


@pytest.mark.parametrize("target", ("numpy", "fused", "jax"))
@pytest.mark.parametrize("name", PROGRAMS)
def test_recurrences_are_those_of_jax(name: str, target: str) -> None:
    """Value and gradients, where the first step reads before it and the last one behind it."""
    assert find_faults(name, target) == []


def test_slices_that_are_not_kept_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made as the loop goes."""
    monkeypatch.setattr(windows_runtime, "LONGEST", 2)

    assert find_faults("gated", "numpy") == []


def test_slices_a_step_off_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that goes through other slices gives other gradients."""
    monkeypatch.setattr(
        windows_runtime, "slices", lambda array, axis, begin, count, direction: np.roll(
            slices(array, axis, begin, count, direction), 1, 0
        )
    )  # fmt: skip

    assert find_faults("gated", "numpy") != []


@pytest.mark.parametrize("axis", (0, 1, 2))
@pytest.mark.parametrize("direction", (1, -1))
@pytest.mark.parametrize(("begin", "count"), ((0, 4), (1, 3), (2, 0), (0, -1)))
def test_slices_are_views_in_the_order_of_steps(axis: int, direction: int, begin: int, count: int) -> None:
    """Each shows the memory of the array at its place; where there are no steps there is none."""
    array = np.arange(64.0).reshape(4, 4, 4)
    found = list(slices(array, axis, begin, count, direction))

    assert len(found) == max(0, count)
    for place, one in zip(range(begin, begin + count)[::direction], found, strict=True):
        np.testing.assert_array_equal(one, array.take(place, axis))
        assert np.shares_memory(one, array)


def test_long_slices_are_not_kept() -> None:
    """A list of them would take memory by the step."""
    array = np.zeros((LONGEST + 1, 2))

    assert isinstance(slices(array, 0, 0, LONGEST, 1), list)
    assert not isinstance(slices(array, 0, 0, LONGEST + 1, 1), list)


def test_what_a_step_alone_reads_is_not_kept_for_all() -> None:
    """Sums that only their own step reads have the memory of one step; what is read for the last time is written over.
    """
    source = sb.derive(sb.parse(GATED), ["W", "U"]).compile().source
    body = next(part for part in source.split("\n    with") if "np.exp" in part)
    written = re.findall(r"out=(u\d+)", body)

    assert "    z = " in source
    assert "    q = " not in source
    assert not re.search(r"= \w+\[:, t", source)
    assert len(set(written)) <= len(written) - 3


def test_what_all_steps_of_a_segment_read_outside_is_zero() -> None:
    """Behind the last step there is no adjoint, so that the last step multiplies none by the weights."""
    derivation = sb.derive(sb.parse(GATED.replace(",T,", ",5,")), ["W", "U"])
    backward = derivation.compile().source.split("def _backward")[1]
    last = next(part for part in backward.split("\n    with") if "range(5, 6)" in part)

    assert "take(" not in backward
    assert "dot(" not in last.split("np.transpose")[0]
