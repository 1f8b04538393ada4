"""Runs of a person's code on plain floats, as NumPy makes them.

A traced number passes for a float, but code can tell: by its class, or by what a library makes of it. So what was
traced is held against what the same code returns without tracing, at the same point.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Any

import numpy as np
import sympy as sp
from flint import arb

from symbackprop.proof.cuts import Largest
from symbackprop.proof.evaluation import Value, evaluate_in_turn
from symbackprop.proof.inner_arrays import entry_name
from symbackprop.proof.module_shims import Forbidden
from symbackprop.proof.nearby_points import may_hold
from symbackprop.proof.rebinding import Rebinder
from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_needs import list_needs
from symbackprop.proof.tracing import Subject, Trace, name_gradients

_ROUNDING, _COARSE_ROUNDING = 1e-5, 1e-2
"""How far apart results may be, relative to the largest of them or 1; the second where types of fewer digits mix."""
_CALLS = 8
_PRECISION = 128

Entries = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """The shape of a result, and its entries: floats, or None where a value is not known."""

    shape: tuple[int, ...]
    entries: Entries


class _PlainNumpy:
    """NumPy as it is, for code that is copied."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself."""
        return function


class _FloatWorld:
    """Copies of a person's functions, with all that they keep between calls."""

    def __init__(self, subject: Subject) -> None:
        refused = {name: Forbidden(name, "is not for code that is judged") for name in ("open", "input")}
        generator = Forbidden("a generator from outside of the functions", "is random")
        rebind = Rebinder(
            subject.ownership, {"numpy": _PlainNumpy(), "a generator": generator}, lambda value: value, refused
        )
        self._shapes, self._rebind, self._data = subject.shapes, rebind, subject.data
        self._forward, self._backward = rebind(subject.forward), subject.backward and rebind(subject.backward)

    def call(self, point: Mapping[str, Fraction], trace: Trace) -> dict[str, _Made]:
        """What one call returns at a point, the output under ""; what arrives at it is an array of its own."""
        inputs = {name: _array_of(point, name, tuple(shape)) for name, shape in self._shapes.items()}
        given = {name: self._rebind(value) for name, value in self._data.items()}
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            output, *others = self._forward(**inputs, **given)
            found = {"": _made_of(output)}  # before backward, which may write into it
            if self._backward is not None:
                others = [self._backward(_upstream_of(_list_upstream(trace, point), output), *others)]
            gradients = name_gradients(self._shapes, others[-1], "backward")
        return {**found, **{name: _made_of(gradients[name]) for name in self._shapes}}


@contextmanager
def _generators_kept() -> Iterator[None]:
    """What draws numbers for the whole process is afterwards as it was: code may seed it."""
    of_numpy, of_python = np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        np.random.set_state(of_numpy)
        random.setstate(of_python)


@_generators_kept()
def say_on_floats(subject: Subject, trace: Trace) -> str:
    """What the code does on plain floats at the point of a trace, if that is something else than when it is traced.

    Nothing is said of a result that has no value there, nor where NumPy leaves an order open.
    """
    if trace.unordered:
        return ""
    point = dict(trace.point)
    if subject.backward is None:  # an upstream gradient is one on floats, which may be on another path
        given = {entry_name(name, place) for name, shape in subject.shapes.items() for place in np.ndindex(*shape)}
        point |= dict.fromkeys(point.keys() - given, Fraction(1))
        if not all(may_hold(fact, point) for fact in trace.conditions):
            return ""
    try:
        made = _FloatWorld(subject).call(point, trace)
    except TracingStoppedError:
        return ""
    except Exception as error:  # whatever their code raises is a fact about it
        return f"on plain floats the code raises {type(error).__name__}: {error}; it does not when it is traced"
    expected = _expect(trace, point)
    bound = _COARSE_ROUNDING if trace.mixes_types or trace.rounding else _ROUNDING
    for name, there in expected.items():
        what = f"the gradient of {name}" if name else "the output"
        said = _say_difference(made[name], there, bound, shaped=name != "")
        if said and all(may_hold(trace.cuts.expand_fact(fact), trace.point) for fact in list_needs(trace.needs[name])):
            return f"on plain floats {what} has {said} when the code is traced"
    return ""


