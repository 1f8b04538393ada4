"""Words of verdicts: expressions in the formula language, with the fewest signs, and texts in a row."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symbackprop.errors import FormulaError, UnsupportedError
from symbackprop.language.spelling import Speller
from symbackprop.language.transcription import transcribe
from symbackprop.language.tree import Name
from symbackprop.language.writer import write_tree


def say(expression: sp.Expr) -> str:
    """An expression as a person writes it: y - x before -(x - y); what has no form in the language is SymPy's text.

    >>> a, y = sp.symbols("a y")
    >>> say(-2 * (a - 1) * y), say(-2 * (a - y))
    ('2*(1 - a)*y', '2*(y - a)')
    """
    plain = sp.factor_terms(expression)
    text = spell(plain)
    if not text.startswith("-"):
        return text
    try:
        symbols = sorted(plain.free_symbols, key=str, reverse=True)
        turned = write_tree(Speller({s: Name(s.name) for s in symbols}).spell(plain))
    except (FormulaError, UnsupportedError, TypeError):
        return text
    return text if turned.startswith("-") else turned


def spell(expression: sp.Expr) -> str:
    """An expression as it stands; what has no form in the language is SymPy's text.

    >>> x = sp.Symbol("x")
    >>> spell(x**2 / 3 + x / 3), say(x**2 / 3 + x / 3)
    ('x^2/3 + x/3', 'x*(1 + x)/3')
    """
    try:
        return write_tree(transcribe(expression))
    except (FormulaError, UnsupportedError, TypeError):
        return str(expression)


def join_words(texts: Sequence[str]) -> str:
    """Texts in a row.

    >>> join_words(["a"]), join_words(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " and " + texts[-1]
