"""What ends a run of a person's code before its end."""

from __future__ import annotations

from symbackprop.errors import SymBackpropError


class TracingStoppedError(SymBackpropError):
    """The code did something that a traced number cannot follow."""


class FormulaTooLongError(TracingStoppedError):
    """A formula has more parts than are looked at."""


class PointRejectedError(SymBackpropError):
    """The sample point lies on a kink or outside the domain; another one has to be taken."""


class FreeMaximumError(SymBackpropError):
    """The code compares a maximum that was left free; it has to be run with the maxima told."""
