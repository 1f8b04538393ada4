"""What goes wrong in gradients written by hand, each with its correction: `wrong` chooses."""

from __future__ import annotations

import numpy as np

import symbackprop as sb


def average_pool(x, wrong=False):
    n, m = x.shape
    out = x.reshape(n // 2, 2, m // 2, 2).mean(axis=(1, 3))
    d = sb.upstream(out)
    return out, d, {"x": np.repeat(np.repeat(d, 2, 0), 2, 1) / (1 if wrong else 4)}


def huber_branches_swapped(x, wrong=False):
    size = np.abs(x)
    out = np.where(size <= 1, x**2 / 2, size - 0.5)
    d = sb.upstream(out)
    return out, d, {"x": d * (np.where(size <= 1, np.sign(x), x) if wrong else np.where(size <= 1, x, np.sign(x)))}


def huber_one_sided(x, wrong=False):
    size = np.abs(x)
    out = np.where(size <= 1, x**2 / 2, size - 0.5)
    d = sb.upstream(out)
    return out, d, {"x": d * np.where((x if wrong else size) <= 1, x, np.sign(x))}


def relu_unmasked(x, wrong=False):
    out = np.maximum(x, 0)
    d = sb.upstream(out)
    return out, d, {"x": d if wrong else d * (x > 0)}


def leaky_without_slope(x, wrong=False):
    out = np.where(x > 0, x, 0.1 * x)
    d = sb.upstream(out)
    return out, d, {"x": d * (x > 0) if wrong else d * np.where(x > 0, 1, 0.1)}


def clip_unmasked(x, wrong=False):
    out = np.clip(x, -1, 1)
    d = sb.upstream(out)
    return out, d, {"x": d if wrong else d * (np.abs(x) < 1)}


def softmax_without_keepdims(x, wrong=False):
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    d = sb.upstream(p)
    return p, d, {"x": p * (d - (d * p).sum(1, keepdims=not wrong))}


def softmax_wrong_axis(x, wrong=False):
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    d = sb.upstream(p)
    return p, d, {"x": p * (d - (d * p).sum(0 if wrong else 1, keepdims=True))}


def square_without_two(x, wrong=False):
    out = ((x - 1) ** 2).sum()
    d = sb.upstream(out)
    return out, d, {"x": (1 if wrong else 2) * d * (x - 1)}


def penalty_without_two(w, wrong=False):
    out = 0.1 * (w**2).sum()
    d = sb.upstream(out)
    return out, d, {"w": d * (0.1 if wrong else 0.2) * w}


def mean_square_not_averaged(x, y, wrong=False):
    out = ((x - y) ** 2).mean()
    d = sb.upstream(out)
    return out, d, {"x": 2 * d * (x - y) / (1 if wrong else x.size)}


def weights_averaged(x, w, wrong=False):
    out = x @ w
    d = sb.upstream(out)
    return out, d, {"x": d @ w.T, "w": x.T @ d / (len(x) if wrong else 1)}


def layernorm_scaled_only(x, wrong=False):
    std = np.sqrt(x.var(1, keepdims=True) + 1e-5)
    out = (x - x.mean(1, keepdims=True)) / std
    d = sb.upstream(out)
    inner = d.mean(1, keepdims=True) + out * (d * out).mean(1, keepdims=True)
    return out, d, {"x": d / std if wrong else (d - inner) / std}


def layernorm_std_constant(x, wrong=False):
    std = np.sqrt(x.var(1, keepdims=True) + 1e-5)
    out = (x - x.mean(1, keepdims=True)) / std
    d = sb.upstream(out)
    dx = d - d.mean(1, keepdims=True)
    return out, d, {"x": dx / std if wrong else (dx - out * (d * out).mean(1, keepdims=True)) / std}


def dropout_unscaled(x, mask, wrong=False):
    out = x * mask / 0.8
    d = sb.upstream(out)
    return out, d, {"x": d * mask / (1 if wrong else 0.8)}


def bias_over_the_wrong_axis(x, b, wrong=False):
    out = x + b
    d = sb.upstream(out)
    return out, d, {"x": d, "b": d.sum(1 if wrong else 0)}


def embedding_overwritten(table, tokens, wrong=False):
    out = table[tokens]
    d = sb.upstream(out)
    dtable = np.zeros_like(table)
    if wrong:
        dtable[tokens] += d
    else:
        np.add.at(dtable, tokens, d)
    return out, d, {"table": dtable}


def tanh_not_squared(x, wrong=False):
    t = np.tanh(x)
    d = sb.upstream(t)
    return t, d, {"x": d * (1 - t if wrong else 1 - t**2)}


def sigmoid_turned(x, wrong=False):
    s = 1 / (1 + np.exp(-x))
    d = sb.upstream(s)
    return s, d, {"x": d * s * (s - 1 if wrong else 1 - s)}


def cube_without_three(x, wrong=False):
    out = x**3
    d = sb.upstream(out)
    return out, d, {"x": (1 if wrong else 3) * d * x**2}


def concatenation_swapped(x, y, wrong=False):
    out = np.concatenate([x, y], axis=1)
    d = sb.upstream(out)
    k = x.shape[1]
    return out, d, {"x": d[:, -k:] if wrong else d[:, :k], "y": d[:, :-k] if wrong else d[:, k:]}


def residual_forgotten(x, w, wrong=False):
    h = np.tanh(x @ w)
    out = x + h
    d = sb.upstream(out)
    dz = d * (1 - h**2)
    return out, d, {"x": dz @ w.T + (0 if wrong else d), "w": x.T @ dz}


def norm_taken_for_constant(x, wrong=False):
    size = np.sqrt((x**2).sum(1, keepdims=True))
    out = x / size
    d = sb.upstream(out)
    return out, d, {"x": d / size if wrong else (d - out * (d * out).sum(1, keepdims=True)) / size}


def aliased_sum(x, wrong=False):
    out = x**2 + np.sin(x)
    d = sb.upstream(out)
    dx = np.zeros_like(x)
    part = dx if wrong else dx.copy()
    part += 2 * x * d
    dx += part
    dx += d * np.cos(x)
    return out, d, {"x": dx}


def last_sample_only(x, w, wrong=False):
    out = x @ w
    d = sb.upstream(out)
    dw = np.zeros_like(w)
    for n in range(len(x)):
        dw = np.outer(x[n], d[n]) + (0 if wrong else dw)
    return out, d, {"x": d @ w.T, "w": dw}
