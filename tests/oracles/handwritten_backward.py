"""Layers, losses and cells with their backward passes by hand, in the ways that people write them. All are right."""

from __future__ import annotations

import math

import numpy as np

import symbackprop as sb


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1) @ w + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = np.dot(dout, w.T).reshape(x.shape)
    dw = np.dot(x.reshape(x.shape[0], -1).T, dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    dx = dout.copy()
    dx[cache < 0] = 0
    return dx


def relu_mask_forward(x):
    mask = (x > 0).astype(np.float64)
    return x * mask, mask


def relu_mask_backward(dout, mask):
    mask *= dout
    return mask


def leaky_relu(x, slope=0.01):
    out = np.where(x > 0, x, slope * x)
    dout = sb.upstream(out)
    return out, dout, {"x": dout * np.where(x > 0, 1.0, slope)}


def elu(x, alpha=1.5):
    out = np.where(x > 0, x, alpha * (np.exp(x) - 1))
    dout = sb.upstream(out)
    return out, dout, {"x": np.where(x > 0, dout, dout * (out + alpha))}


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def sigmoid_forward(x):
    out = sigmoid(x)
    return out, out


def sigmoid_backward(dout, out):
    return dout * out * (1 - out)


def stable_sigmoid(x):
    positive = x >= 0
    z = np.empty_like(x)
    z[positive] = np.exp(-x[positive])
    z[~positive] = np.exp(x[~positive])
    top = np.ones_like(x)
    top[~positive] = z[~positive]
    out = top / (1 + z)
    dout = sb.upstream(out)
    return out, dout, {"x": dout * out * (1 - out)}


def softmax_loss(x, labels):
    count = x.shape[0]
    shifted = x - np.max(x, axis=1, keepdims=True)
    log_probs = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    loss = -np.sum(log_probs[np.arange(count), labels]) / count
    dx = np.exp(log_probs)
    dx[np.arange(count), labels] -= 1
    dx /= count
    return loss, 1.0, {"x": dx}


def svm_loss(x, labels):
    count = x.shape[0]
    right = x[np.arange(count), labels]
    margins = np.maximum(0, x - right[:, np.newaxis] + 1.0)
    margins[np.arange(count), labels] = 0
    loss = np.sum(margins) / count
    dx = np.zeros_like(x)
    dx[margins > 0] = 1
    dx[np.arange(count), labels] -= np.sum(margins > 0, axis=1)
    dx /= count
    return loss, 1.0, {"x": dx}


def layernorm_forward(x, gamma, beta, eps=1e-5):
    mean = x.mean(axis=-1, keepdims=True)
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    normed = (x - mean) / std
    return gamma * normed + beta, (normed, std, gamma)


def layernorm_backward(dout, cache):
    normed, std, gamma = cache
    dnormed = dout * gamma
    inner = dnormed - dnormed.mean(-1, keepdims=True) - normed * (dnormed * normed).mean(-1, keepdims=True)
    return inner / std, (dout * normed).sum(axis=0), dout.sum(axis=0)


def batchnorm_forward(x, gamma, beta, eps=1e-5):
    mu = x.mean(axis=0)
    xc = x - mu
    var = np.mean(xc**2, axis=0)
    inv = 1.0 / np.sqrt(var + eps)
    xhat = xc * inv
    return gamma * xhat + beta, (xhat, xc, inv, gamma)


def batchnorm_backward(dout, cache):
    """The graph walked back node by node."""
    xhat, xc, inv, gamma = cache
    n = dout.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    dinv = (dxhat * xc).sum(axis=0)
    dvar = -0.5 * inv**3 * dinv
    dxc = dxhat * inv + 2.0 / n * xc * dvar
    dmu = -dxc.sum(axis=0)
    return dxc + dmu / n, dgamma, dbeta


def batchnorm_backward_short(dout, cache):
    """The simplified formula."""
    xhat, _, inv, gamma = cache
    n = dout.shape[0]
    dbeta = np.sum(dout, 0)
    dgamma = np.sum(dout * xhat, 0)
    return (gamma * inv / n) * (n * dout - dbeta - xhat * dgamma), dgamma, dbeta


def dropout_forward(x, mask, p=0.8):
    return x * mask / p, (mask, p)


def dropout_backward(dout, cache):
    mask, p = cache
    return dout * mask / p


def conv_forward(x, w, b, stride=1, pad=1):
    n, c, height, width = x.shape
    f, _, hh, ww = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    rows = 1 + (height + 2 * pad - hh) // stride
    columns = 1 + (width + 2 * pad - ww) // stride
    out = np.zeros((n, f, rows, columns))
    for i in range(n):
        for k in range(f):
            for r in range(rows):
                for s in range(columns):
                    window = padded[i, :, r * stride : r * stride + hh, s * stride : s * stride + ww]
                    out[i, k, r, s] = np.sum(window * w[k]) + b[k]
    return out, (padded, w, stride, pad)


def conv_backward(dout, cache):
    padded, w, stride, pad = cache
    n, f, rows, columns = dout.shape
    _, _, hh, ww = w.shape
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for i in range(n):
        for k in range(f):
            for r in range(rows):
                for s in range(columns):
                    top, left = r * stride, s * stride
                    dw[k] += padded[i, :, top : top + hh, left : left + ww] * dout[i, k, r, s]
                    dpadded[i, :, top : top + hh, left : left + ww] += w[k] * dout[i, k, r, s]
    return dpadded[:, :, pad:-pad, pad:-pad], dw, dout.sum(axis=(0, 2, 3))


def max_pool_forward(x, size=2):
    n, c, height, width = x.shape
    blocks = x.reshape(n, c, height // size, size, width // size, size)
    blocks = blocks.transpose(0, 1, 2, 4, 3, 5).reshape(n, c, height // size, width // size, -1)
    return blocks.max(axis=-1), (blocks.argmax(axis=-1), x.shape, size)


def max_pool_backward(dout, cache):
    place, shape, size = cache
    dx = np.zeros(shape)
    for n, c, i, j in np.ndindex(*dout.shape):
        r, s = divmod(place[n, c, i, j], size)
        dx[n, c, i * size + r, j * size + s] += dout[n, c, i, j]
    return dx


def average_pool(x):
    out = x.reshape(x.shape[0], -1, 2).mean(axis=2)
    dout = sb.upstream(out)
    return out, dout, {"x": np.repeat(dout, 2, axis=1) / 2}


def embedding_forward(table, tokens):
    return table[tokens], (tokens, table.shape)


def embedding_backward(dout, cache):
    tokens, shape = cache
    dtable = np.zeros(shape, dtype=np.float32)
    np.add.at(dtable, tokens, dout)
    return dtable


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def attention_forward(q, k, v):
    scale = 1.0 / np.sqrt(q.shape[-1])
    e = np.exp(np.einsum("id,jd->ij", q, k) * scale)
    p = e / np.sum(e, axis=-1, keepdims=True)
    return p @ v, (q, k, v, p, scale)


def attention_backward(dout, cache):
    q, k, v, p, scale = cache
    dv = p.T @ dout
    dp = dout @ v.T
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) * scale
    return ds @ k, ds.T @ q, dv


def causal_attention(q, k, v):
    steps, width = q.shape
    scores = q @ k.T / math.sqrt(width)
    scores[np.triu_indices(steps, 1)] = -np.inf
    e = np.exp(scores)
    p = e / e.sum(axis=1, keepdims=True)
    out = p.dot(v)
    dout = sb.upstream(out)
    dp = dout.dot(v.T)
    ds = p * (dp - np.sum(p * dp, axis=1, keepdims=True)) / math.sqrt(width)
    return out, dout, {"q": ds.dot(k), "k": ds.T.dot(q), "v": p.T.dot(dout)}


def rnn_step_forward(x, h, wx, wh, b):
    new = np.tanh(x @ wx + h @ wh + b)
    return new, (x, h, wx, wh, new)


def rnn_step_backward(dnew, cache):
    x, h, wx, wh, new = cache
    da = dnew * (1 - new**2)
    return da @ wx.T, da @ wh.T, x.T @ da, h.T @ da, da.sum(axis=0)


def rnn(x, h0, wx, wh):
    steps = x.shape[0]
    states = [h0]
    for t in range(steps):
        states.append(np.tanh(wx @ x[t] + wh @ states[-1]))
    out = np.stack(states[1:])
    dout = sb.upstream(out)
    dx, dwx, dwh, dh = np.empty_like(x), np.zeros_like(wx), np.zeros_like(wh), np.zeros_like(h0)
    for t in reversed(range(steps)):
        da = (dout[t] + dh) * (1 - states[t + 1] ** 2)
        dx[t] = wx.T @ da
        dwx += np.outer(da, x[t])
        dwh += np.outer(da, states[t])
        dh = wh.T @ da
    return out, dout, {"x": dx, "h0": dh, "wx": dwx, "wh": dwh}


def lstm_step_forward(x, h, c, w, u):
    width = h.shape[1]
    a = x @ w + h @ u
    i, f, o = (sigmoid(a[:, k * width : (k + 1) * width]) for k in range(3))
    g = np.tanh(a[:, 3 * width :])
    new_c = f * c + i * g
    squashed = np.tanh(new_c)
    return np.concatenate((o * squashed, new_c), axis=1), (x, h, c, w, u, i, f, o, g, squashed)


def lstm_step_backward(dout, cache):
    x, h, c, w, u, i, f, o, g, squashed = cache
    dh, dc = np.split(dout, 2, axis=1)
    dc = dc + dh * o * (1 - squashed**2)
    da = np.hstack((dc * g * i * (1 - i), dc * c * f * (1 - f), dh * squashed * o * (1 - o), dc * i * (1 - g * g)))
    return da.dot(w.T), da.dot(u.T), dc * f, x.T.dot(da), h.T.dot(da)


def mse(prediction, target):
    difference = prediction - target
    loss = np.mean(np.square(difference))
    gradient = 2.0 * difference / difference.size
    return loss, 1, {"prediction": gradient, "target": -gradient}


def bce_logits(z, y):
    loss = np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))
    return loss, 1, {"z": (sigmoid(z) - y) / z.size}


