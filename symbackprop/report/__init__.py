"""Derivations as documents."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symbackprop.report.pages import Section as Section
    from symbackprop.report.pages import write_formula as write_formula
    from symbackprop.report.pages import write_html as write_html
    from symbackprop.report.pages import write_markdown as write_markdown

NAMES = ("Section", "write_formula", "write_html", "write_markdown")


def __getattr__(name: str) -> object:
    """Import the pages, and MathML with them, when a document is first written (PEP 562)."""
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("symbackprop.report.pages"), name)
