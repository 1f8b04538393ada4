"""Stable rewrites equal what they replace, and generated values are right where the given formulas overflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from compiled import compile_numpy
from logistic_check import LOGISTIC, check_logistic

import symbackprop as sb
from symbackprop.calculus.chain import derive
from symbackprop.calculus.definitions import slot_symbol
from symbackprop.calculus.programs import Program
from symbackprop.codegen.forms import StableForm, canonical, finish, list_stable_forms, write_exactly
from symbackprop.codegen.stability import PeakDefinition, stabilise

Builder = Callable[..., Program]
U, V = slot_symbol(0), slot_symbol(1)


@pytest.mark.parametrize("form", list_stable_forms(), ids=lambda f: f.name)
def test_rewrites_are_identities(form: StableForm) -> None:
    """What a rewrite makes of its example equals the example to 30 digits at rational points of both signs."""
    result = form.apply(form.example)
    assert result != form.example
    for u in ("-7/3", "-1/5", "0", "2/7", "3"):
        point = {U: sympy.Rational(u), V: sympy.Rational("5/4")}
        left, right = (sympy.N(write_exactly(e).subs(point), 40) for e in (form.example, result))
        assert abs(left - right) < sympy.Float("1e-30") * max(1, abs(left))


def test_rewrites_are_proved_by_sympy() -> None:
    """The scalar identities that everything rests on hold for all real u and v."""
    u, v = sympy.symbols("u v", real=True)
    soft = lambda w: sympy.log(1 + sympy.exp(w))  # noqa: E731
    assert (
        sympy.simplify(soft(-u) - (soft(u) - u)) == 0
        or sympy.simplify(sympy.exp(soft(-u)) - sympy.exp(soft(u) - u)) == 0
    )
    assert sympy.simplify(sympy.exp(u + soft(v - u)) - sympy.exp(u) - sympy.exp(v)) == 0
    assert sympy.simplify(sympy.exp(u - soft(u)) - 1 / (1 + sympy.exp(-u))) == 0
    assert sympy.simplify(1 - sympy.exp(u - soft(u)) - sympy.exp(-soft(u))) == 0


def test_a_wrong_rewrite_would_be_seen() -> None:
    """The comparison of the first test tells softplus(u) from softplus(-u)."""
    good = finish(canonical(sympy.log(1 + sympy.exp(U))))
    bad = good.xreplace({U: -U})
    assert abs(sympy.N(write_exactly(bad).subs(U, 1) - sympy.log(1 + sympy.E), 40)) > 0.1


SCALARS = {
    "sigmoid": ("1/(1 + exp(-x[]))", lambda u: 1 / (1 + mpmath.exp(-u))),
    "rising sigmoid": ("exp(x[])/(1 + exp(x[]))", lambda u: 1 / (1 + mpmath.exp(-u))),
    "softplus": ("log(1 + exp(x[]))", lambda u: mpmath.log1p(mpmath.exp(u))),
    "silu": ("x[]/(1 + exp(-x[]))", lambda u: u / (1 + mpmath.exp(-u))),
    "log sigmoid": ("log(1/(1 + exp(-x[])))", lambda u: -mpmath.log1p(mpmath.exp(-u))),
    "log of the complement": ("log(1 - 1/(1 + exp(-x[])))", lambda u: -mpmath.log1p(mpmath.exp(u))),
    "tanh": ("tanh(x[])", mpmath.tanh),
    "tanh by exponentials": ("(exp(x[]) - exp(-x[]))/(exp(x[]) + exp(-x[]))", mpmath.tanh),
    "logaddexp": ("log(exp(x[]) + exp(-x[]) + 1)", lambda u: mpmath.log(mpmath.exp(u) + mpmath.exp(-u) + 1)),
    "log cosh": ("log(cosh(x[]))", lambda u: mpmath.log(mpmath.cosh(u))),
    "elu": ("where(x[] > 0, x[], exp(x[]) - 1)", lambda u: u if u > 0 else mpmath.expm1(u)),
    "mish": ("x[]*tanh(log(1 + exp(x[])))", lambda u: u * mpmath.tanh(mpmath.log1p(mpmath.exp(u)))),
    "gaussian": ("exp(-x[]**2/2)", lambda u: mpmath.exp(-(u**2) / 2)),
}


@pytest.mark.parametrize("dtype,points", [("float64", (0, 40, -40, 800, -800)), ("float32", (0, 40, -40, 80, -80))])
@pytest.mark.parametrize("name", SCALARS)
def test_scalar_functions_are_right_far_out(name: str, dtype: str, points: tuple[int, ...], build: Builder) -> None:
    """Value and derivative at 0, +-40 and +-800 (+-80 in float32) equal mpmath's at 50 digits, without a warning."""
    text, exact = SCALARS[name]
    program = build("x[]", "", {"loss[]": [text]})
    adjoints = derive(program, "loss", ["x"])
    function = compile_numpy(program, adjoints.definitions, "loss", {"x": adjoints.adjoint_name("x")}, dtype)
    unit = float(np.finfo(dtype).eps)
    with mpmath.workdps(800):
        for point in points:
            value, gradients = function({"x": point})
            expected = float(exact(mpmath.mpf(point)))
            side = {"method": "step", "direction": -1} if name == "elu" and point == 0 else {}
            slope = float(mpmath.diff(exact, mpmath.mpf(point), h=mpmath.mpf(10) ** -300, **side))
            # The slopes of these lose digits to 1 - tanh^2 as it is written; all others are right in every digit.
            loss_of_digits = unit if "tanh" in name or name in ("mish", "logaddexp") else 1e-45
            assert float(value) == pytest.approx(expected, rel=100 * unit, abs=loss_of_digits)
            assert float(gradients["x"]) == pytest.approx(slope, rel=200 * unit, abs=loss_of_digits)