def bce_clipped(p, y, eps=1e-7):
    inside = np.clip(p, eps, 1 - eps)
    loss = -np.mean(y * np.log(inside) + (1 - y) * np.log(1 - inside))
    free = (p > eps) & (p < 1 - eps)
    return loss, 1, {"p": free * (inside - y) / (inside * (1 - inside)) / p.size}


def cosine(a, b):
    na, nb = np.linalg.norm(a), np.linalg.norm(b)
    value = np.dot(a, b) / (na * nb)
    return value, 1, {"a": b / (na * nb) - value * a / na**2, "b": a / (na * nb) - value * b / nb**2}


def ridge(x, w, y, strength=0.1):
    residual = x @ w - y
    loss = 0.5 * np.sum(residual**2) + strength / 2 * np.sum(w * w)
    return loss, 1, {"x": np.outer(residual, w), "w": x.T @ residual + strength * w, "y": -residual}


def groupnorm_forward(x, gamma, groups=2, eps=1e-5):
    n, c = x.shape[:2]
    parts = x.reshape(n, groups, -1)
    mean = parts.mean(axis=2, keepdims=True)
    std = np.sqrt(np.var(parts, axis=2, keepdims=True) + eps)
    normed = ((parts - mean) / std).reshape(x.shape)
    return normed * gamma.reshape(1, c, 1), (normed, std, gamma, groups)


