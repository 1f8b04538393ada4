"""Where the time of a step goes: the share of each kind of operation in our NumPy code, and how fast products run."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

import symbackprop as sb
from benchmarks.contest import Pace, write_table, write_time
from benchmarks.networks import DENSE, LAYERS, Case
from benchmarks.processes import call

DTYPE = "float32"
KINDS = {
    "products": ("matmul", "vecdot", "vdot", "dot"),
    "exp, log, tanh": ("exp", "log", "tanh", "log1p", "expm1", "sqrt"),
    "maxima and choices": ("keep", "choose", "first_of_few", "largest_of_few", "argmax", "equal", "greater",
                           "greater_equal", "less", "less_equal", "logical_and", "logical_or", "logical_not", "maximum",
                           "minimum"),
    "windows, gathers, tiles": ("window", "gather", "gather_by_axes", "take", "tile", "fold", "scatter", "add_at",
                                "place"),
    "copies": ("copyto", "array", "empty", "broadcast_to"),
    "other arithmetic": ("add", "subtract", "multiply", "divide", "negative", "square", "abs", "reciprocal"),
}  # fmt: skip
"""The functions that generated code calls."""
OTHER = "steps between them"


class Clocked:
    """NumPy whose functions note the seconds that they take; one that another calls counts for that one."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds, self.inside = seconds, False
        for kind, names in KINDS.items():
            for name in names:
                if hasattr(np, name):
                    setattr(self, name, self.clock(kind, getattr(np, name)))

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def clock(self, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        def timed(*arguments: Any, **named: Any) -> Any:
            if self.inside:
                return function(*arguments, **named)
            self.inside = True
            start = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds[kind] += time.perf_counter() - start
                self.inside = False

        return timed


def share(place: int, rounds: int) -> Iterator[dict[str, float]]:
    """The seconds of a step of one case by kinds, and of a step that is not clocked under ""."""
    case = cases()[place].cast(DTYPE)
    f: Any = sb.derive(case.program, list(case.wrt)).compile("numpy", DTYPE)

    def step() -> float:
        start = time.perf_counter()
        f(case.params, **case.data)
        return time.perf_counter() - start

    plain = sorted(step() for _ in range(rounds))[rounds // 2]
    seconds: dict[str, float] = defaultdict(float)
    clocked = Clocked(seconds)
    names: dict[str, Any] = f._forward.__globals__
    for kind, functions in KINDS.items():
        for name in functions:
            if name in names and not isinstance(names[name], ModuleType):
                names[name] = clocked.clock(kind, names[name])
    names["np"] = clocked
    step()
    seconds.clear()
    whole = sum(step() for _ in range(rounds))
    found = {kind: seconds[kind] / whole for kind in KINDS}
    yield found | {OTHER: 1 - sum(found.values()), "": plain}


def cases() -> list[Case]:
    """The networks that are clocked."""
    return [DENSE[1].case(), *(make() for make in LAYERS.values())]


def report(pace: Pace) -> str:
    """A row for each case."""
    rows = []
    for place, case in enumerate(cases()):
        (found,) = call("shares", "share", 1, place=place, rounds=20 if pace.quick else 60)
        shares = (f"{100 * found[kind]:.0f} %" for kind in (*KINDS, OTHER))
        rows.append((case.name, write_time(found[""]), *shares))
    table = write_table(("case", "a step", *KINDS, OTHER), rows)
    return (
        "## Where the time goes\n\n"
        "Loss and gradients by our NumPy code, one thread, float32: the median time of a step, and the shares of what\n"
        "it calls, clocked in steps of their own. Clocking adds about 0.3 us to each call, which counts as steps\n"
        f"between them.\n\n{table}\n"
    )
