"""More backward passes as people write them: layers as classes, graphs, norms, and NumPy's ways to move entries."""

from __future__ import annotations

import math
from math import sqrt

import numpy as np

import symbackprop as sb


class Value:
    """A number that remembers how it was made; + - * ** and tanh, and a backward over the sorted graph."""

    def __init__(self, data, children=(), op=""):
        self.data, self.grad = data, 0.0
        self._backward = lambda: None
        self._prev, self._op = set(children), op

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, power):
        assert isinstance(power, (int, float)), "only numbers"
        out = Value(self.data**power, (self,), f"**{power}")

        def _backward():
            self.grad += power * self.data ** (power - 1) * out.grad

        out._backward = _backward
        return out

    def relu(self):
        out = Value(0 if self.data < 0 else self.data, (self,), "ReLU")

        def _backward():
            self.grad += (out.data > 0) * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        t = (math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)
        out = Value(t, (self,), "tanh")

        def _backward():
            self.grad += (1 - t**2) * out.grad

        out._backward = _backward
        return out

    def __sub__(self, other):
        return self + other * -1

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for child in v._prev:
                    visit(child)
                order.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            v._backward()


def neuron(x, w, b):
    xs, ws = [Value(v) for v in x], [Value(v) for v in w]
    bias = Value(b)
    act = sum((wi * xi for wi, xi in zip(ws, xs, strict=True)), bias)
    loss = (act.tanh() - 1) ** 2 + 0.5 * (act * act).relu()
    loss.backward()
    return loss.data, 1.0, {"x": [v.grad for v in xs], "w": np.array([v.grad for v in ws]), "b": bias.grad}


class Linear:
    """A layer with weights, gradients and the input of its last forward."""

    def __init__(self, in_features, out_features, W=None):
        self.W = np.random.randn(in_features, out_features) * np.sqrt(2.0 / in_features) if W is None else W
        self.b = np.zeros((1, out_features))
        self.x = None

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = np.sum(dout, axis=0, keepdims=True)
        return dout @ self.W.T


class LeakyReLU:
    def __init__(self, slope=0.01):
        self.slope = slope

    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, self.slope * x)

    def backward(self, dout):
        return dout * np.where(self.mask, 1.0, self.slope)


class Sequential:
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout


def small_network(x, W1, W2):
    model = Sequential(Linear(*W1.shape, W=W1), LeakyReLU(), Linear(*W2.shape, W=W2))
    out = model.forward(x)
    dout = sb.upstream(out)
    dx = model.backward(dout)
    first, _, last = model.layers
    return out, dout, {"x": dx, "W1": first.dW, "W2": last.dW}


def graph_attention(h, a_src, a_dst, adj):
    """One head of graph attention over a given adjacency: scores of pairs, leaky relu, softmax over neighbours."""
    s, t = h @ a_src, h @ a_dst
    e = s[:, None] + t[None, :]
    act = np.where(e > 0, e, 0.2 * e)
    masked = np.where(adj, act, -np.inf)
    w = np.exp(masked)
    alpha = w / w.sum(axis=1, keepdims=True)
    out = alpha @ h
    dout = sb.upstream(out)
    dalpha = dout @ h.T
    dact = alpha * (dalpha - (dalpha * alpha).sum(1, keepdims=True))
    de = dact * np.where(e > 0, 1, 0.2)
    ds, dt = de.sum(axis=1), de.sum(axis=0)
    dh = alpha.T @ dout + np.outer(ds, a_src) + np.outer(dt, a_dst)
    return out, dout, {"h": dh, "a_src": h.T @ ds, "a_dst": h.T @ dt}


class GELU:
    def forward(self, x):
        self.x = x
        self.inner = np.sqrt(2.0 / np.pi) * (x + 0.044715 * np.power(x, 3))
        return 0.5 * x * (1.0 + np.tanh(self.inner))

    def backward(self, dout):
        x, t = self.x, np.tanh(self.inner)
        dinner = np.sqrt(2.0 / np.pi) * (1.0 + 3 * 0.044715 * x**2)
        return dout * (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t**2) * dinner)


