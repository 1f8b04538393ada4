"""Our contestants, by the public API alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

import symbackprop as sb
from benchmarks.contestants import RATE, Contestant, Result, repeat
from benchmarks.networks import Arrays, Case


def reference(case: Case) -> Callable[[Arrays], Result]:
    """Loss and gradients in float64, by the parameters."""
    f = _compile(case, "numpy", "float64")

    def evaluate(params: Arrays) -> Result:
        loss, gradients = f(params, **case.data)
        return float(loss), gradients

    return evaluate


def train(case: Case, dtype: str) -> Contestant:
    """A training step of the compiled function as it is returned by default."""
    return _train(case, "numpy", dtype)


def train_fused(case: Case, dtype: str) -> Contestant:
    """The same with loops over rows that numba has compiled."""
    return _train(case, "fused", dtype)


def _train(case: Case, target: str, dtype: str) -> Contestant:
    own = case.cast(dtype)
    f = _compile(case, target, dtype)
    rate = np.dtype(dtype).type(RATE)
    last: list[Any] = []

    def step() -> None:
        loss, gradients = f(own.params, **own.data)
        for name, gradient in gradients.items():
            gradient *= rate
            own.params[name] -= gradient
        last[:] = [loss]

    return Contestant(repeat(step), lambda: (float(last[0]), own.params))


def train_in_place(case: Case, dtype: str) -> Contestant:
    """The same as `sb.train` runs it, with targets that were checked once, and gradients written into kept arrays."""
    own = case.cast(dtype)
    f = _compile(case, "numpy", dtype, trust=True)
    rate = np.dtype(dtype).type(RATE)
    out = {name: np.empty_like(own.params[name]) for name in case.wrt}
    last: list[Any] = []

    def step() -> None:
        loss, _ = f(own.params, **own.data, out=out)
        for name, gradient in out.items():
            gradient *= rate
            own.params[name] -= gradient
        last[:] = [loss]

    return Contestant(repeat(step), lambda: (float(last[0]), own.params))


def train_straight(case: Case, dtype: str) -> Contestant:
    """Straight lines that numba compiles at one batch size, one step of gradient descent a call."""
    run = _Descent(case, dtype)
    return Contestant(repeat(lambda: run.take(1)), run.look)


def loop_straight(case: Case, dtype: str) -> Contestant:
    """The same, with all steps in one call."""
    run = _Descent(case, dtype)
    return Contestant(run.take, run.look)


class _Descent:
    """Parameters that go down the gradient."""

    def __init__(self, case: Case, dtype: str) -> None:
        own = case.cast(dtype)
        self.params, self.data, self.loss = own.params, own.data, 0.0
        self.f = sb.derive(case.program, list(case.wrt)).compile("numba", dtype, sizes={"N": len(own.data["x"])})

    def take(self, steps: int) -> None:
        """So many steps in one call."""
        losses, self.params = self.f.descend(self.params, RATE, steps, **self.data)
        self.loss = losses[-1]

    def look(self) -> Result:
        """The last loss and the parameters."""
        return float(self.loss), self.params


def train_on_jax(case: Case, dtype: str) -> Contestant:
    """Our derivation as JAX code, with the update of each parameter outside it."""
    own = case.cast(dtype)
    f = _compile(case, "jax", dtype)
    params = {name: jnp.asarray(a) for name, a in own.params.items()}
    data = {name: jnp.asarray(a) for name, a in own.data.items()}
    rate = np.dtype(dtype).type(RATE)
    last: list[Any] = []

    def step() -> None:
        loss, gradients = f(params, **data)
        for name, gradient in gradients.items():
            params[name] = params[name] - rate * gradient
        last[:] = [loss]

    return Contestant(repeat(step), lambda: (float(last[0]), params))


def train_in_jit(case: Case, dtype: str) -> Contestant:
    """The same in one compiled step, which may write into its parameters."""
    own = case.cast(dtype)
    f = _compile(case, "jax", dtype)
    data = {name: jnp.asarray(a) for name, a in own.data.items()}
    rate = np.dtype(dtype).type(RATE)

    @partial(jax.jit, donate_argnums=0)
    def descend(params: Arrays) -> tuple[Arrays, Any]:
        loss, gradients = f(params, **data)
        return {name: theta - rate * gradients[name] for name, theta in params.items()}, loss

    state: list[Any] = [{name: jnp.array(own.params[name]) for name in case.wrt}, None]

    def step() -> None:
        state[:] = descend(state[0])
        state[1].block_until_ready()

    return Contestant(repeat(step), lambda: (float(state[1]), state[0]))


def train_on_torch(case: Case, dtype: str) -> Contestant:
    """Our derivation as PyTorch code."""
    own = case.cast(dtype)
    f = _compile(case, "torch", dtype)
    params = {name: torch.from_numpy(a) for name, a in own.params.items()}
    data = {name: torch.from_numpy(a) for name, a in own.data.items()}
    last: list[Any] = []

    def step() -> None:
        loss, gradients = f(params, **data)
        for name, gradient in gradients.items():
            params[name].sub_(gradient, alpha=RATE)
        last[:] = [loss]

    return Contestant(repeat(step), lambda: (float(last[0]), {name: p.numpy() for name, p in params.items()}))


def differentiate(case: Case, dtype: str) -> Contestant:
    """Loss and gradients of any case."""
    return _differentiate(case, "numpy", dtype)


def differentiate_fused(case: Case, dtype: str) -> Contestant:
    """The same with loops over rows that numba has compiled."""
    return _differentiate(case, "fused", dtype)


def differentiate_on_jax(case: Case, dtype: str) -> Contestant:
    """The same as JAX code, which its jit has compiled."""
    return _differentiate(case, "jax", dtype, jnp.asarray)


def differentiate_on_torch(case: Case, dtype: str) -> Contestant:
    """The same as PyTorch code."""
    return _differentiate(case, "torch", dtype, torch.from_numpy)


def _differentiate(case: Case, target: str, dtype: str, make: Callable[[Any], Any] = np.asarray) -> Contestant:
    own = case.cast(dtype)
    f = _compile(case, target, dtype)
    params = {name: make(a) for name, a in own.params.items()}
    data = {name: make(a) for name, a in own.data.items()}
    last: list[Any] = []

    def step() -> None:
        last[:] = f(params, **data)

    return Contestant(repeat(step), lambda: (float(last[0]), last[1]))


def _compile(case: Case, target: str, dtype: str, trust: bool = False) -> Any:
    return sb.derive(case.program, list(case.wrt)).compile(target, dtype, trust)
