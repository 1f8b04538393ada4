"""Formulas as sums of products: their addends, with Kronecker deltas kept apart, and the sum written again."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symbackprop.language.tree import And, Chain, Compare, Condition, Expression, Name, Negate, Number, Reduce, Where
from symbackprop.notation.writing.conditions import is_zero
from symbackprop.notation.writing.index_latex import split_product

ONE = Number(Fraction(1), "1")


@dataclass(frozen=True, slots=True)
class Part:
    """One addend: a sign, pairs of indices that have to be equal, factors and divisors."""

    sign: int = 1
    deltas: tuple[tuple[str, str], ...] = ()
    above: tuple[Expression, ...] = ()
    below: tuple[Expression, ...] = ()

    def times(self, other: Part) -> Part:
        """The product of two addends."""
        deltas = tuple(dict.fromkeys((*self.deltas, *other.deltas)))
        return Part(self.sign * other.sign, deltas, self.above + other.above, self.below + other.below)


def expand(tree: Expression) -> Expression:
    """The formula with products of sums multiplied out, and with a sum of each addend in place of a sum of addends."""
    parts = distribute(tree, True)
    operands = [_tree((*map(_delta, part.deltas), *part.above), part.below) for part in parts]
    signed = [Negate(o) if part.sign < 0 else o for part, o in zip(parts, operands, strict=True)]
    if len(parts) == 1:
        return signed[0]
    return Chain((signed[0], *operands[1:]), tuple("-" if part.sign < 0 else "+" for part in parts[1:]))


def _delta(pair: tuple[str, str]) -> Expression:
    return Where(Compare("==", Name(pair[0]), Name(pair[1])), ONE, Number(Fraction(0), "0"))


def distribute(tree: Expression, every: bool) -> list[Part]:
    """The addends of a formula; unless `every` product is multiplied out, only where that sets deltas free."""
    if not every and not has_delta(tree):
        if not isinstance(tree, Chain | Negate) or (isinstance(tree, Chain) and tree.operators[0] in "+-"):
            return [Part(above=(tree,))]
        sign, over, under = split_product(tree)
        return [Part(sign, (), tuple(over), tuple(under))]
    match tree:
        case Negate(operand):
            return [replace(p, sign=-p.sign) for p in distribute(operand, every)]
        case Chain(operands, operators) if operators[0] in "+-":
            signed = zip(operands, ("+", *operators), strict=True)
            return [
                replace(p, sign=p.sign if operator == "+" else -p.sign)
                for operand, operator in signed
                for p in distribute(operand, every)
            ]
        case Chain(operands, operators):
            below = tuple(o for o, operator in zip(operands[1:], operators, strict=True) if operator == "/")
            above = [o for o, operator in zip(operands, ("*", *operators), strict=True) if operator == "*"]
            found = [Part(below=below)]
            for factor in above:
                found = [a.times(b) for a, b in itertools.product(found, distribute(factor, every))]
            return found
        case Where(condition, then, otherwise) if is_zero(otherwise) and deltas_of(condition):
            return [Part(deltas=deltas_of(condition)).times(p) for p in distribute(then, every)]
        case Reduce(operation, _, body) if operation in ("sum", "mean"):
            return [_outside(tree, p) for p in distribute(body, every)]
    return [Part(above=(tree,))]


def _outside(tree: Reduce, part: Part) -> Part:
    """A sum over one addend, with its sign and the deltas that its indices do not carry before it."""
    bound = {b.name for b in tree.binders}
    if any(bound & set(pair) for pair in part.deltas):
        return Part(above=(tree,))
    return Part(part.sign, part.deltas, (replace(tree, body=_tree(part.above, part.below)),))


def _tree(above: Sequence[Expression], below: Sequence[Expression]) -> Expression:
    operands = (*above, *below) if above else (ONE, *below)
    if len(operands) == 1:
        return operands[0]
    return Chain(operands, ("*",) * (len(operands) - 1 - len(below)) + ("/",) * len(below))


def deltas_of(condition: Condition) -> tuple[tuple[str, str], ...]:
    """The pairs of indices that a condition says to be equal; none where it says anything else."""
    conditions = condition.operands if isinstance(condition, And) else (condition,)
    pairs = []
    for one in conditions:
        match one:
            case Compare("==", Name(left), Name(right)):
                pairs.append((left, right))
            case _:
                return ()
    return tuple(pairs)


def has_delta(tree: Expression) -> bool:
    """Whether a formula has an addend with a Kronecker delta among its factors."""
    match tree:
        case Where(condition=condition):
            return bool(deltas_of(condition))
        case Reduce(body=body):
            return has_delta(body)
        case Chain(operands=operands):
            return any(map(has_delta, operands))
        case Negate(operand):
            return has_delta(operand)
    return False
