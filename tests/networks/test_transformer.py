"""The transformer of the examples: its page, its proof, and the blocks that it is made of."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import symbackprop as sb

SCRIPT = Path(__file__).parents[2] / "examples" / "transformer.py"
EXAMPLE = runpy.run_path(str(SCRIPT))


def test_the_page_is_up_to_date() -> None:
    """examples/transformer.md says what is derived now."""
    assert SCRIPT.with_suffix(".md").read_text(encoding="utf-8") == EXAMPLE["render"]()


def test_it_is_proved_for_all_sizes() -> None:
    """Every step from the raw adjoints to what is printed."""
    verdict = sb.derive(EXAMPLE["make_model"]("V", "M", "D", "F")).certify()

    assert verdict.proved, str(verdict)
    assert verdict.for_all_sizes


def test_it_prints_as_a_textbook_has_it() -> None:
    """What flows around a block is added to the textbook's derivative of its normalisation."""
    page = "".join(SCRIPT.with_suffix(".md").read_text(encoding="utf-8").split())
    around = "s82_bar[n,t,i]=(s10_bar[n,t,i]+(xhat9_bar[n,t,i]-mean(d,xhat9_bar[n,t,d])"
    around += "-xhat9[n,t,i]*mean(d,xhat9_bar[n,t,d]*xhat9[n,t,d]))/sqrt(v9[n,t]+1e-5))"

    assert around in page
    assert "z12_bar[n,t,i]=(p[n,t,i]-where(i==y[n,t],1,0))/(N*T)" in page


def test_it_learns_to_count() -> None:
    """The loss falls to a fraction in a few steps."""
    before, after = EXAMPLE["learn_to_count"]()

    assert after < before / 4


def test_layers_that_do_not_exist_are_named() -> None:
    """A block says which layers there are."""
    with pytest.raises(sb.UnknownNameError, match="There is no layer 'soft_attention'"):
        sb.transformer_block(2, 4, 8, attention="soft_attention")
