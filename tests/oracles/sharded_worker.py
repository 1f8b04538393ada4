"""Runs steps on eight devices of this host and prints how far they are from one device's, as JSON.

`python sharded_worker.py`, with XLA_FLAGS=--xla_force_host_platform_device_count=8; the argument `wrong` trains on the
samples of one device alone, which must be seen.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

import symbackprop as sb

NETWORKS = {
    "cross-entropy": sb.mlp([5, 7, 3], activation="tanh", loss="cross_entropy"),
    "relu": sb.mlp([5, 6, 6, 3], activation="relu"),
    "layer normalisation": sb.Network(
        input=5, layers=[sb.Dense(6), sb.layer("layer_norm"), sb.Dense(3)], loss="mse"
    ),
}  # fmt: skip


def compare(network: Any, wrong: bool) -> dict[str, Any]:
    """Five steps on eight devices and on one."""
    f = sb.derive(network).compile("jax")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 5)), np.eye(3)[rng.integers(0, 3, 64)]

    @jax.jit
    def step(params: Any, x: Any, y: Any) -> Any:
        if wrong:
            x, y = x[:8], y[:8]
        loss, gradients = f(params, x=x, y=y)
        return loss, {name: theta - 0.1 * gradients[name] for name, theta in params.items()}

    mesh = Mesh(np.array(jax.devices()), ("batch",))
    split, whole = NamedSharding(mesh, PartitionSpec("batch")), NamedSharding(mesh, PartitionSpec())
    params: Any = jax.device_put(network.init(0), whole)
    shards = jax.device_put((x, y), split)
    plain, arrays = network.init(0), sb.derive(network).compile()
    distance = 0.0
    for _ in range(5):
        loss, params = step(params, *shards)
        expected, gradients = arrays(plain, x=x, y=y)
        plain = {name: theta - 0.1 * gradients[name] for name, theta in plain.items()}
        distance = max(distance, abs(float(loss) - expected) / abs(expected))
    for name, theta in plain.items():
        distance = max(distance, float(np.max(np.abs(params[name] - theta)) / np.max(np.abs(theta))))
    return {
        "distance": distance,
        "devices": len(shards[0].sharding.device_set),
        "rows": [shard.data.shape[0] for shard in shards[0].addressable_shards],
        "reduces": "all-reduce" in step.lower(params, *shards).compile().as_text(),
        "dtype": str(params["W1"].dtype),
    }


if __name__ == "__main__":
    with jax.enable_x64(True):
        print(json.dumps({name: compare(network, "wrong" in sys.argv[1:]) for name, network in NETWORKS.items()}))
