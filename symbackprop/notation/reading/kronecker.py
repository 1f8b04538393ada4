r"""Kronecker's delta, which looks like the adjoint of z that textbooks write with the same letter."""

from __future__ import annotations

from collections.abc import Mapping, Set

from symbackprop.calculus.indices import Affine
from symbackprop.language import tree as t
from symbackprop.language.writer import write_tree
from symbackprop.notation.reading.entries import parts_below, split_indices
from symbackprop.notation.reading.letters import index_letter
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.syntax import Scripts, Symbol, bare, write_syntax
from symbackprop.notation.reading.vocabulary import DERIVED, Vocabulary


def is_kronecker(
    scripts: Scripts, symbol: Symbol, vocabulary: Vocabulary, ranges: Mapping[str, Set[Affine]]
) -> bool:
    """Whether a delta with two indices is 1 where they are equal, because they run over the axes of no adjoint.

    AmbiguousFormulaError where it may be the adjoint of a square z as well.
    """
    if symbol.name != r"\delta" or symbol.accents or symbol.font or scripts.above is not None or scripts.primes:
        return False
    if vocabulary.functions.get(r"\delta") == "kronecker":
        return True
    cuts = split_indices(parts_below(scripts.below), 2) if scripts.below is not None else ()
    if vocabulary.open or len(cuts) != 1:
        return False
    entries = [e for e in vocabulary.find(symbol) if not e.label and not e.below and e.rank == 2]
    if any(entry.origin != DERIVED for entry in entries):
        return False
    sizes = [ranges.get(index_letter(Scripts(bare(part))) or "", set()) for part in cuts[0]]
    fitting = 0
    for entry in entries:
        of = entry.value.arguments[0] if isinstance(entry.value, t.Apply) else entry.value
        axes = vocabulary.tensors[of.name].axes if isinstance(of, t.Name) else ()
        fits = all(not seen or axis in seen for axis, seen in zip(axes, sizes, strict=True))
        fitting += fits
        if fits and len(set(axes)) == 1:
            readings = (f"the adjoint of {write_tree(of)}", "Kronecker's delta")
            raise ambiguous(scripts.line, scripts.column, f"`{write_syntax(scripts)}`", readings,
                            r"declare \delta = kronecker, or a name for the adjoint")  # fmt: skip
    return not fitting