def _say_difference(here: _Made, there: _Made, bound: float, *, shaped: bool) -> str:
    """What one result has where another one has something else."""
    if shaped and here.shape not in ((), there.shape):
        return f"the shape {here.shape}, and {there.shape}"
    if len(here.entries) != len(there.entries):
        return f"{len(here.entries)} entries, and {len(there.entries)}"
    known = [abs(each) for each in (*here.entries, *there.entries) if each is not None and isfinite(each)]
    for one, other in zip(here.entries, there.entries, strict=True):
        if one is not None and other is not None and not abs(one - other) <= bound * max(1.0, *known):
            return f"an entry {one:.7g} where it is {other:.7g}"
    return ""


@_generators_kept()
def list_float_changes(subject: Subject, trace: Trace) -> list[str]:
    """What is not the same in one of some later calls with the same inputs, on plain floats."""
    world = _FloatWorld(subject)
    try:
        first = world.call(trace.point, trace)
    except Exception:  # said where this call is held against the trace
        return []
    try:
        later = [world.call(trace.point, trace) for _ in range(_CALLS - 1)]
    except Exception:  # whatever their code raises is a fact about it
        return ["what is returned"]
    changed = [name for name in first if any(repr(other[name]) != repr(first[name]) for other in later)]  # NaN too
    return [f"the gradient of {name}" if name else "the output" for name in changed]


def _expect(trace: Trace, point: Mapping[str, Fraction]) -> dict[str, _Made]:
    """What a trace says of the results at its point."""
    results = {"": (trace.output_shape, trace.output), **trace.gradients}
    expressions = [expression for _, entries in results.values() for expression in entries]
    definitions = {
        symbol: sp.Max(*definition.args, evaluate=False) if isinstance(definition, Largest) else definition
        for symbol, definition in trace.cuts.definitions.items()
    }
    values = map(_float_of, evaluate_in_turn(definitions, expressions, point, _PRECISION))
    return {name: _Made(shape, tuple(next(values) for _ in entries)) for name, (shape, entries) in results.items()}


def _float_of(value: Value | None) -> float | None:
    """A value as a float, if there is one that holds it."""
    if value is None:
        return None
    try:
        made = float(value) if isinstance(value, arb) else int(value.p) / int(value.q)
    except OverflowError:
        return None
    return made if isfinite(made) else None


def _array_of(point: Mapping[str, Fraction], name: str, shape: tuple[int, ...]) -> Any:
    made = np.empty(shape)
    for place in np.ndindex(*shape):
        made[place] = float(point[entry_name(name, place)])
    return made if shape else made[()]


def _list_upstream(trace: Trace, point: Mapping[str, Fraction]) -> np.ndarray[Any, Any]:
    """What arrives at each entry of the output: variables, and 1 for outputs that are constants."""
    return np.array([float(point[weight.name] if weight.is_Symbol else weight) for weight in trace.upstream])


def _upstream_of(upstream: np.ndarray[Any, Any], output: Any) -> Any:
    """The gradient that arrives at an output, in its shape."""
    if type(output) not in (tuple, list):
        made = np.reshape(upstream, np.shape(output))
        return made if made.shape else made[()]
    ends = np.cumsum([np.size(each) for each in output])
    return type(output)(map(_upstream_of, np.split(upstream, ends[:-1]), output))


def _made_of(value: Any) -> _Made:
    """A result, or several outputs one behind the other, which have no shape together."""
    several = type(value) in (tuple, list) and any(np.ndim(each) for each in value)
    arrays = [np.asarray(each, dtype=float) for each in (value if several else (value,))]
    shape = () if several else arrays[0].shape
    return _Made(shape, tuple(float(entry) for array in arrays for entry in array.flat))
