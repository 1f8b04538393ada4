"""The `symbackprop` fences of a Markdown file, as one program whose places are those of the file."""

from __future__ import annotations

import re

from symbackprop.errors import DocumentError

FENCE = re.compile(r"^(?P<indent> *)(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")
QUOTE = re.compile(r" {0,3}> ?")
ITEM = re.compile(r" *(?:[-*+]|[0-9]{1,9}[.)]) {1,4}(?! )")


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
    """Each line with its place: "outside" of fences, in one of "ours", or in "another" or the mark of one.

    A line of ours in a block quote has blanks in the place of its marks.
    """
    placed: list[tuple[str, str]] = []
    opener, opened_at, ours, depth = "", 0, False, 0
    offset = 0  # where the text of the last item of a list begins
    for number, line in enumerate(markdown.split("\n"), start=1):
        prefix, text = _split_quote(line, depth if opener else None)
        if opener and prefix.count(">") < depth:  # a fence ends with its block quote
            if ours:
                break
            opener = ""
        indent = len(text) - len(text.lstrip(" "))
        item = ITEM.match(text)
        if item and not opener and indent < offset + 4:
            offset = len(item.group())
        elif text.strip() and indent < offset and not opener:
            offset = 0
        match = FENCE.match(text.rstrip("\r"))
        if match and len(match["indent"]) > offset + 3:
            match = None  # a block of code, which is indented further
        if opener:
            if match and not match["info"].strip() and match["marks"].startswith(opener):
                opener = ""
            inside = ours and bool(opener)
            placed.append(("ours", " " * len(prefix) + text) if inside else ("another", line))
        elif match:
            words = match["info"].strip("{} \t").lower().split()
            ours = bool(words) and words[0].lstrip(".") == "symbackprop"
            opener, opened_at, depth = match["marks"], number, prefix.count(">")
            placed.append(("another", line))
        else:
            placed.append(("outside", line))
    if opener and ours:
        raise DocumentError(
            f"line {opened_at}: found a symbackprop fence that is never closed, expected {opener} on a line of its own"
        )
    return placed


def _split_quote(line: str, most: int | None) -> tuple[str, str]:
    """The marks of so many block quotes, or of all, at the beginning of a line, and what stands behind them."""
    end = 0
    while most != 0 and (match := QUOTE.match(line, end)):
        end, most = match.end(), None if most is None else most - 1
    return line[:end], line[end:]
