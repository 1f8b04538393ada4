r"""Deltas with two indices, whose ranges say whether they can be what they were read as.

\delta_{nk} is 1 where two indices of one range are equal, or an entry of the adjoint of z. Where the ranges fit neither
reading, the letter was meant as something that nobody declared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbackprop.calculus.indices import Affine
from symbackprop.errors import FormulaError
from symbackprop.language import tree as t
from symbackprop.language.index_forms import read_size
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree
from symbackprop.notation.reading.syntax import Syntax, write_syntax
from symbackprop.notation.reading.vocabulary import Vocabulary

Ranges = Mapping[str, Affine | None]
"""How far indices run, by their letters; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A delta as it was written, and the tree that it was read as."""

    node: Syntax
    tree: t.Expression


def ranges_of(head: t.Expression | t.Derivative, vocabulary: Vocabulary) -> dict[str, Affine | None]:
    """How far the letters run that stand on axes in the head of a claim or a definition."""
    parts = (head.of, head.wrt) if isinstance(head, t.Derivative) else (head,)
    found: dict[str, Affine | None] = {}
    for part in parts:
        for node, _ in t.walk(part):
            for index in node.indices if isinstance(node, t.Access) else ():
                if isinstance(index, t.Name):
                    found.setdefault(index.name, None)
        found |= {letter: size for letter in found if (size := _range_in(letter, part, vocabulary)) is not None}
    return found


def check_deltas(tree: t.Expression, deltas: Sequence[Delta], ranges: Ranges, vocabulary: Vocabulary) -> None:
    """FormulaError where the indices of a delta run over other ranges than its reading takes."""
    waiting: list[tuple[t.Node, dict[str, Affine | None]]] = [(tree, dict(ranges))] if deltas else []
    while waiting:
        node, known = waiting.pop()
        if isinstance(node, t.Reduce):
            known = {**known, **{b.name: _range_of(b, node, vocabulary) for b in node.binders}}
        for delta in deltas:
            if delta.tree == node:
                _check(delta, {**_free(tree, known, vocabulary), **known}, vocabulary)
        waiting += [(child, known) for child in t.children(node)]


def _free(tree: t.Expression, known: Ranges, vocabulary: Vocabulary) -> dict[str, Affine | None]:
    """How far the letters run that nothing binds, by the axes on which they stand."""
    letters = {i.name for n, _ in t.walk(tree) if isinstance(n, t.Access) for i in n.indices if isinstance(i, t.Name)}
    return {letter: _range_in(letter, tree, vocabulary) for letter in letters - set(known)}


def _check(delta: Delta, known: Ranges, vocabulary: Vocabulary) -> None:
    shown = write_syntax(delta.node)
    match delta.tree:
        case t.Where(t.Compare("==", left, right)):
            sizes = [_size(index, known, vocabulary) for index in (left, right)]
            if sizes[0] is not None and sizes[1] is not None and sizes[0] != sizes[1]:
                raise _misfit(delta, f"`{shown}`, whose indices run over {sizes[0]} and {sizes[1]}",
                              "two indices of one range, as Kronecker's delta has")  # fmt: skip
        case t.Apply("adj", (t.Access(name, indices),)):
            axes = vocabulary.tensors[name].axes
            for index, axis in zip(indices, axes, strict=True):
                if isinstance(index, t.Binder):
                    continue
                size = _size(index, known, vocabulary)
                if size is not None and size != axis:
                    axes_shown = ", ".join(map(str, axes))
                    raise _misfit(delta, f"`{shown}`, the adjoint of {name}[{axes_shown}], with {write_tree(index)}, "
                                  f"which runs over {size}", f"indices of {axes_shown}")  # fmt: skip


def _misfit(delta: Delta, found: str, expected: str) -> FormulaError:
    return fail(delta.node, found, expected,
                r"declare what \delta stands for, such as \delta = adj(z) or \delta = kronecker")  # fmt: skip


def _size(index: t.Expression, known: Ranges, vocabulary: Vocabulary) -> Affine | None:
    """How far an index runs; None where it is more than a letter or an entry of an integer tensor."""
    if isinstance(index, t.Name):
        return known.get(index.name)
    if isinstance(index, t.Access) and index.name in vocabulary.tensors:
        return vocabulary.tensors[index.name].range
    return None


def _range_of(binder: t.Binder, node: t.Reduce, vocabulary: Vocabulary) -> Affine | None:
    if binder.range is None:
        return _range_in(binder.name, node.body, vocabulary)
    try:
        return read_size(binder.range)
    except FormulaError:
        return None


def _range_in(letter: str, tree: t.Expression, vocabulary: Vocabulary) -> Affine | None:
    """The size of the first axis on which a letter stands alone; None where there is none."""
    for node, _ in t.walk(tree):
        if not isinstance(node, t.Access) or node.name not in vocabulary.tensors:
            continue
        tensor = vocabulary.tensors[node.name]
        for index, axis in zip(node.indices, tensor.axes, strict=False):
            if index == t.Name(letter):
                return axis
    return None
