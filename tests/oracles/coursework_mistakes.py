"""The coursework with one mistake each, of the kinds that a gradient check on a lucky input lets pass."""

from __future__ import annotations

import coursework_backward as right
import coursework_layers as layers
import numpy as np

import symbackprop as sb


def affine_relu_masks_the_output(dout, cache):
    """The mask is taken from x instead of the scores."""
    (x, w, b), a = cache
    da = dout * (x.reshape(x.shape[0], -1) @ w > 0)
    return da.dot(w.T).reshape(x.shape), x.reshape(x.shape[0], -1).T.dot(da), da.sum(0)


def batchnorm_without_variance_path(dout, cache):
    dxhat = dout * cache["gamma"]
    dx = (dxhat - dxhat.mean(0)) / cache["std"]
    return dx, (dout * cache["xhat"]).sum(0), dout.sum(0)


def batchnorm_counts_features(dout, cache):
    N, xhat = dout.shape[1], cache["xhat"]
    dx = cache["gamma"] / (N * cache["std"]) * (N * dout - dout.sum(0) - xhat * (dout * xhat).sum(0))
    return dx, np.sum(dout * xhat, 0), np.sum(dout, 0)


def layernorm_scales_late(dout, cache):
    """gamma is multiplied after the sums, which is right for batches only."""
    xhat, ivar, gamma = cache
    D = xhat.shape[-1]
    dx = gamma * (ivar / D) * (D * dout - dout.sum(-1, keepdims=True) - xhat * (dout * xhat).sum(-1, keepdims=True))
    return dx, np.sum(dout * xhat, axis=0), dout.sum(axis=0)


def dropout_not_inverted(dout, cache):
    mask, _ = cache
    return dout * (mask > 0)


def generator_dropout_draws_again(x):
    rng = np.random.default_rng(0)
    mask = rng.random(x.shape) < 0.8
    out = x * mask / 0.8
    dout = sb.upstream(out)
    return out, dout, {"x": dout * (rng.random(x.shape) < 0.8) / 0.8}


def conv_overwrites(dout, cache):
    """Overlapping windows are assigned instead of added."""
    x, w, b, stride, pad = cache
    padded = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    HH, WW = w.shape[2:]
    for n, f, i, j in np.ndindex(*dout.shape):
        rows, cols = slice(i * stride, i * stride + HH), slice(j * stride, j * stride + WW)
        dw[f] += padded[n, :, rows, cols] * dout[n, f, i, j]
        dpadded[n, :, rows, cols] = w[f] * dout[n, f, i, j]
    return dpadded[:, :, pad:-pad, pad:-pad], dw, dout.sum((0, 2, 3))


def max_pool_least(dout, cache):
    x, size, stride = cache
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(*dout.shape):
        window = x[n, c, i * stride : i * stride + size, j * stride : j * stride + size]
        r, s = np.unravel_index(np.argmin(window), window.shape)
        dx[n, c, i * stride + r, j * stride + s] += dout[n, c, i, j]
    return dx


def spatial_batchnorm_reshapes(dout, cache):
    """The axes are folded without being moved."""
    N, C, H, W = dout.shape
    dx, dgamma, dbeta = right.batchnorm_backward_alt(dout.reshape(-1, C), cache)
    return dx.reshape(N, C, H, W), dgamma, dbeta


def svm_naive_forgets_the_correct_class(W, X, y, reg=0.05):
    loss, up, grads = right.svm_loss_naive(W, X, y, reg)
    dW = 2 * reg * W
    for i in range(X.shape[0]):
        scores = X[i] @ W
        for j in range(W.shape[1]):
            if j != y[i] and scores[j] - scores[y[i]] + 1 > 0:
                dW[:, j] += X[i] / X.shape[0]
    return loss, up, {"W": dW}


def svm_counts_once(x, y):
    loss, up, grads = right.svm_loss(x, y)
    dx = grads["x"].copy()
    dx[np.arange(len(x)), y] = -1 / len(x)
    return loss, up, {"x": dx}


def softmax_not_averaged(x, y):
    loss, up, grads = right.softmax_loss(x, y)
    return loss, up, {"x": grads["x"] * x.shape[0]}


def rnn_forgets_the_future(dh, caches):
    N, T, H = dh.shape
    total = None
    dx = np.zeros((N, T, caches[0][0].shape[1]))
    for t in reversed(range(T)):
        dx[:, t], dprev, *parts = right.rnn_step_backward(dh[:, t], caches[t])
        total = parts if total is None else [a + b for a, b in zip(total, parts, strict=True)]
    return dx, dprev, *total


