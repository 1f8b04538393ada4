"""The conditions of a proof are plain, few and for all sizes."""

import itertools
import re
from fractions import Fraction

import pytest
import sympy as sp

import symbackprop as sb
from symbackprop.proof.evaluation import ImpreciseValueError, UndefinedValueError, satisfies
from symbackprop.proof.facts import Fact
from symbackprop.proof.tidying import simplify, tidy

x, y = sp.symbols("x y", real=True)
ABS = sp.Piecewise((x, x > 0), (-x, x < 0), (0, True))
RELU = sp.Piecewise((x, x > 0), (0, True))


@pytest.mark.parametrize(
    ("left", "right", "needed"),
    [
        ("x/abs(x)", "sign(x)", ("x != 0",)),
        ("abs(x)/x", "sign(x)", ("x != 0",)),
        ("1/abs(x)", "abs(1/x)", ("x != 0",)),
        ("sign(x)/x", "1/abs(x)", ("x != 0",)),
        ("abs(x/y)", "abs(x)/abs(y)", ("y != 0",)),
        ("sign(x/y)", "sign(x)*sign(y)", ("y != 0",)),
        ("relu(x)/x", "where(x > 0, 1, 0)", ("x != 0",)),
        ("x/sqrt(x^2)", "sign(x)", ("x != 0",)),
        ("abs(x)^2", "x^2", ()),
        ("x*sign(x)", "abs(x)", ()),
        ("sqrt(x^2)", "abs(x)", ()),
        ("maximum(x, 0) + minimum(x, 0)", "x", ()),
        ("log(abs(x))", "log(x^2)/2", ("x != 0",)),
        ("log(sqrt(x))", "log(x)/2", ("x > 0",)),
        ("log(1/x)", "-log(x)", ("x > 0",)),
        ("sqrt(x^3)/x", "sqrt(x)", ("x > 0",)),
        ("1/(exp(x) - 1)", "exp(-x)/(1 - exp(-x))", ("x != 0",)),
        ("1/(x - y) + 1/(y - x)", "0", ("x != y",)),
        ("log(x)/log(x)", "1", ("x > 0", "x != 1")),
        ("(x^3 - x)/(x^3 - x)", "1", ("x != 0", "x != -1", "x != 1")),
    ],
)
def test_scalar_conditions_are_plain(left: str, right: str, needed: tuple[str, ...]) -> None:
    """Each condition is said once, in its plainest form; one more is refuted with the same sides."""
    verdict = sb.verify(left, right)
    assert verdict.proved
    assert verdict.hypotheses == needed
    assert sb.verify(left, f"{right} + 1/7").refuted


CONDITIONS = [
    Fact(x**3 - x, "!="), Fact(ABS, ">"), Fact(ABS, ">="), Fact(RELU, "!="), Fact(1 / x, ">"), Fact(x**3, ">="),
    Fact(sp.exp(x) - 1, "!="), Fact(1 - sp.exp(-x), ">"), Fact(sp.log(x), "!="), Fact(x * y**2, ">"),
    Fact(1 - x**2, ">="), Fact(-2 * sp.sqrt(x), "!="), Fact(x**2 + y**2, ">"), Fact(y - x, "!="), Fact(-x * y, ">"),
    Fact(x / (1 - x), ">"), Fact(x**2 - 2 * x * y + y**2, ">"), Fact(-(x**2), "!="), Fact(-(x**3) * y, ">="),
    Fact(sp.Piecewise((sp.Piecewise((ABS, sp.Ne(x, 0)), (1, True)), x <= 0), (1, True)), "!="), Fact(x**-3, ">="),
    Fact(sp.Piecewise((x - 1, x > 0), (1, True)), "!="), Fact(sp.Abs(x), ">"), Fact(sp.log(x) * x, ">"),
]  # fmt: skip


@pytest.mark.parametrize("fact", CONDITIONS, ids=lambda fact: fact.text)
def test_plain_conditions_say_the_same(fact: Fact) -> None:
    """At points where its expression has a value, a condition holds just where its plain parts do."""
    parts = tidy([fact])
    for first, second in itertools.product((-2, -1, Fraction(-1, 2), 0, Fraction(1, 2), 1, 2), repeat=2):
        point = {"x": Fraction(first), "y": Fraction(second)}
        try:
            truth = satisfies([(fact.expression, fact.relation)], point, 256)
        except (UndefinedValueError, ImpreciseValueError):
            continue
        assert truth == all(satisfies([(part.expression, part.relation)], point, 256) for part in parts), point


def test_what_follows_is_left_out() -> None:
    """x > 0 says x != 0 and x >= 0 too, and what is known is not said again."""
    facts = [Fact(x, "!="), Fact(x, ">="), Fact(x - 1, "!=")]
    assert [each.text for each in tidy(facts)] == ["x > 0", "x != 1"]
    assert [each.text for each in tidy(facts, [Fact(x - 2, ">")])] == []
    assert simplify(Fact(x, "=")) == (Fact(x, "="),)


