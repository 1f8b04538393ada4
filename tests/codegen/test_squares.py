"""Which weighted sums are products of an array with itself, and which weights are known not to be negative."""

from __future__ import annotations

import pytest
import sympy

from symbackprop.calculus.definitions import slot_symbol
from symbackprop.calculus.indices import Affine, Index
from symbackprop.codegen.forms import Magnitude, Softplus
from symbackprop.codegen.records import Constant, Given, Map, Record, Use, Value
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
    (sympy.exp(A), True), (Softplus(A), True), (Magnitude(A), True), (A**2, True), (A**2 + 1, True), (A**4 / 3, True),
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
