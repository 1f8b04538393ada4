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
    ],
    ids=["cross-entropy", "layer norm"],
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
