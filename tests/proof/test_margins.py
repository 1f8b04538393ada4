"""Claims that read beyond the end of an axis: no claim is refuted because of the 0 that a program reads there."""

from __future__ import annotations

from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.errors import FormulaError
from symbackprop.language import read_statements
from symbackprop.language.assembly import assemble
from symbackprop.language.tree import Claim
from symbackprop.proof import Verdict
from symbackprop.proof.claims import judge_claims

LINE = """
input x[N], y[N]
param w, b
z[n] = w*x[n] + b
loss = sum(n, (z[n] - y[n])^2)/2
"""
STEPS = """
input x[T], y[T]
param u, w
h[t] = tanh(u*h[t-1] + w*x[t])
loss = sum(t, (h[t] - y[t])^2)/2
"""


def judge(program: str, claim: str) -> Verdict:
    """The verdict on one claim."""
    statements = read_statements(f"{program}claim {claim}")
    (judged,) = judge_claims(assemble(statements), tuple(s for s in statements if isinstance(s, Claim)))
    return judged.verdict


RANGELESS = [
    (LINE, "z[n+1] - z[n] = w*(x[n+1] - x[n])"),
    (LINE, "sum(n:N, x[n+1] - x[n]) = x[N] - x[1]"),
    (LINE, "sum(n:N, exp(x[n+1])) = sum(n:N, exp(x[n])) - exp(x[1])"),
]


@pytest.mark.parametrize(("program", "claim"), RANGELESS)
def test_what_is_wrong_by_that_0_alone_is_asked_for_its_range(program: str, claim: str) -> None:
    """Such a claim means the entries that there are, and has to say so."""
    with pytest.raises(FormulaError, match=r"which is no entry.*say where it holds"):
        judge(program, claim)


RIGHT = [
    (LINE, "where(n < N, z[n+1] - z[n], 0) = where(n < N, w*(x[n+1] - x[n]), 0)"),
    (LINE, "sum(m:N-1, x[m+1]) = sum(n, x[n]) - x[1]"),
    (STEPS, "adj(h[t]) = h[t] - y[t] + adj(h[t+1])*(1 - h[t+1]^2)*u"),
    (STEPS, "d loss / d u = sum(t:T, adj(h[t+1])*(1 - h[t+1]^2)*h[t])"),
]


@pytest.mark.parametrize(("program", "claim"), RIGHT)
def test_what_holds_with_that_0_is_proved(program: str, claim: str) -> None:
    """Nothing comes from beyond the last step, as everybody writes it."""
    assert judge(program, claim).proved


WRONG = [
    (LINE, "z[n+1] - z[n] = 2*w*(x[n+1] - x[n])"),
    (LINE, "sum(n:N, x[n+1] - x[n]) = x[N] - 2*x[1]"),
    (STEPS, "adj(h[t]) = h[t] - y[t] + adj(h[t+1])*(1 - h[t+1])*u"),
    (STEPS, "d loss / d u = sum(t:T, adj(h[t+1])*(1 - h[t+1])*h[t])"),
    (LINE, "where(n < N, z[n+1] - z[n], 1) = where(n < N, w*(x[n+1] - x[n]), 0)"),
]


@pytest.mark.parametrize(("program", "claim"), WRONG)
def test_what_is_wrong_elsewhere_too_is_refuted(program: str, claim: str) -> None:
    """At entries that do not read beyond an end, or without the addends that do."""
    assert judge(program, claim).refuted


def test_an_entry_that_is_named_exists() -> None:
    """A claim about x[3] is about three entries or more, and says so."""
    claim = "sum(i:N, exp(x[i])) - exp(x[3]) = sum(i:N, where(i != 3, exp(x[i]), 0))"
    far = judge(LINE, "x[12] + z[N-1] = x[12] + w*x[N-1] + b")

    assert judge(LINE, claim).proved
    assert "N >= 3" in judge(LINE, claim).hypotheses
    assert far.proved
    assert far.hypotheses == ("N >= 14",)
    assert judge(LINE, "exp(x[3]) = 1").refuted
    assert judge(LINE, "d loss / d x[3] = w*z[3]").diagnosis == "the claim lacks the term -y[3]*w"
    assert not judge(LINE, "d loss / d x[1] = w*(z[1] - y[1])").hypotheses


def test_an_entry_far_out_is_proved_or_undecided() -> None:
    """Sizes so large are not tried in numbers."""
    assert judge(LINE, "d loss / d x[1000] = w*(z[1000] - y[1000])").proved
    assert judge(LINE, "x[1000] = 0").status == "undecided"


def test_latex_says_for_which_indices(tmp_path: Path) -> None:
    """A part of the range behind an equation restricts the claim."""
    path = tmp_path / "claims.md"
    right = r"z_{n+1} - z_n = w(x_{n+1} - x_n), \quad n = 1, \dots, N-1"
    text = f"```symbackprop{LINE}```\n\n<!-- sb: claim -->\n$$ {{}} $$\n"
    path.write_text(text.replace("{}", right), encoding="utf-8")
    assert [verdict.for_all_sizes for _, verdict in sb.check_document(path)] == [True]
    path.write_text(text.replace("{}", right.replace("= w", "= 2w")), encoding="utf-8")
    assert [verdict.refuted for _, verdict in sb.check_document(path)] == [True]


ENDS = "input x[T]\nparam w\nf = sum(t, x[t])\nd[t] = x[t] - x[t-1]\nloss = w*sum(t, d[t]^2)\n"


@pytest.mark.parametrize(("claim", "said"), [
    ("sum(t:T, x[t] - x[t-1]) = x[T]", ("x[t-1] counts as 0 beyond the ends of x",)),
    ("sum(t:T, where(t >= 2, x[t] - x[t-1], 0)) = x[T] - x[1]", ("T >= 2",)),
    ("d[t] = x[t] - x[t-1]", ()),
    ("d loss / d w = sum(t, (x[t] - x[t-1])^2)", ("x[t-1] counts as 0 beyond the ends of x",)),
])  # fmt: skip
def test_a_proof_by_the_zero_beyond_an_end_says_so(claim: str, said: tuple[str, ...], tmp_path: Path) -> None:
    """What is right by x[0] = 0 alone is proved of that; an entry that a program computes so is what it is."""
    path = tmp_path / "a.md"
    path.write_text(f"```symbackprop\n{ENDS}claim {claim}\n```\n", encoding="utf-8")
    ((_, verdict),) = sb.check_document(path)

    assert verdict.proved
    assert verdict.hypotheses == said
