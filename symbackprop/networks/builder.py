"""Networks: layers and a loss written down as one program in the formula language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.calculus.indices import Affine
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ArgumentError, UnknownNameError
from symbackprop.functions import FUNCTION_BY_NAME, FUNCTIONS
from symbackprop.language import read_expression, read_statements, write_statements
from symbackprop.language.assembly import assemble
from symbackprop.language.index_forms import read_size
from symbackprop.language.tree import Access, Name, Statement, walk
from symbackprop.networks.catalogue import LAYER_BY_NAME
from symbackprop.networks.connections import CONCATENATED, DENSE, LINEAR, SUM
from symbackprop.networks.fragments import Fragment, Setting, declared, is_number, names_of_tensors
from symbackprop.networks.losses import find_loss, penalty
from symbackprop.networks.normalisations import LOG_SOFTMAX, SOFTMAX
from symbackprop.networks.objectives import Loss
from symbackprop.networks.stacking import Parameter, Stack

Width = int | str
INDEXED_ACTIVATIONS = (SOFTMAX, LOG_SOFTMAX)


@dataclass(frozen=True, slots=True)
class Layer:
    """A fragment of the catalogue with its chosen sizes and settings, and what is applied to its output.

    `activation` is a scalar function of the catalogue, "softmax" or "log_softmax", a formula in u such as "u^2", or
    None for no activation. `layer` makes one by the name of its fragment.
    """

    fragment: Fragment
    sizes: Mapping[str, Width] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    activation: str | None = None


@dataclass(frozen=True, slots=True)
class Residual:
    """Layers whose output is added to what they read, s = x + f(x).

    Source: He, Zhang, Ren, Sun 2016, Deep residual learning for image recognition, equation 1.
    """

    layers: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Concatenated:
    """Branches that read the same tensor, their outputs joined along the last axis; an empty branch is that tensor.

    Source: Huang, Liu, van der Maaten, Weinberger 2017, Densely connected convolutional networks, equation 2.
    """

    branches: Sequence[Sequence[Piece]]


Piece = Layer | Residual | Concatenated


def layer(name: str, activation: str | None = None, **chosen: Width | float) -> Layer:
    """A layer of the catalogue by name, with its sizes and its settings.

    >>> layer("dense", K=3, activation="tanh").sizes
    {'K': 3}
    """
    if name not in LAYER_BY_NAME:
        known = tuple(LAYER_BY_NAME)
        raise UnknownNameError(f"There is no layer {name!r}; there are {', '.join(known)}.", name=name, known=known)
    fragment = LAYER_BY_NAME[name]
    settings = {key: value for key, value in chosen.items() if key in fragment.settings}
    sizes = {key: check_width(value) for key, value in chosen.items() if key not in fragment.settings}
    return Layer(fragment, sizes, settings, activation)


def Dense(units: Width, activation: str = "identity", bias: bool = True) -> Layer:  # noqa: N802
    """A fully connected layer, a = f(W x + b): `units` outputs, each reading every input.

    W is [units, fan-in], b is [units]. `activation` is a scalar function of the catalogue, "softmax", "log_softmax", or
    a formula in u such as "u*sigmoid(2*u)".

    >>> Dense(3, "tanh").activation
    'tanh'
    """
    return Layer(DENSE if bias else LINEAR, {"K": check_width(units)}, {}, activation)


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network as statements of the formula language, and what it learns.

    `output` is the tensor that predicts: the outputs of the last layer, or the probabilities of classes where the loss
    makes them of logits itself.
    """

    statements: tuple[Statement, ...]
    parameters: tuple[Parameter, ...]
    output: str
    loss: Loss

    @property
    def text(self) -> str:
        """The network in the formula language."""
        return write_statements(self.statements)

    @property
    def program(self) -> Program:
        """The network as a program."""
        return assemble(self.statements)


