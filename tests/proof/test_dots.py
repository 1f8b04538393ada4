r"""Dots between whole tensors, which some texts write for the product of entries."""

from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.notation.reading import AmbiguousFormulaError

SQUARE = """input x[N,N], y[N,N]
param W1[N,N], W2[N,N]
z1[n,i] = sum(j, W1[i,j]*x[n,j])
a1[n,i] = sigmoid(z1[n,i])
z2[n,i] = sum(j, W2[i,j]*a1[n,j])
loss = sum(n, i, (z2[n,i] - y[n,i])^2)/2
"""
VECTORS = """input x[N], u[N]
param w[N]
z[n] = w[n]*x[n]
loss = sum(n, sigmoid(z[n])*u[n])
"""


def check(program: str, claim: str, path: Path) -> sb.Verdict:
    file = path / "a.md"
    file.write_text(f"~~~symbackprop\n{program}~~~\n<!-- sb: claim -->\n$${claim}$$\n", encoding="utf-8")
    ((_, verdict),) = sb.check_document(file)
    return verdict


def test_what_is_right_entry_by_entry_is_said_to_be(tmp_path: Path) -> None:
    """Between square matrices a dot is their product, and where that is wrong the other reading is tried."""
    verdict = check(SQUARE, r"\delta^{(1)} = (\delta^{(2)} W^{(2)}) \cdot \sigma'(z^{(1)})", tmp_path)
    assert verdict.refuted
    assert verdict.diagnosis == r"it is right if \cdot is meant entry by entry; write \odot"

    wrong = check(SQUARE, r"\delta^{(1)} = (\delta^{(2)} W^{(1)}) \cdot \sigma'(z^{(1)})", tmp_path)
    assert wrong.refuted
    assert "entry by entry" not in wrong.diagnosis
    assert check(SQUARE, r"\delta^{(1)} = (\delta^{(2)} \cdot W^{(2)}) \odot \sigma'(z^{(1)})", tmp_path).proved


def test_where_a_vector_is_due_an_inner_product_is_no_refutation(tmp_path: Path) -> None:
    """Where shapes fit entry by entry alone, and the claim is right so, it has two readings."""
    with pytest.raises(AmbiguousFormulaError, match="the product of entries.*the claim is right, for that of entries"):
        check(VECTORS, r"\frac{\partial L}{\partial z} = u \cdot \sigma'(z)", tmp_path)
    assert check(VECTORS, r"\frac{\partial L}{\partial z} = x \cdot \sigma'(z)", tmp_path).refuted
    assert check(VECTORS, r"\frac{\partial L}{\partial z} = 1 \cdot u \odot \sigma'(z)", tmp_path).proved
