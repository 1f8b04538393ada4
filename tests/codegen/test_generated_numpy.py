"""Generated NumPy code against JAX, SymPy and finite differences."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from compiled import compile_numpy, source_numpy

from symbackprop.calculus.chain import derive
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.expansion import Expansion, entry_symbol
from symbackprop.calculus.programs import Program
from symbackprop.codegen import CompiledFunction

Builder = Callable[..., Program]
SIZES = {"N": 4, "D": 3, "K": 5, "H": 2, "T": 3}

MLP = (
    "W[H,D] b[H] V[K,H] c[K]",
    "x[N,D] y[N,K]",
    {
        "z[n,h]": ["d: W[h,d]*x[n,d]", "b[h]"],
        "a[n,h]": ["tanh(z[n,h])"],
        "q[n,k]": ["h: V[k,h]*a[n,h]", "c[k]"],
        "loss[]": ["n,k: (q[n,k] - y[n,k])**2/(N*K)"],
    },
)

# name: (params, inputs, definitions, the same in JAX)
PROGRAMS: dict[str, tuple[str, str, dict[str, list[str]], Callable[..., Any]]] = {
    "mlp": (*MLP, lambda W, b, V, c, x, y: ((jnp.tanh(x @ W.T + b) @ V.T + c - y) ** 2).mean()),
    "cross entropy of softmax": (
        "W[K,D]",
        "x[N,D] y[N,K]",
        {
            "z[n,k]": ["d: W[k,d]*x[n,d]"],
            "S[n]": ["j: exp(z[n,j])"],
            "p[n,k]": ["exp(z[n,k])/S[n]"],
            "loss[]": ["n,k: -y[n,k]*log(p[n,k])/N"],
        },
        lambda W, x, y: -(y * jax.nn.log_softmax(x @ W.T)).sum() / x.shape[0],
    ),
    "binary cross entropy": (
        "W[D]",
        "x[N,D] t[N]",
        {
            "a[n]": ["d: W[d]*x[n,d]"],
            "s[n]": ["1/(1 + exp(-a[n]))"],
            "loss[]": ["n: -(t[n]*log(s[n]) + (1 - t[n])*log(1 - s[n]))/N"],
        },
        lambda W, x, t: -(t * jax.nn.log_sigmoid(x @ W) + (1 - t) * jax.nn.log_sigmoid(-(x @ W))).mean(),
    ),
    "diagonal, transpose and literals": (
        "W[D,D] v[D]",
        "x[N,D]",
        {
            "u[n,i]": ["j: W[i,j]*x[n,j]", "j: W[j,i]*x[n,j]**2"],
            "r[n]": ["i: W[i,i]*u[n,i]", "x[n,1]*v[2]"],
            "loss[]": ["n: sin(r[n])", "i: W[i,1]*v[i]", "W[2,3]**3"],
        },
        lambda W, v, x: (
            jnp.sin(jnp.diag(W) @ (x @ W.T + x**2 @ W).T + x[:, 0] * v[1]).sum() + W[:, 0] @ v + W[1, 2] ** 3
        ),
    ),
    "attention": (
        "Q[T,D] M[T,D] V[T,K]",
        "y[T,K]",
        {
            "s[t,u]": ["d: Q[t,d]*M[u,d]/sqrt(D)"],
            "S[t]": ["u: exp(s[t,u])"],
            "p[t,u]": ["exp(s[t,u])/S[t]"],
            "o[t,k]": ["u: p[t,u]*V[u,k]"],
            "loss[]": ["t,k: (o[t,k] - y[t,k])**2"],
        },
        lambda Q, M, V, y: ((jax.nn.softmax(Q @ M.T / jnp.sqrt(Q.shape[1])) @ V - y) ** 2).sum(),
    ),
    "layer norm": (
        "g[D]",
        "x[N,D] y[N,D]",
        {
            "m[n]": ["d: x[n,d]/D"],
            "v[n]": ["d: (x[n,d] - m[n])**2/D"],
            "h[n,d]": ["g[d]*(x[n,d] - m[n])/sqrt(v[n] + 1/100)"],
            "loss[]": ["n,d: h[n,d]*y[n,d]"],
        },
        lambda g, x, y: (g * (x - x.mean(1, keepdims=True)) / jnp.sqrt(x.var(1, keepdims=True) + 0.01) * y).sum(),
    ),
    "where, erf and a scalar": (
        "w[] W[D]",
        "x[N,D]",
        {
            "z[n,d]": ["w[]*x[n,d] - W[d]"],
            "a[n,d]": ["where(z[n,d] > 0, z[n,d], exp(z[n,d]) - 1)"],
            "b[n,d]": ["z[n,d]*(1 + erf(z[n,d]/sqrt(2)))/2"],
            "loss[]": ["n,d: a[n,d]*b[n,d]/(N*D)", "w[]**2", "n: log(1 + exp(z[n,1]))"],
        },
        lambda w, W, x: (
            (jax.nn.elu(w * x - W) * jax.nn.gelu(w * x - W, approximate=False)).mean()
            + w**2
            + jax.nn.softplus(w * x - W)[:, 0].sum()
        ),
    ),
    "three factors and a chain of matrices": (
        "A[N,D] B[D,K] C[K,H] r[N]",
        "y[N,H]",
        {
            "o[n,h]": ["d,k: r[n]*A[n,d]*B[d,k]*C[k,h]"],
            "loss[]": ["n,h: o[n,h]*y[n,h]", "n,d,k: A[n,d]*B[d,k]", "n,m: (r[n] - r[m])**2*r[n]"],
        },
        lambda A, B, C, r, y: (
            ((r[:, None] * A @ B @ C) * y).sum() + (A @ B).sum() + ((r[:, None] - r) ** 2 * r[:, None]).sum()
        ),
    ),
    "batched products": (
        "A[N,T,D] B[N,D,T]",
        "y[N,T,T]",
        {
            "o[n,t,u]": ["d: A[n,t,d]*B[n,d,u]"],
            "f[t]": ["n,d: A[n,t,d]*B[n,d,t]"],
            "loss[]": ["n,t,u: o[n,t,u]*o[n,u,t]*y[n,t,u]", "t: f[t]**2"],
        },
        lambda A, B, y: ((A @ B) * (A @ B).transpose(0, 2, 1) * y).sum() + (jnp.einsum("ntd,ndt->t", A, B) ** 2).sum(),
    ),
}


def gradient_function(program: Program, of: str, wrt: list[str], dtype: str = "float64") -> CompiledFunction:
    """The compiled function of the adjoints as the chain rule gives them."""
    adjoints = derive(program, of, wrt)
    return compile_numpy(program, adjoints.definitions, of, {n: adjoints.adjoint_name(n) for n in wrt}, dtype)


def draw(program: Program, sizes: dict[str, int], seed: int = 0) -> dict[str, np.ndarray]:
    """Random entries for every leaf."""
    rng = np.random.default_rng(seed)
    return {t.name: rng.uniform(-1, 1, [a.evaluate(dict(sizes)) for a in t.axes]) for t in program.leaves}


def call(function: CompiledFunction, values: dict[str, Any], **more: Any) -> tuple[Any, dict[str, Any]]:
    """Call with the parameters in a dict and the rest by keyword."""
    params = {n: v for n, v in values.items() if n in function.layout["params"]}
    return function(params, **{n: v for n, v in values.items() if n not in params}, **more)


@pytest.mark.parametrize("sizes", [SIZES, {"N": 2, "D": 3, "K": 2, "H": 4, "T": 2}], ids=["sizes", "others"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_of_params_and_inputs_equal_jax(name: str, sizes: dict[str, int], build: Builder) -> None:
    """Value and all gradients agree with JAX float64 to 1e-12 of the largest entry."""
    params, inputs, definitions, oracle = PROGRAMS[name]
    program = build(params, inputs, definitions)
    wrt = [t.name for t in program.leaves]
    values = draw(program, sizes)
    value, gradients = call(gradient_function(program, "loss", wrt), values)
    with jax.enable_x64(True):
        expected, slopes = jax.value_and_grad(oracle, argnums=tuple(range(len(wrt))))(
            *(jnp.asarray(values[n]) for n in wrt)
        )
        expected, slopes = float(expected), [np.asarray(g) for g in slopes]
    assert value == pytest.approx(expected, rel=1e-12)
    assert tuple(gradients) == tuple(wrt)
    for name_, slope in zip(wrt, slopes, strict=True):
        assert gradients[name_].shape == slope.shape
        np.testing.assert_allclose(gradients[name_], slope, rtol=0, atol=1e-12 * max(np.abs(slope).max(), 1e-3))


@pytest.mark.parametrize(
    "name", ["mlp", "cross entropy of softmax", "attention", "three factors and a chain of matrices"]
)
def test_float32_stays_float32_and_sizes_of_one_work(name: str, build: Builder) -> None:
    """In float32, with one entry on every axis, values are float32 and near those in float64."""
    params, inputs, definitions, _ = PROGRAMS[name]
    program = build(params, inputs, definitions)
    wrt = [t.name for t in program.leaves]
    for sizes in (SIZES, dict.fromkeys(SIZES, 1)):
        values = draw(program, sizes)
        exact, exact_gradients = call(gradient_function(program, "loss", wrt), values)
        value, gradients = call(gradient_function(program, "loss", wrt, "float32"), values)
        assert value.dtype == np.float32
        assert value == pytest.approx(exact, rel=2e-5, abs=1e-6)
        for key in wrt:
            assert gradients[key].dtype == np.float32
            np.testing.assert_allclose(gradients[key], exact_gradients[key], rtol=1e-4, atol=1e-5)


def test_of_a_matrix_has_its_axes_first(build: Builder) -> None:
    """d q[n,k] / d W[h,d] has axes n, k, h, d and equals JAX's Jacobian; by itself it is the identity."""
    program = build(*MLP)
    values = draw(program, SIZES)
    value, gradients = call(gradient_function(program, "q", ["W", "c", "q", "y"]), values)
    with jax.enable_x64(True):
        leaves = [jnp.asarray(values[t.name]) for t in program.leaves]
        model = lambda W, b, V, c, x: jnp.tanh(x @ W.T + b) @ V.T + c  # noqa: E731
        by_w, by_c = (np.asarray(g) for g in jax.jacrev(model, argnums=(0, 3))(*leaves[:5]))
    assert value.shape == (4, 5)
    np.testing.assert_allclose(gradients["W"], by_w, atol=1e-14)
    np.testing.assert_allclose(gradients["c"], by_c, atol=1e-14)
    np.testing.assert_array_equal(gradients["q"], np.eye(20).reshape(4, 5, 4, 5))
    np.testing.assert_array_equal(gradients["y"], np.zeros((4, 5, 4, 5)))


