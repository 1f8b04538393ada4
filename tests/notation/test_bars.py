r"""Bars, which look the same where they open and where they close: paired where one pairing makes sense."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.language import write_tree
from symbackprop.notation.reading import (
    AmbiguousFormulaError,
    MatrixClaim,
    make_vocabulary,
    read_any_claim,
    read_block,
    read_syntax,
    write_syntax,
)

PROGRAM = """input X[N,D], y[N], A[N,N], B[N,N], u[D]
param w[D], s
const lambda
loss = sum(n, (sum(d, X[n,d]*w[d]) - y[n])^2) + lambda*sum(d, w[d]^2)
"""


def understood(latex: str) -> str:
    """An equation as it was understood of the program."""
    (statement,) = read_block(latex)
    claim = read_any_claim(statement, make_vocabulary(sb.parse(PROGRAM).core))
    return claim.texts[0] if isinstance(claim, MatrixClaim) else write_tree(claim).removeprefix("claim ")


@pytest.mark.parametrize(
    "latex",
    [
        r"L=\|Xw-y\|^2+\lambda\|w\|^2",
        r"L=\|Xw-y\|_2^2+\lambda\|w\|_2^2",
        r"L=\|Xw-y\|^2-\lambda\,\|w\|^2",
        r"\|sw\|=s\|w\|",
        r"\|sw\|=|s|\|w\|",
        r"\|AB\|_F=\|A\|_F\|B\|_F",
        r"\|w\|_1=\sum_d|w_d|",
        r"\|w\| s = s\|w\|",
        r"\|w\| \cdot s\|u\| = \|w\| s\cdot\|u\|",
    ],
)
def test_bars_that_pair_in_one_way_are_read(latex: str) -> None:
    r"""They say what \lVert and \rVert say."""
    bars, place, written = {r"\|": (r"\lVert ", r"\rVert "), "|": (r"\lvert ", r"\rvert ")}, {}, latex
    for bar, ends in bars.items():
        written = written.replace(bar, "\0") if bar == r"\|" else written
        sign = "\0" if bar == r"\|" else bar
        while sign in written:
            place[bar] = place.get(bar, 0) + 1
            written = written.replace(sign, ends[(place[bar] - 1) % 2], 1)

    assert understood(latex) == understood(written)


@pytest.mark.parametrize(
    ("latex", "written"),
    [
        (r"|a|^2 b|c|", r"|a|^{2}b|c|"),
        (r"\|a\|+b\|c\|+d\|e\|", r"\lVert a\rVert+b\lVert c\rVert+d\lVert e\rVert"),
        (r"|a|b\|c\|", r"|a|b\lVert c\rVert"),
        (r"|a| = b|c|", "|a| = b|c|"),
        (r"|a|b = c|d|", "|a|b = c|d|"),
        (r"|a - |b| c|", "|a-|b|c|"),
        (r"\left(|a|\right) b|c|", "(|a|)b|c|"),
    ],
)
def test_what_stands_behind_a_bar_says_whether_it_closes(latex: str, written: str) -> None:
    """A power, a sign or a relation behind a bar: it opened nothing."""
    assert write_syntax(read_syntax(latex)) == written


@pytest.mark.parametrize(
    "latex",
    [r"\|a\|b\|c\|", "|a|b|c|", r"\|a\|\,b\|c\|", r"|a|\alpha|c|", "|a|(b)|c|", "|a|b + c|d|", "|a|2|c|"],
)
def test_bars_that_pair_in_two_ways_are_refused(latex: str) -> None:
    """A bar between two operands may close what is before it or open what is behind it."""
    with pytest.raises(AmbiguousFormulaError, match="a third bar"):
        read_syntax(latex)
