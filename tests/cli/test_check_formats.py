"""`symbackprop check` as text, JSON and JUnit XML."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from symbackprop.cli.commands import command

PROGRAM = "# Square\n\n```symbackprop\nparam w\nf = w^2\n"
MIXED = PROGRAM + "claim d f / d w = w\nclaim d f / d w = 2*w\nclaim f = w expect refuted\n```\n\nIt is $f < g$.\n"


def check(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(command, ["check", *arguments])


@pytest.fixture
def document(tmp_path: Path) -> str:
    """A document with a wrong claim, a right one, an expected mistake and a formula that is no claim."""
    path = tmp_path / "a.md"
    path.write_text(MIXED, encoding="utf-8")
    return str(path)


def test_text_lists_verdicts_and_what_is_not_judged(document: str) -> None:
    """Every claim with its place and verdict, what was derived instead, and formulas without a mark."""
    done = check(document)

    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"NOT {document}:6: d f / d w = w",
        "      Refuted; at w = 4 the left side is 8 and the right side is 4. The claim lacks the factor 2.",
        "      Derived: 2*w",
        f"ok  {document}:7: d f / d w = 2*w",
        "      Proved for all values.",
        f"ok  {document}:8: f = w",
        "      Refuted; at w = 4 the left side is 16 and the right side is 4. The claim lacks the factor w.",
        f"--  {document}:11: not judged: f < g",
        "2 of 3 claims are as stated. 1 formula is not judged.",
    ]


def test_json_says_the_same(document: str) -> None:
    """JSON has every claim with its line, status, witness, diagnosis and what was derived."""
    done = check(document, "--format", "json")
    (data,) = json.loads(done.stdout)

    assert done.exit_code == 1
    assert data["path"] == document
    assert [(c["line"], c["status"], c["expected"], c["as_expected"]) for c in data["claims"]] == [
        (6, "refuted", "proved", False),
        (7, "proved", "proved", True),
        (8, "refuted", "refuted", True),
    ]
    assert data["claims"][0]["witness"] == {"point": {"w": "4"}, "left": ["8", "8"], "right": ["4", "4"]}
    assert data["claims"][0]["derived"] == "2*w"
    assert data["claims"][0]["diagnosis"] == "the claim lacks the factor 2"
    assert data["not_judged"] == [{"line": 11, "source": "f < g"}]


def test_junit_is_what_continuous_integration_reads(document: str, tmp_path: Path) -> None:
    """A suite for each file, a case for each claim, failures with their text, errors for what cannot be read."""
    done = check(document, str(tmp_path / "missing.md"), "--format", "junit")
    root = ElementTree.fromstring(done.stdout)
    first, second = root.findall("testsuite")

    assert done.exit_code == 3
    assert {k: first.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    failure = first.find("testcase/failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("refuted", "refuted, expected proved")
    assert "diagnosis: the claim lacks the factor 2" in (failure.text or "")
    assert [case.get("line") for case in first.findall("testcase")] == ["6", "7", "8", "11"]
    assert second.get("errors") == "1"
    assert second.find("testcase/error") is not None


def test_what_xml_does_not_have_is_replaced(tmp_path: Path) -> None:
    """Control characters in a formula do not break the report."""
    path = tmp_path / "a.md"
    path.write_text("$a\x01b\ufffe\uffff$", encoding="utf-8")

    root = ElementTree.fromstring(check(str(path), "--format", "junit").stdout)
    assert [case.get("name") for case in root.iter("testcase")] == ["line 1: a\ufffdb\ufffd\ufffd"]
    (data,) = json.loads(check(str(path), "--format", "json").stdout)
    assert data["not_judged"][0]["source"] == "a\x01b\ufffe\uffff"


FORMS = r"""# <Forms> & "lines"

> ```symbackprop
> param w, v
> f = w^2*v
> claim d f / d w = 2*w*v
> claim d f / d v =
> ```

Inline $w + w = 2w$ <!-- sb: claim --> and, two lines on, $w \cdot w =
w^2$. <!-- sb: claim -->

- in a list

  <!-- sb: claim -->
  $$
  \begin{aligned}
  (w + v)^2 &= w^2 + 2wv + v^2 \\
            &= w(w + v) \\
            &\quad + v(w + v) \\
            &= w^2 + v^2
  \end{aligned}
  $$

