r"""Kronecker's delta, which looks like the adjoint of z that textbooks write with the same letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from symbackprop.calculus.indices import Affine
from symbackprop.language import tree as t
from symbackprop.notation.reading.entries import parts_below, split_indices, tensor_named
from symbackprop.notation.reading.factors import without_scripts
from symbackprop.notation.reading.letters import index_letter
from symbackprop.notation.reading.refusals import AmbiguousFormulaError, ambiguous
from symbackprop.notation.reading.syntax import Numeral, Scripts, Symbol, Syntax, bare, write_syntax
from symbackprop.notation.reading.vocabulary import DERIVED, Vocabulary


def is_kronecker(
    scripts: Scripts, symbol: Symbol, vocabulary: Vocabulary, ranges: Mapping[str, Set[Affine]]
) -> bool:
    """Whether a delta with two indices is 1 where they are equal, because they run over the axes of no adjoint.

    AmbiguousFormulaError where it may be the adjoint of a square z as well, or where one is a number: that of a row, or
    of a layer.
    """
    if symbol.name != r"\delta" or symbol.accents or symbol.font or scripts.above is not None or scripts.primes:
        return False
    if vocabulary.functions.get(r"\delta") == "kronecker":
        return True
    cuts = split_indices(parts_below(scripts.below), 2) if scripts.below is not None else ()
    if vocabulary.open or len(cuts) != 1:
        return False
    numbers = [part.text for part in map(bare, cuts[0]) if isinstance(part, Numeral)]
    every = [e for e in vocabulary.find(symbol) if not e.below]
    first = write_syntax(bare(cuts[0][0]))
    layers = [tensor_named(e) for e in every if e.origin == DERIVED and e.rank == 1 and e.label == first]
    if layers and all(e.origin == DERIVED for e in every):
        raise _doubtful(scripts, layers[0], rf"write \delta^{{({first})}}, or declare \delta = kronecker")
    entries = [e for e in every if not e.label and e.rank == 2]
    if any(entry.origin != DERIVED for entry in entries):
        return False
    sizes = [_sizes_of(part, vocabulary, ranges) for part in cuts[0]]
    derived = [e.value.arguments[0] if isinstance(e.value, t.Apply) else e.value for e in entries]
    named = [of.name for of in derived if isinstance(of, t.Name)]
    fitting = [name for name in named if _fits(name, sizes, vocabulary)]
    given = ["z"] if vocabulary.loss is not None and "z" in vocabulary.tensors else []
    for name in (*fitting, *(name for name in given if _fits(name, sizes, vocabulary))):
        if len(set(vocabulary.tensors[name].axes)) == 1 or numbers:
            raise _doubtful(scripts, name, rf"declare \delta = kronecker, or \delta = adj({name})")
    return not fitting


def _doubtful(scripts: Scripts, name: str, hint: str) -> AmbiguousFormulaError:
    readings = (f"the adjoint of {name}", "Kronecker's delta")
    return ambiguous(scripts.line, scripts.column, f"`{write_syntax(scripts)}`", readings, hint)


def _sizes_of(part: Syntax, vocabulary: Vocabulary, ranges: Mapping[str, Set[Affine]]) -> Set[Affine]:
    """How far an index runs, as far as that is known: a letter, or an entry of an integer tensor such as a label."""
    letter = index_letter(Scripts(bare(part)))
    symbol = without_scripts(part)
    if letter is not None or not isinstance(symbol, Symbol):
        return ranges.get(letter or "", set())
    named = [vocabulary.tensors.get(tensor_named(entry)) for entry in vocabulary.find(symbol)]
    return {tensor.range for tensor in named if tensor is not None and tensor.range is not None}


def _fits(name: str, sizes: Sequence[Set[Affine]], vocabulary: Vocabulary) -> bool:
    """Whether two indices that run over these sizes, as far as that is known, can be those of a tensor."""
    axes = vocabulary.tensors[name].axes
    return len(axes) == 2 and all(not seen or axis in seen for axis, seen in zip(axes, sizes, strict=True))
