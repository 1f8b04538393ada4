r"""Pieces of matrix notation: how tightly they hold together, their transposes, and their products.

>>> A, b = Matrix("A", ATOM, turned=r"A^{\top}"), Matrix("b", ATOM, turned=r"b^{\top}")
>>> print(chain([A, b]).transposed().text)
b^{\top} A^{\top}
>>> print(chain([A, A, b]).text)
A^{2} b
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from symbackprop.notation.writing.names import Symbol
from symbackprop.notation.writing.pieces import bracket

SUM, HADAMARD, PRODUCT, ATOM = range(4)
"""How tightly a piece holds together; a Hadamard product is bracketed inside a matrix product."""

ONES = r"\mathbf{1}"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A piece of LaTeX and how tightly it holds together.

    A matrix product has its `factors`, and `turned` is the text of the transpose of what is none.
    """

    text: str
    strength: int = ATOM
    factors: tuple[Matrix, ...] = ()
    turned: str = ""

    def at(self, needed: int) -> str:
        """The text, in brackets where it holds less than `needed`."""
        return self.text if self.strength >= needed else bracket(self.text)

    def held(self, needed: int) -> Matrix:
        """The piece, in brackets where it holds less than `needed`."""
        if self.strength >= needed:
            return self
        text = bracket(self.text)
        return Matrix(text, ATOM, turned=rf"{text}^{{\top}}")

    def transposed(self) -> Matrix:
        """The transpose; that of a product is the product of the transposes the other way round."""
        if self.factors:
            return chain([factor.transposed() for factor in reversed(self.factors)])
        if self.turned:
            return replace(self, text=self.turned, turned=self.text)
        if self.strength == ATOM and "^" not in self.text:
            return Matrix(rf"{self.text}^{{\top}}", ATOM, turned=self.text)
        text = bracket(self.text)
        return Matrix(rf"{text}^{{\top}}", ATOM, turned=text)


def symmetric(text: str) -> Matrix:
    """An atom that is its own transpose."""
    return Matrix(text, ATOM, turned=text)


def of_symbol(symbol: Symbol, transposed: bool = False) -> Matrix:
    """A tensor by its symbol."""
    piece = Matrix(symbol.write(), ATOM, turned=symbol.write("", r"\top"))
    return piece.transposed() if transposed else piece


def inverse_of(symbol: Symbol, transposed: bool = False) -> Matrix:
    r"""The inverse of a matrix by its symbol.

    >>> inverse_of(Symbol("W", "(1)"), True).text
    '(W^{(1)})^{-\\top}'
    """
    text = symbol.write()
    text = bracket(text) if "^" in text or "_" in text else text
    piece = Matrix(f"{text}^{{-1}}", ATOM, turned=rf"{text}^{{-\top}}")
    return piece.transposed() if transposed else piece


def chain(pieces: Sequence[Matrix]) -> Matrix:
    """The matrix product of pieces; equal neighbours are a power."""
    factors: list[Matrix] = []
    for piece in pieces:
        factors += piece.factors or (piece.held(PRODUCT),)
    if len(factors) == 1:
        return factors[0]
    text = ""
    for name, group in itertools.groupby(f.text for f in factors):
        count = len(list(group))
        text += f" {name if count == 1 else power(name, str(count))}"
    return Matrix(text.strip(), PRODUCT, tuple(factors))


def power(text: str, exponent: str) -> str:
    r"""A power of an atom.

    >>> power("X", "2"), power(r"X^{\top}", "2"), power("X^{-1}", "2")
    ('X^{2}', '(X^{\\top})^{2}', 'X^{-2}')
    """
    if text.endswith("^{-1}"):
        return f"{text.removesuffix('^{-1}')}^{{-{exponent}}}"
    whole = text.startswith(("(", r"\left(")) and text.endswith(")")
    return f"{bracket(text) if '^' in text and not whole else text}^{{{exponent}}}"


def transposes(piece: Matrix) -> int:
    """How often a piece says that something is transposed."""
    return piece.text.count(r"\top")


def trace(piece: Matrix) -> Matrix:
    """The trace of a matrix."""
    return Matrix(rf"\operatorname{{tr}}{bracket(piece.text)}")


def diagonal(piece: Matrix, inverse: bool = False) -> Matrix:
    """The diagonal matrix of a vector, or its inverse."""
    text = rf"\operatorname{{diag}}{bracket(piece.text)}"
    return symmetric(f"{text}^{{-1}}" if inverse else text)
