"""Kinks, domains and assumptions: what a verdict says beside yes and no."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp

import symbackprop as sb
from symbackprop.errors import ArgumentError
from symbackprop.proof import decide
from symbackprop.proof.budget import Budget

a, b, c, x, y = sp.symbols("a b c x y")
u = sp.Symbol("u", positive=True)


def step(condition: sp.Basic) -> sp.Expr:
    """1 where the condition holds, else 0."""
    return sp.Piecewise((1, condition), (0, True))


def test_a_difference_at_the_kink_alone_is_refuted_there_and_said() -> None:
    """Two forms of the step that differ at 0 are told apart, and the verdict says that they agree elsewhere."""
    verdict = decide(step(x > 0), step(x >= 0))

    assert verdict.refuted
    assert verdict.witness is not None
    assert verdict.witness.point == (("x", Fraction(0)),)
    assert verdict.diagnosis == "the sides agree except where x = 0"


def test_a_kink_on_a_curve_is_judged_exactly() -> None:
    """The hinge loss has its kink on w x y = 1, where both conventions are compared at a rational point."""
    margin = a * x * y
    left = sp.Piecewise((-x * y, margin < 1), (0, True))

    assert decide(left, -x * y * step(margin < 1)).proved
    verdict = decide(left, -x * y * step(margin <= 1))
    assert verdict.refuted
    assert verdict.witness is not None
    point = dict(verdict.witness.point)
    assert point["a"] * point["x"] * point["y"] == 1


def test_a_kink_that_cannot_be_solved_for_is_not_guessed() -> None:
    """Steps at x^5 - x = 1 differ only at an irrational point: no proof, and no witness can be named."""
    curve = x**5 - x - 1

    assert decide(step(curve > 0), step(curve >= 0)).undecided
    assert decide(step(curve > 0), 1 - step(curve <= 0)).proved


def test_empty_cells_are_recognised() -> None:
    """max of three by two nested forms: contradictory orders of a, b, c are not held against the claim."""
    nested = sp.Piecewise((sp.Piecewise((a, a > c), (c, True)), a > b), (sp.Piecewise((b, b > c), (c, True)), True))

    assert decide(sp.Max(a, b, c), nested).proved
    assert decide(sp.Max(a, b, c), nested.xreplace({c: c + 1})).refuted


def test_a_pole_is_a_hypothesis() -> None:
    """(x^2-1)/(x-1) = x+1 is proved where the left side is defined, and the verdict says where that is."""
    verdict = decide((x**2 - 1) / (x - 1), x + 1)

    assert verdict.proved
    assert verdict.hypotheses == ("x != 1",)


@pytest.mark.parametrize(
    "left, right, assumption",
    [
        (sp.log(x**2), 2 * sp.log(x), x > 0),
        (sp.log(x * y), sp.log(x) + sp.log(y), x > 0),
        (sp.sqrt(x * y), sp.sqrt(x) * sp.sqrt(y), y >= 0),
        (sp.asin(x) + sp.acos(x), sp.pi / 2, x**2 <= 1),
    ],
)
def test_sides_with_different_domains_are_not_called_equal(left: sp.Expr, right: sp.Expr, assumption: sp.Basic) -> None:
    """Where only one side is defined on a whole region the answer is undecided, with a point; assuming mends it."""
    verdict = decide(left, right)

    assert verdict.undecided
    assert "only the" in verdict.reason
    extra = (y > 0,) if left.has(sp.log) and left.has(y) else (x >= 0,) if left.has(y) else ()
    assert decide(left, right, (assumption, *extra)).proved


def test_the_verdict_names_the_assumption_that_the_proof_used() -> None:
    """sqrt(a^2 b) = a sqrt(b) needs a >= 0; an assumption about c is not listed."""
    verdict = decide(sp.sqrt(a**2 * u), a * sp.sqrt(u), (a > 0, c > 0))

    assert verdict.proved
    assert set(verdict.hypotheses) == {"a > 0", "u > 0"}
    assert decide(sp.sqrt(a**2 * u), a * sp.sqrt(u)).refuted


def test_an_assumed_equation_is_used() -> None:
    """Under x + y = 1 the targets of a softmax sum to one, and witnesses respect it."""
    assert decide(a * (x + y) - x, a - x, (sp.Eq(x + y, 1),)).proved
    assert decide(a * (x + y) - x, a - x).refuted
    verdict = decide(a * x, a, (sp.Eq(x + y, 1),))
    assert verdict.refuted
    assert verdict.witness is not None
    point = dict(verdict.witness.point)
    assert point["x"] + point["y"] == 1


def test_a_name_is_one_variable_whatever_its_assumptions() -> None:
    """x and a real x are the same variable; a positive one brings its hypothesis along."""
    assert decide(x**2, sp.Symbol("x", real=True) ** 2).proved
    verdict = decide(sp.Abs(sp.Symbol("x")), sp.Symbol("x", positive=True))
    assert verdict.proved
    assert verdict.hypotheses == ("x > 0",)


def test_integer_symbols_get_integer_witnesses() -> None:
    """A witness respects integrality that a symbol declares."""
    n = sp.Symbol("n", integer=True)
    verdict = decide(n**2, n + 1)

    assert verdict.witness is not None
    assert verdict.witness.point[0][1].denominator == 1


def test_floats_are_read_as_written_and_said() -> None:
    """0.1 is one tenth, the verdict says so, and rounding alone never refutes."""
    verdict = decide(0.1 * x, x / 10)

    assert verdict.proved
    assert verdict.notes == ("The float 0.1 is read as 1/10.",)
    assert decide((0.1 + 0.2) * x, 3 * x / 10).undecided
    assert decide(0.3000001 * x, 3 * x / 10).refuted


@pytest.mark.parametrize(
    "left, right, text",
    [
        (2 * (x - y) * a, a, "the claim lacks the factor 2*(x - y)"),
        (-a * x, a * x, "the claim has the wrong sign"),
        (a * x / 3, a * x, "the claim has the extra factor 3"),
        (a * x + sp.tanh(a) * y + b, a * x + b, "the claim lacks the term tanh(a)*y"),
        (2 * sp.Abs(x), sp.Abs(x), "the claim lacks the factor 2"),
    ],
)
def test_what_a_claim_lacks_is_said(left: sp.Expr, right: sp.Expr, text: str) -> None:
    """A missing factor, sign or term is named."""
    assert decide(left, right, claim="claim").diagnosis == text


def test_text_is_not_an_expression() -> None:
    """Text is never evaluated; it is refused with what was expected."""
    with pytest.raises(ArgumentError, match="parse text first"):
        decide("x", x)
    with pytest.raises(ArgumentError, match="an assumption is a relation"):
        decide(x, x, ("x > 0",))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "left, right",
    [
        # A function is solved for: cos(x y) = 2 y is no rational curve.
        (sp.Max(sp.cos(x * y), 2 * y), -sp.Min(-sp.cos(x * y), -2 * y)),
        (sp.cosh(sp.Min(x * y, sp.erf(x))), sp.cosh((x * y + sp.erf(x) - sp.Abs(x * y - sp.erf(x))) / 2)),
        # An irreducible polynomial divides the difference.
        (sp.Max(x**3 - x - 1, 0), (x**3 - x - 1 + sp.Abs(x**3 - x - 1)) / 2),
        # What is compared is written in other words on the other side.
        (sp.Max(sp.tanh(x), y), -sp.Min((1 - sp.exp(2 * x)) / (1 + sp.exp(2 * x)), -y)),
        (sp.Max(x, (x + 1) / (x - 2)), sp.Max(x, (2 * x + 2) / (2 * x - 4))),
        # A condition that holds another choice.
        (sp.Min(1, sp.Piecewise((1, y >= 1), (y**2, True))), sp.Piecewise((1, y >= 1), (sp.Min(1, y**2), True))),
        # Increasing functions are compared by their arguments.
        (sp.Abs(sp.tanh(x)), sp.tanh(sp.Abs(x))),
        (sp.Max(sp.exp(x), 1), sp.exp(sp.Max(x, 0))),
    ],
)
def test_kinks_on_curves_are_judged(left: sp.Expr, right: sp.Expr) -> None:
    """Kinks where no symbol can be solved for are judged exactly, too, and a mistake beside them is refuted."""
    assert decide(left, right).proved
    assert decide(left, right + step(x > y)).refuted


@pytest.mark.parametrize(
    "outside, inside",
    [
        (x > 2, x**2 + y**2 < 1),
        (x > 3, x**2 < 4),
        (x**2 - 2 * x + 2 <= 0, y > 0),
        (x**3 > 9, sp.And(x < 2, y > 0)),
        (sp.Eq(4 * x**2 + 2 * x + 1, 0), y < 1),
    ],
)
def test_cells_on_curved_sides_are_known_to_be_empty(outside: sp.Basic, inside: sp.Basic) -> None:
    """A branch that no point can reach does not matter: by real roots on a line, by products in the plane."""
    reached = sp.Piecewise((sp.Piecewise((a, outside), (b, True)), inside), (0, True))

    assert decide(reached, sp.Piecewise((b, inside), (0, True))).proved


def test_what_is_compared_has_conditions_of_its_own() -> None:
    """max(log x, 0) has no value for x < 0, although the branch that is taken there would have one."""
    left, right = sp.Max(sp.log(x), 0), sp.Piecewise((sp.log(x), x > 1), (0, True))
    verdict = decide(left, right)

    assert verdict.undecided
    assert "only the right side is" in verdict.reason
    assert decide(left, right, (x > 0,)).proved


def test_a_side_without_value_on_a_cell_is_said() -> None:
    """sqrt of what is negative there has no value; where both sides have none, nothing is claimed."""
    root = sp.sqrt(x - y)

    assert decide(sp.Piecewise((root, x > y), (root / 10, True)), root * sp.Piecewise((1, x > y), (2, True))).proved
    assert decide(sp.Piecewise((root, x > y), (0, True)), root).undecided


def test_a_proof_is_checked_at_three_points_or_is_none() -> None:
    """One cell or many, balls must agree at three points; where only one exists at all, that one is enough."""
    assert decide(sp.log(u**2 + u) * 0 + sp.sqrt(-u), sp.sqrt(-u)).undecided
    assert "a proof is checked at 3" in decide(sp.sqrt(-(x**2)), sp.sqrt(-(x**2)) + sp.sin(x) ** 2 * 0).reason
    assert decide(sp.sin(x) ** 2 + sp.cos(x) ** 2, 1, (sp.Eq(x, 1),)).proved


def test_numbers_of_any_size_are_written() -> None:
    """A witness at which the sides are as small as e^-30000 is written in few digits."""
    verdict = decide(sp.exp(-(x**6) * 10**4), 2 * sp.exp(-(x**6) * 10**4))

    assert verdict.refuted
    assert len(str(verdict)) < 400


@pytest.mark.parametrize("right", [x * u / 10, x * u, sp.sqrt(-(x**2) * u)])
def test_every_verdict_says_what_was_assumed_and_how_floats_were_read(right: sp.Expr) -> None:
    """Proved, refuted or undecided: the scope, what was declared and assumed, and the floats.

    A proof names of the assumptions only those that it used.
    """
    verdict = decide(0.1 * x * u, right, (x > 0,))

    assert verdict.scope == "all real values"
    assert set(verdict.hypotheses) == ({"u > 0"} if verdict.proved else {"x > 0", "u > 0"})
    assert len(verdict.formulas) == len(verdict.hypotheses)
    assert verdict.notes == ("The float 0.1 is read as 1/10.",)


def test_a_side_equals_itself_wherever_it_is_defined() -> None:
    """Without a search through its cells, and without conditions that only a search would bring."""
    lowest = sp.Min(sp.Min(sp.Min(a * b, c * a), b**2 - c), a - b * c)
    verdict = decide(lowest, lowest)

    assert verdict.proved
    assert verdict.hypotheses == ()
    assert decide(lowest, lowest, [sp.Gt(a, 2)]).proved
    assert decide(sp.log(lowest), sp.log(lowest), budget=Budget(120.0)).hypotheses != ()  # however slow the machine
    assert decide(sp.sqrt(-1 - sp.Abs(x)), sp.sqrt(-1 - sp.Abs(x))).undecided


def test_a_condition_that_chooses_between_conditions_is_written_out() -> None:
    """SymPy makes such conditions of a comparison of choices."""
    side = "sqrt(minimum(minimum(a, b)*c, abs(a - c)))"

    assert sb.verify(side, side).proved


HINGE = """
input x[N,D], y[N]
param w[D]
f[n] = sum(d, w[d]*x[n,d])
loss = mean(n, maximum(0, 1 - y[n]*f[n]))
"""


@pytest.mark.parametrize("relation", ["<", "<="])
def test_a_convention_at_the_kink_of_sums_is_refuted_there_and_said(relation: str) -> None:
    """The hinge loss has one half of both slopes at its kink, and books take one of them: elsewhere they agree."""
    claim = f"-mean(n, where(y[n]*f[n] {relation} 1, y[n]*x[n,d], 0))"
    verdict = sb.verify_gradient(sb.parse(HINGE), "w[d]", claim)

    assert verdict.refuted
    assert verdict.witness is not None
    assert verdict.diagnosis == "the sides agree except where y[n]*f[n] = 1 for some n"
    written = claim.replace("f[n]", "sum(k, w[k]*x[n,k])")
    assert sb.verify_gradient(sb.parse(HINGE), "w[d]", written).diagnosis.count(" = 1") == 1
    point = dict(verdict.witness.point)
    margins = [point[f"y[{n}]"] * sum(point[f"w[{d}]"] * point[f"x[{n},{d}]"] for d in (1, 2, 3)) for n in (1, 2)]
    assert 1 in margins


def test_a_difference_at_a_tie_beside_another_is_not_said_to_be_the_only_one() -> None:
    """What is wrong elsewhere too gets no such words, and the right convention is proved."""
    program = sb.parse(HINGE)
    wrong = sb.verify_gradient(program, "w[d]", "-mean(n, where(y[n]*f[n] < 1, y[n]*x[n,d]*abs(y[n]), 0))")
    half = "where(y[n]*f[n] < 1, y[n]*x[n,d], where(y[n]*f[n] == 1, y[n]*x[n,d]/2, 0))"

    assert wrong.refuted
    assert "agree" not in wrong.diagnosis
    assert sb.verify_gradient(program, "w[d]", f"-mean(n, {half})").proved


def test_ties_of_indices_are_no_kinks() -> None:
    """A sum that leaves out its first entry does not agree with the whole one where n = 1, whatever is given."""
    program = sb.parse("input x[N]\nparam w\nloss = sum(n, relu(w*x[n]))")
    verdict = sb.verify_gradient(program, "w", "sum(n, where(w*x[n] >= 0 and n > 1, x[n], 0))")

    assert verdict.refuted
    assert "agree" not in verdict.diagnosis
