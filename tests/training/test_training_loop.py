"""The training loop: seeded, resumable to the bit, honest about failure, on any function of parameters and batches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

from symbackprop.errors import ArgumentError, DataError, DivergenceError
from symbackprop.training import (
    OPTIMIZERS,
    SGD,
    Adam,
    ClipByNorm,
    Optimizer,
    Schedule,
    TrainingRun,
    WeightDecay,
    cosine,
    encode_one_hot,
    fit_standardisation,
    load_iris,
    read_checkpoint,
    run_training,
    split_stratified,
    warm_up,
)

GENERATOR = np.random.default_rng(5)
DATA = {"x": GENERATOR.normal(size=(23, 3)), "y": GENERATOR.normal(size=23)}
START = {"w": np.array([0.5, -0.5, 0.0]), "b": np.array(0.1)}


@jax.jit
def value_and_gradient(params: Any, x: Any, y: Any) -> Any:
    """Return the mean squared error of a line and its gradient, which JAX derives."""
    return jax.value_and_grad(lambda p: jnp.mean((x @ p["w"] + p["b"] - y) ** 2))(params)


def evaluate(params: Mapping[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> tuple[float, dict[str, Any]]:
    """Return loss and gradient of the line in double precision."""
    with jax.enable_x64(True):
        value, gradient = value_and_gradient(dict(params), x, y)
        return float(value), {name: np.asarray(entry) for name, entry in gradient.items()}


def run(optimizer: Optimizer = Adam(0.05), **changes: Any) -> TrainingRun:  # noqa: B008  (a frozen value)
    """Train the line with the settings of these tests, some of them changed."""
    settings = {"epochs": 5, "batch_size": 4, "seed": 1, "progress": False} | changes
    return run_training(evaluate, START, DATA, optimizer=optimizer, **settings)


def same_bits(left: TrainingRun, right: TrainingRun) -> bool:
    """Say whether two runs ended in the same bits, with the same history."""
    return left.history == right.history and all(
        left.params[name].tobytes() == right.params[name].tobytes() for name in left.params
    )


def test_full_batches_find_the_least_squares_solution() -> None:
    """With all samples in one batch the loop reaches what linear algebra gives."""
    learned = run(SGD(0.2), epochs=300, batch_size=None)
    design = np.column_stack([DATA["x"], np.ones(23)])
    solution, *_ = np.linalg.lstsq(design, DATA["y"])

    np.testing.assert_allclose([*learned.params["w"], learned.params["b"]], solution, rtol=1e-9)
    assert len(learned.history) == 300
    assert learned.history[-1] < learned.history[0]


def test_history_is_the_mean_over_samples() -> None:
    """An epoch's figure weighs each batch by its samples: with rate 0 it is the loss of all samples."""
    assert run(SGD(0.0), epochs=1).history[0] == pytest.approx(evaluate(START, **DATA)[0], rel=1e-12)


def test_every_epoch_visits_each_sample_once() -> None:
    """The batches of an epoch are a shuffle of the samples, another one in the next epoch."""
    seen: list[list[int]] = []

    def watch(params: Mapping[str, np.ndarray], x: np.ndarray) -> tuple[float, dict[str, float]]:
        seen.append(x.tolist())
        return 0.0, {"w": 0.0}

    run_training(
        watch, {"w": 0.0}, {"x": np.arange(10)}, optimizer=SGD(1), epochs=2, batch_size=4, seed=0, progress=False
    )
    first, second = sum(seen[:3], []), sum(seen[3:], [])

    assert [len(batch) for batch in seen] == [4, 4, 2, 4, 4, 2]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert first != list(range(10))


def test_the_seed_decides_the_bits() -> None:
    """The same seed gives the same bits, and another seed others."""
    assert same_bits(run(), run())
    assert not same_bits(run(), run(seed=2))


def test_arguments_are_not_changed() -> None:
    """The parameters and data of the caller stay as they were."""
    before = {name: value.copy() for name, value in (START | DATA).items()}
    run()

    for name, value in (START | DATA).items():
        np.testing.assert_array_equal(value, before[name])


COMPOSED = ClipByNorm(WeightDecay(Adam(warm_up(cosine(0.1, steps=20), steps=10)), 0.01), 0.5)
EVERY = (*(optimizer(0.05) for optimizer in OPTIMIZERS), COMPOSED)


