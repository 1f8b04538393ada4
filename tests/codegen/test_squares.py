"""Which weighted sums are products of an array with itself, and which weights are known not to be negative."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy

import symbackprop as sb
from symbackprop.calculus.definitions import slot_symbol
from symbackprop.calculus.indices import Affine, Index
from symbackprop.codegen.forms import Larger, LogOnePlus
from symbackprop.codegen.records import Constant, Count, Given, Map, Position, Record, Use, Value
from symbackprop.codegen.squares import find_square, is_never_negative

N, D, F = (Index(name, Affine.of(size)) for name, size in (("n", "N"), ("d", "D"), ("f", "D")))
A, B, C = map(slot_symbol, range(3))
CARRIED = ((N, D), (N, F), (N,))


def test_a_weighted_square_has_two_sides_and_a_weight() -> None:
    """X[n,d]*X[n,f]*w[n] summed over n is one; what lacks a weight, or sums over two indices, is none."""
    found = find_square(A * B * C, CARRIED, (N,))
    assert found is not None
    assert ({found.left, found.right}, found.weight, found.outside) == ({A, B}, C, 1)
    assert find_square(2 * A * B * C, CARRIED, (N,)).outside == 2  # type: ignore[union-attr]
    assert find_square(A * B, CARRIED, (N,)) is None
    assert find_square(A * B * C, CARRIED, (N, D)) is None
    assert find_square(A * B * C, ((N, D), (N,), (N, F)), (N,)) is not None
    assert find_square(A * B * C, ((N, D), (N, D), (N,)), (N,)) is None


@pytest.mark.parametrize(("body", "expected"), [
    (sympy.exp(A), True), (LogOnePlus(A), False), (A**2, True), (A**2 + 1, True), (A**4 / 3, True),
    (A, False), (A**2 - 1, False), (-sympy.exp(A), False), (A**3, False), (sympy.sin(A), False),
])  # fmt: skip
def test_signs_of_formulas(body: sympy.Expr, expected: bool) -> None:
    """A real number may have any sign, its square and its exponential may not."""
    records: list[Record] = [Given("x"), Map(body, (Use(0, ()),), False)]
    assert is_never_negative([Value(record, ()) for record in records], 1) is expected


def test_signs_go_through_records() -> None:
    """t/(t + 1)^2 with t = exp(x) is positive; times a number below 0 it is not."""
    records: list[Record] = [Given("x"), Map(sympy.exp(A), (Use(0, ()),), False)]
    records += [Map(A / (A + 1) ** 2, (Use(1, ()),), False), Constant(sympy.Integer(-2))]
    records += [Map(A * B, (Use(2, ()), Use(3, ())), False)]
    values = [Value(record, ()) for record in records]
    assert [is_never_negative(values, k) for k in range(5)] == [False, True, True, False, False]


def test_softplus_is_never_negative() -> None:
    """As it is written: the larger of x and log(1 + exp(x))."""
    records: list[Record] = [Given("x"), Map(sympy.exp(A), (Use(0, ()),), False)]
    records += [Map(LogOnePlus(A), (Use(1, ()),), False), Map(Larger(A, B), (Use(0, ()), Use(2, ())), False)]
    values = [Value(record, ()) for record in records]
    assert [is_never_negative(values, k) for k in range(4)] == [False, True, True, True]


@pytest.mark.parametrize(("size", "expected"), [
    (Affine.of("N"), True), (Affine.of("N") * 2 + Affine.of(1), True), (Affine.of("N") - Affine.of(1), False),
    (Affine.of("N") * -1, False), (Affine.of(3), True), (Affine.of(-3), False),
])  # fmt: skip
def test_sizes_have_a_sign_where_nothing_is_taken_away(size: Affine, expected: bool) -> None:
    """Every axis has an entry at least, and N - 1 may be 0."""
    values = [Value(Count(Position((), size)), ()), Value(Map(1 / A, (Use(0, ()),), False), ())]
    assert is_never_negative(values, 0) is expected
    assert is_never_negative(values, 1) is expected


@pytest.mark.parametrize(("factor", "inside"), [("1/N", True), ("-1/N", False), ("c", False), ("3/(2*N)", True)])
def test_what_scales_a_square_scales_its_weights_where_it_is_not_negative(factor: str, inside: bool) -> None:
    """The matrix is not gone through again for 1/N; JAX's Hessian agrees, also where the square is taken away."""
    program = sb.parse(
        "input X[N,D], c\nparam w[D]\nz[n] = sum(d, X[n,d]*w[d])\nloss = " + factor + "*sum(n, softplus(z[n]))"
    )
    hessian = sb.derive(program, "w").hessian("w").compile()
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(6, 3)), rng.normal(size=3)
    c = {"c": -1.5} if factor == "c" else {"c": 0.0}
    scale = {"1/N": 1 / 6, "-1/N": -1 / 6, "c": -1.5, "3/(2*N)": 0.25}[factor]
    with jax.enable_x64(True):
        expected = jax.hessian(lambda v: scale * jnp.sum(jax.nn.softplus(x @ v)))(w)
    np.testing.assert_allclose(hessian({"w": w}, X=x, **c)[1]["w"], expected, rtol=1e-12)

    written = re.search(r"np\.dot\((\w+)\.T, \1, out=(\w+)\)", hessian.source)
    assert written is not None
    assert (written[2] == "w_bar_by_w") is inside
