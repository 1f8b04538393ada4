"""Data sets and optimizers by the names that the command line gives them, and the report of a training."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from symbackprop import training
from symbackprop.errors import ArgumentError, UnknownNameError
from symbackprop.facade.experiments import Experiment
from symbackprop.training import (
    OPTIMIZERS,
    SCHEDULES,
    AdamW,
    ClipByNorm,
    DataSet,
    Optimizer,
    Schedule,
    WeightDecay,
    load_iris,
    read_csv,
    read_npz,
    warm_up,
)

DEFAULT_RATE = 0.01
OPTIMIZER_NAMES = tuple(optimizer.__name__.lower() for optimizer in OPTIMIZERS)


def read_data_set(name: str, column: str | None) -> DataSet:
    """Iris or digits by name, else a table from a file."""
    if name == "iris":
        return load_iris()
    if name == "digits":
        return training.load_digits()
    return read_npz(name) if name.endswith(".npz") else read_csv(name, column)


@dataclass(frozen=True)
class Recipe:
    """What the command line says of an optimizer; None is what it leaves out."""

    name: str
    rate: float | None
    schedule: str | None
    warmup: int | None
    weight_decay: float | None
    clip_norm: float | None

    def make(self, steps: int) -> Optimizer:
        """The optimizer of a training of so many steps: the norm is clipped, then the weights decay, then the rule.

        >>> print(Recipe("sgd", 0.1, "cosine", None, None, 1.0).make(50).text().splitlines()[-1])
        with eta0 = 0.1, T = 50, eta_min = 0.0, c = 1.0, delta = 1e-06
        """
        first = DEFAULT_RATE if self.rate is None else self.rate
        rate: float | Schedule = first
        if self.schedule is not None:
            rate = read_schedule(self.schedule, first, max(1, steps - (self.warmup or 0)))
        if self.warmup is not None:
            rate = warm_up(rate, self.warmup)
        made: Optimizer = OPTIMIZERS[OPTIMIZER_NAMES.index(self.name)](rate)
        if self.weight_decay is not None:
            if isinstance(made, AdamW):
                made = replace(made, weight_decay=self.weight_decay)
            else:
                made = WeightDecay(made, self.weight_decay)
        return made if self.clip_norm is None else ClipByNorm(made, self.clip_norm)


def count_steps(samples: int, batch_size: int, epochs: int) -> int:
    """The number of batches of a training.

    >>> count_steps(105, 16, 2)
    14
    """
    return epochs * math.ceil(samples / batch_size)


def read_schedule(text: str, rate: float, steps: int) -> Schedule:
    """A schedule by the name of its function, with the arguments behind the rate after a colon.

    `cosine` and `polynomial_decay` last the whole training where their steps are not given.

    >>> print(read_schedule("step_decay:100,0.5", 0.1, steps=600).text().splitlines()[-1])
    with eta0 = 0.1, gamma = 0.5, k = 100
    """
    name, _, rest = text.partition(":")
    known: dict[str, Callable[..., Schedule]] = {
        function.__name__: function for function in SCHEDULES if function is not warm_up
    }
    if name not in known:
        raise UnknownNameError(
            f"There is no schedule {name!r}; there are {', '.join(known)}.", name=name, known=tuple(known)
        )
    numbers = [read_argument(text, word) for word in rest.split(",")] if rest else []
    _, *parameters = inspect.signature(known[name]).parameters.values()
    if not numbers and parameters[0].name == "steps":
        numbers = [steps]
    needed = sum(parameter.default is parameter.empty for parameter in parameters)
    if not needed <= len(numbers) <= len(parameters):
        words = ",".join(parameter.name.upper() for parameter in parameters)
        raise ArgumentError(f"The schedule {text!r} has {len(numbers)} numbers; write {name}:{words}.")
    return known[name](rate, *numbers)


def read_argument(text: str, word: str) -> int | float:
    """One number of a schedule; whole numbers are counts of steps."""
    try:
        return int(word) if word.strip().isdecimal() else float(word)
    except ValueError as error:
        raise ArgumentError(f"The schedule {text!r} holds {word!r}, which is no number.") from error


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
