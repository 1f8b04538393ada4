"""Update rules, gradient descent on a formula, the training loop, data and checkpoints."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from symbackprop.training.checkpoints import Checkpoint as Checkpoint
from symbackprop.training.checkpoints import read_checkpoint as read_checkpoint
from symbackprop.training.data import DataSet as DataSet
from symbackprop.training.data import Standardisation as Standardisation
from symbackprop.training.data import encode_one_hot as encode_one_hot
from symbackprop.training.data import fit_standardisation as fit_standardisation
from symbackprop.training.data import load_iris as load_iris
from symbackprop.training.data import read_csv as read_csv
from symbackprop.training.data import read_npz as read_npz
from symbackprop.training.data import split_stratified as split_stratified
from symbackprop.training.descent import Descent as Descent
from symbackprop.training.descent import descend as descend
from symbackprop.training.epochs import Descents as Descents
from symbackprop.training.epochs import SingleSteps as SingleSteps
from symbackprop.training.equations import UpdateRule as UpdateRule
from symbackprop.training.loop import TrainingRun as TrainingRun
from symbackprop.training.loop import run_training as run_training
from symbackprop.training.newton import NewtonRun as NewtonRun
from symbackprop.training.newton import run_newton as run_newton
from symbackprop.training.optimizers import OPTIMIZERS as OPTIMIZERS
from symbackprop.training.optimizers import SGD as SGD
from symbackprop.training.optimizers import Adagrad as Adagrad
from symbackprop.training.optimizers import Adam as Adam
from symbackprop.training.optimizers import AdamW as AdamW
from symbackprop.training.optimizers import ClipByNorm as ClipByNorm
from symbackprop.training.optimizers import Momentum as Momentum
from symbackprop.training.optimizers import Nesterov as Nesterov
from symbackprop.training.optimizers import RMSprop as RMSprop
from symbackprop.training.optimizers import WeightDecay as WeightDecay
from symbackprop.training.points import Point as Point
from symbackprop.training.rules import Optimizer as Optimizer
from symbackprop.training.schedules import SCHEDULES as SCHEDULES
from symbackprop.training.schedules import Schedule as Schedule
from symbackprop.training.schedules import cosine as cosine
from symbackprop.training.schedules import exponential_decay as exponential_decay
from symbackprop.training.schedules import inverse_sqrt as inverse_sqrt
from symbackprop.training.schedules import polynomial_decay as polynomial_decay
from symbackprop.training.schedules import step_decay as step_decay
from symbackprop.training.schedules import warm_up as warm_up

if TYPE_CHECKING:
    from symbackprop.training.digits import load_digits as load_digits
    from symbackprop.training.jax_epochs import ScannedSteps as ScannedSteps


def __getattr__(name: str) -> object:
    """Import what needs the extra `sklearn` or `jax` when it is first asked for (PEP 562)."""
    match name:
        case "load_digits":
            return getattr(import_module("symbackprop.training.digits"), name)
        case "ScannedSteps":
            return getattr(import_module("symbackprop.training.jax_epochs"), name)
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
