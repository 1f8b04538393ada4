"""The process in which documents are judged: requests as lines of JSON on stdin, answers on stdout, until stdin ends.

It bounds its own memory where the operating system has such a limit (Linux and other Unix systems; Windows has none,
and macOS refuses it), and its processor time, in case nobody is left to end it. FLINT ends the process when memory
runs out; so does whatever else goes wrong, and the last line on stderr says what it was.

    {"read": TEXT}             the contents of a document, or an error
    {"judge": N, "from": K}    the judgements of its passage N, counted from 0, from the link K on, and {"end": true} or
                               an error behind them
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from symbackprop.errors import SymBackpropError
from symbackprop.proof.documents import Document, read_document
from symbackprop.proof.outlines import Contents
from symbackprop.proof.passages import judge_passage
from symbackprop.proof.wire import write_contents, write_error, write_judgement

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_GRACE = 5
"""Seconds after which the process ends itself where the one that asked should have ended it."""


def main() -> None:
    """Answer requests; the arguments are the bytes of memory and the seconds that each answer may take."""
    memory, seconds = int(sys.argv[1]), float(sys.argv[2])
    channel = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what a library prints is no answer
    limit("RLIMIT_AS", memory)

    def send(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=channel, flush=True)
        limit("RLIMIT_CPU", math.ceil(time.process_time() + seconds) + _GRACE)

    send({"ready": True})
    document: Document | None = None
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if "read" in request:
            try:
                document = read_document(request["read"])
            except SymBackpropError as error:
                send(write_error(error))
            else:
                outlines = tuple(passage.outline for passage in document.passages)
                send(write_contents(Contents(outlines, document.unjudged)))
        else:
            assert document is not None
            for answer in judge(document, request["judge"], request["from"]):
                send(answer)


def judge(document: Document, number: int, start: int) -> Iterator[dict[str, Any]]:
    """The answers about one passage."""
    try:
        for judgement in judge_passage(document.program, document.passages[number], start):
            yield write_judgement(judgement)
    except SymBackpropError as error:
        yield write_error(error)
    else:
        yield {"end": True}


def limit(kind: str, amount: int) -> None:
    """Lower a limit of this process, where there is such a limit."""
    if resource is None or not hasattr(resource, kind):
        return
    which = getattr(resource, kind)
    _, most = resource.getrlimit(which)
    with suppress(ValueError, OSError):  # refused where more is in use already
        resource.setrlimit(which, (amount if most == resource.RLIM_INFINITY else min(amount, most), most))


if __name__ == "__main__":
    main()
