"""Training steps of dense networks in JAX, with synchronous dispatch, which is its faster one on small steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.contestants import RATE, Contestant, repeat
from benchmarks.networks import Case, Dense

ACTIVATIONS = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}
Parameters = list[tuple[Any, Any]]


def _start(network: Dense, case: Case, dtype: str) -> tuple[Parameters, Any, Any]:
    own = case.cast(dtype)
    layers = range(1, len(network.widths))
    params = [(jnp.array(own.params[f"W{l}"]), jnp.array(own.params[f"b{l}"])) for l in layers]
    return params, jnp.asarray(own.data["x"]), jnp.asarray(own.data["y"])


def _loss(network: Dense, params: Parameters, x: Any, y: Any) -> Any:
    for number, (w, b) in enumerate(params, 1):
        x = x @ w.T + b
        if number < len(params):
            x = ACTIVATIONS[network.activation](x)
    if network.loss == "mse":
        return jnp.mean((x - y) ** 2)
    return -jnp.sum(y * jax.nn.log_softmax(x)) / x.shape[0]


def _step(network: Dense, params: Parameters, x: Any, y: Any) -> tuple[Parameters, Any]:
    loss, gradients = jax.value_and_grad(partial(_loss, network))(params, x, y)
    return jax.tree.map(lambda p, g: p - RATE * g, params, gradients), loss


def _look(state: list[Any]) -> Callable[[], tuple[float, dict[str, Any]]]:
    def look() -> tuple[float, dict[str, Any]]:
        params, loss = state
        named = {f"W{l}": w for l, (w, _) in enumerate(params, 1)} | {f"b{l}": b for l, (_, b) in enumerate(params, 1)}
        return float(loss), named

    return look


def jit(network: Dense, case: Case, dtype: str) -> Contestant:
    """One compiled step that may write into its parameters."""
    params, x, y = _start(network, case, dtype)
    compiled = jax.jit(partial(_step, network), donate_argnums=0)
    state: list[Any] = [params, None]

    def step() -> None:
        state[:] = compiled(state[0], x, y)
        state[1].block_until_ready()

    return Contestant(repeat(step), _look(state))


def loop(network: Dense, case: Case, dtype: str) -> Contestant:
    """All steps in one compiled loop."""
    params, x, y = _start(network, case, dtype)

    def steps(count: Any, params: Parameters, x: Any, y: Any) -> tuple[Parameters, Any]:
        start = (params, jnp.zeros((), x.dtype))
        return jax.lax.fori_loop(0, count, lambda _, state: _step(network, state[0], x, y), start)

    compiled = jax.jit(steps, donate_argnums=1)
    state: list[Any] = [params, None]

    def run(times: int) -> None:
        state[:] = compiled(times, state[0], x, y)
        state[1].block_until_ready()

    return Contestant(run, _look(state))
