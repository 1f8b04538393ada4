"""The parts of a proof: balls, floats, signs, contradictions, limits, verdicts, rounding claims."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import mpmath
import pytest
import sympy as sp
from flint import fmpq

import symbackprop as sb
from symbackprop.errors import ArgumentError, UnsupportedError
from symbackprop.proof import Interval, Verdict, approximates, decide
from symbackprop.proof.budget import Budget
from symbackprop.proof.evaluation import ImpreciseValueError, UndefinedValueError, enclose, evaluate, holds
from symbackprop.proof.facts import Fact, contradict, solve_zero
from symbackprop.proof.normal_form import NormalForm, with_normal_form
from symbackprop.proof.numbers import read_float
from symbackprop.proof.rational import QuotientField

x, y, z = sp.symbols("x y z", real=True)
HALF = {"x": Fraction(1, 2), "y": Fraction(-3), "z": Fraction(7, 3)}

FUNCTIONS = (
    sp.exp, sp.sin, sp.cos, sp.tan, sp.sinh, sp.cosh, sp.tanh, sp.erf, sp.erfc, sp.atan, sp.asin, sp.acos, sp.asinh,
    sp.atanh, sp.log, sp.sqrt, sp.sech, sp.csch, sp.coth, sp.sec, sp.csc, sp.cot, sp.Abs, sp.sign, sp.Heaviside,
)  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("precision", [64, 256])
def test_a_ball_contains_the_value_of_mpmath(function: type[sp.Function], precision: int) -> None:
    """Every function's ball at 1/2 contains what SymPy and mpmath compute to 70 digits."""
    interval = enclose(evaluate(function(x), HALF, precision), 15)
    value = sp.N(function(sp.Rational(1, 2)), 70)

    assert sp.Rational(str(interval.lower)) <= value <= sp.Rational(str(interval.upper))


def test_rational_arithmetic_stays_exact() -> None:
    """Rational operations give a rational, so that conditions are decided exactly."""
    assert evaluate((x + y) / (x * z) - x**3, HALF) == fmpq(-127, 56)
    assert holds(x + sp.Rational(1, 3) >= sp.Rational(5, 6), HALF)
    assert not holds(sp.Ne(x, sp.Rational(1, 2)), HALF)


@pytest.mark.parametrize(
    "expression", [1 / (2 * x - 1), sp.log(y), sp.sqrt(y), sp.log(2 * x - 1), y**x, sp.asin(z), sp.acosh(x)]
)
def test_an_undefined_value_is_reported(expression: sp.Expr) -> None:
    """Poles, logarithms and roots of negative numbers have no real value, and that is certain."""
    with pytest.raises(UndefinedValueError):
        evaluate(expression, HALF)


def test_a_ball_that_is_too_wide_is_not_an_answer() -> None:
    """The sign of an expression that is zero only by an identity cannot be told by balls."""
    zero = sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1
    with pytest.raises(ImpreciseValueError):
        holds(zero > 0, HALF)
    with pytest.raises(UnsupportedError, match="gamma"):
        evaluate(sp.gamma(x), HALF)


def test_enclosures_round_outward() -> None:
    """The decimal ends lie outside the ball."""
    interval = enclose(evaluate(sp.pi, {}, 256), 5)

    assert interval == Interval(Fraction(314159, 100000), Fraction(314160, 100000))
    assert interval.lower < Fraction(str(mpmath.pi)) < interval.upper


@pytest.mark.parametrize("text", ["0.1", "1e-5", "0.044715", "123456.789", "-2.5", "1e30", "1e-20", "3.0"])
def test_floats_are_read_as_written(text: str) -> None:
    """A short decimal comes back as itself."""
    assert read_float(sp.Float(float(text))) == Fraction(text)