def groupnorm_backward(dout, cache):
    normed, std, gamma, groups = cache
    n, c = dout.shape[:2]
    dgamma = np.sum(dout * normed, axis=(0, 2))
    d = (dout * gamma[None, :, None]).reshape(n, groups, -1)
    y = normed.reshape(n, groups, -1)
    dx = (d - d.mean(axis=2, keepdims=True) - y * (d * y).mean(axis=2, keepdims=True)) / std
    return dx.reshape(dout.shape), dgamma


def rmsnorm(x, g, eps=1e-6):
    inv = (np.mean(x**2, axis=-1, keepdims=True) + eps) ** -0.5
    out = x * inv * g
    dout = sb.upstream(out)
    d = dout * g
    dx = d * inv - x * inv**3 * np.mean(d * x, axis=-1, keepdims=True)
    return out, dout, {"x": dx, "g": (dout * x * inv).sum(axis=0)}


def gelu_tanh(x):
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    out = 0.5 * x * (1 + t)
    dout = sb.upstream(out)
    return out, dout, {"x": dout * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * c * (1 + 3 * 0.044715 * x**2))}


def gelu_erf(x):
    root = math.sqrt(2)
    out = np.empty(x.shape)
    dx = np.empty(x.shape)
    dout = sb.upstream(out + x)
    for k in range(len(x)):
        phi = 0.5 * (1 + math.erf(x[k] / root))
        out[k] = x[k] * phi
        dx[k] = dout[k] * (phi + x[k] * math.exp(-(x[k] ** 2) / 2) / math.sqrt(2 * math.pi))
    return out, dout, {"x": dx}


