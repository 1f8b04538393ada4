"""The first of backward's own results that is wrong is named, with its line; those before it are said to be right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb

ATTENTION = {"Q": (1, 2), "K": (2, 2), "V": (2, 1)}


def softmax(scores: Any) -> Any:
    e = np.exp(scores)
    return e / e.sum(axis=-1, keepdims=True)


def attend(Q: Any, K: Any, V: Any) -> Any:
    S = Q @ K.T / np.sqrt(Q.shape[1])
    P = softmax(S)
    return P @ V, (Q, K, V, P)


def attend_by_diagonal(dout: Any, cache: Any) -> Any:
    Q, K, V, P = cache
    dV = P.T @ dout
    dP = dout @ V.T
    dS = dP * P * (1 - P)
    dS = dS / np.sqrt(Q.shape[1])
    return dS @ K, dS.T @ Q, dV


def two_layers(x: Any, W1: Any, W2: Any) -> Any:
    z1 = x @ W1
    h1 = np.tanh(z1)
    z2 = h1 @ W2
    return np.tanh(z2), (x, W1, W2, h1, z2)


def two_layers_back(dout: Any, cache: Any) -> Any:
    x, W1, W2, h1, z2 = cache
    dz2 = dout * (1 - np.tanh(z2) ** 2)
    dh1 = dz2 @ W2.T
    dz1 = dh1 * (1 - h1)
    return dz1 @ W1.T, x.T @ dz1, h1.T @ dz2


def two_layers_by_slopes(dout: Any, cache: Any) -> Any:
    """Here dh1 is the slope of tanh, not a derivative by h1, and says nothing of what is wrong."""
    x, W1, W2, h1, z2 = cache
    dh1 = 1 - h1**2
    g_z2 = dout * (1 - np.tanh(z2) ** 2)
    g_z1 = g_z2 @ W2 * dh1
    return g_z1 @ W1.T, x.T @ g_z1, h1.T @ g_z2


def in_one(x: Any, W1: Any, W2: Any) -> Any:
    z1 = x @ W1
    h1 = np.tanh(z1)
    out = h1 @ W2
    d_out = sb.upstream(out)
    d_h1 = d_out @ W2.T
    d_z1 = d_h1 * h1
    return out, d_out, {"x": d_z1 @ W1.T, "W1": x.T @ d_z1, "W2": h1.T @ d_out}


def moved_later(x: Any, W1: Any, W2: Any) -> Any:
    z1 = x @ W1
    h1 = np.maximum(z1, 0)
    h1 *= 2
    return h1 @ W2, (x, W1, W2, h1)


def moved_later_back(dout: Any, cache: Any) -> Any:
    """Right by h1 as it is in the end, of which no name is kept; wrong by z1."""
    x, W1, W2, h1 = cache
    dh1 = dout @ W2.T
    dz1 = dh1 * (h1 > 0)
    return dz1 @ W1.T, x.T @ dz1, h1.T @ dout


LAYERS = {"x": (1, 2), "W1": (2, 2), "W2": (2, 2)}


@pytest.mark.parametrize(
    ("forward", "backward", "shapes", "expected"),
    [
        (
            attend,
            attend_by_diagonal,
            ATTENTION,
            "`dS = dP * P * (1 - P)`: it is not the derivative by S, while dP is right. It takes the diagonal of the "
            "Jacobian of P by S in place of the Jacobian.",
        ),
        (
            two_layers,
            two_layers_back,
            LAYERS,
            "`dz1 = dh1 * (1 - h1)`: it is not the derivative by z1, while dz2 and dh1 are right.",
        ),
        (
            two_layers,
            two_layers_by_slopes,
            LAYERS,
            "`g_z1 = g_z2 @ W2 * dh1`: it is not the derivative by z1, while g_z2 is right.",
        ),
        (
            in_one,
            None,
            LAYERS,
            "`d_z1 = d_h1 * h1`: it is not the derivative by z1, while d_out and d_h1 are right.",
        ),
        (moved_later, moved_later_back, LAYERS, "`dz1 = dh1 * (h1 > 0)`: it is not the derivative by z1."),
    ],
)
def test_the_first_wrong_result_is_named(forward: Any, backward: Any, shapes: Any, expected: str) -> None:
    """What it is to be the derivative by, its line, and what was right before it."""
    verdict = sb.verify_backward(forward, backward, shapes=shapes)

    assert verdict.refuted
    said = [note for note in verdict.notes if note.startswith("The first result of backward that is wrong is ")]
    assert len(said) == 1
    assert said[0].endswith(expected)


def right_results(dout: Any, cache: Any) -> Any:
    x, W1, W2, h1, z2 = cache
    dz2 = dout * (1 - np.tanh(z2) ** 2)
    dh1 = dz2 @ W2.T
    dz1 = dh1 * (1 - h1**2)
    return dz1 @ W1.T, x.T @ dz1 * 2, h1.T @ dz2


def test_nothing_is_said_where_all_results_are_right() -> None:
    """What is wrong then comes after them."""
    verdict = sb.verify_backward(two_layers, right_results, shapes=LAYERS)

    assert verdict.refuted
    assert "The gradient of W1[0,0] has the extra factor 2" in str(verdict)
    assert "first result" not in str(verdict)


def times_its_tanh(x: Any, w: Any) -> Any:
    z = x * w
    a = np.tanh(z)
    return a * z, (x, w, z, a)


def times_its_tanh_back(dout: Any, cache: Any) -> Any:
    """Here dz is what comes to z through a alone, and right as that."""
    x, w, z, a = cache
    da = dout * z
    dz = da * (1 - a**2)
    dz2 = dout * a
    total = dz + dz2
    return total * w, total * x + 1


def times_its_tanh_all_wrong(dout: Any, cache: Any) -> Any:
    x, w, z, a = cache
    da = dout * z
    dz = da * (1 - a**2)
    dz2 = dout * a
    total = dz + dz2
    return total * w + 1, total * x + 1


def layer_norm(x: Any, g: Any) -> Any:
    mu = x.mean(1, keepdims=True)
    xc = x - mu
    std = np.sqrt((xc**2).mean(1, keepdims=True) + 1e-5)
    return g * xc / std, (xc, std, g)


def layer_norm_back(dout: Any, cache: Any) -> Any:
    xc, std, g = cache
    dn = dout * g
    dxc = dn / std
    dstd = -(dn * xc / std**2).sum(1, keepdims=True)
    dxc2 = dstd * xc / (std * xc.shape[1])
    s = dxc + dxc2
    return s - s.mean(1, keepdims=True), (dout * xc / std).sum(0) * 2


def product(x: Any, w: Any) -> Any:
    s = x @ w
    return np.tanh(s), (x, w, s)


def product_back(dout: Any, cache: Any) -> Any:
    """Here ds is kept transposed, as dx reads it; dw is wrong on its own account."""
    x, w, s = cache
    ds = (dout * (1 - np.tanh(s) ** 2)).T
    return ds.T @ w.T, 2 * x.T @ ds.T


@pytest.mark.parametrize(
    ("forward", "backward", "shapes"),
    [
        (times_its_tanh, times_its_tanh_back, {"x": (2,), "w": (2,)}),
        (times_its_tanh, times_its_tanh_all_wrong, {"x": (2,), "w": (2,)}),
        (layer_norm, layer_norm_back, {"x": (2, 3), "g": (3,)}),
        (product, product_back, {"x": (2, 2), "w": (2, 2)}),
    ],
)
def test_no_result_is_blamed_that_puts_nothing_right(forward: Any, backward: Any, shapes: Any) -> None:
    """A part of a derivative, or one that is kept in another way: a gradient that is right depends on it."""
    verdict = sb.verify_backward(forward, backward, shapes=shapes)

    assert verdict.refuted
    assert "first result" not in str(verdict)


def tanh_then_sum(x: Any, w: Any) -> Any:
    z = x * w
    a = np.tanh(z)
    return a * a.sum(), (x, w, z, a)


def tanh_then_sum_back(dout: Any, cache: Any) -> Any:
    x, w, z, a = cache
    da = dout * a.sum() + (dout * a).sum()
    dz = da * a
    return dz * w, dz * x


def entry_by_entry(dout: Any, cache: Any) -> Any:
    """It is filled entry by entry, and lacks the slope of tanh: what counts is the last one."""
    x, w, z, a = cache
    dz = np.zeros_like(z)
    for k in range(len(z)):
        dz[k] = dout[k] * a.sum() + (dout * a).sum()
    return dz * w, dz * x


@pytest.mark.parametrize(
    ("backward", "expected"),
    [
        (tanh_then_sum_back, "`dz = da * a`: it is not the derivative by z, while da is right."),
        (entry_by_entry, "`dz[k] = dout[k] * a.sum() + (dout * a).sum()`: it is not the derivative by z."),
    ],
)
def test_a_result_is_blamed_that_puts_gradients_right(backward: Any, expected: str) -> None:
    """With the derivative in its place what is returned is proved; of a diagonal Jacobian no diagonal is taken."""
    verdict = sb.verify_backward(tanh_then_sum, backward, shapes={"x": (2,), "w": (2,)})

    assert verdict.refuted
    assert [note.endswith(expected) for note in verdict.notes if note.startswith("The first result")] == [True]
