"""Derivatives as blocks: what they hold, and that they multiply, solve and are written out as the whole array is."""

from __future__ import annotations

import re
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symbackprop as sb
from symbackprop.codegen.block_functions import _read_size
from symbackprop.codegen.blocks import Block, BlockArray

jax.config.update("jax_enable_x64", True)

LOGISTIC = """input X[N, D], y[N]
param w[D]
z[n] = sum(d, X[n,d]*w[d])
p[n] = sigmoid(z[n])
loss = -sum(n, y[n]*log(p[n]) + (1 - y[n])*log(1 - p[n]))
"""
FACTORISATION = """input R[N, M]
param U[N, K], V[M, K]
loss = sum(n, m, (R[n,m] - sum(k, U[n,k]*V[m,k]))^2)
"""
CHAIN = """input x[N]
param w[N]
a[n] = tanh(w[n]*x[n])
b[n] = sigmoid(a[n]*w[n])
loss = sum(n, b[n]^2)
"""
BATCH = """param x[N, D]
input W[K, D], y[N, K]
z[n,k] = sum(d, W[k,d]*x[n,d])
p[n,k] = exp(z[n,k])/sum(j, exp(z[n,j]))
loss = -sum(n, k, y[n,k]*log(p[n,k]))
"""
CROSSED = "param x[N, N]\nloss = sum(n, m, x[n,m]*x[m,n]^2) + sum(n, x[n,n]^3) + sum(n, m, x[n,m]^2)*x[1,1]\n"
RECURRENT = """input x[T, D], y[T, H]
param U[H, H], W[H, D]
h[t,i] = tanh(sum(j, U[i,j]*h[t-1,j]) + sum(d, W[i,d]*x[t,d]))
loss = sum(t, i, (h[t,i] - y[t,i])^2)
"""
CASES = {
    "logistic": (LOGISTIC, "w", "w", {"X": (7, 3), "y": (7,), "w": (3,)}, "h[a,b] = B1[a,b]"),
    "factors": (FACTORISATION, "U", "U", {"R": (5, 4), "U": (5, 2), "V": (4, 2)},
                "h[a,b,c,d] = where(a == c, B1[b,d], 0)"),
    "two factors": (FACTORISATION, "U", "V", {"R": (5, 4), "U": (5, 2), "V": (4, 2)},
                    "h[a,b,c,d] = B1[a,b,c,d] + where(b == d, B2[a,c], 0)"),
    "elementwise": (CHAIN, "w", "w", {"x": (6,), "w": (6,)}, "h[a,b] = where(a == b, B1[a], 0)"),
    "by sample": (BATCH, "x", "x", {"x": (5, 3), "W": (4, 3), "y": (5, 4)}, "h[a,b,c,d] = where(a == c, B1[a,b,d], 0)"),
    "crossed": (CROSSED, "x", "x", {"x": (3, 3)}, None),
    "recurrent": (RECURRENT, "W", "W", {"x": (4, 2), "y": (4, 3), "U": (3, 3), "W": (3, 2)}, None),
}  # fmt: skip


def network(loss: str, activation: str) -> tuple[str, dict[str, tuple[int, ...]]]:
    """A network of two layers as text, with its shapes."""
    text = sb.mlp([3, 4, 2], activation=activation, loss=loss).program.text()
    return text, {"x": (6, 3), "y": (6, 2), "W1": (4, 3), "b1": (4,), "W2": (2, 4), "b2": (2,)}


for loss, activation, first, second in (
    ("mse", "tanh", "W1", "W1"), ("mse", "tanh", "W2", "W2"), ("cross_entropy", "softplus", "W1", "W1"),
    ("cross_entropy", "softplus", "b2", "W2"), ("bce_logits", "sigmoid", "W1", "W2"),
):  # fmt: skip
    written, sizes = network(loss, activation)
    CASES[f"{loss}: {first}, {second}"] = (written, first, second, sizes, None)


