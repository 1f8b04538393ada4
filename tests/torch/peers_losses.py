"""PyTorch's own functions for the losses of the catalogue, from tensors by their names in the entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.nn import functional

Tensors = Mapping[str, torch.Tensor]

LOSS_PEERS: dict[str, Callable[[Tensors], torch.Tensor]] = {
    "cross_entropy_index": lambda t: functional.cross_entropy(t["a"], t["y"] - 1),
}
