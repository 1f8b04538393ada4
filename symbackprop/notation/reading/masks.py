r"""Iverson's brackets among whole matrices: of entries, [z > 0], and of numbers at some letters, [y_n = k]."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symbackprop.calculus.indices import Affine
from symbackprop.errors import FormulaError, UnsupportedError
from symbackprop.language import tree as t
from symbackprop.language.arithmetic import ONE, ZERO, indicator
from symbackprop.language.index_forms import read_size
from symbackprop.language.matrix_grammar import Operation, Run, walk_matrix
from symbackprop.language.wording import fail
from symbackprop.notation.reading.index_formulas import IndexReader
from symbackprop.notation.reading.matrix_trees import run_of, sign_at
from symbackprop.notation.reading.refusals import AmbiguousFormulaError
from symbackprop.notation.reading.sums import Bounds
from symbackprop.notation.reading.syntax import Compound, Relation, Syntax, write_syntax
from symbackprop.notation.reading.vocabulary import Vocabulary


def read_mask(
    relation: Relation | Compound,
    read: Callable[[Syntax], t.Expression],
    vocabulary: Vocabulary,
    letters: frozenset[str],
    node: Syntax,
) -> t.Expression:
    """1 where a comparison holds, of numbers at some letters or of entries."""
    if letters:
        try:
            return IndexReader(vocabulary, letters).mask(relation, node)
        except AmbiguousFormulaError:
            raise
        except (FormulaError, UnsupportedError):
            pass  # its sides are no numbers
    return _step(relation, read, node)


def _step(relation: Relation | Compound, read: Callable[[Syntax], t.Expression], node: Syntax) -> t.Expression:
    """The mask of a comparison of entries, by the slope of relu, which is 0 at 0."""
    if not isinstance(relation, Relation) or relation.operators not in (("<",), ("<=",), (">",), (">=",)):
        raise fail(node, f"`{write_syntax(relation)}` among whole matrices",
                   "one comparison of entries by <, <=, > or >=", "claim an entry, with all indices")  # fmt: skip
    (left, right), (operator,) = map(read, relation.parts), relation.operators
    place = {"line": node.line, "column": node.column}
    larger, smaller = (left, right) if operator in (">", "<=") else (right, left)
    difference = larger if smaller == ZERO else Run((larger, smaller), (sign_at("-", smaller),), **place)
    step = Operation("relu", (difference,), True, **place)
    return step if operator in ("<", ">") else Run((ONE, step), (sign_at("-", step),), **place)


def where_held(conditions: Sequence[t.Condition], body: t.Expression, node: t.Node) -> t.Expression:
    """A body where all of some conditions hold, and zero elsewhere."""
    if not conditions:
        return body
    return run_of((indicator(t.join_conditions(conditions), node), body), ("*",), node)


def sum_over(bounds: Bounds, body: t.Expression, vocabulary: Vocabulary, node: Syntax) -> t.Expression:
    """The sum of a matrix over letters; FormulaError for one that stands on no axis, or runs beyond it."""
    body = where_held(bounds.conditions, body, node)
    reads = [part for part, _ in walk_matrix(body) if isinstance(part, t.Access)]
    for binder in reversed(bounds.binders):
        letter = t.Name(binder.name, line=node.line, column=node.column)
        sizes = {
            axis
            for read in reads
            for index, axis in zip(read.indices, vocabulary.tensors[read.name].axes, strict=True)
            if index == letter
        }
        if not sizes:
            raise fail(node, f"the sum over {letter.name} of what has no such index", "an index that is summed")
        if len(sizes) > 1:
            raise fail(node, f"the index {letter.name}, which runs over {' and over '.join(map(str, sizes))}",
                       "an index of one range", "the index of a row stands first")  # fmt: skip
        left = sizes.pop() - read_size(binder.range) if binder.range is not None else Affine.of(0)
        if left.integer is None or left.integer < 0:
            raise fail(node, f"the sum over {letter.name}, which does not end on its axis", "a sum over an axis",
                       "claim an entry such as W[k,d] for other ends")  # fmt: skip
        if binder.range is not None and left.integer:
            body = where_held((t.Compare("<=", letter, binder.range),), body, node)
        body = Operation("over", (letter, body), line=node.line, column=node.column)
    return body
