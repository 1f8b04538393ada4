"""A program that fails, made smaller by Hypothesis: the choices that led to it are its example, which it shrinks."""

from __future__ import annotations

import time
from collections.abc import Callable

from chance import Source, seeded
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase, choices_to_bytes
from hypothesis.errors import NoSuchExample
from program_check import judge
from program_generator import RandomProgram, write_program

KEY = b"a program that fails"


@st.composite
def programs(draw: st.DrawFn, seed: int = 0) -> RandomProgram:
    """Programs by Hypothesis's choices, with the data of a seed."""
    return write_program(Source(lambda bound: draw(st.integers(0, bound - 1))), seed)


def shrink(
    program: RandomProgram, fails: Callable[[RandomProgram], bool], tries: int = 500, seconds: float = 60
) -> RandomProgram:
    """The smallest program found that fails still, in so many tries and seconds; itself where none is smaller."""
    choices: list[int] = []
    write_program(seeded(program.seed, choices), program.seed)
    database = InMemoryExampleDatabase()
    # What lies under the plain key counts as shrunk already.
    database.save(KEY + b".secondary", choices_to_bytes(tuple(choices)))
    known: dict[str, bool] = {}
    end = time.monotonic() + seconds

    def failing(candidate: RandomProgram) -> bool:
        name = str(candidate)
        if name not in known:
            known[name] = len(known) < tries and time.monotonic() < end and fails(candidate)
        return known[name]

    chosen = settings(
        database=database,
        phases=(Phase.reuse, Phase.shrink),
        deadline=None,
        max_examples=tries,
        suppress_health_check=list(HealthCheck),
    )
    try:
        return find(programs(program.seed), failing, settings=chosen, database_key=KEY)
    except NoSuchExample:
        return program


def report(program: RandomProgram, faults: list[str]) -> str:
    """A failing program with its faults, and the smallest program found that has a fault of the same kind."""
    kind = faults[0].split(":")[0] if "Error" in faults[0] else ""

    def fails(candidate: RandomProgram) -> bool:
        return any(fault.startswith(kind) for fault in judge(candidate) or ())

    smallest = shrink(program, fails)
    lines = [str(program), *faults, "shrunk:", str(smallest), *(judge(smallest) or ())]
    return "\n".join(lines)
