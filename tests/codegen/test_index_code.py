"""Generated NumPy code of index arithmetic, integer data, extremes, recurrences and matrix functions.

The programs are those that `tests/calculus` holds to `sympy.diff`; here their code is held to the plain meaning of
their definitions, entry by entry, and that of convolution, embedding and a recurrent network to JAX.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symbackprop as sb
from symbackprop.calculus.evaluation import Evaluation
from symbackprop.calculus.expansion import entries_of
from symbackprop.calculus.tensors import Role

sys.path.insert(0, str(Path(__file__).parent.parent / "calculus"))

from test_index_programs import CASES, Case  # noqa: E402 - beside this folder

jax.config.update("jax_enable_x64", True)


def arrays_of(program: sb.Program, case: Case) -> dict[str, np.ndarray]:
    """An array for everything that is given, integers as the case has them."""
    rng, sizes = np.random.default_rng(len(case.name)), dict(case.sizes)
    made = {}
    for leaf in program.core.leaves:
        shape = tuple(axis.evaluate(sizes) for axis in leaf.axes)
        if leaf.role is Role.INDEX:
            made[leaf.name] = np.array([case.data[leaf.name, e] for e in entries_of(leaf, sizes)]).reshape(shape)
        else:
            made[leaf.name] = rng.uniform(-1.5, 1.5, shape)
    return made


def largest_distance(case: Case, derivation: sb.Derivation, source: sb.Derivation) -> float:
    """How far the code of one derivation is from the entries of the definitions of another, the chain rule's own."""
    program = sb.parse(case.text)
    arrays = arrays_of(program, case)
    params = {t.name: arrays[t.name] for t in program.core.leaves if t.role is Role.PARAM}
    function = derivation.compile()
    data = {name: array for name, array in arrays.items() if name not in params}
    value, gradients = function(params, **data, **{n: case.sizes[n] for n in function.layout["sizes"]})

    def given(name: str, entry: tuple[int, ...]) -> float:
        return float(arrays[name][tuple(k - 1 for k in entry)])

    meaning = Evaluation(source.core.program.extended(source.core.definitions), case.sizes, given, case.data)
    worst = abs(float(value) - meaning.entry("loss", ()))
    for name, array in gradients.items():
        adjoint = source.core.gradient(name)
        expected = [meaning.entry(adjoint.tensor.name, e) for e in entries_of(adjoint.tensor, case.sizes)]
        worst = max(worst, float(np.abs(array.ravel() - np.array(expected)).max()))
    return worst


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_code_computes_what_the_definitions_mean(case: Case) -> None:
    """Values and gradients agree, and a gradient of twice the loss does not."""
    derivation = sb.derive(sb.parse(case.text), wrt=list(case.wrt))
    assert largest_distance(case, derivation, derivation) < 1e-10
    spoiled = case.text.replace("loss = ", "loss = 1.01*(").rstrip("\n") + ")"
    wrong = sb.derive(sb.parse(spoiled), wrt=list(case.wrt))
    assert largest_distance(case, wrong, derivation) > 1e-4


OUTSIDE = """param W[N, N+1]
h[t:N,p:N+1] = tanh(W[t,p]/argmax(i:N+1, W[t,i]) + g[t-1,p])
g[t:N,p:N+1] = tanh(h[t,p]/argmax(i:N+1, W[t,i]))
loss = sum(t, p, h[t,p])
"""


def test_what_a_guard_discards_does_not_warn() -> None:
    """Nothing is divided by the 0 that an integer tensor is outside its range, where a guard leaves that out."""
    arrays = {"W": np.random.default_rng(0).normal(size=(3, 4))}
    derivation = sb.derive(sb.parse(OUTSIDE))
    _, moved = derivation.hvp().compile()(arrays, W_dot=np.ones((3, 4)))
    _, second = derivation.hessian("W").compile()(arrays)
    np.testing.assert_allclose(second["W"].sum(axis=(2, 3)), moved["W"], rtol=1e-12, atol=1e-12)


CONVOLUTION = """input x[N, C, H, H], y[N, K, (H-R)//2+1, (H-R)//2+1]
param w[K, C, R, R], b[K]
z[n,k,p:(H-R)//2+1,q:(H-R)//2+1] = sum(c, r, s, w[k,c,r,s]*x[n,c,2*p+r-2,2*q+s-2]) + b[k]
loss = sum(n, k, p, q, (tanh(z[n,k,p,q]) - y[n,k,p,q])^2)
"""
RECURRENT = """index tok[T] in V
input target[T, H]
param E[V, D], U[H, H], W[H, D], h0[H]
h[0,i] = h0[i]
h[t,i] = tanh(sum(j, U[i,j]*h[t-1,j]) + sum(d, W[i,d]*E[tok[t],d]))
loss = sum(t, i, (h[t,i] - target[t,i])^2)
"""


