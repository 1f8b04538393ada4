"""Markdown: the fences of a file are one program whose errors name the file's own lines."""

from __future__ import annotations

import pytest

from symbackprop.errors import DocumentError, FormulaError
from symbackprop.language.fences import extract_fences, without_fences
from symbackprop.language.reader import read_statements

DOCUMENT = """# A document

```symbackprop
param w
```
Words, and another language:
```python
loss = 2x
```
~~~~ symbackprop
loss = w^2
~~~
claim w = w
~~~~
"""


def test_fences_form_one_program_in_order() -> None:
    """Only symbackprop fences count, and every statement keeps its line of the file."""
    text = extract_fences(DOCUMENT.replace("~~~\nclaim", "claim"))
    assert [(type(s).__name__, s.line) for s in read_statements(text)] == [
        ("Declaration", 4),
        ("Define", 11),
        ("Claim", 12),
    ]


def test_shorter_marks_do_not_close_a_fence() -> None:
    """A fence is closed by marks at least as long as those that opened it, as CommonMark says."""
    with pytest.raises(FormulaError) as caught:
        read_statements(extract_fences(DOCUMENT))
    assert (caught.value.line, caught.value.column, caught.value.found) == (12, 1, "`~`")


def test_open_fence_is_an_error() -> None:
    """A symbackprop fence that is never closed names the line of its opening."""
    with pytest.raises(DocumentError, match="line 2"):
        extract_fences("text\n```symbackprop\nparam w\n")


@pytest.mark.parametrize(
    ("text", "ours", "outside"),
    [
        ("> ```symbackprop\n> param w\n> ```\n> $a$", "  param w", "> $a$"),
        (">```symbackprop\n>param w\n>```\n$a$", " param w", "$a$"),
        ("> > ~~~symbackprop\n> > param w\n> > ~~~\n> $a$", "    param w", "> $a$"),
        ("- one\n\n    ```symbackprop\n    param w\n    ```\n$a$", "    param w", "$a$"),
        ("> 1. one\n>    ```symbackprop\n>    param w\n>    ```\n$a$", "     param w", "$a$"),
        ("> ```python\n> $b$\n$a$", "", "$a$"),
        ("text\n\n    ```symbackprop\n    param w\n    ```\n$a$", "", "$a$"),
        ("```symbackprop\n> param w\n```\n$a$", "> param w", "$a$"),
    ],
)
def test_fences_are_found_in_quotes_and_lists(text: str, ours: str, outside: str) -> None:
    """A fence may stand in block quotes and in items of lists; columns stay those of the file."""
    assert [line for line in extract_fences(text).split("\n") if line] == ([ours] if ours else [])
    assert without_fences(text).split("\n")[-1] == outside


def test_a_fence_that_its_quote_ends_is_an_error() -> None:
    """What stands below a quote is not taken for what stands in its fence."""
    with pytest.raises(DocumentError, match="line 1"):
        extract_fences("> ```symbackprop\n> param w\n\nclaim w = w\n```\n")


def test_document_without_fences_is_an_empty_program() -> None:
    """Plain text, and fences of other languages, say nothing."""
    assert read_statements(extract_fences("# Title\n```\nfoo bar\n```\n")) == ()
