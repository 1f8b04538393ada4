"""The judging process with planted faults: a claim that reads a tensor named after a fault has it.

    python planted_worker.py LOG MEMORY SECONDS

writes a line into LOG when it starts.
"""

from __future__ import annotations

import os
import signal
import string
import sys
import time
from collections.abc import Callable, Iterator, Mapping

import flint

from symbackprop.calculus.programs import Program
from symbackprop.proof import worker
from symbackprop.proof.outlines import Judgement
from symbackprop.proof.passages import Passage, judge_passage


def hang() -> None:
    """Never come back."""
    while True:
        time.sleep(1)


def flood() -> None:
    """Multiply polynomials until FLINT finds no memory, and ends the process."""
    context = flint.fmpz_mpoly_ctx.get(tuple(string.ascii_lowercase), "lex")
    total = sum(context.gens(), context.constant(1))
    product = total
    while True:
        product *= total


def hoard() -> None:
    """Ask Python for more memory than there is."""
    bytearray(1 << 50)


def fault() -> None:
    """Access what is not there."""
    os.kill(os.getpid(), signal.SIGSEGV)


def blunder() -> None:
    """Raise what nobody expects."""
    raise ZeroDivisionError("a blunder")


def chatter() -> None:
    """Print where answers go."""
    print("no answer", flush=True)
    os.write(1, b'{"end": true}\n')


FAULTS: Mapping[str, Callable[[], None]] = {f.__name__: f for f in (hang, flood, hoard, fault, blunder, chatter)}


def judge_with_faults(program: Program, passage: Passage, start: int = 0) -> Iterator[Judgement]:
    """The judgements of a passage, each behind the fault that its link names."""
    judgements = judge_passage(program, passage, start)
    for link in passage.outline.links[start:]:
        for name, planted in FAULTS.items():
            if name in link.text:
                planted()
        yield next(judgements)
    yield from judgements


if __name__ == "__main__":
    with open(sys.argv.pop(1), "a", encoding="utf-8") as log:
        log.write("started\n")
    worker.judge_passage = judge_with_faults
    worker.main()
