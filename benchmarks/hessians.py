"""Second derivatives: ours, of JAX and of PyTorch, compared with closed forms in NumPy, written by hand."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

import symbackprop as sb
from benchmarks.contest import Pace, write_table, write_time
from benchmarks.contestants import compare
from benchmarks.processes import ProcessError, attempt

SIZES = (64, 256, 1024)
FACTORS = 5
LIMIT = 20.0  # seconds; what takes longer is not waited for
SLOW = 1.0  # seconds; from here on one run is enough
GIGABYTES = 8.0
SHORTAGES = ("MemoryError", "RESOURCE_EXHAUSTED", "allocate memory", "bad_alloc")

Arrays = dict[str, np.ndarray]
Run = Callable[[], Any]

LOGISTIC = """
input X[N,D], y[N]
param w[D]
z[n] = sum(d, X[n,d]*w[d])
loss = sum(n, softplus(z[n]) - y[n]*z[n])/N
"""
FACTORISATION = """
input A[I,J], V[J,K]
param U[I,K]
loss = sum(i, j, (A[i,j] - sum(k, U[i,k]*V[j,k]))^2)/2
"""


def _logistic_data(n: int) -> Arrays:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2 * n, n))
    return {"w": rng.normal(size=n) / n**0.5, "X": x, "y": rng.integers(0, 2, 2 * n).astype("float64")}


def _factorisation_data(n: int) -> Arrays:
    rng = np.random.default_rng(0)
    shapes = {"U": (n, FACTORS), "A": (n, n), "V": (n, FACTORS)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def _logistic_form(a: Arrays) -> Any:
    s = 1 / (1 + np.exp(-(a["X"] @ a["w"])))
    scaled = a["X"] * np.sqrt(s * (1 - s) / len(s))[:, None]
    return scaled.T @ scaled


def _factorisation_form(a: Arrays) -> Any:
    n, k = a["U"].shape
    hessian = np.zeros((n, k, n, k))
    places = np.arange(n)
    hessian[places, :, places, :] = a["V"].T @ a["V"]
    return hessian


def _logistic_jax(w: Any, a: Arrays) -> Any:
    z = a["X"] @ w
    return jnp.sum(jax.nn.softplus(z) - a["y"] * z) / len(z)


def _logistic_torch(w: Any, a: Mapping[str, Any]) -> Any:
    z = a["X"] @ w
    return torch.sum(torch.nn.functional.softplus(z) - a["y"] * z) / len(z)


def _factorisation_loss(u: Any, a: Mapping[str, Any]) -> Any:
    return ((a["A"] - u @ a["V"].T) ** 2).sum() / 2


# A program, what it is derived by, its data, the closed form, and the loss for JAX and for PyTorch.
PROBLEMS: dict[str, tuple[str, str, Callable[[int], Arrays], Callable[[Arrays], Any], Any, Any]] = {
    "logistic regression": (LOGISTIC, "w", _logistic_data, _logistic_form, _logistic_jax, _logistic_torch),
    "matrix factorisation": (
        FACTORISATION,
        "U",
        _factorisation_data,
        _factorisation_form,
        _factorisation_loss,
        _factorisation_loss,
    ),
}


def run_closed_form(problem: str, arrays: Arrays) -> Run:
    """The formula of a textbook in NumPy, with all entries written out."""
    return lambda: PROBLEMS[problem][3](arrays)


def run_ours(problem: str, arrays: Arrays) -> Run:
    """What the public API gives."""
    text, wrt, *_ = PROBLEMS[problem]
    f = sb.derive(sb.parse(text), wrt).hessian(wrt).compile()
    params, data = {wrt: arrays[wrt]}, {name: a for name, a in arrays.items() if name != wrt}
    return lambda: f(params, **data)[1][wrt]


def run_jax_hessian(problem: str, arrays: Arrays) -> Run:
    """`jax.hessian`, forward over reverse, compiled."""
    return _run_jax(jax.hessian(PROBLEMS[problem][4]), PROBLEMS[problem][1], arrays)


def run_jax_reverse(problem: str, arrays: Arrays) -> Run:
    """Reverse over reverse, compiled."""
    return _run_jax(jax.jacrev(jax.grad(PROBLEMS[problem][4])), PROBLEMS[problem][1], arrays)


def run_torch(problem: str, arrays: Arrays) -> Run:
    """`torch.func.hessian`."""
    tensors = {name: torch.from_numpy(a) for name, a in arrays.items()}
    hessian = torch.func.hessian(PROBLEMS[problem][5])
    return lambda: hessian(tensors[PROBLEMS[problem][1]], tensors)


def _run_jax(hessian: Callable[..., Any], wrt: str, arrays: Arrays) -> Run:
    compiled = jax.jit(hessian)
    own = {name: jnp.asarray(a) for name, a in arrays.items()}
    return lambda: compiled(own[wrt], own).block_until_ready()


CONTESTANTS: dict[str, Callable[[str, Arrays], Run]] = {
    "symbackprop": run_ours,
    "closed form in NumPy": run_closed_form,
    "jax.hessian": run_jax_hessian,
    "jax.jacrev(jax.grad)": run_jax_reverse,
    "torch.func.hessian": run_torch,
}


def time_hessian(problem: str, name: str, sizes: list[int], rounds: int) -> Iterator[list[float]]:
    """Each size and its median time, compared with the closed form first, in a run that does not count.

    None is begun that has 16 times the entries of one that took a sixteenth of the limit.
    """
    for n in sizes:
        arrays = PROBLEMS[problem][2](n)
        run = CONTESTANTS[name](problem, arrays)
        found, wanted = run(), PROBLEMS[problem][3](arrays)
        compare(f"{name}, {problem}, {n}", (0, {"H": found}), (0, {"H": wanted}), "float64")
        times = [_time(run)]
        if times[0] < SLOW:
            times += [_time(run) for _ in range(rounds - 1)]
        yield [n, statistics.median(times)]
        if times[0] * 16 > LIMIT:
            return


def _time(run: Run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def say_end(ended: str) -> str:
    """A cell that has no time; ProcessError for an end that is no limit of ours."""
    if not ended:
        return "-"
    if ended.startswith("over"):
        return ended
    if any(text in ended for text in SHORTAGES):
        return f"over {GIGABYTES:g} GB"
    raise ProcessError(ended)


def report(pace: Pace) -> str:
    """A table for each problem."""
    sizes = SIZES[:1] if pace.quick else SIZES
    tables = []
    for problem in list(PROBLEMS)[: 1 if pace.quick else None]:
        rows = []
        for name in list(CONTESTANTS)[: 3 if pace.quick else None]:
            arguments = {"problem": problem, "name": name, "sizes": list(sizes), "rounds": pace.rounds}
            outcome = attempt("hessians", "time_hessian", 1, 3 * LIMIT, GIGABYTES, **arguments)
            known = {int(n): seconds for n, seconds in outcome.values}
            why = say_end(outcome.ended)
            rows.append((name, *(write_time(known[n]) if n in known else why for n in sizes)))
        tables.append(write_table((problem, *map(str, sizes)), rows))
    return (
        "## Hessians\n\n"
        "float64, one thread, medians by the size n: logistic regression (X is 2n by n) by w, and matrix\n"
        "factorisation (n by n, five factors) by one factor, whose Hessian is V^T V for each row; all entries are\n"
        "written out. Each was compared with the closed form first, in a run that does not count. `-` was not begun,\n"
        f"because a quarter of that size took over {LIMIT / 16:.2g} s, and so it over {LIMIT:g} s; a process has\n"
        f"{3 * LIMIT:g} s and {GIGABYTES:g} GB of data for all its sizes; what takes over {SLOW:g} s is timed once.\n\n"
        + "\n\n".join(tables)
        + "\n"
    )
