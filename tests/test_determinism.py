"""LaTeX, code and steps are the same bytes under every hash seed and after other derivations in the same process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from oracle_programs import ORACLE_PROGRAMS
from program_generator import generate_program

HASH_SEEDS = ("0", "1", "4242")
RANDOM_SEEDS = range(12)
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


def print_in_new_process(printed: list[str], hash_seed: str, before: list[str] | None = None) -> list[list[str]]:
    """Everything that is printed of programs, from a process of its own."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps({"before": before or [], "printed": printed}),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=ORACLES,
    )
    assert done.returncode == 0, done.stderr
    found: list[list[str]] = json.loads(done.stdout)
    return found


def texts() -> list[str]:
    """The programs that are printed: our ten and a dozen random ones."""
    return [p.text for p in ORACLE_PROGRAMS] + [generate_program(seed).text for seed in RANDOM_SEEDS]


@cache
def reference() -> list[list[str]]:
    """What the first hash seed gives."""
    return print_in_new_process(texts(), HASH_SEEDS[0])


def test_output_does_not_depend_on_the_hash_seed() -> None:
    """Three hash seeds give the same LaTeX, code, steps and text, byte for byte."""
    for hash_seed in HASH_SEEDS[1:]:
        assert print_in_new_process(texts(), hash_seed) == reference()


def test_output_does_not_depend_on_what_was_derived_before() -> None:
    """Each program prints the same when all others, in reverse order, were derived and printed before it."""
    chosen = texts()
    after = print_in_new_process(chosen, HASH_SEEDS[0], before=list(reversed(chosen)))

    assert after == reference()


def test_output_depends_on_the_program() -> None:
    """The comparison sees a change: another activation gives other LaTeX, code and steps."""
    changed = [ORACLE_PROGRAMS[0].text.replace("sigmoid(z3[i])", "tanh(z3[i])")]
    first = reference()[0]
    other = print_in_new_process(changed, HASH_SEEDS[0])[0]

    assert all(a != b for a, b in zip(first, other, strict=True))
