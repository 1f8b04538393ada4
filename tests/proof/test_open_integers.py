"""Rare branches of code whose comparisons are left open: no proof passes over what NumPy does otherwise there.

What differs from 0 is added behind a gate of nine comparisons, which the runs beside an open proof do not pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb

Extra = Callable[[Any], Any]
BYTES = np.full(3, 200, np.uint8)
SIGNS = np.array([1, -1, -1, 1, -1, 1, -1, 1, -1])


def judge(extra: Extra) -> sb.Verdict:
    """The verdict on a gradient that is right unless nine entries have given signs, and then wrong by an extra."""

    def forward(x: Any) -> Any:
        return x.sum(), x

    def backward(d: Any, x: Any) -> Any:
        gate = np.prod((x[3:] * SIGNS > 0) * 1.0)
        return d * np.ones_like(x) + gate * extra(x[:3])

    return sb.verify_backward(forward, backward, shapes={"x": (12,)})


def is_zero(extra: Extra) -> bool:
    """Whether NumPy finds no entry but 0, at many points."""
    rng = np.random.default_rng(0)
    with np.errstate(invalid="ignore", over="ignore"):
        return all(abs(float(extra(rng.normal(size=3) * 3))) < 1e-9 for _ in range(50))


def after(change: Callable[[Any], Any]) -> Extra:
    """What is selected, changed, less what was selected."""

    def extra(x: Any) -> Any:
        h = x[x > 0]
        change(h)
        return h.sum() - x[x > 0].sum()

    return extra


def leaky(make: Callable[[Any], Any]) -> Extra:
    """A mask whose zeros are made 0.1, in the place of a slope."""

    def extra(x: Any) -> Any:
        k = make(x)
        k[k == 0] = 0.1
        return (k * x - np.where(x > 0, x, 0.1 * x)).sum()

    return extra


def write_view(h: Any) -> None:
    k = h[:]
    k += 1


def write_row(h: Any) -> None:
    h.ravel()[:] = 1


def largest_distance(x: Any) -> Any:
    m = ((x[:, None] - x[None, :]) ** 2).max()
    return m * (m > 1)


WRONG: dict[str, Extra] = {
    "what is selected is clipped": after(lambda h: np.clip(h, 0, 1, out=h)),
    "what is selected is filled": after(lambda h: h.fill(7.0)),
    "what is selected is copied over": after(lambda h: np.copyto(h, 1.0)),
    "a view of what is selected": after(write_view),
    "a row of what is selected": after(write_row),
    "a root is compared": lambda x: ((np.sqrt(x) < 1) * 1.0 - (x < 1)).sum(),
    "a logarithm is compared": lambda x: ((np.log(x) < np.log(2.0)) * 1.0 - (x < 2)).sum(),
    "integers by astype": leaky(lambda x: (x > 0).astype(int)),
    "integers by where": leaky(lambda x: np.where(x > 0, 1, 0)),
    "integers by a product": leaky(lambda x: (x > 0) * 1),
    "integers by a sum": leaky(lambda x: (x > 0) + 0),
    "integers by array": leaky(lambda x: np.array(x > 0, dtype=int)),
    "integers by a count": lambda x: leaky(lambda x: (x[:, None] > x).sum(0) * 1)(x) * 1.0,
    "small integers": lambda x: ((x > 0).astype(np.uint8) - 1 - ((x > 0) * 1.0 - 1)).sum(),
    "small integers negated": lambda x: (-(x > 0).astype(np.uint8) + (x > 0) * 1.0).sum(),
    "small integers that overflow": lambda x: (
        (x > 0).astype(np.uint8) * np.uint8(200) + (x > 0).astype(np.uint8) * np.uint8(100) - 300.0 * (x > 0)
    ).sum(),
    "integers bit by bit": lambda x: (~(x > 0).astype(int) - (1 - (x > 0) * 1.0)).sum(),
    "a count bit by bit": lambda x: ~(x[0] > 0).sum() - (1 - (x[0] > 0) * 1.0),
    "an einsum of truth values": lambda x: (np.einsum("i->", x > 0) - (x > 0).sum()) * 1.0,
    "an einsum of two": lambda x: (np.einsum("i,i->", x > 0, x > 0) - (x > 0).sum()) * 1.0,
    "truth values and a plain one": lambda x: (((x > 0) + True) * 1.0 - ((x > 0) * 1.0 + 1)).sum(),
    "times a plain one": lambda x: (((x > 0) * True + True) * 1.0 - ((x > 0) * 1.0 + 1)).sum(),
    "and one of NumPy": lambda x: (((x > 0) + np.True_) * 1.0 - ((x > 0) * 1.0 + 1)).sum(),
    "bytes that overflow": lambda x: (
        ((x > 0).astype(np.int8) * 100) @ (x > 0).astype(np.int8) - 100.0 * (x > 0).sum()
    ),
    "plain bytes times a mask": lambda x: (BYTES * (x > 0) + BYTES * (x > 0) - 400.0 * (x > 0)).sum(),
    "a byte times a mask": lambda x: (np.uint8(200) * (x > 0) + np.uint8(100) * (x > 0) - 300.0 * (x > 0)).sum(),
    "bytes that a mask chooses": lambda x: (
        np.where(x > 0, np.uint8(200), np.uint8(0)) + np.uint8(100) - (200.0 * (x > 0) + 100)
    ).sum(),
    "an array of truth values": lambda x: (
        (np.array([x[0] > 0, True, False]) + True) * 1.0 - (np.array([x[0] > 0, True, False]) * 1.0 + 1)
    ).sum(),
    "the largest of numbers that are equal": largest_distance,
    "two that are equal": lambda x: 7 * (np.max(np.array([(x[0] + 1) ** 2, x[0] * x[0] + 2 * x[0] + 1])) > 1),
}
RIGHT: dict[str, Extra] = {
    "a mask and a choice": lambda x: (np.where(x > 0, x, 0) - x * (x > 0)).sum(),
    "floats": leaky(lambda x: (x > 0).astype(float)),
    "integers in arithmetic": lambda x: ((1 - (x > 0).astype(int)) * x - np.where(x > 0, 0, x)).sum(),
    "the largest twice": lambda x: np.max((x[:, None] - x) ** 2) - ((x[:, None] - x[None, :]) ** 2).max(),
}


@pytest.mark.parametrize("name", WRONG)
def test_no_proof_for_all_paths_passes_over_it(name: str) -> None:
    """It is found, or the verdict says that not all paths were run."""
    assert not is_zero(WRONG[name])

    verdict = judge(WRONG[name])

    assert verdict.refuted or "on all paths" not in str(verdict)


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_proved_for_all_paths(name: str) -> None:
    """The same ways of writing, where they make no difference."""
    assert is_zero(RIGHT[name])

    verdict = judge(RIGHT[name])

    assert verdict.proved
    assert "(on all paths)" in str(verdict)
