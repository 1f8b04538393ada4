"""Epochs in one call, by JAX and as straight-line code, against a step at a time in NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.training import ScannedSteps, Schedule, cosine, run_training, warm_up
from symbackprop.training.optimizers import Adam, ClipByNorm, Nesterov, WeightDecay

RNG = np.random.default_rng(0)
X = RNG.normal(size=(11, 3))
Y = np.sin(X[:, :2])
RATE: Schedule = warm_up(cosine(0.05, 30), 4)
RULES = (
    sb.SGD(0.1), sb.Momentum(0.05), Nesterov(0.05), sb.Adam(0.02), Adam(RATE),
    ClipByNorm(WeightDecay(sb.SGD(0.3), 0.01), 0.1),
)  # fmt: skip


def run(target: str, optimizer: Any = None, **more: Any) -> sb.Training:
    """Five epochs of three whole batches of three samples and one of two."""
    network = sb.mlp([3, 4, 2], activation="tanh")
    settings = {"epochs": 5, "batch_size": 3, "progress": False, **more}
    return sb.train(network, X, Y, optimizer or sb.SGD(0.1), target=target, **settings)


def farthest(one: sb.Training, other: sb.Training) -> float:
    """The largest distance of a parameter or a loss."""
    assert len(one.history) == len(other.history)
    distances = [float(np.max(np.abs(one.params[name] - array))) for name, array in other.params.items()]
    return max(*distances, float(np.max(np.abs(np.subtract(one.history, other.history)))))


@pytest.mark.parametrize("optimizer", RULES, ids=lambda rule: f"{type(rule).__name__} {rule.rule.name}")
def test_jax_scans_to_what_numpy_steps_to(optimizer: Any) -> None:
    """Every kind of rule: with state, with a schedule, with a sum over all gradients."""
    assert farthest(run("jax", optimizer), run("numpy", optimizer)) < 1e-12


@pytest.mark.parametrize("target", ("python", "numba"))
def test_straight_lines_descend_to_what_numpy_steps_to(target: str) -> None:
    """The last batch, which is shorter, has code of its own."""
    assert farthest(run(target), run("numpy")) < 1e-12
    assert farthest(run(target, batch_size=None), run("numpy", batch_size=None)) < 1e-12


def test_another_order_is_seen() -> None:
    """The comparison fails where a seed draws another order of the samples."""
    assert farthest(run("jax", seed=1), run("numpy")) > 1e-6


def test_class_numbers_and_weights_reach_every_batch() -> None:
    """Integer targets and what is given for all batches are data of the scan too."""
    network = sb.mlp([3, 3], loss=sb.loss("cross_entropy_weighted"))
    labels, weights = np.arange(11) % 3, np.array([1.0, 2.0, 5.0])
    runs = [
        sb.train(network, X, labels, sb.SGD(0.1), 3, 4, target=target, given={"w": weights}, progress=False)
        for target in ("numpy", "jax", "python")
    ]

    assert farthest(runs[1], runs[0]) < 1e-12
    assert farthest(runs[2], runs[0]) < 1e-12


def test_a_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    """State and parameters leave the compiled code after each epoch."""
    path = tmp_path / "run.npz"
    run("jax", sb.Adam(0.02), epochs=2, checkpoint=path)
    resumed = run("jax", sb.Adam(0.02), checkpoint=path)

    assert farthest(resumed, run("jax", sb.Adam(0.02))) == 0


@pytest.mark.parametrize("target", ("numpy", "jax", "python"))
def test_a_loss_that_is_not_finite_is_named(target: str) -> None:
    """The epoch and the batch, as for single steps."""
    with pytest.raises(sb.DivergenceError, match=r"the loss is (inf|nan) in epoch 1, batch 2 \(step 2\)"):
        sb.train(sb.mlp([3, 2]), 1e60 * X, Y, sb.SGD(1e60), 3, 3, target=target, progress=False)


def test_what_straight_lines_cannot_train_is_said() -> None:
    """Other rules, schedules, and widths without numbers."""
    for optimizer in (sb.Adam(), sb.SGD(RATE)):
        with pytest.raises(sb.ArgumentError, match=r"which is sb\.SGD at a fixed rate"):
            run("python", optimizer)
    with pytest.raises(sb.ArgumentError, match="numbers for H"):
        sb.train(sb.mlp([3, "H", 2]), X, Y, sb.SGD(0.1), 1, target="numba")


def test_parameters_keep_their_precision() -> None:
    """float32 stays float32 inside the compiled epoch."""
    d = sb.derive(sb.mlp([3, 2]))
    start = {name: array.astype(np.float32) for name, array in sb.mlp([3, 2]).init(0).items()}
    step = d.compile("jax", "float32")
    done = run_training(
        step, start, {"x": X, "y": Y}, optimizer=sb.Adam(0.01), epochs=2, progress=False, epochs_by=ScannedSteps
    )

    assert {array.dtype for array in done.params.values()} == {np.dtype(np.float32)}
