"""A network trained on data with the gradients that were derived for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from symbackprop import codegen, training
from symbackprop.calculus.definitions import Definition, Term
from symbackprop.calculus.programs import Assumption, Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ArgumentError, DataError
from symbackprop.facade.derivations import derive
from symbackprop.facade.networks import Network
from symbackprop.proof.comparisons import write_assumption
from symbackprop.training.data import encode_one_hot
from symbackprop.training.loop import run_training
from symbackprop.training.optimizers import SGD
from symbackprop.training.rules import Optimizer
from symbackprop.training.schedules import Schedule

if TYPE_CHECKING:
    from symbackprop.codegen import CompiledFunction

FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Training:
    """A trained network: `params` by name, and `history`, the mean loss of each epoch."""

    network: Network
    params: Mapping[str, FloatArray]
    history: tuple[float, ...]
    target: str = field(default="numpy", repr=False)

    def predict(self, x: npt.ArrayLike) -> FloatArray:
        """The outputs of the last layer; probabilities where the loss makes them of logits itself."""
        value, _ = self._forward(dict(self.params), x=np.asarray(x))
        return np.asarray(value)

    @cached_property
    def _forward(self) -> CompiledFunction:
        """The forward pass up to the last layer, compiled when it is first asked for."""
        output = self.network.architecture.output
        return _compile_value(self.network.program.core.reaching(output), output)


def train(
    network: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    seed: int = 0,
    target: str = "numpy",
    checkpoint: str | Path | None = None,
    progress: bool = True,
    given: Mapping[str, npt.ArrayLike] | None = None,
) -> Training:
    """Minimise the loss of a network over mini-batches of `x` [N, D] and `y` [N, K].

    For a loss over classes `y` may also be class numbers [N], counted from 0; a loss of class numbers takes nothing
    else. `given` is what the program reads beside them, the same for every batch, such as the weights of the classes.
    What the program assumes of its data is checked once; the code then relies on it. `seed` draws the first parameters
    and the order of the samples: the same seed gives the same bits. The steps t = 1, 2, ... of the optimizer are
    batches. Progress goes to stderr.

    With the target "jax" an epoch is one call of compiled code; "python" and "numba" do so too, for tiny networks whose
    widths are numbers and sb.SGD at a fixed rate.

    Raises DataError for data that do not fit the network and DivergenceError where the loss leaves the finite numbers.

    >>> from symbackprop.facade.networks import mlp
    >>> from symbackprop.training.optimizers import SGD
    >>> run = train(mlp([1, 1]), [[1.0], [2.0]], [[2.0], [4.0]], SGD(0.1), epochs=500, progress=False)
    >>> run.predict([[3.0]]).round(3).tolist()
    [[6.0]]
    """
    if network.batch is None:
        raise ArgumentError("This network has no batch index; build it with batch='N' to train it on many samples.")
    program, fixed = network.program.core, dict(given or {})
    _check_names(program, fixed)
    whole = program.tensor("x").range is not None  # as what an embedding looks up
    data = {"x": np.asarray(x) if whole else np.asarray(x, dtype=np.float64), "y": _targets(network, y)}
    step, epochs_by = _choose_steps(network, target, optimizer)
    for assumption in program.assumptions:
        _check(program, assumption, {**data, **fixed})
    run = run_training(
        step,
        network.init(seed),
        data,
        fixed=fixed,
        optimizer=optimizer,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        checkpoint=checkpoint,
        progress=progress,
        epochs_by=epochs_by,
    )
    return Training(network, run.params, run.history, target)


def _choose_steps(network: Network, target: str, optimizer: Optimizer) -> tuple[Any, Any]:
    """The loss with its gradients, and what runs the steps of an epoch with it."""
    derivation = derive(network)
    scalar = codegen.find_scalar_target(target)
    if scalar is None:
        step = derivation.compile(target, trust=True)  # which says where JAX is missing
        return step, training.ScannedSteps if target == "jax" else training.SingleSteps
    if not isinstance(optimizer, SGD) or isinstance(optimizer.lr, Schedule):
        raise ArgumentError(
            f"The target {target!r} trains by gradient descent in one call, which is sb.SGD at a fixed rate; take the "
            f"numpy or the jax target for {optimizer.rule.name}."
        )
    others = [name for name in network.program.core.size_names if name != network.batch]
    if others:
        raise ArgumentError(
            f"The target {target!r} is written out at given sizes; build the network with numbers for "
            f"{', '.join(others)}."
        )

    def compile_for(samples: int) -> Any:
        return derivation.compile(target, trust=True, sizes={str(network.batch): samples})

    return None, lambda _, rule: training.Descents(compile_for, float(rule.lr))


def _check_names(program: Program, given: Mapping[str, npt.ArrayLike]) -> None:
    """Raise ArgumentError where the program reads other data than x, y and what is given."""
    data = [leaf.name for leaf in program.leaves if leaf.role is not Role.PARAM]
    missing = [name for name in data if name not in ("x", "y", *given)]
    extra = [name for name in given if name not in data or name in ("x", "y")]
    if "y" not in data:
        raise ArgumentError(
            f"This network reads no targets y but {', '.join(missing)}, of which every batch has its own; run its "
            "steps with sb.derive(network).compile()."
        )
    if missing or extra:
        wrong = [f"missing: {', '.join(missing)}"] if missing else []
        wrong += [f"not read: {', '.join(extra)}"] if extra else []
        raise ArgumentError(
            f"given = {{...}} names what the network reads beside x and y, the same for every batch; "
            f"{'; '.join(wrong)}."
        )


def _targets(network: Network, y: npt.ArrayLike) -> npt.NDArray[Any]:
    """The targets as the program reads them.

    Class numbers count from 1 there, or become rows with a single 1; numbers for one output become a column.
    """
    targets, wanted = np.asarray(y), network.program.core.tensor("y")
    if wanted.range is not None:
        _check_integers(targets, "")
        classes = wanted.range.integer
        if targets.size and (targets.min() < 0 or (classes is not None and targets.max() >= classes)):
            raise DataError(f"y holds {targets.min()} to {targets.max()}; class numbers run from 0 to {classes} - 1.")
        return targets.astype(np.int64) + 1
    if targets.ndim != 1 or len(wanted.axes) == 1:
        return targets.astype(np.float64)
    if not network.architecture.loss.classifies:
        return targets.astype(np.float64)[:, None]
    _check_integers(targets, ", or y as [N, K]")
    classes = wanted.axes[-1].integer
    return encode_one_hot(targets, int(targets.max()) + 1 if classes is None else classes)


def _check_integers(targets: npt.NDArray[Any], way_out: str) -> None:
    if not np.issubdtype(targets.dtype, np.integer):
        raise DataError(f"Class numbers are integers, and y has dtype {targets.dtype}; give them so{way_out}.")


def _check(program: Program, assumption: Assumption, data: Mapping[str, npt.ArrayLike]) -> None:
    """Raise DataError where the data break an equation that the program assumes of them."""
    negated = tuple(Term(t.bound, -t.body, t.slots, t.guards) for t in assumption.right)
    axes = tuple(i.size for i in assumption.indices)
    difference = Tensor("difference", axes, Role.DEFINED)
    definition = Definition(difference, assumption.indices, assumption.left + negated)
    whole = Program(program.leaves, (*program.definitions, definition), (), difference.name)
    small = whole.reaching(difference.name)
    read = {leaf.name: data[leaf.name] for leaf in small.leaves}
    found, _ = _compile_value(small, difference.name)({}, **read)
    worst = float(np.max(np.abs(found)))
    if worst > 1e-9:
        raise DataError(
            f"The program assumes {write_assumption(assumption, program)}, and the data are {worst:.3g} away "
            "from it; give data for which it holds."
        )


def _compile_value(program: Program, name: str) -> CompiledFunction:
    """The tensor of a program, without gradients."""
    return codegen.compile_code(codegen.write_code(program, (), name, {}, codegen.find_target("numpy")))
