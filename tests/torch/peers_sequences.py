"""PyTorch's own functions for normalisations, sequences and transformers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.nn import functional

Tensors = Mapping[str, torch.Tensor]


def _batch_norm_inference(t: Tensors) -> torch.Tensor:
    """Written out, because PyTorch's own function has no derivatives by the running mean and variance."""
    return t["gamma"] * (t["x"] - t["mu"]) * torch.rsqrt(t["v"] + 1e-5) + t["beta"]


def _group_norm(t: Tensors) -> torch.Tensor:
    groups = t["x"].shape[1]
    flat = functional.group_norm(t["x"].flatten(1, 2), groups, t["gamma"].flatten(), t["beta"].flatten())
    return flat.reshape(t["x"].shape)


SEQUENCE_PEERS: dict[str, Callable[[Tensors], torch.Tensor]] = {
    "batch_norm": lambda t: functional.batch_norm(t["x"], None, None, t["gamma"], t["beta"], training=True),
    "batch_norm_inference": _batch_norm_inference,
    "batch_norm2d": lambda t: functional.batch_norm(t["x"], None, None, t["gamma"], t["beta"], training=True),
    "layer_norm": lambda t: functional.layer_norm(t["x"], t["x"].shape[-1:], t["gamma"], t["beta"]),
    "rms_norm": lambda t: functional.rms_norm(t["x"], t["x"].shape[-1:], t["gamma"], eps=1e-5),
    "instance_norm": lambda t: functional.instance_norm(t["x"], weight=t["gamma"], bias=t["beta"]),
    "group_norm": _group_norm,
}
