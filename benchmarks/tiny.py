"""One training step of a 3-3-3-3 network with sigmoids and squared errors, batch 1: `python -m benchmarks.tiny`.

Careful NumPy writes into buffers made once, with nothing bound or checked; ours are the calls that users make.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import symbackprop as sb
from benchmarks.contest import describe_machine, measure, write_table

RATE = 0.1
STEPS = 200
LOOP = 50_000
ROUNDS = 9


class CarefulNumpy:
    """The network by hand."""

    def __init__(self, params: dict[str, Any], x: Any, y: Any) -> None:
        self.W = [params[f"W{k}"].copy() for k in (1, 2, 3)]
        self.b = [params[f"b{k}"].copy() for k in (1, 2, 3)]
        self.x, self.y = x, y
        self.z = [np.empty(3) for _ in range(3)]
        self.d = [np.empty(3) for _ in range(3)]
        self.t, self.G = np.empty(3), np.empty((3, 3))

    def step(self) -> float:
        """Forward, backward and update; the loss."""
        a = self.x
        for W, b, z in zip(self.W, self.b, self.z, strict=True):
            np.dot(W, a, out=z)
            z += b
            if z is not self.z[2]:
                np.negative(z, out=z)
                np.exp(z, out=z)
                z += 1
                np.reciprocal(z, out=z)
            a = z
        d = self.d[2]
        np.subtract(a, self.y, out=d)
        loss = float(np.dot(d, d)) / 3
        d *= 2 / 3
        for k in (2, 1, 0):
            d, a = self.d[k], self.z[k - 1] if k else self.x
            if k:
                below = self.d[k - 1]
                np.dot(d, self.W[k], out=below)
                np.subtract(1, a, out=self.t)
                self.t *= a
                below *= self.t
            np.multiply(d[:, None], a[None, :], out=self.G)
            self.G *= RATE
            self.W[k] -= self.G
            d *= RATE
            self.b[k] -= d
        return loss


def main() -> None:
    """Print the table."""
    network = sb.mlp([3, 3, 3, 3], batch=None)
    d, start, rng = sb.derive(network), network.init(0), np.random.default_rng(0)
    x, y = rng.normal(size=3), rng.normal(size=3)
    lists: dict[str, Any] = {name: array.tolist() for name, array in start.items()}
    plain: dict[str, Any] = {"x": x.tolist(), "y": y.tolist()}
    careful = CarefulNumpy(start, x, y)
    python, compiled, arrays = d.compile("python"), d.compile("numba"), d.compile()
    first = careful.step()
    assert abs(python(lists, **plain)[0] - first) < 1e-12
    losses, moved = compiled.descend(start, RATE, 1, x=x, y=y)
    assert abs(losses[0] - first) < 1e-12
    assert all(np.allclose(careful.W[k - 1], moved[f"W{k}"], rtol=1e-12) for k in (1, 2, 3))

    def repeat(run: Callable[[], object]) -> Callable[[], None]:
        def many() -> None:
            for _ in range(STEPS):
                run()

        return many

    times = measure(
        {
            "careful NumPy, a step with its update": repeat(careful.step),
            "numpy: a call": repeat(lambda: arrays(start, x=x, y=y)),
            "python: a call": repeat(lambda: python(lists, **plain)),
            "python: a step of descend": lambda: python.descend(lists, RATE, STEPS, **plain),
            "numba: a call": repeat(lambda: compiled(start, x=x, y=y)),
            "numba: a step of descend": lambda: compiled.descend(start, RATE, LOOP, x=x, y=y),
        },
        ROUNDS,
    )
    steps = {"numba: a step of descend": LOOP}
    each = {name: 1e6 * seconds / steps.get(name, STEPS) for name, seconds in times.items()}
    slowest = each["careful NumPy, a step with its update"]
    rows = [(name, f"{one:.2f} us", f"{one / slowest:.3f}") for name, one in each.items()]
    print(describe_machine())
    print(write_table(("3-3-3-3, batch 1, float64", "median", "over careful NumPy"), rows))


if __name__ == "__main__":
    main()
