"""Runs of a person's forward and backward on traced arrays, one for each path that the code can take."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
import sympy as sp

from symbackprop.errors import ArgumentError
from symbackprop.proof.budget import Budget
from symbackprop.proof.choices import Choices
from symbackprop.proof.cuts import Cuts
from symbackprop.proof.equality import decide
from symbackprop.proof.facts import Fact
from symbackprop.proof.guarded_calls import CodeStoppedError, OutsideError, Watch, call_guarded, is_own_statement
from symbackprop.proof.inner_arrays import ArrayPath, find_path
from symbackprop.proof.module_shims import Forbidden, MathShim, WarningsShim
from symbackprop.proof.numpy_shim import NumpyShim
from symbackprop.proof.path_signs import Reading
from symbackprop.proof.rebinding import Ownership, Rebinder
from symbackprop.proof.stops import FreeMaximumError, PointRejectedError, TracingStoppedError
from symbackprop.proof.traced_needs import Needs
from symbackprop.proof.traced_paths import TracedPath
from symbackprop.proof.traced_random import python_random
from symbackprop.proof.traced_special import SpecialShim
from symbackprop.proof.traced_types import TracedBytes, TracedFloat, TracedType, is_instance
from symbackprop.proof.traced_values import Traced
from symbackprop.proof.unwritten import Unwritten

_MANY_SEEDS = 6
"""From this seed on a point is drawn from many numbers; as many are tried again."""
_STEPS_TO_COMPARE = 100_000
_EMPTY = "np.empty holds whatever was there"

Shapes = Mapping[str, tuple[int, ...]]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged: a forward with its backward, or one function that does both."""

    forward: Callable[..., Any]
    backward: Callable[..., Any] | None
    shapes: Shapes
    data: Mapping[str, Any]

    @property
    def ownership(self) -> Ownership:
        """Which code is the person's."""
        return Ownership.of(*(each for each in (self.forward, self.backward) if each is not None))


@dataclass(frozen=True, slots=True)
class Trace:
    """One run: output, upstream and gradients as expressions, and the conditions of the path."""

    output: tuple[sp.Expr, ...]
    upstream: tuple[sp.Expr, ...]
    output_shape: tuple[int, ...]
    gradients: Mapping[str, tuple[tuple[int, ...], tuple[sp.Expr, ...]]]
    conditions: tuple[Fact, ...]
    point: Mapping[str, Fraction]
    remarks: tuple[str, ...]
    notes: tuple[str, ...]
    mixes_types: bool  # whether it asks for floats of other types
    rounding: Fraction  # how far off numbers may be that were read, relative to themselves
    unordered: bool  # whether entries stood in an order that NumPy leaves open
    cuts: Cuts
    needs: Mapping[str, tuple[Needs | None, ...]]  # of each entry of the gradients; those of the output under ""
    unwritten: tuple[str, ...]  # for each gradient, what is wrong with its first entry that nothing was written to
    reading: Reading
    maxima_free: bool  # whether a maximum was met and left free
    masks: tuple[sp.Expr, ...]  # numbers that a mask may mean as minus infinity
    arrays: Mapping[str, tuple[int, ...]]  # the shapes of arrays that stand outside of the functions
    choices: Choices
    asked_by_forward: tuple[Fact, ...]  # the conditions of the path that forward has


def make_upstream(output: Any) -> Any:
    """The gradient that arrives at an output: a variable for each of its entries.

    Outside of a verification it is an array of ones, so that the same function runs on floats.
    """
    if type(output) in (tuple, list):
        return type(output)(_upstream_of(each, f"upstream{k + 1}") for k, each in enumerate(output))
    return _upstream_of(output, "upstream")


def _upstream_of(output: Any, name: str) -> Any:
    try:
        path = find_path((output,))
    except TracingStoppedError:
        return np.ones_like(output)
    shape = np.shape(output) if isinstance(output, np.ndarray) else ()
    entries = tuple(None if isinstance(entry, Unwritten) else path.read(entry) for entry in _entries(output))
    made = path.variables(path.name_arrival(name, (shape, entries)), shape)
    path.upstreams.append((made, _expressions(path, made)))
    return made


