"""Expressions in verdicts, in the formula language and with the fewest signs."""

from __future__ import annotations

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
    try:
        text = write_tree(transcribe(plain))
        if not text.startswith("-"):
            return text
        symbols = sorted(plain.free_symbols, key=str, reverse=True)
        turned = write_tree(Speller({s: Name(s.name) for s in symbols}).spell(plain))
    except (FormulaError, UnsupportedError, TypeError):
        return str(expression)
    return text if turned.startswith("-") else turned
