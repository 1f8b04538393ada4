r"""What the end of an equation says of its indices, \forall n or n = 1, \dots, N: what is claimed, or an error."""

from __future__ import annotations

from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.errors import FormulaError
from symbackprop.language import write_tree
from symbackprop.notation.reading import (
    expand_layers,
    make_vocabulary,
    read_any_claim,
    read_block,
    read_claim,
    read_definition,
)
from symbackprop.notation.reading.statements import MatrixClaim

PROGRAM = sb.parse("""
input x[N,D], y[N,K], u[T,K]
param W[K,D], b[K]
z[n,k] = sum(d, W[k,d]*x[n,d]) + b[k]
p[n,k] = sigmoid(z[n,k])
h[0,k] = b[k]
h[t,k] = tanh(h[t-1,k] + u[t,k])
loss = sum(n, k, (p[n,k] - y[n,k])^2)/2 + sum(t, k, h[t,k])
""").core
NETWORK = sb.mlp(["D", "H", "J", "K"], batch=None).program.core
ENTRY = r"\frac{\partial L}{\partial z_{nk}} = (p_{nk} - y_{nk})\, p_{nk} (1 - p_{nk})"
LAYER = r"\delta^{(l)} = ((W^{(l+1)})^\top \delta^{(l+1)}) \odot z^{(l)}"
STEP = r"h_{tk} = \tanh(h_{t-1,k} + u_{tk})"

SAID = [
    r"\quad \forall n",
    r", \forall n, k.",
    r", \quad \forall n \in \{1, \dots, N\}",
    r"\quad \text{for all } n",
    r"\qquad\text{for every } k",
    r"\quad \text{for } n = 1, \dots, N",
    r", \quad n = 1, \dots, N",
    r", \quad n=1,2,\ldots,N,\ k=1,\ldots,K.",
    r"\quad (n = 1, \ldots, N)",
    r"\; \left(n = 1, \ldots, N\right)",
    r"\quad (n = 1, \ldots, N;\; k = 1, \ldots, K)",
    r"\qquad 1 \le n \le N",
    r"\quad n \in \{1,\dots,N\}",
]  # fmt: skip
NOT_SO = [
    (r", \quad n = 0, \dots, N-1", "expected n = 1, ..., N"),
    (r", \quad n = 1, \dots, K", "expected n = 1, ..., N"),
    (r", \quad n = 1, \dots, N+1", "expected n = 1, ..., N; an equation"),
    (r", \quad n, k = 1, \dots, N", "expected k = 1, ..., K"),
    (r", \quad n = 1, \dots, M", "unknown name `M`"),
    (r", \quad n = 1, 3, \dots, N", "one by one"),
    (r", \quad 1 \le n \le K", "expected n = 1, ..., N"),
    (r"\quad \forall d", "d is none"),
    (r", \quad m = 1, \dots, N", "m is none"),
    (r"\quad \forall n \neq k", "indices of one range"),
    (r"\quad n \ge 0", "expected n = 1, ..., N"),
    (r"\quad n \le N + 1", "expected n = 1, ..., N"),
    (r"\quad n < K", "expected n = 1, ..., N"),
    (r"\quad n > M", "unknown name `M`"),
    (r"\quad d \ne k", "d is none"),
    (r"\quad y > 0", "y is none; conditions stand in cases"),
    (r"\quad \text{for } n", "for"),
    (r"\quad \text{for some } n", "for some"),
    (r"\quad (n = 1, \dots, N", "dots"),
]  # fmt: skip


def _claim(latex: str) -> str:
    (statement,) = read_block(latex)
    claim = read_any_claim(statement, make_vocabulary(PROGRAM))
    return claim.texts[0] if isinstance(claim, MatrixClaim) else write_tree(claim)


@pytest.mark.parametrize("said", SAID)
def test_what_is_said_of_all_indices_is_what_is_claimed(said: str) -> None:
    """The claim is the one without it."""
    assert _claim(ENTRY) == _claim(ENTRY + said)


@pytest.mark.parametrize(("said", "seen"), NOT_SO)
def test_what_is_said_of_some_indices_is_refused(said: str, seen: str) -> None:
    """What reaches beyond a range, another range, a letter that is no index, and a condition are not dropped."""
    with pytest.raises(FormulaError, match=seen):
        _claim(ENTRY + said)


PARTS = [
    (r", \quad n = 1, \dots, N-1", "n <= N - 1"),
    (r", \quad n = 2, \dots, N", "n >= 2"),
    (r", \quad n = N, N-1, \dots, 2", "n >= 2"),
    (r", \quad 2 \le n \le N - 1", "n >= 2 and n <= N - 1"),
    (r", \quad n = 1, \dots, N-1, \; k = 2, \dots, K", "n <= N - 1 and k >= 2"),
    (r", \quad n \ge 2", "n >= 2"),
    (r"\quad \forall n > 1", "n >= 2"),
    (r"\quad (n < N)", "n <= N - 1"),
    (r"\quad \text{for } 1 < n < N", "n >= 2 and n <= N - 1"),
    (r"\quad \text{if } 1 \le n < N", "n <= N - 1"),
    (r", \; n \ne 1, \; k < K", "n != 1 and k <= K - 1"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "where"), PARTS)
