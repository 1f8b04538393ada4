"""Formulas written out entry by entry."""

from __future__ import annotations

import pytest

from symbackprop.errors import ArgumentError
from symbackprop.language import read_expression, read_program, write_tree
from symbackprop.notation.writing import make_equations
from symbackprop.notation.writing.entries import EntryWriter


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("sum(j, W[i,j]*x[j]) + b[i]", {"i": 2}, "W[2,1]*x[1] + W[2,2]*x[2] + b[2]"),
        ("2*(x[i] - y[i])/(N*D)", {"i": 1}, "(x[1] - y[1])/3"),
        ("mean(j, x[j]^2)", {}, "(x[1]^2 + x[2]^2)/2"),
        ("where(i == 2, x[i], 0)", {"i": 1}, "0"),
        ("where(i == 2, x[i], 0)", {"i": 2}, "x[2]"),
        ("-sum(j, x[j]) + y[1]", {}, "y[1] - x[1] - x[2]"),
        ("x[i]*i^2", {"i": 2}, "4*x[2]"),
        ("where(x[i] > i, x[i], i)", {"i": 2}, "where(x[2] > 2, x[2], 2)"),
        ("x[i+1] + 1", {"i": 2}, "1"),
        ("1 - x[i]*(1 - 1)", {"i": 1}, "1"),
        ("sum(j, where(j < i, x[j], 0))", {"i": 2}, "x[1]"),
        ("x[i]/2 + 3//2 + 5%3", {"i": 1}, "x[1]/2 + 3"),
    ],
)
def test_formulas_written_out(text: str, values: dict[str, int], expected: str) -> None:
    """Sums become terms, indices numbers, and what is then a number is computed."""
    tensors = read_program("input x[D], y[D], W[D, D], b[D]\nloss = sum(i, j, W[i,j]*x[j]*y[i]*b[i])").tensors()
    writer = EntryWriter(tensors, {"D": 2, "N": 3})

    assert write_tree(writer.expand(read_expression(text), values)) == expected


def test_entries_need_sizes_and_not_too_many_terms() -> None:
    """A size without a number and a sum of a million terms are errors that say so."""
    program = read_program("input x[D]\nloss = sum(d, x[d])")
    with pytest.raises(ArgumentError, match='"D": 2'):
        make_equations(program.definitions, program, "scalar")
    with pytest.raises(ArgumentError, match="10000 terms"):
        make_equations(program.definitions, program, "scalar", sizes={"D": 10**6})
