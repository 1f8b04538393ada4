"""What an optimizer is: an update rule with the values of its constants. What is printed is what runs."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.errors import ArgumentError, DivergenceError
from symbackprop.training.equations import GRADIENT, STEP, THETA, CompiledAssignment, Kind, UpdateRule, split_stages

Array = npt.NDArray[np.floating[Any]]
Memory = dict[str, dict[str, Array]]


class Optimizer(ABC):
    """An update rule with the values of its constants."""

    __slots__ = ()

    @property
    @abstractmethod
    def rule(self) -> UpdateRule:
        """The equations."""

    @property
    @abstractmethod
    def constants(self) -> dict[str, float]:
        """The values of the constants, by the names that the equations give them."""

    def latex(self) -> str:
        """Return the equations of the rule, which are those that run."""
        return self.rule.latex()

    def text(self) -> str:
        """Return the equations of the rule and the values of its constants, for a terminal."""
        return self.rule.text_with(self.constants)

    def _repr_latex_(self) -> str:
        return self.latex()

    def start(self, params: Mapping[str, Array]) -> Memory:
        """Return the state before the first step: a zero for each entry of each parameter."""
        return {
            symbol.name: {name: np.zeros_like(value) for name, value in params.items()} for symbol in self.rule.state
        }

    def update(
        self, params: Mapping[str, Array], gradients: Mapping[str, npt.ArrayLike], memory: Memory, step: int
    ) -> None:
        """Make step number `step` (from 1) on every parameter, writing into `params` and `memory`.

        >>> from symbackprop.training.optimizers import SGD
        >>> params = {"w": np.array([1.0, 2.0])}
        >>> SGD(0.5).update(params, {"w": np.array([1.0, 0.0])}, {}, 1)
        >>> params["w"]
        array([0.5, 2. ])
        """
        shared: dict[str, Any] = {name: float(value) for name, value in self.constants.items()}
        shared[STEP.name] = step
        entries: dict[str, dict[str, Any]] = {
            name: {
                **{slot: tensors[name] for slot, tensors in memory.items()},
                THETA.name: theta,
                GRADIENT.name: gradients[name],
            }
            for name, theta in params.items()
        }
        for kind, stage in split_stages(self.rule):
            match kind:
                case Kind.TOTAL:
                    shared |= {total.target: sum_up(total, shared, entries.values()) for total in stage}
                case Kind.SHARED:
                    for assignment in stage:
                        shared[assignment.target] = evaluate_shared(assignment, shared)
                case Kind.ENTRYWISE:
                    for own in entries.values():
                        assign_entries(stage, shared, own, kept={THETA.name, *memory})


def assign_entries(
    stage: tuple[CompiledAssignment, ...], shared: Mapping[str, Any], own: dict[str, Any], kept: set[str]
) -> None:
    """Make assignments on the entries of one parameter; what is `kept` is written in place."""
    for assignment in stage:
        value = assignment.formula(shared, own)
        if assignment.target in kept:
            own[assignment.target][...] = value
        else:
            own[assignment.target] = value


def sum_up(total: CompiledAssignment, shared: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> float:
    """Return the sum of an expression over every entry of every parameter."""
    return sum(float(np.sum(total.formula(shared, own), dtype=np.float64)) for own in entries)


def evaluate_shared(assignment: CompiledAssignment, shared: Mapping[str, Any]) -> float:
    """Return a number that all parameters share; DivergenceError where it has no value."""
    why = "it overflows"
    try:
        value = float(assignment.formula(shared, {}))
        if math.isfinite(value):
            return value
    except (ArithmeticError, ValueError, TypeError) as error:
        why = str(error)
    raise DivergenceError(
        f"{assignment.target} has no finite value at step {shared[STEP.name]} ({why}); take a smaller learning rate or "
        "other constants."
    )


def check_constants(rule: UpdateRule, constants: Mapping[str, float]) -> None:
    """Raise ArgumentError unless every constant is a number of its own that the equations do not assign."""
    assigned = {target.name for target, _ in rule.assignments} | {STEP.name}
    for name, value in constants.items():
        check_number(rule.name, name, value)
        if name in assigned:
            raise ArgumentError(f"{rule.name}: the equations assign {name}; call the constant by another name.")
    known = {*constants, STEP.name, THETA.name, GRADIENT.name, *(symbol.name for symbol in rule.state)}
    for target, expression in rule.assignments:
        unknown = sorted(symbol.name for symbol in expression.free_symbols if symbol.name not in known)
        if unknown:
            raise ArgumentError(f"{rule.name}: nothing gives {', '.join(unknown)} a value; add it to the constants.")
        known.add(target.name)


def check_number(rule: str, name: str, value: object) -> None:
    """Raise ArgumentError unless a constant is a finite number that is at least 0."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)
    if not number or not math.isfinite(value) or value < 0:  # type: ignore[arg-type, operator]
        raise ArgumentError(f"{rule}: {name} is {value!r}; give a finite number that is at least 0.")


def merge_constants(rule: str, first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    """Return the constants of two parts of a rule, which must differ in name.

    >>> merge_constants("SGD", {"eta": 0.1}, {"lambda": 0.01})
    {'eta': 0.1, 'lambda': 0.01}
    """
    twice = sorted(set(first) & set(second))
    if twice:
        raise ArgumentError(f"{rule}: {', '.join(twice)} would stand for two constants; add each part once.")
    return {**first, **second}
