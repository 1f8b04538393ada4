"""Functions of this package run in new processes, with a number of threads, and perhaps a limit of time or memory.

As a module to be run, it is what such a process does: `python -m benchmarks.processes MODULE FUNCTION ARGUMENTS` calls
a function that yields values and prints each as a line of JSON, after a mark.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import jax

ROOT = Path(__file__).resolve().parent.parent
MARK = "row of the benchmark: "
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class ProcessError(Exception):
    """A process of the benchmark failed."""


@dataclass(frozen=True)
class Outcome:
    """The values that a process wrote, and why it ended before its end: "" where it did not."""

    values: list[Any]
    ended: str


def keep_bytecode() -> dict[str, str]:
    """The environment of this process, where the bytecode of modules is kept, as that of installed ones is."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def cores() -> list[int]:
    """The cores that are free to use, by number; empty where the system does not say."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def call(module: str, function: str, threads: int, **arguments: object) -> list[Any]:
    """The values of a function in a new process; ProcessError if it fails."""
    outcome = attempt(module, function, threads, None, None, **arguments)
    if outcome.ended:
        raise ProcessError(f"{module}.{function} {arguments}, {threads} threads: {outcome.ended}")
    return outcome.values


def attempt(
    module: str, function: str, threads: int, seconds: float | None, gigabytes: float | None, **arguments: object
) -> Outcome:
    """The same within limits; what was written before the end counts."""
    environment = keep_bytecode() | dict.fromkeys(VARIABLES, str(threads))
    environment["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    command = [sys.executable, "-m", "benchmarks.processes", module, function]
    limits = {"threads": threads, "gigabytes": gigabytes}
    with (
        _pinned(cores()[-threads:]),
        subprocess.Popen(
            [*command, json.dumps(arguments), json.dumps(limits)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        ended = ""
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            ended = f"over {seconds:g} s"
    values = [json.loads(line.removeprefix(MARK)) for line in output.splitlines() if line.startswith(MARK)]
    if process.returncode and not ended:
        ended = (errors.strip().splitlines() or [f"ended with {process.returncode}"])[-1]
    return Outcome(values, ended)


@contextmanager
def _pinned(numbers: list[int]) -> Iterator[None]:
    """What is started within runs on these cores; all of ours serve again afterwards."""
    before = cores()
    if numbers:
        os.sched_setaffinity(0, numbers)
    try:
        yield
    finally:
        if numbers:
            os.sched_setaffinity(0, before)


def main() -> int:
    """Call the function that the command line names; 1 if it fails, with the error in the last line of what it says."""
    module, function, arguments, limits = sys.argv[1:]
    jax.config.update("jax_cpu_enable_async_dispatch", False)  # of no effect once JAX has made an array
    jax.config.update("jax_enable_x64", True)
    chosen = json.loads(limits)
    if chosen["gigabytes"] is not None:
        most = int(chosen["gigabytes"] * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        for value in getattr(import_module(f"benchmarks.{module}"), function)(**json.loads(arguments)):
            print(MARK + json.dumps(value), flush=True)
    except Exception as error:
        traceback.print_exc()
        print(f"{type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
