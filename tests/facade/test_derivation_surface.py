"""What a user holds: programs, derivations and gradients agree with SymPy's diff, read back, and say what is wrong."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import sympy

import symbackprop as sb

SIZES = {"N": 2, "D": 2, "K": 2}
SOFTMAX = """input x[N,D], y[N,K]
param W[K,D], b[K]
z[n,k] = sum(d, W[k,d]*x[n,d]) + b[k]
p[n,k] = exp(z[n,k]) / sum(j, exp(z[n,j]))
loss = -sum(n, k, y[n,k]*log(p[n,k])) / N"""


def is_zero(expression: sympy.Expr) -> bool:
    """Whether an expression vanishes to 30 digits at three rational points."""
    symbols = sorted(expression.free_symbols, key=str)
    for step in (3, 5, 7):
        point = {s: sympy.Rational(step * (k + 1) % 11 + 1, 8) for k, s in enumerate(symbols)}
        if abs(expression.xreplace(point).evalf(40)) > sympy.Float("1e-30"):
            return False
    return True


def test_expanded_gradients_are_those_of_sympy() -> None:
    """Every entry of every gradient is SymPy's derivative of the expanded loss, with no adjoint left."""
    program = sb.parse(SOFTMAX)
    derivation = sb.derive(program)
    loss = program.expand(SIZES)
    for name in ("W", "b"):
        for entry, expression in derivation[name].expand(SIZES).items():
            symbol = sympy.Symbol(f"{name}[{','.join(map(str, entry))}]", real=True)
            assert is_zero(expression - sympy.diff(loss, symbol))
            assert expression.free_symbols <= loss.free_symbols


def test_the_comparison_sees_a_wrong_gradient() -> None:
    """A planted factor is found."""
    program = sb.parse(SOFTMAX)
    entry = sb.derive(program)["b"].expand(SIZES)[(1,)]
    truth = sympy.diff(program.expand(SIZES), sympy.Symbol("b[1]", real=True))

    assert is_zero(entry - truth)
    assert not is_zero(entry * sympy.Rational(1001, 1000) - truth)


def test_a_derived_program_reads_back() -> None:
    """The text of forward and adjoint definitions is a program with the same values."""
    derivation = sb.derive(sb.parse(SOFTMAX))
    again = sb.parse(derivation.program.text())
    first = {t.name for t in derivation.program.tensors}

    assert {t.name for t in again.tensors} == first
    assert again.text() == sb.parse(again.text()).text()


def test_a_derivation_can_be_derived_again() -> None:
    """The Hessian by deriving the gradient, against SymPy."""
    program = sb.parse("input x[N]\nparam w[N]\nloss = sum(n, tanh(w[n]*x[n]))^2")
    first = sb.derive(program)
    second = sb.derive(first.program, of="w_bar", wrt="w")
    loss = program.expand({"N": 2})
    for entry, expression in second["w"].expand({"N": 2}).items():
        symbols = [sympy.Symbol(f"w[{k}]", real=True) for k in entry]
        assert is_zero(expression - sympy.diff(loss, *symbols))


def test_axes_of_a_jacobian_are_those_of_the_numerator_first() -> None:
    """The Jacobian of the softmax by its logits, as compiled code and as p*(delta - p)."""
    derivation = sb.derive(sb.parse("input z[K]\np[k] = exp(z[k])/sum(j, exp(z[j]))"), of="p")
    z = np.array([0.3, -1.0, 2.0])
    value, gradients = derivation.compile()({}, z=z)
    p = np.exp(z) / np.exp(z).sum()

    np.testing.assert_allclose(value, p, rtol=1e-14)
    np.testing.assert_allclose(gradients["z"], np.diag(p) - np.outer(p, p), rtol=1e-13)
    assert "where(j == k, 1, 0) - p" in derivation.text()


def test_what_the_loss_does_not_reach_is_zero_and_said_so() -> None:
    """A disconnected parameter has a zero gradient of its own shape."""
    derivation = sb.derive(sb.parse("param w, u[K]\nq[k] = u[k]^2\nloss = w^2"), wrt=["w", "u"])
    _, gradients = derivation.compile()({"w": 2.0, "u": np.ones(3)})

    np.testing.assert_array_equal(gradients["u"], np.zeros(3))
    assert gradients["w"] == 4.0
    assert any("disconnected" in sentence for sentence in derivation.narrate())
    assert derivation.text().endswith("u_bar[k:K] = 0")


def test_equal_programs_differ_in_letters_only() -> None:
    """Names of indices do not count, anything else does."""
    first = sb.parse("input x[N]\nloss = sum(n, x[n]^2)")

    assert first == sb.parse("input x[N]\nloss = sum(i, x[i]^2)")
    assert hash(first) == hash(sb.parse("input x[N]\nloss = sum(i, x[i]^2)"))
    assert first != sb.parse("input x[N]\nloss = sum(i, x[i]^3)")