@pytest.mark.parametrize(
    ("derived", "value", "needed"),
    [
        (sp.log(x), 1 / x, ("x > 0",)),
        (sp.log(sp.Abs(sp.Symbol("x"))), 1 / x, ("x != 0",)),
        (sp.asin(x), 1 / sp.sqrt(1 - x**2), ("x^2 < 1",)),
        (x**y, y * x ** (y - 1), ("x > 0",)),
        (x**3, 3 * x**2, ()),
    ],
)
def test_a_derivative_of_sympy_keeps_the_domain(derived: sp.Expr, value: sp.Expr, needed: tuple[str, ...]) -> None:
    """sympy.Derivative is carried out for real names, and has a value where what it derives has one."""
    by = next(s for s in derived.free_symbols if s.name == "x")
    verdict = sb.verify(sp.Derivative(derived, by), value)
    assert verdict.proved
    assert verdict.hypotheses == needed
    assert sb.verify(sp.Derivative(derived, by), 1 + value).refuted


@pytest.mark.parametrize(
    ("loss", "claim", "needed"),
    [
        ("log(abs(x))", "1/x", ("x != 0",)),
        ("abs(x)", "x/abs(x)", ("x != 0",)),
        ("1/abs(x)", "-sign(x)/x^2", ("x != 0",)),
        ("sqrt(x)", "1/(2*sqrt(x))", ("x > 0",)),
        ("maximum(x, 0)", "(1 + sign(x))/2", ()),
    ],
)
def test_gradients_at_kinks_are_proved_beside_them(loss: str, claim: str, needed: tuple[str, ...]) -> None:
    """The kink where the claim has no value is a condition; a mistake beside it refutes."""
    program = sb.parse(f"param x\nloss = {loss}")
    assert sb.verify_gradient(program, "x", claim).hypotheses == needed
    assert sb.verify_gradient(program, "x", f"2*({claim})").refuted
    if "1/abs" not in loss:
        entries = re.sub(r"\bx\b", "x[n]", loss)
        summed = sb.parse(f"param x[N]\nloss = sum(n, {entries})")
        entry = sb.verify_gradient(summed, "x[n]", claim.replace("x", "x[n]"))
        assert entry.proved
        assert entry.hypotheses == tuple(text.replace("x", "x[n]") for text in needed)


NORM = sb.parse("param w[D], eps\ns = sqrt(mean(d, w[d]^2) + eps)\nloss = sum(d, w[d]^2)\nassume eps > 0")
SHIFTED = sb.parse("param h[T]\np[t] = exp(h[t])\nr[t:T] = 2 + p[t-1]\nq[t:T] = p[t-1]\nloss = sum(t, h[t]^2)")


@pytest.mark.parametrize(
    ("program", "claim", "needed"),
    [
        (NORM, "2*w[d]*s/s", ("eps > 0",)),
        (NORM, "2*w[d]*(D + 1)/(D + 1)", ()),
        (NORM, "2*w[d]*(D - 9)/(D - 9)", ("D != 9",)),
        (NORM, "2*w[d]*sum(j, exp(w[j]))/sum(j, exp(w[j]))", ()),
        (NORM, "2*w[d]*sum(j, w[j]^2)/sum(j, w[j]^2)", ("sum(j, w[j]^2) != 0",)),
        (NORM, "2*w[d]^2/w[d]*sum(j, w[j]/w[j])/D", ("w[d] != 0",)),
        (NORM, "2*w[d]*sum(j, exp(log(w[j])))/sum(j, w[j])", ("w[j] > 0",)),
    ],
)
def test_conditions_are_left_out_for_all_sizes(program: sb.Program, claim: str, needed: tuple[str, ...]) -> None:
    """A condition goes without saying where it is proved for all sizes, not where two small sizes speak for it."""
    verdict = sb.verify_gradient(program, "w[d]", claim)
    assert verdict.proved
    assert verdict.hypotheses == needed


@pytest.mark.parametrize(
    ("claim", "needed"),
    [
        ("2*h[t]*p[t]/p[t]", ()),
        ("2*h[t]*r[t]/r[t]", ()),
        ("2*h[t]*q[t]/q[t]", ("q[t] != 0",)),
    ],
)
def test_an_entry_beyond_the_edge_is_zero(claim: str, needed: tuple[str, ...]) -> None:
    """p is positive, but q reads it one step back, where it is 0 at the first step."""
    verdict = sb.verify_gradient(SHIFTED, "h[t]", claim)
    assert verdict.proved
    assert verdict.hypotheses == needed


def test_a_condition_that_fails_at_a_larger_size_is_said() -> None:
    """2 + w[d+5] is 2 for D up to 5, where the read is beyond the edge, and may be zero for D = 6 and more."""
    program = sb.parse("param w[D]\nc[d:D] = 2 + w[d+5]\nloss = sum(d, w[d]^2)")
    verdict = sb.verify_gradient(program, "w[d]", "2*w[d]*c[d]/c[d]")
    assert verdict.proved
    assert verdict.hypotheses == ("c[d] != 0",)
