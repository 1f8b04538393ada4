"""Maxima over tiles in generated NumPy code: each place of a tile on its own, adjoints written where they belong."""

from __future__ import annotations

import re

import numpy as np
import pytest
from index_ranges import size_program
from jax_oracle import make_differentiator
from program_check import VALUE, differences, run_compiled

import symbackprop as sb

POOLS = {
    "two by two": "m[n,p:3,q:2] = max(r:2, s:2, a[n,2*p+r-2,2*q+s-2])",
    "by one": "m[n,p:3,q:5] = max(r:2, a[n,2*p+r-2,q])",
    "wide": "m[n,p:2,q:2] = max(r:3, s:2, a[n,3*p+r-3,2*q+s-2])",
    "a single one": "m[n,p:2,q:1] = max(r:3, s:4, a[n,3*p+r-3,4*q+s-4])",
    "from the second on": "m[n,p:2,q:2] = max(r:2, s:2, a[n,2*p+r-1,2*q+s-1])",
    "over the border": "m[n,p:3,q:3] = max(r:2, s:2, a[n,2*p+r-2,2*q+s-2])",
    "overlapping": "m[n,p:2,q:2] = max(r:3, s:3, a[n,2*p+r-2,2*q+s-2])",
    "backwards": "m[n,p:3,q:2] = max(r:2, s:2, a[n,2*p-r+1,2*q+s-2])",
    "too wide": "m[n,p:1,q:1] = max(r:6, s:5, a[n,6*p+r-6,5*q+s-5])",
    "of another": "b[n,p:3,q:5] = max(r:2, a[n,2*p+r-2,q])\nm[n,p:3,q:2] = max(s:2, b[n,p,2*q+s-2])",
}
UNROLLED = {"two by two", "by one", "wide", "from the second on"}


def derive_pool(name: str, layer: str = "relu(x[n,p,q])") -> tuple[sb.Derivation, str]:
    """The derivation of a pool behind a layer by its input, and the program."""
    text = (
        f"input x[N,6,5], g[N]\na[n,p,q] = {layer}\n{POOLS[name]}\n"
        "loss = sum(n, p, q, g[n]*m[n,p,q]^2) + sum(n, p, q, a[n,p,q])\n"
    )
    return sb.derive(sb.parse(text), wrt=["x"]), text


@pytest.mark.parametrize("target", ("numpy", "fused"))
@pytest.mark.parametrize("name", POOLS)
def test_gradients_of_pools_are_those_of_jax(name: str, target: str) -> None:
    """For entries that are all different."""
    derivation, text = derive_pool(name, "tanh(x[n,p,q])")
    sized = size_program(text, {"N": 4})
    rng = np.random.default_rng(1)
    leaves = {leaf: rng.normal(size=sized.shapes[leaf]) for leaf in sized.kinds}
    expected = make_differentiator(sized, "loss", {"x": None})(leaves)
    value, gradients = run_compiled(derivation, sized, leaves, target)

    assert differences({VALUE: value, **gradients}, {VALUE: expected.value, **expected.derivatives}) == []


@pytest.mark.parametrize("target", ("numpy", "fused"))
@pytest.mark.parametrize("name", POOLS)
def test_the_first_of_equals_gets_the_gradient(name: str, target: str) -> None:
    """As in the code that is written out entry by entry, also where relu makes all of a tile 0."""
    derivation, text = derive_pool(name)
    sized = size_program(text, {"N": 5})
    rng = np.random.default_rng(2)
    leaves = {leaf: rng.integers(-2, 3, sized.shapes[leaf]).astype(float) for leaf in sized.kinds}
    value, gradients = run_compiled(derivation, sized, leaves, target)
    expected, wanted = run_compiled(derivation, sized, leaves, "python")

    assert value == expected
    np.testing.assert_array_equal(gradients["x"], np.asarray(wanted["x"]))


@pytest.mark.parametrize("name", POOLS)
def test_short_tiles_are_computed_place_by_place(name: str) -> None:
    """Where tiles lie side by side inside of an axis and have few places, nothing is looked up, and nothing copied."""
    derivation, _ = derive_pool(name)
    backward = derivation.compile().source.split("def _backward")[1]

    assert (name in UNROLLED) == ("first_of_few(" not in backward and ".argmax(" not in backward)


