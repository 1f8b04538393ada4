"""Networks: layers and a loss written down as one program in the formula language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.calculus.indices import choose_name
from symbackprop.errors import ArgumentError, UnknownNameError
from symbackprop.functions import FUNCTIONS
from symbackprop.networks.fragments import AFFINE, LINEAR, LOSSES, NORMALISATIONS, SOFTMAX, Loss

Width = int | str


@dataclass(frozen=True, slots=True)
class Dense:
    """A fully connected layer, a = f(W x + b): `units` outputs, each reading every input.

    W is [units, fan-in], b is [units]. `activation` is a scalar function of the catalogue, or "softmax" or
    "log_softmax".

    >>> Dense(3, "tanh")
    Dense(units=3, activation='tanh', bias=True)
    """

    units: Width
    activation: str = "identity"
    bias: bool = True


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a network: its shape and the fan-in and fan-out of its layer; a bias has fan-in 0."""

    name: str
    shape: tuple[Width, ...]
    fan_in: Width
    fan_out: Width


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network as text: `text` is its program, `parameters` what it learns, `output` the tensor that predicts.

    `classifies` says that the outputs are the probabilities of classes, which the loss makes of logits itself.
    """

    text: str
    parameters: tuple[Parameter, ...]
    output: str
    loss: str
    classifies: bool


def write_network(inputs: Width, layers: Sequence[Dense], loss: str, batch: str | None = "N") -> Architecture:
    """The program of a feed-forward network, its tensors called x y W1 b1 z1 a1 W2 ... loss.

    >>> print(write_network(2, [Dense(1, "sigmoid")], "mse", None).text)
    input x[2], y[1]
    param W1[1,2], b1[1]
    z1[i] = sum(j, W1[i,j]*x[j]) + b1[i]
    a1[i] = sigmoid(z1[i])
    loss = mean(i, (a1[i] - y[i])^2)
    """
    if not layers:
        raise ArgumentError("A network needs at least one layer, such as sb.Dense(3, 'sigmoid').")
    chosen = _find_loss(loss)
    widths = [_check_width(w) for w in (inputs, *(layer.units for layer in layers))]
    if batch is not None and not (isinstance(batch, str) and batch.isidentifier()):
        raise ArgumentError(f"batch = {batch!r} must be the name of a size, such as 'N', or None for a single sample.")
    sizes = {str(w) for w in (*widths, batch)}
    letters: dict[str, str] = {}
    for letter in "nij":
        letters[letter] = choose_name(letter, sizes | set(letters.values()))
    lead = "" if batch is None else f"{letters['n']},"
    common = {
        "n": lead,
        "i": letters["i"],
        "j": letters["j"],
        "per_sample": "" if batch is None else f"/{batch}",
        "y": "y",
        "p": "p",
        "r": "r",
    }
    axes = "" if batch is None else f"{batch},"
    parameters: list[Parameter] = []
    lines: list[str] = []
    current = "x"
    for number, layer in enumerate(layers, 1):
        fan_in, fan_out = widths[number - 1], widths[number]
        names = {"z": f"z{number}", "a": f"a{number}", "x": current, "W": f"W{number}", "b": f"b{number}"}
        parameters.append(Parameter(names["W"], (fan_out, fan_in), fan_in, fan_out))
        if layer.bias:
            parameters.append(Parameter(names["b"], (fan_out,), 0, fan_out))
        lines.append((AFFINE if layer.bias else LINEAR).text.format(**common, **names))
        if number == len(layers) and chosen.normalises and layer.activation == SOFTMAX.name:
            current = names["z"]
        else:
            lines.append(_activation_text(layer.activation).format(**common, **names))
            current = names["a"]
    lines += [line.format(**common, a=current) for line in chosen.text.split("\n")]
    head = [
        f"input x[{axes}{widths[0]}], y[{axes}{widths[-1]}]",
        "param " + ", ".join(f"{p.name}[{','.join(map(str, p.shape))}]" for p in parameters),
    ]
    if chosen.assumes:
        head.append(chosen.assumes.format(**common))
    output = "p" if chosen.normalises else current
    return Architecture("\n".join([*head, *lines]), tuple(parameters), output, loss, chosen.normalises)


def mlp_layers(widths: Sequence[Width], activation: str, output: str) -> tuple[Dense, ...]:
    """The layers of a multilayer perceptron of the given widths, inputs first; `output` is the last activation."""
    if isinstance(widths, str) or not isinstance(widths, Sequence) or len(widths) < 2:
        raise ArgumentError(f"widths = {widths!r} must list at least the inputs and the outputs, such as [3, 3].")
    _activation_text(activation)
    return (*(Dense(w, activation) for w in widths[1:-1]), Dense(widths[-1], output))


def _check_width(width: Width) -> Width:
    if isinstance(width, bool) or not isinstance(width, int | str):
        raise ArgumentError(f"A width is a positive integer or the name of a size, not {width!r}.")
    if isinstance(width, int) and width < 1:
        raise ArgumentError(f"A width must be at least 1, not {width}.")
    if isinstance(width, str) and not (width.isascii() and width.isidentifier() and width[0].isalpha()):
        raise ArgumentError(f"{width!r} is not the name of a size: a letter, then letters, digits and underscores.")
    return width


def _activation_text(name: str) -> str:
    """The fragment of an activation: one of those that have an index, or a scalar function entry by entry."""
    for fragment in NORMALISATIONS:
        if fragment.name == name:
            return fragment.text
    known = (*(f.name for f in FUNCTIONS if f.arity == 1), *(f.name for f in NORMALISATIONS))
    if name not in known:
        raise UnknownNameError(
            f"There is no activation {name!r}; there are {', '.join(known)}.", name=name, known=known
        )
    return "{a}[{n}{i}] = " + ("{z}[{n}{i}]" if name == "identity" else name + "({z}[{n}{i}])")


def _find_loss(name: str) -> Loss:
    known = tuple(loss.name for loss in LOSSES)
    for loss in LOSSES:
        if loss.name == name:
            return loss
    raise UnknownNameError(f"There is no loss {name!r}; there are {', '.join(known)}.", name=name, known=known)
