r"""What the reader of LaTeX refuses: commands that it does not know, and formulas with two readings."""

from __future__ import annotations

from symbackprop.errors import FormulaError


class UnknownCommandError(FormulaError):
    r"""A LaTeX command that the reader does not know; it is never skipped."""


class AmbiguousFormulaError(FormulaError):
    """A formula that can be read in more ways than one; `readings` are those that were found."""

    def __init__(self, message: str, readings: tuple[str, ...], *, line: int | None, column: int | None) -> None:
        self.readings = readings
        super().__init__(message, line=line, column=column, found=readings[0], expected="one reading")


def ambiguous(line: int, column: int, what: str, readings: tuple[str, ...], instead: str) -> AmbiguousFormulaError:
    """The error for what can be read in more ways than one."""
    listed = " or as ".join(f"`{reading}`" for reading in readings)
    message = f"found {what}, which can be read as {listed}; {instead}"
    return AmbiguousFormulaError(message, readings, line=line or None, column=column or None)
