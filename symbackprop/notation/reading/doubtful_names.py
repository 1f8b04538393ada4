r"""Names that may be either of two that a program has: \hat x of xhat and x_hat, \pi of the number and pi_."""

from __future__ import annotations

from collections.abc import Iterable

from symbackprop.language import tree as t
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree
from symbackprop.notation.reading.refusals import AmbiguousFormulaError, ambiguous
from symbackprop.notation.reading.syntax import Scripts, Symbol, Syntax, bare, write_syntax
from symbackprop.notation.reading.vocabulary import LOSSES, NUMBER_PI, Vocabulary, show_entry


def check_size(side: Syntax, vocabulary: Vocabulary) -> None:
    """AmbiguousFormulaError where a side is the size of an axis that is called as the loss is in textbooks."""
    inner = bare(side)
    entries = vocabulary.find(inner) if isinstance(inner, Symbol) and inner.name in LOSSES else ()
    if vocabulary.loss is not None and entries and any(entries[0].value == t.Name(size) for size in vocabulary.sizes):
        shown = write_syntax(inner)
        raise ambiguous(side.line, side.column, f"`{shown}` of a program with a size of that name",
                        ("the loss", "the size"),
                        rf"write \mathrm{{{vocabulary.loss}}}, or call the size by another letter")  # fmt: skip


def doubtful_name(node: Syntax, values: Iterable[t.Expression], vocabulary: Vocabulary) -> AmbiguousFormulaError:
    """The error for a symbol that is written as several names are."""
    found = tuple(dict.fromkeys(values))
    scripts = node if isinstance(node, Scripts) else Scripts(node)
    symbol = bare(scripts.base)
    entries = vocabulary.find(symbol, scripts.primes) if isinstance(symbol, Symbol) else ()
    written = next((show_entry(entry) for entry in entries if entry.value in found), write_syntax(node))
    meant = [f"{written} = {write_tree(value)}" for value in found]
    readings = tuple("the number pi" if value == NUMBER_PI else write_tree(value) for value in found)
    return ambiguous(node.line, node.column, f"`{write_syntax(node)}`", readings,
                     f"declare which it is: names {', or '.join(meant)}")  # fmt: skip


def check_no_size(value: t.Expression | None, what: str, node: Syntax, vocabulary: Vocabulary) -> None:
    """FormulaError where what only vectors and matrices have is taken of a size."""
    if not isinstance(value, t.Name) or value.name not in vocabulary.sizes:
        return
    size = value.name
    small = next((name for name in vocabulary.tensors if name != size and name.lower() == size.lower()), None)
    hint = f"{size} is a size, a number" if small is None else f"{size} is a size; the tensor is {small}"
    raise fail(node, f"{what} of {size} in `{write_syntax(node)}`", "that of a vector or a matrix", hint)