def test_read_floats_round_to_the_same_double() -> None:
    """Whatever the double, the rational rounds back to it."""
    for value in (1 / 3, 2 / 7, mpmath.pi, 2**0.5, 1.0, 0.5, 2.0**-40, 1e300 / 3):
        assert float(read_float(sp.Float(float(value)))) == float(value)
    assert read_float(sp.Float(1 / 3)) == Fraction(1, 3)


def test_contradictions_are_found_and_never_invented() -> None:
    """Elimination finds a cycle of strict orders and leaves a satisfiable set alone."""
    cycle = [Fact(x - y, ">"), Fact(y - z, ">"), Fact(z - x, ">")]

    assert contradict(cycle)
    assert not contradict(cycle[:2])
    assert contradict([Fact(-sp.exp(x) - y**2, ">=")])
    assert not contradict([Fact(x * y - 1, ">"), Fact(-x, ">")])


def test_a_zero_set_is_covered() -> None:
    """Every zero of the polynomial satisfies one of the substitutions; what is not linear is refused."""
    assert solve_zero((x - 1) * (y + 2)) == [(x, 1), (y, -2)]
    assert solve_zero(x * y + x) == [(x, 0), (y, -1)]
    assert solve_zero(x**2 + y**3 + 1) is None


def test_an_unsound_relation_would_be_caught_by_the_balls(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a planted mistake in the reduction modulo r^2 = f, wrong claims still do not become proofs."""
    monkeypatch.setattr(NormalForm, "convert", lambda self, expression: self.field.constant(sp.S.One))
    wrong = [(x, x + 1), (sp.exp(x), sp.exp(x) + x), (sp.Abs(x), x), (sp.Max(x - 1000, 0), sp.S.Zero)]

    assert [decide(*pair).status for pair in wrong] == ["refuted"] * 4


def test_normal_forms_share_exponentials_with_fractions() -> None:
    """exp(x/2), exp(x/3) and exp(x) are powers of one generator."""
    difference = sp.exp(x / 2) * sp.exp(x / 3) - sp.exp(x) / sp.exp(x / 6)

    assert with_normal_form((), Budget(), lambda form: form.convert(difference).is_zero)


def test_relations_reduce_to_a_unique_remainder() -> None:
    """(1 + r)(1 - r) = 1 - x for r^2 = x."""
    field = QuotientField(2, Budget())
    variable, root = field.new_generator(), field.new_generator()
    field.relate(root, 2, field.generator(variable).numerator)
    one, r = field.constant(sp.S.One), field.generator(root)
    minus = field.multiply(r, field.constant(sp.S.NegativeOne))
    product = field.multiply(field.add(one, r), field.add(one, minus))

    assert product.numerator == field.one - field.generator(variable).numerator


@pytest.mark.parametrize(
    "left, right",
    [
        ((x + y + z + 1) ** 400, (x + y + z + 2 - 1) ** 400 + 0 * x),
        (sp.Add(*(sp.sqrt(x**2 + k) for k in range(1, 40))) ** 9, sp.Integer(1)),
        (x ** sp.Integer(10) ** 9, x),
        (sp.gamma(x + 1), x * sp.gamma(x)),
        (sp.Function("f")(x), sp.Function("f")(x)),
        (sp.I * x, sp.I * x),
        (sp.exp(sp.exp(sp.exp(9 * x**2 + 40))), x),
        (sp.zeta(3), sp.zeta(3)),
    ],
)
def test_what_is_too_large_or_unknown_ends_quickly(left: sp.Expr, right: sp.Expr) -> None:
    """Large powers and unknown functions give a verdict and never an abort; none is called proved wrongly."""
    verdict = decide(left, right, budget=Budget(2.0))

    assert verdict.status in ("undecided", "refuted") or left == right
    assert verdict.reason or not verdict.undecided


def test_deep_nesting_is_undecided() -> None:
    """An expression that is nested too deeply is refused, with the reason."""
    deep: sp.Expr = x
    for _ in range(140):
        deep = sp.sin(deep) + 1
    verdict = decide(deep, deep)

    assert verdict.undecided
    assert "deep" in verdict.reason


def test_a_sum_or_derivative_is_carried_out() -> None:
    """Sums over a given range and unevaluated derivatives are computed before anything is decided."""
    k = sp.Symbol("k")

    assert decide(sp.Sum(k * x, (k, 1, 4)), 10 * x).proved
    assert decide(sp.Derivative(x**2 * y, x), 2 * x * y).proved
    assert decide(sp.Sum(k * x, (k, 1, sp.Symbol("n"))), x).undecided


def test_a_verdict_has_no_truth_value_and_compares_by_value() -> None:
    """`if verdict:` is an error that names .proved; equal decisions are equal values."""
    verdict = decide(x, x)
    with pytest.raises(TypeError, match="proved"):
        bool(verdict)

    assert verdict == decide(x, x)
    assert verdict != decide(x, y)
    assert hash(verdict) == hash(decide(x, x))
    with pytest.raises(dataclasses.FrozenInstanceError):
        verdict.status = "refuted"  # type: ignore[misc]


def test_a_verdict_reads_as_a_sentence_and_sets_as_latex() -> None:
    """The text and the LaTeX name the status, the formulas, the hypotheses and the witness."""
    proved, refuted = decide(x / x**2, 1 / x), decide(x**2, x)

    assert str(proved) == "Proved: 1/x = 1/x, for all real values, where x != 0."
    assert r"where $x \neq 0$" in proved.latex()
    assert str(refuted).startswith("Refuted: x^2 = x; at x = ")
    assert str(refuted).endswith("The right side lacks the factor x.")
    assert str(Verdict("undecided", reason="because of 5% & more")) == "Undecided; because of 5% & more."
    assert Verdict("undecided", reason="5% & x_1").latex() == r"\textbf{Undecided}; 5\% \& x\_1."
    assert Verdict("proved", scope="at N=2", for_all_sizes=False).for_all_sizes is False


@pytest.mark.parametrize(
    "expression, digits, status",
    [
        (1000 * sp.Rational(4, 5) ** 100, "2.04e-7", "proved"),
        (1000 * sp.Rational(4, 5) ** 100, "2.03704e-7", "proved"),
        (1000 * sp.Rational(4, 5) ** 100, "2.03703e-7", "refuted"),
        ((1000 * sp.Rational(4, 5) ** 100) ** 2, "4.15e-14", "proved"),
        ((1000 * sp.Rational(4, 5) ** 100) ** 2, "4.14952e-14", "proved"),
        (sp.E, "2.71828", "proved"),
        (-sp.sqrt(2), "-1.41", "proved"),
        (-sp.sqrt(2), "1.41", "refuted"),
        (sp.exp(-800), "3.7e-348", "proved"),
        (sp.Rational(1, 8), "0.12", "undecided"),
        (sp.Rational(1, 8), "0.125", "proved"),
        (sp.log(-1), "3.14", "undecided"),
        (x, "1", "undecided"),
        (7, "7", "proved"),
        (1234, "1200", "proved"),
        (1234, "1300", "refuted"),
        (1234, "1200.", "refuted"),
        (1234, "1200.0", "refuted"),
        (1234, "1.20e3", "refuted"),
        (1250, "1300", "undecided"),
        (4, "0", "refuted"),
    ],
)
def test_rounding_claims(expression: object, digits: str, status: str) -> None:
    """A number rounds to the digits that are written, or it does not; a tie is undecided."""
    assert approximates(expression, digits).status == status


def test_zeros_that_are_no_digits_are_said() -> None:
    """A whole number with zeros at its end is read to the unit if it can be, else to fewer digits with a note."""
    assert approximates(1200, "1200").notes == ()
    assert approximates(-1234, "-1200").notes == (
        "-1200 was read as rounded to hundreds: its zeros may not be digits.",
    )


@pytest.mark.parametrize("digits", ["", "abc", "1e999999999", "0x10", "1.2.3", "--1", "nan"])
def test_bad_digits_are_refused(digits: str) -> None:
    """What is not a decimal number is an error that says so."""
    with pytest.raises(ArgumentError, match="after `~`"):
        approximates(sp.pi, digits)


def test_hyperbolic_functions_leave_their_arguments_alone() -> None:
    """An odd power inside cosh keeps its sign: cosh(x^3 + x) is not cosh(|x|^3 + x)."""
    assert decide(sp.cosh(x**3 + x), (sp.exp(x**3 + x) + sp.exp(-(x**3) - x)) / 2).proved
    assert with_normal_form((), Budget(), lambda form: len(form.convert(sp.sinh(x**3)).numerator.coeffs())) == 2


@pytest.mark.parametrize(
    ("left", "right", "words"),
    (
        ("sqrt(2/pi)", "0.7978845608028654", "0.797884560802865356 and the right side is 0.7978845608028654"),
        ("sigmoid(1000)", "1", "which is more by at least 5.1e-435"),
        ("exp(pi*sqrt(163))", "262537412640768744", "which is more by at least 7.5e-13"),
    ),
)
def test_numbers_that_nearly_agree_are_told_apart(left: str, right: str, words: str) -> None:
    """Two numbers are compared with as many bits as it takes, and the verdict says how they differ."""
    verdict = sb.verify(left, right)

    assert verdict.refuted
    assert words in str(verdict)
    assert verdict.witness is not None
    assert verdict.witness.left.upper < verdict.witness.right.lower


def test_equal_numbers_stay_equal() -> None:
    """More bits do not tell equal numbers apart."""
    assert sb.verify("sqrt(2)*sqrt(3)", "sqrt(6)").proved
    assert sb.verify("log(6)", "log(2) + log(3)").proved


def test_roots_that_lie_close_are_told_apart() -> None:
    """Between 7 and the root of 49.01 there are numbers, and between no number and itself there is none."""
    x = sp.Symbol("x", real=True)
    just_above = sp.Rational(4901, 100)

    assert not contradict([Fact(x**2 - 49, ">"), Fact(just_above - x**2, ">")])
    assert contradict([Fact(x**2 - 49, ">"), Fact(49 - x**2, ">")])
    assert contradict([Fact(x**2 - just_above, ">"), Fact(49 - x**2, ">")])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("where(x^2 > 49 and x^2 < 49.01, 1, 0)", "0"),
        ("where(x^2 == 49.01 and x > 7, 1, 0)", "0"),
        ("relu(x)*relu(1e-7 - x^2)", "0"),
        ("abs(x^2 - 4)*abs(4.001 - x^2)", "(x^2 - 4)*(x^2 - 4.001)"),
    ],
)
def test_what_is_wrong_between_close_roots_is_not_proved(left: str, right: str) -> None:
    """One of the roots is rational, and an end of the interval of the other."""
    assert not sb.verify(left, right).proved


@pytest.mark.parametrize("together", [1, 12])
def test_common_factors_in_many_generators_are_those_of_flint(together: int) -> None:
    """Generators that occur in the same powers are looked at as one, and the factor is that in all of them."""
    field = QuotientField(8 * together, Budget())
    every = [field.generator(field.new_generator()).numerator for _ in range(8 * together)]
    u, v, w, *rest = (math.prod(every[k : k + together], start=field.one) for k in range(0, len(every), together))
    shared = (u + 2 * v) ** 2 * (w + v)
    above, below = shared * (u - w + 3) * sum(rest, field.one), shared * (v + w * u) * (u + 2 * v)

    made = field.quotient(above, below)

    common = above.gcd(below)
    leading = (below / common).leading_coefficient()
    assert (made.numerator, made.denominator) == (above / common / leading, below / common / leading)
    assert len(made.denominator) < len(below)