def test_what_is_put_into_tiles_is_written_there() -> None:
    """The selects write into slices of one array, which are shown once; slices that tiles do not fill are made 0."""
    text = "input x[N,6,5], g[N]\n{0}\nloss = sum(n, p, q, g[n]*m[n,p,q])\n"
    for name, places, rest in (("two by two", 4, 2), ("wide", 6, 3), ("by one", 2, 0)):
        program = sb.parse(text.format(POOLS[name].replace("a[", "x[")))
        source = sb.derive(program, wrt=["x"]).compile().source
        backward = source.split("def _backward")[1]

        assert len(re.findall(r"keep\(\w+, .*, out=\w+\)", backward)) == places
        assert backward.count("[...] = 0") == rest
        assert "copyto" not in backward


def test_infinity_stays_at_its_place() -> None:
    """A gradient that is infinite is 0, and not no number, where the largest does not stand."""
    derivation, _ = derive_pool("two by two")
    x = np.random.default_rng(0).uniform(1, 2, (2, 6, 5))
    _, gradients = derivation.compile()({}, x=x, g=np.full(2, np.inf))

    assert np.isposinf(gradients["x"]).sum() == 2 * 3 * 2
    assert not np.isnan(gradients["x"]).any()


@pytest.mark.parametrize("target", ("numpy", "fused"))
def test_a_plan_of_tiles_has_no_copies(target: str) -> None:
    """Views of places cost nothing; each maximum and each choice is made for as many entries as there are tiles."""
    derivation, _ = derive_pool("two by two")
    costs = derivation.plan({"N": 1}, target=target)

    assert "window" not in {o.kind for o in costs.operations}
    if target == "numpy":
        assert [o.flops for o in costs.operations if o.kind == "maximum"] == [6, 6, 6]
        assert [o.flops for o in costs.operations if o.kind == "select"] == [6] * 5  # one for what comes from above


LAYERS = {
    "relu(x[n,p,q])": True,
    "where(x[n,p,q] > 0, x[n,p,q], 0)": True,
    "where(x[n,p,q] > 0, x[n,p,q], 0.5*x[n,p,q])": False,
    "where(x[n,p,q] > 1, x[n,p,q], 0)": False,
    "where(x[n,p,q] > 0, x[n,p,q]^2, 0)": False,
    "relu(x[n,p,q]) - 1": False,
    "relu(-x[n,p,q])": False,
}
"""Layers before a pool, and whether what is above 0 in them is where the largest is."""


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", ("by one", "two by two", "wide", "from the second on"))
def test_the_largest_is_looked_at_where_it_is_the_positive_part(name: str, layer: str) -> None:
    """Whether it is above 0 is asked of the maximum, once for all places; the gradients are those of every entry."""
    derivation, text = derive_pool(name, layer)
    sized = size_program(text, {"N": 5})
    rng = np.random.default_rng(4)
    leaves = {leaf: rng.integers(-2, 3, sized.shapes[leaf]).astype(float) for leaf in sized.kinds}
    expected, wanted = run_compiled(derivation, sized, leaves, "python")
    value, gradients = run_compiled(derivation, sized, leaves)
    pool = POOLS[name].replace("a[", "b[")
    alone = f"input x[N,6,5], g[N]\nb[n,p,q] = {layer}\n{pool}\nloss = sum(n, p, q, g[n]*m[n,p,q])\n"
    backward = sb.derive(sb.parse(alone), wrt=["x"]).compile().source.split("def _backward")[1]

    assert value == expected
    np.testing.assert_array_equal(gradients["x"], np.asarray(wanted["x"]))
    assert not LAYERS[layer] or len(re.findall(r"np.greater\(\w+, zero", backward)) == 1


def test_tiles_beside_a_loop() -> None:
    """What a loop reads keeps its place where values are made anew before it."""
    text = (
        "param W[N,N]\ninput X[N]\nt0[i:N] = 2*(cos(i//2)*(sum(j:N, W[j,i])))\nt1[t:N] = tanh(X[t] + 0.5*t1[t-1])\n"
        "loss = sum(i, t0[i]^2) + sum(i, t1[i])\n"
    )
    sized = size_program(text, {"N": 5})
    rng = np.random.default_rng(0)
    leaves = {leaf: rng.normal(size=sized.shapes[leaf]) for leaf in sized.kinds}
    expected = make_differentiator(sized, "loss", dict.fromkeys(("W", "X")))(leaves)
    value, gradients = run_compiled(sb.derive(sb.parse(text), wrt=["W", "X"]), sized, leaves)

    assert differences({VALUE: value, **gradients}, {VALUE: expected.value, **expected.derivatives}) == []
