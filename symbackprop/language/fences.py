"""The `symbackprop` fences of a Markdown file, as one program whose places are those of the file."""

from __future__ import annotations

import re

from symbackprop.errors import DocumentError

FENCE = re.compile(r"^(?P<indent> {0,3})(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")


def extract_fences(markdown: str) -> str:
    """Return the text of all `symbackprop` fences, every other line blank, so that lines and columns stay the file's.

    DocumentError names the line of a fence that is never closed.

    >>> extract_fences("# Title\\n```symbackprop\\nparam w\\n```\\n")
    '\\n\\nparam w\\n\\n'
    """
    return "\n".join(line if place == "ours" else "" for place, line in _placed_lines(markdown))


def without_fences(markdown: str) -> str:
    """Return the text outside of all fences, every other line blank.

    >>> without_fences("# Title\\n```sh\\nls\\n```\\n")
    '# Title\\n\\n\\n\\n'
    """
    return "\n".join(line if place == "outside" else "" for place, line in _placed_lines(markdown))


def _placed_lines(markdown: str) -> list[tuple[str, str]]:
    """Each line with its place: "outside" of fences, in one of "ours", or in "another" or the mark of one."""
    placed: list[tuple[str, str]] = []
    opener, opened_at, ours = "", 0, False
    for number, line in enumerate(markdown.split("\n"), start=1):
        match = FENCE.match(line.rstrip("\r"))
        if opener:
            if match and not match["info"].strip() and match["marks"].startswith(opener):
                opener = ""
            placed.append(("ours" if ours and opener else "another", line))
        elif match:
            words = match["info"].strip("{} \t").lower().split()
            ours = bool(words) and words[0].lstrip(".") == "symbackprop"
            opener, opened_at = match["marks"], number
            placed.append(("another", line))
        else:
            placed.append(("outside", line))
    if opener and ours:
        raise DocumentError(
            f"line {opened_at}: found a symbackprop fence that is never closed, expected {opener} on a line of its own"
        )
    return placed
