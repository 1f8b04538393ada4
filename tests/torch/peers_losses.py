"""PyTorch's own functions for the losses of the catalogue, from tensors by their names in the entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.nn import functional

Tensors = Mapping[str, torch.Tensor]


def weighted_cross_entropy(t: Tensors) -> torch.Tensor:
    """PyTorch does not differentiate by the weights of its function, so the sums are written out."""
    logs = functional.log_softmax(t["a"], dim=-1)
    weights = t["w"][t["y"] - 1]
    own = functional.cross_entropy(t["a"], t["y"] - 1, weight=t["w"].detach())
    written = -(weights * logs.gather(-1, (t["y"] - 1).unsqueeze(-1)).squeeze(-1)).sum() / weights.sum()
    torch.testing.assert_close(written.detach(), own.detach(), rtol=1e-12, atol=0)
    return written


def focal(t: Tensors) -> torch.Tensor:
    """PyTorch has none; that of the paper on its own logarithms of probabilities."""
    logs = -functional.cross_entropy(t["a"], t["y"] - 1, reduction="none")
    return -((1 - logs.exp()) ** 2 * logs).mean()


def contrast(t: Tensors) -> torch.Tensor:
    """Cross-entropy of the similarities, the pair of each row being its class."""
    return functional.cross_entropy(t["a"] @ t["b"].T / 0.1, torch.arange(len(t["a"])))


LOSS_PEERS: dict[str, Callable[[Tensors], torch.Tensor]] = {
    "log_cosh": lambda t: torch.log(torch.cosh(t["a"] - t["y"])).mean(),
    "poisson_nll": lambda t: functional.poisson_nll_loss(t["a"], t["y"]),
    "gaussian_nll": lambda t: functional.gaussian_nll_loss(t["a"], t["y"], t["v"]),
    "cross_entropy_index": lambda t: functional.cross_entropy(t["a"], t["y"] - 1),
    "cross_entropy_smoothed": lambda t: functional.cross_entropy(t["a"], t["y"] - 1, label_smoothing=0.1),
    "cross_entropy_weighted": weighted_cross_entropy,
    "nll": lambda t: functional.nll_loss(t["a"], t["y"] - 1),
    "focal": focal,
    "kl": lambda t: functional.kl_div(t["a"], t["y"], reduction="batchmean"),
    "hinge": lambda t: functional.relu(1 - t["y"] * t["a"]).mean(),
    "squared_hinge": lambda t: (functional.relu(1 - t["y"] * t["a"]) ** 2).mean(),
    "multi_hinge": lambda t: functional.multi_margin_loss(t["a"], t["y"] - 1),
    "cosine_embedding": lambda t: functional.cosine_embedding_loss(t["a"], t["b"], torch.sign(t["y"])),
    "triplet": lambda t: functional.triplet_margin_loss(t["a"], t["p"], t["q"]),
    "info_nce": contrast,
    "l1_penalty": lambda t: t["w"].abs().sum(),
    "l2_penalty": lambda t: (t["w"] ** 2).sum(),
}