def test_expressions_of_sympy_are_derived() -> None:
    """Kinks of Abs and Max follow the one law, smooth parts are SymPy's."""
    x, y = sympy.symbols("x y")
    derivation = sb.derive(sympy.exp(x * y) + sympy.Abs(x) + sympy.Max(x, y))
    value, gradients = derivation.compile()({}, x=1.0, y=1.0)

    assert value == pytest.approx(np.e + 2)
    assert gradients["x"] == pytest.approx(np.e + 1.5)
    assert gradients["y"] == pytest.approx(np.e + 0.5)


def test_trusted_code_may_rely_on_what_is_declared() -> None:
    """Both compiled forms agree where the assumption holds, and only the safe one is right where it does not."""
    program = sb.parse(SOFTMAX.replace("z[n,k] =", "assume sum(k, y[n,k]) = 1\nz[n,k] =", 1))
    derivation = sb.derive(program)
    rng = np.random.default_rng(0)
    params, x = {"W": rng.normal(size=(3, 2)), "b": np.zeros(3)}, rng.normal(size=(4, 2))
    good, bad = np.eye(3)[[0, 1, 2, 0]], np.full((4, 3), 0.7)
    safe, trusting = derivation.compile(), derivation.compile(trust=True)

    np.testing.assert_allclose(safe(params, x=x, y=good)[1]["W"], trusting(params, x=x, y=good)[1]["W"], rtol=1e-12)
    step = 1e-6
    up, down = ({**params, "b": np.array([s, 0, 0])} for s in (step, -step))
    slope = (safe(up, x=x, y=bad)[0] - safe(down, x=x, y=bad)[0]) / (2 * step)
    assert safe(params, x=x, y=bad)[1]["b"][0] == pytest.approx(slope, rel=1e-6)
    assert trusting(params, x=x, y=bad)[1]["b"][0] != pytest.approx(slope, rel=1e-2)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: sb.derive(sb.parse("param w\nloss = w^2"), wrt="v"), sb.UnknownNameError, "there are w, loss"),
        (lambda: sb.derive(sb.parse("param w\nloss = w^2"), of="v"), sb.UnknownNameError, "there are w, loss"),
        (lambda: sb.derive(sb.parse("param w\nloss = w^2"), wrt=["w", "w"]), sb.ArgumentError, "twice"),
        (lambda: sb.derive("loss = w^2"), sb.ArgumentError, "not str"),
        (lambda: sb.derive(sb.parse("param w\nloss = w^2"))["v"], sb.UnknownNameError, "gradients are by w"),
        (lambda: sb.derive(sb.parse("param w\nloss = w^2")).compile("fortran"), sb.UnknownNameError, "numpy"),
        (lambda: sb.derive(sympy.gamma(sympy.Symbol("x"))), sb.UnsupportedError, "gamma"),
        (lambda: sb.derive(sympy.Symbol("sum") ** 2), sb.ArgumentError, "sum"),
        (lambda: sb.parse("input x[N]\nloss = sum(n, x[n])").expand({}), sb.ArgumentError, "no size for N"),
        (lambda: sb.parse("input x[N]\nloss = sum(n, x[n])").expand({"N": 0}), sb.ArgumentError, "at least 1"),
    ],
)
def test_mistakes_are_named(call: object, error: type[Exception], words: str) -> None:
    """Each mistake raises its error, which says what there is instead."""
    assert callable(call)
    with pytest.raises(error, match=words):
        call()


def test_documents_of_a_derivation() -> None:
    """Markdown and HTML hold the formulas, the description is plain data."""
    derivation = sb.derive(sb.parse("param w\nloss = w^2"))

    assert "$$" in derivation.markdown()
    assert "<math" in derivation.html()
    assert derivation.html().startswith("<!DOCTYPE html>")
    described = json.loads(json.dumps(derivation.describe()))
    assert described["adjoints"][0]["text"] == "w_bar = 2*w"


def test_a_gradient_as_a_sympy_expression_is_proved_to_be_itself() -> None:
    """The expression that a gradient hands out is a claim that holds, and a changed one is refuted."""
    program = sb.parse(SOFTMAX)
    expression = sb.derive(program)["b"].expr.xreplace({})
    claim = "sum(n, adj(z[n,k]))"

    assert isinstance(expression, sympy.Sum)
    assert sb.verify_gradient(program, "b[k]", claim).proved
    assert sb.verify_gradient(program, "b[k]", "2*" + claim).refuted


def test_the_columns_of_a_page_are_aligned_by_its_style() -> None:
    """Chromium reads no attribute of a column: the style names each that the formulas have."""
    page = sb.derive(sb.parse("param x, w\na = relu(w*x)\nloss = a^2")).html()
    style, _, body = page.partition("</style>")
    aligned = set(re.findall(r'<mtd columnalign="(\w+)"', body))

    assert aligned == {"left", "right"}
    assert all(f'mtd[columnalign="{side}"] {{ text-align: {side};' in style for side in aligned)
