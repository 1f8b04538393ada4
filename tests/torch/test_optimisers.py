"""The update rules give torch.optim's numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from symbackprop.training import SGD, Adam, Momentum, Optimizer

PAIRS: tuple[tuple[Optimizer, Callable[[list[torch.Tensor]], torch.optim.Optimizer]], ...] = (
    (SGD(0.1), lambda tensors: torch.optim.SGD(tensors, lr=0.1)),
    (Momentum(0.05), lambda tensors: torch.optim.SGD(tensors, lr=0.05, momentum=0.9)),
    (Momentum(0.05, beta=0.5), lambda tensors: torch.optim.SGD(tensors, lr=0.05, momentum=0.5)),
    (Adam(), lambda tensors: torch.optim.Adam(tensors)),
    (
        Adam(0.1, beta1=0.8, beta2=0.9, eps=1e-4),
        lambda tensors: torch.optim.Adam(tensors, lr=0.1, betas=(0.8, 0.9), eps=1e-4),
    ),
)


def follow_both(optimizer: Optimizer, make: Any, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the parameter after the same gradients under our rule and under PyTorch's."""
    generator = np.random.default_rng(3)
    start = generator.normal(size=(4, 5))
    params = {"w": start.copy()}
    memory = optimizer.start(params)
    tensor = torch.tensor(start, requires_grad=True)
    other = make([tensor])
    for step in range(1, steps + 1):
        gradient = generator.normal(size=start.shape) * 10.0 ** generator.integers(-4, 3)
        optimizer.update(params, {"w": gradient}, memory, step)
        tensor.grad = torch.tensor(gradient)
        other.step()
    return params["w"], tensor.detach().numpy()


@pytest.mark.parametrize(("optimizer", "make"), PAIRS, ids=[str(pair[0]) for pair in PAIRS])
def test_a_hundred_steps_equal_those_of_torch(optimizer: Optimizer, make: Any) -> None:
    """A hundred steps with gradients of very different sizes agree with torch.optim to 1e-12."""
    ours, theirs = follow_both(optimizer, make, 100)

    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_another_constant_is_seen() -> None:
    """The comparison can fail: another epsilon gives other numbers."""
    ours, theirs = follow_both(Adam(eps=1e-6), lambda tensors: torch.optim.Adam(tensors), 20)

    assert np.abs(ours - theirs).max() > 1e-9
