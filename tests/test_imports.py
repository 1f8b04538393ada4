"""Importing the package brings what deriving needs alone, and every public name is there when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import symbackprop as sb
from symbackprop import codegen, facade, language, proof
from symbackprop.notation import writing

NAMES = ("parse", "derive", "Program", "Derivation", "Gradient", "mlp", "Network", "Dense", "Verdict", "train")
HEAVY = ("tqdm", "latex2mathml", "click", "sklearn", "scipy", "matplotlib", "jax", "torch")


def test_the_import_brings_nothing_heavy() -> None:
    """What trains, writes documents or needs an extra is imported when it is first asked for."""
    script = "import sys, symbackprop; print([m for m in sys.argv[1:] if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script, *HEAVY], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_deriving_brings_no_reader_writer_proof_or_code() -> None:
    """The import brings the engine; what reads, writes, proves, runs and trains comes when it is first used."""
    script = "import sys, symbackprop; print(*sorted(m for m in sys.modules if m.startswith('symbackprop.')))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    found = done.stdout.split()

    assert "symbackprop.calculus.chain" in found
    rooms = ("proof", "codegen", "networks", "notation.reading", "notation.writing", "language.grammar", "training")
    assert [m for m in found for room in rooms if m.startswith(f"symbackprop.{room}.")] == []


def test_public_names_are_listed_and_unknown_ones_refused() -> None:
    """A name that is not imported yet stands in dir(), and one that is none is an AttributeError."""
    assert set(NAMES) <= set(dir(sb))
    assert all(getattr(sb, name) is not None for name in dir(sb))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sb.nothing  # noqa: B018
    for room in (codegen, facade, language, writing, proof):
        assert all(getattr(room, name) is not None for names in room.PLACES.values() for name in names.split())
        with pytest.raises(AttributeError, match="no attribute 'nothing'"):
            room.nothing  # noqa: B018


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
