"""Errors at a place of a text."""

from __future__ import annotations

from symbackprop.errors import FormulaError, UnsupportedError
from symbackprop.language.tree import Node


def fail(
    node: Node, found: str, expected: str, hint: str = "", kind: type[FormulaError] = FormulaError
) -> FormulaError:
    """The error at a node: what was found, what was expected, and how to mend it."""
    message = f"found {found}, expected {expected}" + (f"; {hint}" if hint else "")
    return kind(message, line=node.line or None, column=node.column or None, found=found, expected=expected)


def unsupported(node: Node, what: str, instead: str) -> UnsupportedError:
    """The error for what means something and is not done yet."""
    place = f"line {node.line}, column {node.column}: " if node.line else ""
    return UnsupportedError(f"{place}{what} is not supported in this version; {instead}.")
