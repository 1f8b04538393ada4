"""A process of this package's own that answers in lines of JSON, and is ended when an answer takes too long."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

from symbackprop.errors import WorkerError

START_SECONDS = 120.0
"""How long the imports may take."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may use: seconds of the clock for an answer, and bytes of address space for all.

    The memory is bounded where the operating system has such a limit: not on Windows, and not on macOS.
    """

    seconds: float = 120.0
    memory: int = 2 * 2**30


class WorkerStoppedError(Exception):
    """The process has ended before it answered; the message is a clause without its subject: "ended"."""


class Worker:
    """A process that has started and says so. It imports the modules that this one would import, and no others.

    `program` is what Python is told to run, with the limits as arguments. WorkerError says why it did not start.
    """

    def __init__(self, program: Sequence[str], limits: Limits) -> None:
        self._limits = limits
        self._log: IO[bytes] = tempfile.TemporaryFile()
        paths = os.pathsep.join(map(str, sys.path))
        single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        try:
            # -P: never modules that happen to lie beside a document.
            self._process = subprocess.Popen(
                [sys.executable, "-P", *program, str(limits.memory), str(limits.seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env={**os.environ, "PYTHONPATH": paths, **single},  # a thread takes address space
            )
        except (OSError, ValueError) as error:
            self._log.close()
            raise WorkerError(f"The process that judges documents cannot be started: {error}.") from error
        self.stop = weakref.finalize(self, _stop, self._process, self._log, os.getpid())
        try:
            self._receive(START_SECONDS)
        except WorkerStoppedError as error:
            raise WorkerError(f"The process that judges documents did not start; it {error}.") from None

    @property
    def alive(self) -> bool:
        """Whether the process can be asked."""
        return self.stop.alive and self._process.poll() is None

    def send(self, request: dict[str, Any]) -> None:
        """Hand over a request."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
            self._process.stdin.flush()
        except OSError:
            self._give_up(self._last_words())

    def receive(self) -> dict[str, Any]:
        """The next answer; a process that takes too long for it is ended."""
        return self._receive(self._limits.seconds)

    def _receive(self, seconds: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        overdue = threading.Event()

        def end() -> None:
            overdue.set()
            self._process.kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
            timer.join()
        if overdue.is_set():
            self._give_up(f"was stopped after {seconds:g} seconds")
        if not line.endswith(b"\n"):
            self._give_up(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _give_up(self, reason: str) -> None:
        self.stop()
        raise WorkerStoppedError(reason)

    def _last_words(self) -> str:
        """What ended the process, as far as it is known."""
        code = self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        if "memory" in last.lower() or "alloc" in last.lower():
            return f"ran out of its {self._limits.memory / 2**30:.3g} GB of memory"
        if code < 0:
            return f"was ended by the signal {signal.Signals(-code).name}"
        return f"ended with the error {last}" if code else "ended"


def _stop(process: subprocess.Popen[bytes], log: IO[bytes], owner: int) -> None:
    """End a process, unless this one is a fork of its owner."""
    if os.getpid() != owner:
        return
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, log):
        if stream is not None:
            stream.close()