def test_every_adjoint_equals_its_definition_written_out(build: Builder) -> None:
    """The generated gradient of the program with diagonals and literals is what its definitions say, entry by entry."""
    params, inputs, definitions, _ = PROGRAMS["diagonal, transpose and literals"]
    program = build(params, inputs, definitions)
    adjoints = derive(program, "loss", ["W", "v"])
    sizes = {"N": 2, "D": 3}
    values = draw(program, sizes)
    _, gradients = call(gradient_function(program, "loss", ["W", "v"]), values)
    expansion = Expansion(program.extended(adjoints.definitions), sizes)
    numbers = {
        entry_symbol(n, tuple(i + 1 for i in place)): sympy.Float(entry, 30)
        for n, array in values.items()
        for place, entry in np.ndenumerate(array)
    }
    for name in ("W", "v"):
        for place, found in np.ndenumerate(gradients[name]):
            exact = expansion.entry(adjoints.adjoint_name(name), tuple(i + 1 for i in place)).xreplace(numbers)
            assert found == pytest.approx(float(exact), rel=1e-12)


def test_a_planted_wrong_derivative_is_seen(build: Builder) -> None:
    """Doubling one adjoint moves the gradients away from finite differences, and the standalone module says so."""
    program = build(*MLP)
    adjoints = derive(program, "loss", ["W", "c"])
    wrong = tuple(_double(d) if d.tensor.name == adjoints.adjoint_name("a") else d for d in adjoints.definitions)
    names = {n: adjoints.adjoint_name(n) for n in ("W", "c")}
    values = draw(program, SIZES)
    right, found = (call(compile_numpy(program, d, "loss", names), values)[1] for d in (adjoints.definitions, wrong))
    np.testing.assert_allclose(found["W"], 2 * right["W"])
    np.testing.assert_array_equal(found["c"], right["c"])


