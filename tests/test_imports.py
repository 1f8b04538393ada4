"""Importing the package brings what a first gradient needs alone, and every public name is there when asked for."""

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


def test_the_import_brings_what_leads_to_a_first_gradient_and_no_more() -> None:
    """The language, the engine and NumPy's code come with the import; what shows, proves and trains when it is used."""
    script = "import sys, symbackprop; print(*sorted(m for m in sys.modules if m.startswith('symbackprop.')))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    found = done.stdout.split()

    assert {"symbackprop.language.reader", "symbackprop.calculus.chain", "symbackprop.codegen.functions"} <= set(found)
    rooms = ("proof", "notation.reading", "notation.writing", "report", "training")
    assert [m for m in found for room in rooms if m.startswith(f"symbackprop.{room}.")] == []


def test_a_first_gradient_imports_its_runtime_alone() -> None:
    """Nobody waits for modules of ours once they have imported the package and run a network."""
    script = (
        "import sys, symbackprop as sb; before = set(sys.modules); d = sb.derive(sb.mlp([1, 1, 1]));"
        "d.compile()({'W1': [[1.0]], 'W2': [[1.0]], 'b1': [0.0], 'b2': [0.0]}, x=[[1.0]], y=[[1.0]]);"
        "print(*sorted(m for m in set(sys.modules) - before if m.startswith('symbackprop.')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["symbackprop.codegen.numpy_runtime", "symbackprop.codegen.windows_runtime"]


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
