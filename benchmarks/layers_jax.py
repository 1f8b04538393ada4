"""Loss and gradients of the networks that are not dense, in JAX under jit, in the forms that suit it.

The gates of the LSTM and the projections of attention are in one array each, convolutions have their channels last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.contestants import Contestant, repeat
from benchmarks.networks import Arrays, Case

GATES = "ifou"
Loss = Callable[[Arrays, Arrays], Any]


def differentiate(case: Case, dtype: str) -> Contestant:
    """The contestant of a case by its name."""
    own = case.cast(dtype)
    return MAKERS[case.name](own.params | own.data)


def _contest(loss: Loss, leaves: Arrays, data: Arrays, name: Callable[[Arrays], Arrays] = dict) -> Contestant:
    """A compiled step by these leaves; `name` gives their gradients the names and shapes of the case."""
    compiled = jax.jit(jax.value_and_grad(loss))
    wrt, given = ({key: jnp.asarray(a) for key, a in arrays.items()} for arrays in (leaves, data))
    last: list[Any] = []

    def step() -> None:
        last[:] = jax.block_until_ready(compiled(wrt, given))

    return Contestant(repeat(step), lambda: (float(last[0]), name({k: np.asarray(g) for k, g in last[1].items()})))


def _pick(given: Arrays, names: Sequence[str]) -> Arrays:
    return {name: given[name] for name in names}


def _classify(logits: Any, classes: Any) -> Any:
    rows = jax.nn.log_softmax(logits)
    return -jnp.mean(jnp.take_along_axis(rows, classes[:, None], axis=1))


def _convolutions(a: Arrays) -> Contestant:
    moved = {name: a[name].transpose(2, 3, 1, 0) for name in ("W1", "W3")}
    channels = a["W3"].shape[0]
    side = int((a["W6"].shape[1] // channels) ** 0.5)
    # The dense layer reads channels, rows, columns; here they come as rows, columns, channels.
    last = a["W6"].reshape(-1, channels, side, side).transpose(0, 2, 3, 1).reshape(a["W6"].shape)
    leaves = moved | {"W6": last} | _pick(a, ("b1", "b3", "b6"))
    data = {"x": a["x"].transpose(0, 2, 3, 1).copy(), "y": (a["y"] - 1).astype("int32")}

    def convolve(x: Any, w: Any, b: Any) -> Any:
        z = jax.lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        window = (1, 2, 2, 1)
        return jax.lax.reduce_window(jax.nn.relu(z + b), -np.inf, jax.lax.max, window, window, "VALID")

    def loss(p: Arrays, d: Arrays) -> Any:
        z = convolve(convolve(d["x"], p["W1"], p["b1"]), p["W3"], p["b3"])
        return _classify(z.reshape(len(z), -1) @ p["W6"].T + p["b6"], d["y"])

    def name(g: Arrays) -> Arrays:
        back = g["W6"].reshape(-1, side, side, channels).transpose(0, 3, 1, 2).reshape(g["W6"].shape)
        return g | {k: g[k].transpose(3, 2, 0, 1) for k in moved} | {"W6": back}

    return _contest(loss, leaves, data, name)


def _recurrence(a: Arrays) -> Contestant:
    leaves = {letter: np.concatenate([a[f"{letter}{gate}1"] for gate in GATES]) for letter in "WUb"}
    data = {name: a[name].swapaxes(0, 1).copy() for name in ("x", "y")} | {"h": a["h01"], "c": a["c01"]}

    def loss(p: Arrays, d: Arrays) -> Any:
        def advance(state: tuple[Any, Any], given: Any) -> tuple[tuple[Any, Any], Any]:
            h, c = state
            i, f, o, u = jnp.split(given + h @ p["U"].T, 4, axis=1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(u)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        outputs = jax.lax.scan(advance, (d["h"], d["c"]), d["x"] @ p["W"].T + p["b"])[1]
        return jnp.mean((outputs - d["y"]) ** 2)

    def name(g: Arrays) -> Arrays:
        return {f"{k}{gate}1": part for k in g for gate, part in zip(GATES, np.split(g[k], 4), strict=True)}

    return _contest(loss, leaves, data, name)


def _normalise(x: Any, gamma: Any, beta: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    return gamma * centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5) + beta


def _transformer(a: Arrays) -> Contestant:
    batch, steps, width = a["x"].shape
    heads, head_width = a["Wq2"].shape[:2]
    plain = [name for name in a if name.rstrip("0123456789") in ("gamma", "beta", "W", "b", "O", "c")]
    leaves = _pick(a, plain)
    for l in (2, 6):
        leaves[f"qkv{l}"] = np.concatenate([a[f"W{letter}{l}"].reshape(-1, width) for letter in "qkv"])
        leaves[f"Wo{l}"] = a[f"Wo{l}"].reshape(width, -1)
    mask = np.where(np.tri(steps, dtype=bool), 0, -np.inf).astype(a["x"].dtype)

    def block(p: Arrays, s: Any, l: int) -> Any:
        n = _normalise(s, p[f"gamma{l}"], p[f"beta{l}"])
        q, k, v = jnp.moveaxis((n @ p[f"qkv{l + 1}"].T).reshape(batch, steps, 3, heads, head_width), 2, 0)
        scores = jnp.einsum("nthd,nuhd->nhtu", q, k) / float(np.sqrt(head_width)) + mask
        o = jnp.einsum("nhtu,nuhd->nthd", jax.nn.softmax(scores), v)
        s = s + o.reshape(batch, steps, -1) @ p[f"Wo{l + 1}"].T
        n = _normalise(s, p[f"gamma{l + 2}"], p[f"beta{l + 2}"])
        hidden = jax.nn.relu(n @ p[f"W{l + 3}"].T + p[f"b{l + 3}"])
        return s + hidden @ p[f"O{l + 3}"].T + p[f"c{l + 3}"]

    def name(g: Arrays) -> Arrays:
        named = dict(g)
        for l in (2, 6):
            for letter, part in zip("qkv", np.split(named.pop(f"qkv{l}"), 3), strict=True):
                named[f"W{letter}{l}"] = part.reshape(heads, head_width, width)
            named[f"Wo{l}"] = named[f"Wo{l}"].reshape(width, heads, head_width)
        return named

    def loss(p: Arrays, d: Arrays) -> Any:
        return jnp.mean((block(p, block(p, d["x"], 1), 5) - d["y"]) ** 2)

    return _contest(loss, leaves, _pick(a, ("x", "y")), name)


def _layer_norm(a: Arrays) -> Contestant:
    def loss(p: Arrays, d: Arrays) -> Any:
        return jnp.sum(d["g"] * _normalise(p["x"], p["gamma"], p["beta"]))

    return _contest(loss, _pick(a, ("x", "gamma", "beta")), _pick(a, ("g",)))


def _softmax(a: Arrays) -> Contestant:
    data = {"y": (a["y"] - 1).astype("int32")}
    return _contest(lambda p, d: _classify(p["a"], d["y"]), _pick(a, ("a",)), data)


def _attention(a: Arrays) -> Contestant:
    scale = 1 / float(np.sqrt(a["q"].shape[-1]))

    def loss(p: Arrays, d: Arrays) -> Any:
        scores = jnp.einsum("htd,hud->htu", p["q"], p["k"]) * scale
        return jnp.sum(d["g"] * jnp.einsum("htu,huf->htf", jax.nn.softmax(scores), p["v"]))

    return _contest(loss, _pick(a, ("q", "k", "v")), _pick(a, ("g",)))


MAKERS: Mapping[str, Callable[[Arrays], Contestant]] = {
    "conv net": _convolutions,
    "LSTM": _recurrence,
    "transformer": _transformer,
    "layer norm": _layer_norm,
    "softmax CE": _softmax,
    "attention": _attention,
}
