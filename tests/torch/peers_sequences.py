"""PyTorch's own functions for normalisations, sequences and transformers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.nn import functional

Tensors = Mapping[str, torch.Tensor]


def _batch_norm_inference(t: Tensors) -> torch.Tensor:
    """Written out, because PyTorch's own function has no derivatives by the running mean and variance."""
    return t["gamma"] * (t["x"] - t["mu"]) * torch.rsqrt(t["v"] + 1e-5) + t["beta"]


def _group_norm(t: Tensors) -> torch.Tensor:
    groups = t["x"].shape[1]
    flat = functional.group_norm(t["x"].flatten(1, 2), groups, t["gamma"].flatten(), t["beta"].flatten())
    return flat.reshape(t["x"].shape)


def _heads(t: Tensors, **mask: object) -> torch.Tensor:
    """Self-attention by PyTorch's product of queries, keys and values, and its own projections."""
    q, k, v = (torch.einsum("hde,nte->nhtd", t[name], t["x"]) for name in ("Wq", "Wk", "Wv"))
    o = functional.scaled_dot_product_attention(q, k, v, **mask)
    return functional.linear(o.transpose(1, 2).flatten(2), t["Wo"].flatten(1))


def _angles(t: Tensors) -> torch.Tensor:
    """The angles of rotary positions, a row for each step."""
    steps, half = t["x"].shape[-2], t["x"].shape[-1] // 2
    return torch.outer(torch.arange(steps), 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half))


def _rotate(pairs: torch.Tensor, t: Tensors) -> torch.Tensor:
    """Pairs as complex numbers, turned by their angles."""
    turn = torch.polar(torch.ones_like(_angles(t)), _angles(t))
    return torch.view_as_real(torch.view_as_complex(pairs.contiguous()) * turn)


def _rotary(t: Tensors) -> torch.Tensor:
    return _rotate(t["x"].unflatten(-1, (-1, 2)), t).flatten(-2)


def _rotary_by_halves(t: Tensors) -> torch.Tensor:
    return _rotate(t["x"].unflatten(-1, (2, -1)).transpose(-1, -2), t).transpose(-1, -2).flatten(-2)


def _sinusoidal(t: Tensors) -> torch.Tensor:
    """Sine and cosine written into an array column by column, as in many programs."""
    steps, width = t["x"].shape[-2:]
    rates = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.outer(torch.arange(steps), rates)
    added = torch.zeros(steps, width, dtype=torch.float64)
    added[:, 0::2] = angles.sin()
    added[:, 1::2] = angles[:, : width // 2].cos()
    return t["x"] + added


def _gated(t: Tensors, gate: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    hidden = gate(functional.linear(t["x"], t["W"])) * functional.linear(t["x"], t["V"])
    return functional.linear(hidden, t["O"])


def _call(module: torch.nn.Module, weights: Mapping[str, torch.Tensor], t: Tensors, first: object) -> torch.Tensor:
    """The steps that a recurrent module makes with given weights, which stay differentiable."""
    return torch.func.functional_call(module, {f"{k}_l0": v for k, v in weights.items()}, (t["x"], first))[0]


def _make(kind: Callable[..., torch.nn.Module], t: Tensors, **options: object) -> torch.nn.Module:
    return kind(t["x"].shape[-1], t["h0"].shape[-1], batch_first=True, dtype=torch.float64, **options)


def _rnn(t: Tensors) -> torch.Tensor:
    weights = {"weight_ih": t["W"], "weight_hh": t["U"], "bias_ih": t["b"], "bias_hh": torch.zeros_like(t["b"])}
    return _call(_make(torch.nn.RNN, t), weights, t, t["h0"][None])


def _lstm(t: Tensors) -> torch.Tensor:
    stacked = {name: torch.cat([t[name + gate] for gate in "ifuo"]) for name in "WUb"}
    weights = {"weight_ih": stacked["W"], "weight_hh": stacked["U"], "bias_ih": stacked["b"]}
    weights["bias_hh"] = torch.zeros_like(stacked["b"])
    return _call(_make(torch.nn.LSTM, t), weights, t, (t["h0"][None], t["c0"][None]))


def _gru(t: Tensors) -> torch.Tensor:
    stacked = {name: torch.cat([t[name + gate] for gate in "rzc"]) for name in "WUb"}
    second = torch.cat([torch.zeros_like(t["br"]), torch.zeros_like(t["bz"]), t["bm"]])
    weights = {"weight_ih": stacked["W"], "weight_hh": stacked["U"], "bias_ih": stacked["b"], "bias_hh": second}
    return _call(_make(torch.nn.GRU, t), weights, t, t["h0"][None])


SEQUENCE_PEERS: dict[str, Callable[[Tensors], torch.Tensor]] = {
    "batch_norm": lambda t: functional.batch_norm(t["x"], None, None, t["gamma"], t["beta"], training=True),
    "batch_norm_inference": _batch_norm_inference,
    "batch_norm2d": lambda t: functional.batch_norm(t["x"], None, None, t["gamma"], t["beta"], training=True),
    "layer_norm": lambda t: functional.layer_norm(t["x"], t["x"].shape[-1:], t["gamma"], t["beta"]),
    "rms_norm": lambda t: functional.rms_norm(t["x"], t["x"].shape[-1:], t["gamma"], eps=1e-5),
    "instance_norm": lambda t: functional.instance_norm(t["x"], weight=t["gamma"], bias=t["beta"]),
    "group_norm": _group_norm,
    "attention": lambda t: functional.scaled_dot_product_attention(t["q"], t["k"], t["v"]),
    "causal_attention": lambda t: functional.scaled_dot_product_attention(t["q"], t["k"], t["v"], is_causal=True),
    "masked_attention": lambda t: functional.scaled_dot_product_attention(t["q"], t["k"], t["v"], attn_mask=t["m"]),
    "multi_head_attention": _heads,
    "causal_multi_head_attention": lambda t: _heads(t, is_causal=True),
    "masked_multi_head_attention": lambda t: _heads(t, attn_mask=t["m"]),
    "rotary_positions": _rotary,
    "rotary_positions_by_halves": _rotary_by_halves,
    "sinusoidal_positions": _sinusoidal,
    "learned_positions": lambda t: t["x"] + t["P"],
    "swiglu": lambda t: _gated(t, functional.silu),
    "geglu": lambda t: _gated(t, functional.gelu),
    "feed_forward": lambda t: functional.linear(
        functional.relu(functional.linear(t["x"], t["W"], t["b"])), t["O"], t["c"]
    ),
    "rnn": _rnn,
    "lstm": _lstm,
    "gru": _gru,
    "last_step": lambda t: t["x"][:, -1],
    "mean_over_steps": lambda t: t["x"].mean(dim=1),
    "reversed_steps": lambda t: t["x"].flip(1),
}
