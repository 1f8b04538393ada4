"""Training steps: ours, by hand, and of other libraries, compared before they are timed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from benchmarks.contest import FULL, QUICK, Pace, race, write_table, write_time
from benchmarks.contestants import RATE, Contestant, compare, gather
from benchmarks.networks import DENSE, LAYERS, Case
from benchmarks.ours import reference
from benchmarks.processes import call, cores

BASIS = "careful NumPy"
TRAINERS = {
    "careful NumPy": "peers_numpy:careful",
    "plain NumPy": "peers_numpy:plain",
    "matrix products alone": "peers_numpy:products",
    "PyTorch eager": "peers_torch:eager",
    "torch.compile": "peers_torch:compiled",
    "JAX jit": "peers_jax:jit",
    "JAX loop inside jit": "peers_jax:loop",
    "HIPS autograd": "peers_autograd:train",
    "PyTensor": "peers_pytensor:train",
}
OUR_TRAINERS = {
    "symbackprop": "ours:train",
    "symbackprop, trusting, in place": "ours:train_in_place",
    "symbackprop on numba": "ours:train_fused",
    "symbackprop on JAX": "ours:train_on_jax",
    "symbackprop on JAX, in jit": "ours:train_in_jit",
    "symbackprop on PyTorch": "ours:train_on_torch",
}
STRAIGHT_TRAINERS = {
    "symbackprop, straight lines": "ours:train_straight",
    "symbackprop, straight lines, loop": "ours:loop_straight",
}
SHORT = 10
"""Layers of fewer units are written out in straight lines."""
COMPILERS = ("torch.compile", "PyTensor")
DIFFERENTIATORS = {
    "symbackprop": "ours:differentiate",
    "symbackprop on numba": "ours:differentiate_fused",
    "symbackprop on JAX": "ours:differentiate_on_jax",
    "symbackprop on PyTorch": "ours:differentiate_on_torch",
    "PyTorch eager": "layers_torch:differentiate",
    "JAX jit": "layers_jax:differentiate",
}
QUICK_LAYERS = ("layer norm", "softmax CE", "attention")
DTYPES = ("float32", "float64")
HOW = (
    "All contestants of a table run\n"
    "in one process and take turns of about 20 ms; the median is over the rounds. JAX dispatches synchronously,\n"
    "which is faster for small steps."
)

Row = dict[str, Any]


def race_dense(dtype: str, quick: bool) -> Iterator[Row]:
    """The times of a training step of every dense network, by contestant."""
    pace = QUICK if quick else FULL
    makers = {name: place for name, place in TRAINERS.items() if not (quick and name in COMPILERS)}
    own = {name: place for name, place in OUR_TRAINERS.items() if not (quick and " on " in name)}
    for network in DENSE:
        case = network.case()
        straight = STRAIGHT_TRAINERS if max(network.widths) < SHORT else {}
        ours, absent = gather(own | straight, case, dtype)
        peers, missing = gather(makers, network, case, dtype, breakable=COMPILERS)
        contestants = ours | peers
        check_training(case, contestants, dtype)
        yield _time(case, contestants, absent | missing, pace)


def race_layers(dtype: str, quick: bool) -> Iterator[Row]:
    """The times of loss and gradients of the other networks, by contestant."""
    for make in [LAYERS[name] for name in QUICK_LAYERS] if quick else LAYERS.values():
        case = make()
        contestants, absent = gather(DIFFERENTIATORS, case, dtype)
        check_gradients(case, contestants, dtype)
        yield _time(case, contestants, absent, QUICK if quick else FULL)


def check_training(case: Case, contestants: Mapping[str, Contestant], dtype: str) -> None:
    """Take two steps with each; DisagreementError unless its loss is ours, and its gradients, as its parameters tell
    them by their change."""
    evaluate, exact = reference(case), case.params
    known = dict.fromkeys(contestants, case.params)
    for _ in range(2):
        wanted = evaluate(exact)
        for name, contestant in contestants.items():
            contestant.run(1)
            if contestant.check:
                loss, params = contestant.look()
                now = {key: np.array(value, "float64") for key, value in params.items()}
                gradients = {key: (known[name][key] - value) / RATE for key, value in now.items()}
                compare(name, (loss, gradients), wanted, dtype)
                known[name] = now
        exact = {key: value - RATE * wanted[1][key] for key, value in exact.items()}


def check_gradients(case: Case, contestants: Mapping[str, Contestant], dtype: str) -> None:
    """Take a step with each; DisagreementError unless loss and gradients are ours."""
    wanted = reference(case)(case.params)
    for name, contestant in contestants.items():
        contestant.run(1)
        compare(name, contestant.look(), wanted, dtype)


def _time(case: Case, contestants: Mapping[str, Contestant], absent: Mapping[str, str], pace: Pace) -> Row:
    seconds = race({name: contestant.run for name, contestant in contestants.items()}, pace)
    return {"case": case.name, "seconds": seconds, "absent": dict(absent)}


def report_dense(pace: Pace) -> str:
    """A table of contestants by networks for each number of threads and each precision."""
    parts: list[str] = []
    names = [*OUR_TRAINERS, *STRAIGHT_TRAINERS, *TRAINERS]
    for threads, dtype in _settings(pace):
        rows = call("steps", "race_dense", threads, dtype=dtype, quick=pace.quick)
        parts.append(f"### {_say(threads)}, {dtype}\n\n{write_race(rows, names, BASIS)}")
    return (
        "## Training steps of dense networks\n\n"
        "Forward pass, loss, backward pass and update by gradient descent; widths, activation, loss and batch head\n"
        "the columns. A cell is the median time of a step, then that time divided by the one of careful NumPy, which\n"
        "is written by hand with every array made once. `symbackprop` is `f = derivation.compile(...)` and a loop\n"
        "over the parameters, `on numba` the same with the target `fused`; `in place` trusts that targets sum to one,\n"
        "as `sb.train` does once it has checked them, and has `out=`; `in jit` has the update in one compiled step,\n"
        "as JAX's own. `straight lines` are the target `numba`, for the tiny ones: one step a call of `descend`, or\n"
        "all in one call, as in JAX's loop. All losses and gradients of two steps were found equal before anything\n"
        "was timed (relative to the largest entry 1e-10 in float64, 1e-4 in float32).\n"
        f"{HOW}\n\n" + "\n\n".join(parts) + "\n"
    )


def report_layers(pace: Pace) -> str:
    """A table of other networks by contestants for each number of threads and each precision."""
    parts = []
    for threads, dtype in _settings(pace):
        rows = call("steps", "race_layers", threads, dtype=dtype, quick=pace.quick)
        parts.append(f"### {_say(threads)}, {dtype}\n\n{write_race(rows, list(DIFFERENTIATORS), 'PyTorch eager')}")
    return (
        "## Loss and gradients of other networks\n\n"
        "A convolutional network (28 by 28, batch 32; 3 by 3 to 16 and to 32 channels, each with relu and maximum\n"
        "pooling; 10 classes), an LSTM (64 steps, batch 16, width 128), a transformer (two blocks, width 128, 4\n"
        "heads, 64 tokens, batch 8), layer normalisation (256 by 1024), cross-entropy after softmax (512 by 4096\n"
        "classes) and attention (8 heads, 256 tokens, width 64). `on numba` is the target `fused`. A cell is the\n"
        "median time, then that time divided by PyTorch's. Losses and all gradients were compared first, as above.\n"
        f"{HOW}\n\n" + "\n\n".join(parts) + "\n"
    )


def write_race(rows: list[Row], names: list[str], basis: str) -> str:
    """A table with a line for each contestant, and below it why some are absent.

    >>> rows = [{"case": "small", "seconds": {"a": 0.002, "b": 0.001}, "absent": {"c": "c is not installed"}}]
    >>> print(write_race(rows, ["a", "b", "c"], "b"))
    | contestant | small |
    |---|---|
    | a | 2 ms, 2.00 |
    | b | 1 ms, 1.00 |
    | c | absent |
    <BLANKLINE>
    Absent: c (c is not installed).
    """
    lines = []
    for name in names:
        cells = [_write_cell(row["seconds"], name, basis) for row in rows]
        if any(cell != "-" for cell in cells) or any(name in row["absent"] for row in rows):
            lines.append((name, *("absent" if name in r["absent"] else c for r, c in zip(rows, cells, strict=True))))
    table = write_table(("contestant", *(row["case"] for row in rows)), lines)
    reasons = {name: reason for row in rows for name, reason in row["absent"].items()}
    said = "; ".join(f"{name} ({reason})" for name, reason in reasons.items())
    return f"{table}\n\nAbsent: {said}." if said else table


def _write_cell(seconds: Mapping[str, float], name: str, basis: str) -> str:
    return f"{write_time(seconds[name])}, {seconds[name] / seconds[basis]:.2f}" if name in seconds else "-"


def _settings(pace: Pace) -> list[tuple[int, str]]:
    """Threads and precisions: one and two where there are two cores; one of each to be quick."""
    if pace.quick:
        return [(1, DTYPES[0])]
    return [(threads, dtype) for threads in (1, 2) if threads <= max(1, len(cores())) for dtype in DTYPES]


def _say(threads: int) -> str:
    return "One thread, pinned to a core" if threads == 1 else f"{threads} threads"
