"""Deriving dense networks: time against depth and width, beside SymPy's diff and JAX's trace and compile."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import sympy

import symbackprop as sb
from benchmarks.contest import measure, write_table, write_time
from symbackprop.calculus.chain import derive
from symbackprop.calculus.programs import Program

DEPTHS = (2, 4, 8, 16, 32, 64)
WIDTHS = (3, 30, 300)
SMALL_DEPTHS = (2, 4)
ROUNDS = 5


def make_network(depth: int, width: int) -> sb.Network:
    """A tanh network of equal layers under squared error."""
    return sb.mlp([width] * (depth + 1), activation="tanh")


def derive_adjoints(program: Program) -> Callable[[], object]:
    """Adjoints and their steps, unfolded."""
    names = tuple(t.name for t in program.leaves if t.role.value == "param")
    return lambda: derive(program, "loss", names)


def derive_all(network: sb.Network) -> Callable[[], object]:
    """Adjoints, folds and the printed text."""
    return lambda: sb.derive(network).text()


def compile_jax(depth: int, width: int) -> Callable[[], object]:
    """JAX's trace and compile of the loss and its gradient for the same network."""
    rng = np.random.default_rng(0)
    params = [(rng.normal(size=(width, width)), np.zeros(width)) for _ in range(depth)]
    x, y = rng.normal(size=(32, width)), rng.normal(size=(32, width))

    def run() -> object:
        def loss(parameters: list[tuple[jax.Array, jax.Array]]) -> jax.Array:
            a = x
            for number, (weights, bias) in enumerate(parameters):
                z = a @ weights.T + bias
                a = jnp.tanh(z) if number < depth - 1 else z
            return jnp.mean((a - y) ** 2)

        return jax.jit(jax.value_and_grad(loss)).lower(params).compile()

    return run


def diff_expanded(depth: int) -> Callable[[], object]:
    """SymPy's diff of the loss written out for one sample at width 3, by every weight and bias."""
    program = sb.mlp([3] * (depth + 1), activation="tanh", batch=None).program
    loss = program.expand()
    names = [s for s in loss.free_symbols if s.name[0] in "Wb"]
    return lambda: [sympy.diff(loss, s) for s in names]


def report() -> str:
    """The two tables of this benchmark."""
    rows = []
    for depth in DEPTHS:
        network = make_network(depth, 3)
        found = measure(
            {
                "adjoints": derive_adjoints(network.program.core),
                "all": derive_all(network),
                "jax": compile_jax(depth, 3),
            },
            ROUNDS,
        )
        small = measure({"diff": diff_expanded(depth)}, 1)["diff"] if depth in SMALL_DEPTHS else None
        rows.append(
            (
                str(depth),
                write_time(found["adjoints"]),
                write_time(found["all"]),
                write_time(found["jax"]),
                f"{found['adjoints'] / found['jax']:.2f}",
                f"{found['all'] / found['jax']:.2f}",
                "-" if small is None else write_time(small),
            )
        )
    times = ("adjoints and steps", "with folds and text", "JAX trace and compile")
    head = ("layers", *times, "adjoints / JAX", "all / JAX", "SymPy diff, expanded")
    depth_table = write_table(head, rows)
    widths = []
    for width in WIDTHS:
        network = make_network(4, width)
        found = measure({"adjoints": derive_adjoints(network.program.core), "jax": compile_jax(4, width)}, ROUNDS)
        ratio = f"{found['adjoints'] / found['jax']:.3f}"
        widths.append((str(width), write_time(found["adjoints"]), write_time(found["jax"]), ratio))
    width_table = write_table(("width, 4 layers", "adjoints and steps", "JAX trace and compile", "ratio"), widths)
    return (
        "## Deriving dense networks\n\n"
        "tanh, squared error, batch N (32 for JAX). Medians of five interleaved rounds after one that does not count;\n"
        f"SymPy's column is one run at width 3 and one sample.\n\n{depth_table}\n\n{width_table}\n"
    )
