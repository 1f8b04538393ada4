"""Learning rates that change with the step: equations in t, printed and run.

The first step is t = 1; where `s` stands in an equation, it counts the steps that are done. A step is one batch, not
one epoch.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from symbackprop.errors import ArgumentError
from symbackprop.training.equations import ETA, STEP, Assignment, Kind, UpdateRule, compile_rule
from symbackprop.training.rules import check_constants, check_number, evaluate_shared, merge_constants

DONE, FIRST, LEAST, STEPS, FACTOR, EVERY, POWER, WARMUP = sp.symbols("s eta0 eta_min T gamma k p T_w")
UNTIL_STEPS = sp.Min(STEP - 1, STEPS)  # the steps that are done, of which no more than T are counted


@dataclass(frozen=True, slots=True)
class Schedule:
    """A learning rate as equations in the step `t`, of which the last assigns `eta`; the constants have their values.

    Raises ArgumentError where a symbol has no value, or nothing assigns `eta`.

    >>> a, eta, t = sp.symbols("a eta t")
    >>> print(Schedule("hyperbolic", ((eta, a / t),), (("a", 0.5),)))
    eta <- a/t
    with a = 0.5
    """

    name: str
    assignments: tuple[Assignment, ...]
    constants: tuple[tuple[str, float], ...]

    def __post_init__(self) -> None:
        if not self.assignments or self.assignments[-1][0] != ETA:
            raise ArgumentError(f"{self.name}: the last equation of a schedule assigns eta.")
        check_constants(self.rule, dict(self.constants))
        reading = [compiled.target for compiled in compile_rule(self.rule) if compiled.kind is not Kind.SHARED]
        if reading:
            raise ArgumentError(f"{self.name}: {', '.join(reading)} reads theta or g; a schedule reads the step alone.")

    @property
    def rule(self) -> UpdateRule:
        """The equations, without the values of their constants."""
        return UpdateRule(self.name, (), self.assignments)

    def at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 1.

        Raises ArgumentError for what is no step, and DivergenceError where the equations have no value.

        >>> cosine(0.1, steps=100).at(51)
        0.05
        """
        check_steps(self.name, "step", step)
        values: dict[str, float] = {name: float(value) for name, value in self.constants}
        values[STEP.name] = step
        for assignment in compile_rule(self.rule):
            values[assignment.target] = evaluate_shared(assignment, values)
        return values[ETA.name]

    def latex(self) -> str:
        """Return the equation, which is the one that runs."""
        return self.rule.latex()

    def text(self) -> str:
        """Return the equation and the values of its constants, for a terminal."""
        return self.rule.text_with(dict(self.constants))

    def _repr_latex_(self) -> str:
        return self.latex()

    def __str__(self) -> str:
        return self.text()


def scheduled(name: str, rate: sp.Expr, constants: dict[str, float], done: sp.Expr = STEP - 1) -> Schedule:
    """Return a schedule of one expression in `s`, which is how many steps are `done`."""
    return Schedule(name, ((DONE, done), (ETA, rate)), tuple(constants.items()))


