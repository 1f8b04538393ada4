"""Formulas written: index, matrix and scalar LaTeX, plain text, drawings and the words of steps."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symbackprop.notation.writing.equations import Equation as Equation
    from symbackprop.notation.writing.equations import align as align
    from symbackprop.notation.writing.equations import make_equations as make_equations
    from symbackprop.notation.writing.equations import write_definitions as write_definitions
    from symbackprop.notation.writing.names import Names as Names
    from symbackprop.notation.writing.names import choose_names as choose_names
    from symbackprop.notation.writing.narration import narrate_chain as narrate_chain
    from symbackprop.notation.writing.narration import narrate_fold as narrate_fold
    from symbackprop.notation.writing.plain_text import write_text as write_text
    from symbackprop.notation.writing.sympy_objects import definition_expression as definition_expression

PLACES = MappingProxyType({
    "equations": "Equation align make_equations write_definitions",
    "names": "Names choose_names",
    "narration": "narrate_chain narrate_fold",
    "plain_text": "write_text",
    "sympy_objects": "definition_expression",
})
"""The modules that hold these names."""


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for (PEP 562)."""
    for place, names in PLACES.items():
        if name in names.split():
            return getattr(import_module(f"symbackprop.notation.writing.{place}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
