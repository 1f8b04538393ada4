r"""Entries of products of whole tensors in formulas with indices: (W^\top \delta)_j."""

from pathlib import Path

import pytest
from latex_claims import judge

from symbackprop.errors import FormulaError

PROGRAM = """
input x[N,D], y[N,K]
param W1[H,D], W2[K,H], A[D,D]
z1[n,h] = sum(d, W1[h,d]*x[n,d])
a1[n,h] = tanh(z1[n,h])
z2[n,k] = sum(h, W2[k,h]*a1[n,h])
loss = sum(n, k, (z2[n,k] - y[n,k])^2)/2
"""
SLOPE = r"(1 - (a^{(1)}_{nj})^2)"
CLAIMS = [
    (rf"\delta^{{(1)}}_{{nj}} = (W^{{(2)\top}} \delta^{{(2)}}_n)_j {SLOPE}", ("1 - ", "1 + ")),
    (rf"\delta^{{(1)}}_{{nj}} = (\delta^{{(2)}} W^{{(2)}})_{{nj}} {SLOPE}", ("1 - ", "2 - ")),
    (rf"\frac{{\partial L}}{{\partial z^{{(1)}}_{{nj}}}} = "
     rf"\left(\frac{{\partial L}}{{\partial Z^{{(2)}}}} W^{{(2)}}\right)_{{nj}} {SLOPE}", ("1 - ", "2 - ")),
    (r"(\nabla_{W_2} L)_{kh} = \sum_n (z_{2,nk} - y_{nk}) a_{1,nh}", ("- y", "+ y")),
    (r"z^{(1)}_{nh} = (W^{(1)} x_n)_h", ("W^", "2 W^")),
    (r"z^{(1)}_{nh} = [X W_1^\top]_{nh}", ("X W", "2 X W")),
    (r"\sum_n (X W_1^\top)_{nh}^2 = \sum_n z_{1,nh}^2", ("= ", "= 2 ")),
    (r"(W_1^\top W_1)_{ij} = \sum_n W_{1,ni} W_{1,nj}", ("ni", "nj")),
    (r"(A^\top)_{ij} = A_{ji}", ("A_{ji}", "A_{ij}")),
    (r"(A^\top A)_{11} = \sum_i A_{i1}^2", ("A_{i1}", "A_{1i}")),
    (r"L = \frac12 \sum_{n,k} (Z_2 - Y)_{nk}^2", (r"\frac12", "")),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "mistake"), CLAIMS)
def test_entries_of_products_are_read(claim: str, mistake: tuple[str, str], tmp_path: Path) -> None:
    """What is right is proved for all sizes, and one change on the right refuted."""
    head, equals, tail = claim.partition(" = ")
    assert mistake[0] in equals + tail
    for verdict in judge(tmp_path, PROGRAM, claim):
        assert verdict.proved
        assert verdict.for_all_sizes
    (wrong,) = judge(tmp_path, PROGRAM, head + (equals + tail).replace(*mistake, 1))
    assert wrong.refuted


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (r"z^{(1)}_{nh} = (X W_1)_{nh}", "transpose the right one"),
        (r"z^{(1)}_{nh} = (X W_1^\top)_{hn}", "index n runs over"),
        (r"(x_{nd} + 1)_h = 1", "a subscript of brackets"),
        (r"(B A)_{ij} = 1", "a subscript of brackets"),
        (r"(A A)_{ijk} = 1", "a subscript of brackets"),
    ],
)
def test_what_has_no_such_entry_is_refused(claim: str, said: str, tmp_path: Path) -> None:
    """Shapes that do not fit refute; an index over two sizes, and what is no product of tensors, is an error."""
    if "brackets" in said or "index" in said:
        with pytest.raises(FormulaError, match=said):
            judge(tmp_path, PROGRAM, claim)
        return
    (verdict,) = judge(tmp_path, PROGRAM, claim)
    assert verdict.refuted
    assert said in str(verdict)
