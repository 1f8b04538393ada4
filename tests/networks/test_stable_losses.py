"""Code made of the losses is finite and right for logits of +-800, in value and gradient, without a warning."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import symbackprop as sb

jax.config.update("jax_enable_x64", True)

LOGITS = np.array([[800, -800, 3], [-800, 800, 1], [800, 800, 800], [-800, -800, -800], [0, 800, -800], [1.0, 2, 3]])
CLASSES = np.array([1, 1, 2, 3, 3, 2])
ROWS = np.array([[1, 0, 0], [0.2, 0.3, 0.5], [0, 1, 0], [0.1, 0.1, 0.8], [0, 0.5, 0.5], [1.0, 0, 0]])
WEIGHTS = np.array([0.5, 1, 2])


def own(a: jax.Array) -> jax.Array:
    """The logarithm of the probability of each sample's class."""
    return jax.nn.log_softmax(a)[np.arange(len(CLASSES)), CLASSES - 1]


PEERS = {
    "cross_entropy_index": (lambda a: -own(a).mean(), {"y": CLASSES}),
    "cross_entropy_smoothed": (lambda a: -(0.9 * own(a) + 0.1 * jax.nn.log_softmax(a).mean(-1)).mean(), {"y": CLASSES}),
    "cross_entropy_weighted": (
        lambda a: -(WEIGHTS[CLASSES - 1] * own(a)).sum() / WEIGHTS[CLASSES - 1].sum(),
        {"y": CLASSES, "w": WEIGHTS},
    ),
    "focal": (lambda a: -((1 - jnp.exp(own(a))) ** 2 * own(a)).mean(), {"y": CLASSES}),
    "bce_logits": (lambda a: (jax.nn.softplus(a) - ROWS * a).mean(), {"y": ROWS}),
    "kl": (lambda a: (jax.scipy.special.xlogy(ROWS, ROWS) - ROWS * a).sum() / len(a), {"y": ROWS}),
    "info_nce": (lambda a: -jnp.diag(jax.nn.log_softmax(a @ LOGITS.T / 0.1)).mean(), {"b": LOGITS}),
    "log_cosh": (lambda a: (jax.nn.softplus(2 * (a - ROWS)) - (a - ROWS) - jnp.log(2)).mean(), {"y": ROWS}),
}


@pytest.mark.parametrize("name", PEERS)
def test_losses_are_right_far_out(name: str) -> None:
    """Value and gradient by the outputs are those of JAX's stable functions."""
    peer, data = PEERS[name]
    value, gradients = sb.derive(sb.find_entry(name).program, ["a"]).compile()({}, a=LOGITS, **data)
    wanted, slope = jax.value_and_grad(peer)(jnp.asarray(LOGITS))

    np.testing.assert_allclose(value, wanted, rtol=1e-13)
    np.testing.assert_allclose(gradients["a"], slope, atol=1e-13 * float(np.max(np.abs(slope))))
