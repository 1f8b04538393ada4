"""The losses of the catalogue, as formula text over outputs `a` and targets `y`. Adding one is one object here."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.networks.fragments import Fragment

BISHOP = "Bishop 2006, Pattern Recognition and Machine Learning, "
SHAPES = ({"N": 2, "K": 3}, {"N": 3, "K": 2})


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss: its fragment, whose first tensor are the outputs, and what its value means.

    `reduction` says what is summed and what is averaged, `unit` in what the value is measured. `classifies` says that
    its outputs are logits, of which it names the softmax `p` itself.
    """

    fragment: Fragment
    reduction: str
    unit: str
    classifies: bool = False


MSE = Loss(
    Fragment(
        "mse",
        "input a[...,K], y[...,K]\nloss = mean(..., i, (a[...,i] - y[...,i])^2)",
        BISHOP + "section 1.1",
        SHAPES,
    ),
    "mean over all entries",
    "squared units of the target",
)
MAE = Loss(
    Fragment(
        "mae",
        "input a[...,K], y[...,K]\nloss = mean(..., i, abs(a[...,i] - y[...,i]))",
        BISHOP + "section 1.5.5",
        SHAPES,
    ),
    "mean over all entries",
    "units of the target",
)
HUBER = Loss(
    Fragment(
        "huber",
        """
        input a[...,K], y[...,K]
        r[...,i] = a[...,i] - y[...,i]
        loss = mean(..., i, where(abs(r[...,i]) <= 1, r[...,i]^2/2, abs(r[...,i]) - 1/2))
        """,
        "Huber 1964, Robust estimation of a location parameter",
        SHAPES,
    ),
    "mean over all entries, delta 1",
    "squared units of the target",
)
BCE = Loss(
    Fragment(
        "bce",
        """
        input a[...,K], y[...,K]
        loss = -mean(..., i, y[...,i]*log(a[...,i]) + (1 - y[...,i])*log(1 - a[...,i]))
        """,
        BISHOP + "equation 4.90",
        SHAPES,
    ),
    "mean over all entries",
    "nats",
)
BCE_LOGITS = Loss(
    Fragment(
        "bce_logits",
        "input a[...,K], y[...,K]\nloss = mean(..., i, softplus(a[...,i]) - y[...,i]*a[...,i])",
        BISHOP + "equations 4.59 and 4.90",
        SHAPES,
    ),
    "mean over all entries; the outputs are logits",
    "nats",
)
CROSS_ENTROPY = Loss(
    Fragment(
        "cross_entropy",
        """
        input a[...,K], y[...,K]
        assume sum(i, y[...,i]) = 1
        p[...,i] = exp(a[...,i]) / sum(j, exp(a[...,j]))
        loss = -sum(..., i, y[...,i]*log(p[...,i]))/{samples}
        """,
        BISHOP + "equations 4.104 and 4.108",
        SHAPES,
    ),
    "sum over classes, mean over samples; the outputs are logits",
    "nats",
    classifies=True,
)
CROSS_ENTROPY_INDEX = Loss(
    Fragment(
        "cross_entropy_index",
        """
        input a[...,K]
        index y[...] in K
        p[...,i] = exp(a[...,i]) / sum(j, exp(a[...,j]))
        loss = -sum(..., log(p[...,y[...]]))/{samples}
        """,
        BISHOP + "equations 4.104 and 4.108",
        SHAPES,
    ),
    "mean over samples; the outputs are logits, the targets class numbers",
    "nats",
    classifies=True,
)

LOSSES = (MSE, MAE, HUBER, BCE, BCE_LOGITS, CROSS_ENTROPY, CROSS_ENTROPY_INDEX)
