r"""Samples in brackets above, x^{(n)}_d: whether their index is the first of a tensor or, as in x[D,N], the last.

What tells is how far the indices run everywhere in an equation; an index that is named as a size is taken to run over
it. Where nothing tells, samples are rows. A parameter has no entries of its own for each sample: x^{(j)}_i is not taken
for x^{(i)}_j.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TypeVar

from symbackprop.calculus.indices import Affine
from symbackprop.calculus.tensors import Role
from symbackprop.errors import FormulaError, UnsupportedError
from symbackprop.language import tree as t
from symbackprop.language.index_forms import read_size
from symbackprop.notation.reading.entries import list_sampled
from symbackprop.notation.reading.refusals import AmbiguousFormulaError
from symbackprop.notation.reading.syntax import Syntax
from symbackprop.notation.reading.vocabulary import Vocabulary

MOST_TENSORS = 4
Read = TypeVar("Read")
Ranges = dict[str, set[Affine]]


def settle_samples(
    sides: Sequence[Syntax],
    vocabulary: Vocabulary,
    read: Callable[[Vocabulary], Read],
    trees_of: Callable[[Read], Sequence[t.Node]],
) -> Read:
    """What an equation says, its samples read as the last index of those tensors where only that fits the ranges."""
    found = list_sampled(sides, vocabulary)
    tensors = [name for name in found if len(set(vocabulary.tensors[name].axes)) > 1]
    if not tensors or len(tensors) > MOST_TENSORS:
        return read(vocabulary)
    chosen: tuple[tuple[bool, int, int], Vocabulary] | None = None
    for count in range(len(tensors) + 1):
        for behind in combinations(tensors, count):
            trial = replace(vocabulary, behind=frozenset(behind))
            try:
                trees = trees_of(read(trial))
            except AmbiguousFormulaError:
                if not behind:
                    raise  # two names, not two orders
                continue
            except (FormulaError, UnsupportedError):
                continue
            misfits, named = _judge(trees, vocabulary)
            rank = _is_trained(found, behind, vocabulary), misfits, -named
            if chosen is None or rank < chosen[0]:
                chosen = rank, trial
    return read(chosen[1] if chosen is not None else vocabulary)


def _is_trained(found: Sequence[str], behind: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Whether what stands above runs over a size along which a parameter has entries."""
    sizes = {vocabulary.tensors[name].axes[-1 if name in behind else 0] for name in found}
    return any(x.role is Role.PARAM and sizes & set(x.axes) for x in vocabulary.tensors.values())


def _judge(trees: Sequence[t.Node], vocabulary: Vocabulary) -> tuple[int, int]:
    """How many indices run over more ranges than one, and how many over a size of their own name."""
    free: Ranges = {}
    every = [free]
    for tree in trees:
        every += _collect(tree, {}, free, vocabulary)
    pairs = [(letter, sizes) for ranges in every for letter, sizes in ranges.items()]
    misfits = sum(len(sizes) > 1 for _, sizes in pairs)
    return misfits, sum(any(str(size) == letter.upper() for size in sizes) for letter, sizes in pairs)


def _collect(node: t.Node, bound: Ranges, free: Ranges, vocabulary: Vocabulary) -> Iterator[Ranges]:
    """The ranges of the letters that a tree binds; what stands on an axis is added to those that are `bound`, or else
    `free`."""
    if isinstance(node, t.Reduce):
        own: Ranges = {binder.name: set(_written(binder)) for binder in node.binders}
        yield own
        bound = {**bound, **own}
    if isinstance(node, t.Access) and node.name in vocabulary.tensors:
        for index, size in zip(node.indices, vocabulary.tensors[node.name].axes, strict=False):
            if isinstance(index, t.Name) and index.name not in vocabulary.sizes:
                (bound if index.name in bound else free).setdefault(index.name, set()).add(size)
    for child in t.children(node):
        yield from _collect(child, bound, free, vocabulary)


def _written(binder: t.Binder) -> Iterator[Affine]:
    """The range of an index, where it is written."""
    if binder.range is not None:
        try:
            yield read_size(binder.range)
        except FormulaError:
            return
