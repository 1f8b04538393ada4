"""Hand-written gradients with one mistake each, kind by kind, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import symbackprop as sb


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def negated_square(x):
    out = 0.5 * (x**2).sum()
    dout = sb.upstream(out)
    return out, dout, {"x": -dout * x}


def minus(a, b):
    out = np.exp(a - b)
    dout = sb.upstream(out)
    return out, dout, {"a": dout * out, "b": dout * out}


def reciprocal(x):
    out = 1 / x
    dout = sb.upstream(out)
    return out, dout, {"x": dout / x**2}


def one_term_sign(x):
    m = x.mean(0)
    out = x * x - m
    dout = sb.upstream(out)
    return out, dout, {"x": 2 * dout * x + dout.mean(0)}


def cubed(x):
    out = x**3
    dout = sb.upstream(out)
    return out, dout, {"x": dout * x**2}


def mse(x, y):
    out = ((x - y) ** 2).mean()
    dout = sb.upstream(out)
    return out, dout, {"x": 2 * dout * (x - y), "y": -2 * dout * (x - y) / x.size}


def hidden(x, w):
    z = x @ w
    out = np.tanh(z)
    dout = sb.upstream(out)
    return out, dout, {"x": dout @ w.T, "w": x.T @ dout}


def scores(q, k):
    out = q @ k.T / np.sqrt(q.shape[1])
    dout = sb.upstream(out)
    return out, dout, {"q": dout @ k, "k": dout.T @ q}


def logit_extra(x):
    a = sigmoid(x)
    out = -np.log(a).sum()
    dout = sb.upstream(out)
    return out, dout, {"x": dout * (a - 1) * a * (1 - a)}


def dropout(x):
    m = np.array([1, 0, 1])
    out = x * m / 0.8
    dout = sb.upstream(out)
    return out, dout, {"x": dout * m}


def rms(x):
    r = np.sqrt((x**2).mean(1, keepdims=True) + 1e-5)
    out = x / r
    dout = sb.upstream(out)
    return out, dout, {"x": dout / r}


def twice(x):
    out = x * np.tanh(x)
    dout = sb.upstream(out)
    return out, dout, {"x": dout * np.tanh(x)}


def residual(x, w):
    out = x + np.tanh(x @ w)
    dout = sb.upstream(out)
    d = dout * (1 - np.tanh(x @ w) ** 2)
    return out, dout, {"x": d @ w.T, "w": x.T @ d}


def recur(x, w):
    h = [0 * w]
    for t in range(3):
        h.append(np.tanh(w * h[-1] + x[t]))
    out = h[1] + h[2] + h[3]
    dout = sb.upstream(out)
    return (
        out,
        dout,
        {
            "x": np.array([dout * (1 - h[t + 1] ** 2) for t in range(3)]),
            "w": dout * sum((1 - h[t + 1] ** 2) * h[t] for t in range(3)),
        },
    )


def layernorm_no_var(x):
    m = x.mean(1, keepdims=True)
    s = np.sqrt(((x - m) ** 2).mean(1, keepdims=True) + 1e-5)
    out = (x - m) / s
    dout = sb.upstream(out)
    return out, dout, {"x": (dout - dout.mean(1, keepdims=True)) / s}


def bias(x, b):
    out = np.tanh(x + b)
    dout = sb.upstream(out)
    d = dout * (1 - out**2)
    return out, dout, {"x": d, "b": d[0]}


def bias_mean(x, b):
    out = x + b
    dout = sb.upstream(out)
    return out, dout, {"x": dout, "b": dout.mean(0)}


def bias_shape(x, b):
    out = x * b
    dout = sb.upstream(out)
    return out, dout, {"x": dout * b, "b": dout * x}


def scale(x, s):
    out = x * s
    dout = sb.upstream(out)
    return out, dout, {"x": dout * s, "s": (dout * x).mean()}


def matmul_t(a, b):
    out = a @ b
    dout = sb.upstream(out)
    return out, dout, {"a": dout @ b, "b": a.T @ dout}


def matmul_u(a, b):
    out = a @ b
    dout = sb.upstream(out)
    return out, dout, {"a": dout @ b.T, "b": (a.T @ dout).T}


def conv(x, w):
    out = np.array([x[i] * w[0] + x[i + 1] * w[1] for i in range(4)])
    dout = sb.upstream(out)
    dx = np.zeros(5)
    dx = np.array(
        [(dout[i] * w[1] if i < 4 else 0 * w[0]) + (dout[i - 1] * w[0] if i > 0 else 0 * w[0]) for i in range(5)]
    )
    return out, dout, {"x": dx, "w": np.array([(dout * x[:4]).sum(), (dout * x[1:]).sum()])}


def cumsum_way(x):
    out = np.cumsum(x)
    dout = sb.upstream(out)
    return out, dout, {"x": np.cumsum(dout)}


def two(x, v, w):
    h = np.tanh(x @ v)
    out = h @ w
    dout = sb.upstream(out)
    d = dout @ w.T * (1 - h**2)
    return out, dout, {"x": d @ v.T, "v": x.T @ d, "w": x.T @ dout}


def two_b(x, v, w):
    h = np.tanh(x @ v)
    out = h @ w
    dout = sb.upstream(out)
    d = dout @ v.T * (1 - h**2)
    return out, dout, {"x": d @ v.T, "v": x.T @ d, "w": h.T @ dout}


def two_c(x, v, w):
    h = np.tanh(x @ v)
    out = h @ w
    dout = sb.upstream(out)
    d = dout @ w.T * (1 - h**2)
    return out, dout, {"x": d @ w.T, "v": x.T @ d, "w": h.T @ dout}


def softmax(x):
    e = np.exp(x)
    p = e / e.sum()
    out = p
    dout = sb.upstream(out)
    return out, dout, {"x": dout * p * (1 - p)}


def logsoftmax(x):
    e = np.exp(x)
    p = e / e.sum()
    out = np.log(p)
    dout = sb.upstream(out)
    return out, dout, {"x": dout * (1 - p)}


def normal(x):
    r = np.sqrt((x**2).sum())
    out = x / r
    dout = sb.upstream(out)
    return out, dout, {"x": dout * (1 - out**2) / r}


def sigmoid_in(x):
    a = sigmoid(x)
    out = a
    dout = sb.upstream(out)
    return out, dout, {"x": dout * x * (1 - x)}


def tanh_in(x):
    out = np.tanh(x)
    dout = sb.upstream(out)
    return out, dout, {"x": dout * (1 - x**2)}


def relu_in(x, w):
    z = x @ w
    out = np.maximum(z, 0)
    dout = sb.upstream(out)
    d = dout * (x > 0)
    return out, dout, {"x": d @ w.T, "w": x.T @ d}


def exp_in(x):
    out = np.exp(2 * x)
    dout = sb.upstream(out)
    return out, dout, {"x": dout * 2 * np.exp(x)}


def ce(z, y):
    e = np.exp(z)
    p = e / e.sum()
    out = -(y * np.log(p)).sum()
    dout = sb.upstream(out)
    return out, dout, {"z": dout * (p - y), "y": -dout * np.log(p)}


def quad(x, A):
    out = x @ A @ x
    dout = sb.upstream(out)
    return out, dout, {"x": 2 * dout * (A @ x), "A": dout * np.outer(x, x)}


def wmean(w, x, m):
    out = (w[:, None] * (x - m) ** 2).sum() / 2
    dout = sb.upstream(out)
    return out, dout, {"w": dout * ((x - m) ** 2).sum(1) / 2, "x": dout * w[:, None] * (x - m), "m": dout * (m - w @ x)}


def rmsn(x):
    r = np.sqrt((x**2).mean() + 1e-8)
    out = x / r
    dout = sb.upstream(out)
    q = (x**2).mean()
    return out, dout, {"x": dout / np.sqrt(q) - x * (dout * x).mean() / (q * np.sqrt(q))}


def logeps(x):
    out = np.log(x * x + 1e-7)
    dout = sb.upstream(out)
    return out, dout, {"x": 2 * dout / x}


def ratio(x, y):
    out = x / (y * y + 1e-6)
    dout = sb.upstream(out)
    return out, dout, {"x": dout / (y * y + 1e-6), "y": -2 * dout * x * y / (y * y) ** 2}


def gelu(x):
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    out = x * (1 + t) / 2
    dout = sb.upstream(out)
    return out, dout, {"x": dout * ((1 + t) / 2 + x * (1 - t**2) * 0.7978845 * (1 + 0.134145 * x**2) / 2)}


def gauss(x):
    out = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    dout = sb.upstream(out)
    return out, dout, {"x": -dout * x * np.exp(-(x**2) / 2) * 0.3989}


def log2(x):
    out = np.log(x * x + 1) / np.log(2)
    dout = sb.upstream(out)
    return out, dout, {"x": dout * 2 * x / (x * x + 1) * 1.4427}


MISTAKES: list[tuple[Callable[..., Any], dict[str, tuple[int, ...]], str]] = [
    (negated_square, {"x": (2, 3)}, "the gradient of x[0,0] has the wrong sign"),
    (minus, {"a": (3,), "b": (3,)}, "the gradient of b[0] has the wrong sign"),
    (reciprocal, {"x": (3,)}, "the gradient of x[0] has the wrong sign"),
    (one_term_sign, {"x": (2, 2)}, "the gradient of x[0,0] lacks the term -(upstream[0,0] + upstream[1,0])"),
    (cubed, {"x": (3,)}, "the gradient of x[0] lacks the factor 3"),
    (
        mse,
        {"x": (2, 3), "y": (2, 3)},
        "the gradient of x[0,0] has the extra factor 6, the number of entries; is a sum taken"
        " where it should be a mean?",
    ),
    (
        hidden,
        {"x": (2, 3), "w": (3, 4)},
        "in what comes from upstream[0,0], the gradient of x[0,0] lacks the factor 1 -"
        " tanh(w[0,0]*x[0,0] + w[1,0]*x[0,1] + w[2,0]*x[0,2])^2",
    ),
    (scores, {"q": (2, 3), "k": (2, 3)}, "the gradient of q[0,0] lacks the factor 1/sqrt(3)"),
    (logit_extra, {"x": (3,)}, "the gradient of x[0] has the extra factor sigmoid(x[0])*(1 - sigmoid(x[0]))"),
    (dropout, {"x": (3,)}, "the gradient of x[0] lacks the factor 5/4"),
    (
        rms,
        {"x": (2, 3)},
        "the gradient of x[0,0] leaves out the path through sqrt(1/100000 + x[0,0]^2/3 + x[0,1]^2/3 + x[0,2]^2/3)",
    ),
    (twice, {"x": (3,)}, "the gradient of x[0] leaves out the path through tanh(x[0])"),
    (residual, {"x": (2, 2), "w": (2, 2)}, "the gradient of x[0,0] lacks the term upstream[0,0]"),
    (recur, {"x": (3,), "w": ()}, "the gradient of x[0] leaves out the path through tanh(w*tanh(x[0]) + x[1])"),
    (layernorm_no_var, {"x": (2, 3)}, "the gradient of x[0,0] leaves out the path through sqrt(...)"),
    (
        bias,
        {"x": (3, 2), "b": (2,)},
        "the gradient of b[0] counts the output [0] only: the sum over the first axis of the"
        " output is missing; the gradients of x and b share memory",
    ),
    (
        bias_mean,
        {"x": (3, 2), "b": (2,)},
        "the gradient of b[0] lacks the factor 3, the length of an axis; is a mean taken where it should be a sum?",
    ),
    (
        bias_shape,
        {"x": (3, 2), "b": (2,)},
        "the gradient of b has the shape (3, 2), where b has (2,): the sum over the first axis is missing",
    ),
    (
        scale,
        {"x": (3, 2), "s": ()},
        "the gradient of s lacks the factor 6, the number of entries; is a mean taken where it should be a sum?",
    ),
    (matmul_t, {"a": (3, 3), "b": (3, 3)}, "the gradient of a needs b transposed"),
    (matmul_u, {"a": (3, 3), "b": (3, 3)}, "the gradient of b is transposed"),
    (conv, {"x": (5,), "w": (2,)}, "the gradient of x[0] has w[1] in place of w[0]"),
    (cumsum_way, {"x": (4,)}, "the gradient of x[0] counts the output [0] only"),
    (
        two,
        {"x": (2, 2), "v": (2, 2), "w": (2, 2)},
        "in what comes from upstream[0,0], the gradient of w[0,0] has x[0,0] in place of"
        " tanh(v[0,0]*x[0,0] + v[1,0]*x[0,1])",
    ),
    (two_b, {"x": (2, 2), "v": (2, 2), "w": (2, 2)}, "the gradient of x reads v in place of w"),
    (two_c, {"x": (2, 2), "v": (2, 2), "w": (2, 2)}, "the gradient of x reads w in place of v"),
    (softmax, {"x": (3,)}, "the gradient of x takes the diagonal of the Jacobian in place of the Jacobian"),
    (logsoftmax, {"x": (3,)}, "the gradient of x takes the diagonal of the Jacobian in place of the Jacobian"),
    (normal, {"x": (3,)}, "the gradient of x takes the diagonal of the Jacobian in place of the Jacobian"),
    (sigmoid_in, {"x": (3,)}, "the gradient of x[0] has x[0] in place of sigmoid(x[0])"),
    (tanh_in, {"x": (3,)}, "the gradient of x[0] has x[0] in place of tanh(x[0])"),
    (
        relu_in,
        {"x": (2, 2), "w": (2, 2)},
        "the gradient of x[0,0] is 0 where the derivative is not: it is right in another branch, where"
        " w[0,0]*x[0,0] + w[1,0]*x[0,1] < 0: is a mask or condition wrong or missing?",
    ),
    (exp_in, {"x": (3,)}, "the gradient of x[0] has exp(x[0]) in place of exp(2*x[0])"),
    (ce, {"z": (3,), "y": (3,)}, "the gradient of z[0] is right if y sums to 1, which nothing ensures"),
    (quad, {"x": (2,), "A": (2, 2)}, "the gradient of x[0] is right if A is symmetric, which nothing ensures"),
    (wmean, {"w": (3,), "x": (3, 2), "m": (2,)}, "the gradient of m[0] is right if w sums to 1, which nothing ensures"),
    (
        rmsn,
        {"x": (3,)},
        "the gradient of x[0] is right for eps = 0, not as it stands: the stabiliser 1e-08 is"
        " treated in another way than forward",
    ),
    (
        logeps,
        {"x": (3,)},
        "the gradient of x[0] is right for eps = 0, not as it stands: the stabiliser 1e-07 is"
        " treated in another way than forward",
    ),
    (
        ratio,
        {"x": (2,), "y": (2,)},
        "the gradient of y[0] is right for eps = 0, not as it stands: the stabiliser 1e-06 is"
        " treated in another way than forward",
    ),
    (gelu, {"x": (2,)}, "the gradient of x[0] has 0.7978845 in place of sqrt(2/pi), off by at most 6.1e-08"),
    (gauss, {"x": (2,)}, "the gradient of x[0] has 0.3989 in place of 1/sqrt(2*pi), off by at most 4.3e-05"),
    (log2, {"x": (2,)}, "the gradient of x[0] has 1.4427 in place of 1/log(2), off by at most 5.0e-06"),
]
