"""Interleaved timing: every contestant takes its turn in every round, and the median of the rounds counts."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("symbackprop", "sympy", "numpy", "python-flint", "numba", "jax", "torch", "autograd", "pytensor")

MOST_STEPS = 2**18
"""The largest number of steps in a turn."""


@dataclass(frozen=True)
class Pace:
    """How much is spent: rounds, and the seconds of a turn in a race. `quick` leaves out what takes long to compile."""

    rounds: int
    turn: float
    quick: bool


FULL, QUICK = Pace(7, 0.02, False), Pace(3, 0.005, True)


def measure(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median time of each contestant in seconds over so many rounds, after one that does not count."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, run in contestants.items():
            gc.collect()
            start = time.perf_counter()
            run()
            if number:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def race(contestants: Mapping[str, Callable[[int], object]], pace: Pace) -> dict[str, float]:
    """The median over the rounds of the seconds of one step, where each contestant takes so many steps at a time.

    Contestants take turns, another one first in each round. A turn begins with a step that does not count, so that a
    contestant finds its own data in the caches; then it takes as many steps as fit, and their mean is the time of the
    turn. Nothing is collected as garbage within a turn.
    """
    steps = {name: count_steps(run, pace.turn) for name, run in contestants.items()}
    order = list(contestants)
    times: dict[str, list[float]] = {name: [] for name in order}
    gc.collect()
    gc.freeze()  # what lives by now is not looked at again between turns
    gc.disable()
    try:
        for number in range(pace.rounds):
            first = number % len(order)
            for name in order[first:] + order[:first]:
                gc.collect()
                contestants[name](1)
                start = time.perf_counter()
                contestants[name](steps[name])
                times[name].append((time.perf_counter() - start) / steps[name])
    finally:
        gc.enable()
        gc.unfreeze()
    return {name: statistics.median(found) for name, found in times.items()}


def count_steps(run: Callable[[int], object], turn: float, clock: Callable[[], float] = time.perf_counter) -> int:
    """How many steps fit into a turn, at least one.

    Twice as many are taken at once until they fill half a turn, the faster of two tries: a single step would tell what
    a call costs, not what a step costs where all are taken in one call, and a pause of the machine would count as one.
    """
    run(1)
    steps = 1
    while True:
        took = min(_time(run, steps, clock) for _ in range(2))
        if took >= turn / 2 or steps >= MOST_STEPS:
            return max(1, min(MOST_STEPS, int(steps * turn / took) if took else MOST_STEPS))
        steps *= 2


def _time(run: Callable[[int], object], steps: int, clock: Callable[[], float]) -> float:
    start = clock()
    run(steps)
    return clock() - start


def describe_machine() -> str:
    """The processor, the cores that are free to use, the system and the versions of what is measured."""
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        processor = names[0] if names else processor
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor}, {cores} cores, {platform.system()}, Python {platform.python_version()}; {versions}."


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def write_time(seconds: float) -> str:
    """A time in milliseconds with three digits.

    >>> write_time(0.01234)
    '12.3 ms'
    """
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 100 else f"{milliseconds:.3g} ms"


def write_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
