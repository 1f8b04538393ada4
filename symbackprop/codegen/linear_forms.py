"""Sums of multiples as Python: sizes over the sizes of a call, and what positions add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbackprop.calculus.indices import Affine, Atom, Quotient, Remainder


def add_up(parts: Sequence[tuple[str, int]], rest: str) -> str:
    """The sum of multiples of texts, and of a text behind them that may be empty.

    >>> add_up([("p", 2), ("r", -1)], "3")
    '2*p - r + 3'
    """
    text = ""
    for name, coefficient in parts:
        sign = " - " if coefficient < 0 else " + " if text else ""
        text += sign + (name if abs(coefficient) == 1 else f"{abs(coefficient)}*{name}")
    if rest:
        text += f" + {rest}" if text else rest
    return text.strip() or "0"


def write_size(size: Affine, names: Mapping[str, str]) -> str:
    """A size as an expression; `names` are the identifiers of the sizes that it names.

    >>> write_size(Affine.of("N") * 2 - Affine.of(1), {"N": "N"})
    '2*N - 1'
    """
    text = add_up([(_write_atom(atom, names), coefficient) for atom, coefficient in size.terms], "")
    if not size.terms:
        return str(size.constant)
    return f"{text} {'+' if size.constant > 0 else '-'} {abs(size.constant)}" if size.constant else text


def _write_atom(atom: Atom, names: Mapping[str, str]) -> str:
    """The name of a size, or a quotient of sizes."""
    if isinstance(atom, Quotient | Remainder):
        sign = "//" if isinstance(atom, Quotient) else "%"
        return f"(({write_size(atom.form, names)}) {sign} ({write_size(atom.divisor, names)}))"
    return names[str(atom)]