def _double(definition: Definition) -> Definition:
    return replace(definition, terms=tuple(replace(t, body=2 * t.body) for t in definition.terms))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_standalone_module_checks_itself(name: str, dtype: str, build: Builder, tmp_path: Path) -> None:
    """The module runs alone, agrees with finite differences, and exits with 1 if an adjoint is doubled."""
    params, inputs, definitions, _ = PROGRAMS[name]
    program = build(params, inputs, definitions)
    wrt = [t.name for t in program.leaves if t.role.value == "param"]
    adjoints = derive(program, "loss", wrt)
    names = {n: adjoints.adjoint_name(n) for n in wrt}
    last = names[wrt[0]]
    wrong = tuple(_double(d) if d.tensor.name == last else d for d in adjoints.definitions)
    for made, code in ((adjoints.definitions, 0), (wrong, 1)):
        path = tmp_path / f"generated{code}.py"
        path.write_text(source_numpy(program, made, "loss", names, dtype))
        done = subprocess.run(
            [sys.executable, "-I", "-W", "error", str(path)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (code, ""), done.stdout + done.stderr
        assert ("DIFFERS" in done.stdout) == bool(code)
        assert "from symbackprop" not in path.read_text()


def test_a_branch_not_taken_leaks_nothing(build: Builder) -> None:
    """sqrt and log where x > 0, with their own definitions, are 0 elsewhere, without warning, in value and gradient."""
    program = build(
        "x[N]",
        "",
        {
            "r[n]": ["sqrt(x[n])"],
            "a[n]": ["where(x[n] > 0, r[n] + log(x[n]), 0)"],
            "loss[]": ["n: a[n]"],
        },
    )
    value, gradients = gradient_function(program, "loss", ["x"])({"x": [4.0, 0.0, -1.0]})
    assert value == pytest.approx(2 + np.log(4))
    np.testing.assert_allclose(gradients["x"], [0.5, 0, 0])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_numbers_chosen_by_a_condition_are_of_the_dtype(dtype: str, build: Builder) -> None:
    """A sign function is an array of floats, which erf reads as such."""
    program = build("x[N]", "", {"s[n]": ["where(x[n] > 0, 1, -1)"], "loss[n]": ["erf(s[n])"]})
    value = gradient_function(program, "loss", [], dtype).value({"x": [2.0, -3.0]})
    assert value.dtype == np.dtype(dtype)
    np.testing.assert_allclose(value, [0.8427007929497149, -0.8427007929497149], rtol=1e-6)


def test_sources_do_not_depend_on_hash_seeds(build: Builder) -> None:
    """Compiling twice, the second time after other programs, gives the same source."""
    params, inputs, definitions, _ = PROGRAMS["attention"]
    first = gradient_function(build(params, inputs, definitions), "loss", ["Q", "M"]).source
    gradient_function(build(*MLP), "loss", ["W"])
    assert gradient_function(build(params, inputs, definitions), "loss", ["Q", "M"]).source == first


def test_products_go_through_blas_and_the_forward_pass_is_shared(build: Builder) -> None:
    """The MLP's source has one product a line, no einsum, and computes tanh once."""
    source = gradient_function(build(*MLP), "loss", ["W", "b", "V", "c"]).source
    assert source.count("np.tanh") == 1
    assert source.count("np.dot") == 7  # two of them are the sums over n of the biases
    assert "einsum" not in source
    assert "where" not in source


def test_a_vector_is_contracted_by_blas_too(build: Builder) -> None:
    """sum(d, w[d]*x[n,d]) and its gradient are matrix products, not products summed."""
    program = build("w[D]", "x[N,D]", {"z[n]": ["d: w[d]*x[n,d]"], "loss[]": ["n: tanh(z[n])"]})
    source = gradient_function(program, "loss", ["w"]).source
    assert source.count("np.dot") == 2
    assert source.count(".sum(") == 1