def swish(x):
    s = sigmoid(x)
    out = x * s
    dout = sb.upstream(out)
    return out, dout, {"x": dout * (out + s * (1 - out))}


def softplus(x):
    out = np.logaddexp(0, x)
    dout = sb.upstream(out)
    return out, dout, {"x": dout / (1 + np.exp(-x))}


def standardise(x):
    out = (x - x.mean()) / x.std()
    dout = sb.upstream(out)
    return out, dout, {"x": (dout - dout.mean() - out * np.mean(dout * out)) / np.std(x)}


def product_of_all(x):
    out = np.prod(x)
    return out, sb.upstream(out), {"x": sb.upstream(out) * out / x}


def bilinear(x, w, y):
    out = np.einsum("ni,kij,nj->nk", x, w, y)
    dout = sb.upstream(out)
    return out, dout, {
        "x": np.einsum("nk,kij,nj->ni", dout, w, y),
        "w": np.einsum("nk,ni,nj->kij", dout, x, y),
        "y": np.tensordot(dout, w, axes=1).transpose(0, 2, 1).swapaxes(1, 2).transpose(0, 2, 1)
        .__matmul__(x[:, :, None])
        .squeeze(-1),
    }  # fmt: skip


def masked_mean(x, mask):
    lower = np.tril(np.ones((x.shape[1], x.shape[1])))
    out = (x * mask) @ lower
    dout = sb.upstream(out)
    return out, dout, {"x": np.dot(dout, lower.T) * mask}


class Linear:
    """A layer that keeps what backward needs."""

    def __init__(self, w):
        self.w = w

    def forward(self, x):
        self.x = x
        return x @ self.w

    def backward(self, dout):
        self.dw = self.x.T @ dout
        return dout @ self.w.T


class Tanh(Linear):
    """A layer that builds on another."""

    def __init__(self, w):
        super().__init__(w)
        self.out = None

    def forward(self, x):
        self.out = np.tanh(super().forward(x))
        return self.out

    def backward(self, dout):
        return super().backward(dout * (1.0 - self.out**2))


def two_layers(x, w1, w2):
    layers = [Tanh(w1), Linear(w2)]
    out = x
    for layer in layers:
        out = layer.forward(out)
    d = dout = sb.upstream(out)
    for layer in layers[::-1]:
        d = layer.backward(d)
    return out, dout, {"x": d, "w1": layers[0].dw, "w2": layers[1].dw}
