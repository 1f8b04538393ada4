"""Newton's method and the method of Gauss and Newton: matrix equations that are printed and run.

All parameters stand in one column `theta`, with the gradient `g` and the Hessian `H` of a loss, or with a column `r` of
residuals and its Jacobian `J`. The damping `mu` is added to the diagonal; 0 is the pure method.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from sympy.assumptions import Q, assuming
from sympy.codegen.rewriting import matinv_opt, optimize

from symbackprop.errors import ArgumentError, CurvatureError, DivergenceError
from symbackprop.training.equations import Formula, UpdateRule, compile_formula

Vector = npt.NDArray[np.float64]
# The loss at a point, and the arrays that the first equations read there.
Evaluate = Callable[[Vector], tuple[float, Mapping[str, Vector]]]

ENTRIES, RESIDUALS = sp.symbols("P R", integer=True, positive=True)
DAMPING = sp.Symbol("mu")
PARAMETERS, GRADIENT, STEP = (sp.MatrixSymbol(name, ENTRIES, 1) for name in ("theta", "g", "d"))
HESSIAN, CURVATURE, UNIT = (sp.MatrixSymbol(name, ENTRIES, ENTRIES) for name in ("H", "M", "I"))
RESIDUAL, JACOBIAN = sp.MatrixSymbol("r", RESIDUALS, 1), sp.MatrixSymbol("J", RESIDUALS, ENTRIES)

SOLVE = ((STEP, CURVATURE.inverse() * GRADIENT), (PARAMETERS, PARAMETERS - STEP))
# Source: Nocedal and Wright 2006, equation 2.15; with mu > 0 the step of a trust region, theorem 4.1.
NEWTON_RULE = UpdateRule("Newton", (), ((CURVATURE, HESSIAN + DAMPING * UNIT), *SOLVE))
# Source: Nocedal and Wright 2006, equation 10.23; with mu > 0 Levenberg 1944 and Marquardt 1963.
GAUSS_NEWTON_RULE = UpdateRule(
    "Gauss-Newton",
    (),
    ((GRADIENT, JACOBIAN.T * RESIDUAL), (CURVATURE, JACOBIAN.T * JACOBIAN + DAMPING * UNIT), *SOLVE),
)


@dataclass(frozen=True, eq=False, slots=True)
class NewtonRun:
    """What the steps came to.

    `params` are the last point by name; `history` holds the loss at every point and `slopes` the largest entry of the
    gradient there, the start first. `rule` is what ran, with `damping` for mu.
    """

    rule: UpdateRule
    damping: float
    params: dict[str, Vector]
    history: tuple[float, ...]
    slopes: tuple[float, ...]

    def latex(self) -> str:
        """Return the equations of a step, which are those that ran."""
        return self.rule.latex()

    def text(self) -> str:
        """Return the equations of a step, and the loss and the largest slope at every point."""
        lines = [self.rule.text_with({DAMPING.name: self.damping})]
        for step, (loss, slope) in enumerate(zip(self.history, self.slopes, strict=True)):
            lines.append(f"after {step} steps: loss = {loss:.10g}, largest slope = {slope:.1e}")
        return "\n".join(lines)

    def _repr_latex_(self) -> str:
        return self.latex()

    def __str__(self) -> str:
        return self.text()


def run_newton(
    rule: UpdateRule, evaluate: Evaluate, start: Mapping[str, Vector], steps: int, damping: float
) -> NewtonRun:
    """Make the steps of a rule of this module from a start, whose arrays stand in one column in their order.

    Raises ArgumentError for settings out of their range, CurvatureError where the matrix that a step divides by is not
    positive definite, DivergenceError where a number leaves the finite ones.

    >>> def evaluate(theta):
    ...     return float(theta @ theta), {"g": 2 * theta, "H": 2 * np.eye(1)}
    >>> run = run_newton(NEWTON_RULE, evaluate, {"w": np.array([3.0])}, steps=1, damping=0.0)
    >>> run.history, run.slopes
    ((9.0, 0.0), (6.0, 0.0))
    """
    check_settings(steps, damping)
    theta = np.concatenate([np.ravel(value) for value in start.values()])
    unit = np.eye(len(theta))
    history, slopes = list[float](), list[float]()
    for step in range(1, steps + 2):
        loss, arrays = evaluate(theta)
        values: dict[str, Any] = {"theta": theta, "mu": float(damping), "I": unit, **arrays}
        for target, formula in compile_matrices(rule):
            if target == STEP.name:
                check_finite(step - 1, loss, values)
                if step > steps:  # the last point is looked at, and not left
                    break
                check_curvature(rule.name, values[CURVATURE.name], step)
            values[target] = formula(values, {})
        theta = values[PARAMETERS.name]
        history.append(loss)
        slopes.append(float(np.abs(values[GRADIENT.name]).max()))
    return NewtonRun(rule, float(damping), split_entries(theta, start), tuple(history), tuple(slopes))


@cache
def compile_matrices(rule: UpdateRule) -> tuple[tuple[str, Formula], ...]:
    """Return the assignments as NumPy functions; a matrix is never inverted, but solved with."""
    compiled = []
    for target, expression in rule.assignments:
        if expression.has(sp.Inverse):
            with assuming(Q.fullrank(CURVATURE)):
                expression = optimize(expression, [matinv_opt])
        compiled.append((target.name, compile_formula(expression, "numpy", {ENTRIES, RESIDUALS})))
    return tuple(compiled)


def split_entries(column: Vector, shapes: Mapping[str, Vector]) -> dict[str, Vector]:
    """Return the arrays that stand in a column, in the order and shapes of others.

    >>> split_entries(np.array([1.0, 2.0, 3.0]), {"w": np.zeros((1, 2)), "b": np.array(0.0)})
    {'w': array([[1., 2.]]), 'b': array(3.)}
    """
    ends = np.cumsum([value.size for value in shapes.values()])
    parts = np.split(column, ends[:-1])
    return {name: part.reshape(value.shape) for part, (name, value) in zip(parts, shapes.items(), strict=True)}


def check_settings(steps: object, damping: object) -> None:
    """Raise ArgumentError unless the number of steps and the damping make sense."""
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
        raise ArgumentError(f"steps is {steps!r}; give a whole number that is at least 0.")
    number = isinstance(damping, int | float) and not isinstance(damping, bool)
    if not number or not math.isfinite(damping) or damping < 0:  # type: ignore[arg-type, operator]
        raise ArgumentError(f"damping is {damping!r}; give a finite number that is at least 0.")


def check_finite(done: int, loss: float, values: Mapping[str, Any]) -> None:
    """Raise DivergenceError where the loss or its derivatives are not finite."""
    if not math.isfinite(loss) or not all(np.isfinite(value).all() for value in values.values()):
        raise DivergenceError(
            f"the loss or a derivative is not finite after {done} steps (loss {loss}); start nearer the minimum, or "
            "give more damping."
        )


def check_curvature(rule: str, matrix: Vector, step: int) -> None:
    """Raise CurvatureError unless a symmetric matrix is positive definite beyond rounding."""
    eigenvalues = np.linalg.eigvalsh(matrix)
    smallest, largest = float(eigenvalues[0]), float(np.abs(eigenvalues).max())
    rounding = len(matrix) * float(np.finfo(np.float64).eps) * largest
    if smallest > rounding:
        return
    if smallest >= -rounding:
        raise CurvatureError(
            f"{rule}, step {step}: the matrix is singular (smallest eigenvalue {smallest:.3g}, largest {largest:.3g}), "
            "so the loss does not tell one parameter from another; leave out parameters, or give damping=.",
            smallest=smallest,
            step=step,
        )
    raise CurvatureError(
        f"{rule}, step {step}: the matrix is not positive definite (smallest eigenvalue {smallest:.3g}), so the step "
        f"would not go downhill; start nearer the minimum, or give a damping above {-smallest:.3g}.",
        smallest=smallest,
        step=step,
    )
