"""Layers of the catalogue with other settings than their own, against PyTorch's functions with the same."""

from __future__ import annotations

import pytest
import torch
from catalogue_cases import choose, find_cases
from peers_convolutions import CONVOLUTION_PEERS
from test_torch_catalogue import faults, leaves_of

import symbackprop as sb

Settings = dict[str, int]

CHOICES: list[tuple[str, Settings]] = [
    *[(f"conv{n}d", {"stride": 2, "padding": 1}) for n in (1, 2, 3)],
    *[(f"conv{n}d", {"stride": 3, "padding": 2, "dilation": 2}) for n in (1, 2)],
    ("conv3d", {"padding": 2, "dilation": 2}),
    ("depthwise_conv2d", {"stride": 2, "padding": 1}),
    ("depthwise_conv2d", {"padding": 2, "dilation": 2}),
    ("grouped_conv2d", {"groups": 3, "padding": 1}),
    ("grouped_conv2d", {"groups": 6, "stride": 2, "padding": 2, "dilation": 2}),
    *[(f"conv_transpose{n}d", {"stride": 2}) for n in (1, 2)],
    *[(f"conv_transpose{n}d", {"stride": 3, "padding": 1, "output_padding": 2}) for n in (1, 2)],
    *[(f"max_pool{n}d", {"stride": 1}) for n in (1, 2)],
    *[(f"max_pool{n}d", {"kernel": 3}) for n in (1, 2)],
    ("max_pool1d", {"kernel": 2, "stride": 3}),
    *[(f"avg_pool{n}d", {"stride": 1}) for n in (1, 2)],
    *[(f"avg_pool{n}d", {"kernel": 3, "padding": 1}) for n in (1, 2)],
    ("avg_pool2d", {"kernel": 4, "stride": 2, "padding": 2}),
    *[(f"upsample{n}d", {"factor": 3}) for n in (1, 2)],
]


@pytest.mark.parametrize(("name", "settings"), CHOICES, ids=str)
def test_value_and_gradients_are_those_of_pytorch(name: str, settings: Settings) -> None:
    """At every choice of sizes of the entry."""
    entry = choose(name, settings)
    for case in find_cases(entry):
        tensors = leaves_of(case)
        output = CONVOLUTION_PEERS[name](tensors, **settings)
        assert faults(case, (output * tensors["g"]).sum(), tensors) == [], case.sizes


def test_every_setting_is_chosen() -> None:
    """No setting of a convolution or of pooling is left untried."""
    for name in CONVOLUTION_PEERS:
        tried = {setting for chosen, settings in CHOICES if chosen == name for setting in settings}
        assert tried == set(sb.layer(name).fragment.settings), name


def test_a_planted_mistake_is_found() -> None:
    """Another stride is caught."""
    case = next(find_cases(choose("conv_transpose1d", {"stride": 2, "padding": 1})))
    tensors = leaves_of(case)
    wrong = torch.nn.functional.conv_transpose1d(tensors["x"], tensors["W"], stride=2, padding=1) * 1.0000001

    assert faults(case, (wrong * tensors["g"]).sum(), tensors)
