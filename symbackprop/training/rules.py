"""Update rules as scalar equations: what is printed is what runs.

A rule is a list of assignments for one entry `theta` of a parameter, whose derivative is `g`. The assignments are
made in order at every step t = 1, 2, ...; a later one reads what an earlier one has assigned. The tensors of state
start at 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import sympy as sp

from symbackprop.errors import ArgumentError

Array = npt.NDArray[np.floating[Any]]
Memory = dict[str, dict[str, Array]]

THETA, GRADIENT, STEP = sp.symbols("theta g t")
ETA, BETA, BETA1, BETA2, EPS = sp.symbols("eta beta beta1 beta2 eps")
MOMENT, SQUARE, MOMENT_HAT, SQUARE_HAT = sp.symbols("m v mhat vhat")

LATEX_NAMES = {
    THETA: r"\theta",
    ETA: r"\eta",
    BETA: r"\beta",
    BETA1: r"\beta_{1}",
    BETA2: r"\beta_{2}",
    EPS: r"\varepsilon",
    MOMENT_HAT: r"\hat{m}",
    SQUARE_HAT: r"\hat{v}",
}


@dataclass(frozen=True, slots=True)
class UpdateRule:
    """Assignments `symbol <- expression` for one entry of a parameter, in the order in which they are made.

    >>> print(SGD_RULE)
    theta <- theta - eta*g
    """

    name: str
    state: tuple[sp.Symbol, ...]
    assignments: tuple[tuple[sp.Symbol, sp.Expr], ...]

    def latex(self) -> str:
        r"""Return the assignments as an `align*` environment, with `\eta` for the learning rate."""
        rows = [
            f"{sp.latex(target, symbol_names=LATEX_NAMES)} &\\leftarrow "
            + sp.latex(expression, symbol_names=LATEX_NAMES, order="none")
            for target, expression in self.assignments
        ]
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"

    def text(self) -> str:
        """Return one line for each assignment."""
        return "\n".join(f"{target} <- {sp.sstr(expression, order='none')}" for target, expression in self.assignments)

    def __str__(self) -> str:
        return self.text()


SGD_RULE = UpdateRule("SGD", (), ((THETA, THETA - ETA * GRADIENT),))
MOMENTUM_RULE = UpdateRule(
    "Momentum",
    (MOMENT,),
    ((MOMENT, BETA * MOMENT + GRADIENT), (THETA, THETA - ETA * MOMENT)),
)
ADAM_RULE = UpdateRule(
    "Adam",
    (MOMENT, SQUARE),
    (
        (MOMENT, BETA1 * MOMENT + (1 - BETA1) * GRADIENT),
        (SQUARE, BETA2 * SQUARE + (1 - BETA2) * GRADIENT**2),
        (MOMENT_HAT, MOMENT / (1 - BETA1**STEP)),
        (SQUARE_HAT, SQUARE / (1 - BETA2**STEP)),
        (THETA, THETA - ETA * MOMENT_HAT / (sp.sqrt(SQUARE_HAT) + EPS)),
    ),
)


@cache
def compile_rule(rule: UpdateRule) -> tuple[tuple[str, tuple[str, ...], Callable[..., Any]], ...]:
    """Return, for each assignment, its target, the names that it reads, and a NumPy function of those."""
    compiled = []
    for target, expression in rule.assignments:
        reads = tuple(sorted(expression.free_symbols, key=lambda symbol: symbol.name))
        run = sp.lambdify(reads, expression, modules="numpy")
        compiled.append((target.name, tuple(symbol.name for symbol in reads), run))
    return tuple(compiled)


def symbol_name(field: str) -> str:
    """Return how the equations call a constant: the learning rate `lr` is the textbooks' eta.

    >>> symbol_name("lr"), symbol_name("beta")
    ('eta', 'beta')
    """
    return ETA.name if field == "lr" else field


@dataclass(frozen=True)
class Optimizer:
    """An update rule with the values of its constants, which are the fields of the subclass."""

    rule: ClassVar[UpdateRule]

    def __post_init__(self) -> None:
        for name, value in self.constants.items():
            number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or value < 0:
                raise ArgumentError(f"{self.rule.name}: {name} is {value!r}; give a finite number that is at least 0.")
            if name.startswith("beta") and value >= 1:
                raise ArgumentError(f"{self.rule.name}: {name} is {value!r}; a rate of decay lies in 0 <= {name} < 1.")

    @property
    def constants(self) -> dict[str, float]:
        """The values of the rule's constants, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def latex(self) -> str:
        """Return the equations of the rule, which are those that run."""
        return self.rule.latex()

    def text(self) -> str:
        """Return the equations of the rule and the values of its constants, for a terminal."""
        values = ", ".join(f"{symbol_name(name)} = {value}" for name, value in self.constants.items())
        return f"{self.rule.text()}\nwith {values}"

    def start(self, params: Mapping[str, Array]) -> Memory:
        """Return the state before the first step: a zero for each entry of each parameter."""
        return {
            symbol.name: {name: np.zeros_like(value) for name, value in params.items()} for symbol in self.rule.state
        }

    def update(
        self, params: Mapping[str, Array], gradients: Mapping[str, npt.ArrayLike], memory: Memory, step: int
    ) -> None:
        """Make step number `step` (from 1) on every parameter, writing into `params` and `memory`.

        >>> params = {"w": np.array([1.0, 2.0])}
        >>> SGD(0.5).update(params, {"w": np.array([1.0, 0.0])}, {}, 1)
        >>> params["w"]
        array([0.5, 2. ])
        """
        # Python numbers, so that NumPy keeps the dtype of the parameters.
        constants = {symbol_name(name): float(value) for name, value in self.constants.items()}
        compiled = compile_rule(self.rule)
        for name, theta in params.items():
            state = {slot: tensors[name] for slot, tensors in memory.items()}
            values: dict[str, Any] = {**constants, **state, "theta": theta, "g": gradients[name], "t": step}
            for target, reads, run in compiled:
                value = run(*(values[read] for read in reads))
                if target == "theta":
                    theta[...] = value
                elif target in state:
                    state[target][...] = value
                else:
                    values[target] = value


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent: `theta <- theta - eta*g`.

    >>> SGD(0.1).rule.name
    'SGD'
    """

    lr: float

    rule: ClassVar[UpdateRule] = SGD_RULE


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Heavy-ball momentum as torch.optim.SGD has it: `m <- beta*m + g`, then `theta <- theta - eta*m`.

    Source: Polyak 1964, in the form of Sutskever et al. 2013 with the learning rate outside the sum.

    >>> print(Momentum(0.1).text())
    m <- g + beta*m
    theta <- theta - eta*m
    with eta = 0.1, beta = 0.9
    """

    lr: float
    beta: float = 0.9

    rule: ClassVar[UpdateRule] = MOMENTUM_RULE


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam with both moments corrected for their start at 0. Source: Kingma and Ba 2015, algorithm 1.

    >>> Adam().constants
    {'lr': 0.001, 'beta1': 0.9, 'beta2': 0.999, 'eps': 1e-08}
    """

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    rule: ClassVar[UpdateRule] = ADAM_RULE