def write_network(
    inputs: Width | Sequence[Width],
    layers: Sequence[Piece],
    loss: str | Loss,
    batch: str | None = "N",
    penalties: Mapping[str, Setting] | None = None,
) -> Architecture:
    """The program of a feed-forward network, its tensors called x y W1 b1 z1 a1 W2 ... loss.

    `inputs` are the sizes of one sample, `loss` one of the catalogue by name or a value of `loss`. `penalties` are
    factors by name, "l1" or "l2": so many times the penalty of each parameter with two axes or more joins the loss.

    >>> print(write_network(2, [Dense(1, "sigmoid")], "mse", None).text, end="")
    input x[2]
    input y[1]
    param W1[1, 2]
    param b1[1]
    z1[i] = sum(j, W1[i,j]*x[j]) + b1[i]
    a1[i] = sigmoid(z1[i])
    loss = mean(i, (a1[i] - y[i])^2)
    """
    if not layers:
        raise ArgumentError("A network needs at least one layer, such as sb.Dense(3, 'sigmoid').")
    chosen = find_loss(loss)
    sample = (inputs,) if isinstance(inputs, int | str) else tuple(inputs)
    if batch is not None and not (isinstance(batch, str) and batch.isidentifier()):
        raise ArgumentError(f"batch = {batch!r} must be the name of a size, such as 'N', or None for a single sample.")
    axes = tuple(Affine.of(size) for size in (*([] if batch is None else [batch]), *map(check_width, sample)))
    names = {"x", *names_of_tensors(chosen.fragment.statements()), *(n for a in axes for n in a.names)}
    stack = Stack(frozenset(names | set(_named_sizes(layers))), None if batch is None else axes[0])
    *body, last = layers
    current = _give_input(stack, layers, axes)
    for piece in body:
        current = _write(stack, piece, current)
    if chosen.classifies and isinstance(last, Layer) and last.activation == SOFTMAX.name:
        last = Layer(last.fragment, last.sizes, last.settings)  # the loss names the softmax
    current = _write(stack, last, current)
    _write_loss(stack, chosen.fragment, current, penalties or {})
    output = "p" if chosen.classifies else current.name
    return Architecture(stack.statements(), tuple(stack.parameters), output, chosen)


def mlp_layers(widths: Sequence[Width], activation: str, output: str) -> tuple[Layer, ...]:
    """The layers of a multilayer perceptron of the given widths, inputs first; `output` is the last activation."""
    if isinstance(widths, str) or not isinstance(widths, Sequence) or len(widths) < 2:
        raise ArgumentError(f"widths = {widths!r} must list at least the inputs and the outputs, such as [3, 3].")
    find_activation(activation)
    return (*(Dense(w, activation) for w in widths[1:-1]), Dense(widths[-1], output))


def check_width(width: object) -> Width:
    """A width that is a positive integer or the name of a size."""
    if isinstance(width, bool) or not isinstance(width, int | str):
        raise ArgumentError(f"A width is a positive integer or the name of a size, not {width!r}.")
    if isinstance(width, int) and width < 1:
        raise ArgumentError(f"A width must be at least 1, not {width}.")
    if isinstance(width, str) and not (width.isascii() and width.isidentifier() and width[0].isalpha()):
        raise ArgumentError(f"{width!r} is not the name of a size: a letter, then letters, digits and underscores.")
    return width


def find_activation(name: str) -> Fragment:
    """The fragment of an activation: one that has an index, or a scalar function entry by entry."""
    for fragment in INDEXED_ACTIVATIONS:
        if fragment.name == name:
            return fragment
    known = (*(f.name for f in FUNCTIONS if f.arity == 1), *(f.name for f in INDEXED_ACTIVATIONS))
    if name == "identity":
        formula = "u"
    elif name in FUNCTION_BY_NAME and FUNCTION_BY_NAME[name].arity == 1:
        formula = f"{name}(u)"
    elif _is_formula(name):
        formula = name
    else:
        raise UnknownNameError(
            f"There is no activation {name!r}; there are {', '.join(known)}, and formulas in u such as 'u^2'.",
            name=name,
            known=known,
        )
    entry = re.sub(r"\bu\b", "z[...]", formula)
    return Fragment(name, f"input z[...]\na[...] = {entry}", "")


