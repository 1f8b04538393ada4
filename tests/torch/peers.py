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

Tensors = Mapping[str, torch.Tensor]

PEERS: dict[str, Callable[[Tensors], torch.Tensor]] = {
    "sigmoid": lambda t: torch.sigmoid(t["u"]),
    "tanh": lambda t: torch.tanh(t["u"]),
    "relu": lambda t: functional.relu(t["u"]),
    "leaky_relu": lambda t: functional.leaky_relu(t["u"]),
    "elu": lambda t: functional.elu(t["u"]),
    "softplus": lambda t: functional.softplus(t["u"]),
    "silu": lambda t: functional.silu(t["u"]),
    "gelu": lambda t: functional.gelu(t["u"]),
    "gelu_tanh": lambda t: functional.gelu(t["u"], approximate="tanh"),
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