def make_data(text: str, shapes: dict[str, tuple[int, ...]]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Random parameters, and random data with entries between 0 and 1 that sum to 1 along the last axis in y."""
    rng = np.random.default_rng(4)
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    if "y" in arrays:
        arrays["y"] = np.exp(arrays["y"]) / np.exp(arrays["y"]).sum(axis=-1, keepdims=True)
    params = {t.name for t in sb.parse(text).tensors if t.role.value == "param"}
    return {n: a for n, a in arrays.items() if n in params}, {n: a for n, a in arrays.items() if n not in params}


def differentiate(derivation: sb.Derivation, first: str, second: str, params: dict[str, np.ndarray],
                  data: dict[str, np.ndarray]) -> np.ndarray:  # fmt: skip
    """JAX's second derivative of the loss that the forward pass computes: the code of `derivation` for JAX."""
    run = derivation.compile("jax")

    def loss(one: jax.Array, other: jax.Array) -> jax.Array:
        return run.value({**params, second: other, first: one}, **data)

    def both(one: jax.Array) -> jax.Array:
        return run.value({**params, first: one}, **data)

    one, other = jnp.asarray(params[first]), jnp.asarray(params[second])
    if first == second:
        return np.asarray(jax.jacrev(jax.grad(both))(one))
    return np.asarray(jax.jacrev(jax.grad(loss), argnums=1)(one, other))


@pytest.mark.parametrize("name", CASES)
def test_blocks_are_the_second_derivative(name: str) -> None:
    """Written out, times a vector and on the diagonal they are JAX's; solving gives the vector back."""
    text, first, second, shapes, shown = CASES[name]
    params, data = make_data(text, shapes)
    derivation = sb.derive(sb.parse(text))
    expected = differentiate(derivation, first, second, params, data)
    hessian = derivation.hessian(first, second)
    blocks = hessian.compile_blocks()(params, **data)[second]
    scale = abs(expected).max()

    assert shown is None or str(blocks) == shown
    assert blocks.shape == expected.shape
    np.testing.assert_allclose(blocks.dense(), expected, rtol=1e-10, atol=1e-12 * scale)
    np.testing.assert_allclose(np.asarray(blocks), expected, rtol=1e-10, atol=1e-12 * scale)
    _, whole = hessian.compile()(params, **data)
    np.testing.assert_allclose(whole[second], expected, rtol=1e-10, atol=1e-12 * scale)
    vector = np.random.default_rng(5).normal(size=params[second].shape)
    moved = np.tensordot(expected, vector, vector.ndim)
    np.testing.assert_allclose(blocks @ vector, moved, rtol=1e-10, atol=1e-11 * scale)
    if first == second:
        matrix = expected.reshape(vector.size, vector.size)
        np.testing.assert_allclose(np.ravel(blocks.diagonal()), np.diag(matrix), rtol=1e-10, atol=1e-12 * scale)
        if np.linalg.cond(matrix) < 1e6:
            np.testing.assert_allclose(blocks.solve(moved), vector, rtol=1e-7, atol=1e-7)
        _, product = derivation.hvp(second).compile()(params, **data, **{f"{second}_dot": vector})
        np.testing.assert_allclose(product[second], blocks @ vector, rtol=1e-9, atol=1e-11 * scale)


@pytest.mark.parametrize("name", ["factors", "crossed"])
def test_the_code_for_jax_places_blocks_too(name: str) -> None:
    """The whole Hessian is the same on JAX."""
    text, first, second, shapes, _ = CASES[name]
    params, data = make_data(text, shapes)
    hessian = sb.derive(sb.parse(text)).hessian(first, second)
    _, given = hessian.compile("jax")(params, **data)
    _, expected = hessian.compile()(params, **data)
    np.testing.assert_allclose(given[second], expected[second], rtol=1e-12, atol=1e-12)


def test_a_planted_mistake_in_a_block_is_seen() -> None:
    """A block in another place is another array."""
    params, data = make_data(FACTORISATION, {"R": (4, 4), "U": (4, 2), "V": (4, 2)})
    whole = sb.derive(sb.parse(FACTORISATION)).hessian("U").compile()(params, **data)[1]["U"]
    blocks = sb.derive(sb.parse(FACTORISATION)).hessian("U").compile_blocks()(params, **data)["U"]
    (block,) = blocks.blocks
    np.testing.assert_allclose(blocks.dense(), whole)
    for wrong in (replace(block, pairs=()), replace(block, array=1.001 * block.array)):
        assert not np.allclose(replace(blocks, blocks=(wrong,)).dense(), whole, rtol=1e-6)


def test_structure_is_held_in_place_of_zeros() -> None:
    """The Hessian of a factorisation holds V'V alone, whatever the number of rows; nothing of the loss is computed."""
    function = sb.derive(sb.parse(FACTORISATION)).hessian("U").compile_blocks()
    found = function({"U": np.ones((1000, 2)), "V": np.ones((3, 2))}, R=np.ones((1000, 3)))["U"]

    assert (found.shape, found.size) == ((1000, 2, 1000, 2), 4)
    assert "R" not in function.source.split("def _backward")[1]


def test_nothing_is_computed_for_a_derivative_that_is_zero() -> None:
    """A loss that is linear has a Hessian of zeros, of the right shape."""
    function = sb.derive(sb.parse("param w[N]\ninput c[N]\nloss = sum(n, c[n]*w[n])")).hessian("w").compile_blocks()
    found = function({"w": np.ones(3)}, c=np.ones(3))["w"]
    np.testing.assert_array_equal(found.dense(), np.zeros((3, 3)))


def test_several_gradients_and_sizes_that_no_block_carries() -> None:
    """Every tensor of wrt has its blocks, and an axis on which nothing depends its size."""
    derivation = sb.derive(sb.parse("param A[N, M], b[M]\nloss = sum(n, m, A[n,m]^2) + sum(m, b[m]^3)"), of="loss")
    point = {"A": np.ones((2, 4)), "b": np.arange(1.0, 5.0)}
    for name, shape, held in (("A", (2, 4, 2, 4), 1), ("b", (4, 4), 4)):
        found = derivation.hessian(name).compile_blocks()(point)[name]
        assert (found.shape, found.size) == (shape, held)
    jacobian = sb.derive(sb.parse("param A[N, M], b[M]\nz[n,m] = A[n,m] + b[m]^2"), of="z").compile_blocks()(point)
    assert [(found.shape, found.rows) for found in jacobian.values()] == [((2, 4, 2, 4), 2), ((2, 4, 4), 2)]
    np.testing.assert_array_equal(jacobian["b"] @ np.ones(4), np.tile(2 * point["b"], (2, 1)))


def test_float32_is_kept() -> None:
    """The blocks have the precision that was asked for."""
    function = sb.derive(sb.parse(FACTORISATION)).hessian("U").compile_blocks("float32")
    found = function({"U": np.ones((3, 2)), "V": np.ones((3, 2))}, R=np.ones((3, 3)))["U"]
    assert found.dtype == found.dense().dtype == np.float32


def test_a_size_that_the_precision_does_not_hold_is_refused() -> None:
    """Sizes come back from the kernel as its numbers, exact below 2^24 in float32."""
    assert _read_size(np.float32(2**24 - 1)) == 2**24 - 1
    with pytest.raises(sb.UnsupportedError, match="16777216 entries or more, and float32 counts no further"):
        _read_size(np.float32(2**24 + 1))


def test_shapes_that_do_not_fit_are_told() -> None:
    """A vector of another shape, and a diagonal of what is not square."""
    square = BlockArray((2, 2), 1, (Block(np.ones(2), (0,), ((0, 1),)),))
    with pytest.raises(sb.ShapeError, match=r"shape \(3,\); the columns are \(2,\)"):
        square @ np.ones(3)
    with pytest.raises(sb.ShapeError, match=r"shape \(3,\); the rows are \(2,\)"):
        square.solve(np.ones(3))
    oblong = BlockArray((2, 3), 1, (Block(np.ones((2, 3)), (0, 1)),))
    with pytest.raises(sb.ShapeError, match="diagonal needs rows and columns of one shape"):
        oblong.diagonal()
    with pytest.raises(np.linalg.LinAlgError):
        BlockArray((2, 2), 1, (Block(np.zeros(2), (0,), ((0, 1),)),)).solve(np.ones(2))


def test_a_weighted_square_is_one_symmetric_product() -> None:
    """X' diag(w) X with weights that cannot be negative is a product of an array with itself; with others it is not."""
    source = sb.derive(sb.parse(LOGISTIC)).hessian("w").compile_blocks().source
    assert re.search(r"np\.dot\((\w+)\.T, \1, out=w_bar_by_w\)", source)
    text = "input X[N, D], c[N]\nparam w[D]\nloss = sum(n, c[n]*sum(d, X[n,d]*w[d])^2)"
    hessian = sb.derive(sb.parse(text)).hessian("w").compile_blocks()
    assert "sqrt" not in hessian.source
    x, c = np.random.default_rng(0).normal(size=(5, 3)), np.array([1.0, -2.0, 0.0, 3.0, -1.0])
    found = hessian({"w": np.zeros(3)}, X=x, c=c)["w"].dense()
    np.testing.assert_allclose(found, 2 * x.T @ np.diag(c) @ x, rtol=1e-12)
