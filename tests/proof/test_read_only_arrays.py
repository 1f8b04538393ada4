"""Arrays that may only be read: what NumPy refuses to write to is refused while code is traced, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb

SHARE = "np.broadcast_to(1.0 / len(x), x.shape)"
WRITES = [
    f"m = {SHARE}; m *= dout; return m",
    f"m = {SHARE}; m[...] = m * dout; return m",
    f"m = np.asarray({SHARE}); m *= dout; return m",
    f"m = {SHARE}; np.clip(m, 0, 1, out=m); return m * dout",
    f"m = {SHARE}; np.mean(x, axis=0, out=m[0]); return m * dout",
    f"m = {SHARE}; np.put(m, [0], m[0, 0]); return m * dout",
    "m = np.ones(x.shape) / len(x); m.setflags(write=False); m *= dout; return m",
    "m = np.diagonal(np.eye(3)); m *= 1; return x * 0 + dout / len(x)",
    f"m = {SHARE}.copy(); m *= dout; return m",
    f"m = np.array({SHARE}); m *= dout; return m",
    f"m = {SHARE}.astype(float); m *= dout; return m",
    f"m = {SHARE} > 0; m &= True; return m * dout / len(x)",
    f"m = {SHARE}; m = m * dout; return m",
    f"m = {SHARE}; m.setflags(write=True); m *= dout; return m",
]


def mean(x: Any) -> Any:
    """The mean of each column."""
    return x.mean(axis=0), x


def made(body: str) -> Callable[..., Any]:
    """A backward of some statements."""
    names: dict[str, Any] = {"np": np}
    exec("def backward(dout, x):\n    " + body.replace("; ", "\n    "), names)
    return names["backward"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("body", WRITES)
def test_what_numpy_refuses_to_write_to_is_refused(body: str) -> None:
    """Proved where NumPy runs through to the derivative."""
    backward = made(body)
    x, dout = np.linspace(1, 2, 6).reshape(2, 3), np.array([1.0, 2, 4])
    try:
        right = np.allclose(backward(dout, x), np.broadcast_to(dout / 2, x.shape))
        refused = False
    except ValueError:
        right, refused = False, True
    verdict = sb.verify_backward(mean, backward, shapes={"x": (2, 3)})

    assert verdict.proved == right, str(verdict)
    assert verdict.undecided == refused
    assert ("read-only" in verdict.reason) == refused


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("outside", [True, False])
def test_data_that_may_only_be_read_stays_so(write: bool, outside: bool) -> None:
    """As an argument and as a name outside of the functions; what is written is there at the next call. The array
    itself is left alone."""
    scale = np.array([1.0, 2, 3])
    scale.setflags(write=write)

    def forward(x: Any, m: Any) -> Any:
        return x * m, m

    def backward(dout: Any, m: Any) -> Any:
        target = scale if outside else m
        target *= dout
        return target.copy()

    verdict = sb.verify_backward(forward, backward, shapes={"x": (3,)}, data={"m": scale})

    assert verdict.undecided
    assert ("keeps state between calls" if write else "read-only") in verdict.reason
    assert scale.tolist() == [1, 2, 3]
