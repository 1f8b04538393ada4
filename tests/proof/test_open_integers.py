"""Rare branches of code whose comparisons are left open: no proof passes over what NumPy does otherwise there.

What differs from 0 is added behind a gate of nine comparisons, which the runs beside an open proof do not pass.
"""

from __future__ import annotations

import numbers
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


def ones(x: Any) -> Any:
    """Integers that are 1 where an entry is positive, else 0."""
    return (x > 0).astype(int)


def pairs(x: Any) -> Any:
    """Integers that say which entry is above which."""
    return (x[:, None] > x[None]) * 1


def zeros_left(k: Any) -> Any:
    """How many entries are 0, which none is after a half was written there, unless NumPy cut it."""
    return np.where(k * 1.0 == 0.0, 1.0, 0.0).sum()


def written(write: Callable[[Any], Any]) -> Extra:
    """Halves that a function writes into integers."""

    def extra(x: Any) -> Any:
        k = ones(x)
        write(k)
        return zeros_left(k)

    return extra


def cut(make: Callable[[Any], Any]) -> Extra:
    """Halves that are written into what was made of integers."""

    def extra(x: Any) -> Any:
        k = make(x)
        k[k == 0] = 0.5
        return zeros_left(k)

    return extra


def write_flat(k: Any) -> None:
    k.flat = 0.5


def write_row_of_integers(k: Any) -> None:
    np.ravel(k)[:] = 0.5


