"""examples/seed.md says what symbackprop says: every verdict, every update, and nothing that does not hold."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.proof.judges import judge_document

EXAMPLE = Path(__file__).parent.parent / "examples" / "seed.py"


@pytest.fixture(scope="module")
def script() -> dict[str, object]:
    """The names of the script that writes the document."""
    return runpy.run_path(str(EXAMPLE))


def test_the_document_is_up_to_date(script: dict[str, object]) -> None:
    """The verdicts and updates in the document are those that are derived now."""
    render = script["render"]
    assert callable(render)

    assert EXAMPLE.with_suffix(".md").read_text(encoding="utf-8") == render()


def test_every_claim_is_as_stated() -> None:
    """All claims are proved, or refuted where the document says so; both kinds are there."""
    claims = [claim for claim, _ in sb.check_document(EXAMPLE.with_suffix(".md"))]

    assert [claim.text for claim in claims if not claim.as_expected] == []
    assert sum(claim.expected == "refuted" for claim in claims) == 12
    assert sum(claim.expected == "proved" for claim in claims) == 32


def test_a_wrong_claim_in_the_document_would_be_found(tmp_path: Path) -> None:
    """A planted mistake is refuted against its word."""
    text = EXAMPLE.with_suffix(".md").read_text(encoding="utf-8")
    planted = text.replace("claim d f / d t = 2*t", "claim d f / d t = 3*t")
    assert planted != text
    (tmp_path / "planted.md").write_text(planted.split("## 2.")[0], encoding="utf-8")
    wrong = [claim for claim, _ in sb.check_document(tmp_path / "planted.md") if not claim.as_expected]

    assert [claim.verdict.status for claim in wrong] == ["refuted"]


def test_the_post_in_its_own_latex_is_as_stated() -> None:
    """Every formula of the post that is marked is understood, and judged as the page says; the rest is listed."""
    document = judge_document(EXAMPLE.with_name("seed_latex.md"))

    assert document.errors == ()
    assert [claim.source for claim in document.claims if not claim.as_expected] == []
    assert sum(claim.expected == "refuted" for claim in document.claims) == 5
    assert len(document.claims) == 39
    assert len(document.unjudged) == 29


def test_a_mistake_in_the_latex_would_be_found(tmp_path: Path) -> None:
    """A sign that is changed in a derivation is refuted at its line."""
    text = EXAMPLE.with_name("seed_latex.md").read_text(encoding="utf-8")
    planted = text.replace("=xS(wx+b)\\left(1-S(wx+b)\\right)=v_w", "=xS(wx+b)\\left(1+S(wx+b)\\right)=v_w")
    assert planted != text
    (tmp_path / "planted.md").write_text(planted.split("## 4.")[0], encoding="utf-8")
    wrong = [claim for claim in judge_document(tmp_path / "planted.md").claims if not claim.as_expected]

    assert [claim.verdict.status for claim in wrong] == ["refuted", "refuted"]
