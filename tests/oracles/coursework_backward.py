"""Backward passes as a newcomer to NumPy writes them in a course: loops, caches, classes with state, f-strings."""

from __future__ import annotations

import math

import numpy as np

import symbackprop as sb


def affine_relu_forward(x, w, b):
    N = x.shape[0]
    flat = x.reshape(N, -1)
    assert flat.shape[1] == w.shape[0], f"x has {flat.shape[1]} columns and w {w.shape[0]} rows"
    a = flat.dot(w) + b
    out = np.maximum(0, a)
    return out, ((x, w, b), a)


def affine_relu_backward(dout, cache):
    (x, w, b), a = cache
    da = np.array(dout, copy=True)
    da[a <= 0] = 0
    dx = da.dot(w.T).reshape(*x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(da)
    db = np.sum(da, axis=0)
    return dx, dw, db


def batchnorm_forward(x, gamma, beta):
    eps = 1e-5
    running_mean = np.zeros(x.shape[1], dtype=x.dtype)
    mu = x.mean(0)
    var = np.mean((x - mu) ** 2, axis=0)
    running_mean = 0.9 * running_mean + 0.1 * mu
    std = np.sqrt(var + eps)
    xhat = (x - mu) / std
    return gamma * xhat + beta, {"xhat": xhat, "std": std, "gamma": gamma, "centred": x - mu, "running": running_mean}


def batchnorm_backward(dout, cache):
    N, D = dout.shape
    dbeta = dout.sum(0)
    dgamma = (dout * cache["xhat"]).sum(0)
    dxhat = dout * cache["gamma"]
    divar = np.sum(dxhat * cache["centred"], axis=0)
    dcentred = dxhat / cache["std"]
    dstd = -divar / cache["std"] ** 2
    dvar = 0.5 * dstd / cache["std"]
    dcentred += 2.0 / N * cache["centred"] * np.ones((N, D)) * dvar
    dmu = -dcentred.sum(axis=0)
    dx = dcentred + np.ones((N, D)) / N * dmu
    return dx, dgamma, dbeta


def batchnorm_backward_alt(dout, cache):
    N = float(dout.shape[0])
    xhat, std, gamma = (cache[key] for key in ("xhat", "std", "gamma"))
    dx = gamma / (N * std) * (N * dout - dout.sum(0) - xhat * (dout * xhat).sum(0))
    return dx, np.sum(dout * xhat, 0), np.sum(dout, 0)


def layernorm_forward(x, gamma, beta, eps=1e-5):
    mu = x.mean(axis=-1, keepdims=True)
    var = x.var(axis=-1, keepdims=True)
    ivar = 1.0 / np.sqrt(var + eps)
    xhat = (x - mu) * ivar
    return gamma * xhat + beta, (xhat, ivar, gamma)


def layernorm_backward(dout, cache):
    xhat, ivar, gamma = cache
    D = xhat.shape[-1]
    g = dout * gamma
    dx = (ivar / D) * (D * g - np.sum(g, axis=-1, keepdims=True) - xhat * np.sum(g * xhat, axis=-1, keepdims=True))
    return dx, np.sum(dout * xhat, axis=0), dout.sum(axis=0)


def dropout_forward(x, p=0.5, seed=231, mode="train"):
    mask = None
    if mode == "train":
        np.random.seed(seed)
        mask = (np.random.rand(*x.shape) < p) / p
        out = x * mask
    else:
        out = x
    out = out.astype(x.dtype, copy=False)
    return out, (mask, mode)


def dropout_backward(dout, cache):
    mask, mode = cache
    if mode == "train":
        return dout * mask
    return dout


def generator_dropout(x):
    rng = np.random.default_rng(0)
    keep = np.float64(0.8)
    mask = rng.random(x.shape) < keep
    out = x * mask / keep
    dout = sb.upstream(out)
    return out, dout, {"x": dout * mask.astype(float) / keep}


def conv_forward_naive(x, w, b, stride=1, pad=1):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant", constant_values=0)
    H_out = 1 + (H + 2 * pad - HH) // stride
    W_out = 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, H_out, W_out))
    for n in range(N):
        for f in range(F):
            for i in range(H_out):
                for j in range(W_out):
                    window = padded[n, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]
    return out, (x, w, b, stride, pad)


