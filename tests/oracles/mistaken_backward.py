"""Backward passes by hand with one mistake each, of the kinds that people publish."""

from __future__ import annotations

import numpy as np
from handwritten_backward import (
    affine_forward,
    attention_forward,
    batchnorm_forward,
    conv_forward,
    layernorm_forward,
    max_pool_forward,
    relu_forward,
    softmax,
)

import symbackprop as sb


def matmul_forward(x, w):
    return x @ w, (x, w)


def weight_not_transposed(dout, cache):
    x, w = cache
    return dout @ w, x.T @ dout


def gradient_transposed(dout, cache):
    x, w = cache
    return dout @ w.T, dout.T @ x


def bias_not_summed(dout, cache):
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout


def bias_of_last_sample(dout, cache):
    x, w, b = cache
    db = np.zeros_like(b)
    for row in dout:
        db = row
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, db


def bias_averaged(dout, cache):
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.mean(axis=0)


def layernorm_without_mean_term(dout, cache):
    normed, std, gamma = cache
    d = dout * gamma
    dx = (d - normed * (d * normed).mean(-1, keepdims=True)) / std
    return dx, (dout * normed).sum(axis=0), dout.sum(axis=0)


def batchnorm_wrong_axis(dout, cache):
    xhat, _, inv, gamma = cache
    n = dout.shape[0]
    d = dout * gamma
    dx = inv / n * (n * d - d.sum(axis=0) - xhat * (d * xhat).sum(axis=1, keepdims=True))
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def relu_wrong_side(dout, cache):
    dx = dout.copy()
    dx[cache > 0] = 0
    return dx


def relu_in_place(x):
    """The mask is taken from what has been overwritten."""
    before = x
    before *= 2
    before[before < 0] = 0
    dout = sb.upstream(before)
    return before, dout, {"x": dout * (x > 0)}


def residual_forward(x, y):
    return x * 2 + y, None


def residual_shared_memory(dout, cache):
    dx = dout
    dx *= 2
    return dx, dout


def softmax_diagonal(x):
    p = softmax(x)
    dout = sb.upstream(p)
    return p, dout, {"x": dout * p * (1 - p)}


def cross_entropy_not_averaged(x, labels):
    p = softmax(x)
    rows = np.arange(len(x))
    loss = -np.log(p[rows, labels]).mean()
    dx = p.copy()
    dx[rows, labels] -= 1
    return loss, 1.0, {"x": dx}


def pad_off_by_one(dout, cache):
    padded, w, _, pad = cache
    _, _, hh, ww = w.shape
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for i, k, r, s in np.ndindex(*dout.shape):
        dw[k] += padded[i, :, r : r + hh, s : s + ww] * dout[i, k, r, s]
        dpadded[i, :, r : r + hh, s : s + ww] += w[k] * dout[i, k, r, s]
    end = -2 * pad
    return dpadded[:, :, :end, :end], dw, dout.sum(axis=(0, 2, 3))


def average_shifted(x):
    out = np.concatenate((x[1:], x[:1])) * 3.0
    dout = sb.upstream(out)
    return out, dout, {"x": dout * 3.0}


class Scale:
    """A layer whose cache is overwritten by a second call."""

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dout):
        return 2 * self.x * dout


def stale_cache(x):
    layer = Scale()
    out = layer.forward(layer.forward(x))
    dout = sb.upstream(out)
    return out, dout, {"x": layer.backward(layer.backward(dout))}


def right_for_matrices_only(x):
    """Sums over the last axis forward and over the second one backward: the same until there are three."""
    norm = (x * x).sum(axis=-1, keepdims=True)
    out = x * norm
    dout = sb.upstream(out)
    return out, dout, {"x": dout * norm + 2 * x * (dout * x).sum(axis=1, keepdims=True)}


def upstream_forgotten(x):
    out = np.tanh(x)
    return out, sb.upstream(out), {"x": 1 - out**2}


def sigmoid_of_input(x):
    out = 1 / (1 + np.exp(-x))
    dout = sb.upstream(out)
    return out, dout, {"x": dout * x * (1 - x)}


def norm_stabilised_outside(x, eps=1e-5):
    std = np.sqrt(np.mean(x * x))
    out = x / (std + eps)
    dout = sb.upstream(out)
    return out, dout, {"x": (dout - x * np.mean(dout * x) / (std * std + eps)) / (std + eps)}


def attention_without_scale(dout, cache):
    q, k, v, p, _ = cache
    dp = dout @ v.T
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True))
    return ds @ k, ds.T @ q, p.T @ dout


def pool_to_every_entry(dout, cache):
    _, shape, size = cache
    return np.repeat(np.repeat(dout, size, axis=2), size, axis=3).reshape(shape)


def embedding_forward(table, tokens):
    return table[tokens], (tokens, table.shape)


def embedding_assigned(dout, cache):
    tokens, shape = cache
    dtable = np.zeros(shape)
    dtable[tokens] += dout
    return dtable


def recurrence_cut_short(x, w):
    h = x
    states = [h]
    for _ in range(2):
        h = np.tanh(w * h)
        states.append(h)
    dh = dout = sb.upstream(h)
    dw = np.zeros_like(w)
    for t in (1, 0):
        da = dh * (1 - states[t + 1] ** 2)
        dw = da * states[t]
        dh = da * w
    return h, dout, {"x": dh, "w": dw}


def wrong_sign(prediction, target):
    difference = target - prediction
    return (difference**2).sum() / 2, 1, {"prediction": difference}


__all__ = [
    "affine_forward",
    "attention_forward",
    "batchnorm_forward",
    "conv_forward",
    "layernorm_forward",
    "max_pool_forward",
    "relu_forward",
]
