"""The names that a person's forward and backward bind, seen line by line while the code runs once more.

A symbol is put in the place of each entry of an array that forward makes, so that the chain rule gives the derivatives
by it too.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import numpy as np
import sympy as sp

from symbackprop.proof.traced_arrays import TracedArray
from symbackprop.proof.traced_rounding import is_infinite
from symbackprop.proof.traced_values import Traced
from symbackprop.proof.tracing import Subject, Trace, run
from symbackprop.proof.unwritten import Unwritten

_MOST_ENTRIES = 200

Place = tuple[str, int]
"""A file and the number of a line."""


@dataclass(frozen=True, slots=True)
class Result:
    """An array that forward made: the symbols of its entries, and what they stand for."""

    name: str
    array: np.ndarray[Any, Any]
    symbols: tuple[sp.Symbol, ...]
    definitions: tuple[sp.Expr, ...]

    @property
    def is_kept(self) -> bool:
        """Whether nothing was written into it later."""
        pairs = zip(self.array.flat, self.symbols, strict=True)
        return all(_is_known(entry) and entry.expression == symbol for entry, symbol in pairs)


@dataclass(slots=True)
class Held:
    """What a name was worth in turn, each time with the line that made it so."""

    shape: tuple[int, ...]
    values: dict[tuple[sp.Expr, ...], Place] = field(default_factory=dict)


@dataclass(slots=True)
class Followed:
    """One name of backward, a symbol in the place of each entry whenever it is worth something else: what is computed
    from it reads those.
    """

    name: str
    made: list[tuple[Place, tuple[sp.Symbol, ...]]] = field(default_factory=list)
    is_lost: bool = False  # whether something may have been computed from it before it got its symbols

    def see(self, names: dict[str, Any], new: dict[str, Any], place: Place) -> None:
        """What a line has made of it."""
        value = names.get(self.name)
        if type(value) is not TracedArray or value.size > _MOST_ENTRIES:
            return
        entries = list(np.ndarray.view(value, np.ndarray).flat)
        if not all(map(_is_known, entries)):
            return
        if self.made and tuple(each.expression for each in entries) == self.made[-1][1]:
            return
        result = _name_entries(self.name, value)
        self.is_lost = self.is_lost or result is None or bool(new.keys() - {self.name})
        if result is not None:
            self.made.append((place, result.symbols))


@dataclass(slots=True)
class StageWatch:
    """Sees the person's two functions run; names are read from both, and results named in forward."""

    forward: CodeType | None
    backward: CodeType | None
    followed: Followed | None = None
    results: dict[str, Result | None] = field(default_factory=dict)  # None for what is no such array, or two of them
    held: dict[str, Held] = field(default_factory=dict)

    @classmethod
    def of(cls, subject: Subject, followed: str = "") -> StageWatch:
        """One that waits for the functions of a subject, and follows one name of backward."""
        codes = _code_of(subject.forward), _code_of(subject.backward)
        return cls(*codes, Followed(followed) if followed else None)

    def run(self, subject: Subject, trace: Trace, deadline: float) -> Trace:
        """The run of a trace once more."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            return run(subject, trace.point, deadline, 0, trace.reading)
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        """What follows a frame, where it is one of the two functions."""
        makes = frame.f_code is self.forward
        if not makes and frame.f_code is not self.backward:
            return None
        known, line = dict(frame.f_locals), frame.f_lineno

        def step(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal known, line
            if event in ("line", "return"):
                names = dict(frame.f_locals)
                new = {name: value for name, value in names.items() if known.get(name) is not value}
                if makes:
                    self._name(new)
                self._hold(names, (frame.f_code.co_filename, line))
                if self.followed is not None:
                    self.followed.see(names, new, (frame.f_code.co_filename, line))
                known, line = names, frame.f_lineno
            return step

        self._hold(known, (frame.f_code.co_filename, line))
        return step

    def _name(self, new: dict[str, Any]) -> None:
        """Name a result that a line has made alone: then nothing was computed from it before."""
        for name, value in new.items():
            alone = len(new) == 1 and type(value) is TracedArray and name not in self.results
            self.results[name] = _name_entries(name, value) if alone else None

    def _hold(self, names: dict[str, Any], place: Place) -> None:
        for name, value in names.items():
            if type(value) is not TracedArray or value.size > _MOST_ENTRIES:
                continue
            entries = np.ndarray.view(value, np.ndarray)
            if all(isinstance(each, Traced) and not isinstance(each, Unwritten) for each in entries.flat):
                held = self.held.setdefault(name, Held(value.shape))
                if held.shape == value.shape:
                    held.values.setdefault(tuple(each.expression for each in entries.flat), place)


def _code_of(function: Any) -> CodeType | None:
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    return getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)


def _name_entries(name: str, value: TracedArray) -> Result | None:
    """The array with a symbol in the place of each entry; None where not all of them are known."""
    plain = np.ndarray.view(value, np.ndarray)
    entries = list(plain.flat)
    if not 0 < len(entries) <= _MOST_ENTRIES or not plain.flags.writeable or not all(map(_is_known, entries)):
        return None
    symbols = [each.path.cuts.name_apart(each.expression) for each in entries]
    for place, entry, symbol in zip(np.ndindex(*plain.shape), entries, symbols, strict=True):
        plain[place] = Traced(entry.path, symbol, entry.needs)
    return Result(name, plain, tuple(symbols), tuple(each.expression for each in entries))


def _is_known(entry: Any) -> bool:
    return isinstance(entry, Traced) and not isinstance(entry, Unwritten) and not is_infinite(entry.expression)