def test_softplus_keeps_its_digits(build: Builder) -> None:
    """softplus(-40) is 4.2e-18 and not 0, and sigmoid'(-800) is 0 and not NaN."""
    program = build("x[]", "", {"loss[]": ["log(1 + exp(x[]))"]})
    assert compile_numpy(program, (), "loss", {}).value({"x": -40.0}) == pytest.approx(4.248354255291589e-18, rel=1e-14)
    program = build("x[]", "", {"loss[]": ["1/(1 + exp(-x[]))"]})
    adjoints = derive(program, "loss", ["x"])
    function = compile_numpy(program, adjoints.definitions, "loss", {"x": "x_bar"})
    assert function({"x": -800.0})[1]["x"] == 0
    assert function({"x": 40.0})[1]["x"] == pytest.approx(4.248354255291589e-18, rel=1e-14)


@pytest.mark.parametrize(
    "target,dtype",
    [
        ("numpy", "float32"),
        ("numpy", "float64"),
        ("fused", "float32"),
        ("jax", "float32"),
        ("jax", "float64"),
        ("python", "float64"),
    ],
)
@pytest.mark.parametrize("text", LOGISTIC)
def test_logistic_functions_keep_their_digits_at_extremes(text: str, target: str, dtype: str) -> None:
    """Value and slope are right in every digit as long as these are normal numbers, on both sides, without a warning;
    infinity has the limits, and what is not a number stays so.
    """
    make = (lambda u: [u]) if target == "python" else (lambda u: np.array([u], dtype))

    check_logistic(text, target, dtype, make)


def test_one_less_a_named_sigmoid_keeps_its_digits(build: Builder) -> None:
    """a*(1 - a) of a named a = sigmoid(x), as folding writes the slope, is 4.2e-18 at 40 and shares its exponential."""
    program = build("x[]", "", {"a[]": ["1/(1 + exp(-x[]))"], "loss[]": ["a[]*(1 - a[])"]})
    function = compile_numpy(program, (), "loss", {})
    for point in (40.0, -40.0):
        assert function.value({"x": point}) == pytest.approx(4.248354255291589e-18, rel=1e-14)
    assert function.value({"x": 800.0}) == pytest.approx(0, abs=1e-300)
    assert function.source.count("np.exp") == 1


def test_conditions_are_written_safely(build: Builder) -> None:
    """A condition on a quotient of exponentials does not overflow either."""
    program = build("x[]", "", {"loss[]": ["where(exp(x[])/(1 + exp(x[])) > 1/(2 + exp(-x[])), x[], 1)"]})
    function = compile_numpy(program, (), "loss", {})
    assert [float(function.value({"x": u})) for u in (800.0, -2.0)] == [800.0, -2.0]


CROSS_ENTROPIES: dict[str, dict[str, list[str]]] = {
    "named probabilities": {
        "S[n]": ["j: exp(z[n,j])"],
        "p[n,k]": ["exp(z[n,k])/S[n]"],
        "loss[]": ["n,k: -y[n,k]*log(p[n,k])"],
    },
    "named exponentials": {
        "e[n,k]": ["exp(z[n,k])"],
        "S[n]": ["j: e[n,j]"],
        "p[n,k]": ["e[n,k]/S[n]"],
        "l[n,k]": ["log(p[n,k])"],
        "loss[]": ["n,k: -y[n,k]*l[n,k]"],
    },
    "logarithm of the sum": {
        "S[n]": ["j: exp(z[n,j])"],
        "loss[]": ["n,k: -y[n,k]*(z[n,k] - log(S[n]))"],
    },
    "mean of exponentials": {
        "M[n]": ["j: exp(z[n,j])/K"],
        "loss[]": ["n,k: -y[n,k]*(z[n,k] - log(M[n]) - log(K))"],
    },
}


