r"""A letter that marks the derivatives of the loss by the names behind it, where it is declared: dW, dZ, db."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from symbackprop.language import tree as t
from symbackprop.notation.reading.entries import label_and_more, tensor_named
from symbackprop.notation.reading.factors import factors_of, without_scripts
from symbackprop.notation.reading.syntax import (
    Beside,
    Fraction,
    Group,
    Product,
    Scripts,
    Symbol,
    Syntax,
    bare,
    write_syntax,
)  # fmt: skip
from symbackprop.notation.reading.vocabulary import ADJOINT, Vocabulary, label_of

PARTIAL = Symbol(r"\partial")


def write_derivatives(side: Syntax, vocabulary: Vocabulary) -> Syntax:
    """A formula with the derivatives that its marked names are."""
    marks = {shown for shown, meaning in vocabulary.functions.items() if meaning == ADJOINT}
    loss = next((e for e in vocabulary.entries if e.value == t.Name(vocabulary.loss or "") and not e.below), None)
    if not marks or loss is None or loss.label:
        return side
    top = Beside((PARTIAL, Symbol(loss.name, loss.accents, loss.font)))

    def change(node: Syntax) -> Syntax:
        if isinstance(node, Scripts):
            return replace(node, base=change(node.base))
        if _is_derivative(node, marks):
            return node
        made: Syntax = t.map_children(node, change)
        if not isinstance(made, Beside):
            return made
        row = list(made.parts)
        for place in range(len(row) - 2, -1, -1):
            if write_syntax(bare(row[place])) in marks and _is_tensor(row[place + 1], vocabulary):
                row[place : place + 2] = [_derivative(row[place + 1], top)]
        return replace(made, parts=tuple(row)) if len(row) > 1 else row[0]

    return change(side)


def _is_derivative(node: Syntax, marks: Set[str]) -> bool:
    r"""Whether a quotient is a derivative in the letter of a mark, \frac{dL}{dW}, \frac{d}{dW} or dL/dW."""
    match node:
        case Fraction(top, bottom):
            sides = (top, bottom)
        case Product(parts, operators) if "/" in operators:
            place = operators.index("/")
            sides = parts[place], parts[place + 1]
        case _:
            return False
    return all(write_syntax(without_scripts(factors_of(bare(side))[0].node)) in marks for side in sides)


def _is_tensor(node: Syntax, vocabulary: Vocabulary) -> bool:
    """Whether a part is a tensor of the program other than the loss."""
    symbol = without_scripts(node)
    names = [tensor_named(entry) for entry in vocabulary.find(symbol)] if isinstance(symbol, Symbol) else []
    return any(name in vocabulary.tensors and name != vocabulary.loss for name in names)


def _derivative(node: Syntax, top: Syntax) -> Syntax:
    """The derivative by a name; what stands above the name besides its label stands above the derivative."""
    inner = bare(node)
    place = {"line": node.line, "column": node.column}
    above = inner.above if isinstance(inner, Scripts) else None
    if not isinstance(inner, Scripts) or above is None or label_of(above) is not None:
        return Fraction(top, Beside((PARTIAL, inner)), **place)
    split = label_and_more(above)
    label, rest = (None, above) if split is None else (bare(above), split[1])
    if split is not None and isinstance(label, Beside):
        label = label.parts[0]
    name: Syntax = replace(inner, above=label)
    if label is None and inner.below is None and not inner.primes:
        name = bare(inner.base)
    made = Group("(", (Fraction(top, Beside((PARTIAL, name)), **place),), **place)
    return Scripts(made, None, rest, **place)
