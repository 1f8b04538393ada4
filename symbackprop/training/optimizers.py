"""The update rules that ship: each one is its equations, its constants and its source."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import sympy as sp

from symbackprop.errors import ArgumentError
from symbackprop.training.equations import ETA, GRADIENT, STEP, THETA, Total, UpdateRule
from symbackprop.training.rules import Optimizer, check_constants, check_number, merge_constants
from symbackprop.training.schedules import Schedule

ALPHA, BETA, BETA1, BETA2, EPS, DECAY = sp.symbols("alpha beta beta1 beta2 eps lambda")
MOMENT, SQUARE, MOMENT_HAT, SQUARE_HAT = sp.symbols("m v mhat vhat")
NORM, LIMIT, DELTA, SCALE = sp.symbols("norm c delta kappa")
NAMES = {"lr": ETA.name, "weight_decay": DECAY.name}
RATES_OF_DECAY = ("alpha", "beta", "beta1", "beta2")
# Added to the norm before dividing by it, as torch.nn.utils.clip_grad_norm_ does.
NORM_GUARD = 1e-6

SGD_RULE = UpdateRule("SGD", (), ((THETA, THETA - ETA * GRADIENT),))
MOMENTUM_RULE = UpdateRule(
    "Momentum",
    (MOMENT,),
    ((MOMENT, BETA * MOMENT + GRADIENT), (THETA, THETA - ETA * MOMENT)),
)
NESTEROV_RULE = UpdateRule(
    "Nesterov",
    (MOMENT,),
    ((MOMENT, BETA * MOMENT + GRADIENT), (THETA, THETA - ETA * (GRADIENT + BETA * MOMENT))),
)
ADAGRAD_RULE = UpdateRule(
    "Adagrad",
    (SQUARE,),
    ((SQUARE, SQUARE + GRADIENT**2), (THETA, THETA - ETA * GRADIENT / (sp.sqrt(SQUARE) + EPS))),
)
RMSPROP_RULE = UpdateRule(
    "RMSprop",
    (SQUARE,),
    (
        (SQUARE, ALPHA * SQUARE + (1 - ALPHA) * GRADIENT**2),
        (THETA, THETA - ETA * GRADIENT / (sp.sqrt(SQUARE) + EPS)),
    ),
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
ADAMW_RULE = UpdateRule("AdamW", ADAM_RULE.state, ((THETA, THETA - ETA * DECAY * THETA), *ADAM_RULE.assignments))
WEIGHT_DECAY = ((GRADIENT, GRADIENT + DECAY * THETA),)
CLIPPING = (
    (NORM, sp.sqrt(Total(GRADIENT**2))),
    (SCALE, sp.Min(1, LIMIT / (NORM + DELTA))),
    (GRADIENT, SCALE * GRADIENT),
)


@dataclass(frozen=True)
class Basic(Optimizer):
    """A rule whose constants are the fields of the subclass. `lr` is a number or a schedule."""

    lr: float | Schedule

    equations: ClassVar[UpdateRule]

    def __post_init__(self) -> None:
        name = self.equations.name
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "lr" and isinstance(value, Schedule):
                continue
            check_number(name, field.name, value)
            if field.name in RATES_OF_DECAY and value >= 1:
                raise ArgumentError(
                    f"{name}: {field.name} is {value!r}; a rate of decay lies in 0 <= {field.name} < 1."
                )
        check_constants(self.rule, self.constants)

    @property
    def rule(self) -> UpdateRule:
        """The equations, with that of the learning rate first where it is a schedule."""
        if isinstance(self.lr, Schedule):
            return self.equations.preceded(self.lr.name, self.lr.rule.assignments)
        return self.equations

    @property
    def constants(self) -> dict[str, float]:
        """The values of the constants, by the names that the equations give them."""
        own = {NAMES.get(field.name, field.name): getattr(self, field.name) for field in fields(self)}
        if isinstance(self.lr, Schedule):
            del own[ETA.name]
            return merge_constants(self.rule.name, dict(self.lr.constants), own)
        return own


@dataclass(frozen=True)
class SGD(Basic):
    """Gradient descent: `theta <- theta - eta*g`. Source: Robbins and Monro 1951.

    >>> print(SGD(0.1).text())
    theta <- theta - eta*g
    with eta = 0.1
    """

    equations: ClassVar[UpdateRule] = SGD_RULE


@dataclass(frozen=True)
class Momentum(Basic):
    """Heavy-ball momentum as torch.optim.SGD has it: `m <- beta*m + g`, then `theta <- theta - eta*m`.

    Source: Polyak 1964, in the form of Sutskever et al. 2013 with the learning rate outside the sum.

    >>> print(Momentum(0.1).text())
    m <- g + beta*m
    theta <- theta - eta*m
    with eta = 0.1, beta = 0.9
    """

    beta: float = 0.9

    equations: ClassVar[UpdateRule] = MOMENTUM_RULE


@dataclass(frozen=True)
class Nesterov(Basic):
    """Nesterov's accelerated gradient as torch.optim.SGD(nesterov=True) has it: the step looks one momentum ahead.

    Source: Nesterov 1983, in the form of Sutskever et al. 2013 whose `theta` is the point looked at.

    >>> print(Nesterov(0.1).text())
    m <- g + beta*m
    theta <- theta - eta*(g + beta*m)
    with eta = 0.1, beta = 0.9
    """

    beta: float = 0.9

    equations: ClassVar[UpdateRule] = NESTEROV_RULE


@dataclass(frozen=True)
class Adagrad(Basic):
    """A rate for each entry that falls with its squared gradients so far. Source: Duchi, Hazan and Singer 2011.

    >>> print(Adagrad().text())
    v <- v + g^2
    theta <- theta - eta*g/(eps + sqrt(v))
    with eta = 0.01, eps = 1e-10
    """

    lr: float | Schedule = 1e-2
    eps: float = 1e-10

    equations: ClassVar[UpdateRule] = ADAGRAD_RULE


@dataclass(frozen=True)
class RMSprop(Basic):
    """A rate for each entry that follows the mean of its squared gradients. Source: Tieleman and Hinton 2012.

    `eps` is added outside the root, as torch.optim.RMSprop does.

    >>> RMSprop().constants
    {'eta': 0.01, 'alpha': 0.99, 'eps': 1e-08}
    """

    lr: float | Schedule = 1e-2
    alpha: float = 0.99
    eps: float = 1e-8

    equations: ClassVar[UpdateRule] = RMSPROP_RULE


@dataclass(frozen=True)
class Adam(Basic):
    """Adam with both moments corrected for their start at 0. Source: Kingma and Ba 2015, algorithm 1.

    >>> Adam().constants
    {'eta': 0.001, 'beta1': 0.9, 'beta2': 0.999, 'eps': 1e-08}
    """

    lr: float | Schedule = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    equations: ClassVar[UpdateRule] = ADAM_RULE


@dataclass(frozen=True)
class AdamW(Basic):
    """Adam with the weights shrunk beside the gradient, not through it. Source: Loshchilov and Hutter 2019.

    As in torch.optim.AdamW the weights shrink first, by `eta*lambda`.

    >>> print(AdamW().text().splitlines()[0])
    theta <- theta - eta*lambda*theta
    """

    lr: float | Schedule = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 1e-2

    equations: ClassVar[UpdateRule] = ADAMW_RULE


@dataclass(frozen=True)
class WeightDecay(Optimizer):
    """Another rule on the gradient of the loss plus `rate*|theta|^2/2`: torch.optim's `weight_decay`.

    >>> print(WeightDecay(SGD(0.1), 0.01).text())
    g <- g + lambda*theta
    theta <- theta - eta*g
    with eta = 0.1, lambda = 0.01
    """

    inner: Optimizer
    rate: float

    def __post_init__(self) -> None:
        check_inner("WeightDecay", self.inner)
        check_constants(self.rule, self.constants)

    @property
    def rule(self) -> UpdateRule:
        """The decay, then the equations of the other rule."""
        return self.inner.rule.preceded("weight decay", WEIGHT_DECAY)

    @property
    def constants(self) -> dict[str, float]:
        """The constants of the other rule and the rate of decay."""
        return merge_constants(self.rule.name, self.inner.constants, {DECAY.name: self.rate})


@dataclass(frozen=True)
class ClipByNorm(Optimizer):
    """Another rule on gradients that are scaled so that the norm of all of them together is at most `limit`.

    torch.nn.utils.clip_grad_norm_. Source: Pascanu, Mikolov and Bengio 2013, algorithm 1.

    >>> print(ClipByNorm(SGD(0.1), 1.0).text())
    norm <- sqrt(total(g^2))
    kappa <- minimum(1, c/(delta + norm))
    g <- g*kappa
    theta <- theta - eta*g
    with eta = 0.1, c = 1.0, delta = 1e-06
    """

    inner: Optimizer
    limit: float

    def __post_init__(self) -> None:
        check_inner("ClipByNorm", self.inner)
        check_constants(self.rule, self.constants)

    @property
    def rule(self) -> UpdateRule:
        """The norm, the scale, and the equations of the other rule."""
        return self.inner.rule.preceded("clipped by norm", CLIPPING)

    @property
    def constants(self) -> dict[str, float]:
        """The constants of the other rule and the limit of the norm."""
        own = {LIMIT.name: self.limit, DELTA.name: NORM_GUARD}
        return merge_constants(self.rule.name, self.inner.constants, own)


def check_inner(name: str, inner: object) -> None:
    """Raise ArgumentError unless what a rule is built around is a rule."""
    if not isinstance(inner, Optimizer):
        raise ArgumentError(f"{name} is built around an optimizer such as SGD(0.1), not {inner!r}.")


OPTIMIZERS: tuple[type[Basic], ...] = (SGD, Momentum, Nesterov, Adagrad, RMSprop, Adam, AdamW)
