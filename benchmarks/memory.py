"""The peak of memory in training steps of large dense networks, as the system counts it (Linux)."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.contest import Pace, write_table
from benchmarks.contestants import gather
from benchmarks.networks import DENSE, Case, Dense
from benchmarks.processes import call
from benchmarks.steps import OUR_TRAINERS, TRAINERS

PROCESS = Path("/proc/self")
DTYPE = "float32"
STEPS = 3
OURS = ("symbackprop", "symbackprop, trusting, in place")
PEERS = ("careful NumPy", "plain NumPy", "PyTorch eager", "JAX jit")
LARGEST = DENSE[-2:]


def measure_peak(name: str, place: int) -> Iterator[int]:
    """The bytes by which the resident set grew at its peak, from before a contestant was made to behind its steps.

    One of the same widths is made and run at a batch of one before that, so that libraries are loaded, started and
    compiled; its memory is given back to the system.
    """
    network = LARGEST[place]
    case = network.case().cast(DTYPE)
    small = replace(network, batch=1)
    _train(name, small, small.case())
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    (PROCESS / "clear_refs").write_text("5")  # the peak begins anew
    before = _read("VmRSS")
    _train(name, network, case)
    yield _read("VmHWM") - before


def report(pace: Pace) -> str:
    """A row for each contestant."""
    head = "## Peak memory of training steps\n\n"
    if not (PROCESS / "clear_refs").exists():
        return f"{head}Not measured: this system does not count it (it needs /proc/self/clear_refs).\n"
    places = range(1 if pace.quick else len(LARGEST))
    names = ("symbackprop", "PyTorch eager") if pace.quick else (*OURS, *PEERS)
    rows = [
        (name, *(f"{call('memory', 'measure_peak', 1, name=name, place=place)[0] / 2**20:.1f} MB" for place in places))
        for name in names
    ]
    table = write_table(("contestant", *(LARGEST[place].name for place in places)), rows)
    given = ", ".join(f"{_count(place) * 4 / 2**20:.1f} MB" for place in places)
    return (
        f"{head}How far the resident set of a process rose at its peak (VmHWM against VmRSS) while a contestant was\n"
        f"made and took {STEPS} steps in {DTYPE}, after one of the same widths had run at a batch of one. Parameters\n"
        f"and data alone are {given}, and every contestant copies them.\n\n{table}\n"
    )


def _train(name: str, network: Dense, case: Case) -> None:
    if name in OUR_TRAINERS:
        made, _ = gather({name: OUR_TRAINERS[name]}, case, DTYPE)
    else:
        made, _ = gather({name: TRAINERS[name]}, network, case, DTYPE)
    made[name].run(STEPS)


def _count(place: int) -> int:
    """The numbers in parameters and data."""
    case = LARGEST[place].case()
    return sum(a.size for a in (case.params | case.data).values())


def _read(field: str) -> int:
    for line in (PROCESS / "status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"{PROCESS}/status has no {field}.")