def test_a_part_of_a_range_restricts_the_claim(said: str, where: str) -> None:
    """Elsewhere both sides are put to 0, so that nothing is claimed; the claim shows it."""
    equation = r"z_{nk} - b_k = \sum_d W_{kd} x_{nd}"
    head, link = _claim(equation).removeprefix("claim ").split(" = ")

    assert f"claim where({where}, {head}, 0) = where({where}, {link}, 0)" == _claim(equation + said)


def test_a_derivative_is_claimed_for_a_part_of_its_entries() -> None:
    """It is the adjoint of what it is taken by."""
    shown = _claim(ENTRY + r", \quad n = 1, \dots, N-1")

    assert shown.startswith("claim where(n <= N - 1, adj(z[n,k]), 0) = where(n <= N - 1, ")


SOFTMAX = sb.parse("param z[K]\np[k] = exp(z[k])/sum(j, exp(z[j]))\nloss = sum(k, p[k]^2)").core


@pytest.mark.parametrize("said", [r", \quad i \ne j", r"\quad \text{for } i \neq j.", r"\quad (i \not= j)"])
def test_two_indices_may_differ(said: str) -> None:
    """The entries of a Jacobian beside its diagonal."""
    (statement,) = read_block(r"\frac{\partial p_i}{\partial z_j} = -p_i p_j" + said)
    claim = read_any_claim(statement, make_vocabulary(SOFTMAX))

    assert not isinstance(claim, MatrixClaim)
    assert write_tree(claim) == "claim where(i != j, adj(p[i], z[j]), 0) = where(i != j, -p[i]*p[j], 0)"


def test_a_range_needs_an_index_that_stands_alone() -> None:
    """The equation is for as many entries as the tensor that is read at the letter has."""
    with pytest.raises(FormulaError, match="read at k alone.*shift the equation"):
        _claim(r"b_{k+1} = 2 u_{1,k+1}, \quad k = 1, \dots, K-1")


def test_a_definition_is_for_all_entries() -> None:
    """Only a claim may be restricted."""
    (statement,) = read_block(r"q_n = 2 b_n, \quad n = 1, \dots, K-1")
    with pytest.raises(FormulaError, match="only a claim may be restricted"):
        read_definition(statement, make_vocabulary(sb.parse("input b[K]\nq[n] = b[n]\nloss = sum(k, q[k])").core))


def test_the_steps_of_a_recurrence_count_from_one() -> None:
    """An index that stands alone on the axis of a recurrence runs from 1 to T, its base aside."""
    assert _claim(STEP) == _claim(STEP + r", \quad t = 1, \dots, T")
    with pytest.raises(FormulaError, match=r"expected t = 1, \.\.\., T"):
        _claim(STEP + r", \quad t = 0, \dots, T")


def test_each_equation_of_a_block_has_its_own() -> None:
    """What stands at the end of a row belongs to that row, and brackets and sums are none of it."""
    first, second = read_block(
        ENTRY + r", & n = 1, \dots, N \\ \frac{\partial L}{\partial b_k} &= \sum_{n=1}^N \delta_{nk}, \quad \forall k"
    )

    assert [r"n = 1, \dots, N"] == [extent.shown for extent in first.extents]
    assert [r"\forall k"] == [extent.shown for extent in second.extents]
    (choice,) = read_block(r"f = \begin{cases} x, & 1 \le n \le N \\ 0 & \text{otherwise}\end{cases}")
    assert choice.extents == ()


def test_layers_are_those_that_an_equation_holds_for() -> None:
    """Upwards or downwards, L being the last layer."""
    vocabulary = make_vocabulary(NETWORK)

    def layers(said: str) -> list[int]:
        (statement,) = read_block(LAYER + said)
        return [layered.layer for layered in expand_layers(statement, vocabulary)]

    for said in (r", \quad l = 1, \dots, L-1", r"\quad (l = L-1, L-2, \dots, 1)", r"\; (l=1, \dots, 2)", r" \forall l"):
        assert [1, 2] == layers(said)
    for said in (r", \quad l < L", r", \quad l \ge 1", r", \quad 1 \le l < L"):
        assert [1, 2] == layers(said)
    for said in (
        r", \quad l = 1, \dots, L", r", \quad l = 2, \dots, L - 1", r"\quad (l = L-1, L-3, \dots, 1)",
        r", \quad l > 1", r", \quad l \le L", r", \quad l \ne L", r", \quad l < L - 1",
    ):  # fmt: skip
        with pytest.raises(FormulaError, match="1, 2|one by one"):
            layers(said)


