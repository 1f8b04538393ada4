"""Choices in conditions of other choices, written out without the simplification of SymPy."""

from __future__ import annotations

import itertools
import time

import sympy

from symbackprop.calculus.branches import put_in, settle, unfold

S = sympy.Symbol("s", real=True)
RELU = sympy.Piecewise((S, S > 0), (0, True))


def _nested(depth: int) -> sympy.Expr:
    """relu(u relu(u ... + x2) + x1)."""
    value = sympy.Integer(0)
    u = sympy.Symbol("u", real=True)
    for k in range(depth, 0, -1):
        value = put_in(RELU, {S: u * value + sympy.Symbol(f"x{k}", real=True)})
    return value


def test_nested_choices_have_the_value_of_the_innermost_one_that_holds() -> None:
    """At every combination of signs."""
    value = _nested(3)
    for u, *xs in itertools.product((-2, 3), (-1, 2), (-5, 1), (-1, 4)):
        wanted = 0
        for x in reversed(xs):
            wanted = max(0, u * wanted + x)
        point = {sympy.Symbol("u", real=True): u} | {
            sympy.Symbol(f"x{k}", real=True): x for k, x in enumerate(xs, 1)
        }

        assert wanted == value.xreplace(point)


def test_conditions_hold_no_choices() -> None:
    """They are comparisons of what is smooth, joined by words."""
    for choice in _nested(4).atoms(sympy.Piecewise):
        assert not any(branch.cond.has(sympy.Piecewise, sympy.ITE) for branch in choice.args)
    assert unfold(sympy.Not(RELU > 1)) == sympy.Or(sympy.And(S > 0, S <= 1), S <= 0)


def test_nesting_takes_no_minutes() -> None:
    """SymPy alone takes minutes for eight steps, and this a fifth of a second."""
    start = time.process_time()
    _nested(8)

    assert time.process_time() - start < 10


def test_a_comparison_of_two_sums_is_made_with_nothing() -> None:
    """SymPy turns y - x > x - z round for ever, in whatever order its names are."""
    x, y, z = sympy.symbols("x y z", real=True)
    sides = (x - y, 2 * (z - x), (x - y) * (z - x) / 3, (x - z) ** 3, x * y, -z, sympy.exp(x - y) - 1)
    for first, second in itertools.permutations(sides, 2):
        for names in itertools.permutations((x, y, z)):
            renamed = dict(zip((x, y, z), names, strict=True))
            for compare in (sympy.Gt, sympy.Ge, sympy.Eq, sympy.Ne):
                condition = settle(compare(first, second)).xreplace(renamed)

                assert sympy.Piecewise((x, condition), (y, True)).has(sympy.Piecewise)
    s, t = sympy.symbols("s t")
    value = put_in(sympy.Piecewise((s, s > t), (0, True)), {s: y - x, t: x - z})

    assert (y + z - 2 * x > 0) == value.args[0].cond
