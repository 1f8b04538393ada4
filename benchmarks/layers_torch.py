"""Loss and gradients of the networks that are not dense, in eager PyTorch by its own layers.

Weights that PyTorch keeps in one array (the gates of an LSTM, the projections of attention) are in one array here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional

from benchmarks.contestants import Contestant, repeat
from benchmarks.networks import Case

GATES = "ifuo"  # the order in which PyTorch stacks them; u is its g
Tensors = dict[str, torch.Tensor]


def differentiate(case: Case, dtype: str) -> Contestant:
    """The contestant of a case by its name."""
    own = case.cast(dtype)
    given = {name: torch.from_numpy(a) for name, a in (own.params | own.data).items()}
    return MAKERS[case.name](given)


def _contest(
    loss: Callable[[], torch.Tensor], leaves: Tensors, name: Callable[[Tensors], Mapping[str, torch.Tensor]] = dict
) -> Contestant:
    """A step of autograd by these leaves; `name` gives their gradients the names and shapes of the case."""
    for leaf in leaves.values():
        leaf.requires_grad_()
    wrt = list(leaves.values())
    last: list[Any] = []

    def step() -> None:
        value = loss()
        last[:] = [value.detach(), torch.autograd.grad(value, wrt)]

    def look() -> tuple[float, dict[str, Any]]:
        named = name(dict(zip(leaves, last[1], strict=True)))
        return float(last[0]), {key: g.numpy() for key, g in named.items()}

    return Contestant(repeat(step), look)


def _pick(given: Tensors, names: Sequence[str]) -> Tensors:
    return {name: given[name] for name in names}


def _convolutions(t: Tensors) -> Contestant:
    classes = t["y"] - 1
    leaves = _pick(t, ("W1", "b1", "W3", "b3", "W6", "b6"))

    def loss() -> torch.Tensor:
        a = functional.max_pool2d(torch.relu(functional.conv2d(t["x"], t["W1"], t["b1"])), 2)
        a = functional.max_pool2d(torch.relu(functional.conv2d(a, t["W3"], t["b3"])), 2)
        return functional.cross_entropy(functional.linear(a.flatten(1), t["W6"], t["b6"]), classes)

    return _contest(loss, leaves)


def _recurrence(t: Tensors) -> Contestant:
    width = t["h01"].shape[1]
    x, y = (t[name].transpose(0, 1).contiguous() for name in ("x", "y"))  # steps first, as it likes them
    first = (t["h01"][None], t["c01"][None])
    module = torch.nn.LSTM(x.shape[2], width, dtype=x.dtype)
    stacked = {"weight_ih_l0": "W", "weight_hh_l0": "U", "bias_ih_l0": "b"}
    with torch.no_grad():
        for place, letter in stacked.items():
            getattr(module, place).copy_(torch.cat([t[f"{letter}{gate}1"] for gate in GATES]))
        module.bias_hh_l0.zero_()
    leaves = {letter: getattr(module, place) for place, letter in stacked.items()}

    def name(gradients: Tensors) -> Tensors:
        return {f"{k}{gate}1": g for k in gradients for gate, g in zip(GATES, gradients[k].chunk(4), strict=True)}

    return _contest(lambda: functional.mse_loss(module(x, first)[0], y), leaves, name)


def _transformer(t: Tensors) -> Contestant:
    batch, steps, width = t["x"].shape
    heads, head_width = t["Wq2"].shape[:2]
    leaves: Tensors = {}
    for norm, attend in ((1, 2), (5, 6)):
        projections = [t[f"W{letter}{attend}"].flatten(0, 1) for letter in "qkv"]
        leaves |= {f"qkv{attend}": torch.cat(projections), f"Wo{attend}": t[f"Wo{attend}"].flatten(1)}
        feed = attend + 2
        plain = [f"{n}{l}" for l in (norm, norm + 2) for n in ("gamma", "beta")]
        leaves |= _pick(t, plain + [f"{n}{feed}" for n in ("W", "b", "O", "c")])

    def norm(s: torch.Tensor, l: int) -> torch.Tensor:
        return functional.layer_norm(s, (width,), leaves[f"gamma{l}"], leaves[f"beta{l}"], 1e-5)

    def block(s: torch.Tensor, l: int) -> torch.Tensor:
        q, k, v = functional.linear(norm(s, l), leaves[f"qkv{l + 1}"]).view(batch, steps, 3, heads, -1).unbind(2)
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        o = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        s = s + functional.linear(o.transpose(1, 2).reshape(batch, steps, -1), leaves[f"Wo{l + 1}"])
        hidden = torch.relu(functional.linear(norm(s, l + 2), leaves[f"W{l + 3}"], leaves[f"b{l + 3}"]))
        return s + functional.linear(hidden, leaves[f"O{l + 3}"], leaves[f"c{l + 3}"])

    def name(gradients: Tensors) -> Tensors:
        named = dict(gradients)
        for l in (2, 6):
            for letter, g in zip("qkv", named.pop(f"qkv{l}").chunk(3), strict=True):
                named[f"W{letter}{l}"] = g.view(heads, head_width, width)
            named[f"Wo{l}"] = named[f"Wo{l}"].view(width, heads, head_width)
        return named

    return _contest(lambda: functional.mse_loss(block(block(t["x"], 1), 5), t["y"]), leaves, name)


def _layer_norm(t: Tensors) -> Contestant:
    shape, g = t["x"].shape[1:], t["g"]

    def loss() -> torch.Tensor:
        return torch.sum(g * functional.layer_norm(t["x"], shape, t["gamma"], t["beta"], 1e-5))

    return _contest(loss, _pick(t, ("x", "gamma", "beta")))


def _softmax(t: Tensors) -> Contestant:
    classes = t["y"] - 1
    return _contest(lambda: functional.cross_entropy(t["a"], classes), _pick(t, ("a",)))


def _attention(t: Tensors) -> Contestant:
    def loss() -> torch.Tensor:
        q, k, v = (t[name][None] for name in "qkv")
        return torch.sum(t["g"] * functional.scaled_dot_product_attention(q, k, v)[0])

    return _contest(loss, _pick(t, ("q", "k", "v")))


MAKERS: Mapping[str, Callable[[Tensors], Contestant]] = {
    "conv net": _convolutions,
    "LSTM": _recurrence,
    "transformer": _transformer,
    "layer norm": _layer_norm,
    "softmax CE": _softmax,
    "attention": _attention,
}
