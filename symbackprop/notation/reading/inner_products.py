r"""Inner products of vectors in formulas with indices: w^\top x_n, x_n \cdot w and \langle w, x_n \rangle.

A vector is a tensor that is written with all of its indices but the last. As a number it has no meaning, so that two of
one length have but this one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from symbackprop.errors import FormulaError
from symbackprop.language import tree as t
from symbackprop.notation.reading.commands import TRANSPOSED
from symbackprop.notation.reading.entries import parts_below
from symbackprop.notation.reading.factors import Factor, without_scripts
from symbackprop.notation.reading.syntax import Group, Scripts, Symbol, Syntax, bare, walk_syntax, write_syntax
from symbackprop.notation.reading.vocabulary import Vocabulary

LETTERS = "dkjilmqrs"
ReadName = Callable[[Syntax, str], t.Expression]
"""Reads a name in whose indices a letter of its own stands."""


def read_inner_product(
    row: tuple[Factor, ...], vocabulary: Vocabulary, taken: frozenset[str], read: ReadName
) -> t.Expression | None:
    """The inner product with which a row of factors begins, or None; `taken` are letters of the formula."""
    if vocabulary.open or len(row) < 2 or row[1].sign not in ("", r"\cdot"):
        return None
    left, right = bare(row[0].node), bare(row[1].node)
    turned = isinstance(left, Scripts) and left.above is not None and _is_turned(left.above, vocabulary)
    if turned == (row[1].sign == r"\cdot"):
        return None
    first = replace(left, above=None) if turned and isinstance(left, Scripts) else left
    return join_vectors(first, right, vocabulary, taken, read)


def join_vectors(
    left: Syntax, right: Syntax, vocabulary: Vocabulary, taken: frozenset[str], read: ReadName
) -> t.Expression | None:
    """The sum over the last index of two names, where each of them lacks just that one."""
    if not all(isinstance(without_scripts(side), Symbol) for side in (left, right)):
        return None
    written = {part.name for side in (left, right) for part in walk_syntax(side) if isinstance(part, Symbol)}
    used = {*taken, *written, *vocabulary.tensors, *vocabulary.sizes}
    known = [n.lower() for n in _sizes_of(left, vocabulary) if len(n) == 1]
    letter = next((each for each in (*known, *LETTERS) if each not in used), None)
    if letter is None:
        return None
    try:
        sides = [read(_with_index(side, letter), letter) for side in (left, right)]
    except FormulaError:
        return None
    sizes = set()
    for side in sides:
        if not isinstance(side, t.Access) or side.name not in vocabulary.tensors:
            return None
        if side.indices[-1] != t.Name(letter) or any(index == t.Name(letter) for index in side.indices[:-1]):
            return None
        *others, size = vocabulary.tensors[side.name].axes
        if size in others:  # of a square matrix it may be a row or a column
            return None
        sizes.add(size)
    if len(sizes) != 1:
        return None
    body = t.Chain(tuple(sides), ("*",), line=left.line, column=left.column)
    binder = t.Binder(letter, line=left.line, column=left.column)
    return t.Reduce("sum", (binder,), body, line=left.line, column=left.column)


def _is_turned(above: Syntax, vocabulary: Vocabulary) -> bool:
    """Whether what stands above a name transposes it; a T that is a size or a tensor may be a power."""
    shown = write_syntax(bare(above))
    return shown in TRANSPOSED and not (shown == "T" and ("T" in vocabulary.sizes or vocabulary.find(Symbol("T"))))


def _with_index(side: Syntax, letter: str) -> Scripts:
    """A name with one more index below."""
    scripts = side if isinstance(side, Scripts) else Scripts(side, line=side.line, column=side.column)
    below = parts_below(scripts.below) if scripts.below is not None else ()
    return replace(scripts, below=Group("{", (*below, Symbol(letter)), line=side.line, column=side.column))


def _sizes_of(side: Syntax, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The names in the last axis of what a symbol may be."""
    symbol = without_scripts(side)
    found = vocabulary.find(symbol) if isinstance(symbol, Symbol) else ()
    names = [entry.value.name for entry in found if isinstance(entry.value, t.Name)]
    axes = [vocabulary.tensors[name].axes for name in names if name in vocabulary.tensors]
    return tuple(size for each in axes if each for size in each[-1].names)
