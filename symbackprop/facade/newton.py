"""Newton's and Gauss and Newton's steps on a program, from the Hessian and the Jacobian that are derived for it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from symbackprop.calculus.tensors import Role
from symbackprop.errors import ArgumentError
from symbackprop.facade.derivations import Derivation, derive
from symbackprop.facade.networks import Network
from symbackprop.facade.programs import Program
from symbackprop.training.newton import GAUSS_NEWTON_RULE, NEWTON_RULE, NewtonRun, Vector, run_newton, split_entries

Arrays = Mapping[str, npt.ArrayLike]
MAX_ENTRIES = 2000  # the Hessian is dense: 32 MB


def newton(
    program: Program | Network,
    start: Arrays,
    data: Arrays | None = None,
    steps: int = 10,
    damping: float = 0.0,
) -> NewtonRun:
    """Minimise the loss of a small program by Newton's method: `theta <- theta - inv(H + mu*I)*g`.

    `start` holds an array for each parameter, `data` what the compiled derivation takes by keyword. The gradient g and
    every block of the Hessian H are derived. Raises CurvatureError where H + mu*I is singular or not positive definite.

    >>> from symbackprop.facade.programs import parse
    >>> print(newton(parse("param w\\nloss = exp(w) - 2*w"), {"w": 0.0}, steps=3))
    M <- H + mu*I
    d <- inv(M)*g
    theta <- theta - d
    with mu = 0.0
    after 0 steps: loss = 1, largest slope = 1.0e+00
    after 1 steps: loss = 0.7182818285, largest slope = 7.2e-01
    after 2 steps: loss = 0.6155474639, largest slope = 8.7e-02
    after 3 steps: loss = 0.6137064404, largest slope = 1.8e-03
    """
    derivation = _derive(program, None)
    first, given = _read_start(derivation, start), dict(data or {})
    names = tuple(first)
    slopes = derivation.compile()
    blocks = {
        (row, column): derivation.hessian(row, by=column).compile()
        for place, row in enumerate(names)
        for column in names[place:]
    }

    def evaluate(theta: Vector) -> tuple[float, dict[str, Vector]]:
        params = split_entries(theta, first)
        loss, gradient = slopes(params, **given)
        found = {
            (row, column): np.reshape(block(params, **given)[1][column], (first[row].size, first[column].size))
            for (row, column), block in blocks.items()
        }
        found |= {(column, row): block.T for (row, column), block in found.items() if row != column}
        hessian = np.block([[found[row, column] for column in names] for row in names])
        return float(loss), {"g": np.concatenate([np.ravel(gradient[name]) for name in names]), "H": hessian}

    return run_newton(NEWTON_RULE, evaluate, first, steps, damping)


def gauss_newton(
    program: Program | Network,
    residual: str,
    start: Arrays,
    data: Arrays | None = None,
    steps: int = 10,
    damping: float = 0.0,
) -> NewtonRun:
    """Minimise half the sum of the squares of a tensor: `theta <- theta - inv(J'*J + mu*I)*J'*r`.

    `residual` names the tensor r of the program, whose Jacobian J by the parameters is derived; a loss that the program
    defines is not read. With damping this is the step of Levenberg and Marquardt. Raises CurvatureError where the
    matrix is singular.

    >>> from symbackprop.facade.programs import parse
    >>> line = parse("input x[N], y[N]\\nparam w, b\\nr[n] = w*x[n] + b - y[n]")
    >>> run = gauss_newton(line, "r", {"w": 0, "b": 0}, {"x": [0.0, 1.0, 2.0], "y": [1.0, 3.0, 5.0]}, steps=1)
    >>> float(run.params["w"].round(12)), float(run.params["b"].round(12))
    (2.0, 1.0)
    """
    derivation = _derive(program, residual)
    first, given = _read_start(derivation, start), dict(data or {})
    jacobian = derivation.compile()

    def evaluate(theta: Vector) -> tuple[float, dict[str, Vector]]:
        value, parts = jacobian(split_entries(theta, first), **given)
        found = np.ravel(value)
        columns = [np.reshape(parts[name], (found.size, entry.size)) for name, entry in first.items()]
        return float(found @ found) / 2, {"r": found, "J": np.concatenate(columns, axis=1)}

    return run_newton(GAUSS_NEWTON_RULE, evaluate, first, steps, damping)


def _derive(program: Program | Network, of: str | None) -> Derivation:
    """The derivation by the parameters."""
    derivation = derive(program, of=of)
    if any(derivation.core.program.tensor(name).role is not Role.PARAM for name in derivation.core.wrt):
        raise ArgumentError("The program has no parameters to minimise by; declare them with param.")
    return derivation


def _read_start(derivation: Derivation, start: Arrays) -> dict[str, Vector]:
    """The start in the order of the parameters, as float64 arrays of the caller's shapes."""
    names = derivation.core.wrt
    if set(start) != set(names):
        raise ArgumentError(
            f"The start holds {', '.join(start) or 'nothing'}, and the parameters are {', '.join(names)}; give an "
            "array for each of them."
        )
    try:
        first = {name: np.array(start[name], dtype=np.float64) for name in names}
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"The start holds what is no array of numbers ({error}).") from error
    entries = sum(value.size for value in first.values())
    if entries > MAX_ENTRIES:
        raise ArgumentError(
            f"The parameters have {entries} entries, and a step here solves with a dense matrix of at most "
            f"{MAX_ENTRIES} rows; use sb.train for larger programs."
        )
    return first
