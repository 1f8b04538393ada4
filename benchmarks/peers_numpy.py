"""Training steps of dense networks in NumPy, written by hand; JAX checks their gradients before they are timed."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.contestants import RATE, Contestant, repeat
from benchmarks.networks import Arrays, Case, Dense


def plain(network: Dense, case: Case, dtype: str) -> Contestant:
    """As most people write it."""
    own = case.cast(dtype)
    params, x, y = own.params, own.data["x"], own.data["y"]
    last: list[Any] = []

    def step() -> None:
        loss, gradients = _differentiate(network, params, x, y)
        for name, gradient in gradients.items():
            params[name] -= RATE * gradient
        last[:] = [loss]

    return Contestant(repeat(step), lambda: (float(last[0]), params))


def _differentiate(network: Dense, params: Arrays, x: Any, y: Any) -> tuple[Any, Arrays]:
    count = len(network.widths) - 1
    outputs = [x]
    for l in range(1, count + 1):
        z = outputs[-1] @ params[f"W{l}"].T + params[f"b{l}"]
        outputs.append(z if l == count else _activate(network.activation, z))
    end = outputs[-1]
    if network.loss == "mse":
        loss = np.mean((end - y) ** 2)
        d = 2 * (end - y) / end.size
    else:
        shifted = end - end.max(axis=1, keepdims=True)
        exps = np.exp(shifted)
        sums = exps.sum(axis=1, keepdims=True)
        loss = -np.sum(y * (shifted - np.log(sums))) / len(x)
        d = (exps / sums - y) / len(x)
    gradients = {}
    for l in range(count, 0, -1):
        gradients[f"W{l}"] = d.T @ outputs[l - 1]
        gradients[f"b{l}"] = d.sum(axis=0)
        if l > 1:
            d = (d @ params[f"W{l}"]) * _slope(network.activation, outputs[l - 1])
    return loss, gradients


def _activate(name: str, z: Any) -> Any:
    if name == "sigmoid":
        return 1 / (1 + np.exp(-z))
    return np.tanh(z) if name == "tanh" else np.maximum(z, 0)


def _slope(name: str, a: Any) -> Any:
    """The derivative of an activation by its own value."""
    if name == "sigmoid":
        return a * (1 - a)
    return 1 - a**2 if name == "tanh" else a > 0


def careful(network: Dense, case: Case, dtype: str) -> Contestant:
    """With every array made once and written by `out=`, and sums over the batch as products with ones."""
    own = case.cast(dtype)
    made = _Careful(network, own)
    last: list[Any] = []

    def step() -> None:
        last[:] = [made.step()]

    return Contestant(repeat(step), lambda: (float(last[0]), own.params))


class _Careful:
    """The arrays of a training step and their views."""

    def __init__(self, network: Dense, case: Case) -> None:
        self.network, self.x, self.y = network, case.data["x"], case.data["y"]
        self.count, self.kind = len(network.widths) - 1, self.x.dtype.type
        layers = range(1, self.count + 1)
        self.weights = [case.params[f"W{l}"] for l in layers]
        self.biases = [case.params[f"b{l}"] for l in layers]
        self.transposed = [w.T for w in self.weights]
        shapes = [(network.batch, width) for width in network.widths]
        self.outputs = [self.x, *(np.empty(s, self.x.dtype) for s in shapes[1:])]
        self.deltas = [np.empty(s, self.x.dtype) for s in shapes[1:]]
        self.flipped = [d.T for d in self.deltas]
        self.slopes = [np.empty(s, bool if network.activation == "relu" else self.x.dtype) for s in shapes[1:-1]]
        self.dweights = [np.empty_like(w) for w in self.weights]
        self.dbiases = [np.empty_like(b) for b in self.biases]
        self.ones = np.ones(network.batch, self.x.dtype)
        self.column = np.empty((network.batch, 1), self.x.dtype)
        self.rate = self.kind(RATE)

    def step(self) -> Any:
        """One step; the loss before it."""
        for l in range(self.count):
            z = self.outputs[l + 1]
            np.matmul(self.outputs[l], self.transposed[l], out=z)
            np.add(z, self.biases[l], out=z)
            if l < self.count - 1:
                self._activate(z)
        loss = self._finish()
        for l in range(self.count - 1, -1, -1):
            np.matmul(self.flipped[l], self.outputs[l], out=self.dweights[l])
            np.matmul(self.ones, self.deltas[l], out=self.dbiases[l])
            if l:
                np.matmul(self.deltas[l], self.weights[l], out=self.deltas[l - 1])
                self._multiply_slope(l - 1)
        for values, changes in ((self.weights, self.dweights), (self.biases, self.dbiases)):
            for value, change in zip(values, changes, strict=True):
                np.multiply(change, self.rate, out=change)
                np.subtract(value, change, out=value)
        return loss

    def _activate(self, z: Any) -> None:
        if self.network.activation == "sigmoid":
            np.negative(z, out=z)
            np.exp(z, out=z)
            np.add(z, self.kind(1), out=z)
            np.reciprocal(z, out=z)
        elif self.network.activation == "tanh":
            np.tanh(z, out=z)
        else:
            np.maximum(z, self.kind(0), out=z)

    def _finish(self) -> Any:
        """The loss, and its slope in the last of the deltas."""
        z, d, batch = self.outputs[-1], self.deltas[-1], self.network.batch
        if self.network.loss == "mse":
            np.subtract(z, self.y, out=d)
            loss = np.dot(d.ravel(), d.ravel()) / self.kind(d.size)
            np.multiply(d, self.kind(2 / d.size), out=d)
            return loss
        np.max(z, axis=1, keepdims=True, out=self.column)
        np.subtract(z, self.column, out=z)
        np.exp(z, out=d)
        np.sum(d, axis=1, keepdims=True, out=self.column)
        np.divide(d, self.column, out=d)
        np.log(self.column, out=self.column)
        loss = (np.sum(self.column) - np.dot(self.y.ravel(), z.ravel())) / self.kind(batch)
        np.subtract(d, self.y, out=d)
        np.multiply(d, self.kind(1 / batch), out=d)
        return loss

    def _multiply_slope(self, l: int) -> None:
        a, slope, d = self.outputs[l + 1], self.slopes[l], self.deltas[l]
        if self.network.activation == "relu":
            np.greater(a, self.kind(0), out=slope)
        elif self.network.activation == "tanh":
            np.multiply(a, a, out=slope)
            np.subtract(self.kind(1), slope, out=slope)
        else:
            np.subtract(self.kind(1), a, out=slope)
            np.multiply(slope, a, out=slope)
        np.multiply(d, slope, out=d)


def products(network: Dense, case: Case, dtype: str) -> Contestant:
    """The matrix products of a step and nothing else, which no array code can go below."""
    rng = np.random.default_rng(0)
    todo = []
    for l, (fan_in, fan_out) in enumerate(zip(network.widths, network.widths[1:], strict=False)):
        a, d = (rng.normal(size=(network.batch, n)).astype(dtype) for n in (fan_in, fan_out))
        w = case.params[f"W{l + 1}"].astype(dtype)
        todo += [(a, w.T, np.empty_like(d)), (d.T, a, np.empty_like(w))]
        if l:
            todo.append((d, w, np.empty_like(a)))

    def step() -> None:
        for left, right, out in todo:
            np.matmul(left, right, out=out)

    return Contestant(repeat(step), check=False)
