"""The scanner of Markdown: formulas with their places, marks, and what is no formula."""

from __future__ import annotations

from pathlib import Path

import pytest

from symbackprop.errors import DocumentError
from symbackprop.language.markdown import Formula, Names, scan_markdown


def formulas(text: str) -> list[Formula]:
    """The formulas of a text."""
    return [piece for piece in scan_markdown(text) if isinstance(piece, Formula)]


def test_places_count_from_one() -> None:
    """A formula's line and column are those of its first character behind the dollar signs."""
    text = "# Title\n\nLet $a$ be and $b = c$.\n\n$$\nd = e\n$$\n"
    found = [(f.tex, f.line, f.column, f.last, f.display) for f in formulas(text)]

    assert found == [("a", 3, 6, 3, False), ("b = c", 3, 17, 3, False), ("\nd = e\n", 5, 3, 7, True)]


def test_a_mark_speaks_of_the_block_below_it_or_of_its_line() -> None:
    """A mark on a line of its own belongs to the next block, another one to the formulas of its line."""
    text = (
        "<!-- sb: claim expect refuted -->\n\n$$ a = b $$\n"
        "So $c = d$ and $e = f$. <!-- sb: claim -->\nBut $g$.\n<!-- sb: given --> $$ h = 1 $$\n"
    )
    found = [(f.tex.strip(), f.kind, f.refuted) for f in formulas(text)]

    assert found == [
        ("a = b", "claim", True),
        ("c = d", "claim", False),
        ("e = f", "claim", False),
        ("g", "", False),
        ("h = 1", "given", False),
    ]


def test_a_formula_may_go_over_the_end_of_a_line() -> None:
    """An inline formula ends at its dollar sign, on another line of its paragraph too."""
    (found,) = formulas("as $a =\nb$ says <!-- sb: claim -->")

    assert (found.tex, found.line, found.last, found.kind) == ("a =\nb", 1, 2, "claim")


def test_names_are_declared_from_their_place_on() -> None:
    """Declarations of names stand in order with the formulas, over several lines too."""
    found = scan_markdown("$a$\n<!-- sb: names \\hat y = a4,\n  S = sigmoid -->\n$b$")

    assert [type(piece) for piece in found] == [Formula, Names, Formula]
    assert found[1] == Names("\\hat y = a4,\n  S = sigmoid", 2)


@pytest.mark.parametrize(
    "text",
    [
        "`$a$` and ``x ` $b$``",
        "```python\n$a$\n```",
        "~~~\n<!-- sb: claim -->\n~~~",
        "<!-- $a$ -->",
        r"costs \$5 and \$6",
        "costs $5 and $6",
        "from $5 to 6$7",
        "a $ b",
        "$a\n\nb$",
    ],
)
def test_what_is_no_formula(text: str) -> None:
    """Code, comments, escaped signs and prices are no formulas, and nothing goes over the end of a paragraph."""
    assert scan_markdown(text) == ()


def test_an_environment_by_itself_is_a_block() -> None:
    """As MathJax and Jupyter show it; the one that it is closed by is the one that was opened."""
    aligned = "\\begin{align*}\na &= b \\\\\nc &= d\n\\end{align*}"
    (found,) = formulas(f"<!-- sb: claim -->\n{aligned}\n\nand \\begin{{equation}}\ne\n\\end{{align}}")

    assert found.tex == aligned
    assert (found.kind, found.line, found.column, found.last) == ("claim", 2, 1, 5)


def test_a_quoted_block_loses_its_marks_of_quotation() -> None:
    """The signs of a block quote are no relations; columns stay."""
    (found,) = formulas("> <!-- sb: claim -->\n>\n> $$\n> a = b\n> $$")

    assert (found.tex, found.kind) == ("\n  a = b\n  ", "claim")


@pytest.mark.parametrize(
    "text, message",
    [
        ("a\n<!-- sb: clam -->\n$$a$$", "line 2: found the mark 'clam', expected claim"),
        ("<!-- sb: given expect refuted -->\n$$a$$", "line 1: found the mark 'given expect refuted'"),
        ("<!-- sb: claim -->\nwords $a$", "line 1: found the mark 'claim' without a formula"),
        ("words <!-- sb: claim -->\n$$a$$", "line 1: found the mark 'claim' without a formula"),
        ("$a$ <!-- sb: claim --> $b$ <!-- sb: given -->", "line 1: found another mark for the formulas of line 1"),
        ("\n$$\na = b\n", "line 2: found $$ that is never closed"),
        ("$$\na\n\nb\n", "line 1: found $$ that is never closed"),
        ("<!-- sb: names -->", "line 1: found the mark 'names'"),
    ],
)
def test_marks_that_say_nothing_are_named(text: str, message: str) -> None:
    """A mark that cannot be understood, or that has no formula, is an error with its line."""
    with pytest.raises(DocumentError) as caught:
        scan_markdown(text)

    assert str(caught.value).startswith(message)


def test_the_examples_are_scanned() -> None:
    """Every document of the repository can be scanned, and formulas without a mark are found in it."""
    root = Path(__file__).parent.parent.parent
    found = {path.name: formulas(path.read_text(encoding="utf-8")) for path in (root / "examples").glob("*.md")}

    assert len(found["folds.md"]) == 20
    assert all(f.tex in (root / "examples" / "folds.md").read_text(encoding="utf-8") for f in found["folds.md"])
