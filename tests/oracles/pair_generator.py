"""Random pairs of formulas: the second is the first, rewritten by identities, or mutated and then rewritten."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sympy as sp

Rule = Callable[[sp.Expr], sp.Expr]

U = sp.Symbol("u", positive=True)
MOST_OPERATIONS = 120


@dataclass(frozen=True)
class Pair:
    """Two sides, and whether the second was made by identities alone."""

    seed: int
    left: sp.Expr
    right: sp.Expr
    made_equal: bool


def sigmoid(e: sp.Expr) -> sp.Expr:
    """The logistic function."""
    return 1 / (1 + sp.exp(-e))


UNARY: tuple[Rule, ...] = (
    lambda e: sp.exp(e / 2), lambda e: sp.exp(-(e**2)), sp.tanh, sigmoid, lambda e: sp.log(1 + sp.exp(e)),
    lambda e: sp.log(1 + e**2), lambda e: sp.log(U + e**2), lambda e: sp.sqrt(e**2 + 1), lambda e: sp.sqrt(e**2 + U),
    lambda e: 1 / (2 + e**2), lambda e: e / (1 + e**2), lambda e: (e + 1) / (e - 2), lambda e: e**2, lambda e: e**3,
    lambda e: sp.sqrt(e), sp.log, sp.erf, lambda e: e * (1 + sp.erf(e / sp.sqrt(2))) / 2, sp.sin, sp.cos, sp.atan,
    sp.cosh, sp.sinh, sp.Abs, lambda e: sp.Max(e, 0), lambda e: sp.Min(e, 1), lambda e: sp.sqrt(e**2),
    lambda e: sp.Max(-1, sp.Min(1, e)), lambda e: U ** (e / 3), lambda e: sp.Piecewise((e, e > 0), (e / 100, True)),
)  # fmt: skip
BINARY: tuple[Callable[[sp.Expr, sp.Expr], sp.Expr], ...] = (
    lambda e, f: e + f, lambda e, f: e - f, lambda e, f: e * f, lambda e, f: e * f, lambda e, f: e / (1 + f**2),
    lambda e, f: e / f, sp.Max, sp.Min, lambda e, f: sp.Piecewise((e, f > 0), (e - f, True)),
    lambda e, f: sp.sqrt(e**2 + f**2), lambda e, f: sp.exp(e) / (sp.exp(e) + sp.exp(f)),
    lambda e, f: sp.log(sp.exp(e) + sp.exp(f)), lambda e, f: sp.Piecewise((e, e <= f), (f**2, True)),
)  # fmt: skip


def grow(draw: random.Random, leaves: tuple[sp.Expr, ...], depth: int) -> sp.Expr:
    """A random expression over the leaves."""
    if depth == 0:
        number = sp.Rational(draw.randint(-3, 3) or 1, draw.randint(1, 3))
        return draw.choice((*leaves, leaves[0] - leaves[1], leaves[0] * leaves[1], number))
    if draw.random() < 0.55:
        return draw.choice(UNARY)(grow(draw, leaves, depth - 1))
    return draw.choice(BINARY)(grow(draw, leaves, depth - 1), grow(draw, leaves, draw.randrange(depth)))


def rules_for(node: sp.Expr) -> Iterator[sp.Expr]:
    """Other ways to write a node, equal to it wherever it is defined."""
    e = node.args[0] if node.args else node
    if isinstance(node, sp.tanh):
        yield from ((sp.exp(2 * e) - 1) / (sp.exp(2 * e) + 1), 2 * sigmoid(2 * e) - 1, sp.sinh(e) / sp.cosh(e))
    elif isinstance(node, sp.exp):
        yield from (sp.exp(e / 2) ** 2, sp.exp(e - U) * sp.exp(U), sp.cosh(e) + sp.sinh(e), 1 / sp.exp(-e))
        if isinstance(e, sp.Add):
            yield sp.Mul(*(sp.exp(term) for term in e.args))
    elif isinstance(node, sp.erf):
        yield from (1 - sp.erfc(e), sp.erf(sp.expand(e)))
    elif isinstance(node, sp.sin):
        yield from (2 * sp.sin(e / 2) * sp.cos(e / 2), sp.cos(e - sp.pi / 2), sp.tan(e) * sp.cos(e))
        yield sp.expand_trig(node)
    elif isinstance(node, sp.cos):
        yield from (1 - 2 * sp.sin(e / 2) ** 2, sp.cos(e / 2) ** 2 - sp.sin(e / 2) ** 2, sp.expand_trig(node))
    elif isinstance(node, sp.cosh | sp.sinh):
        rise, fall = sp.exp(e), sp.exp(-e)
        yield (rise + fall) / 2 if isinstance(node, sp.cosh) else (rise - fall) / 2
        yield sp.expand_trig(node)
    elif isinstance(node, sp.Abs):
        yield from (sp.Max(e, -e), sp.Piecewise((e, e >= 0), (-e, True)), sp.sqrt(e**2), e * sp.sign(e))
    elif isinstance(node, sp.Max | sp.Min) and len(node.args) == 2:
        f, way = node.args[1], 1 if isinstance(node, sp.Max) else -1
        yield from ((e + f + way * sp.Abs(e - f)) / 2, f + node.func(e - f, 0), -_other(node)(-e, -f))
        yield sp.Piecewise((e, way * e > way * f), (f, True))
    elif isinstance(node, sp.Piecewise) and len(node.args) == 2 and node.args[1].cond == sp.true:
        (first, condition), (second, _) = node.args
        yield sp.Piecewise((second, sp.Not(condition)), (first, True))
        step = sp.Piecewise((1, condition), (0, True))
        if not (first + second).has(sp.log, sp.Pow):
            yield step * first + (1 - step) * second
    elif isinstance(node, sp.log):
        yield from (2 * sp.log(sp.sqrt(e)), -sp.log(1 / e), sp.log(e * U) - sp.log(U), sp.log(sp.together(e)))
    elif isinstance(node, sp.Pow) and node.exp.is_Rational:
        yield from _rules_for_power(node)
    elif isinstance(node, sp.Add):
        yield from (sp.expand(node), sp.together(node), sp.factor_terms(node), sp.Add(*(t / 2 for t in node.args)) * 2)
    elif isinstance(node, sp.Mul):
        yield from (sp.expand(node), sp.together(node), sp.powsimp(node))


def _rules_for_power(node: sp.Expr) -> Iterator[sp.Expr]:
    base, exponent = node.args
    if exponent == 2:
        yield from (sp.expand(node), sp.Abs(base) ** 2, (base + 1) ** 2 - 2 * base - 1)
    elif exponent == -1:
        yield from (1 / sp.expand(base), 1 / sp.factor_terms(base), 2 / (base + base), base / base**2)
    elif exponent == sp.Rational(1, 2):
        yield from (sp.sqrt(sp.expand(base)), sp.sqrt(4 * base) / 2, sp.sqrt(U * base) / sp.sqrt(U))
    else:
        yield base * base ** (exponent - 1) if exponent > 1 else 1 / base ** (-exponent)


def _other(node: sp.Expr) -> type[sp.Expr]:
    return sp.Min if isinstance(node, sp.Max) else sp.Max


def rewrite(draw: random.Random, expression: sp.Expr, times: int) -> sp.Expr:
    """The expression with some of its nodes written in other ways, or as it was where that grows too long."""
    for _ in range(times):
        parts = sp.preorder_traversal(expression, keys=True)
        nodes = [node for node in parts if isinstance(node, sp.Expr) and node.args]
        if not nodes:
            return expression
        node = draw.choice(nodes)
        ways = list(rules_for(node))
        if ways:
            other = expression.xreplace({node: draw.choice(ways)})
            if usable(other) and other.count_ops() <= MOST_OPERATIONS:
                expression = other
    return expression


def mutate(draw: random.Random, expression: sp.Expr) -> sp.Expr:
    """The expression with one small change, which mostly changes its value."""
    parts = [node for node in sp.preorder_traversal(expression, keys=True) if isinstance(node, sp.Expr)]
    node = draw.choice(parts)
    x = sp.Symbol("x", **({"real": True} if sp.Symbol("x", real=True) in expression.free_symbols else {}))
    changes = [node + 1, -node, 2 * node, node / 3, node * x, node + x, node + sp.Rational(1, 10**6)]
    if isinstance(node, sp.tanh | sp.erf | sp.sin | sp.atan):
        changes += [f(node.args[0]) for f in (sp.tanh, sp.erf, sp.sin, sp.atan)]
    if isinstance(node, sp.Add | sp.Mul):
        changes += [node.func(*node.args[1:]), node.func(*node.args[:-1])]
    if isinstance(node, sp.Pow):
        changes += [node.base, node.base**3]
    if isinstance(node, sp.Max | sp.Min):
        changes += [_other(node)(*node.args), node.args[0]]
    if isinstance(node, sp.Piecewise):
        changes += [node.args[0].expr, sp.Piecewise((node.args[-1].expr, node.args[0].cond), (node.args[0].expr, True))]
    return expression.xreplace({node: draw.choice(changes)})


def usable(expression: sp.Basic) -> bool:
    """Whether SymPy made no infinity, complex number or unfinished operation of it."""
    return not expression.has(sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I, sp.re, sp.im, sp.arg, sp.AccumBounds)


def generate_pair(seed: int) -> Pair:
    """The pair of a seed."""
    draw = random.Random(seed)
    while True:
        known = {"real": True} if draw.random() < 0.5 else {}
        leaves = (*sp.symbols("x y", **known), U)
        try:
            left = grow(draw, leaves, draw.randint(1, 3))
            equal = draw.random() < 0.5
            right = rewrite(draw, left if equal else mutate(draw, left), draw.randint(1, 4))
        except (TypeError, ValueError, RecursionError):  # SymPy compared infinities or complex numbers
            continue
        if left != right and usable(left) and usable(right) and max(left.count_ops(), right.count_ops()) <= 150:
            return Pair(seed, left, right, equal)
