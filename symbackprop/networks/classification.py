"""Losses of classes, as formula text over outputs `a` and targets `y`. Adding one is one object here."""

from __future__ import annotations

from symbackprop.networks.fragments import Fragment
from symbackprop.networks.objectives import BISHOP, SHAPES, Loss

NUMBERED = "the targets are class numbers"

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
    f"mean over samples; the outputs are logits, {NUMBERED}",
    "nats",
    classifies=True,
)
CROSS_ENTROPY_SMOOTHED = Loss(
    Fragment(
        "cross_entropy_smoothed",
        """
        input a[...,K]
        index y[...] in K
        p[...,i] = exp(a[...,i]) / sum(j, exp(a[...,j]))
        q[...,i:K] = (1 - {smoothing})*where(i == y[...], 1, 0) + {smoothing}/K
        assume sum(i, q[...,i]) = 1
        loss = -sum(..., i, q[...,i]*log(p[...,i]))/{samples}
        """,
        "Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016, Rethinking the inception architecture for computer vision, "
        "section 7",
        SHAPES,
        {"smoothing": "0.1"},
    ),
    f"sum over classes, mean over samples; the outputs are logits, {NUMBERED}, of which q keeps all but the smoothing",
    "nats",
    classifies=True,
)
CROSS_ENTROPY_WEIGHTED = Loss(
    Fragment(
        "cross_entropy_weighted",
        """
        input a[...,K]
        index y[...] in K
        input w[K]
        p[...,i] = exp(a[...,i]) / sum(j, exp(a[...,j]))
        v[...] = w[y[...]]
        loss = -sum(..., v[...]*log(p[...,y[...]]))/sum(..., v[...])
        """,
        "King and Zeng 2001, Logistic regression in rare events data",
        ({"N": 4, "K": 3}, {"N": 5, "K": 4}),
    ),
    f"mean over samples by the weights w of their classes; the outputs are logits, {NUMBERED}",
    "nats",
    classifies=True,
)
NLL = Loss(
    Fragment(
        "nll",
        """
        input a[...,K]
        index y[...] in K
        loss = -sum(..., a[...,y[...]])/{samples}
        """,
        BISHOP + "equation 4.108",
        SHAPES,
    ),
    f"mean over samples; the outputs are logarithms of probabilities, {NUMBERED}",
    "nats",
)
FOCAL = Loss(
    Fragment(
        "focal",
        """
        input a[...,K]
        index y[...] in K
        p[...,i] = exp(a[...,i]) / sum(j, exp(a[...,j]))
        l[...] = a[...,y[...]] - log(sum(j, exp(a[...,j])))
        loss = -sum(..., (1 - exp(l[...]))^{gamma}*l[...])/{samples}
        """,
        "Lin, Goyal, Girshick, He, Dollár 2017, Focal loss for dense object detection, equation 4",
        SHAPES,
        {"gamma": "2"},
    ),
    f"mean over samples; the outputs are logits, {NUMBERED}, l is the logarithm of p at the target",
    "nats",
    classifies=True,
)
KL = Loss(
    Fragment(
        "kl",
        """
        input a[...,K], y[...,K]
        loss = sum(..., i, where(y[...,i] > 0, y[...,i]*log(y[...,i]), 0) - y[...,i]*a[...,i])/{samples}
        """,
        "Kullback and Leibler 1951, On information and sufficiency",
        SHAPES,
    ),
    "sum over classes, mean over samples; the outputs are logarithms of probabilities, the targets probabilities",
    "nats",
)
HINGE = Loss(
    Fragment(
        "hinge",
        """
        input a[...,K], y[...,K]
        assume y[...,i]^2 = 1
        loss = mean(..., i, relu(1 - y[...,i]*a[...,i]))
        """,
        "Cortes and Vapnik 1995, Support-vector networks",
        SHAPES,
    ),
    "mean over all entries; the targets are -1 or 1",
    "margins",
    codes=(-1, 1),
)
SQUARED_HINGE = Loss(
    Fragment(
        "squared_hinge",
        """
        input a[...,K], y[...,K]
        assume y[...,i]^2 = 1
        loss = mean(..., i, relu(1 - y[...,i]*a[...,i])^2)
        """,
        "Tang 2013, Deep learning using linear support vector machines",
        SHAPES,
    ),
    "mean over all entries; the targets are -1 or 1",
    "squared margins",
    codes=(-1, 1),
)
MULTI_HINGE = Loss(
    Fragment(
        "multi_hinge",
        """
        input a[...,K]
        index y[...] in K
        m[...,i] = {margin} - a[...,y[...]] + a[...,i]
        loss = sum(..., mean(i, where(i == y[...], 0, relu(m[...,i]))))/{samples}
        """,
        "Weston and Watkins 1999, Support vector machines for multi-class pattern recognition",
        SHAPES,
        {"margin": "1"},
    ),
    f"mean over classes and samples, the own class counting 0; {NUMBERED}",
    "units of the outputs",
)

CLASSIFICATION = (
    BCE, BCE_LOGITS, CROSS_ENTROPY, CROSS_ENTROPY_INDEX, CROSS_ENTROPY_SMOOTHED, CROSS_ENTROPY_WEIGHTED, NLL, FOCAL, KL,
    HINGE, SQUARED_HINGE, MULTI_HINGE,
)  # fmt: skip
