"""The chain rule, unfolded, against SymPy's diff of the program written out; and what it records."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import symbackprop as sb
from symbackprop.calculus.chain import Adjoints, derive
from symbackprop.calculus.definitions import canonical, rename_indices
from symbackprop.calculus.expansion import Expansion, entry_symbol

PROGRAMS = {
    "an index repeated": ("param W[N,N]\nloss = sum(i, W[i,i]^2)", {"N": 3}),
    "two patterns": ("param W[N,N]\nloss = sum(i, j, W[i,j]*W[j,i]) + sum(i, j, exp(W[i,j]))", {"N": 2}),
    "literals": ("param W[3,2]\nloss = W[1,2]^2*W[3,1] + W[1,2]", {}),
    "shadowed": ("param x[N]\nloss = sum(i, x[i]*sum(i, x[i]^2))", {"N": 3}),
    "several readers": ("param x[N]\nu[i] = x[i]^2\nv[i] = sin(x[i])*u[i]\nloss = sum(i, u[i]*v[i]*x[i])", {"N": 2}),
    "several paths": ("param w\na = w^2\nb = a*w\nc = a*b + w\nloss = c*a", {}),
    "sizes of one": ("input x[1]\nparam W[1,1]\nz[i] = sum(j, W[i,j]*x[j])\nloss = mean(i, z[i]^2)", {}),
    "nobody reads": ("param w[N]\nq[i] = exp(w[i])\nloss = sum(i, w[i]^3)", {"N": 2}),
    "nested sums": ("param z[N,K]\nloss = sum(n, log(sum(k, exp(z[n,k]))*sum(k, z[n,k]^2)))", {"N": 2, "K": 2}),
    "sums without the index": ("param w\nloss = sum(i:N, w^2) + sum(j:K, w)/2", {"N": 3, "K": 2}),
    "an index as a number": ("param x[N]\nloss = sum(i, i*x[i]^2/N)", {"N": 3}),
    "a triangle": ("param A[N,N]\nloss = sum(i, j, where(i <= j, A[i,j]^2, A[i,j]))", {"N": 2}),
}


def adjoints_of(text: str, of: str = "loss", wrt: tuple[str, ...] | None = None) -> Adjoints:
    """The unfolded adjoints of a program."""
    program = sb.parse(text).core
    return derive(program, of, wrt or tuple(t.name for t in program.leaves if t.role.value == "param"))


def difference(adjoints: Adjoints, sizes: dict[str, int], factor: sympy.Expr | int = 1) -> sympy.Float:
    """The largest distance of any gradient entry, times a factor, from SymPy's derivative, to 30 digits."""
    program = adjoints.program.extended(adjoints.definitions)
    expansion, worst = Expansion(program, sizes), sympy.Float(0)
    loss = expansion.entry(adjoints.numerator.name, ())
    symbols = sorted(loss.free_symbols, key=str)
    for name in adjoints.wrt:
        for entry in expansion.entries(name):
            gap = factor * expansion.entry(adjoints.adjoint_name(name), entry) - sympy.diff(
                loss, entry_symbol(name, entry)
            )
            for step in (2, 3, 5):
                point = {s: sympy.Rational(step * (k + 1) % 7 + 1, 6) for k, s in enumerate(symbols)}
                worst = max(worst, abs(gap.xreplace(point).evalf(40)))
    return worst


@pytest.mark.parametrize("name", PROGRAMS)
def test_adjoints_are_the_derivatives_of_the_expanded_loss(name: str) -> None:
    """Every entry agrees to 30 digits at three rational points, and a planted factor does not."""
    text, sizes = PROGRAMS[name]
    adjoints = adjoints_of(text)

    assert difference(adjoints, sizes) < sympy.Float("1e-30")
    assert difference(adjoints, sizes, sympy.Rational(1001, 1000)) > sympy.Float("1e-6")


def test_steps_record_every_read() -> None:
    """A tensor that is read three times has three contributions, and the start of the chain none."""
    adjoints = adjoints_of(PROGRAMS["several readers"][0])
    steps = {step.tensor: step for step in adjoints.steps}

    assert [c.reader for c in steps["x"].contributions] == ["u", "v", "loss"]
    assert steps["v"].contributions[0].result is not None
    assert not steps["x"].disconnected


def test_a_tensor_that_is_not_reached_is_disconnected() -> None:
    """Its adjoint has no terms, and its step says why."""
    adjoints = adjoints_of("param w, u\nloss = w^2")
    step = next(s for s in adjoints.steps if s.tensor == "u")

    assert step.disconnected
    assert step.adjoint.terms == ()


def test_letters_of_adjoints_are_free() -> None:
    """No index of an adjoint carries the name of a tensor or of a size, so its text reads back."""
    adjoints = adjoints_of("input n0, o, q\nparam p[m]\nz[i] = p[i]*q\nr[i] = exp(z[i])/sum(j, exp(z[j]))", "r", ("p",))
    names = set(adjoints.program.tensors()) | set(adjoints.program.size_names)

    for definition in adjoints.definitions:
        assert not {i.name for i in definition.indices} & names
        assert not {i.name for term in definition.terms for i in term.bound} & names


def test_renamed_definitions_are_the_same_canonically() -> None:
    """Names of indices do not count in the canonical form."""
    definition = sb.parse("input x[N,K]\ny[n,k] = x[n,k]*sum(j, x[n,j])").core.definitions[-1]
    renamed = rename_indices(definition, ("j", "i"))

    assert renamed != definition
    assert canonical(renamed) == canonical(definition)


@pytest.mark.parametrize(
    "text",
    [
        "param x[N]\nl[n] = log(x[n])\na[n] = where(x[n] > 0, l[n], 0)\nloss = sum(n, a[n])",
        "param x[N]\nloss = sum(n, where(x[n] > 0, log(x[n]), 0))",
        "param x[N]\nr[n] = 1/x[n]\nq[n] = r[n]*2\na[n] = where(x[n] > 0, q[n], 0)\nloss = sum(n, a[n]^2)",
        "param x[N]\ne[n] = exp(1000*x[n])\na[n] = where(x[n] < 0.5, e[n], x[n])\nloss = sum(n, a[n])",
        "param x[N], c[N]\na[n] = where(c[n] > 0, sum(m, log(x[m])), 0)\nloss = a[1]",
    ],
)
def test_an_untaken_branch_never_leaks(text: str) -> None:
    """Where a branch that is not taken is infinite, the gradient is finite all the same."""
    derivation = sb.derive(sb.parse(text))
    params = {"x": np.array([-0.0, 0.25, 0.9])}
    if "c" in derivation.gradients:
        params = {"x": np.array([0.0, 0.25, 0.9]), "c": np.array([-1.0, 1.0, 1.0])}
    with np.errstate(all="ignore"):
        value, gradients = derivation.compile()(params)

    assert np.isfinite(value)
    assert all(np.isfinite(g).all() for g in gradients.values())
