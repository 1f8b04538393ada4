"""The programs whose training steps are timed, with their parameters and data.

Arrays hold numbers that float32 can hold, so that both precisions compute the same thing. Class numbers count from 1,
as in the formula language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import symbackprop as sb

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A program, what its gradients are taken for, and the arrays that it is given, in float64."""

    name: str
    program: sb.Program
    wrt: tuple[str, ...]
    params: Arrays
    data: Arrays

    def cast(self, dtype: str) -> Case:
        """The same with floating arrays of a precision, copied."""
        return replace(self, params=_cast(self.params, dtype), data=_cast(self.data, dtype))


@dataclass(frozen=True)
class Dense:
    """A dense network, its batch, and what stands between its layers and at its end.

    With its `seed` no unit comes so near to the kink of relu in the steps that are compared that single precision could
    put it on the other side: a unit more or less is no disagreement of two programs.
    """

    widths: tuple[int, ...]
    activation: str
    loss: str
    batch: int
    seed: int = 0

    @property
    def name(self) -> str:
        """What heads its column."""
        loss = {"mse": "MSE", "cross_entropy": "CE"}[self.loss]
        return f"{'-'.join(map(str, self.widths))} {self.activation} {loss}, {self.batch}"

    def case(self) -> Case:
        """Its program, parameters and data; the targets of cross-entropy are rows with a single one."""
        network = sb.mlp(self.widths, activation=self.activation, loss=self.loss)
        rng = np.random.default_rng(self.seed)
        params = network.init(self.seed)
        params.update({name: 0.1 * rng.normal(size=a.shape) for name, a in params.items() if a.ndim == 1})
        x, out = rng.normal(size=(self.batch, self.widths[0])), self.widths[-1]
        if self.loss == "mse":
            y = rng.uniform(size=(self.batch, out))
        else:
            y = np.eye(out)[rng.integers(0, out, self.batch)]
        return Case(self.name, network.program, tuple(params), _round(params), _round({"x": x, "y": y}))


DENSE = (
    Dense((3, 3, 3, 3), "sigmoid", "mse", 1),
    Dense((3, 3, 3, 3), "sigmoid", "mse", 32),
    Dense((64, 32, 10), "tanh", "cross_entropy", 32),
    Dense((784, 256, 128, 10), "relu", "cross_entropy", 128),
    Dense((1024, 1024, 1024, 1024, 10), "relu", "cross_entropy", 256, seed=1),
)

LAYER_NORM = """
input x[N,D], g[N,D]
param gamma[D], beta[D]
mu[n] = mean(i, x[n,i])
v[n] = mean(i, (x[n,i] - mu[n])^2)
xhat[n,i] = (x[n,i] - mu[n])/sqrt(v[n] + 1e-5)
z[n,i] = gamma[i]*xhat[n,i] + beta[i]
loss = sum(n, i, g[n,i]*z[n,i])
"""
SOFTMAX = """
input a[N,K]
index y[N] in K
p[n,i] = exp(a[n,i])/sum(j, exp(a[n,j]))
loss = -sum(n, log(p[n,y[n]]))/N
"""
ATTENTION = """
input q[H,T,D], k[H,U,D], v[H,U,F], g[H,T,F]
s[h,t,u] = sum(d, q[h,t,d]*k[h,u,d])/sqrt(D)
p[h,t,u] = exp(s[h,t,u])/sum(j, exp(s[h,t,j]))
z[h,t,f] = sum(u, p[h,t,u]*v[h,u,f])
loss = sum(h, t, f, g[h,t,f]*z[h,t,f])
"""


def convolutions(batch: int = 32, size: int = 28, channels: tuple[int, int] = (16, 32)) -> Case:
    """Two convolutions of 3 by 3, each with relu and maximum pooling of 2 by 2, and 10 classes under cross-entropy."""
    first, second = (sb.layer("conv2d", "relu", K=k, R=3, S=3) for k in channels)
    pool = sb.layer("max_pool2d")
    layers = [first, pool, second, pool, sb.layer("flatten"), sb.Dense(10)]
    network = sb.Network(input=(1, size, size), layers=layers, loss="cross_entropy_index")
    rng = np.random.default_rng(0)
    data = {"x": rng.normal(size=(batch, 1, size, size)), "y": rng.integers(1, 11, batch)}
    return _network_case("conv net", network, data)


def recurrence(batch: int = 16, steps: int = 64, width: int = 128) -> Case:
    """An LSTM under squared error at every step."""
    network = sb.Network(input=(steps, width), layers=[sb.layer("lstm", H=width)], loss="mse")
    rng = np.random.default_rng(0)
    data = {name: rng.normal(size=(batch, steps, width)) for name in ("x", "y")}
    return _network_case("LSTM", network, data | {name: np.zeros((batch, width)) for name in ("h01", "c01")})


def transformer(batch: int = 8, steps: int = 64, width: int = 128, heads: int = 4) -> Case:
    """Two pre-norm blocks of causal attention and a relu feed-forward network four times as wide, squared error."""
    block = sb.transformer_block(heads, width // heads, 4 * width, feed_forward="feed_forward")
    network = sb.Network(input=(steps, width), layers=[*block, *block], loss="mse")
    rng = np.random.default_rng(0)
    data = {name: rng.normal(size=(batch, steps, width)) for name in ("x", "y")}
    return _network_case("transformer", network, data)


def layer_norm(batch: int = 256, width: int = 1024) -> Case:
    """Layer normalisation under a gradient from above."""
    rng = np.random.default_rng(0)
    params = {"gamma": rng.normal(size=width), "beta": rng.normal(size=width)}
    data = {name: rng.normal(size=(batch, width)) for name in ("x", "g")}
    return Case("layer norm", sb.parse(LAYER_NORM), ("x", "gamma", "beta"), _round(params), _round(data))


def softmax(batch: int = 512, classes: int = 4096) -> Case:
    """The mean cross-entropy of class numbers by the logits."""
    rng = np.random.default_rng(0)
    data = {"a": rng.normal(size=(batch, classes)), "y": rng.integers(1, classes + 1, batch)}
    return Case("softmax CE", sb.parse(SOFTMAX), ("a",), {}, _round(data))


def attention(heads: int = 8, steps: int = 256, width: int = 64) -> Case:
    """Attention of several heads under a gradient from above."""
    rng = np.random.default_rng(0)
    data = {name: rng.normal(size=(heads, steps, width)) for name in ("q", "k", "v", "g")}
    return Case("attention", sb.parse(ATTENTION), ("q", "k", "v"), {}, _round(data))


LAYERS: Mapping[str, Callable[..., Case]] = {
    "conv net": convolutions,
    "LSTM": recurrence,
    "transformer": transformer,
    "layer norm": layer_norm,
    "softmax CE": softmax,
    "attention": attention,
}
"""The cases that are no dense network."""


def _network_case(name: str, network: sb.Network, data: Arrays) -> Case:
    """A network by all its parameters; biases and scales are moved off 0 and 1, so that mistakes in them show."""
    rng = np.random.default_rng(1)
    params = network.init(0)
    params.update({key: a + 0.1 * rng.normal(size=a.shape) for key, a in params.items() if a.ndim == 1})
    return Case(name, network.program, tuple(params), _round(params), _round(data))


def _round(arrays: Arrays) -> Arrays:
    return {k: a.astype(np.float32).astype(np.float64) if a.dtype.kind == "f" else a for k, a in arrays.items()}


def _cast(arrays: Arrays, dtype: str) -> Arrays:
    return {k: a.astype(dtype if a.dtype.kind == "f" else a.dtype) for k, a in arrays.items()}