@pytest.mark.parametrize("optimizer", EVERY, ids=lambda optimizer: optimizer.rule.name)
def test_a_resumed_run_ends_in_the_same_bits(tmp_path: Path, optimizer: Optimizer) -> None:
    """Stopping after two epochs and going on from the checkpoint changes no bit of the parameters or the history."""
    path = tmp_path / "run.npz"
    run(optimizer, epochs=2, checkpoint=path)
    resumed = run(optimizer, epochs=5, checkpoint=path)

    assert same_bits(resumed, run(optimizer, epochs=5))
    assert same_bits(run(optimizer, epochs=5, checkpoint=path), resumed)
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


def test_a_checkpoint_with_another_step_is_seen(tmp_path: Path) -> None:
    """The comparison of bits can fail: a parameter moved by one unit in the last place changes the end."""
    path = tmp_path / "run.npz"
    run(epochs=2, checkpoint=path)
    with np.load(path, allow_pickle=False) as archive:
        arrays = dict(archive)
    arrays["param.b"] = np.nextafter(arrays["param.b"], 1)
    np.savez(path, **arrays)

    assert not same_bits(run(epochs=5, checkpoint=path), run(epochs=5))


def test_checkpoints_hold_plain_arrays_and_text(tmp_path: Path) -> None:
    """A checkpoint reads back without unpickling: parameters, state, the count of steps and the generator."""
    path = tmp_path / "run.npz"
    learned = run(epochs=2, checkpoint=path)
    saved = read_checkpoint(path)

    assert saved.history == learned.history
    assert saved.step == 12
    assert saved.memory.keys() == {"m", "v"}
    assert saved.generator["bit_generator"] == "PCG64"
    np.testing.assert_array_equal(saved.params["w"], learned.params["w"])


def test_checkpoints_of_other_runs_are_refused(tmp_path: Path) -> None:
    """A checkpoint goes on only with its own settings and data; the message names what differs."""
    path = tmp_path / "run.npz"
    run(epochs=2, checkpoint=path)

    for changes, word in (
        ({"seed": 2}, "seed was 1 and is 2"),
        ({"batch_size": 5}, "batch_size"),
        ({"optimizer": Adam(0.1)}, "constants"),
        ({"optimizer": SGD(0.1)}, "optimizer was 'Adam' and is 'SGD'"),
        ({"optimizer": WeightDecay(Adam(0.05), 0.1)}, "optimizer was 'Adam' and is 'Adam, weight decay'"),
        ({"optimizer": Adam(cosine(0.05, steps=30))}, "optimizer was 'Adam' and is 'Adam, cosine'"),
    ):
        with pytest.raises(DataError, match=word):
            run(checkpoint=path, **changes)
    with pytest.raises(ArgumentError, match="2 epochs and 1"):
        run(epochs=1, checkpoint=path)
    with pytest.raises(DataError, match="data was"):
        run_training(
            evaluate,
            START,
            DATA | {"y": -DATA["y"]},
            optimizer=Adam(0.05),
            epochs=3,
            batch_size=4,
            seed=1,
            checkpoint=path,
        )


def test_checkpoints_hold_the_equations_of_the_schedule(tmp_path: Path) -> None:
    """Two schedules of one name are told apart by their equations, and by the values of their constants."""
    path, eta, t, a = tmp_path / "run.npz", *sp.symbols("eta t a")
    own = Schedule("own", ((eta, a / t),), (("a", 0.1),))
    run(SGD(own), epochs=2, checkpoint=path)

    assert read_checkpoint(path).settings["equations"] == "eta <- a/t\ntheta <- theta - eta*g"
    with pytest.raises(DataError, match="equations was"):
        run(SGD(Schedule("own", ((eta, a / t**2),), (("a", 0.1),))), checkpoint=path)
    with pytest.raises(DataError, match="constants was {'a': 0.1} and is {'a': 0.2}"):
        run(SGD(Schedule("own", own.assignments, (("a", 0.2),))), checkpoint=path)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    """A broken file, another archive, or a pickled one is refused by name and stays untouched."""
    path = tmp_path / "run.npz"
    path.write_bytes(b"nothing")
    with pytest.raises(DataError, match="run.npz: cannot be read"):
        run(checkpoint=path)
    assert path.read_bytes() == b"nothing"
    np.savez(path, x=np.zeros(2))
    with pytest.raises(DataError, match="not a checkpoint"):
        run(checkpoint=path)
    np.savez(path, meta=np.array([{}], dtype=object))
    with pytest.raises(DataError, match="run.npz: cannot be read"):
        run(checkpoint=path)
    with pytest.raises(DataError, match="cannot be written"):
        run(checkpoint=tmp_path / "missing" / "run.npz")


