"""The logistic function and softplus far out, on PyTorch."""

from __future__ import annotations

import pytest
import torch
from logistic_check import LOGISTIC, check_logistic


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("text", LOGISTIC)
def test_logistic_functions_keep_their_digits_on_torch(text: str, dtype: str) -> None:
    """As on every other target."""
    check_logistic(text, "torch", dtype, lambda u: torch.tensor([u], dtype=getattr(torch, dtype)))
