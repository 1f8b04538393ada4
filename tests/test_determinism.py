"""LaTeX, code and steps are the same bytes under every hash seed and after other derivations in the same process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from oracle_programs import GATED_CELL, ORACLE_PROGRAMS
from program_generator import generate_program

HASH_SEEDS = ("0", "1", "4242")
RANDOM_SEEDS = range(5)
ORACLES = Path(__file__).resolve().parent / "oracles"
# Run as a script, so that nothing of this process is shared; `before` are programs derived and printed first.
SCRIPT = """
import json, sys
import symbackprop as sb

texts = json.loads(sys.stdin.read())


def print_everything(text):
    derivation = sb.derive(sb.parse(text))
    try:
        matrix = derivation.latex("matrix")
    except sb.SymBackpropError as error:
        matrix = str(error)
    described = json.dumps(derivation.describe(), ensure_ascii=False)
    return [derivation.latex(), matrix, derivation.source("numpy"), described, derivation.program.text()]


for text in texts["before"]:
    print_everything(text)
print(json.dumps([print_everything(text) for text in texts["printed"]]))
"""


def start_process(printed: list[str], hash_seed: str, before: list[str]) -> subprocess.Popen[str]:
    """A process of its own that prints everything of programs."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ORACLES,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"before": before, "printed": printed}))
    process.stdin.close()
    return process


def read_process(process: subprocess.Popen[str]) -> list[list[str]]:
    """What the process printed, one list a program."""
    with process:
        assert process.stdout is not None
        text = process.stdout.read()
    assert process.returncode == 0
    found: list[list[str]] = json.loads(text)
    return found


def texts() -> list[str]:
    """The programs that are printed: ours and some random ones."""
    ours = [p.text for p in ORACLE_PROGRAMS if p is not GATED_CELL]  # as large as the others together
    return ours + [generate_program(seed).text for seed in RANDOM_SEEDS]


@cache
def printed_by_hash_seed() -> dict[str, list[list[str]]]:
    """What each hash seed gives, from processes that run side by side."""
    running = {seed: start_process(texts(), seed, []) for seed in HASH_SEEDS}
    return {seed: read_process(process) for seed, process in running.items()}


def test_output_does_not_depend_on_the_hash_seed() -> None:
    """Three hash seeds give the same LaTeX, code, steps and text, byte for byte."""
    first, *others = printed_by_hash_seed().values()

    assert len(others) == 2
    assert all(other == first for other in others)


def test_output_does_not_depend_on_what_was_derived_before() -> None:
    """Programs print the same when others, in reverse order, were derived and printed before them."""
    chosen = texts()
    after = read_process(start_process(chosen[:6], HASH_SEEDS[0], before=list(reversed(chosen))))

    assert after == printed_by_hash_seed()[HASH_SEEDS[0]][:6]


def test_output_depends_on_the_program() -> None:
    """The comparison sees a change: another activation gives other LaTeX, code and steps."""
    changed = [ORACLE_PROGRAMS[0].text.replace("sigmoid(z3[i])", "tanh(z3[i])")]
    other = read_process(start_process(changed, HASH_SEEDS[0], []))[0]
    first = printed_by_hash_seed()[HASH_SEEDS[0]][0]

    assert all(a != b for a, b in zip(first, other, strict=True))
