"""What takes part in a race: a step that can be run again and again, and what it computed, to be compared first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

TOLERANCES = {"float64": 1e-10, "float32": 1e-4}
RATE = 0.125  # a power of two, by which nothing is rounded

Result = tuple[float, Mapping[str, Any]]


class DisagreementError(Exception):
    """A contestant computes something else than the others."""


@dataclass(frozen=True)
class Contestant:
    """`run(n)` takes so many steps; `look()` is the last loss, with the gradients (or the parameters) by name.

    `check` is False where nothing comparable is computed, as by bare matrix products.
    """

    run: Callable[[int], object]
    look: Callable[[], Result] = lambda: (0.0, {})
    check: bool = True


def repeat(step: Callable[[], object]) -> Callable[[int], None]:
    """A single step as a run of several."""

    def run(times: int) -> None:
        for _ in range(times):
            step()

    return run


def gather(
    makers: Mapping[str, str], *arguments: object, breakable: tuple[str, ...] = ()
) -> tuple[dict[str, Contestant], dict[str, str]]:
    """The contestants by name, and why others are absent.

    A maker is "module:function" in this package. One is absent whose library cannot be imported, or, among those that
    may break, whose first step does not run.
    """
    present: dict[str, Contestant] = {}
    absent: dict[str, str] = {}
    for name, place in makers.items():
        module, function = place.split(":")
        try:
            made = getattr(import_module(f"benchmarks.{module}"), function)(*arguments)
        except ModuleNotFoundError as error:
            absent[name] = f"{error.name} is not installed"
            continue
        except Exception as error:
            if name not in breakable:
                raise
            absent[name] = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
            continue
        present[name] = made
    return present, absent


def compare(name: str, found: Result, wanted: Result, dtype: str) -> None:
    """DisagreementError unless loss and arrays agree, relative to the largest entry of each."""
    tolerance = TOLERANCES[dtype]
    if set(found[1]) != set(wanted[1]):
        raise DisagreementError(f"{name} has the arrays {sorted(found[1])}, not {sorted(wanted[1])}.")
    pairs = {"the loss": (found[0], wanted[0]), **{key: (found[1][key], wanted[1][key]) for key in wanted[1]}}
    for key, (mine, theirs) in pairs.items():
        a, b = np.asarray(mine, dtype="float64"), np.asarray(theirs, dtype="float64")
        if a.shape != b.shape:
            raise DisagreementError(f"{name}: {key} has the shape {a.shape}, not {b.shape}.")
        off = float(np.max(np.abs(a - b))) / max(float(np.max(np.abs(b))), np.finfo(np.float64).tiny)
        if not off <= tolerance:
            raise DisagreementError(f"{name}: {key} is off by {off:.1e} of its largest entry, in {dtype}.")
