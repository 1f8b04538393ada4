r"""Inner products and norms of vectors in formulas with indices: w^\top x_n, \langle w, x_n \rangle, \lVert x_n \rVert.

A vector is a tensor that is written with all of its indices but the last. As a number it has no meaning, so that two of
one length have but this one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import chain, count
from typing import TypeGuard

from symbackprop.calculus.indices import Affine
from symbackprop.errors import FormulaError
from symbackprop.language import tree as t
from symbackprop.language.tree import map_children
from symbackprop.notation.reading.commands import TRANSPOSED
from symbackprop.notation.reading.entries import parts_below
from symbackprop.notation.reading.factors import Factor, without_scripts
from symbackprop.notation.reading.syntax import (
    Group,
    Scripts,
    Symbol,
    Syntax,
    bare,
    walk_syntax,
    write_syntax,
)  # fmt: skip
from symbackprop.notation.reading.vocabulary import Vocabulary, script_text

LETTERS = "dkjilmqrs"
ReadName = Callable[[Syntax, str], t.Expression]
"""Reads a name, or a formula, in whose indices a letter of its own stands."""


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
    letter = _choose_letter((left, right), vocabulary, taken)
    sides = [_entry_of(side, letter, vocabulary, read) for side in (left, right)]
    found = [side for side in sides if side is not None]
    if len(found) < 2 or len({_size(side, vocabulary) for side in found}) > 1:
        return None
    return _sum_over(letter, t.Chain(tuple(found), ("*",), line=left.line, column=left.column), left)


def access_of(tree: t.Access | t.Apply) -> t.Access:
    """The entry that is read, or whose adjoint is."""
    inner = tree.arguments[0] if isinstance(tree, t.Apply) else tree
    if not isinstance(inner, t.Access):
        raise TypeError(f"{type(inner).__name__} is no entry")
    return inner


def is_entry(tree: t.Expression | None) -> TypeGuard[t.Access | t.Apply]:
    """Whether a tree is an entry of a tensor, or of its adjoint."""
    if isinstance(tree, t.Apply) and tree.function == "adj" and len(tree.arguments) == 1:
        return isinstance(tree.arguments[0], t.Access)
    return isinstance(tree, t.Access)


def read_norm(
    group: Group,
    vocabulary: Vocabulary,
    taken: frozenset[str],
    read: ReadName,
    read_formula: ReadName,
) -> t.Expression | None:
    """The norm of a sum of multiples of vectors, or None where double bars hold something else."""
    kind = script_text(group.parts[1]) if len(group.parts) > 1 else "2"
    inner = bare(group.parts[0])
    if vocabulary.open or kind not in ("1", "2"):
        return None
    letter = _choose_letter((inner,), vocabulary, taken)
    sizes = set()

    def change(node: Syntax) -> Syntax:
        name = bare(node)
        if not isinstance(without_scripts(name), Symbol):
            changed: Syntax = map_children(node, change)
            return changed
        found = _entry_of(name, letter, vocabulary, read)
        if found is None:
            return node
        sizes.add(_size(found, vocabulary))
        return _with_index(name, letter)

    at_letter = change(inner)
    if len(sizes) != 1:
        return None
    vector = read_formula(at_letter, letter)
    if not _is_vector(vector, letter):
        return None
    if kind == "1":
        return _sum_over(letter, t.Apply("abs", (vector,), line=group.line, column=group.column), group)
    square = t.Power(vector, t.Number(Fraction(2), "2"), line=group.line, column=group.column)
    return t.Apply("sqrt", (_sum_over(letter, square, group),), line=group.line, column=group.column)


def square_of_norm(norm: t.Expression) -> t.Expression | None:
    """The sum of squares of which a formula is the root, or None where it is none; it is never below 0."""
    if not isinstance(norm, t.Apply) or norm.function != "sqrt" or not isinstance(norm.arguments[0], t.Reduce):
        return None
    body = norm.arguments[0].body
    squares = isinstance(body, t.Power) and body.exponent == t.Number(Fraction(2))
    return norm.arguments[0] if squares and norm.arguments[0].operation == "sum" else None


def _is_vector(tree: t.Expression, letter: str) -> bool:
    """Whether a formula is a sum of multiples of entries at a letter that stands nowhere else."""
    match tree:
        case t.Negate(operand):
            return _is_vector(operand, letter)
        case t.Access() | t.Apply("adj", (t.Access(),)):
            return access_of(tree).indices.count(t.Name(letter)) == 1
        case t.Chain(operands, operators) if operators[0] in "+-":
            return all(_is_vector(operand, letter) for operand in operands)
        case t.Chain(operands, operators):
            vectors = [operand for operand in operands if t.Name(letter) in (node for node, _ in t.walk(operand))]
            above = [o for o, sign in zip(operands, ("*", *operators), strict=True) if sign == "*"]
            return len(vectors) == 1 and vectors[0] in above and _is_vector(vectors[0], letter)
    return False


def _choose_letter(parts: tuple[Syntax, ...], vocabulary: Vocabulary, taken: frozenset[str]) -> str:
    """A letter that stands nowhere in a formula, that of the size of a vector if it may be."""
    symbols = [part for whole in parts for part in walk_syntax(whole) if isinstance(part, Symbol)]
    used = {*taken, *(symbol.name for symbol in symbols), *vocabulary.tensors, *vocabulary.sizes}
    known = [n.lower() for symbol in symbols for n in _sizes_of(symbol, vocabulary) if len(n) == 1]
    return next(each for each in chain(known, LETTERS, map("k{}".format, count(1))) if each not in used)


def _entry_of(side: Syntax, letter: str, vocabulary: Vocabulary, read: ReadName) -> t.Access | t.Apply | None:
    """A name, or the adjoint of one, at a letter of its own, if it lacks just its last index."""
    try:
        made = read(_with_index(side, letter), letter)
    except FormulaError:
        return None
    if not is_entry(made) or access_of(made).name not in vocabulary.tensors:
        return None
    name, indices = access_of(made).name, access_of(made).indices
    if list(indices).count(t.Name(letter)) != 1 or indices[_place(name, vocabulary)] != t.Name(letter):
        return None
    others = list(vocabulary.tensors[name].axes)
    size = others.pop(_place(name, vocabulary))
    return None if size in others else made  # of a square matrix it may be a row or a column


def _place(name: str, vocabulary: Vocabulary) -> int:
    """Which index a tensor lacks where it is written as a vector: the first where samples are the last."""
    return 0 if name in vocabulary.behind else -1


def _size(entry: t.Access | t.Apply, vocabulary: Vocabulary) -> Affine:
    """How long the vector is that a name at a letter of its own is an entry of."""
    name = access_of(entry).name
    return vocabulary.tensors[name].axes[_place(name, vocabulary)]


def _sum_over(letter: str, body: t.Expression, node: Syntax) -> t.Reduce:
    binder = t.Binder(letter, line=node.line, column=node.column)
    return t.Reduce("sum", (binder,), body, line=node.line, column=node.column)


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
