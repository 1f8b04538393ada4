"""Pieces of LaTeX with how tightly they hold together: brackets, numbers and functions that are applied."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.functions import FUNCTIONS
from symbackprop.language.tree import Number

SUM, PRODUCT, FRACTION, ATOM = range(4)
"""How tightly a piece of LaTeX holds together; an operand that holds less than its place asks for is bracketed."""
TALL = (r"\frac", r"\sum", r"\begin", r"\left", r"\max", r"\min")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of LaTeX and how tightly it holds together; `open` says that its sum would swallow a factor behind it."""

    text: str
    strength: int = ATOM
    open: bool = False

    def at(self, needed: int) -> str:
        """The text, in brackets where it holds less than `needed`."""
        return self.text if self.strength >= needed else bracket(self.text)


def bracket(text: str) -> str:
    r"""Brackets around a piece, as tall as it is.

    >>> bracket("a - y"), bracket(r"\frac{a}{b}")
    ('(a - y)', '\\left(\\frac{a}{b}\\right)')
    """
    return rf"\left({text}\right)" if any(word in text for word in TALL) else f"({text})"


def function_latex(name: str, arguments: str, raised: str = "", primed: bool = False) -> str:
    """A function of the catalogue or an elementary one, applied."""
    if name == "sqrt" and not raised and not primed:
        return rf"\sqrt{{{arguments}}}"
    tex = next((str(f.tex) for f in FUNCTIONS if f.name == name), rf"\operatorname{{{name}}}".replace("_", r"\_"))
    return tex + ("'" if primed else "") + (f"^{{{raised}}}" if raised else "") + bracket(arguments)


def number_latex(number: Number) -> str:
    """A literal as it was written, powers of ten set as such."""
    text = number.text
    if not text or "/" in text:
        value = number.value
        return str(value.numerator) if value.denominator == 1 else rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    mantissa, mark, exponent = text.lower().partition("e")
    if not mark:
        return text
    power = rf"10^{{{exponent.lstrip('+').lstrip('0') or '0'}}}"
    return power if mantissa == "1" else rf"{mantissa} \cdot {power}"
