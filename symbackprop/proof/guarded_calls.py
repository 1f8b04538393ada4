"""Calls of a person's code: what it raises is told with its line, and its handlers hide nothing that is not traced."""

from __future__ import annotations

import dis
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from linecache import getline
from pathlib import Path as FilePath
from types import FrameType
from typing import Any

import numpy as np

from symbackprop.errors import ArgumentError, SymBackpropError
from symbackprop.proof.facts import Fact
from symbackprop.proof.inner_arrays import InnerArray
from symbackprop.proof.rebinding import Ownership
from symbackprop.proof.stops import FreeMaximumError, PointRejectedError, TracingStoppedError
from symbackprop.proof.traced_values import PythonFloat, Traced

_TRACED = tuple(kind.__name__ for kind in (Traced, PythonFloat, InnerArray))


class CodeStoppedError(SymBackpropError):
    """The person's code raised, or did what cannot be traced; `part` is the function that was running."""

    def __init__(self, place: str, line: str, cause: str, part: str, *, traced: bool) -> None:
        self.place, self.line, self.cause, self.part, self.traced = place, line, cause, part, traced
        where = f"{place}: `{line}`: " if place else f"in {part}: "
        super().__init__(f"{where}{cause}")


class OutsideError(CodeStoppedError):
    """A statement of forward itself raised for what it compared: `conditions` say for which inputs, `point` is one."""

    def __init__(
        self, stopped: CodeStoppedError, conditions: tuple[Fact, ...], point: Mapping[str, Fraction]
    ) -> None:
        super().__init__(stopped.place, stopped.line, stopped.cause, stopped.part, traced=False)
        self.conditions, self.point = conditions, point


@dataclass(slots=True)
class Watch:
    """Sees what is raised in the person's functions while they run, where they have handlers.

    An error that only tracing raises would else be handled as one of theirs, and the rest of the run is not what
    NumPy does.
    """

    ownership: Ownership
    handlers: bool  # whether the code has any
    raised: BaseException | None = None
    place: tuple[str, str] = "", ""

    def run(self, call: Callable[[], Any]) -> Any:
        """The call, its exceptions noted."""
        if not self.handlers:
            return call()
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            return call()
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        if not self.ownership.owns(frame.f_code.co_filename, str(frame.f_globals.get("__name__", ""))):
            return None
        frame.f_trace_lines = False
        return self._note

    def _note(self, frame: FrameType, event: str, found: Any) -> Any:
        if event == "exception" and self.raised is None and _is_of_tracing(found[1]):
            self.raised, self.place = found[1], _place_of(frame, frame.f_lineno)
        return self._note


def is_own_statement(error: BaseException, ownership: Ownership) -> bool:
    """Whether a `raise` or an `assert` of the person raised it, outside of a handler, and not what their code calls."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    code = frame.f_code
    owned = ownership.owns(code.co_filename, str(frame.f_globals.get("__name__", "")))
    return owned and dis.opname[code.co_code[frame.f_lasti]] == "RAISE_VARARGS" and error.__context__ is None


def _is_of_tracing(error: BaseException) -> bool:
    """Whether floats would not have raised it."""
    if isinstance(error, SymBackpropError):
        return True
    return isinstance(error, TypeError | AttributeError | ValueError) and any(name in str(error) for name in _TRACED)


def call_guarded(watch: Watch, part: str, call: Callable[[], Any]) -> Any:
    """Run a piece of the person's code; what it raises is told with the line that raised it."""
    try:
        with np.errstate(all="ignore"):
            made = watch.run(call)
    except (PointRejectedError, FreeMaximumError):
        raise
    except SystemExit as error:
        place, line = _locate(watch.ownership, error)
        raise ArgumentError(f"{place}: `{line}`: the code ends the process: {error!r}.") from error
    except Exception as raised:  # whatever their code raises is a fact about it, not a failure of ours
        behind = _behind(raised)
        if isinstance(behind, PointRejectedError | FreeMaximumError):
            raise behind from raised
        place, line = _locate(watch.ownership, raised)
        raise _stopped(behind, place, line, part) from raised
    if isinstance(watch.raised, PointRejectedError | FreeMaximumError):
        raise watch.raised
    if watch.raised is not None:
        raise _stopped(watch.raised, *watch.place, part) from watch.raised
    return made


def _behind(error: Exception) -> Exception:
    """What was raised while NumPy compared objects, as in argmax: it goes on, and Python then finds an error set."""
    cause = error.__cause__
    return cause if isinstance(error, SystemError) and isinstance(cause, SymBackpropError) else error


def _stopped(error: BaseException, place: str, line: str, part: str) -> CodeStoppedError:
    traced = isinstance(error, TracingStoppedError)
    cause = str(error) if traced else f"{type(error).__name__}: {error}".removesuffix(": ")
    return CodeStoppedError(place, line, cause, part, traced=traced)


def _locate(ownership: Ownership, error: BaseException) -> tuple[str, str]:
    """The last line of the person's own code that an error came through."""
    found = "", ""
    for frame, number in traceback.walk_tb(error.__traceback__):
        if ownership.owns(frame.f_code.co_filename, str(frame.f_globals.get("__name__", ""))):
            found = _place_of(frame, number)
    return found


def _place_of(frame: FrameType, number: int) -> tuple[str, str]:
    file = frame.f_code.co_filename
    return f"{FilePath(file).name}:{number}", getline(file, number).strip()
