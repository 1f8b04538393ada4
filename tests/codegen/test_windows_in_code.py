"""Windows in generated code: views with zeros around them, additions at even steps, and sums shared by a quotient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from index_ranges import size_program
from jax_oracle import make_differentiator
from program_check import VALUE, differences, run_compiled

import symbackprop as sb
from symbackprop.codegen.numpy_runtime import add_at, gather
from symbackprop.codegen.windows_runtime import fold, tile, window

PROGRAMS = {
    "overlapping pool": ("y[n,p:3] = max(r:3, x[n,2*p+r-2])", "x[N,7]", "fold("),
    "mirrored pool": ("y[n,p:3] = max(r:3, x[n,2*p-r+2])", "x[N,7]", "fold("),
    "pool over the border": ("y[n,p:4] = sum(r:3, sin(r*x[n,2*p+r-3]))", "x[N,7]", "window("),
    "sum of steps of three": ("y[n,p:3] = sum(r:2, r*x[n,3*p-r])^2", "x[N,9]", "("),
    "convolution behind a pool": (
        "m[n,p:4] = max(r:2, sin(x[n,2*p+r-2]))\ny[n,p:3] = sum(r, w[r]*m[n,p+r-1])",
        "x[N,9]",
        "keep(",
    ),
    "a pool that reaches beyond its axis": (
        "m[n,p:4] = max(r:2, sin(x[n,2*p+r-1]))\ny[n,p:3] = sum(r, w[r]*m[n,p+r-1])",
        "x[N,8]",
        "tile(",
    ),
    "a quotient and its index": ("y[n,p:8] = sum(r, w[r]*x[n,(p-1)//2+r]*v[p+r-1])", "x[N,9], v[10]", "//"),
    "two quotients": (
        "m[n,p:3,q:2] = max(r:2, s:2, sin(x[n,2*p+r-2,2*q+s-2]))\n"
        "y[n,p:2,q:2] = sum(r, w[r]*m[n,p+r-1,q])*tanh(m[n,1,1])",
        "x[N,7,5]",
        "tile(",
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
    """The same places along two axes at once, added to; what is outside is left out."""
    rng = np.random.default_rng(seed)
    rows, columns = steps_of(rng, [0, 1]), steps_of(rng, [2])
    counts = [count for _, steps in (rows, columns) for _, _, count in steps]
    values = rng.normal(size=(*counts, 2))
    expected, out = np.zeros((5, 2, 4)), np.full((5, 2, 4), np.nan)
    for at, row in places_of(*rows):
        for (last,), column in places_of(*columns):
            if 0 <= row < 5 and 0 <= column < 4:
                expected[row, :, column] += values[(*at, last)]
    courses = [
        (axis, begin, tuple((step, count) for _, step, count in steps))
        for axis, (begin, steps) in ((0, rows), (2, columns))
    ]

    fold(values, courses, out)

    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("begin", range(-5, 7))
@pytest.mark.parametrize("count", (1, 2, 4))
def test_tiles_are_written_side_by_side(begin: int, count: int) -> None:
    """Each entry at its place, 0 where there is none; what is outside is left out."""
    values = np.arange(1.0, count * 3 * 2 + 1).reshape(count, 3, 2)
    expected, out = np.zeros((7, 2)), np.full((7, 2), np.nan)
    for tile_number in range(count):
        for place in range(3):
            if 0 <= begin + 3 * tile_number + place < 7:
                expected[begin + 3 * tile_number + place] = values[tile_number, place]

    tile(values, begin, out)

    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("axis", (0, 1, 2))
def test_one_entry_along_an_axis_is_added(axis: int) -> None:
    """At the place that is named, counted from 1; nothing where that is outside, and the base is left as it is."""
    rng = np.random.default_rng(axis)
    base = rng.normal(size=(3, 4, 2))
    shape = tuple(1 if k == axis else size for k, size in enumerate(base.shape))
    place, value = rng.integers(-1, 7, shape), rng.normal(size=shape)
    expected, kept, out = base.copy(), base.copy(), np.empty_like(base)
    for at in np.ndindex(*shape):
        if 1 <= place[at] <= base.shape[axis]:
            expected[(*at[:axis], place[at] - 1, *at[axis + 1 :])] += value[at]

    add_at(base, axis, place, value, out)
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(base, kept)
    add_at(base, axis, place, value, base)
    np.testing.assert_array_equal(base, expected)


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

    assert "window(y, (0, ((0, 1, N),)), (0, ((1, 1, 4), (2, -1, 2),)))" in source  # at four places, not at nine


@pytest.mark.parametrize("size", (1, 2, 4, 5))
def test_tiles_that_depend_on_sizes_alone(size: int) -> None:
    """The places at which x[m,m//2] is read, made with the arrays that calls share."""
    f = sb.derive(sb.parse("param x[H,H]\nloss = sum(m, x[m,m//2])")).compile()
    expected = np.zeros((size, size))
    for m in range(2, size + 1):
        expected[m - 1, m // 2 - 1] = 1

    _, gradients = f({"x": np.ones((size, size))})

    np.testing.assert_array_equal(gradients["x"], expected)


def test_reading_at_no_place_gives_nothing() -> None:
    """Vectors of indices may be empty."""
    nothing = np.arange(1, 1)

    assert gather(np.ones((1, 1)), nothing, nothing).shape == (0,)
    assert gather(np.ones((3, 2)), nothing[:, None], np.arange(1, 3)).shape == (0, 2)
