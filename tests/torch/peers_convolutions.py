"""PyTorch's own functions for the convolutions and the pooling of the catalogue, by their settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.nn import functional

Tensors = Mapping[str, torch.Tensor]


def _convolve(function: Callable[..., torch.Tensor], t: Tensors, **settings: int) -> torch.Tensor:
    return function(t["x"], t["W"], t["b"], **settings)


def _convolve_depthwise(t: Tensors, **settings: int) -> torch.Tensor:
    return functional.conv2d(t["x"], t["W"][:, None], t["b"], groups=len(t["b"]), **settings)


def _pool(function: Callable[..., torch.Tensor], t: Tensors, kernel: int = 2, **settings: int) -> torch.Tensor:
    return function(t["x"], kernel, **settings)


CONVOLUTION_PEERS: dict[str, Callable[..., torch.Tensor]] = {
    "conv1d": lambda t, **s: _convolve(functional.conv1d, t, **s),
    "conv2d": lambda t, **s: _convolve(functional.conv2d, t, **s),
    "conv3d": lambda t, **s: _convolve(functional.conv3d, t, **s),
    "depthwise_conv2d": _convolve_depthwise,
    "grouped_conv2d": lambda t, groups=2, **s: _convolve(functional.conv2d, t, groups=groups, **s),
    "conv_transpose1d": lambda t, **s: _convolve(functional.conv_transpose1d, t, **s),
    "conv_transpose2d": lambda t, **s: _convolve(functional.conv_transpose2d, t, **s),
    "max_pool1d": lambda t, **s: _pool(functional.max_pool1d, t, **s),
    "max_pool2d": lambda t, **s: _pool(functional.max_pool2d, t, **s),
    "avg_pool1d": lambda t, **s: _pool(functional.avg_pool1d, t, **s),
    "avg_pool2d": lambda t, **s: _pool(functional.avg_pool2d, t, **s),
    "global_avg_pool1d": lambda t: functional.adaptive_avg_pool1d(t["x"], 1)[..., 0],
    "global_avg_pool2d": lambda t: functional.adaptive_avg_pool2d(t["x"], 1)[..., 0, 0],
    "global_max_pool1d": lambda t: functional.adaptive_max_pool1d(t["x"], 1)[..., 0],
    "global_max_pool2d": lambda t: functional.adaptive_max_pool2d(t["x"], 1)[..., 0, 0],
    "upsample1d": lambda t, factor=2: functional.interpolate(t["x"], scale_factor=factor, mode="nearest"),
    "upsample2d": lambda t, factor=2: functional.interpolate(t["x"], scale_factor=factor, mode="nearest"),
}
