"""The formula language: text to trees, trees to text, trees to programs."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from symbackprop.language.limits import Limits as Limits
from symbackprop.language.program_text import read_program as read_program
from symbackprop.language.program_text import write_program as write_program
from symbackprop.language.reader import read_expression as read_expression
from symbackprop.language.reader import read_statements as read_statements
from symbackprop.language.writer import write_statements as write_statements
from symbackprop.language.writer import write_tree as write_tree

if TYPE_CHECKING:
    from symbackprop.language.fences import extract_fences as extract_fences
    from symbackprop.language.matrix_program import read_matrix_claim as read_matrix_claim
    from symbackprop.language.matrix_program import read_matrix_program as read_matrix_program
    from symbackprop.language.matrix_text import write_matrix_tree as write_matrix_tree

PLACES = MappingProxyType({
    "fences": "extract_fences",
    "matrix_program": "read_matrix_claim read_matrix_program",
    "matrix_text": "write_matrix_tree",
})
"""The modules that hold these names."""


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for (PEP 562)."""
    for place, names in PLACES.items():
        if name in names.split():
            return getattr(import_module(f"symbackprop.language.{place}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
