"""Printed modules of the catalogue for PyTorch, where symbackprop cannot be imported."""

from __future__ import annotations

from pathlib import Path

from lone_modules import NAMES, run_alone, write_modules


def test_modules_need_pytorch_alone(tmp_path: Path) -> None:
    """All agree with finite differences."""
    code, said, complaints = run_alone("torch", write_modules("torch", NAMES, tmp_path))

    assert (code, complaints) == (0, ""), said
    assert said.count("agrees") >= len(NAMES)
