"""Numbers that no float holds, and those with more digits than are written."""

from pathlib import Path

import pytest
from latex_claims import judge

from symbackprop.errors import LimitError

PROGRAM = "\nparam x, y\n"


@pytest.mark.parametrize(
    ("claim", "status", "said"),
    [
        (r"0.999^{2000} \approx 0.135", "proved", "0.1351999"),
        (r"0.9^{5000} \approx 1.6\times 10^{-229}", "proved", "e-229"),
        (r"1.001^{2000} \approx 7.3", "refuted", "7.381676"),
        ("0.99^{3000} = 0", "refuted", "about 8.046070e-14"),
        ("(x+1)^{1000} = (1+x)^{1000}", "proved", "all values"),
        ("(x+1)^{600} = (1+x)^{600} + y", "refuted", "about"),
        ("x^{8000} = y", "refuted", "e+"),
        ("e^{x^{50}} = y", "refuted", ""),
        ("e^{e^{e^{e^{e^{x^2}}}}} = 1", "undecided", "no proof and no counterexample"),
    ],
)
def test_huge_numbers_are_decided_and_written_briefly(claim: str, status: str, said: str, tmp_path: Path) -> None:
    """No number has hundreds of digits in a verdict, and one that overflows is not taken for an entry beyond an end."""
    (verdict,) = judge(tmp_path, PROGRAM, claim)

    assert verdict.status == status
    assert said in str(verdict)
    assert len(str(verdict)) < 400


def test_a_large_literal_is_said(tmp_path: Path) -> None:
    """The limit on exponentials of literals names the formula that passes it."""
    with pytest.raises(LimitError, match=r"exponential of a large literal in sigmoid\(100000 \+ x\^2\)"):
        judge(tmp_path, PROGRAM, r"\sigma(100000 + x^2) = y")
