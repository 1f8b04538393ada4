"""Backward passes at the shapes that people have at hand; the other shapes are then small ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb

Case = Callable[..., Any]


def cross_entropy(x: Any, y: Any, wrong: bool = False) -> Any:
    """Softmax cross-entropy, averaged over the rows."""
    exps = np.exp(x - x.max(1, keepdims=True))
    p = exps / exps.sum(1, keepdims=True)
    rows = np.arange(len(x))
    out = -np.log(p[rows, y]).mean()
    d = p.copy()
    d[rows, y] -= 1
    upstream = sb.upstream(out)
    return out, upstream, {"x": upstream * d / (1 if wrong else len(x))}


def layer_norm(x: Any, g: Any, wrong: bool = False) -> Any:
    """With a scale."""
    centred = x - x.mean(1, keepdims=True)
    r = 1 / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5)
    h = centred * r
    out = g * h
    upstream = sb.upstream(out)
    d = upstream * g
    mean = 0 if wrong else d.mean(1, keepdims=True)
    return out, upstream, {"x": r * (d - mean - h * (d * h).mean(1, keepdims=True)), "g": (upstream * h).sum(0)}


def attention(q: Any, k: Any, v: Any, wrong: bool = False) -> Any:
    """One head."""
    scores = q @ k.T / np.sqrt(q.shape[1])
    exps = np.exp(scores - scores.max(1, keepdims=True))
    p = exps / exps.sum(1, keepdims=True)
    out = p @ v
    upstream = sb.upstream(out)
    dp = upstream @ v.T
    ds = p * (dp - (dp * p).sum(1, keepdims=True)) / np.sqrt(q.shape[1])
    return out, upstream, {"q": ds @ k, "k": ds.T @ (k if wrong else q), "v": p.T @ upstream}


@pytest.mark.parametrize(
    ("case", "shapes", "data", "scope", "lacking"),
    [
        (
            cross_entropy,
            {"x": (16, 16)},
            {"y": np.arange(16) % 3},
            "the shapes x=(16, 16) and x=(3, 3), with y as given",
            "the extra factor 16, the length of an axis",
        ),
        (layer_norm, {"x": (4, 16), "g": (16,)}, {}, "the shapes x=(4, 16), g=(16,) and x=(3, 4), g=(4,)", "x[0,0]"),
        (
            attention,
            {"q": (4, 4), "k": (4, 4), "v": (4, 4)},
            {},
            "the shapes q=(4, 4), k=(4, 4), v=(4, 4) and q=(5, 4), k=(3, 4), v=(3, 6)",
            "gradient of k",
        ),
    ],
    ids=["cross-entropy", "layer norm", "attention"],
)
def test_large_shapes_are_decided(
    case: Case, shapes: dict[str, tuple[int, ...]], data: dict[str, Any], scope: str, lacking: str
) -> None:
    """The right one is proved at both choices of shapes, the wrong one refuted."""
    proved = sb.verify_backward(case, shapes=shapes, data=data, seconds=60)
    refuted = sb.verify_backward(case, shapes=shapes, data={**data, "wrong": True}, seconds=60)

    assert proved.proved
    assert proved.scope == scope
    assert refuted.refuted
    assert lacking in refuted.diagnosis


def test_entries_that_differ_in_names_alone_are_proved_once() -> None:
    """Of two equations that read alike in the names of reciprocals, the one with other reciprocals is wrong."""

    def shares(x: Any, y: Any, weight: float) -> Any:
        total = x + np.array([1.0, weight]) * y
        out = x / total
        upstream = sb.upstream(out)
        r = 1 / total
        return out, upstream, {"x": upstream * y * r * r, "y": -upstream * np.array([1.0, weight]) * x * r * r}

    shapes = {"x": (2,), "y": (2,)}

    assert sb.verify_backward(shares, shapes=shapes, data={"weight": 1.0}).proved
    refuted = sb.verify_backward(shares, shapes=shapes, data={"weight": 2.0})
    assert refuted.refuted
    assert "x[1]" in str(refuted)
