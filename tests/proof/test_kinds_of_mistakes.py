"""Every kind of mistake is named, by claims in programs and by `verify_gradient`, and what is named puts it right."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from mistaken_claims import MISTAKES, PROGRAMS
from one_mistake_each import MISTAKES as BACKWARDS

import symbackprop as sb
from symbackprop.language import read_statements
from symbackprop.language.assembly import assemble
from symbackprop.language.tree import Claim
from symbackprop.proof import Verdict, backward_diagnosis, equality
from symbackprop.proof.claims import judge_claims
from symbackprop.proof.trials import Trial

NAMES = [f"{program}: {head} = {claim}" for program, head, claim, _ in MISTAKES]
ADDED = ("lacks the factor ", "has the extra factor ", "lacks the term ", "lacks the sum over ", "lacks the mean over ")


def judge(program: str, head: str, claim: str) -> Verdict:
    """The verdict on head = claim."""
    statements = read_statements(f"{program}\nclaim {head} = {claim}")
    (judged,) = judge_claims(assemble(statements), [s for s in statements if isinstance(s, Claim)])
    return judged.verdict


def repaired(program: str, head: str, claim: str, diagnosis: str) -> tuple[str, str, str] | None:
    """The program and the claim after what a diagnosis names is put right, where it says how."""
    text = diagnosis.removeprefix("the claim ")
    text = text if text.count(", off by") > 1 else text.partition(", off by at most")[0]
    instead = re.fullmatch(r"has (.*) in place of (.*)", text) if text.count(" in place of ") == 1 else None
    if text == "has the wrong sign":
        return program, head, f"-({claim})"
    if instead and instead[1].startswith("the mean over "):
        return program, head, claim.replace("mean(", "sum(")
    if instead and claim.count(instead[1]) == 1:
        return program, head, claim.replace(instead[1], f"({instead[2]})")
    assumption = re.fullmatch(r"holds if (.*), which is not assumed", text)
    if assumption:
        return f"{program}\nassume {assumption[1]}", head, claim
    function = re.fullmatch(r"is right for (\w+), not for (\w+)", text)
    if function:
        changed = [re.sub(rf"\b{function[2]}\b", function[1], part) for part in (program, head)]
        return changed[0], changed[1], claim
    added = next((words for words in ADDED if text.startswith(words)), "")
    rest = text.removeprefix(added)
    if not added or re.search(" (under|beside|at|in) ", rest):
        return None
    made = {
        "lacks the factor ": f"({claim})*({rest})",
        "has the extra factor ": f"({claim})/({rest})",
        "lacks the term ": f"{claim} + {rest}",
        "lacks the sum over ": f"sum({rest}, {claim})",
        "lacks the mean over ": f"mean({rest}, {claim})",
    }
    return program, head, made[added]


@pytest.mark.parametrize(("program", "head", "claim", "diagnosis"), MISTAKES, ids=NAMES)
def test_a_mistake_is_named_and_its_repair_is_proved(program: str, head: str, claim: str, diagnosis: str) -> None:
    """The words are these, and a claim that is changed as they say holds."""
    verdict = judge(PROGRAMS[program], head, claim)

    assert verdict.refuted
    assert verdict.diagnosis == diagnosis
    changed = repaired(PROGRAMS[program], head, claim, diagnosis)
    if changed is not None:
        assert judge(*changed).proved, changed


def test_most_diagnoses_say_how_to_put_it_right() -> None:
    """The test above follows most of them."""
    followed = [repaired(PROGRAMS[p], *rest) for p, *rest in MISTAKES]

    assert sum(each is not None for each in followed) >= 44


@pytest.mark.parametrize(
    ("program", "head", "claim", "diagnosis"), [each for each in MISTAKES if each[1].startswith("d ")]
)
def test_verify_gradient_says_the_same(program: str, head: str, claim: str, diagnosis: str) -> None:
    """A derivative may be claimed about a program from Python."""
    parts = re.fullmatch(r"d (.*) / d (.*)", head)
    assert parts is not None
    verdict = sb.verify_gradient(sb.parse(PROGRAMS[program]), parts[2], claim, of=parts[1])

    assert verdict.refuted
    assert verdict.diagnosis == diagnosis


@pytest.mark.parametrize(("case", "shapes", "diagnosis"), BACKWARDS, ids=[case.__name__ for case, *_ in BACKWARDS])
def test_a_mistake_in_a_backward_is_named(
    case: Callable[..., Any], shapes: dict[str, tuple[int, ...]], diagnosis: str
) -> None:
    """What is said of a hand-written gradient with one mistake."""
    verdict = sb.verify_backward(case, shapes=shapes, seconds=60)

    assert verdict.refuted
    assert verdict.diagnosis == diagnosis


@pytest.mark.parametrize(("case", "shapes"), [each[:2] for each in BACKWARDS[3::4]])
def test_nothing_is_said_of_a_backward_that_is_not_proved(
    monkeypatch: pytest.MonkeyPatch, case: Callable[..., Any], shapes: dict[str, tuple[int, ...]]
) -> None:
    """Where no proof succeeds, only what is plain to see is said."""
    monkeypatch.setattr(backward_diagnosis, "_same", lambda *_: False)
    monkeypatch.setattr(equality, "diagnose", lambda *_: "")
    verdict = sb.verify_backward(case, shapes=shapes, seconds=60)

    assert verdict.refuted
    assert re.search("is not the derivative|has the shape|is 0 where|does not read", verdict.diagnosis)


@pytest.mark.parametrize(("program", "head", "claim"), [each[:3] for each in MISTAKES if "loss" in each[1]][::6])
def test_nothing_is_said_that_is_not_proved(
    monkeypatch: pytest.MonkeyPatch, program: str, head: str, claim: str
) -> None:
    """Where no proof succeeds, agreement in numbers is not enough."""
    monkeypatch.setattr(Trial, "proves", lambda *_: False)
    verdict = judge(PROGRAMS[program], head, claim)

    assert verdict.refuted
    assert verdict.diagnosis == ""


@pytest.mark.parametrize(
    ("program", "head", "claim"),
    [
        # Two mistakes each, or one that no word here stands for.
        ("poisson", "d loss / d w[d]", "sum(n, (y[n] - exp(eta[n])^3)*x[n,d]^2)/N"),
        ("soft", "d loss / d z[n,k]", "g[n,k]*p[n,k]^2*(1 - p[n,k])/(3*tau)"),
        ("three", "d loss / d B[i,j]", "sum(n, adj(t[n,i])*x[n,j])/N"),
        ("standard", "d loss / d x[n,d]", "r[d]*(g[n,d] - 3*mean(j, g[j,d]))/(2*s[d])"),
        ("filter", "d loss / d k", "2*mean(t, (h[t] - y[t])*x[t]^2)"),
        ("square", "d loss / d x[i]", "3*sum(j, A[i,j]*x[j]) - b[i]"),
        ("gate", "d loss / d b", "sum(n, g[n]*gelu'(x[n] - 2*b))"),
    ],
)
def test_unrelated_mistakes_get_no_words(program: str, head: str, claim: str) -> None:
    """Nothing is said of what no single repair puts right."""
    verdict = judge(PROGRAMS[program], head, claim)

    assert verdict.refuted
    assert verdict.diagnosis == ""


def test_how_far_off_a_value_is_holds_at_every_point() -> None:
    """The bound on the value is one, and is nearly reached."""
    verdict = judge("", "gelu_tanh'(u)", "(1 + tanh(0.79788*(u + 0.044715*u^3)))/2")
    assert "its value" not in verdict.diagnosis

    verdict = judge("param u", "gelu_tanh(u)", "u*(1 + tanh(0.79788*(u + 0.044715*u^3)))/2")
    found = re.search(r"for u from -10 to 10 its value is off by at most (\S+)$", verdict.diagnosis)
    assert found is not None
    with mpmath.workdps(30):
        exact, rounded = mpmath.sqrt(2 / mpmath.pi), mpmath.mpf("0.79788")
        points = [mpmath.mpf(k) / 100 for k in range(-1000, 1001)]
        inner = [u + mpmath.mpf("0.044715") * u**3 for u in points]
        gaps = [
            abs(u * (mpmath.tanh(exact * v) - mpmath.tanh(rounded * v)) / 2) for u, v in zip(points, inner, strict=True)
        ]

    assert max(gaps) <= float(found[1]) <= 1.1 * max(gaps)


DEEP = """
input x[I]
param W[J,I], V[J]
z[j] = sum(i, W[j,i]*x[i])
h[j] = sigmoid(z[j])
loss = sum(j, V[j]*h[j]^2)
"""


@pytest.mark.parametrize(
    ("extra", "factor"),
    [("adj(h[j], z[j])", "adj(h[j], z[j])"), ("adj(z[j])", "adj(z[j])"), ("adj(loss, z[j])", "adj(z[j])")],
)
def test_an_extra_derivative_is_named_with_what_is_derived(extra: str, factor: str) -> None:
    """That of a layer is no adjoint of the loss."""
    verdict = judge(DEEP, "d loss / d W[j,i]", f"adj(z[j])*{extra}*x[i]")

    assert verdict.diagnosis == f"the claim has the extra factor {factor}"
