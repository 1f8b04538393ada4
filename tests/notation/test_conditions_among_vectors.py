r"""Conditions in equations of vectors: \sum_{n : y_n = k} x_n, [y_n = k], \delta_{k, y_n}."""

from pathlib import Path

import pytest
from latex_claims import judge

from symbackprop.errors import FormulaError

CLASSES = """
input x[N,D]
param w[K,D]
index y[N] in K
s[n,k] = exp(sum(d, x[n,d]*w[k,d]))
p[n,k] = s[n,k]/sum(j, s[n,j])
loss = -sum(n, log(p[n,y[n]]))/N
"""
HINGE = """
input x[N,D], y[N]
param w[D]
m[n] = y[n]*sum(d, x[n,d]*w[d])
loss = sum(n, relu(1 - m[n]))
"""
PARTS = """
input x[N,D], y[N]
param w[D]
r[n] = sum(d, x[n,d]*w[d]) - y[n]
loss = sum(n, where(n > 1, r[n]^2, 0))/2
"""
FIRST = PARTS.replace("n > 1", "n < N")
KRONECKER = CLASSES + "```\n<!-- sb: names \\delta = kronecker -->\n```symbackprop\n"
CLAIMS = [
    (CLASSES, r"\nabla_{w_k} L = \frac1N \sum_n (p_{nk} - \mathbb{1}[y_n = k]) x_n", ("y_n = k", r"y_n \ne k")),
    (CLASSES, r"\nabla_{w_k} L = \frac1N \sum_{n=1}^N (p_{nk} - \mathbb{1}\{y_n = k\}) x_n", ("p_{nk} -", "p_{nk} +")),
    (CLASSES, r"N \nabla_{w_k} L = \sum_n p_{nk} x_n - \sum_{n : y_n = k} x_n", ("y_n = k", r"y_n \ge k")),
    (KRONECKER, r"\nabla_{w_k} L = \frac1N \sum_n (p_{nk} - \delta_{k, y_n}) x_n", (r"\delta", r"2 \delta")),
    (HINGE, r"\nabla_w L = -\sum_{n : m_n < 1} y_n x_n", ("m_n < 1", r"m_n \le 1")),
    (HINGE, r"\nabla_w L = -\sum_{n : y_n w^\top x_n < 1} y_n x_n", ("< 1", "< 2")),
    (HINGE, r"\nabla_w L = -\sum_n \mathbb{1}[1 - y_n w^\top x_n > 0] \, y_n x_n", ("> 0", r"\ge 0")),
    (HINGE, r"\nabla_w \sum_{n : y_n > 0} (w^\top x_n)^2 = \sum_{n : y_n > 0} 2 w^\top x_n x_n", ("2 w", "w")),
    (PARTS, r"\nabla_w L = \sum_{n > 1} r_n x_n", ("n > 1", r"n > 0")),
    (PARTS, r"\nabla_w L = \sum_{n=2}^N r_n x_n", ("n=2", "n=1")),
    (FIRST, r"\nabla_w L = \sum_{n=1}^{N-1} r_n x_n", ("N-1", "N")),
]  # fmt: skip
REFUSED = [
    (CLASSES, r"\nabla_{w_k} L = \sum_n [w > 0 \text{ and } y_n = k] x_n", "one comparison of entries"),
    (HINGE, r"\nabla_w L = \sum_n [x_n = 0] \odot x_n", "one comparison of entries"),
    (HINGE, r"\nabla_w L = \sum_{m \ne n} x_m", "bound before"),
]


@pytest.mark.parametrize(("program", "latex", "mistake"), CLAIMS)
def test_conditions_say_which_samples_count(program: str, latex: str, mistake: tuple[str, str], tmp_path: Path) -> None:
    """What is right is proved for all sizes, and refuted with another condition or factor."""
    (verdict,) = judge(tmp_path, program, latex)
    assert verdict.proved
    assert verdict.for_all_sizes

    head, equals, tail = latex.partition("=")
    assert mistake[0] in tail
    wrong = head + equals + tail.replace(*mistake, 1)
    assert judge(tmp_path, program, wrong)[0].refuted


@pytest.mark.parametrize(("program", "latex", "found"), REFUSED)
def test_other_conditions_are_errors(program: str, latex: str, found: str, tmp_path: Path) -> None:
    """Conditions on whole vectors take one comparison, and no letter is summed that a sum does not bind."""
    with pytest.raises(FormulaError, match=found):
        judge(tmp_path, program, latex)
