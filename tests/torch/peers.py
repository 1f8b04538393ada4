"""PyTorch's own functions for entries of the catalogue, from tensors by their names in the entry.

Integer data count from 1 in an entry and from 0 in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from peers_connections import CONNECTION_PEERS
from peers_convolutions import CONVOLUTION_PEERS
from peers_losses import LOSS_PEERS
from peers_sequences import SEQUENCE_PEERS
from torch.nn import functional

from symbackprop.functions import FUNCTIONS, ScalarFunction

Tensors = Mapping[str, torch.Tensor]

RENAMED: dict[str, Callable[..., torch.Tensor]] = {  # functions that PyTorch calls otherwise; others go by their names
    "gelu_tanh": lambda u: functional.gelu(u, approximate="tanh"),
    # its own functional.hardsigmoid multiplies by one sixth in single precision on the way back: 3e-8 off
    "hard_sigmoid": lambda u: functional.relu6(u + 3) / 6,
    "hard_swish": functional.hardswish,
    "hard_tanh": functional.hardtanh,
    "log_sigmoid": functional.logsigmoid,
    "prelu": lambda u, slope: functional.prelu(u.reshape(1, -1), slope.reshape(-1)).reshape(u.shape),
}


def find_function(name: str) -> Callable[..., torch.Tensor] | None:
    """PyTorch's function for one of the catalogue, by its name; None where it has none."""
    return RENAMED.get(name) or getattr(torch, name, None) or getattr(functional, name, None)


def _named(function: ScalarFunction) -> Callable[[Tensors], torch.Tensor]:
    found, letters = find_function(function.name), ("u", "v")[: function.arity]
    assert found is not None
    return lambda tensors: found(*(tensors[letter] for letter in letters))


PEERS: dict[str, Callable[[Tensors], torch.Tensor]] = {
    **{f.name: _named(f) for f in FUNCTIONS if find_function(f.name) is not None},
    "dense": lambda t: functional.linear(t["x"], t["W"], t["b"]),
    "dense_without_bias": lambda t: functional.linear(t["x"], t["W"]),
    "concatenated": lambda t: torch.cat([t["x"], t["y"]], dim=-1),
    "softmax": lambda t: functional.softmax(t["x"], dim=-1),
    "log_softmax": lambda t: functional.log_softmax(t["x"], dim=-1),
    "mse": lambda t: functional.mse_loss(t["a"], t["y"]),
    "mae": lambda t: functional.l1_loss(t["a"], t["y"]),
    "huber": lambda t: functional.huber_loss(t["a"], t["y"]),
    "bce": lambda t: -(t["y"] * torch.log(t["a"]) + (1 - t["y"]) * torch.log(1 - t["a"])).mean(),
    "bce_logits": lambda t: functional.binary_cross_entropy_with_logits(t["a"], t["y"]),
    "cross_entropy": lambda t: functional.cross_entropy(t["a"], t["y"]),
    **SEQUENCE_PEERS,
    **LOSS_PEERS,
    **CONNECTION_PEERS,
    **CONVOLUTION_PEERS,
}
