"""Keeps examples/seed.md true: the verdicts under its claims and the 48 updates at its end.

Run it to check them, with `--write` to write them anew.
"""

from __future__ import annotations

import itertools
import runpy
import sys
from pathlib import Path

import symbackprop as sb
from symbackprop.notation.writing import choose_names, make_equations

DOCUMENT = Path(__file__).with_name("seed.md")
VERDICTS = Path(__file__).with_name("verdicts.py")
MARKS = ("<!-- updates: written by examples/seed.py -->", "<!-- end of updates -->")


def list_updates() -> str:
    """The adjoints of the network 3-3-3-3-3 and its 48 updates, in the names of the post."""
    derivation = sb.derive(sb.mlp([3, 3, 3, 3, 3], batch=None))
    program = derivation.program.core
    names = choose_names(program.tensors(), (), "seed")
    deltas, updates = [], []
    for definition in derivation.folding.definitions:
        equations = make_equations((definition,), program, "scalar", names="seed")
        of = str(definition.tensor.denominator)
        if of not in derivation.gradients:
            deltas += [f"{e.left} &= {e.right}" for e in equations]
            continue
        sizes = [range(1, (axis.integer or 0) + 1) for axis in definition.tensor.axes]
        for entry, equation in zip(itertools.product(*sizes), equations, strict=True):
            symbol = names.entry(of, [str(k) for k in entry])
            updates.append(rf"{symbol} &\leftarrow {symbol} - l_r\, {equation.right}")
    assert len(updates) == 48
    columns = [" & ".join(updates[k : k + 3]).replace(" & ", " & ") for k in range(0, 48, 3)]
    blocks = (" \\\\\n".join(deltas), " \\\\\n".join(columns))
    return "\n\n".join(f"$$\n\\begin{{aligned}}\n{block}\n\\end{{aligned}}\n$$" for block in blocks)


def render() -> str:
    """The document as it should be."""
    text: str = runpy.run_path(str(VERDICTS))["with_verdicts"](DOCUMENT)
    before, rest = text.split(MARKS[0])
    return before + MARKS[0] + "\n\n" + list_updates() + "\n\n" + MARKS[1] + rest.split(MARKS[1])[1]


def main() -> int:
    """Check the document, or write it with --write."""
    wanted = render()
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(wanted, encoding="utf-8")
        return 0
    if DOCUMENT.read_text(encoding="utf-8") == wanted:
        print(f"{DOCUMENT.name}: every verdict and update stands as it is derived.")
        return 0
    print(f"{DOCUMENT.name} is out of date; run python examples/seed.py --write", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
