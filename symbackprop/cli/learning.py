"""Data sets and optimizers by the names that the command line gives them, and the report of a training."""

from __future__ import annotations

from symbackprop import training
from symbackprop.facade.experiments import Experiment
from symbackprop.training import SGD, Adam, DataSet, Momentum, Optimizer, load_iris, read_csv, read_npz

DEFAULT_RATE = 0.01


def read_data_set(name: str, column: str | None) -> DataSet:
    """Iris or digits by name, else a table from a file."""
    if name == "iris":
        return load_iris()
    if name == "digits":
        return training.load_digits()
    return read_npz(name) if name.endswith(".npz") else read_csv(name, column)


def make_optimizer(name: str, rate: float | None) -> Optimizer:
    """The optimizer of a name with its learning rate."""
    chosen = DEFAULT_RATE if rate is None else rate
    match name:
        case "sgd":
            return SGD(chosen)
        case "momentum":
            return Momentum(chosen)
    return Adam(chosen)


def describe(experiment: Experiment) -> str:
    """What a training came to, in three lines."""
    history = experiment.training.history
    form = "{:.1%}" if experiment.measure == "accuracy" else "{:.6g}"
    name = experiment.measure
    return "\n".join(
        (
            f"loss: {history[0]:.4f} in the first epoch, {history[-1]:.4f} in the last of {len(history)}",
            f"{name} on {experiment.train_samples} training samples: {form.format(experiment.train_score)}",
            f"{name} on {experiment.test_samples} unseen samples: {form.format(experiment.test_score)}",
        )
    )
