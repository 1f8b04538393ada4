"""Documents judged in a process of its own, which stays for the next one; a claim that ends it is undecided.

Every decision bounds its processor time and the size of its products itself (budget.py). What these bounds miss ends
at the limits here: memory, at which FLINT ends the whole process, and a clock that is far beyond the time of
a decision, so that a slow machine says the same.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from symbackprop.errors import DocumentError, EntrywiseError, RangeError, ShapeError, SymBackpropError, UnsaidShapeError
from symbackprop.proof.outlines import Contents, JudgedClaim, Judgement, Unjudged, refute_shapes, settle
from symbackprop.proof.processes import Limits, Worker, WorkerStoppedError
from symbackprop.proof.verdict import Verdict
from symbackprop.proof.wire import read_contents, read_error, read_judgement

PROGRAM = ("-m", "symbackprop.proof.worker")


@dataclass(frozen=True, slots=True)
class JudgedDocument:
    """A document with its verdicts; `errors` say what of it could not be read or understood."""

    path: str
    claims: tuple[JudgedClaim, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    errors: tuple[SymBackpropError, ...] = ()


def judge_document(path: str | Path, judge: Judge | None = None) -> JudgedDocument:
    """The verdict of every claim of a Markdown file; what cannot be read or understood is among the errors.

    It is judged by `judge`, or by the one that all documents of this process share.
    """
    judge = judge or shared_judge()
    claims: list[JudgedClaim] = []
    errors: list[SymBackpropError] = []
    try:
        text = read_text(path)
        contents = judge.read(text)
    except SymBackpropError as error:
        return JudgedDocument(str(path), errors=(error,))
    for number in range(len(contents.outlines)):
        try:
            claims += judge.judge(text, number)
        except SymBackpropError as error:
            errors.append(error)
    return JudgedDocument(str(path), tuple(claims), contents.unjudged, tuple(errors))


def read_text(path: str | Path) -> str:
    """The text of a file; DocumentError says that there is none."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(f"{path} cannot be read: {error}.") from error


def shared_judge() -> Judge:
    """The judge of this process; a fork of it gets its own."""
    return _judge_of(os.getpid())


@cache
def _judge_of(process: int) -> Judge:
    return Judge()


class Judge:
    """One process that reads and judges documents, started when it is first needed, and anew after it has ended."""

    def __init__(self, limits: Limits | None = None, program: Sequence[str] = PROGRAM) -> None:
        self._limits, self._program = limits or Limits(), program
        self._worker: Worker | None = None
        self._known: tuple[str, Contents] | None = None  # what the process has read last
        self._lock = threading.RLock()

    def read(self, text: str) -> Contents:
        """What a document claims; raises what of its program cannot be understood."""
        with self._lock:
            return self._reader_of(text)[1]

    def judge(self, text: str, number: int) -> tuple[JudgedClaim, ...]:
        """The verdicts of one passage of a document, by its number, counted from 0.

        Raises what the passage could not be understood for.
        """
        with self._lock:
            outline = self.read(text).outlines[number]
            found: list[Judgement] = []
            answer: dict[str, Any] = {}
            while not answer:
                try:
                    answer = _ask(self._reader_of(text)[0], {"judge": number, "from": len(found)}, found)
                except WorkerStoppedError as error:
                    if not outline.links:
                        raise DocumentError(f"line {outline.line}: the process that read it {error}.") from None
                    if len(found) < len(outline.links):
                        reason = f"the process that judged it {error}"
                        found.append(Judgement(Verdict("undecided", reason=reason)))
                    if len(found) == len(outline.links):
                        break
        if "error" not in answer:
            return settle(outline, found)
        raised = read_error(answer)
        # A product of two vectors may be meant entry by entry, and a range that is not said, or in two ways, be right.
        unclear = isinstance(raised, EntrywiseError | RangeError | UnsaidShapeError)
        if outline.latex and isinstance(raised, ShapeError) and not unclear:
            return (refute_shapes(outline, raised),)
        raise raised

    def close(self) -> None:
        """End the process, if it runs."""
        with self._lock:
            if self._worker is not None:
                self._worker.stop()

    def _reader_of(self, text: str) -> tuple[Worker, Contents]:
        """A process that has read a document last, and what that claims."""
        if self._worker is None or not self._worker.alive:
            self._worker, self._known = Worker(self._program, self._limits), None
        if self._known is None or self._known[0] != text:
            self._known = None
            try:
                answer = _ask(self._worker, {"read": text}, [])
            except WorkerStoppedError as error:
                raise DocumentError(f"The process that read the document {error}.") from None
            if "error" in answer:
                raise read_error(answer)
            self._known = text, read_contents(answer)
        return self._worker, self._known[1]


def _ask(worker: Worker, request: dict[str, Any], found: list[Judgement]) -> dict[str, Any]:
    """The last answer to a request; the judgements before it are added to those that are found."""
    try:
        worker.send(request)
        while "status" in (answer := worker.receive()):
            found.append(read_judgement(answer))
    except BaseException:
        worker.stop()  # what it would still answer is no answer to what is asked next
        raise
    return answer
