"""Windows in generated code: views with zeros around them, additions at even steps, and sums shared by a quotient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from index_ranges import size_program
from jax_oracle import make_differentiator
from program_check import VALUE, differences, run_compiled

import symbackprop as sb
from symbackprop.codegen.numpy_runtime import fold, window

PROGRAMS = {
    "overlapping pool": ("y[n,p:3] = max(r:3, x[n,2*p+r-2])", "x[N,7]", "fold("),
    "mirrored pool": ("y[n,p:3] = max(r:3, x[n,2*p-r+2])", "x[N,7]", "fold("),
    "pool over the border": ("y[n,p:4] = sum(r:3, sin(r*x[n,2*p+r-3]))", "x[N,7]", "window("),
    "sum of steps of three": ("y[n,p:3] = sum(r:2, r*x[n,3*p-r])^2", "x[N,9]", "("),
    "convolution behind a pool": (
        "m[n,p:4] = max(r:2, sin(x[n,2*p+r-2]))\ny[n,p:3] = sum(r, w[r]*m[n,p+r-1])",
        "x[N,9]",
        "//",
    ),
    "a quotient and its index": ("y[n,p:8] = sum(r, w[r]*x[n,(p-1)//2+r]*v[p+r-1])", "x[N,9], v[10]", "//"),
    "two quotients": (
        "m[n,p:3,q:2] = max(r:2, s:2, sin(x[n,2*p+r-2,2*q+s-2]))\n"
        "y[n,p:2,q:2] = sum(r, w[r]*m[n,p+r-1,q])*tanh(m[n,1,1])",
        "x[N,7,5]",
        "//",
    ),
}


def steps_of(rng: np.random.Generator, labels: list[int]) -> tuple[int, tuple[tuple[int, int, int], ...]]:
    """A place: where it begins, perhaps outside, and for each label a step, perhaps backwards, and how many."""
    steps = tuple((label, int(rng.choice([-3, -2, -1, 1, 2, 3])), int(rng.integers(1, 4))) for label in labels)
    return int(rng.integers(-5, 9)), steps


def places_of(begin: int, steps: tuple[tuple[int, int, int], ...]) -> Iterator[tuple[tuple[int, ...], int]]:
    """Each choice of steps, with the place that it is at."""
    for at in np.ndindex(*(count for _, _, count in steps)):
        yield at, begin + sum(k * step for k, (_, step, _) in zip(at, steps, strict=True))


@pytest.mark.parametrize("seed", range(60))
def test_a_window_is_what_it_says_entry_by_entry(seed: int) -> None:
    """Steps of any sign, beginning and ending anywhere, read what stands there, and 0 outside."""
    rng = np.random.default_rng(seed)
    array = rng.normal(size=(5, 4))
    first, second = steps_of(rng, [0, 2]), steps_of(rng, [1])
    found = window(array, first, second)

    assert found.shape == (first[1][0][2], second[1][0][2], first[1][1][2])
    for (i, k), row in places_of(*first):
        for (j,), column in places_of(*second):
            inside = 0 <= row < 5 and 0 <= column < 4
            assert found[i, j, k] == (array[row, column] if inside else 0)


@pytest.mark.parametrize("seed", range(60))
def test_a_fold_adds_each_entry_to_its_place(seed: int) -> None:
    """The same places, added to; what is outside is left out."""
    rng = np.random.default_rng(seed)
    begin, steps = steps_of(rng, [0, 1])
    values = rng.normal(size=(*(count for _, _, count in steps), 2))
    expected = np.zeros((5, 2))
    for at, place in places_of(begin, steps):
        if 0 <= place < 5:
            expected[place] += values[at]

    np.testing.assert_allclose(fold(5, (begin, steps), values), expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("target", ("numpy", "jax"))
@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_of_windows_are_those_of_jax(name: str, target: str) -> None:
    """Programs whose adjoints are folds, windows and shared sums; the code is made as it is said to be."""
    formula, given, made = PROGRAMS[name]
    axes = "n,p,q" if "q:2] = sum" in formula else "n,p"
    text = f"input {given}, g[N]\nparam w[2]\n{formula}\nloss = sum({axes}, g[n]*y[{axes}]^2) + w[1]\n"
    sized = size_program(text, {"N": 3})
    rng = np.random.default_rng(5)
    leaves = {leaf: rng.normal(size=sized.shapes[leaf]) for leaf in sized.kinds}
    expected = make_differentiator(sized, "loss", dict.fromkeys(("x", "w")))(leaves)
    derivation = sb.derive(sb.parse(text), wrt=["x", "w"])
    value, gradients = run_compiled(derivation, sized, leaves, target)

    assert target != "numpy" or made in derivation.compile().source
    assert differences({VALUE: value, **gradients}, {VALUE: expected.value, **expected.derivatives}) == []


def test_a_sum_behind_a_quotient_is_computed_once_for_each_value() -> None:
    """The adjoint of a convolution behind a pool of two is a matrix product at the pool's places."""
    formula, given, _ = PROGRAMS["convolution behind a pool"]
    text = f"input {given}\nparam w[2]\n{formula}\nloss = sum(n, p, y[n,p]^2)\n"
    source = sb.derive(sb.parse(text), wrt=["x"]).compile().source

    assert "window(y, (0, ((0, 1, N),)), (0, ((1, 1, 5), (2, -1, 2),)))" in source  # at five places, not at nine
