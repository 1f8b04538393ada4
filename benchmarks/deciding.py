"""Deciding equality: the battery of hand-written pairs, beside SymPy's `simplify` and `equals`."""

from __future__ import annotations

import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import sympy

from benchmarks.contest import Pace, write_table, write_time
from symbackprop.proof import decide
from symbackprop.proof.budget import Budget

# The battery lies beside the oracles that tests share.
sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "oracles"))

from equality_battery import DIFFERENT, EQUAL  # noqa: E402

LIMIT = 5.0
Pair = tuple[object, object]


class _OutOfTimeError(BaseException):  # SymPy catches exceptions of other kinds
    """The contestant used up its time."""


@dataclass
class Score:
    """Answers of one contestant: `equal`, `different` or `none`, by the truth; and the times."""

    answers: dict[str, Counter[str]] = field(default_factory=lambda: {"equal": Counter(), "different": Counter()})
    seconds: list[float] = field(default_factory=list)


def ask_decide(left: object, right: object) -> str:
    """Our verdict."""
    verdict = decide(left, right, budget=Budget(LIMIT))
    return "equal" if verdict.proved else "different" if verdict.refuted else "none"


def ask_simplify(left: object, right: object) -> str:
    """`simplify` of the difference: 0 is equal, another number is different, anything else says nothing."""
    rest = sympy.simplify(sympy.S(left) - sympy.S(right))
    return "equal" if rest == 0 else "different" if rest.is_number else "none"


def ask_equals(left: object, right: object) -> str:
    """`equals`, which evaluates at random points and simplifies."""
    answer = sympy.S(left).equals(sympy.S(right))
    return "none" if answer is None else "equal" if answer else "different"


def ask_in_time(ask: Callable[[object, object], str], pair: Pair) -> str:
    """The answer, or `none` for an error or once the time is spent."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _OutOfTimeError

    earlier = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    try:
        return ask(*pair)
    except (_OutOfTimeError, Exception):
        return "none"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, earlier)


def contest(ask: Callable[[object, object], str], every: int) -> Score:
    """Ask one contestant about every so-many-th pair, with SymPy's cache empty before each."""
    score = Score()
    for truth, pairs in (("equal", EQUAL), ("different", DIFFERENT)):
        for pair in list(pairs.values())[::every]:
            sympy.core.cache.clear_cache()
            start = time.process_time()
            answer = ask_in_time(ask, pair)
            score.seconds.append(time.process_time() - start)
            score.answers[truth][answer] += 1
    return score


def report(pace: Pace) -> str:
    """The table of this benchmark; to be quick, of every tenth pair."""
    every = 10 if pace.quick else 1
    for pair in list(EQUAL.values())[:5]:  # imports and first uses do not count
        ask_decide(*pair)
    rows = []
    for name, ask in (("symbackprop", ask_decide), ("simplify", ask_simplify), ("equals", ask_equals)):
        score = contest(ask, every)
        equal, different = score.answers["equal"], score.answers["different"]
        counts = [equal["equal"], equal["different"], different["different"], different["equal"]]
        silent = equal["none"] + different["none"]
        times = [write_time(statistics.median(score.seconds)), write_time(max(score.seconds))]
        rows.append((name, *map(str, counts), str(silent), *times))
    head = ("", "equal: said equal", "said different", "different: said different", "said equal", "no answer")
    table = write_table((*head, "median", "longest"), rows)
    equals, others = (len(list(pairs)[::every]) for pairs in (EQUAL, DIFFERENT))
    return (
        "## Deciding equality\n\n"
        f"{equals} equal and {others} different pairs of hand-written formulas, in one round, with\n"
        f"SymPy's cache empty before each; after {LIMIT:g} seconds a contestant has no answer. `simplify` of the\n"
        "difference counts as equal where it is 0, as different where it is another number, else as no answer.\n"
        "Symbols are as people write them, most without assumptions. Times are those of the processor.\n\n"
        f"{table}\n"
    )
