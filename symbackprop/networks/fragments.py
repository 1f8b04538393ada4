"""Forward fragments: whatever has an index, as formula text.

A fragment is written in the formula language with names in braces where a network puts its own: tensors `{z}` `{x}`
`{W}`, index letters `{i}` `{j}`, `{n}` for the batch index with its comma (nothing where there is no batch) and
`{per_sample}` for the division by the batch size. Its gradient, its LaTeX, its proof and its code follow from that
text.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fragment:
    """A named piece of forward text; `source` is where a reader can compare it."""

    name: str
    text: str
    source: str


AFFINE = Fragment(
    "dense",
    "{z}[{n}{i}] = sum({j}, {W}[{i},{j}]*{x}[{n}{j}]) + {b}[{i}]",
    "Goodfellow, Bengio, Courville 2016, Deep Learning, section 6.1",
)
LINEAR = Fragment(
    "dense without bias",
    "{z}[{n}{i}] = sum({j}, {W}[{i},{j}]*{x}[{n}{j}])",
    "Goodfellow, Bengio, Courville 2016, Deep Learning, section 6.1",
)

SOFTMAX = Fragment(
    "softmax",
    "{a}[{n}{i}] = exp({z}[{n}{i}]) / sum({j}, exp({z}[{n}{j}]))",
    "Bridle 1990, Probabilistic interpretation of feedforward classification network outputs",
)
LOG_SOFTMAX = Fragment(
    "log_softmax",
    "{a}[{n}{i}] = {z}[{n}{i}] - log(sum({j}, exp({z}[{n}{j}])))",
    "Goodfellow, Bengio, Courville 2016, Deep Learning, equation 6.30",
)

NORMALISATIONS = (SOFTMAX, LOG_SOFTMAX)


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss as formula text over the outputs `{a}` and the targets `{y}`.

    `reduction` says what is summed and what is averaged, `unit` in what the value is measured. `assumes` are facts
    about the targets that the text declares; `normalises` says that the loss names the softmax `{p}` of its logits
    itself.
    """

    name: str
    text: str
    reduction: str
    unit: str
    source: str
    assumes: str = ""
    normalises: bool = False


MSE = Loss(
    "mse",
    "loss = mean({n}{i}, ({a}[{n}{i}] - {y}[{n}{i}])^2)",
    "mean over all entries",
    "squared units of the target",
    "Bishop 2006, Pattern Recognition and Machine Learning, section 1.1",
)
MAE = Loss(
    "mae",
    "loss = mean({n}{i}, abs({a}[{n}{i}] - {y}[{n}{i}]))",
    "mean over all entries",
    "units of the target",
    "Bishop 2006, Pattern Recognition and Machine Learning, section 1.5.5",
)
HUBER = Loss(
    "huber",
    "{r}[{n}{i}] = {a}[{n}{i}] - {y}[{n}{i}]\n"
    "loss = mean({n}{i}, where(abs({r}[{n}{i}]) <= 1, {r}[{n}{i}]^2/2, abs({r}[{n}{i}]) - 1/2))",
    "mean over all entries, delta 1",
    "squared units of the target",
    "Huber 1964, Robust estimation of a location parameter",
)
BCE = Loss(
    "bce",
    "loss = -mean({n}{i}, {y}[{n}{i}]*log({a}[{n}{i}]) + (1 - {y}[{n}{i}])*log(1 - {a}[{n}{i}]))",
    "mean over all entries",
    "nats",
    "Bishop 2006, Pattern Recognition and Machine Learning, equation 4.90",
)
BCE_LOGITS = Loss(
    "bce_logits",
    "loss = mean({n}{i}, softplus({a}[{n}{i}]) - {y}[{n}{i}]*{a}[{n}{i}])",
    "mean over all entries; the outputs are logits",
    "nats",
    "Bishop 2006, Pattern Recognition and Machine Learning, equations 4.59 and 4.90",
)
CROSS_ENTROPY = Loss(
    "cross_entropy",
    "{p}[{n}{i}] = exp({a}[{n}{i}]) / sum({j}, exp({a}[{n}{j}]))\n"
    "loss = -sum({n}{i}, {y}[{n}{i}]*log({p}[{n}{i}])){per_sample}",
    "sum over classes, mean over samples; the outputs are logits",
    "nats",
    "Bishop 2006, Pattern Recognition and Machine Learning, equations 4.104 and 4.108",
    assumes="assume sum({i}, {y}[{n}{i}]) = 1",
    normalises=True,
)

LOSSES = (MSE, MAE, HUBER, BCE, BCE_LOGITS, CROSS_ENTROPY)
