r"""Entries and rows at the index of a sum among whole matrices: y_n and x_n of \sum_n y_n x_n."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.errors import FormulaError
from symbackprop.language import tree as t
from symbackprop.language.index_forms import read_size
from symbackprop.language.matrix_grammar import Operation, walk_matrix
from symbackprop.language.matrix_shapes import REST
from symbackprop.language.wording import fail
from symbackprop.notation.reading.index_formulas import IndexReader
from symbackprop.notation.reading.inner_products import access_of, is_entry, vector_entry
from symbackprop.notation.reading.refusals import AmbiguousFormulaError, ambiguous
from symbackprop.notation.reading.sums import Bounds, read_bounds
from symbackprop.notation.reading.syntax import Scripts, Syntax, write_syntax
from symbackprop.notation.reading.vocabulary import Vocabulary, label_of


def read_slice(
    node: Syntax, vocabulary: Vocabulary, letters: frozenset[str]
) -> tuple[t.Expression, Syntax | None] | None:
    """The entry that a name is at letters of sums, or the vector where it lacks its last index, and what stands above
    it; None where it is neither."""
    scripts = node if isinstance(node, Scripts) else Scripts(node, line=node.line, column=node.column)
    if scripts.below is None and (scripts.above is None or label_of(scripts.above) is None):
        return None
    above = scripts.above if scripts.above is not None and label_of(scripts.above) is None else None
    plain = replace(scripts, above=None) if above is not None else scripts
    reader = IndexReader(vocabulary, letters)
    made: t.Expression | None
    try:
        made = reader.name(plain)
    except AmbiguousFormulaError:
        raise
    except FormulaError:
        made = vector_entry(plain, vocabulary, letters, REST, lambda name, letter: reader.binding((letter,)).name(name))
    if not is_entry(made):
        return None
    read = access_of(made)
    for index, axis in zip(read.indices, vocabulary.tensors[read.name].axes, strict=True):
        if index == t.Name(REST) and str(axis).lower() in letters and t.Name(str(axis).lower()) in read.indices:
            readings = (f"the row {axis.names[0].lower()} of {read.name}", f"its column {axis.names[0].lower()}")
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}` of {read.name}"
                            f"[{', '.join(map(str, vocabulary.tensors[read.name].axes))}]", readings,
                            "use another letter, or claim an entry")  # fmt: skip
    used = {part.name for index in read.indices for part, _ in t.walk(index) if isinstance(part, t.Name)}
    if not used & letters:
        return None
    return (made if isinstance(made, t.Access) else Operation("adj", (read,)), above)


def read_range(scripts: Scripts | None, vocabulary: Vocabulary, letters: frozenset[str], node: Syntax) -> Bounds:
    """The letters of a sum of matrices, which run over whole axes."""
    if scripts is None or scripts.below is None:
        raise fail(node, r"`\sum` without an index below", r"\sum_{n}")
    bounds = read_bounds(scripts, IndexReader(vocabulary, letters))
    known = {*letters, *vocabulary.tensors, *vocabulary.sizes}
    if bounds.conditions or known & set(bounds.names):
        raise fail(node, f"`{write_syntax(scripts)}` among whole matrices", "a sum over whole axes",
                   "claim an entry such as W[k,d] for a sum under a condition")  # fmt: skip
    return bounds


def sum_over(bounds: Bounds, body: t.Expression, vocabulary: Vocabulary, node: Syntax) -> t.Expression:
    """The sum of a matrix over letters; FormulaError for one that stands on no axis, or does not run over all of it."""
    reads = [part for part, _ in walk_matrix(body) if isinstance(part, t.Access)]
    for binder in reversed(bounds.binders):
        letter = t.Name(binder.name, line=node.line, column=node.column)
        sizes = [
            axis
            for read in reads
            for index, axis in zip(read.indices, vocabulary.tensors[read.name].axes, strict=True)
            if index == letter
        ]
        if not sizes:
            raise fail(node, f"the sum over {letter.name} of what has no such index", "an index that is summed")
        if len(set(sizes)) > 1:
            raise fail(node, f"the index {letter.name}, which runs over {' and over '.join(map(str, sizes))}",
                       "an index of one range", "the index of a row stands first")  # fmt: skip
        if binder.range is not None and any(read_size(binder.range) != size for size in sizes):
            raise fail(node, f"the sum over {letter.name}, which ends before its axis", "a sum over a whole axis",
                       "claim an entry such as W[k,d] for a part of a sum")  # fmt: skip
        body = Operation("over", (letter, body), line=node.line, column=node.column)
    return body