@pytest.mark.parametrize(
    ("params", "data", "changes", "error", "words"),
    [
        (START, {"x": np.zeros((0, 3)), "y": np.zeros(0)}, {}, DataError, "no samples"),
        (START, {}, {}, DataError, "no data"),
        (START, {"x": np.zeros((3, 3)), "y": np.zeros(2)}, {}, DataError, "x has 3, y has 2"),
        (START, {"x": 1.0}, {}, DataError, "first axis"),
        (START, DATA, {"batch_size": 0}, ArgumentError, "batch_size is 0"),
        (START, DATA, {"epochs": -1}, ArgumentError, "epochs is -1"),
        ({}, DATA, {}, ArgumentError, "no parameters"),
        ({"w": np.array(["a"])}, DATA, {}, DataError, "real numbers"),
        ({"w": np.array([np.nan])}, DATA, {}, DataError, "not finite"),
    ],
)
def test_mistakes_of_the_caller_are_named(
    params: dict, data: dict, changes: dict, error: type[Exception], words: str
) -> None:
    """Empty or unfit data and settings out of their range are refused before the first step."""
    settings = {"epochs": 1, "batch_size": 4, "progress": False} | changes
    with pytest.raises(error, match=words):
        run_training(evaluate, params, data, optimizer=SGD(0.1), **settings)


def test_a_loss_that_leaves_the_numbers_stops_the_run() -> None:
    """A loss that is not finite is reported with its epoch, batch and step."""

    def fail(params: Mapping[str, np.ndarray], x: np.ndarray) -> tuple[float, dict[str, float]]:
        return (float("nan") if 7 in x else 1.0), {"w": 0.0}

    x = np.ones(3)
    x[np.random.default_rng(8).permutation(3)[1]] = 7
    with pytest.raises(DivergenceError, match=r"loss is nan in epoch 1, batch 2 \(step 2\)"):
        run_training(fail, {"w": 0.0}, {"x": x}, optimizer=SGD(1), epochs=1, batch_size=1, seed=8, progress=False)


def test_a_parameter_that_overflows_stops_the_run() -> None:
    """A parameter that overflows while the loss is finite is named at the end of the epoch."""

    def grow(params: Mapping[str, np.ndarray], x: np.ndarray) -> tuple[float, dict[str, float]]:
        return 0.0, {"w": -1e308}

    with pytest.raises(DivergenceError, match="w left the finite numbers in epoch 1"):
        run_training(grow, {"w": 0.0}, {"x": [1.0]}, optimizer=SGD(100.0), epochs=1, progress=False)


def test_progress_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Progress is drawn on stderr, nothing on stdout, and nothing at all when it is switched off."""
    run(progress=False)
    assert capsys.readouterr() == ("", "")
    run(progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "5/5" in err


def test_iris_is_learned() -> None:
    """Softmax regression by this loop, with JAX's gradients, reaches 90 percent on the 45 test samples of iris."""
    iris = load_iris()
    train, test = split_stratified(iris.y, 45, seed=0)
    standard = fit_standardisation(iris.x[train])

    @jax.jit
    def loss(params: dict, x: Any, y: Any) -> Any:
        return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(x @ params["W"] + params["b"]), axis=1))

    learned = run_training(
        lambda params, x, y: jax.value_and_grad(loss)(params, x, y),
        {"W": np.zeros((4, 3)), "b": np.zeros(3)},
        {"x": standard.apply(iris.x[train]), "y": encode_one_hot(iris.y[train], 3)},
        optimizer=SGD(0.5),
        epochs=60,
        progress=False,
    )
    scores = standard.apply(iris.x[test]) @ learned.params["W"] + learned.params["b"]

    assert np.mean(scores.argmax(axis=1) == iris.y[test]) >= 0.9
