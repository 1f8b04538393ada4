"""Products of indexed factors with their bound indices contracted into matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from symbackprop.language.tree import (
    Access,
    Apply,
    Binder,
    Chain,
    Condition,
    Entry,
    Expression,
    Name,
    Negate,
    Number,
    Power,
    Reduce,
    Where,
    walk,
)  # fmt: skip


class NoMatrixForm(Exception):
    """What was met has no form in matrix notation; its line is written in index notation instead."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A factor entry by entry, or a divisor where `inverse` is set; `carried` are its indices."""

    tree: Expression
    inverse: bool
    carried: frozenset[str]

    def inverted(self) -> Leaf:
        """The same factor on the other side of the bar."""
        return replace(self, inverse=not self.inverse)


@dataclass(frozen=True, slots=True)
class Ones:
    """The vector of ones."""

    carried: frozenset[str]
    inverse: bool = False

    def inverted(self) -> Ones:
        """One over one is one."""
        return self


@dataclass(frozen=True, slots=True)
class Product:
    """The sum over `index` of `left` times `middle` times `right`.

    `left` and `right` are matrices that carry the index, `middle` vectors along it; without matrices `index` may be two
    indices joined by a comma, and the sum is over all entries.
    """

    left: tuple[Element, ...]
    middle: tuple[Element, ...]
    right: tuple[Element, ...]
    index: str
    carried: frozenset[str] = field(default_factory=frozenset)
    inverse: bool = False

    def inverted(self) -> Applied:
        """The product on the other side of the bar."""
        return Applied(self, True)


@dataclass(frozen=True, slots=True)
class Applied:
    """A contracted sum that divides, where `inverse` is set."""

    inner: Element
    inverse: bool

    @property
    def carried(self) -> frozenset[str]:
        """The indices of what is inside."""
        return self.inner.carried

    def inverted(self) -> Element:
        """The same on the other side of the bar."""
        return self.inner if self.inverse else Applied(self.inner, True)


Element = Leaf | Ones | Product | Applied


def contract(elements: Sequence[Element], bound: Sequence[str]) -> tuple[Element, ...]:
    """The product of `elements` summed over `bound`, as factors without it; NoMatrixForm where that needs three
    axes."""
    current = list(elements)
    remaining = list(bound)
    while remaining:
        pair = frozenset(remaining)
        both = tuple(e for e in current if e.carried & pair)
        if len(pair) == 2 and both and all(e.carried == pair for e in both):
            made = Product((), both, (), ",".join(remaining))
            return (made, *(e for e in current if not e.carried & pair))
        index = next((b for b in remaining if _is_ready(current, b)), None)
        if index is None:
            raise NoMatrixForm("a sum that is no chain of matrix products has no matrix form")
        remaining.remove(index)
        current = _contract_one(current, index)
    return tuple(current)


def _groups(elements: Sequence[Element], index: str) -> dict[frozenset[str], list[Element]]:
    groups: dict[frozenset[str], list[Element]] = {}
    for element in elements:
        if index in element.carried:
            groups.setdefault(element.carried, []).append(element)
    return groups


def _is_ready(elements: Sequence[Element], index: str) -> bool:
    groups = _groups(elements, index)
    return sum(len(g) == 2 for g in groups) <= 2 and all(len(g) <= 2 for g in groups)


def _contract_one(elements: Sequence[Element], index: str) -> list[Element]:
    groups = _groups(elements, index)
    matrices = [tuple(found) for carried, found in groups.items() if len(carried) == 2]
    vectors = tuple(groups.get(frozenset({index}), ()))
    rest = [e for e in elements if index not in e.carried]
    outer = frozenset(n for carried in groups for n in carried) - {index}
    if not matrices:
        made = Product((), vectors or (Ones(frozenset({index})),), (), index)
    elif len(matrices) == 1:
        made = Product(matrices[0], vectors, (), index, outer)
    else:
        made = Product(matrices[0], vectors, matrices[1], index, outer)
    return [made, *rest]


def free_names(tree: Expression, scope: frozenset[str]) -> frozenset[str]:
    """The indices of `scope` that a formula carries free."""
    match tree:
        case Reduce(binders=binders, body=body):
            return free_names(body, scope | {b.name for b in binders}) - {b.name for b in binders}
        case Access(indices=indices) | Entry(indices=indices):
            return frozenset(n.name for i in indices for n, _ in walk(i) if isinstance(n, Name) and n.name in scope)
        case Name(name):
            return frozenset({name} & scope)
        case Chain(operands=operands):
            return frozenset[str]().union(*(free_names(o, scope) for o in operands))
        case Negate(operand=operand):
            return free_names(operand, scope)
        case Power(base=base, exponent=exponent):
            return free_names(base, scope) | free_names(exponent, scope)
        case Apply(arguments=arguments):
            return frozenset[str]().union(*(free_names(a, scope) for a in arguments))
        case Where(condition=condition, then=then, otherwise=otherwise):
            named = {n.name for n, _ in walk(condition) if isinstance(n, Name)} & scope
            return frozenset[str](named).union(*(free_names(t, scope) for t in (then, otherwise)))
    if isinstance(tree, Number):
        return frozenset()
    raise NoMatrixForm(f"{type(tree).__name__} has no matrix form")


def carried_names(factor: Expression, bound: Sequence[str]) -> frozenset[str]:
    """Every index that a factor inside a sum carries, those of the sum and those from outside."""
    read = (n.indices for n, _ in walk(factor) if isinstance(n, Access | Entry))
    names = {i.name for indices in read for i in indices if isinstance(i, Name)} | set(bound)
    names |= {x.name for n, _ in walk(factor) if isinstance(n, Condition) for x, _ in walk(n) if isinstance(x, Name)}
    inner = {b.name for n, _ in walk(factor) if isinstance(n, Binder) for b in (n,)}
    return free_names(factor, frozenset(names - (inner - set(bound))))