def test_real_numbers_are_no_indices() -> None:
    """Without a program a letter may stand for all real numbers, or below names; whole tensors have no letters."""
    vocabulary = make_vocabulary()

    def claim(latex: str) -> str:
        (statement,) = read_block(latex)
        return write_tree(read_claim(statement, vocabulary))

    assert "claim x + x = 2*x" == claim(r"x + x = 2x, \quad \forall x")
    assert "claim x_n + x_n = 2*x_n" == claim(r"x_n + x_n = 2x_n, \quad n = 1, \dots, N")
    for latex in (r"x + x = 2x \quad \forall y", r"n + n = 2n, \quad n = 1, \dots, N"):
        with pytest.raises(FormulaError, match="none|real number"):
            claim(latex)
    with pytest.raises(FormulaError, match="whole tensors"):
        _claim(r"\frac{\partial L}{\partial W} = \delta^\top X, \quad n = 1, \dots, N")
    with pytest.raises(FormulaError, match="by itself"):
        read_block(r"\quad \forall n")


def test_definitions_say_it_too() -> None:
    """What is given for a part of a range is refused."""
    vocabulary = make_vocabulary(PROGRAM)
    (whole,) = read_block(r"p_{nk} = \tanh(z_{nk}), \quad n = 1, \dots, N")
    (part,) = read_block(r"p_{nk} = \tanh(z_{nk}), \quad n = 1, \dots, K")

    assert "p[n,k] = tanh(z[n,k])" == write_tree(read_definition(whole, vocabulary))
    with pytest.raises(FormulaError, match="expected n = 1, ..., N"):
        read_definition(part, vocabulary)


@pytest.mark.parametrize(
    "latex",
    [rf"\boxed{{{ENTRY}}}", ENTRY.replace("=", r"\stackrel{\text{def}}{=}"), ENTRY.replace("=", r"\overset{(a)}{=}")],
)
def test_boxes_and_words_above_the_sign_change_nothing(latex: str) -> None:
    """A box around an equation, and a word or a number above its sign."""
    assert _claim(ENTRY) == _claim(latex)


def test_a_demand_is_no_equation() -> None:
    """An exclamation mark above the sign says what shall be."""
    with pytest.raises(FormulaError, match="stackrel"):
        read_block(ENTRY.replace("=", r"\stackrel{!}{=}"))


def test_long_blanks_take_no_long_time() -> None:
    """What ends a formula, and what its end says, is found without trying all ways to part blanks."""
    (first, second) = read_block("a = b, " + " " * 20000 + r"c = d" + r"\quad " * 2000)

    assert ["equation", "equation"] == [first.kind, second.kind]


MASKED = """
input x[N]
param a
c[i,j] = where(i <= j, x[i]*x[j], 0)
s[t] = a*s[t-1] + x[t]
loss = sum(i, j, c[i,j]) + s[N]
"""
BETWEEN = [
    (r"c_{ij} = x_i x_j, \quad i \le j", "i <= j", "proved"),
    (r"c_{ij} = x_i x_j \quad \text{for } i < j", "i < j", "proved"),
    (r"c_{ij} = 0, \quad i > j", "i > j", "proved"),
    (r"c_{ij} = 0 \quad (j < i)", "j < i", "proved"),
    (r"c_{ij} = 0 \text{ if } i \ge j", "i >= j", "refuted"),
    (r"c_{ij} = x_i x_j, \quad i \geqslant j", "i >= j", "refuted"),
    (r"c_{ij} = 0, \quad i \ne j", "i != j", "refuted"),
    (r"\frac{\partial s_t}{\partial s_k} = a^{t-k}, \quad k \le t", "k <= t", "proved"),
    (r"\frac{\partial s_t}{\partial s_k} = a^{t-k+1}, \quad k \le t", "k <= t", "refuted"),
    (r"\frac{\partial s_t}{\partial s_k} = 0, \quad k \gt t", "k > t", "proved"),
]


@pytest.mark.parametrize(("latex", "condition", "status"), BETWEEN)
def test_two_indices_that_follow_each_other(latex: str, condition: str, status: str, tmp_path: Path) -> None:
    """Both sides are compared where it holds, which may make a formula right or wrong."""
    path = tmp_path / "a.md"
    path.write_text(f"```symbackprop{MASKED}```\n<!-- sb: claim -->\n$${latex}$$\n", encoding="utf-8")
    ((claim, verdict),) = sb.check_document(path)

    assert f"where({condition}, " in claim.text
    assert verdict.status == status


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        (r"c_{ij} = x_i x_j, \quad i > i", "which never holds"),
        (r"c_{ij} = x_i x_j, \quad i < m", "unknown name `m`"),
        (r"z_{nk} = z_{nk}, \quad n \le k", "indices of one range"),
    ],
)
def test_what_two_indices_cannot_say(latex: str, message: str) -> None:
    """An index before itself, an unknown one, and indices of two axes."""
    program = sb.parse(MASKED).core if latex.startswith("c") else PROGRAM
    (statement,) = read_block(latex)

    with pytest.raises(FormulaError, match=message):
        read_any_claim(statement, make_vocabulary(program))
