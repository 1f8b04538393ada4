"""Printed modules of the catalogue, where nothing but their target's library can be imported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from lone_modules import NAMES, run_alone, write_modules


@pytest.mark.parametrize(
    "target,names",
    [
        ("numpy", NAMES),
        ("fused", ("gelu", "softmax", "layer_norm", "lstm", "max_pool2d")),
        ("python", NAMES),
        ("jax", ("gelu", "dense", "layer_norm", "focal")),
    ],
)
def test_modules_need_their_library_alone(target: str, names: Sequence[str], tmp_path: Path) -> None:
    """Each has functions that agree with finite differences, with formulas as comments, and warns of nothing."""
    files = write_modules(target, names, tmp_path)
    status, said, complaints = run_alone(target, files)

    assert (status, complaints) == (0, ""), said
    assert said.count("agrees") >= len(names)
    for file in files:
        text = file.read_text(encoding="utf-8")
        for function in ("forward", "backward", "value_and_grad", "check_gradients"):
            assert f"\ndef {function}(" in text
        assert "    # " in text
        if target == "python":
            code = text[text.index("def _forward(") : text.index("class BindingError")]
            assert max(len(line) for line in code.splitlines() if "#" not in line) <= 120


def test_an_import_that_is_blocked_is_seen(tmp_path: Path) -> None:
    """A module of NumPy does not run where only Python's own can be imported."""
    code, _, complaints = run_alone("python", write_modules("numpy", ("dense",), tmp_path))

    assert code != 0
    assert "No module named 'numpy'" in complaints
