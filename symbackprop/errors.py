"""Every error that symbackprop raises on purpose.

One base class, and a subclass for each thing that a caller could want to catch. A message says what was given, what was
expected and how to mend it; the pieces stand beside it as attributes, so that tests and editors need not read prose.
"""

from __future__ import annotations

import re


class SymBackpropError(Exception):
    """The base of every error that the package raises on purpose."""


class FormulaError(SymBackpropError):
    """A text that is not a formula, or not one that means anything.

    `line` and `column` count from 1 and are None where the text has no place for them.
    """

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        column: int | None = None,
        found: str | None = None,
        expected: str | None = None,
    ) -> None:
        self.message, self.line, self.column, self.found, self.expected = message, line, column, found, expected
        where = "" if line is None else f"line {line}" + ("" if column is None else f", column {column}") + ": "
        super().__init__(where + message)


class ShapeError(FormulaError):
    """Indices, sizes or arrays that do not fit together."""


class EntrywiseError(ShapeError):
    """A product of two tensors of one shape, which fits entry by entry but not as a product of matrices."""


class UnsaidShapeError(ShapeError):
    """A range that nothing says, a size of 0, or a tensor of more axes than matrices have: no shape that could fit."""


class RangeError(ShapeError):
    """An index over axes of two sizes, or over another range than its axis: which of them is meant cannot be told."""


class CycleError(FormulaError):
    """Definitions that read each other in a circle."""


class LimitError(FormulaError):
    """A formula that is larger than the stated limits."""


class UnsupportedError(SymBackpropError):
    """Something that is meaningful and that this version does not do; the message says what to do instead."""


class UnknownNameError(SymBackpropError):
    """A tensor, function, index or option that does not exist; `known` lists those that do."""

    def __init__(self, message: str, *, name: str, known: tuple[str, ...] = ()) -> None:
        self.name, self.known = name, known
        super().__init__(message)


class ArgumentError(SymBackpropError):
    """A call whose arguments do not fit: wrong, missing or extra names, or a value outside its range."""


class DataError(SymBackpropError):
    """Data that does not fit the program: shapes, labels outside their range, values that a program declared away."""


class DivergenceError(SymBackpropError):
    """Numbers that left the finite range while training or descending; the message says at which step."""


class CurvatureError(SymBackpropError):
    """A matrix of second derivatives that is singular or not positive definite where a step must divide by it.

    `smallest` is its smallest eigenvalue, and `step` the number of the step, from 1.
    """

    def __init__(self, message: str, *, smallest: float, step: int) -> None:
        self.smallest, self.step = smallest, step
        super().__init__(message)


class UndefinedGradientError(SymBackpropError):
    """A derivative that does not exist, such as one by an integer tensor."""


class DocumentError(SymBackpropError):
    """A document that cannot be read, or whose claims cannot be understood."""

    @property
    def line(self) -> int | None:
        """The line that the message begins with, if it does.

        >>> DocumentError("line 7: found $$ that is never closed").line
        7
        """
        found = re.match(r"line (\d+)\b", str(self))
        return None if found is None else int(found[1])


class WorkerError(SymBackpropError):
    """The process in which documents are judged cannot be started; the message says what it said last."""
