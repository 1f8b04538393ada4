"""docs/kinks.md: our derivatives at kinks and ties, and JAX's. PyTorch's are compared beside the tests of PyTorch."""

from __future__ import annotations

import jax
import pytest
from kinks import TIES, Kink, jax_share, jax_slope, list_kinks, our_share, our_slope, read_rows, slope_of_text, write

jax.config.update("jax_enable_x64", True)

KINKS = list_kinks()


def test_the_page_lists_every_kink() -> None:
    """In the order of the catalogue, then the ties over an index."""
    heads = [list(kink.cells) for kink in KINKS]
    rows = read_rows()

    assert [row[:3] for row in rows[: len(heads)]] == heads, "run python tests/torch/kink_page.py --write"
    assert [row[0] for row in rows[len(heads) :]] == [f"`{tie.text}`" for tie in TIES]


@pytest.mark.parametrize("kink", KINKS, ids=lambda kink: "-".join(kink.cells))
def test_our_slope_and_that_of_jax_are_as_the_page_says(kink: Kink) -> None:
    """Ours is what the compiled code returns; JAX's is that of its own function."""
    row = next(row for row in read_rows() if row[:3] == list(kink.cells))

    assert row[3] == our_slope(kink)
    assert row[4] == jax_slope(kink)


def test_ties_over_an_index_are_as_the_page_says() -> None:
    """The first of equal entries gets all of it; JAX gives equal parts."""
    rows = read_rows()[len(KINKS) :]

    assert [row[2:4] for row in rows] == [[our_share(tie), jax_share(tie)] for tie in TIES]


def test_another_choice_at_a_kink_is_noticed() -> None:
    """relu(u) = where(u >= 0, u, 0) has the slope 1 at 0, which is not what the page says."""
    (row,) = [row for row in read_rows() if row[0] == "`relu(u)`"]

    assert row[3] == "0"
    assert write(slope_of_text("where(u >= 0, u, 0)", ("u",), 0, (0.0,))) == "1"