> <!-- sb: claim -->
> $$ w v
>    = v w
>    = 2 v w $$

<!-- sb: claim expect refuted -->
$$ a < b $$
"""


def test_lines_are_right_in_every_form(tmp_path: Path) -> None:
    """Text, JSON and JUnit XML name the line of each link, in quotes, lists, inline formulas and derivations."""
    path = tmp_path / 'a "b" <c>.md'
    path.write_text(FORMS.replace("> claim d f / d v =\n", ""), encoding="utf-8")
    done = {form: check(str(path), "--format", form) for form in ("text", "json", "junit")}
    (data,) = json.loads(done["json"].stdout)
    (suite,) = ElementTree.fromstring(done["junit"].stdout)
    lines = [6, 9, 10, 17, 18, 20, 26, 27]

    assert {each.exit_code for each in done.values()} == {3}
    assert [claim["line"] for claim in data["claims"]] == lines
    assert [claim["status"] for claim in data["claims"]] == ["proved"] * 5 + ["refuted", "proved", "refuted"]
    assert data["first_wrong_lines"] == [20, 27]
    assert [error["line"] for error in data["errors"]] == [30]
    cases = suite.findall("testcase")
    assert [case.get("line") for case in cases] == [*map(str, lines), "30"]
    assert {case.get("file") for case in cases} == {suite.get("name")} == {str(path)}
    assert [suite.get(each) for each in ("tests", "failures", "errors", "skipped")] == ["9", "2", "1", "0"]
    assert [len(case.findall("failure")) for case in cases] == [0, 0, 0, 0, 0, 1, 0, 1, 0]
    marks = [line for line in done["text"].stdout.splitlines() if line.startswith(("ok ", "NOT"))]
    assert [int(line[4 + len(str(path)) + 1 :].split(":")[0]) for line in marks] == lines


def test_an_error_in_a_quoted_fence_has_its_line_and_column(tmp_path: Path) -> None:
    """Places are those of the file, the marks of quotes included."""
    path = tmp_path / "a.md"
    path.write_text(FORMS, encoding="utf-8")

    assert "line 7, column 20" in check(str(path)).stderr


@pytest.mark.parametrize(
    "body, options, code",
    [
        ("claim d f / d w = 2*w\n", [], 0),
        ("claim d f / d w = w\n", [], 1),
        ("claim d f / d w = 2*w expect refuted\n", [], 1),
        ("claim log(w^2) = 2*log(w)\n", [], 2),
        ("claim d g / d w = 2*w\n", [], 3),
        ("claim d f / d w = 2w\n", [], 3),
        ("claim d f / d w = 2*w\n", ["--strict"], 0),
        ("", [], 0),
        ("", ["--strict"], 2),
    ],
)
def test_exit_codes(tmp_path: Path, body: str, options: list[str], code: int) -> None:
    """0 as stated, 1 refuted or proved against its word, 2 undecided, 3 unreadable, in every format."""
    path = tmp_path / "a.md"
    path.write_text(PROGRAM + body + "```\n", encoding="utf-8")

    assert [check(str(path), *options, "--format", form).exit_code for form in ("text", "json", "junit")] == [code] * 3


def test_an_unreadable_file_does_not_hide_the_others(document: str, tmp_path: Path) -> None:
    """Every file is judged; what cannot be read is named on stderr with its file."""
    (tmp_path / "b.md").write_text("```symbackprop\nf = 2w\n```", encoding="utf-8")
    done = check(str(tmp_path / "b.md"), document)

    assert done.exit_code == 3
    assert f"FormulaError: {tmp_path / 'b.md'}: line 2, column 6: found `w`" in done.stderr
    assert "2 of 3 claims are as stated." in done.stdout


@pytest.mark.parametrize("block", ["$$ x = x", "<!-- sb: clame -->\n$x = x$"])
def test_the_line_of_an_error_in_a_document_is_told(tmp_path: Path, block: str) -> None:
    """As a number in JSON, where the message says it too."""
    path = tmp_path / "post.md"
    path.write_text(f"# Text\n\n{block}\n")
    (data,) = json.loads(check(str(path), "--format", "json").stdout)

    assert [(error["type"], error["line"]) for error in data["errors"]] == [("DocumentError", 3)]