def step_decay(rate: float, every: int, factor: float = 0.1) -> Schedule:
    """Multiply the rate by `factor` after every `every` steps: torch.optim.lr_scheduler.StepLR.

    >>> schedule = step_decay(1.0, every=2, factor=0.5)
    >>> [schedule.at(step) for step in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    check_steps("step_decay", "every", every)
    check_factor("step_decay", factor)
    constants = {"eta0": rate, "gamma": factor, "k": every}
    return scheduled("step decay", FIRST * FACTOR ** sp.floor(DONE / EVERY), constants)


def exponential_decay(rate: float, factor: float) -> Schedule:
    """Multiply the rate by `factor` after every step: torch.optim.lr_scheduler.ExponentialLR.

    >>> exponential_decay(1.0, 0.5).at(3)
    0.25
    """
    check_factor("exponential_decay", factor)
    return scheduled("exponential decay", FIRST * FACTOR**DONE, {"eta0": rate, "gamma": factor})


def cosine(rate: float, steps: int, least: float = 0.0) -> Schedule:
    """Let the rate fall to `least` along half a wave of `steps` steps, and keep it there.

    torch.optim.lr_scheduler.CosineAnnealingLR, which climbs again after T_max. Source: Loshchilov and Hutter 2017,
    equation 5, without restarts.

    >>> print(cosine(0.1, steps=100))
    s <- minimum(T, t - 1)
    eta <- eta_min + (1 + cos(pi*s/T))*(eta0 - eta_min)/2
    with eta0 = 0.1, T = 100, eta_min = 0.0
    """
    check_steps("cosine", "steps", steps)
    rates = LEAST + (FIRST - LEAST) * (1 + sp.cos(sp.pi * DONE / STEPS)) / 2
    return scheduled("cosine", rates, {"eta0": rate, "T": steps, "eta_min": least}, UNTIL_STEPS)


def polynomial_decay(rate: float, steps: int, power: float = 1.0) -> Schedule:
    """Let the rate fall to 0 in `steps` steps, as a power of what is left: torch.optim.lr_scheduler.PolynomialLR.

    >>> polynomial_decay(1.0, steps=4, power=2).at(3)
    0.25
    """
    check_steps("polynomial_decay", "steps", steps)
    rates = FIRST * (1 - DONE / STEPS) ** POWER
    return scheduled("polynomial decay", rates, {"eta0": rate, "T": steps, "p": power}, UNTIL_STEPS)


def inverse_sqrt(rate: float, warmup: int) -> Schedule:
    """Let the rate climb to `rate` in `warmup` steps and then fall as one over the root of the step.

    With rate = (width*warmup)^(-1/2) this is the schedule of Vaswani et al. 2017, equation 3.

    >>> schedule = inverse_sqrt(1.0, warmup=4)
    >>> [schedule.at(step) for step in (1, 4, 16)]
    [0.25, 1.0, 0.5]
    """
    check_steps("inverse_sqrt", "warmup", warmup)
    rates = FIRST * sp.Min(STEP / WARMUP, sp.sqrt(WARMUP / STEP))
    return Schedule("inverse square root", ((ETA, rates),), (("eta0", rate), ("T_w", warmup)))


def warm_up(rate: float | Schedule, steps: int) -> Schedule:
    """Let the rate climb on a line for `steps` steps to the first rate of a schedule, which then runs from its start.

    torch's SequentialLR of a LinearLR from 1/steps and the schedule. Source: Goyal et al. 2017, section 2.2.

    >>> schedule = warm_up(cosine(0.1, steps=100), steps=10)
    >>> [round(schedule.at(step), 6) for step in (1, 10, 11, 61)]
    [0.01, 0.1, 0.1, 0.05]
    """
    check_steps("warm_up", "steps", steps)
    after = rate if isinstance(rate, Schedule) else Schedule("constant", ((ETA, FIRST),), (("eta0", rate),))
    later = sp.Max(1, STEP - WARMUP)
    waiting = tuple((target, expression.subs(STEP, later)) for target, expression in after.assignments)
    constants = merge_constants("warm-up", dict(after.constants), {"T_w": steps})
    climb = (ETA, ETA * sp.Min(1, STEP / WARMUP))
    return Schedule(f"{after.name} after warm-up", (*waiting, climb), tuple(constants.items()))


SCHEDULES = (step_decay, exponential_decay, cosine, polynomial_decay, inverse_sqrt, warm_up)


def check_steps(schedule: str, name: str, steps: object) -> None:
    """Raise ArgumentError unless a number of steps is a whole number from 1 on."""
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ArgumentError(f"{schedule}: {name} is {steps!r}; give a whole number that is at least 1.")


def check_factor(schedule: str, factor: float) -> None:
    """Raise ArgumentError unless a factor of decay lies above 0 and is at most 1."""
    check_number(schedule, "factor", factor)
    if not 0 < factor <= 1:
        raise ArgumentError(f"{schedule}: factor is {factor!r}; a factor of decay lies in 0 < factor <= 1.")