@pytest.mark.parametrize("dtype,size", [("float64", 800.0), ("float32", 80.0), ("float64", 0.0)])
@pytest.mark.parametrize("name", CROSS_ENTROPIES)
def test_cross_entropy_of_large_logits(name: str, dtype: str, size: float, build: Builder) -> None:
    """Loss and gradient are finite and right for logits of +-800, however softmax is written, from raw adjoints."""
    program = build("z[N,K]", "y[N,K]", CROSS_ENTROPIES[name])
    adjoints = derive(program, "loss", ["z"])
    function = compile_numpy(program, adjoints.definitions, "loss", {"z": adjoints.adjoint_name("z")}, dtype)
    z = np.array([[size, -size, 0.0], [-size, -size, -size], [size, size, -size]])
    y = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.25, 0.75]])
    value, gradients = function({"z": z}, y=y)
    top = z - z.max(axis=1, keepdims=True)
    logs = top - np.log(np.exp(top).sum(axis=1, keepdims=True))
    unit = float(np.finfo(dtype).eps)
    assert float(value) == pytest.approx(-(y * logs).sum(), rel=10 * unit)
    np.testing.assert_allclose(gradients["z"], np.exp(logs) * y.sum(axis=1, keepdims=True) - y, atol=10 * unit)


@pytest.mark.parametrize("size", [800.0, 40.0, 0.0])
def test_binary_cross_entropy_of_large_logits(size: float, build: Builder) -> None:
    """Through a named sigmoid, loss and gradient are those of the logits, from raw adjoints."""
    program = build(
        "z[N]",
        "t[N]",
        {"s[n]": ["1/(1 + exp(-z[n]))"], "loss[]": ["n: -(t[n]*log(s[n]) + (1 - t[n])*log(1 - s[n]))"]},
    )
    adjoints = derive(program, "loss", ["z"])
    function = compile_numpy(program, adjoints.definitions, "loss", {"z": adjoints.adjoint_name("z")})
    z, t = np.array([size, -size, size, -size]), np.array([1.0, 0.0, 0.0, 1.0])
    value, gradients = function({"z": z}, t=t)
    assert value == pytest.approx(np.logaddexp(0, -np.array([size, size, -size, -size])).sum(), rel=1e-14)
    probability = np.array([np.exp(-np.logaddexp(0, -u)) for u in z])
    np.testing.assert_allclose(gradients["z"], probability - t, atol=1e-15)
    assert gradients["z"][1] == pytest.approx(probability[1], rel=1e-14)


def test_attention_of_large_scores(build: Builder) -> None:
    """Attention written as a quotient of two sums is finite for scores of +-800, and its gradient is."""
    program = build(
        "s[T,U] V[U,K]",
        "",
        {
            "S[t]": ["u: exp(s[t,u])"],
            "c[t,k]": ["u: exp(s[t,u])*V[u,k]"],
            "o[t,k]": ["c[t,k]/S[t]"],
            "loss[]": ["t,k: o[t,k]**2"],
        },
    )
    adjoints = derive(program, "loss", ["s", "V"])
    function = compile_numpy(program, adjoints.definitions, "loss", {n: adjoints.adjoint_name(n) for n in ("s", "V")})
    s, v = np.array([[800.0, 799.0], [-800.0, -801.0]]), np.array([[1.0, 2.0], [3.0, -1.0]])
    value, gradients = function({"s": s, "V": v})
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    o = p @ v
    by_p = 2 * o @ v.T
    assert value == pytest.approx((o**2).sum(), rel=1e-12)
    np.testing.assert_allclose(gradients["V"], p.T @ (2 * o), rtol=1e-12)
    np.testing.assert_allclose(gradients["s"], p * (by_p - (by_p * p).sum(axis=1, keepdims=True)), atol=1e-12)


