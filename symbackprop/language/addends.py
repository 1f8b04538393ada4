"""How a formula falls into addends: sums over indices, which become terms of their own, and everything else."""

from __future__ import annotations

from symbackprop.language.tree import Chain, Expression, Name, Negate, Node, Reduce, children


def split_addends(tree: Expression) -> list[tuple[int, Expression]]:
    """The addends of a formula with their signs, brackets opened."""
    if isinstance(tree, Negate) and _opens(tree.operand):
        return [(-sign, addend) for sign, addend in split_addends(tree.operand)]
    if isinstance(tree, Chain) and tree.operators[0] in "+-":
        signs = [1] + [1 if operator == "+" else -1 for operator in tree.operators]
        return [
            (sign * inner, addend)
            for sign, operand in zip(signs, tree.operands, strict=True)
            for inner, addend in split_addends(operand)
        ]
    return [(1, tree)]


def group_addends(tree: Expression) -> list[list[tuple[int, Expression]]]:
    """The addends of a formula with their signs, each sum over indices by itself, all others together.

    A formula without sums is one group, and keeps its brackets.
    """
    groups: list[list[tuple[int, Expression]]] = []
    plain: list[tuple[int, Expression]] = []
    for sign, addend in split_addends(tree):
        if is_sum(addend):
            groups.append([(sign, addend)])
        else:
            if not plain:
                groups.append(plain)
            plain.append((sign, addend))
    return [[(1, tree)]] if len(groups) == 1 and groups[0] is plain else groups


def _opens(tree: Expression) -> bool:
    return isinstance(tree, Negate) or (isinstance(tree, Chain) and tree.operators[0] in "+-")


def divides(tree: Chain, place: int) -> bool:
    """Whether an operand of a product divides."""
    return place > 0 and tree.operators[place - 1] != "*"


def is_sum(tree: Expression) -> bool:
    """Whether an addend is a sum over indices times factors."""
    if isinstance(tree, Negate):
        return is_sum(tree.operand)
    if isinstance(tree, Chain):
        if tree.operators[0] in "+-":
            return False
        return any(is_sum(operand) for k, operand in enumerate(tree.operands) if not divides(tree, k))
    return isinstance(tree, Reduce) and tree.operation in ("sum", "mean")


def choose_sum(tree: Chain) -> int:
    """The first factor of a product that is a sum over indices."""
    return next(k for k, operand in enumerate(tree.operands) if not divides(tree, k) and is_sum(operand))


def free_letters(tree: Node) -> frozenset[str]:
    """The names that stand in a formula outside the reductions that bind them.

    >>> from symbackprop.language.reader import read_expression
    >>> sorted(free_letters(read_expression("x[n,k]*sum(k, y[k])")))
    ['k', 'n']
    """
    if isinstance(tree, Name):
        return frozenset({tree.name})
    below = frozenset().union(*(free_letters(child) for child in children(tree)))
    return below - {b.name for b in tree.binders} if isinstance(tree, Reduce) else below
