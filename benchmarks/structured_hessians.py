"""Hessians whole and as blocks, beside `jax.jacrev(jax.grad(f))` and `jax.hessian(f)` under jit, in float64."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import symbackprop as sb
from benchmarks.contest import measure, write_table, write_time

SIZES = (64, 256, 1024)
RANK = 5
ROUNDS = 5
CONTESTANTS = ("blocks", "whole", "reverse", "forward")
LOGISTIC = """
input X[N,D], y[N]
param w[D]
z[n] = sum(d, X[n,d]*w[d])
p[n] = sigmoid(z[n])
loss = -sum(n, y[n]*log(p[n]) + (1 - y[n])*log(1 - p[n]))
"""
FACTORISATION = """
input R[N,M]
param U[N,K], V[M,K]
loss = sum(n, m, (R[n,m] - sum(k, U[n,k]*V[m,k]))^2)
"""
Arrays = Mapping[str, Any]


def logistic_loss(w: jax.Array, given: Arrays) -> jax.Array:
    """The loss of logistic regression as a user of JAX writes it."""
    z = given["X"] @ w
    return jnp.sum(jax.nn.softplus(z) - given["y"] * z)


def factorisation_loss(u: jax.Array, given: Arrays) -> jax.Array:
    """The loss of a factorisation as a user of JAX writes it."""
    return jnp.sum((given["R"] - u @ given["V"].T) ** 2)


def make_logistic(n: int) -> tuple[str, str, Arrays, Arrays]:
    """The program, the parameter, and what stands in it: 2n samples of n features."""
    rng = np.random.default_rng(n)
    data = {"X": rng.normal(size=(2 * n, n)), "y": rng.integers(0, 2, 2 * n).astype(float)}
    return LOGISTIC, "w", {"w": rng.normal(size=n) / n**0.5}, data


def make_factorisation(n: int) -> tuple[str, str, Arrays, Arrays]:
    """The program, the parameter, and what stands in it: an n by n matrix of rank `RANK`."""
    rng = np.random.default_rng(n)
    params = {"U": rng.normal(size=(n, RANK)), "V": rng.normal(size=(n, RANK))}
    return FACTORISATION, "U", params, {"R": rng.normal(size=(n, n))}


def compare(problem: tuple[str, str, Arrays, Arrays], loss: Callable[..., jax.Array]) -> dict[str, float | None]:
    """The median times of everybody on one problem, whose results are compared first."""
    text, wrt, params, data = problem
    hessian = sb.derive(sb.parse(text)).hessian(wrt)
    blocks, whole = hessian.compile_blocks(), hessian.compile()
    given = {name: jnp.asarray(array) for name, array in {**params, **data}.items()}
    point = given.pop(wrt)
    reverse, forward = jax.jit(jax.jacrev(jax.grad(loss))), jax.jit(jax.hessian(loss))
    runs: dict[str, Callable[[], object]] = {
        "blocks": lambda: blocks(params, **data),
        "whole": lambda: whole(params, **data),
        "reverse": lambda: reverse(point, given).block_until_ready(),
        "forward": lambda: forward(point, given).block_until_ready(),
    }
    mine = blocks(params, **data)[wrt].dense()
    np.testing.assert_allclose(whole(params, **data)[1][wrt], mine, rtol=1e-10, atol=1e-10 * abs(mine).max())
    for name, theirs in (("reverse", reverse), ("forward", forward)):
        try:
            expected = np.asarray(theirs(point, given))
        except jax.errors.JaxRuntimeError:  # it asks for more memory than there is
            del runs[name]
            continue
        np.testing.assert_allclose(mine, expected, rtol=1e-10, atol=1e-10 * abs(expected).max())
    counts = {name: count_calls(run) for name, run in runs.items()}
    found = measure({name: repeat(run, counts[name]) for name, run in runs.items()}, ROUNDS)
    return {name: found[name] / counts[name] if name in found else None for name in CONTESTANTS}


def count_calls(run: Callable[[], object]) -> int:
    """How many calls take about 20 ms, one at least."""
    start = time.perf_counter()
    run()
    return max(1, int(0.02 / (time.perf_counter() - start)))


def repeat(run: Callable[[], object], count: int) -> Callable[[], object]:
    """So many calls as one."""

    def calls() -> None:
        for _ in range(count):
            run()

    return calls


def show(seconds: float | None) -> str:
    """A time, or that there was not the memory."""
    return "out of memory" if seconds is None else write_time(seconds)


def ratio(theirs: float | None, ours: float | None) -> str:
    """How many times as long as ours theirs takes."""
    return "-" if theirs is None or ours is None else f"{theirs / ours:,.1f}"


def report() -> str:
    """The table of this benchmark."""
    jax.config.update("jax_enable_x64", True)
    rows = []
    for title, make, loss in (
        ("logistic regression", make_logistic, logistic_loss),
        (f"factorisation by U, rank {RANK}", make_factorisation, factorisation_loss),
    ):
        for n in SIZES:
            found = compare(make(n), loss)
            times = (show(found[name]) for name in CONTESTANTS)
            fastest = min((t for t in (found["reverse"], found["forward"]) if t is not None), default=None)
            rows.append((title, str(n), *times, ratio(fastest, found["blocks"]), ratio(fastest, found["whole"])))
    head = ("problem", "n", "blocks", "whole", "jacrev(grad)", "hessian", "JAX / blocks", "JAX / whole")
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "all")
    return (
        "## Hessians\n\n"
        "float64, X is 2n x n, R is n x n. Blocks are what `compile_blocks` returns, whole is the array of `compile`,\n"
        "which also computes the gradient; the ratios are to the faster of the two of JAX. Medians of\n"
        f"{ROUNDS} interleaved rounds, JAX dispatching synchronously, BLAS threads: {threads}.\n\n"
        f"{write_table(head, rows)}\n"
    )


if __name__ == "__main__":
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    print(report())
