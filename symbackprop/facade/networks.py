"""What a user holds of a network: its program, its parameters and how they begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from symbackprop.calculus.indices import Affine
from symbackprop.errors import ArgumentError
from symbackprop.facade.programs import Program
from symbackprop.networks import Architecture, Loss, Piece, Setting, mlp_layers, write_network

Width = int | str


@dataclass(frozen=True, eq=False)
class Network:
    """Layers and a loss; everything about it is read from its program.

    `input` is the number of inputs or the sizes of one sample, `batch` the name of the batch size or None for one
    sample without a batch index. `loss` is one of the catalogue by name, or with settings of its own as
    `sb.loss("huber", delta=2)`. `penalties` add so many times the sum of the absolute values ("l1") or of the squares
    ("l2") of each parameter with two axes or more: {"l2": 1e-3}.

    >>> from symbackprop.networks import Dense
    >>> Network(input=2, layers=[Dense(1, "sigmoid")], loss="mse").program.loss
    'loss'
    >>> print(Network(2, [Dense(1)], "mse", penalties={"l2": 0.01}).program.text().rstrip())
    input x[N, 2], y[N, 1]
    param W1[1, 2], b1[1]
    z1[n,i] = sum(j, W1[i,j]*x[n,j]) + b1[i]
    a1[n,i] = z1[n,i]
    data_loss = mean(n, i, (a1[n,i] - y[n,i])^2)
    l2_W1 = sum(n, t, W1[n,t]^2)
    loss = data_loss + 0.01*l2_W1
    """

    input: Width | Sequence[Width]
    layers: Sequence[Piece]
    loss: str | Loss
    batch: str | None = "N"
    penalties: Mapping[str, Setting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        _ = self.architecture

    @cached_property
    def architecture(self) -> Architecture:
        """The network as text, with the shapes of its parameters."""
        return write_network(self.input, self.layers, self.loss, self.batch, self.penalties)

    @cached_property
    def program(self) -> Program:
        """The network as a program."""
        return Program(self.architecture.program)

    def init(self, seed: int = 0, dtype: str = "float64") -> dict[str, NDArray[np.floating]]:
        """Parameters to begin with: weights uniform in +-sqrt(6 / (fan-in + fan-out)), scales one, all others zero.

        The fan-in of a weight is the number of terms that one output sums over.

        Source: Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks,
        equation 16.
        """
        generator = np.random.default_rng(seed)
        made: dict[str, NDArray[np.floating]] = {}
        for parameter in self.architecture.parameters:
            shape = [_number(size, parameter.name) for size in parameter.shape]
            if parameter.start is not None or not parameter.is_weight:
                made[parameter.name] = np.full(shape, float(parameter.start or 0), dtype)
                continue
            fan_in = prod(_number(size, parameter.name) for size in parameter.fan_in)
            limit = (6 / (fan_in + prod(shape) / fan_in)) ** 0.5
            made[parameter.name] = generator.uniform(-limit, limit, shape).astype(dtype)
        return made


def _number(size: Affine, name: str) -> int:
    if size.integer is None:
        raise ArgumentError(f"{name} has an axis of size {size}; give the widths as integers to make its parameters.")
    return size.integer


def mlp(
    widths: Sequence[Width],
    activation: str = "sigmoid",
    output: str = "identity",
    loss: str | Loss = "mse",
    batch: str | None = "N",
    penalties: Mapping[str, Setting] | None = None,
) -> Network:
    """A multilayer perceptron: `widths` from the inputs to the outputs, `output` the activation of the last layer.

    Its tensors are x y W1 b1 z1 a1 W2 ... loss, and W_l[i,j] goes from unit j of layer l-1 to unit i of layer l.

    >>> print(mlp([2, 1], batch=None).program.text().rstrip())
    input x[2], y[1]
    param W1[1, 2], b1[1]
    z1[i] = sum(j, W1[i,j]*x[j]) + b1[i]
    a1[i] = z1[i]
    loss = mean(i, (a1[i] - y[i])^2)
    """
    return Network(widths[0], mlp_layers(widths, activation, output), loss, batch, penalties or {})
