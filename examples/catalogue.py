"""Keeps examples/catalogue.md true: every function, layer and loss that is known by name, and what is derived of it.

Run it to check the document, with `--write` to write it anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

import symbackprop as sb
from symbackprop.networks import LOSSES, PENALTIES

DOCUMENT = Path(__file__).with_name("catalogue.md")
OPENING = """# The catalogue

Everything that is known by name: its forward formula, which is all that was written down of it, the gradients that are
derived from that, and where a reader can compare the formula. Where an entry is no loss, `g` (or another letter, if it
has a g of its own) is the gradient that arrives from above, and `x_bar` the derivative by `x`. Indices count from 1,
and a read outside of a tensor is 0. `symbackprop derive catalogue:NAME` prints an entry; a test compares every one with
JAX, with PyTorch and with SymPy's `diff` of the program written out. This page is written by `examples/catalogue.py`.
"""
TITLES = {"function": "Scalar functions", "layer": "Layers", "loss": "Losses"}


def write_entry(entry: sb.Entry) -> str:
    """One section of the document."""
    derivation = entry.derivation
    formula = derivation.latex("index").replace("{align*}", "{aligned}")
    parts = [f"### {entry.name}", f"Source: {entry.source}."]
    if entry.note:
        parts.append(f"`{entry.note}`" if entry.kind == "function" else f"{entry.note[:1].upper()}{entry.note[1:]}.")
    parts.append(f"```text\n{entry.text.strip()}\n```")
    return "\n\n".join([*parts, f"```text\n{derivation.text().strip()}\n```", f"$$\n{formula}\n$$"])


def tabulate_losses() -> str:
    """What each loss sums or averages, and its unit."""
    rows = ["| loss | settings | sum or mean | unit |", "|---|---|---|---|"]
    for loss in (*LOSSES, *PENALTIES):
        settings = ", ".join(f"{name} = {value}" for name, value in loss.fragment.settings.items())
        rows.append(f"| {loss.fragment.name} | {settings} | {loss.reduction} | {loss.unit} |")
    return "\n".join(rows)


def render() -> str:
    """The document as it should be."""
    parts = [OPENING.strip()]
    for kind, title in TITLES.items():
        parts += [
            f"## {title}",
            *([tabulate_losses()] if kind == "loss" else []),
            *(write_entry(entry) for entry in sb.catalogue() if entry.kind == kind),
        ]
    return "\n\n".join(parts) + "\n"


def main() -> int:
    """Check the document, or write it with --write."""
    wanted = render()
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(wanted, encoding="utf-8")
        return 0
    if DOCUMENT.read_text(encoding="utf-8") == wanted:
        print(f"{DOCUMENT.name}: every gradient stands as it is derived.")
        return 0
    print(f"{DOCUMENT.name} is out of date; run python examples/catalogue.py --write", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