def test_convolution_equals_jax() -> None:
    """A strided convolution of several channels, by all three arrays."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 3, 7, 7)), rng.normal(size=(2, 4, 3, 3))
    w, b = rng.normal(size=(4, 3, 3, 3)), rng.normal(size=4)

    def objective(w: jax.Array, b: jax.Array, x: jax.Array) -> jax.Array:
        z = jax.lax.conv_general_dilated(x, w, (2, 2), "VALID") + b[:, None, None]
        return ((jnp.tanh(z) - y) ** 2).sum()

    function = sb.derive(sb.parse(CONVOLUTION), wrt=["w", "b", "x"]).compile()
    value, found = function({"w": w, "b": b}, x=x, y=y)
    expected = jax.grad(objective, (0, 1, 2))(w, b, x)
    assert value == pytest.approx(float(objective(w, b, x)), rel=1e-12)
    for name, array in zip(("w", "b", "x"), expected, strict=True):
        np.testing.assert_allclose(found[name], array, rtol=1e-10, atol=1e-12)


def recurrent_arrays() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Parameters and data of a recurrent network; one token stands twice."""
    rng = np.random.default_rng(1)
    shapes = {"E": (5, 2), "U": (3, 3), "W": (3, 2), "h0": (3,)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return params, {"tok": np.array([2, 5, 2, 1]), "target": rng.normal(size=(4, 3))}


def test_recurrent_network_with_embeddings_equals_jax() -> None:
    """Backpropagation through time into an embedding, whose rows gather what each of their tokens gets."""
    params, data = recurrent_arrays()

    def objective(p: dict[str, jax.Array]) -> jax.Array:
        h, total = p["h0"], 0.0
        for t, token in enumerate(data["tok"]):
            h = jnp.tanh(p["U"] @ h + p["W"] @ p["E"][token - 1])
            total += ((h - data["target"][t]) ** 2).sum()
        return total

    value, found = sb.derive(sb.parse(RECURRENT)).compile()(params, **data)
    assert value == pytest.approx(float(objective(params)), rel=1e-12)
    for name, array in jax.grad(objective)(params).items():
        np.testing.assert_allclose(found[name], array, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("text", [RECURRENT, CONVOLUTION], ids=["recurrent", "convolution"])
def test_standalone_module_checks_itself(text: str, tmp_path: Path) -> None:
    """The module runs without symbackprop, and its gradients agree with finite differences."""
    path = tmp_path / "network.py"
    path.write_text(sb.derive(sb.parse(text)).source())
    done = subprocess.run([sys.executable, "-I", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "symbackprop" not in done.stderr
    assert done.stdout.count("agrees with finite differences") == text.split("param ")[1].split("\n")[0].count("[")


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"tok": np.array([2, 6, 2, 1])}, sb.DataError, "tok holds 6; its entries count from 1 to V = 5."),
        ({"tok": np.array([2, 0, 2, 1])}, sb.DataError, "tok holds 0; its entries count from 1 to V = 5."),
        ({"tok": np.array([2.0, 1.5, 2.0, 1.0])}, sb.DataError, "expected integers from 1 to V."),
        ({"tok": np.array([2, 1, 2])}, sb.ShapeError, "axis 1 of target has 4 entries; expected T = 3"),
        ({"target": np.zeros((4, 2))}, sb.ShapeError, "has 2 entries; expected H = 3"),
    ],
)
def test_integer_data_are_checked(change: dict[str, np.ndarray], kind: type[Exception], message: str) -> None:
    """Entries out of range, of another type or shape are refused with what was expected."""
    params, data = recurrent_arrays()
    with pytest.raises(kind) as caught:
        sb.derive(sb.parse(RECURRENT)).compile()(params, **(data | change))
    assert message in str(caught.value)


def test_a_computed_axis_without_entries_is_refused() -> None:
    """A window that is larger than what it moves over leaves no place for it."""
    function = sb.derive(sb.parse("input x[N]\nparam w[R]\nz[p:N-R+1] = sum(r, w[r]*x[p+r-1])\nloss = sum(p, z[p]^2)"))
    with pytest.raises(sb.ShapeError, match=r"^N-R\+1 = 0 \(N = 3 by axis 1 of x, R = 4 by axis 1 of w\)"):
        function.compile()({"w": np.ones(4)}, x=np.ones(3))


@pytest.mark.parametrize("target", ("numpy", "jax"))
def test_a_diagonal_by_a_diagonal(target: str) -> None:
    """The derivative of t[q,j] = b[q,q] is 1 where three indices are equal, whatever the fourth is."""
    program = sb.parse("param b[N,N]\nt[q:N,j:N] = b[q,q]\nloss = sum(q, j, t[q,j])")
    _, gradients = sb.derive(program, wrt=["b"], of="t").compile(target)({"b": np.ones((3, 3))})
    q, j, i, k = np.ogrid[:3, :3, :3, :3]

    np.testing.assert_array_equal(gradients["b"], np.broadcast_to((q == i) & (i == k), (3, 3, 3, 3)) + 0.0 * j)
