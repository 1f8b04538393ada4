"""From a network to its first gradient in numbers: deriving and generating code, beside JAX's tracing and compiling."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np

import symbackprop as sb
from benchmarks.contest import Pace, write_table, write_time
from benchmarks.processes import call

DEPTHS = (2, 4, 8, 16, 32, 64)
WIDTHS = (3, 30, 300)
DEPTH, WIDTH, BATCH = 4, 3, 32  # where the other one varies

Arrays = dict[str, np.ndarray]


def start_ours(depth: int, width: int, x: np.ndarray, y: np.ndarray) -> tuple[float, Arrays]:
    """Write a tanh network under squared error, derive it, compile it for NumPy and run it once."""
    network = sb.mlp([width] * (depth + 1), activation="tanh")
    loss, gradients = sb.derive(network).compile()(_parameters(depth, width), x=x, y=y)
    return float(loss), gradients


def start_jax(depth: int, width: int, x: np.ndarray, y: np.ndarray) -> tuple[float, Arrays]:
    """Trace, compile and run the same."""

    def loss(p: Arrays) -> jax.Array:
        a = x
        for l in range(1, depth + 1):
            z = a @ p[f"W{l}"].T + p[f"b{l}"]
            a = jnp.tanh(z) if l < depth else z
        return jnp.mean((a - y) ** 2)

    value, gradients = jax.jit(jax.value_and_grad(loss))(_parameters(depth, width))
    return float(value), {name: np.asarray(g) for name, g in gradients.items()}


STARTERS: dict[str, Callable[..., tuple[float, Arrays]]] = {"ours": start_ours, "jax": start_jax}


def time_start(name: str, depth: int, width: int) -> Iterator[list[float]]:
    """The seconds of the first network in a process, and of another one that is one unit wider."""
    jnp.zeros(1).block_until_ready()  # JAX finds its devices
    times = []
    for units in (width, width + 1):
        x, y = _data(units)
        start = time.perf_counter()
        STARTERS[name](depth, units, x, y)
        times.append(time.perf_counter() - start)
    yield times


def report(pace: Pace) -> str:
    """A table by depth and one by width."""
    depths, widths, rounds = (DEPTHS, WIDTHS, 3) if not pace.quick else (DEPTHS[:1], (), 1)
    times = ("first in a process", "JAX", "ratio", "another one", "JAX", "ratio")
    by_depth = {depth: _row(depth, WIDTH, rounds) for depth in depths}
    tables = [write_table(("layers, width 3", *times), [(str(depth), *row) for depth, row in by_depth.items()])]
    if widths:
        by_width = {w: by_depth[DEPTH] if w == WIDTH else _row(DEPTH, w, rounds) for w in widths}
        tables.append(write_table(("width, 4 layers", *times), [(str(w), *row) for w, row in by_width.items()]))
    return (
        "## From a network to its first gradient\n\n"
        "tanh, squared error, batch 32, float64: the network written, derived, compiled for NumPy and run once,\n"
        "against JAX's trace, compilation and first run. The first in a new process, whose imports do not count, then\n"
        f"another one that is a unit wider; medians of {rounds} processes each.\n\n" + "\n\n".join(tables) + "\n"
    )


def _row(depth: int, width: int, rounds: int) -> tuple[str, ...]:
    found: dict[str, list[list[float]]] = {name: [] for name in STARTERS}
    for _ in range(rounds):
        for name, times in found.items():
            times += call("first_gradient", "time_start", 1, name=name, depth=depth, width=width)
    cells: list[str] = []
    for place in (0, 1):
        ours, theirs = (statistics.median(t[place] for t in found[name]) for name in ("ours", "jax"))
        cells += [write_time(ours), write_time(theirs), f"{ours / theirs:.2f}"]
    return tuple(cells)


def _parameters(depth: int, width: int) -> Arrays:
    rng = np.random.default_rng(0)
    weights = {f"W{l}": rng.normal(size=(width, width)) / width**0.5 for l in range(1, depth + 1)}
    return weights | {f"b{l}": np.zeros(width) for l in range(1, depth + 1)}


def _data(width: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(BATCH, width)), rng.normal(size=(BATCH, width))
