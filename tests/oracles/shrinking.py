"""A program that fails, made smaller by Hypothesis: the choices that led to it are its example, which it shrinks."""

from __future__ import annotations

from collections.abc import Callable

from chance import Source, seeded
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase, choices_to_bytes
from hypothesis.errors import NoSuchExample
from program_generator import RandomProgram, write_program

KEY = b"a program that fails"


@st.composite
def programs(draw: st.DrawFn, seed: int = 0) -> RandomProgram:
    """Programs by Hypothesis's choices, with the data of a seed."""
    return write_program(Source(lambda bound: draw(st.integers(0, bound - 1))), seed)


def shrink(program: RandomProgram, fails: Callable[[RandomProgram], bool], tries: int = 1000) -> RandomProgram:
    """The smallest program found that fails still; the program itself where none is smaller."""
    choices: list[int] = []
    write_program(seeded(program.seed, choices), program.seed)
    database = InMemoryExampleDatabase()
    database.save(KEY, choices_to_bytes(tuple(choices)))
    left = [tries]

    def failing(candidate: RandomProgram) -> bool:
        left[0] -= 1
        return left[0] >= 0 and fails(candidate)

    chosen = settings(
        database=database,
        phases=(Phase.reuse, Phase.shrink),
        deadline=None,
        derandomize=False,
        max_examples=1,
        suppress_health_check=list(HealthCheck),
    )
    try:
        return find(programs(program.seed), failing, settings=chosen, database_key=KEY)
    except NoSuchExample:
        return program
