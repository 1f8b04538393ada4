"""Gradients that are wrong in a part of the paths of the chain rule; without `wrong` they are right."""

from __future__ import annotations

import numpy as np

import symbackprop as sb


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def normalised(x, wrong=""):
    s = np.sqrt(x.var(0) + 1e-5)
    h = (x - x.mean(0)) / s
    d = sb.upstream(h)
    size = len(x) - 1 if wrong == "sum" else len(x)
    if wrong == "root":
        s = np.sqrt(x.var(0, ddof=1) + 1e-5)
    return h, d, {"x": (d - d.mean(0) - h * (d * h).sum(0) / size) / s}


def normalised_by_stages(x, wrong=""):
    n, centred = len(x), x - x.mean(0)
    v = (centred**2).mean(0) + 1e-5
    h = centred / np.sqrt(v)
    d = sb.upstream(h)
    dv = (d * centred * -0.5 * v**-1.5).sum(0) * (-1 if wrong == "sign" else 1)
    dx = d / np.sqrt(v) + dv * 2 * centred / (n - 1 if wrong == "size" else n)
    return h, d, {"x": dx - (d / np.sqrt(v)).sum(0) / n}


def recurrent(x, W, h, wrong=""):
    """The last state of three steps."""
    states = [h]
    for t in range(len(x)):
        states.append(np.tanh(W @ states[-1] + x[t]))
    d = sb.upstream(states[-1])
    dW, dx, dh = np.zeros_like(W), np.zeros_like(x), d
    for t in reversed(range(1 if wrong == "cut" else 0, len(x))):
        dz = dh * (1 - states[t + 1] ** 2)
        dx[t] = dz
        dW = np.outer(dz, states[t]) + (0 if wrong == "assigned" else dW)
        dh = W.T @ dz
    return states[-1], d, {"W": dW, "x": dx, "h": dh} if wrong == "assigned" else {"x": dx, "W": dW, "h": dh}


def long_short(x, w, wrong=""):
    """Two steps of one cell whose gates read the same number."""
    h, c, seen = 0.0, 0.0, []
    for t in range(2):
        z = x[t] + w[0] * h
        i, f, o, g = sigmoid(z), sigmoid(2 * z), sigmoid(3 * z), np.tanh(z)
        before, c = (h, c), f * c + i * g
        h = o * np.tanh(c)
        seen.append((*before, c, i, f, o, g))
    out = np.array([h])
    d = sb.upstream(out)
    dx, dw, dh, dc = np.zeros_like(x), 0.0, d[0], 0.0
    for t in (1, 0):
        h0, c0, c, i, f, o, g = seen[t]
        carried = 0 if wrong == "lost" else dc
        dc = carried + dh * o * (1 if wrong == "tanh" else 1 - np.tanh(c) ** 2)
        dz = dc * g * i * (1 - i) + dc * c0 * 2 * f * (1 - f) + dh * np.tanh(c) * 3 * o * (1 - o) + dc * i * (1 - g**2)
        dc = dc if wrong == "gate" else dc * f
        dx[t], dw, dh = dz, dw + dz * h0, w[0] * dz
    return out, d, {"x": dx, "w": np.array([dw])}


def tied(x, w, wrong=""):
    """A decoder whose matrix is that of the encoder, transposed."""
    h = np.tanh(x @ w)
    out = h @ w.T
    d = sb.upstream(out)
    dz = (d @ w) * (1 - h**2)
    parts = {"encoder": x.T @ dz, "decoder": d.T @ h}
    return out, d, {"x": dz @ w.T, "w": parts.get(wrong, x.T @ dz + d.T @ h)}


def dropped(x, mask, wrong=""):
    out = (x * mask) ** 2
    d = sb.upstream(out)
    return out, d, {"x": 2 * x * d * (1 if wrong else mask)}


def heads(q, k, wrong=""):
    """Scores of two heads; the scale is that of the width of one."""
    (n, width), count = q.shape, 2
    q2, k2 = (each.reshape(n, count, -1).transpose(1, 0, 2) for each in (q, k))
    out = q2 @ k2.transpose(0, 2, 1) / np.sqrt(width // count)
    d = sb.upstream(out)
    scale = {"none": 1, "model": np.sqrt(width)}.get(wrong, np.sqrt(width // count))
    dq, dk = d @ k2 / scale, d.transpose(0, 2, 1) @ q2 / scale
    return out, d, {"q": dq.transpose(1, 0, 2).reshape(n, width), "k": dk.transpose(1, 0, 2).reshape(n, width)}


BATCH = {"x": (3, 2)}
STEPS = {"x": (3, 1), "W": (1, 1), "h": (1,)}
FIRST = {"W": (1, 1), "x": (3, 1), "h": (1,)}
CELL = {"x": (2,), "w": (1,)}
TIED = {"x": (2, 3), "w": (3, 2)}
ASKED = "2 divided by in place of 3, one of them the length of an axis, as N and N - 1?"

MASK = {"mask": np.array([1, 0, 1])}
WIDE = {"q": (2, 6), "k": (2, 6)}

MISTAKES = [
    (normalised, "sum", BATCH, {}, f"has the extra factor 3/2 in what comes through sqrt(...): is {ASKED}"),
    (normalised, "root", BATCH, {}, "another sqrt(...) than forward: what is summed in it is divided by 2 in place"),
    (normalised_by_stages, "size", BATCH, {}, f"has the extra factor 3/2 in what comes through sqrt(...): is {ASKED}"),
    (normalised_by_stages, "sign", BATCH, {}, "has the wrong sign in what comes through sqrt(...)"),
    (recurrent, "cut", STEPS, {}, "all of it is at 0 along axis 0, and right elsewhere; does a loop miss a step?"),
    (recurrent, "assigned", FIRST, {}, "W[0,0] counts 1 of the 3 uses: it leaves out that in tanh(W[0,0]*tanh("),
    (long_short, "gate", CELL, {}, "the factor sigmoid(...) in what tanh(...) gets from sigmoid(x[0]) and tanh(x[0])"),
    (long_short, "lost", CELL, {}, "leaves out what tanh(...) gets from sigmoid(x[0]) and tanh(x[0])"),
    (long_short, "tanh", CELL, {}, "x[1] lacks the factor 1 - tanh(...)^2 in what comes through tanh(...)"),
    (tied, "encoder", TIED, {}, "w[0,0] counts 2 of the 3 uses: it leaves out that in the output itself"),
    (tied, "decoder", TIED, {}, "the gradient of w[0,0] counts 1 of the 3 uses: it leaves out that in tanh("),
    (dropped, "mask", {"x": (3,)}, MASK, "and right where that is not 0: is a mask missing?"),
    (heads, "none", WIDE, {}, "the gradient of q[0,0] lacks the factor 1/sqrt(3)"),
    (heads, "model", WIDE, {}, "the gradient of q[0,0] lacks the factor sqrt(2)"),
]