def gelu(x):
    layer = GELU()
    out = layer.forward(x)
    dout = sb.upstream(out)
    return out, dout, {"x": layer.backward(dout)}


def unit_rows(x):
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    out = x / norm
    dout = sb.upstream(out)
    return out, dout, {"x": (dout - out * np.sum(out * dout, axis=1, keepdims=True)) / norm}


def mean_square(pred, target):
    n = np.prod(pred.shape)
    diff = (pred - target).ravel()
    loss = np.dot(diff, diff) / n
    return loss, 1, {"pred": (2 / n * diff).reshape(pred.shape)}


def upsample(x):
    """Each pixel twice in both directions, and the whole tiled once more to the right."""
    big = np.repeat(np.repeat(x, 2, axis=0), 2, axis=1)
    out = np.tile(big, (1, 2))
    dout = sb.upstream(out)
    H, W = x.shape
    left, right = np.split(dout, 2, axis=1)
    dbig = left + right
    return out, dout, {"x": dbig.reshape(H, 2, W, 2).sum(axis=(1, 3))}


def flip_and_roll(x):
    out = np.roll(np.flip(x, axis=1), 1, axis=0) * np.arange(1.0, x.shape[1] + 1)
    dout = sb.upstream(out)
    d = dout * np.arange(1, x.shape[1] + 1, dtype=float)
    return out, dout, {"x": np.flip(np.roll(d, -1, axis=0), axis=1)}


def running_total(x):
    out = np.cumsum(np.exp(x), axis=0)
    dout = sb.upstream(out)
    return out, dout, {"x": np.exp(x) * np.cumsum(dout[::-1], axis=0)[::-1]}


def scaled_scores(q, k):
    d = q.shape[-1]
    out = np.matmul(q, k.T) / sqrt(d)
    dout = sb.upstream(out)
    return out, dout, {"q": dout @ k / math.sqrt(d), "k": dout.T @ q * d**-0.5}


def solve_forward(A, b):
    x = np.linalg.solve(A, b)
    return x, (A, x)


def solve_backward(dx, cache):
    A, x = cache
    db = np.linalg.solve(A.T, dx)
    return -np.outer(db, x), db


def inverse(A):
    out = np.linalg.inv(A)
    dout = sb.upstream(out)
    return out, dout, {"A": -out.T @ dout @ out.T}


def log_determinant(A):
    sign, logdet = np.linalg.slogdet(A)
    return logdet, 1.0, {"A": np.linalg.inv(A).T}


def determinant(A):
    det = np.linalg.det(A)
    dout = sb.upstream(det)
    return det, dout, {"A": dout * det * np.linalg.inv(A).T}


def wrapped_phase(x):
    """A sawtooth: the part after the point, by floor; and by the remainder."""
    out = (x - np.floor(x)) ** 2 + (x % 1.0) + np.ceil(x) * x + x // 2
    dout = sb.upstream(out)
    return out, dout, {"x": dout * (2 * (x - np.floor(x)) + 1 + np.ceil(x))}


def huber(x, delta=1.0):
    a = np.abs(x)
    out = np.where(a <= delta, 0.5 * x**2, delta * (a - 0.5 * delta))
    dout = sb.upstream(out)
    return out, dout, {"x": dout * np.clip(x, -delta, delta)}


def top_two(x):
    """The sum of the two largest of each row, weighted."""
    order = np.argsort(-x, axis=1)[:, :2]
    rows = np.arange(len(x))[:, None]
    out = (x[rows, order] * np.array([2.0, 1.0])).sum(axis=1)
    dout = sb.upstream(out)
    dx = np.zeros_like(x)
    dx[rows, order] = dout[:, None] * np.array([2.0, 1.0])
    return out, dout, {"x": dx}
