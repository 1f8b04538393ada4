"""Importing the package brings SymPy, NumPy, the grammar and FLINT, and nothing that only some uses need."""

from __future__ import annotations

import subprocess
import sys

import symbackprop as sb

HEAVY = ("tqdm", "latex2mathml", "click", "sklearn", "scipy", "matplotlib", "jax", "torch")


def test_the_import_brings_nothing_heavy() -> None:
    """What trains, writes documents or needs an extra is imported when it is first asked for."""
    script = "import sys, symbackprop; print([m for m in sys.argv[1:] if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script, *HEAVY], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_late_names_are_there() -> None:
    """Names that are imported late are the same objects as in their modules."""
    assert callable(sb.train)
    assert sb.verify("x", "x").proved
    assert callable(sb.verify_backward)
    assert callable(sb.latex_formula)
    assert callable(sb.testing.assert_proved)
    assert sb.SGD is sb.training.SGD
    assert sb.Adam(0.1).lr == 0.1
    assert sb.descend("x^2", 1, 0.5, 1).factor is not None
