"""Mini-batch training of any compiled loss: shuffle, take a batch, read loss and gradients, apply the update rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from symbackprop.errors import ArgumentError, DataError, DivergenceError
from symbackprop.training.checkpoints import Checkpoint, fingerprint, read_checkpoint, write_checkpoint
from symbackprop.training.epochs import Epochs, LossAndGradients, SingleSteps
from symbackprop.training.rules import Array, Optimizer


@dataclass(frozen=True, eq=False, slots=True)
class TrainingRun:
    """The learned parameters, and for each epoch the mean of the loss over its samples, taken as they were met."""

    params: dict[str, Array]
    history: tuple[float, ...]


def run_training(
    evaluate: LossAndGradients,
    params: Mapping[str, npt.ArrayLike],
    data: Mapping[str, npt.ArrayLike],
    *,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: bool = True,
    fixed: Mapping[str, npt.ArrayLike] | None = None,
    epochs_by: Callable[[LossAndGradients, Optimizer], Epochs] = SingleSteps,
) -> TrainingRun:
    """Minimise a loss over batches of samples and return the learned parameters.

    `evaluate(params, **batch, **fixed)` returns the mean loss of a batch and its gradient for each parameter. The
    arrays of `data` have the samples on their first axis; `params` are not changed. Each epoch visits every
    sample once in an order drawn from `seed`; the last batch holds what is left. `batch_size=None` takes all
    samples at once. After each epoch the state is written to `checkpoint`; when that file exists the run goes on from
    it, and ends with the same bits as one that never stopped. `epochs_by` makes what runs the steps of an epoch.
    Progress goes to stderr.

    Raises ArgumentError for settings out of their range, DataError for data that do not fit (and for a checkpoint of
    another run), DivergenceError where the loss or a parameter leaves the finite numbers.

    >>> from symbackprop.training.optimizers import SGD
    >>> def evaluate(params, x):
    ...     difference = params["w"] - x
    ...     return (difference**2).mean(), {"w": 2 * difference.mean()}
    >>> data = {"x": [1.0, 3.0]}
    >>> run = run_training(evaluate, {"w": 0.0}, data, optimizer=SGD(0.25), epochs=2, progress=False)
    >>> run.history, float(run.params["w"])
    ((5.0, 2.0), 1.5)
    """
    arrays = {name: np.asarray(value) for name, value in data.items()}
    constant = {name: np.asarray(value) for name, value in (fixed or {}).items()}
    samples = count_samples(arrays)
    size = check_settings(epochs, batch_size, samples)
    current = {name: copy_floats(name, value) for name, value in params.items()}
    if not current:
        raise ArgumentError("there are no parameters to train; give at least one.")
    settings = {
        "optimizer": optimizer.rule.name,
        "equations": optimizer.rule.text(),
        "constants": {name: float(value) for name, value in optimizer.constants.items()},
        "batch_size": size,
        "seed": seed,
        "data": fingerprint({**arrays, **constant}),
        "start": fingerprint(current),
    }
    run_epoch = epochs_by(evaluate, optimizer)
    generator = np.random.default_rng(seed)
    memory, step, history = optimizer.start(current), 0, list[float]()
    if checkpoint is not None and Path(checkpoint).exists():
        saved = read_checkpoint(checkpoint)
        check_same_run(checkpoint, saved, settings, epochs)
        current, memory, step, history = saved.params, memory | saved.memory, saved.step, list(saved.history)
        generator.bit_generator.state = saved.generator

    with tqdm(total=epochs, initial=len(history), unit="epoch", disable=not progress) as bar:
        while len(history) < epochs:
            order = generator.permutation(samples)
            total = 0.0
            for number, value in enumerate(run_epoch(current, memory, step, arrays, constant, order, size), 1):
                if not math.isfinite(value):
                    raise DivergenceError(
                        f"the loss is {value} in epoch {len(history) + 1}, batch {number} (step {step + number}); "
                        "take a smaller learning rate, or look for samples outside the domain of the formula."
                    )
                total += value * min(size, samples - (number - 1) * size)
            step += -(-samples // size)
            lost = [name for name, array in current.items() if not np.isfinite(array).all()]
            if lost:
                raise DivergenceError(
                    f"{', '.join(lost)} left the finite numbers in epoch {len(history) + 1}; "
                    "take a smaller learning rate."
                )
            history.append(total / samples)
            bar.set_postfix(loss=f"{history[-1]:.4g}", refresh=False)
            bar.update()
            if checkpoint is not None:
                state = dict(generator.bit_generator.state)
                write_checkpoint(checkpoint, Checkpoint(current, memory, step, tuple(history), state, settings))
    return TrainingRun(current, tuple(history))


def count_samples(arrays: Mapping[str, npt.NDArray[Any]]) -> int:
    """Return the number of samples, which all arrays must share.

    >>> count_samples({"x": np.zeros((3, 2)), "y": np.zeros(3)})
    3
    """
    if not arrays:
        raise DataError("there are no data; give at least one array with the samples on its first axis.")
    scalars = [name for name, array in arrays.items() if array.ndim == 0]
    if scalars:
        raise DataError(f"{', '.join(scalars)}: a number and not an array; put the samples on the first axis.")
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        given = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise DataError(f"the numbers of samples differ: {given}; give arrays of one length.")
    samples = next(iter(lengths.values()))
    if samples == 0:
        raise DataError(f"{', '.join(lengths)}: no samples; give at least one.")
    return samples


def check_settings(epochs: int, batch_size: int | None, samples: int) -> int:
    """Return the size of a batch after checking the numbers that steer the loop.

    >>> check_settings(epochs=1, batch_size=None, samples=150)
    150
    """
    if epochs < 0:
        raise ArgumentError(f"epochs is {epochs}; give 0 or more.")
    if batch_size is None:
        return samples
    if batch_size < 1:
        raise ArgumentError(f"batch_size is {batch_size}; give at least 1, or None for all samples at once.")
    return min(batch_size, samples)


def copy_floats(name: str, value: npt.ArrayLike) -> Array:
    """Return a parameter as an array of its own; integers become float64.

    >>> copy_floats("w", 1)
    array(1.)
    """
    array = np.array(value)
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        raise DataError(f"{name}: dtype {array.dtype}; a parameter holds real numbers.")
    if not np.isfinite(array).all():
        raise DataError(f"{name}: holds entries that are not finite; start from finite numbers.")
    return array


def check_same_run(path: str | Path, saved: Checkpoint, settings: Mapping[str, Any], epochs: int) -> None:
    """Raise unless a checkpoint was written by a run with these settings that is not longer than this one."""
    other = [
        f"{name} was {saved.settings.get(name)!r} and is {value!r}"
        for name, value in settings.items()
        if saved.settings.get(name) != value
    ]
    if other:
        raise DataError(f"{path}: written by another run ({'; '.join(other)}); give another path, or remove the file.")
    if len(saved.history) > epochs:
        raise ArgumentError(f"{path}: holds {len(saved.history)} epochs and {epochs} are asked for; ask for more.")
