"""PyTorch's own functions for the connections of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.nn import functional

Tensors = Mapping[str, torch.Tensor]

CONNECTION_PEERS: dict[str, Callable[[Tensors], torch.Tensor]] = {
    "bilinear": lambda t: functional.bilinear(t["x"], t["y"], t["W"], t["b"]),
    "embedding": lambda t: functional.embedding(t["tok"] - 1, t["E"]),
    "dropout": lambda t: t["m"] * t["x"] / (1 - 0.5),
    "prelu1d": lambda t: functional.prelu(t["x"], t["s"]),
    "prelu2d": lambda t: functional.prelu(t["x"], t["s"]),
    "maxout": lambda t: (
        functional.linear(t["x"], t["W"].flatten(0, 1), t["b"].flatten()).unflatten(1, t["b"].shape).amax(-1)
    ),
    "flatten": lambda t: torch.flatten(t["x"], -3),
    "flatten1d": lambda t: torch.flatten(t["x"], -2),
}