def lstm_gates_swapped(x, c, W):
    out, up, grads = right.lstm_step(x, c, W)
    parts = np.split(grads["W"], 4, axis=1)
    return out, up, {**grads, "W": np.concatenate([parts[1], parts[0], *parts[2:]], axis=1)}


def word_embedding_last_wins(dout, cache):
    x, shape = cache
    dW = np.zeros(shape)
    dW[x] += dout
    return dW


def neuron_overwrites_grad(x, w, b):
    """A value that is used twice keeps the last contribution."""
    loss, up, grads = layers.neuron(x, w, b)
    act = np.dot(w, x) + b
    t = np.tanh(act)
    return loss, up, {**grads, "b": 2 * (t - 1) * (1 - t * t)}


def char_rnn_without_tanh(Wxh, Whh, Why, bh, by):
    loss, up, grads = right.char_rnn_loss(Wxh, Whh, Why, bh, by)
    return loss, up, {**grads, "bh": Why.T @ grads["by"]}


def multi_head_scales_by_model_width(dout, cache):
    dx, dWq, dWk, dWv = right.multi_head_backward(dout, cache)
    heads = cache[4].shape[0]
    return dx, dWq / np.sqrt(heads), dWk, dWv


def network_skips_the_activation(x, W1, W2):
    model = layers.Sequential(layers.Linear(*W1.shape, W=W1), layers.LeakyReLU(), layers.Linear(*W2.shape, W=W2))
    out = model.forward(x)
    dout = sb.upstream(out)
    first, _, last = model.layers
    return out, dout, {"x": first.backward(last.backward(dout)), "W1": first.dW, "W2": last.dW}


def graph_attention_without_sources(h, a_src, a_dst, adj):
    """The features that the scores read are forgotten."""
    out, dout, grads = layers.graph_attention(h, a_src, a_dst, adj)
    return out, dout, {**grads, "h": grads["h"] - np.outer(h @ a_src * 0 + 1, a_src)}


def gelu_without_inner(x):
    layer = layers.GELU()
    out = layer.forward(x)
    dout = sb.upstream(out)
    t = np.tanh(layer.inner)
    return out, dout, {"x": dout * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * np.sqrt(2 / np.pi))}


def unit_rows_not_projected(x):
    out, dout, _ = layers.unit_rows(x)
    return out, dout, {"x": dout / np.linalg.norm(x, axis=1, keepdims=True)}


def mean_square_by_rows(pred, target):
    loss, up, _ = layers.mean_square(pred, target)
    return loss, up, {"pred": 2 * (pred - target) / len(pred)}


def upsample_averages(x):
    out, dout, grads = layers.upsample(x)
    return out, dout, {"x": grads["x"] / 4}


def roll_the_same_way(x):
    out, dout, _ = layers.flip_and_roll(x)
    d = dout * np.arange(1, x.shape[1] + 1, dtype=float)
    return out, dout, {"x": np.flip(np.roll(d, 1, axis=0), axis=1)}


def running_total_forwards(x):
    out, dout, _ = layers.running_total(x)
    return out, dout, {"x": np.exp(x) * np.cumsum(dout, axis=0)}


def scores_without_root(q, k):
    out, dout, grads = layers.scaled_scores(q, k)
    return out, dout, {**grads, "k": dout.T @ q / q.shape[-1]}


def solve_not_transposed(dx, cache):
    A, x = cache
    db = np.linalg.solve(A, dx)
    return -np.outer(db, x), db


def inverse_wrong_order(A):
    out, dout, _ = layers.inverse(A)
    return out, dout, {"A": -out @ dout @ out}


def log_determinant_not_transposed(A):
    loss, up, _ = layers.log_determinant(A)
    return loss, up, {"A": np.linalg.inv(A)}


def determinant_without_itself(A):
    det, dout, _ = layers.determinant(A)
    return det, dout, {"A": dout * np.linalg.inv(A).T}


def phase_with_slope(x):
    out, dout, grads = layers.wrapped_phase(x)
    return out, dout, {"x": grads["x"] + dout * (x // 1 == 1)}


def huber_unclipped(x):
    out, dout, _ = layers.huber(x)
    return out, dout, {"x": dout * x}


def top_two_by_rank(x):
    out, dout, grads = layers.top_two(x)
    return out, dout, {"x": np.sort(grads["x"], axis=1)}
