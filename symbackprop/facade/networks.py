"""What a user holds of a network: its program, its parameters and how they begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import ArgumentError
from symbackprop.facade.programs import Program
from symbackprop.language import read_program
from symbackprop.networks import Architecture, Dense, mlp_layers, write_network

Width = int | str


@dataclass(frozen=True, eq=False)
class Network:
    """Layers and a loss; everything about it is read from its program.

    `input` is the number of inputs, `batch` the name of the batch size or None for one sample without a batch index.

    >>> Network(input=2, layers=[Dense(1, "sigmoid")], loss="mse").program.loss
    'loss'
    """

    input: Width
    layers: Sequence[Dense]
    loss: str
    batch: str | None = "N"

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        _ = self.architecture

    @cached_property
    def architecture(self) -> Architecture:
        """The network as text, with the shapes of its parameters."""
        return write_network(self.input, self.layers, self.loss, self.batch)

    @cached_property
    def program(self) -> Program:
        """The network as a program."""
        return Program(read_program(self.architecture.text))

    def init(self, seed: int = 0, dtype: str = "float64") -> dict[str, NDArray[np.floating]]:
        """Parameters to begin with: weights uniform in +-sqrt(6 / (fan-in + fan-out)), biases zero.

        Source: Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks,
        equation 16.
        """
        generator = np.random.default_rng(seed)
        made: dict[str, NDArray[np.floating]] = {}
        for parameter in self.architecture.parameters:
            shape = [_number(size, parameter.name) for size in parameter.shape]
            if parameter.fan_in == 0:
                made[parameter.name] = np.zeros(shape, dtype)
                continue
            fans = _number(parameter.fan_in, parameter.name) + _number(parameter.fan_out, parameter.name)
            limit = (6 / fans) ** 0.5
            made[parameter.name] = generator.uniform(-limit, limit, shape).astype(dtype)
        return made


def _number(size: Width, name: str) -> int:
    if isinstance(size, str):
        raise ArgumentError(f"{name} has an axis of size {size}; give the widths as integers to make its parameters.")
    return size


def mlp(
    widths: Sequence[Width],
    activation: str = "sigmoid",
    output: str = "identity",
    loss: str = "mse",
    batch: str | None = "N",
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
    return Network(widths[0], mlp_layers(widths, activation, output), loss, batch)
