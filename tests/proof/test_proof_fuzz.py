"""Random pairs, rewritten or mutated, against mpmath at 60 digits: no verdict may be contradicted."""

from __future__ import annotations

import random

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbackprop.proof import decide

X, Y = sp.symbols("x y", real=True)
UNARY = (
    lambda e: sp.exp(e / 2),
    lambda e: sp.tanh(e),
    lambda e: 1 / (1 + sp.exp(-e)),
    lambda e: sp.log(1 + e**2),
    lambda e: sp.sqrt(e**2 + 1),
    lambda e: sp.erf(e),
    lambda e: sp.sin(e),
    lambda e: 1 / (2 + e**2),
    lambda e: sp.cosh(e),
    lambda e: sp.Max(e, 0),
    lambda e: sp.Abs(e),
)
REWRITES = (
    sp.expand,
    sp.together,
    lambda e: sp.expand(sp.together(e)),
    lambda e: e.rewrite((sp.tanh, sp.cosh), sp.exp),
    lambda e: sp.factor_terms(sp.expand(e)),
    lambda e: e.rewrite(sp.tanh),
    lambda e: e.rewrite(sp.Piecewise),
)


def grow(draw: random.Random, depth: int) -> sp.Expr:
    """A random expression in x and y."""
    if depth == 0:
        return draw.choice((X, Y, X - Y, sp.Rational(draw.randint(-3, 3) or 1, draw.randint(1, 3))))
    kind = draw.random()
    if kind < 0.45:
        return draw.choice(UNARY)(grow(draw, depth - 1))
    first, second = grow(draw, depth - 1), grow(draw, depth - 1)
    return first + second if kind < 0.7 else first * second


def mutate(draw: random.Random, expression: sp.Expr) -> sp.Expr:
    """The expression with one small change, which may or may not change its value."""
    nodes = sorted(expression.atoms(sp.Symbol, sp.Rational), key=str)
    node = draw.choice(nodes) if nodes else X
    change = draw.choice((node + 1, -node, node * 2, X * Y if node.is_Symbol else node / 3))
    return expression.xreplace({node: change})


def differs(left: sp.Expr, right: sp.Expr, draw: random.Random) -> bool:
    """Whether 60 digits of mpmath tell the sides apart at one of four random points."""
    for _ in range(4):
        point = {X: sp.Rational(draw.randint(-40, 40), 16), Y: sp.Rational(draw.randint(-40, 40), 16)}
        values = [sp.N(side.subs(point), 60) for side in (left, right)]
        if all(value.is_real and value.is_finite for value in values):
            scale = 1 + abs(values[0]) + abs(values[1])
            if abs(values[0] - values[1]) > scale * sp.Float("1e-45", 60):
                return True
    return False


def judge(seed: int) -> tuple[str, bool]:
    """Decide one random pair, check the verdict, and return it with whether the pair was made to be equal."""
    draw = random.Random(seed)
    left = grow(draw, draw.randint(1, 3))
    equal = draw.random() < 0.6
    right = draw.choice(REWRITES)(left if equal else mutate(draw, left))
    verdict = decide(left, right, seconds=3.0)
    if verdict.proved:
        assert not differs(left, right, draw), f"seed {seed}: proved, but the sides differ: {left} and {right}"
    if verdict.refuted:
        assert verdict.witness is not None
        point = {sp.Symbol(n, real=True): sp.Rational(v.numerator, v.denominator) for n, v in verdict.witness.point}
        # Saturated functions may differ in the hundredth digit only.
        pairs = ([sp.N(side.subs(point), digits) for side in (left, right)] for digits in (60, 1000))
        assert any(first != second for first, second in pairs), (
            f"seed {seed}: refuted at a point where the sides agree: {left} and {right}"
        )
    return verdict.status, equal


def test_no_verdict_on_random_pairs_is_contradicted() -> None:
    """Two hundred seeded pairs: no false verdict, and most equal pairs are proved."""
    outcomes = [judge(seed) for seed in range(200)]
    equal = [status for status, made_equal in outcomes if made_equal]

    assert "refuted" not in equal
    assert equal.count("proved") >= 0.9 * len(equal)
    assert [status for status, made_equal in outcomes if not made_equal].count("refuted") >= 40


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(min_value=1000, max_value=10**9))
def test_no_verdict_on_arbitrary_seeds_is_contradicted(seed: int) -> None:
    """The same for seeds that Hypothesis picks and shrinks."""
    status, equal = judge(seed)

    assert not (equal and status == "refuted")


@pytest.mark.parametrize("seed", range(5))
def test_the_check_itself_catches_a_planted_mistake(seed: int) -> None:
    """The oracle of this file tells an expression from its double."""
    draw = random.Random(seed)
    expression = grow(draw, 2) ** 2 + 1

    assert differs(expression, 2 * expression, draw)
    assert not differs(expression, sp.expand(expression), draw)
