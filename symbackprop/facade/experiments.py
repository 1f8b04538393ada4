"""A network learned from a data set: split, standardise, train, and measure on what it has not seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from symbackprop.errors import ArgumentError, DataError
from symbackprop.facade.networks import Network
from symbackprop.facade.training import Training, train
from symbackprop.training.data import DataSet, fit_standardisation, split_stratified
from symbackprop.training.rules import Optimizer


@dataclass(frozen=True, eq=False)
class Experiment:
    """A training with its score on the samples it learned from and on those it did not see.

    `measure` says what the scores are: "accuracy", the fraction of samples whose largest output is their class, or
    "mean squared error" in squared units of the target.
    """

    training: Training
    measure: str
    train_score: float
    test_score: float
    train_samples: int
    test_samples: int


def learn(
    network: Network,
    data: DataSet,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    test_size: int = 45,
    split_seed: int = 0,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> Experiment:
    """Train a network on a stratified part of a data set, its inputs standardised by that part, and score it on the
    rest.

    Raises DataError where the widths of the network do not fit the columns and classes of the data.
    """
    if not any(leaf.name == "y" for leaf in network.program.core.leaves):
        raise ArgumentError("This network has no targets y that a data set could fill; choose another loss.")
    _check_widths(network, data)
    classified = bool(data.classes)
    strata = data.y if classified else np.zeros(len(data.y), dtype=int)
    train_rows, test_rows = split_stratified(strata, test_size, split_seed)
    seen, unseen = data.take(train_rows), data.take(test_rows)
    scale = fit_standardisation(seen.x)
    seen, unseen = replace(seen, x=scale.apply(seen.x)), replace(unseen, x=scale.apply(unseen.x))
    numbered = network.program.core.tensor("y").range is not None
    targets = seen.one_hot(network.architecture.loss.codes) if classified and not numbered else seen.y
    training = train(
        network,
        seen.x,
        targets,
        optimizer,
        epochs,
        batch_size=batch_size,
        seed=seed,
        checkpoint=checkpoint,
        progress=progress,
    )
    measure = "accuracy" if classified else "mean squared error"
    scores = [_score(training, part) for part in (seen, unseen)]
    return Experiment(training, measure, scores[0], scores[1], len(seen.x), len(unseen.x))


def _score(training: Training, data: DataSet) -> float:
    outputs = training.predict(data.x)
    if data.classes:
        return float(np.mean(np.argmax(outputs, axis=1) == data.y))
    targets = data.y if data.y.ndim == 2 else data.y[:, None]
    return float(np.mean((outputs - targets) ** 2))


def _check_widths(network: Network, data: DataSet) -> None:
    columns, outputs = data.x.shape[1], len(data.classes) or (data.y.shape[1] if data.y.ndim == 2 else 1)
    program = network.program.core
    first, last = (t.axes[-1] if t.range is None else t.range for t in (program.tensor("x"), program.tensor("y")))
    if (first.integer, last.integer) != (columns, outputs):
        raise DataError(
            f"The data have {columns} columns and {outputs} {'classes' if data.classes else 'targets'}, and "
            f"the network has {first} inputs and {last} outputs; give it the widths {columns}-...-{outputs}."
        )
