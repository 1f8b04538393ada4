"""A causal language model of two blocks: the loss and the gradient of every parameter are PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from peers_sequences import SEQUENCE_PEERS
from torch.nn import functional

import symbackprop as sb

TOLERANCE = 1e-10  # of the largest entry of an array
VOCABULARY, WIDTH, HIDDEN, HEAD_WIDTH = 7, 6, 5, 4
Tensors = dict[str, torch.Tensor]


def make_model(feed_forward: str, norm: str, positions: str) -> sb.Network:
    """Embedding, positions, two blocks of two heads, a normalisation and the logits."""
    block = sb.transformer_block(2, HEAD_WIDTH, HIDDEN, feed_forward=feed_forward, norm=norm)
    layers = [sb.layer("embedding", V=VOCABULARY, D=WIDTH), sb.layer(positions), *block, *block]
    steps: int | str = 5 if positions == "learned_positions" else "T"
    layers += [sb.layer(norm), sb.Dense(VOCABULARY)]
    return sb.Network(input=(steps,), layers=layers, loss="cross_entropy_index")


def pick(params: Tensors, number: int, x: torch.Tensor) -> Tensors:
    """The parameters of one layer under the names of its entry, with what it reads."""
    end = str(number)
    own = {name.removesuffix(end): p for name, p in params.items() if name == name.rstrip("0123456789") + end}
    return {**own, "x": x}


def compute_loss(params: Tensors, x: np.ndarray, y: np.ndarray, kinds: tuple[str, str, str]) -> torch.Tensor:
    """The same model of PyTorch's functions; the layers are numbered as in the network."""
    feed_forward, norm, positions = kinds
    inner = (norm, "causal_multi_head_attention", norm, feed_forward) * 2
    stream = functional.embedding(torch.tensor(x - 1), params["E1"])
    stream = SEQUENCE_PEERS[positions](pick(params, 2, stream))
    branch = stream
    for number, kind in enumerate(inner, start=3):
        branch = SEQUENCE_PEERS[kind](pick(params, number, branch))
        if kind != norm:
            stream = branch = stream + branch
    stream = SEQUENCE_PEERS[norm](pick(params, 11, stream))
    logits = functional.linear(stream, params["W12"], params["b12"])
    return functional.cross_entropy(logits.flatten(0, 1), torch.tensor(y - 1).flatten())


@pytest.mark.parametrize(
    "kinds",
    [
        ("swiglu", "layer_norm", "sinusoidal_positions"),
        ("geglu", "rms_norm", "learned_positions"),
        ("feed_forward", "rms_norm", "rotary_positions"),
    ],
    ids="-".join,
)
def test_every_gradient_is_that_of_pytorch(kinds: tuple[str, str, str]) -> None:
    """Loss and gradients within 1e-10, from parameters drawn anew, scales and shifts included."""
    network = make_model(*kinds)
    source = np.random.default_rng(3)
    params = {name: p + 0.3 * source.normal(size=p.shape) for name, p in network.init(1).items()}
    x, y = (source.integers(1, VOCABULARY + 1, size=(3, 5)) for _ in range(2))
    loss, gradients = sb.derive(network).compile()(params, x=x, y=y)
    tensors = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    wanted = compute_loss(tensors, x, y, kinds)
    wanted.backward()

    assert gradients.keys() == tensors.keys()
    assert float(loss) == pytest.approx(wanted.item(), rel=TOLERANCE)
    for name, tensor in tensors.items():
        assert tensor.grad is not None
        expected = tensor.grad.numpy()
        assert np.max(np.abs(gradients[name] - expected)) <= TOLERANCE * np.max(np.abs(expected)), name


def test_scores_of_hundreds_stay_finite() -> None:
    """Queries and keys a thousandfold make scores far beyond where exp overflows."""
    kinds = ("swiglu", "layer_norm", "sinusoidal_positions")
    network = make_model(*kinds)
    source = np.random.default_rng(4)
    params = network.init(1)
    params |= {name: 60 * params[name] for name in ("Wq4", "Wk4", "Wq8", "Wk8")}
    x, y = (source.integers(1, VOCABULARY + 1, size=(3, 5)) for _ in range(2))
    loss, gradients = sb.derive(network).compile()(params, x=x, y=y)
    tensors = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    wanted = compute_loss(tensors, x, y, kinds)

    assert float(loss) == pytest.approx(wanted.item(), rel=1e-9)
    assert all(np.isfinite(g).all() for g in gradients.values())