def test_rewritten_definitions_keep_their_values(build: Builder) -> None:
    """Every definition of softmax cross-entropy and its adjoints has, rewritten, the value that it had."""
    program = build("z[N,K]", "y[N,K]", CROSS_ENTROPIES["named exponentials"])
    adjoints = derive(program, "loss", ["z"])
    rewritten = stabilise((*program.definitions, *adjoints.definitions))
    rng = np.random.default_rng(3)
    given: dict[str, Any] = {"z": rng.normal(size=(2, 3)), "y": rng.uniform(size=(2, 3))}
    before = evaluate((*program.definitions, *adjoints.definitions), given)
    after = evaluate(rewritten, given)
    assert len(rewritten) > len(before) - 2
    for name, array in before.items():
        np.testing.assert_allclose(after[name], array, rtol=1e-12, err_msg=name)


def evaluate(definitions: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The definitions at N = 2, K = 3, entry by entry in Python floats."""
    sizes = {"N": 2, "K": 3}
    values = dict(given)
    for definition in definitions:
        peak = isinstance(definition, PeakDefinition)
        terms = [definition] if peak else definition.terms
        array = np.zeros([i.size.evaluate(sizes) for i in definition.indices])
        for place in np.ndindex(array.shape):
            here = {**sizes, **{i: p + 1 for i, p in zip(definition.indices, place, strict=True)}}
            pieces = []
            for term in terms:
                for point in np.ndindex(*(i.size.evaluate(sizes) for i in term.bound)):
                    full = {**here, **{i: p + 1 for i, p in zip(term.bound, point, strict=True)}}
                    numbers = {}
                    for k, slot in enumerate(term.slots):
                        if hasattr(slot, "value"):
                            numbers[slot_symbol(k)] = slot.value.evaluate(full)
                        else:
                            entry = tuple(f.evaluate(full) - 1 for f in slot.at)
                            numbers[slot_symbol(k)] = float(values[slot.tensor.name][entry])
                    pieces.append(float(write_exactly(term.body).xreplace(numbers)))
            array[place] = max(pieces) if peak else sum(pieces)
        values[definition.tensor.name] = array
    return values


MASKED = {
    "named": {"w[t,u]": ["where(s[t,u] < m[t,u], exp(s[t,u]), 0)"], "S[t]": ["u: w[t,u]"], "p[t,u]": ["w[t,u]/S[t]"]},
    "in the sum": {
        "S[t]": ["u: where(s[t,u] < m[t,u], exp(s[t,u]), 0)"],
        "p[t,u]": ["where(s[t,u] < m[t,u], exp(s[t,u]), 0)/S[t]"],
    },
}


@pytest.mark.parametrize("dtype,size", [("float64", 800.0), ("float32", 80.0), ("float64", 0.0)])
@pytest.mark.parametrize("name", MASKED)
def test_masked_softmax_of_large_scores(name: str, dtype: str, size: float, build: Builder) -> None:
    """Where a condition leaves the largest scores out, the rest is as without them; a row of nothing has no value."""
    program = build("s[T,U]", "m[T,U] g[T,U]", {**MASKED[name], "loss[]": ["t,u: p[t,u]*g[t,u]"]})
    adjoints = derive(program, "loss", ["s"])
    function = compile_numpy(program, adjoints.definitions, "loss", {"s": adjoints.adjoint_name("s")}, dtype)
    s = np.array([[size, size + 3, size + 1], [-size, size, -size]])
    keep = np.array([[True, False, True], [True, False, True]])
    g = np.array([[1.0, 2.0, 3.0], [-1.0, 4.0, 5.0]])
    value, gradients = function({"s": s}, m=np.where(keep, 2 * size + 9, -2 * size - 9), g=g)
    p = np.where(keep, np.exp(np.where(keep, s, -np.inf) - np.where(keep, s, -np.inf).max(axis=1, keepdims=True)), 0)
    p /= p.sum(axis=1, keepdims=True)
    assert float(value) == pytest.approx((p * g).sum(), rel=10 * float(np.finfo(dtype).eps))
    wanted = p * (g - (g * p).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(gradients["s"], wanted, atol=20 * float(np.finfo(dtype).eps))
    with np.errstate(all="ignore"):
        assert np.isnan(function.value({"s": s}, m=np.full(s.shape, -2 * size - 9), g=g))


@pytest.mark.parametrize("x", (-40.0, -0.5, 0.5, 40.0))
def test_a_logistic_of_branches_has_code(x: float) -> None:
    """SymPy takes no branches inside a condition, so that the logistic of a minimum is written without one."""
    f = sb.derive(sb.parse("param x, y\nloss = sigmoid(minimum(sin(x) + 2*x, minimum(y, x)))")).compile()

    value, gradients = f({"x": x, "y": 1.0})
    inner = min(np.sin(x) + 2 * x, 1.0, x)
    assert value == pytest.approx(1 / (1 + np.exp(-inner)), rel=1e-14)
    assert np.isfinite(gradients["x"])
