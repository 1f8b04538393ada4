"""Modules of entries of the catalogue, run where only their target's library can be imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import symbackprop as sb

WORKER = Path(__file__).with_name("module_worker.py")
LIBRARIES = {
    "numpy": ("numpy",),
    "fused": ("numpy", "numba"),
    "python": ("",),
    "jax": ("jax", "numpy", "scipy"),
    "torch": ("torch", "numpy", "sympy"),  # which PyTorch imports by itself
}
NAMES = (
    "gelu", "huber", "softmax", "layer_norm", "dense", "bilinear", "embedding", "conv2d", "max_pool2d", "attention",
    "lstm", "focal", "info_nce",
)  # fmt: skip


def write_modules(target: str, names: Sequence[str], folder: Path) -> list[Path]:
    """The modules of entries, in a folder."""
    made = []
    for name in names:
        entry = sb.find_entry(name)
        derivation = sb.derive(entry.program)
        text = derivation.source(target, dict(entry.sizes[0]) if target == "python" else None)
        made.append(folder / f"{name}.py")
        made[-1].write_text(text, encoding="utf-8")
    return made


def run_alone(target: str, files: Sequence[Path]) -> tuple[int, str, str]:
    """The exit code, what the modules say, and what they complain of."""
    command = [sys.executable, "-I", "-W", "error", str(WORKER), ",".join(LIBRARIES[target]), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr
