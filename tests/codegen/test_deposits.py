"""Entries that a class number names, added where they stand."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import symbackprop as sb

PROGRAM = """
index y[N] in K
param z[N,K]
p[n,i] = exp(z[n,i])/sum(j, exp(z[n,j]))
loss = -sum(n, log(p[n,y[n]])){}
"""


@pytest.mark.parametrize("mean", (True, False))
def test_the_gradient_of_a_chosen_entry_is_that_of_jax(mean: bool) -> None:
    """The entry is added, a negative number here, and nothing is compared along the whole axis."""
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(6, 5)), rng.integers(1, 6, 6)
    f = sb.derive(sb.parse(PROGRAM.format("/N" if mean else ""))).compile()

    def loss(z: jax.Array) -> jax.Array:
        chosen = jax.nn.log_softmax(z, axis=1)[np.arange(6), y - 1]
        return -(chosen.mean() if mean else chosen.sum())

    with jax.enable_x64(True):
        expected = jax.grad(loss)(z)
    _, gradients = f({"z": z}, y=y)

    assert "add_at(" in f.source
    np.testing.assert_allclose(gradients["z"], expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("sign", ("+", "-"))
def test_a_weight_is_added_or_taken_away_where_it_stands(sign: str) -> None:
    """Of all that a row holds."""
    rng = np.random.default_rng(1)
    z, y, w = rng.normal(size=(6, 5)), rng.integers(1, 6, 6), rng.normal(size=6)
    text = f"index y[N] in K\ninput w[N]\nparam z[N,K]\nloss = sum(n, i, z[n,i]^4) {sign} sum(n, w[n]*z[n,y[n]])"
    f = sb.derive(sb.parse(text)).compile()
    expected = 4 * z**3
    expected[np.arange(6), y - 1] += w if sign == "+" else -w

    _, gradients = f({"z": z}, y=y, w=w)

    assert "add_at(" in f.source
    np.testing.assert_allclose(gradients["z"], expected, rtol=0, atol=1e-13)
