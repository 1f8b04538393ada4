"""Hunt for a random program whose derivatives are not JAX's: `python tests/oracles/hunt.py --programs 50000`.

What fails is shrunk and printed as it is found. Seeds follow each other, so `--start` goes on where a hunt ended.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections import Counter
from dataclasses import dataclass

from tqdm import tqdm

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from program_check import judge  # noqa: E402
from program_generator import generate_program  # noqa: E402
from shrinking import report  # noqa: E402


@dataclass(frozen=True)
class Catch:
    """What became of the program of a seed: "agreed", "no data away from the kinks" or "failed", with a report."""

    seed: int
    outcome: str
    report: str = ""


def judge_seed(seed: int) -> Catch:
    """Judge the program of a seed, and shrink it if it fails."""
    program = generate_program(seed)
    try:
        faults = judge(program)
    except Exception as error:
        return Catch(seed, "failed", f"{program}\nthe oracle: {type(error).__name__}: {error}")
    if faults is None:
        return Catch(seed, "no data away from the kinks")
    return Catch(seed, "failed", report(program, faults)) if faults else Catch(seed, "agreed")


def main() -> int:
    """Hunt as the command line says; 1 if something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=50000, help="how many programs")
    parser.add_argument("--start", type=int, default=1000, help="the first seed; the test run judges those below 1000")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes")
    chosen = parser.parse_args()
    seeds = range(chosen.start, chosen.start + chosen.programs)
    outcomes: Counter[str] = Counter()
    failed: list[int] = []
    done = chosen.start
    try:
        with multiprocessing.get_context("spawn").Pool(chosen.jobs, maxtasksperchild=500) as pool:
            for catch in tqdm(pool.imap(judge_seed, seeds, chunksize=4), total=len(seeds), unit="program"):
                outcomes[catch.outcome] += 1
                done = catch.seed + 1
                if catch.report:
                    failed.append(catch.seed)
                    tqdm.write(f"\n{catch.report}\n")
    except KeyboardInterrupt:
        pass
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    print(f"seeds {chosen.start} to {done - 1}: {counts or 'none judged'}; go on with --start {done}")
    if failed:
        print(f"failed: {', '.join(map(str, failed))}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
