"""Run the benchmarks. All of them, at full pace, write benchmarks/RESULTS.md; a choice of them is printed only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import catalogue, deciding, deriving, first_gradient, hessians, importing, memory, shares, steps
from benchmarks.contest import FULL, QUICK, Pace, describe_machine
from benchmarks.processes import ProcessError

RESULTS = Path(__file__).with_name("RESULTS.md")
TABLES: dict[str, Callable[[Pace], str]] = {
    "dense": steps.report_dense,
    "layers": steps.report_layers,
    "shares": shares.report,
    "first": first_gradient.report,
    "memory": memory.report,
    "hessians": hessians.report,
    "deriving": deriving.report,
    "catalogue": catalogue.report,
    "deciding": deciding.report,
    "importing": importing.report,
}
QUICK_TABLES = tuple(TABLES)[:6]


def main() -> int:
    """Print the tables, and write them down if they are all; 1 if contestants disagree or a process fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(TABLES), metavar="TABLE", help=", ".join(TABLES))
    parser.add_argument("--quick", action="store_true", help=f"less of {', '.join(QUICK_TABLES)}, within a minute")
    chosen = parser.parse_args()
    written = "Written by `python -m benchmarks`, which needs `pip install '.[bench]'`."
    parts = [f"# Results\n\n{written} {describe_machine()}\n"]
    print(parts[0])
    for name in chosen.only or (QUICK_TABLES if chosen.quick else TABLES):
        print(f"{name} ...", file=sys.stderr)
        try:
            parts.append(TABLES[name](QUICK if chosen.quick else FULL))
        except ProcessError as error:
            print(f"{name} stopped, nothing is written: {error}", file=sys.stderr)
            return 1
        print(parts[-1], flush=True)
    if not (chosen.only or chosen.quick):
        RESULTS.write_text("\n".join(parts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
