"""Hunt for a false verdict on random pairs: `python tests/oracles/pairs_hunt.py --pairs 20000`.

What is wrong is printed as it is found. The tally lies beside the state file: a hunt that was stopped goes on where it
ended, up to so many pairs in all, and its figures are written into benchmarks/RELIABILITY.md.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pair_check import Judgement, judge_pair
from pair_generator import generate_pair
from tqdm import tqdm

REPORT = Path(__file__).resolve().parents[2] / "benchmarks" / "RELIABILITY.md"
HEADING = "## Deciding random pairs"
SAVED_EVERY = 200


@dataclass
class Tally:
    """What became of the pairs below `done`."""

    done: int = 0
    counts: Counter[str] = field(default_factory=Counter)  # "truth status"
    faults: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path) -> Tally:
        """The tally of an earlier hunt, or an empty one."""
        if not path.exists():
            return cls()
        saved = json.loads(path.read_text(encoding="utf-8"))
        return cls(saved["done"], Counter(saved["counts"]), saved["faults"])

    def save(self, path: Path) -> None:
        """Write the tally down."""
        path.write_text(json.dumps({"done": self.done, "counts": self.counts, "faults": self.faults}), encoding="utf-8")

    def add(self, judgement: Judgement) -> None:
        """Count one pair; pairs come in the order of their seeds."""
        self.done = judgement.seed + 1
        self.counts[f"{judgement.truth} {judgement.status}"] += 1
        if judgement.fault:
            self.faults.append(f"seed {judgement.seed}: {judgement.fault}")

    def report(self) -> str:
        """The figures as a section of a report."""
        truths = {
            "different": "differ at 60 digits at some point",
            "equal": "made equal by identities",
            "alike": "mutated, and yet alike at every point tried",
        }
        lines = ["| pairs | how many | proved | refuted | undecided | undecided of them |", "|" + "---|" * 6]
        for truth, words in truths.items():
            found = [self.counts[f"{truth} {status}"] for status in ("proved", "refuted", "undecided")]
            share = f"{100 * found[2] / sum(found):.2f} %" if sum(found) else "-"
            lines.append(f"| {words} | {sum(found)} | {' | '.join(map(str, found))} | {share} |")
        faults = "".join(f"\n- {fault}" for fault in self.faults)
        table = "\n".join(lines)
        return (
            f"{HEADING}\n\nWritten by `python tests/oracles/pairs_hunt.py`. {self.done} random pairs of formulas\n"
            "(exp, log, sqrt, tanh, sigmoid, erf, sin, powers, quotients, Abs, Max, Min, Piecewise), the second made\n"
            "of the first by identities, or by a mutation and identities. Every verdict was held against mpmath:\n"
            "proved ones at six random points and 60 digits, refuted ones at their own witness and 60 digits, or more\n"
            "where saturation asks for it. What is undecided counts as a fault of neither kind.\n\n"
            f"{table}\n\nFalse verdicts and crashes: {len(self.faults)}.{faults}\n"
        )


def write_section(path: Path, section: str) -> None:
    """Put a section in the place of its predecessor in a report, or at its end."""
    text = path.read_text(encoding="utf-8") if path.exists() else "# Reliability\n"
    earlier = re.search(rf"^{HEADING}\n.*?(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    if earlier:
        text = text[: earlier.start()] + section + ("\n" if earlier.end() < len(text) else "") + text[earlier.end() :]
    else:
        text = f"{text}\n{section}"
    path.write_text(text, encoding="utf-8")


def judge_seed(seed: int) -> Judgement:
    """Judge the pair of a seed."""
    return judge_pair(generate_pair(seed))


def main() -> int:
    """Hunt as the command line says; 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--pairs", type=int, default=20000, help="how many pairs in all, those of earlier hunts included"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes")
    parser.add_argument("--state", type=Path, default=Path("pairs_hunt.json"), help="where the tally is kept")
    parser.add_argument("--report", type=Path, default=REPORT, help="the report that the figures are written into")
    parser.add_argument("--undecided", action="store_true", help="print what is undecided, too")
    chosen = parser.parse_args()
    tally = Tally.load(chosen.state)
    seeds = range(tally.done, chosen.pairs)
    try:
        with multiprocessing.get_context("spawn").Pool(chosen.jobs, maxtasksperchild=500) as pool:
            for judgement in tqdm(pool.imap(judge_seed, seeds, chunksize=4), total=len(seeds), unit="pair"):
                tally.add(judgement)
                if judgement.fault or (chosen.undecided and judgement.status == "undecided"):
                    pair = generate_pair(judgement.seed)
                    text = judgement.fault or f"{judgement.truth}, undecided: {judgement.reason}"
                    tqdm.write(f"seed {judgement.seed}: {text}\n    {pair.left}\n    {pair.right}")
                if tally.done % SAVED_EVERY == 0:
                    tally.save(chosen.state)
    except KeyboardInterrupt:
        pass
    tally.save(chosen.state)
    write_section(chosen.report, tally.report())
    print(tally.report())
    return 1 if tally.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
