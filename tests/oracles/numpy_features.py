"""NumPy as people use it in hand-written gradients, a function for each way; `wrong` plants a mistake."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import symbackprop as sb


def matmul_batched(x, w, wrong=False):
    out = np.matmul(x, w)
    d = sb.upstream(out)
    dw = np.matmul(np.swapaxes(x, 1, 2), d)
    return out, d, {"x": np.matmul(d, w.T), "w": dw[0] if wrong else dw.sum(axis=0)}


def dot_and_outer(x, w, wrong=False):
    out = np.dot(x, w)
    d = sb.upstream(out)
    return out, d, {"x": np.dot(w, d), "w": np.outer(d, x).T if not wrong else np.outer(d, d)[: len(x)] * 0 + 1}


def tensordot_axes(x, w, wrong=False):
    out = np.tensordot(x, w, axes=([2], [0]))
    d = sb.upstream(out)
    dw = np.tensordot(x, d, axes=([0, 1], [0, 1]))
    return out, d, {"x": np.tensordot(d, w, axes=([2], [1])), "w": dw / 2 if wrong else dw}


def einsum_optimised(x, w, wrong=False):
    out = np.einsum("nij,jk->nik", x, w, optimize=True)
    d = sb.upstream(out)
    dw = np.einsum("nij,nik->jk", x, d, optimize="greedy")
    return out, d, {"x": np.einsum("nik,jk->nij", d, w, optimize=True), "w": -dw if wrong else dw}


def einsum_implicit(x, w, wrong=False):
    out = np.einsum("ij,ij->i", x, w)
    d = sb.upstream(out)
    return out, d, {"x": d[:, None] * w, "w": d[:, None] * (w if wrong else x)}


def squeeze_expand(x, wrong=False):
    e = np.expand_dims(x, 1)
    out = np.squeeze(e * e, axis=1).sum(axis=1)
    d = sb.upstream(out)
    return out, d, {"x": (1 if wrong else 2) * d[:, np.newaxis] * x}


def transposed_axes(x, wrong=False):
    out = x.transpose(2, 0, 1) * np.arange(3.0)[None, :, None][:, : x.shape[0]]
    d = sb.upstream(out)
    d2 = d * np.arange(3.0)[None, :, None][:, : x.shape[0]]
    return out, d, {"x": d2.transpose(2, 0, 1).reshape(x.shape) if wrong else d2.transpose(1, 2, 0)}


def moved_axis(x, wrong=False):
    out = np.moveaxis(x, 0, -1) ** 2
    d = sb.upstream(out)
    return out, d, {"x": np.moveaxis(d, -1, 0) * x * (1 if wrong else 2)}


def rolled_axis(x, wrong=False):
    out = np.rollaxis(x, 1) ** 3
    d = sb.upstream(out)
    return out, d, {"x": 3 * d.T * x ** (1 if wrong else 2)}


def flipped(x, wrong=False):
    out = np.flip(x, axis=1) * x
    d = sb.upstream(out)
    dx = d * np.flip(x, axis=1)
    return out, d, {"x": dx if wrong else dx + np.flip(d * x, 1)}


def fliplr_ud(x, wrong=False):
    out = np.fliplr(np.flipud(x)) ** 2
    d = sb.upstream(out)
    return out, d, {"x": 2 * x * (d if wrong else np.flipud(np.fliplr(d)))}


def rolled(x, wrong=False):
    out = np.roll(x, 1, axis=0) * x
    d = sb.upstream(out)
    return out, d, {"x": d * np.roll(x, 1, axis=0) + np.roll(d * x, 1 if wrong else -1, axis=0)}


def repeated(x, wrong=False):
    out = np.repeat(x, 2, axis=1)
    d = sb.upstream(out)
    both = d.reshape(x.shape[0], x.shape[1], 2)
    return out, d, {"x": both[..., 0] if wrong else both.sum(axis=-1)}


def tiled(x, wrong=False):
    out = np.tile(x, (2, 1)) ** 2
    d = sb.upstream(out)
    n = len(x)
    return out, d, {"x": 2 * x * (d[:n] if wrong else d[:n] + d[n:])}


def cumulative(x, wrong=False):
    out = np.cumsum(x, axis=1)
    d = sb.upstream(out)
    return out, d, {"x": np.cumsum(d, axis=1) if wrong else np.cumsum(d[:, ::-1], axis=1)[:, ::-1]}


def product(x, wrong=False):
    out = np.prod(x, axis=1)
    d = sb.upstream(out)
    dx = d[:, None] * out[:, None] / x
    return out, d, {"x": dx * x if wrong else dx}


def cumulative_product(x, wrong=False):
    out = np.cumprod(x)
    d = sb.upstream(out)
    return out, d, {"x": (d * out if wrong else np.cumsum((d * out)[::-1])[::-1]) / x}


def log1p_expm1(x, wrong=False):
    out = np.log1p(np.exp(x)) + np.expm1(x)
    d = sb.upstream(out)
    return out, d, {"x": d * (np.exp(x) / (1 + np.exp(x)) + (np.expm1(x) if wrong else np.exp(x)))}


def log_of_two_exps(x, y, wrong=False):
    out = np.logaddexp(x, y)
    d = sb.upstream(out)
    share = np.exp(x - out)
    return out, d, {"x": d * share, "y": d * share if wrong else d * (1 - share)}


def roots_and_squares(x, wrong=False):
    out = np.sqrt(np.square(x) + 1)
    d = sb.upstream(out)
    return out, d, {"x": d / out if wrong else d * x / out}


def absolute(x, wrong=False):
    out = np.abs(x) * x
    d = sb.upstream(out)
    return out, d, {"x": d * (np.abs(x) if wrong else np.abs(x) + np.sign(x) * x)}


def smaller(x, y, wrong=False):
    out = np.minimum(x, y)
    d = sb.upstream(out)
    first = x < y
    return out, d, {"x": d * first, "y": d * (first if wrong else ~first)}


def larger_clipped(x, wrong=False):
    out = np.clip(np.maximum(x, 0.5), None, 2.0) ** 2
    d = sb.upstream(out)
    inside = (x > 0.5) & (x < 2.0)
    return out, d, {"x": d * 2 * x * (x > 0.5 if wrong else inside)}


def taken_along(x, index, wrong=False):
    out = np.take_along_axis(x, index, axis=1)
    d = sb.upstream(out)
    dx = np.zeros_like(x)
    np.put_along_axis(dx, index, d.sum(axis=1, keepdims=True) if wrong else d, axis=1)
    return out, d, {"x": dx}


def taken(x, rows, wrong=False):
    out = np.take(x, rows, axis=0)
    d = sb.upstream(out)
    dx = np.zeros_like(x)
    if wrong:
        dx[rows] += d
    else:
        np.add.at(dx, rows, d)
    return out, d, {"x": dx}


def sorted_order(x, wrong=False):
    order = np.argsort(x, axis=1)
    out = np.take_along_axis(x, order, axis=1) * np.arange(1.0, x.shape[1] + 1)
    d = sb.upstream(out) * np.arange(1.0, x.shape[1] + 1)
    back = order if wrong else np.argsort(order, axis=1)
    return out, sb.upstream(out), {"x": np.take_along_axis(d, back, axis=1)}


def windows(x, wrong=False):
    out = sliding_window_view(x, 2, axis=0).sum(axis=-1) ** 2
    d = sb.upstream(out)
    s = x[:-1] + x[1:]
    dx = np.zeros_like(x)
    dx[:-1] += 2 * s * d
    dx[1:] += (s if wrong else 2 * s) * d
    return out, d, {"x": dx}


def windows_of_images(x, w, wrong=False):
    view = np.lib.stride_tricks.sliding_window_view(x, w.shape)
    out = np.einsum("ijkl,kl->ij", view, w)
    d = sb.upstream(out)
    dw = np.einsum("ijkl,ij->kl", view, d)
    dx = np.zeros_like(x)
    kernel = w[::-1, ::-1] if wrong else w
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            dx[i : i + w.shape[0], j : j + w.shape[1]] += d[i, j] * kernel
    return out, d, {"x": dx, "w": dw}



def broadcast(x, b, wrong=False):
    wide = np.broadcast_to(b, x.shape)
    out = x * wide
    d = sb.upstream(out)
    return out, d, {"x": d * wide, "b": (d * x).sum(axis=1)[: len(b)] * 0 + 1 if wrong else (d * x).sum(axis=0)}


def triangles(x, wrong=False):
    out = np.tril(x @ x.T)
    d = sb.upstream(out)
    d = d if wrong else np.tril(d)
    return out, sb.upstream(out), {"x": d @ x + d.T @ x}


def triangle_indices(x, wrong=False):
    rows, columns = np.triu_indices(x.shape[0], 1)
    out = (x @ x.T)[rows, columns]
    d = sb.upstream(out)
    full = np.zeros((x.shape[0], x.shape[0]))
    full[rows, columns] = d
    return out, d, {"x": full @ x if wrong else (full + full.T) @ x}


def diagonals(x, wrong=False):
    out = np.diag(x @ x.T) + np.trace(x @ x.T)
    d = sb.upstream(out)
    return out, d, {"x": 2 * d[:, None] * x + (0 if wrong else 2 * d.sum() * x)}


def stacked(x, y, wrong=False):
    out = np.stack([x, y, x * y], axis=1)
    d = sb.upstream(out)
    return out, d, {"x": d[:, 0] + d[:, 2] * y, "y": d[:, 1] + d[:, 2] * (y if wrong else x)}


def joined(x, y, wrong=False):
    out = np.concatenate((x, y), axis=1) ** 2
    d = sb.upstream(out)
    dx, dy = np.split(d, [x.shape[1]], axis=1)
    return out, d, {"x": 2 * x * dx, "y": (1 if wrong else 2) * y * dy}


def stacks(x, y, wrong=False):
    out = np.vstack((x, y)).T @ np.ones(len(x) + len(y)) + np.hstack((x, y)).sum()
    d = sb.upstream(out)
    one = np.ones_like(x) * d + (0 if wrong else d.sum())
    return out, d, {"x": one, "y": np.ones_like(y) * d + d.sum()}


def padded(x, wrong=False):
    p = np.pad(x, ((1, 1), (0, 2)), mode="constant")
    out = p[:-2, 2:] * p[1:-1, :-2]
    d = sb.upstream(out)
    dp = np.zeros_like(p)
    dp[:-2, 2:] += d * p[1:-1, :-2]
    dp[1:-1, :-2] += d * p[:-2, 2:]
    return out, d, {"x": dp[:-2, :-2] if wrong else dp[1:-1, :-2]}


def padded_by_reflection(x, wrong=False):
    p = np.pad(x, 1, mode="reflect")
    out = p[:-1] * 2
    d = sb.upstream(out)
    dp = np.zeros_like(p)
    dp[:-1] = 2 * d
    dx = dp[1:-1].copy()
    dx[1] += dp[0]
    if not wrong:
        dx[-2] += dp[-1]
    return out, d, {"x": dx if not wrong else dx * 2}


def deviations(x, wrong=False):
    mean, std = np.mean(x, axis=0, keepdims=True), np.std(x, axis=0, ddof=1, keepdims=True)
    out = (x - mean) / std
    d = sb.upstream(out)
    n = x.shape[0] if wrong else x.shape[0] - 1
    return out, d, {"x": (d - d.mean(0) - out * (d * out).sum(0) / n) / std}


def norms(x, wrong=False):
    size = np.linalg.norm(x, axis=1, keepdims=True)
    out = x / size
    d = sb.upstream(out)
    inner = (d * out).sum(axis=1, keepdims=True)
    return out, d, {"x": (d - out * inner) / (1 if wrong else size)}


def in_place(x, wrong=False):
    h = x.copy()
    h *= 2
    h += 1
    h **= 2
    d = sb.upstream(h)
    dx = d.copy()
    dx *= 2 * (2 * x + 1)
    if not wrong:
        dx *= 2
    return h, d, {"x": dx}


def masked_parts(x, wrong=False):
    out = x.copy()
    out[x < 0] *= 0.1
    d = sb.upstream(out)
    dx = d.copy()
    dx[x > 0 if wrong else x < 0] *= 0.1
    return out, d, {"x": dx}


def chosen_conditions(x, wrong=False):
    out = np.select([x < -1, x < 1], [-1 - 2 * x, x**2], 2 * x - 1)
    d = sb.upstream(out)
    return out, d, {"x": d * np.select([x < -1, x < 1], [-2, x if wrong else 2 * x], 2)}


def piecewise_parts(x, wrong=False):
    out = np.piecewise(x, [x < 0, x >= 0], [lambda v: v**2, lambda v: 3 * v])
    d = sb.upstream(out)
    return out, d, {"x": d * np.where(x < 0, 2 * x, 1 if wrong else 3)}


def differences(x, wrong=False):
    out = np.diff(x) ** 2
    d = sb.upstream(out)
    g = 2 * np.diff(x) * d
    dx = np.zeros_like(x)
    dx[1:] += g
    if not wrong:
        dx[:-1] -= g
    return out, d, {"x": dx}


def kronecker(x, y, wrong=False):
    out = np.kron(x, y)
    d = sb.upstream(out).reshape(x.shape[0], y.shape[0], x.shape[1], y.shape[1])
    dy = np.einsum("ikjl,ij->kl", d, x)
    return out, sb.upstream(out), {"x": np.einsum("ikjl,kl->ij", d, y), "y": 2 * dy if wrong else dy}


def convolved(x, w, wrong=False):
    out = np.convolve(x, w, mode="valid")
    d = sb.upstream(out)
    dw = np.array([(d * x[len(w) - 1 - k : len(x) - k]).sum() for k in range(len(w))])
    return out, d, {"x": np.convolve(d, w if wrong else w[::-1], mode="full"), "w": dw}


def inner_products(x, w, wrong=False):
    out = np.inner(x, w) + np.vdot(x[0], w[0])
    d = sb.upstream(out)
    dx, dw = d @ w, d.T @ x
    dx[0] += d.sum() * w[0]
    dw[0] += (1 if wrong else d.sum()) * x[0]
    return out, d, {"x": dx, "w": dw}


def averaged(x, weights, wrong=False):
    out = np.average(x, axis=0, weights=weights)
    d = sb.upstream(out)
    share = weights if wrong else weights / weights.sum()
    return out, d, {"x": share[:, None] * d}


def ellipsis_and_steps(x, wrong=False):
    out = x[..., ::2] * 3
    d = sb.upstream(out)
    dx = np.zeros_like(x)
    dx[..., slice(1, None, 2) if wrong else slice(None, None, 2)] = 3 * d
    return out, d, {"x": dx}


def meshes(x, wrong=False):
    a, b = np.meshgrid(x, x)
    out = a * b
    d = sb.upstream(out)
    return out, d, {"x": d @ x if wrong else d @ x + d.T @ x}


def arrays_split(x, wrong=False):
    parts = np.array_split(x, 2)
    out = parts[0].sum() * parts[1].sum()
    d = sb.upstream(out)
    n = len(parts[0])
    dx = np.empty_like(x)
    dx[:n], dx[n:] = parts[1].sum() * d, (parts[1].sum() if wrong else parts[0].sum()) * d
    return out, d, {"x": dx}


def variances(x, wrong=False):
    out = x.var(axis=1)
    d = sb.upstream(out)
    dx = 2 * d[:, None] * (x - x.mean(axis=1, keepdims=True)) / x.shape[1]
    return out, d, {"x": dx * x.shape[1] if wrong else dx}


def loops(x, w, wrong=False):
    hidden = [np.zeros(x.shape[1])]
    for row in x:
        hidden.append(np.tanh(w * hidden[-1] + row))
    out = hidden[-1]
    d = sb.upstream(out)
    dx, dw, carried = np.zeros(x.shape), np.zeros_like(w), d
    for t in reversed(range(len(x))):
        local = carried * (1 - hidden[t + 1] ** 2)
        dx[t] = local
        dw += local * hidden[t]
        carried = local * (x[t] if wrong else w)
    return out, d, {"x": dx, "w": dw}


def reduced_by_ufunc(x, wrong=False):
    out = np.add.reduce(x**2, axis=0) + np.multiply.outer(x[:, 0], x[0]).sum()
    d = sb.upstream(out)
    dx = 2 * x * d
    dx[:, 0] += d.sum() * x[0].sum()
    dx[0] += (1 if wrong else d.sum()) * x[:, 0].sum()
    return out, d, {"x": dx}


def scattered_sum(x, index, wrong=False):
    out = np.zeros(2)
    np.add.at(out, index, x**2)
    d = sb.upstream(out)
    return out, d, {"x": 2 * x * (d[: len(x)].sum() if wrong else d[index])}


def bins(x, index, wrong=False):
    out = np.bincount(index, weights=x, minlength=2)
    d = sb.upstream(out)
    return out, d, {"x": d[0] * np.ones_like(x) if wrong else d[index]}


def flattened(x, wrong=False):
    out = x.ravel() * np.arange(1.0, x.size + 1)
    d = sb.upstream(out) * np.arange(1.0, x.size + 1)
    return out, sb.upstream(out), {"x": d.reshape(x.shape, order="F") if wrong else d.reshape(x.shape)}


def rotated(x, wrong=False):
    out = np.rot90(x) * 2
    d = sb.upstream(out)
    return out, d, {"x": 2 * np.rot90(d, 1 if wrong else -1)}


def crossed(x, y, wrong=False):
    out = np.cross(x, y)
    d = sb.upstream(out)
    return out, d, {"x": np.cross(y, d), "y": np.cross(x, d) if wrong else np.cross(d, x)}


def nonzero_places(x, wrong=False):
    places = np.nonzero(x > 0)
    out = np.zeros_like(x)
    out[places] = x[places] ** 2
    d = sb.upstream(out)
    dx = np.zeros_like(x)
    dx[places] = (1 if wrong else 2) * x[places] * d[places]
    return out, d, {"x": dx}


def one_hot(x, labels, wrong=False):
    y = np.eye(x.shape[1])[labels]
    p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    out = -(y * np.log(p)).sum() / len(x)
    d = sb.upstream(out)
    return out, d, {"x": d * (p - y) / (1 if wrong else len(x))}


def hyperbolic(x, wrong=False):
    out = np.sinh(x) * np.cosh(x) + np.arctan(x)
    d = sb.upstream(out)
    return out, d, {"x": d * (np.cosh(2 * x) + 1 / (1 - x**2 if wrong else 1 + x**2))}


def powers(x, wrong=False):
    out = np.power(x, 3) + np.reciprocal(x) + np.exp2(x)
    d = sb.upstream(out)
    return out, d, {"x": d * (3 * x**2 - 1 / x**2 + np.exp2(x) * (1 if wrong else np.log(2)))}


def nans_aside(x, wrong=False):
    out = np.nan_to_num(np.nansum(x**2, axis=1))
    d = sb.upstream(out)
    return out, d, {"x": (1 if wrong else 2) * x * d[:, None]}


def ptp_range(x, wrong=False):
    out = np.ptp(x)
    d = sb.upstream(out)
    dx = np.zeros_like(x)
    dx[np.argmax(x)] += d
    dx[np.argmin(x)] += d if wrong else -d
    return out, d, {"x": dx}


def medians(x, wrong=False):
    out = np.median(x)
    d = sb.upstream(out)
    order = np.argsort(x)
    dx = np.zeros_like(x)
    if len(x) % 2:
        dx[order[0 if wrong else len(x) // 2]] = d
    else:
        dx[order[len(x) // 2 - 1 : len(x) // 2 + 1]] = d / 2
    return out, d, {"x": dx}


def masked_fill(x, wrong=False):
    out = x * 1.0
    np.putmask(out, x < 0, 0.0)
    d = sb.upstream(out)
    return out, d, {"x": d if wrong else d * (x >= 0)}


def copied_where(x, wrong=False):
    out = np.zeros_like(x)
    np.copyto(out, x**2, where=x > 0)
    d = sb.upstream(out)
    return out, d, {"x": 2 * x * d * (1 if wrong else x > 0)}


def applied_along(x, wrong=False):
    out = np.apply_along_axis(lambda row: row / row.sum(), 1, x)
    d = sb.upstream(out)
    s = x.sum(axis=1, keepdims=True)
    dx = d / s - (d * x).sum(axis=1, keepdims=True) / s**2
    return out, d, {"x": d / s if wrong else dx}
