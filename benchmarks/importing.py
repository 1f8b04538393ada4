"""What `import symbackprop` costs beside `import sympy, numpy`, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from benchmarks.contest import Pace, measure, write_table, write_time

ROUNDS = 7


def start(code: str) -> Callable[[], object]:
    """A new interpreter that runs one line."""
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)


def report(pace: Pace) -> str:
    """The table of this benchmark; the time of a bare interpreter is taken off both."""
    found = measure(
        {"bare": start("pass"), "base": start("import sympy, numpy"), "ours": start("import symbackprop")},
        min(ROUNDS, pace.rounds),
    )
    base, ours = found["base"] - found["bare"], found["ours"] - found["bare"]
    table = write_table(
        ("import", "median", "ratio"),
        [("sympy, numpy", write_time(base), "1"), ("symbackprop", write_time(ours), f"{ours / base:.2f}")],
    )
    return f"## Importing\n\n{table}\n"
