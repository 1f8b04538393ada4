"""Training steps of dense networks in PyTensor: parameters and data are shared, the update is part of the function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.tensor.special import log_softmax

from benchmarks.contestants import RATE, Contestant, repeat
from benchmarks.networks import Case, Dense

ACTIVATIONS = {"sigmoid": pt.sigmoid, "tanh": pt.tanh, "relu": lambda z: pt.maximum(z, np.float32(0))}


def train(network: Dense, case: Case, dtype: str) -> Contestant:
    """Compiled in its default mode."""
    own = case.cast(dtype)
    params = {name: pytensor.shared(a, name, borrow=True) for name, a in own.params.items()}
    x, y = (pytensor.shared(own.data[name], name, borrow=True) for name in ("x", "y"))
    count = len(network.widths) - 1
    kind = np.dtype(dtype).type
    a: Any = x
    for l in range(1, count + 1):
        z = pt.dot(a, params[f"W{l}"].T) + params[f"b{l}"]
        a = z if l == count else ACTIVATIONS[network.activation](z)
    if network.loss == "mse":
        loss = pt.sqr(a - y).mean(dtype=dtype)
    else:
        loss = -pt.sum(y * log_softmax(a, axis=1)) / kind(network.batch)
    gradients = pt.grad(loss, list(params.values()))
    updates = [(p, p - kind(RATE) * g) for p, g in zip(params.values(), gradients, strict=True)]
    function = pytensor.function([], loss, updates=updates)
    last: list[Any] = []

    def step() -> None:
        last[:] = [function()]

    return Contestant(repeat(step), lambda: (float(last[0]), {name: p.get_value() for name, p in params.items()}))
