"""Hessians, Jacobians and their products with vectors: against JAX, exactly as printed, and certified."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symbackprop as sb

jax.config.update("jax_enable_x64", True)

NETWORK = """input X[N, D], y[N, K]
param W[K, D], b[K], v
z[n,k] = sum(d, X[n,d]*W[k,d]) + b[k]
a[n,k] = tanh(v*z[n,k])
p[n,k] = exp(a[n,k])/sum(j, exp(a[n,j]))
loss = -sum(n, k, y[n,k]*log(p[n,k]))/N + v^2*sum(k, b[k]^3)
"""
LOGISTIC = """input X[N, D], y[N]
param w[D]
z[n] = sum(d, X[n,d]*w[d])
p[n] = sigmoid(z[n])
loss = -sum(n, y[n]*log(p[n]) + (1 - y[n])*log(1 - p[n]))
"""
CROSS_ENTROPY = """input y[K]
param z[K]
assume sum(k, y[k]) = 1
p[k] = exp(z[k])/sum(j, exp(z[j]))
loss = -sum(k, y[k]*log(p[k]))
"""
FACTORISATION = """input R[N, M]
param U[N, K], V[M, K]
E[n,m] = sum(k, U[n,k]*V[m,k]) - R[n,m]
loss = sum(n, m, E[n,m]^2)/2
"""
ARRAYS = {name: np.random.default_rng(k).normal(size=shape) for k, (name, shape) in enumerate({
    "W": (2, 3), "b": (2,), "v": (), "X": (4, 3), "y": (4, 2), "W_dot": (2, 3), "b_dot": (2,), "v_dot": (),
    "a_cotangent": (4, 2),
}.items())}  # fmt: skip
PARAMS = ("W", "b", "v")
DATA = {name: ARRAYS[name] for name in "Xy"}
DIRECTIONS = tuple(ARRAYS[f"{name}_dot"] for name in PARAMS)


def params() -> dict[str, np.ndarray]:
    """The parameters by name."""
    return {name: ARRAYS[name] for name in PARAMS}


def activation(w: jax.Array, b: jax.Array, v: jax.Array) -> jax.Array:
    """The layer of the network."""
    return jnp.tanh(v * (ARRAYS["X"] @ w.T + b))


def objective(w: jax.Array, b: jax.Array, v: jax.Array) -> jax.Array:
    """The loss of the network."""
    logs = jax.nn.log_softmax(activation(w, b, v))
    return -(ARRAYS["y"] * logs).sum() / 4 + v**2 * (b**3).sum()


def at(function: Callable[..., jax.Array]) -> jax.Array:
    """A function of the parameters at their values."""
    return function(*(ARRAYS[name] for name in PARAMS))


@pytest.fixture(scope="module")
def derived() -> sb.Derivation:
    """The gradients of the network."""
    return sb.derive(sb.parse(NETWORK))


@pytest.mark.parametrize(("first", "second"), [("W", "W"), ("W", "b"), ("b", "W"), ("v", "v"), ("v", "W"), ("b", "b")])
def test_hessian_equals_jax(derived: sb.Derivation, first: str, second: str) -> None:
    """Every block of the Hessian is the one that JAX computes."""
    expected = at(jax.jacobian(jax.grad(objective, PARAMS.index(first)), PARAMS.index(second)))
    value, found = derived.hessian(first, second).compile()(params(), **DATA)
    np.testing.assert_allclose(found[second], expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(value, at(jax.grad(objective, PARAMS.index(first))), rtol=1e-10, atol=1e-12)


def test_a_planted_factor_is_seen() -> None:
    """The comparison fails for a Hessian of twice the loss."""
    twice = sb.derive(sb.parse(NETWORK.replace("loss = -sum", "loss = -2*sum")))
    expected = at(jax.hessian(objective))
    _, found = twice.hessian("W").compile()(params(), **DATA)
    assert not np.allclose(found["W"], expected)


def test_products_equal_jax(derived: sb.Derivation) -> None:
    """The Hessian and the Jacobian times a vector, the vector times the Jacobian."""
    point = tuple(ARRAYS[name] for name in PARAMS)
    given = DATA | {f"{name}_dot": ARRAYS[f"{name}_dot"] for name in PARAMS}
    value, moved = derived.hvp().compile()(params(), **given)
    _, expected = jax.jvp(jax.grad(objective, (0, 1, 2)), point, DIRECTIONS)
    np.testing.assert_allclose(value, objective(*point), rtol=1e-12)
    for name, array in zip(PARAMS, expected, strict=True):
        np.testing.assert_allclose(moved[name], array, rtol=1e-10, atol=1e-12)
    value, moved = derived.jvp().compile()(params(), **given)
    np.testing.assert_allclose(moved["loss"], jax.jvp(objective, point, DIRECTIONS)[1], rtol=1e-10)
    layer = sb.derive(sb.parse(NETWORK), of="a")
    _, moved = layer.jvp("W").compile()(params(), **DATA, W_dot=ARRAYS["W_dot"])
    _, change = jax.jvp(lambda w: activation(w, *point[1:]), point[:1], DIRECTIONS[:1])
    np.testing.assert_allclose(moved["a"], change, rtol=1e-10, atol=1e-12)
    _, pulled = layer.vjp().compile()(params(), **DATA, a_cotangent=ARRAYS["a_cotangent"])
    for name, array in zip(PARAMS, jax.vjp(activation, *point)[1](ARRAYS["a_cotangent"]), strict=True):
        np.testing.assert_allclose(pulled[name], array, rtol=1e-10, atol=1e-12)


STRUCTURES = [
    (LOGISTIC, "w", "sum(n, X[n,d]*X[n,f]*p[n]*(1 - p[n]))",
     r"\frac{\partial^{2} L}{\partial w \, \partial w^{\top}} &= X^{\top} \operatorname{diag}(p \odot (1 - p)) X"),
    (CROSS_ENTROPY, "z", "p[j]*(where(j == k, 1, 0) - p[k])",
     r"\frac{\partial^{2} L}{\partial z \, \partial z^{\top}} &= \operatorname{diag}(p) - p p^{\top}"),
    (FACTORISATION, "U", "where(n == p, sum(q, V[q,k]*V[q,m]), 0)",
     r"\frac{\partial^{2} L}{\partial \operatorname{vec}(U) \, \partial \operatorname{vec}(U)^{\top}} "
     r"&= V^{\top} V \otimes I_{N}"),
    ("param x[N]\ninput c[N]\nloss = sum(n, c[n]*x[n]^3)", "x", "where(n == p, 6*c[p]*x[p], 0)",
     r"\frac{\partial^{2} L}{\partial x \, \partial x^{\top}} &= \operatorname{diag}(6 c \odot x)"),
    ("param x[N]\nloss = sum(n, x[n]^2)/2", "x", "where(n == p, 1, 0)",
     r"\frac{\partial^{2} L}{\partial x \, \partial x^{\top}} &= I_{N}"),
    ("param A[N, D]\ninput B[D, D], C[N, N]\nloss = sum(n, d, k, m, A[n,d]*B[d,k]*A[m,k]*C[n,m])/2", "A", None,
     r"&= \frac{1}{2} B \otimes C + \frac{1}{2} B^{\top} \otimes C^{\top}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "formula", "latex"), STRUCTURES)
def test_structure_is_kept_and_printed(text: str, name: str, formula: str | None, latex: str) -> None:
    """Diagonals, outer products and Kronecker products stand in the formulas, in index and in matrix notation."""
    hessian = sb.derive(sb.parse(text), name).hessian(name)
    assert hessian.certify().proved
    assert formula is None or hessian.text().endswith(f" = {formula}")
    assert latex in hessian.latex("matrix")


def test_kronecker_product_is_that_of_stacked_columns() -> None:
    """The printed V'V (x) I is the array of the Hessian where columns of U are put under each other."""
    rng = np.random.default_rng(0)
    arrays = {"U": rng.normal(size=(3, 2)), "V": rng.normal(size=(4, 2))}
    hessian = sb.derive(sb.parse(FACTORISATION)).hessian("U").compile()
    _, found = hessian(arrays, R=rng.normal(size=(3, 4)))
    stacked = found["U"].transpose(1, 0, 3, 2).reshape(6, 6)
    np.testing.assert_allclose(stacked, np.kron(arrays["V"].T @ arrays["V"], np.eye(3)))


