"""docs/kinks.md against PyTorch."""

from __future__ import annotations

from kink_page import render
from kinks import PAGE


def test_the_page_of_kinks_is_up_to_date() -> None:
    """Each cell of each column, PyTorch's included, is what the functions return now."""
    assert PAGE.read_text(encoding="utf-8") == render()
