"""Claims in LaTeX about a program, judged as a document that holds nothing else."""

from __future__ import annotations

from pathlib import Path

import symbackprop as sb


def judge(folder: Path, program: str, latex: str, names: str = "") -> list[sb.Verdict]:
    """The verdicts on a formula, one for each link, where `names` are declared."""
    path = folder / "claim.md"
    declared = f"<!-- sb: names {names} -->\n" if names else ""
    path.write_text(f"```symbackprop{program}```\n{declared}<!-- sb: claim -->\n$${latex}$$\n", encoding="utf-8")
    return [verdict for _, verdict in sb.check_document(path)]
