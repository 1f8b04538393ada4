"""Training steps of dense networks in HIPS autograd."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
from autograd import value_and_grad

from benchmarks.contestants import RATE, Contestant, repeat
from benchmarks.networks import Arrays, Case, Dense


def train(network: Dense, case: Case, dtype: str) -> Contestant:
    """Its gradient of the forward pass, and a plain update."""
    own = case.cast(dtype)
    params, x, y = own.params, own.data["x"], own.data["y"]
    count = len(network.widths) - 1
    last: list[Any] = []

    def loss(params: Arrays) -> Any:
        a = x
        for l in range(1, count + 1):
            z = anp.dot(a, params[f"W{l}"].T) + params[f"b{l}"]
            a = z if l == count else _activate(network.activation, z)
        if network.loss == "mse":
            return anp.mean((a - y) ** 2)
        shifted = a - anp.max(a, axis=1, keepdims=True)
        return -anp.sum(y * (shifted - anp.log(anp.sum(anp.exp(shifted), axis=1, keepdims=True)))) / len(x)

    differentiate = value_and_grad(loss)

    def step() -> None:
        value, gradients = differentiate(params)
        for name, gradient in gradients.items():
            params[name] -= RATE * gradient
        last[:] = [value]

    return Contestant(repeat(step), lambda: (float(last[0]), params))


def _activate(name: str, z: Any) -> Any:
    if name == "sigmoid":
        return 1 / (1 + anp.exp(-z))
    return anp.tanh(z) if name == "tanh" else anp.maximum(z, 0)