def _is_formula(text: str) -> bool:
    """Whether a text is a formula in u and nothing else; FormulaError says what is wrong with one that looks so."""
    if re.fullmatch(r"\w*", text) or not re.search(r"\bu\b", text):
        return False
    parts = [node for node, _ in walk(read_expression(text))]
    return not any(isinstance(n, Access) or (isinstance(n, Name) and n.name not in ("u", "pi")) for n in parts)


def _write(stack: Stack, piece: Piece, read: Tensor) -> Tensor:
    """Put a piece on a stack, and return its output."""
    match piece:
        case Layer(fragment, sizes, settings, activation):
            stack.number += 1
            number = stack.number
            known = {name: Affine.of(size) for name, size in sizes.items()}
            output = stack.apply(fragment, [read], number, known, settings)
            if activation is None:
                return output
            return stack.apply(find_activation(activation), [output], number, {}, {}, {"z": f"a{number}"})
        case Residual(layers):
            inner = _write_all(stack, layers, read)
            return stack.apply(SUM, [read, inner], stack.number, {}, {})
        case Concatenated(branches):
            joined, *others = [_write_all(stack, branch, read) for branch in branches]
            for other in others:
                joined = stack.apply(CONCATENATED, [joined, other], stack.number, {}, {})
            return joined
    raise ArgumentError(f"{piece!r} is no layer; make one with sb.Dense or sb.layer.")


def _write_loss(stack: Stack, fragment: Fragment, read: Tensor, penalties: Mapping[str, Setting]) -> None:
    """Put a loss on a stack; where there are penalties, it is that of the data, and their sum with it is the loss."""
    stack.apply(fragment, [read], "", {}, {}, {"loss": "data_loss"} if penalties else {})
    weights = [Tensor(p.name, p.shape, Role.PARAM) for p in stack.parameters if p.is_weight]
    total = "data_loss"
    for name, factor in penalties.items():
        one = penalty(name).fragment
        made = [stack.apply(one, [w], "", {}, {}, {"loss": f"{name}_{w.name}"}).name for w in weights]
        total += f" + {check_factor(name, factor)}*({' + '.join(made)})" if made else ""
    if penalties:
        stack.definitions += read_statements(f"loss = {total}")


def check_factor(name: str, factor: Setting) -> Setting:
    """The factor of a penalty, a number that is not negative."""
    if not is_number(factor) or float(factor) < 0:
        raise ArgumentError(f"The factor of the penalty {name} is {factor!r}; give a number, 0 or more, such as 0.001.")
    return factor


def _write_all(stack: Stack, pieces: Sequence[Piece], read: Tensor) -> Tensor:
    for piece in pieces:
        read = _write(stack, piece, read)
    return read


def _give_input(stack: Stack, layers: Sequence[Piece], axes: tuple[Affine, ...]) -> Tensor:
    """Declare x, which holds whole numbers where the first layer looks something up."""
    first = layers[0]
    wanted = declared(first.fragment.statements())[0] if isinstance(first, Layer) else None
    if wanted is None or wanted.range is None or not isinstance(first, Layer):
        return stack.give("x", axes)
    span = read_size(wanted.range).substitute({name: Affine.of(size) for name, size in first.sizes.items()})
    return stack.give("x", axes, "index", span)


def _named_sizes(pieces: Sequence[Piece]) -> set[str]:
    """The names of sizes that layers choose."""
    found: set[str] = set()
    for piece in pieces:
        match piece:
            case Layer(_, sizes):
                found |= {size for size in sizes.values() if isinstance(size, str)}
            case Residual(layers):
                found |= _named_sizes(layers)
            case Concatenated(branches):
                found |= {name for branch in branches for name in _named_sizes(branch)}
    return found