def test_matrix_functions_have_second_derivatives() -> None:
    """The Hessian of log det A is -A^-1 (x) A^-1 with indices exchanged, as JAX computes it."""
    a = np.array([[2.0, 0.3], [-0.4, 1.5]])
    derived = sb.derive(sb.parse("param A[N, N]\nloss = logdet(A)"))
    expansion = derived.hessian("A")["A"].expand({"N": 2})
    expected = jax.hessian(lambda m: jnp.linalg.slogdet(m)[1])(a)
    for (i, j, k, m), entry in expansion.items():
        values = {s: a[tuple(int(c) - 1 for c in str(s)[2:-1].split(","))] for s in entry.free_symbols}
        assert float(entry.xreplace(values)) == pytest.approx(float(expected[i - 1, j - 1, k - 1, m - 1]), abs=1e-12)


def test_names_are_checked() -> None:
    """A Hessian needs the name of one gradient; a name that is none is told with those that there are."""
    derived = sb.derive(sb.parse(NETWORK))
    with pytest.raises(sb.SymBackpropError, match="hessian needs the name of one of W, b, v"):
        derived.hessian()
    with pytest.raises(sb.SymBackpropError, match="'q'.*gradients are by W, b, v"):
        derived.hessian("q")
    with pytest.raises(sb.SymBackpropError, match="no tensor 'q'"):
        derived.jvp("q")


def test_inverse_that_is_read_beyond_its_range_is_moved_too() -> None:
    """The sums of its Hessian times a vector are counted anew, entries outside of the inverse being 0."""
    program = sb.parse("""
        param W
        t[i:N,j:N] = where(i == j, 3, 0) + sin(W)/2
        f[i:N,j:N] = tanh(inv(t)[i,j])
        loss = sum(i, j, t[i,j]) + sum(i, f[i,i+1])
    """)

    def objective_of_w(w: jax.Array) -> jax.Array:
        matrix = 3 * jnp.eye(3) + jnp.sin(w) / 2
        return matrix.sum() + jnp.tanh(jnp.diagonal(jnp.linalg.inv(matrix), 1)).sum()

    _, moved = sb.derive(program).hvp().compile()({"W": 0.4}, W_dot=1.7, N=3)
    expected = 1.7 * jax.grad(jax.grad(objective_of_w))(jnp.float64(0.4))
    np.testing.assert_allclose(moved["W"], expected, rtol=1e-12)
