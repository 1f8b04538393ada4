"""How a sum of products is taken apart: what stands before the sum, and which two factors are multiplied first."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations

import sympy

from symbackprop.calculus.definitions import used_slots
from symbackprop.calculus.indices import Index
from symbackprop.codegen.forms import is_safe

Labels = frozenset[Index]


def split_product(
    product: sympy.Expr, carried: Sequence[Labels], bound: AbstractSet[Index]
) -> tuple[sympy.Expr, dict[Labels, tuple[sympy.Expr, ...]]]:
    """The factors without bound indices, and the others by the indices they carry; slot k carries `carried[k]`.

    A square counts as two factors, so that its sum is a dot product. Of more than two groups, one that carries a subset
    of another's indices joins the smallest such group: what stays between groups is contractions.
    """
    outside: list[sympy.Expr] = []
    groups: dict[Labels, list[sympy.Expr]] = {}
    for factor in sympy.Mul.make_args(product):
        labels = frozenset(i for k in used_slots(factor) for i in carried[k])
        if not labels & bound:
            outside.append(factor)
        elif factor.is_Pow and factor.exp == 2:
            groups.setdefault(labels, []).extend((factor.base, factor.base))
        else:
            groups.setdefault(labels, []).append(factor)
    for small in sorted(groups, key=len):
        larger = [g for g in groups if small < g]
        if larger and len(groups) > 2:
            groups[min(larger, key=len)].extend(groups.pop(small))
    return sympy.Mul(*outside), {labels: tuple(factors) for labels, factors in groups.items()}


def narrow_masks(product: sympy.Expr, carried: Sequence[Labels]) -> sympy.Expr:
    """The product with where(c, a*b, 0) written as a*where(c, b, 0), b having every index of c and as few as can be.

    So a sum over indices that a carries and c does not is a product of matrices. Where c does not hold, a has to be
    finite; what may not be stays in the branch.
    """
    factors: list[sympy.Expr] = []
    for factor in sympy.Mul.make_args(product):
        if not isinstance(factor, sympy.Piecewise) or len(factor.args) != 2 or factor.args[1][0] != 0:
            factors.append(factor)
            continue
        (value, condition), _ = factor.args
        parts = sympy.Mul.make_args(narrow_masks(value, carried))
        needed = _labels(condition, carried)
        able = [part for part in parts if needed <= _labels(part, carried) and not part.is_number]
        own = _labels(min(able, key=lambda part: len(_labels(part, carried))), carried) if able else needed
        inside = [part for part in parts if _labels(part, carried) == own or not is_safe(part)]
        factors += [part for part in parts if part not in inside]
        factors.append(sympy.Piecewise((sympy.Mul(*inside), condition), (0, True)))
    return sympy.Mul(*factors)


def _labels(body: sympy.Basic, carried: Sequence[Labels]) -> Labels:
    return frozenset(i for k in used_slots(body) for i in carried[k])


def choose_pair(groups: Sequence[Labels], bound: AbstractSet[Index]) -> tuple[int, int]:
    """The two groups to multiply first: those that leave the fewest indices, then those that touch the fewest."""

    def cost(pair: tuple[int, int]) -> tuple[int, int]:
        others = [g for k, g in enumerate(groups) if k not in pair]
        union = groups[pair[0]] | groups[pair[1]]
        left = {i for i in union if i not in bound or any(i in g for g in others)}
        return len(left), len(union)

    return min(combinations(range(len(groups)), 2), key=cost)
