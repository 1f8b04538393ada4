"""Keeps the verdicts that documents quote below their claims true.

Run it to check them, with `--write` to write them anew.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import symbackprop as sb

DOCUMENTS = tuple(Path(__file__).with_name(name) for name in ("mistakes.md", "seed_latex.md"))


def with_verdicts(document: Path) -> str:
    """The text of a document with the verdicts of each paragraph, fence or block of claims quoted below it."""
    quotes: dict[int, list[str]] = {}
    for claim, verdict in sb.check_document(document):
        quotes.setdefault(claim.line, []).append(f"> - `{claim.text}`: {bold(str(verdict))}")
    made, pending, inside, quoted = [], [], False, False
    for number, line in enumerate(document.read_text(encoding="utf-8").split("\n"), 1):
        if line.startswith("> - ") or (quoted and not line):
            quoted = bool(line)
            continue
        pending += quotes.get(number, [])
        if line.startswith("```"):
            inside = not inside
        if not line and pending and not inside:
            made += ["", *pending, ""]
            pending = []
        else:
            made.append(line)
    return "\n".join(made)


def bold(sentence: str) -> str:
    """A verdict with its first word, the status, small and in bold."""
    return re.sub(r"^\w+", lambda status: f"**{status[0].lower()}**", sentence)


def main() -> int:
    """Check the documents, or write them with --write."""
    late = 0
    for document in DOCUMENTS:
        wanted = with_verdicts(document)
        if "--write" in sys.argv[1:]:
            document.write_text(wanted, encoding="utf-8")
        elif document.read_text(encoding="utf-8") == wanted:
            print(f"{document.name}: every verdict stands as it is decided.")
        else:
            print(f"{document.name} is out of date; run python examples/verdicts.py --write", file=sys.stderr)
            late = 1
    return late


if __name__ == "__main__":
    sys.exit(main())
