"""Deriving dense networks: time against depth and width, beside SymPy's diff and JAX's trace and compile."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import sympy

import symbackprop as sb
from benchmarks.contest import Pace, measure, write_table, write_time
from symbackprop.calculus.chain import derive
from symbackprop.calculus.programs import Program

DEPTHS = (2, 4, 8, 16, 32, 64)
WIDTHS = (3, 30, 300)
SMALL_DEPTHS = (2, 4)
ROUNDS = 5
ATTENTION = """
input x[B,T,M], y[B,T,M]
param Wq[H,D,M], Wk[H,D,M], Wv[H,D,M], Wo[M,H,D]
q[b,h,t,d] = sum(m, Wq[h,d,m]*x[b,t,m])
k[b,h,u,d] = sum(m, Wk[h,d,m]*x[b,u,m])
v[b,h,u,d] = sum(m, Wv[h,d,m]*x[b,u,m])
s[b,h,t,u] = sum(d, q[b,h,t,d]*k[b,h,u,d])/sqrt(D)
p[b,h,t,u] = exp(s[b,h,t,u])/sum(w, exp(s[b,h,t,w]))
o[b,h,t,d] = sum(u, p[b,h,t,u]*v[b,h,u,d])
z[b,t,m] = sum(h, d, Wo[m,h,d]*o[b,h,t,d])
loss = sum(b, t, m, (z[b,t,m] - y[b,t,m])^2)/(B*T*M)
"""
"""Self-attention of a batch with several heads and four projections."""


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


def fold_all(program: sb.Program) -> Callable[[], object]:
    """Adjoints and folds."""
    return lambda: sb.derive(program).folding


def report_limits(rounds: int) -> str:
    """What has a time that it is held to, with the time that it takes."""
    deep, equal, attention = make_network(1000, 3), make_network(64, 3), sb.parse(ATTENTION)
    found = measure(
        {
            "1,000 dense layers: adjoints and steps (folds are lazy)": derive_adjoints(deep.program.core),
            "attention, several heads, four projections: adjoints and folds": fold_all(attention),
            "64 equal dense layers: adjoints, folds and text": derive_all(equal),
        },
        rounds,
    )
    limits = (1.0, 0.2, 1.0)
    rows = [
        (name, write_time(seconds), write_time(limit))
        for (name, seconds), limit in zip(found.items(), limits, strict=True)
    ]
    return write_table(("derived", "median", "to be below"), rows)


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


def report(pace: Pace) -> str:
    """The tables of this benchmark."""
    rounds, rows = min(ROUNDS, pace.rounds), []
    for depth in DEPTHS[: 2 if pace.quick else None]:
        network = make_network(depth, 3)
        found = measure(
            {
                "adjoints": derive_adjoints(network.program.core),
                "all": derive_all(network),
                "jax": compile_jax(depth, 3),
            },
            rounds,
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
        found = measure({"adjoints": derive_adjoints(network.program.core), "jax": compile_jax(4, width)}, rounds)
        ratio = f"{found['adjoints'] / found['jax']:.3f}"
        widths.append((str(width), write_time(found["adjoints"]), write_time(found["jax"]), ratio))
    width_table = write_table(("width, 4 layers", "adjoints and steps", "JAX trace and compile", "ratio"), widths)
    return (
        f"## Deriving, by the limits that are set\n\n{report_limits(rounds)}\n\n"
        "## Deriving dense networks\n\n"
        f"tanh, squared error, batch N (32 for JAX). Medians of {rounds} interleaved rounds after one that does not\n"
        f"count; SymPy's column is one run at width 3 and one sample.\n\n{depth_table}\n\n{width_table}\n"
    )