def conv_backward_naive(dout, cache):
    x, w, b, stride, pad = cache
    N, F, H_out, W_out = dout.shape
    HH, WW = w.shape[2:]
    padded = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    dpadded, dw, db = np.zeros_like(padded), np.zeros_like(w), np.zeros_like(b)
    for n in range(N):
        for f in range(F):
            db[f] += np.sum(dout[n, f])
            for i in range(H_out):
                for j in range(W_out):
                    rows, cols = slice(i * stride, i * stride + HH), slice(j * stride, j * stride + WW)
                    dw[f] += padded[n, :, rows, cols] * dout[n, f, i, j]
                    dpadded[n, :, rows, cols] += w[f] * dout[n, f, i, j]
    return dpadded[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]], dw, db


def max_pool_forward_naive(x, size=2, stride=2):
    N, C, H, W = x.shape
    out = np.zeros((N, C, (H - size) // stride + 1, (W - size) // stride + 1))
    for n, c, i, j in np.ndindex(*out.shape):
        out[n, c, i, j] = np.max(x[n, c, i * stride : i * stride + size, j * stride : j * stride + size])
    return out, (x, size, stride)


def max_pool_backward_naive(dout, cache):
    x, size, stride = cache
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(*dout.shape):
        window = x[n, c, i * stride : i * stride + size, j * stride : j * stride + size]
        r, s = np.unravel_index(np.argmax(window), window.shape)
        dx[n, c, i * stride + r, j * stride + s] += dout[n, c, i, j]
    return dx


def spatial_batchnorm_forward(x, gamma, beta):
    N, C, H, W = x.shape
    flat = x.transpose(0, 2, 3, 1).reshape(-1, C)
    out, cache = batchnorm_forward(flat, gamma, beta)
    return out.reshape(N, H, W, C).transpose(0, 3, 1, 2), cache


def spatial_batchnorm_backward(dout, cache):
    N, C, H, W = dout.shape
    flat = dout.transpose(0, 2, 3, 1).reshape(-1, C)
    dx, dgamma, dbeta = batchnorm_backward_alt(flat, cache)
    return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta


def svm_loss_naive(W, X, y, reg=0.05):
    dW = np.zeros(W.shape)
    loss = 0.0
    num_train, num_classes = X.shape[0], W.shape[1]
    for i in range(num_train):
        scores = X[i].dot(W)
        for j in range(num_classes):
            if j == y[i]:
                continue
            margin = scores[j] - scores[y[i]] + 1
            if margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss = loss / num_train + reg * np.sum(W * W)
    return loss, 1.0, {"W": dW / num_train + 2 * reg * W}


def svm_loss(x, y):
    N = x.shape[0]
    correct = x[np.arange(N), y][:, np.newaxis]
    margins = np.maximum(0, x - correct + 1.0)
    margins[np.arange(N), y] = 0
    loss = np.sum(margins) / N
    dx = (margins > 0).astype(float)
    dx[np.arange(N), y] -= dx.sum(axis=1)
    return loss, 1.0, {"x": dx / N}


def softmax_loss(x, y):
    shifted = x - x.max(axis=1, keepdims=True)
    Z = np.exp(shifted).sum(axis=1, keepdims=True)
    log_probs = shifted - np.log(Z)
    probs = np.exp(log_probs)
    N = x.shape[0]
    loss = -log_probs[np.arange(N), y].sum() / N
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, 1.0, {"x": dx}


def rnn_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    H = h0.shape[1]
    h = np.zeros((N, T, H))
    prev, caches = h0, []
    for t in range(T):
        nxt = np.tanh(x[:, t, :].dot(Wx) + prev.dot(Wh) + b)
        caches.append((x[:, t], prev, Wx, Wh, nxt))
        h[:, t, :] = prev = nxt
    return h, caches


def rnn_step_backward(dnext, cache):
    x, prev, Wx, Wh, nxt = cache
    da = dnext * (1 - nxt**2)
    return da.dot(Wx.T), da.dot(Wh.T), x.T.dot(da), prev.T.dot(da), da.sum(axis=0)


def rnn_backward(dh, caches):
    N, T, H = dh.shape
    D = caches[0][0].shape[1]
    dx, dWx, dWh, db = np.zeros((N, T, D)), np.zeros((D, H)), np.zeros((H, H)), np.zeros(H)
    dprev = np.zeros((N, H))
    for t in range(T)[::-1]:
        dx[:, t], dprev, a, b, c = rnn_step_backward(dh[:, t] + dprev, caches[t])
        dWx += a
        dWh += b
        db += c
    return dx, dprev, dWx, dWh, db


def lstm_step(x, c, W):
    """One step whose gates are one product, split in four; the next cell state is the output."""
    a = x @ W
    ai, af, ao, ag = np.split(a, 4, axis=1)
    i, f, o, g = 1 / (1 + np.exp(-ai)), 1 / (1 + np.exp(-af)), 1 / (1 + np.exp(-ao)), np.tanh(ag)
    next_c = f * c + i * g
    next_h = o * np.tanh(next_c)
    dnext_h = sb.upstream(next_h)
    do = np.tanh(next_c) * dnext_h
    dnext_c = o * (1 - np.tanh(next_c) ** 2) * dnext_h
    dc, df, di, dg = f * dnext_c, c * dnext_c, g * dnext_c, i * dnext_c
    da = np.hstack([i * (1 - i) * di, f * (1 - f) * df, o * (1 - o) * do, (1 - g**2) * dg])
    return next_h, dnext_h, {"x": da @ W.T, "c": dc, "W": x.T @ da}


def word_embedding_forward(W, x):
    return W[x, :], (x, W.shape)


def word_embedding_backward(dout, cache):
    x, shape = cache
    dW = np.zeros(shape)
    np.add.at(dW, x, dout)
    return dW


def char_rnn_loss(Wxh, Whh, Why, bh, by, inputs=(0, 2), targets=(2, 1)):
    """A character model over a short text: one-hot inputs, a dict for each step, gradients through time."""
    hidden_size = Whh.shape[0]
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.copy(np.zeros((hidden_size, 1)))
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((Wxh.shape[1], 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        ys[t] = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
        loss += -np.log(ps[t][targets[t], 0])
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWhy += np.dot(dy, hs[t].T)
        dby += dy
        dh = np.dot(Why.T, dy) + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw
        dWxh += np.dot(dhraw, xs[t].T)
        dWhh += np.dot(dhraw, hs[t - 1].T)
        dhnext = np.dot(Whh.T, dhraw)
    return loss, 1.0, {"Wxh": dWxh, "Whh": dWhh, "Why": dWhy, "bh": dbh, "by": dby}


def multi_head_forward(x, Wq, Wk, Wv, heads=2):
    T, D = x.shape
    d = D // heads
    q, k, v = (np.swapaxes((x @ W).reshape(T, heads, d), 0, 1) for W in (Wq, Wk, Wv))
    scores = np.einsum("htd,hsd->hts", q, k) / math.sqrt(d)
    e = np.exp(scores - np.max(scores, axis=-1, keepdims=True)) if x.size > 100 else np.exp(scores)
    a = e / e.sum(axis=-1, keepdims=True)
    out = np.einsum("hts,hsd->htd", a, v)
    return out.swapaxes(0, 1).reshape(T, D), (x, Wq, Wk, Wv, q, k, v, a)


def multi_head_backward(dout, cache):
    x, Wq, Wk, Wv, q, k, v, a = cache
    heads, T, d = q.shape
    dheads = dout.reshape(T, heads, d).swapaxes(0, 1)
    da = dheads @ v.swapaxes(-1, -2)
    dv = a.swapaxes(-1, -2) @ dheads
    ds = a * (da - (a * da).sum(axis=-1, keepdims=True)) / np.sqrt(d)
    dq, dk = np.einsum("hts,hsd->htd", ds, k), np.einsum("hts,htd->hsd", ds, q)
    merged = [g.swapaxes(0, 1).reshape(T, heads * d) for g in (dq, dk, dv)]
    dx = sum(g @ W.T for g, W in zip(merged, (Wq, Wk, Wv), strict=True))
    return (dx, *(x.T @ g for g in merged))
