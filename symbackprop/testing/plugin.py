"""The pytest plugin: each claim of a `*.derivation.md` file is a test, and those of any Markdown file when asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from symbackprop.errors import SymBackpropError
from symbackprop.proof.judges import read_text, shared_judge
from symbackprop.proof.outlines import JudgedClaim
from symbackprop.report.judgements import describe_failure, describe_outline

SUFFIX = ".derivation.md"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options that ask for the claims of every Markdown file."""
    text = "Judge the claims of every Markdown file, not only of *.derivation.md."
    parser.getgroup("symbackprop").addoption("--symbackprop-md", action="store_true", help=text)
    parser.addini("symbackprop_md", text, type="bool", default=False)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A document of derivations, or any Markdown file when that is asked for."""
    wanted = parent.config.getoption("symbackprop_md") or parent.config.getini("symbackprop_md")
    if file_path.name.endswith(SUFFIX) or (wanted and file_path.suffix == ".md"):
        document: pytest.Collector = DerivationFile.from_parent(parent, path=file_path)
        return document
    return None


class ClaimError(Exception):
    """Claims that are not as their document states; the message says all of it."""


class DerivationFile(pytest.File):
    """A Markdown file, one test for each of its claims."""

    def collect(self) -> Iterator[pytest.Item]:
        """Read the document; what is wrong with its program is an error of collection."""
        try:
            text = read_text(self.path)
            contents = shared_judge().read(text)
        except SymBackpropError as error:
            raise self.CollectError(f"{type(error).__name__}: {error}") from None
        for number, outline in enumerate(contents.outlines):
            name = f"line {outline.line}: {describe_outline(outline)}"
            yield DerivationItem.from_parent(self, name=name, text=text, number=number, line=outline.line)


class DerivationItem(pytest.Item):
    """One claim, or one derivation, of a document."""

    def __init__(self, *, text: str, number: int, line: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.text, self.number, self.line = text, number, line

    def runtest(self) -> None:
        """Judge the claim and fail where it is not as stated."""
        judged = shared_judge().judge(self.text, self.number)
        wrong = [claim for claim in judged if not claim.as_expected]
        if wrong:
            raise ClaimError("\n\n".join(f"{_headline(c)}\n{describe_failure(c)}" for c in wrong))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The failure in its own words, without a traceback."""
        if isinstance(excinfo.value, ClaimError):
            return str(excinfo.value)
        if isinstance(excinfo.value, SymBackpropError):
            return f"{type(excinfo.value).__name__}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The file, the line counted from 0, and the name."""
        return self.path, self.line - 1, self.name


def _headline(claim: JudgedClaim) -> str:
    return f"line {claim.line}: {claim.verdict.status}, expected {claim.expected}"
