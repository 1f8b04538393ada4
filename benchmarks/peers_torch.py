"""Training steps of dense networks in PyTorch, eager and compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from benchmarks.contestants import RATE, Contestant, repeat
from benchmarks.networks import Case, Dense

ACTIVATIONS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}


def _start(network: Dense, case: Case, dtype: str) -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
    own = case.cast(dtype)
    names = [f"{name}{l}" for l in range(1, len(network.widths)) for name in "Wb"]
    params = [torch.from_numpy(own.params[name]) for name in names]
    return params, torch.from_numpy(own.data["x"]), torch.from_numpy(own.data["y"])


def _loss(network: Dense, params: list[torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    for place in range(0, len(params), 2):
        x = functional.linear(x, params[place], params[place + 1])
        if place + 2 < len(params):
            x = ACTIVATIONS[network.activation](x)
    return functional.mse_loss(x, y) if network.loss == "mse" else functional.cross_entropy(x, y)


def _look(params: list[torch.Tensor], last: list[Any]) -> Callable[[], tuple[float, dict[str, Any]]]:
    def look() -> tuple[float, dict[str, Any]]:
        return float(last[0]), {f"{'Wb'[k % 2]}{k // 2 + 1}": p.detach().numpy() for k, p in enumerate(params)}

    return look


def eager(network: Dense, case: Case, dtype: str) -> Contestant:
    """Autograd, and the update of all parameters in one call, as `torch.optim.SGD` does it."""
    params, x, y = _start(network, case, dtype)
    for p in params:
        p.requires_grad_()
    last: list[Any] = []

    def step() -> None:
        loss = _loss(network, params, x, y)
        gradients = torch.autograd.grad(loss, params)
        with torch.no_grad():
            torch._foreach_add_(params, gradients, alpha=-RATE)
        last[:] = [loss.detach()]

    return Contestant(repeat(step), _look(params, last))


def compiled(network: Dense, case: Case, dtype: str) -> Contestant:
    """The whole step, update included, in one graph of `torch.compile`."""
    torch._dynamo.reset()
    params, x, y = _start(network, case, dtype)
    differentiate = torch.func.grad_and_value(lambda p, x, y: _loss(network, p, x, y))

    @torch.compile(fullgraph=True, dynamic=False)
    def graph(params: list[torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        gradients, loss = differentiate(params, x, y)
        for p, g in zip(params, gradients, strict=True):
            p.sub_(g, alpha=RATE)
        return loss

    last: list[Any] = []

    def step() -> None:
        last[:] = [graph(params, x, y)]

    graph([p.clone() for p in params], x, y)  # compiles; what does not compile fails here
    return Contestant(repeat(step), _look(params, last))
