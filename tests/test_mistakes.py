"""examples/mistakes.md says what symbackprop says: each mistake is refuted and its correction proved."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.proof.outlines import JudgedClaim

EXAMPLES = Path(__file__).parent.parent / "examples"
GALLERY = EXAMPLES / "mistakes.md"


@pytest.fixture(scope="module")
def claims() -> list[JudgedClaim]:
    """The judged claims of the gallery."""
    return [claim for claim, _ in sb.check_document(GALLERY)]


def test_the_gallery_is_up_to_date() -> None:
    """The verdicts, witnesses and diagnoses quoted in the documents are those that are found now."""
    script = runpy.run_path(str(EXAMPLES / "verdicts.py"))

    for document in script["DOCUMENTS"]:
        assert document.read_text(encoding="utf-8") == script["with_verdicts"](document)


def test_each_mistake_is_refuted_and_its_correction_proved(claims: list[JudgedClaim]) -> None:
    """Every section has a claim that is refuted as expected and one that is proved, and nothing is undecided."""
    lines = GALLERY.read_text(encoding="utf-8").split("\n")
    starts = [number for number, line in enumerate(lines, 1) if re.match(r"## \d+\. ", line)]
    sections = [
        [claim for claim in claims if start < claim.line < end]
        for start, end in zip(starts, [*starts[1:], len(lines) + 1], strict=True)
    ]

    assert [claim.text for claim in claims if not claim.as_expected] == []
    assert [{claim.expected for claim in section} for section in sections] == [{"proved", "refuted"}] * len(sections)
    assert len(sections) >= 25


def test_each_mistake_is_diagnosed(claims: list[JudgedClaim]) -> None:
    """Every refutation says what the claim lacks."""
    assert [claim.text for claim in claims if claim.verdict.refuted and not claim.verdict.diagnosis] == []


def test_the_number_of_a_section_is_that_of_its_names() -> None:
    """A reader finds the section of a tensor by its number."""
    text = GALLERY.read_text(encoding="utf-8")
    for number, section in re.findall(r"^## (\d+)\. (.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL):
        heads = re.findall(r"^([a-z]+)(\d+)(?:\[.*?\])? = ", section, flags=re.MULTILINE)
        assert {found for _, found in heads} <= {number}


@pytest.mark.parametrize(
    "right, wrong, status",
    [
        (
            "claim d f3 / d w3[d] = 2*sum(n, r3[n]*x3[n,d])/N",
            "claim d f3 / d w3[d] = 2*sum(n, r3[n]*x3[n,d])/D",
            "refuted",
        ),
        ("claim d a1[n] / d z1[n] = a1[n]*(1 - a1[n])", "claim d a1[n] / d z1[n] = a1[n]*(1 + a1[n])", "refuted"),
        ("= 2*(a4[n,k] - y4[n,k])/N expect", "= 2*(a4[n,k] - y4[n,k])/(K*N) expect", "proved"),
    ],
)
def test_a_planted_mistake_is_found(tmp_path: Path, right: str, wrong: str, status: str) -> None:
    """A correction that is made wrong, and a mistake that is made right, are both found."""
    start = GALLERY.read_text(encoding="utf-8").split("## 5.")[0]
    assert start.count(right) == 1
    (tmp_path / "planted.md").write_text(start.replace(right, wrong), encoding="utf-8")
    found = [claim for claim, _ in sb.check_document(tmp_path / "planted.md") if not claim.as_expected]

    assert [claim.verdict.status for claim in found] == [status]
