"""Documents are judged in a process of its own: what ends it leaves one claim undecided, and the others judged."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import planted_worker
import pytest

import symbackprop as sb
from symbackprop.proof.judges import Judge, JudgedDocument, judge_document
from symbackprop.proof.processes import Limits

FENCE = "```symbackprop\nparam w, {0}\nclaim w + w = 2*w\nclaim {0} + w = w + {0}\nclaim w + w = 3*w\n```\n"
PLAIN = FENCE.format("u")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the judging process says that it has started."""
    return tmp_path / "started.log"


@pytest.fixture
def judge(log: Path) -> Iterator[Judge]:
    """A judge with little memory and little time, whose process has planted faults."""
    made = Judge(Limits(seconds=10, memory=600 * 2**20), (str(planted_worker.__file__), str(log)))
    yield made
    made.close()


@pytest.fixture
def judged(judge: Judge, tmp_path: Path) -> Callable[[str], JudgedDocument]:
    """Judges a text as a document."""

    def judge_text(text: str) -> JudgedDocument:
        path = tmp_path / "a.md"
        path.write_text(text, encoding="utf-8")
        return judge_document(path, judge)

    return judge_text


Judged = Callable[[str], JudgedDocument]


@pytest.mark.parametrize(
    "fault, reason",
    [
        ("hang", "the process that judged it was stopped after 10 seconds"),
        ("flood", "the process that judged it ran out of its 0.586 GB of memory"),
        ("hoard", "the process that judged it ran out of its 0.586 GB of memory"),
        ("fault", "the process that judged it was ended by the signal SIGSEGV"),
        ("blunder", "the process that judged it ended with the error ZeroDivisionError: a blunder"),
    ],
)
def test_a_claim_that_ends_the_process_is_undecided_and_the_others_are_judged(
    judged: Judged, log: Path, fault: str, reason: str
) -> None:
    """The verdict says why, the claims before and behind it have theirs, and one new process was started."""
    document = judged(FENCE.format(fault))

    assert document.errors == ()
    assert [c.verdict.status for c in document.claims] == ["proved", "undecided", "refuted"]
    assert document.claims[1].verdict.reason == reason
    assert str(document.claims[1].verdict) == f"Undecided; {reason}."
    assert (document.claims[1].line, document.claims[1].text) == (4, f"{fault} + w = w + {fault}")
    assert log.read_text(encoding="utf-8") == "started\n" * 2


def test_the_links_of_a_derivation_are_lost_one_by_one(judged: Judged) -> None:
    """Of a formula in LaTeX, too, and the last of its links included."""
    document = judged(
        "```symbackprop\nparam w, blunder\n```\n<!-- sb: claim -->\n$$\nw + w &= 2w \\\\\n"
        "&= 2w + \\mathrm{blunder} - \\mathrm{blunder} \\\\\n&= 2w \\\\\n&= 3w\n$$\n\n"
        "$w + \\mathrm{blunder} = \\mathrm{blunder} + w$ <!-- sb: claim -->\n"
    )

    assert document.errors == ()
    assert [(c.line, c.verdict.status) for c in document.claims] == [
        (6, "proved"),
        (7, "undecided"),
        (8, "undecided"),
        (9, "refuted"),
        (12, "undecided"),
    ]


def test_documents_share_a_process(judged: Judged, log: Path) -> None:
    """The process is warm: two documents, and the errors of a third, start it once; what it prints is no answer."""
    first, second = judged(PLAIN), judged(FENCE.format("chatter"))
    wrong = judged("```symbackprop\nparam w\nf = 2w\n```\n")

    assert [c.verdict.status for c in first.claims] == ["proved", "proved", "refuted"]
    assert [c.verdict for c in second.claims] == [c.verdict for c in first.claims]
    (error,) = wrong.errors
    assert isinstance(error, sb.FormulaError)
    assert (error.line, error.column, error.found) == (3, 6, "`w`")
    assert log.read_text(encoding="utf-8") == "started\n"


def test_a_process_that_was_ended_while_it_waited_is_replaced(judge: Judge, log: Path) -> None:
    """Who ends it, the system or `close`, does not matter."""
    before = judge.judge(PLAIN, 0)
    judge.close()

    assert judge.judge(PLAIN, 0) == before
    assert log.read_text(encoding="utf-8") == "started\n" * 2


def test_an_interrupted_question_is_not_answered_later(judge: Judge) -> None:
    """Ctrl-C while a claim is judged ends its process, so that the next answer belongs to the next question."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    text = FENCE.format("hang")
    judge.read(text)
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            judge.judge(text, 1)
    finally:
        signal.signal(signal.SIGALRM, before)

    assert [c.verdict.status for c in judge.judge(text, 2)] == ["refuted"]


@pytest.mark.parametrize(
    "program, said",
    [
        ("import no_such_module", "it ended with the error ModuleNotFoundError: No module named 'no_such_module'"),
        ("pass", "it ended"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGABRT)", "it was ended by the signal SIGABRT"),
    ],
)
def test_a_process_that_does_not_start_is_an_error(tmp_path: Path, program: str, said: str) -> None:
    """It is said once for the document, and no claim of it has a verdict."""
    (tmp_path / "a.md").write_text(PLAIN, encoding="utf-8")
    document = judge_document(tmp_path / "a.md", Judge(program=("-c", program)))

    assert document.claims == ()
    assert [(type(e), str(e)) for e in document.errors] == [
        (sb.WorkerError, f"The process that judges documents did not start; {said}.")
    ]


def test_no_interpreter_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that Python is embedded in may not know where Python is."""
    monkeypatch.setattr(sys, "executable", "/no/such/python")

    with pytest.raises(sb.WorkerError, match=r"cannot be started: .*/no/such/python"):
        Judge().read(PLAIN)


def test_a_file_that_is_not_there_starts_no_process(judged: Judged, judge: Judge, log: Path, tmp_path: Path) -> None:
    """What cannot be read is known before anything is judged."""
    (tmp_path / "b.md").write_bytes(b"\xff\xfe\xff")
    for name in ("nothing.md", "b.md"):
        (error,) = judge_document(tmp_path / name, judge).errors
        assert isinstance(error, sb.DocumentError)
        assert "cannot be read" in str(error)

    assert not log.exists()


def test_modules_beside_a_document_are_not_imported(tmp_path: Path) -> None:
    """A folder of documents may hold anything."""
    (tmp_path / "a.md").write_text(PLAIN.replace("3*w", "3*w expect refuted"), encoding="utf-8")
    (tmp_path / "sympy.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    code = "from symbackprop.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "check", "a.md"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("3 of 3 claims are as stated.\n")