def _draw_numbers(seed: int) -> Callable[[str], Fraction]:
    """A number for each name, the same in every process; odd seeds draw positive ones.

    Late seeds draw from many, as the entries of a large array would else be alike somewhere, which is a tie.
    """
    largest, denominator = (97, 64) if seed < _MANY_SEEDS else (99_991, 65_536)

    def draw(name: str) -> Fraction:
        generator = random.Random(f"{seed}:{name}")
        magnitude = Fraction(generator.randint(1, largest), denominator)
        return magnitude if seed % 2 else magnitude * generator.choice((-1, 1))

    return draw


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one call of forward, then backward, returned."""

    output: Any
    targets: tuple[sp.Expr, ...]  # the entries of the output, as they were before backward
    weights: tuple[sp.Expr, ...]  # what arrives at each of them
    gradients: Mapping[str, Any]
    remarks: tuple[str, ...]
    asked: int  # how many conditions were met in forward


def run(subject: Subject, point: Mapping[str, Fraction], deadline: float, seed: int, reading: Reading) -> Trace:
    """One run of the person's code at a sample point."""
    path = TracedPath(point, _draw_numbers(seed), deadline, reading, subject.ownership, subject.shapes)
    rebind = _rebinder(path, subject.ownership)
    made = _call(subject, path, rebind)
    if rebind.matches_classes:
        raise TracingStoppedError("the code has a match by class, in which traced numbers are no floats")
    if reading.comparisons_open and (rebind.handles_errors or rebind.asks_identity):
        raise TracingStoppedError("the code has handlers, or asks by `is`, which passes over an open comparison")
    if path.maxima_compared:
        raise FreeMaximumError("a maximum is compared")
    shapes, output, gradients = subject.shapes, made.output, made.gradients
    return Trace(
        made.targets,
        made.weights,
        np.shape(output) if isinstance(output, np.ndarray) else (),
        {name: (_shape(gradients[name]), _read_gradient(path, name, gradients[name])) for name in shapes},
        tuple(path.conditions),
        path.point,
        made.remarks,
        tuple(path.notes),
        path.mixes_types,
        path.rounding,
        path.unordered,
        path.cuts,
        {"": (*_needs(output), *path.compared), **{name: _needs(gradients[name]) for name in shapes}},
        tuple(text for name in shapes for text in _list_unwritten(f"the gradient of {name}", gradients[name])),
        reading,
        path.maxima_met,
        tuple(path.masks),
        rebind.arrays,
        path.choices,
        tuple(path.conditions[: made.asked]),
    )


def at_some_point(attempt: Callable[[int], Result]) -> Result:
    """What an attempt makes of the first seed whose point is not rejected, nor one for which forward raises."""
    rejected: PointRejectedError | OutsideError = PointRejectedError("no sample point was tried")
    for seed in range(2 * _MANY_SEEDS):
        try:
            return attempt(seed)
        except (PointRejectedError, OutsideError) as error:
            rejected = error
    if isinstance(rejected, OutsideError):
        raise rejected
    raise TracingStoppedError(str(rejected))


def list_changes(subject: Subject, deadline: float) -> list[str]:
    """What is not the same after an earlier call with other inputs, as the code keeps state between calls."""

    def call_last(seed: int, prefixes: Sequence[str]) -> dict[str, tuple[sp.Expr, ...]]:
        """What the last of some calls in one world returns, each with inputs of a name of its own."""
        path = TracedPath({}, _draw_numbers(seed), deadline, Reading(), subject.ownership, subject.shapes)
        rebind = _rebinder(path, subject.ownership)
        *_, made = [_call(subject, path, rebind, prefix) for prefix in prefixes]
        return _read_values(path, subject, made)

    first, second = at_some_point(lambda seed: (call_last(seed, [""]), call_last(seed, ["earlier ", ""])))
    budget = Budget(max(deadline - time.process_time(), 0.1), most_steps=_STEPS_TO_COMPARE)
    return [what for what, entries in first.items() if not _are_same(entries, second[what], budget)]


