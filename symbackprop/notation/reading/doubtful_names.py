r"""Names that may be either of two that a program has: \hat x of xhat and x_hat, \pi of the number and pi_."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symbackprop.language import tree as t
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree
from symbackprop.notation.reading.refusals import AmbiguousFormulaError, ambiguous
from symbackprop.notation.reading.syntax import (
    Fraction,
    Product,
    Scripts,
    Symbol,
    Syntax,
    bare,
    parts_of,
    write_syntax,
)
from symbackprop.notation.reading.vocabulary import DECLARED, LOSSES, NUMBER_PI, Vocabulary, show_entry


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


def check_capitals(syntax: Syntax, vocabulary: Vocabulary) -> None:
    """AmbiguousFormulaError where a size stands among matrices and is written as a tensor is: H of h[n,j].

    Below a fraction it is a number. A size that is declared by this name is one.
    """
    for symbol in _list_operands(syntax):
        entries = vocabulary.find(symbol)
        size = entries[0].value if entries and entries[0].origin != DECLARED else None
        if not isinstance(size, t.Name) or size.name not in vocabulary.sizes:
            continue
        tensor = _find_small(size.name, vocabulary)
        if tensor is not None:
            shown = write_syntax(symbol)
            raise ambiguous(symbol.line, symbol.column, f"`{shown}` among matrices",
                            (f"the size {size.name}", f"the tensor {tensor}"),
                            f"declare which it is: names {shown} = {tensor}, or {shown} = {size.name}")  # fmt: skip


def _list_operands(syntax: Syntax) -> Iterator[Symbol]:
    """The symbols of a formula without indices that are not below a fraction, nor in an index or a power."""
    waiting = [syntax]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Symbol):
            yield node
        elif isinstance(node, Scripts):
            indexed = node.below is not None and isinstance(bare(node.base), Symbol)
            waiting += [] if indexed else [node.base]
        elif isinstance(node, Fraction):
            waiting.append(node.top)
        elif isinstance(node, Product):
            signs = ("", *node.operators)
            waiting += [part for sign, part in zip(signs, node.parts, strict=True) if sign != "/"]
        else:
            waiting += parts_of(node)


def _find_small(size: str, vocabulary: Vocabulary) -> str | None:
    """The tensor whose matrix is written as a size is."""
    every = vocabulary.tensors.items()
    return next((n for n, x in every if x.axes and n != size and n.lower() == size.lower()), None)


def check_no_size(value: t.Expression | None, what: str, node: Syntax, vocabulary: Vocabulary) -> None:
    """FormulaError where what only vectors and matrices have is taken of a size."""
    if not isinstance(value, t.Name) or value.name not in vocabulary.sizes:
        return
    size = value.name
    small = _find_small(size, vocabulary)
    hint = f"{size} is a size, a number" if small is None else f"{size} is a size; the tensor is {small}"
    raise fail(node, f"{what} of {size} in `{write_syntax(node)}`", "that of a vector or a matrix", hint)
