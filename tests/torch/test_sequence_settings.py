"""Normalisations and a recurrence with other settings than their own, against PyTorch's functions with the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from catalogue_cases import choose, find_cases
from peers_sequences import SEQUENCE_PEERS
from test_torch_catalogue import faults, leaves_of
from torch.nn import functional

EPS = 0.25
CHOICES: dict[str, tuple[dict[str, str], Callable[[dict[str, torch.Tensor]], torch.Tensor]]] = {
    "batch_norm": (
        {"eps": "0.25"},
        lambda t: functional.batch_norm(t["x"], None, None, t["gamma"], t["beta"], training=True, eps=EPS),
    ),
    "layer_norm": (
        {"eps": "0.25"},
        lambda t: functional.layer_norm(t["x"], t["x"].shape[-1:], t["gamma"], t["beta"], EPS),
    ),
    "rms_norm": ({"eps": "0.25"}, lambda t: functional.rms_norm(t["x"], t["x"].shape[-1:], t["gamma"], EPS)),
    "instance_norm": (
        {"eps": "0.25"},
        lambda t: functional.instance_norm(t["x"], weight=t["gamma"], bias=t["beta"], eps=EPS),
    ),
    "feed_forward": (
        {"function": "gelu"},
        lambda t: functional.linear(functional.gelu(functional.linear(t["x"], t["W"], t["b"])), t["O"], t["c"]),
    ),
}


@pytest.mark.parametrize("name", CHOICES)
def test_value_and_gradients_are_those_of_pytorch(name: str) -> None:
    """At every choice of sizes of the entry; with the settings of the entry itself they are not."""
    settings, peer = CHOICES[name]
    for case in find_cases(choose(name, settings)):
        tensors = leaves_of(case)
        assert faults(case, (peer(tensors) * tensors["g"]).sum(), tensors) == [], case.sizes
        assert faults(case, (SEQUENCE_PEERS[name](tensors) * tensors["g"]).sum(), tensors), case.sizes