def _are_same(first: tuple[sp.Expr, ...], second: tuple[sp.Expr, ...], budget: Budget) -> bool:
    """Whether two results are proved to be equal, entry by entry."""
    return len(first) == len(second) and all(
        one == other or decide(one, other, claim="", budget=budget).proved
        for one, other in zip(first, second, strict=True)
    )


def _read_values(path: TracedPath, subject: Subject, made: _Outcome) -> dict[str, tuple[sp.Expr, ...]]:
    """What a call returned, entry by entry."""
    named = {f"the gradient of {name}": _read_gradient(path, name, made.gradients[name]) for name in subject.shapes}
    read = {"the output": made.targets, **named}
    return {what: tuple(map(path.cuts.expand, entries)) for what, entries in read.items()}


def _call(subject: Subject, path: TracedPath, rebind: Rebinder, prefix: str = "") -> _Outcome:
    """Call the person's code once, in the world of a path; the entries of x are named x[0], behind the prefix."""
    path.arrivals.clear()
    inputs = {name: path.variables(prefix + name, tuple(shape)) for name, shape in subject.shapes.items()}
    before = {name: _expressions(path, value) for name, value in inputs.items()}
    given = {name: _given(path, rebind, value) for name, value in subject.data.items()}
    remarks = []
    forward, backward = rebind(subject.forward), subject.backward and rebind(subject.backward)
    path.handles_errors = rebind.handles_errors
    title, watch = _title(subject.forward), Watch(subject.ownership, rebind.handles_errors)
    try:
        result = call_guarded(watch, title, lambda: forward(**inputs, **given))
    except CodeStoppedError as error:
        compared = path.conditions and not path.upstreams and watch.raised is None
        cause = error.__cause__
        if compared and (cause in path.refused or (cause and is_own_statement(cause, subject.ownership))):
            raise OutsideError(error, tuple(path.conditions), path.point) from cause
        raise
    asked = len(path.conditions)
    remarks += [f"{title} changes its input {n} in place" for n in inputs if _expressions(path, inputs[n]) != before[n]]
    if backward is None:
        if not isinstance(result, tuple) or len(result) != 3 or not isinstance(result[2], Mapping):
            raise ArgumentError(f"{title} has to return (output, upstream, {{name: gradient}}).")
        output, upstream, gradients = result
    else:
        if not isinstance(result, tuple) or len(result) != 2:
            raise ArgumentError(f"{title} has to return (output, cache); several outputs are a tuple of their own.")
        output, cache = result
        upstream = make_upstream(output)
    faults = _list_unwritten("the output", output)
    if faults:
        raise TracingStoppedError(f"{title} returns {faults[0]}")
    targets = _expressions(path, output)
    weights = _expressions(path, upstream)
    if backward is not None:
        name = _title(subject.backward)
        gradients = name_gradients(subject.shapes, call_guarded(watch, name, lambda: backward(upstream, cache)), name)
        title = name
    for made, symbols in path.upstreams:
        if made is upstream and _expressions(path, upstream) != symbols:
            weights = symbols
            remarks.append(f"{title} changes the upstream gradient in place")
    weights = weights if len(weights) == len(targets) else weights * len(targets)
    if len(weights) != len(targets):
        raise ArgumentError("the upstream gradient and the output have different shapes.")
    missing = [name for name in subject.shapes if gradients.get(name) is None]
    if missing:
        others = [str(name) for name in gradients if gradients[name] is not None]
        found = f"; what was returned is named {', '.join(others)}" if others else ""
        raise ArgumentError(f"no gradient was returned for {', '.join(missing)}{found}.")
    remarks += _shared_memory({name: gradients[name] for name in subject.shapes})
    return _Outcome(output, targets, weights, gradients, tuple(remarks), asked)


