"""What `import symbackprop` costs beside `import sympy, numpy`, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from benchmarks.contest import Pace, measure, write_table, write_time
from benchmarks.processes import keep_bytecode

ROUNDS = 7
IMPORTS = (
    ("sympy, numpy", "import sympy, numpy"),
    ("symbackprop", "import symbackprop"),
)
"""The base, and the package: what reads, writes, proves and runs is imported when it is first used."""


def start(code: str) -> Callable[[], object]:
    """A new interpreter that runs one line; the round that does not count leaves the bytecode, as installing does."""
    return lambda: subprocess.run([sys.executable, "-c", code], check=True, env=keep_bytecode())


def report(pace: Pace) -> str:
    """The table of this benchmark; the time of a bare interpreter is taken off all."""
    found = measure({"bare": start("pass"), **{name: start(code) for name, code in IMPORTS}}, min(ROUNDS, pace.rounds))
    times = {name: found[name] - found["bare"] for name, _ in IMPORTS}
    base = times[IMPORTS[0][0]]
    rows = [(name, write_time(seconds), f"{seconds / base:.2f}") for name, seconds in times.items()]
    return f"## Importing\n\n{write_table(('import', 'median', 'ratio'), rows)}\n"
