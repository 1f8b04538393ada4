r"""Entries of products of whole tensors in formulas with indices: (W^\top \delta)_j is the sum that it stands for."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.calculus.indices import Affine, choose_name
from symbackprop.errors import FormulaError, ShapeError, UnsupportedError
from symbackprop.language import read_matrix_claim
from symbackprop.language import tree as t
from symbackprop.language.matrix_grammar import Operation, Run
from symbackprop.language.matrix_shapes import SCALAR
from symbackprop.language.substitution import substitute_names
from symbackprop.notation.reading.doubtful_scripts import check_entry
from symbackprop.notation.reading.entries import parts_below, read_inverse_entry, split_indices
from symbackprop.notation.reading.factors import is_turned
from symbackprop.notation.reading.index_formulas import IndexReader
from symbackprop.notation.reading.matrix_formulas import MatrixReader, read_matrix_formula
from symbackprop.notation.reading.slices import free_letters
from symbackprop.notation.reading.syntax import Group, Placed, Scripts, Symbol, Syntax, bare, walk_syntax
from symbackprop.notation.reading.vocabulary import Vocabulary


def place_entries(syntax: Syntax, vocabulary: Vocabulary) -> Syntax:
    r"""A formula with the entries of products in brackets, (X w)_n and (\nabla_w L)_d, read; ShapeError where the parts
    of a product do not fit."""
    if vocabulary.open or not any(_is_entry(part) for part in walk_syntax(syntax)):
        return syntax

    def change(node: Syntax) -> Syntax:
        made = _read_entry(node, vocabulary) if isinstance(node, Scripts) and _is_entry(node) else None
        if made is None or not isinstance(node, Scripts):
            changed: Syntax = t.map_children(node, change)
            return changed
        placed = Placed(made, replace(node, above=None), line=node.line, column=node.column)
        return placed if node.above is None else replace(node, base=_bracketed(placed), below=None)

    return change(syntax)


def _bracketed(node: Syntax) -> Group:
    return Group("(", (node,), line=node.line, column=node.column)


def _is_entry(node: Syntax) -> bool:
    """Whether a node is a pair of brackets with something else than a name in them, and something below."""
    group = bare(node.base) if isinstance(node, Scripts) and node.below is not None and not node.primes else None
    if not isinstance(group, Group) or group.opened not in ("(", "[") or len(group.parts) != 1:
        return False
    inner = bare(group.parts[0])
    return is_turned(inner) or not isinstance(bare(inner.base) if isinstance(inner, Scripts) else inner, Symbol)


def _read_entry(node: Scripts, vocabulary: Vocabulary) -> t.Expression | None:
    """The formula of an entry; None where what stands in brackets has no entries that are read so."""
    group, below = bare(node.base), node.below
    if not isinstance(group, Group) or below is None:
        return None
    inner, reader = bare(group.parts[0]), IndexReader(vocabulary, inside=True)
    letters = free_letters(inner, vocabulary)
    try:
        if read_inverse_entry(group, below, vocabulary, reader.index) is not None:
            return None
        tree = read_matrix_formula(inner, vocabulary, letters=letters)
        shape = MatrixReader(vocabulary, letters).shape(tree)
        axes = tuple(size for size in shape if size is not None)
        cuts = split_indices(parts_below(below), len(axes)) if shape != SCALAR else ()
        indices = tuple(reader.index(part) for part in cuts[0]) if len(cuts) == 1 else ()
    except ShapeError:
        raise
    except (FormulaError, UnsupportedError):
        return None
    if not indices:
        return None
    if node.above is not None:
        check_entry(node, node.above, axes)
    turned = Operation("'", (tree,)) if shape[0] is None else tree
    return _entry_at(turned, axes, indices, vocabulary)


def _entry_at(
    tree: t.Expression, axes: tuple[Affine, ...], indices: tuple[t.Expression, ...], vocabulary: Vocabulary
) -> t.Expression | None:
    """An entry of a matrix expression, whose adjoints are read by names of their own meanwhile."""
    tensors = {name: tensor.axes for name, tensor in vocabulary.tensors.items() if tensor.range is None}
    adjoints: dict[str, str] = {}

    def name_adjoints(node: t.Expression) -> t.Expression:
        match node:
            case Operation("adj", ((t.Name(name) | t.Access(name)) as read,)):
                known = next((made for made, of in adjoints.items() if of == name), None)
                made = known or choose_name(f"{name}_bar", {*tensors, *vocabulary.sizes, *adjoints})
                adjoints[made] = name
                return replace(read, name=made)
            case Operation(_, operands) | Run(operands, _):
                return replace(node, operands=tuple(map(name_adjoints, operands)))
        return node

    def restore(node: t.Node) -> t.Node:
        changed = t.map_children(node, restore)
        if isinstance(changed, t.Name | t.Access) and changed.name in adjoints:
            return t.Apply("adj", (replace(changed, name=adjoints[changed.name]),), line=node.line, column=node.column)
        return changed

    named = name_adjoints(tree)
    known = {**tensors, **{made: tensors[of] for made, of in adjoints.items()}}
    taken = frozenset(n.name for index in indices for n, _ in t.walk(index) if isinstance(n, t.Name))
    before, letters, body, _ = read_matrix_claim(named, known, frozenset(vocabulary.sizes), axes, taken)
    if before:
        return None  # an inverse has a name in programs
    at = {letter.name: index for letter, index in zip(letters, indices, strict=True)}
    restored = restore(substitute_names(body, at, taken))
    return restored if isinstance(restored, t.Expression) else None