def _rebinder(path: TracedPath, ownership: Ownership) -> Rebinder:
    numpy = NumpyShim(path)
    return Rebinder(
        ownership,
        {
            "numpy": numpy,
            "numpy.random": numpy.random,
            "numpy.linalg": numpy.linalg,
            "math": MathShim(path),
            "scipy.special": SpecialShim(path),
            "random": python_random(path),
            "secrets": Forbidden("secrets", "is random"),
            "uuid": Forbidden("uuid", "is random"),
            "time": Forbidden("time", "reads a clock"),
            "warnings": WarningsShim(path),
            "a generator": Forbidden("a generator from outside of the functions", "is random"),
        },
        path.settle,
        {
            "float": TracedFloat,
            "type": TracedType,
            "isinstance": is_instance,
            "memoryview": Forbidden("memoryview", "reads raw memory, which is not traced"),
            "bytes": TracedBytes,
            "bytearray": Forbidden("bytearray", "reads raw memory, which is not traced"),
            "open": Forbidden("open", "reads or writes files"),
            "input": Forbidden("input", "asks a person"),
        },
    )


def _given(path: TracedPath, rebind: Rebinder, value: Any) -> Any:
    """Data of the person: floats exact, integers as they are, and copies of what may be written to."""
    return path.constant(value) if isinstance(value, float | np.floating) else rebind(value)


def _expressions(path: ArrayPath, value: Any) -> tuple[sp.Expr, ...]:
    """The entries of an array, or of several, in row-major order."""
    return tuple(path.read(entry) for entry in _entries(value))


def _entries(value: Any) -> list[Any]:
    if type(value) in (tuple, list):
        return [entry for each in value for entry in _entries(each)]
    return [value] if isinstance(value, Traced) else list(np.asarray(value, dtype=object).flat)


def _needs(value: Any) -> tuple[Needs | None, ...]:
    return tuple(entry.needs if isinstance(entry, Traced) else None for entry in _entries(value))


def _list_unwritten(title: str, value: Any) -> list[str]:
    """What is wrong with the first entry that nothing was written to."""
    for number, entry in enumerate(_entries(value)):
        if isinstance(entry, Unwritten):
            shape = _shape(value) if not isinstance(value, tuple | list) else (number + 1,)
            place = ",".join(map(str, np.unravel_index(number, shape))) if shape else ""
            what = "is computed from an entry that was" if entry.computed else "was"
            return [f"{title} of which entry [{place}] {what} never written: {_EMPTY}"]
    return []


def _read_gradient(path: TracedPath, name: str, value: Any) -> tuple[sp.Expr, ...]:
    """The entries of a gradient; what was never written is a symbol of its own, which equals nothing."""
    return tuple(
        sp.Symbol(f"unwritten {name} {number}") if isinstance(entry, Unwritten) else path.read(entry)
        for number, entry in enumerate(_entries(value))
    )


def _shape(value: Any) -> tuple[int, ...]:
    return () if isinstance(value, Traced) else np.shape(value)


def _title(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def name_gradients(shapes: Shapes, gradients: Any, name: str) -> Mapping[str, Any]:
    """What backward returned, under the names of the inputs."""
    if isinstance(gradients, Mapping):
        return gradients
    if gradients is None:
        raise ArgumentError(f"{name} returned None in place of the gradients.")
    listed = tuple(gradients) if isinstance(gradients, tuple | list | Iterator) else (gradients,)
    if len(listed) != len(shapes):
        raise ArgumentError(
            f"{name} returned {len(listed)} gradients, and shapes names {len(shapes)} inputs: {', '.join(shapes)}."
        )
    return dict(zip(shapes, listed, strict=True))


def _shared_memory(gradients: Mapping[str, Any]) -> list[str]:
    names = [name for name, value in gradients.items() if isinstance(value, np.ndarray)]
    return [
        f"the gradients of {a} and {b} share memory"
        for k, a in enumerate(names)
        for b in names[k + 1 :]
        if np.shares_memory(np.asarray(gradients[a]), np.asarray(gradients[b]))
    ]