def write_one_by_one(k: Any) -> None:
    for entry in np.nditer(k, op_flags=["readwrite"], flags=["refs_ok"]):  # type: ignore[call-overload]
        entry[...] = 0.5


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
FIRST_NINE = np.arange(9).reshape(3, 3)
WRITES: dict[str, Callable[[Any], Any]] = {
    "put": lambda k: np.put(k, [0, 1, 2], 0.5),
    "the method put": lambda k: k.put([0, 1, 2], 0.5),
    "copyto": lambda k: np.copyto(k, 0.5, casting="unsafe"),
    "place": lambda k: np.place(k, k == 0, 0.5),
    "putmask": lambda k: np.putmask(k, k == 0, 0.5),
    "put_along_axis": lambda k: np.put_along_axis(k, np.array([0, 1, 2]), 0.5, 0),
    "flat": write_flat,
    "ravel": write_row_of_integers,
    "nditer": write_one_by_one,
}
MADE: dict[str, Callable[[Any], Any]] = {
    "reshape": lambda x: np.reshape(ones(x), 3),
    "concatenate": lambda x: np.concatenate([ones(x), ones(x)]),
    "stack": lambda x: np.stack([ones(x), ones(x)]),
    "split": lambda x: np.split(ones(x), 3)[0].copy(),
    "meshgrid": lambda x: np.meshgrid(ones(x), ones(x))[0],
    "block": lambda x: np.block([ones(x), ones(x)]),
    "columns": lambda x: np.c_[ones(x), ones(x)],
    "rows": lambda x: np.r_[ones(x), ones(x)],
    "a list of arrays": lambda x: np.array([ones(x), ones(x)]),
    "a list of entries": lambda x: np.array([*ones(x)]),
    "a count in a list": lambda x: np.array([(x > 0).sum(), 0]),
    "a count and an item": lambda x: np.array([(x > 0).sum().item(), 0]),
    "a truth value in a list": lambda x: np.array([x[0] > 0, 0]),
    "a list of Python": lambda x: np.array(ones(x).tolist()),
    "counts side by side": lambda x: np.hstack([(x > 0).sum(), 0]),
    "a count as an array": lambda x: np.atleast_1d((x > 0).sum()),
    "a count in tiles": lambda x: np.tile((x > 0).sum(), 3),
    "full of a count": lambda x: np.full(3, (x > 0).sum()),
    "full of integers": lambda x: np.full(3, ones(x)),
    "Python's largest": lambda x: np.array([max(ones(x)), 0]),
    "Python's sum": lambda x: np.array([sum(ones(x)), 0]),
    "Python's order": lambda x: np.array(sorted(ones(x))),
    "sort": lambda x: np.sort(ones(x)),
    "unique": lambda x: np.unique(ones(x)),
    "prod": lambda x: np.prod(pairs(x) > 0, axis=0),
    "trace": lambda x: np.array([pairs(x).trace(), 0]),
    "the method dot": lambda x: FIRST_NINE.dot(ones(x)),
    "dot of a mask": lambda x: FIRST_NINE.dot(x > 0),
    "dot": lambda x: np.dot(FIRST_NINE, ones(x)),
    "inner": lambda x: np.inner(FIRST_NINE, ones(x)),
    "tensordot": lambda x: np.tensordot(FIRST_NINE, ones(x), 1),
    "vdot": lambda x: np.array([np.vdot(ones(x), ones(x)), 0]),
    "outer": lambda x: np.outer(ones(x), ones(x)),
    "the ufunc's outer": lambda x: np.add.outer(ones(x), (x > 0).sum()),
    "kron": lambda x: np.kron(ones(x), ones(x)),
    "cross": lambda x: np.cross(ones(x), [1, 1, 1]),
    "convolve": lambda x: np.convolve(ones(x), [1, 1]),
    "matrix_power": lambda x: np.linalg.matrix_power(pairs(x), 2),
    "einsum with a count": lambda x: np.einsum("i,->i", ones(x), (x > 0).sum()),
    "where of a count": lambda x: np.where(x > 0, (x > 0).sum(), 0),
    "where of a truth value": lambda x: np.where(x > 0, x[0] > 0, 0),
    "choose": lambda x: np.choose(np.array([0, 1, 0]), [ones(x), ones(x)]),
    "times a count": lambda x: ones(x) * (x > 0).sum(),
    "plain ones times a count": lambda x: np.arange(3) * (x > 0).sum(),
    "tile": lambda x: np.tile(ones(x), 2),
    "repeat": lambda x: np.repeat(ones(x), 2),
    "pad": lambda x: np.pad(ones(x), 1),
    "insert": lambda x: np.insert(ones(x), 0, 0),
    "append": lambda x: np.append(ones(x), 0),
    "roll": lambda x: np.roll(ones(x), 1),
    "clip": lambda x: np.clip(ones(x), 0, 5),
    "diag": lambda x: np.diag(ones(x)),
    "diff": lambda x: np.diff(ones(x)),
    "tril": lambda x: np.tril(pairs(x)),
    "vander": lambda x: np.vander(ones(x)),
    "swapaxes": lambda x: np.swapaxes(pairs(x), 0, 1).copy(),
    "broadcast_to": lambda x: np.broadcast_to(ones(x), (2, 3)).copy(),
    "apply_along_axis": lambda x: np.apply_along_axis(lambda row: row, 0, ones(x)),
}
WRONG |= {f"written by {name}": written(write) for name, write in WRITES.items()}
WRONG |= {f"written into {name}": cut(make) for name, make in MADE.items()}
WRONG |= {
    "a byte times a truth value": lambda x: (
        (x[0] > 0) * np.uint8(200) + np.uint8(100) * (x[0] > 0) - 300.0 * (x[0] > 0)
    ),
    "a float cut by astype": lambda x: (ones(x).dot(np.array([0.5, 0.5, 0.5])).astype(int) - 0.5 * ones(x).sum()),
}
WRONG |= {
    "halves of truth values": lambda x: np.round((x[0] > 0) * 1.0 + 0.5) - (1.0 + (x[0] > 0)),
    "half of a count": lambda x: np.rint((x > 0).sum() / 2) - np.floor((x > 0).sum() / 2 + 0.5),
    "a half that Python rounds": lambda x: round(0.5 * (x[0] > 0)) - 1.0 * (x[0] > 0),
    "the type of a count": lambda x: 1.0 * isinstance((x > 0).sum(), np.integer),
    "the type of an entry": lambda x: 1.0 * (type(ones(x)[0]) is np.int64),
    "the type of a product": lambda x: 1.0 * np.issubdtype((ones(x) @ ones(x)).dtype, np.integer),
    "the type of an item": lambda x: 1.0 * isinstance((x > 0).sum().item(), int),
    "an abstract integer": lambda x: 1.0 * isinstance((x > 0).sum(), numbers.Integral),
    "what integers alone have": lambda x: 1.0 * hasattr((x > 0).sum(), "bit_count"),
    "the type of both": lambda x: 1.0 * (np.result_type((x > 0).sum(), np.int8) == np.int64),
    "the identity of a truth value": lambda x: 1.0 * ((x[0] > 0) is np.True_),
    "the identity of one of Python": lambda x: 1.0 * ((x.tolist()[0] > 0) is True),
    "the text of a count": lambda x: 1.0 * (str((x > 0).sum()) == "2"),
    "the text of truth values": lambda x: 1.0 * ("True" in str(x > 0)),
}
RIGHT: dict[str, Extra] = {
    "a sum of truth values": lambda x: np.sum(x > 0) * 1.0 - (x > 0).sum(),
    "a mean over those that count": lambda x: (x * (x > 0)).sum() - ((x > 0) * x / 2).sum() * 2,
    "columns of integers": lambda x: (np.concatenate([ones(x), ones(x)]) * 1.0).sum() - 2.0 * ones(x).sum(),
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
