"""docs/latex.md says what LaTeX is read and how: every row of its tables is read, and compared with what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.errors import SymBackpropError
from symbackprop.language import write_tree
from symbackprop.notation.reading import MatrixClaim, make_vocabulary, read_any_claim, read_block

DOCUMENT = (Path(__file__).parents[2] / "docs" / "latex.md").read_text(encoding="utf-8")
KINDS = ("understood as", "claimed", "error")
(FENCE,) = re.findall(r"```symbackprop\n(.*?)```", DOCUMENT, re.DOTALL)
VOCABULARY = make_vocabulary(sb.parse(FENCE).core)


def rows(text: str) -> Iterator[tuple[str, list[str], str]]:
    """The rows of tables: of which kind, the formulas in their first cell, and their second cell."""
    kind = ""
    for line in text.splitlines():
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 2 and cells[0] == "written":
            kind = cells[1]
        elif len(cells) == 2 and set(cells[0]) != {"-"}:
            yield kind, re.findall(r"`([^`]*)`", cells[0]), cells[1]


def echo(kind: str, latex: str) -> str:
    """What is understood of a formula, or the error."""
    if kind == "claimed":
        (statement,) = read_block(latex)
        claim = read_any_claim(statement, VOCABULARY)
        return claim.texts[0] if isinstance(claim, MatrixClaim) else write_tree(claim).removeprefix("claim ")
    try:
        understood = sb.latex_formula(latex).understood()
    except SymBackpropError as error:
        if kind != "error":
            raise
        return str(error)
    return understood if kind == "understood as" else f"understood as {understood}"


def faults(kind: str, written: list[str], said: str) -> list[str]:
    """The formulas of a row that are read otherwise than it says; one echo is that of all of them."""
    if kind == "error":
        return [latex for latex in written if said not in echo(kind, latex)]
    echoes = re.findall(r"`([^`]*)`", said)
    echoes = echoes * len(written) if len(echoes) == 1 else echoes
    return [latex for latex, text in zip(written, echoes, strict=True) if echo(kind, latex) != text]


@pytest.mark.parametrize(("kind", "written", "said"), list(rows(DOCUMENT)))
def test_the_document_says_how_latex_is_read(kind: str, written: list[str], said: str) -> None:
    """Each formula of a row is read as the row says, or refused with its words."""
    assert kind in KINDS
    assert written
    assert faults(kind, written, said) == []


def test_a_wrong_row_would_be_seen() -> None:
    """Each kind of row is compared with what is read, and all tables are found."""
    planted = "| written | %s |\n|---|---|\n| `x^2`, `x \\| y` | `x^3` |\n"
    for kind in KINDS:
        assert [(kind, ["x^2", "x | y"], "`x^3`")] == list(rows(planted % kind))
    assert faults("understood as", ["x^2", "x^3"], "`x^2`") == ["x^3"]
    assert faults("error", ["x^2", "f(x)"], "the function f") == ["x^2"]
    assert faults("claimed", [r"\nabla_b L = \delta^\top \mathbf{1}"], "`d loss / d b = sum(adj(z), 2)`") != []
    assert {kind for kind, _, _ in rows(DOCUMENT)} == set(KINDS)
    assert len(list(rows(DOCUMENT))) >= 60
